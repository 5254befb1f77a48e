"""Every bad row is refused with file, line and remedy; a cut record holds nothing later."""

import datetime as dt
import shutil
from dataclasses import replace
from functools import cache
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fairweather import paths
from fairweather.codebook import load_codebook
from fairweather.errors import AsOfError, CodebookError, FairweatherError, RecordError
from fairweather.record import as_date, load_record
from fairweather.schema import (
    COLUMNS,
    first_part,
    number_text,
    read_parts,
    to_csv_text,
)
from fairweather.states import read_states
from fairweather.summary import check

DATA = paths.data_dir()


@pytest.fixture(scope="module")
def record():
    return load_record()


@pytest.fixture
def data(tmp_path) -> Path:
    shutil.copytree(DATA, tmp_path / "data")
    return tmp_path / "data"


def _lines(data, name):
    path = data / "observations" / f"{name}.csv"
    return path, path.read_text(encoding="utf-8").splitlines()


def _tables(folder, name):
    """Copy one indicator's file, and return what its door needs."""
    path = folder / "observations" / f"{name}.csv"
    path.parent.mkdir()
    shutil.copy(DATA / "observations" / path.name, path)
    return path, load_codebook(), load_states()


@cache
def load_states():
    return tuple(read_states(DATA / "states.csv")["iso3"])


def _set(data, name, column, value, line=2):
    """Overwrite one cell; `line` counts from 1 with the header."""
    path, lines = _lines(data, name)
    cells = lines[line - 1].split(",")
    cells[COLUMNS.index(column)] = value
    lines[line - 1] = ",".join(cells)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


CELLS = [
    ("unga_votes", "unit", "CHN-XXX", "unknown state"),
    ("unga_votes", "unit", "RUS-CHN", "alphabetical"),
    ("unga_votes", "unit", "CHN-CHN", "one state twice"),
    ("unga_votes", "unit", "CHN", "form AAA-BBB"),
    ("unga_votes", "unit", "CHN>RUS", "form AAA-BBB"),
    ("unga_votes", "unit", "chn-rus", "form AAA-BBB"),
    ("gsdb_us_cases", "unit", "CHN-RUS", "form AAA"),
    ("tci_sop4", "unit", "CHN-RUS", "form AAA>BBB"),
    ("tci_sop4", "unit", "RUS>RUS", "one state twice"),
    ("unga_votes", "indicator", "unga", "indicator is not"),
    ("unga_votes", "year", "1991", "outside 1992-2024"),
    ("unga_votes", "rater", "ann", "has no rater"),
    ("unga_votes", "year", "2025", "outside 1992-2024"),
    ("unga_votes", "year", "1992.5", "not a whole year"),
    ("unga_votes", "year", "", "not a whole year"),
    ("unga_votes", "value", "99", "do not add up"),
    ("unga_votes", "value", "-1", "not a count"),
    ("unga_votes", "partial", "", "not a count"),
    ("unga_votes", "value", "NaN", "not a number"),
    ("unga_votes", "value", "nan", "not a number"),
    ("unga_votes", "value", "inf", "not a number"),
    ("unga_votes", "value", "", "not a number"),
    ("trade_cow", "value", "many", "not a number"),
    ("trade_cow", "n", "few", "not a number"),
    ("trade_cow", "n", "0", "not positive"),
    ("trade_cow", "partial", "1", "not used"),
    ("arms_deliveries", "value", "-2", "not a count"),
    ("arms_deliveries", "value", "1.5", "not a count"),
    ("fr_sanction_docs", "n", "0", "not positive"),
    ("unsc_joint_veto", "value", "40", "more successes than trials"),
    ("gsdb_us_cases", "value", "-0.1", "negative"),
    ("energy_fit", "value", "1.2", "outside 0 to 1"),
    ("energy_fit", "n", "3", "not used"),
    ("unga_votes", "source", "hearsay", "source is unknown"),
    ("unga_votes", "available_on", "1992-12-31", "release lag"),
    ("unga_votes", "available_on", "31/12/1992", "not a date"),
]


@pytest.mark.parametrize(("name", "column", "value", "problem"), CELLS)
@pytest.mark.parametrize("line", [2, 7])
def test_bad_cell_names_file_line_and_remedy(tmp_path, name, column, value, problem, line):
    path, codebook, states = _tables(tmp_path, name)
    _set(tmp_path, name, column, value, line)
    with pytest.raises(RecordError) as caught:
        read_parts([first_part(path, codebook[name])], states, codebook.sources)
    text = str(caught.value)
    assert text.startswith(f"observations/{name}.csv, line {line}: ")
    assert problem in text
    assert caught.value.remedy and caught.value.remedy in text
    assert caught.value.row == line
    assert str(tmp_path) not in text


def test_a_bad_cell_stops_the_whole_record(data):
    _set(data, "unga_votes", "value", "99")
    with pytest.raises(RecordError, match=r"unga_votes.csv, line 2: votes do not add up"):
        load_record(data)


