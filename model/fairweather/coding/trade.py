"""Trade is measured against what the two economies' sizes would lead one to expect.

Intensity = log(real flow) - log GDP_a - log GDP_b + log world GDP. Flows come in current dollars
and are put into 2015 dollars with the US GDP deflator; without that, and without world GDP, the
measure would drift with inflation and growth alone. Levels differ between GDP series, so a unit
keeps one series throughout, and only its movement over time is used.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from fairweather.coding.registry import (
    FIRST_YEAR,
    OutOfSpan,
    Sources,
    both_members,
    pair,
    reader,
    with_zeros,
)
from fairweather.names import FOCAL

HUB, US = "CHN", "USA"
POOLS = ("CMIM", "ASEAN", "EUREP", "BRICS_CRA", "SAARC", "FIMA", "NAFA", "Miyazawa")
MIN_PARTNERS = 3
STAGES = 4
MIN_FLOW = 1.0  # million dollars; below that COW's rounding is the number


def deflator(src: Sources) -> pd.Series:
    """US GDP deflator, 2015 = 1, by year; a missing year is filled in log-linearly."""
    gdp = src.read("gdp", ["iso3", "year", "variable", "value", "source"])
    gdp = gdp[(gdp["iso3"] == US) & (gdp["year"] >= FIRST_YEAR - 4)]
    # Where copies overlap, those taken from the World Bank itself ("WDI_2...") come first.
    nominal = gdp[gdp["variable"] == "gdp_current_usd"].sort_values(["year", "source"])
    nominal = nominal.drop_duplicates("year").set_index("year")["value"]
    real = gdp[gdp["variable"] == "gdp_constant2015_usd"].set_index("year")["value"]
    logs = np.log(nominal / real).reindex(range(FIRST_YEAR, real.index.max() + 1)).interpolate()
    return np.exp(logs - logs.loc[2015])


def log_gdp(src: Sources, first: int, last: int) -> pd.DataFrame:
    """Log GDP by state and year, one series per state.

    World Bank constant dollars; a state it covers in fewer years of the span than Fariss et al.
    (2022) takes that series instead, throughout.
    """
    gdp = src.read("gdp", ["iso3", "year", "variable", "value"])
    gdp = gdp[gdp["iso3"].isin(src.states) & gdp["year"].between(first, last)]
    kept = {}
    for state, rows in gdp.groupby("iso3"):
        bank, fariss = (
            rows[rows["variable"] == v].set_index("year")["value"]
            for v in ("gdp_constant2015_usd", "pwtrgdp")
        )
        # Fariss et al. count in millions of international dollars.
        kept[state] = np.log(bank if len(bank) >= len(fariss) else fariss * 1e6)
    return pd.DataFrame(kept)


def log_world_gdp(src: Sources) -> pd.Series:
    """Log constant-dollar GDP of the states covered in every year, by year."""
    gdp = src.read("gdp", ["iso3", "year", "variable", "value"])
    gdp = gdp[gdp["variable"] == "gdp_constant2015_usd"]
    wide = gdp.pivot(index="year", columns="iso3", values="value").loc[FIRST_YEAR:]
    return np.log(wide.dropna(axis=1).sum(axis=1))


def intensity(src: Sources, flows: pd.DataFrame, first: int, last: int) -> pd.DataFrame:
    """Turn dollars into intensity.

    Parameters
    ----------
    src : Sources
    flows : DataFrame
        `unit` (dyad), `year`, `flow` (million current dollars, positive).
    first, last : int
        Years of the indicator.

    Returns
    -------
    DataFrame
        `unit, year, value`; rows without both GDPs dropped.
    """
    flows = flows[flows["year"].between(first, last)].copy()
    sizes = log_gdp(src, first, last).rename_axis(columns="iso3").stack().rename("size")
    for side, code in (("a", flows["unit"].str[:3]), ("b", flows["unit"].str[4:])):
        key = pd.MultiIndex.from_arrays([flows["year"], code])
        flows[side] = sizes.reindex(key).to_numpy()
    price = np.log(flows["year"].map(deflator(src)))
    world = flows["year"].map(log_world_gdp(src))
    flows["value"] = np.log(flows["flow"] * 1e6) - price - flows["a"] - flows["b"] + world
    return flows.dropna(subset=["value"])


def _compared(rows: pd.DataFrame) -> pd.DataFrame:
    """Drop, year by year, pairs of a state with fewer than three partners.

    Its own year would explain its one or two flows whole, and the rest would say zero.
    """
    while True:
        sides = pd.concat([rows["unit"].str[:3], rows["unit"].str[4:]])
        partners = rows["year"].to_frame().assign(n=1)
        count = pd.concat([partners, partners]).groupby([sides.to_numpy(), "year"])["n"].sum()
        keys = [
            pd.MultiIndex.from_arrays([codes, rows["year"]])
            for codes in (rows["unit"].str[:3], rows["unit"].str[4:])
        ]
        few = np.minimum(*(count.reindex(k).to_numpy() for k in keys)) < MIN_PARTNERS
        if not few.any():
            return rows
        rows = rows[~few]


def net_of_states(rows: pd.DataFrame) -> pd.DataFrame:
    """Take each state's own year out of the intensity of its pairs.

    A state that opens, collapses or is under embargo trades more or less with everybody; only
    what is left is about the pair (state-year effects of the gravity model, by least squares).
    """
    rows = _compared(rows)
    if rows.empty:
        raise OutOfSpan
    both = [rows["unit"].str[:3], rows["unit"].str[4:]]
    states = pd.Index(sorted(set(both[0]) | set(both[1])))
    out = rows["value"].copy()
    for _, part in rows.groupby("year"):
        sides = np.zeros((len(part), len(states)))
        for codes in both:
            sides[np.arange(len(part)), states.get_indexer(codes[part.index])] = 1.0
        fit = np.linalg.lstsq(sides, part["value"].to_numpy(), rcond=None)[0]
        out.loc[part.index] = part["value"].to_numpy() - sides @ fit
    return rows.assign(value=out)


@reader("trade_cow")
def trade_cow(src: Sources) -> pd.DataFrame:
    """Log trade of each pair net of its states' own years, both flows reported and positive.

    Prices, both economies' sizes and world trade are in the states' own years: no GDP is needed.
    """
    first, last = src.span(1950, 2014)
    rows = src.read("trade_flows", ["year", "exporter", "importer", "value", "source"])
    rows = rows[(rows["source"] == "COW_Trade_4.0") & rows["year"].between(first, last)]
    # The prepared copy labels Antigua and Macedonia as Antarctica and Macao, which COW lacks.
    sides = ["exporter", "importer"]
    rows[sides] = rows[sides].replace({"ATA": "ATG", "MAC": "MKD"})
    rows = both_members(rows, *sides, src.states)
    # The copy is rounded to millions and a zero may be unknown: only positive flows are known.
    rows = rows[rows["value"] > 0]
    rows["unit"] = pair(rows["exporter"], rows["importer"])
    flows = rows.groupby(["unit", "year"])["value"].agg(flow="sum", sides="size").reset_index()
    flows = flows[(flows["sides"] == 2) & (flows["flow"] >= MIN_FLOW)]
    return net_of_states(flows.assign(value=np.log(flows["flow"].astype(float))))


@reader("china_imports_imf")
def china_imports_imf(src: Sources) -> pd.DataFrame:
    """Intensity of China's imports from each partner but Russia, which has its own series."""
    rows = src.read("trade_flows", ["year", "exporter", "importer", "value", "source"])
    rows = rows[rows["source"] == "IMF_DOTS_2023ish_CHN_imports"]
    rows = both_members(rows, "exporter", "importer", src.states)
    rows = rows[rows["value"] >= MIN_FLOW].rename(columns={"value": "flow"})
    rows["unit"] = pair(rows["exporter"], rows["importer"])
    rows = intensity(src, rows[rows["unit"] != FOCAL], *src.span(2010, 2022))
    # China's own growth is in all of its pairs: keep what sets a partner apart in the year.
    return rows.assign(value=rows["value"] - rows.groupby("year")["value"].transform("mean"))


