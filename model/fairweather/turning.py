"""Turning points of a series: pure arrays, no labels and no data.

Invariant: turning a series upside down turns its changes round, shifting it changes nothing, and
nothing smaller than the threshold is reported by `spans`. Guarded by ``tests/test_episodes.py``.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np


def held(index: Any) -> np.ndarray:
    """Take the running median of three; the ends stay.

    A rise or fall that is gone in a year goes; a step and a slope stay as they are.

    Examples
    --------
    >>> held([0, 5, 0, 1, 2]).tolist()
    [0.0, 0.0, 1.0, 1.0, 2.0]
    """
    x = np.asarray(index, dtype=float)
    out = x.copy()
    if len(x) > 2:
        out[1:-1] = np.median([x[:-2], x[1:-1], x[2:]], axis=0)
    return out


def legs(index: Any, threshold: float) -> list[tuple[int, int, float]]:
    """Cut a series at turning points at least `threshold` apart.

    Parameters
    ----------
    index : array of float, shape (year,)
    threshold : float
        Positive.

    Returns
    -------
    list of (start, end, change)
        Positions; legs tile the series and alternate in sign. Only the first and the last can be
        shorter than the threshold.

    Examples
    --------
    >>> legs([0, 3, 2.5, 5, 1, 1.5], 2)
    [(0, 3, 5.0), (3, 4, -4.0), (4, 5, 0.5)]
    """
    x = np.asarray(index, dtype=float)
    high = low = way = 0
    turns = []
    for t in range(1, len(x)):
        if way >= 0 and x[t] > x[high]:
            high = t
        if way <= 0 and x[t] < x[low]:
            low = t
        if way >= 0 and x[high] - x[t] >= threshold:
            turns.append(high)
            way, low = -1, t
        elif way <= 0 and x[t] - x[low] >= threshold:
            turns.append(low)
            way, high = 1, t
    last = {1: [high], -1: [low], 0: []}[way]
    knots = sorted({0, *turns, *last, len(x) - 1}) if len(x) > 1 else []
    return [(a, b, float(x[b] - x[a])) for a, b in pairwise(knots)]


def spans(index: Any, threshold: float, longest: int, flat: float) -> list[tuple[int, int, float]]:
    """Find the fast parts of the legs of a series.

    Parameters
    ----------
    index : array of float, shape (year,)
    threshold : float
        Least change within `longest` steps that is fast.
    longest : int
    flat : float
        Least size of the first and the last step of a window.

    Returns
    -------
    list of (start, end, change)
        Positions of the level before and the level after, as in `legs`.

    Examples
    --------
    >>> spans([0, 0.1, 1.6, 3, 3, 3.1], threshold=2, longest=3, flat=0.5)
    [(1, 3, 2.9)]
    """
    x = np.asarray(index, dtype=float)
    out = []
    for a, b, change in legs(x, threshold):
        step = np.sign(change) * np.diff(x[a : b + 1])
        fast = np.zeros(len(step) + 2, dtype=int)
        for width in range(1, longest + 1):
            for i in range(len(step) - width + 1):
                window = step[i : i + width]
                edges = min(window[0], window[-1])
                if window.sum() >= threshold and edges >= flat and window.min() >= 0:
                    fast[i + 1 : i + 1 + width] = 1
        turn = np.diff(fast)
        for i, j in zip(np.flatnonzero(turn > 0), np.flatnonzero(turn < 0), strict=True):
            out.append((int(a + i), int(a + j), float(x[a + j] - x[a + i])))
    return out
