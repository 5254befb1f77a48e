"""Many fits: same draws however they are done, kept when stopped, and none stops another."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

import helpers
from fairweather import cli, farm
from fairweather.archive import open_results
from fairweather.cli_refits import refits
from fairweather.errors import AsOfError, FairweatherError, PriorError, SamplerError
from fairweather.inference import fit
from fairweather.panel import load_panel
from fairweather.paths import priors_dir
from fairweather.priors import load_priors
from fairweather.provenance import code_version, run_id
from fairweather.record import load_record
from fairweather.refits import archived, carry_out, plan, refit

MODEL = Path(__file__).parent.parent / "model"
STATES = ["CHN", "IND", "RUS"]
DAYS = ["1999-12-31", "2000-12-31", "2001-12-31"]
SMALL = {"states": STATES, "draws": 20, "tune": 30, "chains": 2}
OPTIONS = ["--states", ",".join(STATES), "--draws", "20", "--tune", "30", "--chains", "2"]
LOAD, CODE = cache(load_record), cache(code_version)
app = typer.Typer(cls=cli._Guarded, pretty_exceptions_enable=False)
app.callback()(lambda: None)
app.command()(refits)


def call(*args):
    return CliRunner().invoke(app, ["refits", *map(str, args)])


@pytest.fixture(autouse=True)
def read_once(monkeypatch):
    """The record and the source code are read once for all tests that fit in this process."""
    monkeypatch.setattr("fairweather.provenance.code_version", CODE)
    for module in ("record", "panel"):
        monkeypatch.setattr(f"fairweather.{module}.load_record", LOAD)


@pytest.fixture
def lenient(monkeypatch):
    """A gate that passes all but the origins named, seen by fits done in this process."""
    bad = set()
    monkeypatch.setattr(
        "fairweather.gate.gate",
        lambda tree: helpers.FAILED if tree.attrs["origin"] in bad else helpers.Gate(),
    )
    return bad


@pytest.fixture
def sampled(monkeypatch):
    """Origins sampled in this process; one that is listed as broken raises."""
    seen, broken = [], set()

    def spy(model, **options):
        if model.panel.origin in broken:
            raise SamplerError("no start")
        seen.append(model.panel.origin)
        return fit(model, **options)

    monkeypatch.setattr("fairweather.inference.fit", spy)
    return SimpleNamespace(seen=seen, broken=broken)


# -- the plan ------------------------------------------------------------------------------------


def test_the_plan_is_the_cross_product(tmp_path):
    other = replace(load_priors(), id="other", content_hash="0" * 64)
    fits = plan(
        [*DAYS, DAYS[0], None], readings=["thermostat", "drift", "drift"], priors=[None, other],
        **SMALL, results=tmp_path,
    )  # fmt: skip
    assert len(fits) == 4 * 2 * 2 == len({f.key for f in fits}) == len({f.id for f in fits})
    assert fits[0].key == "1999-12-31, thermostat, default"
    assert [f.as_of for f in fits[::4]] == [*DAYS, ""]
    assert len({f.job["seed"] for f in fits}) == 16
    assert not list(tmp_path.iterdir()), "a plan writes nothing"


def test_a_fit_does_not_depend_on_its_company(tmp_path):
    alone = plan([DAYS[1]], readings=["drift"], **SMALL, results=tmp_path)[0]
    many = plan(reversed(DAYS), readings=["drift", "thermostat"], **SMALL, results=tmp_path)
    assert alone.id in {f.id for f in many}
    assert alone.id not in {f.id for f in plan(DAYS, **SMALL, seed=2, results=tmp_path)}


def test_a_job_is_small_and_says_what_a_fit_of_that_day_reads(tmp_path):
    import pickle

    for one in plan([DAYS[0], None], **SMALL, results=tmp_path):
        assert len(pickle.dumps(one.job)) < 50_000
        panel = load_panel(as_of=one.as_of or None, states=STATES)
        assert one.job["record_hash"] == panel.record.content_hash


def test_two_prior_sets_of_one_id_are_refused(tmp_path):
    with pytest.raises(PriorError, match="two different prior sets have the id 'default'"):
        plan(priors=[None, replace(load_priors(), content_hash="0" * 64)], results=tmp_path)
    twice = plan(DAYS[:1], priors=[None, priors_dir() / "default.toml"], **SMALL, results=tmp_path)
    assert len(twice) == 1


BAD = {
    "date": (["--as-of", "2008-12-31,soon"], "'soon' is not a date"),
    "too early": (["--as-of", "2008-12-31,1950-01-01"], "nothing was available"),
    "no date": (["--as-of", ","], "no date is named"),
    "reading": (["--reading", "drift,astrology"], "unknown reading 'astrology'"),
    "priors": (["--priors", "default,wishful"], "wishful"),
    "state": (["--states", "CHN,RUS,XXX"], "unknown states ['XXX']"),
    "focal": (["--focal", "RUS-CHN"], "alphabetical"),
    "folder": (["--results", "file"], "cannot write to the results folder 'file'"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_before_any_fit(case, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    monkeypatch.setattr(farm, "run", lambda *_, **__: pytest.fail("it ran"))
    args, problem = BAD[case]
    done = call(*OPTIONS, *args)
    assert done.exit_code == 2, done.output
    assert problem in done.stderr and done.stderr.count("\n") == 1 and done.stdout == ""
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.parametrize("options", [{"as_of": []}, {"readings": []}, {"priors": []}])
def test_nothing_to_fit(options, tmp_path):
    with pytest.raises(FairweatherError, match="is named, so there is nothing to fit"):
        plan(**options, results=tmp_path)


def test_a_date_is_read_in_python_too(tmp_path):
    with pytest.raises(AsOfError, match="not a date"):
        plan(["yesterday"], results=tmp_path)


def test_an_unusable_cluster_is_refused(tmp_path):
    done = call(*OPTIONS, "--as-of", DAYS[0], "--cluster", "localhost", "--results", tmp_path)
    assert done.exit_code == 2 and "tcp://host:port" in done.stderr
    assert not list(tmp_path.iterdir())


# -- the fits ------------------------------------------------------------------------------------


@pytest.mark.slow
def test_two_workers_give_the_draws_of_a_fit_here(tmp_path):
    done = call(*OPTIONS, "--as-of", ",".join(DAYS), "--workers", 2, "--results", tmp_path)
    # So few draws never pass; they are archived and told all the same.
    assert done.exit_code == 3, done.output
    fits = plan(DAYS, **SMALL, results=tmp_path)
    assert sorted(os.listdir(tmp_path)) == sorted(f"failed-{f.id}" for f in fits)
    assert "0 of 3 fits passed" in done.stdout
    lines = done.stderr.splitlines()
    for one in fits:
        assert f"failed-{one.id}" in done.stdout
        assert any(x.startswith(f"fairweather: {one.key}: ") for x in lines)
        job = one.job
        tree = fit(
            load_panel(as_of=one.as_of, states=STATES), draws=20, tune=30, chains=2,
            random_seed=job["seed"], progressbar=False,
        )  # fmt: skip
        assert run_id(tree) == one.id
        found = archived(tmp_path, one.id)
        stored = found.tree["posterior"].to_dataset()
        for name, values in stored.data_vars.items():
            assert np.array_equal(values, tree["posterior"][name].astype(values.dtype)), name
    stamps = {f: os.stat(tmp_path / f).st_mtime_ns for f in os.listdir(tmp_path)}
    again = call(*OPTIONS, "--as-of", ",".join(DAYS), "--workers", 2, "--results", tmp_path,
                 "--quiet")  # fmt: skip
    assert again.exit_code == 3 and again.stdout.split() == [
        str(tmp_path / f"failed-{f.id}") for f in fits
    ]
    assert stamps == {f: os.stat(tmp_path / f).st_mtime_ns for f in os.listdir(tmp_path)}


def test_a_failed_gate_does_not_stop_the_others(tmp_path, lenient, sampled):
    lenient.add(2000)
    args = [*OPTIONS, "--as-of", ",".join(DAYS), "--workers", 1, "--results", tmp_path]
    done = call(*args)
    assert done.exit_code == 3 and sampled.seen == [1999, 2000, 2001]
    assert "2 of 3 fits passed" in done.stdout
    assert "2000-12-31, elastic-side, default: half_life: R-hat 1.052" in done.stderr
    assert len(list(tmp_path.glob("failed-2000-*"))) == 1
    for folder in tmp_path.glob("[!f]*"):
        assert open_results(folder).status == "fit-only"
    assert call(*args).exit_code == 3 and len(sampled.seen) == 3, "the same seed fails again"


def test_all_passed(tmp_path, lenient):
    fits = plan(DAYS[:2], **SMALL, results=tmp_path)
    table = carry_out(fits, workers=1, quiet=True)
    assert table["passed"].all() and (table["problem"] == "").all()
    assert list(table["as_of"]) == DAYS[:2] and (table["seconds"] > 0).all()
    assert list(table["max_rhat"]) == [1.004] * 2 and list(table["min_ess"]) == [950.0] * 2
    assert [Path(f).name for f in table["folder"]] == [f.id for f in fits]
    options = ["--as-of", ",".join(DAYS[:2]), "--workers", 1, "--results", tmp_path]
    done = call(*OPTIONS, *options, "--quiet")
    assert done.exit_code == 0 and done.stderr == ""
    assert done.stdout.split() == list(table["folder"])


def test_a_fit_that_gives_no_draws_is_told_and_tried_again(tmp_path, lenient, sampled):
    sampled.broken.add(2000)
    args = [*OPTIONS, "--as-of", ",".join(DAYS), "--workers", 1, "--results", tmp_path]
    done = call(*args)
    assert done.exit_code == 3 and sampled.seen == [1999, 2001]
    assert "2 of 3 fits passed" in done.stdout and "no draws" in done.stdout
    assert "2000-12-31, elastic-side, default: " in done.stderr and "no start" in done.stderr
    sampled.broken.clear()
    assert call(*args).exit_code == 0 and sampled.seen == [1999, 2001, 2000]


def test_a_damaged_folder_is_fitted_anew_in_its_place(tmp_path, lenient, sampled):
    (one,) = fits = plan(DAYS[:1], **SMALL, results=tmp_path)
    carry_out(fits, quiet=True)
    note = tmp_path / one.id / "run.json"
    whole = json.loads(note.read_text())
    for harm in ("{", json.dumps(whole | {"id": "another"}), None):
        note.unlink() if harm is None else note.write_text(harm)
        assert archived(tmp_path, one.id) is None
        assert carry_out(fits, quiet=True)["passed"].all()
        assert os.listdir(tmp_path) == [one.id]
    assert len(sampled.seen) == 4


def test_interrupted(tmp_path, monkeypatch, lenient):
    def stop(model, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("fairweather.inference.fit", stop)
    done = call(*OPTIONS, "--as-of", DAYS[0], "--results", tmp_path)
    assert done.exit_code == 130 and "The same command goes on from there" in done.stderr


def test_a_worker_with_another_record_is_refused(tmp_path, sampled):
    (one,) = plan(DAYS[:1], **SMALL, results=tmp_path)
    changed = replace(one, job={**one.job, "record_hash": "0" * 64})
    table = carry_out([changed], quiet=True)
    assert not table["passed"].any() and table["folder"].tolist() == [""]
    assert "another than the one the fit was planned on" in table["problem"][0]
    assert sampled.seen == [] and not list(tmp_path.iterdir())


def test_a_folder_that_workers_do_not_share_is_noticed(tmp_path, monkeypatch):
    fits = plan(DAYS[:1], **SMALL, results=tmp_path)
    monkeypatch.setattr(farm, "run", lambda task, jobs, **_: dict.fromkeys(jobs, fits[0].id))
    table = carry_out(fits, quiet=True)
    assert not table["passed"].any()
    assert "which is not in" in table["problem"][0] and str(tmp_path) in table["problem"][0]


def test_a_job_done_by_a_worker_that_died_is_not_done_again(tmp_path, lenient, sampled):
    (one,) = plan(DAYS[:1], **SMALL, results=tmp_path)
    left = tmp_path / f"incomplete-{one.id}"
    for again in (refit, refit, lambda job: Path(carry_out([one])["folder"][0]).name):
        assert again(dict(one.job)) == one.id
        assert sampled.seen == [1999] and not left.exists()
        left.mkdir()  # killed after archiving, before the draws were cleared away


SCRIPT = """
import typer
from fairweather import cli
from fairweather.cli_refits import refits

