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
from pathlib import Path

import numpy as np
import pandas as pd

from fairweather.codebook import Codebook, Indicator, load_codebook
from fairweather.coding.registry import READERS, Sources
from fairweather.coding.states import compute_states
from fairweather.errors import SourceError
from fairweather.schema import (
    COLUMNS,
    number_text,
    read_observations,
    read_states,
    release_date,
    to_csv_text,
)

MODULES = (
    "un_votes",
    "events",
    "visits",
    "arms",
    "security",
    "trade",
    "sanctions",
    "energy",
    "chronology",
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
        Publishers' folder, with members.
    one : Indicator
        Codebook entry.

    Returns
    -------
    DataFrame
        Columns of the record, sorted by unit and year.

    Raises
    ------
    SourceError
        If the reader returns nothing or lacks `unit`, `year` or `value`.
    """
    frame = readers()[one.id](src)
    if frame.empty or not {"unit", "year", "value"} <= set(frame):
        raise SourceError(
            f"the reader of {one.id!r} returned no usable rows",
            remedy="Check its source files against their README.",
        )
    out = pd.DataFrame({"unit": frame["unit"].astype(str), "year": frame["year"].astype(int)})
    for name in ("value", "partial", "opposite", "n"):
        out[name] = frame[name].astype(float) if name in frame else np.nan
    out["indicator"], out["source"] = one.id, one.source
    out["available_on"] = release_date(out["year"], one.release_lag_days)
    return out.sort_values(["unit", "year"], kind="stable")[list(COLUMNS)].reset_index(drop=True)


def _same_indicators(codebook: Codebook) -> None:
    coded, listed = set(readers()), set(codebook)
    if coded != listed:
        raise SourceError(
            f"codebook and readers differ: only in one of them {sorted(coded ^ listed)}",
            file="codebook.toml",
            remedy="Add the missing entry or reader.",
        )


def build(sources_dir: str | Path, data_dir: str | Path) -> pd.DataFrame:
    """Write `states.csv` and `observations/*.csv` from the publishers' files.

    Parameters
    ----------
    sources_dir : str or Path
        Folder with one folder per theme.
    data_dir : str or Path
        Folder that holds `codebook.toml` and `sources.toml` and receives the tables.

    Returns
    -------
    DataFrame
        One row per indicator: `indicator, rows, units, first, last`.

    Raises
    ------
    SourceError
        If a source is missing or malformed, or codebook and readers differ.
    RecordError
        If a coding breaks a rule of the record; nothing is then replaced.
    """
    data_dir = Path(data_dir)
    codebook = load_codebook(data_dir / "codebook.toml")
    _same_indicators(codebook)
    src = Sources(sources_dir)
    states = compute_states(src)
    src.states = tuple(sorted(states["iso3"]))
    work = Path(tempfile.mkdtemp(prefix=".build-", dir=data_dir))
    try:
        table = states.assign(mean_cinc=number_text(states["mean_cinc"]))
        table.to_csv(work / "states.csv", index=False, lineterminator="\n")
        members = read_states(work / "states.csv")["iso3"]
        (work / "observations").mkdir()
        rows = []
        for one in codebook.indicators:
            path = work / "observations" / f"{one.id}.csv"
            path.write_text(to_csv_text(observations(src, one)), encoding="utf-8", newline="")
            kept = read_observations(path, one, members, codebook.sources)
            rows.append(
                {
                    "indicator": one.id,
                    "rows": len(kept),
                    "units": kept["unit"].nunique(),
                    "first": kept["year"].min(),
                    "last": kept["year"].max(),
                }
            )
        _replace(work, data_dir)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    summary = pd.DataFrame(rows)
    print(summary.to_string(index=False))
    return summary


def _replace(work: Path, data_dir: Path) -> None:
    """Swap the new tables in by renaming; the old folder goes with the temporary one."""
    target = data_dir / "observations"
    if target.exists():
        os.replace(target, work / "old")
    os.replace(work / "observations", target)
    os.replace(work / "states.csv", data_dir / "states.csv")


def main(argv: list[str] | None = None) -> None:
    """Build from the command line: `python -m fairweather.coding.build SOURCES DATA`."""
    parser = argparse.ArgumentParser(description="Rebuild data/ from the publishers' files.")
    parser.add_argument("sources", type=Path)
    parser.add_argument("data", type=Path)
    args = parser.parse_args(argv)
    build(args.sources, args.data)


if __name__ == "__main__":
    main()
