"""Tables for the terminal; no digit is shown that the number of draws does not support.

Guarded by ``tests/test_tables.py``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.table import Table

from fairweather.unfinished import INCOMPLETE, what_is_left
from fairweather.wording import baseline, percent, points, pretty

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

    from fairweather.archive import Results

_VERDICTS = {"borne out": "green", "contradicted": "red", "undecided": "yellow"}


def durability(table: pd.DataFrame, threshold: str | None = None) -> Table:
    """Lay durability out: scenarios down, years across, the change against the baseline last.

    Parameters
    ----------
    table : DataFrame
        ``durability.csv``: scenario, horizon, threshold, probability, lower, upper, mc_error.
    threshold : str, optional
        Default: the first of the table.

    Returns
    -------
    rich.table.Table

    Examples
    --------
    >>> import fairweather as fw
    >>> durability(fw.open_results("results/RUN").durability)  # doctest: +SKIP
    """
    level = threshold or str(table["threshold"].iloc[0])
    table = table[table["threshold"].astype(str) == level]
    horizons = sorted(table["horizon"].unique())
    scenarios = list(dict.fromkeys(table["scenario"]))
    base = baseline(scenarios)
    out = Table(
        title=f"Chance (%) that the alignment stays above its {level} level, with interval",
        title_justify="left",
        caption=f"Change: percentage points against {pretty(base).lower()}, last year.",
        caption_justify="left",
    )
    out.add_column("US weather")
    for h in horizons:
        out.add_column(f"{h} year{'s' if h > 1 else ''}", justify="right", no_wrap=True)
    out.add_column("change", justify="right")
    rows = table.set_index(["scenario", "horizon"])
    last = horizons[-1]
    for name in scenarios:
        cells = []
        for h in horizons:
            r = rows.loc[(name, h)]
            shown = [percent(r[k], r["mc_error"]) for k in ("probability", "lower", "upper")]
            cells.append(f"{shown[0]} [dim]{escape(f'[{shown[1]}, {shown[2]}]')}[/dim]")
        here, there = rows.loc[(name, last)], rows.loc[(base, last)]
        # As if independent: with shared draws the true error is smaller.
        error = (here["mc_error"] ** 2 + there["mc_error"] ** 2) ** 0.5
        change = "" if name == base else points(here["probability"] - there["probability"], error)
        out.add_row(escape(pretty(name)), *cells, change)
    return out


def diagnostics(facts: dict[str, Any]) -> Table:
    """Lay out the convergence summary of a run.

    Parameters
    ----------
    facts : dict
        ``diagnostics`` of ``run.json``.
    """
    out = Table(title="Convergence", title_justify="left", show_header=False)
    out.add_column("statistic")
    out.add_column("value", justify="right")
    for key, value in facts.items():
        if key == "failures":
            continue
        if key == "passed":
            shown = "[green]passed[/green]" if value else "[red]failed[/red]"
        elif isinstance(value, float) and not value.is_integer():
            shown = f"{value:.3f}" if abs(value) < 10 else f"{value:.0f}"
        elif isinstance(value, (int, float)):
            shown = f"{value:.0f}"
        else:
            shown = escape(str(value))
        out.add_row("gate" if key == "passed" else key.replace("_", " "), shown)
    return out


def claims(table: pd.DataFrame) -> Table:
    """Lay out the verdicts on the claims.

    Parameters
    ----------
    table : DataFrame
        ``claims.csv``.
    """
    out = Table(
        title="Claims",
        title_justify="left",
        caption="Preliminary and in-sample: the record that fitted the model also judges.",
        caption_justify="left",
    )
    for name in ("claim", "statement", "estimate", "posterior", "prior", "verdict"):
        right = name in ("estimate", "posterior", "prior")
        out.add_column(name, justify="right" if right else "left")
    for r in table.to_dict("records"):
        verdict = str(r["verdict"])
        color = _VERDICTS.get(verdict)
        out.add_row(
            escape(str(r["claim_id"])),
            escape(str(r["statement"])),
            _estimate(r["value"], r["lower"], r["upper"]),
            _share(r["probability"]),
            _share(r["prior_probability"]),
            f"[{color}]{verdict}[/{color}]" if color else escape(verdict),
        )
    return out


def files(path: str | Path) -> Table:
    """List the files of a run."""
    path = Path(path)
    what = {
        "run.json": "what the run rests on",
        "durability.csv": "durability by scenario, year and threshold",
        "forecast.csv": "forecasts of the indicators",
        "claims.csv": "verdicts",
        "diagnostics.csv": "convergence by quantity",
        "figures": "figures, PDF and PNG with captions",
        "posterior.zarr": "draws of the fit",
        "forecast.zarr": "draws of the forecast",
    }
    out = Table(show_header=False, box=None)
    for name, text in what.items():
        if (path / name).exists():
            out.add_row(name, text)
    return out


def show(results: Results, console: Console) -> None:
    """Print everything a run has to say.

    Parameters
    ----------
    results : Results
        An archived run.
    console : rich.console.Console
    """
    run = results.run
    if results.status == INCOMPLETE:
        console.print(f"[bold]{escape(results.id)}[/bold]  {escape(what_is_left(results.path))}")
        return
    model, data = run["model"], run["data"]
    day = f"as of {data['as_of']}" if data["as_of"] else "full record"
    console.print(
        f"[bold]{escape(results.id)}[/bold]  {results.status}\n"
        f"{model['focal']}, {data['years'][0]}-{data['years'][1]}, {len(data['states'])} states, "
        f"{day}; reading {model['reading']}, priors {run['priors']['id']}, seed {run['seed']}"
    )
    if results.has("durability.csv"):
        console.print(durability(results.durability))
    if results.has("claims.csv"):
        console.print(claims(results.claims))
    console.print(diagnostics(run["diagnostics"]))
    for sentence in run["diagnostics"]["failures"]:
        console.print(f"  {escape(sentence)}", style="red")
    # Never broken over lines, so that it can be copied.
    console.print(f"Files in {escape(str(results.path))}", style="italic", soft_wrap=True)
    console.print(files(results.path))


def _estimate(value: Any, lower: Any, upper: Any) -> str:
    if value != value or value is None:
        return ""
    if lower != lower or upper != upper:
        return f"{value:.2g}"
    # One digit beyond the width of the interval is noise.
    width = abs(upper - lower)
    digits = 0 if width >= 10 else 1 if width >= 1 else 2
    return escape(f"{value:.{digits}f} [{lower:.{digits}f}, {upper:.{digits}f}]")


def _share(value: Any) -> str:
    return "" if value is None or value != value else percent(float(value), 0.01) + " %"
