"""A record as of a date holds exactly the rows that could be known then, and no other trace.

Every file passes the schemas of `fairweather.schema` first. Guarded by
``tests/test_record.py::test_as_of_never_leaks``.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import pandas as pd

from fairweather import paths
from fairweather.codebook import Codebook, load_codebook
from fairweather.errors import AsOfError, RecordError
from fairweather.schema import read_observations, read_states, to_csv_text


@dataclass(frozen=True)
class Record:
    """Observations with their codebook and states.

    Attributes
    ----------
    observations : DataFrame
        One row per indicator, unit and year, sorted so; `year` int, numbers float (blank is NaN),
        `available_on` datetime64.
    codebook : Codebook
    states : DataFrame
        Member states in file order.
    as_of : datetime.date or None
        Cut-off, or None for everything.
    """

    observations: pd.DataFrame
    codebook: Codebook
    states: pd.DataFrame
    as_of: dt.date | None = None

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 over the canonical text of the rows."""
        return hashlib.sha256(to_csv_text(self.observations).encode()).hexdigest()

    def known_on(self, as_of: str | dt.date) -> Record:
        """Keep only what could be known on a day.

        Parameters
        ----------
        as_of : str or date
            Rows with `available_on` after this day are dropped.

        Returns
        -------
        Record

        Raises
        ------
        AsOfError
            If it is no date, lies after the record's own cut-off, or before the first row.

        Examples
        --------
        >>> int(load_record().known_on("2001-03-31").observations["year"].max())
        2000
        """
        day = as_date(as_of)
        if day is None:
            raise AsOfError("no day was given", remedy="Write YYYY-MM-DD.")
        if self.as_of is not None and day > self.as_of:
            raise AsOfError(
                f"{day} is after the record's own cut-off {self.as_of}",
                remedy="Load the record again with the later day.",
            )
        rows = self.observations
        kept = rows[rows["available_on"] <= pd.Timestamp(day)]
        if kept.empty:
            earliest = rows["available_on"].min().date()
            raise AsOfError(
                f"nothing was available on {day}", remedy=f"Choose {earliest} or a later day."
            )
        return replace(self, observations=kept.reset_index(drop=True), as_of=day)

    def select(
        self, states: Iterable[str] | None = None, years: Iterable[int] | None = None
    ) -> Record:
        """Keep units made only of these states, and these years.

        Parameters
        ----------
        states : iterable of str, optional
            ISO3 codes; all by default.
        years : iterable of int, optional
            Years; all by default.

        Returns
        -------
        Record
            Same codebook and `as_of`; `states` in the original order.

        Raises
        ------
        RecordError
            If a state is not in the record or nothing is left.

        Examples
        --------
        >>> load_record().select(["CHN", "RUS"], range(2010, 2015)).states["iso3"].tolist()
        ['CHN', 'RUS']
        """
        rows, members = self.observations, self.states
        if states is not None:
            wanted = {states} if isinstance(states, str) else set(states)
            unknown = sorted(wanted - set(members["iso3"]))
            if unknown:
                raise RecordError(
                    f"unknown states {unknown}",
                    file="states.csv",
                    remedy=f"Choose from {', '.join(members['iso3'])}.",
                )
            members = members[members["iso3"].isin(wanted)].reset_index(drop=True)
            # A state unit has no second code; it stands in for itself.
            first, second = rows["unit"].str[:3], rows["unit"].str[-3:]
            rows = rows[first.isin(wanted) & second.isin(wanted)]
        if years is not None:
            rows = rows[rows["year"].isin(set(years))]
        if rows.empty:
            raise RecordError(
                "the selection leaves no rows", remedy="Widen the states or the years."
            )
        return replace(self, observations=rows.reset_index(drop=True), states=members)


def as_date(as_of: str | dt.date | None) -> dt.date | None:
    """Read a cut-off date.

    Parameters
    ----------
    as_of : str, date, datetime or None
        Text is ISO (`YYYY-MM-DD`).

    Returns
    -------
    date or None

    Raises
    ------
    AsOfError
        If it is not a date.

    Examples
    --------
    >>> as_date("2014-03-01")
    datetime.date(2014, 3, 1)
    """
    if isinstance(as_of, dt.datetime):
        return as_of.date()
    if as_of is None or isinstance(as_of, dt.date):
        return as_of
    try:
        return dt.date.fromisoformat(as_of)
    except (TypeError, ValueError):
        raise AsOfError(f"{as_of!r} is not a date", remedy="Write YYYY-MM-DD.") from None


def load_record(data_dir: str | Path | None = None, as_of: str | dt.date | None = None) -> Record:
    """Read, check and, if asked, cut the record.

    Parameters
    ----------
    data_dir : str or Path, optional
        Folder with `codebook.toml`, `sources.toml`, `states.csv` and `observations/`; the
        committed one by default.
    as_of : str or date, optional
        Keep only rows with `available_on` on or before this day. Values are those of the vintage
        read, not of the day: revisions are not undone.

    Returns
    -------
    Record

    Raises
    ------
    RecordError
        If any file breaks a rule; the message names file, line and remedy.
    CodebookError
        If the codebook is malformed.
    AsOfError
        If `as_of` is no date, or comes before the first row.

    Examples
    --------
    >>> old = load_record(as_of="2014-03-01")
    >>> bool((old.observations["available_on"] <= "2014-03-01").all())
    True
    """
    cut = as_date(as_of)
    folder = paths.data_dir() if data_dir is None else Path(data_dir)
    codebook = load_codebook(folder / "codebook.toml")
    states = read_states(folder / "states.csv")
    present = {p.stem for p in (folder / "observations").glob("*.csv")}
    for stray in sorted(present - set(codebook)):
        raise RecordError(
            f"unknown indicator {stray!r}",
            file=f"{stray}.csv",
            row=1,
            remedy="Describe it in codebook.toml, or remove the file.",
        )
    rows = pd.concat(
        [
            read_observations(
                folder / "observations" / f"{one.id}.csv", one, states["iso3"], codebook.sources
            )
            for one in codebook.indicators
        ],
        ignore_index=True,
    ).sort_values(["indicator", "unit", "year"], kind="stable")
    record = Record(rows.reset_index(drop=True), codebook, states)
    return record if cut is None else record.known_on(cut)


def check(data_dir: str | Path | None = None) -> pd.DataFrame:
    """Check the data and summarise them, for `fairweather data check`.

    Parameters
    ----------
    data_dir : str or Path, optional
        As in `load_record`.

    Returns
    -------
    DataFrame
        One row per indicator in codebook order: `indicator, latent, domain, family, rows, units,
        first_year, last_year, source`.

    Raises
    ------
    RecordError, CodebookError
        As in `load_record`.

    Examples
    --------
    >>> int(check().set_index("indicator").loc["unga_votes", "first_year"])
    1992
    """
    record = load_record(data_dir)
    grouped = record.observations.groupby("indicator")
    found = grouped.agg(
        rows=("year", "size"),
        units=("unit", "nunique"),
        first_year=("year", "min"),
        last_year=("year", "max"),
    )
    entries = pd.DataFrame(
        [
            {
                "indicator": i.id,
                "latent": i.latent,
                "domain": i.domain,
                "family": i.family,
                "source": i.source,
            }
            for i in record.codebook.indicators
        ]
    )
    table = entries.join(found, on="indicator")
    return table[[c for c in table if c != "source"] + ["source"]]
