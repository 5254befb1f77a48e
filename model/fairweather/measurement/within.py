"""Within-unit items: a continuous number whose unit level says nothing, only its movement does.

Invariant: the unit intercept has a flat prior and is integrated out exactly, so hundreds of
offsets never enter the sampler; what is left is ``-(N - U) log s - SS / (2 s^2)`` on filtered
residuals. Residuals may follow an AR(1) of declared correlation, so that slow items (trade) are
not counted as many independent ones. Guarded by ``tests/test_measurement.py``.
"""

from __future__ import annotations

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
    shifts,
    unscored,
    weigh,
)


def prepare(sources: list[Source], n_years: int, priors: Any) -> Batch:
    """Lay rows out as series with the filters that whiten them and remove the unit level."""
    batch, _ = lay_out("within", sources, n_years, ("value",), least=2)
    phi = np.array([float(batch.indicators[k].residual_ar or 0.0) for k in batch.which])
    filters = ar1_filter(batch.mask, phi)
    constant = apply_filter(np, np.ones(batch.mask.shape), filters)
    size = batch.mask.sum(axis=1) - 1.0
    dof = np.bincount(batch.which, weights=size, minlength=len(batch.indicators))
    member = np.equal.outer(np.arange(len(batch.indicators)), batch.which).astype(float)
    level = (apply_filter(np, batch.y, filters) * constant).sum(axis=1)
    information = (constant**2).sum(axis=1)
    swing = (apply_filter(np, batch.y, filters) ** 2).sum(axis=1) - level**2 / information
    # Series that stand still have a swing of nothing, by rounding less.
    spread = np.sqrt(np.maximum(member @ swing, 0.0) / dof)
    # In a simulated world the floor is that of the record it was simulated under.
    known = {s.indicator.id: s.spread for s in sources if s.spread is not None}
    spread = np.array([known.get(i, x) for i, x in zip(batch.ids, spread, strict=True)])
    batch.extra.update(
        phi=phi, filter=filters, constant=constant, information=information, dof=dof, member=member,
        spread=spread, floor=priors.fixed("residual_floor") * spread,
        shift_scale=priors.fixed("year_shift_scale"),
    )  # fmt: skip
    return batch


def parameters(batch: Batch, priors: Any) -> dict[str, Any]:
    """Create loading and residual scale per indicator, and a shift per year for judged items.

    The residual keeps a floor, a declared share of the item's own spread within units, so that no
    single series turns the latent into itself.
    """
    import pymc as pm
    import pytensor.tensor as pt

    spare = priors["residual_spare"].rv(dims="within")
    floor = batch.extra["floor"]
    par = {
        "loading": priors["loading_within"].rv(dims="within"),
        "scale": pm.Deterministic(
            "residual_within", floor * pt.sqrt(1.0 + spare**2), dims="within"
        ),
    }
    if batch.shifted:
        par["shift"] = pm.Normal(
            "shift_within", 0.0, batch.extra["shift_scale"], dims=("within_shifted", "year")
        )
    return par


def logp(batch: Batch, latent: Any, par: dict[str, Any]) -> Any:
    """Log likelihood with the unit levels integrated out."""
    import pytensor.tensor as pt

    r = batch.y - par["loading"][batch.which][:, None] * latent
    if "shift" in par:
        r = r - batch.shift_rows(par["shift"], pt)
    e = apply_filter(pt, r, batch.extra["filter"])
    level = (e * batch.extra["constant"]).sum(axis=1)
    ss = (e * e).sum(axis=1) - level**2 / batch.extra["information"]
    scale = par["scale"]
    return -(
        pt.dot(batch.extra["dof"], pt.log(scale))
        + 0.5 * (pt.dot(batch.extra["member"], ss) / scale**2).sum()
    )


def _residual(batch: Batch, latent: np.ndarray, par: dict[str, Any]) -> np.ndarray:
    r = batch.y - par["loading"][..., batch.which, None] * latent
    if "shift" in par:
        r = r - batch.shift_rows(par["shift"], np)
    return np.where(batch.mask, r, 0.0)


def _level(batch: Batch, r: np.ndarray) -> np.ndarray:
    """Generalised least squares level of each series, shape (..., series)."""
    e = apply_filter(np, r, batch.extra["filter"])
    return (e * batch.extra["constant"]).sum(axis=-1) / batch.extra["information"]


