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
    batch.extra["n"] = n
    # At least one pseudo-trial more: below it the beta turns into two spikes.
    batch.extra["concentration"] = 1.0 + priors.fixed("concentration")
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
