"""Whether the gains of cooperation count by themselves, or only where pressure is present.

Invariant: the effect of complementarity is read at stated levels of pressure, never on average.
Guarded by ``tests/test_claims_measures.py``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fairweather import names
from fairweather.claims.evidence import Evidence
from fairweather.claims.measures.easing import spread
from fairweather.draws import Draws
from fairweather.readings import get_reading
from fairweather.readings.parts import scope_from


def effects(draws: Draws) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Effect of complementarity with both pressures one SD below and above their mean, and scope.

    Returns
    -------
    low, high, scope : ndarray, shape (draw,)
        Logits after five years per SD of complementarity, mean of its kinds.
    """
    if get_reading(draws.reading).DRIVERS != "complementarity":
        # Likeness of regimes stands in its place: the economic gains are nil by construction.
        nil = np.zeros(len(draws))
        return nil, nil, nil
    _, pressure, _ = draws.history()
    start = scope_from(draws.panel, draws.reading)
    mean = pressure.mean(axis=(1, 2)) - draws.panel.anchor_mean + start
    step = draws.reference[names.PRESSURE][1]
    kinds = [draws.get(f"complementarity_{k}") for k in draws.panel.kinds]
    main, scope = np.mean(kinds, axis=0), draws.get("scope")
    return main + scope * (mean - step), main + scope * (mean + step), scope


def moderated(draws: Draws, params: dict[str, Any]) -> Evidence:
    """Effect of complementarity under high pressure, minus that under low."""
    low, high, scope = effects(draws)
    holds = (scope > 0) & (np.abs(low) < np.abs(high))
    note = f"scope positive in {(scope > 0).mean():.2f}"
    return Evidence((high - low) / spread(draws), holds, note)


def too_small(draws: Draws, params: dict[str, Any]) -> Evidence:
    """Effect of complementarity under low pressure, below the size that would be seen."""
    low, _, _ = effects(draws)
    effect = low / spread(draws)
    return Evidence(effect, effect < params["size"])
