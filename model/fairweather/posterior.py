"""What a fit holds: the labelled axes of every named quantity, whatever sampler drew it.

Invariant: the dims of a quantity depend on its name alone, and are those the PyMC model declares.
Guarded by ``tests/test_model.py::test_a_fit_and_its_prior_share_names_and_dims``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fairweather import names

if TYPE_CHECKING:
    import xarray as xr

    from fairweather.measurement.batch import Batch
    from fairweather.panel import Panel

DIMS: dict[str, tuple[str, ...]] = {
    "alignment": ("dyad", "year"), "pressure": ("state", "year"), "words": ("state", "year"),
    "complementarity": ("kind", "year"), "level": ("dyad",), "target_centre": ("dyad",),
    "dyad_drift": ("dyad",), "elasticity": ("state",), "elasticity_own": ("state",),
    "agenda": ("agenda_dim_0",), "residual_spare": ("within",), "residual_within": ("within",),
    "loading_within": ("within",), "loading_count": ("count",), "loading_share": ("share",),
    "shift_within": ("within_shifted", "year"), "shift_count": ("count_shifted", "year"),
    "share_level": ("share_series",), "delegation": ("year", "state"), "gap": ("dyad", "year"),
}  # fmt: skip


def labels(panel: Panel, batches: dict[str, Batch]) -> dict[str, Any]:
    """Labels of every named axis of a panel and its indicators."""
    out = {
        names.STATE: list(panel.states), names.DYAD: list(panel.dyads),
        names.YEAR: panel.years, names.KIND: list(panel.kinds),
    }  # fmt: skip
    for name, batch in batches.items():
        out[name] = batch.ids
        out[f"{name}_shifted"] = [batch.ids[k] for k in batch.shifted]
        out[f"{name}_series"] = [
            f"{batch.ids[k]}:{u}" for k, u in zip(batch.which, batch.unit, strict=True)
        ]
    return out


def dataset(values: dict[str, np.ndarray], coords: dict[str, Any]) -> xr.Dataset:
    """Label draws.

    Parameters
    ----------
    values : dict of str to ndarray, each (chain, draw, ...)
    coords : dict
        From `labels`.
    """
    import xarray as xr

    data = {}
    for name, value in values.items():
        extra = [f"{name}_dim_{k}" for k in range(value.ndim - 2)]
        data[name] = ((names.CHAIN, names.DRAW, *DIMS.get(name, extra)), value)
    used = {d for dims, _ in data.values() for d in dims}
    chain, draw = next(iter(values.values())).shape[:2]
    axes = {names.CHAIN: np.arange(chain), names.DRAW: np.arange(draw)}
    return xr.Dataset(data, {**axes, **{k: v for k, v in coords.items() if k in used}})
