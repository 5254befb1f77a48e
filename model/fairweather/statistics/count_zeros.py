"""Zeros of counts: share of the coded unit-years in which nothing was counted, per indicator.

One value for each alignment indicator of the family `count`. Invariant and guard: see the package.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fairweather import names
from fairweather.statistics import StatisticError

LABEL = "share of zeros of each count"
PURPOSE = "misfit"
OBSERVABLES_ONLY = True


def _ids(data: Any) -> list[str]:
    ids = data[names.INDICATOR].to_numpy()[data["family"].to_numpy() == "count"]
    return [str(i) for i in ids if np.isfinite(data[str(i)].to_numpy()).any()]


def compute(data: Any) -> Any:
    """Share per indicator, dims (..., indicator)."""
    import xarray as xr

    if not (ids := _ids(data)):
        raise StatisticError("no count in the data set", remedy="Widen the panel or the regime.")
    shares = []
    for one in ids:
        x = data[one]
        seen = x.notnull()
        shares.append(((x == 0) & seen).sum(("dyad", "year")) / seen.sum(("dyad", "year")))
    out = xr.concat(shares, dim=names.INDICATOR).assign_coords({names.INDICATOR: ids})
    return out.transpose(..., names.INDICATOR)


def support(data: Any) -> int:
    """Count the cells."""
    return int(sum(np.isfinite(data[i].to_numpy()).sum() for i in _ids(data)))
