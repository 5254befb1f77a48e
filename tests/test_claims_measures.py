from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from fairweather.claims.evidence import ClaimError
from fairweather.claims.measures import MEASURES, easing, get_measure
from fairweather.claims.measures.condition import rate, weaker_side
from fairweather.claims.measures.episodes import departures, events_of, said
from fairweather.draws import Draws
from fairweather.errors import FairweatherError, ScenarioError
from fairweather.priors import load_priors
from made_contest import Confusion, context, draws, held_out
from made_fit import STATES, fit, panel


def measure(name, *args, **params):
    return get_measure(name)(args[0], params)


def by_state(**value):
    return tuple(value.get(s, 0.0) for s in STATES)


def flat(**fixed):
    """Draws without trend, coupling or complementarity, unless asked for."""
    none = {"coupling": 0.0, "scope": 0.0, "dyad_drift": 0.0,
            "complementarity_trade": 0.0, "complementarity_energy": 0.0}  # fmt: skip
    return draws("elastic-side", **{**none, **fixed})


@pytest.mark.parametrize("name", MEASURES)
def test_every_measure_can_be_fetched(name):
    assert callable(get_measure(name))


def test_an_unknown_measure_is_refused_with_those_there_are():
    with pytest.raises(FairweatherError, match="exogenous"):
        get_measure("exogenus")


# -- easing --------------------------------------------------------------------------------------


def test_easing_has_the_size_of_the_elasticity():
    d = flat(elasticity=by_state(CHN=0.2, RUS=0.5))
    step, unit = d.reference["pressure"][1], d.reference["alignment"][1]
    np.testing.assert_allclose(easing.eased(d, ["RUS"]), -0.5 * step / unit)
    np.testing.assert_allclose(easing.eased(d, ["CHN", "RUS"]), -0.7 * step / unit)
    np.testing.assert_allclose(measure("asymmetric", d).value, -0.3 * step / unit)
    np.testing.assert_allclose(measure("responsive", d).value, 0.2 * step / unit)
    np.testing.assert_allclose(
        measure("one-side", d, state="RUS", size=0.0).value, -0.5 * step / unit
    )


@pytest.mark.parametrize(
    ("china", "russia", "holds"),
    [(0.2, 0.5, {"responsive", "each-bad", "asymmetric", "one-side"}),
     (0.5, 0.2, {"responsive", "each-bad", "one-side"}),
     (-0.1, 0.5, {"asymmetric", "one-side", "demand-stays"}),
     (-0.1, -0.3, {"demand-stays"})],
)  # fmt: skip
def test_who_answers_to_easing(china, russia, holds):
    d = flat(elasticity=by_state(CHN=china, RUS=russia))
    asked = {
        "responsive": {}, "asymmetric": {}, "each-bad": {"size": -0.1},
        "one-side": {"state": "RUS", "size": -0.1}, "demand-stays": {"state": "CHN", "size": -0.1},
    }  # fmt: skip
    assert {k for k, p in asked.items() if measure(k, d, **p).holds.all()} == holds


def test_fair_weather_by_scenario():
    d = flat(elasticity=0.3)
    effect = measure("fragile", d, size=-0.1)
    assert effect.holds.all() and (effect.value < -0.1).all()
    low = float(effect.value.min())
    assert measure("outlasts", d, size=low - 0.01).holds.all()
    assert not measure("outlasts", d, size=float(effect.value.max())).holds.any()
    np.testing.assert_allclose(measure("fragile", flat(elasticity=0.0)).value, 0, atol=1e-12)


def test_a_scenario_that_is_gone_is_asked_for():
    with pytest.raises(ScenarioError, match="'thaw'"):
        easing.scenario_futures(flat(), "thaw")


def test_easing_shortens_what_hangs_on_pressure():
    # Two-thirds of the way down to the level of 2001-04: pressure decides how long it holds.
    d = flat(elasticity=0.8)
    lost = measure("less-durable", d, size=0.05)
    assert lost.value.mean() > 0 and "2001-04" in lost.note
    np.testing.assert_allclose(measure("less-durable", flat(elasticity=0.0), size=0.05).value, 0)


# -- variance, complements -----------------------------------------------------------------------


def test_primacy_is_a_share_of_variance():
    strong = measure("exogenous", flat(elasticity=0.5))
    np.testing.assert_allclose(strong.value, 1.0)
    weak = measure("exogenous", flat(elasticity=0.0, complementarity_trade=0.9))
    assert strong.holds.all() and not weak.holds.any()
    np.testing.assert_allclose(weak.value, 0.0)


