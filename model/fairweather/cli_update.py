"""The commands that bring the issued forecast up to date and score those whose targets have come.

Invariant: with ``--quiet`` an update ends in one JSON line on standard output and nothing else,
however it ends. Exit codes: 0 issued or nothing new, 2 refused, 3 a fit failed or its draws do not
meet the bar, 5 another update is running, 130 interrupted. Nothing heavy is imported before a
command runs.
Guarded by ``tests/test_updating_cli.py``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from fairweather.cli_changes import _years
from fairweather.cli_data import Folder
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
from fairweather.errors import ConvergenceError, FairweatherError
from fairweather.readings import READINGS
from fairweather.samplers import TARGET_ACCEPT

UNFORESEEN, REFUSED, FAILED, BUSY, INTERRUPTED = 1, 2, 3, 5, 130
_STATUS = {
    UNFORESEEN: "unforeseen", REFUSED: "refused", FAILED: "failed", BUSY: "busy",
    INTERRUPTED: "interrupted",
}  # fmt: skip

Files = Annotated[
    list[Path] | None, typer.Argument(metavar="[FILE]...", help="Files of the release.")
]
Layout = Annotated[
    str | None,
    typer.Option("--import", metavar="FORMAT", help="Take the files in first: a layout of "
                 "fairweather data formats."),
]  # fmt: skip
Released = Annotated[
    str | None, typer.Option("--released", metavar="DATE", help="Day it came out; today.")
]
Years = Annotated[
    str | None, typer.Option("--years", metavar="FIRST-LAST", help="Years it speaks about.")
]
Withdrawals = Annotated[
    bool, typer.Option("--accept-withdrawals", help="Even if much of it is gone.")
]
Older = Annotated[bool, typer.Option("--accept-older", help="Even if a later file says otherwise.")]
Readings = Annotated[
    list[str] | None,
    typer.Option("--reading", metavar="NAME", help="Repeatable; some of "
                 f"{', '.join(READINGS)}. Default: as in the latest forecast."),
]  # fmt: skip
Weights = Annotated[
    str | None,
    typer.Option("--weights", metavar="SOURCE", help="A backtest's folder, a file, or equal. "
                 "Default: as in the latest forecast."),
]  # fmt: skip
Seed = Annotated[int, typer.Option("--seed", min=0, help="Random seed.")]
Horizon = Annotated[int, typer.Option("--horizon", min=1, max=10, help="Years ahead.")]
ScenarioFile = Annotated[
    str | None, typer.Option("--scenarios", metavar="FILE", help="US weather to forecast under.")
]
Wait = Annotated[
    float, typer.Option("--wait", min=0, metavar="SECONDS", help="Wait for another update.")
]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print one JSON line and nothing else.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say whether something is new.")]


def update(
    files: Files = None,
    layout: Layout = None,
    released: Released = None,
    years: Years = None,
    accept_withdrawals: Withdrawals = False,
    accept_older: Older = False,
    reading: Readings = None,
    weights: Weights = None,
    store: StoreDir = "forecasts",
    results: ResultsDir = "results",
    folder: Folder = None,
    priors: PriorSet = None,
    scenarios: ScenarioFile = None,
    states: States = None,
    focal: Focal = None,
    draws: Draws = None,
    tune: Tune = None,
    chains: Chains = 4,
    target_accept: TargetAccept = TARGET_ACCEPT,
    seed: Seed = 1,
    horizon: Horizon = 5,
    wait: Wait = 0.0,
    quiet: Quiet = False,
    dry_run: DryRun = False,
) -> None:
    """Take in a release, renew the fits, issue a new forecast, and say what moved it."""

    def ask() -> Any:
        from fairweather.pipeline import parse_states
        from fairweather.updating import Asked

        return Asked(
            release=_release(
                layout, files or [], released, years, accept_withdrawals, accept_older
            ),
            store=store, results=results, data=folder, readings=reading or None, weights=weights,
            focal=focal, states=parse_states(states), priors=priors, scenarios=scenarios,
            draws=draws, tune=tune, chains=chains, seed=seed, horizon=horizon,
            target_accept=target_accept, wait=wait, dry_run=dry_run, progressbar=not quiet,
        )  # fmt: skip

    if quiet:
        _quietly(ask)
    from fairweather.terminal import console
    from fairweather.updating import BusyError
    from fairweather.updating import update as bring_up_to_date
    from fairweather.updating.telling import present

    try:
        done = bring_up_to_date(ask(), say=lambda text: typer.echo(text, err=True))
    except BusyError as err:
        typer.secho(f"fairweather: {err}", fg=typer.colors.RED, err=True)
        raise typer.Exit(BUSY) from None
    present(done, console(), typer.echo)


def _release(
    layout: str | None, files: list[Path], released: str | None, years: str | None,
    accept_withdrawals: bool, accept_older: bool,
) -> Any:  # fmt: skip
    from fairweather.updating.intake import Release

    given = [
        name for name, value in (
            ("FILE", files), ("--released", released), ("--years", years),
            ("--accept-withdrawals", accept_withdrawals), ("--accept-older", accept_older),
        ) if value
    ]  # fmt: skip
    if layout is None:
        if given:
            raise FairweatherError(
                f"{', '.join(given)} without --import FORMAT",
                remedy="Name the layout of the files: --import FORMAT, see data formats.",
            )
        return None
    return Release(layout, tuple(files), released, _years(years), accept_withdrawals, accept_older)


def _quietly(ask: Any) -> None:
    """Run to one JSON line on standard output, whatever happens, and leave with its code."""
    import time

    from fairweather.updating.telling import one_line

    began = time.monotonic()

    def end(facts: dict[str, Any]) -> None:
        facts.setdefault("seconds", round(time.monotonic() - began, 1))
        typer.echo(one_line(facts))

    try:
        from fairweather.updating import BusyError
        from fairweather.updating import update as bring_up_to_date
        from fairweather.updating.telling import as_json

        facts = as_json(bring_up_to_date(ask()))
    except BusyError as err:
        facts = _wrong(err, BUSY)
    except ConvergenceError as err:
        facts = _wrong(err, FAILED)
    except FairweatherError as err:
        facts = _wrong(err, REFUSED)
    except BrokenPipeError:
        raise
    except OSError as err:
        what = f"'{Path(str(err.filename)).name}': " if err.filename else ""
        facts = _wrong(f"{what}{err.strerror or err}. Check the path, its permissions and the "
                       "space on the disk.", REFUSED)  # fmt: skip
    except KeyboardInterrupt:
        facts = _wrong("interrupted; what was whole is kept and taken up by the next update",
                       INTERRUPTED)  # fmt: skip
    except Exception as err:
        end(_wrong(f"{type(err).__name__}: {err}", UNFORESEEN))
        raise
    end(facts)
    raise typer.Exit(facts["code"])


def _wrong(problem: object, code: int) -> dict[str, Any]:
    return {"status": _STATUS[code], "code": code, "problem": " ".join(str(problem).split())}


def score(
    key: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ID]...", help="Id or its first digits, serial, latest; all."),
    ] = None,
    store: StoreDir = "forecasts",
    folder: Folder = None,
    scenario: Annotated[
        str | None,
        typer.Option("--scenario", metavar="NAME", help="Weather it is scored under; as it was."),
    ] = None,
    as_of: Annotated[
        str | None, typer.Option("--as-of", metavar="DATE", help="Only what was known that day.")
    ] = None,
    csv: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Write every score, by cell.")
    ] = None,
) -> None:
    """Score issued forecasts of what has come, beside plain forecasts."""
    from fairweather.due import MIN_CELLS, due_scores, skills
    from fairweather.issued import Store
    from fairweather.record import load_record
    from fairweather.rundir import write_whole
    from fairweather.scenarios import BASELINE
    from fairweather.terminal import console
    from fairweather.updating.telling import scores_table, skill_lines

    found = due_scores(
        Store(store), load_record(folder, as_of=as_of), data_dir=folder, keys=key or None,
        scenario=scenario or BASELINE,
    )  # fmt: skip
    if csv is not None:
        write_whole(csv, found.to_csv(index=False, lineterminator="\n"))
    if found.empty:
        typer.echo("Nothing that was forecast has come yet.")
        return
    console().print(scores_table(found))
    for line in skill_lines(skills(found), MIN_CELLS):
        typer.echo(line)
