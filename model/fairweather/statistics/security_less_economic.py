"""Security less economic: easing may take the strategic tie away and leave the trade.

Over the windows of the change after easing in which both domains are seen: change of the security
composite less change of the economic one. Invariant and guard: see the package.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fairweather.statistics.tools import changes, composite, per_draw

LABEL = "security less economic change after easing"
PURPOSE = "claim"
OBSERVABLES_ONLY = True


def _gaps(data: Any) -> np.ndarray:
    parts = (changes(data, composite(data, d), "easing") for d in ("security", "economic"))
    security, economic = parts
    return security - economic


def compute(data: Any) -> Any:
    """Mean difference over the windows, in SDs."""
    return per_draw(data, _gaps(data), "dyad with both domains around an easing episode")


def support(data: Any) -> int:
    """Count the windows in which both domains are seen."""
    return int(np.isfinite(_gaps(data)).sum())
