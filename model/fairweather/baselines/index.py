"""An equal-weight index of all items, standing still. Guarded by ``tests/test_baselines.py``.

What a composite index would say: every item of a unit, put in SDs around its own mean, averaged
with equal weight over items; each item is foreseen where the unit's last index stands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fairweather.baselines import Known, shrunk

if TYPE_CHECKING:
    import pandas as pd

LABEL = "an equal-weight index of all items, standing still"
# Years over which the last state of the index is taken.
YEARS = 3


def foresee(known: Known, cells: pd.DataFrame, rng: np.random.Generator, draws: int) -> np.ndarray:
    """Draw cells around where the index of their unit stands.

    Returns
    -------
    ndarray, shape (cell, draw)
        Link scale. The spread is that of past years around the index of three years before them,
        whatever the lead.
    """
    index = _index(known)
    out = np.full((len(cells), draws), np.nan)
    for at, item, series, _ in known.meet(cells):
        mean, sd, _ = _standard(item)
        path = np.stack([index[item.latent, u] for u in item.units])
        guess = mean[:, None] + item.sign * sd[:, None] * _before(path)
        spread = np.sqrt(shrunk((item.x - guess[:, :-1]) ** 2))[series]
        noise = rng.standard_normal((len(at), draws))
        out[at] = guess[series, -1][:, None] + spread[:, None] * noise
    return out


def _standard(item: object) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean and SD of each series, and the series in them, up being closer."""
    x = item.x
    mean = np.nanmean(x, axis=1)
    sd = np.sqrt(shrunk((x - mean[:, None]) ** 2))
    sd = np.where(sd > 0, sd, 1.0)
    return mean, sd, item.sign * (x - mean[:, None]) / sd[:, None]


def _index(known: Known) -> dict[tuple[str, str], np.ndarray]:
    """Index of each unit by year, NaN where nothing is coded."""
    total: dict[tuple[str, str], np.ndarray] = {}
    count: dict[tuple[str, str], np.ndarray] = {}
    for item in known.items.values():
        z = _standard(item)[2]
        for unit, row in zip(item.units, z, strict=True):
            key = (item.latent, unit)
            seen = ~np.isnan(row)
            total[key] = total.get(key, 0.0) + np.where(seen, row, 0.0)
            count[key] = count.get(key, 0) + seen
    return {
        k: np.where(count[k] > 0, v / np.maximum(count[k], 1), np.nan) for k, v in total.items()
    }


def _before(path: np.ndarray) -> np.ndarray:
    """Mean of the index over the coded ones of the years before each year, and after the last.

    Where none of them is coded it stays as it was: the year of an origin has no rows yet, and is
    no year of an average index.

    Parameters
    ----------
    path : ndarray, shape (series, year)
        NaN where nothing is coded.

    Returns
    -------
    ndarray, shape (series, year + 1)
        0 where nothing came before.
    """
    seen = ~np.isnan(path)
    lead = np.zeros((len(path), 1))
    sums = np.concatenate([lead, np.cumsum(np.where(seen, path, 0.0), axis=1)], axis=1)
    count = np.concatenate([lead, np.cumsum(seen, axis=1)], axis=1)
    at = np.arange(path.shape[1] + 1)
    start = np.maximum(at - YEARS, 0)
    some = count[:, at] - count[:, start]
    mean = (sums[:, at] - sums[:, start]) / np.maximum(some, 1.0)
    # Carry the last mean there was.
    held = np.maximum.accumulate(np.where(some > 0, at, 0), axis=1)
    return np.take_along_axis(mean, held, axis=1)
