"""Ranks are uniform where they must be, flagged where they are not, and a killed run goes on."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import typer
import xarray as xr
from typer.testing import CliRunner

from fairweather import calibration as c
from fairweather import uniformity as u
from fairweather.cli_calibrate import calibrate as command
from fairweather.cli_calibrate import verdict
from fairweather.figures.ranks import caption, plot_ranks
from fairweather.figures.style import save
from fairweather.gauges import GROUPS, gauges
from fairweather.measurement import PARAMETERS, get_family
from fairweather.measurement.batch import apply_filter, invert_filter
from fairweather.measurement.vote import score
from fairweather.model import Space, build_model, past_deviation, prepare
from fairweather.priors import load_priors
from fairweather.resume import CalibrationError, Store
from fairweather.simulate import simulate_world
from fairweather.structure import paths, stacked, targets

PRIORS = load_priors()


@pytest.fixture(autouse=True, scope="module")
def _fewer_trials():
    """P values to 1e-4 are fine enough here, and ten times as quick."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(u, "_TRIALS", 10_000)
        u._reference.cache_clear()
        yield
    u._reference.cache_clear()


def toy(job, *, shift=0.0, width=1.0):
    """One datum of known spread under a normal prior: the posterior is normal with SD 0.7."""
    rng = np.random.default_rng(job["seed"])
    if "TOY_LOG" in os.environ:
        with Path(os.environ["TOY_LOG"]).open("a") as log:
            log.write(f"{job['seed']}\n")
        time.sleep(0.1)
    theta = rng.normal(size=3)
    y = theta + rng.normal(size=3)
    draws = y / 2 + shift + width * np.sqrt(0.5) * rng.normal(size=(job["ranks"], 3))
    quantities = {
        name: {"group": "dynamics", "rank": int((draws[:, k] < theta[k]).sum()),
               "truth": theta[k], "mean": draws[:, k].mean(), "sd": draws[:, k].std(),
               "ess": 400.0}
        for k, name in enumerate(("a", "b", "fit[vote]"))
    }  # fmt: skip
    return {"seed": job["seed"], "quantities": quantities, "divergences": 0, "max_rhat": 1.0,
            "min_ess": 400.0, "seconds": 0.0, "failed": ""}  # fmt: skip


def biased(job):
    return toy(job, shift=0.35)


def overconfident(job):
    return toy(job, width=0.6)


def timid(job):
    return toy(job, width=1.7)


def sometimes_lost(job):
    if job["seed"] % 4 == 0:
        return toy(job) | {"quantities": {}, "failed": "no luck"}
    return toy(job)


def sometimes_raising(job):
    if "TOY_RAISES" in os.environ and job["seed"] % 4 == 0:
        raise RuntimeError("no luck")
    return toy(job)


def run(folder, task=toy, sims=150, **options):
    return c.calibrate(folder, sims=sims, task=task, workers=1, **options)


# --- ranks ---------------------------------------------------------------------------------------


def test_p_values_are_uniform_where_ranks_are():
    rng, bins, n = np.random.default_rng(1), 50, 90
    runs = [rng.integers(0, bins, n) for _ in range(600)]
    p = np.array([u.p_value(r, bins) for r in runs])
    for level in (0.05, 0.2, 0.5, 0.8):
        assert abs((p <= level).mean() - level) < 4 * np.sqrt(level * (1 - level) / 600) + 0.01
    kept = np.mean([u.inside(r, bins) for r in runs])
    assert 0.91 < kept < 0.985
    # Band and p value are two looks at one statistic.
    clear = np.abs(p - 0.05) > 0.02
    assert all(u.inside(r, bins) == (v > 0.05) for r, v, k in zip(runs, p, clear, strict=True) if k)


def test_bands_hold_at_all_points_at_once():
    lower, upper = u.band(120, 100)
    assert lower.shape == upper.shape == (99,) and (lower < 0).all() and (upper > 0).all()
    # Wider than a band that holds at one point alone.
    z = u.edges(100)
    assert (upper > 1.96 * np.sqrt(z * (1 - z) / 120) - 1 / 120).all()
    assert u.band(480, 100)[1].max() < 0.6 * upper.max()
    lower[:] = 9.0
    assert u.band(120, 100)[0].max() < 0
    with pytest.raises(ValueError, match="does not fit"):
        u.below([4], 4)


