"""What is wrong with a store, found by hashing everything anew.

Invariant: any change to a byte, any file added, removed or moved is found, whatever the index
says; only someone who rewrites the whole chain is not, unless a hash of it was published.
Guarded by ``tests/test_issued_verify.py``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from fairweather.issued import ledger, manifest
from fairweather.issued.manifest import ID, LEDGER, MANIFEST, NOTE, OBJECTS
from fairweather.issued.places import Place

COLUMNS = ("severity", "serial", "id", "file", "problem", "expected", "found", "remedy")
DAMAGE, UNFINISHED, LEFTOVER = "damage", "unfinished", "leftover"
_COPY = "Restore it from a copy of the store."
_FOREIGN = "Move it out of the store."
_INDEX = ("index.sqlite", "index.sqlite-journal")

Row = dict[str, Any]


def _row(file: str, problem: str, remedy: str, **more: Any) -> Row:
    row = dict.fromkeys(COLUMNS, "") | {"severity": DAMAGE, "serial": None}
    return row | {"file": file, "problem": problem, "remedy": remedy} | more


def problems(here: Place, only: str | None = None, head: str | None = None) -> list[Row]:
    """Check the ledger, and all forecasts or one.

    Parameters
    ----------
    here : Place
    only : str, optional
        Id of the forecast to check.
    head : str, optional
        Published hash of a ledger entry.

    Returns
    -------
    list of dict
        With the keys `COLUMNS`; empty if nothing is wrong.
    """
    rows = list(_store(here))
    if any(row["problem"].startswith("has format") for row in rows):
        return rows  # Nothing else would be judged by the right rules.
    found, entries = _ledger(here, head)
    rows += found
    issued: dict[str, Row] = {}
    for entry in entries:
        if entry["id"] in issued:
            file, first = ledger.path(entry["serial"]), issued[entry["id"]]["serial"]
            problem = f"issues the forecast of entry {first} again"
            rows.append(_row(file, problem, _COPY, serial=entry["serial"], id=entry["id"]))
        issued.setdefault(entry["id"], entry)
    stored, foreign = _objects(here)
    rows += foreign
    for ident in [only] if only else sorted({*issued, *stored}):
        rows += _one(here, ident, issued.get(ident))
    return rows


def _one(here: Place, ident: str, entry: Row | None) -> list[Row]:
    """Check a forecast against its hashes and its entry."""
    name = manifest.folder(ident)
    serial = None if entry is None else entry["serial"]
    rows = [row | {"serial": serial} for row in forecast(here, ident)]
    if entry is None and not here.exists(name):
        return [_row(name, "is not in the store", "Check the id.", id=ident)]
    if entry is None:
        whole = not rows
        problem = "is whole but not issued" if whole else "is neither whole nor issued"
        remedy = (
            "Issue the same forecast again; if it had been issued, restore its ledger entry."
            if whole
            else "Delete it and issue the forecast again."
        )
        rows.append(_row(name, problem, remedy, id=ident, severity=UNFINISHED,
                         expected="a ledger entry", found="none"))  # fmt: skip
    elif not rows:
        facts = json.loads(here.read(f"{name}/{MANIFEST}"))["facts"]
        wanted = manifest.headline(facts)
        if entry["headline"] != wanted:
            rows.append(_row(ledger.path(serial), "says other than the manifest", _COPY,
                             serial=serial, id=ident, expected=_short(wanted),
                             found=_short(entry["headline"])))  # fmt: skip
    return rows


def forecast(here: Place, ident: str) -> list[Row]:
    """Check the manifest and the frozen files of one forecast."""
    name = manifest.folder(ident)
    file = f"{name}/{MANIFEST}"
    data, problem = _read(here, file)
    if data is None:
        return [_row(file, problem, _COPY, id=ident, expected=ident, found="none")]
    if manifest.sha256(data) != ident:
        return [_row(file, "was changed", _COPY, id=ident, expected=ident,
                     found=manifest.sha256(data))]  # fmt: skip
    rows, listed = [], json.loads(data)["files"]
    for one, facts in listed.items():
        file, wanted = f"{name}/{one}", f"{facts['sha256']}, {facts['size']} bytes"
        data, problem = _read(here, file)
        if data is None:
            rows.append(_row(file, problem, _COPY, id=ident, expected=wanted, found="none"))
        elif manifest.sha256(data) != facts["sha256"]:
            found = f"{manifest.sha256(data)}, {len(data)} bytes"
            rows.append(_row(file, "was changed", _COPY, id=ident, expected=wanted, found=found))
    for one in here.names(name):
        if one != MANIFEST and one not in listed:
            rows.append(_row(f"{name}/{one}", "was added", _FOREIGN, id=ident,
                             expected="none", found="a file"))  # fmt: skip
    return rows


def _store(here: Place) -> Iterator[Row]:
    """Check what marks a store, and what else lies in it."""
    data, problem = _read(here, NOTE)
    wanted = manifest.note()
    remedy = f"Restore it; it says {wanted.decode().strip()}."
    if data is None:
        yield _row(NOTE, problem, remedy, expected=wanted.decode().strip(), found="none")
    elif data != wanted:
        version = _format(data)
        newer = version is not None and version > manifest.FORMAT
        problem = f"has format {version}" if newer else "was changed"
        if newer:
            remedy = f"Update fairweather, which reads {manifest.FORMAT}; or it was changed."
        yield _row(NOTE, problem, remedy, expected=wanted.decode().strip(),
                   found=data.decode("utf-8", "replace").strip()[:200])  # fmt: skip
    for name in here.leftovers():
        yield _row(name, "was left by an interrupted issue, or one is at work",
                   "Nothing to do: an issue removes it after a day.",
                   severity=LEFTOVER)  # fmt: skip
    for name in here.names():
        if name not in (NOTE, LEDGER, OBJECTS, *_INDEX) and not name.startswith("."):
            yield _row(name, "does not belong to the store", _FOREIGN)


def _ledger(here: Place, head: str | None) -> tuple[list[Row], list[Row]]:
    """Check the chain; return what is wrong, and the entries that can be trusted by themselves."""
    names = here.names(LEDGER)
    serials = ledger.serials(names)
    rows = [
        _row(f"{LEDGER}/{name}", "does not belong to the ledger", _FOREIGN)
        for name in names
        if not ledger.NAME.fullmatch(name) and not name.startswith(".")
    ]
    entries, hashes = [], {}
    before: Row | None = None
    present = set(serials)
    for serial in range(1, (serials or [0])[-1] + 1):
        file = ledger.path(serial)
        data, problem = _read(here, file) if serial in present else (None, "is missing")
        if data is None:
            rows.append(_row(file, problem, _COPY, serial=serial, expected="an entry",
                             found="none"))  # fmt: skip
            before = None
            continue
        hashes[serial] = manifest.sha256(data)
        try:
            entry = ledger.read(data, serial)
        except ValueError as err:
            rows.append(_row(file, str(err), _COPY, serial=serial, found=hashes[serial]))
            entry = None
        else:
            entries.append(entry)
            rows += _follows(entry, before, hashes.get(serial - 1))
        before = entry
    if 0 in present:
        rows.append(_row(ledger.path(0), "does not belong to the ledger", _FOREIGN))
    if head is not None and head.strip().lower() not in hashes.values():
        rows.append(_row(LEDGER, "does not hold the published entry",
                         "The ledger was rewritten, or the hash is of another store.",
                         expected=head, found=hashes.get(len(hashes), "none")))  # fmt: skip
    return rows, entries


def _follows(entry: Row, before: Row | None, previous: str | None) -> Iterator[Row]:
    """Check an entry against the one before it."""
    serial, file = entry["serial"], ledger.path(entry["serial"])
    if previous is None and serial > 1:
        return  # The entry before is missing, which is told there.
    if entry["previous"] != previous:
        yield _row(file, "does not follow the entry before it", _COPY, serial=serial,
                   id=entry["id"], expected=entry["previous"] or "the first entry",
                   found=previous or "no entry before it")  # fmt: skip
    if before is None:
        return
    behind = entry["issued_at"] < before["issued_at"]
    if behind != ("clock" in entry):
        wanted = f"clock behind if before {before['issued_at']}"
        yield _row(file, "is wrong about the clock", _COPY, serial=serial, id=entry["id"],
                   expected=wanted, found=entry["issued_at"])  # fmt: skip


def _objects(here: Place) -> tuple[set[str], list[Row]]:
    """Ids of the forecasts that are stored, and what else lies among them."""
    found, rows = set(), []
    for two in here.names(OBJECTS):
        names = here.names(f"{OBJECTS}/{two}")
        if not names and not two.startswith(".") and len(two) != 2:
            names = [""]
        for name in names:
            if ID.fullmatch(name) and name[:2] == two:
                found.add(name)
            elif not name.startswith(".") or not name:
                rows.append(_row(f"{OBJECTS}/{two}/{name}".rstrip("/"),
                                 "does not belong to the store", _FOREIGN))  # fmt: skip
    return found, rows


def _read(here: Place, file: str) -> tuple[bytes | None, str]:
    try:
        return here.read(file), ""
    except FileNotFoundError:
        return None, "is missing"
    except OSError as err:
        return None, f"cannot be read ({err.strerror or err})"


def _format(data: bytes) -> int | None:
    try:
        found = json.loads(data)["format"]
    except (ValueError, KeyError, TypeError):
        return None
    return found if isinstance(found, int) else None


def _short(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)[:300]
