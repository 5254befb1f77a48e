"""Anchor of pressure: log(1 + US sanction cases) is pressure itself, up to a small error.

Invariant: intercept 0 and loading 1 fix location and scale of pressure once, so that the weakest
of two pressures has a meaning. Guarded by ``tests/test_measurement.py``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fairweather.measurement.batch import Batch, Source, lay_out
from fairweather.measurement.held import meet, normal_logp


def prepare(sources: list[Source], n_years: int, priors: Any) -> Batch:
    """Lay rows out as series; see `fairweather.measurement`."""
    batch, _ = lay_out("anchor", sources, n_years, ("value",))
    batch.extra["scale"] = priors.fixed("anchor_error")
    return batch


def parameters(batch: Batch, priors: Any) -> dict[str, Any]:
    """No free parameter: the anchor carries the units."""
    return {}


def logp(batch: Batch, latent: Any, par: dict[str, Any]) -> Any:
    """Gaussian log likelihood with fixed scale, constants dropped."""
    z = (batch.y - latent) / batch.extra["scale"]
    return -0.5 * (z * z * batch.mask).sum()


def fit_logp(batch: Batch, latent: np.ndarray, par: dict[str, Any]) -> np.ndarray:
    """Log likelihood of each series, constants dropped, with NumPy."""
    return -0.5 * (((batch.y - latent) / batch.extra["scale"]) ** 2 * batch.mask).sum(axis=-1)


def simulate(
    batch: Batch, latent: np.ndarray, par: dict[str, Any], rng: np.random.Generator
) -> np.ndarray:
    """Replicate the observed cells, shape (series, year), NaN where unobserved."""
    y = latent + rng.normal(0.0, batch.extra["scale"], latent.shape)
    return np.where(batch.mask, y, np.nan)


def predict(
    batch: Batch, history: np.ndarray, future: np.ndarray, par: dict[str, Any],
    rng: np.random.Generator,
) -> np.ndarray:  # fmt: skip
    """Draw later values, shape of ``future`` (draw, series, horizon)."""
    return future + rng.normal(0.0, batch.extra["scale"], future.shape)


def held_logp(
    known: Batch, whole: Batch, cells: tuple[np.ndarray, np.ndarray], latent: np.ndarray,
    par: dict[str, Any],
) -> np.ndarray:  # fmt: skip
    """Log density of held-out cells: years are independent given pressure."""
    held = meet(known, whole, cells)
    y = whole.y[held.series, held.time]
    return normal_logp(y, latent[:, held.series, held.time], np.array(whole.extra["scale"]))


def held_draw(
    known: Batch, whole: Batch, cells: tuple[np.ndarray, np.ndarray], latent: np.ndarray,
    par: dict[str, Any], rng: np.random.Generator,
) -> np.ndarray:  # fmt: skip
    """Draw values of held-out cells."""
    held = meet(known, whole, cells)
    mean = latent[:, held.series, held.time]
    return mean + whole.extra["scale"] * rng.standard_normal(mean.shape)
