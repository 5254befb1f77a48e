"""Scores of forecasts given as draws, and the two plain forecasts any model has to beat.

Invariant: a plain forecast is made from the rows known at the time alone, and every forecast of a
row is scored on one scale and against the same outcome: votes in logits of agreement, counts as
``log(1 + count)``, shares as shares, other items as coded.
Guarded by ``tests/test_moment.py``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fairweather.errors import FairweatherError

RANDOM_WALK, CLIMATOLOGY = "random walk", "climatology"
BASELINES = (RANDOM_WALK, CLIMATOLOGY)
# Fewer rows than this say nothing about a spread.
LEAST_ROWS = 5
CLIMATE_YEARS = 10
WHOLE = ("count", "share")


def crps(draws: np.ndarray, value: np.ndarray) -> np.ndarray:
    """Continuous ranked probability score of draws, in the unit of the value; smaller is better.

    The mean distance of the draws from the value less half their mean distance from each other,
    which sorting gives without pairs (Jordan, Krüger and Lerch 2019, eq. 9).

    Parameters
    ----------
    draws : ndarray, shape (..., draw)
    value : ndarray, shape (...)

    Returns
    -------
    ndarray, shape (...)

    Examples
    --------
    >>> float(crps(np.array([0.0, 2.0]), np.array(1.0)))
    0.5
    """
    x = np.sort(np.asarray(draws, float), axis=-1)
    n = x.shape[-1]
    weight = (2.0 * np.arange(1, n + 1) - n - 1.0) / n**2
    return np.abs(x - np.asarray(value, float)[..., None]).mean(axis=-1) - (weight * x).sum(axis=-1)


def pit(draws: np.ndarray, value: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Place of a value among draws: the shares of draws below it, and at or below it.

    Parameters
    ----------
    draws : ndarray, shape (..., draw)
    value : ndarray, shape (...)

    Returns
    -------
    low, high : ndarray, shape (...)
        They differ where draws equal the value, as with counts; the place is anywhere between.

    Examples
    --------
    >>> low, high = pit(np.array([0.0, 1.0, 1.0, 2.0]), np.array(1.0))
    >>> float(low), float(high)
    (0.25, 0.75)
    """
    value = np.asarray(value, float)[..., None]
    return (draws < value).mean(axis=-1), (draws <= value).mean(axis=-1)


def covered(low: np.ndarray, high: np.ndarray, level: float) -> np.ndarray:
    """Share of a value's place that lies within the central interval of a level, 0 to 1.

    For a continuous item this is 0 or 1. For a count it is the share of the mass at the value
    that the interval takes, so that right forecasts cover `level` on average.

    Parameters
    ----------
    low, high : ndarray
        From `pit`.
    level : float
        Between 0 and 1.

    Examples
    --------
    >>> float(covered(np.array(0.2), np.array(0.3), 0.5)), float(covered(0.6, 0.6, 0.5))
    (0.5, 1.0)
    """
    low, high = np.asarray(low, float), np.asarray(high, float)
    first, last = 0.5 - level / 2, 0.5 + level / 2
    width = np.maximum(high - low, 0.0)
    inside = np.clip(np.minimum(high, last) - np.maximum(low, first), 0.0, None)
    point = ((low >= first) & (low <= last)).astype(float)
    return np.where(width > 0, inside / np.where(width > 0, width, 1.0), point)


def log_score(draws: np.ndarray, value: np.ndarray, whole: bool) -> np.ndarray:
    """Log of what draws gave to a value; larger is better.

    Parameters
    ----------
    draws : ndarray, shape (..., draw)
    value : ndarray, shape (...)
    whole : bool
        For a discrete item the share of draws at the value, with half a draw added: a value no
        draw took is rare, not impossible. Otherwise the density of a normal with the draws' mean
        and SD, which is an approximation where the draws are skewed.

    Returns
    -------
    ndarray, shape (...)

    Examples
    --------
    >>> round(float(log_score(np.array([0.0, 1.0, 1.0]), np.array(1.0), True)), 3)
    -0.47
    """
    value = np.asarray(value, float)
    if whole:
        hits = np.isclose(draws, value[..., None]).sum(axis=-1)
        return np.log((hits + 0.5) / (draws.shape[-1] + 1.0))
    mean, sd = draws.mean(axis=-1), np.maximum(draws.std(axis=-1, ddof=1), 1e-9)
    return -0.5 * np.log(2 * np.pi) - np.log(sd) - 0.5 * ((value - mean) / sd) ** 2


