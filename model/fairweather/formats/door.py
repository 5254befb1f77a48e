"""A publisher's table enters whole and in its declared layout, or it is refused by file and line.

Nothing is guessed: another delimiter, encoding, column or row length means that the layout has
changed, and with it perhaps the meaning. Cells come out as stripped text. Guarded by
``tests/test_formats.py``.
"""

from __future__ import annotations

import csv
import io
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path

import numpy as np
import pandas as pd
import pandera.pandas as pa

from fairweather.checks import enforce
from fairweather.errors import SourceError
from fairweather.formats.header import check_header, find_header
from fairweather.formats.streams import ZIP, check_file, open_bytes, reading, undecodable

Rules = pa.Check | Sequence[pa.Check] | None
_CHUNK = 50_000


@dataclass(frozen=True)
class Table:
    """Text cells of one file, with the line each row came from.

    Attributes
    ----------
    frame : DataFrame
        Index 0, 1, 2, ... in file order; all cells are stripped text, '' where empty.
    path : Path
        The file.
    lines : array of int
        First physical line of each row.
    header : int
        Line of the header, 0 where there is none.
    """

    frame: pd.DataFrame
    path: Path
    lines: np.ndarray
    header: int

    def line(self, position: int) -> int:
        """Line of the file for a position of the frame; below 0, the header's."""
        return int(self.lines[position]) if position >= 0 else max(self.header, 1)

    def enforce(self, schema: pa.DataFrameSchema, frame: pd.DataFrame | None = None):
        """Check a frame that has this table's rows against a schema (see `checks.enforce`)."""
        checked = self.frame if frame is None else frame
        return enforce(schema, checked, self.path, error=SourceError, line=self.line)

    def refuse_if(self, bad: pd.Series | np.ndarray, problem: str, remedy: str) -> None:
        """Refuse the file at the first row where `bad` is true.

        Parameters
        ----------
        bad : Series or array of bool
            One per row of the frame.
        problem, remedy : str
            Parts of the message. Braces in `problem` are filled with the row's cells by name.

        Raises
        ------
        SourceError
            Naming file, line and remedy, if any is true.
        """
        bad = np.asarray(bad, dtype=bool)
        if not bad.any():
            return
        first = int(bad.argmax())
        text = problem.format(**self.frame.iloc[first]) if "{" in problem else problem
        more = int(bad.sum()) - 1
        if more:
            text += f"; {more} more bad row(s) follow"
        raise SourceError(text, file=self.path, row=self.line(first), remedy=remedy)

    def refuse_repeats(self, earlier: Table, keys: Sequence[str], what: str) -> None:
        """Refuse a row whose key is already in the table of an earlier file."""
        seen = pd.MultiIndex.from_frame(earlier.frame[list(keys)])
        self.refuse_if(
            pd.MultiIndex.from_frame(self.frame[list(keys)]).isin(seen),
            f"{what} is already in {earlier.path.name} ({_braces(keys)})",
            "Name each release once.",
        )

    def refuse_duplicates(self, keys: Sequence[str], what: str) -> None:
        """Refuse two rows with the same key; the second is named."""
        self.refuse_if(
            self.frame.duplicated(list(keys)),
            f"{what} ({_braces(keys)})",
            "Keep one of the rows.",
        )


def refuse_empty(frame: pd.DataFrame, path: str | Path, what: str) -> None:
    """Refuse a file of which nothing is left, since years cannot be told from it.

    Parameters
    ----------
    frame : DataFrame
        What was kept of the file.
    path : str or Path
        Named in the refusal.
    what : str
        What there is none of.

    Raises
    ------
    SourceError
        If the frame has no row.
    """
    if frame.empty:
        raise SourceError(
            f"the file holds no {what}", file=path, remedy="Check that it is the right file."
        )


def _braces(keys: Sequence[str]) -> str:
    # Four cells tell a row apart; a message is no table.
    return ", ".join(f"{k} = {{{k}!r}}" for k in keys[:4])


