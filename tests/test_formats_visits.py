"""Leaders' travel: one trip counts once, false visits are out, a missing file is no zero."""

from pathlib import Path

import pandas as pd
import pytest

from fairweather.errors import SourceError
from fairweather.formats import visits_ceias, visits_g2, visits_oh
from published import SOURCES, needs_sources

SAMPLES = Path(__file__).parent / "samples"
TRAVEL, VISIT = SAMPLES / "visits-oh.csv", SAMPLES / "visits-oh-2.csv"
OUT, IN = SAMPLES / "visits-g2.csv", SAMPLES / "visits-g2-2.csv"
KEY = ["source", "traveller_iso3", "host_iso3", "year", "office"]


def number(tables, **where):
    trips = tables["trips"]
    for column, value in where.items():
        trips = trips[trips[column] == value]
    return int(trips["n_trips"].sum())


def edited(tmp_path, path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    copy = tmp_path / path.name
    copy.write_text(text.replace(old, new, 1), encoding="utf-8")
    return copy


def test_two_stops_in_one_country_are_one_trip():
    tables = visits_oh.read([TRAVEL, VISIT])
    assert number(tables, host_iso3="CHN", year=2014, office="president") == 1
    assert number(tables, host_iso3="RUS", year=2015, office="secretary_of_state") == 2
    assert number(tables, traveller_iso3="CHN", source="OTH_visits") == 2


def test_travels_and_visits_are_needed_together_and_cover_their_common_years():
    tables = visits_oh.read([VISIT, TRAVEL])
    assert visits_oh.coverage(tables) == (2013, 2015)
    for one in (TRAVEL, VISIT):
        with pytest.raises(SourceError, match="no table of"):
            visits_oh.read([one])
    with pytest.raises(SourceError, match="already in"):
        visits_oh.read([TRAVEL, VISIT, TRAVEL])


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("2014-11-10,2014-11-12,2014", "2014-11-10,2014-11-12,2015", "is not that of"),
        ("2014-11-10,2014-11-12,2014", "2014-11-10,2014-11-02,2014", "before it starts"),
        ("China,CHN,Beijing", "China,CN,Beijing", "three-letter"),
        ("2001,president", "2002,president", "twice"),
        ("2001,president", "2001,vice president", "publisher's list"),
    ],
)
def test_a_fault_in_the_travels_is_named_by_its_line(tmp_path, old, new, words):
    with pytest.raises(SourceError, match=words) as refusal:
        visits_oh.read([edited(tmp_path, TRAVEL, old, new), VISIT])
    assert refusal.value.row


def test_a_guest_without_a_code_is_refused_unless_his_state_has_none(tmp_path):
    with pytest.raises(SourceError, match="no code") as refusal:
        visits_oh.read([TRAVEL, edited(tmp_path, VISIT, "India,IND", "India,")])
    assert refusal.value.row == 5


def test_equal_rows_of_ceias_are_two_trips_and_names_give_the_same_codes(tmp_path):
    tables = visits_ceias.read([SAMPLES / "visits-ceias.csv"])
    assert number(tables, host_iso3="RUS", year=2001, office="president") == 2
    assert number(tables, host_iso3="RUS", year=1949) == 1
    bare = pd.read_csv(SAMPLES / "visits-ceias.csv", dtype=str).drop(columns="host_iso3")
    pytest.importorskip("openpyxl")
    bare.to_excel(tmp_path / "ceias.xlsx", index=False)
    again = visits_ceias.read([tmp_path / "ceias.xlsx"])
    pd.testing.assert_frame_equal(again["trips"], tables["trips"])


def test_two_summits_in_one_trip_and_two_reports_of_one_visit_count_once():
    tables = visits_g2.read([OUT, IN])
    assert number(tables, traveller_iso3="CHN", host_iso3="RUS", year=2015) == 1
    assert number(tables, traveller_iso3="ISR", year=2014) == 1


