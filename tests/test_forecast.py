from functools import cache

import numpy as np
import pytest

from fairweather.draws import Draws
from fairweather.dynamics import follow, keeps, lag, speed
from fairweather.errors import FairweatherError, PriorError, ScenarioError
from fairweather.forecast import (
    QUANTILES,
    Shocks,
    advance,
    durability_table,
    forecast,
    forecast_table,
    thresholds,
)
from fairweather.measurement import get_family
from fairweather.model import prepare
from fairweather.observables import parameters, take
from fairweather.panel import load_panel
from fairweather.priors import load_priors
from fairweather.readings import READINGS
from fairweather.scenarios import load_scenarios
from made_fit import fit, panel


@cache
def usual():
    return forecast(fit(), panel())


def durability(fc, scenario, threshold="2001-04"):
    return fc["durability"].to_dataset().sel(scenario=scenario, threshold=threshold)


def test_shape_and_labels():
    fc = usual()
    assert fc["predictions"]["alignment"].dims == ("scenario", "draw", "horizon")
    assert fc["predictions"]["pressure"].dims == ("scenario", "draw", "state", "horizon")
    assert list(fc["predictions"]["state"].values) == ["CHN", "RUS"]
    assert fc["observables"]["value"].dims == ("scenario", "indicator", "draw", "horizon")
    assert {"unga_votes", "gsdb_us_cases:RUS"} <= set(fc["observables"]["indicator"].values)
    assert fc["durability"]["threshold"].values[0] == "2001-04"
    assert fc.attrs["scenarios_hash"] == load_scenarios().content_hash
    assert fc.attrs["horizon"] == 5 and fc.attrs["reading"] == "elastic-side"
    for node in ("predictions", "effects", "durability", "observables"):
        for name, value in fc[node].data_vars.items():
            assert not np.isnan(value).any(), name


@pytest.mark.parametrize("reading", READINGS)
def test_survival_never_rises_and_stays_a_probability(reading):
    d = forecast(fit(reading=reading, draws=30), panel(), horizon=7)["durability"].to_dataset()
    assert (d["probability"].diff("horizon") <= 1e-12).all()
    assert ((d["lower"] <= d["probability"]) | (d["probability"] < 1)).all()
    assert ((0 <= d["lower"]) & (d["lower"] <= d["upper"]) & (d["upper"] <= 1)).all()
    assert (d["mc_error"] > 0).all()


def test_easing_lowers_durability_where_elasticities_are_positive():
    fc = forecast(fit(elasticity=0.3, coupling=0.0, scope=0.0), panel())
    change = fc["durability"]["change"].sel(threshold="2001-04", horizon=5)
    assert change.sel(scenario="ease-both") < change.sel(scenario="ease-russia") < 0
    assert change.sel(scenario="ease-both") < change.sel(scenario="ease-china") < 0
    assert change.sel(scenario="storm") > 0
    assert (fc["effects"]["alignment"].sel(scenario="ease-both", horizon=5) < 0).all()
    assert not fc["durability"]["change"].sel(scenario="current-weather").any()


def test_without_any_effect_of_pressure_all_weather_is_the_same():
    fc = forecast(fit(elasticity=0.0, coupling=0.0, scope=0.0), panel())
    p = fc["durability"]["probability"]
    np.testing.assert_array_equal(p, np.broadcast_to(p[:1], p.shape))
    assert not fc["durability"]["change_mc_error"].any()
    np.testing.assert_allclose(fc["effects"]["alignment"], 0.0, atol=1e-12)
    pressure = fc["predictions"]["pressure"]
    eased = pressure.sel(scenario="ease-russia") - pressure.sel(scenario="current-weather")
    spread = panel().reference["pressure"][1]
    np.testing.assert_allclose(eased.sel(state="RUS", horizon=5), -spread)
    np.testing.assert_allclose(eased.sel(state="CHN"), 0.0, atol=1e-12)


def test_effect_is_the_closed_form_of_partial_adjustment():
    b, half, h = 0.3, 4.0, np.arange(1, 6)
    fc = forecast(fit(elasticity=b, coupling=0.0, scope=0.0, half_life=half), panel())
    k, share = 1 - 2 ** (-1 / half), 1 - 2 ** (-5 / half)
    fall = -panel().reference["pressure"][1] * np.minimum(h / 2, 1) * b / share
    expected = [sum(k * (1 - k) ** (t - s) * fall[s - 1] for s in range(1, t + 1)) for t in h]
    effect = fc["effects"]["alignment"].sel(scenario="ease-russia")
    np.testing.assert_allclose(effect, np.broadcast_to(expected, effect.shape), atol=1e-9)


