"""Weights rest on what was out by then, forecasts are as many draws, and right ones score right."""

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest

import made_backtest as made
from fairweather.ahead import KEYS
from fairweather.backtest import scored
from fairweather.backtest.run import BacktestError
from fairweather.backtest.scored import MIXTURE, mixed, released, score_all, weights_at
from fairweather.baselines import BASELINES
from fairweather.readings import READINGS
from fairweather.scores import SCORES

LATEST = scored.latest


@pytest.fixture(autouse=True)
def read_once(monkeypatch):
    monkeypatch.setattr(scored, "cells_of", made.cells_of)


@cache
def usual():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scored, "cells_of", made.cells_of)
        return score_all(made.done(errors={"drift": 1.0, "elastic-side": 1.0}))


def later(done, year, lead):
    """The same backtest with better scores of one reading in dyad-years from a year on."""
    origins = {}
    for origin, found in done["origins"].items():
        origins[origin] = dict(found)
        for reading, one in found.items():
            b = one["blocks"]
            gain = np.where(np.array(b["year"]) >= year, lead if reading == "drift" else 0.0, 0.0)
            lpd = (np.array(b["lpd"]) + gain).tolist()
            origins[origin][reading] = one | {"blocks": b | {"lpd": lpd}}
    return done | {"origins": origins}


# -- weights -------------------------------------------------------------------------------------


def test_weights_rest_on_years_before_the_origin():
    done = made.done(leads={"drift": 0.5})
    assert weights_at(done, 2015)[1] == 2014 - 2013 + 1 or weights_at(done, 2015)[1] == 0
    before, years = weights_at(done, 2016)
    assert years == 3 and before["drift"] > 0.8
    assert weights_at(later(done, 2016, -50.0), 2016) == (before, 3)
    turned, _ = weights_at(later(done, 2013, -50.0), 2016)
    assert turned["drift"] < 0.01


def test_an_origin_does_not_weigh_itself_nor_later_ones():
    done = made.done(leads={"drift": 0.5})
    own = {y: f for y, f in done["origins"].items() if y < 2016}
    assert weights_at(done | {"origins": own}, 2016) == weights_at(done, 2016)


def test_what_was_not_out_yet_has_no_weight():
    """Disputes of a year come out four years later; its joint score is not known before."""
    done = made.done(leads={"drift": 0.5})
    whole, years = weights_at(done, 2016)
    late = {(u, y): 2017 for y in range(2000, 2030) for u in made.panel(2016).dyads}
    assert weights_at(done, 2016, late) == ({"drift": 0.5, "elastic-side": 0.5}, 0)
    soon = {k: k[1] + 1 for k in late}
    assert weights_at(done, 2016, soon) == (whole, years)


def test_the_day_a_year_was_out_is_that_of_its_last_row():
    now = LATEST(made.STATES, made.FOCAL)
    out = released(now)
    trade = now.rows["trade_cow"]
    unit, time = trade[["unit", "time"]].to_numpy(int)[-1]
    dyad, year = now.dyads[unit], int(now.years[time])
    assert out[dyad, year] >= year + 2, "trade comes out two years later"
    assert out[dyad, 2023] == 2024
    assert all(o > y for (_, y), o in out.items())
    found = usual()[1]
    assert (found.loc[found["origin"] <= 2014, "years"] == 0).all()


def test_equal_weights_until_three_years_have_come():
    done = made.done(leads={"drift": 5.0})
    assert weights_at(done, 2014) == ({"drift": 0.5, "elastic-side": 0.5}, 0)
    few = done | {"origins": {}}
    assert weights_at(few, 2030)[1] == 0


def test_scores_that_are_no_numbers_have_no_say():
    done = made.done(leads={"drift": 0.5})
    broken = later(done, 2010, np.nan)
    assert weights_at(broken, 2016) == ({"drift": 0.5, "elastic-side": 0.5}, 0)


def test_weights_for_a_forecast_made_now_come_last():
    weights = usual()[1]
    assert weights["origin"].iloc[-1] == usual()[0]["year"].max() + 1
    assert weights.groupby("origin")["weight"].sum().round(9).eq(1).all()


# -- the mixture ---------------------------------------------------------------------------------


@pytest.mark.parametrize("weight", [(0.7, 0.3), (1.0, 0.0), (0.5, 0.5), (0.991, 0.009)])
def test_the_mixture_has_as_many_draws_as_a_reading(weight):
    rng = np.random.default_rng(1)
    two = {"a": rng.normal(0, 1, (3, 50)), "b": rng.normal(9, 1, (3, 50))}
    out = mixed(two, dict(zip("ab", weight, strict=True)))
    assert out.shape == (3, 50)
    assert (out > 4).mean() == pytest.approx(weight[1], abs=0.01)
    # The same draws of every cell: cells of one draw belong together.
    at = [np.flatnonzero(two["a"][0] == x)[0] for x in out[0] if x in two["a"][0]]
    np.testing.assert_array_equal(out[1, : len(at)], two["a"][1, at])