app = typer.Typer(cls=cli._Guarded)
app.callback()(lambda: None)
app.command()(refits)
app()
"""


def whole(out):
    """When each archived fit was written."""
    notes = [n for n in out.glob("[!.]*/run.json") if not n.parent.name.startswith("incomplete-")]
    return {n.parent.name: n.stat().st_mtime_ns for n in notes}


@pytest.mark.slow
def test_a_killed_command_goes_on(tmp_path):
    (tmp_path / "command.py").write_text(SCRIPT)
    out, days = tmp_path / "out", ",".join(DAYS)
    # Long enough for the kill to find two fits under way.
    command = [
        sys.executable, "command.py", "refits", *OPTIONS, "--draws", "1000", "--as-of", days,
        "--workers", "2", "--quiet", "--results", "out",
    ]  # fmt: skip
    env = {**os.environ, "PYTHONPATH": str(MODEL), "TMPDIR": str(tmp_path)}
    first = subprocess.Popen(
        command, cwd=tmp_path, env=env, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        until = time.monotonic() + 400
        while not whole(out):
            assert first.poll() is None and time.monotonic() < until
            time.sleep(0.02)
    finally:
        os.killpg(first.pid, signal.SIGKILL)
        first.wait()
    kept = whole(out)
    assert 1 <= len(kept) < 3
    again = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True)
    assert again.returncode in (0, 3), again.stderr
    found = whole(out)
    assert len(found) == 3 and kept.items() <= found.items()
    assert not list(out.glob("incomplete-*")), "taken up and archived"
