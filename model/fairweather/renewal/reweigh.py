"""Draws of the last fit, weighed by the rows that came since, and drawn again by their weights.

Invariant: weights are relative to draws that were sampled, never to draws that were weighed; the
same inputs and seed give the same draws. Guarded by ``tests/test_renewal_reweigh.py``.

The ratio of a draw is the density of all rows that differ (`renewal.ratio`), smoothed by PSIS.
What it is worth is its efficiency, ``1 / (S sum w^2)``: the share of the draws that is left.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fairweather import names
from fairweather.gate import INHERITED
from fairweather.kept_rows import ROWS, rows_dataset
from fairweather.lfo import good_k, reweight

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from fairweather.model import Model


@dataclass(frozen=True)
class Weights:
    """Smoothed weights of the draws of a fit, chains one after another.

    Attributes
    ----------
    log : ndarray, shape (draw,)
        Exponentials sum to one.
    k : float
        Pareto k.
    efficiency : float
        Share of the draws that the weighted ones are worth, 0 to 1.
    """

    log: np.ndarray
    k: float
    efficiency: float

    @property
    def usable(self) -> bool:
        """Whether k is below 0.7, or what so few draws allow."""
        return self.k <= good_k(len(self.log))


def weigh(ratio: np.ndarray, chains: int) -> Weights:
    """Smooth log ratios into weights.

    Parameters
    ----------
    ratio : ndarray, shape (draw,)
        Log density under the target less that under the fit; chains one after another.
    chains : int

    Returns
    -------
    Weights

    Raises
    ------
    ReweightError
        Too few draws, or a ratio that is not finite.

    Examples
    --------
    >>> flat = weigh(np.zeros(400), 4)
    >>> flat.k, round(flat.efficiency, 6)
    (0.0, 1.0)
    """
    from arviz_stats.base import array_stats

    raw, size = np.exp(ratio - np.max(ratio)), len(ratio)
    r_eff = 1.0
    if size // chains >= 4 and np.ptp(raw) > 0:
        each = raw.reshape(chains, -1)
        ess = float(array_stats.ess(each, chain_axis=-2, draw_axis=-1, method="mean"))
        r_eff = float(np.clip(np.nan_to_num(ess, nan=size) / size, 1e-3, 1.0))
    log, k = reweight(ratio, r_eff=r_eff)
    return Weights(log, k, 1.0 / (size * float(np.exp(2.0 * log).sum())))


def systematic(log_weights: np.ndarray, seed: int) -> np.ndarray:
    """Draw as many positions as there are weights, each about as often as its weight says.

    One uniform number decides all (systematic resampling): a draw of weight w comes up S w times,
    rounded down or up. Positions are in order, so that draws keep their neighbours.

    Parameters
    ----------
    log_weights : ndarray, shape (draw,)
    seed : int

    Returns
    -------
    ndarray of int, shape (draw,)

    Examples
    --------
    >>> systematic(np.log([0.5, 0.25, 0.25, 1e-12]), 1).tolist()
    [0, 0, 1, 2]
    """
    weights = np.exp(log_weights - np.logaddexp.reduce(log_weights))
    size = len(weights)
    steps = (np.arange(size) + np.random.default_rng(seed).random()) / size
    return np.minimum(np.searchsorted(np.cumsum(weights), steps), size - 1)


def resampled(
    tree: xr.DataTree, model: Model, weights: Weights, table: pd.DataFrame, seed: int,
    attrs: dict[str, Any],
) -> xr.DataTree:  # fmt: skip
    """Make a tree of the same form from weighed draws.

    Parameters
    ----------
    tree : DataTree
        The sampled fit, loaded.
    model : Model
        Of the panel now.
    weights : Weights
    table : DataFrame
        What the gate found of the sampled fit: quantity, rhat, ess_bulk, ess_tail.
    seed : int
    attrs : dict
        Put in the place of those of the sampled fit.

    Returns
    -------
    DataTree
        ``sample_stats`` and ``geometry`` are those of the sampled fit; its convergence is kept
        in the group that the gate reads.
    """
    import xarray as xr

    data = tree["posterior"].to_dataset()
    at = systematic(weights.log, seed)
    lead = (data.sizes[names.CHAIN], data.sizes[names.DRAW])
    chain, draw = np.unravel_index(at, lead)
    out = {}
    for name, x in data.data_vars.items():
        whole = x.transpose(names.CHAIN, names.DRAW, ...)
        picked = whole.to_numpy()[chain, draw].reshape(whole.shape)
        out[name] = (whole.dims, picked)
    if "residual_spare" in out:
        # The floor is a share of the spread of the rows, which has changed with them.
        floor = model.batches["within"].extra["floor"]
        dims, spare = out["residual_spare"]
        out["residual_within"] = (dims, floor * np.sqrt(1.0 + spare**2))
    nodes = {path: node.to_dataset() for path, node in tree.subtree_with_keys if path != "."}
    constant = nodes["constant_data"]
    if "anchor_fill" in constant:
        fill = model.panel.anchor_fill
        constant = constant.assign(anchor_fill=(constant["anchor_fill"].dims, fill))
    nodes |= {
        "posterior": xr.Dataset(out, coords=data.coords), "constant_data": constant,
        ROWS: rows_dataset(model.panel), INHERITED: _inherited(table, weights.efficiency),
    }  # fmt: skip
    made = xr.DataTree.from_dict(nodes)
    made.attrs.update({**tree.attrs, **attrs})
    return made


def _inherited(table: pd.DataFrame, efficiency: float) -> xr.Dataset:
    import xarray as xr

    columns = ("rhat", "ess_bulk", "ess_tail")
    return xr.Dataset(
        {c: ("quantity", table[c].to_numpy(float)) for c in columns},
        coords={"quantity": table["quantity"].astype(str).tolist()},
        attrs={"efficiency": float(efficiency)},
    )
