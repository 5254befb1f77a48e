"""Reweighted draws give what new draws would, and k says when they do not."""

import itertools

import numpy as np
import pytest
import xarray as xr
from scipy.stats import norm

from fairweather.lfo import K_GOOD, ReweightError, good_k, reweight, weighted_elpd


def log_ratio(shift, draws=4000, seed=0):
    """Draws of N(0, 1), to be read as draws of N(shift, 1)."""
    x = np.random.default_rng(seed).normal(size=draws)
    return x, norm.logpdf(x, shift) - norm.logpdf(x)


def test_k_grows_with_mismatch():
    found = [reweight(log_ratio(shift)[1])[1] for shift in (0.1, 1.0, 2.5, 5.0)]
    assert all(a < b for a, b in itertools.pairwise(found)), found
    assert found[0] < 0.3 and found[-1] > K_GOOD


def test_weights_are_normalised_and_favour_the_target():
    x, ratio = log_ratio(1.0)
    log_weights, k = reweight(ratio)
    assert k < good_k(len(x))
    assert np.exp(log_weights).sum() == pytest.approx(1.0)
    assert np.exp(log_weights) @ x == pytest.approx(1.0, abs=0.1)
    # A constant is no news.
    shifted, same = reweight(ratio + 1234.5)
    assert shifted == pytest.approx(log_weights) and same == pytest.approx(k)


def test_a_reweighted_score_is_that_of_the_target():
    x, ratio = log_ratio(0.8)
    y = np.array([-1.0, 0.5, 2.0])
    density = norm.logpdf(y, x[:, None])
    found = weighted_elpd(density, reweight(ratio)[0])
    truth = norm.logpdf(y, 0.8, np.sqrt(2))
    assert found == pytest.approx(truth, abs=0.05)
    flat = weighted_elpd(density, np.zeros(len(x)))
    assert np.abs(flat - truth).max() > 0.2


def test_labels_and_gaps_are_kept():
    x, ratio = log_ratio(0.5)
    density = norm.logpdf(np.array([0.0, 1.0]), x[:, None])
    density[:, 1] = np.nan
    labelled = xr.DataArray(density, dims=("draw", "block"),
                            coords={"year": ("block", [2008, 2009])})  # fmt: skip
    found = weighted_elpd(labelled, reweight(xr.DataArray(ratio, dims="draw"))[0])
    assert found.dims == ("block",) and found["year"].values.tolist() == [2008, 2009]
    assert np.isfinite(found[0]) and np.isnan(found[1])
    assert float(found[0]) == weighted_elpd(density, reweight(ratio)[0])[0]


def test_equal_ratios_leave_draws_as_they_are():
    log_weights, k = reweight(np.full(50, 3.0))
    assert k == 0.0 and log_weights == pytest.approx(np.full(50, -np.log(50)))


def test_a_tail_of_equal_ratios_says_nothing():
    ratio = np.concatenate([np.zeros(900), np.linspace(-50, -1, 100)])
    log_weights, k = reweight(ratio)
    assert k == np.inf and np.exp(log_weights).sum() == pytest.approx(1.0)


@pytest.mark.parametrize("spread", [1e3, 1e5])
def test_ratios_too_far_apart_never_pass(spread):
    # ArviZ gives NaN here, which is not above any threshold.
    log_weights, k = reweight(spread * np.random.default_rng(0).normal(size=1000))
    assert not k <= K_GOOD and k > K_GOOD
    assert np.exp(log_weights).max() == pytest.approx(1.0)


def test_few_draws_need_a_smaller_k():
    assert good_k(100) == pytest.approx(0.5)
    assert good_k(10**6) == K_GOOD == 0.7
    with pytest.raises(ReweightError, match="1 draws"):
        good_k(1)


@pytest.mark.parametrize(
    ("ratio", "said"),
    [
        (np.zeros((30, 2)), "2 dimensions"),
        (np.r_[np.zeros(30), -np.inf, np.nan], "2 of 32 log ratios are not finite"),
        (np.arange(29.0), "29 draws are too few"),
    ],
)
def test_what_cannot_be_reweighted_is_refused(ratio, said):
    with pytest.raises(ReweightError, match=said):
        reweight(ratio)


def test_the_fewest_draws_that_are_taken_have_a_k():
    assert np.isfinite(reweight(np.random.default_rng(0).normal(size=30))[1])


def test_shapes_have_to_fit():
    with pytest.raises(ReweightError, match=r"\(30, 2\) and weights of shape \(29,\)"):
        weighted_elpd(np.zeros((30, 2)), np.zeros(29))
    with pytest.raises(ReweightError, match="is NaN"):
        weighted_elpd(np.zeros((30, 2)), np.full(30, np.nan))


def test_inputs_are_left_as_they_were():
    _, ratio = log_ratio(1.0)
    before = ratio.copy()
    log_weights, _ = reweight(ratio)
    kept, density = log_weights.copy(), np.zeros((len(ratio), 1))
    weighted_elpd(density, log_weights)
    assert (ratio == before).all() and (log_weights == kept).all() and (density == 0).all()
