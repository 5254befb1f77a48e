"""The command hands its options on, says what was found, and ends with a code that tells."""

import os
import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

import made_backtest as made
from fairweather import farm
from fairweather.backtest import page, run, scored
from fairweather.backtest.origin import DRAWS, TUNE
from fairweather.cli import app
from fairweather.cli_backtest import FAILED, shown
from fairweather.readings import READINGS as ALL
from test_figures_backtest import calibration, skill

SAID = ["By CRPS the stacked forecast is 5 % better than ar1."]


def call(*args):
    return CliRunner().invoke(app, ["backtest", *map(str, args)])


@cache
def found():
    table = skill().assign(better=0.9, cells=10, years=5)
    return page.Backtest(
        pd.DataFrame({"crps": [1.0]}), pd.DataFrame({"origin": [2012], "reading": ["drift"],
        "weight": [1.0], "years": [0]}), table, calibration(),
        pd.DataFrame({"score": ["crps"], "horizon": [1], "forecast": ["drift"], "mean": [1.0]}),
        pd.DataFrame({"seconds": [60.0], "max_rhat": [1.0], "divergences": [0]}), SAID, {},
    )  # fmt: skip


@pytest.fixture
def ran(monkeypatch, tmp_path):
    """A backtest that was run already; what it was asked for is kept."""
    asked = {"problems": {}}
    done = {"settings": {"first": 2012, "last": 2016, "horizon": 3, "record": "r" * 64, "seed": 1},
            "readings": made.READINGS, "origins": {}}  # fmt: skip

    def run_backtest(out=None, **options):
        asked.update(options, out=out)
        options["say"]("8 fits: origins 2014-2017")
        folder = Path(out or tmp_path / "made")
        folder.mkdir(exist_ok=True)
        return done | {"folder": folder, "problems": dict(asked["problems"])}

    def read_backtest(folder, readings=None):
        asked.update(folder=folder, readings=readings)
        return done | {"folder": Path(folder), "problems": dict(asked["problems"])}

    monkeypatch.setattr(run, "run_backtest", run_backtest)
    monkeypatch.setattr(run, "read_backtest", read_backtest)
    monkeypatch.setattr(page, "summarise", lambda d: replace(found(), problems=dict(d["problems"])))
    return asked


@pytest.fixture
def no_figures(monkeypatch):
    """Drawing takes seconds; not every test is about it."""
    monkeypatch.setattr("fairweather.figures.pit.plot_pit", lambda table: None)
    monkeypatch.setattr("fairweather.figures.skill.plot_skill", lambda table: None)
    monkeypatch.setattr("fairweather.figures.style.save", lambda *_: [])


def test_what_was_found_is_told_and_written(ran, tmp_path):
    done = call("--out", tmp_path / "mine")
    assert done.exit_code == 0, done.output
    assert "8 fits: origins 2014-2017" in done.stdout and SAID[0] in done.stdout
    assert "Stacked forecast: % better than plain ones by CRPS [89 %]" in done.stdout
    assert "1 year ahead" in done.stdout and "3 years ahead" in done.stdout
    names = ["backtest.md", "backtest.json", "skill.csv", "scores.csv", "figures/skill.pdf",
             "figures/pit.png"]  # fmt: skip
    flat = "".join(done.stdout.split())
    for name in names:
        assert (tmp_path / "mine" / name).is_file()
        assert "".join(f"Wrote {tmp_path / 'mine' / name}".split()) in flat


def test_options_are_handed_on(ran, no_figures, tmp_path):
    call("--out", tmp_path / "mine")
    assert (ran["first"], ran["last"], ran["horizon"]) == (2008, None, 3)
    assert (ran["draws"], ran["tune"], ran["seed"]) == (DRAWS, TUNE, run.SEED)
    assert ran["readings"] == run.READINGS and ran["states"] is None
    call("--out", tmp_path / "mine", "--from", 2012, "--to", 2014, "--horizon", 2, "--reading",
         "drift", "--reading", "scope", "--states", "CHN,RUS,IND", "--draws", 60, "--tune", 70,
         "--seed", 9, "--workers", 2)  # fmt: skip
    assert (ran["first"], ran["last"], ran["horizon"]) == (2012, 2014, 2)
    assert ran["readings"] == ("drift", "scope") and set(ran["states"]) == {"CHN", "RUS", "IND"}
    assert (ran["draws"], ran["tune"], ran["seed"], ran["workers"]) == (60, 70, 9, 2)
    call("--out", tmp_path / "mine", "--reading", "all")
    assert ran["readings"] == tuple(ALL)


