"""The command line: asks, hands on, and turns every refusal into one line and an exit code.

Exit codes: 0 done, 1 unforeseen, 2 refused (bad input, a file that cannot be read or written), 3
the draws do not meet the bar, 4 what is stored has problems, 5 another update is running, 130
interrupted. Nothing heavy is imported before a command runs. Guarded by ``tests/test_cli.py``.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from fairweather import cli_changes  # noqa: F401  (adds its commands to data_app)
from fairweather.cli_backtest import backtest
from fairweather.cli_calibrate import calibrate
from fairweather.cli_claims import claims
from fairweather.cli_contest import contest
from fairweather.cli_data import data_app
from fairweather.cli_doctor import doctor
from fairweather.cli_export import export
from fairweather.cli_issued import (
    StoreDir,
    diff,
    is_key,
    issue,
    list_issued,
    show_issued,
    verify,
)
from fairweather.cli_moment import moment
from fairweather.cli_monitor import monitor
from fairweather.cli_options import (
    Chains,
    Draws,
    Focal,
    PriorSet,
    Reading,
    ResultsDir,
    States,
    TargetAccept,
    Tune,
)
from fairweather.cli_priors import priors
from fairweather.cli_refits import refits
from fairweather.cli_update import score, update
from fairweather.errors import ConvergenceError, FairweatherError
from fairweather.readings import DEFAULT, READINGS
from fairweather.samplers import DEFAULT as SAMPLER
from fairweather.samplers import SAMPLERS, TARGET_ACCEPT

REFUSED, NOT_CONVERGED, INTERRUPTED = 2, 3, 130


class _Guarded(TyperGroup):
    """The group of commands, ending in an exit code rather than a traceback."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except ConvergenceError as err:
            code = _complain(err, NOT_CONVERGED)
        except FairweatherError as err:
            code = _complain(err, REFUSED)
        except BrokenPipeError:
            raise
        except OSError as err:
            what = f"'{err.filename}': " if err.filename else ""
            remedy = "Check the path, its permissions and the space on the disk."
            code = _complain(f"{what}{err.strerror or err}. {remedy}", REFUSED)
        except KeyboardInterrupt:
            code = _complain(
                "interrupted; what was whole is kept and taken up by the same command",
                INTERRUPTED,
            )
        raise typer.Exit(code)


def _complain(what: object, code: int) -> int:
    text = " ".join(str(what).split())
    typer.secho(f"fairweather: {text}", fg=typer.colors.RED, err=True)
    return code


app = typer.Typer(
    cls=_Guarded, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
    help="How long will this alignment last, under which US weather? Measured and forecast.",
)  # fmt: skip
app.add_typer(data_app, name="data")
app.command()(backtest)
app.command()(calibrate)
app.command()(claims)
app.command()(contest)
app.command()(diff)
app.command()(doctor)
app.command()(export)
app.command()(issue)
app.command("list")(list_issued)
app.command()(moment)
app.command()(monitor)
app.command()(priors)
app.command()(refits)
app.command()(score)
app.command()(update)
app.command()(verify)

AsOf = Annotated[
    str | None, typer.Option("--as-of", metavar="DATE", help="Use only data available that day.")
]
ScenarioFile = Annotated[
    str | None, typer.Option("--scenarios", metavar="FILE", help="US weather to forecast under.")
]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Random seed.")]
Horizon = Annotated[int, typer.Option("--horizon", min=1, max=10, help="Years ahead.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print only where the run is.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace a run of the same id.")]
Sampler = Annotated[
    str, typer.Option("--sampler", metavar="NAME", help=f"One of {', '.join(SAMPLERS)}.")
]
From = Annotated[
    str | None, typer.Option("--from", metavar="RUN", help="Forecast from an archived fit.")
]


