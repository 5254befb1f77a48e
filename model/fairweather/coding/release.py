"""A release is taken in whole or not at all, changes nothing known before, and twice is once.

A publisher's new files are read (`fairweather.formats`), coded by the same readers as the first
vintage, and compared with what the record held on the day of the release. Only differences are
kept, in a folder of its own, `vintages/<day>/`: rows new, changed or withdrawn. Guarded by
``tests/test_release.py``.
"""

from __future__ import annotations

import datetime as dt
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd

from fairweather import datapackage, paths
from fairweather.alone import alone
from fairweather.coding import notes
from fairweather.coding.build import observations, readers
from fairweather.coding.compare import compare, lost, outdated, shrunk, stood
from fairweather.coding.registry import HISTORY_FIRST, Sources
from fairweather.errors import RecordError, SourceError
from fairweather.formats import get_format
from fairweather.record import Record, as_date, load_record
from fairweather.schema import COLUMNS, KEY, NUMBERS, read_parts, release_part, to_csv_text

SHEET = "coding_sheet"
# More than this share of what stood gone at once, or zero: rather a cut file than a publisher who
# took it all back.
MOST_LOST = 0.2


@dataclass(frozen=True)
class Plan:
    """What a release would change, before anything is written.

    Attributes
    ----------
    format : str
    released : date
        From this day its rows count as known.
    years : (int, int)
        Calendar years compared.
    changes : DataFrame
        Columns of a vintage (`status` new, changed or withdrawn), and the numbers `before` and
        `now` (see `compare`).
    unchanged : int
        Rows the release confirms.
    data_dir : Path
    base : str
        Content hash of the record it was compared with.
    indicators : tuple of str
        Those the release speaks about for all units; none where it speaks for some only.
    files : tuple of dict
        Name, bytes and SHA-256 of each file read.
    evidence : DataFrame
        Rows of a coding sheet with their sources; empty for other formats.
    """

    format: str
    released: dt.date
    years: tuple[int, int]
    changes: pd.DataFrame
    unchanged: int
    data_dir: Path
    base: str
    indicators: tuple[str, ...]
    files: tuple[dict[str, Any], ...]
    evidence: pd.DataFrame

    def counts(self) -> pd.DataFrame:
        """Count changes by indicator and status; empty if there is nothing new."""
        table = pd.crosstab(self.changes["indicator"], self.changes["status"])
        return table.reindex(columns=["new", "changed", "withdrawn"], fill_value=0)


def plan_release(
    format_name: str,
    files: Iterable[str | Path],
    *,
    data_dir: str | Path | None = None,
    released: str | dt.date | None = None,
    years: tuple[int, int] | None = None,
    accept_withdrawals: bool = False,
    accept_older: bool = False,
) -> Plan:
    """Read a release and compare it with the record.

    Parameters
    ----------
    format_name : str
        A key of `fairweather.formats.FORMATS`.
    files : iterable of str or Path
        The release's files.
    data_dir : str or Path, optional
        The record's folder; by default the one in use.
    released : str or date, optional
        Day the release came out; today by default. Nothing later is compared, and its rows count
        as known from this day.
    years : (int, int), optional
        Calendar years the release speaks about; by default those it holds that ended before the
        year of the release, since a year that is still running is not a year's value.
    accept_withdrawals : bool
        Go on although more than a fifth of what stood is gone or has become zero, or a year rests
        on a fifth less.
    accept_older : bool
        Go on although it differs from what was read, or confirmed, later than its own day. The
        rows it brings count as known from that day; what a later release wrote stands.

    Returns
    -------
    Plan

    Raises
    ------
    SourceError
        If a file is refused by its reader, would withdraw too much, is older than what the record
        knows of the same rows, or brings a row that breaks a rule.
    RecordError
        If the record itself breaks a rule.
    """
    reader = get_format(format_name)
    folder = paths.own_folder(data_dir)
    given = [Path(f) for f in files]
    if not given:
        raise SourceError("no file was named", remedy="Name the release's files.")
    today = dt.date.today()
    day = as_date(released) or today
    if day > today:
        raise SourceError(
            f"a release of {day} is not out yet: the clock says {today}",
            remedy="Give the day it came out (--released), or set the clock.",
        )
    tables = reader.read(given)
    covered = _years(reader, tables, years, day, given[0])
    record = load_record(folder, history=True)
    if SHEET in tables:
        sheet = tables[SHEET]
        coded = _from_sheet(sheet[sheet["year"].between(*covered)], record, day)
    else:
        coded = _coded(reader, tables, record, covered)
    standing = stood(record.ledger, day)
    standing = standing[standing["indicator"].isin(coded) & standing["year"].between(*covered)]
    brought = pd.concat(coded.values(), ignore_index=True)
    changes, confirmed = compare(standing, brought, day)
    whole = getattr(reader, "WHOLE", True)
    if not whole:
        changes = changes[changes["status"] != "withdrawn"]
    elif not accept_withdrawals:
        _refuse_cut(standing, brought, changes, record, given[0])
    older = outdated(changes, record, notes.read(folder), day)
    if len(older) and not accept_older:
        raise SourceError(
            f"{len(older)} rows differ from what files read later than {day} say",
            file=given[0],
            remedy="Import releases in the order they came out, or take only new years (--years). "
            "If this file is the one to believe all the same: --accept-older.",
        )
    evidence = tables.get(SHEET, pd.DataFrame())
    _sound(changes, record, day, evidence, given[0])
    return Plan(
        format=format_name,
        released=day,
        years=covered,
        changes=changes.reset_index(drop=True),
        unchanged=confirmed,
        data_dir=folder,
        base=record.content_hash,
        indicators=tuple(coded) if whole else (),
        files=tuple(notes.fingerprint(f) for f in given),
        evidence=evidence,
    )


