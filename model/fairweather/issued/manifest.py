"""The id of a forecast is the hash of what it says and what determines it, and of nothing else.

Invariant: the same files and facts give the same manifest, byte for byte: no clock, no path, no
machine, one way of writing it.
Guarded by ``tests/test_issued_store.py::test_the_id_is_of_content``.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from fairweather.errors import ArchiveError

FORMAT = 1
MANIFEST = "manifest.json"
NOTE = "store.json"
LEDGER, OBJECTS = "ledger", "objects"
ID = re.compile(r"[0-9a-f]{64}")
_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
# Readings of a mixture that a list names, and the weight from which it does.
_SHOWN, _FELT = 3, 0.005
# What a list shows of a forecast: where its facts say it.
HEADLINE = {
    "focal": ("focal",),
    "origin": ("origin",),
    "as_of": ("data", "as_of"),
    "readings": ("readings",),
    "priors": ("priors", "id"),
    "horizon": ("horizon",),
    "chance": ("chance", "probability"),
}


def sha256(data: bytes) -> str:
    """SHA-256 as hex digits."""
    return hashlib.sha256(data).hexdigest()


def canonical(value: Any) -> bytes:
    r"""Write strict JSON in the one way that is hashed: sorted keys, no spaces, UTF-8, one line.

    Raises
    ------
    ValueError, TypeError
        Something that JSON cannot hold, NaN and infinity among it.

    Examples
    --------
    >>> canonical({"b": 1, "a": [0.5, None]})
    b'{"a":[0.5,null],"b":1}\n'
    """
    text = json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return text.encode("utf-8") + b"\n"


def note() -> bytes:
    """Content of ``store.json``, which marks a store and its format."""
    return canonical({"format": FORMAT, "holds": "issued forecasts of fairweather"})


def folder(ident: str) -> str:
    """Folder of a forecast within the store.

    Examples
    --------
    >>> folder("ab" + 62 * "0")[:16]
    'objects/ab/ab000'
    """
    return f"{OBJECTS}/{ident[:2]}/{ident}"


def compose(files: Mapping[str, bytes], facts: Mapping[str, Any]) -> bytes:
    """Write the manifest of a forecast; its SHA-256 is the id.

    Parameters
    ----------
    files : mapping of str to bytes
    facts : mapping
        What determines the forecast, as strict JSON.

    Returns
    -------
    bytes

    Raises
    ------
    ArchiveError
        No file, a name that is no plain file name, or facts that are not strict JSON.
    """
    if not files:
        raise ArchiveError("there is nothing to issue", remedy="Hand over at least one file.")
    lower = [name.lower() for name in files]
    for name in files:
        # One file system tells "A" from "a", another does not.
        if not _FILE.fullmatch(name) or name.lower() == MANIFEST or lower.count(name.lower()) > 1:
            raise ArchiveError(
                f"'{name}' cannot be the name of a frozen file",
                remedy=f"Use letters, digits, '.', '_', '-', each name once, and not {MANIFEST}.",
            )
    listed = {name: {"sha256": sha256(data), "size": len(data)} for name, data in files.items()}
    try:
        return canonical({"facts": dict(facts), "files": listed, "format": FORMAT})
    except (TypeError, ValueError) as err:
        raise ArchiveError(
            f"the facts of the forecast are not strict JSON ({err})",
            remedy="Hand over text, finite numbers, lists and mappings only.",
        ) from err


def parse(data: bytes, ident: str) -> dict[str, Any]:
    """Read a manifest that must be the one its id names.

    Raises
    ------
    ValueError
        It is another, or of a format this version does not read.
    """
    if sha256(data) != ident:
        raise ValueError("is not what it was when it was issued")
    found = json.loads(data)
    if found.get("format") != FORMAT:
        raise ValueError(f"has format {found.get('format')}, this version reads {FORMAT}")
    return found


def headline(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Pick the few facts that a list shows; what is not there is None.

    Examples
    --------
    >>> shown = headline({"focal": "CHN-RUS", "readings": {"drift": 0.4, "thermostat": 0.6}})
    >>> shown["focal"], shown["readings"], shown["as_of"]
    ('CHN-RUS', 'thermostat .60 + drift .40', None)
    """
    out: dict[str, Any] = {}
    for name, path in HEADLINE.items():
        value: Any = facts
        for key in path:
            value = value.get(key) if isinstance(value, Mapping) else None
        if isinstance(value, Mapping):
            value = _mixture(value)
        out[name] = value if isinstance(value, (str, int, float)) else None
    return out


def _mixture(weights: Mapping[str, Any]) -> str:
    """Name one reading, or several with their weights, largest first; only the first three."""
    if len(weights) == 1 or not all(isinstance(w, (int, float)) for w in weights.values()):
        return "+".join(sorted(map(str, weights)))
    order = sorted(weights, key=lambda name: (-weights[name], name))
    felt = [name for name in order if weights[name] >= _FELT] or order[:1]
    said = [f"{name} {weights[name]:.2f}".replace(" 0.", " .") for name in felt[:_SHOWN]]
    rest = len(weights) - len(said)
    return " + ".join([*said, f"{rest} more"] if rest else said)
