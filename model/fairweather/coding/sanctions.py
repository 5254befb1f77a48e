"""Pressure indicators hold what the US did to the state, never what the state did.

A case is a bundle, a listing is by address, a document is a title: each is kept as its own count.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from fairweather.coding.registry import Sources, one_state, reader, with_zeros
from fairweather.errors import SourceError

ISSUE_DAYS = 250  # a full year of the Federal Register
MIN_COMPLETE_MONTHS = 3
# Aid accounts of states that ended, by code and, where the source has none, by name.
AID_CODES = {"SDF": "SDN", "YUF": "YUG"}
AID_NAMES = {
    "Czechoslovakia (former)": "CSK",
    "Germany (former East)": "DDR",
    "Soviet Union (former)": "RUS",
    "Vietnam (former South)": "VDR",
    "Yemen (former P.D.R.)": "YMD",
}
AID_OTHER = {"Berlin, West"}
SUDAN_PARTED = 2011


def _log1p_count(src: Sources, name: str, column: str, years: tuple[int, int]) -> pd.DataFrame:
    """Log of one plus a count; a state the list never names was never a target, a true zero."""
    rows = src.read(name, ["iso3", "year", column]).rename(columns={"iso3": "unit"})
    rows["unit"] = one_state(rows["unit"])
    rows = with_zeros(rows[rows["unit"].isin(src.states)], src.states, *years, column)
    return rows.assign(value=np.log1p(rows["value"]))


@reader("gsdb_us_cases")
def gsdb_us_cases(src: Sources) -> pd.DataFrame:
    """Log of one plus the US sanction cases in force."""
    return _log1p_count(src, "gsdb_us", "us_active", src.span(1950, 2022))


@reader("ties_us_impositions")
def ties_us_impositions(src: Sources) -> pd.DataFrame:
    """Log of one plus the US impositions in force, trade-practice cases left out."""
    column = "ties_us_active_impositions_nontrade"
    return _log1p_count(src, "ties_us", column, src.span(1950, 2005, closed=True))


@reader("ofac_additions")
def ofac_additions(src: Sources) -> pd.DataFrame:
    """Log of one plus the additions a month to the US list of blocked entities, by address."""
    rows = src.read(
        "ofac_months",
        ["iso3", "month", "additions"],
    ).rename(columns={"iso3": "unit"})
    # The first month (April 2022) is the starting stock of the collector and holds no additions.
    rows = rows[rows["unit"].isin(src.states) & (rows["month"] > rows["month"].min())]
    rows["year"] = rows["month"].str[:4].astype(int)
    rows = rows[rows["year"].between(*src.span(2022, 2024))]
    monthly = rows.groupby(["unit", "year"])["additions"].mean()
    # The list covers the world: a state without a row had nobody added.
    every = pd.MultiIndex.from_product(
        [src.states, sorted(rows["year"].unique())], names=["unit", "year"]
    )
    monthly = monthly.reindex(every, fill_value=0.0).reset_index()
    return monthly.assign(value=np.log1p(monthly["additions"]))


def federal_register_documents(src: Sources, column: str) -> pd.DataFrame:
    """Count documents of one kind in complete months, with exposure in years of issues.

    Parameters
    ----------
    src : Sources
    column : str
        Column of the table of months.

    Returns
    -------
    DataFrame
        `unit, year, value, n`; only years with enough complete months.
    """
    columns = ["iso3", "month", column, "complete", "issue_days_present"]
    rows = src.read("fr_months", columns).rename(columns={"iso3": "unit", column: "value"})
    rows = rows[rows["unit"].isin(src.states) & rows["complete"].astype(bool)]
    rows["year"] = rows["month"].str[:4].astype(int)
    rows = rows[rows["year"].between(*src.span(2020, 2024))]
    table = (
        rows.groupby(["unit", "year"])
        .agg(
            value=("value", "sum"), days=("issue_days_present", "sum"), months=("month", "nunique")
        )
        .reset_index()
    )
    table = table[table["months"] >= MIN_COMPLETE_MONTHS]
    return table.assign(n=table["days"] / ISSUE_DAYS)


@reader("fr_sanction_docs")
def fr_sanction_docs(src: Sources) -> pd.DataFrame:
    """Sanction and control documents whose title names the state; exposure in years of issues."""
    return federal_register_documents(src, "sanction_or_control_docs")


def _aid_accounts(rows: pd.DataFrame) -> pd.Series:
    """Say whose each account is: some stand under the name or code of a state that ended.

    Raises
    ------
    SourceError
        If an account without a code has a name that is not known here.
    """
    named = rows["country"].map(AID_NAMES).astype(object)
    unit = rows["iso3"].astype(object).where(rows["iso3"].notna(), named)
    unit = one_state(unit.map(lambda code: AID_CODES.get(code, code)))
    nameless = rows[unit.isna() & ~rows["country"].isin(AID_OTHER)]
    if not nameless.empty:
        raise SourceError(
            f"the account {nameless['country'].iloc[0]!r} has no code",
            file="us_foreign_aid_country_year.csv.gz",
            remedy="Say whose it is in AID_NAMES of coding/sanctions.py.",
        )
    # After the partition the old account holds what went to either side.
    return unit.mask((rows["iso3"] == "SDF") & (rows["year"] > SUDAN_PARTED))


@reader("us_aid")
def us_aid(src: Sources) -> pd.DataFrame:
    """Log of one plus US aid obligations in million constant dollars; returns count as none."""
    columns = ["iso3", "country", "transaction_type", "fiscal_year", "constant_usd"]
    rows = src.read("us_aid", columns)
    # "1976tq" is a transition quarter, not a year.
    rows["year"] = pd.to_numeric(rows["fiscal_year"], errors="coerce")
    rows = rows[(rows["transaction_type"] == "Obligations") & rows["year"].notna()]
    rows["year"] = rows["year"].astype(int)
    rows["unit"] = _aid_accounts(rows)
    table = with_zeros(rows, src.states, *src.span(1950, 2024), "constant_usd")
    return table.assign(value=np.log1p(table["value"].clip(lower=0) / 1e6))
