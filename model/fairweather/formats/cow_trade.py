"""A flow that nobody recorded is missing, never zero, and goes from exporter to importer.

Layout: Correlates of War Trade 4.0, dyadic, ``Dyadic_COW_4.0.csv``: one row per pair and year,
states by number, current US$ million. `flow1` is what `ccode1` imported from `ccode2`, `flow2` the
reverse; -9 is missing. Years before 1945 are not read. A zero may be a small or an unknown flow;
those between China and the USSR in 1960-1963 are not credible (trade went on) and are left out.
Guarded by ``tests/test_formats_cow.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from fairweather.checks import NUMBER, matches, rule
from fairweather.countries import iso3_of_cow
from fairweather.formats import cells
from fairweather.formats.door import Table, open_table
from fairweather.formats.releases import ENCODINGS, not_empty, one_file

NAME = "cow-trade"
TITLE = "Correlates of War Trade 4.0, dyadic (CSV)"
SOURCE = "cow_trade"
TABLES = ("trade_flows",)
INDICATORS = ("trade_cow", "export_dependence_cow")

LABEL = "COW_Trade_4.0"
FIRST_YEAR = 1945
LAST_YEAR = 2014  # of version 4.0
YUGOSLAVIA_ENDS = 1992
MISSING = -9.0
_NOT_CREDIBLE = (1960, 1963)

_STATE = rule(
    matches("[0-9]{1,3}"), "the cell is no state number", "write a Correlates of War number"
)
_FLOW = rule(
    lambda flows: cells.finite(flows) & matches(rf"-9(\.0*)?|(?!-)({NUMBER})")(flows),
    "the flow is neither a number from 0 nor -9",
    "write US$ million, or -9 where it is missing",
)

COLUMNS = {
    "ccode1": _STATE,
    "ccode2": _STATE,
    "year": cells.year(1870, LAST_YEAR),
    "importer1": None,
    "importer2": None,
    "flow1": _FLOW,
    "flow2": _FLOW,
    **{
        name: None
        for name in (
            "smoothflow1 smoothflow2 smoothtotrade spike1 spike2 dip1 dip2 trdspike tradedip"
            " bel_lux_alt_flow1 bel_lux_alt_flow2 china_alt_flow1 china_alt_flow2 source1 source2"
        ).split()
    },
    "version": cells.one_of(["4", "4.0"], "use Trade 4.0; other versions are coded differently"),
}


def read(paths: Sequence[Path]) -> dict[str, pd.DataFrame]:
    """Read the release from 1945 on.

    Parameters
    ----------
    paths : sequence of Path
        One file.

    Returns
    -------
    dict of str to DataFrame
        `trade_flows`: `year, exporter, importer, value` (current US$ million), `source, reporter`;
        two rows a pair and year, fewer where a flow is missing.

    Raises
    ------
    SourceError
        If the layout or version differs, a state is unknown, a flow is negative, or a pair and
        year stand twice.
    """
    table = open_table(one_file(paths), COLUMNS, encoding=ENCODINGS)
    frame = table.frame
    table.refuse_if(
        frame["ccode1"] == frame["ccode2"], "{ccode1} trades with itself", "Correct one code."
    )
    numbers = frame[["ccode1", "ccode2", "year"]].astype("int64")
    pair = numbers[["ccode1", "ccode2"]]
    key = numbers.assign(low=pair.min(axis=1), high=pair.max(axis=1))
    table.refuse_if(
        key.duplicated(["low", "high", "year"]),
        "the pair {ccode1}, {ccode2} stands twice in {year}",
        "Keep one of the rows.",
    )
    numbers = numbers[numbers["year"] >= FIRST_YEAR]
    codes = {n: _codes(table, numbers, f"ccode{n}") for n in (1, 2)}
    sides = [
        pd.DataFrame(
            {
                "year": numbers["year"],
                "exporter": codes[other],
                "importer": codes[one],
                "value": frame.loc[numbers.index, f"flow{one}"].astype("float64"),
            }
        )
        for one, other in ((1, 2), (2, 1))
    ]
    flows = pd.concat(sides, ignore_index=True)
    flows = flows[(flows["value"] != MISSING) & ~_not_credible(flows)]
    not_empty(flows, table, f"flow from {FIRST_YEAR} on")
    flows = flows.sort_values(["exporter", "importer", "year"], kind="stable", ignore_index=True)
    return {"trade_flows": flows.assign(source=LABEL, reporter="importer")}


def _codes(table: Table, numbers: pd.DataFrame, column: str) -> pd.Series:
    codes = iso3_of_cow(
        numbers[column], table.path, line=lambda n: table.line(int(numbers.index[n]))
    )
    # Number 345 is Yugoslavia until it broke up, then what became Serbia.
    yugoslavia = (codes == "SRB") & (numbers["year"] < YUGOSLAVIA_ENDS)
    return codes.mask(yugoslavia, "YUG")


def _not_credible(flows: pd.DataFrame) -> pd.Series:
    communist = (flows["exporter"] + flows["importer"]).isin(["CHNRUS", "RUSCHN"])
    return communist & flows["year"].between(*_NOT_CREDIBLE) & (flows["value"] == 0)


def coverage(tables: dict[str, pd.DataFrame]) -> tuple[int, int]:
    """First and last year with a flow."""
    years = tables["trade_flows"]["year"]
    return int(years.min()), int(years.max())