def test_first_of_several_bad_lines_is_named_and_the_rest_counted(data):
    for line in (9, 4, 6):
        _set(data, "arms_deliveries", "value", "-1", line)
    with pytest.raises(RecordError, match=r"line 4: .*2 more bad row"):
        load_record(data)


def test_duplicate_row(data):
    path, lines = _lines(data, "arms_deliveries")
    path.write_text("\n".join([*lines, lines[4]]) + "\n", encoding="utf-8")
    with pytest.raises(RecordError, match=f"line {len(lines) + 1}: a second row") as caught:
        load_record(data)
    assert "keep one" in str(caught.value).lower()


@pytest.mark.parametrize("column", COLUMNS)
def test_missing_column(data, column):
    path, _ = _lines(data, "us_mid")
    pd.read_csv(path, dtype=str).drop(columns=column).to_csv(path, index=False)
    with pytest.raises(RecordError, match=rf"us_mid.csv, line 1: the column '{column}' is missing"):
        load_record(data)


def test_extra_column(data):
    path, _ = _lines(data, "us_mid")
    pd.read_csv(path, dtype=str).assign(note="x").to_csv(path, index=False)
    with pytest.raises(RecordError, match="'note' is unknown"):
        load_record(data)


def test_unknown_indicator_file(data):
    path, lines = _lines(data, "us_mid")
    path.with_name("moon_phase.csv").write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(RecordError, match=r"moon_phase.csv, line 1: unknown indicator"):
        load_record(data)


def test_missing_empty_and_garbled_files(data):
    path, lines = _lines(data, "us_mid")
    path.unlink()
    with pytest.raises(RecordError, match=r"us_mid.csv: the file is missing"):
        load_record(data)
    path.write_text(lines[0] + "\n", encoding="utf-8")
    with pytest.raises(RecordError, match="no rows"):
        load_record(data)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(RecordError, match="not a UTF-8 CSV"):
        load_record(data)
    path.write_text("", encoding="utf-8")
    with pytest.raises(RecordError, match="not a UTF-8 CSV"):
        load_record(data)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("CHN,China,pressed", "CHN,China,neutral", "role is unknown"),
        ("CHN,China", "cn,China", "not an ISO3"),
        ("RUS,Russia", "CHN,Russia", "repeated"),
        ("CHN,China", "CHN,", "name is blank"),
        ("0.188245", "big", "mean_cinc is not a number"),
        (",role,", ",part,", "'role' is missing"),
    ],
)
def test_bad_states(data, old, new, problem):
    path = data / "states.csv"
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(RecordError, match=problem) as caught:
        load_record(data)
    assert "states.csv, line" in str(caught.value)


def test_codebook_errors_reach_the_reader(data):
    (data / "codebook.toml").write_text("x = [")
    with pytest.raises(CodebookError, match=r"codebook.toml: not valid TOML"):
        load_record(data)


# -- the cut ---------------------------------------------------------------------------------


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(day=st.dates(dt.date(1993, 3, 1), dt.date(2030, 12, 31)))
def test_as_of_never_leaks(record, day):
    cut = record.known_on(day)
    stamp = pd.Timestamp(day)
    assert (cut.observations["available_on"] <= stamp).all()
    expected = record.observations[record.observations["available_on"] <= stamp]
    kinds = [one.id for one in record.codebook.indicators if one.only_with_any]
    any_yet = set(
        expected.loc[expected["value"] > 0, ["indicator", "unit"]].itertuples(index=False)
    )
    told = [
        one not in kinds or (one, unit) in any_yet
        for one, unit in zip(expected["indicator"], expected["unit"], strict=True)
    ]
    assert cut.content_hash == replace(record, observations=expected[told]).content_hash
    assert cut.as_of == day
    assert dt.date(int(cut.observations["year"].max()), 12, 31) <= day


@pytest.mark.parametrize("day", ["1993-03-01", "2014-03-01", dt.date(2022, 2, 24), "2040-01-01"])
def test_loading_as_of_is_the_same_cut(record, day):
    loaded, cut = load_record(as_of=day), record.known_on(day)
    pd.testing.assert_frame_equal(loaded.observations, cut.observations)
    assert loaded.content_hash == cut.content_hash and loaded.as_of == cut.as_of


def test_a_cut_record_cannot_be_widened(record):
    cut = record.known_on("2014-03-01")
    assert cut.known_on("2010-03-01").content_hash == record.known_on("2010-03-01").content_hash
    with pytest.raises(AsOfError, match="own cut-off"):
        cut.known_on("2015-01-01")
    with pytest.raises(AsOfError, match="no day"):
        cut.known_on(None)


def test_as_of_on_and_before_the_release_day(record):
    day = record.observations["available_on"].min()
    assert len(load_record(as_of=day.date()).observations) > 0
    with pytest.raises(AsOfError, match="nothing was available") as caught:
        load_record(as_of=(day - pd.Timedelta(days=1)).date())
    assert str(day.date()) in str(caught.value)


