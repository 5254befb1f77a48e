"""A mixture says what its readings say, in proportion; nothing is drawn anew."""

import json

import numpy as np
import pytest
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fairweather.backtest.scored import MIXTURE
from fairweather.ensemble import (
    STACKED,
    EnsembleError,
    WeightsError,
    largest_remainders,
    mix,
    weighted_quantiles,
)
from fairweather.forecast import MASS, durability_table, forecast_table
from made_mixture import READINGS, WEIGHTS, each, one


@pytest.fixture(scope="module")
def forecasts():
    return each()


@pytest.fixture(scope="module")
def mixed(forecasts):
    return mix(forecasts, WEIGHTS, seed=3)


# A machine at work on something else is no failure.
RELAXED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def durability(tree):
    return tree["durability"].to_dataset()


def changed(tree, group=None, attrs=None):
    """A copy of a forecast with another group, or other attributes."""
    nodes = {k: v.to_dataset() for k, v in tree.children.items()} | (group or {})
    root = xr.Dataset(attrs=tree.attrs | (attrs or {}))
    return xr.DataTree.from_dict({"/": root, **nodes})


def test_survival_by_draw_is_what_durability_sums_up():
    fc = one("drift")
    node = fc["survival"]["survived"]
    assert node.dtype == np.uint8 and int(node.max()) <= fc["survival"].attrs["futures"] == 200
    share = node / 200.0
    np.testing.assert_allclose(share.mean("draw"), durability(fc)["probability"], atol=1e-12)
    np.testing.assert_allclose(
        share.quantile(0.5 + MASS / 2, "draw"), durability(fc)["upper"], atol=1e-12
    )


def test_probabilities_are_the_weighted_means(forecasts, mixed):
    for name in ("probability", "change"):
        wanted = sum(w * durability(forecasts[r])[name] for r, w in WEIGHTS.items())
        np.testing.assert_allclose(durability(mixed)[name], wanted, atol=1e-12)
    for name in ("mc_error", "change_mc_error"):
        squares = sum((w * durability(forecasts[r])[name]) ** 2 for r, w in WEIGHTS.items())
        np.testing.assert_allclose(durability(mixed)[name], np.sqrt(squares), atol=1e-12)


def test_intervals_are_over_the_draws_of_all_readings(forecasts, mixed):
    lower, upper = (durability(mixed)[k] for k in ("lower", "upper"))
    assert ((0 <= lower) & (lower <= upper) & (upper <= 1)).all()
    outer = [durability(forecasts[r]) for r in READINGS]
    assert (lower >= np.minimum.reduce([d["lower"] for d in outer]) - 1e-12).all()
    assert (upper <= np.maximum.reduce([d["upper"] for d in outer]) + 1e-12).all()
    # Apart readings make a mixture wider than the mean of their intervals.
    widths = sum(w * (durability(forecasts[r])["upper"] - durability(forecasts[r])["lower"])
                 for r, w in WEIGHTS.items())  # fmt: skip
    assert ((upper - lower) > widths).any()


def test_a_draw_is_one_future_of_one_reading(forecasts, mixed):
    counts = json.loads(mixed.attrs["draws_by_reading"])
    assert counts == {"scope": 20, "thermostat": 12, "drift": 8}
    whose = mixed["observables"]["reading"].values
    assert {r: int((whose == r).sum()) for r in READINGS} == counts
    taken = set()
    for k, reading in enumerate(whose):
        own = forecasts[reading]
        here = mixed["predictions"]["alignment"].isel(draw=k).values
        there = own["predictions"]["alignment"].transpose("draw", ...).values
        (at,) = np.flatnonzero((there == here).all(axis=(1, 2)))
        taken.add((reading, int(at)))
        for group, name in (("observables", "value"), ("effects", "alignment"),
                            ("predictions", "pressure"), ("survival", "survived")):  # fmt: skip
            a = mixed[group][name].isel(draw=k).values
            np.testing.assert_array_equal(a, own[group][name].isel(draw=at).values)
    assert len(taken) == mixed.sizes.get("draw", 40) == 40
    # Evenly along both chains of each reading.
    for reading, count in counts.items():
        first = sum(at < 20 for r, at in taken if r == reading)
        assert abs(first - count / 2) <= 1


