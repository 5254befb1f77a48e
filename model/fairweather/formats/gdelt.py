"""A month says how many of its days are in the file, so that a gap is never read as quiet.

Layout: GDELT 2 daily pair scores summed by month, as in the copy this record was first coded from:
month, a_iso3, b_iso3 (undirected), net_sum, pos_day_sum and neg_day_sum (sums over days of the
day's net score, and over its good and bad days), n_days_active, n_days_in_file. The days in the
file are the same for all pairs of a month and may fall short of the calendar. Guarded by
``tests/test_formats_events.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from fairweather.checks import matches, rule
from fairweather.errors import SourceError
from fairweather.formats import cells
from fairweather.formats.door import open_table
from fairweather.formats.releases import one_file

NAME = "gdelt"
TITLE = "GDELT net scores by pair and month, compiled (CSV)"
SOURCE = "gdelt"
TABLES = ("gdelt",)
INDICATORS = ("gdelt_balance", "gdelt_us_balance")

# Scores are sums of rounded numbers, written with two decimals or in single precision.
TOLERANCE = 0.1
_SUMS = ("net_sum", "pos_day_sum", "neg_day_sum")
_DAYS = ("n_days_active", "n_days_in_file")

COLUMNS = {
    "month": rule(
        matches(r"(19|20)[0-9]{2}-(0[1-9]|1[0-2])"), "the month is not YYYY-MM", "write 2018-01"
    ),
    "a_iso3": cells.iso3(),
    "b_iso3": cells.iso3(),
    **{name: cells.number() for name in _SUMS},
    **{name: cells.count() for name in _DAYS},
}


def read(paths: Sequence[Path]) -> dict[str, pd.DataFrame]:
    """Read the monthly sums.

    Parameters
    ----------
    paths : sequence of Path
        One file.

    Returns
    -------
    dict of str to DataFrame
        `gdelt`: the columns of the file, numbers as numbers.

    Raises
    ------
    SourceError
        If the layout differs, a state is unknown or paired with itself, a pair and month stand
        twice (either way round), sums contradict each other, days do not fit in the month, a
        month is missing between others, or no year is whole.
    """
    table = open_table(one_file(paths), COLUMNS)
    frame = table.frame
    table.refuse_if(
        frame["a_iso3"] == frame["b_iso3"], "{a_iso3} is paired with itself", "Drop the row."
    )
    low = frame["a_iso3"].where(frame["a_iso3"] < frame["b_iso3"], frame["b_iso3"])
    high = frame["b_iso3"].where(frame["a_iso3"] < frame["b_iso3"], frame["a_iso3"])
    table.refuse_if(
        pd.DataFrame({"low": low, "high": high, "month": frame["month"]}).duplicated(),
        "the pair {a_iso3}, {b_iso3} stands twice in {month}",
        "Keep one of the rows.",
    )
    out = frame.astype({name: "float64" for name in _SUMS} | {name: "int64" for name in _DAYS})[
        list(COLUMNS)
    ]
    parts = out["pos_day_sum"] + out["neg_day_sum"]
    off = (out["net_sum"] - parts).abs() > TOLERANCE + 1e-4 * out["net_sum"].abs()
    table.refuse_if(
        off | (out["pos_day_sum"] < 0) | (out["neg_day_sum"] > 0),
        "good days ({pos_day_sum}) and bad days ({neg_day_sum}) do not make up {net_sum}",
        "Sum the days again.",
    )
    length = pd.to_datetime(out["month"] + "-01").dt.days_in_month
    table.refuse_if(
        (out["n_days_active"] > out["n_days_in_file"]) | (out["n_days_in_file"] > length),
        "{n_days_active} active days of {n_days_in_file} do not fit in {month}",
        "Count the days again.",
    )
    usual = out.groupby("month")["n_days_in_file"].transform("first")
    table.refuse_if(
        out["n_days_in_file"] != usual,
        "the file has {n_days_in_file} days of {month} here and another number in an earlier row",
        "Days in the file belong to the month, not to the pair.",
    )
    months = pd.PeriodIndex(frame["month"], freq="M").asi8
    gone = (months > months.min()) & ~np.isin(months - 1, months)
    table.refuse_if(
        gone,
        "the month before {month} is missing",
        "Restore it: part of a year is not the year's balance.",
    )
    order = ["month", "a_iso3", "b_iso3"]
    tables = {"gdelt": out.sort_values(order, ignore_index=True)}
    first, last = coverage(tables)
    if first > last:
        raise SourceError(
            "no year is whole, from January to December",
            file=table.path,
            remedy="Part of a year is not the year's balance: wait for the rest of it.",
        )
    return tables


def coverage(tables: dict[str, pd.DataFrame]) -> tuple[int, int]:
    """First and last whole year: a part of one is another balance than the year's."""
    months = tables["gdelt"]["month"]
    first, last = months.min(), months.max()
    return int(first[:4]) + (first[5:] != "01"), int(last[:4]) - (last[5:] != "12")
