"""A row is counted against the units there could have been: members that existed in that year.

The United States, the source of pressure, is under none. Zeros are counted only where zero means
that nothing happened. Guarded by ``tests/test_describe.py``.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import numpy as np
import pandas as pd

from fairweather import countries
from fairweather.record import Record

_SOURCE_OF_PRESSURE = "USA"


def possible(states: Iterable[str], kind: str, years: Iterable[int]) -> np.ndarray:
    """Count the units that could have had a row, year by year.

    Parameters
    ----------
    states : iterable of str
        Members, ISO3.
    kind : str
        ``dyad``, ``state`` or ``directed``.
    years : iterable of int

    Returns
    -------
    ndarray of int
        One number a year.

    Examples
    --------
    >>> possible(["CHN", "RUS", "SDN"], "dyad", [1950, 1992]).tolist()
    [1, 3]
    """
    members = [s for s in states if kind != "state" or s != _SOURCE_OF_PRESSURE]
    n = countries.in_system(members, years).sum(axis=0)
    return {"state": n, "dyad": n * (n - 1) // 2, "directed": n * (n - 1)}[kind]


def coverage(record: Record, indicator: str | None = None) -> pd.DataFrame:
    """Count the rows of each indicator and year.

    Parameters
    ----------
    record : Record
        With or without its long record.
    indicator : str, optional
        Only this one.

    Returns
    -------
    DataFrame
        Columns `indicator, year, rows, units, possible, zeros` (rows that are true zeros; NaN where
        zero has no such meaning), in codebook order; a year without rows is absent.

    Examples
    --------
    >>> from fairweather.record import load_record
    >>> seen = coverage(load_record()).set_index(["indicator", "year"])
    >>> int(seen.loc[("unga_votes", 2010), "possible"])
    210
    """
    rows = record.observations
    if indicator is not None:
        rows = rows[rows["indicator"] == indicator]
    rows = rows.assign(zero=rows["value"] == 0)
    counted = rows.groupby(["indicator", "year"], as_index=False).agg(
        rows=("unit", "size"), units=("unit", "nunique"), zeros=("zero", "sum")
    )
    years = np.unique(counted["year"])
    at = np.searchsorted(years, counted["year"])
    entries = [record.codebook[name] for name in counted["indicator"]]
    kinds = {e.units_are for e in entries}
    ceiling = {kind: possible(record.states["iso3"], kind, years) for kind in sorted(kinds)}
    counted["possible"] = [int(ceiling[e.units_are][k]) for e, k in zip(entries, at, strict=True)]
    counted["zeros"] = counted["zeros"].astype(float).where([e.true_zero for e in entries])
    order = {name: k for k, name in enumerate(record.codebook)}
    counted = counted.sort_values(
        ["indicator", "year"], key=lambda c: c.map(order) if c.name == "indicator" else c
    )
    names = ["indicator", "year", "rows", "units", "possible", "zeros"]
    return counted[names].reset_index(drop=True)


def gaps(years: Iterable[int]) -> tuple[tuple[int, int], ...]:
    """Find the spans of missing years between the first and the last.

    Examples
    --------
    >>> gaps([1992, 1993, 1996, 1998])
    ((1994, 1995), (1997, 1997))
    """
    there = sorted(set(years))
    return tuple((int(a) + 1, int(b) - 1) for a, b in pairwise(there) if b - a > 1)


def spans(years: Iterable[int]) -> str:
    """Write years as spans.

    Examples
    --------
    >>> spans([1992, 1993, 1996]), spans([])
    ('1992–1993, 1996', '')
    """
    there = sorted(set(years))
    starts = [y for y in there if y - 1 not in there]
    ends = [y for y in there if y + 1 not in there]
    parts = [f"{a}" if a == b else f"{a}–{b}" for a, b in zip(starts, ends, strict=True)]
    return ", ".join(parts)
