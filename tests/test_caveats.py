"""Caveats of the sources that could corrupt a series unseen: each test fails if one is ignored.

Most caveats are guarded beside their readers (`test_coding.py`, `test_indicators_*.py`); these are
those that a wrong column, code or row would pass by with plausible numbers.
"""

import re
import runpy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fairweather.chronology import load_chronology
from fairweather.codebook import load_codebook
from fairweather.coding import build as builder
from fairweather.coding import events, sanctions, trade, un_votes
from fairweather.coding.registry import OutOfSpan, Sources
from fairweather.coding.tables import FILES
from fairweather.record import load_record
from published import SOURCES, needs_sources

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def rows():
    return {k: v for k, v in load_record(history=True).observations.groupby("indicator")}


def series(rows, indicator, unit="CHN-RUS", column="value"):
    frame = rows[indicator]
    return frame[frame["unit"] == unit].set_index("year")[column]


def positive(found):
    return {int(year): int(n) for year, n in found.items() if n > 0}


def given(states, years, **tables):
    frames = {name: pd.DataFrame(frame) for name, frame in tables.items()}
    return Sources(None, states.split(), years=years, given=frames)


# -- which files -----------------------------------------------------------------------------------


def test_no_coding_reads_what_is_unverified_or_kept_for_checks():
    assert [k for k, path in FILES.items() if "unverified" in path] == ["chronology_unverified"]
    # Voeten's dates are wrong for older sessions; ideal points and the joined panel are derived.
    kept_out = re.compile("voeten|ideal_points|external_checks|us_pressure_panel_year")
    assert not [path for path in FILES.values() if kept_out.search(path)]


@needs_sources
def test_the_page_of_sources_is_in_step_with_the_codings():
    script = runpy.run_path(str(ROOT / "scripts" / "sources_page.py"))
    assert script["PAGE"].read_text("utf-8") == script["page"](SOURCES), "run the script"


@needs_sources
def test_no_indicator_opens_the_unverified_file():
    record = load_record()
    src = Sources(SOURCES, record.states["iso3"])
    for one in record.codebook.by(domain="diplomatic"):
        builder.observations(src, one)
    assert "chronology" in src._tables and "chronology_unverified" not in src._tables


def test_an_event_from_memory_is_counted_nowhere():
    assert not (load_chronology()["reliability"] == "U").any()


# -- whose row -------------------------------------------------------------------------------------


def test_taipei_does_not_vote_for_beijing(rows):
    calls = {"rc": range(12), "year": 1970, "kind": "resolution", "no": 10}
    votes = [(rc, iso3, 1) for rc in range(12) for iso3 in ("TWN", "RUS")]
    votes = pd.DataFrame(votes, columns=["rc", "iso3", "vote"])
    with pytest.raises(OutOfSpan):
        found = un_votes.unga_votes(
            given("CHN RUS", (1970, 1970), ga_rollcalls=calls, ga_votes=votes)
        )
        assert found.empty
        raise OutOfSpan  # no pair is as good as no year
    first = series(rows, "unga_votes").index
    assert first.min() == 1972 and 1964 not in set(rows["unga_votes"]["year"])


def test_a_state_has_no_row_before_it_was_one(rows):
    cases = rows["gsdb_us_cases"].groupby("unit")["year"]
    began = {"COD": 1960, "NGA": 1960, "SDN": 1956, "DEU": 1955, "KHM": 1953, "LBY": 1951,
             "JPN": 1952, "SYR": 1950, "CHN": 1950}  # fmt: skip
    assert cases.min()[list(began)].to_dict() == began
    syria = set(series(rows, "gsdb_us_cases", "SYR").index)
    assert syria == set(range(1950, 2023)) - {1959, 1960}


def test_the_soviet_account_of_aid_is_russias(rows):
    aid = np.expm1(series(rows, "us_aid", "RUS"))
    assert aid[[1990, 1991]].tolist() == pytest.approx([2.054, 2.033], abs=1e-3)


@needs_sources
def test_yugoslavia_and_south_vietnam_in_another_world(tmp_path):
    states = "SRB,VNM,CHN,RUS"
    builder.build(SOURCES, tmp_path / "world", states=states)
    world = load_record(tmp_path / "world", history=True).observations
    found = {k: v for k, v in world.groupby("indicator")}
    serbia = np.expm1(series(found, "gsdb_us_cases", "SRB"))
    # US cases of 1991-96 and 1998-2001 stand under Yugoslavia's code.
    assert serbia[[1990, 1991, 1993, 1997, 1999, 2001, 2002]].round().tolist() == [
        0, 2, 1, 0, 2, 1, 0,
    ]  # fmt: skip
    assert series(found, "us_president_trips", "SRB").loc[1950:1991].sum() > 0
    vietnam = series(found, "us_leader_contacts", "VNM")
    assert vietnam.loc[:1975].sum() == 0  # Saigon's visits are not Hanoi's
    parts = ("leader_visits_to_us", "us_president_trips", "us_secstate_trips")
    for unit in ("SRB", "VNM", "CHN"):
        whole = sum(series(found, part, unit) for part in parts)
        assert whole.equals(series(found, "us_leader_contacts", unit))


