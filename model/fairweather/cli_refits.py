"""The command that fits the model anew for many dates, readings and prior sets.

Exit codes as in `fairweather.cli`: 2 if anything is refused, before any fit; 3 if a fit failed or
its draws do not meet the bar, after all are done. Nothing heavy is imported before it runs.
Guarded by ``tests/test_refits.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from fairweather.cli_options import (
    Chains,
    Draws,
    Focal,
    Readings,
    ResultsDir,
    RootSeed,
    States,
    TargetAccept,
    Tune,
    Workers,
)
from fairweather.readings import DEFAULT
from fairweather.samplers import TARGET_ACCEPT

if TYPE_CHECKING:
    import pandas as pd
    from rich.table import Table

FAILED, INTERRUPTED = 3, 130

AsOf = Annotated[
    str | None,
    typer.Option("--as-of", metavar="DATE,DATE,...", help="One fit with the data of each day."),
]
PriorSet = Annotated[
    str | None, typer.Option("--priors", metavar="FILE|NAME,...", help="Prior beliefs.")
]
Cluster = Annotated[
    str | None,
    typer.Option("--cluster", metavar="tcp://HOST:PORT",
                 help="A Dask scheduler whose workers see the folder of results."),
]  # fmt: skip
Quiet = Annotated[bool, typer.Option("--quiet", help="Print only where the runs are.")]


def refits(
    as_of: AsOf = None,
    reading: Readings = DEFAULT,
    priors: PriorSet = None,
    states: States = None,
    focal: Focal = None,
    draws: Draws = None,
    tune: Tune = None,
    chains: Chains = 4,
    target_accept: TargetAccept = TARGET_ACCEPT,
    seed: RootSeed = 1,
    results: ResultsDir = "results",
    cluster: Cluster = None,
    workers: Workers = None,
    quiet: Quiet = False,
) -> None:
    """Fit the model for every date, reading and prior set named; go on where it was stopped."""
    from fairweather.pipeline import parse_states
    from fairweather.refits import carry_out, plan
    from fairweather.terminal import console

    fits = plan(
        [None] if as_of is None else _listed(as_of), readings=_listed(reading),
        priors=[None] if priors is None else _listed(priors), states=parse_states(states),
        focal=focal, draws=draws, tune=tune, chains=chains, target_accept=target_accept,
        seed=seed, results=results,
    )  # fmt: skip
    try:
        table = carry_out(fits, cluster=cluster, workers=workers, quiet=quiet)
    except KeyboardInterrupt:
        typer.secho(
            "fairweather: interrupted; finished fits are archived and whole chains kept. The same "
            "command goes on from there",
            fg=typer.colors.RED, err=True,
        )  # fmt: skip
        raise typer.Exit(INTERRUPTED) from None
    if quiet:
        for folder in table.loc[table["folder"] != "", "folder"]:
            typer.echo(folder)
    else:
        console().print(outcomes(table))
    bad = table[~table["passed"]]
    for row in bad.to_dict("records"):
        typer.secho(f"fairweather: {_told(row)}", fg=typer.colors.RED, err=True)
    if len(bad):
        raise typer.Exit(FAILED)


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _told(row: dict[str, Any]) -> str:
    name = f"{row['as_of'] or 'full record'}, {row['reading']}, {row['priors']}"
    return f"{name}: {' '.join(row['problem'].split())}"


def outcomes(table: pd.DataFrame) -> Table:
    """Lay out how the fits came out.

    Parameters
    ----------
    table : DataFrame
        From `fairweather.refits.carry_out`.

    Returns
    -------
    rich.table.Table
    """
    from pathlib import Path

    from rich.markup import escape
    from rich.table import Table

    passed, n = int(table["passed"].sum()), len(table)
    out = Table(title=f"{passed} of {n} fits passed", title_justify="left", box=None)
    for name in ("as of", "reading", "priors", "gate"):
        out.add_column(name, no_wrap=True)
    for name in ("max R-hat", "min ESS", "seconds"):
        out.add_column(name, justify="right")
    out.add_column("folder", overflow="fold")
    for r in table.itertuples():
        nothing = not r.folder
        gate = "passed" if r.passed else "no draws" if nothing else "failed"
        numbers = ("", "", "")
        if not nothing:
            numbers = (f"{r.max_rhat:.3f}", f"{r.min_ess:.0f}", f"{r.seconds:.0f}")
        out.add_row(
            r.as_of or "full record", r.reading, escape(r.priors),
            f"[{'green' if r.passed else 'red'}]{gate}[/]", *numbers,
            escape(Path(r.folder).name if r.folder else ""),
        )  # fmt: skip
    return out
