"""What a simulated world is made from: one draw of a reading fitted to the record.

Invariant: a truth comes from a fit of its own, short as those of the pieces, so that worlds can be
simulated for readings whose long fit no claim needs. Guarded by ``tests/test_contest_worlds.py``.
"""

from __future__ import annotations

from typing import Any

from fairweather.contest.refit import draw, panel_for


def draw_truths(job: dict[str, Any]) -> dict[str, Any]:
    """Fit a reading to the record and keep some draws as truths.

    Parameters
    ----------
    job : dict
        ``reading``, ``priors``, ``truth_seed`` (the same however many worlds are asked for),
        ``states``, ``focal``, ``last_year``, ``worlds``.

    Returns
    -------
    dict
        ``truths``: per world ``parameters`` and ``weather``, as lists; ``fits``.
    """
    import numpy as np

    from fairweather.model import build_model
    from fairweather.structure import draw_parameters

    panel = panel_for(job["states"], job["focal"], job["last_year"])
    model = build_model(panel, reading=job["reading"], priors=job["priors"])
    values, facts = draw(model, job["truth_seed"])
    known = draw_parameters(panel, job["priors"], job["reading"], np.random.default_rng(0))
    size = len(values["pressure"])
    # Fewer worlds are the first of more.
    at = np.random.default_rng(job["truth_seed"]).permutation(size)[: job["worlds"]]
    truths = [
        {"parameters": {k: values[k][n].tolist() for k in known if k in values},
         "weather": values["pressure"][n].tolist()}
        for n in at
    ]  # fmt: skip
    return {"truths": truths, "fits": [facts]}