def test_one_version_of_the_scores_and_one_row_a_state(rows):
    """Territories without a number have no pair; the liberal index ends in 2022, this does not."""
    frame = rows["regime_likeness"]
    assert not frame.duplicated(["unit", "year"]).any()
    assert frame.groupby("year")["unit"].nunique().loc[[1992, 2023, 2024]].tolist() == [210] * 3
    assert series(rows, "regime_likeness", "BRA-SAU").min() < 0.2
    assert series(rows, "regime_likeness", "PRK-SYR").min() > 0.9


@needs_sources
def test_no_sighting_after_the_record_ends_is_read():
    """The list of leaders seen runs to 2026; what is read of visits ends in 2024."""
    src = Sources(SOURCES, ["CHN", "RUS"])
    for name in ("visits_to_us", "visits_to_china"):
        assert src.read(name, ["start_date"])["start_date"].max() <= "2024-12-31"
    assert not [path for path in FILES.values() if "leaders_observed" in path]


# -- which column ----------------------------------------------------------------------------------


def test_fiscal_1976_ends_before_the_transition_quarter(rows):
    frame = {
        "iso3": ["CHN"] * 2, "country": ["China"] * 2, "transaction_type": ["Obligations"] * 2,
        "fiscal_year": ["1976", "1976tq"], "constant_usd": [1e6, 5e6],
    }  # fmt: skip
    out = sanctions.us_aid(given("CHN RUS", (1975, 1977), us_aid=frame))
    assert series({"x": out}, "x", "CHN")[1976] == pytest.approx(np.log(2))
    assert np.expm1(series(rows, "us_aid", "SYR")[1976]) == pytest.approx(151.88, abs=0.01)


def test_trade_disputes_are_no_sanctions(rows):
    china = np.expm1(series(rows, "ties_us_impositions", "CHN")).round()
    assert china.loc[1994:1997].sum() == 0  # with trade practices 1, 1, 1 and 2
    assert set(china.loc[2001:2005]) == {1}


def test_agreements_count_when_signed_and_disputes_when_they_begin(rows):
    signed = series(rows, "defence_agreements").loc[1992:]
    assert positive(signed) == {1992: 2, 1993: 1, 1995: 2, 1996: 2, 1999: 1, 2000: 1, 2010: 1}
    began = series(rows, "militarised_disputes").loc[1992:]
    assert positive(began) == {1993: 1, 1994: 1, 2009: 1, 2012: 1}
    border = series(rows, "militarised_disputes", "AFG-RUS")
    assert border[1994] == 1 and border[1995] == 0  # one that goes on is not another


def test_only_what_washington_did_and_only_displays_or_uses_of_force(rows):
    def years(*spans):
        return {y for a, b in spans for y in range(a, b + 1)}

    one = [(y, y) for y in (1995, 1996, 1999, 2000, 2001, 2009, 2013)]
    assert set(positive(series(rows, "us_mid", "CHN"))) == years((1950, 1958), (1960, 1972), *one)
    some = (1951, 1953, 1954, 1964, 1965, 1967, 1970, 1972, 1973, 1997, 2000, 2011, 2013, 2014)
    russia = years((1956, 1962), (1977, 1986)) | set(some)
    assert set(positive(series(rows, "us_mid", "RUS"))) == russia


def test_news_is_a_share_and_never_a_volume(rows):
    assert series(rows, "icews_verbal_coop")[2014] == pytest.approx(np.log(4469.5 / 21.5), abs=1e-3)
    months = [f"2021-{m:02d}" for m in range(1, 13)]
    frame = pd.DataFrame({"month": months, "a_iso3": "CHN", "b_iso3": "RUS", "net_sum": 20.0,
                          "pos_day_sum": 30.0, "neg_day_sum": -10.0, "n_days_active": 28,
                          "n_days_in_file": 28})  # fmt: skip
    louder = frame.assign(net_sum=200.0, pos_day_sum=300.0, neg_day_sum=-100.0)
    quiet, loud = (
        events.gdelt_balance(given("CHN RUS", (2018, 2023), gdelt=f))["value"].item()
        for f in (frame, louder)
    )
    n = 12 * 28
    assert (
        quiet == pytest.approx(loud) == pytest.approx(np.log((0.75 * n + 0.5) / (0.25 * n + 0.5)))
    )


