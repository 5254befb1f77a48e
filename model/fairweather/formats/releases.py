"""A release is named whole: the right number of files, and something in them.

Shared by the readers. Guarded by ``tests/test_formats.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from fairweather.errors import SourceError
from fairweather.formats.door import Table

# Of files in which only numbers are read: names in them may be in either encoding.
ENCODINGS = ("utf-8", "latin-1")


def one_file(paths: Sequence[Path]) -> Path:
    """Return the only file of a release that comes as one file.

    Raises
    ------
    SourceError
        If there are none or several.
    """
    if len(paths) == 1:
        return Path(paths[0])
    raise SourceError(
        f"the release is one file, {len(paths)} were given",
        file=Path(paths[1]) if len(paths) else None,
        remedy="Name one release at a time.",
    )


def some_files(paths: Sequence[Path]) -> list[Path]:
    """Return the files of a release that comes in parts.

    Raises
    ------
    SourceError
        If there are none.
    """
    if not paths:
        raise SourceError("no file was given", remedy="Name the files of one release.")
    return [Path(path) for path in paths]


def not_empty(frame: pd.DataFrame, table: Table, what: str) -> pd.DataFrame:
    """Return the frame, or refuse a file of which nothing is left to use.

    Raises
    ------
    SourceError
        If the frame has no rows.
    """
    if frame.empty:
        raise SourceError(
            f"the file holds no {what}",
            file=table.path,
            row=table.line(-1),
            remedy="Check that this is the whole release.",
        )
    return frame