def test_quiet_prints_what_was_found_alone(ran, no_figures, tmp_path):
    done = call("--out", tmp_path / "mine", "--quiet")
    assert "8 fits" not in done.stdout and "1 year ahead" not in done.stdout
    assert done.stdout.startswith(SAID[0])


def test_a_failed_fit_is_told_and_ends_with_3(ran, no_figures, tmp_path):
    ran["problems"] = {"2015--drift": "ZeroDivisionError:\n nothing"}
    done = call("--out", tmp_path / "mine")
    assert done.exit_code == FAILED and SAID[0] in done.stdout
    assert "Failed: 2015--drift: ZeroDivisionError: nothing" in done.stderr


def test_a_folder_is_scored_without_a_fit(ran, no_figures, tmp_path, monkeypatch):
    monkeypatch.setattr(farm, "run", lambda *_, **__: pytest.fail("it fitted"))
    ran["problems"] = {"2015--drift": "not done", "2016--drift": "not done"}
    (tmp_path / "mine").mkdir()
    done = call("--score-only", "--out", tmp_path / "mine")
    assert done.exit_code == 0 and ran["folder"] == str(tmp_path / "mine")
    assert ran["readings"] is None
    assert "Fits not done: 2, from 2015--drift on" in done.stderr
    call("--score-only", "--out", tmp_path / "mine", "--reading", "drift")
    assert ran["readings"] == ("drift",)
    refused = call("--score-only")
    assert refused.exit_code == 2 and "Name it with --out DIR" in refused.stderr
    refused = call("--score-only", "--out", tmp_path / "mine", "--from", 2012, "--horizon", 1)
    assert refused.exit_code == 2 and "--from, --horizon cannot be changed" in refused.stderr


def test_refusals_end_with_2_before_any_fit(tmp_path, monkeypatch):
    monkeypatch.setattr(farm, "run", lambda *_, **__: pytest.fail("it fitted"))
    small = ["--states", "CHN,IND,RUS", "--results", tmp_path]
    for args, said in (
        (["--reading", "astrology"], "unknown reading 'astrology'"),
        (["--from", 2020, "--to", 2010], "origins run from 2020 to 2010"),
    ):
        done = call(*small, *args)
        assert done.exit_code == 2 and said in " ".join(done.stderr.split())
    done = call("--score-only", "--out", tmp_path)
    assert done.exit_code == 2 and "holds no backtest" in " ".join(done.stderr.split())


def test_the_terminal_table_leaves_blank_what_is_not_there():
    table = found().skill
    table = table[~((table["group"] == 2) & (table["against"] == "ar1"))]
    table.loc[table["group"] == 3, ["lower", "upper"]] = float("nan")
    columns = {c.header: list(c.cells) for c in shown(replace(found(), skill=table)).columns}
    at = columns["better than"].index("ar1")
    assert columns["2 years ahead"][at] == "" and columns["all"][at] == "10 [0, 20]"
    # A bracket with a word in it is text, not a style.
    assert columns["3 years ahead"][at] == "10 \\[nan, nan]"


def test_importing_the_command_loads_nothing_heavy():
    code = (
        "import sys\nfrom fairweather.cli_backtest import backtest\n"
        "heavy = {'pandas', 'xarray', 'scipy', 'pymc', 'matplotlib', 'rich'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    env = os.environ | {"PYTHONPATH": str(Path(run.__file__).parents[2])}
    subprocess.run([sys.executable, "-c", code], check=True, env=env)


def test_a_small_one_from_end_to_end(no_figures, tmp_path, monkeypatch):
    """Two origins of three states, truly fitted and scored, and scored again without a fit."""
    small = ["--states", "CHN,IND,RUS", "--from", 2014, "--to", 2015, "--horizon", 1, "--reading",
             "persistence", "--draws", 50, "--tune", 50, "--workers", 1, "--quiet"]  # fmt: skip
    done = call(*small, "--out", tmp_path / "b")
    assert done.exit_code == 0, done.output
    scores = pd.read_csv(tmp_path / "b" / "scores.csv")
    assert set(scores["origin"]) == {2014, 2015} and (scores["horizon"] == 1).all()
    assert scores.loc[scores["forecast"] == "persistence", "crps"].notna().mean() > 0.8
    text = (tmp_path / "b" / "backtest.md").read_text(encoding="utf-8")
    monkeypatch.setattr(farm, "run", lambda *_, **__: pytest.fail("it fitted"))
    again = call("--score-only", "--quiet", "--out", tmp_path / "b")
    assert again.exit_code == 0, again.output
    assert (tmp_path / "b" / "backtest.md").read_text(encoding="utf-8") == text
    assert scored.MIXTURE in set(scores["forecast"])
