"""Autocorrelation of votes: how much of a dyad's departure from its mean is left a year later.

On the logit scale, deviations from the mean of each dyad, all dyads pooled.
Invariant and guard: see the package.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fairweather.statistics.tools import levels, mean_seen, pooled

LABEL = "lag-1 autocorrelation of votes"
PURPOSE = "misfit"
OBSERVABLES_ONLY = True


def _pairs(data: Any) -> tuple[np.ndarray, np.ndarray]:
    x = levels(data, "vote")
    dev = x - mean_seen(x)[..., None]
    return dev[..., :-1], dev[..., 1:]


def compute(data: Any) -> Any:
    """Pooled correlation with the year before."""
    now, later = _pairs(data)
    return pooled(
        data, now * later, 0.5 * (now**2 + later**2), "vote series seen two years running"
    )


def support(data: Any) -> int:
    """Count the pairs of years."""
    now, later = _pairs(data)
    return int(np.isfinite(now * later).sum())
