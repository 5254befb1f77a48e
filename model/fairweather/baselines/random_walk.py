"""The last value, and steps as large as those seen. Guarded by ``tests/test_baselines.py``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fairweather.baselines import Known, shrunk

if TYPE_CHECKING:
    import pandas as pd

LABEL = "the last value, and steps as large as those seen"


def foresee(known: Known, cells: pd.DataFrame, rng: np.random.Generator, draws: int) -> np.ndarray:
    """Draw cells as random walks from the last row of their series.

    Returns
    -------
    ndarray, shape (cell, draw)
        Link scale.
    """
    out = np.full((len(cells), draws), np.nan)
    for at, item, series, lead in known.meet(cells):
        change, gap = item.steps()
        spread = np.sqrt(shrunk(change**2 / gap))[series]
        noise = rng.standard_normal((len(at), draws))
        out[at] = item.last[0][series, None] + (np.sqrt(lead) * spread)[:, None] * noise
    return out
