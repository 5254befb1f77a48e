"""A dispute counts once for each pair it sets apart and each of its years, seen from both sides.

Layout: Correlates of War dyadic militarised disputes 4.03, ``dyadic_mid_4.03.csv``: one row per
dispute, pair and year, `statea` towards `stateb`, to 2014. Rows may stand one or both ways round.
Hostility (1 none, 2 threat, 3 display, 4 use of force, 5 war) belongs to the whole dispute and is
repeated over its years and pairs. -9 is missing. Years before 1945 are not read. Guarded by
``tests/test_formats_cow.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from fairweather.checks import matches, rule
from fairweather.formats import cells
from fairweather.formats.cow_pairs import STATE, recent
from fairweather.formats.door import Table, open_table
from fairweather.formats.releases import ENCODINGS, one_file

NAME = "cow-mid"
TITLE = "Correlates of War militarised interstate disputes, dyadic 4.03 (CSV)"
SOURCE = "cow_mid"
TABLES = ("mid_directed",)
INDICATORS = ("militarised_disputes", "us_mid")

LAST_YEAR = 2014  # of the fourth and fifth releases
_HOSTILITY = rule(
    matches("-9|[0-5]"), "the level of hostility is not -9 or 0 to 5", "write the publisher's code"
)
_REST = (
    "dyindex namea nameb strtday strtmnth endday endmnth outcome settlmnt fatlev highact"
    " hihost recip sideaa revstata revtypea fatleva highmcaa orignata sideab revstatb"
    " revtypeb fatlevb highmcab orignatb rolea roleb dyad_rolea dyad_roleb war mid5hiact mid5hiacta"
    " mid5hiactb severity severitya severityb ongo2014"
).split()
# Copies of the file differ in these.
OPTIONAL = tuple(
    "noinit notarg nosideA nosideB durindx duration cumdurat new change changetype_1"
    " changetype_2".split()
)

COLUMNS = {
    "disno": cells.count(),
    "statea": STATE,
    "stateb": STATE,
    "strtyr": cells.year(1816, LAST_YEAR),
    "endyear": cells.year(1816),
    "year": cells.year(1816, LAST_YEAR),
    "hihosta": _HOSTILITY,
    "hihostb": _HOSTILITY,
    **{name: None for name in (*_REST, *OPTIONAL)},
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
        `mid_directed`: `iso3_a, iso3_b, year, cow_n_disputes, cow_n_onsets` (disputes of the pair,
        and those beginning in the year), `cow_host_a_to_b` (highest level of `iso3_a`; 0 where it
        took no part or the level is missing).

    Raises
    ------
    SourceError
        If the layout differs, a state is unknown, a year is outside its dispute, or a dispute, pair
        and year stand twice.
    """
    table = open_table(one_file(paths), COLUMNS, optional=OPTIONAL, encoding=ENCODINGS)
    frame = table.frame
    table.refuse_duplicates(
        ["disno", "statea", "stateb", "year"], "the dispute, pair and year stand twice"
    )
    table.refuse_if(
        (frame["year"] < frame["strtyr"]) | (frame["year"] > frame["endyear"]),
        "the year {year} is outside dispute {disno} ({strtyr} to {endyear})",
        "Correct the years.",
    )
    both = _both_ways(table)
    grouped = both.groupby(["iso3_a", "iso3_b", "year"])
    out = grouped.agg(
        cow_n_disputes=("disno", "nunique"),
        cow_n_onsets=("onset", "sum"),
        cow_host_a_to_b=("host", "max"),
    )
    return {"mid_directed": out.astype("int64").reset_index()}


def _both_ways(table: Table) -> pd.DataFrame:
    """One row per dispute, directed pair and year."""
    rows = recent(table, "statea", "stateb").join(table.frame[["disno", "strtyr"]])
    rows["onset"] = rows["strtyr"].astype("int64") == rows["year"]
    hostility = table.frame[["hihosta", "hihostb"]].astype("int64").clip(lower=0)
    sides = [
        rows.rename(columns={f"iso3_{a}": "iso3_a", f"iso3_{b}": "iso3_b"}).assign(
            host=hostility[column]
        )
        for a, b, column in ((1, 2, "hihosta"), (2, 1, "hihostb"))
    ]
    both = pd.concat(sides, ignore_index=True)
    keep = ["disno", "iso3_a", "iso3_b", "year", "onset", "host"]
    # Where the file has both ways round, each way comes twice.
    return both.groupby(keep[:4], as_index=False)[["onset", "host"]].max()


def coverage(tables: dict[str, pd.DataFrame]) -> tuple[int, int]:
    """First and last year with a dispute."""
    years = tables["mid_directed"]["year"]
    return int(years.min()), int(years.max())
