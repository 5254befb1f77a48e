"""Every score is proper, smaller the better, and takes weighted draws as repeated ones."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from fairweather.scores import SCORES, Cells, ScoreError, get_score
from fairweather.scores.calibration import coverage, histogram, overlap, place, quantiles

PAIRS = [(s, f) for s in SCORES for f in get_score(s).FAMILIES]
ONE = np.ones(1)


def cells(family, cells_=400, draws=200, shift=0.0, wide=1.0, seed=1, weights=None):
    """Draws and outcomes of one law; `shift` and `wide` make the draws wrong."""
    rng = np.random.default_rng(seed)

    def law(size, shift, wide):
        if family == "count":
            return rng.poisson(2.5 * np.exp(shift + (wide - 1) * rng.standard_normal(size))) * 1.0
        if family == "share":
            p = 1 / (1 + np.exp(-(shift + 0.3 * wide * rng.standard_normal(size))))
            return rng.binomial(12, p) * 1.0
        x = shift + wide * rng.standard_normal(size)
        return 1 / (1 + np.exp(-x)) if family == "vote" else x

    n = np.full(cells_, 12.0 if family == "share" else 1.0)
    last = law(cells_, 0.0, 1.0)
    return Cells(family, law((cells_, draws), shift, wide), law(cells_, 0.0, 1.0), n, last, weights)


@pytest.mark.parametrize(("score", "family"), PAIRS)
def test_the_truth_scores_best_on_average(score, family):
    piece = get_score(score)
    right = piece.score(cells(family))
    assert right.shape == (400,) and np.isfinite(right).all()
    for wrong in ({"shift": 1.0}, {"shift": -1.0}, {"wide": 2.5}):
        worse = piece.score(cells(family, **wrong))
        assert worse.mean() > right.mean(), wrong


@pytest.mark.parametrize(("score", "family"), PAIRS)
def test_weighted_draws_score_as_repeated_ones(score, family):
    few = cells(family, cells_=30, draws=40)
    weights = np.repeat([0.5, 0.25, 0.25, 0.0], 10) / 10
    # Outcomes well among the draws: in the tail a kernel's width decides.
    value = np.median(few.draws, axis=1)
    a = Cells(family, few.draws, value, few.n, few.last, weights)
    twice = np.concatenate([few.draws[:, :10], few.draws[:, :30]], axis=1)
    b = Cells(family, twice, value, few.n, few.last)
    x, y = get_score(score).score(a), get_score(score).score(b)
    # A kernel's width and an interpolated quantile depend a little on how draws are counted.
    loose = {"log": 0.15, "interval": 1.0}.get(score, 1e-9)
    assert np.abs(x - y).max() <= loose
    even = Cells(family, few.draws, few.value, few.n, few.last, np.full(40, 1 / 40))
    assert get_score(score).score(even) == pytest.approx(get_score(score).score(few))


@pytest.mark.parametrize("score", SCORES)
def test_a_cell_is_scored_by_itself(score):
    family = get_score(score).FAMILIES[-1]
    many = cells(family, cells_=8)
    alone = Cells(family, many.draws[:1], many.value[:1], many.n[:1], many.last[:1])
    assert get_score(score).score(alone)[0] == pytest.approx(get_score(score).score(many)[0])


def test_scores_by_hand():
    two = np.array([[0.0, 2.0]])
    assert get_score("crps").score(Cells("within", two, ONE, ONE, ONE)).item() == 0.5
    assert get_score("brier").score(Cells("within", two, 0 * ONE, ONE, ONE)).item() == 0.25
    counts = np.array([[0.0, 1.0, 4.0, 9.0]])
    # Categories 0 | 1 | 2 | 3-5 | 6+: shares 1/4 each but for 2; two came.
    rps = get_score("rps").score(Cells("count", counts, 2 * ONE, ONE, ONE)).item()
    assert rps == pytest.approx((0.25**2 + 0.5**2) + (0.5**2 + 0.25**2))
    log = get_score("log").score(Cells("count", counts, 4 * ONE, ONE, ONE)).item()
    assert log == pytest.approx(-np.log(1.5 / 5))


def test_crps_is_that_of_a_normal_and_by_pairs():
    normal = stats.norm.ppf((np.arange(2000) + 0.5) / 2000)[None]
    for y in (-1.5, 0.0, 0.7):
        phi, cdf = stats.norm.pdf(y), stats.norm.cdf(y)
        exact = y * (2 * cdf - 1) + 2 * phi - 1 / np.sqrt(np.pi)
        one = Cells("within", normal, y * ONE, ONE, ONE)
        assert get_score("crps").score(one).item() == pytest.approx(exact, abs=2e-3)
        assert get_score("log").score(one).item() == pytest.approx(
            -stats.norm.logpdf(y), abs=0.04
        ), "a kernel widens a little"
    rng = np.random.default_rng(1)
    x, y = rng.gamma(2.0, size=(3, 40)), rng.gamma(2.0, size=3)
    pairs = np.abs(x[:, :, None] - x[:, None, :]).mean(axis=(1, 2))
    many = Cells("anchor", x, y, np.ones(3), np.ones(3))
    np.testing.assert_allclose(
        get_score("crps").score(many), np.abs(x - y[:, None]).mean(axis=1) - pairs / 2
    )


@pytest.mark.parametrize("mean", [0.3, 3.0, 40.0])
def test_right_forecasts_of_counts_cover_what_they_should(mean):
    rng = np.random.default_rng(5)
    draws, seen = rng.poisson(mean, (4000, 300)) * 1.0, rng.poisson(mean, 4000) * 1.0
    one = np.ones(4000)
    low, high = place(Cells("count", draws, seen, one, one))
    for level in (0.5, 0.9):
        assert coverage(low, high, level).mean() == pytest.approx(level, abs=0.025)
    assert (0.5 * (low + high)).mean() == pytest.approx(0.5, abs=0.02)
    half = coverage(*place(Cells("count", draws // 2, seen, one, one)), 0.9).mean()
    assert half < 0.88 or mean < 1, "a forecast of half the size covers less"


def test_places_of_counts_are_no_lottery():
    """A right forecast of counts is flat and covers as often as it says, without random numbers."""
    rng = np.random.default_rng(2)
    draws = rng.poisson(1.0, (4000, 300)) * 1.0
    one = Cells("count", draws, rng.poisson(1.0, 4000) * 1.0, np.ones(4000), np.ones(4000))
    low, high = place(one)
    assert np.abs(histogram(low, high) - 0.1).max() < 0.012
    for level in (0.5, 0.89):
        assert coverage(low, high, level).mean() == pytest.approx(level, abs=0.02)


@settings(max_examples=60, deadline=None)
@given(st.floats(0, 1), st.floats(0, 1), st.integers(1, 12))
def test_bins_share_every_place_out_once(a, b, bins):
    low, high = np.array([min(a, b)]), np.array([max(a, b)])
    edges = np.linspace(0, 1, bins + 1)
    parts = [overlap(low, high, x, y) for x, y in pairwise(edges)]
    assert np.sum(parts) == pytest.approx(1.0)


def test_quantiles_of_weighted_draws():
    x = np.array([[4.0, 1.0, 3.0, 2.0]])
    assert quantiles(x, np.array([0.5]), np.full(40, 1 / 40)).item() == 2.5
    heavy = quantiles(x, np.array([0.5]), np.array([0.97, 0.01, 0.01, 0.01])).item()
    assert heavy > 3.9


def test_what_cannot_be_scored_is_refused():
    with pytest.raises(ScoreError, match="unknown score 'rmse'"):
        get_score("rmse")
    with pytest.raises(ScoreError, match=r"not \(cell, draw\)"):
        Cells("within", np.ones(3), ONE, ONE, ONE)
    with pytest.raises(ScoreError, match="'value' has the shape"):
        Cells("within", np.ones((1, 3)), np.ones(2), ONE, ONE)
    for weights in (np.ones(2), np.ones(3), np.array([1.5, -0.5, 0.0])):
        with pytest.raises(ScoreError, match="do not weigh 3 draws"):
            Cells("within", np.ones((1, 3)), ONE, ONE, ONE, weights)


@pytest.mark.parametrize("score", ["log", "rps", "brier"])
def test_missing_draws_have_no_score(score):
    draws = np.array([[1.0, np.nan], [1.0, 2.0]])
    two = Cells("count", draws, np.ones(2), np.ones(2), np.ones(2))
    out = get_score(score).score(two)
    assert np.isnan(out[0]) and np.isfinite(out[1])
