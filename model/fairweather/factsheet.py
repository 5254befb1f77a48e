"""An indicator's description as it is printed: every number with what it is a number of.

Guarded by ``tests/test_describe.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
from rich.markup import escape
from rich.table import Table

from fairweather.coverage import spans

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console

    from fairweather.describe import Description

_UNITS = {"dyad": "pair", "state": "state", "directed": "direction"}


def facts(found: Description) -> Table:
    """Lay out the codebook entry and the source.

    Parameters
    ----------
    found : Description

    Returns
    -------
    rich.table.Table
    """
    one, source = found.entry, found.source
    out = _table("What it is", header=False)
    use = "default fit" if one.default else f"left aside: {one.aside}"
    sign = "more" if one.sign > 0 else "less"
    rows = {
        "measures": f"{one.latent}, {one.domain}; more of it means {sign} {one.latent}",
        "family": one.family + (" (anchor)" if one.anchor else ""),
        "used": use,
        "value": one.transform,
        "units": one.units,
        "coverage": one.coverage,
        "zero": one.zero,
        "breaks": one.breaks,
        "known": f"{one.release_lag_days} days after the year",
        "why": one.why,
        "source": source.citation,
        "publisher": source.publisher,
        "licence": source.licence,
        "version": source.version,
        "read from": source.read + (f", by {source.read_on}" if source.read_on else ""),
        "note": source.note,
    }
    for name, text in rows.items():
        if text:
            out.add_row(name, escape(text))
    return out


def extent(found: Description) -> Table:
    """Lay out how much of it there is: rows, units, years, gaps, zeros.

    Parameters
    ----------
    found : Description

    Returns
    -------
    rich.table.Table
    """
    one, years = found.entry, found.years
    out = _table("What there is", header=False)
    old = found.history_rows
    rows = f"{found.rows:,}" + (f", {old:,} of them before {one.first_year}" if old else "")
    out.add_row("rows", rows)
    if years.empty:
        return out
    fullest = years.loc[(years["units"] / years["possible"].clip(lower=1)).idxmax()]
    kind = _UNITS[one.units_are] + ("" if found.units == 1 else "s")
    out.add_row(
        "units",
        f"{found.units} {kind}; at most {fullest['units']:.0f} of "
        f"{fullest['possible']:.0f} in a year ({fullest['year']:.0f})",
    )
    out.add_row("years", spans(years["year"]))
    missing = [year for a, b in found.gaps for year in range(a, b + 1)]
    out.add_row("gaps", spans(missing) or "none")
    if found.zeros is not None:
        out.add_row("true zeros", f"{100 * found.zeros:.0f} % of rows")
    return out


def by_year(found: Description) -> Table:
    """Lay out the rows of each year, a decade a line; a dot is a year without any.

    Parameters
    ----------
    found : Description

    Returns
    -------
    rich.table.Table
    """
    rows = {int(y): str(n) for y, n in zip(found.years["year"], found.years["rows"], strict=True)}
    return _decades("Rows by year", rows)


def releases(found: Description) -> Table:
    """Lay out what later vintages did.

    Parameters
    ----------
    found : Description

    Returns
    -------
    rich.table.Table
    """
    out = _table("Later releases")
    for name in found.releases.columns:
        out.add_column(name, justify="left" if name == "day" else "right")
    for row in found.releases.itertuples(index=False):
        out.add_row(*(str(cell) for cell in row))
    return out


def series(found: Description) -> list[Table]:
    """Lay out the values of each shown unit, a decade a line.

    Parameters
    ----------
    found : Description

    Returns
    -------
    list of rich.table.Table
        One for each unit that has rows.
    """
    family = found.entry.family
    out = []
    for unit, rows in found.series.groupby("unit", sort=False):
        cells: dict[int, str] = {}
        for row in rows.itertuples(index=False):
            year, text = int(row.year), value_text(row, family)
            cells[year] = f"{cells[year]} {text}" if year in cells else text
        out.append(_decades(f"{unit}: {_how(family)}", cells))
    return out


def value_text(row: object, family: str) -> str:
    """Write one row's value as short as its family allows.

    Examples
    --------
    >>> from types import SimpleNamespace as Row
    >>> value_text(Row(value=3.0, n=5.0), "share"), value_text(Row(value=0.5, n=None), "driver")
    ('3/5', '0.5')
    """
    if family == "vote":
        return f"{row.value:.0f}+{row.partial:.0f}/{row.n:.0f}"
    if family == "share":
        return f"{row.value:.0f}/{row.n:.0f}"
    text = f"{row.value:.3g}"
    if family == "count" and pd.notna(row.n) and row.n != 1:
        return f"{text}/{row.n:.3g}"
    if family == "ordinal" and row.rater:
        return f"{text} ({row.rater})"
    return text


def show(found: Description, console: Console) -> None:
    """Print everything the record has to say of an indicator.

    Parameters
    ----------
    found : Description
    console : rich.console.Console
    """
    console.print(f"[bold]{escape(found.entry.id)}[/bold]  {escape(found.entry.label)}")
    for table in (facts(found), extent(found), by_year(found)):
        console.print(table)
    if not found.releases.empty:
        console.print(releases(found))
    for table in series(found):
        console.print(table)
    silent = [u for u in found.shown if u not in set(found.series["unit"])]
    if silent:
        console.print(f"No row about {', '.join(silent)}.", style="italic")


def _how(family: str) -> str:
    return {
        "vote": "same votes + half-same / all votes",
        "share": "successes / trials",
        "count": "events (/ exposure)",
    }.get(family, "value")


def _decades(title: str, cells: dict[int, str]) -> Table:
    out = _table(title)
    out.add_column("")
    for digit in range(10):
        out.add_column(str(digit), justify="right", no_wrap=True)
    for decade in _range(cells):
        line = [cells.get(decade + digit, "·") for digit in range(10)]
        out.add_row(f"{decade}s", *(escape(cell) for cell in line))
    return out


def _range(years: Iterable[int]) -> range:
    years = list(years)
    if not years:
        return range(0)
    return range(min(years) // 10 * 10, max(years) + 1, 10)


def _table(title: str, *, header: bool = True) -> Table:
    out = Table(title=title, title_justify="left", show_header=header)
    if not header:
        out.add_column("what", no_wrap=True)
        out.add_column("text")
    return out
