"""What an update says: one JSON object for programs, lines and tables for people.

Invariant: both are made from the same `Updated`; the JSON is strict and on one line.
Guarded by ``tests/test_updating_cli.py``.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from fairweather.updating.intake import rows_of
from fairweather.updating.run import ISSUED

if TYPE_CHECKING:
    import pandas as pd

    from fairweather.issued import Issued
    from fairweather.updating.run import Updated

# Rows of each table that a person is shown.
SHOWN = 8


def one_line(facts: dict[str, Any]) -> str:
    """Write strict JSON on one line; numbers without a JSON form become null.

    Examples
    --------
    >>> one_line({"status": "nothing-new", "k": float("nan")})
    '{"status": "nothing-new", "k": null}'
    """
    from fairweather.provenance import plain

    return json.dumps(plain(facts), allow_nan=False, ensure_ascii=False)


def as_json(done: Updated) -> dict[str, Any]:
    """Lay an update out for programs.

    Returns
    -------
    dict
        ``status, code`` (0), ``id, serial, after`` (the forecast before), ``readings`` (``how, k,
        why, weight, seconds, taken_up`` by reading), ``rows`` by indicator, ``release``,
        ``durability`` by weather (see `durability`), ``influence``, ``due``, ``notes``,
        ``seconds``.
    """
    one = done.one
    renewed = {
        name: {
            "how": run.how, "k": run.k, "why": run.why, "weight": done.terms.weights[name],
            "seconds": run.seconds, "taken_up": run.taken_up,
        }
        for name, run in done.runs.items()
    }  # fmt: skip
    issued = done.status == ISSUED
    return {
        "status": done.status, "code": 0,
        "id": None if one is None else one.id, "serial": None if one is None else one.serial,
        "after": done.before.serial if issued and done.before is not None else None,
        "readings": renewed, "rows": rows_of(done.rows), "release": done.taken,
        "durability": durability(done.before, one) if issued else {},
        "influence": [] if done.influence is None else done.influence.to_dict("records"),
        "due": due(done.due), "notes": done.notes, "seconds": done.seconds,
    }  # fmt: skip


def durability(before: Issued | None, one: Issued | None) -> dict[str, dict[str, Any]]:
    """Durability at the first threshold in the last year, by weather, before and after.

    Returns
    -------
    dict
        By weather ``after`` and its year ``to``, and ``before`` and ``before_to``; None where the
        forecast before does not say it. Each counts from its own origin.
    """
    new, old = _last_year(one), _last_year(before)
    out = {}
    for weather, (chance, year) in new.items():
        was, then = old.get(weather, (None, None))
        out[weather] = {"before": was, "before_to": then, "after": chance, "to": year}
    return out


def _last_year(one: Issued | None) -> dict[str, tuple[float, int]]:
    if one is None or "durability.csv" not in one.files:
        return {}
    table = one.table("durability.csv")
    table = table[table["threshold"].astype(str) == str(table["threshold"].iloc[0])]
    last = table[table["horizon"] == table["horizon"].max()]
    return {
        str(r.scenario): (round(float(r.probability), 4), int(one.facts["origin"]) + int(r.horizon))
        for r in last.itertuples()
    }


def due(scores: pd.DataFrame | None) -> dict[str, Any]:
    """Count what came due and give its mean scores, by forecast."""
    from fairweather.due import FINAL, ISSUED, means

    if scores is None or scores.empty:
        return {"cells": 0}
    own = scores[scores["forecast"] == ISSUED]
    table = means(scores.assign(serial=0, origin=0))
    return {
        "cells": len(own),
        "forecasts": int(own["serial"].nunique()),
        "final": int((own["status"] == FINAL).sum()),
        "revised": int((own["revisions"] > 0).sum()),
        "crps": {r.forecast: round(float(r.crps), 5) for r in table.itertuples()},
        "inside_89": round(float(own["inside_89"].mean()), 4),
    }


def lines(done: Updated) -> list[str]:
    """Say in words what an update did, before any table."""
    out = list(done.notes)
    if done.taken is not None:
        out.append(_release(done.taken))
    for row in [] if done.rows is None else done.rows.to_dict("records"):
        parts = [f"{row[s]:,} {s}" for s in ("new", "changed", "withdrawn") if row[s]]
        out.append(f"  {row['indicator']}: {', '.join(parts)}")
    for name, run in done.runs.items():
        k = "" if run.k is None else f" (Pareto k {run.k:.2f})"
        there = ", by the update that was stopped" if run.taken_up else f" in {run.seconds:.0f} s"
        out.append(f"{name}: {run.how}{k}{there}. {run.why}")
    return [*out, _ending(done)]


def _release(taken: dict[str, Any]) -> str:
    counts = ", ".join(f"{taken[s]:,} {s}" for s in ("new", "changed", "withdrawn"))
    where = f"written to vintages/{taken['folder']}" if taken["folder"] else "nothing is written"
    return (
        f"{taken['format']}, released {taken['released']}: {counts}, {taken['confirmed']:,} "
        f"confirmed; {where}"
    )


def _ending(done: Updated) -> str:
    one = done.one
    if done.status == ISSUED:
        was = "" if one.new else ", as it was before"
        return f"Issued as {one.serial}{was}: {one.id}"
    if done.status == "dry-run":
        return "Something is new: an update would renew and issue. Nothing was written (--dry-run)."
    return f"Nothing is new since forecast {one.serial}: {one.id}"


def present(done: Updated, console: Any, echo: Any) -> None:
    """Print an update for a person.

    Parameters
    ----------
    done : Updated
    console : rich.console.Console
        For tables.
    echo : callable
        For lines, which are never broken.
    """
    from fairweather.issued import diff

    for line in lines(done):
        echo(line)
    if done.status != ISSUED:
        return
    console.print(_durability(durability(done.before, done.one)))
    if done.before is not None and done.before.id != done.one.id:
        moved = diff(done.before, done.one).medians
        if len(moved):
            console.print(_table(
                f"Medians that changed most since forecast {done.before.serial}",
                moved.head(SHOWN), {"a": "before", "b": "now", "in_widths": "in 89 % widths"},
            ))  # fmt: skip
    if done.influence is not None and len(done.influence):
        console.print(_table(
            f"What moved it ({done.terms.best}): durability with an indicator's rows less without",
            done.influence.head(SHOWN), {"mc_error": "MC error"},
        ))  # fmt: skip
    if done.due is not None and len(done.due):
        console.print(scores_table(done.due))


def _durability(found: dict[str, dict[str, Any]]) -> Any:
    import pandas as pd

    rows = [
        {
            "US weather": weather,
            "before": _chance(row["before"], row["before_to"]),
            "now": _chance(row["after"], row["to"]),
        }
        for weather, row in found.items()
    ]
    return _table("Chance of staying above the first level, to the last year", pd.DataFrame(rows),
                  {})  # fmt: skip


def _chance(share: float | None, year: int | None) -> str:
    return "" if share is None else f"{share:.1%} to {year}"


def scores_table(scores: pd.DataFrame) -> Any:
    """Lay the mean scores of what came due out, by issued forecast."""
    from fairweather.due import means

    table = means(scores)
    told = int((scores["revisions"] > 0).groupby(scores["serial"]).sum().sum() > 0)
    caption = "Smaller is better. Provisional: the value may still be revised (docs/update.md)."
    if told:
        caption += " Some values were revised after they had come; the scores are of today's."
    return _table("Scores of what has come, beside plain forecasts", table, {
        "inside_50": "in 50 %", "inside_89": "in 89 %"}, caption)  # fmt: skip


def _table(title: str, table: pd.DataFrame, said: dict[str, str], caption: str = "") -> Any:
    from rich.markup import escape
    from rich.table import Table

    out = Table(title=title, title_justify="left", caption=caption or None,
                caption_justify="left", box=None, pad_edge=False)  # fmt: skip
    for name in table.columns:
        out.add_column(said.get(name, str(name).replace("_", " ")), overflow="fold")
    for row in table.itertuples(index=False):
        out.add_row(*(escape(_cell(v)) for v in row))
    return out


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return "" if value != value else f"{value:.3g}"
    return str(value)


def skill_lines(table: pd.DataFrame, least: int) -> list[str]:
    """Say how much better the issued forecasts were than plain ones, or that it cannot be said."""
    if table.empty:
        return [f"Fewer than {least} values have come: too few to say which forecast is better."]
    out = []
    for row in table.itertuples():
        word = "better" if row.skill > 0 else "worse"
        clear = row.lower > 0 or row.upper < 0
        tail = "." if clear else ": the difference is not clear."
        years = "1 year" if row.years == 1 else f"{row.years} years"
        out.append(
            f"By CRPS {abs(100 * row.skill):.0f} % {word} than {row.against} "
            f"[{100 * row.lower:.0f}, {100 * row.upper:.0f}], {row.cells} values of {years}{tail}"
        )
    return out
