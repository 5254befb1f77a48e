"""Necessity corner: how often a tie stands high although pressure on one of its sides is low.

Low: the smaller of the two latent pressures is not above its median over all dyads and years. High:
the composite is above the tie's own level of 2001-04. Both were fixed before any outcome was seen.
If shared pressure is necessary, the corner is nearly empty. Invariant and guard: see the package.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fairweather.statistics.tools import above_own_level, least_pressure, per_draw

LABEL = "share of ties high where shared pressure is low"
PURPOSE = "claim"
OBSERVABLES_ONLY = False


def _corner(data: Any) -> np.ndarray:
    """1, 0 or NaN, shape (..., dyad * year)."""
    least = least_pressure(data)
    low = least <= np.median(least, axis=(-2, -1), keepdims=True)
    out = np.where(low, above_own_level(data), np.nan)
    return out.reshape(*out.shape[:-2], -1)


def compute(data: Any) -> Any:
    """Share of the dyad-years with low shared pressure, 0 to 1."""
    return per_draw(data, _corner(data), "dyad-year with low shared pressure and a level")


def support(data: Any) -> int:
    """Count the dyad-years."""
    return int(np.isfinite(_corner(data)).sum())