def test_the_order_of_readings_makes_no_difference_and_the_seed_decides(forecasts, mixed):
    again = mix(dict(reversed(forecasts.items())), dict(reversed(WEIGHTS.items())), seed=3)
    assert again.identical(mixed)
    other = mix(forecasts, WEIGHTS, seed=4)
    assert other["durability"].to_dataset().identical(durability(mixed))
    assert not other["observables"].to_dataset().equals(mixed["observables"].to_dataset())


def test_one_reading_with_all_the_weight_is_that_reading(forecasts):
    alone = mix(forecasts, {"scope": 1.0, "drift": 0.0, "thermostat": 0.0})
    for name, value in durability(forecasts["scope"]).data_vars.items():
        np.testing.assert_allclose(durability(alone)[name], value, atol=1e-12, err_msg=name)
    a, b = (forecast_table(t, "x")["value"] for t in (alone, forecasts["scope"]))
    np.testing.assert_allclose(a, b)
    assert alone.attrs["readings"] == '{"scope": 1.0}'


def test_form_and_attributes(forecasts, mixed):
    fc = forecasts["drift"]
    assert set(mixed.children) == set(fc.children)
    for group in fc.children:
        for name, value in fc[group].data_vars.items():
            assert mixed[group][name].dims == value.dims and mixed[group][name].dtype == value.dtype
    assert mixed.attrs["reading"] == STACKED == MIXTURE and mixed.attrs["best"] == "scope"
    assert json.loads(mixed.attrs["weights"]) == {"kind": "given", "notes": []}
    assert mixed.attrs["record_hash"] == fc.attrs["record_hash"]
    assert len(durability_table(mixed)) == 2 * 2 * 3
    table = forecast_table(mixed, "me")
    assert list(table.columns) == list(forecast_table(fc, "me").columns)


def test_notes_and_source_are_kept(forecasts):
    source = {"kind": "file", "notes": ["a"]}
    tree = mix(forecasts, {r: 2 for r in READINGS}, source=source)
    said = json.loads(tree.attrs["weights"])
    assert said["notes"] == ["a", "the weights summed to 6 and were divided by it"]
    assert source == {"kind": "file", "notes": ["a"]}


def test_draws_of_unequal_number(forecasts):
    uneven = forecasts | {"drift": one("drift", draws=10)}
    tree = mix(uneven, WEIGHTS)
    assert tree["observables"].sizes["draw"] == 20 and tree.attrs["draws_used"] == 20
    wanted = sum(w * durability(uneven[r])["probability"] for r, w in WEIGHTS.items())
    np.testing.assert_allclose(durability(tree)["probability"], wanted, atol=1e-12)


def test_indicators_in_another_order_are_matched_by_name(forecasts, mixed):
    turned = forecasts["drift"]["observables"].to_dataset().isel(indicator=slice(None, None, -1))
    durable = durability(forecasts["drift"]).isel(scenario=slice(None, None, -1))
    other = changed(forecasts["drift"], {"observables": turned, "durability": durable})
    assert mix(forecasts | {"drift": other}, WEIGHTS, seed=3).identical(mixed)


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [("record_hash", "f" * 64, "differ in the record: .*fffffffffff"),
     ("as_of", "2016-12-31", "the as-of date: none and 2016-12-31"),
     ("origin", 2020, "the origin"), ("focal", "CHN-IND", "the pair"),
     ("priors_hash", "0", "the prior beliefs"), ("scenarios_hash", "0", "the scenarios"),
     ("horizon", 3, "the horizon"), ("indicators", "0", "the codebook")],
)  # fmt: skip
def test_other_origins_and_records_are_refused(forecasts, key, value, said):
    other = forecasts | {"drift": changed(forecasts["drift"], attrs={key: value})}
    with pytest.raises(EnsembleError, match=said):
        mix(other, WEIGHTS)


