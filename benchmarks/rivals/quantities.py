"""What the rivals are compared on: the quantities our gate judges, under the same names.

Invariant: the names are those of ``fairweather.gate.reported``, shapes included. Guarded by
``tests/test_bench_rivals.py``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

WHOLE = (
    "half_life", "wander", "state_wander", "shock_scale", "state_shock_scale", "grand_level",
    "level", "drift", "dyad_drift_scale", "dyad_drift", "target_centre",
    "elasticity_mean", "elasticity_scale", "elasticity_own", "elasticity", "coupling", "scope",
    "feedback", "pressure_half_life", "pressure_innovation", "delegation_scale",
    "loading_within", "loading_count", "loading_share", "residual_spare", "residual_within",
    "share_level",
)  # fmt: skip


def kept(panel: Any) -> list[str]:
    """Names of the variables whose draws are needed."""
    return [*WHOLE, *(f"complementarity_{kind}" for kind in panel.kinds), "alignment", "pressure"]


def select(draws: dict[str, np.ndarray], panel: Any) -> dict[str, np.ndarray]:
    """Cut draws down to the reported quantities.

    Parameters
    ----------
    draws : dict of str to ndarray, each (chain, draw, ...)
        With the names of `kept`; what a panel has no data for may be missing.
    panel : fairweather.panel.Panel

    Returns
    -------
    dict of str to ndarray
        The parameters whole; the path of the focal dyad (``alignment``) and of its two states
        (``pressure``); everybody in the last year (``alignment_origin``, ``pressure_origin``).

    Examples
    --------
    >>> import fairweather as fw
    >>> panel = fw.load_panel()
    >>> path = np.zeros((2, 5, len(panel.states), len(panel.years)))
    >>> select({"pressure": path}, panel)["pressure"].shape[2]
    2
    """
    out = {k: np.asarray(draws[k]) for k in kept(panel) if k in draws}
    members = [panel.states.index(s) for s in panel.focal.split("-")]
    for name, at in (("alignment", [panel.dyads.index(panel.focal)]), ("pressure", members)):
        if name in out:
            whole = out.pop(name)
            out[name], out[f"{name}_origin"] = whole[:, :, at], whole[..., -1]
    return out


def effective(draws: dict[str, np.ndarray]) -> tuple[dict[str, float], float]:
    """Bulk effective sample sizes.

    Parameters
    ----------
    draws : dict
        From `select`.

    Returns
    -------
    dict of str to float
        Lowest bulk ESS of each quantity; elements that never move are left out.
    float
        Highest rank-normalised R-hat of all.
    """
    import arviz_stats as az
    import xarray as xr

    flat = {k: v.reshape(*v.shape[:2], -1)[:, :, moving(v)] for k, v in draws.items()}
    data = xr.Dataset(
        {k: (("chain", "draw", f"{k}_element"), v) for k, v in flat.items() if v.shape[2]}
    )
    ess, rhat = az.ess(data, method="bulk"), az.rhat(data)
    worst = max(float(rhat[k].max()) for k in data.data_vars)
    return {str(k): float(ess[k].min()) for k in data.data_vars}, worst


def moving(x: np.ndarray) -> np.ndarray:
    """Which elements of (chain, draw, ...) draws are not constant, flattened."""
    flat = x.reshape(x.shape[0] * x.shape[1], -1)
    return ~(flat == flat[0]).all(axis=0)
