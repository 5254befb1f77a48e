"""What the rest of a year adds to the part that was seen, family by family.

Invariant: the rest is drawn given the draw's latent in that year and the part seen, in the very
measure the family's likelihood has; with nothing left of the year, the year is what was seen.
Guarded by ``tests/test_monitor_rest.py``.

Events are taken to fall evenly over the year: nothing in the record says when within it they come.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import expit

from fairweather.measurement.batch import LONGEST, Batch

_FAR = 100.0
_MOST = 1e7


def count_year(
    batch: Batch, series: int, time: int, latent: np.ndarray, par: dict[str, Any], rest: float,
    rng: np.random.Generator,
) -> np.ndarray:  # fmt: skip
    """Draw a year's count: what was seen, and events at the exposure that is left.

    A year's rate scatters around the unit's as a gamma whose shape grows with exposure, so that
    parts of one year are independent given the latent: what is left is as a cell of its own.

    Parameters
    ----------
    batch : Batch
        Counts of the fitted panel, the part of the year among them.
    series, time : int
        Place of the part seen.
    latent : ndarray, shape (draw, year)
        What the series reads.
    par : dict
        Of the family, draw axis first.
    rest : float
        Exposure that is left.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray, shape (draw,)
    """
    x, seen, size = batch.extra, float(batch.y[series, time]), len(latent)
    if rest <= 0.0:
        return np.full(size, seen)
    eta = par["loading"][:, [batch.which[series]]] * latent
    if "shift" in par and batch.which[series] in batch.shifted:
        eta = eta + par["shift"][:, batch.shifted.index(batch.which[series])]
    known = batch.mask[series]
    base = eta[:, known] + x["offset"][series, known]
    mean = np.logaddexp.reduce(base, axis=1) - np.log(known.sum())
    strength, events = x["concentration"] * known.sum(), float(x["total"][series])
    alpha = x["concentration"] * np.exp(
        np.clip(eta[:, time] + np.log(rest) - mean, -_FAR, _FAR)
    )  # fmt: skip
    if x["ceiling"][series] == 1.0:
        odds = events * alpha / (strength + events + alpha)
        return np.maximum(seen, rng.random(size) < odds / (1.0 + odds))
    rate = rng.gamma(events, 1.0, size) / rng.gamma(strength, 1.0, size)
    return seen + rng.poisson(np.minimum(rate * rng.gamma(alpha), _MOST))


def share_year(
    batch: Batch, series: int, time: int, latent: np.ndarray, par: dict[str, Any], rest: int,
    rng: np.random.Generator,
) -> np.ndarray:  # fmt: skip
    """Draw a year's share of successes: those seen, and those of the trials to come.

    Returns
    -------
    ndarray, shape (draw,)
        Share of all trials of the year.
    """
    yes, n = batch.y[series, time], batch.extra["n"][series, time]
    eta = par["level"][:, series] + par["loading"][:, batch.which[series]] * latent[:, time]
    p, c = np.clip(expit(eta), 1e-9, 1.0 - 1e-9), batch.extra["concentration"]
    chance = rng.beta(c * p + yes, c * (1.0 - p) + n - yes)
    return (yes + rng.binomial(int(rest), chance)) / (n + int(rest))


def vote_year(
    batch: Batch, series: int, time: int, latent: np.ndarray, par: dict[str, Any],
    seen: tuple[float, float], rest: int, rng: np.random.Generator,
) -> np.ndarray:  # fmt: skip
    """Draw a year's share of agreement: that of the votes seen, and of those to come.

    What of the residual is the year's own goes on, what comes of few votes does not: the two are
    told apart by their variances.

    Parameters
    ----------
    seen : (float, float)
        Agreements (an abstention by one side one half) and votes so far.
    rest : int
        Votes to come.

    Returns
    -------
    ndarray, shape (draw,)
    """
    agreed, n = seen
    if rest <= 0:
        return np.full(len(latent), agreed / n)
    x = batch.extra
    mean = latent + par["agenda"] @ x["basis"].T
    residual = batch.y[series] - mean
    before = np.flatnonzero(batch.mask[series, :time])
    gap = time - before[-1] if len(before) else LONGEST + 1
    kept = x["phi"][series] ** gap if gap <= LONGEST and x["phi"][series] > 0 else 0.0
    carried = kept * residual[:, before[-1]] if kept else np.zeros(len(latent))
    own, thin = x["scale"] ** 2 * (1.0 - kept**2), x["thin"][series, time]
    share, size = own / (own + thin), len(latent)
    year = share * (residual[:, time] - carried)
    year = year + np.sqrt(share * thin) * rng.standard_normal(size)
    noise = np.sqrt(thin * (n + 4.0) / (rest + 4.0)) * rng.standard_normal(size)
    later = expit(mean[:, time] + carried + year + noise)
    return (agreed + rest * plain(later, rest)) / (n + rest)


def plain(smoothed: np.ndarray, n: float | np.ndarray) -> np.ndarray:
    """Share of agreement as it is counted, from the one the model reads (`vote.score`).

    Examples
    --------
    >>> round(float(plain(np.array(37.0 / 44.0), 40)), 6)
    0.875
    """
    return np.clip(smoothed * (n + 4.0) - 2.0, 0.0, n) / n
