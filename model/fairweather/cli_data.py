"""The commands about the record; none changes a byte of it unless that is what it is for.

Nothing heavy is imported before a command runs. Refusals end in the exit codes of
`fairweather.cli`. Guarded by ``tests/test_cli.py``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fairweather.errors import FairweatherError

data_app = typer.Typer(no_args_is_help=True, help="The record of observations.")

Folder = Annotated[
    str | None, typer.Option("--data", metavar="DIR", help="Default: the record in use.")
]
Indicator = Annotated[str, typer.Argument(metavar="IND", help="Id of an indicator.")]
Unit = Annotated[
    str | None, typer.Option("--unit", metavar="CHN-RUS", help="Whose values to show.")
]
Page = Annotated[str | None, typer.Option("--out", metavar="FILE", help="Default: the terminal.")]
Picture = Annotated[str, typer.Option("--out", metavar="FILE", help="A .png or .pdf to write.")]
History = Annotated[bool, typer.Option("--history", help="With the long record.")]


@data_app.command("check")
def data_check(folder: Folder = None) -> None:
    """Check the record, the long record and the chronology, and summarise them."""
    from fairweather import chronology, datapackage, paths
    from fairweather.summary import check

    table = check(folder)
    place = Path(folder) if folder else paths.data_dir()
    # A record of other states has no chronology of this pair.
    kept = (place / chronology.FILE).exists()
    events = len(chronology.load_chronology(place, unverified=True)) if kept else 0
    typer.echo(table.to_string(index=False))
    typer.echo(
        f"{len(table)} indicators, {int(table['rows'].sum()):,} rows, "
        f"{int(table['long_rows'].sum()):,} of the long record, {events} events: all sound."
    )
    if datapackage.out_of_step(place):
        typer.echo("datapackage.json is out of step with the files: fairweather data package.")


@data_app.command("describe")
def data_describe(indicator: Indicator, unit: Unit = None, folder: Folder = None) -> None:
    """Say what an indicator is, where it comes from and what there is of it."""
    from fairweather.describe import describe
    from fairweather.factsheet import show
    from fairweather.record import load_record
    from fairweather.terminal import console

    show(describe(indicator, load_record(folder, history=True), unit=unit), console())


@data_app.command("codebook")
def data_codebook(file: Page = None, folder: Folder = None) -> None:
    """Write the codebook as a page of Markdown."""
    from fairweather import codebook_page
    from fairweather.record import load_record

    record = load_record(folder, history=True)
    if file is None:
        typer.echo(codebook_page.page(record), nl=False)
    else:
        typer.echo(str(codebook_page.write(record, file)))


@data_app.command("coverage")
def data_coverage(file: Picture, history: History = False, folder: Folder = None) -> None:
    """Draw which indicator has rows in which year."""
    from fairweather.figures.coverage import plot_coverage
    from fairweather.figures.style import check_ending, save_as
    from fairweather.record import load_record

    check_ending(file)
    typer.echo(str(save_as(plot_coverage(load_record(folder, history=history)), file)))


@data_app.command("build")
def data_build(
    sources: Annotated[
        str, typer.Option("--sources", metavar="DIR", help="Folder of the prepared sources.")
    ],
    states: Annotated[
        str | None,
        typer.Option(
            "--states", metavar="CHN,RUS,...", help="Chosen states, or un-members; needs --data."
        ),
    ] = None,
    folder: Folder = None,
) -> None:
    """Rebuild the record from prepared sources, or build one of other states."""
    if not Path(sources).is_dir():
        raise FairweatherError(
            f"there is no folder '{sources}'",
            remedy="Name the folder of prepared sources: --sources DIR.",
        )
    try:
        import pyarrow  # noqa: F401
    except ImportError as err:
        raise FairweatherError(
            "rebuilding the record needs pyarrow", remedy="Install fairweather[coding]."
        ) from err
    from fairweather.coding.build import build
    from fairweather.paths import data_dir

    table = build(sources, folder or data_dir(), states=states)
    typer.echo(table.to_string(index=False))
