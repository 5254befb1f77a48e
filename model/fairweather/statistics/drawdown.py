"""Drawdown: the deepest fall of the composite from an earlier high, mean over dyads.

Invariant and guard: see the package.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fairweather import names
from fairweather.statistics.tools import composite, per_draw

LABEL = "maximum drawdown of the composite"
PURPOSE = "claim"
OBSERVABLES_ONLY = True


def _falls(data: Any) -> np.ndarray:
    """Deepest fall of each dyad, shape (..., dyad); NaN with fewer than two years seen."""
    x = composite(data).transpose(..., names.DYAD, names.YEAR).to_numpy()
    seen = ~np.isnan(x)
    high = np.maximum.accumulate(np.where(seen, x, -np.inf), axis=-1)
    fall = np.where(seen, high - np.where(seen, x, 0.0), 0.0).max(axis=-1)
    return np.where(seen.sum(axis=-1) > 1, fall, np.nan)


def compute(data: Any) -> Any:
    """Mean over dyads of the deepest fall, in SDs."""
    return per_draw(data, _falls(data), "dyad with two years seen")


def support(data: Any) -> int:
    """Count the dyads."""
    return int(np.isfinite(_falls(data)).sum())
