"""What is told of an indicator is what the codebook and the rows say; the committed page too."""

import dataclasses
import io
import shutil
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

import fairweather as fw
from fairweather import codebook_page, paths
from fairweather.coverage import coverage, gaps, possible, spans
from fairweather.errors import CodebookError, RecordError
from fairweather.factsheet import show, value_text
from fairweather.names import DOMAINS
from fairweather.record import load_record
from fairweather.schema import COLUMNS

DATA = paths.shipped_data_dir()
PAGE = Path(__file__).resolve().parents[1] / "docs" / "codebook.md"


@cache
def record():
    return load_record(DATA, history=True)


def printed(found):
    out = io.StringIO()
    show(found, Console(width=120, file=out))
    return out.getvalue()


# -- coverage ------------------------------------------------------------------------------------


def test_possible_units_are_those_of_states_that_existed():
    states = ["CHN", "RUS", "SDN", "USA"]
    # Sudan became independent in 1956.
    assert possible(states, "dyad", [1950, 1992]).tolist() == [3, 6]
    assert possible(states, "directed", [1950, 1992]).tolist() == [6, 12]
    # The source of pressure is under none.
    assert possible(states, "state", [1950, 1992]).tolist() == [2, 3]
    assert possible(["CHN", "HKG"], "dyad", [1992]).tolist() == [1]


def test_coverage_counts_every_row_once():
    seen = coverage(record())
    assert seen["rows"].sum() == len(record().observations)
    assert (seen["units"] <= seen["possible"]).all() and (seen["units"] <= seen["rows"]).all()
    assert not seen.duplicated(["indicator", "year"]).any()
    book = record().codebook
    present = set(seen["indicator"])
    assert list(dict.fromkeys(seen["indicator"])) == [i for i in book if i in present]
    meant = seen["indicator"].map(lambda i: book[i].true_zero)
    assert (seen["zeros"].notna() == meant).all()
    assert (seen.loc[meant, "zeros"] <= seen.loc[meant, "rows"]).all()


def test_zeros_count_only_where_zero_means_none():
    book = record().codebook
    assert book["arms_deliveries"].true_zero and book["us_aid"].true_zero
    assert not book["arms_volume"].true_zero and not book["tci_sop4"].true_zero


def test_gaps_and_spans():
    assert gaps([]) == () and gaps([1992]) == ()
    assert gaps([1998, 1992, 1993, 1996]) == ((1994, 1995), (1997, 1997))
    assert spans([1996, 1992, 1993]) == "1992–1993, 1996"


# -- description ---------------------------------------------------------------------------------


def test_every_indicator_can_be_described():
    count = record().observations["indicator"].value_counts()
    for name in record().codebook:
        found = fw.describe(name, record())
        assert found.entry.id == name and found.source.id == found.entry.source
        assert found.rows == count.get(name, 0) >= found.history_rows
        for first, last in found.gaps:
            assert not set(range(first, last + 1)) & set(found.years["year"])
        text = " ".join(printed(found).replace("│", " ").split())
        for piece in (found.entry.label, found.source.licence, found.entry.why):
            assert " ".join(piece.split()) in text
        assert ("left aside: " in text) == (not found.entry.default)


def test_describe_reads_the_shipped_record_by_itself(monkeypatch):
    # The public function has the name of its module.
    module = sys.modules["fairweather.describe"]
    monkeypatch.setattr(module, "load_record", lambda **k: record() if k["history"] else None)
    assert fw.describe("unga_votes").history_rows > 0


def test_numbers_of_one():
    found = fw.describe("unsc_joint_veto", record())
    assert found.units == 1 and found.shown == ("CHN-RUS",)
    value = found.series.set_index("year").loc[2007]
    assert (value["value"], value["n"]) == (1, 1)
    assert (2010, 2010) in found.gaps
    zero = found.series["value"] == 0
    assert found.zeros == pytest.approx(zero.mean())
    assert fw.describe("arms_volume", record()).zeros is None


@pytest.mark.parametrize(
    ("indicator", "unit", "shown"),
    [
        ("unga_votes", None, ("CHN-RUS",)),
        ("unga_votes", "rus-chn", ("CHN-RUS",)),
        ("unga_votes", "IND-BRA", ("BRA-IND",)),
        ("us_aid", None, ("CHN", "RUS")),
        ("us_aid", "IRN", ("IRN",)),
        ("tci_sop4", None, ("CHN>RUS", "RUS>CHN")),
        ("tci_sop4", "RUS>CHN", ("RUS>CHN",)),
    ],
)
def test_units(indicator, unit, shown):
    found = fw.describe(indicator, record(), unit=unit)
    assert found.shown == shown and set(found.series["unit"]) <= set(shown)


