"""Cases and listings become target-years and months as in the prepared copies."""

from __future__ import annotations

import csv
from pathlib import Path

import pandas as pd
import pytest

from fairweather.countries import valid_iso3
from fairweather.errors import SourceError
from fairweather.formats import gsdb, ofac, state_years, ties
from published import SOURCES, needs_sources

SAMPLES = Path(__file__).parent / "samples"


def edited(tmp_path, name, *changes):
    text = (SAMPLES / name).read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    file = tmp_path / name
    file.write_text(text)
    return [file]


def refused(reader, paths, match):
    with pytest.raises(SourceError, match=match) as caught:
        reader.read(paths)
    assert caught.value.file and caught.value.remedy
    return caught.value


def at(table, iso3, year):
    return table[(table["iso3"] == iso3) & (table["year"] == year)].iloc[0]


def test_case_years_are_inclusive_and_cut_to_the_span():
    cases = pd.DataFrame({"begin": [1949, 1960, 2030], "end": [1951, 1960, 2031], "k": list("abc")})
    years = state_years.case_years(cases, 1950, 2000)
    assert years.to_dict("list") == {"k": ["a", "a", "b"], "year": [1950, 1951, 1960]}


@pytest.mark.parametrize("paths", [[], [SAMPLES / "gsdb.csv"] * 2])
def test_a_release_is_one_file(paths):
    with pytest.raises(SourceError, match="one file"):
        gsdb.read(paths)


def test_gsdb_counts_begin_to_end_inclusive():
    table = gsdb.read([SAMPLES / "gsdb.csv"])["gsdb_us"]
    assert not table.duplicated(["iso3", "year"]).any()
    assert [at(table, "CHN", y)["us_active"] for y in (1950, 1972, 1973)] == [1, 1, 0]
    assert [at(table, "CHN", y)["us_new"] for y in (1950, 1951)] == [1, 0]
    assert at(table, "EGY", 1957)["us_financial"] == 1 and at(table, "EGY", 1957)["us_trade"] == 0
    assert at(table, "CSK", 1991)["us_arms"] == 1 and at(table, "CUB", 2022)["us_active"] == 1
    # NATO's case on the USSR is not one of the United States, a state without a case has zero.
    assert at(table, "RUS", 1963)["us_active"] == 0 and at(table, "NOR", 2000)["us_active"] == 0
    assert "SUN" not in set(table["iso3"]) and gsdb.coverage({"gsdb_us": table}) == (1950, 2022)


def test_names_with_commas_are_split_whole():
    cell = "Congo, Democratic Republic of the, Korea, South, Syria"
    assert gsdb.split_states(cell) == ["Congo, Democratic Republic of the", "Korea, South", "Syria"]


@pytest.mark.parametrize(
    ("old", "new", "match", "row"),
    [
        ('43,"Egypt, Arab Rep."', '43,"Egypt, Atlantis"', "unknown state 'Atlantis'", 6),
        ("80,Soviet Union,NATO", "80,Soviet Union,NATTO", "unknown state 'NATTO'", 8),
        ('17,"Korea, North"', '11,"Korea, North"', "stands twice", 5),
        ("1950,1972", "1972,1950", "before it begins", 3),
        ("1950,1972", "1950,2072", "not a number from 1900 to 2023", 3),
        ("1950,1972", "1950,2023", "after the release", 3),
        ("1950,1972", "1950,ongoing", "not a number", 3),
        ("1950,1972,1", "1950,1972,2", "not in the publisher's list", 3),
    ],
)
def test_gsdb_faults_are_named_by_line(tmp_path, old, new, match, row):
    assert refused(gsdb, edited(tmp_path, "gsdb.csv", (old, new)), match).row == row


