"""The compiled density is the PyMC model's: value, gradient and named quantities."""

import jax
import numpy as np
import pytensor
import pytest
from pymc.model.transform.optimization import freeze_dims_and_data
from pymc.sampling.jax import get_jaxified_logp
from scipy import special

from fairweather.engine import density, drop_stale, families, slots, structure
from fairweather.engine.drive import NotTraceable, arguments, compiled, source
from fairweather.engine.native import Density, check_start
from fairweather.engine.pack import NotCovered, pack
from fairweather.errors import SamplerError
from fairweather.measurement import FAMILIES
from fairweather.model import build_model
from fairweather.panel import load_panel
from fairweather.priors import Prior, load_priors
from fairweather.readings import READINGS

STATES = ["CHN", "IND", "IRN", "JPN", "RUS"]


@pytest.fixture(scope="module")
def panel():
    return load_panel(states=STATES, first_year=2000)


def points(packed, n, seed=0, spread=0.5):
    rng = np.random.default_rng(seed)
    return packed.centre + spread * rng.standard_normal((n, packed.n_dim))


def by_name(packed, x):
    """An unconstrained vector as the PyMC model names its parts."""
    return {b.value_name: x[b.at : b.at + b.size].reshape(b.shape) for b in packed.blocks.values()}


def reference(model):
    """Log density and gradient of the PyMC model, by JAX."""
    written = freeze_dims_and_data(model.pymc)
    names = [v.name for v in written.value_vars]
    both = jax.jit(jax.value_and_grad(get_jaxified_logp(written)))

    def evaluate(packed, x):
        value, slopes = both([by_name(packed, x)[n] for n in names])
        return float(value), {n: np.asarray(s) for n, s in zip(names, slopes, strict=True)}

    return evaluate


def agree(model, n=3, spread=0.5):
    """Check value and every part of the gradient at some points."""
    packed = pack(model)
    ours, theirs = Density(model, packed), reference(model)
    constants = []
    for x in points(packed, n, spread=spread):
        value, grad = ours(x)
        wanted, slopes = theirs(packed, x)
        constants.append(value - wanted)
        assert set(slopes) == set(by_name(packed, x))
        for name, slope in by_name(packed, grad).items():
            error = np.abs(slope - slopes[name]) / (1.0 + np.abs(slopes[name]))
            assert error.max() < 1e-9, name
    assert np.ptp(constants) < 1e-7 * max(1.0, abs(wanted))


@pytest.mark.parametrize("reading", READINGS)
def test_value_and_gradient_are_those_of_the_model(panel, reading):
    model = build_model(panel, reading=reading)
    assert set(model.batches) == set(FAMILIES)
    agree(model)


def test_other_priors_need_no_other_code(panel):
    priors = load_priors()
    half = {"scope": Prior("scope", "Fixed", {"value": 0.05}, "r", "s"),
            "elasticity_scale": Prior("elasticity_scale", "HalfNormal", {"sigma": 0.3}, "r", "s"),
            "loading_count": Prior("loading_count", "HalfNormal", {"sigma": 2.0}, "r", "s"),
            "delegation_scale": Prior("delegation_scale", "Fixed", {"value": 0.1}, "r", "s"),
            "half_life": Prior("half_life", "HalfNormal", {"sigma": 6.0}, "r", "s")}  # fmt: skip
    agree(build_model(panel, priors=priors.replace(**half)))


def test_a_panel_without_some_families(panel):
    few = load_panel(states=STATES, first_year=2000, indicators=["trade_cow"])
    model = build_model(few)
    assert set(model.batches) == {"vote", "within", "anchor"}
    agree(model)


def test_named_quantities_are_those_of_the_model(panel):
    model = build_model(panel)
    packed = pack(model)
    written = model.pymc
    x = points(packed, 1)[0]
    ours = Density(model, packed).expand(x)
    shared = [n for n in ours if n in written.named_vars]
    every = {v.name for v in [*written.free_RVs, *written.deterministics]}
    left_out = {"pressure_step", "mean_step", "slope_step", "complementarity_error"}
    assert set(shared) == {n for n in every if not n.endswith("_raw")} - left_out
    inputs = [written.rvs_to_values[v] for v in written.free_RVs]
    outputs = written.replace_rvs_by_values([written[n] for n in shared])
    theirs = pytensor.function(inputs, outputs, on_unused_input="ignore", mode="FAST_COMPILE")(
        *[by_name(packed, x)[v.name] for v in inputs]
    )
    for name, value in zip(shared, theirs, strict=True):
        assert np.allclose(ours[name], value, atol=1e-12), name


