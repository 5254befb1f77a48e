"""Return to the series' own mean at a common speed. Guarded by ``tests/test_baselines.py``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fairweather.baselines import Item, Known, shrunk

if TYPE_CHECKING:
    import pandas as pd

LABEL = "a return to the series' own mean"


def correlation(item: Item) -> float:
    """Autocorrelation from one year to the next, common to the series of an indicator.

    Least squares around own means, less the bias that short series have (Nickell 1981), kept
    between 0 and 0.98.
    """
    x = item.x - np.nanmean(item.x, axis=1, keepdims=True)
    before, after = x[:, :-1], x[:, 1:]
    both = ~np.isnan(before) & ~np.isnan(after)
    if not both.any() or not (before[both] ** 2).sum():
        return 0.0
    raw = float((before[both] * after[both]).sum() / (before[both] ** 2).sum())
    years = both.sum() / max((both.any(axis=1)).sum(), 1)
    return float(np.clip(raw + (1.0 + raw) / max(years, 2.0), 0.0, 0.98))


def foresee(known: Known, cells: pd.DataFrame, rng: np.random.Generator, draws: int) -> np.ndarray:
    """Draw cells of an AR(1) around each series' mean, which is uncertain too.

    Returns
    -------
    ndarray, shape (cell, draw)
        Link scale.
    """
    out = np.full((len(cells), draws), np.nan)
    for at, item, series, lead in known.meet(cells):
        phi = correlation(item)
        mean = np.nanmean(item.x, axis=1)
        away = item.x - mean[:, None]
        error = away[:, 1:] - phi * away[:, :-1]
        square = error**2
        if np.isnan(square).all():  # no two rows in a row
            square = (1.0 - phi**2) * away**2
        spread = np.sqrt(shrunk(square))[series]
        fade = phi**lead
        kept = (1.0 - phi ** (2 * lead)) / (1.0 - phi**2)
        # A mean of correlated years is worth fewer independent ones.
        worth = np.maximum(item.rows[series] * (1.0 - phi) / (1.0 + phi), 1.0)
        level = spread**2 / (1.0 - phi**2) / worth * (1.0 - fade) ** 2
        centre = mean[series] + fade * (item.last[0] - mean)[series]
        noise = rng.standard_normal((len(at), draws))
        out[at] = centre[:, None] + np.sqrt(spread**2 * kept + level)[:, None] * noise
    return out
