"""A release is taken in whole or not at all, changes nothing known before, and twice is once.

A publisher's new files are read (`fairweather.formats`), coded by the same readers as the first
vintage, and compared with what the record held on the day of the release. Only differences are
kept, in a folder of its own, `vintages/<day>/`: rows new, changed or withdrawn. Guarded by
``tests/test_release.py``.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
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
from fairweather.coding.build import observations
from fairweather.coding.compare import compare, lost, outdated, stood
from fairweather.coding.registry import HISTORY_FIRST, Sources
from fairweather.errors import RecordError, SourceError
from fairweather.formats import get_format
from fairweather.record import Record, as_date, load_record
from fairweather.schema import COLUMNS, NUMBERS, read_parts, release_part, to_csv_text

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
        Columns of a vintage (`status` new, changed or withdrawn) and `before`, the value that
        stood.
    unchanged : int
        Rows the release confirms.
    data_dir : Path
    base : str
        Content hash of the record it was compared with.
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
        Go on although more than a fifth of what stood is gone or has become zero.

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
    folder = _own_folder(data_dir)
    given = [Path(f) for f in files]
    if not given:
        raise SourceError("no file was named", remedy="Name the release's files.")
    day = as_date(released) or dt.date.today()
    tables = reader.read(given)
    covered = _years(reader, tables, years, day)
    record = load_record(folder, history=True)
    if SHEET in tables:
        coded = _from_sheet(tables[SHEET], record, given[0])
    else:
        coded = _coded(reader, tables, record, covered)
    standing = stood(record.ledger, day)
    standing = standing[standing["indicator"].isin(coded) & standing["year"].between(*covered)]
    brought = pd.concat(coded.values(), ignore_index=True).assign(available_on=pd.Timestamp(day))
    changes, confirmed = compare(standing, brought)
    if not getattr(reader, "WHOLE", True):
        changes = changes[changes["status"] != "withdrawn"]
    gone, held = lost(standing, changes)
    if gone > MOST_LOST * max(held, 1) and not accept_withdrawals:
        raise SourceError(
            f"{gone} of {held} rows of {covered[0]}-{covered[1]} that were not zero are missing "
            "from it, or zero",
            file=given[0],
            remedy="Fetch it whole, name the years it speaks about, or accept the withdrawals.",
        )
    older = outdated(changes, record, day)
    if len(older):
        raise SourceError(
            f"{len(older)} rows differ from what files read later than {day} say",
            file=given[0],
            remedy="Import releases in the order they came out, or take only new years: --years. "
            "If this file is the one to believe, give the day you decided so: --released.",
        )
    _sound(changes, record, day, given[0])
    return Plan(
        format=format_name,
        released=day,
        years=covered,
        changes=changes.reset_index(drop=True),
        unchanged=confirmed,
        data_dir=folder,
        base=record.content_hash,
        files=tuple(_fingerprint(f) for f in given),
        evidence=tables.get(SHEET, pd.DataFrame()),
    )


def take(plan: Plan) -> Path | None:
    """Write what a release changes.

    Parameters
    ----------
    plan : Plan

    Returns
    -------
    Path or None
        The folder `vintages/<day>` (`<day>-2` and so on for further releases of one day), or None
        if nothing was new and so nothing written.

    Raises
    ------
    RecordError
        If another command is changing the record, it has changed since, or a row breaks a rule of
        it; nothing is then written.
    """
    with alone(plan.data_dir):
        place = None if plan.changes.empty else _written(plan)
        # Also where nothing is new: an import may have been killed before it came to this.
        if datapackage.out_of_step(plan.data_dir):
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
        _note(work, plan)
        work.chmod(0o755)
        # One rename makes the whole release visible, or none of it.
        return work.rename(_next_folder(home, plan.released))
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _next_folder(home: Path, day: dt.date) -> Path:
    taken = [p.name.removeprefix(f"{day}").removeprefix("-") for p in home.glob(f"{day}*")]
    last = max((int(number or 1) for number in taken), default=0)
    return home / (f"{day}-{last + 1}" if last else f"{day}")


def _sound(changes: pd.DataFrame, record: Record, day: dt.date, file: Path) -> None:
    """Read the rows through the record's own door, and name the row and not a temporary file."""
    door = (record.states["iso3"], record.codebook.sources)
    with tempfile.TemporaryDirectory() as folder:
        for name, rows in changes.groupby("indicator"):
            path = Path(folder) / f"{name}.csv"
            path.write_text(to_csv_text(rows, (*COLUMNS, "status")), encoding="utf-8")
            try:
                read_parts([release_part(path, record.codebook[name], day)], *door)
            except RecordError as err:
                line = path.read_text(encoding="utf-8").splitlines()[(err.row or 1) - 1]
                _, unit, year, *_ = line.split(",")
                problem = str(err).partition(": ")[2]
                raise SourceError(f"{name} {unit} {year}: {problem}", file=file) from None


