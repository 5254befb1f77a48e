"""A fit up to one year stands in for one up to a later year, if its draws can be reweighted.

Invariant: weights are normalised, and the Pareto k that comes with them says whether they may be
used; nothing here decides to use them all the same. Guarded by ``tests/test_lfo.py``.

The log ratio of a draw is the log likelihood of what the later fit has seen and the earlier one
has not. Smoothed by ArviZ (PSIS-LFO: Bürkner, Gabry & Vehtari 2020).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fairweather.errors import FairweatherError

if TYPE_CHECKING:
    import xarray as xr

# Above this Pareto k, reweighted draws do not stand in for a new fit, however many they are.
K_GOOD = 0.7
# ArviZ fits the tail to a fifth of few draws; five of them give no k.
_FEWEST = 30


class ReweightError(FairweatherError):
    """Draws cannot be reweighted: too few, or without finite ratios."""


def good_k(draws: int) -> float:
    """Find the largest Pareto k at which this many draws may be reweighted.

    Parameters
    ----------
    draws : int

    Returns
    -------
    float
        ``min(1 - 1 / log10(draws), K_GOOD)``, as ArviZ has it; below zero for fewer than ten.

    Examples
    --------
    >>> good_k(100), good_k(8000)
    (0.5, 0.7)
    """
    if draws < 2:
        raise ReweightError(f"{draws} draws", remedy="Give at least two.")
    return min(1.0 - 1.0 / float(np.log10(draws)), K_GOOD)


def reweight(log_ratio: np.ndarray | xr.DataArray, r_eff: float = 1.0) -> tuple[np.ndarray, float]:
    """Turn log ratios into smoothed log weights.

    Parameters
    ----------
    log_ratio : array (draw,)
        Log density of a draw under the target less that under the fit it is from, up to a
        constant.
    r_eff : float
        Effective draws per draw.

    Returns
    -------
    log_weights : ndarray (draw,)
        Exponentials sum to one.
    k : float
        Pareto k; compare it with `good_k`. 0 where all ratios are equal (nothing to reweight),
        infinite where the tail tells nothing: its ratios are equal, or one draw has all weight.

    Raises
    ------
    ReweightError
        Not one dimension, a ratio that is not finite, or fewer than 30 draws.

    Examples
    --------
    >>> log_weights, k = reweight(np.random.default_rng(1).normal(size=2000))
    >>> bool(k < good_k(2000)), round(float(np.exp(log_weights).sum()), 6)
    (True, 1.0)
    """
    from arviz_stats.base import array_stats

    ratio = np.array(log_ratio, dtype=float)
    if ratio.ndim != 1:
        raise ReweightError(
            f"log ratios have {ratio.ndim} dimensions", remedy="Give one number a draw."
        )
    if not np.isfinite(ratio).all():
        raise ReweightError(
            f"{int((~np.isfinite(ratio)).sum())} of {len(ratio)} log ratios are not finite",
            remedy="Fit anew instead of reweighting.",
        )
    if len(ratio) < _FEWEST:
        raise ReweightError(
            f"{len(ratio)} draws are too few to reweight", remedy=f"Give {_FEWEST} or more."
        )
    ratio -= ratio.max()
    if np.ptp(ratio) == 0.0:
        return np.full(len(ratio), -np.log(len(ratio))), 0.0
    try:
        # ArviZ takes log likelihoods of what is left out, and negates them.
        log_weights, k = array_stats.psislw(-ratio, r_eff=r_eff)
    except ValueError as error:
        if "tail values" not in str(error):
            raise
        return ratio - np.logaddexp.reduce(ratio), float("inf")
    # No k can be fitted where ratios are too far apart; a NaN would pass for a small one.
    return np.asarray(log_weights), float("inf") if np.isnan(k) else float(k)


def weighted_elpd(
    block_density: np.ndarray | xr.DataArray, log_weights: np.ndarray
) -> np.ndarray | xr.DataArray:
    """Average predictive densities over weighted draws.

    Parameters
    ----------
    block_density : array (draw, block)
        Log predictive density of each block under each draw; NaN stays NaN.
    log_weights : ndarray (draw,)
        From `reweight`; normalised here once more, so that unnormalised ones do no harm.

    Returns
    -------
    ndarray (block,), or DataArray (block,) with the coordinates of a labelled input
        Log of the weighted mean density.

    Raises
    ------
    ReweightError
        Shapes do not fit, or a weight is NaN.

    Examples
    --------
    >>> weighted_elpd(np.log([[0.2], [0.4]]), np.log([0.5, 0.5])).round(4).tolist()
    [-1.204]
    """
    values, weights = np.asarray(block_density, dtype=float), np.asarray(log_weights, dtype=float)
    if values.ndim != 2 or weights.shape != values.shape[:1]:
        raise ReweightError(
            f"densities of shape {values.shape} and weights of shape {weights.shape}",
            remedy="Give (draw, block) and (draw,).",
        )
    if np.isnan(weights).any():
        raise ReweightError("a log weight is NaN", remedy="Take the weights from reweight.")
    shifted = values + (weights - np.logaddexp.reduce(weights))[:, None]
    with np.errstate(invalid="ignore"):  # a NaN that stays one is no accident
        found = np.logaddexp.reduce(shifted, axis=0)
    dims = getattr(block_density, "dims", None)
    return found if dims is None else block_density.isel({dims[0]: 0}, drop=True).copy(data=found)
