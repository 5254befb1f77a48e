"""Votes: contested General Assembly agreement, the anchor of alignment.

Invariant: loading 1 and no dyad offset, so alignment is read in logits of contested agreement;
the residual has a declared floor and an AR(1) path, so that sixty votes a year do not turn
alignment into a voting index; the agenda of a year moves all dyads, except for level and linear
trend, which stay with alignment. Guarded by ``tests/test_measurement.py``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from fairweather.measurement.batch import (
    Batch,
    Source,
    apply_filter,
    ar1_filter,
    ar1_future,
    invert_filter,
    last_residual,
    lay_out,
)
from fairweather.measurement.held import (
    Held,
    carry,
    joint_noise,
    meet,
    normal_logp,
    unscored,
    weigh,
)

# Variance of one vote at the usual share of agreement, 0.84: a variance read off the votes
# themselves would make the density of a year's score depend on that score.
_USUAL = 0.84 * 0.16


def score(same: Any, partial: Any, n: Any) -> Any:
    """Empirical logit of agreement, an abstention by one side counting one half.

    Examples
    --------
    >>> round(float(score(30, 10, 50)), 3)
    0.778
    """
    share = (same + 0.5 * partial + 2.0) / (n + 4.0)
    return np.log(share / (1.0 - share))


def agenda_basis(voted: np.ndarray) -> np.ndarray:
    """Contrasts of the agenda over years.

    Level and linear trend of the years with votes belong to alignment: the agenda of these years is
    orthogonal to both. Years without votes stand apart, each on its own: tied to the others they
    would take up what is left of level and trend, and carry it into forecasts.

    Parameters
    ----------
    voted : ndarray of bool, shape (year,)
        Years with a vote of any dyad.

    Returns
    -------
    ndarray, shape (year, year - 2)
        Orthonormal columns.

    Examples
    --------
    >>> agenda_basis(np.array([True, True, True, False])).round(2).tolist()
    [[0.41, 0.0], [-0.82, 0.0], [0.41, 0.0], [0.0, 1.0]]
    """
    voted = np.asarray(voted, bool)
    width, some = len(voted), int(voted.sum())
    t = np.flatnonzero(voted).astype(float)
    full = np.linalg.qr(np.column_stack([np.ones(some), t, np.eye(some)]))[0]
    within = np.zeros((width, max(some - 2, 0)))
    within[voted] = full[:, 2:some]
    return np.concatenate([within, np.eye(width)[:, ~voted]], axis=1)[:, : width - 2]


def prepare(sources: list[Source], n_years: int, priors: Any) -> Batch:
    """Lay the logit scores out as series with the filters that whiten them."""
    batch, columns = lay_out("vote", sources, n_years, ("value", "partial", "opposite", "n"))
    n = columns["n"]
    y = np.where(batch.mask, score(columns["value"], columns["partial"], n), 0.0)
    sampling = np.where(batch.mask, 1.0 / ((n + 4.0) * _USUAL), 0.0)
    phi = np.array([float(batch.indicators[k].residual_ar or 0.0) for k in batch.which])
    scale = priors.fixed("vote_residual")
    part = priors.fixed("vote_sampling_share")
    filters = ar1_filter(batch.mask, phi)
    # A thin year is noisier: a part of its binomial variance is added to its innovation.
    innovation = np.where(filters[0] > 0, scale / np.maximum(filters[0], 1e-9), 1.0)
    noise = np.sqrt(innovation**2 + part * sampling)
    extra = {
        "filter": [c / scale * (innovation / noise) for c in filters],
        "basis": agenda_basis(batch.mask.any(axis=0)),
        "phi": phi,
        "scale": scale,
        "thin": part * sampling,
        "agenda_scale": priors.fixed("agenda_scale"),
    }
    return replace(batch, y=y, extra=extra)


def parameters(batch: Batch, priors: Any) -> dict[str, Any]:
    """Agenda effects of the years, on contrasts orthogonal to level and linear trend."""
    import pymc as pm

    size = batch.extra["basis"].shape[1]
    return {"agenda": pm.Normal("agenda", 0.0, batch.extra["agenda_scale"], shape=size)}


def logp(batch: Batch, latent: Any, par: dict[str, Any]) -> Any:
    """Gaussian log likelihood of the logit scores under the declared residual."""
    import pytensor.tensor as pt

    agenda = pt.dot(batch.extra["basis"], par["agenda"])
    e = apply_filter(pt, batch.y - latent - agenda[None, :], batch.extra["filter"])
    return -0.5 * (e * e).sum()


def fit_logp(batch: Batch, latent: np.ndarray, par: dict[str, Any]) -> np.ndarray:
    """Log likelihood of each series, constants dropped, with NumPy."""
    agenda = par["agenda"] @ batch.extra["basis"].T
    e = apply_filter(np, batch.y - latent - agenda[..., None, :], batch.extra["filter"])
    return -0.5 * (e**2).sum(axis=-1)


def simulate(
    batch: Batch, latent: np.ndarray, par: dict[str, Any], rng: np.random.Generator
) -> np.ndarray:
    """Replicate the logit scores of the observed cells, with the residuals `logp` whitens."""
    noise = invert_filter(rng.standard_normal(latent.shape), batch.extra["filter"])
    y = latent + batch.extra["basis"] @ par["agenda"] + noise
    return np.where(batch.mask, y, np.nan)


def predict(
    batch: Batch, history: np.ndarray, future: np.ndarray, par: dict[str, Any],
    rng: np.random.Generator,
) -> np.ndarray:  # fmt: skip
    """Draw later agreement shares (0..1), the agenda of a coming year being unknown."""
    agenda = par["agenda"] @ batch.extra["basis"].T
    r = np.where(batch.mask, batch.y - history - agenda[:, None, :], 0.0)
    carry, gap = last_residual(batch, r)
    scale = np.full(carry.shape, batch.extra["scale"])
    out = ar1_future(carry, gap, batch.extra["phi"], scale, future.shape[2], rng)
    size = (future.shape[0], 1, future.shape[2])
    common = batch.extra["agenda_scale"] * rng.standard_normal(size)
    return 1.0 / (1.0 + np.exp(-(out + future + common)))


def _held(
    known: Batch, whole: Batch, cells: tuple[np.ndarray, np.ndarray], latent: np.ndarray,
    par: dict[str, Any],
) -> tuple[Held, dict[str, Any], np.ndarray, np.ndarray]:  # fmt: skip
    """Logit score of each held-out cell: its residual, mean (draw, cell) and spread (cell,)."""
    held, x = meet(known, whole, cells), whole.extra
    kind = {"scale": x["scale"], "thin": x["thin"][held.series]}
    weight, spread = carry(held.rest, held.time, x["phi"][held.series], **kind)
    seen = -(weight * np.where(held.rest, whole.y[held.series], 0.0)).sum(axis=1)
    # The agenda is laid out by the years whose votes the fit has seen.
    agenda = par["agenda"] @ (weight @ known.extra["basis"]).T
    return held, kind, seen + weigh(latent, held.series, weight) + agenda, spread


def held_logp(
    known: Batch, whole: Batch, cells: tuple[np.ndarray, np.ndarray], latent: np.ndarray,
    par: dict[str, Any],
) -> np.ndarray:  # fmt: skip
    """Log density of the logit scores, the residual carried from the known years on both sides."""
    held, _, mean, spread = _held(known, whole, cells, latent, par)
    y = whole.y[held.series, held.time]
    return unscored(normal_logp(y, mean, spread), held.item < 0)


def held_draw(
    known: Batch, whole: Batch, cells: tuple[np.ndarray, np.ndarray], latent: np.ndarray,
    par: dict[str, Any], rng: np.random.Generator,
) -> np.ndarray:  # fmt: skip
    """Draw agreement shares (0..1) of held-out cells, the residual one path a series."""
    held, kind, mean, spread = _held(known, whole, cells, latent, par)
    phi = whole.extra["phi"][held.series]
    y = mean + spread * joint_noise(held, held.rest, phi, len(mean), rng, **kind)
    return unscored(1.0 / (1.0 + np.exp(-y)), held.item < 0)
