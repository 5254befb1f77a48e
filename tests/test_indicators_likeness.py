"""Likeness is coded from who rules and how: one version, one list of leaders, nothing guessed."""

import numpy as np
import pandas as pd
import pytest

from fairweather.codebook import load_codebook
from fairweather.coding import build as builder
from fairweather.coding import likeness
from fairweather.coding.registry import OutOfSpan, Sources
from fairweather.errors import RecordError
from fairweather.record import load_record
from fairweather.schema import first_part, read_parts, to_csv_text
from published import SOURCES, needs_sources

MINE = ("regime_likeness", "leader_tenure_together")


@pytest.fixture(scope="module")
def rows():
    return {k: v for k, v in load_record().observations.groupby("indicator") if k in MINE}


def series(rows, indicator, unit="CHN-RUS"):
    frame = rows[indicator]
    return frame[frame["unit"] == unit].set_index("year")["value"]


def years(rows, unit="CHN-RUS"):
    """Years together, from the logarithm."""
    return np.expm1(series(rows, "leader_tenure_together", unit)).round().astype(int)


def given(states="CHN RUS", span=(1992, 2024), **tables):
    frames = {name: pd.DataFrame(frame) for name, frame in tables.items()}
    return Sources(None, states.split(), years=span, given=frames)


def test_no_default_fit_reads_them():
    for name in MINE:
        one = load_codebook()[name]
        assert not one.default and one.aside and one.units_are == "dyad", name


# -- regimes ---------------------------------------------------------------------------------------


def test_likeness_of_regimes_covers_every_pair_and_year(rows):
    frame = rows["regime_likeness"]
    assert len(frame) == 210 * 33 and frame["value"].between(0, 1).all()


def test_likeness_of_regimes_is_of_the_scores(rows):
    focal = series(rows, "regime_likeness")
    # Russia falls towards China: 0.498 and 0.096 in 1992, 0.171 and 0.073 in 2024.
    assert focal[[1992, 2016, 2024]].tolist() == pytest.approx([0.598, 0.817, 0.902], abs=1e-3)
    assert focal[2024] == focal.max() and focal[1992] == focal.min()
    assert series(rows, "regime_likeness", "CHN-DEU").max() < 0.3  # the sign


def test_the_other_columns_and_other_states_are_not_read():
    table = {
        "iso3": ["CHN", "RUS", "IND", "ABK", "CHN", "RUS"],
        "year": [2000] * 4 + [2001] * 2,
        "polyarchy_vdem": [0.1, 0.4, 0.7, 0.1, 0.1, np.nan],
        "libdem_vdem_v13": [0.9, 0.0, 0.0, 0.1, 0.9, 0.0],
        "polity2": [-7, 6, 9, 0, -7, 6],
    }
    found = likeness.regime_likeness(given(regimes=table))
    assert found["unit"].tolist() == ["CHN-RUS"] and found["year"].tolist() == [2000]
    assert found["value"].item() == pytest.approx(0.7)


def test_before_the_panel_there_is_nothing_to_code():
    for name in MINE:
        with pytest.raises(OutOfSpan):
            getattr(likeness, name)(given(span=(1950, 1991)))


# -- leaders ---------------------------------------------------------------------------------------


def test_leaders_are_those_who_rule_in_fact(rows):
    focal = years(rows)
    assert focal[1996] == 5  # Yeltsin with Deng, not with Jiang as president since 1993
    assert focal[1997] == 0 and focal[2000] == 0 and focal[2003] == 0
    assert focal.loc[2008:2011].tolist() == [5, 6, 7, 8]  # Putin and Hu, Medvedev's years too
    assert focal[2012] == 0 and focal.loc[2013:].tolist() == list(range(1, 13))  # Xi, to 2024


def test_unification_is_no_new_leader(rows):
    # Kohl since 1982 and Rafsanjani since 1989; Yeltsin since 1991 is the later one with Russia.
    assert years(rows, "DEU-IRN")[[1992, 1996, 1997]].tolist() == [3, 7, 0]
    assert years(rows, "CUB-DEU")[1997] == 15  # not seven, from 1990


def test_a_leader_who_returns_begins_anew(rows):
    assert years(rows, "JPN-PRK")[[2006, 2007, 2012, 2019]].tolist() == [0, 0, 0, 7]  # Abe twice
    assert years(rows, "KHM-PRK")[[1996, 1997]].tolist() == [2, 0]  # Hun Sen in 1997


def test_after_the_list_ends_only_what_is_shown(rows):
    frame = rows["leader_tenure_together"]
    assert frame.groupby("year").size().loc[2020:].tolist() == [210, 45, 28, 15, 1]
    late = {y: set(frame.loc[frame["year"] == y, "unit"].str.findall("[A-Z]{3}").explode())
            for y in range(2021, 2025)}  # fmt: skip
    stayed = {"CHN", "COD", "IND", "RUS", "SDN", "ZAF"}
    assert late == {
        2021: stayed | {"KHM", "NGA", "SYR", "VEN"}, 2022: stayed | {"SYR", "VEN"}, 2023: stayed,
        2024: {"CHN", "RUS"},
    }  # fmt: skip