@pytest.mark.parametrize(
    ("trade", "scope", "holds"), [(0.0, 0.2, True), (0.1, 0.2, True), (0.4, 0.0, False),
                                  (0.4, -0.2, False), (-0.4, 0.2, False)],
)  # fmt: skip
def test_complementarity_where_pressure_is_present(trade, scope, holds):
    # A little above the mean of all: low is below it, high above.
    d = flat(complementarity_trade=trade, complementarity_energy=trade, scope=scope,
             pressure=panel().anchor_mean + 0.1)  # fmt: skip
    found = measure("moderated", d)
    step, unit = d.reference["pressure"][1], d.reference["alignment"][1]
    np.testing.assert_allclose(found.value, 2 * scope * step / unit, atol=1e-12)
    assert found.holds.all() == found.holds.any() == holds


def test_gains_by_themselves():
    unit = flat().reference["alignment"][1]
    for effect, small in ((0.05, True), (0.2, False), (-0.5, True)):
        size = effect * unit
        d = flat(complementarity_trade=size, complementarity_energy=size)
        assert measure("too-small", d, size=0.1).holds.all() == small


def test_regimes_are_no_economic_gains():
    d = replace(flat(complementarity_trade=0.4, scope=0.2), reading="regime")
    np.testing.assert_array_equal(measure("moderated", d).value, 0.0)


# -- conditions ----------------------------------------------------------------------------------


def world(sign):
    """Alignment that follows the weaker side's pressure exactly, or its opposite."""
    p = panel()
    rng = np.random.default_rng(4)
    pressure = rng.standard_normal((len(p.states), len(p.years)))
    weaker = np.minimum(pressure[p.left], pressure[p.right])
    return draws_of(pressure=pressure, alignment=sign * weaker)


def draws_of(**fixed):
    return Draws.of(fit(**fixed), panel(), load_priors())


ASKED = {
    "necessary": {"high": 0.75, "low": 0.25, "at_most": 0.1},
    "sufficient": {"high": 0.75, "low": 0.5, "at_most": 0.2},
    "follows-threat": {"above": 0.3},
}


@pytest.mark.parametrize("name", ASKED)
def test_conditions_hold_in_a_world_ruled_by_the_weaker_side(name):
    assert measure(name, world(1), **ASKED[name]).holds.all()
    against = measure(name, world(-1), **ASKED[name])
    assert not against.holds.any()
    assert (np.abs(against.value) > 0.9).all()


def test_standing_differences_are_no_following():
    """Pairs that have always been pressed and close, and a trend of all, move nothing."""
    p = panel()
    rng = np.random.default_rng(4)
    pressure = np.repeat(rng.standard_normal((len(p.states), 1)), len(p.years), axis=1)
    noise = 0.01 * rng.standard_normal((len(p.states), len(p.years)))
    weaker = np.minimum(pressure[p.left], pressure[p.right])
    trend = np.linspace(0.0, 3.0, len(p.years))
    drawn = draws_of(pressure=pressure + trend + noise, alignment=weaker + trend)
    found = measure("follows-threat", drawn, above=0.3)
    assert not found.holds.any() and "correlate by 1.00" in found.note


def test_rates_count_cells_by_draw():
    event = np.array([[[True, False], [True, True]]])
    given = np.array([[[True, True], [False, False]]])
    assert rate(event, given).tolist() == [0.5]
    assert rate(event, np.zeros_like(given)).tolist() == [0.0]


def test_the_weaker_side_is_the_lower_pressure():
    p = panel()
    d = draws_of(pressure=np.arange(len(p.states), dtype=float)[:, None])
    _, weaker = weaker_side(d)
    np.testing.assert_array_equal(weaker[0, :, 0], np.minimum(p.left, p.right))


# -- weather -------------------------------------------------------------------------------------

SPANS = {"before": [2014, 2016], "after": [2017, 2020]}


@pytest.mark.parametrize(("slope", "fell"), [(-0.1, True), (0.1, False)])
def test_what_pressure_did(slope, fell):
    d = draws_of(pressure=slope * np.arange(33.0))
    found = measure("pressure-fell", d, state="RUS", **SPANS)
    assert found.holds.all() == fell and found.prior == 0.5
    np.testing.assert_allclose(found.value, 3.5 * slope / d.reference["pressure"][1])


def test_years_outside_the_panel_are_refused():
    with pytest.raises(ClaimError, match="2024-2030"):
        measure("pressure-fell", flat(), state="RUS", before=[2014, 2016], after=[2024, 2030])


