"""The contest on worlds whose truth is known: whether this record could tell readings apart at all.

Invariant: a world has the record's own cells and the weather that came, and the parameters of one
draw of a reading fitted to the record; every reading then meets it as it met the record.
Guarded by ``tests/test_contest_worlds.py``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fairweather.contest.design import hold
from fairweather.contest.refit import panel_for, score_once


def score_world(job: dict[str, Any]) -> dict[str, Any]:
    """Simulate a world and score one reading on it.

    Parameters
    ----------
    job : dict
        As for `fairweather.contest.refit.score_piece`, with ``truth`` (a reading), ``parameters``
        and ``weather`` (from `fairweather.contest.truths.draw_truths`) and ``world_seed``.

    Returns
    -------
    dict
        ``fits`` and ``blocks`` (unit, year, lpd).
    """
    from fairweather.simulate import simulate_world

    panel = panel_for(job["states"], job["focal"], job["last_year"])
    truth = {k: np.asarray(v, float) for k, v in job["parameters"].items()}
    world = simulate_world(
        panel, job["priors"], job["truth"], truth, random_seed=job["world_seed"],
        weather=np.asarray(job["weather"], float),
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
