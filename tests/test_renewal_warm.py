"""A warm start decides where chains begin and in which units they step, never what they draw."""

import numpy as np
import pytest

from fairweather import build_model, fit, load_panel
from fairweather.archive import slim
from fairweather.engine.geometry import Geometry, Tally, coordinates, geometry_of, offset
from fairweather.engine.native import Density
from fairweather.engine.pack import pack
from fairweather.engine.warm import Start, carry_over
from fairweather.errors import SamplerError
from fairweather.measurement.vote import agenda_basis

STATES = ["CHN", "IND", "RUS"]


@pytest.fixture(scope="module")
def model():
    return build_model(load_panel(states=STATES, last_year=2023))


@pytest.fixture(scope="module")
def cold(model):
    return fit(model, draws=300, tune=200, chains=2, random_seed=1, progressbar=False)


@pytest.fixture(scope="module")
def warm(model, cold):
    return fit(model, draws=300, tune=50, chains=2, random_seed=2, progressbar=False, warm=cold)


def ess_and_mean(tree, name):
    from arviz_stats.base import array_stats

    x = tree["posterior"][name].values
    x = x.reshape(*x.shape[:2], -1)
    size = array_stats.ess(x, chain_axis=0, draw_axis=1, method="mean")
    flat = x.reshape(-1, x.shape[-1])
    return flat.mean(axis=0), flat.std(axis=0), flat.std(axis=0) / np.sqrt(size)


@pytest.mark.parametrize("name", ["half_life", "pressure", "alignment", "loading_within", "level"])
def test_warm_and_cold_draw_from_one_posterior(cold, warm, name):
    (a, spread, ea), (b, other, eb) = (ess_and_mean(t, name) for t in (cold, warm))
    z = (a - b) / np.sqrt(ea**2 + eb**2)
    assert np.abs(z).max() < 5.0
    assert np.square(z).mean() < 2.5
    assert np.median(other / spread) == pytest.approx(1.0, abs=0.15)


def test_a_warm_start_tunes_for_less(model, cold, warm):
    tuned = {k: t.attrs["gradients"] - int(t["sample_stats"]["n_steps"].sum())
             for k, t in (("cold", cold), ("warm", warm))}  # fmt: skip
    assert tuned["warm"] < 0.3 * tuned["cold"]
    same = fit(model, draws=4, tune=50, chains=2, random_seed=2, progressbar=False)
    unaided = same.attrs["gradients"] - int(same["sample_stats"]["n_steps"].sum())
    assert tuned["warm"] < 0.8 * unaided, "in as many tuning draws, the start itself must pay"


def test_the_tree_says_so(cold, warm):
    assert "warm" not in cold.attrs
    assert warm.attrs["warm"] == geometry_of(cold).digest
    from fairweather.provenance import run_id

    other = warm.copy()
    del other.attrs["warm"]
    assert run_id(other) != run_id(warm)


def test_chains_start_from_different_draws_of_different_chains(model, cold):
    packed, found = pack(model), geometry_of(cold)
    start = carry_over(found, model, packed, 4, seed=1)
    shift = offset(model, packed)
    wanted = [found.points[0, 1], found.points[1, 1], found.points[0, 0], found.points[1, 0]]
    np.testing.assert_allclose(start.points + shift, wanted, atol=1e-6)
    assert start.known == packed.n_dim
    five = carry_over(found, model, packed, 5, seed=1)
    assert len(np.unique(five.points[:, 0])) == 5


def test_points_are_draws_of_the_fit(model, cold):
    found, packed = geometry_of(cold), pack(model)
    shift = offset(model, packed)
    density = Density(model, packed)
    last = density.expand(found.points[1, 1] - shift)
    np.testing.assert_allclose(
        last["alignment"], cold["posterior"]["alignment"].values[1, -1], atol=1e-4
    )


def test_another_year_takes_over_what_both_have(model, cold):
    found = geometry_of(cold)
    longer = build_model(load_panel(states=STATES))
    packed = pack(longer)
    start = carry_over(found, longer, packed, 2, seed=1)
    labels = np.array(coordinates(longer, packed))
    fresh = np.array([label not in found.label for label in labels])
    assert fresh.any() and all(
        "2024" in label.split("|") for label in labels[fresh] if "agenda" not in label
    )
    assert np.isfinite(start.points).all() and (start.scale > 0).all()
    place = {name: k for k, name in enumerate(found.label)}
    kept = [k for k, name in enumerate(labels) if name in place and not name.startswith("agenda")]
    at = [place[labels[k]] for k in kept]
    absolute = start.points[0] + offset(longer, packed)
    np.testing.assert_allclose(absolute[kept], found.points[0, 1][at], atol=1e-5)
    # A pressure of the past stays where it was, though the anchor is interpolated anew.
    value = Density(longer, packed).expand(start.points[0])["pressure"]
    np.testing.assert_allclose(
        value[:, :-1], cold["posterior"]["pressure"].values[0, -1], atol=1e-4
    )
    assert np.isfinite(Density(longer, packed)(start.points[0])[0])


