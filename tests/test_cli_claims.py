import os
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
import typer
from typer.testing import CliRunner

from fairweather.claims.catalogue import claims_hash, load_claims
from fairweather.claims.stored import write_claims
from fairweather.cli_claims import PROBLEMS, claims
from fairweather.errors import ArchiveError, FairweatherError
from test_claims_stored import BAD, GOOD, NONE

app = typer.Typer()
app.command()(claims)


def call(*args):
    return CliRunner().invoke(app, list(args))


@pytest.fixture
def results(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path / "results"


def store(results, name="contest-1", **found):
    folder = results / name
    folder.mkdir(parents=True)
    write_claims(folder, found or {"C01": GOOD, "C25": NONE})
    return folder


def test_without_a_contest_the_catalogue_is_shown_and_the_way_to_one(results):
    done = call()
    assert done.exit_code == 0
    assert "fairweather contest" in done.stderr and "C49" in done.stdout


def test_the_newest_contest_is_shown(results):
    os.utime(store(results, "contest-old") / "claims.json", (1, 1))
    store(results, "contest-new")
    done = call()
    assert done.exit_code == 0 and "contest-new" in done.stdout
    assert "borne out" in done.stdout and "93 %" in done.stdout
    named = call("--contest", "contest-old")
    assert "contest-old" in named.stdout
    assert "contest-old" in call("--contest", str(results / "contest-old")).stdout


def test_the_story_of_some(results):
    store(results)
    done = call("C25", "c01", "C25")
    assert done.exit_code == 0
    assert done.stdout.index("C25  ") < done.stdout.index("C01  ")
    assert done.stdout.count("C25  ") == 1 and "93 % after it" in done.stdout
    missing = call("C09")
    assert "contest-1 did not judge it" in missing.stdout


@pytest.mark.parametrize(("given", "said"), [("C8", "C08"), ("zebra", "C01 to C49")])
def test_an_unknown_claim(results, given, said):
    done = call(given)
    assert isinstance(done.exception, FairweatherError) and said in str(done.exception)


def test_problems_end_with_a_code_of_their_own(results):
    store(results, C01=GOOD, C02=BAD)
    done = call()
    assert done.exit_code == PROBLEMS and "C02 has no verdict: ZeroDivisionError" in done.stderr
    assert "borne out" in done.stdout
    assert call("C01").exit_code == 0 and call("C02").exit_code == PROBLEMS
    assert call("--catalogue").exit_code == 0


@pytest.mark.parametrize(
    ("made", "warned"),
    [({}, False), ({"claims_hash": claims_hash()}, False), ({"claims_hash": "0" * 16}, True)],
)
def test_verdicts_of_another_text_of_the_claims_are_told(results, made, warned):
    folder = results / "contest-1"
    folder.mkdir(parents=True)
    write_claims(folder, {"C01": GOOD, "C25": NONE}, made=made)
    for args in ((), ("C01",)):
        done = call(*args)
        assert done.exit_code == 0
        assert ("of another claims.toml than the one in use" in done.stderr) is warned
    assert "another claims.toml" not in call("--catalogue").stderr


def test_a_file_that_cannot_be_written_is_named(results, tmp_path):
    store(results)
    (tmp_path / "taken").mkdir()
    done = call("--catalogue", "--csv", "taken")
    assert isinstance(done.exception, OSError) and done.exception.filename == "taken"
    assert not list(tmp_path.glob(".taken*"))


def test_a_contest_without_verdicts_is_refused(results):
    done = call("--contest", "nowhere")
    assert isinstance(done.exception, ArchiveError)


def test_files(results, tmp_path):
    store(results)
    done = call("--csv", "t.csv", "--markdown", "t.md")
    assert done.exit_code == 0 and "t.csv" in done.stdout
    assert len(pd.read_csv("t.csv")) == 49
    assert Path("t.md").read_text(encoding="utf-8").count("\n| C") == 49
    assert call("--catalogue", "--markdown", "c.md").exit_code == 0
    assert "### C49" in Path("c.md").read_text(encoding="utf-8")


def test_it_answers_at_once_and_loads_nothing_heavy(results):
    store(results, **{k: GOOD for k in load_claims()})
    code = (
        "import sys\nfrom fairweather.cli_claims import claims\nimport typer\n"
        "app = typer.Typer()\napp.command()(claims)\n"
        "app(['C01'], standalone_mode=False)\n"
        "print([m for m in ('numpy', 'pandas', 'xarray') if m in sys.modules])"
    )
    root = Path(__file__).resolve().parents[1] / "model"
    environment = os.environ | {"PYTHONPATH": str(root)}
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]" and "93 % after it" in done.stdout
    assert time.perf_counter() - start < 5
