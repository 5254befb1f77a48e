"""Pressure as a condition: necessary, sufficient, or ranked, over all dyad-years.

Invariant: what counts as high and low follows from ranks among all dyad-years of the same draw,
so that no level has to be chosen by eye. Guarded by ``tests/test_claims_measures.py``.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fairweather.claims.evidence import ClaimError, Evidence
from fairweather.draws import Draws

_MOST = 200


def weaker_side(draws: Draws) -> tuple[np.ndarray, np.ndarray]:
    """Alignment of every dyad-year and the lower of its two pressures.

    Returns
    -------
    alignment, pressure : ndarray, shape (draw, dyad, year)
        At most 200 draws, evenly taken.
    """
    p = draws.panel
    keep = np.linspace(0, len(draws) - 1, min(len(draws), _MOST)).round().astype(int)
    pressure = draws.get("pressure", state=list(p.states))[keep]
    both = np.minimum(pressure[:, p.left], pressure[:, p.right])
    return draws.get("alignment", dyad=list(p.dyads))[keep], both


def rate(event: np.ndarray, given: np.ndarray) -> np.ndarray:
    """Share of the given cells in which the event is seen, shape (draw,)."""
    axes = tuple(range(1, event.ndim))
    return (event & given).sum(axis=axes) / np.maximum(given.sum(axis=axes), 1)


def _cut(x: np.ndarray, level: float) -> np.ndarray:
    return np.quantile(x, level, axis=(1, 2), keepdims=True)


def _report(draws: Draws, event: np.ndarray, given: np.ndarray, at_most: float) -> Evidence:
    value = rate(event, given)
    focal = draws.panel.dyads.index(draws.panel.focal)
    seen = given[:, focal].mean() * given.shape[-1]
    note = f"chance alone gives {event.mean():.2f}; {draws.panel.focal} itself has {seen:.0f} years"
    if seen >= 1:
        note += f" in the condition, rate {rate(event[:, focal], given[:, focal]).mean():.2f}"
    # Before the record the order among pairs follows from their standing levels, of which no belief
    # about the target speaks: a prior probability would be that of chance.
    return Evidence(value, value < at_most, note, prior=math.nan)


def necessary(draws: Draws, params: dict[str, Any]) -> Evidence:
    """Rate of high alignment where the weaker side's pressure is low."""
    alignment, weaker = weaker_side(draws)
    high = alignment > _cut(alignment, params["high"])
    return _report(draws, high, weaker <= _cut(weaker, params["low"]), params["at_most"])


def sufficient(draws: Draws, params: dict[str, Any]) -> Evidence:
    """Rate of low alignment where the pressure on both sides is high."""
    alignment, weaker = weaker_side(draws)
    low = alignment <= _cut(alignment, params["low"])
    return _report(draws, low, weaker > _cut(weaker, params["high"]), params["at_most"])


def rank_of_threat(draws: Draws, params: dict[str, Any]) -> Evidence:
    """Mean over years of the rank correlation, across dyads, of weaker pressure and alignment."""
    from scipy.stats import rankdata

    alignment, weaker = weaker_side(draws)
    if alignment.shape[1] < 3:
        raise ClaimError(
            f"the panel has {alignment.shape[1]} dyad(s), too few to rank",
            remedy="Use three states or more.",
        )

    def ranks(x: np.ndarray) -> np.ndarray:
        r = rankdata(x, axis=1)
        r = r - r.mean(axis=1, keepdims=True)
        # All alike: no rank, no correlation.
        return r / np.maximum(np.sqrt((r**2).sum(axis=1, keepdims=True)), 1e-12)

    value = (ranks(alignment) * ranks(weaker)).sum(axis=1).mean(axis=-1)
    note = "threats from powers other than the United States are not in the record"
    return Evidence(value, value > params["above"], note, prior=math.nan)
