"""The command line: refusals cost nothing, end in one line and the right exit code."""

import os
import shutil
import sys
from types import SimpleNamespace

import pandas as pd
import pytest
from typer.testing import CliRunner

import fairweather as fw
import helpers
from fairweather import cli, pipeline
from fairweather.chronology import load_chronology
from fairweather.errors import PriorError, SamplerError, ScenarioError
from fairweather.paths import shipped_data_dir
from fairweather.samplers import TUNE

STATES = ",".join(helpers.STATES)
DRAW = pipeline.draw
runner = CliRunner()


def call(*args):
    return runner.invoke(cli.app, [str(a) for a in args])


@pytest.fixture
def world(monkeypatch, tmp_path):
    """The modules a run goes through, made up; records what was asked of them."""
    asked = {"gate": helpers.Gate()}

    def fit(model, **options):
        asked["fit"] = options
        if isinstance(asked.get("error"), BaseException):
            raise asked["error"]
        return helpers.tree()

    def forecast(tree, panel, **options):
        asked["forecast"] = options
        return helpers.forecast(tree)

    def load_scenarios(path=None):
        if path == "bad.toml":
            raise ScenarioError("no paths", file=path, remedy="Add one.")
        return SimpleNamespace(content_hash="s" * 64, names=helpers.SCENARIOS)

    modules = {
        "inference": SimpleNamespace(fit=fit),
        "gate": SimpleNamespace(gate=lambda tree: asked["gate"]),
        "forecast": SimpleNamespace(
            forecast=forecast, durability_table=helpers.durability_table,
            forecast_table=helpers.forecast_table,
        ),
        "claims": SimpleNamespace(assess=lambda *_, **__: helpers.claims()),
        "scenarios": SimpleNamespace(
            load_scenarios=load_scenarios, check_scenarios=lambda scenarios, panel: scenarios
        ),
    }  # fmt: skip
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, f"fairweather.{name}", module)
    monkeypatch.setattr("fairweather.model.build_model", lambda *a, **k: asked.update(model=k))
    monkeypatch.setattr("fairweather.pipeline.draw", lambda *_: {})
    monkeypatch.setattr(
        "fairweather.provenance.attributes",
        lambda model, settings, sampler: {"chains": settings.chains, "draws": settings.draws},
    )
    monkeypatch.chdir(tmp_path)
    return asked


# -- help ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "args",
    [["--help"], ["fit", "--help"], ["forecast", "--help"], ["data", "--help"], ["show", "--help"],
     ["readings", "--help"], ["data", "check", "--help"], ["data", "build", "--help"],
     ["data", "describe", "--help"], ["data", "codebook", "--help"],
     ["data", "coverage", "--help"]],
)  # fmt: skip
def test_help(args):
    done = call(*args)
    assert done.exit_code == 0 and "Usage:" in done.output


def test_version():
    assert call("--version").output.strip() == fw.__version__


def test_readings():
    out = call("readings").output
    assert [line.split()[0] for line in out.splitlines()] == list(fw.READINGS)
    assert out.count("(default)") == 1


# -- a run ---------------------------------------------------------------------------------------


def test_forecast(world, monkeypatch):
    monkeypatch.setattr(pipeline, "draw", DRAW)
    done = call("forecast", "--states", STATES, "--seed", "7", "--draws", "40", "--chains", "2")
    assert done.exit_code == 0, done.output
    (folder,) = [p for p in os.listdir("results")]
    results = fw.open_results(f"results/{folder}")
    assert results.status == "complete"
    assert world["fit"].pop("keep").name.startswith("incomplete-")
    assert world["fit"] == {"draws": 40, "tune": TUNE, "chains": 2, "random_seed": 7,
                            "progressbar": True, "sampler": "nutpie",
                            "target_accept": 0.7}  # fmt: skip
    assert world["forecast"]["random_seed"] == 7 and world["forecast"]["horizon"] == 5
    assert world["model"]["reading"] == "elastic-side"
    for piece in ("2001-04 level", "Ease Russia", "Claims", "Convergence", folder, "figures"):
        assert piece in done.stdout
    steps = {"data", "build", "compile", "sample", "forecast", "claims", "figures", "total"}
    assert steps <= results.run["timings"].keys()
    assert sorted(os.listdir(f"results/{folder}/figures"))[::3] == [
        "alignment.pdf", "pressure.pdf", "survival.pdf",
    ]  # fmt: skip


def test_quiet_prints_only_the_folder(world):
    done = call("forecast", "--states", STATES, "--quiet", "--tune", "300", "--results", "out")
    assert done.exit_code == 0
    assert done.stderr == "" and fw.open_results(done.stdout.strip()).path.parent.name == "out"
    assert world["fit"]["progressbar"] is False and world["fit"]["tune"] == 300


