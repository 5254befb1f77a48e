"""Change after hardship: what becomes of security items once pressure has risen on one side.

As the change after easing, with episodes of hardship. Below zero: the tie does not endure.
Invariant and guard: see the package.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fairweather.statistics.tools import changes, composite, per_draw

LABEL = "change of the security composite after hardship"
PURPOSE = "claim"
OBSERVABLES_ONLY = True


def compute(data: Any) -> Any:
    """Mean change over the windows, in SDs."""
    moved = changes(data, composite(data, "security"), "hardship")
    return per_draw(data, moved, "dyad with security items around a hardship episode")


def support(data: Any) -> int:
    """Count the windows."""
    return int(np.isfinite(changes(data, composite(data, "security"), "hardship")).sum())
