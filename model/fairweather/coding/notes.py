"""A release leaves a note of itself, also where it only confirmed what stood.

Without it an older file could take the place of what a later one said by saying the same. Guarded
by ``tests/test_release.py``.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from fairweather.errors import RecordError

FILE = "release.json"


@dataclass(frozen=True)
class Note:
    """What a release was and spoke about.

    Attributes
    ----------
    format : str
    released : str
        Day it came out, YYYY-MM-DD.
    years : sequence of int
        First and last year it spoke about.
    indicators : sequence of str
        Of which it spoke for all units; empty where it spoke for some units only.
    files : sequence of dict
        `name, bytes, sha256` of each file read.
    rows : dict
        How many rows were new, changed and withdrawn.
    """

    format: str
    released: str
    years: Sequence[int]
    indicators: Sequence[str]
    files: Sequence[dict[str, Any]]
    rows: dict[str, int]


def fingerprint(path: Path) -> dict[str, Any]:
    """Take down which file it was.

    Parameters
    ----------
    path : Path

    Returns
    -------
    dict
        `name`, `bytes` and `sha256`.
    """
    with path.open("rb") as handle:
        digest = hashlib.file_digest(handle, "sha256").hexdigest()
    return {"name": path.name, "bytes": path.stat().st_size, "sha256": digest}


def write(note: Note, folder: Path) -> None:
    """Write a note into the folder of its release.

    Parameters
    ----------
    note : Note
    folder : Path
        `vintages/<day>` of a record, or one that will be renamed so.
    """
    text = json.dumps(asdict(note), indent=1) + "\n"
    (folder / FILE).write_text(text, encoding="utf-8")


def read(data_dir: str | Path) -> list[Note]:
    """Read the notes of all releases of a record, by day.

    Parameters
    ----------
    data_dir : str or Path
        The record's folder.

    Returns
    -------
    list of Note

    Raises
    ------
    RecordError
        If a note is no note.
    """
    found = []
    for path in sorted(Path(data_dir).glob(f"vintages/[!.]*/{FILE}")):
        try:
            note = Note(**json.loads(path.read_text(encoding="utf-8")))
            dt.date.fromisoformat(note.released)
        except (OSError, ValueError, TypeError) as err:
            raise RecordError(
                f"the note of a release cannot be read: {err}",
                file="/".join(path.parts[-3:]),
                remedy="Restore it; without it an older file could override this release.",
            ) from None
        found.append(note)
    return sorted(found, key=lambda note: note.released)


def already_noted(notes: Iterable[Note], files: Iterable[dict[str, Any]]) -> bool:
    """Say whether these very files were taken in before, alone or among others.

    Parameters
    ----------
    notes : iterable of Note
    files : iterable of dict
        As from `fingerprint`.

    Returns
    -------
    bool
    """
    wanted = {file["sha256"] for file in files}
    return any(wanted <= {file["sha256"] for file in note.files} for note in notes)


def spoken_of_later(rows: pd.DataFrame, notes: Iterable[Note], day: dt.date) -> pd.Series:
    """Say which rows are of an indicator and year that a release of a later day spoke about.

    Parameters
    ----------
    rows : DataFrame
        With `indicator` and `year`.
    notes : iterable of Note
    day : date

    Returns
    -------
    Series of bool
        One per row of `rows`.
    """
    found = pd.Series(False, index=rows.index)
    for note in notes:
        if note.released > day.isoformat():
            found |= rows["indicator"].isin(note.indicators) & rows["year"].between(*note.years)
    return found