def test_fit_then_forecast_from_it(world):
    first = call("fit", "--states", STATES, "--quiet")
    assert first.exit_code == 0, first.output
    fitted = fw.open_results(first.stdout.strip())
    assert fitted.status == "fit-only"
    world["fit"] = None
    for name in (fitted.path, fitted.id):
        done = call("forecast", "--from", name, "--horizon", "3", "--quiet")
        assert done.exit_code == 0, done.output
        assert fw.open_results(done.stdout.strip()).status == "complete"
    assert world["fit"] is None, "nothing may be sampled again"
    assert world["forecast"]["horizon"] == 3


def test_show(world):
    path = call("forecast", "--states", STATES, "--quiet").stdout.strip()
    for name in (path, os.path.basename(path)):
        done = call("show", name)
        assert done.exit_code == 0 and "Ease both" in done.stdout and "Files in" in done.stdout


# -- refusals ------------------------------------------------------------------------------------

BAD = {
    "as_of": (["--as-of", "soon"], "YYYY-MM-DD"),
    "too early": (["--as-of", "1950-01-01"], "nothing was available"),
    "reading": (["--reading", "astrology"], "unknown reading 'astrology'"),
    "priors": (["--priors", "wishful"], "wishful"),
    "scenarios": (["--scenarios", "bad.toml"], "bad.toml: no paths. Add one."),
    "state": (["--states", "CHN,RUS,XXX"], "unknown states ['XXX']"),
    "one state": (["--states", "CHN"], "fewer than two states"),
    "focal": (["--states", STATES, "--focal", "RUS-CHN"], "alphabetical"),
    "folder": (["--results", "file"], "cannot write to the results folder 'file'"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_before_sampling(world, case, tmp_path):
    (tmp_path / "file").touch()
    args, problem = BAD[case]
    done = call("forecast", *args)
    assert done.exit_code == 2
    assert problem in done.stderr and done.stderr.startswith("fairweather: ")
    assert done.stderr.count("\n") == 1 and done.stdout == ""
    assert "fit" not in world and "Traceback" not in done.output


@pytest.mark.parametrize("option", ["--draws", "--chains", "--horizon", "--tune"])
def test_numbers_out_of_range(world, option):
    done = call("forecast", option, "0")
    assert done.exit_code == 2 and option in done.stderr and "fit" not in world


def test_a_fit_that_does_not_converge(world):
    world["gate"] = helpers.FAILED
    done = call("forecast", "--states", STATES)
    assert done.exit_code == 3
    assert "half_life: R-hat 1.052, the bar is 1.01 (and 1 more)" in done.stderr
    assert "forecast" not in world and done.stdout == ""
    (folder,) = os.listdir("results")
    assert folder.startswith("failed-") and folder in done.stderr
    again = call("forecast", "--from", f"results/{folder}")
    assert again.exit_code == 3 and "do not meet the bar" in again.stderr
    shown = call("show", folder)
    assert shown.exit_code == 0 and "R-hat 1.052" in shown.stdout and "failed" in shown.stdout


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (KeyboardInterrupt(), 130, "interrupted; what was whole is kept"),
        (SamplerError("no start", remedy="Change the priors."), 2, "no start. Change the priors."),
        (PriorError("two\nlines"), 2, "two lines"),
    ],
)
def test_errors_while_sampling(world, error, code, message):
    world["error"] = error
    done = call("fit", "--states", STATES)
    assert done.exit_code == code and message in done.stderr.splitlines()[-1]
    assert os.listdir("results") == []


def test_an_unforeseen_error_is_not_hidden(world):
    world["error"] = ZeroDivisionError("bug")
    assert isinstance(call("fit", "--states", STATES).exception, ZeroDivisionError)


def test_from_refuses_options_of_the_fit(world):
    done = call("forecast", "--from", "x", "--as-of", "2016-12-31", "--draws", "10")
    assert done.exit_code == 2
    assert "--as-of, --draws cannot be changed with --from" in done.stderr


def test_from_refuses_another_record(world, monkeypatch):
    path = call("fit", "--states", STATES, "--quiet").stdout.strip()
    run = fw.open_results(path).path / "run.json"
    run.write_text(run.read_text().replace(helpers.panel().record.content_hash, "0" * 64))
    done = call("forecast", "--from", path)
    assert done.exit_code == 2 and "the record has changed" in done.stderr


@pytest.mark.parametrize("args", [["show", "nowhere"], ["forecast", "--from", "nowhere"]])
def test_a_run_that_is_not_there(world, args):
    done = call(*args)
    assert done.exit_code == 2 and "no run at 'nowhere'" in done.stderr


# -- data ----------------------------------------------------------------------------------------


def test_data_check(monkeypatch, tmp_path):
    table = pd.DataFrame({"indicator": ["a", "b"], "rows": [10, 2000], "long_rows": [0, 1500]})
    monkeypatch.setattr("fairweather.summary.check", lambda folder: table)
    out = call("data", "check", "--data", tmp_path).output
    assert "2 indicators, 2,010 rows, 1,500 of the long record, 0 events: all sound." in out


