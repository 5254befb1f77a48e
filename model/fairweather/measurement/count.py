"""Counts: events per unit-year whose unit rate says nothing, only its movement does.

Invariant: given a unit's total over the window, the years share it by a Dirichlet-multinomial
with weights ``exp(eta)``; the unit rate drops out exactly (Hausman, Hall and Griliches 1984), so
no offsets are sampled, and a unit without events adds nothing. A concentration of pseudo-events
per unit-year lets counts scatter more than Poisson; as it grows the multinomial returns.
Guarded by ``tests/test_measurement.py``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from fairweather.measurement.batch import Batch, Source, lay_out
from fairweather.measurement.held import meet

_ABSENT = -1e3
_FAR = 100.0  # largest log ratio of two weights
# A closed border empties a whole year of travel: counts shift more than judged shares do.
_SHIFT_FACTOR = 2.0


def prepare(sources: list[Source], n_years: int, priors: Any) -> Batch:
    """Lay counts out as series; units without any event are uninformative and dropped."""
    kept = []
    for s in sources:
        total = s.rows.groupby("unit")["value"].transform("sum")
        kept.append(Source(s.indicator, s.rows[total > 0], s.offset))
    batch, columns = lay_out("count", kept, n_years, ("value", "n"), least=2)
    exposure = np.where(columns["n"] > 0, columns["n"], 1.0)
    cell = np.flatnonzero(batch.y.ravel() > 0)
    batch.extra.update(
        offset=np.where(batch.mask, np.log(exposure), _ABSENT),
        seen=batch.mask.sum(axis=1).astype(float),
        cell=cell,
        events=batch.y.ravel()[cell],
        total=batch.y.sum(axis=1),
        ceiling=_ceiling(batch),
        exposure=np.where(batch.mask, exposure, 0.0).sum(axis=1)
        / np.maximum(batch.mask.sum(axis=1), 1),
        concentration=priors.fixed("concentration"),
        shift_scale=_SHIFT_FACTOR * priors.fixed("year_shift_scale"),
    )
    return batch


def _ceiling(batch: Batch) -> np.ndarray:
    """Largest value a series can take: 1 for an item that is never more than one anywhere."""
    most = np.zeros(len(batch.indicators))
    np.maximum.at(most, batch.which, batch.y.max(axis=1))
    return np.where(most <= 1.0, 1.0, np.inf)[batch.which]


def parameters(batch: Batch, priors: Any) -> dict[str, Any]:
    """Create a loading per indicator and a shift per year where declared."""
    import pymc as pm

    par = {
        "loading": priors["loading_count"].rv(dims="count"),
    }
    if batch.shifted:
        par["shift"] = pm.Normal(
            "shift_count", 0.0, batch.extra["shift_scale"], dims=("count_shifted", "year")
        )
    return par


def logp(batch: Batch, latent: Any, par: dict[str, Any]) -> Any:
    """Log likelihood of the years' shares given each unit's total."""
    import pytensor.tensor as pt

    x = batch.extra
    eta = par["loading"][batch.which][:, None] * latent + x["offset"]
    if "shift" in par:
        eta = eta + batch.shift_rows(par["shift"], pt)
    weight = pt.exp(eta - pt.max(eta, axis=1, keepdims=True))
    strength = batch.extra["concentration"] * x["seen"]
    alpha = (strength / weight.sum(axis=1))[:, None] * weight
    # Cells without events cancel: only the others need gamma functions.
    alpha = alpha.flatten()[x["cell"]]
    gain = (pt.gammaln(alpha + x["events"]) - pt.gammaln(alpha)).sum()
    return gain - (pt.gammaln(strength + x["total"]) - pt.gammaln(strength)).sum()


def _eta(batch: Batch, latent: np.ndarray, par: dict[str, Any]) -> np.ndarray:
    eta = par["loading"][..., batch.which, None] * latent + batch.extra["offset"]
    return eta + batch.shift_rows(par["shift"], np) if "shift" in par else eta


def fit_logp(batch: Batch, latent: np.ndarray, par: dict[str, Any]) -> np.ndarray:
    """Log likelihood of each series given its total, constants dropped, with NumPy."""
    from scipy.special import gammaln

    eta = _eta(batch, latent, par)
    weight = np.exp(eta - eta.max(axis=-1, keepdims=True))
    strength = batch.extra["concentration"] * batch.extra["seen"]
    alpha = strength[:, None] * weight / weight.sum(axis=-1, keepdims=True)
    # Cells without events cancel.
    series, time = np.nonzero(batch.y > 0)
    alpha = np.maximum(alpha[..., series, time], 1e-300)
    gain = gammaln(alpha + batch.y[series, time]) - gammaln(alpha)
    return gain @ np.equal.outer(series, np.arange(len(batch.unit)))


def simulate(
    batch: Batch, latent: np.ndarray, par: dict[str, Any], rng: np.random.Generator
) -> np.ndarray:
    """Replicate the counts given each unit's observed total."""
    eta = _eta(batch, latent, par)
    weight = np.exp(eta - eta.max(axis=1, keepdims=True))
    share = weight / weight.sum(axis=1, keepdims=True)
    strength = batch.extra["concentration"] * batch.extra["seen"]
    gamma = rng.gamma(np.maximum(strength[:, None] * share, 1e-9)) + 1e-300
    p = np.where(batch.mask, gamma, 0.0)
    p /= p.sum(axis=1, keepdims=True)
    y = np.array([rng.multinomial(int(t), q) for t, q in zip(batch.extra["total"], p, strict=True)])
    return np.where(batch.mask, y.reshape(batch.mask.shape), np.nan)


