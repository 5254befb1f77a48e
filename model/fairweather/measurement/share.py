"""Shares: successes out of trials in a unit-year, such as joint vetoes out of all vetoes.

Invariant: beta-binomial with a level per unit; rising factorials, written out trial by trial,
stand in for gamma functions. Guarded by ``tests/test_measurement.py``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fairweather.measurement.batch import Batch, Source, lay_out


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
    batch.extra["all_series"] = batch.extra["all_cell"] // max(n_years, 1)
    batch.extra["n"] = n
    return batch


def parameters(batch: Batch, priors: Any) -> dict[str, Any]:
    """Loading and concentration per indicator, level per series."""
    return {
        "loading": priors["loading_share"].rv(dims="share"),
        "concentration": priors["concentration"].rv("concentration_share", dims="share"),
        "level": priors["share_level"].rv(dims="share_series"),
    }


def _probability(xp: Any, batch: Batch, latent: Any, par: dict[str, Any]) -> Any:
    eta = par["level"][..., :, None] + par["loading"][..., batch.which][..., None] * latent
    return 1.0 / (1.0 + xp.exp(-eta))


def _strength(batch: Batch, par: dict[str, Any]) -> Any:
    # At least one pseudo-trial: below it the beta turns into two spikes.
    return 1.0 + par["concentration"][..., batch.which]


def logp(batch: Batch, latent: Any, par: dict[str, Any]) -> Any:
    """Beta-binomial log likelihood, binomial coefficients dropped."""
    import pytensor.tensor as pt

    x = batch.extra
    p = _probability(pt, batch, latent, par)
    c = _strength(batch, par)
    yes = (c[:, None] * p).flatten()
    no = (c[:, None] * (1.0 - p)).flatten()
    gain = pt.log(yes[x["yes_cell"]] + x["yes_k"]).sum()
    gain = gain + pt.log(no[x["no_cell"]] + x["no_k"]).sum()
    return gain - pt.log(c[x["all_series"]] + x["all_k"]).sum()


def simulate(
    batch: Batch, latent: np.ndarray, par: dict[str, Any], rng: np.random.Generator
) -> np.ndarray:
    """Replicate the successes of the observed cells."""
    p = _probability(np, batch, latent, par)
    c = _strength(batch, par)[:, None]
    q = rng.beta(np.maximum(c * p, 1e-9), np.maximum(c * (1 - p), 1e-9))
    return np.where(batch.mask, rng.binomial(batch.extra["n"].astype(int), q), np.nan)


def predict(
    batch: Batch, history: np.ndarray, future: np.ndarray, par: dict[str, Any],
    rng: np.random.Generator,
) -> np.ndarray:  # fmt: skip
    """Draw the underlying share (0..1) in later years."""
    p = _probability(np, batch, future, par)
    c = _strength(batch, par)[:, :, None]
    return rng.beta(np.maximum(c * p, 1e-9), np.maximum(c * (1 - p), 1e-9))