def _refuse_cut(
    standing: pd.DataFrame,
    brought: pd.DataFrame,
    changes: pd.DataFrame,
    record: Record,
    file: Path,
) -> None:
    """Refuse a release that lacks much of what stood; a cut file looks like that."""
    remedy = (
        "Fetch it whole, name the years it speaks about (--years), or believe it: "
        "--accept-withdrawals."
    )
    gone, held = lost(standing, changes)
    if gone > MOST_LOST * max(held, 1):
        years = f"{standing['year'].min()}-{standing['year'].max()}"
        raise SourceError(
            f"{gone} of {held} rows of {years} that were not zero are missing from it, or zero",
            file=file,
            remedy=remedy,
        )
    less = shrunk(standing, brought, record.codebook, MOST_LOST)
    if len(less):
        one = less.iloc[0]
        raise SourceError(
            f"{one['indicator']} of {one['year']} rests on {one['after']:,.0f} votes, events or "
            f"trials, and stood on {one['before']:,.0f}",
            file=file,
            remedy=remedy,
        )


def take(plan: Plan) -> Path | None:
    """Write what a release changes.

    Parameters
    ----------
    plan : Plan

    Returns
    -------
    Path or None
        The folder `vintages/<day>` (`<day>-2` and so on for further releases of one day): with
        rows, or with no more than a note where the release only confirmed what stood. None if
        nothing was new and these very files were taken in before: then nothing is written.

    Raises
    ------
    RecordError
        If another command is changing the record, it has changed since, or a row breaks a rule of
        it; nothing is then written.
    """
    with alone(plan.data_dir):
        known = plan.changes.empty and notes.already_noted(notes.read(plan.data_dir), plan.files)
        place = None if known else _written(plan)
        # Also where nothing is new: an import may have been killed before it came to this.
        datapackage.write(plan.data_dir)
    return place


def _written(plan: Plan) -> Path:
    """Write the folder of a release and make it visible."""
    home = plan.data_dir / "vintages"
    record = load_record(plan.data_dir, history=True)
    if record.content_hash != plan.base:
        raise RecordError(
            "the record has changed since the release was compared with it",
            remedy="Import it again.",
        )
    home.mkdir(exist_ok=True)
    for cut in home.glob(".import-*"):  # what an import that was killed left behind
        shutil.rmtree(cut)
    work = Path(tempfile.mkdtemp(prefix=".import-", dir=home))
    try:
        for name, rows in plan.changes.groupby("indicator"):
            path = work / f"{name}.csv"
            text = to_csv_text(rows, (*COLUMNS, "status"))
            path.write_text(text, encoding="utf-8", newline="")
            part = release_part(path, record.codebook[name], plan.released)
            read_parts([part], record.states["iso3"], record.codebook.sources)
        _note(plan, work)
        work.chmod(0o755)
        # One rename makes the whole release visible, or none of it.
        return work.rename(_next_folder(home, plan.released))
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _next_folder(home: Path, day: dt.date) -> Path:
    taken = [p.name.removeprefix(f"{day}").removeprefix("-") for p in home.glob(f"{day}*")]
    last = max((int(number or 1) for number in taken), default=0)
    return home / (f"{day}-{last + 1}" if last else f"{day}")


def _sound(
    changes: pd.DataFrame, record: Record, day: dt.date, sheet: pd.DataFrame, file: Path
) -> None:
    """Read the rows through the record's own door; name the row brought, and no temporary file."""
    door = (record.states["iso3"], record.codebook.sources)
    with tempfile.TemporaryDirectory() as folder:
        for name, rows in changes.groupby("indicator"):
            path = Path(folder) / f"{name}.csv"
            path.write_text(to_csv_text(rows, (*COLUMNS, "status")), encoding="utf-8")
            try:
                read_parts([release_part(path, record.codebook[name], day)], *door)
            except RecordError as err:
                bad = rows.sort_values(list(KEY), kind="stable").iloc[max(err.row or 0, 2) - 2]
                problem = f"{name} {bad['unit']} {bad['year']}: {str(err).partition(': ')[2]}"
                if sheet.empty:
                    raise SourceError(problem, file=file) from None
                coded = sheet[(sheet[list(KEY)] == bad[list(KEY)]).all(axis=1)].iloc[0]
                where = {"file": coded["file"], "row": int(coded["line"])}
                raise SourceError(problem, **where) from None