@pytest.mark.parametrize("bad", ["2014", "soon", "2014-13-01", 2014, ""])
def test_as_of_must_be_a_date(bad):
    with pytest.raises(AsOfError, match="YYYY-MM-DD"):
        as_date(bad)
    with pytest.raises(AsOfError, match="YYYY-MM-DD"):
        load_record(as_of=bad)


def test_as_date_reads_dates_and_datetimes():
    assert as_date(dt.datetime(2014, 3, 1, 5)) == dt.date(2014, 3, 1)
    assert as_date(None) is None


def test_years_not_yet_released_are_hidden(record):
    cut = load_record(as_of="2014-12-31")
    last = cut.observations.groupby("indicator")["year"].max()
    assert last["unga_votes"] == 2013
    assert last["militarised_disputes"] == 2010
    assert cut.content_hash != record.content_hash


# -- the whole -------------------------------------------------------------------------------


def test_committed_data_pass(record):
    table = check()
    assert table["indicator"].tolist() == list(record.codebook)
    assert (table["rows"] > 0).all()
    assert table["rows"].sum() == len(record.observations)
    assert all(p.stat().st_size < 5_000_000 for p in DATA.rglob("*") if p.is_file())


def test_committed_files_are_canonical(record):
    for name, rows in record.observations.groupby("indicator"):
        raw = (DATA / "observations" / f"{name}.csv").read_bytes()
        assert b"\r" not in raw
        assert raw.decode("utf-8") == to_csv_text(rows)


def test_hash_is_of_content_only(record, data):
    assert load_record(data).content_hash == record.content_hash
    path, lines = _lines(data, "us_mid")
    path.write_text("\n".join([lines[0], *reversed(lines[1:])]) + "\n", encoding="utf-8")
    assert load_record(data).content_hash == record.content_hash
    _set(data, "us_mid", "value", "7")
    assert load_record(data).content_hash != record.content_hash


def test_select(record):
    some = record.select(["CHN", "RUS", "IND"], range(2000, 2005))
    assert set(some.observations["unit"].str[:3]) <= {"CHN", "RUS", "IND"}
    assert set(some.observations["unit"].str[-3:]) <= {"CHN", "RUS", "IND"}
    assert set(some.observations["year"]) == set(range(2000, 2005))
    assert set(some.states["iso3"]) == {"CHN", "RUS", "IND"}
    assert some.content_hash != record.content_hash
    with pytest.raises(RecordError, match="unknown states"):
        record.select(["USA"])
    with pytest.raises(RecordError, match="no rows"):
        record.select(years=[1950])


def test_record_is_frozen(record):
    with pytest.raises(AttributeError):
        record.as_of = None


@given(st.floats(-1e6, 1e6))
def test_number_text_is_short_and_faithful(x):
    text = number_text(pd.Series([x])).iloc[0]
    assert abs(float(text) - x) <= 5.1e-7
    assert len(text.partition(".")[2]) <= 6
    assert "e" not in text and text != "-0"


def test_a_record_says_in_one_line_what_it_is():
    text = repr(load_record(as_of="2014-03-01"))
    assert text.startswith("<Record: ") and text.endswith("as of 2014-03-01>") and len(text) < 120


def test_error_text():
    assert str(FairweatherError("bad", file="/a/b.csv", row=2, remedy="Mend it.")) == (
        "b.csv, line 2: bad. Mend it."
    )
    assert str(FairweatherError("bad", file=Path("a/b.csv"))) == "b.csv: bad"
    assert str(FairweatherError("bad", file="a/b.csv")) == "a/b.csv: bad"
    assert str(FairweatherError("bad", row=2)) == "line 2: bad"
    assert str(FairweatherError("bad")) == "bad"


def test_paths_prefer_the_checkout_then_the_wheel(tmp_path):
    package = tmp_path / "model" / "fairweather"
    (package / "_data").mkdir(parents=True)
    (package / "_data" / "codebook.toml").touch()
    find = lambda: paths._find("data", "codebook.toml", package)  # noqa: E731
    assert find() == package / "_data"
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "codebook.toml").touch()
    assert find() == package / "_data"
    (tmp_path / "pyproject.toml").touch()
    assert find() == tmp_path / "data"
    with pytest.raises(FairweatherError, match="Reinstall"):
        paths._find("priors", "default.toml", package)


@pytest.mark.parametrize("day", ["1996-06-30", "2005-06-30", "2014-06-30"])
def test_zeros_as_of_a_day_do_not_tell_of_what_came_later(record, day):
    kinds = [one.id for one in record.codebook.indicators if one.only_with_any]
    assert "arms_deliveries" in kinds
    then = record.known_on(day).observations
    then = then[then["indicator"].isin(kinds)]
    assert (then.groupby(["indicator", "unit"])["value"].max() > 0).all()
    # There are such pairs: the first arms between them came after the day.
    whole = record.observations
    whole = whole[whole["indicator"].isin(kinds)]
    assert then["unit"].nunique() < whole["unit"].nunique()
