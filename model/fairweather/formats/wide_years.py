"""A table with a column per year has every year, and a blank cell is a figure not reported.

Shared by the readers of the World Bank's tables. Guarded by ``tests/test_formats_economy.py``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from fairweather.checks import NUMBER, matches
from fairweather.errors import SourceError
from fairweather.formats.door import Table

LAST = 2100


def expected_years(header: Sequence[str], first: int) -> list[str]:
    """Years that a header must hold, given the latest it does hold.

    Parameters
    ----------
    header : sequence of str
        Names of columns.
    first : int
        Year the publisher's tables begin.

    Returns
    -------
    list of str
        From `first` on, one by one: a missing one among them is then refused at the door.

    Examples
    --------
    >>> expected_years(["name", "1960", "1963"], 1960)
    ['1960', '1961', '1962', '1963']
    """
    found = [int(name) for name in header if name.isascii() and name.isdigit() and len(name) == 4]
    last = max([first, *(year for year in found if year <= LAST)])
    return [str(year) for year in range(first, last + 1)]


def long(table: Table, frame: pd.DataFrame, keys: Sequence[str], years: Sequence[str]):
    """Turn columns of years into rows, blank cells left out.

    Parameters
    ----------
    table : Table
        Whose lines are named.
    frame : DataFrame
        Rows of the table, with its index, and the columns `keys`.
    keys, years : sequence of str
        Columns kept, and columns turned into rows.

    Returns
    -------
    DataFrame
        Keys, `year` and `value`; index that of the table's rows.

    Raises
    ------
    SourceError
        At the first cell that is no finite number.
    """
    rows = frame.melt(list(keys), list(years), "year", "value", ignore_index=False)
    rows = rows[rows["value"] != ""]
    good = matches(NUMBER)(rows["value"])
    values = pd.to_numeric(rows["value"].where(good), errors="coerce").astype("float64")
    bad = rows[~np.isfinite(values)].sort_index(kind="stable")
    if len(bad):
        first = bad.iloc[0]
        raise SourceError(
            f"the figure {first['value']!r} of {first['year']} is not a number",
            file=table.path,
            row=table.line(int(bad.index[0])),
            remedy="Leave the cell blank where nothing is reported.",
        )
    return rows.assign(year=rows["year"].astype("int64"), value=values)