def test_trade_rests_on_both_flows_as_reported(rows):
    """Antigua stands under Antarctica's code; a zero or one-sided flow is unknown, not small."""
    states = ["ATG", "CHN", "IND", "RUS", "JPN"]
    flows = {(a, b): 10.0 for a in states for b in states if a != b}
    flows["CHN", "IND"] = 0.0
    del flows["RUS", "IND"]
    flows["CHN", "RUS"] = 1000.0
    table = pd.DataFrame(
        [
            ("ATA" if a == "ATG" else a, "ATA" if b == "ATG" else b, v)
            for (a, b), v in flows.items()
        ],
        columns=["exporter", "importer", "value"],
    ).assign(year=2000, source="COW_Trade_4.0")  # no smoothed flows: nothing may ask for them
    out = trade.trade_cow(given(" ".join(states), (1992, 2014), trade_flows=table))
    found = out.set_index("unit")["value"]
    assert "ATG-CHN" in found and not {"CHN-IND", "IND-RUS"} & set(found.index)
    assert found["CHN-RUS"] == found.max() > 0
    old = series(rows, "trade_cow").loc[:1991].index.tolist()
    assert old == [1955, 1956, 1957, *range(1978, 1992)]  # the zeros of 1960-63 are not credible


def test_customs_trade_is_the_sum_of_both_flows(rows):
    found = series(rows, "trade_chn_rus_customs")[[2014, 2018, 2024]].tolist()
    assert found == pytest.approx([-0.7712, -0.8544, -0.4805], abs=1e-3)


def test_pools_of_central_banks_are_no_lines_of_pairs(rows):
    assert set(rows["swap_lines"]["unit"]) == {
        "BRA-CHN", "CHN-JPN", "CHN-NGA", "CHN-PAK", "CHN-RUS", "CHN-SAU", "CHN-ZAF", "IND-JPN",
    }  # fmt: skip
    one = {"deal_type": "swap", "ISO_source": "CHN", "ISO_recipient": "RUS",
           "start_date": "2014-10-13", "deal_action": "initial", "initiative": "PBoC"}  # fmt: skip
    lines = [
        one,
        one | {"ISO_source": "RUS", "ISO_recipient": "CHN"},  # the same, from the other side
        one | {"start_date": "2015-05-01", "deal_action": "supplement"},
        one | {"start_date": "2016-05-01", "initiative": "BRICS_CRA"},
        one | {"start_date": "2017-05-01", "deal_type": "pooled fund"},
    ]
    found = trade.swap_lines(given("CHN RUS", (1992, 2024), liquidity_lines=lines))
    assert positive(series({"x": found}, "x")) == {2014: 1}


def test_exercises_of_many_states_say_little_of_a_pair(rows):
    assert "DEU-JPN" not in set(rows["exercises_mme"]["unit"])  # eight, all with six or more
    assert series(rows, "exercises_mme", "DEU-RUS")[2010] == 0  # five, all with six or more
    assert series(rows, "exercises_mme", "DEU-RUS")[2005] == 1  # of four


# -- where an instrument ends or changes -----------------------------------------------------------

ENDS = {
    "unsc_joint_nonyes": 2021, "icews_verbal_coop": 2014, "icews_us_material_conf": 2014,
    "china_trips_ceias": 2012, "gdelt_balance": 2023, "exercises_mme": 2010,
    "defence_agreements": 2010, "militarised_disputes": 2014, "us_mid": 2014, "gml_disputes": 2010,
    "pact_level_atop": 2018, "pact_level_cow": 2012, "shared_igos": 2014, "trade_cow": 2014,
    "export_dependence_cow": 2014, "gsdb_us_cases": 2022, "gsdb_us_new": 2022,
    "ties_us_impositions": 2005, "ties_us_threats": 2005, "tci_sop4": 2021,
    "china_imports_imf": 2022, "arms_volume_table": 2021, "swap_lines": 2023,
}  # fmt: skip
BREAKS = {
    "regime_likeness": "cites and ends as 15",
    "leader_tenure_together": "2021: from all states",
    "unga_votes": "1964 has no recorded vote",
    "unsc_joint_veto": "another list",
    "gdelt_balance": "Another instrument than ICEWS",
    "china_trips_ceias": "see china_trips_vg2",
    "china_trips_vg2": "Another instrument than china_trips_ceias",
    "exercises_chn_rus": "Another list than exercises_mme",
    "chronology_sign": "Denser in 2014-16",
    "arms_volume": "One register vintage",
    "trade_cow": "West German flows of 1960-89",
    "export_share_wits": "Another instrument than export_dependence_cow",
    "trade_chn_rus_customs": "from 2016 Chinese customs totals",
    "tci_sop4": "from 2016",
    "energy_fit": "both Germanies",
    "gsdb_us_cases": "OFAC indicators after it are other instruments",
    "fr_sanction_docs": "three or four months of spring",
    "us_aid": "Sudan includes the south to 2011",
}


@pytest.mark.parametrize(("indicator", "last"), ENDS.items())
def test_an_instrument_ends_where_its_source_does(rows, indicator, last):
    assert load_codebook()[indicator].last_year == last == rows[indicator]["year"].max()


@pytest.mark.parametrize(("indicator", "words"), BREAKS.items())
def test_a_break_is_said(indicator, words):
    assert words in load_codebook()[indicator].breaks
