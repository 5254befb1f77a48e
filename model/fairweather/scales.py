"""Scales on which equal differences of a coded value mean equal changes, by family.

Guarded by ``tests/test_contest_windows.py``, ``tests/test_episodes.py`` and
``tests/test_predictive.py``.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def link(family: str, value: Any, n: Any) -> np.ndarray:
    """Put values on the scale on which their family adds up.

    Votes are given as shares of agreement. A count without exposure, or with none, has one.

    Examples
    --------
    >>> link("count", [0.0, 2.0], [1.0, 1.0]).round(2).tolist()
    [-0.69, 0.92]
    """
    x, n = np.asarray(value, float), np.asarray(n, float)
    if family == "vote":
        x = np.clip(x, 1e-6, 1.0 - 1e-6)
        return np.log(x / (1.0 - x))
    if family == "count":
        return np.log(x / np.where(n > 0, n, 1.0) + 0.5)
    if family == "share":
        return np.log((x + 0.5) / (n - x + 0.5))
    return x
