"""The command hands its options on, says what was found, and ends with a code that tells."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

import pytest
from typer.testing import CliRunner

import made_contest
import made_fit
import made_pieces
from fairweather import stacking
from fairweather.claims import judge
from fairweather.claims.stored import read_claims, write_claims
from fairweather.cli import app
from fairweather.contest import evidence, result, run
from fairweather.contest.design import DESIGNS, EVERY, FOLDS, SEED
from fairweather.readings import READINGS as ALL

SUMMARISE = result.summarise


def call(*args):
    return CliRunner().invoke(app, ["contest", *map(str, args)])


@cache
def found():
    small = partial(stacking.stack, replicates=20)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stacking, "stack", lambda s, **o: small(s, **o))
        return SUMMARISE(made_pieces.done(layout=made_pieces.LAYOUT[:3], worlds=2))


@pytest.fixture
def ran(monkeypatch, tmp_path):
    """A contest that was run already; what it was asked for is kept."""
    asked = {"problems": {}}

    def run_contest(out=None, **options):
        asked.update(options, out=out)
        options["say"]("7 pieces, 3 readings")
        folder = Path(out or tmp_path / "contest-1")
        folder.mkdir(exist_ok=True)
        made = made_pieces.done(folder, layout=made_pieces.LAYOUT[:3], worlds=2)
        return made | {"problems": asked["problems"]}

    def summarise(done):
        return replace(found(), problems=dict(done["problems"]))

    monkeypatch.setattr(run, "run_contest", run_contest)
    monkeypatch.setattr(result, "summarise", summarise)
    readings = made_pieces.READINGS
    monkeypatch.setattr(evidence, "draws_of", lambda done: (
        {r: made_contest.draws(r) for r in readings},
        {r: made_contest.draws(r, seed=9, size=30) for r in readings},
    ))  # fmt: skip
    return asked


@pytest.fixture
def no_verdicts(monkeypatch):
    """Judging the claims takes seconds; not every test is about them."""
    monkeypatch.setattr(evidence, "write_evidence", lambda done, found: write_claims(
        done["folder"], {}))  # fmt: skip


def test_what_was_found_is_told_and_written(ran, tmp_path):
    done = call("--out", tmp_path / "mine")
    assert done.exit_code == 0, done.output
    assert "7 pieces, 3 readings" in done.stdout
    assert "Stacking weights (future design first)" in done.stdout
    assert "what was true (rows)" in done.stdout
    assert "Elastic-side has the largest stacking weight" in done.stdout
    flat = "".join(done.stdout.split())
    for name in ("contest.md", "contest.json", "claims.json"):
        assert "".join(f"Wrote {tmp_path / 'mine' / name}".split()) in flat
        assert (tmp_path / "mine" / name).is_file()
    assert "fairweatherclaims--contest" in flat and "Failed" not in done.stderr
    # Three readings cannot speak to all claims; that is said, and is no failure.
    assert "No verdict: claim C06: the contest has no weight for common-enemy" in done.stderr
    kept = json.loads((tmp_path / "mine" / "contest.json").read_text(encoding="utf-8"))
    assert kept["primary"] == "future" and len(read_claims(tmp_path / "mine").claims) == 49


def test_options_and_their_defaults(ran, no_verdicts, tmp_path):
    assert call().exit_code == 0
    assert ran["readings"] == tuple(ALL) and tuple(ran["designs"]) == DESIGNS
    assert (ran["every"], ran["folds"], ran["seed"]) == (EVERY, FOLDS, SEED)
    assert ran["worlds"] == run.WORLDS
    assert ran["specifications"] is True and ran["fit_draws"] == run.FIT_DRAWS
    assert ran["out"] is None and ran["states"] is None and ran["focal"] == "CHN-RUS"
    assert ran["priors"].id == "default" and ran["cluster"] is None and ran["workers"] is None
    told = call(
        "--reading", "drift", "--reading", "thermostat", "--design", "dyads", "--every", 2,
        "--folds", 3, "--worlds", 0, "--no-specifications", "--states", "CHN,IND,RUS",
        "--priors", "author", "--draws", 200, "--seed", 0, "--out", tmp_path / "x",
        "--workers", 1, "--quiet",
    )  # fmt: skip
    assert told.exit_code == 0, told.output
    assert list(ran["readings"]) == ["drift", "thermostat"] and list(ran["designs"]) == ["dyads"]
    assert (ran["every"], ran["folds"], ran["worlds"], ran["seed"]) == (2, 3, 0, 0)
    assert ran["specifications"] is False and ran["fit_draws"] == 200 and ran["quiet"]
    assert ran["states"] == ["CHN", "IND", "RUS"] and ran["priors"].id == "author"
    assert "pieces" not in told.stdout and "Stacking weights" not in told.stdout
    assert "Elastic-side has the largest stacking weight" in told.stdout


def test_what_failed_is_told_with_a_code_of_its_own(ran, no_verdicts):
    ran["problems"] = {"future-2010--drift": "ZeroDivisionError: nothing\nto divide by"}
    done = call()
    assert done.exit_code == 3
    assert "Failed: future-2010--drift: ZeroDivisionError: nothing to divide by" in done.stderr
    assert "Wrote" in done.stdout and "largest stacking weight" in done.stdout


def test_a_claim_without_a_verdict_is_told(ran, monkeypatch):
    def broken(name):
        raise ZeroDivisionError("by hand")

    monkeypatch.setattr(judge, "get_measure", broken)
    done = call()
    assert done.exit_code == 3 and "Failed: claim C08: ZeroDivisionError: by hand" in done.stderr
    assert "Failed: claim C25" not in done.stderr, "what is not testable needs no measure"


def test_claims_are_about_one_pair(ran, monkeypatch):
    real = run.run_contest

    def other(*args, **options):
        return real(*args, **options) | {"panel": made_fit.panel("IND-IRN")}

    monkeypatch.setattr(run, "run_contest", other)
    done = call("--focal", "IND-IRN")
    assert done.exit_code == 0 and ran["focal"] == "IND-IRN"
    assert "claims.json" not in done.stdout and "Wrote" in done.stdout


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--reading", "wind", "--reading", "drift"), "wind"),
        (("--reading", "drift"), "Name two readings or more"),
        (("--design", "past"), "Name some of future"),
        (("--states", "CHN,XXX"), "XXX"),
        (("--priors", "nobody"), "nobody"),
        (("--every", "0"), "--every"),
        (("--folds", "1"), "--folds"),
        (("--worlds", "-1"), "--worlds"),
    ],
)
def test_refusals(tmp_path, options, said):
    done = call(*options, "--out", tmp_path / "c", "--workers", 1, "--quiet")
    assert done.exit_code == 2
    assert said in done.stderr and "Traceback" not in done.output
    assert not (tmp_path / "c").exists()


def test_nothing_heavy_is_loaded_before_it_runs():
    code = (
        "import sys\nfrom fairweather.cli_contest import contest\n"
        "print([m for m in ('numpy', 'pandas', 'xarray', 'pymc') if m in sys.modules])"
    )
    root = Path(__file__).resolve().parents[1] / "model"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True,
        env=os.environ | {"PYTHONPATH": str(root)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