def test_true_posteriors_pass(tmp_path):
    found = run(tmp_path / "run")
    assert found.passed and found.failed == found.troubled == 0
    assert len(found.table) == 3 and (found.table["n"] == 150).all()
    assert "Calibrated." in verdict(found)


@pytest.mark.parametrize("task", [biased, overconfident, timid])
def test_wrong_posteriors_are_flagged(tmp_path, task):
    found = run(tmp_path / "run", task)
    assert not found.passed
    assert (found.table["p_holm"] < c.ADJUSTED).all() and not found.table["inside"].any()
    assert "Not calibrated." in verdict(found) and "Off (Holm" in verdict(found)


def test_holm_is_not_fooled_by_many_quantities():
    rng = np.random.default_rng(5)
    results = {
        f"{n}": {
            "seed": n, "divergences": 0, "max_rhat": 1.0, "min_ess": 400.0, "seconds": 0.0,
            "failed": "",
            "quantities": {
                f"q{k}": {"group": "dynamics", "rank": int(rng.integers(0, 100)), "truth": 0.0,
                          "mean": 0.0, "sd": 1.0, "ess": 50.0 if k == 0 else 400.0}
                for k in range(80)
            },
        }
        for n in range(100)
    }  # fmt: skip
    found = c.judge(results, 100)
    assert found.passed and (found.table["p_value"] < 0.05).any()
    assert found.table["low_ess"].tolist() == [1.0] + [0.0] * 79


# --- what is ranked ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def world():
    return simulate_world(c.small_panel(), PRIORS, random_seed=3, whole=False)


@pytest.fixture(scope="module")
def model(world):
    return build_model(world.panel(), priors=PRIORS)


def _truth(world):
    own = {"alignment": world.alignment, "pressure": world.pressure, "words": world.words}
    return {**world.parameters, **own}


def test_the_small_world_has_all_there_is(model):
    assert set(model.batches) == set(PARAMETERS)
    assert any(model.batches[f].shifted for f in ("within", "count"))
    assert {"CHN", "RUS"} <= set(model.panel.states)
    assert model.space.relative.min() < 0.01 < 0.5 < model.space.relative.max()


def test_truth_and_draws_are_measured_alike(world, model):
    truth = _truth(world)
    right = gauges(truth, model.panel, model.batches)
    assert {group for group, _ in right.values()} == set(GROUPS)
    wanted = {"half_life", "elasticity[RUS]", "pressure[CHN, 2008]", "alignment[CHN-RUS, 2020]",
              "feedback", "fit[vote]", "fit[within]", "fit[count]", "fit[share]", "fit[anchor]",
              "share_level[unsc_joint_veto]", "residual_within[us_aid]"}  # fmt: skip
    assert wanted <= set(right)
    focal, russia = model.panel.dyads.index("CHN-RUS"), model.panel.states.index("RUS")
    assert right["alignment[CHN-RUS, 2014]"][1] == world.alignment[focal, 6]
    assert right["pressure[RUS, 2020]"][1] == world.pressure[russia, -1]
    assert right["elasticity[RUS]"][1] == world.parameters["elasticity"][russia]
    many = {k: np.stack([np.asarray(v, float)] * 3) for k, v in truth.items()}
    for label, (group, value) in gauges(many, model.panel, model.batches).items():
        assert group == right[label][0] and value.shape == (3,)
        np.testing.assert_allclose(value, float(right[label][1]))


