"""A measure is counted once by each publisher's own unit: case, entry, rule or document.

Cases are bundles, entries are by address or programme, rules by destination: none stands for
another, so each is an indicator of its own. Years a copy covers in part carry their exposure, and
states a list was never mapped to are unknown, not zero.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from fairweather.coding.registry import Sources, one_state, reader, with_zeros
from fairweather.coding.sanctions import ISSUE_DAYS, federal_register_documents
from fairweather.countries import FORMER

US = "USA"
KINDS = ["us_trade", "us_arms", "us_military", "us_financial", "us_travel", "us_other"]
TRADE_PRACTICES = 13  # TIES, first issue
DAYS_OF_YEAR = 365
# Its entries stand under programmes about other states, so its own near-zero says nothing.
NO_PROGRAMME = ("CHN",)
PROGRAMME_YEARS = (2021, 2024)


@reader("gsdb_us_kinds")
def gsdb_us_kinds(src: Sources) -> pd.DataFrame:
    """Kinds of US measure in force, of six, whatever the number of cases."""
    rows = src.read("gsdb_us", ["iso3", "year", *KINDS])
    rows["unit"] = one_state(rows["iso3"])
    rows["value"] = (rows[KINDS] > 0).sum(axis=1)
    return with_zeros(rows, src.states, *src.span(1950, 2022))


@reader("gsdb_us_new")
def gsdb_us_new(src: Sources) -> pd.DataFrame:
    """US sanction cases that begin in the year; a state that is no target of the file has none."""
    rows = src.read("gsdb_us", ["iso3", "year", "us_new"])
    rows["unit"] = one_state(rows["iso3"])
    return with_zeros(rows, src.states, *src.span(1950, 2022), "us_new")


@reader("gsdb_us_economic")
def gsdb_us_economic(src: Sources) -> pd.DataFrame:
    """Log of one plus the US cases in force that touch trade or finance."""
    first, last = src.span(1950, 2022)
    columns = ["sender_iso3", "target_iso3", "case_id", "begin", "end", "trade", "financial"]
    cases = src.read("gsdb_pairs", columns)
    economic = (cases["trade"] > 0) | (cases["financial"] > 0)
    cases = cases[(cases["sender_iso3"] == US) & economic]
    cases["unit"] = one_state(cases["target_iso3"].replace(FORMER))
    cases = cases[cases["unit"].isin(src.states)].drop_duplicates(["case_id", "unit"])
    begin, end = cases["begin"].clip(lower=first), cases["end"].clip(upper=last)
    years = [range(a, b + 1) for a, b in zip(begin, end, strict=True)]
    yearly = cases.assign(year=years, value=1).explode("year").dropna(subset=["year"])
    table = with_zeros(yearly.astype({"year": int}), src.states, first, last)
    return table.assign(value=np.log1p(table["value"]))


def _ties(src: Sources, year: str) -> tuple[pd.DataFrame, tuple[int, int]]:
    """US cases of the copy, dated by one of its years, with the years asked for."""
    columns = ["target_iso3", "start_year", "imposed_year", "threat", "imposition", "issue1_code"]
    cases = src.read("ties_cases", columns)
    cases["unit"] = one_state(cases["target_iso3"])
    # Three impositions carry no year: they count in the year their case begins.
    cases["year"] = cases[year].fillna(cases["start_year"]).astype(int)
    return cases.assign(value=1), src.span(1950, 2005, closed=True)


@reader("ties_us_threats")
def ties_us_threats(src: Sources) -> pd.DataFrame:
    """US threats of sanctions begun in the year, trade-practice cases left out."""
    cases, years = _ties(src, "start_year")
    cases = cases[(cases["threat"] == 1) & (cases["issue1_code"] != TRADE_PRACTICES)]
    return with_zeros(cases, src.states, *years)


@reader("ties_us_new_impositions")
def ties_us_new_impositions(src: Sources) -> pd.DataFrame:
    """US sanctions imposed in the year, trade-practice cases left out."""
    cases, years = _ties(src, "imposed_year")
    cases = cases[(cases["imposition"] == 1) & (cases["issue1_code"] != TRADE_PRACTICES)]
    return with_zeros(cases, src.states, *years)


@reader("ties_us_trade_practice")
def ties_us_trade_practice(src: Sources) -> pd.DataFrame:
    """US trade-practice cases begun in the year, threatened or imposed."""
    cases, years = _ties(src, "start_year")
    return with_zeros(cases[cases["issue1_code"] == TRADE_PRACTICES], src.states, *years)


@reader("ofac_entities")
def ofac_entities(src: Sources) -> pd.DataFrame:
    """Log of one plus the entities listed in December, by address.

    To 2024 only: later the collector missed removals, so levels are too high.
    """
    rows = src.read("ofac_months", ["iso3", "month", "active_entities"])
    rows = rows.rename(columns={"iso3": "unit"})
    rows = rows[rows["unit"].isin(src.states) & rows["month"].str.endswith("-12")]
    rows["year"] = rows["month"].str[:4].astype(int)
    # The list covers the world: a state without a row had nobody on it.
    years = src.span(2022, 2024, closed=True)
    table = with_zeros(rows, src.states, *years, "active_entities")
    table = table[table["year"].isin(rows["year"])]
    return table.assign(value=np.log1p(table["value"]))


@reader("ofac_sdn_new")
def ofac_sdn_new(src: Sources) -> pd.DataFrame:
    """Entries added under programmes about the state; exposure between years' last snapshots.

    The first month is the starting stock.
    """
    columns = ["month", "snapshot_date", "target_iso3", "new_entries_in_month"]
    rows = src.read("ofac_programs", columns)
    rows["year"] = rows["month"].str[:4].astype(int)
    years = src.span(*PROGRAMME_YEARS, closed=True)
    taken = pd.to_datetime(rows["snapshot_date"])
    last = taken.groupby(rows["year"]).max()
    since = last.shift().fillna(taken.min())
    exposure = (last - since).dt.days / DAYS_OF_YEAR
    mapped = rows.dropna(subset=["target_iso3"]).rename(columns={"target_iso3": "unit"})
    units = set(mapped["unit"]) & set(src.states) - set(NO_PROGRAMME)
    table = with_zeros(mapped, units, *years, "new_entries_in_month")
    return table.assign(n=table["year"].map(exposure))


@reader("entity_list_rules")
def entity_list_rules(src: Sources) -> pd.DataFrame:
    """Rules of the year that add entries at the destination; exposure in years of issues read."""
    first, last = src.span(2020, 2024)
    rules = src.read("entity_list", ["fr_date", "fr_document", "destination_iso3"])
    rules = rules.rename(columns={"destination_iso3": "unit"})
    rules["year"] = rules["fr_date"].str[:4].astype(int)
    rules = rules.drop_duplicates(["fr_document", "unit"]).assign(value=1)
    months = src.read("fr_coverage", ["month", "issue_days_present"])
    days = months["issue_days_present"].groupby(months["month"].str[:4].astype(int)).sum()
    table = with_zeros(rules, src.states, first, last)
    table["n"] = table["year"].map(days / ISSUE_DAYS)
    return table[table["n"] > 0]  # a year without issues read is unknown


@reader("fr_trade_remedy_docs")
def fr_trade_remedy_docs(src: Sources) -> pd.DataFrame:
    """Trade-remedy documents whose title names the state."""
    return federal_register_documents(src, "trade_remedy_docs")


@reader("fr_trade_remedy_initiations")
def fr_trade_remedy_initiations(src: Sources) -> pd.DataFrame:
    """Trade-remedy proceedings opened whose title names the state."""
    return federal_register_documents(src, "trade_remedy_initiations")


@reader("us_tariff_china")
def us_tariff_china(src: Sources) -> pd.DataFrame:
    """Log of the average US tariff on China in percent, the last point given in each year."""
    facts = src.read("us_facts", ["date", "indicator", "target_iso3", "value"])
    facts = facts[facts["indicator"] == "avg_us_tariff_on_china"]
    facts = facts.rename(columns={"target_iso3": "unit"})
    facts["year"] = facts["date"].str[:4].astype(int)
    facts = facts[facts["unit"].isin(src.states) & facts["year"].between(*src.span(2017, 2020))]
    last = facts.sort_values("date").groupby(["unit", "year"])["value"].last().reset_index()
    return last.assign(value=np.log(last["value"]))
