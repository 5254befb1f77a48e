"""Simulated worlds have the panel's cells, repeat with their seed and keep the model's rules."""

import numpy as np
import pytest

from fairweather.dynamics import five_year_share, lag, recursion, speed
from fairweather.errors import FairweatherError
from fairweather.measurement.vote import score
from fairweather.panel import load_panel
from fairweather.priors import load_priors
from fairweather.readings import READINGS
from fairweather.simulate import prior_check, prior_tree, simulate_world
from fairweather.structure import draw_parameters, targets

PRIORS = load_priors()


@pytest.fixture(scope="module")
def panel():
    return load_panel(states=["CHN", "IND", "IRN", "RUS"])


@pytest.mark.parametrize("reading", READINGS)
def test_a_world_has_the_panels_cells(panel, reading):
    world = simulate_world(panel, PRIORS, reading, random_seed=4)
    assert world.alignment.shape == (len(panel.dyads), len(panel.years))
    assert world.pressure.shape == world.words.shape == (len(panel.states), len(panel.years))
    assert world.complementarity.shape == panel.complementarity.shape
    for name, rows in world.rows.items():
        old = panel.rows[name]
        assert list(rows.columns) == list(old.columns) and np.isfinite(rows["value"]).all()
        assert rows[["unit", "time", "n"]].equals(old[["unit", "time", "n"]])
    votes = world.rows["unga_votes"]
    assert (votes["value"] + votes["partial"] + votes["opposite"] == votes["n"]).all()
    assert (votes[["value", "partial", "opposite"]] >= 0).all(axis=None)


def test_its_panel_shows_the_world_and_leaves_the_source(panel):
    before = panel.anchor_fill.copy()
    world = simulate_world(panel, PRIORS, random_seed=4)
    shown = world.panel()
    assert np.abs(shown.anchor_fill - world.pressure)[:, :31].max() < 0.6
    assert np.array_equal(panel.anchor_fill, before)
    assert shown.anchor_mean == panel.anchor_mean and shown.rows is world.rows


def test_votes_read_alignment(panel):
    world = simulate_world(panel, PRIORS, random_seed=6)
    votes = world.rows["unga_votes"]
    y = score(votes["value"], votes["partial"], votes["n"])
    assert np.corrcoef(y, world.alignment[votes["unit"], votes["time"]])[0, 1] > 0.6


def test_same_seed_same_world(panel):
    one, two, other = (simulate_world(panel, PRIORS, random_seed=s) for s in (1, 1, 2))
    assert np.array_equal(one.alignment, two.alignment)
    assert all(one.rows[k].equals(two.rows[k]) for k in one.rows)
    assert not np.array_equal(one.alignment, other.alignment)


def test_known_parameters_are_kept(panel):
    known = {"half_life": 4.0, "elasticity": [0.1, 0.2, 0.3, 0.9], "loading_within": 1.5}
    par = simulate_world(panel, PRIORS, parameters=known, random_seed=1).parameters
    assert par["half_life"] == 4.0 and par["elasticity"].tolist() == [0.1, 0.2, 0.3, 0.9]
    assert (par["loading_within"] == 1.5).all()
    with pytest.raises(FairweatherError, match=r"no parameter halflife.*known: .*half_life"):
        simulate_world(panel, PRIORS, parameters={"halflife": 4.0})


def test_without_shocks_alignment_follows_its_target(panel):
    quiet = {"shock_scale": 0.0, "state_shock_scale": 0.0}
    world = simulate_world(panel, PRIORS, parameters=quiet, random_seed=3)
    par = world.parameters
    moving, centre = targets(panel, "elastic-side", par, world.pressure, world.complementarity)
    k = speed(par["half_life"])
    decade = (panel.years - panel.years.mean()) / 10.0
    standing = par["level"][:, None] + par["dyad_drift"][:, None] * decade
    answer = recursion(moving[:, 0], k * moving[:, 1:], k)
    np.testing.assert_allclose(world.alignment, standing + answer, atol=1e-6)
    # Target and trend followed as a whole, the target's trend running ahead, give the same path.
    ahead = par["dyad_drift"] * lag(par["half_life"])
    target = moving + standing + ahead[:, None]
    whole = recursion(target[:, 0] - ahead, k * target[:, 1:], k)
    np.testing.assert_allclose(world.alignment, whole, atol=1e-6)
    np.testing.assert_allclose(centre, par["target_centre"], atol=1e-6)
    # Time means of targets are the levels: what moves them is centred.
    np.testing.assert_allclose(moving.mean(axis=1), 0.0, atol=1e-9)


def test_coefficients_are_five_year_responses(panel):
    par = draw_parameters(panel, PRIORS, "thermostat", np.random.default_rng(0), known={
        "elasticity": 1.0, "scope": 0.0, "dyad_drift": 0.0, "level": 0.0,
        "complementarity_trade": 0.0, "complementarity_energy": 0.0})  # fmt: skip
    p = np.full(panel.anchor_fill.shape, panel.anchor_mean)
    p[:, 5:] += 1.0
    target, _ = targets(panel, "thermostat", par, p, panel.complementarity)
    # Both sides step up by one: the gap times the share closed in five years is two.
    step = (target[:, 5] - target[:, 4]) * five_year_share(par["half_life"])
    np.testing.assert_allclose(step, 2.0)


@pytest.mark.parametrize("reading", READINGS)
def test_prior_tree_is_laid_out_like_a_fit(panel, reading):
    tree = prior_tree(panel, reading=reading, draws=7, random_seed=2)
    d = tree["posterior"].dataset
    assert dict(d["alignment"].sizes) == {
        "chain": 1, "draw": 7, "dyad": len(panel.dyads), "year": len(panel.years)
    }  # fmt: skip
    assert all(np.isfinite(v).all() for v in d.data_vars.values())
    np.testing.assert_array_equal(d["pressure"][0, 3], panel.anchor_fill)
    assert d["complementarity"].dims == ("chain", "draw", "kind", "year")
    assert tree.attrs["reading"] == reading and tree.attrs["focal"] == panel.focal
    again = prior_tree(panel, reading=reading, draws=7, random_seed=2)
    assert again["posterior"].dataset.equals(d)


def test_prior_check_spans(panel):
    check = prior_check(panel, PRIORS, draws=300, random_seed=1)
    assert check["chance"].shape == (300,)
    # Neither breakdown nor endurance is decided before the record is seen.
    assert check["chance_low"] < 0.1 and check["chance_high"] > 0.5
    assert check["chance_low"] < check["chance_median"] < check["chance_high"]
    low, _, high = check["effect_of_easing"]
    assert low < 0 < high
    assert check["agreement"][0] < 0.3 and check["agreement"][2] > 0.7


def test_prior_check_needs_its_bar(panel):
    with pytest.raises(FairweatherError, match="2001-04"):
        prior_check(load_panel(states=["CHN", "RUS", "IND"], first_year=2008), PRIORS)
