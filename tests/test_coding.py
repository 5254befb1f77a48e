"""The committed codings honour the sources' caveats; readers turn raw rows into them.

Tests marked `needs_sources` rebuild from the publishers' files and need the folder named by the
environment variable FAIRWEATHER_SOURCES.
"""

import shutil
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairweather import paths
from fairweather.codebook import load_codebook
from fairweather.coding import build as builder
from fairweather.coding import chronology, events, sanctions, un_votes
from fairweather.coding.registry import (
    READERS,
    Sources,
    both_members,
    ever_positive,
    pair,
    reader,
    smoothed_logit,
    with_zeros,
)
from fairweather.errors import RecordError, SourceError
from fairweather.record import load_record
from published import SOURCES, needs_sources
from small_record import make

MEMBERS = "CHN RUS PAK IRN PRK NGA MMR VEN COD SYR SDN AFG CUB KHM LBY IND JPN BRA DEU SAU ZAF"


@pytest.fixture(scope="module")
def record():
    return load_record()


@pytest.fixture(scope="module")
def rows(record):
    return {k: v for k, v in record.observations.groupby("indicator")}


def value(rows, indicator, unit, year, column="value"):
    frame = rows[indicator]
    return frame.loc[(frame["unit"] == unit) & (frame["year"] == year), column].item()


# -- states ----------------------------------------------------------------------------------


def test_states_follow_the_rule(record):
    states = record.states.set_index("iso3")
    assert states.index.tolist() == MEMBERS.split()
    pressed = states[states["role"] == "pressed"]
    assert len(pressed) == 15 and "USA" not in states.index
    assert (pressed[["years_two_cases", "years_three_kinds"]] >= 5).all(axis=None)
    assert (pressed["mean_cinc"] >= 0.0014).all()
    contrast = states[states["role"] == "contrast"]
    assert contrast["region"].is_unique
    few = contrast[["years_two_cases", "years_three_kinds"]].min(axis=1)
    assert (few < 5).all()


# -- United Nations --------------------------------------------------------------------------

# Contested roll calls (more than three "no") and identical share of CHN and RUS, from the agreement
# table published with the source.
CHECK = {1992: (16, 0.188), 1995: (32, 0.531), 2003: (40, 0.700), 2014: (46, 0.652),
         2018: (60, 0.733), 2020: (50, 0.760), 2023: (57, 0.649), 2024: (58, 0.672)}  # fmt: skip


@pytest.mark.parametrize("year", CHECK)
def test_chn_rus_votes_match_the_agreement_table(rows, year):
    n, share = CHECK[year]
    assert value(rows, "unga_votes", "CHN-RUS", year, "n") == n
    assert value(rows, "unga_votes", "CHN-RUS", year) / n == pytest.approx(share, abs=6e-4)


def test_votes_cover_all_pairs_to_2024_with_ten_votes_or_more(rows, record):
    votes = rows["unga_votes"]
    pairs = {f"{a}-{b}" for a, b in combinations(sorted(record.states["iso3"]), 2)}
    assert set(votes["unit"]) == pairs
    assert votes["year"].min() == 1992 and votes["year"].max() == 2024
    assert votes["n"].min() >= 10
    assert votes.loc[votes["year"] == 2024, "n"].max() == 59
    # Venezuela and Afghanistan cast no vote in 2024: unknown, not disagreement.
    absent = pairs - set(votes.loc[votes["year"] == 2024, "unit"])
    assert all("VEN" in p or "AFG" in p for p in absent) and len(absent) == 39


def test_resolutions_adopted_without_a_vote_are_no_shared_refusal(rows):
    # 16 admissions of 1992 carry "not voting" for everyone; counting them would give 25 and 16.
    assert value(rows, "unsc_joint_nonyes", "CHN-RUS", 1992, "n") == 9
    assert value(rows, "unsc_joint_nonyes", "CHN-RUS", 1992) == 0
    assert value(rows, "unsc_joint_nonyes", "CHN-RUS", 2020) == 8