@pytest.mark.parametrize(
    ("group", "labels", "said"),
    [("observables", {"indicator": slice(1, None)}, "the indicators: unga_votes of CHN-RUS and n"),
     ("durability", {"scenario": [0]}, "the scenarios: ease-both and none more"),
     ("durability", {"threshold": [0, 1]}, "the thresholds: 2005-08"),
     ("durability", {"horizon": [0]}, "the years ahead: 2"),
     ("predictions", {"state": [0]}, "the states: RUS")],
)  # fmt: skip
def test_other_indicators_or_scenarios_are_refused(forecasts, group, labels, said):
    part = forecasts["drift"][group].to_dataset().isel(labels)
    with pytest.raises(EnsembleError, match=said):
        mix(forecasts | {"drift": changed(forecasts["drift"], {group: part})}, WEIGHTS)


def test_other_units_are_refused(forecasts):
    part = forecasts["drift"]["observables"].to_dataset()
    units = part["unit"].values.copy()
    units[0] = "CHN-IND"
    part = part.assign_coords(unit=("indicator", units))
    with pytest.raises(EnsembleError, match=r"the indicators: unga_votes of CHN-RUS and .*CHN-IND"):
        mix(forecasts | {"drift": changed(forecasts["drift"], {"observables": part})}, WEIGHTS)


def test_forecasts_that_do_not_keep_survival_say_what_to_do(forecasts):
    nodes = {k: v.to_dataset() for k, v in forecasts["drift"].children.items() if k != "survival"}
    old = xr.DataTree.from_dict({"/": xr.Dataset(attrs=forecasts["drift"].attrs), **nodes})
    with pytest.raises(EnsembleError, match="forecast --from RUN"):
        mix(forecasts | {"drift": old}, WEIGHTS)


def test_a_forecast_under_another_name_is_refused(forecasts):
    with pytest.raises(EnsembleError, match="given as 'drift' is of the reading 'scope'"):
        mix(forecasts | {"drift": forecasts["scope"]}, WEIGHTS)


def test_weights_must_fit_the_readings(forecasts):
    with pytest.raises(WeightsError, match="'thermostat' has no weight"):
        mix(forecasts, {"drift": 0.5, "scope": 0.5})
    with pytest.raises(WeightsError, match="no forecast of 'persistence'"):
        mix(forecasts, WEIGHTS | {"persistence": 0.1})
    # One without weight need not be there.
    mix({"scope": forecasts["scope"]}, {"scope": 1.0, "persistence": 0.0})


@RELAXED
@given(st.lists(st.floats(1e-6, 1.0), min_size=1, max_size=9), st.integers(0, 2000))
def test_largest_remainders(raw, total):
    shares = np.array(raw) / np.sum(raw)
    counts = np.array(largest_remainders(list(shares), total))
    assert counts.sum() == total and (counts >= 0).all()
    assert (np.abs(counts - shares * total) < 1 + 1e-6).all()


def test_equal_remainders_go_to_the_first():
    assert largest_remainders([0.25] * 4, 6) == [2, 2, 1, 1]
    assert largest_remainders([0.1] * 10, 10) == [1] * 10


@RELAXED
@given(st.lists(st.integers(0, 5), min_size=1, max_size=30))
def test_weighted_quantiles(values):
    x = np.array(values, float)
    n, levels = len(x), (0.0, 0.055, 0.5, 0.945, 1.0)
    np.testing.assert_allclose(
        weighted_quantiles(x, np.full(n, 1 / n), levels), np.quantile(x, levels), atol=1e-12
    )
    w = np.arange(1, n + 1) / (n * (n + 1) / 2)
    found = weighted_quantiles(np.stack([x, x[::-1]]), w, levels)
    assert found.shape == (5, 2) and (np.diff(found, axis=0) >= 0).all()
    assert found[0, 0] == x.min() and found[-1, 1] == x.max()
    # As much is below the median as above, but for the draw it stands on.
    for row, weight in ((x, w), (x[::-1], w)):
        middle = weighted_quantiles(row, weight, (0.5,))[0]
        assert weight[row < middle - 1e-9].sum() <= 0.5 + weight.max()
        assert weight[row > middle + 1e-9].sum() <= 0.5 + weight.max()
