"""Counts: events per unit-year whose unit rate says nothing, only its movement does.

Invariant: given a unit's total over the window, the years share it by a Dirichlet-multinomial
with weights ``exp(eta)``; the unit rate drops out exactly (Hausman, Hall and Griliches 1984), so
no offsets are sampled, and a unit without events adds nothing. A concentration of pseudo-events
per unit-year lets counts scatter more than Poisson; as it grows the multinomial returns.
Guarded by ``tests/test_measurement.py``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fairweather.measurement.batch import Batch, Source, lay_out

_ABSENT = -1e3
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
