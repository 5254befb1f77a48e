"""One conformance suite for every reading, and what sets each apart."""

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import pytest

from fairweather.errors import FairweatherError
from fairweather.model import Space
from fairweather.panel import load_panel
from fairweather.priors import QUANTITIES, load_priors
from fairweather.readings import DEFAULT, READINGS, get_reading
from fairweather.readings.common_enemy import power_mean

RNG = np.random.default_rng(5)
LEFT, RIGHT = RNG.normal(size=(2, 4, 6))


@pytest.fixture(scope="module")
def panel():
    return load_panel(states=["CHN", "RUS", "IND"], first_year=2008)


def _inputs():
    c = {"coupling": 0.3, "shared_pressure": 0.4, "exponent": -1.5}
    sides = []
    for p in (LEFT, RIGHT):
        sides.append({"pressure": p, "elasticity": np.linspace(0.1, 0.5, 4)[:, None]})
    return sides[0], sides[1], c


@pytest.mark.parametrize("name", READINGS)
class TestConformance:
    def test_has_the_pieces(self, name):
        piece = get_reading(name)
        assert piece.LABEL and piece.CLAIM
        assert all(dims in (None, "state") for dims in piece.COEFFICIENTS.values())

    def test_coefficients_are_those_declared(self, name, panel):
        piece = get_reading(name)
        with pm.Model(coords={"state": list(panel.states)}) as model:
            c = piece.coefficients(load_priors(), Space.of(panel))
        assert set(c) == set(piece.COEFFICIENTS)
        made = {v.name for v in [*model.free_RVs, *model.deterministics]}
        assert set(piece.COEFFICIENTS) <= made
        scalars = {k for k, dims in piece.COEFFICIENTS.items() if dims is None}
        assert scalars <= set(QUANTITIES)

    def test_drive_same_in_numpy_and_pytensor(self, name):
        piece = get_reading(name)
        left, right, c = _inputs()
        want = piece.drive(np, left, right, c)
        tensors = [{k: pt.as_tensor(v) for k, v in side.items()} for side in (left, right)]
        got = piece.drive(pt, *tensors, {k: pt.as_tensor(v) for k, v in c.items()}).eval()
        assert want.shape == LEFT.shape
        np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-12)

    def test_sides_are_exchangeable(self, name):
        piece = get_reading(name)
        left, right, c = _inputs()
        np.testing.assert_allclose(
            piece.drive(np, left, right, c), piece.drive(np, right, left, c), atol=1e-12
        )

    def test_inputs_stay_as_they_were(self, name):
        left, right, c = _inputs()
        get_reading(name).drive(np, left, right, c)
        assert np.array_equal(left["pressure"], LEFT) and np.array_equal(right["pressure"], RIGHT)


@pytest.mark.parametrize(
    ("exponent", "limit"),
    [(-400.0, np.minimum), (400.0, np.maximum), (0.0, lambda a, b: 0.5 * (a + b))],
)
def test_power_mean_limits(exponent, limit):
    np.testing.assert_allclose(power_mean(np, LEFT, RIGHT, exponent), limit(LEFT, RIGHT), atol=6e-3)


@pytest.mark.parametrize("exponent", [-3.0, -0.7, 0.4, 1.0, 5.0])
def test_power_mean_formula(exponent):
    want = np.log(0.5 * (np.exp(exponent * LEFT) + np.exp(exponent * RIGHT))) / exponent
    np.testing.assert_allclose(power_mean(np, LEFT, RIGHT, exponent), want, atol=1e-3)


def test_power_mean_shifts_one_for_one():
    base = power_mean(np, LEFT, RIGHT, -2.0)
    np.testing.assert_allclose(power_mean(np, LEFT + 1.3, RIGHT + 1.3, -2.0), base + 1.3)


def test_drift_is_immune():
    left, right, c = _inputs()
    assert not get_reading("drift").drive(np, left, right, c).any()


def test_without_coupling_the_elastic_side_is_the_thermostat():
    left, right, c = _inputs()
    np.testing.assert_allclose(
        get_reading("elastic-side").drive(np, left, right, {**c, "coupling": 0.0}),
        get_reading("thermostat").drive(np, left, right, c),
    )


def test_unknown_reading_is_refused():
    with pytest.raises(FairweatherError, match="choose one of persistence, drift"):
        get_reading("balance")
    assert DEFAULT in READINGS
