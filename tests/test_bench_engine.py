"""The benchmark of the engine: its tables leave nothing out, its wide panels are the record's."""

import inspect
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import fairweather as fw
from fairweather.engine.native import Density
from fairweather.engine.pack import pack

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.append(str(ROOT))

from benchmarks import engine, engine_jobs  # noqa: E402
from benchmarks.engine_page import number, page  # noqa: E402
from benchmarks.wide import widen  # noqa: E402

MACHINE = {"date": "2026-01-02", "cores": 2, "memory_gb": 24.0, "machine": "x86_64", "cpu": "",
           "python": "3.13.0", "packages": {"pymc": "6.4.0"}}  # fmt: skip


def row(form, result, load=0.1, **ask):
    return {"form": form, "ask": ask, "load": [load, 0.0, 0.0], "total_s": 60.0, "result": result}


def sampled(ess_per_s, ms, **more):
    return {"ess_per_s": ess_per_s, "ms_per_gradient": ms, "sample_s": 8.0, "compile_s": 2.0} | more


@pytest.fixture
def store():
    rate = {"ess_per_s_all": 1.0, "prepare_s": 1.0, "min_ess_bulk": 500.0}
    ours = {"chains": 4, "draws_asked": 3000, "passed": True, "finished": True}
    size = {"dyads": 105, "numbers": 6426}
    origin = {"as_of": "2015-12-31", "years": 24, "dyads": 210, "load_s": 1.0, "compile_s": 3.0,
              "sample_s": 1.0, "wall_s": 5.0, "compiled": 1, "signatures": [1, 1, 1]}  # fmt: skip
    later = origin | {"as_of": "2016-12-31", "compile_s": 0.0, "compiled": 0}
    runs = {
        "a": [row("ours", sampled(300.0, 0.2, **rate), seed=1),
              row("ours", sampled(200.0, 0.2, **rate), seed=2, load=1.7),
              row("ours", sampled(210.0, 0.2, **rate), seed=3),
              row("textbook", sampled(42.0, 0.6, **rate), seed=1),
              row("numpyro", {"failed": "ValueError: no"}, seed=1)],
        "b": [row("ours", sampled(20.0, 0.4, **ours), seed=1),
              row("pymc-default", sampled(1.0, 2.0, chains=2, draws_asked=200), seed=1, draws=200),
              row("numpyro", {"finished": False, "stage": "sample", "wall_s": 601.0}, seed=1,
                  draws=200),
              row("ours-cold", sampled(1.0, 1.0, compile_s=41.0)),
              row("command-line", {"wall_s": 71.0, "cpu_s": 130.0, "peak_gb": 0.9, "exit": 0})],
        "c": [row("engine", size | {"ms": 0.2, "cpu_ms": 0.2, "us_per_dyad": 2.0}, states=15),
              row("engine", {"dyads": 406, "numbers": 20022, "ms": 0.9, "cpu_ms": 0.9,
                             "us_per_dyad": 2.2}, states=29),
              row("jax", size | {"ms": 1.0, "cpu_ms": 1.4, "us_per_dyad": 9.5, "off": 1e-12,
                                 "compile_s": 6.0}, states=15),
              row("jax", {"finished": False, "wall_s": 90.0}, states=29)],
        "d": [row("origins", {"origins": [origin, later], "chains": 2, "draws_asked": 100,
                              "tune": 200})],
    }  # fmt: skip
    return {"sections": {k: {"machine": MACHINE, "runs": v} for k, v in runs.items()}}


def cells(text, label, section):
    part = text.split(f"## ({section})")[1].split("\n## (")[0]
    line = next(x for x in part.splitlines() if x.startswith(f"| {label}"))
    return [c.strip() for c in line.strip("|").split("|")]


def test_the_page_gives_medians_ranges_and_ratios(store):
    text = page(store)
    ours = cells(text, "this package", "a")
    assert ours[1:3] == ["210 (200–300)", "1×"] and ours[-1] == "3 of 3"
    assert cells(text, "PyMC, textbook", "a")[1:3] == ["42", "5×"]
    ours, rival = cells(text, "this package", "b"), cells(text, "PyMC, textbook", "b")
    assert ours[1] == "4 × 3000" and ours[3] == "1 of 1"
    assert rival[3:6] == ["–", "2", "5×"] and rival[10] == "20×"
    assert cells(text, "15", "c")[1:4] == ["105", "6,426", "0.2"]
    assert cells(text, "15", "c")[9:11] == ["5×", "7×"]
    assert "From 105 to 406 dyads the time per dyad changes by a factor 1.10" in text
    assert cells(text, "2016-12-31", "d")[4] == "<0.01"
    assert "Numba compiled 0 functions, in 1 origins" in text
    assert "nothing compiled yet: 41." in text and "71 s, 130 s of processor time" in text
    assert "start of a run (the run before counts): 0.1 to 1.7" in text


def test_the_page_shows_what_did_not_finish(store):
    text = page(store)
    assert cells(text, "NumPyro", "a")[1:3] == ["–", "–"]
    assert cells(text, "NumPyro", "a")[-1] == "0 of 1"
    assert "failed after 60 s: `ValueError: no`" in text
    assert cells(text, "NumPyro", "b")[8] == "more than 601 in all"
    assert "not finished; more than 601 s, ended by the clock, in the stage 'sample'" in text
    assert cells(text, "29", "c")[6:10] == ["–"] * 4
    assert "jax (states 29): not finished; more than 90 s" in text


