"""A code stands for a year only with its rater and its source, and one rater has one code a year.

Layout: a researcher's own codes, CSV or workbook, with columns
``indicator,unit,date,value,rater,source,note``. The date is YYYY-MM-DD, YYYY-MM or YYYY; of
several codes in a year the latest stands. Several raters may code the same. `template` writes an
empty sheet. Guarded by ``tests/test_formats.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from fairweather.checks import matches, rule
from fairweather.countries import valid_iso3
from fairweather.errors import SourceError
from fairweather.formats import cells
from fairweather.formats.door import Table, given, open_table
from fairweather.formats.workbook import openpyxl_or_refuse

NAME = "coding-sheet"
TITLE = "A researcher's own codes (CSV or XLSX)"
SOURCE = "coding_sheet"
TABLES = ("coding_sheet",)
INDICATORS = ()  # any: the sheet names them
WHOLE = False  # a sheet speaks for its own rows only: what it lacks is not withdrawn

SHEET = "codes"
EXAMPLE = "example_indicator"
_KEY = ["indicator", "unit", "year", "rater"]
# Column -> what to write, as the template says it.
HELP = {
    "indicator": "Id of the indicator in the codebook, such as joint_statements.",
    "unit": "A pair in alphabetical order (CHN-RUS), a state (CHN) or a direction (RUS>CHN).",
    "date": "Day, month or year the code holds for: 2014-05-21, 2014-05 or 2014.",
    "value": "The code as a number, with a decimal point.",
    "rater": "Who coded: a name or initials, the same on every row.",
    "source": "What was read: title and page, or address. Never blank.",
    "note": "Anything else; may be blank.",
}
_EXAMPLE_ROW = {
    "indicator": EXAMPLE,
    "unit": "CHN-RUS",
    "date": "2014-05-21",
    "value": "3",
    "rater": "AB",
    "source": "Joint statement of 20 May 2014, section II",
    "note": "Example: delete this row. The latest code of a year stands; one code per rater.",
}


def _units(column: pd.Series) -> pd.Series:
    def good(unit: str) -> bool:
        mark = "-" if "-" in unit else ">"
        codes = unit.split(mark)
        known = len(codes) <= 2 and all(code in valid_iso3() for code in codes)
        return known and len(set(codes)) == len(codes) and (mark == ">" or codes == sorted(codes))

    return column.map({unit: good(unit) for unit in column.unique()}).astype(bool)


COLUMNS = {
    "indicator": [
        rule(
            lambda names: names != EXAMPLE,
            "the example row of the template is still there",
            "delete it",
        ),
        rule(
            matches("[a-z][a-z0-9_]*"),
            "the indicator is not an id",
            "use small letters, digits and underscores, such as joint_statements",
        ),
    ],
    "unit": rule(
        _units,
        "the unit is no pair, state or direction",
        "write CHN-RUS (alphabetical), CHN or RUS>CHN, with ISO3 codes",
    ),
    "date": cells.iso_date(partial=True),
    "value": cells.number(),
    "rater": cells.text(),
    "source": rule(
        lambda sources: sources != "",
        "the source is blank",
        "write what was read: a code without a source cannot be checked",
    ),
    "note": (),
}


def read(paths: Sequence[Path]) -> dict[str, pd.DataFrame]:
    """Read sheets of one or more raters.

    Parameters
    ----------
    paths : sequence of Path
        CSV files or workbooks; in a workbook of several sheets the one named ``codes`` is read.

    Returns
    -------
    dict of str to DataFrame
        `coding_sheet`: `indicator, unit, year, rater, date, value, source, note`, one row for each
        rater's code of a year, and the `file` and `line` it stands in.

    Raises
    ------
    SourceError
        If the layout differs, a source is blank, one rater gives two codes for the latest date of
        a year, or the same rater's code of a year stands in two files.
    """
    tables = [_open(path) for path in given(paths)]
    for n, later in enumerate(tables):
        for earlier in tables[:n]:
            later.refuse_repeats(earlier, _KEY, "a code of this rater and year")
    parts = []
    for table in tables:
        placed = table.frame.assign(file=table.path.name, line=table.lines)
        latest = placed.sort_values("date", kind="stable")
        parts.append(latest.drop_duplicates(_KEY, keep="last"))
    whole = pd.concat(parts).sort_values(_KEY, kind="stable", ignore_index=True)
    whole = whole.astype({"year": "int64", "value": "float64"})
    return {"coding_sheet": whole[[*_KEY, "date", "value", "source", "note", "file", "line"]]}


def _open(path: Path) -> Table:
    table = open_table(path, COLUMNS, sheet=SHEET)
    frame = table.frame
    frame["year"] = frame["date"].str[:4]
    forms = frame["date"].str.len().groupby([frame[c] for c in _KEY]).transform("nunique")
    table.refuse_if(
        forms > 1,
        "one rater dates codes of {year} in two forms ({unit}, {indicator}), so none is the latest",
        "Write all of them as days, months or years.",
    )
    latest = frame["date"] == frame.groupby(_KEY)["date"].transform("max")
    table.refuse_if(
        latest & frame.duplicated([*_KEY, "date"]),
        "{rater} has two codes of {indicator} for {unit} on {date}",
        "Keep one, or date them differently: the latest of a year stands.",
    )
    return table


def coverage(tables: dict[str, pd.DataFrame]) -> tuple[int, int]:
    """First and last year with a code."""
    years = tables["coding_sheet"]["year"]
    return int(years.min()), int(years.max())


def template(path: str | Path) -> Path:
    """Write an empty coding sheet with an example row, which must be deleted before reading.

    Parameters
    ----------
    path : str or Path
        Ends in ``.csv`` or ``.xlsx``; a workbook explains its columns on a second sheet.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    SourceError
        If the name ends otherwise, the file exists already, or a workbook is asked for and
        openpyxl is missing.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     print(template(Path(folder) / "mine.csv").read_text(encoding="utf-8").splitlines()[0])
    indicator,unit,date,value,rater,source,note
    """
    path = Path(path)
    if path.exists():
        raise SourceError("the file exists already", file=path, remedy="Choose another name.")
    rows = pd.DataFrame([_EXAMPLE_ROW])
    if path.suffix.lower() == ".csv":
        rows.to_csv(path, index=False, lineterminator="\n", encoding="utf-8")
        return path
    if path.suffix.lower() != ".xlsx":
        raise SourceError(
            "a coding sheet is CSV or a workbook",
            file=path,
            remedy="End the name in .csv or .xlsx.",
        )
    book = openpyxl_or_refuse(path).Workbook()
    sheet = book.active
    sheet.title = SHEET
    sheet.append(list(HELP))
    sheet.append([_EXAMPLE_ROW[name] for name in HELP])
    sheet.freeze_panes = "A2"
    # Dates as text: a spreadsheet would turn 2014-05 into a day.
    for row in range(1, 1001):
        sheet.cell(row=row, column=list(HELP).index("date") + 1).number_format = "@"
    words = book.create_sheet("columns")
    for line in [("column", "what to write"), *HELP.items()]:
        words.append(line)
    for one, widths in ((sheet, (22, 12, 12, 8, 8, 44, 60)), (words, (12, 90))):
        for letter, width in zip("ABCDEFG", widths, strict=False):
            one.column_dimensions[letter].width = width
    book.save(path)
    return path
