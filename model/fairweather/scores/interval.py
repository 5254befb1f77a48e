"""Interval score of the central 89 % interval: its width, and a fine for what falls outside.

On the link scale of the family. Guarded by ``tests/test_scores.py``.
"""

from __future__ import annotations

import numpy as np

from fairweather.scores import Cells
from fairweather.scores.calibration import quantiles

LABEL = "interval score (89 %)"
FAMILIES = ("vote", "within", "count", "share", "anchor")
MASS = 0.89


def score(cells: Cells) -> np.ndarray:
    """Interval score in link units, one a cell.

    Examples
    --------
    >>> one = np.ones(1)
    >>> draws = np.linspace(0.0, 1.0, 101)[None]
    >>> round(score(Cells("within", draws, 0.5 * one, one, one)).item(), 2)
    0.89
    """
    import scoringrules as sr

    draws, value = cells.linked
    low, high = quantiles(draws, np.array([0.5 - MASS / 2, 0.5 + MASS / 2]), cells.w).T
    found = sr.interval_score(value, low, high, 1.0 - MASS, backend="numpy")
    return np.asarray(found, float).reshape(np.shape(value))
