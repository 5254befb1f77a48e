"""What a deal delivered is spread once over its delivery years, never counted in each of them.

Layout: SIPRI Arms Transfers Database, transfer register exported as CSV (armstransfers.sipri.org,
March 2025 release and later): lines of explanation, then ``Recipient,Supplier,Year of order, ,...``
with an unnamed column for SIPRI's ``?`` after each uncertain number. From 2026 the column ``Number
delivered`` is headed ``Deliveries in the Year Range``; both are read. `Year(s) of delivery` lists
years without amounts, so a deal's delivered volume is split equally over them, which smears peaks
by a year or two. Recipients that are no states (``*`` and ``**``) and unknown parties are left out.
Guarded by ``tests/test_formats.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from fairweather.checks import matches, rule
from fairweather.formats import cells
from fairweather.formats.door import Table, given, open_table, refuse_empty

NAME = "sipri-register"
TITLE = "SIPRI Arms Transfers Database, transfer register (CSV)"
SOURCE = "sipri_arms"
TABLES = ("sipri_arms",)
INDICATORS = (
    "arms_deliveries",
    "arms_volume",
    "arms_orders",
    "us_arms_to_taiwan",
    "us_arms_orders_taiwan",
)

_MARK = cells.one_of(["", "?"])
_COUNT = cells.number(blank=True, positive=True)
COLUMNS = {
    "Recipient": cells.text(),
    "Supplier": cells.text(),
    "Year of order": cells.year(1900),
    "Year of order?": _MARK,
    "Number ordered": _COUNT,
    "Number ordered?": _MARK,
    "Weapon designation": (),
    "Weapon description": (),
    "Number delivered": _COUNT,
    "Number delivered?": _MARK,
    "Deliveries in the Year Range": _COUNT,
    "Deliveries in the Year Range?": _MARK,
    "Year(s) of delivery": rule(
        matches(r"([12][0-9]{3}(; ?[12][0-9]{3})*)?"),
        "the cell does not list delivery years",
        "write years divided by semicolons, such as 2017; 2018",
    ),
    "status": (),
    "Comments": (),
    "SIPRI TIV per unit": _COUNT,
    "SIPRI TIV for total order": _COUNT,
    "SIPRI TIV of delivered weapons": _COUNT,
}
# The column was renamed; a file has one of the two pairs.
_EITHER = (
    "Number delivered",
    "Number delivered?",
    "Deliveries in the Year Range",
    "Deliveries in the Year Range?",
)
# Parties that are no state, besides those SIPRI marks with stars.
_NO_STATE = ("unknown", "biafra", "katanga", "northern cyprus", "western sahara", "abkhazia",
             "south ossetia", "somaliland", "trans-dniester", "darfur")  # fmt: skip
# SIPRI's own wording, where the table of states has another.
_NAMES = {
    "East Germany (GDR)": "DDR",
    "Soviet Union": "RUS",
    "North Vietnam": "VNM",
    "UAE": "ARE",
    "Saint Vincent": "VCT",
    # As in the other security sources, where one code runs from Yugoslavia to Serbia.
    "Yugoslavia": "SRB",
}


def read(paths: Sequence[Path]) -> dict[str, pd.DataFrame]:
    """Read exports of the register and sum deals by pair and year.

    Parameters
    ----------
    paths : sequence of Path
        Exports that do not overlap, such as one per group of suppliers.

    Returns
    -------
    dict of str to DataFrame
        `sipri_arms`: `supplier_iso3, recipient_iso3, year, deals_delivering, tiv_register_alloc,
        deals_ordered, tiv_ordered`; volumes in million trend-indicator values. A pair-year without
        a row is zero within the years the export was made for.

    Raises
    ------
    SourceError
        If the layout differs, a state is unknown, or a number or year is not one.
    """
    tables = [_open(path) for path in given(paths)]
    deal = [c for c in tables[0].frame.columns if c not in _EITHER]
    for n, later in enumerate(tables):
        later.refuse_duplicates(deal, "the deal stands twice")
        for earlier in tables[:n]:
            later.refuse_repeats(earlier, ["Recipient", "Supplier", *deal[2:]], "the deal")
    deals = pd.concat([_deals(table) for table in tables], ignore_index=True)
    refuse_empty(deals, tables[0].path, "deal between two states")
    pair = ["supplier_iso3", "recipient_iso3", "year"]
    ordered = deals.groupby(["supplier_iso3", "recipient_iso3", "ordered"]).agg(
        deals_ordered=("tiv_order", "size"), tiv_ordered=("tiv_order", "sum")
    )
    ordered.index.names = pair
    split = deals.assign(year=deals["years"].str.findall("[0-9]{4}"))
    split["alloc"] = split["tiv_delivered"] / split["year"].map(len).clip(lower=1)
    split = split.explode("year").dropna(subset="year")
    split["year"] = split["year"].astype("int64")
    delivered = split.groupby(pair).agg(
        deals_delivering=("alloc", "size"), tiv_register_alloc=("alloc", "sum")
    )
    whole = delivered.join(ordered, how="outer").fillna(0).reset_index()
    whole = whole.astype({"year": "int64", "deals_delivering": "int64", "deals_ordered": "int64"})
    columns = [*pair, "deals_delivering", "tiv_register_alloc", "deals_ordered", "tiv_ordered"]
    return {"sipri_arms": whole[columns]}


def _open(path: Path) -> Table:
    table = open_table(
        path, COLUMNS, optional=_EITHER, skip="Recipient", encoding=("utf-8", "cp1252")
    )
    one = [c for c in _EITHER[::2] if (table.frame[c] != "").any()]
    table.refuse_if(
        pd.Series(len(one) != 1, index=table.frame.index),
        "there is no column of the number delivered, or there are two",
        "Export the register again, with all its columns.",
    )
    years = table.frame["Year(s) of delivery"].str.findall("[0-9]{4}")
    table.refuse_if(
        years.map(len) != years.map(lambda listed: len(set(listed))),
        "a delivery year is listed twice",
        "Export the register again.",
    )
    delivered = pd.to_numeric(table.frame["SIPRI TIV of delivered weapons"])
    table.refuse_if(
        (years.map(len) == 0) & (delivered > 0),
        "weapons are delivered, but no year is given",
        "Export the register again, with the delivery years.",
    )
    return table


def _deals(table: Table) -> pd.DataFrame:
    frame = table.frame
    state = pd.Series(True, index=frame.index)
    for side in ("Recipient", "Supplier"):
        lower = frame[side].str.lower()
        state &= ~(lower.str.endswith("*") | lower.str.startswith(_NO_STATE))
    kept = frame[state]
    lines = kept.index.to_numpy()
    out = pd.DataFrame(
        {
            "ordered": kept["Year of order"].astype("int64"),
            "years": kept["Year(s) of delivery"],
            "tiv_order": _number(kept["SIPRI TIV for total order"]),
            "tiv_delivered": _number(kept["SIPRI TIV of delivered weapons"]),
        }
    )
    for side, name in (("Recipient", "recipient_iso3"), ("Supplier", "supplier_iso3")):
        out[name] = cells.states_of(
            kept[side], _NAMES, table.path, lambda n: table.line(int(lines[n]))
        )
    return out


def _number(texts: pd.Series) -> pd.Series:
    return pd.to_numeric(texts, errors="coerce").fillna(0.0)


def coverage(tables: dict[str, pd.DataFrame]) -> tuple[int, int]:
    """First and last year with a delivery; orders reach further back."""
    arms = tables["sipri_arms"]
    years = arms.loc[arms["deals_delivering"] > 0, "year"]
    years = arms["year"] if years.empty else years
    return int(years.min()), int(years.max())
