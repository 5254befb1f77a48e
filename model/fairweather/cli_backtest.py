"""The command that makes old forecasts again and scores them.

Exit codes beside those of `fairweather.cli`: 3 if a fit failed; what was done is kept, and the
same command goes on. Nothing heavy is imported before it runs.
Guarded by ``tests/test_cli_backtest.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from fairweather.cli_options import (
    AnySeed,
    Cluster,
    Focal,
    PriorSet,
    ResultsDir,
    States,
    Workers,
)
from fairweather.errors import FairweatherError
from fairweather.readings import READINGS

if TYPE_CHECKING:
    from rich.table import Table

    from fairweather.backtest.page import Backtest

FAILED = 3
First = Annotated[int, typer.Option("--from", help="First origin: forecasts start the year after.")]
Last = Annotated[int | None, typer.Option("--to", help="Last origin.")]
Horizon = Annotated[int, typer.Option("--horizon", min=1, max=10, help="Years ahead.")]
Readings = Annotated[
    list[str] | None,
    typer.Option("--reading", metavar="NAME",
                 help=f"Repeatable; 'all', or some of {', '.join(READINGS)}. Default: four."),
]  # fmt: skip
Draws = Annotated[int | None, typer.Option("--draws", min=50, help="Kept draws a chain, of two.")]
Tune = Annotated[int | None, typer.Option("--tune", min=50, help="Tuning draws a chain.")]
Out = Annotated[
    str | None,
    typer.Option("--out", metavar="DIR", help="Folder, in place of one named after the settings "
                 "under --results. Continued if it is there."),
]  # fmt: skip
ScoreOnly = Annotated[
    bool, typer.Option("--score-only", help="Fit nothing: score what the folder of --out holds.")
]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print only what was found.")]


# What the folder of a backtest has settled for good.
_SETTLED = (
    "first", "last", "horizon", "states", "focal", "priors", "draws", "tune", "seed", "cluster",
    "workers",
)  # fmt: skip


def backtest(
    ctx: typer.Context,
    first: First = 2008,
    last: Last = None,
    horizon: Horizon = 3,
    reading: Readings = None,
    states: States = None,
    focal: Focal = None,
    priors: PriorSet = None,
    draws: Draws = None,
    tune: Tune = None,
    seed: AnySeed = None,
    results: ResultsDir = "results",
    out: Out = None,
    cluster: Cluster = None,
    workers: Workers = None,
    score_only: ScoreOnly = False,
    quiet: Quiet = False,
) -> None:
    """Forecast again from every past year with what was known then, and score the forecasts."""
    from fairweather import names
    from fairweather.backtest import origin as o
    from fairweather.backtest import run as r
    from fairweather.backtest.page import summarise, write
    from fairweather.figures.pit import plot_pit
    from fairweather.figures.skill import plot_skill
    from fairweather.figures.style import save
    from fairweather.pipeline import parse_states
    from fairweather.priors import load_priors
    from fairweather.terminal import console

    chosen = None if reading is None else tuple(READINGS) if reading == ["all"] else tuple(reading)
    if score_only:
        _refuse_settled(ctx)
        if out is None:
            raise r.BacktestError(
                "--score-only reads a folder, and none is named", remedy="Name it with --out DIR."
            )
        done = r.read_backtest(out, readings=None if reading == ["all"] else chosen)
        missing, done["problems"] = done["problems"], {}
        if missing:
            typer.echo(
                f"Fits not done: {len(missing)}, from {next(iter(missing))} on; origins that lack "
                "a reading are left out.",
                err=True,
            )
    else:
        done = r.run_backtest(
            out, results=results, first=first, last=last, horizon=horizon,
            readings=chosen or r.READINGS, states=parse_states(states),
            focal=focal or names.FOCAL, priors=load_priors(priors), draws=draws or o.DRAWS,
            tune=tune or o.TUNE, seed=r.SEED if seed is None else seed, cluster=cluster,
            workers=workers, quiet=quiet, say=(lambda text: None) if quiet else typer.echo,
        )  # fmt: skip
    found = summarise(done)
    files = write(done, found)
    figures = {"skill": plot_skill(found.skill), "pit": plot_pit(found.calibration)}
    for stem, figure in figures.items():
        files += save(figure, stem, done["folder"] / "figures")
    if not quiet:
        console().print(shown(found))
    for sentence in found.sentences:
        typer.echo(sentence)
    for file in files:
        typer.echo(f"Wrote {file}")
    for key, why in found.problems.items():
        typer.echo(f"Failed: {key}: {' '.join(str(why).split())}", err=True)
    if found.problems:
        raise typer.Exit(FAILED)


def _refuse_settled(ctx: typer.Context) -> None:
    """Refuse options that scoring a folder would pass over in silence."""
    given = [
        parameter.opts[0] for parameter in ctx.command.params
        if parameter.name in _SETTLED
        and getattr(ctx.get_parameter_source(parameter.name), "name", "") == "COMMANDLINE"
    ]  # fmt: skip
    if given:
        raise FairweatherError(
            f"{', '.join(given)} cannot be changed with --score-only: the folder has settled it",
            remedy="Leave it out, or run another backtest without --score-only.",
        )


def shown(found: Backtest) -> Table:
    """Lay out the skill of the mixture by years ahead."""
    from rich.markup import escape
    from rich.table import Table

    from fairweather.backtest.page import STATES
    from fairweather.backtest.scored import MIXTURE

    part = found.skill[
        found.skill["by"].isin(["all", "horizon"])
        & (found.skill["forecast"] == MIXTURE)
        & (found.skill["group"].astype(str) != STATES)
    ]
    table = Table(
        title="Stacked forecast: % better than plain ones by CRPS [89 %]", box=None,
        title_justify="left",
    )  # fmt: skip
    table.add_column("better than", no_wrap=True)
    labels = list(dict.fromkeys(part["group"]))
    for label in labels:
        head = "all" if label == "" else f"{label} year{'' if str(label) == '1' else 's'} ahead"
        table.add_column(head, justify="right")
    for against, rows in part.groupby("against", sort=False):
        each = rows.set_index("group")
        cells = [
            "" if k not in each.index else f"{100 * each.loc[k, 'skill']:.0f} "
            f"[{100 * each.loc[k, 'lower']:.0f}, {100 * each.loc[k, 'upper']:.0f}]"
            for k in labels
        ]  # fmt: skip
        # Brackets with a word in them would be read as a style.
        table.add_row(str(against), *map(escape, cells))
    return table
