"""The ratio of two posteriors at a point, against the compiled density itself."""

from dataclasses import replace

import numpy as np
import pytest

from fairweather import build_model, hold_out, load_panel, load_priors
from fairweather.engine.geometry import offset
from fairweather.engine.native import Density
from fairweather.engine.pack import pack
from fairweather.model import prepare
from fairweather.renewal import ratio
from fairweather.renewal.ratio import UnweighableError, log_ratio

STATES = ["CHN", "IND", "IRN", "RUS"]
CASES = {
    "votes of the middle and the end": {"indicators": "unga_votes", "years": [2010, 2011, 2024]},
    "a residual's floor moves": {"indicators": "trade_cow", "years": range(2011, 2015)},
    "a state's item": {"indicators": "us_aid", "units": "RUS", "years": range(2020, 2025)},
    "counts": {"indicators": "arms_deliveries", "years": range(2018, 2025)},
    "shares": {"indicators": "unsc_joint_nonyes", "years": 2021},
    "several at once": {"units": "CHN-RUS", "years": 2012},
}


@pytest.fixture(scope="module")
def panel():
    return load_panel(states=STATES)


@pytest.fixture(scope="module")
def priors():
    return load_priors()


def at_points(model, other, draws=5, seed=1):
    """Difference of two compiled densities at the same points, and what the points mean."""
    here, there = (Density(m, pack(m)) for m in (model, other))
    assert list(there.packed.blocks) == list(here.packed.blocks)
    rng = np.random.default_rng(seed)
    x = here.packed.centre + rng.uniform(-0.5, 0.5, (draws, here.packed.n_dim))
    move = offset(model, here.packed) - offset(other, there.packed)
    found = np.array([there(p + move)[0] - here(p)[0] for p in x])
    return found, {k: v[0] for k, v in here.expand_all(x[None]).items()}


@pytest.mark.parametrize("reading", ["elastic-side", "drift"])
@pytest.mark.parametrize("case", CASES)
def test_the_ratio_is_that_of_the_compiled_densities(panel, priors, case, reading):
    fewer = build_model(hold_out(panel, **CASES[case]), reading=reading, priors=priors)
    more = build_model(panel, reading=reading, priors=priors)
    for one, other in ((fewer, more), (more, fewer)):
        wanted, values = at_points(one, other)
        found = log_ratio(values, one.panel, one.batches, other.batches, one.priors)
        assert np.ptp(found) > 1e-3, "the rows say nothing, so the case tests nothing"
        np.testing.assert_allclose(np.diff(found), np.diff(wanted), rtol=1e-7, atol=1e-7)


def test_changed_values_count_as_their_difference(panel, priors):
    rows = panel.rows["trade_cow"]
    other = replace(panel, rows=panel.rows | {"trade_cow": rows.assign(value=rows["value"] * 1.1)})
    one, two = (build_model(p, priors=priors) for p in (panel, other))
    wanted, values = at_points(one, two)
    found = log_ratio(values, panel, one.batches, two.batches, one.priors)
    np.testing.assert_allclose(np.diff(found), np.diff(wanted), rtol=1e-7, atol=1e-7)


def test_the_same_rows_have_no_ratio(panel, priors):
    model = build_model(panel, priors=priors)
    _, values = at_points(model, model)
    found = log_ratio(values, panel, model.batches, prepare(panel, priors), priors)
    assert (found == 0.0).all()


def test_many_draws_are_taken_in_parts(panel, priors, monkeypatch):
    fewer = build_model(hold_out(panel, **CASES["counts"]), priors=priors)
    _, values = at_points(fewer, fewer, draws=7)
    more = prepare(panel, priors)
    whole = log_ratio(values, fewer.panel, fewer.batches, more, fewer.priors)
    monkeypatch.setattr(ratio, "_AT_ONCE", 3)
    parts = log_ratio(values, fewer.panel, fewer.batches, more, fewer.priors)
    np.testing.assert_allclose(parts, whole, rtol=1e-12)


@pytest.mark.parametrize("held", [
    {"indicators": "trade_cow"}, {"indicators": "unsc_joint_nonyes", "units": "CHN-RUS"},
])  # fmt: skip
def test_rows_that_need_a_new_parameter_are_refused(panel, priors, held):
    fewer = build_model(hold_out(panel, **held), priors=priors)
    _, values = at_points(fewer, fewer)
    with pytest.raises(UnweighableError, match="no parameter for"):
        log_ratio(values, fewer.panel, fewer.batches, prepare(panel, priors), fewer.priors)
