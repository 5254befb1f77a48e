"""Pressure indicators hold what the US did to the state, never what the state did.

A case is a bundle, a listing is by address, a document is a title: each is kept as its own count.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from fairweather.coding.registry import FIRST_YEAR, LAST_YEAR, Sources, reader, with_zeros

ISSUE_DAYS = 250  # a full year of the Federal Register
MIN_COMPLETE_MONTHS = 3
_FR = "us_pressure/federal_register_us_actions_country_month_2020_2024.csv.gz"


def _log1p_count(src: Sources, name: str, column: str, last: int) -> pd.DataFrame:
    rows = src.read(name, ["iso3", "year", column]).rename(columns={"iso3": "unit"})
    rows = rows[rows["unit"].isin(src.states) & rows["year"].between(FIRST_YEAR, last)]
    return rows.assign(value=np.log1p(rows[column]))


@reader("gsdb_us_cases")
def gsdb_us_cases(src: Sources) -> pd.DataFrame:
    """Log of one plus the US sanction cases in force."""
    name = "us_pressure/gsdb_v3_us_target_year_1950_2022.csv.gz"
    return _log1p_count(src, name, "us_active", 2022)


@reader("ties_us_impositions")
def ties_us_impositions(src: Sources) -> pd.DataFrame:
    """Log of one plus the US impositions in force, trade-practice cases left out."""
    name = "us_pressure/ties_v4_us_target_year_1945_2005.csv.gz"
    return _log1p_count(src, name, "ties_us_active_impositions_nontrade", 2005)


@reader("ofac_additions")
def ofac_additions(src: Sources) -> pd.DataFrame:
    """Log of one plus the additions a month to the US list of blocked entities, by address."""
    rows = src.read(
        "us_pressure/ofac_active_entities_country_month_2022_2024.csv.gz",
        ["iso3", "month", "additions"],
    ).rename(columns={"iso3": "unit"})
    # April 2022 is the starting stock of the collector and holds no additions.
    rows = rows[rows["unit"].isin(src.states) & (rows["month"] > "2022-04")]
    rows["year"] = rows["month"].str[:4].astype(int)
    rows = rows[rows["year"] <= LAST_YEAR]
    monthly = rows.groupby(["unit", "year"])["additions"].mean().reset_index()
    return monthly.assign(value=np.log1p(monthly["additions"]))


@reader("fr_sanction_docs")
def fr_sanction_docs(src: Sources) -> pd.DataFrame:
    """Sanction and control documents whose title names the state; exposure in years of issues."""
    columns = ["iso3", "month", "sanction_or_control_docs", "complete", "issue_days_present"]
    rows = src.read(_FR, columns).rename(
        columns={"iso3": "unit", "sanction_or_control_docs": "value"}
    )
    rows = rows[rows["unit"].isin(src.states) & rows["complete"].astype(bool)]
    rows["year"] = rows["month"].str[:4].astype(int)
    rows = rows[rows["year"] <= LAST_YEAR]
    table = (
        rows.groupby(["unit", "year"])
        .agg(
            value=("value", "sum"), days=("issue_days_present", "sum"), months=("month", "nunique")
        )
        .reset_index()
    )
    table = table[table["months"] >= MIN_COMPLETE_MONTHS]
    return table.assign(n=table["days"] / ISSUE_DAYS)


@reader("us_aid")
def us_aid(src: Sources) -> pd.DataFrame:
    """Log of one plus US aid obligations in million constant dollars; returns count as none."""
    rows = src.read(
        "us_pressure/us_foreign_aid_country_year.csv.gz",
        ["iso3", "transaction_type", "fiscal_year", "constant_usd"],
    ).rename(columns={"iso3": "unit"})
    # "1976tq" is a transition quarter, not a year.
    rows["year"] = pd.to_numeric(rows["fiscal_year"], errors="coerce")
    rows = rows[(rows["transaction_type"] == "Obligations") & rows["year"].notna()]
    rows["year"] = rows["year"].astype(int)
    table = with_zeros(rows, src.states, FIRST_YEAR, LAST_YEAR, "constant_usd")
    return table.assign(value=np.log1p(table["value"].clip(lower=0) / 1e6))
