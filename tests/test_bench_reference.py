"""The forms of the reference problem are one posterior, and are judged by one measure."""

import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.append(str(ROOT))

from benchmarks.reference import laplace as L  # noqa: E402
from benchmarks.reference import measure, numpyro_form, ours, textbook_pymc  # noqa: E402
from benchmarks.reference import problem as P  # noqa: E402

SMALL = (4, 6)


@pytest.fixture(scope="module")
def data():
    return P.make(*SMALL)


@pytest.fixture(scope="module")
def geometry(data):
    """Far from the mode on purpose: the density may not depend on where the geometry stands."""
    rng = np.random.default_rng(3)
    D, T = data.shape
    root = np.tril(0.1 * rng.normal(size=(L.SIZE, L.SIZE))) + 0.2 * np.eye(L.SIZE)
    axes = np.linalg.qr(rng.normal(size=(D, T, T)))[0] * rng.uniform(0.5, 1.5, size=(D, 1, T))
    follow = 0.2 * rng.normal(size=(D, T, L.SIZE))
    return L.Geometry(L.START, root, 0.3 * rng.normal(size=(D, T)), follow, axes,
                      rng.uniform(0.0, 9.0, size=(D, T)))  # fmt: skip


@pytest.fixture(scope="module")
def points(data, geometry):
    """Random points (v, u), and what `ours` makes of them: parameters, path, log density."""
    import pymc as pm

    model = ours.build(data, geometry)
    names = [*P.PARAMETERS, "z"]
    outputs = model.replace_rvs_by_values([model[n] for n in names])
    back = pm.compile(model.value_vars, outputs, mode="FAST_COMPILE")
    logp = model.compile_logp(mode="FAST_COMPILE")
    size = data.z.size

    def natural(x):
        out = back(x[: L.SIZE], x[L.SIZE :].reshape(data.shape))
        return dict(zip(names, out, strict=True))

    def flat(p):
        return np.concatenate([np.ravel(p[n]) for n in names])

    rng = np.random.default_rng(11)
    out = []
    for _ in range(4):
        x = 0.7 * rng.normal(size=L.SIZE + size)
        steps = 1e-5 * np.eye(x.size)
        jacobian = np.stack([(flat(natural(x + h)) - flat(natural(x - h))) / 2e-5 for h in steps])
        volume = np.linalg.slogdet(jacobian)[1]
        value = logp({"v": x[: L.SIZE], "u": x[L.SIZE :].reshape(data.shape)})
        out.append((natural(x), float(value) - volume))
    return out


def innovations(p, X):
    """Shocks that make the path, and the log volume of shocks -> path."""
    gap = p["z"] - X @ p["beta"]
    gap[:, 1:] -= p["rho"] * p["z"][:, :-1]
    gap[:, 0] *= np.sqrt(1 - p["rho"] ** 2)
    D = gap.shape[0]
    volume = gap.size * np.log(p["sigma"]) - D / 2 * np.log(1 - p["rho"] ** 2)
    return gap / p["sigma"], volume


def textbook(data):
    model = textbook_pymc.build(data)
    logp = model.compile_logp(jacobian=False, mode="FAST_COMPILE")

    def density(p):
        e, volume = innovations(p, data.X)
        values = {"e": e, "beta": p["beta"], "a": p["a"]}
        for name in ("rho", "sigma", "loading", "phi", "s", "cuts"):
            rv = model[name]
            args = rv.owner.inputs
            moved = model.rvs_to_transforms[rv].forward(np.asarray(p[name]), *args).eval()
            values[model.rvs_to_values[rv].name] = moved
        return float(logp(values)) - volume

    return density


def numpyro_(data):
    import jax
    from numpyro.infer.util import log_density

    def density(p):
        e, volume = innovations(p, data.X)
        values = {k: p[k] for k in P.PARAMETERS} | {"e": e}
        with jax.enable_x64(True):
            value = log_density(numpyro_form.program(data), (), {}, values)[0]
        return float(value) - volume

    return density


def laplace(data):
    return lambda p: L.log_joint(p, p["z"], data)


@pytest.mark.parametrize("other", [textbook, numpyro_, laplace])
def test_the_forms_share_one_density(points, data, other):
    density = other(data)
    apart = [value - density(p) for p, value in points]
    scale = np.ptp([value for _, value in points])
    assert scale > 10  # the points differ by far more than the forms may
    assert np.ptp(apart) < 2e-5 * max(scale, 1.0), apart


