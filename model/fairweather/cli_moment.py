"""The command that goes back to the moment of the brief: what would have been forecast, what came.

Exit codes as in `fairweather.cli`: 2 if anything is refused, before any fit; 3 if a fit failed or
its draws do not meet the bar, after all are done. Fits that are archived are not made again.
Nothing heavy is imported before it runs. Guarded by ``tests/test_moment.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from fairweather.cli_options import (
    Chains,
    Draws,
    Readings,
    ResultsDir,
    RootSeed,
    States,
    TargetAccept,
    Tune,
    Workers,
)

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from rich.table import Table

FAILED, INTERRUPTED = 3, 130
DEFAULT = "elastic-side,drift"
# A panel of 25 years wants smaller steps and a longer tuning than one of 33.
TARGET, TUNING = 0.9, 800

Horizon = Annotated[int, typer.Option("--horizon", min=1, max=8, help="Years after 2016.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print only where the pages are.")]


def moment(
    reading: Readings = DEFAULT,
    states: States = None,
    draws: Draws = None,
    tune: Tune = TUNING,
    chains: Chains = 4,
    target_accept: TargetAccept = TARGET,
    seed: RootSeed = 1,
    horizon: Horizon = 8,
    results: ResultsDir = "results",
    workers: Workers = None,
    quiet: Quiet = False,
) -> None:
    """Forecast 2017-2024 from the end of 2016 and hold it against what came, and the brief."""
    from fairweather.archive import open_results
    from fairweather.figures.moment import plot_moment
    from fairweather.moment import DAY, expectations
    from fairweather.moment import moment as look_back
    from fairweather.moment_page import save
    from fairweather.panel import load_panel
    from fairweather.pipeline import parse_states
    from fairweather.record import load_record
    from fairweather.refits import carry_out, plan
    from fairweather.terminal import console

    members, scenarios = parse_states(states), expectations()
    fits = plan(
        [DAY], readings=[x.strip() for x in reading.split(",") if x.strip()], states=members,
        draws=draws, tune=tune, chains=chains, target_accept=target_accept, seed=seed,
        results=results,
    )  # fmt: skip
    try:
        table = carry_out(fits, workers=workers, quiet=quiet)
    except KeyboardInterrupt:
        typer.secho(
            "fairweather: interrupted; finished fits are archived and whole chains kept. The same "
            "command goes on from there",
            fg=typer.colors.RED, err=True,
        )  # fmt: skip
        raise typer.Exit(INTERRUPTED) from None
    record = load_record()
    then, now = (load_panel(x, states=members) for x in (record.known_on(DAY), record))
    for row in table[table["passed"]].itertuples():
        run = open_results(row.folder)
        found = look_back(
            run.tree.load(), then, now, horizon=horizon, random_seed=seed, scenarios=scenarios
        )
        folder = save(found, run.id, results, plot_moment(found))
        if quiet:
            typer.echo(str(folder))
        else:
            present(found, console(), folder)
    bad = table[~table["passed"]]
    for row in bad.itertuples():
        problem = " ".join(str(row.problem).split()).rstrip(".")
        if row.folder:
            problem += "; no forecast is made. Ask for more --draws or --tune"
        typer.secho(f"fairweather: {row.reading}: {problem}", fg=typer.colors.RED, err=True)
    if len(bad):
        raise typer.Exit(FAILED)


def present(found: xr.DataTree, console: object, folder: object) -> None:
    """Print what one reading has to say.

    Parameters
    ----------
    found : DataTree
        From `fairweather.moment.moment`.
    console : rich.console.Console
    folder : Path
    """
    from rich.markup import escape

    from fairweather.moment_tables import score_rows, score_table, sentences
    from fairweather.moment_words import words

    a = found.attrs
    console.print(f"[bold]As of {a['day']}[/bold], reading {a['reading']}, priors {a['priors_id']}")
    for text in sentences(found):
        console.print(f"  {escape(text)}")
    console.print(said(words(found)))
    rows = score_rows(found)
    for by in ("domain", "horizon"):
        console.print(scored(score_table(rows, by), by))
    console.print(f"Written to {escape(str(folder))}", style="italic", soft_wrap=True)


def said(table: pd.DataFrame) -> Table:
    """Lay the brief's words beside forecast and outcome."""
    from rich.markup import escape
    from rich.table import Table

    out = Table(title="The brief's words", title_justify="left")
    for name in table.columns:
        out.add_column(name)
    for row in table.itertuples(index=False):
        out.add_row(*(escape(str(x)) for x in row))
    return out


def scored(table: pd.DataFrame, by: str) -> Table:
    """Lay out mean CRPS by forecast, with coverage under the weather that came."""
    from rich.table import Table

    from fairweather.moment_rows import CAME, FORECASTS

    out = Table(
        title=f"CRPS by {by}, in SD of each series' past (smaller is better)", box=None,
        title_justify="left",
    )  # fmt: skip
    out.add_column(by)
    for name in ("rows", "series", *FORECASTS, "inside 50 %", "inside 90 %"):
        out.add_column(name, justify="right")
    for group, part in table.groupby("group", sort=False):
        mine = part.set_index("forecast")
        came = mine.loc[CAME]
        out.add_row(
            str(group), str(came["rows"]), str(came["series"]),
            *(f"{mine.loc[name, 'crps_sd']:.2f}" for name in FORECASTS),
            f"{100 * came['inside_50']:.0f} %", f"{100 * came['inside_90']:.0f} %",
        )  # fmt: skip
    return out
