"""The command that exports: what it writes, what it says, and how it refuses."""

import pytest
from typer.testing import CliRunner

import hub_rules
from fairweather import cli
from fairweather.exchange import hubverse
from fairweather.issued import Store, freeze
from fairweather.record import load_record
from made_mixture import saved

runner = CliRunner()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("export")
    run = saved(place / "results", "drift")
    Store(place / "forecasts").issue(*freeze(run))
    return place, run.id


@pytest.fixture(autouse=True)
def here(folder, monkeypatch):
    record = load_record()
    monkeypatch.chdir(folder[0])
    monkeypatch.setattr(hubverse, "_record", lambda: record)


def call(*args):
    return runner.invoke(cli.app, ["export", *map(str, args)])


def test_an_issued_forecast_and_its_run_are_the_same_export(folder, tmp_path):
    done = call("hubverse", "latest", tmp_path / "hub", "--samples", "5")
    assert done.exit_code == 0, done.output
    file = tmp_path / "hub/model-output/fairweather-drift/2024-12-31-fairweather-drift.csv"
    assert str(file) in done.stdout and "there is no oracle-output.csv" in done.stdout
    hub_rules.check_hub(tmp_path / "hub")
    data = file.read_bytes()
    done = call("hubverse", 1, tmp_path / "hub", "--samples", "5")
    assert done.exit_code == 0 and "Nothing changed" in done.stdout
    done = call("hubverse", folder[1], tmp_path / "two", "--samples", "5", "--format", "csv")
    assert done.exit_code == 0, done.output
    two = tmp_path / "two/model-output/fairweather-drift/2024-12-31-fairweather-drift.csv"
    assert two.read_bytes() == data
    done = call("hubverse", "1", tmp_path / "hub", "--model", "other", "--format", "parquet")
    assert done.exit_code == 0 and len(hub_rules.check_hub(tmp_path / "hub")) == 2


@pytest.mark.parametrize(
    ("args", "said"),
    [(["xml", "latest", "d"], "no form 'xml'"), (["hubverse", "77", "d"], "there is no"),
     (["hubverse", "no-such-run", "d"], "there is no run"),
     (["hubverse", "latest", "d", "--format", "xlsx"], "no format 'xlsx'"),
     (["hubverse", "latest", "d", "--samples", "9999"], "of 40 draws"),
     (["hubverse", "latest", "results"], "is no hub")],
)  # fmt: skip
def test_refusals(args, said):
    done = call(*args)
    assert done.exit_code == 2 and said in done.stderr and done.stderr.count("\n") == 1


def test_help():
    done = call("--help")
    assert done.exit_code == 0 and "hubverse" in done.stdout
