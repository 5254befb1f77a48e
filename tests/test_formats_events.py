"""Counts of events add up and days fit in their months."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from fairweather.errors import SourceError
from fairweather.formats import gdelt, icews
from published import SOURCES, needs_sources

SAMPLES = Path(__file__).parent / "samples"


@pytest.mark.parametrize(
    ("reader", "old", "new", "match", "row"),
    [
        (icews, "CHN,RUS,2014,1010", "CHN,RUS,2013,1010", "stand twice", 3),
        (icews, "CHN,RUS,2014,1010", "CHN,CHN,2014,1010", "acts on itself", 3),
        (icews, "1010,61", "1011,61", "do not add up", 3),
        (icews, "1010,61", "1010.0,61", "not a whole number", 3),
        (icews, "RUS,CHN,2014", "RU,CHN,2014", "three-letter code", 4),
        (gdelt, "2022-11,USA,CHN", "2022-11,RUS,CHN", "stands twice in 2022-11", 5),
        (gdelt, "2022-11,USA,CHN", "2022-13,USA,CHN", "not YYYY-MM", 5),
        (gdelt, "-249.5", "249.5", "do not make up", 5),
        (gdelt, "4410.75", "4510.75", "do not make up", 5),
        (gdelt, "-249.5,24,24", "-249.5,25,24", "do not fit", 5),
        (gdelt, "-249.5,24,24", "-249.5,24,31", "do not fit", 5),
        (gdelt, "-249.5,24,24", "-249.5,24,25", "another number", 5),
        (gdelt, "2022-05,CHN", "2022-04,CHN", "the pair CHN, RUS stands twice in 2022-04", 12),
        (gdelt, "2022-12,CHN,RUS,2204.3,2204.3,0.0,26,26\n", "", "no year is whole", None),
        (gdelt, "2022-05,CHN,RUS,2005.5,2055.5,-50.0,31,31\n", "", "before 2022-06 is mis", 12),
    ],
)
def test_faults_are_named_by_line(tmp_path, reader, old, new, match, row):
    text = (SAMPLES / f"{reader.NAME}.csv").read_text()
    assert old in text
    file = tmp_path / "events.csv"
    file.write_text(text.replace(old, new, 1))
    with pytest.raises(SourceError, match=match) as caught:
        reader.read([file])
    assert caught.value.row == row and caught.value.remedy


def test_coverage_needs_events():
    table = icews.read([SAMPLES / "icews.csv"])["icews"]
    quiet = table.assign(n_events=0)
    assert icews.coverage({"icews": table}) == (2013, 2014) == icews.coverage({"icews": quiet})
    months = gdelt.read([SAMPLES / "gdelt.csv"])
    assert gdelt.coverage(months) == (2022, 2022)
    part = months["gdelt"].assign(month=months["gdelt"]["month"].str.replace("2022-01", "2023-01"))
    assert gdelt.coverage({"gdelt": part}) == (2023, 2022)


@needs_sources
@pytest.mark.parametrize(
    ("reader", "name", "keep"),
    [
        (icews, "icews_directed_dyad_year_2002_2014", ("year", 2013)),
        (gdelt, "gdelt_net_goldstein_pair_month_2018_2024", ("month", "2022-01")),
    ],
)
def test_prepared_copies_pass_unchanged(tmp_path, reader, name, keep):
    known = pd.read_parquet(Path(SOURCES) / "us_pressure" / f"{name}.parquet")
    known = known[known[keep[0]] >= keep[1]]
    known.to_csv(tmp_path / "events.csv", index=False)
    (made,) = reader.read([tmp_path / "events.csv"]).values()
    order = [c for c in made if c.endswith("iso3") or c in ("year", "month")]
    known = known.sort_values(order)[list(made)].reset_index(drop=True)
    made = made.sort_values(order, ignore_index=True)
    pd.testing.assert_frame_equal(made, known, check_dtype=False, rtol=1e-5)
