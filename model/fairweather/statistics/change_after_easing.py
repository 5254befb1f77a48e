"""Change after easing: what becomes of security items once pressure has eased on one side.

For each easing episode and each dyad of the eased state: the security composite, mean over the
years from the start to three after the end, less the year before the start; then the mean over
all such windows. Below zero: the tie loosens in fair weather. Invariant and guard: see the package.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fairweather.statistics.tools import changes, composite, per_draw

LABEL = "change of the security composite after easing"
PURPOSE = "claim"
OBSERVABLES_ONLY = True


def compute(data: Any) -> Any:
    """Mean change over the windows, in SDs."""
    moved = changes(data, composite(data, "security"), "easing")
    return per_draw(data, moved, "dyad with security items around an easing episode")


def support(data: Any) -> int:
    """Count the windows."""
    return int(np.isfinite(changes(data, composite(data, "security"), "easing")).sum())