def predict(
    batch: Batch, history: np.ndarray, future: np.ndarray, par: dict[str, Any],
    rng: np.random.Generator,
) -> np.ndarray:  # fmt: skip
    """Draw later counts at the mean exposure.

    The unit rate that was conditioned out has, under a flat prior on its log, the posterior
    Gamma(total, sum of weights); a year's rate scatters around it with the concentration.
    """
    x = batch.extra
    sums = np.exp(_eta(batch, history, par)).sum(axis=2)
    rate = rng.gamma(x["total"][None, :], 1.0, sums.shape) / sums
    log_mu = np.log(rate * x["exposure"])[:, :, None]
    log_mu = log_mu + par["loading"][:, batch.which, None] * future
    if "shift" in par:
        size = (future.shape[0], len(batch.shifted), future.shape[2])
        log_mu = log_mu + batch.shift_rows(x["shift_scale"] * rng.standard_normal(size), np)
    mu = np.exp(np.minimum(log_mu, 12.0))
    shape = x["concentration"]
    y = rng.poisson(np.minimum(mu * rng.gamma(shape, 1.0 / shape, mu.shape), 1e7)).astype(float)
    return np.minimum(y, x["ceiling"][None, :, None])


@dataclass(frozen=True)
class _Unseen:
    """Held-out cells of one series, in the order of time.

    Attributes
    ----------
    at : ndarray of int, shape (cell,)
        Positions among all held-out cells.
    alpha : ndarray, shape (draw, cell)
        Pseudo-events of the cells.
    strength, events : float
        Pseudo-events and events of the known rows; none where the series is lost whole.
    y : ndarray, shape (cell,)
    single : bool
        Whether a value is never more than one.
    """

    at: np.ndarray
    alpha: np.ndarray
    strength: float
    events: float
    y: np.ndarray
    single: bool

    @property
    def silent(self) -> bool:
        """Known rows without any event leave the rate unbounded: no reading can speak."""
        return self.strength > 0 and self.events == 0


def _series(
    known: Batch, whole: Batch, cells: tuple[np.ndarray, np.ndarray], latent: np.ndarray,
    par: dict[str, Any],
) -> Iterator[_Unseen]:  # fmt: skip
    held, c = meet(known, whole, cells), whole.extra["concentration"]
    for s in np.unique(held.series[held.item >= 0]):
        at = np.flatnonzero(held.series == s)
        at = at[np.argsort(held.time[at])]
        k, time, rest = int(held.item[at[0]]), held.time[at], held.rest[at[0]]
        eta = par["loading"][:, k, None] * latent[:, s, :] + whole.extra["offset"][s]
        if "shift" in par and k in known.shifted:
            eta = eta + par["shift"][:, known.shifted.index(k), :]
        base = eta[:, rest if rest.any() else time]
        top = base.max(axis=1, keepdims=True)
        mean = top + np.log(np.exp(base - top).mean(axis=1, keepdims=True))
        alpha = c * np.exp(np.clip(eta[:, time] - mean, -_FAR, _FAR))
        single = bool(whole.extra["ceiling"][s] == 1.0)
        events = float(whole.y[s, rest].sum())
        yield _Unseen(at, alpha, c * rest.sum(), events, whole.y[s, time], single)