def test_draws_alone_make_no_skill():
    """A mixture of four forecasts of one law is that law, and scores as one of them."""
    rng = np.random.default_rng(2)
    law = {r: rng.standard_normal((4000, 60)) for r in "abcd"}
    from fairweather.scores import Cells, get_score

    value, one = rng.standard_normal(4000), np.ones(4000)
    mean = {
        k: get_score("crps").score(Cells("within", x, value, one, one)).mean()
        for k, x in (law | {"all": mixed(law, dict.fromkeys("abcd", 0.25))}).items()
    }
    single = np.mean([mean[k] for k in "abcd"])
    assert mean["all"] == pytest.approx(single, rel=0.005)


# -- scores --------------------------------------------------------------------------------------


def test_every_forecast_of_a_cell_is_scored_once_on_one_outcome():
    scores = usual()[0]
    assert not scores.duplicated([*KEYS, "origin", "forecast"]).any()
    names = {MIXTURE, *made.READINGS, *BASELINES}
    assert set(scores["forecast"]) == names
    sizes = scores.groupby("forecast").size()
    assert sizes.nunique() == 1 and sizes.iloc[0] == sum(
        len(made.cells_of(None, y)[0]) for y in made.ORIGINS
    )
    assert (scores["horizon"] == scores["year"] - scores["origin"]).all()
    assert (scores["horizon"] >= 1).all()
    for name in SCORES:
        assert np.isfinite(scores[name]).any(), name


def test_a_forecast_known_to_be_right_is_calibrated():
    """Draws and outcome of one law: nine in ten inside 89 %, half inside 50 %, counts too."""
    scores = usual()[0]
    mine = scores[scores["forecast"].isin(made.READINGS)]
    for family, part in mine.groupby("family"):
        if len(part) < 150:
            continue
        # 60 draws hold a little less; a count's own law is not quite the one drawn from.
        slack = 0.12 if family == "count" else 0.09
        assert part["inside_89"].mean() == pytest.approx(0.87, abs=slack), family
        assert part["inside_50"].mean() == pytest.approx(0.50, abs=0.12), family
    assert (0.5 * (mine["low"] + mine["high"])).mean() == pytest.approx(0.5, abs=0.04)


def test_a_forecast_too_sure_of_itself_covers_less_and_scores_worse():
    sure = score_all(made.done(origins=(2012, 2013), errors=dict.fromkeys(made.READINGS, 3.0)))[0]
    fair = usual()[0]
    fair = fair[fair["origin"].isin([2012, 2013])]
    for table, inside in ((sure, 0.6), (fair, 0.95)):
        mine = table[(table["forecast"] == "drift") & (table["family"] == "within")]
        assert mine["inside_89"].mean() < inside
    mean = [t[t["forecast"] == "drift"].groupby("family")["crps"].mean() for t in (sure, fair)]
    assert (mean[0] > mean[1]).all()


def test_cells_no_reading_speaks_of_stay_without_a_score():
    done = made.done(origins=(2012,))
    for one in done["origins"][2012].values():
        one["draws"][:3] = np.nan
    scores = score_all(done)[0]
    cells, _ = made.cells_of(None, 2012)
    keys = cells.loc[:2, KEYS].apply(tuple, axis=1)
    at = scores[KEYS].apply(tuple, axis=1).isin(keys)
    ours = scores["forecast"].isin([MIXTURE, *made.READINGS])
    assert scores.loc[at & ours, ["crps", "log", "low", "inside_89"]].isna().all().all()
    assert scores.loc[~at & ours, "crps"].notna().all()
    assert scores.loc[at & (scores["forecast"] == "random-walk"), "crps"].notna().any()


def test_an_origin_that_lacks_a_reading_is_left_out():
    done = made.done(origins=(2012, 2013))
    del done["origins"][2013]["drift"]
    scores, weights = score_all(done)
    assert set(scores["origin"]) == {2012}
    assert set(weights["origin"]) == {2012, scores["year"].max() + 1}
    done["origins"] = {}
    assert all(isinstance(x, pd.DataFrame) and x.empty for x in score_all(done))


def test_draws_of_other_cells_are_refused():
    done = made.done(origins=(2012,))
    one = done["origins"][2012]["drift"]
    one["draws"] = one["draws"][:-1]
    with pytest.raises(BacktestError, match="2012 under drift has draws of"):
        score_all(done)


def test_names_never_collide():
    every = [MIXTURE, *READINGS, *BASELINES]
    assert len(set(every)) == len(every)


def test_plain_forecasts_know_only_the_origin():
    """Other rows after the origin, in the record and as outcomes: the same plain forecasts."""
    cells, known = made.cells_of(None, 2013)
    other = cells.assign(value=cells["value"] * 0 + 1.0)
    found = made.done(origins=(2013,))["origins"][2013]
    even = dict.fromkeys(made.READINGS, 0.5)
    a, b = (scored._score_origin(2013, c, known, found, even) for c in (cells, other))
    wide = [x["high"] - x["low"] for x in (a, b)]
    assert len(wide[0]) == len(wide[1])
    # The place differs as the outcome does; the draws behind it are compared directly.
    from fairweather.baselines import get_baseline

    for name in BASELINES:
        one, two = (
            get_baseline(name).foresee(known, c, np.random.default_rng(1), 20)
            for c in (cells, other)
        )
        np.testing.assert_array_equal(one, two)
    late = replace(made.panel(2013), record=made.record())
    assert late.years[-1] == 2013, "what is known ends with the origin"
