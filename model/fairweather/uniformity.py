"""Are ranks uniform? Differences of the ECDF, simultaneous bands, and one p value a quantity.

Invariant: if every rank is uniform on 0..L and the draws behind it independent, a quantity leaves
its 95 % band in 5 % of runs and its p value is uniform. Guarded by
``tests/test_calibration.py::test_p_values_are_uniform_where_ranks_are``.

The statistic is that of Säilynoja, Bürkner and Vehtari (2022): the number of ranks below each of
the L inner edges is binomial, and what counts is the least of its tail probabilities over the
edges. Bands come from ``arviz_stats``; the p value is the place of the same statistic among
simulated runs.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

LEVEL = 0.95
_TRIALS, _BAND_TRIALS, _CHUNK, _SEED = 100_000, 5_000, 5_000, 20220102


def edges(bins: int) -> np.ndarray:
    """Inner edges of the bins on the unit interval, shape (bins - 1,)."""
    return np.arange(1, bins) / bins


def below(ranks: Any, bins: int) -> np.ndarray:
    """Count the ranks below each inner edge, shape (bins - 1,).

    Examples
    --------
    >>> below([0, 2, 3], 4).tolist()
    [1, 1, 2]
    """
    counts = np.bincount(np.asarray(ranks, int), minlength=bins)
    if len(counts) > bins:
        raise ValueError(f"rank {len(counts) - 1} does not fit into {bins} bins")
    return counts.cumsum()[:-1]


@cache
def _tails(n: int, bins: int) -> np.ndarray:
    """Smaller tail probability of every count at every edge, shape (n + 1, bins - 1)."""
    from scipy.stats import binom

    k, p = np.arange(n + 1)[:, None], edges(bins)[None, :]
    return np.minimum(binom.cdf(k, n, p), binom.sf(k - 1, n, p))


def statistic(counts: np.ndarray, n: int, bins: int) -> np.ndarray:
    """Least tail probability over the edges; `counts` (..., edge) from `below`."""
    return _tails(n, bins)[counts, np.arange(bins - 1)].min(axis=-1)


@cache
def _reference(n: int, bins: int) -> np.ndarray:
    """Statistic of uniform ranks, sorted, shape (_TRIALS,)."""
    rng = np.random.default_rng([_SEED, n, bins])
    out = [
        statistic(rng.multinomial(n, np.full(bins, 1.0 / bins), _CHUNK).cumsum(axis=1)[:, :-1],
                  n, bins)
        for _ in range(_TRIALS // _CHUNK)
    ]  # fmt: skip
    return np.sort(np.concatenate(out))


def p_value(ranks: Any, bins: int) -> float:
    """Chance that uniform ranks stray as far, of 100,000 simulated runs.

    Parameters
    ----------
    ranks : array of int
        One a simulation, 0 to ``bins - 1``.
    bins : int
        One more than the draws among which the truth is ranked.

    Returns
    -------
    float
        Never below 1e-5, what the simulated runs can tell.

    Examples
    --------
    >>> p_value(list(range(20)) * 5, 20) > 0.9, p_value([0] * 50, 20) < 1e-4
    (True, True)
    """
    n = len(ranks)
    found = statistic(below(ranks, bins), n, bins)
    reference = _reference(n, bins)
    # A hair of tolerance: equal counts must count as equal.
    at = np.searchsorted(reference, found * (1.0 + 1e-9), side="right")
    return float((at + 1) / (len(reference) + 1))


@cache
def _band(n: int, bins: int, level: float) -> tuple[np.ndarray, np.ndarray]:
    from arviz_stats.ecdf_utils import get_pointwise_confidence_band, simulate_confidence_bands

    z = edges(bins)
    rng = np.random.default_rng([_SEED, 1])
    pointwise = simulate_confidence_bands(n, 1, z, level, _BAND_TRIALS, rng)
    lower, upper = get_pointwise_confidence_band(pointwise, n, z)
    return lower - z, upper - z


def band(n: int, bins: int, level: float = LEVEL) -> tuple[np.ndarray, np.ndarray]:
    """Simultaneous band of the ECDF difference at the inner edges.

    Parameters
    ----------
    n : int
        Number of ranks.
    bins : int
    level : float
        Share of uniform runs that stay inside at every edge.

    Returns
    -------
    lower, upper : ndarray, shape (bins - 1,)

    Examples
    --------
    >>> lower, upper = band(100, 10)
    >>> bool((lower < 0).all() and (upper > 0).all())
    True
    """
    lower, upper = _band(n, bins, level)
    return lower.copy(), upper.copy()


def difference(ranks: Any, bins: int) -> np.ndarray:
    """ECDF of the ranks minus that of uniform ones, at the inner edges, shape (bins - 1,)."""
    return below(ranks, bins) / len(ranks) - edges(bins)


def inside(ranks: Any, bins: int, level: float = LEVEL) -> bool:
    """Whether the ECDF stays in its simultaneous band at every edge."""
    lower, upper = band(len(ranks), bins, level)
    d = difference(ranks, bins)
    return bool(((d >= lower - 1e-9) & (d <= upper + 1e-9)).all())


def holm(p: Any) -> np.ndarray:
    """P values adjusted for their number (Holm 1979).

    Examples
    --------
    >>> holm([0.01, 0.04, 0.5]).round(3).tolist()
    [0.03, 0.08, 0.5]
    """
    p = np.asarray(p, float)
    order = np.argsort(p)
    scaled = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    out = np.empty(len(p))
    out[order] = np.minimum(scaled, 1.0)
    return out
