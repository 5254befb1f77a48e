"""A flow that is absent was not among a reporter's five largest, and is never zero.

Layout: World Bank, World Integrated Trade Solution (WITS, from UN Comtrade), country trade summary
of all years, one file per reporter (``en_CHN_AllYears_WITS_Trade_Summary.CSV``): Reporter, Partner,
Product categories, Indicator Type, Indicator, then a column per year from the latest down to 1988,
figures padded with blanks, US$ million. Read are flows with the five largest partners, total
exports and imports, and composition by 16 sections (exports only) and four stages of processing.
"Other Asia, nes" is TWN; "Serbia, FR(Serbia/Montenegro)" is SRB, to 2005 with Montenegro.
Guarded by ``tests/test_formats_economy.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from fairweather.countries import iso3_of_name, plain
from fairweather.formats import cells
from fairweather.formats.complementarity import STAGES, complementarity
from fairweather.formats.door import Table, open_table, read_header
from fairweather.formats.releases import not_empty, some_files
from fairweather.formats.wide_years import expected_years, long

NAME = "wits"
TITLE = "WITS country trade summaries, all years, one file per reporter (CSV)"
SOURCE = "wits"
TABLES = ("trade_flows", "trade_totals", "trade_composition", "tci")
INDICATORS = ("tci_sop4", "export_share_wits")
WHOLE = False  # one file is one reporter: the pairs of the others are not withdrawn

FIRST_YEAR = 1988
WORLD, ALL = "World", "All Products"
LABEL, TOP5_LABEL, UNIT = "WITS_TradeSummary", "WITS_TradeSummary_top5", "current US$ million"
SECTIONS = (
    "Animal|Chemicals|Food Products|Footwear|Fuels|Hides and Skins|Mach and Elec|Metals|Minerals"
    "|Miscellaneous|Plastic or Rubber|Stone and Glass|Textiles and Clothing|Transportation"
    "|Vegetable|Wood"
).split("|")
TOP5 = {f"Trade (US$ Mil)-Top 5 {flow.title()} Partner": flow for flow in ("export", "import")}
TOTALS = {f"{flow.title()}s (in US$ Mil)": flow for flow in ("export", "import")}
PRODUCTS = {f"{flow.title()}(US$ Mil)": flow for flow in ("export", "import")}
# Partners that are no state, or parts of one.
NOWHERE = frozenset(
    plain(name)
    for name in (
        "World|Unspecified|Bunkers|Free Zones|Special Categories|Neutral Zone|European Union"
        "|Br. Antr. Terr|US Msc.Pac.I|Fm Panama Cz|Fm Rhod Nyas|Gaza Strip|Pacific Islands"
        "|Pen Malaysia|Ryukyu Is|Sabah|Sarawak|Sikkim|Saint Kitts-Nevis-Anguilla-Aru"
    ).split("|")
)
KEY = ["Reporter", "Partner", "Product categories", "Indicator"]


def read(paths: Sequence[Path]) -> dict[str, pd.DataFrame]:
    """Read the summaries of one or more reporters.

    Parameters
    ----------
    paths : sequence of Path
        One file per reporter; `tci` needs at least two.

    Returns
    -------
    dict of str to DataFrame
        `trade_flows`: `year, exporter, importer, value, source, reporter` (which side's figure);
        `trade_totals`: `iso3, year, flow, value, unit, source`;
        `trade_composition`: `iso3, year, flow, scheme, sector, value, share, unit, source`;
        `tci`: `year, exporter, importer, tci_sop4`.

    Raises
    ------
    SourceError
        If the layout differs, years are missing, a reporter or partner is unknown, a product is
        not in the publisher's list, a row or reporter stands twice, or a flow is negative.
    """
    tables: list[Table] = []
    parts = []
    for path in some_files(paths):
        table, years = _open(path)
        for earlier in tables:
            table.refuse_repeats(earlier, KEY, "the row")
        tables.append(table)
        parts.append(_long(table, years))
    rows = pd.concat(parts, ignore_index=True)
    composition = _composition(rows)
    return {
        "trade_flows": _flows(rows),
        "trade_totals": _totals(rows),
        "trade_composition": composition,
        "tci": complementarity(composition),
    }


def _open(path: Path) -> tuple[Table, list[str]]:
    years = expected_years(read_header(path), FIRST_YEAR)
    columns = {
        "Reporter": cells.text(),
        "Partner": cells.text(),
        "Product categories": cells.text(),
        "Indicator Type": None,
        "Indicator": cells.text(),
        **{year: () for year in years},
    }
    table = open_table(path, columns)
    table.refuse_duplicates(KEY, "the row stands twice")
    frame = table.frame
    goods = frame["Indicator"].isin(PRODUCTS) & (frame["Partner"] == WORLD)
    table.refuse_if(
        goods & ~frame["Product categories"].isin([*STAGES, *SECTIONS]),
        "unknown product {Product categories!r}",
        "Check the publisher's list of products.",
    )
    return table, years


def _long(table: Table, years: list[str]) -> pd.DataFrame:
    """Figures that are used: `reporter, partner, product, indicator, year, value`."""
    frame = table.frame
    world = frame["Partner"] == WORLD
    flow = frame["Indicator"].isin(TOP5) & (frame["Product categories"] == ALL)
    total = frame["Indicator"].isin(TOTALS) & (frame["Product categories"] == ALL) & world
    flow &= ~frame["Partner"].map(plain).isin(NOWHERE)
    # "nes": not elsewhere specified. Other Asia is Taiwan, the rest are leftovers of regions.
    flow &= ~frame["Partner"].str.endswith("nes") | (frame["Partner"] == "Other Asia, nes")
    frame = frame[flow | total | (frame["Indicator"].isin(PRODUCTS) & world)]

    def codes(names: pd.Series) -> pd.Series:
        return iso3_of_name(names, table.path, line=lambda n: table.line(int(names.index[n])))

    partners = codes(frame.loc[frame["Partner"] != WORLD, "Partner"])
    rows = frame.assign(reporter=codes(frame["Reporter"]), partner=partners)
    rows = rows.rename(columns={"Product categories": "product", "Indicator": "indicator"})
    rows = long(table, rows, ["reporter", "partner", "product", "indicator"], years)
    not_empty(rows, table, "figure that is used")
    negative = table.frame.index.isin(rows.index[rows["value"] < 0])
    table.refuse_if(negative, "{Indicator} of {Reporter} is below zero", "Correct the figure.")
    return rows.reset_index(drop=True)


def _flows(rows: pd.DataFrame) -> pd.DataFrame:
    rows = rows[rows["indicator"].isin(TOP5)]
    # A state does not trade with itself: re-imports.
    rows = rows[rows["reporter"] != rows["partner"]]
    out = rows["indicator"].map(TOP5) == "export"
    flows = pd.DataFrame(
        {
            "year": rows["year"],
            "exporter": rows["reporter"].where(out, rows["partner"]).astype("str"),
            "importer": rows["partner"].where(out, rows["reporter"]).astype("str"),
            "value": rows["value"],
            "source": TOP5_LABEL,
            "reporter": out.map({True: "exporter", False: "importer"}).astype("str"),
        }
    )
    order = ["exporter", "importer", "year", "reporter"]
    return flows.sort_values(order, ignore_index=True)


def _totals(rows: pd.DataFrame) -> pd.DataFrame:
    rows = rows[rows["indicator"].isin(TOTALS)]
    out = pd.DataFrame(
        {
            "iso3": rows["reporter"],
            "year": rows["year"],
            "flow": rows["indicator"].map(TOTALS).astype("str"),
            "value": rows["value"],
        }
    )
    out = out.sort_values(["iso3", "flow", "year"], ignore_index=True)
    return out.assign(unit=UNIT, source=LABEL)


def _composition(rows: pd.DataFrame) -> pd.DataFrame:
    rows = rows[rows["indicator"].isin(PRODUCTS)]
    stage = rows["product"].isin(STAGES)
    out = pd.DataFrame(
        {
            "iso3": rows["reporter"],
            "year": rows["year"],
            "flow": rows["indicator"].map(PRODUCTS).astype("str"),
            "scheme": stage.map({True: "SoP4", False: "HS16"}).astype("str"),
            "sector": rows["product"],
            "value": rows["value"],
        }
    )
    key = ["iso3", "year", "flow", "scheme"]
    whole = out.groupby(key)["value"].transform("sum")
    out["share"] = out["value"] / whole.where(whole > 0)
    out = out.sort_values([*key, "sector"], ignore_index=True)
    return out.assign(unit=UNIT, source=LABEL)


def coverage(tables: dict[str, pd.DataFrame]) -> tuple[int, int]:
    """First and last year with any figure."""
    parts = [tables[name]["year"] for name in TABLES]
    years = pd.concat([part for part in parts if len(part)])
    return int(years.min()), int(years.max())