def easings(*ends):
    rows = [("CHN", e - 1, e, "easing") for e in ends] + [("CHN", 1999, 2001, "hardship")]
    return pd.DataFrame(rows, columns=["state", "start", "end", "type"])


def test_pressure_after_easings(monkeypatch):
    path = np.zeros(33)
    path[10:] = 1.0
    monkeypatch.setattr(
        "fairweather.episodes.find_episodes", lambda record, states: easings(2000, 2001, 2023)
    )
    d = draws_of(pressure=path)
    found = measure("pressure-returns", d, state="CHN", years=5)
    # 2023 leaves no three years; 2002 is the first year at 1.
    np.testing.assert_allclose(found.value, 0.5 * (0.8 + 1.0) / d.reference["pressure"][1])
    assert found.shocks == 2 and found.holds.all() and "2000, 2001" in found.note


def test_no_easing_is_nothing_to_measure(monkeypatch):
    monkeypatch.setattr("fairweather.episodes.find_episodes", lambda record, states: easings())
    found = measure("pressure-returns", flat(), state="CHN", years=5)
    assert found.shocks == 0 and np.isnan(found.holds).all()


# -- domains -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("security", "economic", "lags", "first"),
    [(0.3, -0.2, True, True), (-0.1, -0.2, True, False), (-0.3, -0.2, False, False),
     (0.3, 0.1, False, False)],
)  # fmt: skip
def test_order_of_domains(security, economic, lags, first):
    tree = fit(reading="domains")
    lead = xr.zeros_like(tree["posterior"].to_dataset()["half_life"])
    tree["posterior"] = tree["posterior"].to_dataset().assign(
        lead_security=lead + security, lead_economic=lead + economic
    )  # fmt: skip
    d = Draws.of(tree, panel(), load_priors())
    assert measure("economic-lags", d).holds.all() == lags
    assert measure("security-first", d).holds.all() == first
    np.testing.assert_allclose(measure("security-first", d).value, security - economic)


# -- contest -------------------------------------------------------------------------------------

JOINT = {"pro": ["common-enemy", "elastic-side"], "contra": ["thermostat"], "condition": "joint"}


def test_only_the_readings_named_share_the_weight():
    weights = {"drift": 0.6, "thermostat": 0.1, "common-enemy": 0.0, "elastic-side": 0.3}
    replicates = np.array([[0.6, 0.1, 0.0, 0.3], [0.2, 0.0, 0.4, 0.4]])
    every = {
        "drift": draws("drift"), "thermostat": draws("thermostat"),
        "common-enemy": draws("common-enemy", exponent=-1.0, shared_pressure=0.3),
        "elastic-side": draws("elastic-side", coupling=0.1),
    }  # fmt: skip
    made = context(weights, weight_draws=replicates, draws=every, prior=every)
    found = get_measure("preferred")(made, JOINT)
    np.testing.assert_allclose(found.value, [0.75, 1.0])
    assert found.prior == pytest.approx(2 / 3) and found.by_reading["thermostat"] == 0.0
    every = {**every, "elastic-side": draws("elastic-side", coupling=-0.1)}
    other = get_measure("preferred")(context(weights, weight_draws=replicates, draws=every), JOINT)
    np.testing.assert_allclose(other.value, [0.0, 0.5])


def test_a_comparison_without_weight_or_readings_is_refused():
    weights = {"drift": 1.0, "thermostat": 0.0, "common-enemy": 0.0, "elastic-side": 0.0}
    nothing = context(weights, weight_draws=np.array([[1.0, 0.0, 0.0, 0.0]]))
    with pytest.raises(ClaimError, match="neither side"):
        get_measure("preferred")(nothing, JOINT)
    with pytest.raises(ClaimError, match="no weight for common-enemy"):
        get_measure("preferred")(context({"drift": 0.5, "thermostat": 0.5}), JOINT)


def test_pressure_must_join():
    joins = {"pro": ["elastic-side"], "contra": ["drift"], "condition": "pressure-joins"}
    weights = {"drift": 0.5, "elastic-side": 0.5}
    for b, p in ((0.3, 0.5), (-0.3, 0.0)):
        every = {"drift": draws("drift"), "elastic-side": flat(elasticity=b)}
        made = context(weights, weight_draws=np.array([[0.5, 0.5]]), draws=every, prior=every)
        assert get_measure("preferred")(made, joins).holds.mean() == pytest.approx(p)


# -- held-out episodes ---------------------------------------------------------------------------

EASED = {"type": "easing", "states": ["RUS"], "side": "below", "size": -0.25}