def test_monte_carlo_error_of_the_change_is_below_that_of_independent_runs():
    d = usual()["durability"].to_dataset().sel(threshold="2001-04", horizon=5)
    apart = np.hypot(d["mc_error"].sel(scenario="ease-russia"),
                     d["mc_error"].sel(scenario="current-weather"))  # fmt: skip
    assert d["change_mc_error"].sel(scenario="ease-russia") < apart


def test_same_seed_same_numbers():
    a, b = usual(), forecast(fit(), panel(), random_seed=1)
    assert a.identical(b)
    c = forecast(fit(), panel(), random_seed=2)
    assert not a["predictions"].to_dataset().equals(c["predictions"].to_dataset())


def test_median_time_to_breakdown():
    fc = forecast(fit(level=-1.0), panel(), horizon=10)
    table = durability(fc, "current-weather")
    down = table["probability"].values <= 0.5
    assert float(table["median_years"]) == np.argmax(down) + 1
    assert np.isinf(usual()["durability"]["median_years"].sel(scenario="storm")).all()


def test_in_sample_states_are_replayed():
    draws = Draws.of(fit(), panel())
    alignment, pressure, comp = draws.history()
    target = draws.target(pressure[:, None], comp, panel().years)[:, 0]
    k = speed(draws.get("half_life"))
    past, gap = alignment[:, :-1], target[:, 1:] - alignment[:, :-1]
    shocks = alignment[:, 1:] - past - k[:, None] * gap
    left = np.broadcast_to(1.0 - k[:, None], past.shape)
    again = advance(alignment[:, 0], target[:, 1:], shocks, left)
    np.testing.assert_allclose(again, alignment[:, 1:], atol=1e-10)


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.filterwarnings("ignore")
def test_target_is_the_models(reading):
    """With its shocks silenced, the model's own path follows the forecast's target."""
    import pymc as pm
    import xarray as xr

    from fairweather.model import build_model

    p = load_panel(states=["CHN", "IRN", "RUS"], first_year=2000)
    built = build_model(p, reading=reading)
    model = built.pymc
    rng = np.random.default_rng(0)
    step = rng.standard_normal((len(p.states), len(p.years)))
    still = {v.name: np.zeros(v.shape.eval()) for v in model.free_RVs
             if v.name in ("shock_raw", "state_shock_raw", "state_shock")}  # fmt: skip
    for v in model.free_RVs:
        model.rvs_to_initial_values[v] = None  # only matters to a sampler, and `do` refuses it
    # What has no prior of its own is set, at random.
    still |= {k: rng.standard_normal(len(p.dyads)) for k in ("mean_step", "slope_step")}
    given = pm.do(model, {"pressure_step": step, **still})
    wanted = [v for v in (*given.deterministics, *given.free_RVs) if v.name not in still]
    values = pm.draw(wanted, random_seed=3, mode="FAST_COMPILE")
    data = {}
    for variable, value in zip(wanted, values, strict=True):
        dims = model.named_vars_to_dims.get(variable.name) or [
            f"{variable.name}_{k}" for k in range(value.ndim)
        ]
        data[variable.name] = (("chain", "draw", *dims), value[None, None])
    coords = {"dyad": list(p.dyads), "state": list(p.states), "year": p.years,
              "kind": list(built.panel.kinds)}  # fmt: skip
    tree = xr.DataTree.from_dict({"/": xr.Dataset(attrs=fit().attrs | {"reading": reading}),
                                  "posterior": xr.Dataset(data, coords=coords)})  # fmt: skip
    draws = Draws.of(tree, p)
    alignment, pressure, comp = draws.history()
    moving = draws.moving(pressure[:, None], comp, p.years)[:, 0]
    life, skew = (draws.get(name)[:, None] for name in ("half_life", "asymmetry"))
    answer = follow(np, moving, keeps(np, life, skew, moving))
    np.testing.assert_allclose(alignment, draws.standing(p.years)[:, 0] + answer, atol=1e-8)
    if skew.any():
        return
    # At one speed the target with its trend, followed as a whole, gives the same path.
    target = draws.target(pressure[:, None], comp, p.years)[:, 0]
    left = np.broadcast_to(1.0 - speed(life), target[:, 1:].shape)
    path = advance(alignment[:, 0], target[:, 1:], np.zeros_like(target[:, 1:]), left)
    ahead = draws.get("dyad_drift", dyad=p.focal) * lag(life[:, 0])
    np.testing.assert_allclose(alignment[:, 0], target[:, 0] - ahead, atol=1e-8)
    np.testing.assert_allclose(alignment[:, 1:], path, atol=1e-8)


def test_shocks_have_their_declared_size():
    draws = Draws.of(fit(draws=200, shock_scale=0.0, state_shock_scale=0.5), panel())
    shocks = Shocks.draw(draws, 50, 4, np.random.default_rng(0))
    n = len(panel().states)
    assert np.isclose(shocks.alignment.std(), 0.5 * np.sqrt(2 * (1 - 2 / n)), rtol=0.02)
    keep = 2 ** (-1 / 12)
    wanted = 0.2 * np.sqrt((keep ** (2 * np.arange(4))).sum())
    assert np.isclose(shocks.pressure[..., 3].std(), wanted, rtol=0.02)


