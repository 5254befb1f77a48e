"""A missing visit row is a zero only for pairs with the hub of its source, in its covered years.

Sources overlap and are never added up; each is its own indicator. Rows of one trip are joined: in
the prepared file of directed dyad-years, and here for visits to China, where that file takes two
spellings of a leader's name for two leaders.
"""

from __future__ import annotations

import pandas as pd

from fairweather.coding.registry import OutOfSpan, Sources, one_state, pair, reader, with_zeros

HUB = "CHN"


def _trips(src: Sources, *sources: str) -> pd.DataFrame:
    trips = src.read("trips", ["source", "traveller_iso3", "host_iso3", "year", "n_trips"])
    for side in ("traveller_iso3", "host_iso3"):
        trips[side] = one_state(trips[side])
    return trips[trips["source"].isin(sources)].rename(columns={"n_trips": "value"})


def _hub(
    src: Sources, trips: pd.DataFrame, hub_column: str, years: tuple[int, int]
) -> pd.DataFrame:
    if HUB not in src.states:
        raise OutOfSpan
    trips = trips[trips[hub_column] == HUB].copy()
    trips["unit"] = pair(trips["traveller_iso3"], trips["host_iso3"])
    return with_zeros(trips, src.dyads_with(HUB), *years)


@reader("china_trips_ceias")
def china_trips_ceias(src: Sources) -> pd.DataFrame:
    """Trips of China's president, premier and party leader to the partner."""
    return _hub(src, _trips(src, "CEIAS"), "traveller_iso3", src.span(1950, 2012, closed=True))


@reader("china_trips_vg2")
def china_trips_vg2(src: Sources) -> pd.DataFrame:
    """Xi Jinping's trips to the partner; two summits in one trip count once."""
    return _hub(src, _trips(src, "VG2_outbound"), "traveller_iso3", src.span(2013, 2024))


@reader("visits_to_china_vg2")
def visits_to_china_vg2(src: Sources) -> pd.DataFrame:
    """Visits of the partner's head of state or government to China; 2013 starts in April: left out.

    Rows flagged by hand as false visits are out.
    """
    if src.released:
        visits = _trips(src, "VG2_inbound_cn")
    else:
        visits = src.read("visits_to_china", ["from_iso3", "start_date", "hand_flag"])
        visits = visits[~visits["hand_flag"].fillna("").str.startswith("exclude")]
        # One state's leader on one day is one visit, however many readouts and spellings.
        visits = visits.drop_duplicates(["from_iso3", "start_date"])
        visits = visits.rename(columns={"from_iso3": "traveller_iso3"})
        visits["year"] = visits["start_date"].str[:4].astype(int)
        visits = visits.assign(host_iso3=HUB, value=1)
    return _hub(src, visits, "host_iso3", src.span(2014, 2024))
