"""The command that runs the contest of readings and judges the claims by it.

Exit codes beside those of `fairweather.cli`: 3 if a fit, a piece or a claim failed; what was done
is kept, and the same command goes on. A claim that this contest lacks the readings or states for
is told without being a failure. Nothing heavy is imported before it runs.
Guarded by ``tests/test_cli_contest.py``.
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
from fairweather.readings import READINGS

if TYPE_CHECKING:
    from rich.table import Table

    from fairweather.contest.result import Contest

FAILED = 3
Readings = Annotated[
    list[str] | None,
    typer.Option("--reading", metavar="NAME", help=f"Repeatable; all of {', '.join(READINGS)}."),
]
Designs = Annotated[
    list[str] | None,
    typer.Option("--design", metavar="NAME", help="Repeatable: future, episodes, placebo, dyads."),
]
Every = Annotated[int, typer.Option("--every", min=1, help="Years between origins, from 2008.")]
Folds = Annotated[int, typer.Option("--folds", min=2, help="Folds of episodes and of dyads.")]
Worlds = Annotated[int, typer.Option("--worlds", min=0, help="Simulated worlds a reading.")]
Specifications = Annotated[
    bool, typer.Option("--specifications/--no-specifications", help="The specification curve.")
]
Out = Annotated[
    str | None,
    typer.Option("--out", metavar="DIR", help="Folder of the contest, in place of one named "
                 "after its settings under --results. Continued if it is there."),
]  # fmt: skip
FitDraws = Annotated[
    int | None, typer.Option("--draws", min=100, help="Kept draws a chain of the whole fits.")
]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print only what was found.")]


def contest(
    reading: Readings = None,
    design: Designs = None,
    every: Every = 3,
    folds: Folds = 4,
    worlds: Worlds = 1,
    specifications: Specifications = True,
    states: States = None,
    focal: Focal = None,
    priors: PriorSet = None,
    draws: FitDraws = None,
    seed: AnySeed = None,
    results: ResultsDir = "results",
    out: Out = None,
    cluster: Cluster = None,
    workers: Workers = None,
    quiet: Quiet = False,
) -> None:
    """Let the readings compete on what they have not seen, and judge the claims."""
    from fairweather import names
    from fairweather.claims.stored import read_claims
    from fairweather.contest import design as d
    from fairweather.contest.evidence import write_evidence
    from fairweather.contest.page import write
    from fairweather.contest.result import summarise
    from fairweather.contest.run import FIT_DRAWS, run_contest
    from fairweather.pipeline import parse_states
    from fairweather.priors import load_priors
    from fairweather.terminal import console

    done = run_contest(
        out, results=results, readings=reading or tuple(READINGS), designs=design or d.DESIGNS,
        every=every, folds=folds, worlds=worlds, specifications=specifications,
        states=parse_states(states), focal=focal or names.FOCAL, priors=load_priors(priors),
        fit_draws=draws or FIT_DRAWS, seed=d.SEED if seed is None else seed, cluster=cluster,
        workers=workers, quiet=quiet, say=(lambda text: None) if quiet else typer.echo,
    )  # fmt: skip
    found = summarise(done)
    files, problems = write(done, found), dict(found.problems)
    lacking: dict[str, str] = {}
    if done["panel"].focal == names.FOCAL:
        files.append(write_evidence(done, found))
        for key, why in read_claims(done["folder"]).problems.items():
            # A smaller contest cannot speak to every claim; that is no failure.
            kind, _, text = why.partition(": ")
            refused = kind in ("ClaimError", "ScoreError")
            (lacking if refused else problems)[f"claim {key}"] = text if refused else why
    if not quiet:
        console().print(shown(found))
        if found.confusion is not None:
            console().print(found.confusion.table())
    for sentence in found.sentences:
        typer.echo(sentence)
    for file in files:
        typer.echo(f"Wrote {file}")
    if files[-1].name == "claims.json":
        typer.echo(f"Verdicts: fairweather claims --contest {done['folder']}")
    for key, why in lacking.items():
        typer.echo(f"No verdict: {key}: {' '.join(why.split())}", err=True)
    for key, why in problems.items():
        typer.echo(f"Failed: {key}: {' '.join(str(why).split())}", err=True)
    if problems:
        raise typer.Exit(FAILED)


def shown(found: Contest) -> Table:
    """Lay out weights and differences."""
    from rich.table import Table

    from fairweather.contest.page import weight_table

    frame = weight_table(found)
    table = Table(title=f"Stacking weights ({found.primary} design first)", box=None,
                  title_justify="left")  # fmt: skip
    table.add_column("reading", no_wrap=True)
    designs = [found.primary, *(d for d in found.designs if d != found.primary)]
    for name in (designs[0], "89 %", *designs[1:], "score less best"):
        table.add_column(name, justify="right")
    for name, row in frame.iterrows():
        band = f"{row['lower']:.2f} to {row['upper']:.2f}"
        behind = f"{row['difference']:.1f} ({row['se']:.1f})"
        cells = [f"{row[designs[0]]:.2f}", band, *(f"{row[d]:.2f}" for d in designs[1:]), behind]
        # A reading without a score of a design has no number there.
        table.add_row(str(name), *("" if "nan" in c else c for c in cells))
    return table
