"""A world whose truth is known is fitted, and the truth is found."""

import warnings

import numpy as np
import pytest

from fairweather.inference import fit
from fairweather.model import build_model
from fairweather.panel import load_panel
from fairweather.priors import load_priors
from fairweather.simulate import simulate_world

STATES = ["BRA", "CHN", "CUB", "IND", "IRN", "JPN", "PRK", "RUS"]
KNOWN = {
    "half_life": 5.0, "elasticity_mean": 0.4, "elasticity_scale": 0.15, "coupling": 0.0,
    "wander": 0.17, "state_wander": 0.1, "scope": 0.0, "feedback": 0.0, "delegation_scale": 0.1,
    "loading_within": 2.0, "loading_count": 2.0,
}  # fmt: skip


@pytest.fixture(scope="module")
def run():
    panel, priors = load_panel(states=STATES, first_year=1992, last_year=2024), load_priors()
    world = simulate_world(panel, priors, parameters=KNOWN, random_seed=11)
    with warnings.catch_warnings():
        # Compilers and samplers may warn of their own affairs; this test is about the numbers.
        warnings.simplefilter("ignore")
        tree = fit(build_model(world.panel(), priors=priors), draws=250, tune=350, chains=2,
                   random_seed=7, progressbar=False)  # fmt: skip
    return world, tree["posterior"].dataset


@pytest.mark.slow
@pytest.mark.parametrize("name", ["half_life", "elasticity_mean", "loading_within", "loading_count",
                                  "elasticity"])  # fmt: skip
def test_parameters_are_found(run, name):
    world, d = run
    draws = d[name].to_numpy().reshape(-1, *d[name].shape[2:])
    z = (draws.mean(axis=0) - world.parameters[name]) / draws.std(axis=0)
    assert np.abs(z).max() < 4.0, z


@pytest.mark.slow
@pytest.mark.parametrize("name", ["alignment", "pressure"])
def test_paths_are_found(run, name):
    world, d = run
    mean, truth = d[name].mean(("chain", "draw")).to_numpy(), getattr(world, name)
    assert np.corrcoef(mean.ravel(), truth.ravel())[0, 1] > 0.8
    # Within units too: levels alone do not earn it, and the sign is right.
    own = [m - m.mean(axis=1, keepdims=True) for m in (mean, truth)]
    assert np.corrcoef(own[0].ravel(), own[1].ravel())[0, 1] > 0.6


@pytest.mark.slow
def test_the_sign_of_elasticity_is_found(run):
    _, d = run
    assert float((d["elasticity_mean"] > 0).mean()) > 0.8
