"""Arms are counted from one register vintage only, so that no break at 2021/22 enters.

The publisher's yearly table ends in 2021 and disagrees with the later register; mixing the two
would read as a fall in deliveries.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from fairweather.coding.registry import (
    Sources,
    both_members,
    pair,
    reader,
    with_zeros,
)


def _flows(src: Sources) -> pd.DataFrame:
    flows = src.read(
        "sipri_arms",
        ["supplier_iso3", "recipient_iso3", "year", "deals_delivering", "tiv_register_alloc"],
    )
    flows = flows[flows["year"].between(*src.span(1950, 2024))]
    flows = both_members(flows, "supplier_iso3", "recipient_iso3", src.states)
    flows["unit"] = pair(flows["supplier_iso3"], flows["recipient_iso3"])
    columns = ["deals_delivering", "tiv_register_alloc"]
    return flows.groupby(["unit", "year"])[columns].sum().reset_index()


@reader("arms_deliveries")
def arms_deliveries(src: Sources) -> pd.DataFrame:
    """Deals with a delivery in the year, both directions, in pairs that ever traded arms."""
    flows = _flows(src).rename(columns={"deals_delivering": "value"})
    years = src.span(1950, 2024)
    return with_zeros(flows, src.units_with_any(flows, *years), *years)


@reader("arms_volume")
def arms_volume(src: Sources) -> pd.DataFrame:
    """Log volume delivered (million trend-indicator values), both directions, positive years."""
    flows = _flows(src)
    flows = flows[(flows["tiv_register_alloc"] > 0) & (flows["deals_delivering"] > 0)]
    return flows.assign(value=np.log(flows["tiv_register_alloc"]), n=flows["deals_delivering"])