def test_the_agenda_is_projected(model, cold):
    found = geometry_of(cold)
    longer = build_model(load_panel(states=STATES))
    packed = pack(longer)
    start = carry_over(found, longer, packed, 1, seed=1)
    block = packed.blocks["agenda"]
    now = agenda_basis(np.ones(33, bool)) @ start.points[0, block.at : block.at + block.size]
    own = [k for k, name in enumerate(found.label) if name.startswith("agenda")]
    before = np.append(agenda_basis(np.ones(32, bool)) @ found.points[0, 1][own], 0.0)
    # As near as contrasts without level and trend of the longer span can come.
    t = np.arange(33.0)
    plain = np.column_stack([np.ones(33), t])
    before = before - plain @ np.linalg.lstsq(plain, before, rcond=None)[0]
    np.testing.assert_allclose(now, before, atol=1e-5)


def test_other_states_do_not_take_over_contrasts_among_states(cold):
    other = build_model(load_panel(states=[*STATES, "IRN"], last_year=2023))
    packed = pack(other)
    start = carry_over(geometry_of(cold), other, packed, 2, seed=1)
    for name in ("state_shock_raw", "delegation", "elasticity_own"):
        block = packed.blocks[name]
        part = slice(block.at, block.at + block.size)
        assert (start.mean[part] == packed.centre[part]).all()
    assert 0 < start.known < packed.n_dim


def test_sampling_in_scaled_coordinates_is_a_change_of_units(model):
    packed = pack(model)
    rng = np.random.default_rng(1)
    n = packed.n_dim
    start = Start(rng.normal(size=n), rng.uniform(0.5, 2.0, n), packed.start(1, 2), n)
    inner, scaled = Density(model, packed), start.density(Density(model, packed))
    z = 0.01 * rng.normal(size=n)
    value, slope = scaled(z)
    assert set(np.abs(slope)) == {1.0}, "the start stands for a mass matrix of one"
    value, slope = scaled(z)
    wanted, gradient = inner(start.mean + start.scale * z)
    assert value == wanted
    np.testing.assert_allclose(slope, gradient * start.scale)
    first = start.begin(1)
    np.testing.assert_allclose(start.back(first(3)), start.points[1], atol=1e-9)
    assert not np.allclose(start.back(first(3)), start.points[1])


def test_a_tally_joins_chains_and_knows_the_mass_matrix(model):
    """Of a normal, the width at which the mass matrix is one is its standard deviation."""
    packed = pack(model)
    rng = np.random.default_rng(1)
    sd = rng.uniform(0.1, 3.0, packed.n_dim)
    tallies = [Tally(packed.n_dim, 400) for _ in range(2)]
    for tally in tallies:
        for x in sd * rng.normal(size=(400, packed.n_dim)):
            tally.add(x, lambda x: (0.0, -x / sd**2))
    found = Geometry.of(tallies, model, packed)
    np.testing.assert_allclose(found.scale, sd, rtol=0.2)
    assert np.median(found.scale / sd) == pytest.approx(1.0, abs=0.01)


def test_geometry_survives_the_archive(cold, tmp_path):
    import xarray as xr

    slim(cold).to_zarr(tmp_path / "t.zarr", zarr_format=3, consolidated=False)
    again = geometry_of(xr.open_datatree(tmp_path / "t.zarr", engine="zarr", consolidated=False))
    assert again.digest == geometry_of(cold).digest and again.label == geometry_of(cold).label
    assert again.states == tuple(STATES) and again.years[-1] == 2023


def test_kept_chains_of_a_warm_fit_are_taken_up_and_no_others(model, cold, tmp_path):
    ask = {"draws": 8, "tune": 5, "chains": 1, "random_seed": 4, "progressbar": False}
    one = fit(model, keep=tmp_path, warm=cold, **ask)
    two = fit(model, keep=tmp_path, warm=cold, **ask)
    np.testing.assert_array_equal(one["posterior"]["alignment"], two["posterior"]["alignment"])
    assert geometry_of(one).digest == geometry_of(two).digest
    with pytest.raises(SamplerError, match="other settings"):
        fit(model, keep=tmp_path, **ask)


def test_what_cannot_start_warm_is_refused(model, cold):
    with pytest.raises(SamplerError, match="takes no warm start"):
        fit(model, draws=8, tune=5, chains=1, sampler="pymc", warm=cold)
    bare = cold.copy()
    del bare["geometry"]
    with pytest.raises(SamplerError, match="keeps no geometry"):
        fit(model, draws=8, tune=5, chains=1, warm=bare)