def test_data_check_reads_the_chronology_too(monkeypatch, tmp_path):
    table = pd.DataFrame({"indicator": ["a"], "rows": [10], "long_rows": [0]})
    monkeypatch.setattr("fairweather.summary.check", lambda folder: table)
    events = len(load_chronology(unverified=True))
    assert f"{events} events: all sound" in call("data", "check").output
    shutil.copytree(shipped_data_dir(), tmp_path / "data")
    path = tmp_path / "data" / "chronology.csv"
    path.write_text(path.read_text("utf-8").replace(",mutual,", ",sideways,", 1), "utf-8")
    done = call("data", "check", "--data", tmp_path / "data")
    assert done.exit_code == 2 and "chronology.csv, line" in done.stderr


def test_data_check_of_a_folder_without_a_record(tmp_path):
    done = call("data", "check", "--data", tmp_path)
    assert done.exit_code == 2 and ".toml: the file does not exist" in done.stderr


def test_data_build_needs_a_folder():
    done = call("data", "build", "--sources", "nowhere")
    assert done.exit_code == 2 and "no folder 'nowhere'" in done.stderr


def test_data_build_hands_on(monkeypatch, tmp_path):
    asked = []

    def build(*where, states):
        asked.append((*where, states))
        return pd.DataFrame({"indicator": ["unga_votes"]})

    monkeypatch.setitem(sys.modules, "pyarrow", SimpleNamespace())
    monkeypatch.setattr("fairweather.coding.build.build", build)
    own = tmp_path / "data"
    done = call("data", "build", "--sources", tmp_path, "--data", own, "--states", "CHN,RUS,IND")
    assert done.exit_code == 0 and "unga_votes" in done.stdout
    assert asked == [(str(tmp_path), str(own), "CHN,RUS,IND")]


def test_data_build_without_its_extra(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    done = call("data", "build", "--sources", tmp_path)
    assert done.exit_code == 2 and "fairweather[coding]" in done.stderr


@pytest.fixture
def record(monkeypatch):
    """The record of three states, read once."""
    read = helpers.panel().record
    monkeypatch.setattr("fairweather.record.load_record", lambda folder, history: read)


def test_data_describe(record):
    done = call("data", "describe", "unsc_joint_veto")
    assert done.exit_code == 0, done.output
    for piece in ("unsc_joint_veto", "Joint vetoes", "licence", "Rows by year", "CHN-RUS: "):
        assert piece in done.stdout
    done = call("data", "describe", "us_aid", "--unit", "IND")
    assert "IND: value" in done.stdout and "CHN: value" not in done.stdout


def test_data_describe_refuses_what_is_not_there(record):
    done = call("data", "describe", "unga_vote")
    assert (
        done.exit_code == 2 and "no indicator 'unga_vote'. Did you mean unga_votes" in done.stderr
    )
    done = call("data", "describe", "unga_votes", "--unit", "CHN")
    assert done.exit_code == 2 and "Name a pair, as CHN-RUS." in done.stderr


def test_data_codebook(monkeypatch, tmp_path):
    monkeypatch.setattr("fairweather.record.load_record", lambda folder, history: (folder, history))
    monkeypatch.setattr("fairweather.codebook_page.page", lambda record: f"# {record}\n")
    assert call("data", "codebook", "--data", "mine").stdout == "# ('mine', True)\n"
    file = tmp_path / "docs" / "book.md"
    assert call("data", "codebook", "--out", file).stdout.strip() == str(file)
    assert file.read_text() == "# (None, True)\n"


def test_data_coverage(monkeypatch, tmp_path):
    from fairweather.figures import style

    asked = []
    monkeypatch.setattr(
        "fairweather.record.load_record", lambda folder, history: asked.append((folder, history))
    )
    monkeypatch.setattr(
        "fairweather.figures.coverage.plot_coverage", lambda record: style.page(3.5, 2, "Empty.")
    )
    for name, start in (("a.png", b"\x89PNG"), ("a.pdf", b"%PDF")):
        done = call("data", "coverage", "--history", "--out", tmp_path / "img" / name)
        assert done.exit_code == 0 and done.stdout.strip().endswith(name)
        assert (tmp_path / "img" / name).read_bytes().startswith(start)
    assert asked == [(None, True)] * 2
    done = call("data", "coverage", "--out", tmp_path / "a.svg")
    assert done.exit_code == 2 and "Use the ending .png or .pdf." in done.stderr
    assert len(asked) == 2, "nothing may be read for a file that cannot be written"


# -- the package ---------------------------------------------------------------------------------


def test_version_is_that_of_the_project():
    import tomllib
    from pathlib import Path

    project = Path(__file__).resolve().parents[1] / "pyproject.toml"
    assert tomllib.loads(project.read_text())["project"]["version"] == fw.__version__


def test_public_names_win_over_modules_of_the_same_name(monkeypatch):
    before = vars(fw).get("forecast")
    fw.forecast = type(sys)("fairweather.forecast")  # what the import system does
    assert vars(fw).get("forecast") is before
    monkeypatch.setitem(vars(fw), "forecast", None)
    fw.forecast = "anything else"
    assert fw.forecast == "anything else"


def test_unknown_name():
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = fw.nonsense


def test_public_names_are_listed():
    assert set(fw.__all__) <= set(dir(fw))
