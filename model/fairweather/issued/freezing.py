"""Archived runs become the files and facts of a forecast, the same on every machine.

Invariant: nothing of the clock, the folder or the machine is frozen, and only complete runs are.
Guarded by ``tests/test_issued_freeze.py``.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fairweather.errors import ArchiveError

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from fairweather.archive import Results

Weights = str | Path | Mapping[str, float] | tuple[Mapping[str, float], Mapping[str, Any]]

_TABLES = ("forecast.csv", "durability.csv", "diagnostics.csv", "claims.csv")
_OPTIONAL = ("claims.csv",)
# Of the machine, of the clock, or of the folder the run is kept in.
_NOT_OF_THE_FORECAST = ("machine", "timings", "created", "contents")
_SAMPLING = ("sampler", "chains", "draws", "tune", "target_accept", "indicators")


def freeze(
    results: Results, *others: Results, weights: Weights | None = None, seed: int = 1
) -> tuple[dict[str, bytes], dict[str, Any]]:
    """Turn a complete run, or a mixture of several, into what `Store.issue` freezes.

    Parameters
    ----------
    results, *others : Results
        From ``fairweather.open_results``; several must be of one reading each.
    weights : mapping, str, Path, or pair of mappings, optional
        Weights of several runs: a source that `fairweather.ensemble.weights_from` reads, or the
        pair that it returned. One run needs none.
    seed : int
        Of the mixture, see `fairweather.ensemble.mix`.

    Returns
    -------
    files : dict of str to bytes
        ``run.json``, ``forecast.csv``, ``durability.csv``, ``diagnostics.csv``, ``draws.parquet``,
        and ``claims.csv`` if the run has it. Of a mixture: the tables and draws of the mixture,
        ``run-READING.json`` for each run, and ``best-forecast.csv`` and ``best-durability.csv``,
        those of the single reading with most weight.
    facts : dict
        Data vintage, priors, readings and weights, code, seeds, diagnostics, scenarios, horizon,
        origin and focal pair.

    Raises
    ------
    ArchiveError
        A run is not complete, a part of it cannot be read, or runs that do not go together.
    WeightsError, EnsembleError
        Weights that are none or do not fit; forecasts that cannot be mixed.

    Examples
    --------
    >>> import fairweather as fw
    >>> store.issue(*freeze(fw.open_results("results/RUN")))  # doctest: +SKIP
    >>> runs = [fw.open_results(f"results/{name}") for name in ("A", "B")]  # doctest: +SKIP
    >>> store.issue(*freeze(*runs, weights="results/backtest-1f2e"))  # doctest: +SKIP
    """
    for run in (results, *others):
        if run.status != "complete":
            raise ArchiveError(
                f"run {run.id} is {run.status}: only a complete run can be issued",
                remedy="Make a forecast first: fairweather forecast.",
            )
    if others or weights is not None:
        from fairweather.issued.mixtures import freeze_mixture

        return freeze_mixture((results, *others), weights, seed)
    files = {
        name: read_part(results, name)
        for name in _TABLES if name not in _OPTIONAL or results.has(name)
    }  # fmt: skip
    files["run.json"] = run_json(results)
    files["draws.parquet"] = draws(results.forecast, int(results.run["model"]["origin"]))
    return files, _facts(results)


def read_part(results: Results, name: str) -> bytes:
    """Read a file of a run as it is.

    Raises
    ------
    ArchiveError
        It cannot be read.
    """
    try:
        return (results.path / name).read_bytes()
    except OSError as err:
        raise ArchiveError(
            f"cannot be read ({err.strerror or err})", file=name, remedy="Run it again."
        ) from err


def run_json(results: Results) -> bytes:
    """Write ``run.json`` without what is of the machine, the clock or the folder."""
    kept = {k: v for k, v in results.run.items() if k not in _NOT_OF_THE_FORECAST}
    text = json.dumps(kept, indent=1, sort_keys=True, allow_nan=False, ensure_ascii=False)
    return text.encode("utf-8") + b"\n"


def draws(forecast: xr.DataTree, origin: int) -> bytes:
    """Write the predictive draws of the indicators as Parquet.

    Parameters
    ----------
    forecast : DataTree
        From ``fairweather.forecast``.
    origin : int
        Year the forecast starts from.

    Returns
    -------
    bytes
        One row per scenario, indicator, unit and target year; ``draws`` is a list of float32, in
        the same order in every row, so that draw k of all rows is one future.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    value = forecast["observables"].to_dataset()["value"]
    value = value.transpose("scenario", "indicator", "horizon", "draw")
    x = np.ascontiguousarray(value.to_numpy(), dtype=np.float32)
    scenario, series, ahead = (g.ravel() for g in np.indices(x.shape[:3]))
    lengths = np.arange(0, x.size + 1, x.shape[-1], dtype=np.int32)
    columns = {
        "scenario": pa.array(_texts(value["scenario"].to_numpy()[scenario])),
        "indicator": pa.array(_texts(value["id"].to_numpy()[series])),
        "unit": pa.array(_texts(value["unit"].to_numpy()[series])),
        "target_year": pa.array(origin + value["horizon"].to_numpy()[ahead], pa.int16()),
        "draws": pa.ListArray.from_arrays(pa.array(lengths), pa.array(x.ravel())),
    }
    out = io.BytesIO()
    # Floats compress best byte by byte; every choice is written out, so that no default of
    # another release changes the bytes.
    pq.write_table(
        pa.table(columns), out, version="2.6", data_page_version="1.0", compression="zstd",
        compression_level=3, use_dictionary=["scenario", "indicator", "unit"],
        column_encoding={"draws.list.element": "BYTE_STREAM_SPLIT"}, write_statistics=False,
        store_schema=False, row_group_size=4096, data_page_size=1 << 20,
    )  # fmt: skip
    return out.getvalue()


def _texts(values: Any) -> list[str]:
    return [str(v) for v in values]


def _facts(results: Results) -> dict[str, Any]:
    """Say what determines the forecast, in the form the manifest keeps."""
    run = results.run
    model, scenarios = run["model"], run["scenarios"]
    return {
        "run": run["id"],
        "focal": model["focal"],
        "origin": model["origin"],
        "horizon": scenarios["horizon"],
        "data": run["data"],
        "readings": {model["reading"]: 1.0},
        "priors": run["priors"],
        "scenarios": {"hash": scenarios["hash"], "names": scenarios["names"]},
        **of_run(run),
        "chance": chance(results.durability),
    }


def of_run(run: Mapping[str, Any]) -> dict[str, Any]:
    """Seeds, sampling, code and diagnostics of one run."""
    return {
        "seed": {"fit": run["seed"], "forecast": run["scenarios"]["seed"]},
        "sampling": {k: run["model"].get(k) for k in _SAMPLING},
        "code": run["code"],
        "diagnostics": run["diagnostics"],
    }


def chance(table: pd.DataFrame) -> dict[str, Any]:
    """Pick the chance that a list shows: today's weather, first threshold, last year.

    Parameters
    ----------
    table : DataFrame
        Durability of a run or a mixture.
    """
    from fairweather.wording import baseline

    level = table["threshold"].astype(str) == str(table["threshold"].iloc[0])
    today = table["scenario"] == baseline(list(dict.fromkeys(table["scenario"])))
    row = table[level & today].sort_values("horizon").iloc[-1]
    return {
        "scenario": str(row["scenario"]),
        "threshold": str(row["threshold"]),
        "horizon": int(row["horizon"]),
        "probability": float(row["probability"]),
    }
