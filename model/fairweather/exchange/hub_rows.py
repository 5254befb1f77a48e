"""Rows of a hub's model output, from a forecast and back.

Invariant: going there and back changes no number; a sample is one future of all variables under
all scenarios, and its number is that of the draw.
Guarded by ``tests/test_exchange_hubverse.py::test_there_and_back``.

The hubs' horizons count days, weeks or months, never years: a year is twelve months here.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np

from fairweather.exchange import ExchangeError

if TYPE_CHECKING:
    import pandas as pd

MONTHS = 12
TYPES = ("quantile", "mean", "median")
TASK_IDS = ("origin_date", "scenario_id", "target", "unit", "horizon", "target_end_date")
COLUMNS = (*TASK_IDS, "output_type", "output_type_id", "value")
# Name in forecast.csv -> name in a hub.
_NAMES = {"scenario": "scenario_id", "indicator": "target", "target_date": "target_end_date"}


def to_rows(table: pd.DataFrame, draws: pd.DataFrame, samples: int) -> pd.DataFrame:
    """Lay a forecast out as model output.

    Parameters
    ----------
    table : DataFrame
        A checked ``forecast.csv`` of one origin.
    draws : DataFrame
        ``draws.parquet``.
    samples : int
        How many of the draws become samples, evenly along them; 0 for none.

    Returns
    -------
    DataFrame
        `COLUMNS`: quantiles and means as in the table, then samples.

    Raises
    ------
    ExchangeError
        More samples than draws, several origins, or an output type that the tasks do not know.
    """
    import pandas as pd

    unknown = sorted(set(table["output_type"]) - set(TYPES))
    if unknown:
        raise ExchangeError(
            f"output type {', '.join(unknown)} is not exported", remedy=f"Use {', '.join(TYPES)}."
        )
    origins = table["origin_date"].unique()
    if len(origins) != 1:
        raise ExchangeError(
            f"the forecast is of several origins: {', '.join(origins)}",
            remedy="Export one origin at a time.",
        )
    rows = table.rename(columns=_NAMES)
    rows = rows.assign(horizon=rows["horizon"].to_numpy() * MONTHS)[list(COLUMNS)]
    if samples == 0:
        return rows.reset_index(drop=True)
    x = np.stack(draws["draws"].to_numpy()).astype(float)
    if not 0 < samples <= x.shape[1]:
        raise ExchangeError(
            f"{samples} samples are asked for, of {x.shape[1]} draws",
            remedy=f"Ask for 0 to {x.shape[1]}: --samples.",
        )
    at = np.floor((np.arange(samples) + 0.5) * x.shape[1] / samples).astype(int)
    origin = str(origins[0])
    ahead = draws["target_year"].to_numpy(int) - int(origin[:4])
    each = pd.DataFrame({
        "origin_date": origin, "scenario_id": draws["scenario"], "target": draws["indicator"],
        "unit": draws["unit"], "horizon": ahead * MONTHS,
        "target_end_date": draws["target_year"].astype(int).astype(str) + "-12-31",
        "output_type": "sample",
    })  # fmt: skip
    drawn = each.loc[each.index.repeat(samples)].reset_index(drop=True)
    drawn["output_type_id"] = np.tile(at + 1.0, len(each))
    drawn["value"] = x[:, at].ravel()
    return pd.concat([rows, drawn], ignore_index=True)[list(COLUMNS)]


def from_rows(rows: pd.DataFrame, model_id: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Take model output back.

    Parameters
    ----------
    rows : DataFrame
        `COLUMNS`, from `parse`.
    model_id : str

    Returns
    -------
    table : DataFrame
        In the form of ``forecast.csv``, checked.
    samples : DataFrame
        scenario, indicator, unit, target_year, draw (from 1), value.
    """
    from fairweather.exchange.forecast_csv import SCHEMA, check_forecast

    back = rows.rename(columns={v: k for k, v in _NAMES.items()})
    back = back.assign(horizon=back["horizon"] // MONTHS, model_id=model_id)
    drawn = back[back["output_type"] == "sample"]
    table = back[back["output_type"] != "sample"][list(SCHEMA)]
    samples = drawn[["scenario", "indicator", "unit"]].assign(
        target_year=drawn["target_date"].str[:4].astype(int),
        draw=drawn["output_type_id"].astype(int), value=drawn["value"],
    )  # fmt: skip
    return check_forecast(table), samples.reset_index(drop=True)


def write(rows: pd.DataFrame, form: str) -> bytes:
    """Write model output as ``csv`` or ``parquet``, the same bytes for the same rows."""
    if form == "csv":
        whole = rows.assign(output_type_id=rows["output_type_id"].map(_level))
        return whole.to_csv(index=False, lineterminator="\n").encode("utf-8")
    import pyarrow as pa
    import pyarrow.parquet as pq

    def day(texts: Any) -> pa.Array:
        return pa.array(texts, pa.string()).cast(pa.date32())

    columns = {}
    for name in COLUMNS:
        values = rows[name]
        if name.endswith("_date"):
            columns[name] = day(values.tolist())
        elif name == "horizon":
            columns[name] = pa.array(values.to_numpy(), pa.int32())
        elif name in ("output_type_id", "value"):
            columns[name] = pa.array(values.to_numpy(float), pa.float64(), from_pandas=True)
        else:
            columns[name] = pa.array(values.astype(str).tolist(), pa.string())
    out = io.BytesIO()
    pq.write_table(
        pa.table(columns), out, version="2.6", data_page_version="1.0", compression="zstd",
        compression_level=3, write_statistics=False, store_schema=False,
    )  # fmt: skip
    return out.getvalue()


def parse(data: bytes, form: str) -> pd.DataFrame:
    """Read what `write` wrote: dates as text, ``horizon`` int, levels and values float."""
    import pandas as pd

    if form == "csv":
        rows = pd.read_csv(io.BytesIO(data), dtype=str, keep_default_na=False)
        level = rows["output_type_id"].replace("NA", "nan")
        return rows.assign(
            horizon=rows["horizon"].astype(int), output_type_id=level.astype(float),
            value=rows["value"].astype(float),
        )  # fmt: skip
    rows = pd.read_parquet(io.BytesIO(data))
    texts = {c: rows[c].astype(str) for c in rows if c.endswith("_date")}
    return rows.assign(horizon=rows["horizon"].astype(int), **texts)


def _level(value: float) -> str:
    """Write a level as it is read by eye: 0.025, 17; NA where there is none."""
    if value != value:
        return "NA"
    return str(int(value)) if value == int(value) else repr(float(value))