def test_joint_vetoes(rows):
    veto = rows["unsc_joint_veto"]
    assert veto["value"].sum() == 16
    assert veto["year"].max() == 2024
    assert value(rows, "unsc_joint_veto", "CHN-RUS", 2019) == 3


# -- coverage and zeros ----------------------------------------------------------------------


def test_no_soviet_or_dissolved_codes(record):
    codes = set(record.observations["unit"].str.findall("[A-Z]{3}").explode())
    assert codes <= set(MEMBERS.split())
    assert not record.observations.duplicated(["indicator", "unit", "year"]).any()


def test_complete_grids_where_zeros_are_true(rows, record):
    codebook = record.codebook
    for one in codebook.by(family="count"):
        if one.zero.startswith("absent row = unknown"):
            continue  # no true zeros, no grid
        frame = rows[one.id]
        years = frame["year"].nunique()
        assert (frame.groupby("unit").size() == years).all(), one.id
        assert set(frame["year"]) == set(range(one.first_year, one.last_year + 1)), one.id


def test_visits_cover_china_with_every_member(rows):
    for name, first, last in (
        ("china_trips_ceias", 1992, 2012),
        ("china_trips_vg2", 2013, 2024),
        ("visits_to_china_vg2", 2014, 2024),
    ):
        frame = rows[name]
        assert frame["unit"].nunique() == 20
        assert frame["unit"].str.contains("CHN").all()
        assert len(frame) == 20 * (last - first + 1)
    assert value(rows, "china_trips_vg2", "CHN-RUS", 2015) == 2  # Ufa: two summits, one trip
    assert value(rows, "china_trips_vg2", "CHN-RUS", 2020) == 0
    assert value(rows, "visits_to_china_vg2", "CHN-RUS", 2014) == 2  # the false third is out
    assert value(rows, "visits_to_china_vg2", "CHN-RUS", 2016) == 2
    assert value(rows, "visits_to_china_vg2", "CHN-RUS", 2022) == 1
    # Thein Sein and Menfi stand twice on one day, each under two spellings.
    assert value(rows, "visits_to_china_vg2", "CHN-MMR", 2014) == 2
    assert value(rows, "visits_to_china_vg2", "CHN-LBY", 2024) == 1


def test_us_contacts_count_a_trip_once(rows):
    contacts = rows["us_leader_contacts"]
    assert contacts.loc[contacts["unit"] == "IRN", "value"].sum() == 0
    # Xi's stay of November 2023 has two rows with one date; a leader and a secretary also met.
    assert value(rows, "us_leader_contacts", "CHN", 2023) == 2


def test_arms_come_from_one_vintage(rows):
    # Register allocation of Russian deliveries (499 and 207), not the older table (632 for 2020).
    assert np.exp(value(rows, "arms_volume", "CHN-RUS", 2020)) == pytest.approx(499, abs=1)
    assert np.exp(value(rows, "arms_volume", "CHN-RUS", 2024)) == pytest.approx(207, abs=1)
    arms = rows["arms_deliveries"]
    assert arms["year"].max() == 2024 and arms["year"].min() == 1992
    assert (arms.groupby("unit")["value"].sum() > 0).all()
    volume = rows["arms_volume"].merge(arms, on=["unit", "year"])
    assert (volume["value_y"] > 0).all()


def test_exercises_are_counted_once(rows):
    assert "CHN-RUS" not in set(rows["exercises_mme"]["unit"])
    assert rows["exercises_mme"]["year"].max() == 2010
    # East Germany's exercise with the Soviet Union, filed under the Federal Republic's number.
    old = load_record(history=True).observations.query("indicator == 'exercises_mme'")
    assert old["year"].min() == 1980 and not old.query("unit == 'DEU-RUS' and year < 1992").size
    assert value(rows, "exercises_chn_rus", "CHN-RUS", 1999) == 1
    assert value(rows, "exercises_chn_rus", "CHN-RUS", 2024) == 4


