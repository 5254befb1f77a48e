"""An absent pair-year is zero inside a file's coverage and unknown outside it.

Exercises of China and Russia are counted in the hand-coded list only, so that no exercise is
counted in two indicators.
"""

from __future__ import annotations

import pandas as pd

from fairweather.coding.registry import (
    FIRST_YEAR,
    LAST_YEAR,
    Sources,
    both_members,
    ever_positive,
    pair,
    reader,
    with_zeros,
)
from fairweather.names import FOCAL

US = "USA"
_MID = "security/mid_directed_pair_year.parquet"
MID_LAST = 2014
PAIR_FILES_LAST = 2010
DISPLAY_OF_FORCE = 3


def _pairs(src: Sources, name: str, column: str) -> pd.DataFrame:
    rows = src.read(name, ["iso3_a", "iso3_b", "year", column])
    rows = both_members(rows, "iso3_a", "iso3_b", src.states)
    rows["unit"] = pair(rows["iso3_a"], rows["iso3_b"])
    return rows.rename(columns={column: "value"})


@reader("exercises_mme")
def exercises_mme(src: Sources) -> pd.DataFrame:
    """Joint exercises of at most five states, in pairs with any, without the focal pair."""
    name = "security/exercises_mme_pair_year_1980_2010.parquet"
    rows = _pairs(src, name, "n_upto5_states")
    rows = rows[rows["unit"] != FOCAL]
    units = ever_positive(rows, FIRST_YEAR, PAIR_FILES_LAST)
    return with_zeros(rows, units, FIRST_YEAR, PAIR_FILES_LAST)


@reader("exercises_chn_rus")
def exercises_chn_rus(src: Sources) -> pd.DataFrame:
    """Exercises with both China and Russia, patrols and police drills left out."""
    rows = src.read("security/china_russia_exercises_year.csv", ["year", "n_exercises"])
    rows = rows[rows["year"].between(FIRST_YEAR, LAST_YEAR)]
    return rows.rename(columns={"n_exercises": "value"}).assign(unit=FOCAL)


@reader("defence_agreements")
def defence_agreements(src: Sources) -> pd.DataFrame:
    """Defence cooperation agreements signed in the year, in pairs with any."""
    rows = _pairs(src, "security/dca_pair_year_1980_2010.parquet", "dca_signed")
    units = ever_positive(rows, FIRST_YEAR, PAIR_FILES_LAST)
    return with_zeros(rows, units, FIRST_YEAR, PAIR_FILES_LAST)


@reader("militarised_disputes")
def militarised_disputes(src: Sources) -> pd.DataFrame:
    """Disputes beginning in the year, in pairs with any.

    Onsets only: hostility levels belong to whole disputes and coalitions, not to the pair.
    """
    rows = _pairs(src, _MID, "cow_n_onsets")
    # Directed file: each dispute appears from both sides.
    rows = rows.groupby(["unit", "year"])["value"].max().astype(int).reset_index()
    units = ever_positive(rows, FIRST_YEAR, MID_LAST)
    return with_zeros(rows, units, FIRST_YEAR, MID_LAST)


@reader("us_mid")
def us_mid(src: Sources) -> pd.DataFrame:
    """Whether the US displayed or used force against the state in a dispute of the year."""
    rows = src.read(_MID, ["iso3_a", "iso3_b", "year", "cow_host_a_to_b"])
    rows = rows[(rows["iso3_a"] == US) & rows["iso3_b"].isin(src.states)]
    rows["value"] = (rows["cow_host_a_to_b"] >= DISPLAY_OF_FORCE).astype(int)
    rows = rows.groupby(["iso3_b", "year"])["value"].max().reset_index()
    return with_zeros(rows.rename(columns={"iso3_b": "unit"}), src.states, FIRST_YEAR, MID_LAST)
