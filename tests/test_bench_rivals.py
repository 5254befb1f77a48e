"""The forms that rivals would write by hand state the posterior that ours states."""

import sys
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytensor
import pytest
import xarray as xr
from pymc.model.transform.optimization import freeze_dims_and_data
from pymc.sampling.jax import get_jaxified_logp

import fairweather as fw

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.append(str(ROOT))

from benchmarks.rivals import numpyro_form, textbook_pymc  # noqa: E402
from benchmarks.rivals.quantities import kept  # noqa: E402
from benchmarks.rivals.run import NAMES, run  # noqa: E402
from benchmarks.rivals.samplers import Compiling  # noqa: E402

from fairweather.errors import FairweatherError  # noqa: E402
from fairweather.gate import reported  # noqa: E402

POINTS = 3
# Each density is evaluated a dozen times: compiling it fast matters, not running it fast.
QUICK = {"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}


@pytest.fixture(scope="module")
def panel():
    return fw.load_panel(states=["CHN", "IND", "IRN", "RUS"], first_year=2008)


@pytest.fixture(scope="module")
def ours(panel):
    return fw.build_model(panel)


@pytest.fixture(scope="module")
def points(ours):
    """Random points of our model: density on the sampled scale, and every named quantity."""
    model, rng = freeze_dims_and_data(ours.pymc), np.random.default_rng(5)
    start = model.initial_point(random_seed=1)
    logp = jax.jit(get_jaxified_logp(model), compiler_options=QUICK)
    names = [v.name for v in [*model.free_RVs, *model.deterministics]]
    quantities = model.compile_fn(
        model.replace_rvs_by_values([model[n] for n in names]), mode="FAST_COMPILE"
    )
    out = []
    for _ in range(POINTS):
        point = {k: v + 0.4 * rng.standard_normal(np.shape(v)) for k, v in start.items()}
        density = float(logp([point[v.name] for v in model.value_vars]))
        out.append((density, dict(zip(names, quantities(point), strict=True))))
    return out


def as_sampled_by_rivals(panel, x):
    """Values of a rival's variables at one of our points; same names keep their values."""
    keep = 2.0 ** (-1.0 / x["pressure_half_life"])
    p = x["pressure"] - panel.anchor_mean
    z = np.concatenate(
        [p[:, :1] * np.sqrt(1.0 - keep**2), p[:, 1:] - keep * p[:, :-1]], axis=1
    ) / x["pressure_innovation"]  # fmt: skip
    own = (x["dyad_drift"] - x["drift"]) / x["dyad_drift_scale"]
    return x | {
        "pressure_shock": z, "dyad_drift_own": own, "level_own": x["level"] - x["grand_level"],
        "shock": x["shock_raw"], "state_shock": x["state_shock_raw"],
    }  # fmt: skip


def volume(panel, x, centred):
    """Log volume of a rival's sampling scale within ours: what the density is larger by.

    Ours states the densities of pressure and of the trends of dyads themselves, a rival those of
    their unit shocks and deviations.
    """
    trends = (len(panel.dyads) - 1) * np.log(x["dyad_drift_scale"])
    if centred:
        return trends
    keep = 2.0 ** (-1.0 / x["pressure_half_life"])
    n_state, n_year = x["pressure"].shape
    start = 0.5 * np.log(1.0 - keep**2)
    return trends + n_state * (n_year * np.log(x["pressure_innovation"]) - start)


class Rival:
    """A rival's density on its sampled scale, its flat levels integrated out."""

    def __init__(self, logp, sizes, to_sampled):
        self.names, self.cuts = list(sizes), np.cumsum([*sizes.values()])[:-1].tolist()
        self.at, self.to_sampled = jnp.zeros(sum(sizes.values())), to_sampled

        def density(v, values):
            levels = dict(zip(self.names, jnp.split(v, self.cuts), strict=True))
            return logp(values | levels)

        self.density = jax.jit(jax.value_and_grad(density), compiler_options=QUICK)

    def __call__(self, x):
        # Gaussian in each level alone, so one Newton step finds the top and the curvature.
        values = self.to_sampled(x)
        first = self.density(self.at, values)[1]
        information = first - self.density(self.at + 1.0, values)[1]
        top, slope = self.density(self.at + first / information, values)
        assert float(jnp.abs(slope).max()) < 1e-8 * float(jnp.abs(first).max())
        return float(top - 0.5 * jnp.log(information).sum())


def is_level(name):
    return name.endswith("_level") and name not in ("grand_level", "share_level")


def rival_pymc(panel, priors, centred):
    model = freeze_dims_and_data(textbook_pymc.build(panel, priors, centred_pressure=centred))
    order = [v.name for v in model.value_vars]
    start = model.initial_point()
    logp = get_jaxified_logp(model)
    known = [rv for rv in model.free_RVs if not is_level(rv.name)]
    given = [rv.clone() for rv in known]
    sampled = []
    for rv, value in zip(known, given, strict=True):
        transform = model.rvs_to_transforms[rv]
        sampled.append(transform.forward(value, *rv.owner.inputs) if transform else value)
    forward = pytensor.function(given, sampled, mode="FAST_COMPILE", on_unused_input="ignore")
    names = [model.rvs_to_values[rv].name for rv in known]

    def to_sampled(x):
        x = as_sampled_by_rivals(panel, x)
        out = forward(*(x[rv.name] for rv in known))
        return {k: jnp.asarray(v) for k, v in zip(names, out, strict=True)}

    sizes = {k: len(v) for k, v in start.items() if is_level(k)}
    return Rival(lambda values: logp([values[n] for n in order]), sizes, to_sampled)


def rival_numpyro(panel, priors, centred):
    from numpyro import handlers
    from numpyro.infer import init_to_uniform
    from numpyro.infer.util import potential_energy, unconstrain_fn

    model = numpyro_form.build(panel, priors, centred_pressure=centred)

    def drawn():
        started = handlers.substitute(handlers.seed(model, 0), substitute_fn=init_to_uniform())
        sites = handlers.trace(started).get_trace()
        return {k: v["value"] for k, v in sites.items()
                if v["type"] == "sample" and not v["is_observed"]}  # fmt: skip

    free = jax.eval_shape(drawn)
    levels = {k: jnp.zeros(v.shape) for k, v in free.items() if is_level(k)}

    @partial(jax.jit, compiler_options=QUICK)
    def unconstrain(known):
        out = unconstrain_fn(model, (), {}, known | levels)
        return {k: v for k, v in out.items() if k in known}

    def to_sampled(x):
        x = as_sampled_by_rivals(panel, x)
        return unconstrain({k: jnp.asarray(x[k]) for k in free if not is_level(k)})

    sizes = {k: len(v) for k, v in levels.items()}
    return Rival(lambda values: -potential_energy(model, (), {}, values), sizes, to_sampled)


@pytest.mark.parametrize("centred", [False, True])
@pytest.mark.parametrize("rival", [rival_pymc, rival_numpyro])
def test_a_rival_has_our_density(panel, ours, points, rival, centred):
    rival = rival(panel, ours.priors, centred)
    # Sampling another scale of pressure changes the density by its volume, which is known.
    got = np.array([rival(x) - volume(panel, x, centred) for _, x in points])
    density = np.array([d for d, _ in points])
    assert np.ptp(density) > 10.0
    np.testing.assert_allclose(got - density, (got - density)[0], rtol=0, atol=1e-5)


def test_the_quantities_compared_are_ours(panel, ours):
    made = {v.name for v in [*ours.pymc.free_RVs, *ours.pymc.deterministics]}
    assert set(kept(panel)) <= made
    made = {v.name for v in textbook_pymc.build(panel, ours.priors).unobserved_RVs}
    assert set(kept(panel)) <= made


def test_a_run_that_the_clock_ends_says_where_it_was(panel):
    out = run("numpyro", panel, 1000, 1000, 1, 1, timeout=0.5)
    assert (out["finished"], out["stage"]) == (False, "compile")
    assert 0.5 <= out["wall_s"] < 10.0 and "draws" not in out


def test_impossible_runs_are_refused(panel):
    with pytest.raises(FairweatherError, match="unknown form 'stan'"):
        run("stan", panel, 10, 10, 1, 1)
    with pytest.raises(FairweatherError, match="draws = 0"):
        run("numpyro", panel, 0, 10, 1, 1)


def test_nested_compile_stretches_count_once():
    compiling = Compiling.__new__(Compiling)
    compiling.stretches = [(1.0, 2.0), (0.5, 4.0), (3.5, 5.0), (8.0, 9.0)]
    assert compiling.between(0.0, 10.0) == pytest.approx(5.5)
    assert compiling.between(4.5, 8.5) == pytest.approx(1.0)


FEW = ("unga_votes", "gsdb_us_cases", "trade_cow", "arms_deliveries", "unsc_joint_veto")


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("form", NAMES)
def test_every_form_runs_and_says_what_it_cost(form):
    panel = fw.load_panel(states=["CHN", "IRN", "RUS"], first_year=2015, indicators=FEW)
    out = run(form, panel, 30, 40, 2, 1, timeout=800)
    assert (out["finished"], out["stage"]) == (True, "done")
    assert out["sampler"] == {"pymc-default": "nutpie", "pymc-nuts": "pymc"}.get(form, form)
    assert min(out[k] for k in ("compile_s", "sample_s", "ms_per_gradient", "peak_gb")) > 0.0
    assert out["build_s"] + out["sample_s"] + out["compile_s"] < out["wall_s"]
    assert 1.0 <= out["steps_per_draw"] <= 1023.0 and out["min_ess_bulk"] > 0.0
    shapes = {k: v.shape for k, v in out["draws"].items()}
    assert shapes["half_life"] == (2, 30) and shapes["elasticity"] == (2, 30, 3)
    assert shapes["alignment"] == (2, 30, 1, len(panel.years))
    assert shapes["pressure_origin"] == (2, 30, 3)


@pytest.fixture(scope="module")
def our_means(panel):
    tree = fw.fit(panel, draws=1500, tune=500, chains=2, random_seed=3, progressbar=False)
    return moments({str(k): v.to_numpy() for k, v in reported(tree).data_vars.items()})


def moments(draws):
    """Posterior mean and its Monte Carlo error, element by element."""
    import arviz_stats as az

    out = {}
    for name, x in draws.items():
        flat = np.asarray(x, float).reshape(*x.shape[:2], -1)
        data = xr.Dataset({"x": (("chain", "draw", "element"), flat)})
        out[name] = flat.mean(axis=(0, 1)), az.mcse(data, method="mean")["x"].to_numpy()
    return out


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("form", ["numpyro", "pymc-default"])
def test_a_rival_has_our_posterior(panel, our_means, form):
    out = run(form, panel, 750, 500, 2, 7, timeout=1500)
    assert out["finished"], out["stage"]
    theirs = moments(out["draws"])
    assert set(theirs) == set(our_means)
    z = []
    for name, (mean, error) in our_means.items():
        other, other_error = theirs[name]
        total = np.hypot(error, other_error)
        z.append(((mean - other) / total)[total > 0])
    z = np.concatenate(z)
    assert len(z) > 150 and np.abs(z).max() < 5.0 and np.sqrt((z**2).mean()) < 1.6
