"""The contest on worlds whose truth is known: whether this record could tell readings apart at all.

Invariant: a world has the record's own cells and the weather that came, and the parameters of one
draw of a reading fitted to the record; every reading then meets it as it met the record.
Guarded by ``tests/test_contest_worlds.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fairweather.contest.design import hold
from fairweather.contest.refit import panel_for, score_once

if TYPE_CHECKING:
    import xarray as xr

    from fairweather.panel import Panel
    from fairweather.priors import Priors


def truth_of(
    tree: xr.DataTree, panel: Panel, priors: Priors, reading: str, seed: int
) -> dict[str, Any]:
    """Take one draw of a fit as the truth of a world.

    Parameters
    ----------
    tree : DataTree
        A fit of the reading to the record.
    panel : Panel
    priors : Priors
    reading : str
    seed : int
        Which draw.

    Returns
    -------
    dict
        ``parameters`` that the simulator takes, and ``weather``: pressure (state, year).
    """
    from fairweather.structure import draw_parameters

    data = tree["posterior"].to_dataset()
    rng = np.random.default_rng(seed)
    one = data.isel(chain=rng.integers(data.sizes["chain"]), draw=rng.integers(data.sizes["draw"]))
    known = draw_parameters(panel, priors, reading, np.random.default_rng(0))
    return {
        "parameters": {k: one[k].to_numpy() for k in known if k in one},
        "weather": one["pressure"].transpose("state", "year").to_numpy(),
    }


def score_world(job: dict[str, Any]) -> dict[str, Any]:
    """Simulate a world and score one reading on it.

    Parameters
    ----------
    job : dict
        As for `fairweather.contest.refit.score_piece`, with ``truth`` (a reading), ``parameters``,
        ``weather`` and ``world_seed``.

    Returns
    -------
    dict
        ``fits`` and ``blocks`` (unit, year, lpd).
    """
    from fairweather.simulate import simulate_world

    panel = panel_for(job["states"], job["focal"], job["last_year"])
    world = simulate_world(
        panel, job["priors"], job["truth"], job["parameters"], random_seed=job["world_seed"],
        weather=job["weather"],
    )  # fmt: skip
    whole = world.panel()
    out: dict[str, Any] = {"fits": [], "blocks": [], "held_out": []}
    # Held out as in the record, but nothing is told of what happened around the windows.
    quiet = {**job["piece"], "windows": ()}
    score_once(
        whole, hold(whole, job["piece"]), quiet, job["reading"], job["priors"], job["seed"], out
    )
    blocks = out["blocks"][0]
    return {"fits": out["fits"], "truth": job["truth"],
            "blocks": {k: blocks[k] for k in ("unit", "year", "lpd")}}  # fmt: skip