def test_trade_leaves_the_unknown_out(rows):
    trade = rows["trade_cow"]
    assert trade["year"].max() == 2014
    assert len(trade) < 0.7 * 210 * 23  # many pairs read zero, which may be unknown
    assert "CHN-RUS" not in set(rows["china_imports_imf"]["unit"])
    both = rows["trade_chn_rus_customs"].merge(trade, on=["unit", "year"])
    assert both["year"].tolist() == list(range(2010, 2015))


def test_trade_is_net_of_each_states_own_year(rows):
    trade = rows["trade_cow"]
    sides = pd.concat(
        [trade.assign(state=trade["unit"].str[:3]), trade.assign(state=trade["unit"].str[4:])]
    )
    # Least squares leaves nothing of a state's own year in its pairs: embargo, opening, inflation.
    assert sides.groupby(["state", "year"])["value"].sum().abs().max() < 1e-3
    hub = rows["china_imports_imf"].groupby("year")["value"].mean()
    assert hub.abs().max() < 1e-4


def test_swap_lines_are_bilateral_and_counted_once(rows):
    lines = rows["swap_lines"]
    focal = lines[(lines["unit"] == "CHN-RUS") & (lines["value"] > 0)]
    assert focal["year"].tolist() == [2014, 2017, 2020]
    assert (focal["value"] == 1).all()
    assert "BRA-RUS" not in set(lines["unit"])  # only a pool joins them


def test_event_windows(rows):
    assert set(rows["gdelt_balance"]["year"]) == set(range(2018, 2024))
    assert rows["gdelt_balance"]["n"].min() >= 60
    assert rows["icews_verbal_coop"]["n"].min() >= 10
    assert not rows["icews_verbal_coop"]["unit"].str.contains("VEN").any()


def test_us_pressure_moves_when_it_did(rows):
    assert value(rows, "gsdb_us_cases", "RUS", 2013) == 0
    assert np.expm1(value(rows, "gsdb_us_cases", "RUS", 2022)) == pytest.approx(7, abs=1e-4)
    assert np.expm1(value(rows, "gsdb_us_cases", "CHN", 2022)) == pytest.approx(7, abs=1e-4)
    icews = rows["icews_us_material_conf"].set_index(["unit", "year"])["value"]
    assert icews["RUS", 2014] - icews["RUS", 2013] > 1
    assert icews["RUS", 2009] < icews["RUS", 2008]
    ofac = rows["ofac_additions"].set_index(["unit", "year"])["value"]
    assert np.expm1(ofac["RUS", 2022]) == pytest.approx(768 / 8, abs=1e-3)  # May to December
    assert "NGA" not in set(rows["fr_sanction_docs"]["unit"])
    assert value(rows, "fr_sanction_docs", "RUS", 2020, "n") == pytest.approx(0.336)


def test_aid_is_never_negative_and_complete(rows):
    aid = rows["us_aid"]
    assert len(aid) == 21 * 33 and aid["value"].min() == 0


def test_drivers_are_structural(rows):
    assert rows["tci_sop4"]["year"].max() == 2021
    assert value(rows, "tci_sop4", "CHN>RUS", 2021) == pytest.approx(0.940, abs=5e-4)
    # Of Afghan exports in 2012 two of four stages have a figure: the rest is unknown.
    assert not rows["tci_sop4"].query("unit == 'AFG>CHN' and year == 2012").size
    assert not rows["tci_sop4"].query("unit == 'CHN>AFG' and year == 2012").size
    assert rows["tci_sop4"].query("unit == 'CHN>AFG' and year == 2011").size
    fit = rows["energy_fit"]
    assert len(fit) == 11 * 10 * 33
    assert value(rows, "energy_fit", "CHN>RUS", 2020) == 0
    assert value(rows, "energy_fit", "RUS>CHN", 2020) == pytest.approx(28.288 / 137.979, abs=1e-4)