def given(paths: Sequence[str | Path]) -> list[Path]:
    """List the files to read, and refuse to read none.

    Raises
    ------
    SourceError
        If no path is given.
    """
    if not paths:
        raise SourceError("no file is given", remedy="Name the publisher's file.")
    return [Path(path) for path in paths]


def open_table(
    path: str | Path,
    columns: pa.DataFrameSchema | Mapping[str, Rules],
    *,
    optional: Sequence[str] = (),
    delimiter: str = ",",
    quotes: bool = True,
    skip: int | str = 0,
    header: bool = True,
    encoding: str | Sequence[str] = "utf-8",
    sheet: str | None = None,
) -> Table:
    r"""Read one table of a declared layout as text.

    Parameters
    ----------
    path : str or Path
        CSV, plain or in .gz or .zip, or an .xlsx workbook; the content decides, not the suffix.
    columns : mapping of str to rules, or DataFrameSchema
        All columns of the layout, in any order. The rules of a column come from `checks.rule`;
        `()` reads it unchecked; None means that it belongs to the layout but is not read.
    optional : sequence of str
        Columns that some releases lack; absent ones are read as '' and not checked.
    delimiter : str
        One character.
    quotes : bool
        False where the publisher does not quote cells, so that a quote mark is a plain character.
    skip : int or str
        Lines before the header; as text, the first cell of the header, which is then looked for.
    header : bool
        False where the file has none; then the order of `columns` is that of the file.
    encoding : str or sequence of str
        Encodings the publisher uses, tried in order. UTF-8 may begin with a byte-order mark.
    sheet : str, optional
        Sheet of a workbook; needed where it has more than one.

    Returns
    -------
    Table

    Raises
    ------
    SourceError
        If the file is missing, too large, damaged, cut, differently encoded or delimited, lacks or
        adds a column, has a row of another length, or breaks a rule.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "a.csv"
    ...     _ = file.write_text("iso3,year\nCHN, 1992\n")
    ...     open_table(file, {"iso3": (), "year": ()}).frame["year"].tolist()
    ['1992']
    """
    path = Path(path)
    head = check_file(path)
    rules = _rules(columns)
    if _is_workbook(path, head):
        from fairweather.formats.workbook import workbook_rows

        return _table(path, workbook_rows(path, sheet), columns, rules, optional, skip, header)
    encodings = [encoding] if isinstance(encoding, str) else list(encoding)
    for n, one in enumerate(encodings):
        one = "utf-8-sig" if one.lower() in ("utf-8", "utf8") else one
        try:
            rows = _csv_rows(path, head, delimiter, quotes, one)
            return _table(path, rows, columns, rules, optional, skip, header, delimiter)
        except UnicodeDecodeError:
            if n + 1 == len(encodings):
                raise undecodable(path, head, one) from None
    raise AssertionError("no encoding given")


def read_header(
    path: str | Path, *, delimiter: str = ",", skip: int | str = 0, sheet: str | None = None
) -> list[str]:
    """Read the names of the columns alone, to tell layouts of one publisher apart.

    Parameters
    ----------
    path, delimiter, skip, sheet
        As for `open_table`; the first line that is not blank is the header.

    Returns
    -------
    list of str

    Raises
    ------
    SourceError
        If the file cannot be read as text.
    """
    path = Path(path)
    head = check_file(path)
    with reading(path):
        if _is_workbook(path, head):
            from fairweather.formats.workbook import workbook_rows

            return find_header(path, workbook_rows(path, sheet), skip)[1]
        try:
            rows = _csv_rows(path, head, delimiter, True, "utf-8-sig")
            return find_header(path, rows, skip)[1]
        except UnicodeDecodeError:
            raise undecodable(path, head, "utf-8-sig") from None


def _rules(columns: pa.DataFrameSchema | Mapping[str, Rules]) -> dict[str, list | None]:
    if isinstance(columns, pa.DataFrameSchema):
        return {name: list(column.checks) for name, column in columns.columns.items()}
    return {
        name: None if rules is None else [rules] if isinstance(rules, pa.Check) else list(rules)
        for name, rules in columns.items()
    }