@app.callback(invoke_without_command=True)
def _main(
    ctx: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        from fairweather import __version__

        typer.echo(__version__)
        raise typer.Exit


@app.command()
def fit(
    as_of: AsOf = None,
    reading: Reading = DEFAULT,
    priors: PriorSet = None,
    states: States = None,
    focal: Focal = None,
    draws: Draws = None,
    tune: Tune = None,
    chains: Chains = 4,
    seed: Seed = 1,
    sampler: Sampler = SAMPLER,
    target_accept: TargetAccept = TARGET_ACCEPT,
    results: ResultsDir = "results",
    quiet: Quiet = False,
    overwrite: Overwrite = False,
) -> None:
    """Fit the model to the record and archive the draws."""
    from fairweather.archive import save_results
    from fairweather.clock import Clock
    from fairweather.pipeline import Settings, check, run_fit

    clock = Clock()
    settings = Settings(
        as_of=as_of, reading=reading, priors=priors, states=states, focal=focal, draws=draws,
        tune=tune, chains=chains, seed=seed, results=results, quiet=quiet, overwrite=overwrite,
        sampler=sampler, target_accept=target_accept,
    )  # fmt: skip
    inputs = check(settings, clock, forecasts=False)

    def archive(tree: Any, report: Any) -> Path:
        return save_results(
            tree, gate=report, results_dir=results, clock=clock, overwrite=overwrite
        )

    _present(run_fit(settings, inputs, clock, _teller(quiet), archive), quiet)


@app.command()
def forecast(
    ctx: typer.Context,
    source: From = None,
    as_of: AsOf = None,
    reading: Reading = DEFAULT,
    priors: PriorSet = None,
    scenarios: ScenarioFile = None,
    states: States = None,
    focal: Focal = None,
    draws: Draws = None,
    tune: Tune = None,
    chains: Chains = 4,
    seed: Seed = 1,
    target_accept: TargetAccept = TARGET_ACCEPT,
    results: ResultsDir = "results",
    horizon: Horizon = 5,
    quiet: Quiet = False,
    overwrite: Overwrite = False,
) -> None:
    """Fit, forecast under each US weather, assess the claims, archive, and show."""
    from fairweather.clock import Clock
    from fairweather.pipeline import Settings, check, reopen, run_fit, run_forecast

    clock = Clock()
    settings = Settings(
        as_of=as_of, reading=reading, priors=priors, scenarios=scenarios, states=states,
        focal=focal, draws=draws, tune=tune, chains=chains, seed=seed, results=results,
        horizon=horizon, quiet=quiet, overwrite=overwrite, target_accept=target_accept,
    )  # fmt: skip
    say = _teller(quiet)
    if source is None:
        inputs = check(settings, clock, forecasts=True)

        def archive(tree: Any, report: Any) -> Path:
            return run_forecast(settings, inputs, tree, report, clock, say)

        path = run_fit(settings, inputs, clock, say, archive)
    else:
        _refuse_fit_options(ctx)
        inputs, tree, report = reopen(source, settings, clock)
        path = run_forecast(settings, inputs, tree, report, clock, say)
    _present(path, quiet)


@app.command()
def show(
    run: Annotated[
        str, typer.Argument(help="Folder of a run, or its id; or id or serial of a forecast.")
    ],
    results: ResultsDir = "results",
    store: StoreDir = "forecasts",
) -> None:
    """Show an archived run, or an issued forecast."""
    # Ids of runs have dashes, names of issued forecasts never do.
    if is_key(run) and not (Path(results) / run).is_dir():
        show_issued(run, store)
        return
    from fairweather.pipeline import find_run
    from fairweather.tables import show as print_run
    from fairweather.terminal import console

    print_run(find_run(run, results), console())


@app.command()
def readings() -> None:
    """List the rival readings of what holds an alignment together."""
    from fairweather.readings import get_reading

    width = max(map(len, READINGS))
    for name in READINGS:
        mark = "  (default)" if name == DEFAULT else ""
        typer.echo(f"{name:<{width}}  {get_reading(name).CLAIM}{mark}")


def _refuse_fit_options(ctx: typer.Context) -> None:
    """Options of the fit have no meaning for a fit that exists."""
    fixed = (
        "as_of", "reading", "priors", "states", "focal", "draws", "tune", "chains",
        "target_accept",
    )  # fmt: skip
    given = [
        "--" + name.replace("_", "-")
        for name in fixed
        if getattr(ctx.get_parameter_source(name), "name", "") == "COMMANDLINE"
    ]
    if given:
        raise FairweatherError(
            f"{', '.join(given)} cannot be changed with --from",
            remedy="Leave them out, or fit anew without --from.",
        )


def _teller(quiet: bool) -> Any:
    return (lambda text: None) if quiet else (lambda text: typer.echo(text, err=True))


def _present(path: Path, quiet: bool) -> None:
    if quiet:
        typer.echo(str(path))
        return
    from fairweather.archive import open_results
    from fairweather.tables import show as print_run
    from fairweather.terminal import console

    print_run(open_results(path), console())


def narrowed(words: list[str]) -> typer.Typer:
    """Leave out of the command line what this call cannot mean.

    Typer reads the options of every command before it runs one, which takes longer than a list.

    Parameters
    ----------
    words : list of str
        What was typed after the program's name.

    Returns
    -------
    typer.Typer
        With the one command that is named first; with all of them if none is.
    """
    named = [c for c in app.registered_commands
             if words and words[0] == (c.name or c.callback.__name__)]  # fmt: skip
    if len(named) != 1:
        return app
    one = typer.Typer(cls=_Guarded, add_completion=False, pretty_exceptions_enable=False)
    one.registered_callback, one.registered_commands = app.registered_callback, named
    return one


def app_entry() -> None:
    """Run the command line, of which `fairweather.start` is the entry point."""
    from fairweather.issued.listing import quick

    if not quick(sys.argv[1:]):
        narrowed(sys.argv[1:])()


if __name__ == "__main__":
    app_entry()