# -- readers on small made-up sources --------------------------------------------------------


def _write(root, name, frame):
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.to_parquet(path) if path.suffix == ".parquet" else frame.to_csv(path, index=False)


def test_unga_reader_counts_only_contested_adopted_votes(tmp_path):
    kinds = ["resolution"] * 11 + ["draft_not_adopted", "resolution"]
    no = [4] * 12 + [3]
    calls = pd.DataFrame({"rc": range(13), "year": 2000, "kind": kinds, "no": no})
    china = [1] * 13
    russia = [1] * 7 + [2, 3, 3, 8] + [1, 1]
    votes = pd.DataFrame(
        {"rc": [*range(13)] * 2, "iso3": ["CHN"] * 13 + ["RUS"] * 13, "vote": china + russia}
    )
    _write(tmp_path, "un_votes/ga_rollcalls.parquet", calls)
    _write(tmp_path, "un_votes/ga_votes.parquet", votes)
    out = un_votes.unga_votes(Sources(tmp_path, ["CHN", "RUS"])).iloc[0]
    assert (out["value"], out["partial"], out["opposite"], out["n"]) == (7, 1, 2, 10)


def test_gdelt_reader_weights_short_months_and_joins_directions(tmp_path):
    frame = pd.DataFrame(
        {
            "month": ["2023-05", "2023-07", "2024-01"],
            "a_iso3": ["RUS", "CHN", "CHN"],
            "b_iso3": ["CHN", "RUS", "RUS"],
            "pos_day_sum": [15.0, 0.0, 9.0],
            "neg_day_sum": [0.0, -31.0, 0.0],
            "n_days_active": [40, 40, 40],
            "n_days_in_file": [15, 31, 31],
        }
    )
    name = "us_pressure/gdelt_net_goldstein_pair_month_2018_2024.parquet"
    _write(tmp_path, name, frame)
    out = events.gdelt_balance(Sources(tmp_path, ["CHN", "RUS"]))
    assert out["year"].tolist() == [2023]
    assert out["value"].item() == pytest.approx(0, abs=1e-9)


def test_aid_of_a_state_that_was_divided_is_not_zero(rows, record):
    # 1,647 million constant dollars: the source lists them under "Sudan (former)".
    assert np.expm1(value(rows, "us_aid", "SDN", 2005)) == pytest.approx(1647.19, abs=0.1)
    past = load_record(history=True).observations
    past = past[(past["indicator"] == "us_aid") & (past["unit"] == "SDN")]
    assert (past.loc[past["year"].between(1977, 1990), "value"] > 3).all()
    # After the partition the old account is neither side's alone.
    assert np.expm1(value(rows, "us_aid", "SDN", 2013)) == pytest.approx(224.34, abs=0.1)


def test_an_aid_account_nobody_knows_is_refused(tmp_path):
    frame = pd.DataFrame(
        {"iso3": [np.nan], "country": ["Atlantis (former)"], "transaction_type": ["Obligations"],
         "fiscal_year": ["1992"], "constant_usd": [1e6]}
    )  # fmt: skip
    _write(tmp_path, "us_pressure/us_foreign_aid_country_year.csv.gz", frame)
    with pytest.raises(SourceError, match="Atlantis"):
        sanctions.us_aid(Sources(tmp_path, ["CHN"]))


def test_aid_reader_drops_transition_quarter_and_returns(tmp_path):
    frame = pd.DataFrame(
        {
            "country": "China",
            "iso3": ["CHN", "CHN", "CHN", "CHN"],
            "transaction_type": ["Obligations", "Obligations", "Disbursements", "Obligations"],
            "fiscal_year": ["1992", "1976tq", "1993", "1994"],
            "constant_usd": [1e6, 5e6, 9e6, -3e6],
        }
    )
    _write(tmp_path, "us_pressure/us_foreign_aid_country_year.csv.gz", frame)
    out = sanctions.us_aid(Sources(tmp_path, ["CHN"])).set_index("year")["value"]
    assert out[1992] == pytest.approx(np.log(2)) and len(out) == 33
    assert out[1993] == out[1994] == 0