def _is_workbook(path: Path, head: bytes) -> bool:
    if path.suffix.lower() not in (".xlsx", ".xlsm"):
        return False
    if head not in ZIP:
        raise SourceError(
            "the name says Excel workbook, the content is not one",
            file=path,
            remedy="Rename it after its content, or download it again.",
        )
    return True


def _csv_rows(
    path: Path, head: bytes, delimiter: str, quotes: bool, encoding: str
) -> Iterator[tuple[int, list[str]]]:
    """Yield first line and cells of each record."""
    quoting = csv.QUOTE_MINIMAL if quotes else csv.QUOTE_NONE
    line = 0
    with open_bytes(path, head) as stream:
        text = io.TextIOWrapper(stream, encoding=encoding, newline="")
        # Strict: an unclosed quote, the mark of a cut file, is an error rather than a long cell.
        rows = csv.reader(text, delimiter=delimiter, quoting=quoting, strict=True)
        try:
            for row in rows:
                yield line + 1, row
                line = rows.line_num
        except csv.Error as err:
            raise SourceError(
                f"the row cannot be read as cells ({err})",
                file=path,
                row=line + 1,
                remedy="A quote is not closed or the file is cut: download it again.",
            ) from err


def _table(
    path: Path,
    rows: Iterator[tuple[int, list[str]]],
    columns: pa.DataFrameSchema | Mapping[str, Rules],
    rules: dict[str, list | None],
    optional: Sequence[str],
    skip: int | str,
    header: bool,
    delimiter: str = ",",
) -> Table:
    with reading(path):
        if header:
            top, found = find_header(path, rows, skip)
            check_header(path, top, found, rules, optional, delimiter)
        else:
            top, found = 0, list(rules)
            rows = ((line, row) for line, row in rows if line > int(skip))
        read = [c for c in found if rules[c] is not None]
        frame, lines = _collect(path, rows, found, read)
    if frame.empty:
        raise SourceError(
            "the table has a header and no rows", file=path, row=top, remedy="Download it again."
        )
    schema = columns
    if not isinstance(schema, pa.DataFrameSchema):
        schema = pa.DataFrameSchema({c: pa.Column(checks=rules[c]) for c in read})
    table = Table(frame, path, lines, top)
    table.enforce(schema)
    for name in optional:
        if name not in frame and rules[name] is not None:
            frame[name] = pd.Series("", index=frame.index, dtype="str")
    return table


def _collect(
    path: Path, rows: Iterator, found: list[str], read: list[str]
) -> tuple[pd.DataFrame, np.ndarray]:
    width = len(found)
    places = [found.index(c) for c in read]
    # itemgetter of one place returns a bare cell, not a row.
    take = itemgetter(*places) if len(places) > 1 else lambda row: [row[p] for p in places]
    lines, chunk, parts = array("q"), [], []
    for line, row in rows:
        if len(row) != width:
            if not row:  # a blank line
                continue
            last = next(rows, None) is None
            raise SourceError(
                f"the row has {len(row)} cells, the table {width}"
                + ("; it is the last one, so the file may be cut" if last else ""),
                file=path,
                row=line,
                remedy="Download the file again, or mend the row.",
            )
        lines.append(line)
        chunk.append(take(row))
        if len(chunk) == _CHUNK:
            parts.append(_text(chunk, read))
            chunk = []
    parts.append(_text(chunk, read))
    return pd.concat(parts, ignore_index=True), np.asarray(lines, dtype=np.int64)


def _text(chunk: list, names: list[str]) -> pd.DataFrame:
    if not chunk:
        return pd.DataFrame({name: pd.Series([], dtype="str") for name in names})
    cells = zip(*chunk, strict=True)
    return pd.DataFrame(
        {n: pd.Series(c, dtype="str").str.strip() for n, c in zip(names, cells, strict=True)}
    )
