"""The command that shows belief sets: what they change, what they imply, what follows from them.

Exit codes as in `fairweather.cli`. Nothing heavy is imported before it runs.
Guarded by ``tests/test_cli_priors.py``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fairweather.cli_options import Reading, ResultsDir, States
from fairweather.readings import DEFAULT

if TYPE_CHECKING:
    import pandas as pd
    from rich.table import Table

    from fairweather.priors import Prior, Priors

COMMAND = "fairweather contest"

Sets = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME|FILE",
                 help="A shipped set or a TOML of your own, with its reasons; repeatable."),
]  # fmt: skip
DrawsOfPrior = Annotated[int, typer.Option("--draws", min=20, help="Draws of the prior a set.")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Random seed.")]
Csv = Annotated[
    str | None, typer.Option("--csv", metavar="FILE", help="Write what is implied as a table.")
]


def priors(
    sets: Sets = None,
    reading: Reading = DEFAULT,
    draws: DrawsOfPrior = 400,
    seed: Seed = 1,
    states: States = None,
    results: ResultsDir = "results",
    csv: Csv = None,
) -> None:
    """Show belief sets: what each changes and why, what it implies, and the verdicts under it."""
    from fairweather.beliefs import SETS, compare_beliefs, read_sets
    from fairweather.errors import FairweatherError
    from fairweather.panel import load_panel
    from fairweather.pipeline import parse_states
    from fairweather.priors import load_priors
    from fairweather.readings import get_reading
    from fairweather.rundir import write_whole
    from fairweather.terminal import console

    out, named = console(), list(sets or [])
    chosen = read_sets(named or SETS)
    # What is refused is refused before anything is computed.
    get_reading(reading)
    if csv is not None and not Path(csv).parent.is_dir():
        raise FairweatherError(
            f"--csv: there is no folder '{Path(csv).parent}'", remedy="Make it first."
        )
    found = verdicts(results)
    for one in chosen:
        out.print(changes(one, full=bool(named)))
        for line in remarks(one):
            out.print(line, style="dim", markup=False)
        out.print()
    default = load_priors()
    if default.content_hash not in {one.content_hash for one in chosen}:
        chosen = [default, *chosen]
    panel = load_panel(states=parse_states(states))
    table = compare_beliefs(panel, chosen, reading, draws=draws, random_seed=seed)
    if csv is not None:
        write_whole(Path(csv), table.to_csv(index=False))
    out.print(implied(table, reading, draws))
    out.print()
    shown = judged(found, [one.id for one in chosen])
    if shown is None:
        typer.echo(f"No verdicts under these sets in '{results}'; {COMMAND} computes them.")
    else:
        out.print(shown)


def changes(one: Priors, full: bool) -> Table:
    """Lay out what a set changes of its base, with reasons if asked for in full."""
    from rich.markup import escape
    from rich.table import Table

    from fairweather.priors import load_priors

    base = load_priors(one.base or "default")
    names = one.changed or base.against(one)
    what = f"on {base.id}, changes {len(names)} of {len(one.table)}" if names else "as shipped"
    out = Table(
        "quantity", one.id, base.id, box=None, title_justify="left", show_header=bool(names),
        title=escape(f"{one.id}: {one.title or 'no title'} ({what})"),
    )  # fmt: skip
    if full:
        out.add_column("reason", ratio=1)
    for name in names:
        prior = one[name]
        why = [escape(f"{prior.reason}\nSource: {prior.source}")] if full else []
        out.add_row(name, _short(prior), _short(base[name]), *why)
    return out


def _short(prior: Prior) -> str:
    return f"{prior.dist}({', '.join(f'{v:g}' for v in prior.params.values())})"


def remarks(one: Priors) -> list[str]:
    """Its note, and a warning where it differs in more than belief."""
    from fairweather.priors import DRIVERS, load_priors

    out = [one.note] if one.note and one.id != "default" else []
    more = [name for name in load_priors().against(one) if name not in DRIVERS]
    if more:
        out.append(
            f"Beyond what moves the target it changes {', '.join(more)}: alignment is then measured"
            " differently, and its verdicts differ from the others' in more than belief."
        )
    return out


def implied(table: pd.DataFrame, reading: str, draws: int) -> Table:
    """Lay out predictions and claims, a column for each set."""
    from rich.table import Table

    from fairweather.beliefs import CLAIM, MOVEMENT
    from fairweather.wording import percent

    sets = list(dict.fromkeys(table["set"]))
    out = Table("", "before any alignment is seen", *sets, box=None, title_justify="left",
                title=f"Implied by each set, reading {reading}: median [5, 95 % points]; above it, "
                "the chance that a claim holds")  # fmt: skip
    for column in out.columns[2:]:
        column.no_wrap = True
    for (kind, name), part in table.groupby(["kind", "id"], sort=False):
        cells = []
        for row in part.set_index("set").loc[sets].itertuples():
            size, unit = (1, "") if kind == CLAIM or name == MOVEMENT else (100, " %")
            digits = 0 if unit else 2
            low, middle, high = (
                f"{round(size * v, digits) + 0.0:.{digits}f}"
                for v in (row.lower, row.median, row.upper)
            )
            text = f"{middle}{unit} [{low}, {high}]"
            if kind == CLAIM:
                error = (row.probability * (1.0 - row.probability) / draws) ** 0.5
                text = f"{percent(row.probability, max(error, 1.0 / draws))} %\n{text}"
            cells.append(text)
        out.add_row(name if kind == CLAIM else "", part["quantity"].iloc[0], *cells)
    return out


def verdicts(results: str) -> dict[str, dict[str, dict[str, Any]]]:
    """Read verdicts by belief set from the newest contest; empty where there are none.

    Raises
    ------
    ArchiveError
        The file cannot be read, or is not laid out as a contest writes it.
    """
    from fairweather.claims.stored import newest_contest, read_claims
    from fairweather.errors import ArchiveError

    folder = newest_contest(results)
    if folder is None:
        return {}
    found = read_claims(folder).by_prior
    try:
        for claims in found.values():
            for entry in claims.values():
                entry["verdict"], float(entry["probability"] or 0.0)
    except (ValueError, TypeError, AttributeError, KeyError) as err:
        raise ArchiveError(
            f"the verdicts by belief set of {folder.name} are damaged", file="claims.json",
            remedy=f"Run {COMMAND} again with the same folder.",
        ) from err  # fmt: skip
    return found


def judged(found: dict[str, Any], ids: list[str]) -> Table | None:
    """Lay out the verdicts under each set; None where no set shown was judged."""
    from rich.table import Table

    by_prior = {name: found[name] for name in ids if name in found}
    if not by_prior:
        return None
    out = Table(
        "claim",
        *ids,
        "",
        box=None,
        title="Under each set: one reading, in-sample, without the rules of the contest",
        title_justify="left",
    )
    for claim in sorted({c for claims in by_prior.values() for c in claims}):
        entries = [by_prior.get(name, {}).get(claim) for name in ids]
        said = {e["verdict"] for e in entries if e and e["verdict"]}
        mark = "hangs on beliefs" if len(said) > 1 else ""
        out.add_row(claim, *map(_verdict, entries), mark)
    return out


def _verdict(entry: dict[str, Any] | None) -> str:
    from fairweather.wording import percent

    if not entry or not entry["verdict"]:
        return "-"
    share = entry["probability"]
    return entry["verdict"] if share is None else f"{entry['verdict']} ({percent(share, 0.01)} %)"