def test_one_compilation_serves_every_panel(panel):
    kernels = (structure.read, structure.build, density.finish)
    Density(build_model(panel), pack(build_model(panel)))(pack(build_model(panel)).centre)
    before = [len(k.signatures) for k in kernels]
    for other in (load_panel(states=[*STATES[:3], "RUS"], first_year=1995, as_of="2012-06-30"),
                  load_panel(first_year=2010)):  # fmt: skip
        for reading in READINGS:
            model = build_model(other, reading=reading)
            packed = pack(model)
            value, grad = Density(model, packed)(packed.centre.copy())
            assert np.isfinite(value) and np.isfinite(grad).all()
    assert [len(k.signatures) for k in kernels] == before == [1, 1, 1]


def test_nothing_outside_a_chain_is_written(panel):
    model = build_model(panel)
    packed = pack(model)
    f, i = packed.f.copy(), packed.i.copy()
    one, two = Density(model, packed), Density(model, packed)
    a, b = points(packed, 2)
    first = one(a)
    two(b)
    again = one(a)
    assert first[0] == again[0] and np.array_equal(first[1], again[1])
    assert np.array_equal(f, packed.f) and np.array_equal(i, packed.i)


def test_a_gradient_is_the_same_wherever_its_numbers_lie(panel):
    model = build_model(panel)
    packed = pack(model)
    point, seen = points(packed, 1)[0], set()
    for offset in range(9):
        room = np.empty(packed.n_dim + 16)
        x = room[offset : offset + packed.n_dim]
        x[:] = point
        value, grad = Density(model, packed)(x)
        seen.add((value, grad.tobytes()))
    assert len(seen) == 1


@pytest.mark.parametrize("a", [1e-3, 0.4, 3.0, 80.0])
@pytest.mark.parametrize("n", [0.0, 1.0, 7.0, 31.0, 40.0, 2.5, 900.0])
def test_rising_factorials(a, n):
    value, slope = families.rising(a, n)
    assert np.isclose(value, special.gammaln(a + n) - special.gammaln(a), rtol=1e-9, atol=1e-9)
    assert np.isclose(slope, special.digamma(a + n) - special.digamma(a), rtol=1e-8, atol=1e-8)


def test_compiled_code_of_another_version_is_dropped(tmp_path):
    (tmp_path / "__pycache__").mkdir()
    kernel, old = tmp_path / "a.py", tmp_path / "__pycache__" / "a.f-1.py313.nbi"
    kernel.write_text("one")
    old.write_text("")
    assert drop_stale(tmp_path) and not old.exists()
    old.write_text("")
    assert not drop_stale(tmp_path) and old.exists()
    kernel.write_text("two")
    assert drop_stale(tmp_path) and not old.exists()


def test_zero_sum_and_its_adjoint():
    rng = np.random.default_rng(1)
    raw, out, adjoint, back = rng.normal(size=5), np.empty(6), rng.normal(size=6), np.zeros(5)
    structure.extend(raw, out)
    assert abs(out.sum()) < 1e-12 and np.isclose(out @ out, raw @ raw)
    structure.extend_back(adjoint, back)
    assert np.isclose(adjoint @ out, back @ raw)


def test_a_reading_is_printed_with_its_derivatives():
    assert arguments("common-enemy")[2:] == ("shared_pressure", "exponent")
    text = source("common-enemy")
    assert "partial[3, d, t]" in text and "math.log1p" in text
    assert compiled("drift") is compiled("drift")


def test_a_reading_that_cannot_be_printed_says_so(monkeypatch, panel):
    import jax.numpy as jnp

    from fairweather.readings import drift

    source.cache_clear()
    monkeypatch.setattr(
        drift, "drive", lambda xp, left, right, c: jnp.cumsum(jnp.stack([left["pressure"]] * 2))[1]
    )
    with pytest.raises(NotTraceable, match="cannot be compiled"):
        source("drift")
    source.cache_clear()


def test_what_the_kernels_do_not_know_is_refused(panel):
    priors = load_priors().replace(drift=Prior("drift", "HalfNormal", {"sigma": 1.0}, "r", "s"))
    with pytest.raises(NotCovered, match="drift"):
        pack(build_model(panel, priors=priors))


def test_a_bad_start_names_the_quantity(panel):
    model = build_model(panel)
    packed = pack(model)
    packed.f[packed.fo[slots.D_WITHIN_FLOOR]] = np.nan
    with pytest.raises(SamplerError, match=r"the gradient of .*residual_spare.* is not finite"):
        check_start(Density(model, packed))
    packed.f[packed.fo[slots.D_WITHIN_FLOOR]] = 0.0
    with pytest.raises(SamplerError, match="not finite at the start"):
        check_start(Density(model, packed))
