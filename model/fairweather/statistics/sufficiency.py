"""Sufficiency corner: how often a tie stands low although pressure on both of its sides is high.

High pressure: the smaller of the two latent pressures is above its upper quartile over all dyads
and years. Low: the composite is not above the tie's own level of 2001-04. Both were fixed before
any outcome was seen. If shared pressure is sufficient, the corner is nearly empty.
Invariant and guard: see the package.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fairweather.statistics.tools import above_own_level, least_pressure, per_draw

LABEL = "share of ties low where shared pressure is high"
PURPOSE = "claim"
OBSERVABLES_ONLY = False


def _corner(data: Any) -> np.ndarray:
    """1, 0 or NaN, shape (..., dyad * year)."""
    least = least_pressure(data)
    high = least > np.quantile(least, 0.75, axis=(-2, -1), keepdims=True)
    out = np.where(high, 1.0 - above_own_level(data), np.nan)
    return out.reshape(*out.shape[:-2], -1)


def compute(data: Any) -> Any:
    """Share of the dyad-years with high shared pressure, 0 to 1."""
    return per_draw(data, _corner(data), "dyad-year with high shared pressure and a level")


def support(data: Any) -> int:
    """Count the dyad-years."""
    return int(np.isfinite(_corner(data)).sum())
