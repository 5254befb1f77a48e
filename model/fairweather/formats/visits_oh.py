"""One trip to one country counts once, and no trip is a zero only when both files were read.

Layout: Office of the Historian, US Department of State, as tables of events. The publisher issues
XML (github.com/HistoryAtState/travels and /visits); the tables hold one row per stop
(``trip_id,role,leader,start_date,end_date,year,country,host_iso3,locale,remarks``) and per visit
(``visit_id,start_date,end_date,year,visitor,from_country,from_iso3,description``). Both are needed:
contacts add them up. Guarded by ``tests/test_formats.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from fairweather.errors import SourceError
from fairweather.formats import cells, trips
from fairweather.formats.door import Table, given, open_table, read_header, refuse_empty

NAME = "visits-oh"
TITLE = "US Office of the Historian, travels and visits as events (CSV)"
SOURCE = "historian"
TABLES = ("trips",)
INDICATORS = (
    "us_leader_contacts",
    "leader_visits_to_us",
    "us_president_trips",
    "us_secstate_trips",
)

TRAVELS, VISITS = "OTH_travels", "OTH_visits"
OFFICES = {"president": "president", "secretary": "secretary_of_state"}
# Guests of states that have no code.
_NO_CODE = ("Hawaii", "Malaya", "Tanganyika")

_DAYS = {
    "start_date": cells.iso_date(),
    "end_date": cells.iso_date(blank=True),
    "year": cells.year(1776),
}
TRAVEL_COLUMNS = {
    "trip_id": cells.text(),
    "role": cells.one_of(OFFICES),
    "leader": cells.text(),
    **_DAYS,
    "country": (),
    "host_iso3": cells.iso3(),
    "locale": None,
    "remarks": None,
}
VISIT_COLUMNS = {
    "visit_id": cells.text(),
    **_DAYS,
    "visitor": cells.text(),
    "from_country": cells.text(),
    "from_iso3": cells.iso3(blank=True),
    "description": None,
}


def read(paths: Sequence[Path]) -> dict[str, pd.DataFrame]:
    """Read travels and visits, told apart by their columns.

    Parameters
    ----------
    paths : sequence of Path
        At least one table of each kind.

    Returns
    -------
    dict of str to DataFrame
        `trips`: `source, traveller_iso3, host_iso3, year, office, n_trips`; counts of distinct
        leader, start date and country, positive ones only.

    Raises
    ------
    SourceError
        If a kind is missing, the layout differs, or an id stands twice.
    """
    opened: dict[str, list[Table]] = {"trip_id": [], "visit_id": []}
    for path in given(paths):
        key = "trip_id" if "trip_id" in read_header(path) else "visit_id"
        table = open_table(path, TRAVEL_COLUMNS if key == "trip_id" else VISIT_COLUMNS)
        table.refuse_duplicates([key], "the event stands twice")
        trips.check_days(table)
        for earlier in opened[key]:
            table.refuse_repeats(earlier, [key], "the event")
        opened[key].append(table)
    for key, tables in opened.items():
        if not tables:
            raise SourceError(
                f"no table of {'travels' if key == 'trip_id' else 'visits'} is given",
                file=paths[0],
                remedy="Give both tables; counts of contacts add them up.",
            )
    travels = pd.concat([t.frame for t in opened["trip_id"]], ignore_index=True)
    visits = pd.concat([_with_codes(t) for t in opened["visit_id"]], ignore_index=True)
    refuse_empty(visits, opened["visit_id"][0].path, "visit from a state with a code")
    out = [
        travels.assign(
            source=TRAVELS, traveller_iso3=trips.US, office=travels["role"].map(OFFICES)
        ),
        visits.rename(columns={"from_iso3": "traveller_iso3", "visitor": "leader"}).assign(
            source=VISITS, host_iso3=trips.US, office="foreign_leader"
        ),
    ]
    table = trips.count(pd.concat(out, ignore_index=True), person="leader")
    first, last = coverage({"trips": table})
    if first > last:
        raise SourceError(
            "travels and visits share no year",
            file=paths[0],
            remedy="Give tables of one period; counts of contacts add them up.",
        )
    return {"trips": table}


def _with_codes(table: Table) -> pd.DataFrame:
    frame = table.frame
    table.refuse_if(
        (frame["from_iso3"] == "") & ~frame["from_country"].isin(_NO_CODE),
        "the visitor's state has no code (from_country = {from_country!r})",
        "Write its ISO3 code.",
    )
    return frame[frame["from_iso3"] != ""]


def coverage(tables: dict[str, pd.DataFrame]) -> tuple[int, int]:
    """Years that both travels and visits reach: outside them a missing row is unknown."""
    years = tables["trips"].groupby("source")["year"]
    return int(years.min().max()), int(years.max().min())
