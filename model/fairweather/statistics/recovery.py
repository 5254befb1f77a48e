"""Recovery: share of ties back at their level from before an easing within five years of its end.

A window counts as recovered if the composite reaches, in one of the five years after the end of the
episode, what it was in the year before the start. Invariant and guard: see the package.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fairweather.statistics.tools import RECOVERY_YEARS, around, composite, per_draw

LABEL = "share recovered within five years of an easing"
PURPOSE = "claim"
OBSERVABLES_ONLY = True


def _back(data: Any) -> np.ndarray:
    """1, 0 or NaN per window."""
    before, after = around(data, composite(data), "easing", first=1, last=RECOVERY_YEARS)
    seen = ~np.isnan(after).all(axis=-1) & ~np.isnan(before)
    reached = (after >= before[..., None]).any(axis=-1)
    return np.where(seen, reached, np.nan)


def compute(data: Any) -> Any:
    """Share of the windows, 0 to 1."""
    return per_draw(data, _back(data), "dyad seen before and after an easing episode")


def support(data: Any) -> int:
    """Count the windows."""
    return int(np.isfinite(_back(data)).sum())
