"""The commands that issue forecasts, list, show and compare them, and verify the store.

Exit codes as in `fairweather.cli`: 2 if anything is refused; and 4 if `verify` finds damage or an
unfinished issue. A list imports neither pandas nor rich. Guarded by ``tests/test_issued_cli.py``.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fairweather.cli_options import ResultsDir

if TYPE_CHECKING:
    import pandas as pd
    from rich.table import Table

    from fairweather.issued import Issued

PROBLEMS = 4
_KEY = re.compile(r"latest|[0-9]{1,8}|[0-9a-f]{4,64}", re.IGNORECASE)

StoreDir = Annotated[
    str, typer.Option("--store", metavar="DIR|URL", help="Where issued forecasts are kept.")
]
Key = Annotated[str, typer.Argument(metavar="ID", help="Id or its first digits, serial, latest.")]
Shown = Annotated[int, typer.Option("--rows", min=1, help="Largest changes shown of each table.")]


Weights = Annotated[
    str | None,
    typer.Option("--weights", metavar="SOURCE", help="Of several runs: a backtest, a file, equal."),
]


def issue(
    runs: Annotated[
        list[str], typer.Argument(metavar="RUN...", help="Folder of a complete run, or its id.")
    ],
    weights: Weights = None,
    store: StoreDir = "forecasts",
    results: ResultsDir = "results",
) -> None:
    """Freeze the forecast of a run, or a mixture of several, and enter it in the ledger."""
    from fairweather.issued import Store, freeze
    from fairweather.pipeline import find_run

    found = [find_run(run, results) for run in runs]
    one = Store(store).issue(*freeze(*found, weights=weights))
    if "best" in one.facts:
        typer.echo(_mixture(one))
    if one.new:
        typer.echo(f"Issued as {one.serial}: {one.id}")
    else:
        typer.echo(f"Was issued as {one.serial} at {one.issued_at}; nothing changed: {one.id}")
    if one.new and one.clock_behind:
        typer.echo(
            "fairweather: the clock stands before the previous issue; the entry says so. "
            "The order is that of the serials. Set the clock.",
            err=True,
        )


def _mixture(one: Issued) -> str:
    """Say what was mixed, and what had to be done to the weights."""
    weights = one.facts["weights"]
    order = sorted(one.facts["readings"].items(), key=lambda pair: (-pair[1], pair[0]))
    said = ", ".join(f"{name} {share:.0%}" for name, share in order)
    lines = [f"Mixture of {said}; weights: {weights['kind']}"]
    if weights.get("years"):
        lines[0] += f", from {weights['years']} target years before {weights['origin']}"
    return "\n".join([*lines, *(f"  note: {note}" for note in weights.get("notes", []))])


def list_issued(
    store: StoreDir = "forecasts",
    json: Annotated[
        bool, typer.Option("--json", help="Print the ledger's entries as JSON.")
    ] = False,
) -> None:
    """List the issued forecasts, in order of issue."""
    from fairweather.issued import Store
    from fairweather.issued.listing import listing

    typer.echo(listing(Store(store).entries(), json))


def is_key(name: str) -> bool:
    """Whether a name can only be meant for an issued forecast, not for a run.

    Examples
    --------
    >>> is_key("latest"), is_key("12"), is_key("2024-elastic-side-3f9a01bc")
    (True, True, False)
    """
    return bool(_KEY.fullmatch(name)) and not Path(name).is_dir()


def show_issued(key: str, store: str) -> None:
    """Print an issued forecast: its facts, its durability and its files."""
    from fairweather.issued import Store
    from fairweather.tables import durability
    from fairweather.terminal import console

    one, out = Store(store).open(key), console()
    out.print(_facts(one))
    if "durability.csv" in one.files:
        out.print(durability(one.table("durability.csv")))
    if "best-durability.csv" in one.files:
        typer.echo(f"The single reading with most weight, {one.facts.get('best')}:")
        out.print(durability(one.table("best-durability.csv")))
    out.print(_files(one))


def diff(a: Key, b: Key, store: StoreDir = "forecasts", rows: Shown = 10) -> None:
    """Show what differs between two issued forecasts."""
    from fairweather.issued import Store
    from fairweather.issued import diff as compare
    from fairweather.terminal import console

    place, out = Store(store), console()
    one, two = place.open(a), place.open(b)
    if one.id == two.id:
        typer.echo(f"Both are forecast {one.serial}: nothing differs.")
        return
    found = compare(one, two)
    names = (f"{one.serial} ({one.id[:12]})", f"{two.serial} ({two.id[:12]})")
    for title, table in (
        ("Facts", found.facts), ("Files", found.files),
        ("Chance of staying above, largest changes", found.durability),
        ("Medians of the indicators, largest changes", found.medians),
    ):  # fmt: skip
        if len(table):
            out.print(_changes(title, table, names, len(table) if title == "Facts" else rows))


def verify(
    key: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="Only this one's files.")
    ] = None,
    store: StoreDir = "forecasts",
    head: Annotated[
        str | None, typer.Option("--head", metavar="HASH", help="A published ledger hash.")
    ] = None,
) -> None:
    """Hash everything anew and show what is not as it was issued."""
    from fairweather.issued import Store
    from fairweather.issued.check import LEFTOVER

    place = Store(store)
    table = place.verify(key, head)
    for row in table.to_dict("records"):
        typer.echo(_wrong(row))
    if (table["severity"] != LEFTOVER).any():
        raise typer.Exit(PROBLEMS)
    count, newest = place.head()
    what = "All is" if key is None else "The ledger and this forecast are"
    typer.echo(f"{what} as issued: {count} in the ledger, newest entry {newest or 'none'}")


# -- tables ----------------------------------------------------------------------------------------


def _plain(title: str, *columns: str) -> Table:
    from rich.table import Table

    out = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for name in columns:
        out.add_column(name, overflow="fold")
    return out


def _facts(one: Issued) -> Table:
    from rich.markup import escape

    from fairweather.issued.differences import flat

    late = " (the clock was behind)" if one.clock_behind else ""
    out = _plain(f"Forecast {one.serial}, issued {one.issued_at}{late}", "fact", "value")
    out.add_row("id", one.id)
    out.add_row("ledger entry", one.entry_hash)
    for name, value in sorted(flat(one.facts).items()):
        text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        out.add_row(escape(name.replace(".", " ")), escape(text))
    return out


def _files(one: Issued) -> Table:
    out = _plain("Frozen files", "file", "bytes", "SHA-256")
    for name, facts in sorted(one.files.items()):
        out.add_row(name, str(facts["size"]), facts["sha256"])
    return out


def _changes(title: str, table: pd.DataFrame, names: tuple[str, str], rows: int) -> Table:
    from rich.markup import escape

    more = f" ({rows} of {len(table)})" if len(table) > rows else ""
    said = {"a": names[0], "b": names[1], "in_widths": "in 89 % widths"}
    out = _plain(title + more, *(said.get(c, c.replace("_", " ")) for c in table.columns))
    for row in table.head(rows).itertuples(index=False):
        cells = (f"{v:.3g}" if isinstance(v, float) else str(v) for v in row)
        out.add_row(*(escape(cell) for cell in cells))
    return out


def _wrong(row: dict[str, Any]) -> str:
    """Say one finding; hashes are never broken over lines, so that they can be copied."""
    lines = [f"{row['severity']}: {row['file']} {row['problem']}"]
    lines += [f"  {name:<8}  {row[name]}" for name in ("expected", "found", "remedy") if row[name]]
    return "\n".join(lines)
