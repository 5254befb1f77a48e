"""The command that looks at the running year: a nowcast, and whether durability fell.

Exit codes beside those of `fairweather.cli`: 6 if the probability that durability fell exceeds
``--fail-above``. Nothing heavy is imported before it runs. Guarded by
``tests/test_monitor_cli.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from fairweather.cli_issued import StoreDir
from fairweather.cli_options import (
    Chains,
    Draws,
    Focal,
    PriorSet,
    ResultsDir,
    States,
    TargetAccept,
    Tune,
)
from fairweather.errors import FairweatherError
from fairweather.readings import READINGS

if TYPE_CHECKING:
    import datetime as dt

EXCEEDED = 6
# A handful of states diverges at larger steps, and one look may be of any.
_ACCEPT = 0.8

RowsFile = Annotated[
    str | None,
    typer.Option("--rows", metavar="FILE", help="Rows of the year that is not over (CSV)."),
]
Template = Annotated[
    str | None,
    typer.Option("--template", metavar="FILE", help="Write an empty file of rows, and stop."),
]
Reading = Annotated[
    str | None,
    typer.Option("--reading", metavar="NAME",
                 help=f"One of {', '.join(READINGS)}. Default: the best of the last issue."),
]  # fmt: skip
Horizon = Annotated[int, typer.Option("--horizon", min=1, max=10, help="Years ahead.")]
Today = Annotated[
    str | None, typer.Option("--today", metavar="DATE", help="In place of the clock's day.")
]
FailAbove = Annotated[
    float | None,
    typer.Option("--fail-above", metavar="P", min=0.0, max=1.0,
                 help="Exit with 6 if the probability that durability fell exceeds P."),
]  # fmt: skip
Seed = Annotated[int, typer.Option("--seed", min=0, help="Random seed.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print only the sentence.")]


def monitor(
    rows: RowsFile = None,
    template: Template = None,
    store: StoreDir = "forecasts",
    results: ResultsDir = "results",
    reading: Reading = None,
    horizon: Horizon = 5,
    today: Today = None,
    fail_above: FailAbove = None,
    states: States = None,
    focal: Focal = None,
    priors: PriorSet = None,
    draws: Draws = None,
    tune: Tune = None,
    chains: Chains = 4,
    seed: Seed = 1,
    target_accept: TargetAccept = _ACCEPT,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Look at the year that is not over: where things stand, and whether durability fell."""
    from fairweather import samplers
    from fairweather.monitor import Asked, watch
    from fairweather.monitor.fitting import fit_running
    from fairweather.monitor.watch import DRAWS
    from fairweather.pipeline import parse_states
    from fairweather.readings import get_reading

    if reading is not None:
        get_reading(reading)
    _refuse_both(template, rows, fail_above)
    asked = Asked(
        rows=rows, store=store, results=results, reading=reading, priors=priors, focal=focal,
        states=parse_states(states), horizon=horizon, today=_day(today),
        settings=samplers.Settings(
            draws=draws or DRAWS, tune=tune or samplers.TUNE, chains=chains, seed=seed,
            target_accept=target_accept, progressbar=not (quiet or json),
        ),
    )  # fmt: skip
    if template is not None:
        from fairweather.monitor.template import write_template
        from fairweather.monitor.watch import prepare

        typer.echo(f"Written: {write_template(template, prepare(asked)[1])}")
        return
    found = watch(asked, fit=fit_running, say=_teller(quiet or json))
    _print(found, json, quiet)
    if fail_above is not None and found.warning.fell > fail_above:
        raise typer.Exit(EXCEEDED)


def _refuse_both(template: str | None, rows: str | None, fail_above: float | None) -> None:
    """Refuse a template together with what asks for a look: a script would take it for one."""
    looks = {"--rows": rows, "--fail-above": fail_above}
    given = [name for name, value in looks.items() if value is not None]
    if template is not None and given:
        raise FairweatherError(
            f"{', '.join(given)} with --template, which only writes an empty file",
            remedy="Write the file first, fill it, and look with --rows FILE.",
        )


def _print(found: Any, json: bool, quiet: bool) -> None:
    from fairweather.monitor.show import as_json, show
    from fairweather.monitor.words import headline
    from fairweather.terminal import console

    if json:
        from json import dumps

        typer.echo(dumps(as_json(found), indent=1, ensure_ascii=False, allow_nan=False))
    elif quiet:
        typer.echo(headline(found))
    else:
        show(found, console())
    if json or quiet:
        for note in found.notes:
            typer.echo(f"fairweather: {note}", err=True)


def _day(text: str | None) -> dt.date | None:
    if text is None:
        return None
    from fairweather.record import as_date

    return as_date(text)


def _teller(quiet: bool) -> Any:
    return (lambda text: None) if quiet else (lambda text: typer.echo(text, err=True))
