"""The ledger: which forecasts were issued, in which order, and when.

Invariant: an entry names the hash of the one before and carries a seal over itself, so that a
changed, removed or moved entry does not fit; the order is that of the serials and not of the
clock. Guarded by ``tests/test_issued_verify.py::test_any_changed_byte_is_found``.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from fairweather.issued.manifest import FORMAT, LEDGER, canonical, sha256

NAME = re.compile(r"(\d{8})\.json")
BEHIND = "behind"
_KEYS = {"format", "headline", "id", "issued_at", "previous", "seal", "serial"}


def now() -> dt.datetime:
    """Time of an issue, UTC."""
    return dt.datetime.now(dt.UTC)


def path(serial: int) -> str:
    """Place of an entry within the store.

    Examples
    --------
    >>> path(12)
    'ledger/00000012.json'
    """
    return f"{LEDGER}/{serial:08d}.json"


def write(
    ident: str, headline: Mapping[str, Any], last: bytes | None, at: dt.datetime | None = None
) -> bytes:
    """Write the entry that follows the last one.

    Parameters
    ----------
    ident : str
        Id of the forecast.
    headline : mapping
        What a list shows.
    last : bytes or None
        The entry before, as it is stored.
    at : datetime, optional
        Default: now.

    Returns
    -------
    bytes

    Examples
    --------
    >>> one = write(64 * "a", {}, None)
    >>> two = write(64 * "b", {}, one)
    >>> read(two, 2)["previous"] == sha256(one)
    True
    """
    before = None if last is None else json.loads(last)
    entry = {
        "format": FORMAT,
        "headline": dict(headline),
        "id": ident,
        "issued_at": (at or now()).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "previous": None if last is None else sha256(last),
        "serial": 1 if before is None else before["serial"] + 1,
    }
    if before is not None and entry["issued_at"] < before["issued_at"]:
        entry["clock"] = BEHIND
    return canonical(entry | {"seal": seal(entry)})


def seal(entry: Mapping[str, Any]) -> str:
    """Hash of an entry without its seal: the newest entry has no successor that names its hash."""
    return sha256(canonical({k: v for k, v in entry.items() if k != "seal"}))


def read(data: bytes, serial: int) -> dict[str, Any]:
    """Read an entry and check it as far as it can be checked alone.

    Raises
    ------
    ValueError
        Says what is wrong.
    """
    try:
        entry = json.loads(data)
    except ValueError as err:
        raise ValueError("is no JSON") from err
    if not isinstance(entry, dict) or entry.keys() - {"clock"} != _KEYS:
        raise ValueError("does not have the parts of an entry")
    # The bytes as well: spaces or another order of keys would leave the seal as it is.
    if entry["seal"] != seal(entry) or canonical(entry) != data:
        raise ValueError("was changed: its seal does not fit")
    if entry["serial"] != serial:
        raise ValueError(f"is the entry {entry['serial']}")
    return entry


def chain(stored: Sequence[bytes]) -> list[dict[str, Any]]:
    """Read all entries in order, each checked by the hash that its successor names.

    Raises
    ------
    ValueError
        The chain is broken: not every entry is what it was.
    """
    out, previous = [], None
    for serial, data in enumerate(stored, start=1):
        entry = json.loads(data)
        if entry["serial"] != serial or entry["previous"] != previous:
            raise ValueError(f"entry {serial} does not follow the one before it")
        previous = sha256(data)
        out.append(entry)
    return out


def serials(names: Sequence[str]) -> list[int]:
    """Pick the serials of the entries among the names of a folder, in order.

    Examples
    --------
    >>> serials(["00000002.json", "notes.txt", "00000001.json"])
    [1, 2]
    """
    return sorted(int(m[1]) for m in map(NAME.fullmatch, names) if m)