@reader("trade_chn_rus_customs")
def trade_chn_rus_customs(src: Sources) -> pd.DataFrame:
    """Intensity of China-Russia trade, mainly customs totals; 2010-2014 overlap with `trade_cow`.

    The five common years tie the two series together across the 2014 edge.
    """
    rows = src.read("trade_chn_rus", ["year", "sum_musd"])
    rows = rows.rename(columns={"sum_musd": "flow"}).dropna().assign(unit=FOCAL)
    return intensity(src, rows, *src.span(2010, 2024))


@reader("tci_sop4")
def tci_sop4(src: Sources) -> pd.DataFrame:
    """Match of the exporter's export shares with the importer's import shares, four stages.

    A stage without a figure is unknown and not nothing: without all four there is no match.
    """
    rows = src.read("tci", ["year", "exporter", "importer", "tci_sop4"])
    rows = both_members(rows, "exporter", "importer", src.states)
    rows = rows[rows["year"].between(*src.span(1988, 2021))]
    stages = src.read("trade_composition", ["iso3", "year", "flow", "scheme", "sector"])
    count = stages[stages["scheme"] == "SoP4"].groupby(["iso3", "year", "flow"]).size()
    whole = count.index[count >= STAGES]
    for side, flow in (("exporter", "export"), ("importer", "import")):
        told = pd.MultiIndex.from_arrays([rows[side], rows["year"], [flow] * len(rows)])
        rows = rows[told.isin(whole)]
    return rows.assign(
        unit=rows["exporter"] + ">" + rows["importer"], value=rows["tci_sop4"].clip(0, 1)
    )


@reader("swap_lines")
def swap_lines(src: Sources) -> pd.DataFrame:
    """Bilateral central-bank lines agreed or renewed in the year, in pairs with any."""
    columns = ["deal_type", "ISO_source", "ISO_recipient", "start_date", "deal_action"]
    deals = src.read("liquidity_lines", [*columns, "initiative"])
    deals = both_members(deals, "ISO_source", "ISO_recipient", src.states)
    deals = deals[
        (deals["deal_type"] != "pooled fund")
        & ~deals["initiative"].isin(POOLS)
        & (deals["deal_action"] != "supplement")
    ]
    deals["unit"] = pair(deals["ISO_source"], deals["ISO_recipient"])
    deals["year"] = deals["start_date"].str[:4].astype(int)
    # A reciprocal line is listed once from each side; pair and day name the agreement.
    deals = deals.drop_duplicates(["unit", "start_date"]).assign(value=1)
    years = src.span(2000, 2023)
    return with_zeros(deals, src.units_with_any(deals, *years), *years)