def test_chronology_leaves_out_what_others_count():
    text = {
        "military": ["Joint Sea-2012 off Qingdao", "Shanghai Five agreement on border troops"],
        "trade": ["Trade up 26 per cent", "China suspends its coal import tariff"],
        "arms": ["First four Su-35 delivered", "Russia stops the licence"],
    }
    frame = pd.DataFrame([{"channel": c, "event": e} for c, es in text.items() for e in es])
    assert chronology.counted_elsewhere(frame).tolist() == [True, False] * 3


def test_missing_file_and_column(tmp_path):
    src = Sources(tmp_path)
    with pytest.raises(SourceError, match=r"sc_vetoes.csv: the publisher's file is missing"):
        src.read("sc_vetoes", ["a"])
    _write(tmp_path, "un_votes/sc_vetoes.csv", pd.DataFrame({"b": [1]}))
    with pytest.raises(SourceError, match=r"sc_vetoes.csv, line 1: columns \['a'\] are missing"):
        src.read("sc_vetoes", ["a"])


def test_a_second_reader_is_refused():
    with pytest.raises(SourceError, match="two readers"):
        reader("unga_votes")(lambda src: src)


def test_every_codebook_entry_has_a_reader(record):
    assert set(builder.readers()) == set(record.codebook) == set(READERS)


def test_helpers():
    frame = pd.DataFrame({"a": ["RUS", "RUS", "USA"], "b": ["CHN", "RUS", "CHN"]})
    assert len(both_members(frame, "a", "b", ["CHN", "RUS"])) == 1
    counts = pd.DataFrame({"unit": ["x", "y"], "year": [2000, 1990], "value": [1, 1]})
    assert ever_positive(counts, 1995, 2005) == ["x"]
    assert with_zeros(counts, ["x"], 1999, 2000)["value"].tolist() == [0, 1]


@given(st.text("ABC", min_size=3, max_size=3), st.text("ABC", min_size=3, max_size=3))
def test_pair_is_symmetric_and_sorted(a, b):
    one, two = pair(pd.Series([a]), pd.Series([b])), pair(pd.Series([b]), pd.Series([a]))
    assert one.tolist() == two.tolist()
    assert one.item()[:3] <= one.item()[4:]


@given(st.integers(0, 50), st.integers(0, 50))
def test_smoothed_logit_is_finite_and_odd(k, rest):
    n = k + rest
    yes, no = (smoothed_logit(pd.Series([x]), pd.Series([n])).item() for x in (k, n - k))
    assert np.isfinite(yes) and yes == pytest.approx(-no)


def test_a_failed_build_replaces_nothing(tmp_path, monkeypatch):
    shutil.copytree(paths.data_dir(), tmp_path / "data")
    before = {p: p.read_bytes() for p in (tmp_path / "data").rglob("*.csv")}
    states = pd.read_csv(tmp_path / "data" / "states.csv")
    monkeypatch.setattr(builder, "compute_states", lambda src: states)

    def bad(src):
        return pd.DataFrame({"unit": ["CHN-RUS"], "year": [2030], "value": [1.0], "n": [1.0]})

    builder.readers()
    for name in READERS:
        monkeypatch.setitem(READERS, name, bad)
    with pytest.raises(RecordError, match=r"line 2"):
        builder.build(tmp_path / "none", tmp_path / "data")
    assert {p: p.read_bytes() for p in (tmp_path / "data").rglob("*.csv")} == before
    assert not list((tmp_path / "data").glob(".build-*"))
    monkeypatch.delitem(READERS, "us_mid")
    with pytest.raises(SourceError, match="codebook and readers differ"):
        builder.build(tmp_path / "none", tmp_path / "data")


