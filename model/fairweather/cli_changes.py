"""The commands that bring something new into a record, or find something in it.

Each writes whole or not at all, and says what it did. Nothing heavy is imported before a command
runs. Guarded by ``tests/test_cli_changes.py``.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fairweather.cli_data import Folder, data_app
from fairweather.errors import FairweatherError

if TYPE_CHECKING:
    import pandas as pd

    from fairweather.coding.release import Plan

SHOWN = 12


@data_app.command("copy")
def data_copy(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder.")],
) -> None:
    """Copy the record in use into a folder of your own."""
    import shutil

    from fairweather.paths import OWN_DATA, data_dir

    if folder.exists():
        raise FairweatherError(f"'{folder}' exists already", remedy="Name a new folder.")
    leave = shutil.ignore_patterns(".*", "__pycache__")
    shutil.copytree(data_dir(), folder, ignore=leave)
    place = folder.resolve()
    typer.echo(f"{place}: use it with --data {place}, or set {OWN_DATA}={place}")


@data_app.command("package")
def data_package(folder: Folder = None) -> None:
    """Describe the record's tables anew: datapackage.json, after a change by hand."""
    from fairweather import datapackage, paths

    typer.echo(str(datapackage.write(paths.own_folder(folder))))


@data_app.command("formats")
def data_formats() -> None:
    """List the publishers' layouts that can be imported."""
    from fairweather.formats import FORMATS, get_format

    width = max(map(len, FORMATS))
    for name in FORMATS:
        reader = get_format(name)
        feeds = ", ".join(reader.INDICATORS) or (
            "your own indicators" if name == "coding-sheet" else "no indicator by itself"
        )
        typer.echo(f"{name:<{width}}  {reader.TITLE}\n{'':<{width}}  -> {feeds}")


@data_app.command("template")
def data_template(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A new .csv or .xlsx file.")],
) -> None:
    """Write an empty coding sheet for your own codes."""
    from fairweather.formats.coding_sheet import template

    if file.exists():
        raise FairweatherError(f"'{file}' exists already", remedy="Name a new file.")
    template(file)
    typer.echo(str(file))


@data_app.command("import")
def data_import(
    layout: Annotated[str, typer.Argument(metavar="FORMAT", help="See: fairweather data formats.")],
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="The release's files.")],
    released: Annotated[
        str | None, typer.Option("--released", metavar="DATE", help="Day it came out; today.")
    ] = None,
    years: Annotated[
        str | None, typer.Option("--years", metavar="FIRST-LAST", help="Years it speaks about.")
    ] = None,
    accept_withdrawals: Annotated[
        bool, typer.Option("--accept-withdrawals", help="Even if much of it is gone.")
    ] = False,
    accept_older: Annotated[
        bool, typer.Option("--accept-older", help="Even if a later file says otherwise.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would change.")
    ] = False,
    folder: Folder = None,
) -> None:
    """Add a publisher's new release: what is new, changed or withdrawn, and nothing else."""
    from fairweather.coding.release import plan_release, take

    plan = plan_release(
        layout, files, data_dir=folder, released=released, years=_years(years),
        accept_withdrawals=accept_withdrawals, accept_older=accept_older,
    )  # fmt: skip
    _show(plan)
    if dry_run:
        typer.echo("Nothing was written (--dry-run).")
        return
    place = take(plan)
    if place is None:
        typer.echo("These files were taken in before: nothing is written.")
    elif plan.changes.empty:
        typer.echo(f"Nothing new; vintages/{place.name} notes that it was confirmed.")
    else:
        typer.echo(f"Written to vintages/{place.name}; known from {plan.released} on.")


def _years(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    span = re.fullmatch("([0-9]{4})(?:-([0-9]{4}))?", text)
    if span is None:
        raise FairweatherError(f"years '{text[:40]}' are not a span", remedy="Write 2023-2024.")
    return int(span[1]), int(span[2] or span[1])


def _show(plan: Plan) -> None:
    from rich.table import Table

    from fairweather.terminal import console

    first, last = plan.years
    typer.echo(
        f"{plan.format}, released {plan.released}, years {first}-{last}: "
        f"{plan.unchanged:,} rows confirmed, {len(plan.changes):,} differ."
    )
    if plan.changes.empty:
        return
    table = Table("indicator", *[c for c in plan.counts()], box=None)
    for name, row in plan.counts().iterrows():
        table.add_row(str(name), *(f"{k:,}" for k in row))
    console().print(table)
    for line in _lines(plan.changes):
        typer.echo(line)


def _lines(changes: pd.DataFrame) -> list[str]:
    """Show the first changes: withdrawn and changed before new, which are the expected ones."""
    order = changes["status"].map({"withdrawn": 0, "changed": 1, "new": 2})
    head = changes.loc[order.sort_values(kind="stable").index[:SHOWN]]
    out = [
        f"  {r.status:<9} {r.indicator} {r.unit} {r.year}{f' ({r.rater})' if r.rater else ''}: "
        f"{_numbers(r.before)} -> {_numbers(r.now)}"
        for r in head.itertuples()
    ]
    rest = len(changes) - len(head)
    return [*out, f"  ... and {rest:,} more"] if rest else out


def _numbers(written: str) -> str:
    """Leave out the columns that a family does not use."""
    return "/".join(part for part in written.split("/") if part) or "-"


@data_app.command("vintages")
def data_vintages(folder: Folder = None) -> None:
    """List the releases taken into the record, by the day they came out."""
    from fairweather.coding import notes
    from fairweather.paths import data_dir

    found = notes.read(folder or data_dir())
    for note in found:
        rows = ", ".join(f"{n:,} {status}" for status, n in note.rows.items()) or "confirmed"
        files = ", ".join(file["name"] for file in note.files)
        first, last = note.years
        typer.echo(f"{note.released}  {note.format}  {first}-{last}  {rows}  ({files})")
    if not found:
        typer.echo("No release beside the first vintage.")


@data_app.command("episodes")
def data_episodes(
    domain: Annotated[str, typer.Option("--domain", help="material, verbal or all.")] = "material",
    states: Annotated[
        str | None, typer.Option("--states", metavar="CHN,RUS,...", help="Only these states.")
    ] = None,
    as_of: Annotated[
        str | None, typer.Option("--as-of", metavar="DATE", help="Data available that day.")
    ] = None,
    history: Annotated[bool, typer.Option("--history", help="With the long record.")] = False,
    compare_hand: Annotated[
        bool, typer.Option("--compare", help="Also compare with the hand list.")
    ] = False,
    folder: Folder = None,
) -> None:
    """Find episodes of easing and hardship in the pressure indicators, by rule."""
    from fairweather.episodes import compare, find_episodes, shocks
    from fairweather.figures.episodes import load_episodes
    from fairweather.paths import data_dir
    from fairweather.record import load_record

    chosen = [s.strip() for s in states.split(",")] if states else None
    record = load_record(folder, as_of=as_of, history=history)
    found = find_episodes(record, domain=domain, states=chosen)
    typer.echo(found.to_string(index=False) if len(found) else "No episode.")
    typer.echo(f"{len(shocks(found))} separate windows of easing among these states.")
    if compare_hand:
        hand = load_episodes(Path(folder or data_dir()) / "episodes.toml")
        table = compare(found, hand, words=domain != "material")
        table = table[table["state"].isin(chosen)] if chosen else table
        for name in ("common", "found_only", "hand_only"):
            table[name] = table[name].map(lambda years: " ".join(map(str, years)) or "-")
        typer.echo("\nAgainst the hand list, which the rule does not read:")
        typer.echo(table.to_string(index=False))
