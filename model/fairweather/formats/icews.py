"""Events are counts from one state to another, and the four kinds add up to all of them.

Layout: ICEWS coded event data counted by directed pair, year and quad class, as in the copy this
record was first coded from: source_iso3, target_iso3, year, verbal_coop, material_coop,
verbal_conf, material_conf, n_events. Volume follows news coverage: use shares. Guarded by
``tests/test_formats_events.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from fairweather.formats import cells
from fairweather.formats.door import open_table
from fairweather.formats.releases import one_file

NAME = "icews"
TITLE = "ICEWS events by directed pair, year and quad class, compiled (CSV)"
SOURCE = "icews"
TABLES = ("icews",)
INDICATORS = (
    "icews_verbal_coop",
    "icews_material_coop",
    "icews_us_material_conf",
    "icews_us_material_coop",
    "icews_us_verbal_conf",
)

QUADS = ("verbal_coop", "material_coop", "verbal_conf", "material_conf")

COLUMNS = {
    "source_iso3": cells.iso3(),
    "target_iso3": cells.iso3(),
    "year": cells.year(1990),
    **{quad: cells.count() for quad in QUADS},
    "n_events": cells.count(),
}


def read(paths: Sequence[Path]) -> dict[str, pd.DataFrame]:
    """Read the counts.

    Parameters
    ----------
    paths : sequence of Path
        One file.

    Returns
    -------
    dict of str to DataFrame
        `icews`: `source_iso3, target_iso3, year`, the four quad classes and `n_events`.

    Raises
    ------
    SourceError
        If the layout differs, a state is unknown or paired with itself, a directed pair and year
        stand twice, or the quad classes do not add up.
    """
    table = open_table(one_file(paths), COLUMNS)
    key = ["source_iso3", "target_iso3", "year"]
    table.refuse_duplicates(key, "the directed pair and year stand twice")
    table.refuse_if(
        table.frame["source_iso3"] == table.frame["target_iso3"],
        "{source_iso3} acts on itself",
        "Events within a state are not between states: drop the row.",
    )
    out = table.frame.astype({name: "int64" for name in ("year", *QUADS, "n_events")})
    table.refuse_if(
        out[list(QUADS)].sum(axis=1) != out["n_events"],
        "the four kinds do not add up to {n_events} events",
        "Count them again.",
    )
    return {"icews": out[list(COLUMNS)].sort_values(key, ignore_index=True)}


def coverage(tables: dict[str, pd.DataFrame]) -> tuple[int, int]:
    """First and last year with events."""
    years = tables["icews"].loc[tables["icews"]["n_events"] > 0, "year"]
    if years.empty:
        years = tables["icews"]["year"]
    return int(years.min()), int(years.max())
