"""Media events are read as shares within a pair's own events, never as volumes.

Volume follows news coverage. ICEWS (2002-2014) and GDELT (2018-2023) score differently and are
separate indicators; nothing here splices them.
"""

from __future__ import annotations

import pandas as pd

from fairweather.coding.registry import Sources, both_members, pair, reader, smoothed_logit

US = "USA"
ICEWS_YEARS = (2002, 2014)
GDELT_YEARS = (2018, 2023)  # 2024 holds two months only
MIN_VERBAL = 10
MIN_US_EVENTS = 20
MIN_ACTIVE_DAYS = 60


def _icews(src: Sources, columns: list[str]) -> pd.DataFrame:
    events = src.read("icews", ["source_iso3", "target_iso3", "year", *columns])
    return events[events["year"].between(*src.span(*ICEWS_YEARS))]


@reader("icews_verbal_coop")
def icews_verbal_coop(src: Sources) -> pd.DataFrame:
    """Log-odds that a verbal event between two members is cooperative, both directions."""
    events = _icews(src, ["verbal_coop", "verbal_conf"])
    events = both_members(events, "source_iso3", "target_iso3", src.states)
    events["unit"] = pair(events["source_iso3"], events["target_iso3"])
    table = events.groupby(["unit", "year"])[["verbal_coop", "verbal_conf"]].sum().reset_index()
    table["n"] = table["verbal_coop"] + table["verbal_conf"]
    table = table[table["n"] >= MIN_VERBAL]
    return table.assign(value=smoothed_logit(table["verbal_coop"], table["n"]))


def _from_us(src: Sources, columns: list[str]) -> pd.DataFrame:
    events = _icews(src, columns)
    events = events[(events["source_iso3"] == US) & events["target_iso3"].isin(src.states)]
    return events.rename(columns={"target_iso3": "unit"})


@reader("icews_us_material_conf")
def icews_us_material_conf(src: Sources) -> pd.DataFrame:
    """Log-odds that a US event toward the state is material conflict."""
    table = _from_us(src, ["material_conf", "n_events"])
    table = table[table["n_events"] >= MIN_US_EVENTS]
    table["value"] = smoothed_logit(table["material_conf"], table["n_events"])
    return table.rename(columns={"n_events": "n"})


@reader("icews_us_material_coop")
def icews_us_material_coop(src: Sources) -> pd.DataFrame:
    """Log-odds that a US event toward the state is material cooperation."""
    table = _from_us(src, ["material_coop", "n_events"])
    table = table[table["n_events"] >= MIN_US_EVENTS]
    table["value"] = smoothed_logit(table["material_coop"], table["n_events"])
    return table.rename(columns={"n_events": "n"})


@reader("icews_us_verbal_conf")
def icews_us_verbal_conf(src: Sources) -> pd.DataFrame:
    """Log-odds that a US verbal event toward the state is conflictual."""
    table = _from_us(src, ["verbal_coop", "verbal_conf"])
    table["n"] = table["verbal_coop"] + table["verbal_conf"]
    table = table[table["n"] >= MIN_VERBAL]
    return table.assign(value=smoothed_logit(table["verbal_conf"], table["n"]))


def _gdelt(src: Sources) -> pd.DataFrame:
    """Yearly share of positive in absolute daily net score, months weighted by calendar days."""
    columns = ["month", "a_iso3", "b_iso3", "pos_day_sum", "neg_day_sum"]
    days = src.read("gdelt", [*columns, "n_days_active", "n_days_in_file"])
    days["year"] = days["month"].str[:4].astype(int)
    days = days[days["year"].between(*src.span(*GDELT_YEARS))]
    # A month with missing days stands for the whole month, not for the days that survived.
    in_month = pd.to_datetime(days["month"] + "-01").dt.days_in_month
    scale = in_month / days["n_days_in_file"]
    days["positive"] = days["pos_day_sum"] * scale
    days["negative"] = days["neg_day_sum"].abs() * scale
    days["unit"] = pair(days["a_iso3"], days["b_iso3"])
    sums = ["positive", "negative", "n_days_active"]
    table = days.groupby(["unit", "year"])[sums].sum().reset_index()
    table = table.rename(columns={"n_days_active": "n"})
    table = table[(table["n"] >= MIN_ACTIVE_DAYS) & (table["positive"] + table["negative"] > 0)]
    share = table["positive"] / (table["positive"] + table["negative"])
    return table.assign(value=smoothed_logit(share * table["n"], table["n"]))


@reader("gdelt_balance")
def gdelt_balance(src: Sources) -> pd.DataFrame:
    """Balance of good and bad days between two members."""
    table = _gdelt(src)
    return table[table["unit"].isin(src.dyads)]


@reader("gdelt_us_balance")
def gdelt_us_balance(src: Sources) -> pd.DataFrame:
    """Balance of good and bad days between the US and the state."""
    table = _gdelt(src)
    a, b = table["unit"].str[:3], table["unit"].str[4:]
    partner = b.where(a == US, a)
    mine = ((a == US) | (b == US)) & partner.isin(src.states)
    return table.assign(unit=partner)[mine]
