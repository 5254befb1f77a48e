"""The last ten years, as if years were independent. Guarded by ``tests/test_baselines.py``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fairweather.baselines import BORROWED, Known, shrunk

if TYPE_CHECKING:
    import pandas as pd

LABEL = "the mean and spread of the last ten years"
YEARS = 10


def foresee(known: Known, cells: pd.DataFrame, rng: np.random.Generator, draws: int) -> np.ndarray:
    """Draw cells as Student t around the mean of the last ten years of their series.

    Returns
    -------
    ndarray, shape (cell, draw)
        Link scale.
    """
    out = np.full((len(cells), draws), np.nan)
    for at, item, series, _ in known.meet(cells):
        recent = item.years > item.last[1][:, None] - YEARS
        x = np.where(recent, item.x, np.nan)
        n = (~np.isnan(x)).sum(axis=1)
        mean = np.nansum(x, axis=1) / n
        # A year's distance from a mean it is part of is too small by one in n.
        square = (x - mean[:, None]) ** 2 * (n / np.maximum(n - 1.0, 1.0))[:, None]
        square[n < 2] = np.nan
        spread = np.sqrt(shrunk(square) * (1.0 + 1.0 / n))[series]
        noise = rng.standard_t(n[series][:, None] - 1.0 + BORROWED, (len(at), draws))
        out[at] = mean[series, None] + spread[:, None] * noise
    return out
