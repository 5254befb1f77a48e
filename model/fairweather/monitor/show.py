"""A look at the running year as tables for the terminal, and as strict JSON.

Guarded by ``tests/test_monitor_watch.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.table import Table

from fairweather.monitor.watch import PROVISIONAL
from fairweather.monitor.words import headline, moved, split
from fairweather.provenance import plain

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

    from fairweather.monitor.watch import Watch


def show(one: Watch, console: Console) -> None:
    """Print everything a look found, the sentence that matters last.

    Parameters
    ----------
    one : Watch
    console : rich.console.Console
    """
    console.print(indicators(one))
    console.print(latents(one))
    console.print(parts(one))
    if one.influence is not None:
        console.print(rows(one))
    console.print(f"[bold]{escape(headline(one))}[/bold]")
    console.print(escape(split(one)))
    for note in one.notes:
        console.print(escape(note), style="yellow")
    console.print(PROVISIONAL, style="italic")


def number(x: Any) -> str:
    """Write a value with two decimals at most, blank where there is none.

    Examples
    --------
    >>> number(0.78448), number(12.0), number(float("nan")), number(1044.25)
    ('0.78', '12', '', '1044')
    """
    if x is None or x != x:
        return ""
    whole = float(x).is_integer() or abs(x) >= 100
    return f"{x:.0f}" if whole else f"{x:.2f}"


def _interval(row: dict[str, Any], level: int) -> str:
    low, high = number(row[f"lower_{level}"]), number(row[f"upper_{level}"])
    return escape(f"[{low}, {high}]") if low else ""


def indicators(one: Watch) -> Table:
    """Lay out the nowcast of the indicators: the whole running year, the part seen included."""
    w = one.warning
    out = Table(
        title=f"Indicators of {w.focal} in {w.now}: the whole year, given the part seen",
        title_justify="left", caption="Before: last year on record. Shares are of votes or trials; "
        "events are counted, others as in the codebook. None: the record says nothing of its rate.",
        caption_justify="left",
    )  # fmt: skip
    out.add_column("indicator", no_wrap=True)
    out.add_column("unit", no_wrap=True)
    for name in ("before", "seen", "through", "median", "50 %", "89 %"):
        out.add_column(name, justify="right", no_wrap=True)
    out.add_column("in", no_wrap=True)
    for row in one.nowcast.indicators.to_dict("records"):
        last = row["last"]
        before = f"{number(row['before'])} ({int(last)})" if last == last else "none"
        told = row["median"] == row["median"]
        out.add_row(
            escape(row["indicator"]), row["unit"], before, number(row["seen"]),
            f"{row['through']:%m-%d}" if row["through"] else "",
            number(row["median"]) if told else "none",
            _interval(row, 50), _interval(row, 89), row["units"],
        )  # fmt: skip
    return out


def latents(one: Watch) -> Table:
    """Lay out alignment and pressure now, beside the origin of the last issue."""
    w = one.warning
    out = Table(title=f"Where the pair stands in {w.now}", title_justify="left")
    out.add_column("quantity")
    for name in (str(w.since), str(w.now), "50 %", "89 %", f"below {w.since}"):
        out.add_column(name, justify="right", no_wrap=True)
    out.add_column("in")
    for row in one.nowcast.latents.to_dict("records"):
        out.add_row(
            row["quantity"], f"{row['before']:.2f}", f"{row['median']:.2f}",
            *(escape(f"[{row[f'lower_{k}']:.2f}, {row[f'upper_{k}']:.2f}]") for k in (50, 89)),
            f"{100 * row['lower']:.0f} %", row["units"],
        )  # fmt: skip
    return out


def parts(one: Watch) -> Table:
    """Lay out what moved durability, by state."""
    w = one.warning
    out = Table(
        title=f"What moved durability since {w.since}", title_justify="left",
        caption="Mean and 89 % interval; parts add up.",
        caption_justify="left",
    )  # fmt: skip
    out.add_column("part")
    out.add_column("change", justify="right")
    out.add_column("89 %", justify="right")
    for row in w.parts.to_dict("records"):
        error = row["mc_error"]
        low, high = (moved(row[k], error).split()[0] for k in ("lower", "upper"))
        out.add_row(row["part"], moved(row["change"], error), escape(f"[{low}, {high}]"))
    return out


def rows(one: Watch) -> Table:
    """Lay out what the rows of each indicator did to the probability that durability fell."""
    out = Table(
        title="What the rows of the year did to the probability",
        title_justify="left", caption="With the rows less without them. Pareto k above 0.7 (less "
        "with few draws): the weights do not hold, and no number is given.",
        caption_justify="left",
    )  # fmt: skip
    out.add_column("indicator")
    for name in ("rows", "probability", "mean change", "Pareto k"):
        out.add_column(name, justify="right")
    for row in one.influence.to_dict("records"):
        told = row["fell"] == row["fell"]
        out.add_row(
            escape(row["indicator"]), str(row["rows"]),
            moved(row["fell"], row["fell_error"]) if told else "",
            moved(row["change"], row["change_error"]) if told else "", f"{row['k']:.2f}",
        )  # fmt: skip
    return out


def as_json(one: Watch) -> dict[str, Any]:
    """Lay a look out as strict JSON.

    Parameters
    ----------
    one : Watch

    Returns
    -------
    dict
        NaN as None; tables as lists of rows.
    """
    w = one.warning
    names = (
        "focal", "since", "now", "horizon", "threshold", "verdict", "fell", "fell_error", "then",
        "then_error", "today", "today_error", "change", "lower", "upper", "change_error",
    )  # fmt: skip
    earlier = None
    if one.earlier is not None:
        earlier = {k: getattr(one.earlier, k) for k in ("serial", "id", "issued_at", "origin")}
        earlier |= {"probability": one.issued, "of": one.issued_as}
    return plain({
        "provisional": True, "sentence": headline(one), "detail": split(one),
        "reading": one.reading, "priors": one.priors, "fit": one.how,
        "warning": {k: getattr(w, k) for k in names} | {"parts": _records(w.parts)},
        "issued": earlier, "learned": one.learned, "happened": one.happened,
        "influence": None if one.influence is None else _records(one.influence),
        "indicators": _records(one.nowcast.indicators), "latents": _records(one.nowcast.latents),
        "notes": one.notes,
    })  # fmt: skip


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return table.to_dict("records")