def held_logp(
    known: Batch, whole: Batch, cells: tuple[np.ndarray, np.ndarray], latent: np.ndarray,
    par: dict[str, Any],
) -> np.ndarray:  # fmt: skip
    """Log probability of the counts, the unit rate integrated out given the known events.

    Rates scatter as Gamma(pseudo-events) around a unit rate with a flat log, so a cell is beta
    negative binomial. Known rows without events give NaN. Of a series that is lost whole its total
    is given: the cells are met in the order of time, and the last adds 0. An item that is never
    more than one, a constant of the whole panel, has its probability on 0 and 1 alone.
    """
    from scipy.special import betaln, gammaln

    out = np.full((latent.shape[0], len(cells[0])), np.nan)
    for one in _series(known, whole, cells, latent, par):
        if one.silent:
            continue
        y, a, n = one.y, one.strength, one.events
        if not one.strength:
            out[:, one.at] = _single_shares(one) if one.single else _shares(one)
        elif one.single:
            odds = n * one.alpha / (a + n + one.alpha)
            out[:, one.at] = y * np.log(odds) - np.log1p(odds)
        else:
            ways = gammaln(n + y) - gammaln(y + 1.0) - gammaln(n)
            out[:, one.at] = ways + betaln(a + n, one.alpha + y) - betaln(a, one.alpha)
    return out


def _left(one: _Unseen) -> np.ndarray:
    """Events of a cell and all later ones, shape (cell,)."""
    return np.cumsum(one.y[::-1])[::-1]


def _shares(one: _Unseen) -> np.ndarray:
    """Beta-binomial of each cell among the events that are left."""
    from scipy.special import betaln, gammaln

    out = np.zeros(one.alpha.shape)
    a, y, n = one.alpha[:, :-1], one.y[:-1], _left(one)[:-1]
    later = np.cumsum(one.alpha[:, ::-1], axis=1)[:, ::-1][:, 1:]
    ways = gammaln(n + 1.0) - gammaln(y + 1.0) - gammaln(n - y + 1.0)
    out[:, :-1] = ways + betaln(a + y, later + n - y) - betaln(a, later)
    return out


def _subsets(alpha: np.ndarray, total: int) -> np.ndarray:
    """Log sums over all ways to place 0..total single events in a cell and all later ones.

    Returns
    -------
    ndarray, shape (cell + 1, draw, total + 1)
    """
    draws, size = alpha.shape
    out = np.full((size + 1, draws, total + 1), -np.inf)
    out[size, :, 0] = 0.0
    for t in range(size - 1, -1, -1):
        out[t] = out[t + 1]
        placed = np.log(alpha[:, t, None]) + out[t + 1, :, :-1]
        out[t, :, 1:] = np.logaddexp(out[t, :, 1:], placed)
    return out


def _single_shares(one: _Unseen) -> np.ndarray:
    """Probability of each cell when every cell holds one event at most."""
    left = _left(one).astype(int)
    ways = _subsets(one.alpha, int(left[0]))
    out = np.empty(one.alpha.shape)
    for t, y in enumerate(one.y.astype(int)):
        gain = y * np.log(one.alpha[:, t]) + ways[t + 1, :, left[t] - y]
        out[:, t] = gain - ways[t, :, left[t]]
    return out


def held_draw(
    known: Batch, whole: Batch, cells: tuple[np.ndarray, np.ndarray], latent: np.ndarray,
    par: dict[str, Any], rng: np.random.Generator,
) -> np.ndarray:  # fmt: skip
    """Draw counts of held-out cells; the cells of a series share its unknown rate or its total."""
    out = np.full((latent.shape[0], len(cells[0])), np.nan)
    for one in _series(known, whole, cells, latent, par):
        if one.silent:
            continue
        if not one.strength:
            draw = _draw_single(one, rng) if one.single else _draw_shares(one, rng)
        elif one.single:
            odds = one.events * one.alpha / (one.strength + one.events + one.alpha)
            draw = rng.random(odds.shape) < odds / (1.0 + odds)
        else:
            size = (len(one.alpha), 1)
            rate = rng.gamma(one.events, 1.0, size) / rng.gamma(one.strength, 1.0, size)
            draw = rng.poisson(np.minimum(rate * rng.gamma(one.alpha), 1e7))
        out[:, one.at] = draw
    return out


def _draw_shares(one: _Unseen, rng: np.random.Generator) -> np.ndarray:
    share = rng.gamma(one.alpha) + 1e-300
    return rng.multinomial(int(one.y.sum()), share / share.sum(axis=1, keepdims=True))


def _draw_single(one: _Unseen, rng: np.random.Generator) -> np.ndarray:
    """Place single events cell by cell."""
    left = np.full(len(one.alpha), int(one.y.sum()))
    ways, every = _subsets(one.alpha, int(one.y.sum())), np.arange(len(one.alpha))
    out = np.zeros(one.alpha.shape)
    for t in range(one.alpha.shape[1]):
        some = np.maximum(left - 1, 0)
        gain = np.log(one.alpha[:, t]) + ways[t + 1, every, some] - ways[t, every, left]
        out[:, t] = (left > 0) & (np.log(rng.random(len(left))) < gain)
        left = left - out[:, t].astype(int)
    return out
