"""A record as of a date holds exactly the rows that could be known then, and no other trace.

`observations/` is the first vintage, known by the rule of the codebook; every later release adds a
folder `vintages/<day>/` and changes nothing that is there. `history/` holds the years before the
panel. Every file passes the schemas of `fairweather.schema` first. Guarded by
``tests/test_record.py::test_as_of_never_leaks`` and ``tests/test_vintages.py``.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import pandas as pd

from fairweather import paths
from fairweather.codebook import Codebook, load_codebook
from fairweather.errors import AsOfError, RecordError
from fairweather.schema import COLUMNS, KEY, Part, first_part, read_parts, release_part, to_csv_text
from fairweather.states import CHOSEN, read_states


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
    ledger : DataFrame
        Every row of every vintage, with `status` and `release` (0 for the first vintage, then in
        the order of the folders) and `begins`, the day before which even the existence of the row
        would tell of something later; what `observations` is resolved from.
    """

    observations: pd.DataFrame
    codebook: Codebook
    states: pd.DataFrame
    as_of: dt.date | None = None
    ledger: pd.DataFrame = field(default=None, repr=False)  # type: ignore[assignment]

    def __post_init__(self) -> None:
        """Take the observations for the whole ledger where there was one vintage."""
        if self.ledger is None:
            rows = self.observations.assign(status="", release=0)
            object.__setattr__(self, "ledger", _dated(rows, self.codebook))

    def __repr__(self) -> str:
        """Say in one line what is in it; the tables speak for themselves."""
        rows = self.observations
        span = f"{rows['year'].min()}-{rows['year'].max()}" if len(rows) else "no years"
        cut = f", as of {self.as_of}" if self.as_of else ""
        return (
            f"<Record: {len(rows):,} rows of {rows['indicator'].nunique()} indicators, "
            f"{len(self.states)} states, {span}{cut}>"
        )

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
        known = self.ledger[["available_on", "begins"]].max(axis=1)
        kept = self.ledger[known <= pd.Timestamp(day)]
        if kept.empty:
            earliest = self.ledger["available_on"].min().date()
            raise AsOfError(
                f"nothing was available on {day}", remedy=f"Choose {earliest} or a later day."
            )
        kept = kept.reset_index(drop=True)
        return replace(self, observations=resolve(kept), as_of=day, ledger=kept)

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
        rows, members = self.ledger, self.states
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
        rows = rows.reset_index(drop=True)
        return replace(self, observations=resolve(rows), states=members, ledger=rows)


def resolve(ledger: pd.DataFrame) -> pd.DataFrame:
    """Keep what stands: of each unit, year and rater the row known last, if not withdrawn.

    Parameters
    ----------
    ledger : DataFrame
        As in `Record.ledger`.

    Returns
    -------
    DataFrame
        Columns of the record, sorted by indicator, unit, year and rater.

    Examples
    --------
    >>> rows = load_record().ledger
    >>> len(resolve(rows)) == len(rows)
    True
    """
    if not ledger["release"].any():
        return ledger[list(COLUMNS)]
    return latest(ledger)[list(COLUMNS)]


def latest(ledger: pd.DataFrame) -> pd.DataFrame:
    """Keep the same rows as `resolve`, with all columns of the ledger.

    Parameters
    ----------
    ledger : DataFrame
        As in `Record.ledger`.

    Returns
    -------
    DataFrame
        Sorted by indicator, unit, year and rater.
    """
    order = [*KEY, "available_on", "release"]
    last = ledger.sort_values(order, kind="stable").drop_duplicates(list(KEY), keep="last")
    return last[last["status"] != "withdrawn"].reset_index(drop=True)


def _dated(rows: pd.DataFrame, codebook: Codebook) -> pd.DataFrame:
    """Add `begins`: of counts kept for units with any, the day the first of them was known.

    Before that day a unit's zeros would tell, by being there, that there will be one. The panel
    and the long record are coded apart, each with its own units.
    """
    kinds = {one.id: one.first_year for one in codebook.indicators if one.only_with_any}
    one = rows["indicator"].isin(kinds)
    panel = rows["year"] >= rows["indicator"].map(kinds).fillna(0)
    key = [rows["indicator"], rows["unit"], panel]
    first = rows["available_on"].where(rows["value"] > 0).groupby(key).transform("min")
    never = pd.Timestamp.max.normalize().as_unit(rows["available_on"].dt.unit)
    return rows.assign(begins=first.fillna(never).where(one, rows["available_on"]))


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