def test_the_data_set_is_what_it_says():
    data = P.make()
    assert data.shape == (30, 25) and data.z.size == 750
    total = 0
    for family in P.FAMILIES:
        r = data.rows[family]
        assert len(np.unique(r.cell)) == len(r.cell) and np.isfinite(r.y).all()
        assert 0.75 < len(r.cell) / 750 < 0.85
        total += len(r.cell)
    assert abs(total - 3000) < 75
    assert set(np.unique(data.rows["ordinal"].y)) == set(range(P.LEVELS))
    again = P.make.__wrapped__()
    np.testing.assert_array_equal(data.z, again.z)
    for family in P.FAMILIES:
        np.testing.assert_array_equal(data.rows[family].y, again.rows[family].y)


def test_the_derivatives_of_the_likelihood_are_right(data):
    rng = np.random.default_rng(5)
    p = L.unpack(L.START + 0.2 * rng.normal(size=L.SIZE))
    z = rng.normal(size=data.shape)
    value, first, second = L.log_rows(p, z, data)
    h = 1e-4
    for k in range(z.size):
        step = np.zeros(z.size)
        step[k] = h
        up, down = (L.log_rows(p, z + s * step.reshape(z.shape), data)[0] for s in (1, -1))
        assert first[k] == pytest.approx((up - down) / (2 * h), abs=1e-5)
        assert second[k] == pytest.approx(-(up - 2 * value + down) / h**2, abs=1e-4)


def test_the_path_of_the_approximation_is_its_mode(data):
    t = L.START
    z, w, value = L.mode(t, np.zeros(data.shape), data)
    rng = np.random.default_rng(2)
    best = L.log_joint(L.unpack(t), z, data)
    for _ in range(5):
        moved = z + 1e-2 * rng.normal(size=z.shape)
        assert L.log_joint(L.unpack(t), moved, data) < best
    assert (w >= 0).all() and np.isfinite(value)


def test_a_report_finds_the_worst_quantity():
    rng = np.random.default_rng(1)
    draws = {"rho": rng.normal(size=(4, 500)), "z": rng.normal(size=(4, 500, 3, 2))}
    draws["z"][:, :, 2, 1] = np.repeat(draws["z"][:, ::10, 2, 1], 10, axis=1)
    run = measure.report(
        draws, steps=np.full((4, 500), 7), warmup_steps=np.full((4, 100), 15), divergences=0,
        energy=rng.normal(size=(4, 500)), compile_s=2.0, sample_s=4.0, prepare_s=1.0, cores=2,
        label="made",
    )  # fmt: skip
    assert run["gradients"] == 4 * (500 * 7 + 100 * 15) and run["steps_per_draw"] == 7
    assert run["ms_per_gradient"] == pytest.approx(8000 / run["gradients"])
    found = measure.judge(run)
    assert found["worst"][0][0] == "z[2, 1]" and found["min_ess_bulk"] < 400
    assert found["ess_per_s"] == pytest.approx(found["min_ess_bulk"] / 4)
    assert found["ess_per_s_all"] == pytest.approx(found["min_ess_bulk"] / 7)


@pytest.mark.long
@pytest.mark.filterwarnings("ignore")
def test_the_forms_agree_within_monte_carlo_error():
    import arviz_stats as az
    from scipy.stats import norm

    runs = [
        ours.run(draws=500, tune=200, chains=2, seed=5),
        textbook_pymc.run(draws=500, tune=400, chains=2, seed=6),
        numpyro_form.run(draws=300, tune=300, chains=2, seed=7),
    ]
    mean, error = [], []
    for run in runs:
        flat = [v.reshape(*v.shape[:2], -1) for v in run["draws"].values()]
        x = np.concatenate(flat, axis=2)
        mean.append(x.mean(axis=(0, 1)))
        mcse = [az.mcse(x[..., k], chain_axis=0, draw_axis=1) for k in range(x.shape[2])]
        error.append(np.array(mcse, dtype=float))
    n = mean[0].size
    bound = norm.isf(0.001 / (2 * 2 * n))  # one false alarm in a thousand, over all comparisons
    for other in (1, 2):
        z = (mean[0] - mean[other]) / np.hypot(error[0], error[other])
        assert np.abs(z).max() < bound, (other, np.abs(z).max())
        # Were the errors overstated, the bound would catch nothing.
        assert 0.5 < z.std() < 1.5


def test_the_table_takes_the_quickest_repeat():
    from benchmarks.reference import table

    runs = [dict.fromkeys(table.COLUMNS, 1.0) | {"form": "ours", "sample_s": s, "ess_per_s": 8 / s}
            for s in (4.0, 2.0, 8.0)]  # fmt: skip
    row = table.quickest(runs)
    assert row["sample_s"] == 2.0 and row["range"] == [1.0, 4.0]
    assert table.line(row).startswith("ours") and "1-4" in table.line(row)


def test_compile_time_is_not_counted_twice():
    assert numpyro_form.covered([(0.0, 4.0), (1.0, 2.0), (3.0, 5.0), (7.0, 8.0)]) == 6.0
