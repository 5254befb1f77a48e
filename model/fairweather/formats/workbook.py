"""A workbook gives the same text cells as the CSV of the same table would.

Guarded by ``tests/test_formats.py``.
"""

from __future__ import annotations

import datetime as dt
import zipfile
from collections.abc import Iterator
from pathlib import Path

from fairweather.errors import FairweatherError, SourceError
from fairweather.formats.streams import MAX_BYTES, MAX_RATIO, RATIO_FLOOR, too_large

MAX_ROWS = 1_048_576  # of Excel itself
_ERRORS = {"#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!", "#DIV/0!"}


def openpyxl_or_refuse(path: Path):
    """Import openpyxl, which only workbooks need.

    Raises
    ------
    SourceError
        If it is not installed.
    """
    try:
        import openpyxl
    except ImportError as err:
        raise SourceError(
            "a workbook needs the package openpyxl, which is not installed",
            file=path,
            remedy="Install the extra (pip install 'fairweather[coding]'), or save it as CSV.",
        ) from err
    return openpyxl


def workbook_rows(path: Path, sheet: str | None) -> Iterator[tuple[int, list[str]]]:
    """Yield line and text cells of each row of one sheet.

    Parameters
    ----------
    path : Path
        An .xlsx file.
    sheet : str or None
        Name of the sheet; not looked at where there is only one.

    Raises
    ------
    SourceError
        If the workbook is damaged, too large, or lacks the sheet, or a cell holds an error.
    """
    openpyxl = openpyxl_or_refuse(path)
    try:
        _check_size(path)
        # Opened here, since openpyxl leaves a damaged file open.
        with path.open("rb") as handle:
            book = openpyxl.load_workbook(handle, read_only=True, data_only=True)
            table = _sheet(book, path, sheet)
            # A declared size may be false by a million rows; the cells present are what counts.
            table.reset_dimensions()
            # Rows left out are made up by openpyxl, as many as the number of the next one says.
            rows = {}
            for line, row in enumerate(table.iter_rows(values_only=True), start=1):
                if line > MAX_ROWS:
                    raise too_large(path, f"a sheet has at most {MAX_ROWS:,} rows")
                if cells := _trimmed(row):
                    rows[line] = cells
    except FairweatherError:
        raise
    # A damaged workbook fails in its parser in too many ways to list.
    except Exception as err:
        raise SourceError(
            f"the workbook is cut or damaged ({err.__class__.__name__})",
            file=path,
            remedy="Download it again, or save it as CSV in UTF-8.",
        ) from err
    width = max(map(len, rows.values()), default=0)
    for line, row in rows.items():
        cells = [_text(value, path, line) for value in row]
        yield line, cells + [""] * (width - len(cells))


def _check_size(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        unpacked = sum(entry.file_size for entry in archive.infolist())
    limit = max(MAX_RATIO * path.stat().st_size, RATIO_FLOOR)
    if unpacked > min(MAX_BYTES, limit):
        raise too_large(path, "it unpacks to more than a table of this kind can hold")


def _sheet(book, path: Path, sheet: str | None):
    names = book.sheetnames
    if len(names) == 1:
        return book[names[0]]
    if sheet not in names:
        wanted = "one sheet" if sheet is None else f"a sheet {sheet!r}"
        raise SourceError(
            f"the workbook has sheets {names}, where {wanted} is expected",
            file=path,
            remedy="Check that this is the right file, or save the one sheet as CSV.",
        )
    return book[sheet]


def _trimmed(row: tuple) -> tuple:
    """Drop the empty cells that spreadsheets keep to the right of a table."""
    end = len(row)
    while end and row[end - 1] is None:
        end -= 1
    return row[:end]


def _text(value: object, path: Path, line: int) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, dt.datetime):
        midnight = value.time() == dt.time()
        return value.date().isoformat() if midnight else value.isoformat(sep=" ")
    if isinstance(value, str) and value in _ERRORS:
        raise SourceError(
            f"a cell holds the spreadsheet error {value}",
            file=path,
            row=line,
            remedy="Mend the formula or write the value.",
        )
    return str(value)
