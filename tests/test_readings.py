"""One conformance suite for every reading, and what sets each apart."""

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import pytest

from fairweather.errors import FairweatherError
from fairweather.model import Space
from fairweather.panel import load_panel
from fairweather.priors import DRIVERS as DRIVERS_OF_THE_TARGET
from fairweather.priors import QUANTITIES, load_priors
from fairweather.readings import DEFAULT, READINGS, get_reading
from fairweather.readings.common_enemy import power_mean
from fairweather.readings.parts import DRIVERS, PARTS, PRESSED, narrowed, pressed, seen
from fairweather.structure import draw_parameters, paths, stacked, targets

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

    def test_names_known_parts(self, name):
        piece = get_reading(name)
        assert set(piece.PARTS) <= set(PARTS)
        assert piece.DRIVERS in DRIVERS and piece.PRESSED in PRESSED
        assert set(piece.HOLDS) <= set(QUANTITIES)

    def test_goes_without_the_other_parts_and_touches_nothing_else(self, name):
        base, piece = load_priors(), get_reading(name)
        held = narrowed(base, name)
        assert (held.id, held.content_hash) == (base.id, base.content_hash)
        changed = {k for k in QUANTITIES if not held[k].same_as(base[k])}
        nil = {k for part, ks in PARTS.items() if part not in piece.PARTS for k in ks}
        assert changed == nil | set(piece.HOLDS)
        assert changed <= set(DRIVERS_OF_THE_TARGET)

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


def test_a_placebo_reads_neither_of_its_own_states():
    panel = load_panel(states=["CHN", "IND", "IRN", "PAK", "RUS"], first_year=2008)
    left, right = pressed(panel, "placebo")
    for d in range(len(panel.dyads)):
        own = {panel.left[d], panel.right[d]}
        assert not own & {left[d], right[d]} and left[d] != right[d]
    mine = pressed(panel, "thermostat")
    assert np.array_equal(mine[0], panel.left) and np.array_equal(mine[1], panel.right)


def test_likeness_takes_the_place_of_complementarity_in_one_reading_alone(panel):
    swapped = seen(panel, "regime")
    assert swapped.kinds == ("regime", "leaders")
    assert np.array_equal(swapped.complementarity, panel.likeness)
    assert all(seen(panel, name) is panel for name in READINGS if name != "regime")


@pytest.mark.parametrize("name", ["drift", "persistence", "complementarity", "regime"])
def test_no_weather_moves_a_reading_without_pressure(panel, name):
    """The whole target, not the drive alone: scope would let pressure in by the back door."""
    rng = np.random.default_rng(2)
    view = seen(panel, name)
    par = draw_parameters(view, load_priors(), name, rng)
    calm, storm = np.zeros((2, len(panel.states), len(panel.years)))
    storm += rng.normal(size=storm.shape)
    one, other = (targets(view, name, par, p, view.complementarity)[0] for p in (calm, storm))
    assert np.array_equal(one, other)


def test_scope_alone_needs_pressure_to_move_anything(panel):
    rng = np.random.default_rng(3)
    par = draw_parameters(panel, load_priors(), "scope", rng, known={"scope": 0.3})
    none = np.zeros((len(panel.states), len(panel.years)))
    moving, _ = targets(panel, "scope", par, none, panel.complementarity)
    assert np.allclose(moving, 0.0)
    moving, _ = targets(panel, "scope", par, none + 1.0, panel.complementarity)
    assert np.abs(moving).max() > 1e-3


def test_asymmetry_slows_the_rise_and_not_the_shocks(panel):
    """A fragile tie falls faster than it rose; what shocks leave fades alike either way."""
    rng = np.random.default_rng(4)
    par = draw_parameters(panel, load_priors(), "fragile-sticky", rng, known={"asymmetry": 2.0})
    n = len(panel.years)
    up = np.broadcast_to((np.arange(n) > 2) * 1.0, (len(panel.dyads), n))
    eps, none = rng.standard_normal((2, len(panel.dyads), n))
    common = np.zeros((n - 1, len(panel.states)))

    def answer(moving, asymmetry, shocks):
        return paths(panel, par | {"asymmetry": asymmetry}, moving, shocks, common)[0]

    flat = answer(0.0 * up, 2.0, 0.0 * none)
    rise, fall = (answer(s * up, 2.0, 0.0 * none) - flat for s in (1.0, -1.0))
    assert (np.abs(fall[:, 3]) > 1.5 * np.abs(rise[:, 3])).all()
    shocked = [answer(0.0 * up, a, eps) for a in (-2.0, 2.0)]
    assert np.allclose(*shocked)


def test_domains_run_ahead_of_the_path_and_not_of_its_shocks(panel):
    rng = np.random.default_rng(5)
    known = {"lead_security": 1.0, "lead_economic": 0.0}
    par = draw_parameters(panel, load_priors(), "domains", rng, known=known)
    n, d = len(panel.years), len(panel.dyads)
    moving = np.cumsum(rng.normal(size=(d, n)), axis=1)
    eps = rng.standard_normal((d, n))
    path, gap = paths(panel, par, moving, eps, np.zeros((n - 1, len(panel.states))))
    pressure = np.zeros((len(panel.states), n))
    values = par | {"alignment": path, "gap": gap, "pressure": pressure, "words": pressure,
                    "delegation": pressure.T}  # fmt: skip
    rows = stacked(panel, values)
    first = 2 * (d + len(panel.states))
    stray = path - (np.asarray(par["level"])[:, None]
                    + np.asarray(par["dyad_drift"])[:, None] * Space.of(panel).decade)  # fmt: skip
    # At a lead of one the domain answers at once: target, plus what is left of the shocks.
    want = path + gap
    assert np.allclose(rows[first : first + d], want)
    assert np.allclose(rows[first + d :], path)
    assert not np.allclose(stray, moving)
