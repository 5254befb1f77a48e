"""The first month of the list is a stock, never a wave of additions.

Layout: monthly panel of entities on the US Treasury's SDN and Consolidated lists by country of the
listed address, compiled by J. Allen (``ofac_panel.csv``): Country, Date (last day of the month),
yrqtr, yrmon, levels, additions, removals, change. The country is that of the address, not the
nationality; an entity with two addresses counts twice. In the panel's first month additions are
zero because nothing came before. Guarded by ``tests/test_formats_sanctions.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from fairweather.checks import matches, rule
from fairweather.countries import iso3_of_name
from fairweather.formats import cells
from fairweather.formats.door import Table, open_table
from fairweather.formats.releases import one_file

NAME = "ofac"
TITLE = "OFAC lists, entities by country and month, compiled panel (CSV)"
SOURCE = "ofac"
TABLES = ("ofac_months",)
INDICATORS = ("ofac_additions", "ofac_entities")

COLUMNS = {
    "Country": cells.text(),
    "Date": cells.iso_date(),
    "yrqtr": None,
    "yrmon": rule(
        matches(r"20[0-9]{2}-(0[1-9]|1[0-2])"), "the month is not YYYY-MM", "write it as 2022-04"
    ),
    "levels": cells.count(),
    "additions": cells.count(),
    "removals": cells.count(),
    "change": rule(matches(r"-?[0-9]{1,9}"), "the change is no whole number", "write digits"),
}


def read(paths: Sequence[Path]) -> dict[str, pd.DataFrame]:
    """Read the panel.

    Parameters
    ----------
    paths : sequence of Path
        One file.

    Returns
    -------
    dict of str to DataFrame
        `ofac_months`: `iso3, month` (YYYY-MM), `active_entities, additions, removals`.

    Raises
    ------
    SourceError
        If the layout differs, a country is unknown, a country and month stand twice, months are
        missing, or levels and changes contradict each other.
    """
    table = open_table(one_file(paths), COLUMNS)
    frame = table.frame
    table.refuse_duplicates(["Country", "yrmon"], "the country and month stand twice")
    table.refuse_if(
        frame["yrmon"] != frame["Date"].str[:7],
        "the month {yrmon} is not that of the date {Date}",
        "Correct one of the two.",
    )
    numbers = frame[["levels", "additions", "removals", "change"]].astype("int64")
    table.refuse_if(
        numbers["additions"] - numbers["removals"] != numbers["change"],
        "{additions} additions less {removals} removals is not the change {change}",
        "Download the file again.",
    )
    codes = iso3_of_name(frame["Country"], table.path, line=table.line)
    _check_runs(table, numbers)
    out = pd.DataFrame(
        {
            "iso3": codes,
            "month": frame["yrmon"],
            "active_entities": numbers["levels"],
            "additions": numbers["additions"],
            "removals": numbers["removals"],
        }
    )
    # Two names of one country would be two addresses' lists: their sum is the country's.
    out = out.groupby(["iso3", "month"], as_index=False).sum()
    return {"ofac_months": out}


def _check_runs(table: Table, numbers: pd.DataFrame) -> None:
    """Refuse gaps between months, and levels that do not follow from the month before."""
    frame = table.frame
    months = pd.PeriodIndex(frame["yrmon"], freq="M").asi8
    order = pd.DataFrame({"country": frame["Country"], "month": months, **numbers})
    order = order.sort_values(["country", "month"])
    before = order.groupby("country")[["month", "levels"]].shift()
    gap = before["month"].notna() & (order["month"] - before["month"] != 1)
    table.refuse_if(
        gap.sort_index(),
        "months are missing before {yrmon} for {Country}",
        "Restore them: a gap would hide additions.",
    )
    jump = before["levels"].notna() & (order["levels"] - before["levels"] != order["change"])
    table.refuse_if(
        jump.sort_index(),
        "the level {levels} of {Country} in {yrmon} does not follow from the month before",
        "Download the file again.",
    )
    stock = before["levels"].isna() & (order["month"] == order["month"].min())
    table.refuse_if(
        (stock & (order["additions"] > 0)).sort_index(),
        "the first month of the panel, {yrmon}, is a stock and cannot hold additions",
        "Keep the publisher's starting month, or set its additions and removals to 0.",
    )


def coverage(tables: dict[str, pd.DataFrame]) -> tuple[int, int]:
    """First and last year with a month in the panel."""
    years = tables["ofac_months"]["month"].str[:4].astype(int)
    return int(years.min()), int(years.max())
