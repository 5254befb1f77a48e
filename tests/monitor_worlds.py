"""Worlds drawn from the priors, fitted, and asked whether durability fell in their last year."""

import numpy as np
import pandas as pd

from fairweather.draws import Draws
from fairweather.inference import fit
from fairweather.monitor import early_warning
from fairweather.monitor.warning import lower_now
from fairweather.panel import load_panel
from fairweather.priors import load_priors
from fairweather.simulate import simulate_world

READING, HORIZON = "drift", 3


def small(first_year=1999):
    """Three states from 1999: the years of a threshold, and twenty more."""
    return load_panel(states=["CHN", "IND", "RUS"], first_year=first_year)


def true_draws(world, panel, priors):
    """One draw that is the truth of a world."""
    import xarray as xr

    from fairweather.model import prepare
    from fairweather.posterior import dataset, labels

    batches = prepare(panel, priors)
    par = {k: v for k, v in world.parameters.items()
           if not (k in priors.table and priors[k].fixed)}  # fmt: skip
    focal = panel.dyads.index(panel.focal)
    par |= {
        "alignment": world.alignment, "pressure": world.pressure, "words": world.words,
        "complementarity": world.complementarity[:, focal],
    }  # fmt: skip
    drawn = {k: np.asarray(v, float)[None, None] for k, v in par.items()}
    tree = xr.DataTree.from_dict({"posterior": dataset(drawn, labels(panel, batches))})
    return tree


def one_world(seed, panel, priors, draws=150, tune=200):
    """Probability that durability fell in the last year, and whether it did."""
    from fairweather.readings.parts import narrowed

    world = simulate_world(panel, priors, READING, random_seed=seed)
    seen = world.panel()
    tree = fit(seen, reading=READING, priors=priors, draws=draws, tune=tune, chains=2,
               random_seed=seed, progressbar=False, target_accept=0.9)  # fmt: skip
    found = early_warning(Draws.of(tree, seen, priors), panel.origin - 1, horizon=HORIZON)
    truth = true_draws(world, panel, narrowed(priors, READING))
    truth.attrs = tree.attrs
    exact = early_warning(
        Draws.of(truth, seen, priors), panel.origin - 1, horizon=HORIZON, futures=20_000
    )
    return {"seed": seed, "fell": found.fell, "change": found.change, "was": exact.change,
            "truth": float(lower_now(*exact.draws)[0])}  # fmt: skip


def study(seeds):
    """Run worlds one after another."""
    panel, priors = small(), load_priors()
    return pd.DataFrame([one_world(s, panel, priors) for s in seeds])
