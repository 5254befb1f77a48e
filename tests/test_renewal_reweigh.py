"""Weights of draws, draws from weights, and what the gate says of them."""

import helpers
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from fairweather import build_model, hold_out
from fairweather.archive import slim
from fairweather.gate import INHERITED, gate
from fairweather.renewal.reweigh import Weights, resampled, systematic, weigh

TABLE = pd.DataFrame({
    "quantity": ["half_life", "alignment[CHN-RUS, 2024]"], "rhat": [1.001, 1.004],
    "ess_bulk": [1800.0, 950.0], "ess_tail": [2000.0, 1100.0],
})  # fmt: skip


def test_weights_move_a_normal_to_where_the_ratio_says():
    x = np.random.default_rng(1).normal(size=8000)
    found = weigh(0.5 * x, 4)  # N(0, 1) times exp(x / 2) is N(1/2, 1)
    weight = np.exp(found.log)
    assert found.usable and found.k < 0.5
    assert (weight * x).sum() == pytest.approx(0.5, abs=0.05)
    assert found.efficiency == pytest.approx(np.exp(-0.25), abs=0.05)
    drawn = x[systematic(found.log, 3)]
    assert drawn.mean() == pytest.approx((weight * x).sum(), abs=0.01)
    assert drawn.std() == pytest.approx(1.0, abs=0.05)


def test_weights_that_do_not_bear_it_say_so():
    x = np.random.default_rng(1).normal(size=2000)
    assert not weigh(2.0 * x**2, 4).usable  # variance of the weights is infinite


def test_few_draws_need_a_smaller_k():
    few, many = (Weights(np.full(n, -np.log(n)), 0.6, 1.0) for n in (100, 8000))
    assert many.usable and not few.usable


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0.001, 50.0), min_size=2, max_size=60), st.integers(0, 2**31))
def test_a_draw_comes_up_as_often_as_its_weight_says(raw, seed):
    weights = np.array(raw) / np.sum(raw)
    at = systematic(np.log(weights), seed)
    assert len(at) == len(raw) and (np.diff(at) >= 0).all()
    count = np.bincount(at, minlength=len(raw))
    assert (np.abs(count - len(raw) * weights) < 1.0 + 1e-6).all()
    assert (systematic(np.log(weights), seed) == at).all()


@pytest.fixture(scope="module")
def made():
    """A reweighted tree of an archived one: all weight on the first half of the draws."""
    panel = helpers.panel()
    tree = slim(helpers.tree(chains=2, draws=40))
    constant = xr.Dataset({"anchor_fill": (("state", "year"), panel.anchor_fill * 0.0)})
    tree["constant_data"] = xr.DataTree(constant)
    stats = tree["sample_stats"].to_dataset()
    energy = np.random.default_rng(2).normal(size=(2, 40))
    stats = stats.assign(energy=(("chain", "draw"), energy))
    tree["sample_stats"] = xr.DataTree(stats)
    model = build_model(hold_out(panel, indicators="trade_cow", years=2010))
    log = np.where(np.arange(80) < 40, -np.log(40.0), -np.inf)
    weights = Weights(log, 0.2, 0.5)
    return tree, model, resampled(tree, model, weights, TABLE, 1, {"renewed": "reweighted"})


def test_the_tree_keeps_its_form(made):
    tree, model, found = made
    a, b = tree["posterior"].to_dataset(), found["posterior"].to_dataset()
    assert set(a.data_vars) == set(b.data_vars) and dict(a.sizes) == dict(b.sizes)
    for name in a.data_vars:
        assert a[name].dtype == b[name].dtype or name == "residual_within"
    assert found.attrs == {**tree.attrs, "renewed": "reweighted"}
    np.testing.assert_array_equal(found["constant_data"]["anchor_fill"], model.panel.anchor_fill)
    assert found["rows"].sizes["row"] == sum(map(len, model.panel.rows.values()))


def test_every_quantity_takes_the_same_draws(made):
    tree, _, found = made
    a, b = (t["posterior"]["alignment"].values.reshape(80, -1) for t in (tree, found))
    np.testing.assert_array_equal(b, np.repeat(a[:40], 2, axis=0))


def test_the_archived_tree_is_not_changed(made):
    tree, _, _ = made
    assert INHERITED not in tree.children and "renewed" not in tree.attrs


def test_the_gate_inherits_convergence_times_efficiency(made):
    _, _, found = made
    report = gate(found)
    assert report.passed
    assert report.table["ess_bulk"].tolist() == [900.0, 475.0]
    assert report.table["rhat"].tolist() == [1.001, 1.004]
    assert report.summary["max_rhat"] == 1.004


def test_the_gate_refuses_weights_that_leave_too_little(made):
    tree, model, _ = made
    log = np.full(80, -np.log(80.0))
    thin = resampled(tree, model, Weights(log, 0.2, 0.4), TABLE, 1, {})
    report = gate(thin)
    assert not report.passed
    assert "bulk ESS 380" in report.failures[0]