def test_threshold_is_the_draws_own_mean():
    draws = Draws.of(fit(), panel())
    levels = thresholds(draws)
    years = panel().years
    path = draws.get("alignment", dyad="CHN-RUS")
    wanted = path[:, (years >= 2001) & (years <= 2004)].mean(axis=1)
    assert list(levels) == ["2001-04", "1996-00", "2005-08"]
    np.testing.assert_allclose(levels["2001-04"], wanted)
    late = panel(first_year=2003)
    assert list(thresholds(Draws.of(fit(late), late))) == ["2005-08"]
    later = panel(first_year=2010)
    with pytest.raises(FairweatherError, match="covers none of 2001-04"):
        forecast(fit(later), later)


def test_any_focal_dyad():
    p = panel("IND-IRN")
    fc = forecast(fit(p), p, horizon=2)
    assert list(fc["predictions"]["state"].values) == ["IND", "IRN"]
    assert list(fc["durability"]["scenario"].values) == ["current-weather"]


def test_thinning_keeps_chains():
    draws = Draws.of(fit(chains=2, draws=60), panel(), limit=40)
    assert (draws.chains, draws.per_chain, len(draws)) == (2, 20, 40)
    whole = fit()["posterior"]["half_life"].values
    chains = draws.by_chain(draws.get("half_life"))
    assert chains[1, 0] == whole[1, 0] and chains[1, -1] == whole[1, -1]


@pytest.mark.parametrize("family", ["vote", "within", "count", "share", "anchor"])
def test_series_alone_as_in_the_batch(family):
    """A series drawn alone sees the same level, shift and past as within its batch."""
    draws = Draws.of(fit(draws=5), panel())
    batch = prepare(panel(), load_priors())[family]
    part = take(batch, np.arange(len(batch.which)))
    rng = np.random.default_rng(0)
    past = rng.normal(1, 0.1, (len(draws), len(batch.which), len(panel().years)))
    future = rng.normal(1, 0.1, (len(draws), len(batch.which), 3))
    got = [
        get_family(family).predict(b, past, future, parameters(draws, b), np.random.default_rng(7))
        for b in (batch, part)
    ]
    np.testing.assert_allclose(*got)
    few = take(batch, np.arange(0, len(batch.which), 3))
    assert few.shifted == batch.shifted and len(few.mask) == len(few.which)


@pytest.mark.parametrize("horizon", [0, 11, -1, 2.5, True, "5"])
def test_horizon_out_of_range(horizon):
    with pytest.raises(FairweatherError, match="1 to 10"):
        forecast(fit(), panel(), horizon=horizon)


def test_refuses_what_does_not_belong_together(tmp_path):
    with pytest.raises(FairweatherError, match="differ in dyads or years"):
        forecast(fit(), panel(first_year=1995))
    tree = fit()
    tree.attrs["priors_hash"] = "0"
    with pytest.raises(PriorError, match="Pass priors="):
        forecast(tree, panel())
    forecast(tree, panel(), priors=load_priors(), horizon=1)
    with pytest.raises(ScenarioError, match="to compare with"):
        forecast(fit(), panel(), scenarios=load_scenarios().select(["storm"]))


def test_panel_is_laid_out_again():
    tree = fit()
    a = forecast(tree, horizon=1)
    assert a.identical(forecast(tree, panel(), horizon=1))
    tree.attrs["record_hash"] = "0"
    with pytest.raises(FairweatherError, match="record has changed"):
        forecast(tree, horizon=1)


def test_tables():
    fc = usual()
    d = durability_table(fc)
    assert list(d.columns[:7]) == [
        "scenario", "horizon", "threshold", "probability", "lower", "upper", "mc_error"
    ]  # fmt: skip
    assert len(d) == 8 * 5 * 3 and not d.duplicated(["scenario", "horizon", "threshold"]).any()
    f = forecast_table(fc, "me")
    one = f[(f.scenario == "storm") & (f.indicator == "unga_votes") & (f.horizon == 2)]
    assert list(one.output_type_id[:-1]) == list(QUANTILES) and one.output_type.iloc[-1] == "mean"
    assert one.value[:-1].is_monotonic_increasing and one.value.between(0, 1).all()
    assert set(one.target_date) == {"2026-12-31"} and set(one.origin_date) == {"2024-12-31"}
    x = fc["observables"]["value"].sel(scenario="storm", indicator="unga_votes", horizon=2)
    assert np.isclose(one.value.iloc[3], np.median(x))
    assert set(f[f.indicator == "gsdb_us_cases"].unit) == {"CHN", "RUS"}
