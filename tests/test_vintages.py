"""Of each value the record shows the vintage known on the day asked for, and nothing later."""

import datetime as dt
import shutil

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fairweather.errors import AsOfError, RecordError
from fairweather.panel import load_panel
from fairweather.record import load_record
from fairweather.schema import COLUMNS
from small_record import make

HEAD = ",".join((*COLUMNS, "status")) + "\n"
DAYS = st.dates(dt.date(1994, 1, 1), dt.date(2027, 12, 31))


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return make(tmp_path_factory.mktemp("vintages") / "data")


@pytest.fixture
def data(tmp_path):
    return make(tmp_path / "data")


def release(folder, name, rows, indicator="arms_deliveries"):
    path = folder / "vintages" / name
    path.mkdir(parents=True, exist_ok=True)
    (path / f"{indicator}.csv").write_text(HEAD + "".join(rows), "utf-8")


def row(unit, year, value, day, status, source="sipri_arms"):
    return f"arms_deliveries,{unit},{year},,{value},,,,{source},{day},{status}\n"


def value(record, unit, year):
    rows = record.observations
    rows = rows[(rows["indicator"] == "arms_deliveries") & (rows["unit"] == unit)]
    found = rows.loc[rows["year"] == year, "value"]
    return found.item() if len(found) else None


def test_a_release_changes_adds_and_withdraws_from_its_day_on(data):
    was = value(load_record(data), "CHN-RUS", 2000)
    rows = [
        row("CHN-RUS", 2000, 99, "2025-06-01", "changed"),
        row("CHN-RUS", 2001, "", "2025-06-01", "withdrawn"),
        row("CHN-RUS", 2025, 7, "2025-06-01", "new"),
    ]
    release(data, "2025-06-01", rows)
    now = load_record(data)
    assert value(now, "CHN-RUS", 2000) == 99
    assert value(now, "CHN-RUS", 2001) is None
    assert value(now, "CHN-RUS", 2025) == 7
    before = now.known_on("2025-05-31")
    assert value(before, "CHN-RUS", 2000) == was
    assert value(before, "CHN-RUS", 2001) is not None
    assert value(before, "CHN-RUS", 2025) is None
    assert value(load_record(data, as_of="2025-06-01"), "CHN-RUS", 2000) == 99


def test_the_later_of_two_releases_of_a_day_stands(data):
    release(data, "2025-06-01", [row("CHN-RUS", 2000, 1, "2025-06-01", "changed")])
    release(data, "2025-06-01-2", [row("CHN-RUS", 2000, 2, "2025-06-01", "changed")])
    release(data, "2025-06-01-10", [row("CHN-RUS", 2000, 3, "2025-06-01", "changed")])
    assert value(load_record(data), "CHN-RUS", 2000) == 3


def test_select_keeps_the_vintages(data):
    release(data, "2025-06-01", [row("CHN-RUS", 2000, 99, "2025-06-01", "changed")])
    some = load_record(data).select(["CHN", "RUS"])
    assert value(some, "CHN-RUS", 2000) == 99
    assert value(some.known_on("2020-01-01"), "CHN-RUS", 2000) != 99


def test_the_panel_goes_on_with_a_new_year_and_not_before_it_is_known(data):
    release(data, "2026-03-01", [row("CHN-RUS", 2025, 7, "2026-03-01", "new")])
    assert load_panel(load_record(data)).origin == 2025
    assert load_panel(load_record(data, as_of="2026-02-28")).origin == 2024


@pytest.mark.parametrize(
    ("bad", "problem"),
    [
        (row("CHN-RUS", 2000, 9, "2025-06-02", "changed"), "not the day of the release"),
        (row("CHN-RUS", 2000, 9, "2025-06-01", "maybe"), "status is unknown"),
        (row("CHN-RUS", 2000, "", "2025-06-01", "new"), "not a number: it is blank"),
        (row("CHN-RUS", 2000, 9, "2025-06-01", "withdrawn"), "either withdrawn or has a value"),
        (row("CHN-RUS", 2026, 9, "2025-06-01", "new"), "outside 1950-2025"),
        (row("CHN-RUS", 2000, -9, "2025-06-01", "new"), "not a count"),
        (row("CHN-XXX", 2000, 9, "2025-06-01", "new"), "unknown state"),
    ],
)
def test_bad_rows_are_named(data, bad, problem):
    good = row("CHN-IND", 2000, "", "2025-06-01", "withdrawn")
    release(data, "2025-06-01", [good, bad])
    with pytest.raises(RecordError, match=rf"arms_deliveries.csv, line 3: .*{problem}"):
        load_record(data)


