"""Shares: successes out of trials in a unit-year, such as joint vetoes out of all vetoes.

Invariant: beta-binomial with a level per unit; rising factorials, written out trial by trial,
stand in for gamma functions. Guarded by ``tests/test_measurement.py``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fairweather.measurement.batch import Batch, Source, lay_out
from fairweather.measurement.held import Held, meet, unscored

_LEVELS = 256  # equally likely levels that stand for the prior of one


def _expand(count: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Row (cell, k) stands for the factor (alpha_cell + k) of a rising factorial."""
    flat = count.astype(int).ravel()
    k = np.concatenate([np.arange(v) for v in flat]) if flat.sum() else np.zeros(0)
    return np.repeat(np.arange(flat.size), flat), k.astype(float)


def prepare(sources: list[Source], n_years: int, priors: Any) -> Batch:
    """Lay successes and trials out as series."""
    batch, columns = lay_out("share", sources, n_years, ("value", "n"))
    n = columns["n"]
    for name, count in (("yes", batch.y), ("no", n - batch.y), ("all", n)):
        batch.extra[f"{name}_cell"], batch.extra[f"{name}_k"] = _expand(count)
    batch.extra["n"] = n
    # At least one pseudo-trial more: below it the beta turns into two spikes.
    batch.extra["concentration"] = 1.0 + priors.fixed("concentration")
    batch.extra["level_prior"] = priors["share_level"]
    return batch


def parameters(batch: Batch, priors: Any) -> dict[str, Any]:
    """Create a loading per indicator and a level per series."""
    return {
        "loading": priors["loading_share"].rv(dims="share"),
        "level": priors["share_level"].rv(dims="share_series"),
    }


def _probability(xp: Any, batch: Batch, latent: Any, par: dict[str, Any]) -> Any:
    eta = par["level"][..., :, None] + par["loading"][..., batch.which][..., None] * latent
    return 1.0 / (1.0 + xp.exp(-eta))


def logp(batch: Batch, latent: Any, par: dict[str, Any]) -> Any:
    """Beta-binomial log likelihood, binomial coefficients dropped."""
    import pytensor.tensor as pt

    x = batch.extra
    p = _probability(pt, batch, latent, par)
    c = x["concentration"]
    yes = (c * p).flatten()
    no = (c * (1.0 - p)).flatten()
    gain = pt.log(yes[x["yes_cell"]] + x["yes_k"]).sum()
    gain = gain + pt.log(no[x["no_cell"]] + x["no_k"]).sum()
    return gain - np.log(c + x["all_k"]).sum()


def fit_logp(batch: Batch, latent: np.ndarray, par: dict[str, Any]) -> np.ndarray:
    """Log likelihood of each series, binomial coefficients dropped, with NumPy."""
    from scipy.special import betaln

    eta = par["level"][..., None] + par["loading"][..., batch.which, None] * latent
    a, b = _beta(batch, eta)
    yes, no = batch.y, batch.extra["n"] - batch.y
    return ((betaln(a + yes, b + no) - betaln(a, b)) * batch.mask).sum(axis=-1)


def simulate(
    batch: Batch, latent: np.ndarray, par: dict[str, Any], rng: np.random.Generator
) -> np.ndarray:
    """Replicate the successes of the observed cells."""
    p = _probability(np, batch, latent, par)
    c = batch.extra["concentration"]
    q = rng.beta(np.maximum(c * p, 1e-9), np.maximum(c * (1 - p), 1e-9))
    return np.where(batch.mask, rng.binomial(batch.extra["n"].astype(int), q), np.nan)


def predict(
    batch: Batch, history: np.ndarray, future: np.ndarray, par: dict[str, Any],
    rng: np.random.Generator,
) -> np.ndarray:  # fmt: skip
    """Draw the underlying share (0..1) in later years."""
    p = _probability(np, batch, future, par)
    c = batch.extra["concentration"]
    return rng.beta(np.maximum(c * p, 1e-9), np.maximum(c * (1 - p), 1e-9))


def _odds(held: Held, latent: np.ndarray, par: dict[str, Any]) -> np.ndarray:
    """Log odds of a success without the level, shape (draw, cell)."""
    return par["loading"][:, np.maximum(held.item, 0)] * latent[:, held.series, held.time]


def _levels(prior: Any) -> np.ndarray:
    """Equally likely quantiles of the prior of a level."""
    from scipy import stats

    p, u = prior.params, (np.arange(_LEVELS) + 0.5) / _LEVELS
    if prior.fixed:
        return np.array([p["value"]])
    if prior.dist == "HalfNormal":
        return stats.halfnorm.ppf(u, scale=p["sigma"])
    z = p["mu"] + p["sigma"] * stats.norm.ppf(u)
    return np.exp(z) if prior.dist == "LogNormal" else z


def _beta(whole: Batch, eta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    from scipy.special import expit

    # Kept off 0 and 1, where the beta function has no value.
    p = np.clip(expit(eta), 1e-12, 1.0 - 1e-12)
    return whole.extra["concentration"] * p, whole.extra["concentration"] * (1.0 - p)


def held_logp(
    known: Batch, whole: Batch, cells: tuple[np.ndarray, np.ndarray], latent: np.ndarray,
    par: dict[str, Any],
) -> np.ndarray:  # fmt: skip
    """Log probability of the successes; of a series lost whole the level is integrated out."""
    from scipy.special import betaln, gammaln, logsumexp

    held = meet(known, whole, cells)
    y, n = whole.y[held.series, held.time], whole.extra["n"][held.series, held.time]
    ways = gammaln(n + 1.0) - gammaln(y + 1.0) - gammaln(n - y + 1.0)

    def logp(eta: np.ndarray, at: np.ndarray) -> np.ndarray:
        a, b = _beta(whole, eta)
        return ways[at] + betaln(a + y[at], b + (n - y)[at]) - betaln(a, b)

    out = np.empty((latent.shape[0], len(y)))
    odds = _odds(held, latent, par)
    met = np.flatnonzero(held.source >= 0)
    out[:, met] = logp(odds[:, met] + par["level"][:, held.source[met]], met)
    level = _levels(whole.extra["level_prior"])
    for c in np.flatnonzero(held.source < 0):
        each = logp(odds[:, c, None] + level, np.full(len(level), c))
        out[:, c] = logsumexp(each, axis=1) - np.log(len(level))
    return unscored(out, held.item < 0)


def held_draw(
    known: Batch, whole: Batch, cells: tuple[np.ndarray, np.ndarray], latent: np.ndarray,
    par: dict[str, Any], rng: np.random.Generator,
) -> np.ndarray:  # fmt: skip
    """Draw successes of held-out cells; a level the fit did not have comes from its prior."""
    held = meet(known, whole, cells)
    fresh = whole.extra["level_prior"].draw(rng, (latent.shape[0], len(whole.unit)))
    level = np.where(
        held.source < 0, fresh[:, held.series], par["level"][:, np.maximum(held.source, 0)]
    )
    a, b = _beta(whole, _odds(held, latent, par) + level)
    n = whole.extra["n"][held.series, held.time].astype(int)
    return unscored(rng.binomial(n, rng.beta(a, b)).astype(float), held.item < 0)