def _tree(truth, offset):
    dims = {}
    for name, value in truth.items():
        value = np.asarray(value, float)
        own = tuple(f"{name}_{k}" for k in range(value.ndim))
        draws = value + offset.reshape(2, -1, *(1,) * value.ndim)
        dims[name] = (("chain", "draw", *own), draws)
    stats = xr.Dataset({"diverging": (("chain", "draw"), np.zeros((2, offset.size // 2), bool))})
    return xr.DataTree.from_dict({"posterior": xr.Dataset(dims), "sample_stats": stats})


def test_ranks_count_the_draws_below(world, model):
    truth = _truth(world)
    offset = np.random.default_rng(1).permutation(np.linspace(-1e-3, 2e-3, 30))
    found = c.compare(truth, _tree(truth, offset), model, 30, np.random.default_rng(0))
    below = int((offset < 0).sum())
    plain = {k: q for k, q in found.items() if q["group"] != "data"}
    assert {q["rank"] for q in plain.values()} == {below} and len(plain) > 60
    one = found["half_life"]
    assert one["truth"] == world.parameters["half_life"]
    np.testing.assert_allclose(one["mean"] - one["truth"], offset.mean(), atol=1e-9)
    assert one["lower"] < one["mean"] < one["upper"] and one["above"] == 1.0
    # Ties are broken by lot, not always to one side.
    same = _tree(truth, np.zeros(30) + 1e-3 * (np.arange(30) == 0))
    lots = {
        c.compare(truth, same, model, 29, np.random.default_rng(s))["half_life"]["rank"]
        for s in range(8)
    }
    assert len(lots) > 4
    with pytest.raises(CalibrationError, match="30 draws, but 31"):
        c.compare(truth, _tree(truth, offset), model, 31, np.random.default_rng(0))


@pytest.mark.parametrize("family", ["within", "count", "share", "anchor"])
def test_fit_to_the_data_is_the_log_likelihood(world, model, family):
    import pytensor.tensor as pt

    batch, values = model.batches[family], []
    for scale in (1.0, 1.1):
        x = {k: np.asarray(v, float) * scale for k, v in _truth(world).items()}
        x["delegation"] = np.zeros((len(model.panel.years), len(model.panel.states)))
        par = {k: pt.as_tensor(x[v]) for k, v in PARAMETERS[family].items() if v in x}
        latent = batch.read(stacked(model.panel, x))
        exact = float(get_family(family).logp(batch, pt.as_tensor(latent), par).eval())
        values.append(gauges(x, model.panel, model.batches)[f"fit[{family}]"][1] - exact)
    np.testing.assert_allclose(values[0], values[1], atol=1e-8)


# --- the simulator draws from what the model evaluates --------------------------------------------


def test_constants_of_the_design_are_not_read_off_the_simulated_rows(world):
    source, shown = c.small_panel(), world.panel()
    before, after = prepare(source, PRIORS), prepare(shown, PRIORS)
    np.testing.assert_allclose(after["within"].extra["floor"], before["within"].extra["floor"])
    np.testing.assert_array_equal(Space.of(shown).relative, Space.of(source).relative)
    for one, two in zip(before["vote"].extra["filter"], after["vote"].extra["filter"], strict=True):
        np.testing.assert_array_equal(one, two)
    assert not np.allclose(shown.anchor_fill, source.anchor_fill)
    # Also of a world simulated from a simulated world.
    again = simulate_world(shown, PRIORS, random_seed=4, whole=False).panel()
    np.testing.assert_allclose(
        prepare(again, PRIORS)["within"].extra["floor"], before["within"].extra["floor"]
    )


def test_votes_keep_the_logit_that_was_drawn(world):
    votes = world.rows["unga_votes"]
    y = score(votes["value"], votes["partial"], votes["n"])
    batch = prepare(world.panel(), PRIORS)["vote"]
    at = np.searchsorted(batch.unit, votes["unit"])
    np.testing.assert_allclose(batch.y[at, votes["time"]], y)
    own = world.parameters
    delegation = own["delegation"][:, world.source.left] + own["delegation"][:, world.source.right]
    latent = world.alignment + delegation.T + batch.extra["basis"] @ own["agenda"]
    r = np.where(batch.mask, batch.y - latent[batch.unit], 0.0)
    e = apply_filter(np, r, batch.extra["filter"])[batch.mask]
    # Whitened residuals of one world: standard normal, not clipped and not rounded.
    assert abs(e.std() - 1.0) < 0.2 and len(np.unique(e.round(9))) == len(e)


@pytest.mark.parametrize("family", ["vote", "within"])
def test_residuals_are_those_the_likelihood_whitens(family):
    batch = prepare(c.small_panel(), PRIORS)[family]
    e = np.random.default_rng(2).normal(size=batch.mask.shape)
    back = apply_filter(np, invert_filter(e, batch.extra["filter"]), batch.extra["filter"])
    np.testing.assert_allclose(back, np.where(batch.mask, e, 0.0), atol=1e-9)


def test_pressure_answers_to_nothing_later(world):
    panel, par = c.small_panel(), world.parameters
    look = past_deviation(len(panel.years)).T
    eps = np.zeros(world.alignment.shape)
    common = np.zeros((len(panel.years) - 1, len(panel.states)))

    def company(pressure):
        target, _ = targets(panel, "elastic-side", par, pressure, world.complementarity)
        return paths(panel, par, target, eps, common)[0] @ look

    before = company(world.pressure)
    for t in (1, 6, 12):
        moved = world.pressure.copy()
        moved[:, t] += 1.0
        change = company(moved) - before
        np.testing.assert_allclose(change[:, :t], 0.0, atol=1e-9)
        assert np.abs(change[:, t:]).max() > 1e-3


# --- runs ----------------------------------------------------------------------------------------

SCRIPT = """
import sys
sys.path.insert(0, {tests!r})
import test_calibration as t
t.u._TRIALS = 10_000
t.run(sys.argv[1], sims=12)
"""


def _tables(folder):
    return {f.name: f.read_bytes() for f in sorted(Path(folder).glob("*.csv"))}


def test_a_killed_run_goes_on_to_the_same_tables(tmp_path):
    script = SCRIPT.format(tests=str(Path(__file__).parent))
    folder, log = tmp_path / "killed", tmp_path / "log"
    start = [sys.executable, "-c", script, str(folder)]
    environment = os.environ | {"TOY_LOG": str(log)}
    with subprocess.Popen(start, env=environment) as process:
        for _ in range(600):
            if len(list(folder.glob("sims/*.json"))) >= 3:
                break
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
    kept = {f.stem: json.loads(f.read_text())["seed"] for f in folder.glob("sims/[0-9]*.json")}
    assert 3 <= len(kept) < 12 and not _tables(folder)
    subprocess.run(start, env=environment, check=True)
    run(tmp_path / "whole", sims=12)
    assert _tables(folder) == _tables(tmp_path / "whole") != {}
    assert set(_tables(folder)) == {"calibration.csv", "ranks.csv", "runs.csv"}
    done = [int(line) for line in log.read_text().split()]
    # What was kept was not done again, and all was done.
    assert all(done.count(seed) == 1 for seed in kept.values()) and len(set(done)) == 12
    assert not list(folder.glob("**/.*.json.[0-9]*"))[1:]


def test_a_larger_run_adds_to_a_smaller(tmp_path):
    few = run(tmp_path / "run", sims=6)
    more = run(tmp_path / "run", sims=9)
    both = more.ranks[more.ranks["sim"].isin(few.ranks["sim"])].reset_index(drop=True)
    assert both.equals(few.ranks) and len(more.runs) == 9
    assert more.runs["seed"].is_unique


def test_a_folder_of_other_settings_is_refused(tmp_path):
    run(tmp_path / "run", sims=2)
    with pytest.raises(CalibrationError, match=r"other settings: draws was 1000, is now 800"):
        run(tmp_path / "run", sims=2, draws=800)
    with pytest.raises(CalibrationError, match=r"reading was elastic-side, is now drift; seed was"):
        run(tmp_path / "run", sims=2, seed=5, reading="drift")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.txt").write_text("mine")
    with pytest.raises(CalibrationError, match="holds no calibration"):
        run(tmp_path / "other", sims=2)
    assert [f.name for f in (tmp_path / "other").iterdir()] == ["thesis.txt"]
    for wrong in ({"sims": 0}, {"ranks": 5000}):
        with pytest.raises(CalibrationError, match="cannot be run"):
            run(tmp_path / "new", **wrong)
    assert not (tmp_path / "new").exists()


def test_other_code_is_another_setting(tmp_path, monkeypatch):
    run(tmp_path / "run", sims=2)
    monkeypatch.setattr(c, "code_hash", lambda: "0" * 64)
    with pytest.raises(CalibrationError, match="code was"):
        run(tmp_path / "run", sims=2)


def test_worlds_without_draws_are_counted_and_fail_a_run(tmp_path):
    found = run(tmp_path / "run", sometimes_lost, sims=60)
    assert found.failed > 3 and not found.passed
    assert (found.table["n"] == 60 - found.failed).all()
    assert (found.runs.loc[found.runs["failed"] != "", "failed"] == "no luck").all()
    assert f"{found.failed} without draws" in verdict(found)


def test_a_job_that_broke_is_counted_and_tried_again(tmp_path, monkeypatch):
    monkeypatch.setenv("TOY_RAISES", "1")
    found = run(tmp_path / "run", sometimes_raising, sims=20)
    assert found.failed > 1 and "no luck" in found.runs["failed"].max()
    monkeypatch.delenv("TOY_RAISES")
    again = run(tmp_path / "run", sometimes_raising, sims=20)
    assert again.failed == 0 and len(again.runs) == 20


def test_a_store_keeps_files_whole(tmp_path):
    store = Store(tmp_path / "s", {"kind": "x"})
    store.write("a", {"x": 1.5})
    assert store.load(["a", "b"]) == {"a": {"x": 1.5}}
    with pytest.raises(TypeError):
        store.write("b", {"x": object()})
    assert store.load(["a", "b"]) == {"a": {"x": 1.5}}


@pytest.mark.parametrize("text", [b"{", b"", b"[1]", b"3", b"\xff"])
def test_damaged_settings_are_told_with_a_way_on(tmp_path, text):
    Store(tmp_path / "s", {"kind": "x"})
    (tmp_path / "s" / "settings.json").write_bytes(text)
    with pytest.raises(CalibrationError, match=r"^settings.json: .*/s' .*Name a new folder"):
        Store(tmp_path / "s", {"kind": "x"})


def test_a_damaged_result_is_told_with_a_way_on(tmp_path):
    store = Store(tmp_path / "s", {"kind": "x"})
    store.write("a", 1)
    (tmp_path / "s" / "sims" / "b.json").write_text("{")
    assert store.load(["a"]) == {"a": 1}
    with pytest.raises(CalibrationError, match=r"^b.json: .* is damaged.*Delete the file"):
        store.load(["a", "b"])


def test_a_run_killed_at_its_very_start_goes_on(tmp_path):
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / ".settings.json.4711").write_text('{"ki')
    assert Store(tmp_path / "s", {"kind": "x"}).load(["a"]) == {}
    (tmp_path / "s" / "sims").rmdir()
    Store(tmp_path / "s", {"kind": "x"}).write("a", 1)
    assert Store(tmp_path / "s", {"kind": "x"}).load(["a"]) == {"a": 1}


# --- what is shown -------------------------------------------------------------------------------


def test_the_figure_marks_what_leaves_the_band(tmp_path):
    good, bad = run(tmp_path / "good"), run(tmp_path / "bad", overconfident)
    fig = plot_ranks(bad)
    (ax,) = fig.axes
    assert [t.get_text() for t in ax.get_legend().get_texts()] == list(
        bad.table.sort_values("p_value", ascending=False)["quantity"]
    )
    assert plot_ranks(good).axes[0].get_legend() is None or not good.table["inside"].all()
    assert "3 of 3 quantities leave it" in caption(bad) and "150 worlds" in caption(bad)
    files = save(fig, "ranks", tmp_path / "figures")
    assert [f.name for f in files] == ["ranks.pdf", "ranks.png", "ranks.txt"]


def _cli(monkeypatch, task, *arguments):
    original = c.calibrate
    monkeypatch.setattr(c, "calibrate", lambda *a, **k: original(*a, **k, task=task))
    app = typer.Typer()
    app.command()(command)
    return CliRunner().invoke(app, [*arguments, "--workers", "1", "--no-recovery"])


def test_the_command_ends_in_0_or_3(tmp_path, monkeypatch):
    good = _cli(monkeypatch, toy, "--out", str(tmp_path / "good"), "--sims", "100")
    assert good.exit_code == 0 and "Calibrated." in good.output
    assert "dynamics of alignment" in good.output and "mean rank" in good.output
    assert "fit[vote]" in good.output  # not taken for markup
    folder = tmp_path / "good"
    assert {f.name for f in folder.iterdir()} == {
        "sims", "settings.json", "ranks.csv", "runs.csv", "calibration.csv", "ranks.pdf",
        "ranks.png", "ranks.txt",
    }  # fmt: skip
    monkeypatch.undo()
    bad = _cli(monkeypatch, biased, "--out", str(tmp_path / "bad"), "--sims", "100", "--quiet")
    assert bad.exit_code == 3 and "Not calibrated." in bad.output
    assert len(bad.output.splitlines()) == 1


# --- the real thing ------------------------------------------------------------------------------


@pytest.mark.slow
def test_two_worlds_are_simulated_fitted_and_ranked(tmp_path):
    found = c.calibrate(tmp_path / "run", sims=2, draws=200, tune=300, workers=1)
    assert found.failed == 0 and (found.table["n"] == 2).all()
    assert len(found.table) > 60 and set(found.table["group"]) == set(GROUPS)
    z = (found.ranks["mean"] - found.ranks["truth"]) / found.ranks["sd"]
    assert np.abs(z).max() < 6 and 0.5 < z.std() < 1.6
    assert found.ranks["rank"].between(0, 99).all()
