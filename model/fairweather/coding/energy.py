"""Energy fit is what one state could supply and the other lacks, never what flowed between them.

Source: Energy Institute, Statistical Review of World Energy 2025; oil in tonnes is converted
approximately there, so a balance is good to a few percent.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from fairweather.coding.registry import Sources, reader


@reader("energy_fit")
def energy_fit(src: Sources) -> pd.DataFrame:
    """Share of the importer's energy use that the exporter's fossil surplus could cover."""
    supply = "total_energy_supply_tes_exajoules"
    balance = src.read("energy", ["iso3", "year", "fossil_net_ej", "fossil_net_complete", supply])
    balance = balance[
        balance["iso3"].isin(src.states)
        & balance["year"].between(*src.span(1981, 2024))
        & balance["fossil_net_complete"].fillna(False).astype(bool)
        & balance["fossil_net_ej"].notna()
        & (balance[supply] > 0)
    ]
    surplus = balance["fossil_net_ej"].clip(lower=0)
    deficit = (-balance["fossil_net_ej"]).clip(lower=0)
    giver = pd.DataFrame({"year": balance["year"], "i": balance["iso3"], "surplus": surplus})
    taker = pd.DataFrame(
        {"year": balance["year"], "j": balance["iso3"], "deficit": deficit, "use": balance[supply]}
    )
    table = giver.merge(taker, on="year")
    table = table[table["i"] != table["j"]]
    covered = np.minimum(table["surplus"], table["deficit"]) / table["use"]
    return table.assign(unit=table["i"] + ">" + table["j"], value=covered.clip(0, 1))
