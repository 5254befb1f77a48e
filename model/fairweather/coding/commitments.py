"""A level is what stands on 31 December; an absent pair is none only inside a file's coverage.

Treaty levels are legal texts, not behaviour. Each list keeps its own years: ATOP to 2018, COW
alliances to 2012, shared organisations to 2014, GML disputes to 2010, SIPRI's yearly table to 2021.
Guarded by ``tests/test_indicators_alignment.py``.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from fairweather.coding.registry import Sources, both_members, pair, reader, with_zeros
from fairweather.names import FOCAL

# Highest duty of a pact, weakest first; a column of the later line outranks the earlier.
ATOP_LEVELS = (("atop_consul",), ("atop_neutral", "atop_nonagg"), ("atop_defense", "atop_offense"))
COW_LEVELS = (("cow_entente",), ("cow_neutral", "cow_nonagg"), ("cow_defense",))


def _pairs(src: Sources, name: str, columns: list[str]) -> pd.DataFrame:
    rows = src.read(name, ["iso3_a", "iso3_b", "year", *columns])
    rows = both_members(rows, "iso3_a", "iso3_b", src.states)
    return rows.assign(unit=pair(rows["iso3_a"], rows["iso3_b"]))


def standing(rows: pd.DataFrame, units: Iterable[str], first: int, last: int) -> pd.DataFrame:
    """Highest level by unit and year, none (0) where the file has no row.

    Examples
    --------
    >>> f = pd.DataFrame({"unit": ["A", "A"], "year": [2001, 2001], "value": [1, 3]})
    >>> standing(f, ["A"], 2000, 2001)["value"].tolist()
    [0, 3]
    """
    highest = rows.groupby(["unit", "year"])["value"].max().reset_index()
    return with_zeros(highest, units, first, last)


def _pact_level(src: Sources, levels: tuple, first: int, last: int) -> pd.DataFrame:
    years = src.span(first, last)
    rows = _pairs(src, "alliances", [c for group in levels for c in group])
    rows = rows[rows["year"].between(*years)]
    rows["value"] = 0
    for level, group in enumerate(levels, start=1):
        in_force = rows[list(group)].fillna(0).max(axis=1) > 0
        rows["value"] = rows["value"].mask(in_force, level)
    return standing(rows, src.dyads, *years)


@reader("pact_level_atop")
def pact_level_atop(src: Sources) -> pd.DataFrame:
    """Highest duty in force: 1 consult, 2 not attack or stay neutral, 3 defend or attack with."""
    return _pact_level(src, ATOP_LEVELS, 1950, 2018)


@reader("pact_level_cow")
def pact_level_cow(src: Sources) -> pd.DataFrame:
    """Highest alliance in force: 1 entente, 2 neutrality or non-aggression, 3 defence."""
    return _pact_level(src, COW_LEVELS, 1950, 2012)


@reader("partnership_level_chn_rus")
def partnership_level_chn_rus(src: Sources) -> pd.DataFrame:
    """Level of the declared China-Russia partnership on 31 December.

    The treaty of 1950 is on another footing, and the alliance files carry it: steps before the
    succession memorandum of December 1991 are not read.
    """
    first, last = src.span(1991, 2024)
    steps = src.read("partnership_chn_rus", ["date", "year", "level_ordinal"])
    steps = steps[steps["year"] >= 1991].sort_values(["year", "date"], kind="stable")
    levels = steps.drop_duplicates("year", keep="last").set_index("year")["level_ordinal"]
    levels = levels.reindex(range(1991, last + 1)).ffill().loc[first:]
    table = levels.rename("value").rename_axis("year").dropna().reset_index()
    return table.assign(unit=FOCAL)


@reader("shared_blocs")
def shared_blocs(src: Sources) -> pd.DataFrame:
    """Blocs of which both are full members on 31 December."""
    first, last = src.span(1992, 2024)
    rows = src.read("blocs", ["org", "iso3", "status", "start_year", "end_year"])
    rows = rows[(rows["status"] == "member") & rows["iso3"].isin(src.states)]
    # A membership that ends during a year does not stand at its end.
    begins = rows["start_year"].clip(lower=first).astype(int)
    ends = rows["end_year"].fillna(last + 1).clip(upper=last + 1).astype(int)
    rows["year"] = [list(range(a, b)) for a, b in zip(begins, ends, strict=True)]
    rows = rows.explode("year").dropna(subset=["year"])[["org", "iso3", "year"]].drop_duplicates()
    both = rows.merge(rows, on=["org", "year"], suffixes=("_a", "_b"))
    both = both[both["iso3_a"] < both["iso3_b"]].astype({"year": int})
    both = both.assign(unit=pair(both["iso3_a"], both["iso3_b"]), value=1)
    return with_zeros(both, src.dyads, first, last)


@reader("shared_igos")
def shared_igos(src: Sources) -> pd.DataFrame:
    """Log of one plus the intergovernmental organisations of which both are full members."""
    rows = _pairs(src, "igos", ["n_shared_igos"])
    rows = rows[rows["year"].between(*src.span(1950, 2014))].dropna(subset=["n_shared_igos"])
    table = rows.groupby(["unit", "year"])["n_shared_igos"].max().astype(float).reset_index()
    return table.assign(value=np.log1p(table["n_shared_igos"]))


@reader("gml_disputes")
def gml_disputes(src: Sources) -> pd.DataFrame:
    """Disputes beginning in the year by the second coding (GML), in pairs with any.

    Onsets only, as for COW: levels belong to whole disputes and coalitions.
    """
    rows = _pairs(src, "mid_directed", ["gml_n_onsets"]).dropna(subset=["gml_n_onsets"])
    # Directed file: each dispute appears from both sides.
    rows = rows.groupby(["unit", "year"])["gml_n_onsets"].max().astype(int)
    rows = rows.rename("value").reset_index()
    years = src.span(1950, 2010)
    return with_zeros(rows, src.units_with_any(rows, *years), *years)


@reader("joint_patrols_chn_rus")
def joint_patrols_chn_rus(src: Sources) -> pd.DataFrame:
    """Joint air and naval patrols, coast guards left out; none before July 2019."""
    rows = src.read("exercises_chn_rus_year", ["year", "n_joint_patrols"])
    rows = rows[rows["year"].between(*src.span(1992, 2024))]
    return rows.rename(columns={"n_joint_patrols": "value"}).assign(unit=FOCAL)


def _arms(src: Sources, column: str) -> pd.DataFrame:
    rows = src.read("sipri_arms", ["supplier_iso3", "recipient_iso3", "year", column])
    rows = both_members(rows, "supplier_iso3", "recipient_iso3", src.states)
    rows["unit"] = pair(rows["supplier_iso3"], rows["recipient_iso3"])
    return rows.groupby(["unit", "year"])[column].sum().rename("value").reset_index()


@reader("arms_orders")
def arms_orders(src: Sources) -> pd.DataFrame:
    """Arms deals ordered in the year, both directions, in pairs with any."""
    rows = _arms(src, "deals_ordered")
    years = src.span(1950, 2024)
    return with_zeros(rows, src.units_with_any(rows, *years), *years)


@reader("arms_volume_table")
def arms_volume_table(src: Sources) -> pd.DataFrame:
    """Log volume delivered by SIPRI's own yearly table of 2022, which ends in 2021."""
    rows = _arms(src, "tiv_table")
    rows = rows[rows["year"].between(*src.span(1950, 2021, closed=True)) & (rows["value"] > 0)]
    return rows.assign(value=np.log(rows["value"].astype(float)))
