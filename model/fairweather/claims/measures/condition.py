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


def follows_threat(draws: Draws, params: dict[str, Any]) -> Evidence:
    """Correlation of weaker pressure and alignment over time, within dyads.

    Both less their mean over a dyad's years and over a year's dyads: who has always been pressed
    and close, and what moves all dyads at once, says nothing of alignment following a threat. The
    rank correlation across the dyads of a year, which standing differences can make, is a note.
    """
    alignment, weaker = weaker_side(draws)
    if alignment.shape[1] < 3:
        raise ClaimError(
            f"the panel has {alignment.shape[1]} dyad(s), too few to compare",
            remedy="Use three states or more.",
        )
    a, w = own_moves(alignment), own_moves(weaker)
    size = np.sqrt((a**2).sum(axis=(1, 2)) * (w**2).sum(axis=(1, 2)))
    value = (a * w).sum(axis=(1, 2)) / np.maximum(size, 1e-12)
    across = across_dyads(alignment, weaker).mean()
    note = (
        f"across the dyads of a year ranks correlate by {across:.2f}, standing differences included"
        "; threats from powers other than the United States are not in the record"
    )
    return Evidence(value, value > params["above"], note)


def own_moves(x: np.ndarray) -> np.ndarray:
    """Take out what a dyad always has and what all dyads have in a year, (draw, dyad, year).

    Examples
    --------
    >>> own_moves(np.array([[[0.0, 1.0], [2.0, 5.0]]])).tolist()
    [[[0.5, -0.5], [-0.5, 0.5]]]
    """
    dyad, year = x.mean(axis=2, keepdims=True), x.mean(axis=1, keepdims=True)
    return x - dyad - year + x.mean(axis=(1, 2), keepdims=True)


def across_dyads(alignment: np.ndarray, weaker: np.ndarray) -> np.ndarray:
    """Mean over years of the rank correlation across dyads, shape (draw,)."""
    from scipy.stats import rankdata

    def ranks(x: np.ndarray) -> np.ndarray:
        r = rankdata(x, axis=1)
        r = r - r.mean(axis=1, keepdims=True)
        # All alike: no rank, no correlation.
        return r / np.maximum(np.sqrt((r**2).sum(axis=1, keepdims=True)), 1e-12)

    return (ranks(alignment) * ranks(weaker)).sum(axis=1).mean(axis=-1)
