"""What US pressure itself did: forecasts of the weather, judged on the weather that came.

Invariant: these read the estimated path of pressure only, never alignment; the prior takes that
path from its anchor, so that no prior probability is quoted.
Guarded by ``tests/test_claims_measures.py``.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fairweather import names
from fairweather.claims.evidence import ClaimError, Evidence
from fairweather.draws import Draws


def _mean(draws: Draws, path: np.ndarray, span: list[int]) -> np.ndarray:
    years = draws.panel.years
    inside = (years >= span[0]) & (years <= span[1])
    if inside.sum() < span[1] - span[0] + 1:
        raise ClaimError(
            f"the panel runs {years[0]}-{years[-1]} and does not hold {span[0]}-{span[1]}",
            remedy="Use a longer panel.",
        )
    return path[:, inside].mean(axis=1)


def pressure_fell(draws: Draws, params: dict[str, Any]) -> Evidence:
    """Mean pressure on a state in one span of years, minus that in an earlier one, in SD."""
    path = draws.get("pressure", state=params["state"])
    change = _mean(draws, path, params["after"]) - _mean(draws, path, params["before"])
    change = change / draws.reference[names.PRESSURE][1]
    # An AR(1) without a trend is as likely to rise as to fall.
    return Evidence(change, change < 0, prior=0.5)


def pressure_returns(draws: Draws, params: dict[str, Any]) -> Evidence:
    """Pressure on a state in the years after its easings, minus that in their last year, in SD.

    Easings are found by rule from the pressure indicators (``fairweather.find_episodes``); one
    that leaves fewer than three years to look at is not counted.
    """
    from fairweather.episodes import find_episodes

    state, ahead = params["state"], params["years"]
    years = draws.panel.years
    found = find_episodes(draws.panel.record, states=[state]).query("type == 'easing'")
    ends = [int(e) for e in found["end"] if years[0] <= e <= years[-1] - 3]
    if not ends:
        nothing = np.full(1, math.nan)
        note = f"by rule there is no easing on {state} in {years[0]}-{years[-1] - 3}"
        return Evidence(nothing, nothing, note, shocks=0, prior=math.nan)
    path = draws.get("pressure", state=state)
    at = [e - int(years[0]) for e in ends]
    back = [path[:, a + 1 : a + 1 + ahead].mean(axis=1) - path[:, a] for a in at]
    value = np.mean(back, axis=0) / draws.reference[names.PRESSURE][1]
    said = f"easings that ended in {', '.join(map(str, ends))}"
    return Evidence(value, value > 0, said, shocks=len(ends), prior=math.nan)
