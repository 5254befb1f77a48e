"""Fit by fuel is what one state could supply and the other lacks of that fuel, never what flowed.

Taken fuel by fuel a surplus of coal does not hide a lack of oil, as it does in the sum over fuels.
Coal has no indicator: China's balance is a small difference of two large numbers and turns from a
deficit of 4 EJ in 2021 to a surplus of 3 in 2022, while imports went on.
Source: Energy Institute, Statistical Review of World Energy 2025. Guarded by
``tests/test_indicators_alignment.py``.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from fairweather.coding.registry import Sources, reader

SUPPLY = "total_energy_supply_tes_exajoules"
FIRST = {"oil": 1965, "gas": 1970}


def fit(src: Sources, fuel: str) -> pd.DataFrame:
    """Share of the user's energy supply that the supplier's surplus of one fuel could cover."""
    net = f"{fuel}_net_ej"
    rows = src.read("energy", ["iso3", "year", net, SUPPLY])
    years = src.span(FIRST[fuel], 2024)
    rows = rows[rows["iso3"].isin(src.states) & rows["year"].between(*years)]
    rows = rows[rows[net].notna() & (rows[SUPPLY] > 0)]
    table = rows.merge(rows, on="year", suffixes=("_i", "_j"))
    table = table[table["iso3_i"] != table["iso3_j"]]
    surplus, deficit = table[f"{net}_i"].clip(lower=0), (-table[f"{net}_j"]).clip(lower=0)
    covered = np.minimum(surplus, deficit) / table[f"{SUPPLY}_j"]
    unit = table["iso3_i"] + ">" + table["iso3_j"]
    return pd.DataFrame({"unit": unit, "year": table["year"], "value": covered.clip(0, 1)})


@reader("oil_fit")
def oil_fit(src: Sources) -> pd.DataFrame:
    """Oil surplus that meets the partner's deficit."""
    return fit(src, "oil")


@reader("gas_fit")
def gas_fit(src: Sources) -> pd.DataFrame:
    """Gas surplus that meets the partner's deficit."""
    return fit(src, "gas")
