"""An alliance obligation counts if either state of the pair owes it to the other.

Layout: Alliance Treaty Obligations and Provisions (ATOP) 5.1, pairs by year, ``atop5_1dy.csv``: one
row per pair in alliance and year, to 2018. Years before 1945 are not read. Guarded by
``tests/test_formats_cow.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from fairweather.checks import matches, rule
from fairweather.formats import cells
from fairweather.formats.cow_pairs import STATE, recent, undirected
from fairweather.formats.door import open_table
from fairweather.formats.releases import ENCODINGS, not_empty, one_file

NAME = "atop"
TITLE = "ATOP 5.1, alliance obligations by pair and year (CSV)"
SOURCE = "atop"
TABLES = ("alliances",)
INDICATORS = ("pact_level_atop",)

LAST_YEAR = 2018  # of version 5.1
OBLIGATIONS = ("defense", "offense", "neutral", "nonagg", "consul")
_FLAG = cells.one_of(["0", "1"])
_IDS = tuple(f"atopid{n}" for n in range(1, 13))
# Known of other tables of the release; not every copy of this one has them.
OPTIONAL = ("dyad", "shareob", "bilatno", "multino", "number", "asymm", "transyr", *_IDS)

COLUMNS = {
    "mem1": STATE,
    "mem2": STATE,
    "year": cells.year(1815, LAST_YEAR),
    "atopally": _FLAG,
    **{name: _FLAG for name in OBLIGATIONS},
    "version": rule(
        matches(r"5\.10?"), "the version is not 5.1", "use version 5.1, or update the reader"
    ),
    **{name: None for name in OPTIONAL},
}


def read(paths: Sequence[Path]) -> dict[str, pd.DataFrame]:
    """Read the release from 1945 on.

    Parameters
    ----------
    paths : sequence of Path
        One file.

    Returns
    -------
    dict of str to DataFrame
        `alliances`: `iso3_a, iso3_b, year, atop_defense, atop_offense, atop_neutral, atop_nonagg,
        atop_consul` (0 or 1), one row a pair and year in alliance.

    Raises
    ------
    SourceError
        If the layout or version differs, a state is unknown, or a pair and year stand twice.
    """
    table = open_table(one_file(paths), COLUMNS, optional=OPTIONAL, encoding=ENCODINGS)
    table.refuse_duplicates(["mem1", "mem2", "year"], "the pair and year stand twice")
    owed = (table.frame[list(OBLIGATIONS)] == "1").any(axis=1)
    table.refuse_if(
        owed & (table.frame["atopally"] == "0"),
        "{mem1} and {mem2} owe something in {year} without an alliance",
        "Correct atopally or the obligations.",
    )
    rows = recent(table, "mem1", "mem2")
    flags = [f"atop_{name}" for name in OBLIGATIONS]
    for name, flag in zip(OBLIGATIONS, flags, strict=True):
        rows[flag] = (table.frame[name] == "1").astype("int64")
    rows = rows[table.frame.loc[rows.index, "atopally"] == "1"]
    not_empty(rows, table, "alliance from 1945 on")
    return {"alliances": undirected(rows, flags)}


def coverage(tables: dict[str, pd.DataFrame]) -> tuple[int, int]:
    """First and last year with an alliance in force."""
    years = tables["alliances"]["year"]
    return int(years.min()), int(years.max())