def test_false_visits_and_bodies_of_the_union_are_out():
    tables = visits_g2.read([OUT, IN])
    assert number(tables, traveller_iso3="RUS", year=2014) == 1
    assert number(tables, traveller_iso3="RUS", year=2015, office="prime_minister") == 1
    assert set(tables["trips"].loc[tables["trips"]["source"] == visits_g2.INBOUND, "year"]) == {
        2014, 2015}  # fmt: skip


def test_an_unknown_chinese_name_or_a_missing_file_is_refused(tmp_path):
    with pytest.raises(SourceError, match="unknown state '某国'") as refusal:
        visits_g2.read([OUT, edited(tmp_path, IN, "德国", "某国")])
    assert refusal.value.row == 8
    for one in (OUT, IN):
        with pytest.raises(SourceError, match="given"):
            visits_g2.read([one])


# Against the prepared copies


def differences(tables, *sources):
    expected = pd.read_csv(Path(SOURCES) / "diplomacy" / "leader_trips_directed_dyad_year.csv.gz")
    expected = expected[expected["source"].isin(sources)]
    both = expected.merge(tables["trips"], on=KEY, how="outer", suffixes=("_was", "_is")).fillna(0)
    return len(expected), both[both["n_trips_was"] != both["n_trips_is"]]


@needs_sources
def test_historian_counts_equal_the_prepared_copy():
    folder = Path(SOURCES) / "diplomacy"
    tables = visits_oh.read(
        [
            folder / "us_leader_travel_events_1866_2024.csv.gz",
            folder / "foreign_leader_visits_to_us_events_1874_2024.csv.gz",
        ]
    )
    rows, other = differences(tables, visits_oh.TRAVELS, visits_oh.VISITS)
    assert (rows, len(other)) == (5650, 0)
    # The first guest came in 1874, from a state without a code.
    assert visits_oh.coverage(tables) == (1876, 2024)


@needs_sources
def test_ceias_counts_equal_the_prepared_copy(tmp_path):
    path = Path(SOURCES) / "diplomacy" / "china_leader_travel_ceias_1949_2020.csv"
    rows, other = differences(visits_ceias.read([path]), "CEIAS")
    assert (rows, len(other)) == (587, 0)
    bare = pd.read_csv(path, dtype=str).drop(columns="host_iso3")
    bare.to_csv(tmp_path / "bare.csv", index=False)
    assert differences(visits_ceias.read([tmp_path / "bare.csv"]), "CEIAS")[1].empty


@needs_sources
def test_visit_g2_counts_equal_the_prepared_copy_but_for_double_reports(tmp_path):
    folder = Path(SOURCES) / "diplomacy"
    out = folder / "xi_and_us_president_trips_2013_2024.csv"
    into = folder / "foreign_leader_visits_to_china_2013_2024.csv"
    coded = visits_g2.read([out, into])
    rows, other = differences(coded, visits_g2.OUTBOUND, visits_g2.INBOUND)
    assert rows == 865
    # Union bodies are no state; three visits are reported twice on their first day.
    states = other[other["traveller_iso3"] != "EU_"]
    found = set(zip(states["traveller_iso3"], states["year"], strict=True))
    assert found == {("ISR", 2014), ("LBY", 2024), ("MMR", 2014)}
    assert (states["n_trips_was"] - states["n_trips_is"]).tolist() == [1, 1, 1]
    # The publisher's own columns give the same.
    trips = pd.read_csv(out, dtype=str, keep_default_na=False)
    trips = trips.rename(columns={"repo_flags": "flags"})[list(visits_g2.OUT_PUBLISHED)]
    visits = pd.read_csv(into, dtype=str, keep_default_na=False).rename(
        columns={
            "country_zh": "country", "title_zh": "leader_title", "leader_name_zh": "name",
            "start_date": "first", "end_date": "last", "visit_type_zh": "visit_type",
        }
    )[list(visits_g2.IN_PUBLISHED)]  # fmt: skip
    trips.to_csv(tmp_path / "outbound_trips.csv", index=False)
    visits.to_csv(tmp_path / "inbound_cn_master.csv", index=False)
    published = visits_g2.read(
        [tmp_path / "outbound_trips.csv", tmp_path / "inbound_cn_master.csv"]
    )
    pd.testing.assert_frame_equal(published["trips"], coded["trips"])
