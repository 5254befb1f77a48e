"""The arms register spreads a deal once; a coding sheet keeps one code a rater and year."""

from pathlib import Path

import pandas as pd
import pytest

from fairweather.errors import SourceError
from fairweather.formats import coding_sheet, sipri_register
from published import SOURCES, needs_sources

SAMPLES = Path(__file__).parent / "samples"
REGISTER, SHEET = SAMPLES / "sipri-register.csv", SAMPLES / "coding-sheet.csv"


def edited(tmp_path, path, *changes):
    text = path.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    copy = tmp_path / path.name
    copy.write_text(text, encoding="utf-8")
    return copy


def test_a_deal_is_split_over_its_delivery_years():
    arms = sipri_register.read([REGISTER])["sipri_arms"]
    pair = arms[(arms["supplier_iso3"] == "RUS") & (arms["recipient_iso3"] == "CHN")]
    pair = pair.set_index("year")
    assert pair["tiv_register_alloc"].to_dict() == pytest.approx(
        {1957: 0, 1958: 7.6, 2014: 0, 2015: 0, 2016: 380, 2017: 380, 2018: 530, 2019: 150}
    )
    assert pair.loc[2018, "deals_delivering"] == 2 and pair.loc[2015, "deals_ordered"] == 1
    assert set(arms["recipient_iso3"]) == {"CHN", "IRN", "PAK"}


def test_the_column_renamed_in_2026_is_read_too(tmp_path):
    new = edited(tmp_path, REGISTER, (",Number delivered,", ",Deliveries in the Year Range,"))
    found, before = sipri_register.read([new]), sipri_register.read([REGISTER])
    pd.testing.assert_frame_equal(found["sipri_arms"], before["sipri_arms"])


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("2016; 2017; 2018", "2016, 2017", "cells"),
        ("2016; 2017; 2018", "2016-2018", "does not list delivery years"),
        ("2016; 2017; 2018", "2016; 2016; 2018", "listed twice"),
        ("2016; 2017; 2018", "", "no year is given"),
        ("Pakistan,China", "Atlantis,China", "unknown state 'Atlantis'"),
        ("2014,?,2", "(2014),?,2", "year"),
        ("2014,?,2", "2014,x,2", "publisher's list"),
        (",1140,1140", ",1140,abc", "not a number"),
        (",1140,1140", ",1140,-1", "not a number from 0"),
    ],
)
def test_a_fault_in_the_register_is_named_by_its_line(tmp_path, old, new, words):
    with pytest.raises(SourceError, match=words) as refusal:
        sipri_register.read([edited(tmp_path, REGISTER, (old, new))])
    assert refusal.value.row and refusal.value.row > 7


def test_a_deal_in_two_exports_is_refused(tmp_path):
    copy = edited(tmp_path, REGISTER, ("China,Russia,2015", "Iran,Russia,2015"))
    with pytest.raises(SourceError, match="already in"):
        sipri_register.read([REGISTER, copy])


@needs_sources
def test_key_pairs_of_the_register_equal_the_prepared_copy(tmp_path):
    folder = Path(SOURCES) / "security"
    deals = pd.read_csv(
        folder / "sipri_register_key_pairs.csv.gz", dtype=str, keep_default_na=False
    )
    pairs = set(zip(deals["supplier_iso3"], deals["recipient_iso3"], strict=True))
    deals["order_year"] = deals["order_year"].str.replace(".0", "")
    official = deals[
        "recipient supplier order_year order_year_uncertain n_ordered n_ordered_uncertain weapon "
        "description n_delivered n_delivered_uncertain delivery_years status comments tiv_unit "
        "tiv_order tiv_delivered".split()
    ]
    header = [" " if c.endswith("?") else c for c in sipri_register.COLUMNS]
    header = [c for n, c in enumerate(header) if n not in (10, 11)]
    official.to_csv(tmp_path / "register.csv", index=False, header=header)
    found = sipri_register.read([tmp_path / "register.csv"])["sipri_arms"]
    expected = pd.read_parquet(folder / "sipri_arms_tiv_pair_year.parquet")
    inside = [
        p in pairs for p in zip(expected["supplier_iso3"], expected["recipient_iso3"], strict=True)
    ]
    expected = expected[inside].sort_values(["supplier_iso3", "recipient_iso3", "year"])
    assert len(found) == 292
    pd.testing.assert_frame_equal(
        found,
        expected[found.columns].reset_index(drop=True),
        check_dtype=False,
        atol=0.01,  # the copy rounds to float32
    )


