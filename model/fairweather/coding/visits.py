"""A missing visit row is a zero only for pairs with the hub of its source, in its covered years.

Sources overlap and are never added up; each is its own indicator. Duplicate rows of one trip are
joined in the file of directed dyad-years, which is the only visit file used.
"""

from __future__ import annotations

import pandas as pd

from fairweather.coding.registry import FIRST_YEAR, LAST_YEAR, Sources, pair, reader, with_zeros

HUB, US = "CHN", "USA"
_TRIPS = "diplomacy/leader_trips_directed_dyad_year.csv.gz"


def _trips(src: Sources, *sources: str) -> pd.DataFrame:
    trips = src.read(_TRIPS, ["source", "traveller_iso3", "host_iso3", "year", "office", "n_trips"])
    return trips[trips["source"].isin(sources)].rename(columns={"n_trips": "value"})


def _hub(src: Sources, trips: pd.DataFrame, hub_column: str, first: int, last: int) -> pd.DataFrame:
    trips = trips[trips[hub_column] == HUB].copy()
    trips["unit"] = pair(trips["traveller_iso3"], trips["host_iso3"])
    return with_zeros(trips, src.dyads_with(HUB), first, last)


@reader("china_trips_ceias")
def china_trips_ceias(src: Sources) -> pd.DataFrame:
    """Trips of China's president, premier and party leader to the partner."""
    return _hub(src, _trips(src, "CEIAS"), "traveller_iso3", FIRST_YEAR, 2012)


@reader("china_trips_vg2")
def china_trips_vg2(src: Sources) -> pd.DataFrame:
    """Xi Jinping's trips to the partner; two summits in one trip count once."""
    return _hub(src, _trips(src, "VG2_outbound"), "traveller_iso3", 2013, LAST_YEAR)


@reader("visits_to_china_vg2")
def visits_to_china_vg2(src: Sources) -> pd.DataFrame:
    """Visits of the partner's head of state or government to China; 2013 starts in April: left out.

    Rows flagged as false visits by hand are already out of the dyad-year file.
    """
    return _hub(src, _trips(src, "VG2_inbound_cn"), "host_iso3", 2014, LAST_YEAR)


@reader("us_leader_contacts")
def us_leader_contacts(src: Sources) -> pd.DataFrame:
    """Visits to the US and trips of the president and the secretary of state to the state."""
    trips = _trips(src, "OTH_travels", "OTH_visits")
    guest = trips["traveller_iso3"] != US
    trips["unit"] = trips["traveller_iso3"].where(guest, trips["host_iso3"])
    return with_zeros(trips, src.states, FIRST_YEAR, LAST_YEAR)
