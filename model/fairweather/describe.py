"""One indicator told from the codebook, its source and its rows, and from nothing else.

Guarded by ``tests/test_describe.py``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import pandas as pd

from fairweather.codebook import Indicator, Source
from fairweather.coverage import coverage, gaps
from fairweather.errors import RecordError
from fairweather.names import FOCAL
from fairweather.record import Record, load_record


@dataclass(frozen=True)
class Description:
    """What the record holds of one indicator.

    Attributes
    ----------
    entry : Indicator
        Its codebook entry, breaks included.
    source : Source
        With citation and licence.
    years : DataFrame
        One row a year with rows: `year, rows, units, possible, zeros`.
    units : int
        Units with any row.
    releases : DataFrame
        Later vintages that touched it: `day, new, changed, withdrawn`.
    shown : tuple of str
        The units of `series`.
    series : DataFrame
        Their rows: `unit, year, rater, value, partial, opposite, n, available_on`.
    """

    entry: Indicator
    source: Source
    years: pd.DataFrame
    units: int
    releases: pd.DataFrame
    shown: tuple[str, ...]
    series: pd.DataFrame

    @property
    def rows(self) -> int:
        """Count the rows."""
        return int(self.years["rows"].sum())

    @property
    def history_rows(self) -> int:
        """Count the rows of the long record."""
        return int(self.years.loc[self.years["year"] < self.entry.first_year, "rows"].sum())

    @property
    def gaps(self) -> tuple[tuple[int, int], ...]:
        """Spans of years without a row, between the first and the last with one."""
        return gaps(self.years["year"])

    @property
    def zeros(self) -> float | None:
        """Share of rows that are true zeros; None where zero has no such meaning."""
        if self.years.empty or self.years["zeros"].isna().all():
            return None
        return float(self.years["zeros"].sum() / self.years["rows"].sum())


def describe(
    indicator: str, record: Record | None = None, *, unit: str | None = None
) -> Description:
    """Say what an indicator is, where it comes from and what the record holds of it.

    Parameters
    ----------
    indicator : str
        Id in the codebook.
    record : Record, optional
        By default the record with its long record.
    unit : str, optional
        Unit whose series is wanted: a pair, a direction or a state. A pair stands for its two
        states where units are states, and for both directions where they are directed. By default
        the focal pair, or the first unit with rows in a record without it.

    Returns
    -------
    Description

    Raises
    ------
    CodebookError
        If there is no such indicator; the message names near ones.
    RecordError
        If the unit is not of the indicator's kind or names an unknown state.

    Examples
    --------
    >>> found = describe("arms_deliveries")
    >>> found.shown, found.series["unit"].unique().tolist()
    (('CHN-RUS',), ['CHN-RUS'])
    """
    record = load_record(history=True) if record is None else record
    entry = record.codebook[indicator]
    rows = record.observations[record.observations["indicator"] == indicator]
    years = coverage(record, indicator).drop(columns="indicator")
    members = set(record.states["iso3"])
    if unit is None and not set(FOCAL.split("-")) <= members:
        shown = tuple(rows["unit"].head(1))
    else:
        shown = _units(unit or FOCAL, entry, members)
    series = rows.loc[rows["unit"].isin(shown)]
    columns = ["unit", "year", "rater", "value", "partial", "opposite", "n", "available_on"]
    return Description(
        entry=entry,
        source=record.codebook.sources[entry.source],
        years=years.reset_index(drop=True),
        units=int(rows["unit"].nunique()),
        releases=_releases(record.ledger, indicator),
        shown=shown,
        series=series[columns].reset_index(drop=True),
    )


def _units(unit: str, entry: Indicator, members: set[str]) -> tuple[str, ...]:
    """Read a unit as one of the indicator's kind."""
    wanted = {"dyad": "a pair, as CHN-RUS", "state": "a state, as CHN"}
    states = re.split("[->]", unit.strip().upper())
    missing = [s for s in states if s not in members]
    if missing:
        raise RecordError(
            f"unknown state {missing[0]!r} in the unit {unit!r}",
            file="states.csv",
            remedy=f"Choose from {', '.join(sorted(members))}.",
        )
    if entry.units_are == "state" and len(states) <= 2:
        return tuple(dict.fromkeys(states))
    if len(states) != 2 or states[0] == states[1]:
        raise RecordError(
            f"{unit!r} is no unit of {entry.id!r}",
            remedy=f"Name {wanted.get(entry.units_are, 'a direction, as CHN>RUS')}.",
        )
    if entry.units_are == "dyad":
        return ("-".join(sorted(states)),)
    there, back = ">".join(states), ">".join(states[::-1])
    return (there,) if ">" in unit else (there, back)


def _releases(ledger: pd.DataFrame, indicator: str) -> pd.DataFrame:
    """Count what each later vintage did to one indicator."""
    columns = ["day", "new", "changed", "withdrawn"]
    if "status" not in ledger:
        return pd.DataFrame(columns=columns)
    rows = ledger[(ledger["indicator"] == indicator) & (ledger["status"] != "")]
    table = pd.crosstab([rows["release"], rows["available_on"].dt.date], rows["status"])
    table = table.reindex(columns=columns[1:], fill_value=0).reset_index()
    return table.rename(columns={"available_on": "day"})[columns]
