"""Do things happen as often as the forecast says? Places of outcomes among draws, and coverage.

Invariant: no random number is used; a value that draws share takes its part of every bin and
interval it touches (Czado, Gneiting and Held 2009), so that right forecasts of counts come out
flat too. Guarded by ``tests/test_scores.py``.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from fairweather.scores import Cells

BINS = 10
LEVELS = (0.5, 0.89)


def quantiles(draws: np.ndarray, levels: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Quantiles of weighted draws, by linear interpolation.

    Parameters
    ----------
    draws : ndarray, shape (cell, draw)
    levels : ndarray, shape (level,)
    weights : ndarray, shape (draw,)

    Returns
    -------
    ndarray, shape (cell, level)

    Examples
    --------
    >>> quantiles(np.array([[3.0, 1.0, 2.0]]), np.array([0.5]), np.full(3, 1 / 3)).tolist()
    [[2.0]]
    """
    if np.allclose(weights, weights[0]):
        return np.quantile(draws, levels, axis=1).T
    order = np.argsort(draws, axis=1)
    x, w = np.take_along_axis(draws, order, axis=1), weights[order]
    place = np.cumsum(w, axis=1) - 0.5 * w
    return np.stack([np.interp(levels, p, v) for p, v in zip(place, x, strict=True)])


def place(cells: Cells) -> tuple[np.ndarray, np.ndarray]:
    """Share of draws below what came, and at or below it.

    Returns
    -------
    low, high : ndarray, shape (cell,)
        They differ where draws equal the value, as with counts; the place is anywhere between.

    Examples
    --------
    >>> from fairweather.scores import Cells
    >>> one = np.ones(1)
    >>> low, high = place(Cells("count", np.array([[0.0, 1.0, 1.0, 2.0]]), one, one, one))
    >>> low.tolist(), high.tolist()
    ([0.25], [0.75])
    """
    value = cells.value[:, None]
    low = ((cells.draws < value) * cells.w).sum(axis=1)
    high = ((cells.draws <= value) * cells.w).sum(axis=1)
    blank = np.isnan(cells.draws).any(axis=1) | np.isnan(cells.value)
    return np.where(blank, np.nan, low), np.where(blank, np.nan, np.minimum(high, 1.0))


def overlap(low: np.ndarray, high: np.ndarray, first: float, last: float) -> np.ndarray:
    """Share of a place that lies between two bounds, 0 to 1.

    Examples
    --------
    >>> overlap(np.array([0.2, 0.6]), np.array([0.3, 0.6]), 0.25, 0.75).round(3).tolist()
    [0.5, 1.0]
    """
    width = np.maximum(high - low, 0.0)
    inside = np.clip(np.minimum(high, last) - np.maximum(low, first), 0.0, None)
    # The last bin is closed above, so that bins share every point out once.
    point = ((low >= first) & ((low < last) | ((last >= 1.0) & (low <= last)))).astype(float)
    out = np.where(width > 0, inside / np.where(width > 0, width, 1.0), point)
    return np.where(np.isnan(low), np.nan, out)


def coverage(low: np.ndarray, high: np.ndarray, level: float) -> np.ndarray:
    """Share of each place within the central interval of a level.

    Right forecasts cover `level` on average, counts too.

    Examples
    --------
    >>> coverage(np.array([0.6, 0.99]), np.array([0.6, 0.99]), 0.5).tolist()
    [1.0, 0.0]
    """
    return overlap(low, high, 0.5 - level / 2, 0.5 + level / 2)


def histogram(low: np.ndarray, high: np.ndarray, bins: int = BINS) -> np.ndarray:
    """Mean share of places in each of equal bins; right forecasts give ``1 / bins`` in each.

    Examples
    --------
    >>> histogram(np.array([0.0, 0.5]), np.array([0.5, 1.0]), 4).tolist()
    [0.25, 0.25, 0.25, 0.25]
    """
    edges = np.linspace(0.0, 1.0, bins + 1)
    return np.array([np.nanmean(overlap(low, high, a, b)) for a, b in pairwise(edges)])