def test_sections_are_merged_and_runs_resumed(monkeypatch, tmp_path):
    asked = []

    def reference(form, seed, draws, chains):
        asked.append((form, seed))
        fail = form == "textbook" and asked.count((form, seed)) == 1
        return {"failed": "no luck"} if fail else sampled(1.0, 1.0)

    monkeypatch.setattr(engine, "reference", reference)
    monkeypatch.setattr(engine, "machine", lambda: MACHINE)
    out = tmp_path / "engine.json"
    args = ["--only", "a", "--repeats", "2", "--out", str(out)]
    store = {"sections": {"d": {"machine": MACHINE, "runs": []}}}
    engine.bench("a", engine.parse(args), store, "")
    assert len(asked) == 2 * len(engine.REFERENCE) and set(store["sections"]) == {"a", "d"}
    kept = json.loads(out.read_text())
    assert kept == store and all(len(r["load"]) == 3 for r in kept["sections"]["a"]["runs"])
    asked[:] = [x for x in asked if x[0] == "textbook"]
    engine.bench("a", engine.parse([*args, "--resume"]), store, "")
    assert asked == [("textbook", 1), ("textbook", 2)] * 2
    assert len(store["sections"]["a"]["runs"]) == 2 * len(engine.REFERENCE)
    assert "failed" not in out.with_suffix(".md").read_text()
    with pytest.raises(SystemExit):
        engine.parse(["--only", "e"])


def test_every_planned_run_is_one_its_job_takes(monkeypatch):
    asked, limits = [], []

    def started(command, timeout, **_):
        asked.append(command[-2])
        limits.append(timeout)
        inspect.signature(engine_jobs.JOBS[command[-2]]).bind(**json.loads(command[-1]))
        return subprocess.CompletedProcess(command, 0, "{}", "")

    monkeypatch.setattr(engine.subprocess, "run", started)
    args = engine.parse(["--world", "--cap", "70", "--jax-cap", "80"])
    for section in "bcd":
        for form, _, call in engine.plan(section, args, "somewhere"):
            if form != "command-line":
                call()
    assert asked == ["ours"] * 5 + ["rival"] * 3 + ["scale"] * 4 + ["scale-jax"] * 3 + ["origins"]
    assert limits == [None] * 12 + [80.0] * 3 + [None]


@pytest.fixture(scope="module")
def panel():
    return fw.load_panel()


def test_a_wide_panel_copies_the_record(panel):
    same = widen(panel, len(panel.states))
    assert same.states == panel.states and same.dyads == panel.dyads
    assert np.array_equal(same.complementarity, panel.complementarity)
    ours, theirs = fw.build_model(panel), fw.build_model(same)
    x = pack(ours).centre
    first, second = Density(ours, pack(ours))(x.copy()), Density(theirs, pack(theirs))(x.copy())
    assert first[0] == second[0] and np.array_equal(first[1], second[1])
    wide = widen(panel, 29)
    assert len(set(wide.states)) == 29 and len(set(wide.dyads)) == 406
    assert list(wide.states) == sorted(wide.states)
    assert all(d == f"{wide.states[i]}-{wide.states[j]}"
               for d, i, j in zip(wide.dyads, wide.left, wide.right, strict=True))  # fmt: skip
    for dyad, source in (("CHN.001-RUS", "CHN-RUS"), ("AFG-AFG.001", "AFG-BRA")):
        new, old = wide.dyads.index(dyad), panel.dyads.index(source)
        got, wanted = (p.rows["unga_votes"].query("unit == @u").drop(columns="unit").to_numpy()
                       for p, u in ((wide, new), (panel, old)))  # fmt: skip
        assert len(got) and np.array_equal(got, wanted, equal_nan=True)
        assert np.array_equal(wide.complementarity[:, new], panel.complementarity[:, old])


def test_a_small_wide_panel_has_a_finite_gradient(panel):
    model = fw.build_model(widen(panel, 15))
    packed = pack(model)
    assert len(model.panel.dyads) == 105 and model.panel.focal in model.panel.dyads
    assert model.panel.complementarity.shape == (2, 105, len(panel.years))
    value, grad = Density(model, packed)(packed.centre.copy())
    assert np.isfinite(value) and np.isfinite(grad).all() and grad.shape == (packed.n_dim,)
    with pytest.raises(ValueError, match="2 states"):
        widen(panel, 2)


def test_a_call_is_timed_at_every_point():
    seen = []
    out = engine_jobs.timed(lambda x: seen.append(float(x[0])), np.arange(3.0)[:, None], 0.0)
    assert out["calls"] == 10 and seen[:4] == [0.0, 1.0, 2.0, 0.0]
    assert 0.0 <= out["ms_range"][0] <= out["ms"] <= out["ms_range"][1]


def test_a_job_prints_its_numbers():
    got = engine.job("scale", states=5, seconds=0.0)
    assert got["dyads"] == 10 and got["finite"] and got["ms"] > 0.0 and got["process_s"] > 0.0
    assert engine.job("scale", states=2, seconds=0.0)["failed"].startswith("ValueError: 2 states")
    late = engine.job("scale", 0.05, states=5, seconds=0.0)
    assert late["finished"] is False and late["wall_s"] >= 0.05


def test_importing_the_benchmark_is_light():
    code = "import sys, benchmarks.engine; sys.exit('numpy' in sys.modules)"
    # The peak memory of a child begins at its parent's.
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_numbers_keep_three_digits():
    assert [number(x) for x in (0.0, 12.345, 99.99, float("nan"))] == ["0", "12.3", "100", "–"]
