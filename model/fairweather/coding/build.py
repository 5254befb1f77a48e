"""The committed data are what the readers make of the sources: whole, checked, or not written.

Files are made in a temporary folder, read back through the record's own door, and only then put
in place. The same sources give the same bytes.
"""

from __future__ import annotations

import argparse
import importlib
import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from fairweather import chronology, countries, datapackage, paths
from fairweather.alone import alone
from fairweather.checks import read_text
from fairweather.codebook import Codebook, Indicator, load_codebook
from fairweather.coding.registry import READERS, OutOfSpan, Sources
from fairweather.coding.states import US, choose_states, compute_states
from fairweather.errors import SourceError
from fairweather.names import PRESSURE
from fairweather.schema import (
    COLUMNS,
    NUMBERS,
    first_part,
    number_text,
    read_parts,
    release_date,
    to_csv_text,
)
from fairweather.states import read_states

MODULES = (
    "un_votes",
    "events",
    "visits",
    "arms",
    "security",
    "trade",
    "sanctions",
    "measures",
    "perimeter",
    "us_contacts",
    "energy",
    "chronology",
    "contacts",
    "commitments",
    "dependence",
    "fuels",
    "likeness",
)


def readers() -> dict:
    """Import every reader module and return the registry, indicator id to function."""
    for module in MODULES:
        importlib.import_module(f"fairweather.coding.{module}")
    return READERS


def observations(src: Sources, one: Indicator) -> pd.DataFrame:
    """Run one reader and complete its rows to the record's columns.

    Parameters
    ----------
    src : Sources
        Tables to code from, with members and years.
    one : Indicator
        Codebook entry.

    Returns
    -------
    DataFrame
        Columns of the record, sorted by unit and year; empty if the instrument covers none of the
        years or no member.

    Raises
    ------
    SourceError
        If a table is missing, or the reader's rows lack `unit`, `year` or `value`.
    """
    try:
        frame = readers()[one.id](src)
    except OutOfSpan:
        frame = pd.DataFrame(columns=["unit", "year", "value"])
    if not {"unit", "year", "value"} <= set(frame):
        raise SourceError(
            f"the reader of {one.id!r} returned no usable rows",
            remedy="Check its source files against their README.",
        )
    out = pd.DataFrame({"unit": frame["unit"].astype(str), "year": frame["year"].astype("int64")})
    for name in NUMBERS:
        out[name] = frame[name].astype("float64") if name in frame else np.nan
    out["rater"] = frame["rater"].astype(str) if "rater" in frame else ""
    out["indicator"], out["source"] = one.id, one.source
    out["available_on"] = release_date(out["year"], one.release_lag_days)
    out = out[_belongs(out, one, src.states)]
    return out.sort_values(["unit", "year", "rater"], kind="stable")[list(COLUMNS)].reset_index(
        drop=True
    )


def _belongs(rows: pd.DataFrame, one: Indicator, states: Iterable[str]) -> np.ndarray:
    """Say which rows are about members that existed; the source of pressure is under none."""
    members = pd.Index(sorted(set(states) - ({US} if one.latent == PRESSURE else set())))
    when, years = pd.factorize(rows["year"])
    alive = countries.in_system(members, years)
    # A stranger's place is -1: a last row of its own, without any year.
    alive = np.vstack([alive, np.zeros((1, len(years)), dtype=bool)])
    sides = (members.get_indexer(rows["unit"].str[at]) for at in (slice(3), slice(-3, None)))
    return np.logical_and(*(alive[side, when] for side in sides))


def _same_indicators(codebook: Codebook) -> None:
    # What somebody codes by hand, outside the default fit, has no reader.
    coded = set(readers())
    listed = {one.id for one in codebook.indicators if one.default or one.id in coded}
    if coded != listed:
        raise SourceError(
            f"codebook and readers differ: only in one of them {sorted(coded ^ listed)}",
            file="codebook.toml",
            remedy="Add the missing entry or reader.",
        )


def build(
    sources_dir: str | Path,
    data_dir: str | Path,
    *,
    states: str | Iterable[str] | None = None,
    history: bool = True,
) -> pd.DataFrame:
    """Write `states.csv`, `observations/`, `history/` and the events from the prepared sources.

    Parameters
    ----------
    sources_dir : str or Path
        Folder with one folder per theme.
    data_dir : str or Path
        Folder that receives the tables. For chosen states it may be new: it then gets its own copy
        of the codebook and the other descriptions.
    states : str or iterable of str, optional
        ISO3 codes, or `un-members`; by default the written rule decides.
    history : bool
        Whether to code the long record (1950-1991) too.

    Returns
    -------
    DataFrame
        One row per indicator: `indicator, rows, units, first, last, history`.

    Raises
    ------
    SourceError
        If a source is missing or malformed, a state is unknown, or codebook and readers differ.
    RecordError
        If a coding breaks a rule of the record; nothing is then replaced.
    """
    data_dir = paths.own_folder(data_dir)
    if (data_dir / "vintages").exists() and states is not None:
        raise SourceError(
            "the folder holds releases, which are about its present states",
            remedy="Build the other states in a new folder: --data DIR.",
        )
    if states is not None and data_dir.resolve() == paths.shipped_data_dir().resolve():
        raise SourceError(
            "chosen states would replace the shipped record",
            remedy="Name a folder of your own: --data DIR.",
        )
    src = Sources(sources_dir)
    # Before anything is written: most refusals are about the states or a missing source.
    table = compute_states(src) if states is None else choose_states(src, states)
    if states is not None:
        _describe(data_dir)
    codebook = load_codebook(data_dir / "codebook.toml")
    _same_indicators(codebook)
    src.states = tuple(sorted(table["iso3"]))
    with alone(data_dir):
        return _build(src, table, codebook, data_dir, chosen=states is not None, history=history)


