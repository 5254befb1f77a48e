"""Made-up draws with the names and shapes of a fit, one draw axis in front."""

import numpy as np

from fairweather.structure import draw_parameters


def drawn_values(model, draws=40, seed=0):
    p, rng = model.panel, np.random.default_rng(seed)
    values = draw_parameters(
        p, model.priors, model.reading, rng, size=(draws,), batches=model.batches
    )
    years = len(p.years)
    return values | {
        "alignment": rng.normal(1.0, 0.3, (draws, len(p.dyads), years)),
        "pressure": p.anchor_fill + rng.normal(0.0, 0.1, (draws, len(p.states), years)),
        "words": rng.normal(0.0, 0.4, (draws, len(p.states), years)),
        "delegation": rng.normal(0.0, 0.1, (draws, years, len(p.states))),
    }