def test_a_row_twice_in_one_release_is_refused(data):
    one = row("CHN-RUS", 2000, 9, "2025-06-01", "changed")
    gone = row("CHN-RUS", 2000, "", "2025-06-01", "withdrawn")
    release(data, "2025-06-01", [one, gone])
    with pytest.raises(RecordError, match="line 3: a second row"):
        load_record(data)


@pytest.mark.parametrize("name", ["june", "2025-13-01", "2025-6-1", "2025-06-01b"])
def test_a_folder_must_be_named_by_a_day(data, name):
    (data / "vintages" / name).mkdir(parents=True)
    with pytest.raises(RecordError, match="not named by a day"):
        load_record(data)


def test_a_half_written_release_is_not_there(data):
    before = load_record(data).content_hash
    release(data, ".import-abc", ["garbage"])
    assert load_record(data).content_hash == before


SAID = st.lists(
    st.tuples(
        st.dates(dt.date(2003, 1, 1), dt.date(2027, 1, 1)),
        st.sampled_from([2000, 2001, 2002]),
        st.one_of(st.none(), st.integers(0, 50)),
    ),
    max_size=8,
)


@given(SAID, DAYS)
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_as_of_shows_what_was_known_and_nothing_later(base, tmp_path_factory, said, day):
    """Against the plainest possible reading of the ledger: the last thing said by the day."""
    folder = tmp_path_factory.mktemp("said") / "data"
    make(folder)
    first = load_record(folder).observations
    first = first[(first["indicator"] == "arms_deliveries") & (first["unit"] == "CHN-RUS")]
    told = [
        (r.available_on.date(), 0, r.year, r.value)
        for r in first[first["year"].between(2000, 2002)].itertuples()
    ]
    counts: dict = {}
    for when, year, number in said:
        counts[when] = counts.get(when, 0) + 1
        name = f"{when}" if counts[when] == 1 else f"{when}-{counts[when]}"
        status = "withdrawn" if number is None else "new"
        shown = "" if number is None else number
        release(folder, name, [row("CHN-RUS", year, shown, when, status)])
        told.append((when, counts[when], year, number))
    want = {}
    for when, _, year, number in sorted(told, key=lambda t: t[:2]):
        if when <= day:
            want[year] = number
    want = {k: v for k, v in want.items() if v is not None}
    try:
        record = load_record(folder, as_of=day)
    except AsOfError:
        assert not want
        return
    rows = record.observations
    assert (record.ledger["available_on"] <= pd.Timestamp(day)).all()
    rows = rows[(rows["indicator"] == "arms_deliveries") & (rows["unit"] == "CHN-RUS")]
    rows = rows[rows["year"].between(2000, 2002)]
    assert dict(zip(rows["year"], rows["value"], strict=True)) == want
    assert load_record(folder).known_on(day).content_hash == record.content_hash


def only_visible(source, target, day):
    """Copy a record, leaving out by hand every row not yet available on the day."""
    shutil.copytree(source, target)
    for path in [*target.glob("observations/*.csv"), *target.glob("vintages/*/*.csv")]:
        head, *lines = path.read_text("utf-8").splitlines()
        column = head.split(",").index("available_on")
        kept = [x for x in lines if x.split(",")[column] <= day.isoformat()]
        if kept or path.parent.name == "observations":
            path.write_text("\n".join([head, *kept]) + "\n", "utf-8")
        else:
            path.unlink()


@given(st.dates(dt.date(1999, 1, 1), dt.date(2027, 6, 1)))
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_panel_as_of_a_day_is_that_of_a_world_without_later_rows(tmp_path_factory, day):
    folder = tmp_path_factory.mktemp("leak")
    whole = make(folder / "whole")
    release(whole, "2012-05-01", [row("CHN-RUS", 2000, 99, "2012-05-01", "changed")])
    release(whole, "2026-03-01", [row("CHN-RUS", 2025, 7, "2026-03-01", "new")])
    only_visible(whole, folder / "past", day)
    # States somebody chose may leave an indicator without rows, as the past does.
    for place in (whole, folder / "past"):
        text = (place / "states.csv").read_text("utf-8").replace(",contrast,", ",chosen,")
        (place / "states.csv").write_text(text, "utf-8")
    asked = load_panel(load_record(whole, as_of=day))
    past = load_panel(load_record(folder / "past", as_of=day))
    assert asked.years.tolist() == past.years.tolist() and asked.origin <= day.year
    assert asked.reference == past.reference and asked.anchor_mean == past.anchor_mean
    np.testing.assert_array_equal(asked.anchor_fill, past.anchor_fill)
    np.testing.assert_array_equal(asked.complementarity, past.complementarity)
    assert asked.rows.keys() == past.rows.keys()
    for name, rows in asked.rows.items():
        pd.testing.assert_frame_equal(rows, past.rows[name])
