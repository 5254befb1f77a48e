"""A pair of states has one row a year, the state with the lower number first.

Shared by the readers of Correlates of War and ATOP pairs. Guarded by
``tests/test_formats_cow.py``.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from fairweather.checks import matches, rule
from fairweather.countries import iso3_of_cow
from fairweather.formats.door import Table
from fairweather.formats.releases import not_empty

FIRST_YEAR = 1945  # states that ended before have no code in the table of states
STATE = rule(
    matches("[0-9]{1,3}"), "the cell is no state number", "write a Correlates of War number"
)


def recent(table: Table, one: str, other: str) -> pd.DataFrame:
    """Keep rows from 1945 on, with codes of both states.

    Parameters
    ----------
    table : Table
        Has `year` and the two columns of state numbers.
    one, other : str
        Those columns.

    Returns
    -------
    DataFrame
        `cow_1, cow_2, iso3_1, iso3_2, year`, index that of the table's rows kept.

    Raises
    ------
    SourceError
        If a state is unknown or paired with itself, or nothing is left.
    """
    frame = table.frame
    table.refuse_if(frame[one] == frame[other], f"{{{one}}} is paired with itself", "Correct one.")
    years = frame["year"].astype("int64")
    frame = not_empty(frame[years >= FIRST_YEAR], table, f"row from {FIRST_YEAR} on")
    out = pd.DataFrame({"year": years.loc[frame.index]})
    for n, column in ((1, one), (2, other)):
        out[f"cow_{n}"] = frame[column].astype("int64")
        out[f"iso3_{n}"] = iso3_of_cow(
            frame[column], table.path, line=lambda k: table.line(int(frame.index[k]))
        )
    return out


def undirected(rows: pd.DataFrame, flags: Sequence[str]) -> pd.DataFrame:
    """Merge rows of one pair and year, whichever way round they stand.

    Parameters
    ----------
    rows : DataFrame
        From `recent`, with 0/1 columns.
    flags : sequence of str
        Those columns: 1 in the result if 1 in any row.

    Returns
    -------
    DataFrame
        `iso3_a, iso3_b, year` and the flags, `iso3_a` with the lower number, sorted.
    """
    turned = rows["cow_1"] > rows["cow_2"]
    out = pd.DataFrame(
        {
            "iso3_a": rows["iso3_1"].where(~turned, rows["iso3_2"]),
            "iso3_b": rows["iso3_2"].where(~turned, rows["iso3_1"]),
            "year": rows["year"],
        }
    )
    out = out.join(rows[list(flags)]).groupby(["iso3_a", "iso3_b", "year"], as_index=False).max()
    return out.astype({flag: "int64" for flag in flags})
