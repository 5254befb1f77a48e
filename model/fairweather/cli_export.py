"""The command that exports a forecast in the form of others.

Exit codes as in `fairweather.cli`: 2 if anything is refused. Nothing heavy is imported before it
runs. Guarded by ``tests/test_exchange_cli.py``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fairweather.cli_issued import StoreDir, is_key
from fairweather.cli_options import ResultsDir
from fairweather.exchange import EXPORTS


def export(
    form: Annotated[str, typer.Argument(metavar="FORM", help=f"One of {', '.join(EXPORTS)}.")],
    forecast: Annotated[
        str, typer.Argument(metavar="ID|RUN", help="An issued forecast, or a complete run.")
    ],
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder, or one to add to.")],
    file_format: Annotated[
        str, typer.Option("--format", metavar="csv|parquet", help="Of the forecast's own file.")
    ] = "csv",
    samples: Annotated[
        int | None, typer.Option("--samples", min=0, help="Draws exported; 100, or all if fewer.")
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", metavar="NAME", help="Name of the model there.")
    ] = None,
    store: StoreDir = "forecasts",
    results: ResultsDir = "results",
) -> None:
    """Export a forecast for others to read: a hub of the hubverse."""
    from fairweather.exchange import get_export
    from fairweather.exchange.sources import Source

    module = get_export(form)
    if is_key(forecast) and not (Path(results) / forecast).is_dir():
        from fairweather.issued import Store

        source = Source.of_issued(Store(store).open(forecast))
    else:
        from fairweather.pipeline import find_run

        source = Source.of_run(find_run(forecast, results))
    done = module.export(source, folder, form=file_format, samples=samples, model=model)
    for name in done.written:
        typer.echo(str(done.folder / name))
    if not done.written:
        typer.echo(f"Nothing changed: '{done.folder}' has this forecast.")
    for note in done.notes:
        typer.echo(f"  note: {note}")
