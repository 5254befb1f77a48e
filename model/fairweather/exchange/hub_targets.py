"""Target data of a hub: what the record knows of the targets, in the units of the forecasts.

Invariant: a value that is written is the record's own; rows of other forecasts stay.
Guarded by ``tests/test_exchange_hub_targets.py``.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from fairweather.exchange.hub_config import OBSERVABLE

if TYPE_CHECKING:
    import pandas as pd

    from fairweather.record import Record

SERIES, ORACLE = "observation", "oracle_value"


def known(record: Record, targets: set[str], units: set[str]) -> pd.DataFrame:
    """Lay out what is on record.

    Parameters
    ----------
    record : Record
    targets, units : set of str
        Indicators, and states and pairs.

    Returns
    -------
    DataFrame
        target_end_date, target, unit, observation: of votes the share of agreement (as the model
        scores it), of shares the share, else the coded value. Years without trials are left out.
    """
    import pandas as pd

    from fairweather.measurement.vote import score

    rows = record.observations
    rows = rows[rows["indicator"].isin(targets) & rows["unit"].isin(units)]
    family = rows["indicator"].map(
        {t: record.codebook[t].family for t in rows["indicator"].unique()}
    )
    value, n = rows["value"].to_numpy(float).copy(), rows["n"].to_numpy(float)
    trials = family.isin(["vote", "share"]).to_numpy()
    vote = (family == "vote").to_numpy()
    with np.errstate(divide="ignore", invalid="ignore"):
        logit = score(value, rows["partial"].to_numpy(float), n)
        value = np.where(vote, 1.0 / (1.0 + np.exp(-logit)), np.where(trials, value / n, value))
    out = pd.DataFrame({
        "target_end_date": rows["year"].astype(int).astype(str).to_numpy() + "-12-31",
        "target": rows["indicator"].astype(str).to_numpy(),
        "unit": rows["unit"].astype(str).to_numpy(), SERIES: value,
    })  # fmt: skip
    keep = np.isfinite(value) & ~(trials & ~(n > 0))
    return out[keep].drop_duplicates(list(OBSERVABLE)).reset_index(drop=True)


def merged(before: bytes | None, now: pd.DataFrame, column: str) -> bytes | None:
    """Put what is known now in the place of what was, and keep the rows of other targets.

    Parameters
    ----------
    before : bytes or None
        The file as it is.
    now : DataFrame
        `OBSERVABLE` and ``observation``.
    column : str
        Name of the values in the file.

    Returns
    -------
    bytes or None
        None if nothing is known: a file without rows is none.
    """
    import pandas as pd

    now = now.rename(columns={SERIES: column}).assign(**{column: now[SERIES].map(_number)})
    if before is not None:
        old = pd.read_csv(io.BytesIO(before), dtype=str, keep_default_na=False)
        spoken = set(zip(now["target"], now["unit"], strict=True))
        others = [k not in spoken for k in zip(old["target"], old["unit"], strict=True)]
        now = pd.concat([old[others], now], ignore_index=True)
    if now.empty:
        return before
    now = now.sort_values(["target", "unit", "target_end_date"], kind="stable")
    return now[[*OBSERVABLE, column]].to_csv(index=False, lineterminator="\n").encode("utf-8")


def foreseen(rows: pd.DataFrame, tasks: Mapping[str, Any]) -> pd.DataFrame:
    """Keep the years that some round of the hub speaks of."""
    ends = {
        day
        for one in tasks["rounds"]
        for day in one["model_tasks"][0]["task_ids"]["target_end_date"]["optional"]
    }
    return rows[rows["target_end_date"].isin(ends)].reset_index(drop=True)


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(float(value))
