"""Force around a state is counted from the US side only, and only for the states it is said of.

A yearly figure that the publisher counted twice, or that several counts dispute, is left out rather
than mended.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from fairweather.coding.registry import OutOfSpan, Sources, reader, with_zeros

US, TAIWAN = "USA", "TWN"
CHINA, RUSSIA = "CHN", "RUS"
DISPLAY_OF_FORCE = 3
AROUND = {
    CHINA: ["us_troops_east_asia"],
    RUSSIA: ["us_troops_nato_pre1999_europe", "us_troops_eastern_flank"],
}
COUNTED_TWICE = 2008  # about double in every host, against the older file of the same publisher


def _only(src: Sources, state: str) -> None:
    if state not in src.states:
        raise OutOfSpan


@reader("us_mid_gml")
def us_mid_gml(src: Sources) -> pd.DataFrame:
    """Whether the US displayed or used force against the state, by Gibler, Miller and Little."""
    years = src.span(1950, 2010, closed=True)
    rows = src.read("mid_directed", ["iso3_a", "iso3_b", "year", "gml_host_a_to_b"])
    rows = rows[(rows["iso3_a"] == US) & rows["iso3_b"].isin(src.states)]
    # Blank where this publisher has no such dispute, or after its last year.
    force = rows["gml_host_a_to_b"].fillna(0) >= DISPLAY_OF_FORCE
    rows = rows.assign(value=force.astype(int)).rename(columns={"iso3_b": "unit"})
    rows = rows.groupby(["unit", "year"])["value"].max().reset_index()
    return with_zeros(rows, src.states, *years)


def _to_taiwan(src: Sources, column: str) -> tuple[pd.DataFrame, tuple[int, int]]:
    _only(src, CHINA)
    flows = src.read("sipri_arms", ["supplier_iso3", "recipient_iso3", "year", column])
    flows = flows[(flows["supplier_iso3"] == US) & (flows["recipient_iso3"] == TAIWAN)]
    return flows.assign(unit=CHINA), src.span(1950, 2024)


@reader("us_arms_to_taiwan")
def us_arms_to_taiwan(src: Sources) -> pd.DataFrame:
    """Log of one plus the volume of US arms delivered to Taiwan, one register vintage."""
    flows, years = _to_taiwan(src, "tiv_register_alloc")
    table = with_zeros(flows, [CHINA], *years, "tiv_register_alloc")
    # The copy holds single precision, whose logarithm differs between processors.
    return table.assign(value=np.log1p(table["value"].astype(float)))


@reader("us_arms_orders_taiwan")
def us_arms_orders_taiwan(src: Sources) -> pd.DataFrame:
    """US arms deals with Taiwan by year of order."""
    flows, years = _to_taiwan(src, "deals_ordered")
    return with_zeros(flows, [CHINA], *years, "deals_ordered")


@reader("us_troops_perimeter")
def us_troops_perimeter(src: Sources) -> pd.DataFrame:
    """Log of US troops in East Asia (for China) and in NATO's Europe (for Russia)."""
    columns = ["year", *(c for parts in AROUND.values() for c in parts)]
    wide = src.read("us_perimeter", columns)
    wide = wide[wide["year"].between(*src.span(1950, 2024)) & (wide["year"] != COUNTED_TWICE)]
    rows = [
        pd.DataFrame({"unit": state, "year": wide["year"], "value": wide[parts].sum(axis=1)})
        for state, parts in AROUND.items()
        if state in src.states
    ]
    if not rows:
        raise OutOfSpan
    table = pd.concat(rows, ignore_index=True)
    table = table[table["value"] > 0]
    return table.assign(value=np.log(table["value"]))


@reader("nato_neighbours")
def nato_neighbours(src: Sources) -> pd.DataFrame:
    """NATO members with a land border with Russia; from 1992, as Turkey bordered the USSR."""
    _only(src, RUSSIA)
    rows = src.read("us_perimeter", ["year", "nato_members_bordering_russia"])
    rows = rows[rows["year"].between(*src.span(1992, 2024))]
    return rows.rename(columns={"nato_members_bordering_russia": "value"}).assign(unit=RUSSIA)


def _at_sea(src: Sources, indicator: str, first: int, last: int) -> pd.DataFrame:
    """Read one publisher's count by calendar year; rival counts have other names in the list."""
    _only(src, CHINA)
    years = src.span(first, last)
    rows = src.read("us_pressure_china", ["year", "indicator", "value"])
    rows = rows[(rows["indicator"] == indicator) & rows["year"].between(*years)]
    return rows.assign(unit=CHINA, year=rows["year"].astype(int))


@reader("us_fonops_china")
def us_fonops_china(src: Sources) -> pd.DataFrame:
    """US freedom-of-navigation operations in the South China Sea, by the Pacific Fleet's count."""
    return _at_sea(src, "fonop_scs", 2015, 2019)


@reader("taiwan_strait_transits")
def taiwan_strait_transits(src: Sources) -> pd.DataFrame:
    """Passages of US warships through the Taiwan Strait."""
    return _at_sea(src, "taiwan_strait_transits", 2016, 2020)
