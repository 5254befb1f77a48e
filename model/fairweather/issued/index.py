"""An index that makes lists quick and holds nothing of its own.

Invariant: it is used only if its rows are the ledger's own entries, by their chain of hashes up to
the newest one on disk; anything else is built anew. Guarded by ``tests/test_issued_index.py``.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from fairweather.issued import ledger
from fairweather.issued.places import PARTIAL

_FORMAT = 1
_TABLE = "CREATE TABLE entries (serial INTEGER PRIMARY KEY, id TEXT NOT NULL, entry BLOB NOT NULL)"
_BY_ID = "CREATE INDEX by_id ON entries (id)"


class Unusable(Exception):
    """The index cannot be used; the text says why."""


def load(path: Path, last: bytes, count: int) -> list[dict[str, Any]]:
    """Read all entries.

    Parameters
    ----------
    path : Path
    last : bytes
        The newest entry of the ledger.
    count : int
        Entries in the ledger.

    Raises
    ------
    Unusable
        Missing, damaged, or not in step with the ledger.
    """
    with _opened(path) as base:
        rows = [data for (data,) in base.execute("SELECT entry FROM entries ORDER BY serial")]
    if len(rows) != count or rows[-1] != last:
        raise Unusable("was not in step with the ledger")
    try:
        return ledger.chain(rows)
    except (ValueError, KeyError, TypeError) as err:
        raise Unusable("was damaged") from err


def find(path: Path, ident: str, last: bytes, count: int) -> int | None:
    """Look the serial of a forecast up; None if it was not issued.

    Raises
    ------
    Unusable
        As `load`.
    """
    with _opened(path) as base:
        newest = base.execute(
            "SELECT serial, entry FROM entries ORDER BY serial DESC LIMIT 1"
        ).fetchone()
        row = base.execute("SELECT serial FROM entries WHERE id = ?", (ident,)).fetchone()
    if newest != (count, last):
        raise Unusable("was not in step with the ledger")
    return None if row is None else row[0]


def append(path: Path, serial: int, ident: str, data: bytes) -> None:
    """Add an entry to an index that has all before it; leave any other as it is."""
    with suppress(Unusable), _opened(path, write=True) as base, base:
        (top,) = base.execute("SELECT max(serial) FROM entries").fetchone()
        if top == serial - 1:
            base.execute("INSERT INTO entries VALUES (?, ?, ?)", (serial, ident, data))


def build(path: Path, entries: Sequence[tuple[str, bytes]]) -> None:
    """Write a new index beside the old one and move it there.

    Parameters
    ----------
    path : Path
    entries : sequence of (str, bytes)
        Id and entry, in order.

    Raises
    ------
    OSError, sqlite3.Error
        The place cannot be written to.
    """
    handle, draft = tempfile.mkstemp(prefix=PARTIAL, dir=path.parent)
    os.close(handle)
    try:
        with closing(sqlite3.connect(draft)) as base, base:
            _careless(base)
            base.execute(f"PRAGMA user_version = {_FORMAT}")
            base.execute(_TABLE)
            base.executemany(
                "INSERT INTO entries VALUES (?, ?, ?)",
                ((k, ident, data) for k, (ident, data) in enumerate(entries, start=1)),
            )
            base.execute(_BY_ID)
        os.chmod(draft, 0o644)
        os.replace(draft, path)
    finally:
        with suppress(OSError):
            os.unlink(draft)


@contextmanager
def _opened(path: Path, write: bool = False) -> Iterator[sqlite3.Connection]:
    if not path.exists():
        raise Unusable("was missing")
    try:
        address = f"{path.absolute().as_uri()}?mode={'rw' if write else 'ro'}"
        with closing(sqlite3.connect(address, uri=True)) as base:
            if base.execute("PRAGMA user_version").fetchone() != (_FORMAT,):
                raise Unusable("is of another version")
            _careless(base)
            yield base
    # Bytes that are no database can make SQLite, or the reading of its text, fail in many ways.
    except (sqlite3.Error, OSError, ValueError, TypeError, OverflowError, MemoryError) as err:
        raise Unusable("was damaged") from err


def _careless(base: sqlite3.Connection) -> None:
    """Do not wait for the disk: an index that a power cut damages is noticed and built anew."""
    base.execute("PRAGMA journal_mode = MEMORY")
    base.execute("PRAGMA synchronous = OFF")
