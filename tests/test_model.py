"""The model builds for every reading, can be differentiated, and fixes location and scale once."""

import jax
import numpy as np
import pytest
from pymc.model.transform.optimization import freeze_dims_and_data
from pymc.sampling.jax import get_jaxified_logp

from fairweather import names
from fairweather.measurement import PARAMETERS
from fairweather.model import Space, build_model
from fairweather.panel import load_panel
from fairweather.readings import READINGS, get_reading
from fairweather.simulate import prior_tree

STATES = ["CHN", "IND", "IRN", "RUS"]


@pytest.fixture(scope="module")
def panel():
    return load_panel(states=STATES, first_year=2005, last_year=2024)


@pytest.fixture(scope="module")
def built(panel):
    return {reading: build_model(panel, reading=reading) for reading in READINGS}


def _variables(model):
    return {v.name: v for v in [*model.pymc.free_RVs, *model.pymc.deterministics]}


def test_schema_names(built, panel):
    dims = built["elastic-side"].pymc.named_vars_to_dims
    assert tuple(dims["alignment"]) == (names.DYAD, names.YEAR)
    assert tuple(dims["pressure"]) == (names.STATE, names.YEAR)
    assert tuple(dims["level"]) == (names.DYAD,) and tuple(dims["elasticity"]) == (names.STATE,)
    assert tuple(built["elastic-side"].pymc.coords[names.DYAD]) == panel.dyads
    assert {names.CHAIN, names.DRAW, names.SCENARIO, names.HORIZON, names.THRESHOLD,
            names.INDICATOR, names.KIND} == {"chain", "draw", "scenario", "horizon", "threshold",
                                             "indicator", "kind"}  # fmt: skip


@pytest.mark.parametrize("reading", READINGS)
def test_a_fit_and_its_prior_share_names_and_dims(built, panel, reading):
    model, tree = built[reading], prior_tree(panel, reading=reading, draws=2)
    made, drawn = _variables(model), tree["posterior"].dataset
    assert set(drawn.data_vars) <= set(made)
    wanted = {v for family in model.batches for v in PARAMETERS[family].values()}
    assert (wanted & set(made)) | set(get_reading(reading).COEFFICIENTS) <= set(drawn.data_vars)
    shapes = model.pymc.eval_rv_shapes()
    for name, values in drawn.data_vars.items():
        shape = shapes.get(name)
        if shape is not None:
            assert values.shape[2:] == tuple(shape), name
        if name in model.pymc.named_vars_to_dims:
            assert values.dims[2:] == tuple(model.pymc.named_vars_to_dims[name]), name


# Of the others the engine's tests compare the density itself, at other points.
@pytest.mark.parametrize("reading", ["common-enemy", "elastic-side", "fragile-sticky"])
def test_logp_and_gradient_are_finite_at_the_start(built, reading):
    # As the sampler does: shapes are frozen, and JAX takes the gradient.
    model = freeze_dims_and_data(built[reading].pymc)
    start = model.initial_point(random_seed=1)
    logp = get_jaxified_logp(model)
    value, slopes = jax.value_and_grad(logp)([start[v.name] for v in model.value_vars])
    assert np.isfinite(value)
    bad = [
        v.name for v, x in zip(model.value_vars, slopes, strict=True) if not np.isfinite(x).all()
    ]
    assert not bad and any(np.any(x) for x in slopes)


def test_every_indicator_has_its_series(built, panel):
    model = built["elastic-side"]
    ids = [i for batch in model.batches.values() for i in batch.ids]
    assert len(ids) == len(set(ids))
    for batch in model.batches.values():
        for k, ind in enumerate(batch.indicators):
            units = batch.unit[batch.which == k]
            assert units.max() < len(panel.units(ind.latent))
            assert (batch.sign[batch.which == k] == ind.sign).all()
            n, m = len(panel.dyads), len(panel.states)
            blocks = {"security": 2 * (n + m), "economic": 3 * n + 2 * m}
            first = n + 2 * m if batch.family == "vote" else blocks.get(ind.domain, 0)
            if ind.latent == names.PRESSURE:
                first = len(panel.dyads) + len(panel.states) * (ind.domain == "verbal")
            np.testing.assert_array_equal(batch.row[batch.which == k], units + first)


def test_loadings_are_positive_after_their_sign(built):
    for family in ("within", "count", "share"):
        prior = built["elastic-side"].priors[f"loading_{family}"]
        assert prior.dist in ("LogNormal", "HalfNormal")
        assert {float(s) for s in built["elastic-side"].batches[family].sign.ravel()} <= {1.0, -1.0}


def test_location_and_scale_are_fixed_once(built):
    model = built["elastic-side"]
    made = set(_variables(model))
    # Neither anchor has an intercept or a loading of its own.
    assert not {n for n in made if "loading" in n and ("vote" in n or "anchor" in n)}
    assert PARAMETERS["anchor"] == {} and set(PARAMETERS["vote"]) == {"agenda"}
    anchors = [i for b in model.batches.values() for i in b.indicators if i.anchor]
    assert sorted(i.latent for i in anchors) == [names.ALIGNMENT, names.PRESSURE]


def test_a_state_whose_anchor_never_moves_keeps_the_common_elasticity(panel):
    relative = Space.of(panel).relative
    assert (relative >= 0).all() and (relative < 1).all()
    assert relative[np.argmin(panel.movement)] == relative.min()