def test_the_latest_code_of_a_year_stands_for_each_rater():
    codes = coding_sheet.read([SHEET])["coding_sheet"]
    codes = codes[(codes["unit"] == "CHN-RUS") & (codes["year"] == 2014)].set_index("rater")
    assert codes["value"].to_dict() == {"AB": 4.0, "CD": 2.0}


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("2014-11-02,4,AB", "2014-05-21,4,AB", "two codes"),
        ("2014-11-02,4,AB", "2014-11,4,AB", "two forms"),
        ("2014-11-02,4,AB", "02.11.2014,4,AB", "no day"),
        ("2014-11-02,4,AB", "2014-11-02,four,AB", "not a number"),
        ("2014-11-02,4,AB", '2014-11-02,"4,5",AB', "not a number"),
        ("2014-11-02,4,AB", "2014-11-02,4,", "blank"),
        ('"Press note, page 3"', "", "source is blank"),
        ('"Press note, page 3"', '"  "', "source is blank"),
        ("joint_statements,CHN-RUS,2014-11", "joint_statements,RUS-CHN,2014-11", "no pair"),
        ("joint_statements,CHN-RUS,2014-11", "joint_statements,CHN-CHN,2014-11", "no pair"),
        ("joint_statements,CHN-RUS,2014-11", "Joint Statements,CHN-RUS,2014-11", "not an id"),
        ("IRN,2015", "IR,2015", "no pair"),
    ],
)
def test_a_fault_in_a_coding_sheet_is_named_by_its_line(tmp_path, old, new, words):
    with pytest.raises(SourceError, match=words) as refusal:
        coding_sheet.read([edited(tmp_path, SHEET, (old, new))])
    assert refusal.value.row in {3, 4, 6} or words == "two forms"


def test_an_earlier_double_code_is_of_no_matter(tmp_path):
    double = "joint_statements,CHN-RUS,2014-05-21,1,AB,Another page,\n"
    path = tmp_path / "sheet.csv"
    path.write_text(SHEET.read_text(encoding="utf-8") + double, encoding="utf-8")
    found = coding_sheet.read([path])
    pd.testing.assert_frame_equal(
        found["coding_sheet"].drop(columns="file"),
        coding_sheet.read([SHEET])["coding_sheet"].drop(columns="file"),
    )


def test_one_rater_in_two_files_is_refused_and_two_raters_are_joined(tmp_path):
    with pytest.raises(SourceError, match="already in"):
        coding_sheet.read([SHEET, edited(tmp_path, SHEET, (",3,AB,", ",3,ABC,"))])
    frame = pd.read_csv(SHEET, dtype=str, keep_default_na=False).assign(rater="EF")
    frame = frame.drop_duplicates(["indicator", "unit", "date"])
    frame.to_csv(tmp_path / "ef.csv", index=False)
    both = coding_sheet.read([SHEET, tmp_path / "ef.csv"])["coding_sheet"]
    assert set(both["rater"]) == {"AB", "CD", "EF"}


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_the_template_is_read_once_its_example_is_replaced(tmp_path, suffix):
    pytest.importorskip("openpyxl")
    path = coding_sheet.template(tmp_path / f"mine{suffix}")
    with pytest.raises(SourceError, match="example row") as refusal:
        coding_sheet.read([path])
    assert refusal.value.row == 2
    with pytest.raises(SourceError, match="exists"):
        coding_sheet.template(path)
    if suffix == ".csv":
        text = path.read_text(encoding="utf-8").replace(coding_sheet.EXAMPLE, "my_codes")
        path.write_text(text, encoding="utf-8")
    else:
        import openpyxl

        book = openpyxl.load_workbook(path)
        book["codes"]["A2"] = "my_codes"
        book.save(path)
    codes = coding_sheet.read([path])["coding_sheet"]
    assert codes[["indicator", "unit", "year", "value"]].values.tolist() == [
        ["my_codes", "CHN-RUS", 2014, 3.0]]  # fmt: skip


def test_a_template_is_csv_or_a_workbook(tmp_path):
    with pytest.raises(SourceError, match="CSV or a workbook"):
        coding_sheet.template(tmp_path / "mine.ods")
