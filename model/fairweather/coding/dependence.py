"""What one state sells to or holds in the other is a share of its own total, seen from its side.

Units are directed. A flow that a source does not show is unknown, never zero: COW's zeros may be
small or unknown, and WITS names a partner only in years when it is among the first five.
Guarded by ``tests/test_indicators_alignment.py``.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from fairweather.coding.registry import Sources, both_members, reader
from fairweather.coding.trade import MIN_FLOW, deflator

MIN_TOTAL = 100.0  # million dollars; of a smaller total the rounding of the copy is a large share
# A few Chinese positions (KOR, KWT) are in dollars, not millions: more than any state holds abroad.
MAX_POSITION = 2e7
MIN_POSITION = 1.0


def _log_odds(share: pd.Series) -> pd.Series:
    share = share.astype(float).clip(upper=0.999)
    return np.log(share / (1 - share))


def _directed(frame: pd.DataFrame, a: str, b: str) -> pd.Series:
    return frame[a].astype(str) + ">" + frame[b].astype(str)


@reader("export_dependence_cow")
def export_dependence_cow(src: Sources) -> pd.DataFrame:
    """Log-odds of the partner's part in the exporter's recorded exports to all states."""
    rows = src.read("trade_flows", ["year", "exporter", "importer", "value", "source"])
    rows = rows[(rows["source"] == "COW_Trade_4.0") & rows["exporter"].isin(src.states)]
    rows = rows[rows["year"].between(*src.span(1950, 2014))]
    totals = rows.groupby(["exporter", "year"])["value"].transform("sum")
    rows = rows.assign(total=totals.astype(float))
    rows = both_members(rows, "exporter", "importer", src.states)
    rows["unit"] = _directed(rows, "exporter", "importer")
    # A state with two COW numbers in a year has two rows.
    flows = rows.groupby(["unit", "year"]).agg(flow=("value", "sum"), total=("total", "first"))
    flows = flows[(flows["flow"] >= MIN_FLOW) & (flows["total"] >= MIN_TOTAL)].reset_index()
    return flows.assign(value=_log_odds(flows["flow"] / flows["total"]))


@reader("export_share_wits")
def export_share_wits(src: Sources) -> pd.DataFrame:
    """Log-odds of the partner's part in the exporter's own total, while among its first five."""
    columns = ["year", "exporter", "importer", "value", "source", "reporter"]
    rows = src.read("trade_flows", columns)
    rows = rows[(rows["source"] == "WITS_TradeSummary_top5") & (rows["reporter"] == "exporter")]
    rows = rows[rows["year"].between(*src.span(1988, 2021))]
    # WITS writes the Soviet Union as a partner of its own.
    rows["importer"] = rows["importer"].replace("SUN", "RUS")
    rows = both_members(rows, "exporter", "importer", src.states)
    totals = src.read("trade_totals", ["iso3", "year", "flow", "value"])
    totals = totals[totals["flow"] == "export"].rename(columns={"iso3": "exporter"})
    totals = totals[["exporter", "year", "value"]].rename(columns={"value": "total"})
    rows = rows.merge(totals, on=["exporter", "year"])
    rows = rows[(rows["value"] > 0) & (rows["value"] < rows["total"])]
    rows["unit"] = _directed(rows, "exporter", "importer")
    return rows.assign(value=_log_odds(rows["value"] / rows["total"]))


@reader("fdi_outward_imf")
def fdi_outward_imf(src: Sources) -> pd.DataFrame:
    """Log of the direct investment that the reporter says it holds in the partner, 2015 dollars.

    Positions derived from the partner's reports are another measurement and are left out.
    """
    columns = ["reporter", "counterpart", "year", "indicator", "dv_type", "value"]
    rows = src.read("fdi", columns)
    rows = rows[(rows["indicator"] == "outward_position") & (rows["dv_type"] == "reported")]
    rows = rows[rows["year"].between(*src.span(2014, 2024))]
    rows = both_members(rows, "reporter", "counterpart", src.states)
    rows = rows[rows["value"].between(MIN_POSITION, MAX_POSITION)]
    rows["unit"] = _directed(rows, "reporter", "counterpart")
    price = rows["year"].map(deflator(src))
    return rows.assign(value=np.log(rows["value"] / price)).dropna(subset=["value"])
