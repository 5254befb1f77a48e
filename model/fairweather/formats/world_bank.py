"""An indicator is known by its code and its base year, and an aggregate is not a state.

Layout: World Bank, World Development Indicators, bulk CSV of one indicator
(``API_NY.GDP.MKTP.KD_DS2_en_csv_v2_*.csv``): four lines before the header, one row per economy, a
column per year from 1960, a nameless last column. Read are NY.GDP.MKTP.KD (constant 2015 US$ and no
other base year), NY.GDP.MKTP.CD and SP.POP.TOTL. Rows for RUS are the Russian republic alone in all
years. Guarded by ``tests/test_formats_economy.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from fairweather.checks import matches
from fairweather.countries import valid_iso3
from fairweather.errors import SourceError
from fairweather.formats import cells
from fairweather.formats.door import Table, open_table, read_header
from fairweather.formats.releases import not_empty, some_files
from fairweather.formats.wide_years import expected_years, long

NAME = "world-bank"
TITLE = "World Bank, World Development Indicators, one indicator a file (CSV)"
SOURCE = "cow_trade"  # sizes are cited with the trade they scale
TABLES = ("gdp",)
INDICATORS = ()

FIRST_YEAR = 1960
HEADER, DATED = "Country Name", "Last Updated Date"
# Code -> our name, words the publisher's own name must hold, unit.
SERIES = {
    "NY.GDP.MKTP.KD": ("gdp_constant2015_usd", "constant 2015 US$", "constant 2015 US$"),
    "NY.GDP.MKTP.CD": ("gdp_current_usd", "current US$", "current US$"),
    "SP.POP.TOTL": ("population", "Population, total", "persons"),
}
AGGREGATES = frozenset(
    "AFE AFW ARB CEB CSS EAP EAR EAS ECA ECS EMU EUU FCS HIC HPC IBD IBT IDA IDB IDX INX LAC LCN"
    " LDC LIC LMC LMY LTE MEA MIC MNA NAC OED OSS PRE PSS PST SAS SSA SSF SST TEA TEC TLA TMN TSA"
    " TSS UMC WLD".split()
)


def read(paths: Sequence[Path]) -> dict[str, pd.DataFrame]:
    """Read one file per indicator.

    Parameters
    ----------
    paths : sequence of Path
        Files of different indicators.

    Returns
    -------
    dict of str to DataFrame
        `gdp`: `iso3, cow` (empty), `year, variable, value, unit, source`; the source carries the
        day the publisher last updated the file.

    Raises
    ------
    SourceError
        If the layout or base year differs, years are missing, a code is unknown, an economy stands
        twice, or a figure is not above zero.
    """
    parts, tables = [], []
    for path in some_files(paths):
        table, years, updated = _open(path)
        for earlier in tables:
            table.refuse_repeats(earlier, ["Country Code", "Indicator Code"], "the economy")
        tables.append(table)
        parts.append(_long(table, years, updated))
    whole = pd.concat(parts, ignore_index=True)
    order = ["variable", "iso3", "year"]
    return {"gdp": whole.sort_values(order, kind="stable", ignore_index=True)}


def _open(path: Path) -> tuple[Table, list[str], str]:
    updated = read_header(path, skip=DATED)[1:2]
    day = pd.Series(updated, dtype="str")
    if day.empty or not matches(cells.ISO_DATE)(day).all():
        raise SourceError(
            f"the file does not say when it was updated ({''.join(updated)!r})",
            file=path,
            row=1,
            remedy="Keep the publisher's lines above the header.",
        )
    years = expected_years(read_header(path, skip=HEADER), FIRST_YEAR)
    columns = {
        HEADER: cells.text(),
        "Country Code": cells.one_of(
            valid_iso3() | AGGREGATES, "use the World Bank's three-letter codes"
        ),
        "Indicator Name": cells.text(),
        "Indicator Code": cells.one_of(SERIES),
        **{year: () for year in years},
        f"{years[-1]}?": None,
    }
    table = open_table(path, columns, skip=HEADER)
    table.refuse_duplicates(["Country Code", "Indicator Code"], "the economy stands twice")
    for code, (_, words, _) in SERIES.items():
        mine = table.frame["Indicator Code"] == code
        table.refuse_if(
            mine & ~table.frame["Indicator Name"].str.contains(words, regex=False),
            f"{code} is named {{Indicator Name!r}}, not {words!r}",
            "The base year or meaning may have changed: update the reader.",
        )
    return table, years, updated[0]


def _long(table: Table, years: list[str], updated: str) -> pd.DataFrame:
    frame = table.frame[~table.frame["Country Code"].isin(AGGREGATES)]
    keys = ["Country Code", "Indicator Code"]
    rows = not_empty(long(table, frame, keys, years), table, "figure of a state")
    bad = table.frame.index.isin(rows.index[rows["value"] <= 0])
    table.refuse_if(bad, "a figure of {Country Name} is not above zero", "Leave it blank.")
    code = rows["Indicator Code"]
    return pd.DataFrame(
        {
            "iso3": rows["Country Code"],
            "cow": pd.array([pd.NA] * len(rows), dtype="Int16"),
            "year": rows["year"],
            "variable": code.map({key: name for key, (name, _, _) in SERIES.items()}),
            "value": rows["value"],
            "unit": code.map({key: f"{unit} ({key})" for key, (_, _, unit) in SERIES.items()}),
            "source": f"WDI_{updated}",
        }
    )


def coverage(tables: dict[str, pd.DataFrame]) -> tuple[int, int]:
    """First and last year with a figure."""
    years = tables["gdp"]["year"]
    return int(years.min()), int(years.max())