def _years(
    reader: ModuleType, tables: dict, years: tuple[int, int] | None, day: dt.date, file: Path
) -> tuple[int, int]:
    holds = reader.coverage(tables)
    told = f"a release of {day} that holds {holds[0]}-{holds[1]}"
    if holds[1] > day.year:
        raise SourceError(
            f"{told} speaks of years after it came out",
            file=file,
            remedy="Mend the year, or give the day it came out: --released.",
        )
    # A year still running is not a year's value; a rater's code says its own date.
    whole = day.year if SHEET in tables else day.year - 1
    first, last = years or (max(holds[0], HISTORY_FIRST), min(holds[1], whole))
    if SHEET in tables and years is None and holds != (first, last):
        raise SourceError(
            f"the sheet has codes of {holds[0]}-{holds[1]}",
            file=file,
            remedy=f"Codes are of {HISTORY_FIRST} to the year of the release, {day.year}.",
        )
    if years is None and first > last:
        raise SourceError(
            f"{told} has no year that had ended",
            file=file,
            remedy="Give the day it came out (--released), or the years it speaks about (--years).",
        )
    if first > last or first < holds[0] or last > holds[1]:
        raise SourceError(
            f"years {first}-{last} do not fit {told}",
            file=file,
            remedy="Write FIRST-LAST, within what it holds.",
        )
    return first, last


def _coded(
    reader: ModuleType,
    tables: dict[str, pd.DataFrame],
    record: Record,
    covered: tuple[int, int],
) -> dict[str, pd.DataFrame]:
    """Code every indicator the format feeds, over the years it covers."""
    src = Sources(None, record.states["iso3"], years=covered, given=tables, released=True)
    units = record.observations.groupby("indicator")["unit"].unique()
    out = {}
    for name in reader.INDICATORS:
        if name not in record.codebook:
            continue
        one = record.codebook[name]
        rows = observations(src.about(covered, units.get(name, ())), one)
        out[name] = rows[rows["year"] >= (one.history_from or one.first_year)]
    if not out:
        raise SourceError(
            f"no indicator of this record is coded from {reader.NAME} alone",
            remedy="See what each layout feeds: fairweather data formats.",
        )
    return out


def _from_sheet(sheet: pd.DataFrame, record: Record, day: dt.date) -> dict[str, pd.DataFrame]:
    """Take a coding sheet's codes as rows; each indicator must be described first, and its own."""
    members = set(record.states["iso3"])

    def refuse(bad: pd.Series, problem: str, remedy: str) -> None:
        if bad.any():
            row = sheet.loc[bad.idxmax()]
            raise SourceError(
                problem.format(**row), file=row["file"], row=int(row["line"]), remedy=remedy
            )

    refuse(
        ~(sheet["unit"].str[:3].isin(members) & sheet["unit"].str[-3:].isin(members)),
        "unit {unit!r} names a state that is not in the record",
        "Leave its rows out, or build a record with that state: data build --states.",
    )
    refuse(
        sheet["date"] > day.isoformat(),
        f"a code of {{date}} in a release of {day}",
        "Mend the date, or give the day the codes were made: --released.",
    )
    refuse(
        ~sheet["indicator"].isin(set(record.codebook)),
        "indicator {indicator!r} is not in the codebook",
        "Describe it in codebook.toml: [indicator.NAME], family ordinal.",
    )
    refuse(
        sheet["indicator"].isin(set(readers())),
        "{indicator!r} is coded from a publisher's files",
        "Give your codes an indicator of their own: releases would withdraw them from this one.",
    )
    out = {}
    for name, rows in sheet.groupby("indicator"):
        kept = rows.assign(
            source=record.codebook[name].source,
            value=rows["value"].astype(float),
            available_on=pd.NaT,
            **dict.fromkeys(NUMBERS[1:], float("nan")),
        )
        out[name] = kept[list(COLUMNS)]
    return out


def _note(plan: Plan, folder: Path) -> None:
    """Keep beside the rows where they came from, and a coding sheet's own sources."""
    note = notes.Note(
        format=plan.format,
        released=plan.released.isoformat(),
        years=plan.years,
        indicators=plan.indicators,
        files=plan.files,
        rows=plan.changes["status"].value_counts().sort_index().to_dict(),
    )
    notes.write(note, folder)
    if not plan.evidence.empty:
        (folder / "evidence").mkdir()
        plan.evidence.to_csv(folder / "evidence" / "sheet.csv", index=False, lineterminator="\n")