@needs_sources
def test_rebuild_gives_the_committed_bytes(tmp_path):
    for path in [p for p in paths.data_dir().iterdir() if p.is_file()]:
        shutil.copy(path, tmp_path / path.name)
    builder.build(SOURCES, tmp_path)
    committed = paths.data_dir()
    made = sorted(p for p in tmp_path.rglob("*") if p.is_file())
    assert len(made) == len([p for p in committed.rglob("*") if p.is_file()])
    for path in made:
        assert path.read_bytes() == (committed / path.relative_to(tmp_path)).read_bytes(), path.name


@needs_sources
def test_a_record_of_three_states_can_be_read(tmp_path):
    """With so few, trade net of states' own years has no row at all."""
    table = builder.build(SOURCES, tmp_path / "three", states="CHN,RUS,IND").set_index("indicator")
    assert table.loc["trade_cow", "rows"] == 0
    three = load_record(tmp_path / "three", history=True)
    assert three.states["iso3"].tolist() == ["CHN", "RUS", "IND"]
    assert "trade_cow" not in set(three.observations["indicator"])


def test_a_build_keeps_tables_coded_by_hand(tmp_path):
    """Only readers' tables are replaced: an indicator of one's own has no reader."""
    data = make(tmp_path / "data")
    work = tmp_path / "work"
    work.mkdir()
    builder._keep_own(load_codebook(data / "codebook.toml"), data, work)
    assert [p.name for p in (work / "observations").iterdir()] == ["closeness.csv"]


@needs_sources
@pytest.mark.parametrize("states", ["CHN,RUS", "CHN,RUS,XXX", "CHN,CHN,RUS", "chn,RUS,IND"])
def test_a_refused_build_writes_nothing(tmp_path, states):
    with pytest.raises(SourceError):
        builder.build(SOURCES, tmp_path / "new", states=states)
    assert not (tmp_path / "new").exists()


@pytest.mark.long
@needs_sources
def test_a_record_of_all_un_members_is_built_and_sound(tmp_path):
    table = builder.build(SOURCES, tmp_path / "world", states="un-members").set_index("indicator")
    assert table.loc["unga_votes", "units"] == 193 * 192 // 2
    world = load_record(tmp_path / "world", history=True)
    assert len(world.states) == 193 and set(world.states["role"]) == {"chosen"}
    rows = world.observations
    # States are not there before they were: no South Sudan before 2011, no Soviet Ukraine.
    south = rows[rows["unit"].str.contains("SSD")]
    assert south["year"].min() >= 2011
    # The source of pressure is under none, and is a member like others in its pairs.
    pressure = {one.id for one in world.codebook.of("pressure")}
    assert not (rows["indicator"].isin(pressure) & (rows["unit"] == "USA")).any()
    assert "CHN-USA" in set(rows["unit"])
    # The shipped pairs have the same counts in every world.
    small, large = (
        r.observations.query("indicator == 'unga_votes' and unit == 'CHN-RUS'")["value"].tolist()
        for r in (load_record(history=True), world)
    )
    assert small == large


@needs_sources
def test_votes_match_the_published_agreement_in_every_year(rows):
    table = pd.read_csv(Path(SOURCES) / "un_votes" / "check_agreement_chn_rus_usa.csv")
    votes = rows["unga_votes"]
    joined = votes[votes["unit"] == "CHN-RUS"].merge(table, on="year")
    assert len(joined) == 33
    assert (joined["n"] == joined["chn_rus_n_contested"]).all()
    assert (joined["value"] / joined["n"] - joined["chn_rus_eq_contested"]).abs().max() < 1e-4


@needs_sources
def test_energy_fit_is_blind_to_bilateral_flows():
    src = Sources(SOURCES, MEMBERS.split())
    builder.readers()["energy_fit"](src)
    assert set(src._tables) == {"energy"}
