"""The command prints a look, and its exit code says what a script needs to know."""

import json

import pytest
from typer.testing import CliRunner

import issued_made
import made_fit
from fairweather.cli import app
from fairweather.errors import ConvergenceError
from monitor_made import GOOD, fit, write
from test_monitor_earlier import issue

RUNNER = CliRunner()


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.setattr("fairweather.monitor.fitting.fit_running", fit)
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "rows.csv", *GOOD)
    return tmp_path


def run(*args):
    states = ["--states", ",".join(made_fit.STATES)]
    return RUNNER.invoke(app, ["monitor", *states, "--today", "2025-10-05", *args])


def test_a_look_is_printed_whole(here):
    done = run("--rows", "rows.csv", "--horizon", "2")
    assert done.exit_code == 0, done.output
    for part in ("Indicators of CHN-RUS in 2025", "What moved durability", "Provisional"):
        assert part in done.stdout
    assert "made up" in done.stderr


def test_json_is_all_there_is_on_standard_output(here):
    issue(issued_made.store(here / "forecasts")[0], 1)
    done = run("--rows", "rows.csv", "--horizon", "3", "--json")
    found = json.loads(done.stdout)
    assert found["issued"]["serial"] == 1 and 0 <= found["warning"]["fell"] <= 1
    assert "States are not those of the issue" in done.stderr


def test_a_script_learns_of_a_fall_by_the_exit_code(here):
    quiet = ["--rows", "rows.csv", "--horizon", "2", "--quiet"]
    done = run(*quiet, "--fail-above", "0")
    assert done.exit_code == 6 and done.stdout.count("\n") == 1
    assert run(*quiet, "--fail-above", "1").exit_code == 0


def test_refusals_are_one_line_and_exit_with_two(here):
    write(here / "bad.csv", "unga_votes,CHN-RUS,2025,20,4,1,26,2025-09-30,")
    for args, said in (
        (["--rows", "bad.csv"], "bad.csv, line 2: votes do not add up"),
        (["--rows", "none.csv"], "none.csv: the file does not exist"),
        (["--reading", "nobody"], "unknown reading 'nobody'"),
        (["--today", "soon"], "'soon' is not a date"),
        (["--template", "x.csv", "--rows", "rows.csv"], "--rows with --template"),
        (["--template", "x.csv", "--fail-above", "0.9"], "--fail-above with --template"),
    ):
        done = run(*args)
        assert done.exit_code == 2 and said in done.stderr and done.stderr.count("\n") == 1
    assert not (here / "x.csv").exists()


def test_draws_below_the_bar_exit_with_three(here, monkeypatch):
    def refuse(*args, **more):
        raise ConvergenceError("the draws do not meet the bar")

    monkeypatch.setattr("fairweather.monitor.fitting.fit_running", refuse)
    done = run("--rows", "rows.csv")
    assert done.exit_code == 3 and "do not meet the bar" in done.stderr


def test_a_template_is_written_and_nothing_is_fitted(here, monkeypatch):
    monkeypatch.setattr("fairweather.monitor.fitting.fit_running", None)
    done = run("--template", "new.csv")
    assert done.exit_code == 0 and "Written: new.csv" in done.stdout
    assert (here / "new.csv").read_text().endswith("through,source\n")
    assert run("--template", "new.csv").exit_code == 2
