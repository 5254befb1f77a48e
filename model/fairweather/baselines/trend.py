"""A random walk that goes on at its mean pace. Guarded by ``tests/test_baselines.py``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fairweather.baselines import Known, shrunk

if TYPE_CHECKING:
    import pandas as pd

LABEL = "a random walk with drift: the last value and the mean pace so far"


def foresee(known: Known, cells: pd.DataFrame, rng: np.random.Generator, draws: int) -> np.ndarray:
    """Draw cells as random walks with drift; the pace is uncertain too.

    Returns
    -------
    ndarray, shape (cell, draw)
        Link scale.
    """
    out = np.full((len(cells), draws), np.nan)
    for at, item, series, lead in known.meet(cells):
        change, gap = item.steps()
        years = np.nansum(gap, axis=1)
        pace = np.nansum(change, axis=1) / np.maximum(years, 1.0)
        spread = np.sqrt(shrunk((change - pace[:, None] * gap) ** 2 / gap))[series]
        wide = np.sqrt(lead * (1.0 + lead / np.maximum(years[series], 1.0)))
        noise = rng.standard_normal((len(at), draws))
        mean = item.last[0][series] + pace[series] * lead
        out[at] = mean[:, None] + (wide * spread)[:, None] * noise
    return out
