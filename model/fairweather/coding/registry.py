"""Every indicator has exactly one reader, and a reader sees sources only through `Sources`.

Guarded by ``tests/test_coding.py``.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Mapping
from copy import copy
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd

from fairweather.coding.tables import FILES
from fairweather.errors import SourceError

FIRST_YEAR, LAST_YEAR = 1992, 2024
HISTORY_FIRST = 1950

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


class OutOfSpan(Exception):
    """The instrument covers no year that was asked for; no refusal, just nothing to code."""


class Sources:
    """The tables to code from, with the member states and the years asked for.

    Parameters
    ----------
    root : str or Path, optional
        Folder holding one folder per theme; None if all tables are given.
    states : iterable of str, optional
        ISO3 codes of the members; empty while the members themselves are being computed.
    years : (int, int), optional
        First and last year asked for; the panel's by default.
    given : mapping of str to DataFrame, optional
        Tables of a new release, which stand before the files of `root`.
    released : bool
        Whether the years are those of a release: instruments whose list goes on are then read to
        the release's last year rather than to the end of the copy described here.
    """

    def __init__(
        self,
        root: str | Path | None,
        states: Iterable[str] = (),
        *,
        years: tuple[int, int] = (FIRST_YEAR, LAST_YEAR),
        given: Mapping[str, pd.DataFrame] | None = None,
        released: bool = False,
    ) -> None:
        self.root = None if root is None else Path(root)
        self.states = tuple(sorted(states))
        self.years = years
        self.released = released
        self.known_units: tuple[str, ...] = ()
        self._tables: dict[str, pd.DataFrame] = dict(given or {})

    def about(self, years: tuple[int, int], known_units: Iterable[str] = ()) -> Sources:
        """Return the same sources asked for other years, sharing what was read."""
        other = copy(self)
        other.years, other.known_units = years, tuple(known_units)
        return other

    def span(self, first: int, last: int, *, closed: bool = False) -> tuple[int, int]:
        """Years that are both asked for and covered by the instrument.

        Parameters
        ----------
        first, last : int
            What the prepared copy covers, inclusive.
        closed : bool
            Whether the instrument ends there for good, whatever a new release holds.

        Returns
        -------
        (int, int)

        Raises
        ------
        OutOfSpan
            If there is no such year.
        """
        lower = max(first, self.years[0])
        upper = self.years[1] if self.released and not closed else min(last, self.years[1])
        if lower > upper:
            raise OutOfSpan
        return lower, upper

    def read(self, name: str, columns: Iterable[str]) -> pd.DataFrame:
        """Read columns of one table (parquet or CSV, cached).

        Parameters
        ----------
        name : str
            Name in `fairweather.coding.tables`.
        columns : iterable of str
            Columns needed.

        Returns
        -------
        DataFrame
            A copy with just these columns.

        Raises
        ------
        SourceError
            If the file or a column is missing, or the file is damaged.
        """
        columns = list(columns)
        if name not in self._tables:
            self._tables[name] = self._load(name)
        frame = self._tables[name]
        lost = [c for c in columns if c not in frame]
        if lost:
            raise SourceError(
                f"columns {lost} are missing",
                file=FILES[name],
                row=1,
                remedy="Check the vintage of the file against its README.",
            )
        return frame[columns].copy()

    def _load(self, name: str) -> pd.DataFrame:
        place = FILES[name]
        if self.root is None:
            raise SourceError(
                f"the coding also needs the table {name!r}, which this release does not hold",
                remedy=f"Rebuild from prepared sources that hold {place}: fairweather data build.",
            )
        path = self.root / place
        if not path.is_file():
            raise SourceError(
                "the publisher's file is missing",
                file=path,
                remedy=f"Put it at {place} below the sources folder.",
            )
        try:
            is_parquet = path.suffix == ".parquet"
            frame = pd.read_parquet(path) if is_parquet else pd.read_csv(path, low_memory=False)
        except (OSError, EOFError, ValueError, zlib.error) as err:
            why = str(err).splitlines()[0] if str(err) else type(err).__name__
            raise SourceError(
                f"cannot be read: {why}", file=path, remedy="Fetch the file again."
            ) from None
        # Categories of different columns cannot be compared; plain text can.
        coded = frame.select_dtypes("category").columns
        return frame.astype({c: str for c in coded})

    @property
    def dyads(self) -> list[str]:
        """All pairs of members, alphabetical, as `AAA-BBB`."""
        return [f"{a}-{b}" for a, b in combinations(self.states, 2)]

    def dyads_with(self, state: str) -> list[str]:
        """Return the pairs that contain one state; none if it is no member."""
        others = [s for s in self.states if s != state]
        return sorted("-".join(sorted((state, s))) for s in others if state in self.states)

    def units_with_any(self, frame: pd.DataFrame, first: int, last: int) -> list[str]:
        """Units with a positive `value` in the years, or with rows in the record already."""
        return sorted({*ever_positive(frame, first, last), *self.known_units})


def pair(a: pd.Series, b: pd.Series) -> pd.Series:
    """Name the undirected pair of two ISO3 columns, alphabetically.

    Examples
    --------
    >>> pair(pd.Series(["RUS"]), pd.Series(["CHN"])).tolist()
    ['CHN-RUS']
    """
    a, b = a.astype(str), b.astype(str)
    return a.where(a < b, b) + "-" + b.where(a < b, a)


def one_state(codes: pd.Series) -> pd.Series:
    """Give Yugoslavia and Serbia the one code they have in the state system (number 345).

    Lists of cases and visits write the code of the day; without this the years before 2006 would
    read as none for Serbia.

    Examples
    --------
    >>> one_state(pd.Series(["YUG", "SCG", "HRV"])).tolist()
    ['SRB', 'SRB', 'HRV']
    """
    return codes.replace({"YUG": "SRB", "SCG": "SRB"})


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
