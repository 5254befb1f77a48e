"""Every indicator has exactly one reader, and a reader sees sources only through `Sources`.

Guarded by ``tests/test_coding.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd

from fairweather.errors import SourceError

FIRST_YEAR, LAST_YEAR = 1992, 2024

Reader = Callable[["Sources"], pd.DataFrame]
READERS: dict[str, Reader] = {}


def reader(indicator: str) -> Callable[[Reader], Reader]:
    """Register the function that codes one indicator.

    Parameters
    ----------
    indicator : str
        Id in the codebook.

    Returns
    -------
    callable
        Decorator that stores the function and returns it unchanged.

    Raises
    ------
    SourceError
        If the indicator already has a reader.

    Examples
    --------
    >>> @reader("an_example")
    ... def an_example(src):
    ...     return None
    >>> READERS.pop("an_example") is an_example
    True
    """

    def register(function: Reader) -> Reader:
        if indicator in READERS:
            raise SourceError(f"indicator {indicator!r} has two readers", remedy="Remove one.")
        READERS[indicator] = function
        return function

    return register


class Sources:
    """The publishers' folder, with the member states.

    Parameters
    ----------
    root : str or Path
        Folder holding one folder per theme.
    states : iterable of str, optional
        ISO3 codes of the members; empty while the members themselves are being computed.
    """

    def __init__(self, root: str | Path, states: Iterable[str] = ()) -> None:
        self.root = Path(root)
        self.states = tuple(sorted(states))
        self._cache: dict[str, pd.DataFrame] = {}

    def read(self, name: str, columns: Iterable[str]) -> pd.DataFrame:
        """Read columns of one publisher's file (parquet or CSV, cached).

        Parameters
        ----------
        name : str
            Path below the root.
        columns : iterable of str
            Columns needed.

        Returns
        -------
        DataFrame
            A copy with just these columns.

        Raises
        ------
        SourceError
            If the file or a column is missing.
        """
        columns = list(columns)
        path = self.root / name
        if name not in self._cache:
            if not path.is_file():
                raise SourceError(
                    "the publisher's file is missing",
                    file=path,
                    remedy=f"Put it at {name} below the sources folder.",
                )
            is_parquet = path.suffix == ".parquet"
            frame = pd.read_parquet(path) if is_parquet else pd.read_csv(path)
            # Categories of different columns cannot be compared; plain text can.
            coded = frame.select_dtypes("category").columns
            self._cache[name] = frame.astype({c: str for c in coded})
        frame = self._cache[name]
        lost = [c for c in columns if c not in frame]
        if lost:
            raise SourceError(
                f"columns {lost} are missing",
                file=path,
                row=1,
                remedy="Check the vintage of the file against its README.",
            )
        return frame[columns].copy()

    @cached_property
    def dyads(self) -> list[str]:
        """All pairs of members, alphabetical, as `AAA-BBB`."""
        return [f"{a}-{b}" for a, b in combinations(self.states, 2)]

    def dyads_with(self, state: str) -> list[str]:
        """Return the pairs that contain one state."""
        return [d for d in self.dyads if state in d.split("-")]


def pair(a: pd.Series, b: pd.Series) -> pd.Series:
    """Name the undirected pair of two ISO3 columns, alphabetically.

    Examples
    --------
    >>> pair(pd.Series(["RUS"]), pd.Series(["CHN"])).tolist()
    ['CHN-RUS']
    """
    a, b = a.astype(str), b.astype(str)
    return a.where(a < b, b) + "-" + b.where(a < b, a)


def both_members(frame: pd.DataFrame, a: str, b: str, states: Iterable[str]) -> pd.DataFrame:
    """Keep rows whose two states are different members."""
    states = list(states)
    return frame[frame[a].isin(states) & frame[b].isin(states) & (frame[a] != frame[b])]


def with_zeros(
    frame: pd.DataFrame, units: Iterable[str], first: int, last: int, column: str = "value"
) -> pd.DataFrame:
    """Sum a column by unit and year, and write zero for covered unit-years without a row.

    Parameters
    ----------
    frame : DataFrame
        Columns `unit`, `year` and `column`.
    units : iterable of str
        Units inside the source's coverage.
    first, last : int
        Covered years, inclusive.
    column : str
        Column to sum.

    Returns
    -------
    DataFrame
        Columns `unit`, `year`, `value`; one row per unit and covered year.

    Examples
    --------
    >>> f = pd.DataFrame({"unit": ["A"], "year": [2001], "value": [2]})
    >>> with_zeros(f, ["A"], 2000, 2001)["value"].tolist()
    [0, 2]
    """
    index = pd.MultiIndex.from_product(
        [sorted(units), range(first, last + 1)], names=["unit", "year"]
    )
    sums = frame.groupby(["unit", "year"])[column].sum()
    return sums.reindex(index, fill_value=0).rename("value").reset_index()


def ever_positive(frame: pd.DataFrame, first: int, last: int) -> list[str]:
    """Units with a positive `value` in the years, sorted."""
    seen = frame[frame["year"].between(first, last) & (frame["value"] > 0)]
    return sorted(seen["unit"].unique())


def smoothed_logit(successes: pd.Series, trials: pd.Series) -> pd.Series:
    """Log-odds with half a success and half a failure added (Haldane-Anscombe).

    Examples
    --------
    >>> smoothed_logit(pd.Series([1.0]), pd.Series([2.0])).tolist()
    [0.0]
    """
    successes, trials = successes.astype(float), trials.astype(float)
    return np.log((successes + 0.5) / (trials - successes + 0.5))
