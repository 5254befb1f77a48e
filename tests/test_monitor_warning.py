"""Durability then and now differ by what moved, and by nothing else."""

import numpy as np
import pytest

import made_fit
from fairweather.draws import Draws
from fairweather.forecast import forecast
from fairweather.monitor import MonitorError, early_warning
from fairweather.monitor.warning import lower_now, shapley

PANEL = made_fit.panel()
SINCE = PANEL.origin - 1


def still(**change):
    """Draws in which nothing moves in the last two years, but for what is changed."""
    tree = made_fit.fit(dyad_drift=0.0, elasticity=0.3, coupling=0.0, asymmetry=0.0)
    data = tree["posterior"].to_dataset().copy(deep=True)
    # Low enough that durability can move both ways.
    data["alignment"][..., -2] = data["alignment"][..., -2] - 0.25
    for name in ("alignment", "pressure", "complementarity"):
        data[name][..., -1] = data[name][..., -2]
    for name, (unit, by) in change.items():
        dim = "dyad" if name == "alignment" else "state"
        moved = data[name].sel({dim: unit}, drop=True).isel(year=-1) + by
        data[name].loc[{dim: unit, "year": PANEL.origin}] = moved
    draws = Draws.of(tree, PANEL)
    return Draws(**{**draws.__dict__, "data": data})


def test_today_is_the_forecast_of_the_same_draws():
    tree = made_fit.fit()
    fc = forecast(tree, PANEL, horizon=3, random_seed=4)
    found = early_warning(Draws.of(tree, PANEL), SINCE, horizon=3, random_seed=4)
    own = fc["durability"]["probability"].sel(
        scenario="current-weather", threshold=found.threshold, horizon=3
    )
    assert found.today == pytest.approx(float(own), abs=1e-12)
    assert found.change == pytest.approx(found.today - found.then)


def test_where_nothing_moved_nothing_fell_or_rose():
    found = early_warning(still(), SINCE, horizon=3)
    assert found.verdict == "cannot be told"
    # What is left is the answer to earlier targets, still on its way.
    assert abs(found.change) < 0.01
    assert found.parts["change"][:2].abs().max() == 0.0


@pytest.mark.parametrize(("by", "verdict"), [(-0.4, "fell"), (0.4, "rose")])
def test_alignment_that_moved_is_told_and_is_the_reason(by, verdict):
    found = early_warning(still(alignment=("CHN-RUS", by)), SINCE, horizon=3)
    assert found.verdict == verdict
    parts = found.parts.set_index("part")["change"]
    assert parts.sum() == pytest.approx(found.change, abs=1e-12)
    assert np.sign(parts["alignment"]) == np.sign(by)
    assert abs(parts["alignment"]) > 10 * parts.drop("alignment").abs().max()


def test_pressure_that_moved_is_told_by_its_state():
    found = early_warning(still(pressure=("RUS", -2.0)), SINCE, horizon=5)
    parts = found.parts.set_index("part")["change"]
    assert parts["pressure CHN"] == 0.0 and parts["pressure RUS"] < -0.01
    assert parts.sum() == pytest.approx(found.change, abs=1e-12)


def test_intervals_and_errors_are_those_of_the_draws():
    draws = Draws.of(made_fit.fit(), PANEL)
    found = early_warning(draws, SINCE, horizon=2)
    then, now = found.draws
    assert found.then == pytest.approx(then.mean()) and len(then) == len(draws)
    low, high = np.quantile(now - then, (0.055, 0.945))
    assert (found.lower, found.upper) == (pytest.approx(low), pytest.approx(high))
    assert found.fell == pytest.approx(lower_now(then, now).mean())
    assert found.fell_error >= 0.5 / len(draws) and found.change_error > 0


def test_a_seed_gives_the_same_again():
    draws = Draws.of(made_fit.fit(), PANEL)
    one, two, three = (early_warning(draws, SINCE, horizon=2, random_seed=s) for s in (1, 1, 2))
    assert one.fell == two.fell and one.change == two.change
    assert one.change != three.change


def test_a_tie_counts_one_half():
    assert lower_now(np.zeros(4), np.zeros(4)).mean() == 0.5


def test_parts_share_what_they_did_together():
    ways = {frozenset(k): np.array(v) for k, v in
            {(): 0.0, (0,): 0.0, (1,): 0.0, (2,): 0.0, (0, 1): 6.0, (0, 2): 0.0, (1, 2): 0.0,
             (0, 1, 2): 6.0}.items()}  # fmt: skip
    assert [float(shapley(ways, k, 3)) for k in range(3)] == [3.0, 3.0, 0.0]


def test_what_cannot_be_compared_is_refused():
    draws = Draws.of(made_fit.fit(), PANEL)
    with pytest.raises(MonitorError, match=r"starts from 2024, the running year is 2024.*import"):
        early_warning(draws, PANEL.origin)
    for horizon in (0, 11, 2.5, True):
        with pytest.raises(MonitorError, match="horizon is"):
            early_warning(draws, SINCE, horizon=horizon)