def fit_logp(batch: Batch, latent: np.ndarray, par: dict[str, Any]) -> np.ndarray:
    """Log likelihood of each series, its level integrated out, constants dropped, with NumPy."""
    e = apply_filter(np, _residual(batch, latent, par), batch.extra["filter"])
    level = (e * batch.extra["constant"]).sum(axis=-1)
    ss = (e**2).sum(axis=-1) - level**2 / batch.extra["information"]
    scale = par["scale"][..., batch.which]
    return -((batch.mask.sum(axis=1) - 1.0) * np.log(scale) + 0.5 * ss / scale**2)


def simulate(
    batch: Batch, latent: np.ndarray, par: dict[str, Any], rng: np.random.Generator
) -> np.ndarray:
    """Replicate the observed cells around the level each series showed."""
    level = _level(batch, _residual(batch, latent, par))[:, None]
    noise = invert_filter(rng.standard_normal(latent.shape), batch.extra["filter"])
    mean = level + par["loading"][batch.which, None] * latent
    if "shift" in par:
        mean = mean + batch.shift_rows(par["shift"], np)
    return np.where(batch.mask, mean + par["scale"][batch.which, None] * noise, np.nan)


def predict(
    batch: Batch, history: np.ndarray, future: np.ndarray, par: dict[str, Any],
    rng: np.random.Generator,
) -> np.ndarray:  # fmt: skip
    """Draw later values.

    Parameters
    ----------
    history : ndarray, shape (draw, series, year)
    future : ndarray, shape (draw, series, horizon)
    par : dict
        Arrays with a leading draw axis.

    Returns
    -------
    ndarray, shape (draw, series, horizon)
    """
    r = _residual(batch, history, par)
    level = _level(batch, r)
    scale = par["scale"][:, batch.which]
    carry, gap = last_residual(batch, r - level[:, :, None])
    level = level + scale / np.sqrt(batch.extra["information"]) * rng.standard_normal(level.shape)
    out = ar1_future(carry, gap, batch.extra["phi"], scale, future.shape[2], rng)
    out += level[:, :, None] + par["loading"][:, batch.which, None] * future
    if "shift" in par:
        size = (future.shape[0], len(batch.shifted), future.shape[2])
        out += batch.shift_rows(batch.extra["shift_scale"] * rng.standard_normal(size), np)
    return out


def _held(
    known: Batch, whole: Batch, held: Held, rest: np.ndarray, latent: np.ndarray,
    par: dict[str, Any],
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Mean and spread of each held-out cell given the years `rest`, both (draw, cell)."""
    k = np.maximum(held.item, 0)
    weight, spread = carry(rest, held.time, whole.extra["phi"][held.series], level=True)
    seen = -(weight * np.where(rest, whole.y[held.series], 0.0)).sum(axis=1)
    mean = seen + par["loading"][:, k] * weigh(latent, held.series, weight)
    return mean + shifts(known, held.item, par, weight), par["scale"][:, k] * spread


def held_logp(
    known: Batch, whole: Batch, cells: tuple[np.ndarray, np.ndarray], latent: np.ndarray,
    par: dict[str, Any],
) -> np.ndarray:  # fmt: skip
    """Log density of the values, unit level integrated out and residuals carried.

    Of a series that is lost whole only movement can be scored: its cells are met in the order of
    time, each given the earlier ones, and the first adds 0.
    """
    held = meet(known, whole, cells)
    mean, spread = _held(known, whole, held, held.chained(), latent, par)
    y = whole.y[held.series, held.time]
    return unscored(normal_logp(y, mean, spread), held.item < 0)


def held_draw(
    known: Batch, whole: Batch, cells: tuple[np.ndarray, np.ndarray], latent: np.ndarray,
    par: dict[str, Any], rng: np.random.Generator,
) -> np.ndarray:  # fmt: skip
    """Draw values of held-out cells, the cells of a series together.

    A series that is lost whole keeps its first value, and the others are drawn given it.
    """
    held = meet(known, whole, cells)
    rest, phi = held.opened(), whole.extra["phi"][held.series]
    mean, spread = _held(known, whole, held, rest, latent, par)
    free = np.isinf(spread)
    noise = joint_noise(held, rest, phi, len(mean), rng, level=True)
    y = mean + np.where(free, 0.0, spread) * noise
    return unscored(np.where(free, whole.y[held.series, held.time], y), held.item < 0)