def test_departures_are_in_sds_of_drift_and_by_shock():
    table = departures(held_out(-1.0, years=(1994, 1995, 2003)).query("dyad == 'CHN-RUS'"))
    assert len(table) == 2 and table["first"].tolist() == [1994, 2003]
    np.testing.assert_allclose(table["z"], np.array([-1.075, -1.0]) / (1.6 / (2 * 1.598)))


def test_windows_of_one_tie_that_share_years_are_one_event():
    rows = pd.DataFrame({"start": [2012, 2017, 2019], "end": [2016, 2018, 2019]})
    assert events_of(rows.assign(dyad="CHN-RUS")).tolist() == [0, 0, 0]
    assert events_of(rows.assign(dyad="")).tolist() == [0, 1, 2]
    apart = pd.DataFrame({"start": [1994, 2003], "end": [1995, 2003], "dyad": "CHN-RUS"})
    assert events_of(apart).tolist() == [0, 1]


@pytest.mark.parametrize(("change", "side", "p"), [(-1, "below", 1), (1, "below", 0),
                                                   (-1, "above", 0), (0, "above", 1)])  # fmt: skip
def test_falls_after_easings(change, side, p):
    found = get_measure("after-episodes")(
        context(held_out=held_out(change)), {**EASED, "side": side}
    )
    assert found.holds.mean() == pytest.approx(p, abs=0.05)
    assert found.shocks == 5 and "any state" in found.note


def test_before_the_record_departures_are_as_drift_has_them():
    z = np.random.default_rng(1).standard_normal(100_000)
    for size, side, p in ((-0.25, "below", (z < -0.25)), (-1.0, "above", (z > -1.0))):
        found = get_measure("after-episodes")(context(), {**EASED, "size": size, "side": side})
        assert found.prior == pytest.approx(p.mean(), abs=0.01)


def test_more_shocks_say_more():
    few, many = (
        get_measure("after-episodes")(context(held_out=held_out(-0.2, years=y)), EASED)
        for y in ((1994, 1999), (1994, 1999, 2004, 2009, 2016))
    )
    assert np.ptp(np.quantile(many.value, (0.1, 0.9))) < np.ptp(np.quantile(few.value, (0.1, 0.9)))


def test_one_shock_is_no_evidence_and_none_is_refused():
    one = get_measure("after-episodes")(context(held_out=held_out(years=(1994, 1995))), EASED)
    assert one.shocks == 1 and np.isnan(one.holds).all()
    with pytest.raises(ClaimError, match="no episode was held out"):
        get_measure("after-episodes")(context(held_out=None), EASED)


def test_episodes_without_drift_are_not_called_none():
    """What is missing is what to compare with, and the claim has a problem, no verdict."""
    table = held_out(-1.0).query("reading != 'drift'")
    without = context({"thermostat": 0.5, "elastic-side": 0.5}, held_out=table)
    with pytest.raises(ClaimError, match=r"drift, which took no part. .*--reading drift"):
        get_measure("after-episodes")(without, EASED)
    with pytest.raises(ClaimError, match=r"drift, whose fits .* failed. Run the contest again"):
        get_measure("after-episodes")(context(held_out=table), EASED)
    # A note beside another claim says it, and does not cost that claim its verdict.
    assert said(without, EASED) == "no held-out easing of RUS that drift was fitted without"
    never = {**EASED, "states": ["CHN"]}
    assert said(without, never) == "no held-out easing of CHN"
    assert get_measure("after-episodes")(without, never).shocks == 0


def test_the_kind_the_state_and_the_dyad_asked_for_are_used():
    table = pd.concat([
        held_out(-1.0), held_out(1.0, kind="hardship"), held_out(0.5, state="IRN"),
    ])  # fmt: skip
    made = context(held_out=table, confusion=Confusion())
    assert get_measure("after-episodes")(made, EASED).value.mean() < -1
    worse = {**EASED, "type": "hardship"}
    assert get_measure("after-episodes")(made, worse).value.mean() > 1
    assert get_measure("after-episodes")(made, {**EASED, "states": ["IRN"]}).value.mean() > 0.5
    assert "no held-out easing of CHN" in said(made, {**EASED, "states": ["CHN"]})
    quiet = pd.concat([table.assign(design="episodes"), held_out(3.0).assign(design="quiet")])
    calm = context(held_out=quiet)
    assert get_measure("after-episodes")(calm, EASED).value.mean() < -1
    bare = said(context(held_out=table.drop(columns="log_score")), EASED)
    assert "with pressure -0.80" in bare and "log score" not in bare
    told = said(made, EASED)
    assert "log score +5.0 against drift" in told and "changed by -1.00" in told
