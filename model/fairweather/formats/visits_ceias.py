"""Every row of the list is one trip; only its year is known, so equal rows are separate trips.

Layout: CEIAS, WHO | WHERE | WHEN, International travel of Chinese leaders (1949-2020), version 1.1,
reduced to ``year,leader,office,country`` and, if coded, ``host_iso3``, as CSV or as a workbook of
one sheet. The publisher's workbook adds dummies for continents and development: drop them first.
Guarded by ``tests/test_formats.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from fairweather.formats import cells, trips
from fairweather.formats.door import Table, given, open_table

NAME = "visits-ceias"
TITLE = "CEIAS, travel of Chinese leaders, Who Where When (XLSX or CSV)"
SOURCE = "ceias"
TABLES = ("trips",)
INDICATORS = ("china_trips_ceias",)

LAST_YEAR = 2020  # of version 1.1
OTHER = "other_top_leader"
OFFICES = {
    "President": "president",
    "Premier": "premier",
    "Leader CCP": OTHER,
    "Paramount Leader": OTHER,
    "Other (Acting leader)": OTHER,
}
COLUMNS = {
    "year": cells.year(1949, LAST_YEAR),
    "leader": cells.text(),
    "office": cells.one_of(OFFICES),
    "country": cells.text(),
    "host_iso3": cells.iso3(),
}


def read(paths: Sequence[Path]) -> dict[str, pd.DataFrame]:
    """Read the list of trips.

    Parameters
    ----------
    paths : sequence of Path
        Tables that share no row; within one table equal rows are different trips.

    Returns
    -------
    dict of str to DataFrame
        `trips`: `source, traveller_iso3, host_iso3, year, office, n_trips`, positive counts only.

    Raises
    ------
    SourceError
        If the layout differs, or an office, country or code is unknown.
    """
    tables = [open_table(path, COLUMNS, optional=("host_iso3",)) for path in given(paths)]
    for n, later in enumerate(tables):
        for earlier in tables[:n]:
            later.refuse_repeats(earlier, ["year", "leader", "office", "country"], "the trip")
    whole = pd.concat([_coded(table) for table in tables], ignore_index=True)
    whole["year"] = whole["year"].astype("int64")
    counted = whole.groupby(trips.KEY).size().rename("n_trips").reset_index()
    return {"trips": counted}


def _coded(table: Table) -> pd.DataFrame:
    frame = table.frame
    host = frame["host_iso3"]
    if (host == "").all():
        host = cells.states_of(frame["country"], trips.PLACES, table.path, table.line)
    table.refuse_if(
        host == trips.CHINA, "the host is China itself", "Correct the country of the trip."
    )
    return frame[["year"]].assign(
        source="CEIAS",
        traveller_iso3=trips.CHINA,
        host_iso3=host,
        office=frame["office"].map(OFFICES),
    )


def coverage(tables: dict[str, pd.DataFrame]) -> tuple[int, int]:
    """First and last year with a trip."""
    years = tables["trips"]["year"]
    return int(years.min()), int(years.max())
