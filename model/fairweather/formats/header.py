"""A header is read as it stands: a column renamed, added or lost is a changed layout.

Guarded by ``tests/test_formats.py``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from fairweather.errors import SourceError

MOST_UNKNOWN = 200  # columns that a message can still name
_PREAMBLE = 60  # lines searched for a header that is named by its first cell
_DELIMITERS = {";": "semicolons", "\t": "tabs", "|": "bars", ",": "commas"}


def find_header(
    path: Path, rows: Iterator[tuple[int, list[str]]], skip: int | str
) -> tuple[int, list[str]]:
    """Find the header's line and names.

    Parameters
    ----------
    path : Path
        Named in a refusal.
    rows : iterator of (int, list of str)
        First line and cells of each record; left standing after the header.
    skip : int or str
        Lines before the header, or its first cell.

    Raises
    ------
    SourceError
        If there is no such line.
    """
    for line, row in rows:
        cells = [c.strip() for c in row]
        if isinstance(skip, int):
            if line <= skip or not any(cells):
                continue
            return line, _named(cells)
        if cells and cells[0] == skip:
            return line, _named(cells)
        if line > _PREAMBLE:
            break
    if isinstance(skip, str):
        raise SourceError(
            f"no header beginning with {skip!r} in the first {_PREAMBLE} lines",
            file=path,
            row=1,
            remedy="Check that this is the publisher's export, unchanged, and its delimiter.",
        )
    raise SourceError("the file holds no table", file=path, remedy="Download it again.")


def _named(cells: list[str]) -> list[str]:
    """Name a column without a name after its neighbour: publishers put marks of doubt there."""
    return [c or f"{left}?" for left, c in zip(["", *cells], cells, strict=False)]


def check_header(
    path: Path, line: int, found: list[str], rules: dict, optional: Sequence[str], delimiter: str
) -> None:
    """Refuse a header that is not that of the layout, saying what is missing or unknown."""

    def refusal(problem: str, remedy: str) -> SourceError:
        return SourceError(problem, file=path, row=line, remedy=remedy)

    if len(found) == 1 and len(rules) > 1:
        used = [name for mark, name in _DELIMITERS.items() if mark in found[0]]
        if used and found[0] not in rules:
            wanted = _DELIMITERS.get(delimiter, repr(delimiter))
            raise refusal(
                f"cells are divided by {used[0]}, not by {wanted}",
                f"Save it with {wanted} as the delimiter.",
            )
    if len(found) > len(rules) + MOST_UNKNOWN:
        raise refusal(
            f"the header has {len(found):,} columns, the layout {len(rules)}",
            "Check that this is the right file, and its line ends.",
        )
    twice = sorted(c for c, times in Counter(found).items() if times > 1)
    if twice:
        raise refusal(f"columns {twice} appear twice", "Keep one of each.")
    missing = [c for c in rules if c not in found and c not in optional]
    unknown = [c for c in found if c not in rules]
    if missing and unknown:
        raise refusal(
            f"columns {missing} are missing and {unknown} are unknown",
            "If they were renamed, check their meaning, then restore the names or update the "
            "reader.",
        )
    if missing:
        raise refusal(f"columns {missing} are missing", "Check that this is the right file.")
    if unknown:
        raise refusal(
            f"columns {unknown} are unknown: the layout has changed",
            "Check their meaning, then drop them or update the reader.",
        )