def _build(
    src: Sources,
    table: pd.DataFrame,
    codebook: Codebook,
    data_dir: Path,
    *,
    chosen: bool,
    history: bool,
) -> pd.DataFrame:
    """Code every indicator in a folder beside the record, and put the whole in its place."""
    for cut in data_dir.glob(".build-*"):  # what a build that was killed left behind
        shutil.rmtree(cut)
    work = Path(tempfile.mkdtemp(prefix=".build-", dir=data_dir))
    try:
        table = table.assign(mean_cinc=number_text(table["mean_cinc"]))
        table.to_csv(work / "states.csv", index=False, lineterminator="\n")
        members = read_states(work / "states.csv")["iso3"]
        rows = []
        for one in codebook.indicators:
            if one.id not in READERS:
                continue
            door = (one, members, codebook.sources)
            path = work / "observations" / f"{one.id}.csv"
            kept = _write(observations(src, one), path, door, chosen=chosen)
            old = 0
            if history and one.history_from:
                past = src.about((one.history_from, one.first_year - 1))
                path = work / "history" / f"{one.id}.csv"
                old = len(_write(observations(past, one), path, door, chosen=True, history=True))
            rows.append(
                {
                    "indicator": one.id,
                    "rows": len(kept),
                    "units": kept["unit"].nunique(),
                    "first": kept["year"].min() if len(kept) else "",
                    "last": kept["year"].max() if len(kept) else "",
                    "history": old,
                }
            )
        _keep_own(codebook, data_dir, work)
        _replace(work, data_dir, _write_events(src, work))
        datapackage.write(data_dir)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return pd.DataFrame(rows)


def _write(
    rows: pd.DataFrame, path: Path, door: tuple, *, chosen: bool, history: bool = False
) -> pd.DataFrame:
    """Write one indicator's rows and read them back through the record's own door."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(to_csv_text(rows), encoding="utf-8", newline="")
    one, *known = door
    return read_parts([first_part(path, one, history=history)], *known, may_be_empty=chosen)


def _write_events(src: Sources, work: Path) -> list[str]:
    """Write the event list and its rows from memory, and read them back; return their places."""
    rubric = chronology.load_rubric(paths.shipped_data_dir())
    texts = importlib.import_module("fairweather.coding.chronology").tables(src)
    for place, text in texts.items():
        path = work / place
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")
        memory = place == chronology.UNVERIFIED_FILE
        chronology.check_chronology(
            read_text(path, chronology.COLUMNS), rubric, path, memory=memory
        )
    return list(texts)


def _keep_own(codebook: Codebook, data_dir: Path, work: Path) -> None:
    """Carry over the files of indicators that somebody codes by hand."""
    for folder in ("observations", "history"):
        for path in sorted((data_dir / folder).glob("*.csv")):
            if path.stem in codebook and path.stem not in readers():
                (work / folder).mkdir(exist_ok=True)
                shutil.copy(path, work / folder / path.name)


def _describe(data_dir: Path) -> None:
    """Give a folder of its own the descriptions of the shipped record, unless it has them."""
    shipped = paths.shipped_data_dir()
    data_dir.mkdir(parents=True, exist_ok=True)
    for path in sorted([*shipped.glob("*.toml"), *shipped.glob("countries.csv")]):
        if not (data_dir / path.name).exists():
            shutil.copy(path, data_dir / path.name)


def _replace(work: Path, data_dir: Path, events: Iterable[str]) -> None:
    """Swap the new tables in by renaming; the old folders go with the temporary one."""
    for name in ("observations", "history"):
        if (data_dir / name).exists():
            os.replace(data_dir / name, work / f"old-{name}")
        if (work / name).exists():
            os.replace(work / name, data_dir / name)
    for place in events:
        (data_dir / place).parent.mkdir(exist_ok=True)
        os.replace(work / place, data_dir / place)
    os.replace(work / "states.csv", data_dir / "states.csv")


def main(argv: list[str] | None = None) -> None:
    """Build from the command line: `python -m fairweather.coding.build SOURCES DATA`."""
    parser = argparse.ArgumentParser(description="Rebuild data/ from prepared sources.")
    parser.add_argument("sources", type=Path)
    parser.add_argument("data", type=Path)
    args = parser.parse_args(argv)
    print(build(args.sources, args.data).to_string(index=False))


if __name__ == "__main__":
    main()