def _own_folder(data_dir: str | Path | None) -> Path:
    """Find the record to add to; the copy inside an installed package is nobody's to change."""
    folder = paths.data_dir() if data_dir is None else Path(data_dir)
    if folder.name == "_data":
        raise RecordError(
            "the record inside the installed package is not changed",
            remedy="Make your own: fairweather data copy DIR, then --data DIR.",
        )
    return folder


def _years(
    reader: ModuleType, tables: dict, years: tuple[int, int] | None, day: dt.date
) -> tuple[int, int]:
    holds = reader.coverage(tables)
    # A year still running is not a year's value; a rater's code says its own date.
    whole = day.year if SHEET in tables else day.year - 1
    first, last = years or (max(holds[0], HISTORY_FIRST), min(holds[1], whole))
    if SHEET in tables and years is None and holds != (first, last):
        raise SourceError(
            f"the sheet has codes of {holds[0]}-{holds[1]}",
            remedy=f"Codes are of {HISTORY_FIRST} to the year of the release, {day.year}.",
        )
    if years is None and first > last:
        raise SourceError(
            f"a release of {day} with {holds[0]}-{holds[1]} holds no year that had ended",
            remedy="Give the day it came out (--released), or the years it speaks about (--years).",
        )
    if first > last or first < holds[0] or last > min(holds[1], day.year):
        raise SourceError(
            f"years {first}-{last} do not fit a release of {day} that holds {holds[0]}-{holds[1]}",
            remedy="Write FIRST-LAST, within what it holds and not after the year it came out.",
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


def _from_sheet(sheet: pd.DataFrame, record: Record, file: Path) -> dict[str, pd.DataFrame]:
    """Take a coding sheet's codes as rows; each indicator must be described first."""
    members = set(record.states["iso3"])
    strange = sheet[~(sheet["unit"].str[:3].isin(members) & sheet["unit"].str[-3:].isin(members))]
    if not strange.empty:
        raise SourceError(
            f"unit {strange['unit'].iloc[0]!r} names a state that is not in the record",
            file=file,
            remedy="Leave its rows out, or build a record with that state: data build --states.",
        )
    out = {}
    for name, rows in sheet.groupby("indicator"):
        if name not in record.codebook:
            raise SourceError(
                f"indicator {name!r} is not in the codebook",
                file=file,
                remedy=f"Describe it under [indicator.{name}] in codebook.toml, family ordinal.",
            )
        one = record.codebook[name]
        kept = rows[["indicator", "unit", "year", "rater", "value"]].assign(
            source=one.source, **dict.fromkeys(NUMBERS[1:], float("nan"))
        )
        out[name] = kept.assign(value=kept["value"].astype(float), available_on=pd.NaT)[
            list(COLUMNS)
        ]
    return out


def _fingerprint(path: Path) -> dict[str, Any]:
    with path.open("rb") as handle:
        digest = hashlib.file_digest(handle, "sha256").hexdigest()
    return {"name": path.name, "bytes": path.stat().st_size, "sha256": digest}


def _note(work: Path, plan: Plan) -> None:
    """Keep beside the rows where they came from, and a coding sheet's own sources."""
    note = {
        "format": plan.format,
        "released": plan.released.isoformat(),
        "years": list(plan.years),
        "files": list(plan.files),
        "rows": plan.changes["status"].value_counts().sort_index().to_dict(),
    }
    (work / "release.json").write_text(json.dumps(note, indent=1) + "\n", encoding="utf-8")
    if not plan.evidence.empty:
        (work / "evidence").mkdir()
        plan.evidence.to_csv(work / "evidence" / "sheet.csv", index=False, lineterminator="\n")
