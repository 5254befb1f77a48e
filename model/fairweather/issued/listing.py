"""The list of issued forecasts as text, and the short way to it.

Invariant: the short way prints what the command prints, byte for byte, or nothing at all.
Guarded by ``tests/test_issued_listing.py``.

Reading the options of a command costs more than reading ten thousand entries. A list asked for in
the plainest form is therefore printed without them; everything else, refusals included, is left to
the command.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

COLUMNS = ("serial", "id", "issued at", "focal", "origin", "as of", "readings", "priors",
           "years", "chance")  # fmt: skip


def listing(entries: Sequence[Mapping[str, Any]], json: bool = False) -> str:
    """Lay the entries of a ledger out, one a line.

    Parameters
    ----------
    entries : sequence of mapping
        From `fairweather.issued.Store.entries`.
    json : bool
        As JSON, whole.

    Returns
    -------
    str
        Without a last line feed.

    Examples
    --------
    >>> one = {"serial": 1, "id": 64 * "a", "issued_at": "2025-01-02T03:04:05Z", "headline": {}}
    >>> listing([one]).splitlines()[1]
    '1       aaaaaaaaaaaa  2025-01-02T03:04:05Z                 full record'
    """
    if json:
        from json import dumps

        return "[" + ",\n".join(dumps(e, ensure_ascii=False) for e in entries) + "]"
    rows = [COLUMNS, *map(_cells, entries)]
    width = [max(map(len, column)) for column in zip(*rows, strict=True)]
    line = "  ".join(f"{{:<{w}}}" for w in width).format
    return "\n".join([line(*row).rstrip() for row in rows])


def _cells(entry: Mapping[str, Any]) -> tuple[str, ...]:
    head = entry["headline"]
    chance = head.get("chance")
    late = " (clock behind)" if "clock" in entry else ""
    cells = (
        entry["serial"], entry["id"][:12], f"{entry['issued_at']}{late}", head.get("focal"),
        head.get("origin"), head.get("as_of") or "full record", head.get("readings"),
        head.get("priors"), head.get("horizon"),
        f"{chance:.0%}" if isinstance(chance, float) else chance,
    )  # fmt: skip
    return tuple(["" if cell is None else str(cell) for cell in cells])


def quick(words: Sequence[str]) -> bool:
    """Print the list if it is asked for in the plainest form, and tell whether it was.

    Parameters
    ----------
    words : sequence of str
        What was typed after the program's name.
    """
    given = _plain(words)
    if given is None:
        return False
    from fairweather.errors import FairweatherError
    from fairweather.issued.store import DEFAULT, Store

    said: list[str] = []
    try:
        store = Store(given.get("--store", DEFAULT), say=said.append)
        text = listing(store.entries(), "--json" in given)
        data = (text + "\n").encode(sys.stdout.encoding or "utf-8")
    except (FairweatherError, OSError, ValueError):
        return False  # the command says what is wrong, and ends with its code
    for line in said:
        print(f"fairweather: {line}", file=sys.stderr)
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.flush()
    except BrokenPipeError:
        import os

        # Nobody reads on: what is still in the buffer must not be written at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from None
    return True


def _plain(words: Sequence[str]) -> dict[str, str] | None:
    """Options of a list in the plainest form; None of anything else."""
    if not words or words[0] != "list":
        return None
    rest, out = list(words[1:]), {}
    while rest:
        word = rest.pop(0)
        if word == "--json":
            out[word] = ""
        elif word == "--store" and rest and not rest[0].startswith("-"):
            out[word] = rest.pop(0)
        else:
            return None
    return out
