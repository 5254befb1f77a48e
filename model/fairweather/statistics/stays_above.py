"""Stays above: share of the years after 2004 in which the composite is above its own 2001-04 level.

A share per dyad, then the mean over dyads. Invariant and guard: see the package.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fairweather.statistics.tools import above_own_level, mean_seen, per_draw

LABEL = "share of years above the own level of 2001-04"
PURPOSE = "claim"
OBSERVABLES_ONLY = True


def compute(data: Any) -> Any:
    """Mean share over dyads, 0 to 1."""
    share = mean_seen(above_own_level(data, later=True))
    return per_draw(data, share, "dyad seen both in 2001-04 and after")


def support(data: Any) -> int:
    """Count the dyad-years."""
    return int(np.isfinite(above_own_level(data, later=True)).sum())