def test_a_unit_without_rows_is_said_to_have_none():
    found = fw.describe("unsc_joint_veto", record(), unit="BRA-IND")
    assert found.series.empty and "No row about BRA-IND." in printed(found)


def test_a_record_without_the_focal_pair_shows_its_first_unit():
    found = fw.describe("unga_votes", record().select(["BRA", "IND", "ZAF"]))
    assert found.shown == ("BRA-IND",)


BAD = {
    "near": ("unga_vote", None, CodebookError, "Did you mean unga_votes"),
    "part": ("veto", None, CodebookError, "unsc_joint_veto"),
    "far": ("zzzz", None, CodebookError, "data check lists them all"),
    "state": ("unga_votes", "CHN-XXX", RecordError, "unknown state 'XXX'"),
    "kind": ("unga_votes", "CHN", RecordError, "Name a pair, as CHN-RUS"),
    "twice": ("unga_votes", "CHN-CHN", RecordError, "is no unit of 'unga_votes'"),
    "direction": ("tci_sop4", "CHN", RecordError, "Name a direction, as CHN>RUS"),
    "three": ("us_aid", "CHN-RUS-IRN", RecordError, "Name a state, as CHN"),
}


@pytest.mark.parametrize("case", BAD)
def test_refusals(case):
    indicator, unit, error, message = BAD[case]
    with pytest.raises(error) as caught:
        fw.describe(indicator, record(), unit=unit)
    assert message in str(caught.value) and caught.value.remedy


def test_later_releases_are_counted(tmp_path):
    data = tmp_path / "data"
    shutil.copytree(DATA, data)
    source = record().codebook["us_mid"].source
    release = data / "vintages" / "2026-03-31"
    release.mkdir(parents=True, exist_ok=True)
    rows = [
        f"us_mid,AFG,1992,,,,,,{source},2026-03-31,withdrawn",
        f"us_mid,AFG,1993,,2,,,,{source},2026-03-31,changed",
        f"us_mid,AFG,2015,,1,,,,{source},2026-03-31,new",
        f"us_mid,BRA,2015,,0,,,,{source},2026-03-31,new",
    ]
    text = "\n".join([",".join((*COLUMNS, "status")), *rows]) + "\n"
    (release / "us_mid.csv").write_text(text, encoding="utf-8")
    mine = load_record(data)
    found = fw.describe("us_mid", mine, unit="AFG")
    (row,) = found.releases.to_dict("records")
    assert (str(row["day"]), row["new"], row["changed"], row["withdrawn"]) == (
        "2026-03-31", 2, 1, 1,
    )  # fmt: skip
    series = found.series.set_index("year")["value"]
    assert series[1993] == 2 and 1992 not in series.index
    assert "Later releases" in printed(found)
    assert fw.describe("us_aid", mine).releases.empty


def test_values_are_written_by_family():
    row = pd.Series({"value": 3.0, "partial": 1.0, "n": 5.0, "rater": "ann"})
    assert value_text(row, "vote") == "3+1/5" and value_text(row, "share") == "3/5"
    assert value_text(row, "count") == "3/5" and value_text(row, "ordinal") == "3 (ann)"
    blank = row.replace({5.0: np.nan, "ann": ""})
    assert value_text(blank, "count") == value_text(blank, "ordinal") == "3"


# -- the page ------------------------------------------------------------------------------------


@pytest.mark.skipif(not PAGE.exists(), reason="only a checkout has docs/")
def test_committed_page_is_in_step_with_the_record():
    assert PAGE.read_bytes().decode("utf-8") == codebook_page.page(record()), "run: make docs"


def test_page_holds_every_field_of_every_indicator():
    page = codebook_page.page(record())
    assert page.endswith("\n") and not page.endswith("\n\n")
    for one in record().codebook.indicators:
        section = page.split(f"\n### {one.id}\n")[1].split("\n###")[0]
        for field in dataclasses.fields(one):
            value = getattr(one, field.name)
            if isinstance(value, str) and value and field.name not in ("id", "unit", "source"):
                found = codebook_page.plain(value)
                # Sentences may begin with a capital there.
                assert found.lower() in section.lower(), (one.id, field.name)
        assert f"(#source-{one.source})" in section
        assert page.count(f"| [`{one.id}`](#{one.id}) |") == 1
    for source in record().codebook.sources.values():
        assert codebook_page.plain(source.citation) in page
    for domains in DOMAINS.values():
        assert all(f"\n### {d.capitalize()}\n" in page for d in domains)


def test_page_is_written_as_it_is(tmp_path):
    file = codebook_page.write(record(), tmp_path / "new" / "book.md")
    assert file.read_bytes() == codebook_page.page(record()).encode("utf-8")


def test_page_without_the_long_record():
    text = codebook_page.page(record().select(years=range(1992, 2025)))
    assert "0 of them before 1992" in text
