"""A contact counts once, and only where its list could have shown it.

China Vitae writes a row for every day of a trip: consecutive days of one leader with one partner
are one contact. The China-Russia list of meetings names main summits only before 2004, so the years
before are another indicator. Trips by country (COLT) come from three or more hubs: a pair of hubs
is listed twice and counted once, and a pair-year without a row is unknown. Sources overlap and are
never added. Guarded by ``tests/test_indicators_alignment.py``.
"""

from __future__ import annotations

import pandas as pd

from fairweather.coding.registry import (
    OutOfSpan,
    Sources,
    both_members,
    pair,
    reader,
    smoothed_logit,
    with_zeros,
)
from fairweather.names import FOCAL

HUB = "CHN"
# China Vitae joins the list of meetings in 2003; from 2004 small meetings are in it too.
SUMMIT_YEARS, MEETING_YEARS = (1992, 2003), (2004, 2024)
MIN_MATERIAL = 10


def meetings(src: Sources) -> pd.DataFrame:
    """Meetings in person of the two heads of state that were read of as held.

    Meetings only announced, rows where both merely attended the same summit, and video meetings
    are left out.
    """
    columns = ["date", "mode", "status", "year", "multilateral_only"]
    rows = src.read("head_of_state_meetings", columns)
    return rows[
        rows["status"].isin(["verified", "year only"])
        & (rows["multilateral_only"] == 0)
        & (rows["mode"] != "video")
    ].assign(value=1, unit=FOCAL)


@reader("leader_meetings_chn_rus")
def leader_meetings_chn_rus(src: Sources) -> pd.DataFrame:
    """Meetings in person of the heads of state of China and Russia, complete list from 2004."""
    return with_zeros(meetings(src), [FOCAL], *src.span(*MEETING_YEARS))


@reader("leader_summits_chn_rus")
def leader_summits_chn_rus(src: Sources) -> pd.DataFrame:
    """Count main summits of 1992-2003; a year without one in the list is unknown."""
    rows = meetings(src)
    rows = rows[rows["year"].between(*src.span(*SUMMIT_YEARS, closed=True))]
    return rows.groupby(["unit", "year"])["value"].sum().reset_index()


def joined_days(rows: pd.DataFrame, key: list[str]) -> pd.DataFrame:
    """Keep the first day of every run of consecutive days.

    Parameters
    ----------
    rows : DataFrame
        Columns `date` (datetime64) and those of `key`.
    key : list of str
        Columns that name who met whom.

    Returns
    -------
    DataFrame
        One row a run.

    Examples
    --------
    >>> days = pd.to_datetime(["2013-03-22", "2013-03-23", "2013-03-27"])
    >>> len(joined_days(pd.DataFrame({"date": days, "who": "A"}), ["who"]))
    2
    """
    rows = rows.sort_values([*key, "date"], kind="stable")
    gap = rows.groupby(key)["date"].diff()
    return rows[gap.isna() | (gap > pd.Timedelta(days=1))]


@reader("china_engagements_cv")
def china_engagements_cv(src: Sources) -> pd.DataFrame:
    """Contacts of China's president, premier and foreign minister with the partner, no messages."""
    if HUB not in src.states:
        raise OutOfSpan
    columns = ["date", "leader", "partner_iso3", "mode", "possible_duplicate"]
    rows = src.read("china_engagements", columns)
    rows["date"] = pd.to_datetime(rows["date"], format="%Y-%m-%d")
    begins, ends = rows["date"].min(), rows["date"].max()
    rows = rows[(rows["possible_duplicate"] == 0) & (rows["mode"] != "message_or_other")]
    rows = rows[rows["partner_iso3"].isin(src.states) & (rows["partner_iso3"] != HUB)]
    rows["by_phone"] = rows["mode"] == "phone"
    rows = joined_days(rows, ["leader", "partner_iso3", "by_phone"])
    rows = rows.assign(year=rows["date"].dt.year, value=1)
    rows["unit"] = pair(pd.Series(HUB, index=rows.index), rows["partner_iso3"])
    table = with_zeros(rows, src.dyads_with(HUB), *src.span(2003, 2018, closed=True))
    # The list opens with the new government of March 2003 and stops in December 2018.
    days = {year: pd.Timestamp(year, 12, 31).day_of_year for year in table["year"].unique()}
    shares = {year: 1.0 for year in days}
    shares[begins.year] = (days[begins.year] - begins.day_of_year + 1) / days[begins.year]
    shares[ends.year] = ends.day_of_year / days[ends.year]
    return table.assign(n=table["year"].map(shares).round(3))


@reader("china_visits_aiddata")
def china_visits_aiddata(src: Sources) -> pd.DataFrame:
    """Government visits between China and partners in its region; a blank is unknown."""
    rows = src.read("china_elite_visits", ["partner_iso3", "year", "government_visits"])
    rows = rows.rename(columns={"government_visits": "value"}).dropna(subset=["value"])
    rows = rows[
        rows["partner_iso3"].isin(src.states)
        & rows["year"].between(*src.span(2000, 2018, closed=True))
    ]
    rows["unit"] = pair(pd.Series(HUB, index=rows.index), rows["partner_iso3"])
    return rows


@reader("leader_trips_colt")
def leader_trips_colt(src: Sources) -> pd.DataFrame:
    """Trips of primary leaders between a hub and its partner, either direction."""
    rows = src.read("trips_colt", ["hub_iso3", "partner_iso3", "year", "n_trips_either_direction"])
    rows = both_members(rows, "hub_iso3", "partner_iso3", src.states)
    rows = rows[rows["year"].between(*src.span(2018, 2024))]
    rows["unit"] = pair(rows["hub_iso3"], rows["partner_iso3"])
    # Two hubs list the same trips, once each.
    trips = rows.groupby(["unit", "year"])["n_trips_either_direction"].max()
    return trips.rename("value").reset_index()


@reader("icews_material_coop")
def icews_material_coop(src: Sources) -> pd.DataFrame:
    """Log-odds that a material event between two members is cooperative, both directions."""
    sums = ["material_coop", "material_conf"]
    rows = src.read("icews", ["source_iso3", "target_iso3", "year", *sums])
    rows = rows[rows["year"].between(*src.span(2002, 2014))]
    rows = both_members(rows, "source_iso3", "target_iso3", src.states)
    rows["unit"] = pair(rows["source_iso3"], rows["target_iso3"])
    table = rows.groupby(["unit", "year"])[sums].sum().reset_index()
    table["n"] = table["material_coop"] + table["material_conf"]
    table = table[table["n"] >= MIN_MATERIAL]
    return table.assign(value=smoothed_logit(table["material_coop"], table["n"]))
