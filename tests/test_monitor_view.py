"""From an earlier year the same draws are seen: parameters as they are, paths up to that year."""

import numpy as np
import pytest

import made_fit
from fairweather.draws import Draws
from fairweather.forecast import Futures, thresholds
from fairweather.monitor import MonitorError, until
from fairweather.readings import READINGS

YEAR = 2019


def draws_of(reading="elastic-side"):
    return Draws.of(made_fit.fit(reading=reading), made_fit.panel())


def futures(draws):
    return Futures(draws, 3, np.random.default_rng(1), 20)


def test_the_last_year_is_the_draws_themselves():
    draws = draws_of()
    assert until(draws, draws.panel.origin) is draws


@pytest.mark.parametrize("reading", READINGS)
def test_the_state_of_a_year_is_that_of_the_whole_draws(reading):
    draws = draws_of(reading)
    whole, view = futures(draws), futures(until(draws, YEAR))
    last = int(np.flatnonzero(draws.panel.years == YEAR)[0])
    assert view.years.tolist() == [YEAR + 1, YEAR + 2, YEAR + 3]
    np.testing.assert_array_equal(view.past, whole.past[:, : last + 1])
    np.testing.assert_array_equal(view.pressure_past, whole.pressure_past[..., : last + 1])
    np.testing.assert_allclose(view.moving_past, whole.moving_past[..., : last + 1], atol=1e-12)
    # Level, answer and what is left of shocks add up to the path in both.
    years = np.arange(2000, 2035)
    np.testing.assert_allclose(view.draws.standing(years), draws.standing(years), atol=1e-12)
    standing = draws.standing(draws.panel.years)[:, 0, last]
    np.testing.assert_allclose(
        (view.answered + view.stray)[:, 0] + standing, whole.past[:, last], atol=1e-12
    )


@pytest.mark.parametrize("reading", ["elastic-side", "placebo", "domains"])
def test_what_came_later_does_not_show(reading):
    draws = draws_of(reading)
    later = draws.panel.years > YEAR
    other = draws.data.copy(deep=True)
    for name in ("alignment", "pressure", "complementarity"):
        other[name][..., later] = 9.0
    changed = Draws(**{**draws.__dict__, "data": other})
    a, b = (futures(until(d, YEAR)) for d in (draws, changed))
    shift = np.zeros((len(draws), 2, 3))
    for one, two in zip(a.whole(shift), b.whole(shift), strict=True):
        np.testing.assert_array_equal(one, two)


def test_both_views_meet_the_same_shocks_and_thresholds():
    draws = draws_of()
    a, b = futures(draws), futures(until(draws, YEAR))
    np.testing.assert_array_equal(a.shocks.alignment, b.shocks.alignment)
    np.testing.assert_array_equal(a.shocks.pressure, b.shocks.pressure)
    one, two = thresholds(draws), thresholds(until(draws, YEAR))
    for name in one:
        np.testing.assert_array_equal(one[name], two[name])


def test_the_draws_are_left_alone():
    draws = draws_of()
    level, years = draws.get("level").copy(), draws.panel.years.copy()
    until(draws, YEAR)
    np.testing.assert_array_equal(draws.get("level"), level)
    np.testing.assert_array_equal(draws.panel.years, years)


@pytest.mark.parametrize("year", [1991, 1993, 2025])
def test_a_year_the_fit_does_not_have_is_refused(year):
    with pytest.raises(MonitorError, match=f"{year} is not a year"):
        until(draws_of(), year)
