"""Partial adjustment: product and recursion agree, and speeds mean half-lives."""

import numpy as np
import pytensor.tensor as pt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairweather.dynamics import five_year_share, propagate, recursion, speed, step, weights


def _case(seed=0, dyads=5, years=12):
    rng = np.random.default_rng(seed)
    return rng.normal(size=dyads), rng.normal(size=(dyads, years - 1))


@settings(max_examples=25, deadline=None)
@given(half_life=st.floats(0.3, 60.0), years=st.integers(2, 40), seed=st.integers(0, 99))
def test_product_equals_recursion(half_life, years, seed):
    first, moves = _case(seed, years=years)
    k = speed(half_life)
    np.testing.assert_allclose(
        propagate(np, first, moves, k), recursion(first, moves, k), rtol=1e-9, atol=1e-9
    )


def test_product_equals_recursion_in_pytensor():
    first, moves = _case(3)
    k = speed(4.0)
    got = propagate(pt, pt.as_tensor(first), pt.as_tensor(moves), pt.as_tensor(k)).eval()
    np.testing.assert_allclose(got, recursion(first, moves, k), rtol=1e-9)


def test_step_is_the_recursion():
    first, moves = _case(1)
    k, target = speed(3.0), np.full(5, 0.7)
    want = recursion(first, np.tile((k * target)[:, None], (1, 1)) + moves[:, :1], k)[:, 1]
    np.testing.assert_allclose(step(first, target, moves[:, 0], k), want)


@pytest.mark.parametrize("half_life", [1, 4, 7])
def test_half_life_halves_the_gap(half_life):
    k, gap = speed(float(half_life)), 1.0
    for _ in range(half_life):
        gap = step(gap, 0.0, 0.0, k)
    assert gap == pytest.approx(0.5)


def test_five_year_share():
    assert five_year_share(5.0) == pytest.approx(0.5)
    gap = 1.0
    for _ in range(5):
        gap = step(gap, 0.0, 0.0, speed(3.0))
    assert 1 - gap == pytest.approx(five_year_share(3.0))


def test_weights_are_lower_triangular_with_a_unit_diagonal():
    w = weights(np, 0.2, 6)
    assert np.allclose(np.triu(w, 1), 0) and np.allclose(np.diag(w), 1)
    assert w[3, 1] == pytest.approx(0.8**2)
