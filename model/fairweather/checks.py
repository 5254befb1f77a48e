"""One bad line is named, with its file and a remedy; the rest are counted (pandera, at every door).

The record's own files and publishers' releases are checked through the same functions, so that a
refusal reads the same everywhere. Guarded by ``tests/test_record.py``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from pathlib import Path

import pandas as pd
import pandera.pandas as pa

from fairweather.errors import FairweatherError, RecordError

# ASCII only: \d would take the digits of every script.
NUMBER = r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?"


def rule(test: Callable, problem: str, remedy: str) -> pa.Check:
    """Make a pandera check that carries what is wrong and what to do about it.

    Parameters
    ----------
    test : callable
        Takes a Series (of a column) or the DataFrame, returns booleans: True is good.
    problem, remedy : str
        Parts of the message; neither may hold ``|``. ``{column}`` becomes the row's cell.
    """
    # The two halves travel through pandera as one string.
    return pa.Check(test, error=f"{problem}|{remedy}", ignore_na=False)


def matches(pattern: str) -> Callable[[pd.Series], pd.Series]:
    """Test that whole cells match a pattern.

    Examples
    --------
    >>> matches(NUMBER)(pd.Series(["1.5", "many"])).tolist()
    [True, False]
    """
    return lambda cells: cells.str.fullmatch(pattern).astype(bool)


def is_day(text: str) -> bool:
    """Say whether text is a real day, written YYYY-MM-DD.

    Examples
    --------
    >>> is_day("2014-02-28"), is_day("2014-02-30")
    (True, False)
    """
    try:
        return dt.date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def enforce(
    schema: pa.DataFrameSchema,
    frame: pd.DataFrame,
    file: str | Path | Callable[[int], str | Path],
    *,
    error: type[FairweatherError] = RecordError,
    line: Callable[[int], int] = lambda position: position + 2,
) -> pd.DataFrame:
    """Validate, and turn pandera's list of failures into one error about the first bad line.

    Parameters
    ----------
    schema : pandera DataFrameSchema
        Its checks come from `rule`.
    frame : DataFrame
        Index 0, 1, 2, ... in the order of the file.
    file : str, Path or callable
        Named in the message; a callable gives the file of a position, where there are several.
    error : type
        Class of the error raised.
    line : callable
        Line of the file (from 1) for a position in the frame; by default a header of one line.

    Returns
    -------
    DataFrame
        The frame as the schema returns it.

    Raises
    ------
    FairweatherError
        Of class `error`, naming file, line and remedy, if any check fails.
    """
    of = file if callable(file) else lambda position: file
    try:
        return schema.validate(frame, lazy=True)
    except pa.errors.SchemaErrors as err:
        cases = err.failure_cases
    located = cases[cases["index"].notna()]
    if located.empty:
        first = cases.iloc[0]
        raise error(
            f"{first['column']}: {first['check']}",
            file=of(-1),
            row=line(-1),
            remedy="Mend the column.",
        )
    # The first bad line; on it, a bad cell explains more than a bad row.
    cell = located["schema_context"] == "Column"
    located = located.assign(index=located["index"].astype(int), of_row=~cell)
    first = located.sort_values(["index", "of_row"], kind="stable").iloc[0]
    position = int(first["index"])
    # Braces in a rule stand for cells of the row, so that one rule can serve many files.
    text = str(first["check"])
    text = text.format(**frame.iloc[position].to_dict()) if "{" in text else text
    problem, _, remedy = text.partition("|")
    if first["schema_context"] == "Column" and first["column"] in frame:
        found = frame.loc[position, first["column"]]
        # A number shows as one, not as NumPy's constructor.
        shown = repr(found.item() if hasattr(found, "item") else found)
        problem = f"{problem} ({first['column']} = {shown})"
    others = located["index"].unique()
    more = sum(of(int(other)) == of(position) for other in others) - 1
    if more:
        problem = f"{problem}; {more} more bad row(s) follow"
    remedy = remedy[:1].upper() + remedy[1:] + "." if remedy else "Mend the row."
    raise error(problem, file=of(position), row=line(position), remedy=remedy)


def read_text(path: Path, columns: Iterable[str], shown: str | None = None) -> pd.DataFrame:
    """Read a table of our own as text, with exactly these columns.

    Parameters
    ----------
    path : Path
        A UTF-8 CSV file.
    columns : iterable of str
        All its columns, in the order wanted.
    shown : str, optional
        How messages call the file; by its name by default.

    Returns
    -------
    DataFrame
        Every cell as written; a blank is an empty string.

    Raises
    ------
    RecordError
        If the file is missing, no such table, or lacks or adds a column.
    """
    file = shown or path
    try:
        frame = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
    except FileNotFoundError:
        raise RecordError(
            "the file is missing", file=file, remedy="Restore it, or rebuild data/."
        ) from None
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as err:
        raise RecordError(f"not a UTF-8 CSV table: {err}", file=file, remedy="Mend it.") from None
    for name in columns:
        if name not in frame:
            raise RecordError(
                f"the column {name!r} is missing",
                file=file,
                row=1,
                remedy=f"Use the columns {', '.join(columns)}.",
            )
    for name in frame.columns:
        if name not in columns:
            raise RecordError(
                f"the column {name!r} is unknown",
                file=file,
                row=1,
                remedy=f"Use the columns {', '.join(columns)}.",
            )
    return frame[list(columns)]
