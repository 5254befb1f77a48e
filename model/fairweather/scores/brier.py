"""Brier score of one event: the value that comes lies below the last one known.

A cooling of the item, whatever its size; a value that stays as it was is none.
Guarded by ``tests/test_scores.py``.
"""

from __future__ import annotations

import numpy as np

from fairweather.scores import Cells

LABEL = "Brier score of a fall below the last known value"
FAMILIES = ("vote", "within", "count", "anchor")


def score(cells: Cells) -> np.ndarray:
    """Brier score, one a cell, 0 to 1.

    Examples
    --------
    >>> one = np.ones(1)
    >>> score(Cells("within", np.array([[0.0, 2.0]]), 0 * one, one, one)).item()
    0.25
    """
    import scoringrules as sr

    chance = ((cells.draws < cells.last[:, None]) * cells.w).sum(axis=1)
    came = (cells.value < cells.last).astype(float)
    out = np.asarray(sr.brier_score(came, np.clip(chance, 0.0, 1.0), backend="numpy"), float)
    blank = np.isnan(cells.draws).any(axis=1) | np.isnan(cells.value) | np.isnan(cells.last)
    return np.where(blank, np.nan, out)
