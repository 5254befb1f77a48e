"""A case counts in every year from its first to its last, and a state without a case has zero.

Shared by the readers of sanction cases. Guarded by ``tests/test_formats_sanctions.py``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from fairweather.countries import table


def states_of_the_world() -> frozenset[str]:
    """Every code that was a state in its own right at some time since 1945.

    Examples
    --------
    >>> "DDR" in states_of_the_world(), "HKG" in states_of_the_world()
    (True, False)
    """
    rows = table()
    own = (rows["cow"] != "") | (rows["un_from"] != "")
    return frozenset(rows.loc[own, "iso3"])


def case_years(cases: pd.DataFrame, first: int, last: int) -> pd.DataFrame:
    """Repeat each case once for each year it was active.

    Parameters
    ----------
    cases : DataFrame
        `begin` and `end` (whole years, `begin <= end`) and any other columns.
    first, last : int
        Years outside this span are left out.

    Returns
    -------
    DataFrame
        The other columns with `year`.

    Examples
    --------
    >>> case_years(pd.DataFrame({"begin": [1990], "end": [1992]}), 1991, 2000)["year"].tolist()
    [1991, 1992]
    """
    begin, end = cases["begin"].clip(lower=first), cases["end"].clip(upper=last)
    cases = cases.assign(year=begin)[begin <= end]
    length = (end - begin + 1)[begin <= end]
    years = cases.loc[cases.index.repeat(length)]
    years["year"] += years.groupby(level=0).cumcount()
    return years.drop(columns=["begin", "end"]).reset_index(drop=True)


def counts(
    parts: Mapping[str, pd.DataFrame], first: int, last: int, extra: Sequence[str] = ()
) -> pd.DataFrame:
    """Count rows by state and year, with zeros for every state of the world.

    Parameters
    ----------
    parts : mapping of str to DataFrame
        Column to be made -> rows with `iso3, year`.
    first, last : int
        Span of the result.
    extra : sequence of str
        Codes to be listed besides the states of the world.

    Returns
    -------
    DataFrame
        `iso3, year` and one whole-number column a part, sorted, one row a state and year.
    """
    codes = sorted({*states_of_the_world(), *extra})
    grid = pd.MultiIndex.from_product([codes, range(first, last + 1)], names=["iso3", "year"])
    made = {
        name: rows.groupby(["iso3", "year"]).size().reindex(grid, fill_value=0)
        for name, rows in parts.items()
    }
    out = pd.DataFrame(made, index=grid).astype("int64").reset_index()
    out["iso3"] = out["iso3"].astype("str")
    return out
