"""A pair is allied in a year if any alliance in force binds it, and every pledge of any counts.

Layout: Correlates of War Formal Alliances 4.1, ``alliance_v4.1_by_dyad_yearly.csv``: one row per
alliance, pair and year, to 2012. Years before 1945 are not read. Legal texts, not behaviour: the
Sino-Soviet pact of 1950 stays in force to 1980. Guarded by ``tests/test_formats_cow.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from fairweather.checks import matches, rule
from fairweather.formats import cells
from fairweather.formats.cow_pairs import STATE, recent, undirected
from fairweather.formats.door import open_table
from fairweather.formats.releases import ENCODINGS, one_file

NAME = "cow-alliances"
TITLE = "Correlates of War Formal Alliances 4.1, by pair and year (CSV)"
SOURCE = "cow_alliances"
TABLES = ("alliances",)
INDICATORS = ("pact_level_cow",)

LAST_YEAR = 2012  # of version 4.1
PLEDGES = {
    "defense": "cow_defense",
    "neutrality": "cow_neutral",
    "nonaggression": "cow_nonagg",
    "entente": "cow_entente",
}

COLUMNS = {
    "version4id": cells.count(),
    "ccode1": STATE,
    "state_name1": None,
    "ccode2": STATE,
    "state_name2": None,
    **{f"dyad_{edge}_{part}": None for edge in ("st", "end") for part in ("day", "month", "year")},
    "left_censor": None,
    "right_censor": None,
    **{pledge: cells.one_of(["0", "1", ""]) for pledge in PLEDGES},
    "asymmetric": None,
    "asym": None,
    "year": cells.year(1816, LAST_YEAR),
    "version": rule(
        matches(r"4\.10?"), "the version is not 4.1", "use version 4.1, or update the reader"
    ),
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
        `alliances`: `iso3_a, iso3_b, year, cow_defense, cow_neutral, cow_nonagg, cow_entente` (0 or
        1), one row a pair and year in alliance. A pair and year without a row has none.

    Raises
    ------
    SourceError
        If the layout or version differs, a state is unknown, or an alliance, pair and year stand
        twice.
    """
    table = open_table(
        one_file(paths), COLUMNS, optional=("asymmetric", "asym"), encoding=ENCODINGS
    )
    table.refuse_duplicates(
        ["version4id", "ccode1", "ccode2", "year"], "the alliance, pair and year stand twice"
    )
    rows = recent(table, "ccode1", "ccode2")
    for pledge, flag in PLEDGES.items():
        rows[flag] = (table.frame[pledge] == "1").astype("int64")
    return {"alliances": undirected(rows, list(PLEDGES.values()))}


def coverage(tables: dict[str, pd.DataFrame]) -> tuple[int, int]:
    """First and last year with an alliance in force."""
    years = tables["alliances"]["year"]
    return int(years.min()), int(years.max())
