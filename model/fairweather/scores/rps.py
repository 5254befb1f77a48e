"""Ranked probability score over ordered categories: none, one, two, three to five, more.

Of counts, whose sizes matter as steps and not as numbers. Guarded by ``tests/test_scores.py``.
"""

from __future__ import annotations

import numpy as np

from fairweather.scores import Cells

LABEL = "ranked probability score (0, 1, 2, 3-5, 6 or more)"
FAMILIES = ("count",)
CUTS = (1.0, 2.0, 3.0, 6.0)


def score(cells: Cells) -> np.ndarray:
    """Ranked probability score, one a cell, 0 to the number of categories less one.

    Examples
    --------
    >>> one = np.ones(1)
    >>> score(Cells("count", np.array([[0.0, 1.0]]), one, one, one)).item()
    0.25
    """
    import scoringrules as sr

    place, came = (np.digitize(x, CUTS) for x in (cells.draws, cells.value))
    size = len(CUTS) + 1
    chance = np.stack([((place == k) * cells.w).sum(axis=1) for k in range(size)], axis=1)
    out = np.asarray(sr.rps_score(came + 1, chance, backend="numpy"), float)
    return np.where(np.isnan(cells.draws).any(axis=1) | np.isnan(cells.value), np.nan, out)
