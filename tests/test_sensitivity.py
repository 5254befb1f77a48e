"""Power-scaling finds prior-data conflict, strong priors and strong data where they were put."""

import numpy as np
import pytensor.tensor as pt
import pytest
import xarray as xr

from fairweather import sensitivity
from fairweather.draws import Draws
from fairweather.errors import FairweatherError
from fairweather.measurement import PARAMETERS, get_family
from fairweather.model import prepare
from fairweather.panel import load_panel
from fairweather.priors import DRIVERS, load_priors
from fairweather.sensitivity import (
    CONFLICT,
    DATA,
    DOMINATES,
    NEITHER,
    STILL,
    WEIGHTS,
    claim_values,
    log_likelihood,
    log_prior,
    power_scale,
    thin,
)
from fairweather.simulate import prior_tree
from fairweather.structure import stacked

PRIORS = load_priors()
WIDTH = PRIORS["drift"].params["sigma"]


@pytest.fixture(scope="module")
def panel():
    return load_panel(states=["CHN", "IND", "RUS"])


@pytest.fixture(scope="module")
def tree(panel):
    return prior_tree(panel, draws=1500, random_seed=4)


def _conjugate(tree, monkeypatch, y, error):
    """Drift with its own normal prior and one normal observation `y`; all else from the prior."""
    var = 1.0 / (1.0 / WIDTH**2 + 1.0 / error**2)
    z = np.random.default_rng(8).standard_normal((1, 1500))
    drift = var * y / error**2 + np.sqrt(var) * z
    data = tree["posterior"].to_dataset().assign(drift=(("chain", "draw"), drift))
    out = xr.DataTree.from_dict({"posterior": data})
    out.attrs = dict(tree.attrs)
    fit = {"made": -0.5 * ((y - drift) / error) ** 2}
    monkeypatch.setattr(sensitivity, "log_likelihood", lambda *_: fit)
    return out, drift


@pytest.mark.parametrize(
    ("y", "error", "said"),
    [
        (8 * WIDTH, WIDTH, CONFLICT),
        (WIDTH, WIDTH / 20, DATA),
        (0.0, WIDTH * 20, DOMINATES),
    ],
)
def test_known_truths_are_named(tree, panel, monkeypatch, y, error, said):
    made, drift = _conjugate(tree, monkeypatch, y, error)
    noise = np.random.default_rng(5).standard_normal(drift.shape)
    table = power_scale(
        made, panel, {"drift": drift, "noise": noise, "one": np.ones(drift.shape)},
    ).set_index("quantity")  # fmt: skip
    assert table.loc["drift", "diagnosis"] == said
    assert table.loc["noise", "diagnosis"] == NEITHER
    assert table.loc["one", "diagnosis"] == STILL
    assert (table["pareto_k"] < 0.7).all()


def test_the_answer_does_not_hang_on_the_units(tree, panel, monkeypatch):
    made, drift = _conjugate(tree, monkeypatch, 8 * WIDTH, WIDTH)
    table = power_scale(made, panel, {"a": drift, "b": 40.0 - 1000.0 * drift})
    for side in ("prior", "likelihood"):
        assert table[side][0] == pytest.approx(table[side][1], rel=1e-6)
    wider = power_scale(made, panel, {"a": drift}, lower=0.8, upper=1.25)
    assert wider["prior"][0] == pytest.approx(table["prior"][0], rel=0.3)


def test_weights_that_rest_on_few_draws_are_owned_up_to(tree, panel):
    # Draws of the prior never met the record: its likelihood tells a few of them from all others.
    table = power_scale(tree, panel, {"drift": tree["posterior"]["drift"]})
    assert table["diagnosis"].tolist() == [WEIGHTS] and table["pareto_k"][0] > 0.7


def test_log_prior_is_that_of_what_moves_the_target(tree):
    posterior = tree["posterior"].to_dataset()
    found = log_prior(posterior, PRIORS, "elastic-side")
    assert {"half_life", "elasticity_mean", "elasticity_scale", "coupling", "scope", "drift",
            "dyad_drift_scale", "complementarity_trade"} <= set(found) <= set(DRIVERS)  # fmt: skip
    assert not {"wander", "loading_within", "delegation_scale", "exponent"} & set(found)
    for name, value in found.items():
        expected = PRIORS[name].logp(posterior[name].to_numpy()).eval()
        np.testing.assert_allclose(value, expected, rtol=1e-6)


def test_what_a_reading_goes_without_has_no_say(panel):
    tree = prior_tree(panel, reading="persistence", draws=5)
    assert log_prior(tree["posterior"].to_dataset(), PRIORS, "persistence") == {}


def test_log_likelihood_is_the_models(tree, panel):
    part = tree["posterior"].to_dataset().isel(draw=slice(0, 2))
    found = log_likelihood(part, panel, PRIORS, "elastic-side")
    batches = prepare(panel, PRIORS)
    assert set(found) == set(batches)
    for name, batch in batches.items():
        expected = []
        for d in range(2):
            x = {str(k): v.to_numpy()[0, d] for k, v in part.items()}
            par = {k: pt.as_tensor(x[v]) for k, v in PARAMETERS[name].items() if v in x}
            latent = pt.as_tensor(batch.read(stacked(panel, x)))
            logp = get_family(name).logp(batch, latent, par)
            expected.append(float(logp.eval(mode="FAST_COMPILE")))
        assert found[name].shape == (1, 2)
        np.testing.assert_allclose(np.diff(found[name][0]), np.diff(expected), rtol=1e-6, atol=1e-6)


def test_draws_are_read_in_parts_without_a_seam(tree, panel, monkeypatch):
    part = tree["posterior"].to_dataset().isel(draw=slice(0, 7))
    whole = log_likelihood(part, panel, PRIORS, "elastic-side")
    monkeypatch.setattr(sensitivity, "_AT_ONCE", 3)
    for name, value in log_likelihood(part, panel, PRIORS, "elastic-side").items():
        np.testing.assert_allclose(value, whole[name])


def test_thinned_draws_are_those_of_the_claims(tree, panel):
    few = thin(tree, 40)
    assert few.attrs == tree.attrs and few["posterior"].sizes["draw"] == 40
    draws = Draws.of(tree, panel, PRIORS, limit=40)
    np.testing.assert_array_equal(few["posterior"]["drift"][0], draws.get("drift"))
    values = claim_values(few, panel)
    assert {"C01", "C08", "C36", "C43"} <= set(values)
    assert {v.shape for v in values.values()} == {(1, 40)}


def test_refusals(tree, panel):
    drift = tree["posterior"]["drift"].to_numpy()
    with pytest.raises(FairweatherError, match=r"'x' has shape \(1, 7\).*thin"):
        power_scale(tree, panel, {"x": drift[:, :7]})
    with pytest.raises(FairweatherError, match="'x' is not finite"):
        power_scale(tree, panel, {"x": np.where(drift > 0, np.nan, drift)})
    with pytest.raises(FairweatherError, match="either side of one"):
        power_scale(tree, panel, {"x": drift}, lower=1.0)
    with pytest.raises(FairweatherError, match="too few to weigh"):
        power_scale(thin(tree, 50), panel, {})
    bare = tree["posterior"].to_dataset().drop_vars("agenda")
    with pytest.raises(FairweatherError, match=r"do not hold 'agenda'.*Fit anew"):
        log_likelihood(bare, panel, PRIORS, "elastic-side")
