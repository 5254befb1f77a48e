"""What Washington says and whom it meets; never what the other state thinks of it.

Each channel of contact is its own count. They add up to `us_leader_contacts`, which stays.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from fairweather.coding.registry import OutOfSpan, Sources, one_state, reader, with_zeros

US = "USA"
HISTORIAN = ("OTH_travels", "OTH_visits")
VISITOR, PRESIDENT, SECRETARY = "foreign_leader", "president", "secretary_of_state"
HAVE_MEETINGS = ("CHN", "RUS")
POLLSTER, QUESTION = "Gallup", "very or mostly favorable"
# Stays abroad on which, by the source's own remarks, the president met one of their leaders, and
# which the prepared list of meetings lacks.
ALSO_MET = (
    ("RUS", "1974-04-05"),
    ("RUS", "1996-06-27"),
    ("CHN", "2006-07-14"),
    ("CHN", "2008-07-06"),
)
# The source files visits with South Vietnam under Vietnam.
OTHER_STATE_BEFORE = {"VNM": 1976}


def _contacts(src: Sources, *offices: str) -> pd.DataFrame:
    """Trips from or to the US by the office that travelled, by the other state."""
    trips = src.read(
        "trips", ["source", "traveller_iso3", "host_iso3", "year", "office", "n_trips"]
    )
    trips = trips[trips["source"].isin(HISTORIAN) & trips["office"].isin(offices)]
    guest = trips["traveller_iso3"] != US
    trips["unit"] = one_state(trips["traveller_iso3"].where(guest, trips["host_iso3"]))
    trips = trips[trips["year"] >= trips["unit"].map(OTHER_STATE_BEFORE).fillna(0)]
    return with_zeros(trips, src.states, *src.span(1950, 2024), "n_trips")


@reader("us_leader_contacts")
def us_leader_contacts(src: Sources) -> pd.DataFrame:
    """Visits to the US and trips of the president and the secretary of state to the state."""
    return _contacts(src, VISITOR, PRESIDENT, SECRETARY)


@reader("leader_visits_to_us")
def leader_visits_to_us(src: Sources) -> pd.DataFrame:
    """Visits of the state's leaders to the US."""
    return _contacts(src, VISITOR)


@reader("us_president_trips")
def us_president_trips(src: Sources) -> pd.DataFrame:
    """Trips of US presidents to the state."""
    return _contacts(src, PRESIDENT)


@reader("us_secstate_trips")
def us_secstate_trips(src: Sources) -> pd.DataFrame:
    """Trips of US secretaries of state to the state."""
    return _contacts(src, SECRETARY)


@reader("us_leader_meetings")
def us_leader_meetings(src: Sources) -> pd.DataFrame:
    """Occasions on which the president met Chinese or Soviet and Russian leaders, anywhere."""
    states = [s for s in HAVE_MEETINGS if s in src.states]
    if not states:
        raise OutOfSpan
    rows = src.read("us_meetings", ["partner_iso3", "start_date"])
    rows = pd.concat([rows, pd.DataFrame(ALSO_MET, columns=rows.columns)])
    # One stay with two rows of the same day is one occasion.
    rows = rows.drop_duplicates().rename(columns={"partner_iso3": "unit"})
    rows["year"] = rows["start_date"].str[:4].astype(int)
    return with_zeros(rows.assign(value=1), states, *src.span(1950, 2024))


@reader("us_public_view")
def us_public_view(src: Sources) -> pd.DataFrame:
    """Log-odds that an American views the state favourably, mean of the year's readings."""
    columns = ["pollster", "population_iso3", "about_iso3", "date", "pct_favorable"]
    polls = src.read("us_opinion", [*columns, "question_note"])
    same = (polls["pollster"] == POLLSTER) & (polls["question_note"] == QUESTION)
    polls = polls[same & (polls["population_iso3"] == US) & polls["pct_favorable"].notna()]
    polls = polls.rename(columns={"about_iso3": "unit"})
    polls["year"] = polls["date"].astype(str).str[:4].astype(int)
    years = src.span(1979, 2023)
    polls = polls[polls["unit"].isin(src.states) & polls["year"].between(*years)]
    mean = polls.groupby(["unit", "year"])["pct_favorable"].mean().reset_index()
    share = mean["pct_favorable"] / 100
    return mean.assign(value=np.log(share / (1 - share)))
