"""A fuel balance needs use and, from the year production is listed at all, production (else none).

Layout: Energy Institute (to 2022 BP), Statistical Review of World Energy, consolidated data set in
narrow form, ``Consolidated-Dataset-Narrow-format.csv``: one row per country, year and variable.
Releases from 2025 on have `tes_ej` (total energy supply); earlier ones count primary energy in
another way and are refused. From 2026 fuels are `oil_tes_ej`, `gas_tes_ej`, `coal_tes_ej`, equal
to the consumption (`oilcons_ej`, ...) of before. "USSR" stands for RUS to 1984; the republics
begin in 1985. Regions and totals have no country code and are left out. Oil is produced in tonnes,
gas liquids included, so its balance is good to a few per cent. Guarded by
``tests/test_formats_economy.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from fairweather.countries import names_known, valid_iso3
from fairweather.errors import SourceError
from fairweather.formats import cells
from fairweather.formats.door import Table, open_table
from fairweather.formats.releases import one_file

NAME = "energy-institute"
TITLE = "Energy Institute, Statistical Review, consolidated narrow data set (CSV)"
SOURCE = "energy_institute"
TABLES = ("energy",)
INDICATORS = ("energy_fit", "oil_fit", "gas_fit")

USSR = "USSR"
USSR_LAST = 1984
EJ_PER_MILLION_TONNES = 0.041868
TES = "total_energy_supply_tes_exajoules"
VARIABLES = {
    "tes_ej": TES,
    "oilcons_ej": "oil_consumption_exajoules",
    "oil_tes_ej": "oil_consumption_exajoules",
    "gascons_ej": "gas_consumption_exajoules",
    "gas_tes_ej": "gas_consumption_exajoules",
    "coalcons_ej": "coal_consumption_exajoules",
    "coal_tes_ej": "coal_consumption_exajoules",
    "oilprod_mt": "oil_production_tonnes",
    "gasprod_ej": "gas_production_exajoules",
    "coalprod_ej": "coal_production_exajoules",
}
PRODUCTION = ("oilprod_mt", "gasprod_ej", "coalprod_ej")
FUELS = {
    "oil": "oil_production_ej_approx",
    "gas": "gas_production_exajoules",
    "coal": "coal_production_exajoules",
}

COLUMNS = {
    "Country": cells.text(),
    "Year": cells.year(1965),
    "ISO3166_alpha3": (),
    **{name: None for name in "ISO3166_numeric Region SubRegion OPEC EU OECD CIS".split()},
    "Var": cells.text(),
    "Value": cells.number(positive=True),
}


def read(paths: Sequence[Path]) -> dict[str, pd.DataFrame]:
    """Read the release and balance production against use, fuel by fuel.

    Parameters
    ----------
    paths : sequence of Path
        One file.

    Returns
    -------
    dict of str to DataFrame
        `energy`: `iso3, year, entity`, production and consumption (exajoules; oil production in
        million tonnes too), `oil_net_ej, gas_net_ej, coal_net_ej` (production less use),
        `fossil_net_ej` with `fossil_net_complete`, `total_energy_supply_tes_exajoules`.

    Raises
    ------
    SourceError
        If the layout differs, a state lacks its code, a variable stands twice, production is
        missing in a year between others, or the release has no total energy supply.
    """
    table = open_table(one_file(paths), COLUMNS)
    frame = table.frame
    table.refuse_duplicates(["Country", "Year", "Var"], "the variable stands twice")
    code, soviet = frame["ISO3166_alpha3"], frame["Country"] == USSR
    blank = (code == "") & ~soviet
    table.refuse_if(
        blank & names_known(frame["Country"]),
        "{Country} has no country code",
        "Restore ISO3166_alpha3: only regions and totals go without.",
    )
    table.refuse_if(
        ~blank & ~soviet & ~code.isin(valid_iso3()),
        "unknown country code {ISO3166_alpha3!r}",
        "Use the ISO 3166 alpha-3 code.",
    )
    rows = frame[frame["Var"].isin(VARIABLES) & ~blank]
    rows = pd.DataFrame(
        {
            "iso3": rows["ISO3166_alpha3"].mask(soviet, "RUS"),
            "year": rows["Year"].astype("int64"),
            "soviet": soviet.loc[rows.index],
            "variable": rows["Var"].map(VARIABLES),
            "value": rows["Value"].astype("float64"),
        }
    )
    table.refuse_if(
        rows.duplicated(["iso3", "year", "variable", "soviet"]).reindex(
            frame.index, fill_value=False
        ),
        "{Var} of {Country} in {Year} is given under two names",
        "Keep one: the older names end in cons_ej, the newer in _tes_ej.",
    )
    if TES not in set(rows["variable"]):
        raise SourceError(
            "the release has no variable tes_ej",
            file=table.path,
            row=table.header,
            remedy="Use the Statistical Review of 2025 or later, which counts all energy supplied.",
        )
    wide = _named(rows)
    _refuse_holes(wide, table)
    return {"energy": _balances(wide)}


def _refuse_holes(wide: pd.DataFrame, table: Table) -> None:
    """Refuse a year without production between years that have it: it would read as none."""
    for name in (name for name in PRODUCTION if VARIABLES[name] in wide):
        there = wide[VARIABLES[name]].notna()
        before = there.groupby(wide["iso3"]).cummax()
        after = there[::-1].groupby(wide["iso3"]).cummax()
        hole = ~there & before & after
        if hole.any():
            iso3, year = wide.loc[hole.idxmax(), ["iso3", "year"]]
            raise SourceError(
                f"{name} of {iso3} is missing in {year}, and there before and after",
                file=table.path,
                remedy="Restore the row, or the name of its variable.",
            )


def _named(rows: pd.DataFrame) -> pd.DataFrame:
    """One row per state and year; RUS is the whole USSR up to 1984 and Russia after."""
    russia = rows["iso3"] == "RUS"
    early = rows["year"] <= USSR_LAST
    rows = rows[~russia | (rows["soviet"] == early)]
    wide = rows.pivot_table(
        index=["iso3", "year"], columns="variable", values="value"
    ).reset_index()
    wide = wide.rename_axis(columns=None)
    soviet = (wide["iso3"] == "RUS") & (wide["year"] <= USSR_LAST)
    return wide.assign(entity=soviet.map({True: "USSR total", False: "as named"}).astype("str"))


def _balances(wide: pd.DataFrame) -> pd.DataFrame:
    names = sorted(set(VARIABLES.values()))
    out = wide.reindex(columns=["iso3", "year", "entity", *names])
    out[names] = out[names].astype("float64")
    out["oil_production_ej_approx"] = out["oil_production_tonnes"] * EJ_PER_MILLION_TONNES
    for fuel, production in FUELS.items():
        made, used = out[production], out[f"{fuel}_consumption_exajoules"]
        # A country that is not listed produces next to nothing, once production is listed at all.
        listed = out["year"] >= out.loc[made.notna(), "year"].min()
        out[f"{fuel}_net_ej"] = (made.fillna(0) - used).where(listed)
    nets = out[[f"{fuel}_net_ej" for fuel in FUELS]]
    out["fossil_net_ej"] = nets.sum(axis=1, skipna=False)
    out["fossil_net_complete"] = nets.notna().all(axis=1)
    return out


def coverage(tables: dict[str, pd.DataFrame]) -> tuple[int, int]:
    """First and last year with any figure."""
    years = tables["energy"]["year"]
    return int(years.min()), int(years.max())
