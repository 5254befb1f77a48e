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
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd

from fairweather import datapackage, paths
from fairweather.coding.build import observations
from fairweather.coding.registry import HISTORY_FIRST, Sources
from fairweather.errors import AsOfError, RecordError, SourceError
from fairweather.formats import get_format
from fairweather.record import Record, as_date, load_record
from fairweather.schema import COLUMNS, NUMBERS, number_text, read_parts, release_part, to_csv_text

SHEET = "coding_sheet"
# More than this share of what a release could confirm gone at once: rather a cut file than a
# publisher who took it all back.
MOST_WITHDRAWN = 0.2
_UNIT = ["indicator", "unit", "year", "rater"]


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
    sources: str | Path | None = None,
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
    sources : str or Path, optional
        Folder of prepared sources, for tables the release does not hold (trade needs GDP).
    accept_withdrawals : bool
        Go on although more than a fifth of the rows compared are gone.

    Returns
    -------
    Plan

    Raises
    ------
    SourceError
        If a file is refused by its reader, needs another table, or would withdraw too much.
    RecordError
        If the record, or a row the release would bring, breaks a rule.
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
        coded = _from_sheet(tables[SHEET], record, covered, given[0])
    else:
        coded = _coded(reader, tables, record, covered, sources)
    standing = _standing(record, day)
    standing = standing[standing["indicator"].isin(coded) & standing["year"].between(*covered)]
    brought = pd.concat(coded.values(), ignore_index=True) if coded else standing.iloc[:0]
    changes = _compare(standing, brought.assign(available_on=pd.Timestamp(day)))
    if not _whole(reader):
        changes = changes[changes["status"] != "withdrawn"]
    gone = int((changes["status"] == "withdrawn").sum())
    if gone > MOST_WITHDRAWN * max(len(standing), 1) and not accept_withdrawals:
        raise SourceError(
            f"{gone} of {len(standing)} rows of {covered[0]}-{covered[1]} are missing from it",
            file=given[0],
            remedy="Fetch it whole, name the years it speaks about, or accept the withdrawals.",
        )
    return Plan(
        format=format_name,
        released=day,
        years=covered,
        changes=changes.reset_index(drop=True),
        unchanged=len(standing) - gone - int((changes["status"] == "changed").sum()),
        data_dir=folder,
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
        If another import is running, or a row would break a rule of the record; nothing is then
        written.
    """
    if plan.changes.empty:
        return None
    home = plan.data_dir / "vintages"
    home.mkdir(exist_ok=True)
    record = load_record(plan.data_dir, history=True)
    door = (record.states["iso3"], record.codebook.sources)
    with _alone(plan.data_dir):
        work = Path(tempfile.mkdtemp(prefix=".import-", dir=home))
        try:
            for name, rows in plan.changes.groupby("indicator"):
                path = work / f"{name}.csv"
                text = to_csv_text(rows, (*COLUMNS, "status"))
                path.write_text(text, encoding="utf-8", newline="")
                read_parts([release_part(path, record.codebook[name], plan.released)], *door)
            _note(work, plan)
            work.chmod(0o755)
            # One rename makes the whole release visible, or none of it.
            place = work.rename(_next_folder(home, plan.released))
        finally:
            shutil.rmtree(work, ignore_errors=True)
        datapackage.write(plan.data_dir)
    return place


def _next_folder(home: Path, day: dt.date) -> Path:
    taken = [p for p in home.glob(f"{day}*") if p.is_dir()]
    return home / (f"{day}-{len(taken) + 1}" if taken else f"{day}")


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
    if years is not None:
        first, last = years
        if first > last or last > day.year:
            raise SourceError(
                f"years {first}-{last} do not fit a release of {day}",
                remedy="Write FIRST-LAST, not after the year of the release.",
            )
        return first, last
    first, last = reader.coverage(tables)
    first, last = max(first, HISTORY_FIRST), min(last, day.year - 1)
    if first > last:
        raise SourceError(
            f"the release holds no year that had ended by {day.year}",
            remedy="Give the day it came out (--released), or the years it speaks about (--years).",
        )
    return first, last


def _coded(
    reader: ModuleType,
    tables: dict[str, pd.DataFrame],
    record: Record,
    covered: tuple[int, int],
    sources: str | Path | None,
) -> dict[str, pd.DataFrame]:
    """Code every indicator the format feeds, over the years it covers."""
    src = Sources(sources, record.states["iso3"], years=covered, given=tables, released=True)
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
            f"no indicator of this record is coded from {reader.NAME}",
            remedy="Describe one in codebook.toml.",
        )
    return out


def _from_sheet(
    sheet: pd.DataFrame, record: Record, covered: tuple[int, int], file: Path
) -> dict[str, pd.DataFrame]:
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
    for name, rows in sheet[sheet["year"].between(*covered)].groupby("indicator"):
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


def _standing(record: Record, day: dt.date) -> pd.DataFrame:
    """Rows that stood on the day of the release."""
    try:
        return record.known_on(day).observations
    except AsOfError:
        return record.observations.iloc[:0]


def _compare(standing: pd.DataFrame, brought: pd.DataFrame) -> pd.DataFrame:
    """List rows new, changed and withdrawn; numbers are compared as they are written."""
    both = []
    for frame in (standing, brought):
        text = frame[_UNIT].copy()
        text["shown"] = ""
        for c in NUMBERS:
            text["shown"] += number_text(frame[c]) + ","
        both.append(text)
    joined = both[0].merge(both[1], on=_UNIT, how="outer", suffixes=("_before", "_now"))
    joined["status"] = "changed"
    joined.loc[joined["shown_before"].isna(), "status"] = "new"
    joined.loc[joined["shown_now"].isna(), "status"] = "withdrawn"
    joined = joined[joined["shown_before"] != joined["shown_now"]]
    everything = pd.concat(
        [brought, standing.assign(available_on=brought["available_on"].max())], ignore_index=True
    ).drop_duplicates(_UNIT)
    out = joined.merge(everything, on=_UNIT, how="left")
    gone = out["status"] == "withdrawn"
    out.loc[gone, list(NUMBERS)] = float("nan")
    before = out["shown_before"].astype(object).where(out["shown_before"].notna(), "")
    out["before"] = before.str.split(",").str[0]
    return out[[*COLUMNS, "status", "before"]]


def _whole(reader: ModuleType) -> bool:
    """Whether a release speaks about all units of its years, so that absence means withdrawal."""
    return bool(getattr(reader, "WHOLE", True))


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


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let one import write at a time."""
    lock = folder / ".import-lock"
    try:
        os.close(os.open(lock, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        raise RecordError(
            "another import is running", remedy=f"Wait; if none is, delete {lock.name}."
        ) from None
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)
