"""An archived run becomes the files and facts of a forecast, the same on every machine.

Invariant: nothing of the clock, the folder or the machine is frozen, and only complete runs are.
Guarded by ``tests/test_issued_freeze.py``.
"""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

from fairweather.errors import ArchiveError

if TYPE_CHECKING:
    import xarray as xr

    from fairweather.archive import Results

_TABLES = ("forecast.csv", "durability.csv", "diagnostics.csv", "claims.csv")
_OPTIONAL = ("claims.csv",)
# Of the machine, of the clock, or of the folder the run is kept in.
_NOT_OF_THE_FORECAST = ("machine", "timings", "created", "contents")
_SAMPLING = ("sampler", "chains", "draws", "tune", "target_accept", "indicators")


def freeze(results: Results) -> tuple[dict[str, bytes], dict[str, Any]]:
    """Turn a complete run into what `Store.issue` freezes.

    Parameters
    ----------
    results : Results
        From ``fairweather.open_results``.

    Returns
    -------
    files : dict of str to bytes
        ``run.json``, ``forecast.csv``, ``durability.csv``, ``diagnostics.csv``, ``draws.parquet``,
        and ``claims.csv`` if the run has it.
    facts : dict
        Data vintage, priors, readings and weights, code, seeds, diagnostics, scenarios, horizon,
        origin and focal pair.

    Raises
    ------
    ArchiveError
        The run is not complete, or a part of it cannot be read.

    Examples
    --------
    >>> import fairweather as fw
    >>> store.issue(*freeze(fw.open_results("results/RUN")))  # doctest: +SKIP
    """
    if results.status != "complete":
        raise ArchiveError(
            f"run {results.id} is {results.status}: only a complete run can be issued",
            remedy="Make a forecast first: fairweather forecast.",
        )
    files = {}
    for name in _TABLES:
        if name in _OPTIONAL and not results.has(name):
            continue
        try:
            files[name] = (results.path / name).read_bytes()
        except OSError as err:
            raise ArchiveError(
                f"cannot be read ({err.strerror or err})", file=name, remedy="Run it again."
            ) from err
    kept = {k: v for k, v in results.run.items() if k not in _NOT_OF_THE_FORECAST}
    text = json.dumps(kept, indent=1, sort_keys=True, allow_nan=False, ensure_ascii=False)
    files["run.json"] = text.encode("utf-8") + b"\n"
    files["draws.parquet"] = draws(results.forecast, int(results.run["model"]["origin"]))
    return files, _facts(results)


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
        "seed": {"fit": run["seed"], "forecast": scenarios["seed"]},
        "sampling": {k: model.get(k) for k in _SAMPLING},
        "code": run["code"],
        "diagnostics": run["diagnostics"],
        "chance": _chance(results),
    }


def _chance(results: Results) -> dict[str, Any]:
    """Pick the chance that a list shows: today's weather, first threshold, last year."""
    from fairweather.wording import baseline

    table = results.durability
    level = table["threshold"].astype(str) == str(table["threshold"].iloc[0])
    today = table["scenario"] == baseline(list(dict.fromkeys(table["scenario"])))
    row = table[level & today].sort_values("horizon").iloc[-1]
    return {
        "scenario": str(row["scenario"]),
        "threshold": str(row["threshold"]),
        "horizon": int(row["horizon"]),
        "probability": float(row["probability"]),
    }
