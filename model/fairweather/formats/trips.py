"""What the files of leaders' travel share: checks of days, and the counting of trips.

Guarded by ``tests/test_formats.py``.
"""

from __future__ import annotations

import pandas as pd

from fairweather.formats.door import Table

US, CHINA = "USA", "CHN"
# Wordings of lists of travel for places the table of states has otherwise.
PLACES = {
    "Soviet Union": "RUS",
    "Germany, East": "DDR",
    "Palestinian Authority": "PSE",
    "West Bank": "PSE",
    "United Kingdom (Northern Ireland)": "GBR",
    "United Kingdom (Wales)": "GBR",
}
KEY = ["source", "traveller_iso3", "host_iso3", "year", "office"]


def check_days(table: Table, start: str = "start_date", end: str = "end_date") -> None:
    """Refuse a trip that ends before it starts, or whose `year` is not that of its start."""
    frame = table.frame
    table.refuse_if(
        (frame[end] != "") & (frame[end] < frame[start]),
        f"the trip ends on {{{end}}}, before it starts on {{{start}}}",
        "Correct one of the two.",
    )
    if "year" in frame:
        table.refuse_if(
            frame["year"] != frame[start].str[:4],
            f"the year {{year}} is not that of {{{start}}}",
            "Correct one of the two.",
        )


def count(events: pd.DataFrame, person: str | None = None) -> pd.DataFrame:
    """Count trips by pair, year and office; rows that share one trip count once.

    Parameters
    ----------
    events : DataFrame
        `source, traveller_iso3, host_iso3, office, start_date` and, if given, `person`.
    person : str, optional
        Column that tells travellers of one office apart.

    Returns
    -------
    DataFrame
        Columns `source, traveller_iso3, host_iso3, year, office, n_trips`, sorted; positive counts
        only.
    """
    one = ["source", "traveller_iso3", "host_iso3", "office", "start_date"]
    single = events.drop_duplicates(one + ([person] if person else []))
    single = single.assign(year=single["start_date"].str[:4].astype("int64"))
    return single.groupby(KEY).size().rename("n_trips").reset_index()