def test_ties_counts_imposed_to_end():
    table = ties.read([SAMPLES / "ties.csv"])["ties_us"]
    active = "ties_us_active_impositions"
    # Begun in 1945, imposed in 1946, ended in 1947.
    assert [at(table, "CHN", y)[active] for y in (1945, 1946, 1947, 1948)] == [0, 1, 1, 0]
    assert at(table, "CHN", 1945)["ties_us_new_cases"] == 1
    assert at(table, "CHN", 1946)["ties_us_new_impositions"] == 1
    # No end year: to the year it was seen last, else its first year only.
    assert [at(table, "HUN", y)[active] for y in (1947, 1948)] == [1, 0]
    assert [at(table, "CHN", y)[active] for y in (1994, 1995)] == [1, 0]
    # A trade practice; a second sender; a target that is no state; a sender that is not the US.
    assert at(table, "GBR", 1950)[active] == 1 and at(table, "GBR", 1950)[f"{active}_nontrade"] == 0
    assert at(table, "IRN", 1954)[active] == 1
    assert table["ties_us_new_cases"].sum() == 7
    assert at(table, "PRK", 1950)["ties_us_new_impositions"] == 1
    assert ties.coverage({"ties_us": table}) == (1945, 2005)


def test_ties_is_read_from_a_workbook_as_well(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for line in csv.reader((SAMPLES / "ties.csv").read_text().splitlines()):
        # As the publisher's workbook has them: numbers as numbers, blanks as blanks.
        book.active.append([int(c) if c.isdigit() else c or None for c in line])
    book.save(tmp_path / "TIESv4.xlsx")
    same = ties.read([SAMPLES / "ties.csv"])["ties_us"]
    pd.testing.assert_frame_equal(ties.read([tmp_path / "TIESv4.xlsx"])["ties_us"], same)


@pytest.mark.parametrize(
    ("old", "new", "match", "row"),
    [
        ("1946040901", "1945121601", "stands twice", 3),
        ("2,290,0", "2,999,0", "unknown state number", 3),
        ("8,3,1960", "8,3,1940", "before it begins", 3),
        ("4,9,1946,8", "4,9,46,8", "not a number", 3),
    ],
)
def test_ties_faults_are_named_by_line(tmp_path, old, new, match, row):
    assert refused(ties, edited(tmp_path, "ties.csv", (old, new)), match).row == row


def test_ofac_months_are_read_as_they_stand():
    table = ofac.read([SAMPLES / "ofac.csv"])["ofac_months"]
    assert set(table["iso3"]) == {"ARG", "CHN", "PRK"}
    row = table[(table["iso3"] == "CHN") & (table["month"] == "2023-03")].iloc[0]
    assert row[["active_entities", "additions", "removals"]].tolist() == [415, 4, 1]


@pytest.mark.parametrize(
    ("old", "new", "match", "row"),
    [
        ("China,2023-02-28,2023Q1,2023-02", "China,2023-02-28,2023Q1,2023-01", "stand twice", 6),
        ("China,2023-02-28", "China,2023-05-28", "not that of the date", 6),
        ("412,12,0,12", "412,12,1,12", "is not the change", 6),
        ("412,12,0,12", "413,12,0,12", "does not follow", 6),
        ("China,2023-02-28,2023Q1,2023-02,412,12,0,12\n", "", "months are missing", 6),
        ("400,0,0,0", "400,9,0,9", "is a stock", 5),
        ("China,2023-02-28", "Chyna,2023-02-28", "unknown state 'Chyna'", 6),
    ],
)
def test_ofac_faults_are_named_by_line(tmp_path, old, new, match, row):
    error = refused(ofac, edited(tmp_path, "ofac.csv", (old, new)), match)
    assert error.row == row


@needs_sources
def test_gsdb_target_years_equal_the_prepared_copy(tmp_path):
    folder = Path(SOURCES) / "us_pressure"
    pairs = pd.read_parquet(folder / "gsdb_v3_sanction_pairs_1950_2022.parquet")
    kinds = list(gsdb.TYPES)
    same = ["begin", "end", *kinds, "trade_detail", "target_mult", "sender_mult", "objective"]
    cases = pairs.groupby("case_id")[[*same, "success"]].first()
    for column, name in (("target", "sanctioned_state"), ("sender", "sanctioning_state")):
        lists = pairs.groupby("case_id")[column].agg(lambda names: ", ".join(dict.fromkeys(names)))
        cases[name] = lists
    cases = cases.reset_index().rename(columns={"trade_detail": "descr_trade"})
    file = tmp_path / "GSDB_V3.csv"
    cases[list(gsdb.COLUMNS)].to_csv(file, index=False)
    tables = gsdb.read([file])
    made = tables["gsdb_us"].set_index(["iso3", "year"])
    known = pd.read_csv(folder / "gsdb_v3_us_target_year_1950_2022.csv.gz")
    known = known.set_index(["iso3", "year"])[made.columns]
    pd.testing.assert_frame_equal(made.loc[known.index], known)
    assert made.drop(known.index).to_numpy().sum() == 0
    split = tables["gsdb_pairs"]
    order = ["case_id", "sender_iso3", "target_iso3"]
    # The copy gives a few groups (EEC, FRY, OIC, ...) codes like those of states.
    sides = {side: pairs[side].where(pairs[side].isin(valid_iso3())) for side in order[1:]}
    known = pairs.assign(**sides)[list(split)]
    known, split = (t.sort_values(order).reset_index(drop=True) for t in (known, split))
    pd.testing.assert_frame_equal(split, known)


@needs_sources
def test_ties_target_years_equal_the_prepared_copy(tmp_path):
    folder = Path(SOURCES) / "us_pressure"
    cases = pd.read_csv(folder / "ties_v4_us_cases_1945_2005.csv.gz", dtype=str)
    names = {
        "start_year": "startyear", "end_year": "endyear", "ongoing_as_of_year": "ongoingasofyear",
        "imposed_year": "sancimpositionstartyear", "issue1_code": "issue1",
        "target_cow": "targetstate",
    }  # fmt: skip
    cases = cases.rename(columns=names).fillna("")
    for column in ("endyear", "ongoingasofyear", "sancimpositionstartyear"):
        cases[column] = cases[column].str.replace(".0", "")
    cases = cases.assign(sender1="2").reindex(columns=list(ties.COLUMNS), fill_value="")
    file = tmp_path / "TIESv4.csv"
    cases.to_csv(file, index=False)
    tables = ties.read([file])
    made = tables["ties_us"].set_index(["iso3", "year"])
    known = pd.read_csv(folder / "ties_v4_us_target_year_1945_2005.csv.gz")
    listed = pd.read_csv(folder / "ties_v4_us_cases_1945_2005.csv.gz")
    listed = listed[listed["target_iso3"] != "IGO"][list(tables["ties_cases"])]
    pd.testing.assert_frame_equal(tables["ties_cases"], listed.reset_index(drop=True))
    known = known[known["iso3"] != "IGO"].set_index(["iso3", "year"])[made.columns]
    both = known.index.intersection(made.index)
    pd.testing.assert_frame_equal(made.loc[both], known.loc[both])
    assert known.drop(both).to_numpy().sum() == 0 and made.drop(both).to_numpy().sum() == 0


@needs_sources
def test_ofac_panel_equals_the_prepared_copy(tmp_path):
    name = "ofac_active_entities_country_month_2022_2024.csv.gz"
    known = pd.read_csv(Path(SOURCES) / "us_pressure" / name)
    ends = pd.PeriodIndex(known["month"], freq="M").end_time.strftime("%Y-%m-%d")
    names = {"country_as_given": "Country", "active_entities": "levels", "net_change": "change"}
    panel = known.rename(columns=names).assign(yrmon=known["month"], yrqtr="", Date=ends)
    panel[list(ofac.COLUMNS)].to_csv(tmp_path / "ofac_panel.csv", index=False)
    made = ofac.read([tmp_path / "ofac_panel.csv"])["ofac_months"]
    # The copy leaves the Netherlands Antilles without a code.
    known["iso3"] = known["iso3"].fillna("ANT")
    known = known.groupby(["iso3", "month"])[made.columns[2:].tolist()].sum().reset_index()
    pd.testing.assert_frame_equal(made, known)
