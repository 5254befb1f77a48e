"""The command that shows the verdicts on the claims, or tells the story of some of them.

Invariant: it reads what a contest has stored and computes nothing; a stored claim without a
verdict makes it end with exit code 4. Guarded by ``tests/test_cli_claims.py``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fairweather.errors import FairweatherError

if TYPE_CHECKING:
    from fairweather.claims.stored import Stored

PROBLEMS = 4


def claims(
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="[CLAIM]...", help="Tell these, such as C08.")
    ] = None,
    contest: Annotated[
        Path | None, typer.Option("--contest", metavar="DIR", help="Contest; default: the newest.")
    ] = None,
    results: Annotated[
        Path, typer.Option("--results", metavar="DIR", help="Where contests are.")
    ] = Path("results"),
    csv: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Write the table.")
    ] = None,
    markdown: Annotated[
        Path | None, typer.Option("--markdown", metavar="FILE", help="Write the table as a page.")
    ] = None,
    catalogue: Annotated[
        bool, typer.Option("--catalogue", help="Show the claims and their tests, no verdicts.")
    ] = False,
) -> None:
    """Show the verdicts on the claims, or tell the story of some of them."""
    from fairweather.claims.catalogue import load_claims

    entries = load_claims()
    wanted = _wanted(ids or [])
    stored = None if catalogue else _stored(contest, results)
    if stored is None and not catalogue:
        typer.echo(
            f"No contest is stored in '{results}', so there are no verdicts yet. "
            "Make one: fairweather contest. The claims and their tests:",
            err=True,
        )
    if stored is not None:
        _warn_of_other_claims(stored)
    if wanted:
        _tell(wanted, entries, stored)
    else:
        _list(entries, stored, show=not (catalogue and markdown))
    _write(entries, stored, csv, markdown)
    problems = stored.problems if stored else {}
    shown = {k: v for k, v in problems.items() if not wanted or k in wanted}
    for name, problem in shown.items():
        typer.secho(f"{name} has no verdict: {problem}", fg=typer.colors.RED, err=True)
    if shown:
        raise typer.Exit(PROBLEMS)


def _wanted(ids: list[str]) -> list[str]:
    from fairweather.claims.catalogue import IDS, near_miss

    for given in ids:
        if given.upper() not in IDS:
            raise FairweatherError(f"there is no claim '{given[:40]}'", remedy=near_miss(given))
    return list(dict.fromkeys(i.upper() for i in ids))


def _stored(contest: Path | None, results: Path) -> Stored | None:
    from fairweather.claims.stored import newest_contest, read_claims

    if contest is not None:
        inside = results / contest
        return read_claims(inside if not contest.is_dir() and inside.is_dir() else contest)
    newest = newest_contest(results)
    return None if newest is None else read_claims(newest)


def _warn_of_other_claims(stored: Stored) -> None:
    """Say that verdicts are of another text of the claims than the one shown beside them."""
    from fairweather.claims.catalogue import claims_hash

    of = stored.made.get("claims_hash")
    # Verdicts of an older version do not say what they are of.
    if of and of != claims_hash():
        typer.echo(
            f"The verdicts in '{stored.folder}' are of another claims.toml than the one in use, "
            "whose statements and thresholds are shown. Take them again: fairweather contest, "
            "with the same options; what is done is kept.",
            err=True,
        )


def _tell(wanted: list[str], entries: dict, stored: Stored | None) -> None:
    from fairweather.claims.story import story

    for k, name in enumerate(wanted):
        found = stored.claims.get(name) if stored else None
        by_prior = stored.by_prior if stored else {}
        typer.echo(("\n" if k else "") + story(name, entries[name], found, by_prior))
        if stored and found is None:
            typer.echo(f"  verdict     none: {stored.folder.name} did not judge it")
    if stored:
        typer.echo(f"\nFrom {stored.folder}")


def _list(entries: dict, stored: Stored | None, *, show: bool) -> None:
    from fairweather.claims import table
    from fairweather.terminal import console

    if not show:
        return
    console().print(table.terminal(table.rows(entries, stored.claims if stored else None)))
    if stored:
        typer.echo(f"From {stored.folder}; one claim in full: fairweather claims C08")


def _write(entries: dict, stored: Stored | None, csv: Path | None, markdown: Path | None) -> None:
    from fairweather.claims import table
    from fairweather.claims.page import catalogue_page
    from fairweather.rundir import write_whole

    listed = table.rows(entries, stored.claims if stored else None)
    if csv is not None:
        write_whole(csv, table.frame(listed).to_csv(index=False, lineterminator="\n"))
        typer.echo(f"Written to {csv}")
    if markdown is not None:
        text = table.markdown(listed) if stored else catalogue_page(entries)
        write_whole(markdown, text)
        typer.echo(f"Written to {markdown}")
