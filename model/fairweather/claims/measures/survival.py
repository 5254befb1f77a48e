"""Durability as a function of the weather.

Invariant: the two weathers meet the same shocks, so that their difference is the weather's.
Guarded by ``tests/test_claims_measures.py``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fairweather.claims.evidence import Evidence
from fairweather.claims.measures.easing import scenario_futures
from fairweather.draws import Draws
from fairweather.forecast import thresholds

_FUTURES = 100


def less_durable(draws: Draws, params: dict[str, Any]) -> Evidence:
    """Five-year durability under the current weather, minus that under ease-both."""
    label, level = next(iter(thresholds(draws).items()))
    _, base, eased = scenario_futures(draws, "ease-both", _FUTURES)

    def alive(path: np.ndarray) -> np.ndarray:
        return (path > level[:, None, None]).all(axis=-1).mean(axis=1)

    now, then = alive(base), alive(eased)
    note = f"above its {label} level through year 5: {now.mean():.2f} now, {then.mean():.2f} eased"
    return Evidence(now - then, now - then > params["size"], note)
