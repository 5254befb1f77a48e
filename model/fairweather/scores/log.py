"""Minus the log of what a forecast gave to the value that came.

Of whole numbers it is the share of draws at the value, with half a draw added: a value that no
draw took is rare, not impossible. Of other items it is a density of draws smoothed by a normal
kernel on the link scale. Where the density of a model is at hand (`fairweather.ahead.density`) it
is exact and better; draws of any forecast have this one. Guarded by ``tests/test_scores.py``.
"""

from __future__ import annotations

import numpy as np

from fairweather.scores import WHOLE, Cells

LABEL = "minus log score of draws"
FAMILIES = ("vote", "within", "count", "share", "anchor")
# Draws that all agree have no spread to smooth by.
_LEAST = 1e-3


def score(cells: Cells) -> np.ndarray:
    """Minus log score, one a cell.

    Examples
    --------
    >>> one = np.ones(1)
    >>> round(score(Cells("count", np.array([[0.0, 1.0, 1.0]]), one, one, one)).item(), 3)
    0.47
    """
    if cells.family in WHOLE:
        size = cells.draws.shape[1]
        hits = (np.isclose(cells.draws, cells.value[:, None]) * cells.w).sum(axis=1) * size
        out = -np.log((hits + 0.5) / (size + 1.0))
        return np.where(np.isnan(cells.draws).any(axis=1) | np.isnan(cells.value), np.nan, out)
    draws, value = cells.linked
    mean = (draws * cells.w).sum(axis=1, keepdims=True)
    spread = np.sqrt((cells.w * (draws - mean) ** 2).sum(axis=1, keepdims=True))
    # Silverman's width, for as many draws as the weights leave.
    width = np.maximum(1.06 * spread * (cells.w**2).sum() ** 0.2, _LEAST)
    bump = -0.5 * ((value[:, None] - draws) / width) ** 2 - np.log(width * np.sqrt(2 * np.pi))
    with np.errstate(divide="ignore"):
        weighted = bump + np.log(cells.w)
    return -np.logaddexp.reduce(weighted, axis=1)