def load_record(
    data_dir: str | Path | None = None,
    as_of: str | dt.date | None = None,
    *,
    history: bool = False,
) -> Record:
    """Read, check and, if asked, cut the record.

    Parameters
    ----------
    data_dir : str or Path, optional
        Folder with `codebook.toml`, `sources.toml`, `states.csv` and `observations/`, and perhaps
        `vintages/` and `history/`; the one of `fairweather.paths.data_dir` by default.
    as_of : str or date, optional
        Keep only rows with `available_on` on or before this day, and of each value the vintage
        known then. Values that came before the first vintage read here are not known: its
        revisions of earlier publications are not undone.
    history : bool
        Also read the long record, the years before the panel (from 1950).

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
    if not folder.is_dir():
        raise RecordError(
            f"there is no folder '{folder.name}'",
            remedy="Name the folder of a record, or make one: fairweather data copy DIR.",
        )
    codebook = load_codebook(folder / "codebook.toml")
    states = read_states(folder / "states.csv")
    releases = _releases(folder / "vintages", codebook)
    files = _files(folder / "observations", codebook, required=_required(folder, codebook))
    parts = [first_part(path, codebook[name]) for name, path in files.items()]
    if history:
        old = _files(folder / "history", codebook, required=())
        parts += [first_part(path, codebook[name], history=True) for name, path in old.items()]
    # In a world somebody chose, an indicator may have no unit at all.
    chosen = bool((states["role"] == CHOSEN).any())
    rows = read_parts([*parts, *releases], states["iso3"], codebook.sources, may_be_empty=chosen)
    rows = rows.sort_values([*KEY, "available_on"], kind="stable").reset_index(drop=True)
    rows = _dated(rows, codebook)
    record = Record(resolve(rows), codebook, states, ledger=rows)
    return record if cut is None else record.known_on(cut)


def _files(folder: Path, codebook: Codebook, required: Iterable[str]) -> dict[str, Path]:
    """Find the indicators' files of a folder, in codebook order."""
    present = {p.stem: p for p in sorted(folder.glob("*.csv"))}
    for stray in sorted(set(present) - set(codebook)):
        raise RecordError(
            f"unknown indicator {stray!r}",
            file=f"{folder.name}/{stray}.csv",
            row=1,
            remedy="Describe it in codebook.toml, or remove the file.",
        )
    return {k: folder / f"{k}.csv" for k in codebook if k in present or k in set(required)}


def _required(folder: Path, codebook: Codebook) -> set[str]:
    """Name the indicators whose first vintage must be there.

    Those of the default fit, and those the data package lists: an indicator somebody has just
    described has no rows until the first are imported.
    """
    wanted = {one.id for one in codebook.by(default=True)}
    try:
        package = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
        listed = {Path(one["path"]) for one in package["resources"]}
    except (OSError, ValueError, KeyError, TypeError):
        return wanted
    return wanted | {p.stem for p in listed if p.parent.name == "observations"} & set(codebook)


def _releases(folder: Path, codebook: Codebook) -> list[Part]:
    """Find the releases' files in the order of their days, and of their numbers within a day."""
    found = []
    for path in folder.glob("[!.]*"):
        name = re.fullmatch(r"(\d{4}-\d\d-\d\d)(?:-(\d+))?", path.name)
        day = _as_day(name[1]) if name else None
        if day is None:
            raise RecordError(
                f"vintages/{path.name} is not named by a day",
                remedy="Name it YYYY-MM-DD, the day of the release, or move it elsewhere.",
            )
        found.append((day, int(name[2] or 1), path))
    return [
        release_part(file, codebook[name], day, number)
        for number, (day, _, path) in enumerate(sorted(found), start=1)
        for name, file in _files(path, codebook, required=()).items()
    ]


def _as_day(text: str) -> dt.date | None:
    """Read an ISO date, or return None."""
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None