LEADERS = {
    "iso3": ["CHN", "RUS", "USA", "ZAF", "DEU"],
    "year": [2020] * 5,
    "leader_31dec": ["Xi Jinping", "Putin", "Trump", "Ramaphosa", "Merkel"],
    "in_office_since": [2012, 2000, 2017, 2018, 2005],
}
HEADS = {
    "iso3": ["CHN", "RUS", "RUS", "USA", "USA", "USA"],
    "leader": ["Xi Jinping", "Dmitry Medvedev", "Vladimir Putin", "Donald Trump", "Joe Biden",
               "Donald Trump"],
    "start": ["2013-03-14", "2008-05-07", "2012-05-07", "2017-01-20", "2021-01-20", "2025-01-20"],
    "end": [np.nan, "2012-05-07", np.nan, "2021-01-20", "2025-01-20", np.nan],
}  # fmt: skip
CHINA = {
    "from_iso3": ["ZAF", "ZAF", "RUS"],
    "leader_name_zh": ["拉马福萨", "拉马福萨", "普京"],
    "start_date": ["2022-09-02", "2024-09-02", "2024-05-16"],
    "hand_flag": [np.nan, "exclude: made up", np.nan],
}
US = {
    "from_iso3": ["DEU", "DEU"],
    "visitor": ["Chancellor Angela Merkel", "Chancellor Olaf Scholz"],
    "start_date": ["2021-07-15", "2023-03-03"],
}


def together(states, **changed):
    tables = {"leaders": LEADERS, "formal_leaders": HEADS, "visits_to_china": CHINA,
              "visits_to_us": US} | changed  # fmt: skip
    found = likeness.leader_tenure_together(given(states, **tables))
    return {
        unit: dict(zip(part["year"], np.expm1(part["value"]).round().astype(int), strict=True))
        for unit, part in found.groupby("unit")
    }


def test_first_years_stay_those_of_the_list():
    # Xi since November 2012 and not since he became president, Putin since 2000 and not 2012.
    assert together("CHN RUS") == {"CHN-RUS": {y: y - 2012 for y in range(2020, 2025)}}
    found = together("CHN USA")["CHN-USA"]  # the day in office decides, and the new first year
    assert found == {2020: 3, 2021: 0, 2022: 1, 2023: 2, 2024: 3}


def test_a_visit_shows_the_years_before_it_and_false_visits_show_nothing():
    assert together("RUS ZAF")["RUS-ZAF"] == {2020: 2, 2021: 3}
    whole = CHINA | {"hand_flag": [np.nan] * 3}
    assert together("RUS ZAF", visits_to_china=whole)["RUS-ZAF"] == {
        2020: 2, 2021: 3, 2022: 4, 2023: 5
    }  # fmt: skip
    # Another leader of the state shows nothing, nor does a visit in a leader's last year.
    assert together("DEU RUS")["DEU-RUS"] == {2020: 15}
    other = US | {"from_iso3": ["DEU", "ZAF"], "visitor": ["Olaf Scholz", "Thabo Mbeki"]}
    assert together("RUS ZAF", visits_to_us=other)["RUS-ZAF"] == {2020: 2, 2021: 3}


# -- the door --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "cell", "words"),
    [("value", "-0.5", "value is negative"), ("n", "3", "not used by this family")],
)
def test_a_span_is_refused_below_zero_or_with_a_count(tmp_path, column, cell, words):
    one, record = load_codebook()["leader_tenure_together"], load_record()
    frame = record.observations.query("indicator == @one.id").head(3).reset_index(drop=True)
    path = tmp_path / "observations" / f"{one.id}.csv"
    path.parent.mkdir()
    door = (record.states["iso3"], record.codebook.sources)
    path.write_text(to_csv_text(frame), "utf-8")
    assert len(read_parts([first_part(path, one)], *door)) == 3
    frame.loc[1, column] = float(cell)
    path.write_text(to_csv_text(frame), "utf-8")
    with pytest.raises(RecordError, match=f"line 3.*{words}"):
        read_parts([first_part(path, one)], *door)


# -- with the sources ------------------------------------------------------------------------------


@needs_sources
def test_every_name_followed_is_the_lists_leader_of_2020_and_stands_in_a_list_of_visits():
    src = Sources(SOURCES, load_record().states["iso3"])
    listed = src.read("leaders", ["iso3", "year", "leader_31dec"]).query("year == 2020")
    assert set(likeness.SEEN) <= set(zip(listed["iso3"], listed["leader_31dec"], strict=True))
    seen = likeness._sightings(src)
    for (iso3, _), names in likeness.SEEN.items():
        for name in names:
            found = [who for state, who, _ in seen if name in who]
            assert found, name
            assert {state for state, who, _ in seen if name in who} == {iso3}, name


@needs_sources
@pytest.mark.parametrize("states", ["CHN RUS USA YEM", "IND BRA", "RUS"])
def test_any_set_of_states_can_be_coded(states):
    src = Sources(SOURCES, states.split())
    for name in MINE:
        frame = builder.observations(src, load_codebook()[name])
        assert not frame.duplicated(["unit", "year"]).any(), name
        assert set(frame["unit"].str.findall("[A-Z]{3}").explode().dropna()) <= set(states.split())
        assert frame.empty == (states == "RUS"), name