def coded(family: str, rows: Any) -> np.ndarray:
    """Outcome of coded rows in the unit in which `Observables` draws them.

    Parameters
    ----------
    family : str
    rows : DataFrame
        With ``value``, ``partial`` and ``n``.

    Returns
    -------
    ndarray, shape (row,)
        Agreement as a share for votes (an abstention by one side counts a half, with the two
        pseudo-votes of the model), share for shares, else the value.
    """
    value, n = rows["value"].to_numpy(float), rows["n"].to_numpy(float)
    if family == "vote":
        return (value + 0.5 * np.nan_to_num(rows["partial"].to_numpy(float)) + 2.0) / (n + 4.0)
    return value / n if family == "share" else value


def scaled(family: str, value: np.ndarray) -> np.ndarray:
    """Move values from the unit of `coded` to the scale on which they are scored."""
    value = np.asarray(value, float)
    if family == "vote":
        value = np.clip(value, 1e-9, 1 - 1e-9)
        return np.log(value / (1.0 - value))
    return np.log1p(value) if family == "count" else value


def out_of(share: np.ndarray, trials: np.ndarray, uniform: np.ndarray) -> np.ndarray:
    """Turn draws of a chance into draws of an observed share of so many trials.

    The number of trials of a year (vetoes, signed events) is taken as given: no forecast is about
    it, and a share of two trials scatters more than the chance behind it.
    """
    from scipy.stats import binom

    trials = np.asarray(trials, float)
    return np.clip(binom.ppf(uniform, trials, np.clip(share, 0.0, 1.0)), 0.0, trials) / trials


def plain(
    family: str, years: np.ndarray, rows: Any, ahead: np.ndarray, trials: np.ndarray, size: int,
    rng: np.random.Generator,
) -> dict[str, np.ndarray]:  # fmt: skip
    """Draw the two plain forecasts of one series.

    Parameters
    ----------
    family : str
    years : ndarray of int, shape (row,)
        Years of the rows known at the time.
    rows : DataFrame
        Those rows, with ``value``, ``partial`` and ``n``.
    ahead, trials : ndarray, shape (year,)
        Years to forecast; for a share the trials of each.
    size : int
        Draws.
    rng : numpy.random.Generator

    Returns
    -------
    dict of str to ndarray, each (year, draw)
        On the scale of `scaled`. ``random walk``: the last value, and normal steps with the root
        mean square of past yearly changes. ``climatology``: Student t around the mean of the last
        ten years with the spread they showed, as if years were independent. Empty with fewer than
        five rows in all; counts are rounded, shares drawn out of their trials.

    Raises
    ------
    FairweatherError
        A year to forecast is not after the last known one.

    Examples
    --------
    >>> import pandas as pd
    >>> known = pd.DataFrame({"value": [1.0, 2, 3, 4, 5], "partial": 0.0, "n": 1.0})
    >>> rng = np.random.default_rng(1)
    >>> out = plain("within", np.arange(2011, 2016), known, np.array([2017]), np.ones(1), 500, rng)
    >>> {k: v.shape for k, v in out.items()}
    {'random walk': (1, 500), 'climatology': (1, 500)}
    """
    order = np.argsort(years)
    years, rows = np.asarray(years)[order], rows.iloc[order]
    if len(years) < LEAST_ROWS:
        return {}
    if np.min(ahead) <= years[-1]:
        raise FairweatherError(
            f"{int(np.min(ahead))} cannot be forecast from rows that reach {years[-1]}",
            remedy="Use a panel that ends before the years to forecast.",
        )
    if family == "share":
        # Half a success either way, so that none or all of two is no infinite logit.
        x = (rows["value"].to_numpy(float) + 0.5) / (rows["n"].to_numpy(float) + 1.0)
        x = np.log(x / (1.0 - x))
    else:
        x = scaled(family, coded(family, rows))
    gap = np.diff(years)
    step = np.sqrt(np.mean(np.diff(x) ** 2 / gap))
    lead = np.asarray(ahead) - years[-1]
    shape = (len(lead), size)
    walk = x[-1] + np.sqrt(lead)[:, None] * step * rng.standard_normal(shape)
    late = x[years > years[-1] - CLIMATE_YEARS]
    n = len(late)
    spread = late.std(ddof=1) * np.sqrt(1.0 + 1.0 / n) if n > 2 else x.std(ddof=1)
    climate = late.mean() + spread * rng.standard_t(max(n - 1, 2), shape)
    out = dict(zip(BASELINES, (walk, climate), strict=True))
    if family == "count":
        return {k: np.log1p(np.maximum(np.rint(np.expm1(v.clip(max=15))), 0.0))
                for k, v in out.items()}  # fmt: skip
    if family == "share":
        return {k: out_of(1 / (1 + np.exp(-v)), np.asarray(trials)[:, None], rng.random(shape))
                for k, v in out.items()}  # fmt: skip
    return out
