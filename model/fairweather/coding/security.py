"""An absent pair-year is zero inside a file's coverage and unknown outside it.

Exercises of China and Russia are counted in the hand-coded list only, so that no exercise is
counted in two indicators.
"""

from __future__ import annotations

import pandas as pd

from fairweather.coding.registry import (
    Sources,
    both_members,
    pair,
    reader,
    with_zeros,
)
from fairweather.names import FOCAL

US = "USA"
MID_YEARS = (1950, 2014)
PAIR_FILES_YEARS = (1980, 2010)
DISPLAY_OF_FORCE = 3
# Both pairs' only exercise before 1990, with the Soviet Union and Poland: East Germany's, filed
# under the number of the Federal Republic.
NOT_WEST_GERMANY = ("DEU-POL", "DEU-RUS")


def _pairs(src: Sources, name: str, column: str) -> pd.DataFrame:
    rows = src.read(name, ["iso3_a", "iso3_b", "year", column])
    rows = both_members(rows, "iso3_a", "iso3_b", src.states)
    rows["unit"] = pair(rows["iso3_a"], rows["iso3_b"])
    return rows.rename(columns={column: "value"})


@reader("exercises_mme")
def exercises_mme(src: Sources) -> pd.DataFrame:
    """Joint exercises of at most five states, in pairs with any, without the focal pair."""
    rows = _pairs(src, "exercises_mme", "n_upto5_states")
    rows = rows[rows["unit"] != FOCAL]
    rows = rows[~(rows["unit"].isin(NOT_WEST_GERMANY) & (rows["year"] == 1986))]
    years = src.span(*PAIR_FILES_YEARS)
    return with_zeros(rows, src.units_with_any(rows, *years), *years)


@reader("exercises_chn_rus")
def exercises_chn_rus(src: Sources) -> pd.DataFrame:
    """Exercises with both China and Russia, patrols and police drills left out."""
    rows = src.read("exercises_chn_rus_year", ["year", "n_exercises"])
    rows = rows[rows["year"].between(*src.span(1992, 2024))]
    return rows.rename(columns={"n_exercises": "value"}).assign(unit=FOCAL)


@reader("defence_agreements")
def defence_agreements(src: Sources) -> pd.DataFrame:
    """Defence cooperation agreements signed in the year, in pairs with any."""
    rows = _pairs(src, "dca", "dca_signed")
    years = src.span(*PAIR_FILES_YEARS)
    return with_zeros(rows, src.units_with_any(rows, *years), *years)


@reader("militarised_disputes")
def militarised_disputes(src: Sources) -> pd.DataFrame:
    """Disputes beginning in the year, in pairs with any.

    Onsets only: hostility levels belong to whole disputes and coalitions, not to the pair.
    """
    rows = _pairs(src, "mid_directed", "cow_n_onsets")
    # Directed file: each dispute appears from both sides.
    rows = rows.groupby(["unit", "year"])["value"].max().astype(int).reset_index()
    years = src.span(*MID_YEARS)
    return with_zeros(rows, src.units_with_any(rows, *years), *years)


@reader("us_mid")
def us_mid(src: Sources) -> pd.DataFrame:
    """Whether the US displayed or used force against the state in a dispute of the year."""
    rows = src.read("mid_directed", ["iso3_a", "iso3_b", "year", "cow_host_a_to_b"])
    rows = rows[(rows["iso3_a"] == US) & rows["iso3_b"].isin(src.states)]
    rows["value"] = (rows["cow_host_a_to_b"] >= DISPLAY_OF_FORCE).astype(int)
    rows = rows.groupby(["iso3_b", "year"])["value"].max().reset_index()
    return with_zeros(rows.rename(columns={"iso3_b": "unit"}), src.states, *src.span(*MID_YEARS))
