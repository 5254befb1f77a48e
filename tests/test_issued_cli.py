"""The commands for issued forecasts: quick, with one line for a refusal and the right exit code."""

import json
import os
import subprocess
import sys

import pytest
from typer.testing import CliRunner

import issued_made as made
import test_issued_freeze as frozen
from fairweather import cli, cli_issued
from fairweather.errors import ArchiveError
from fairweather.issued import ledger, manifest
from fairweather.issued.store import Store

runner = CliRunner()
tables = frozen.tables


def call(*args):
    return runner.invoke(cli.app, [str(a) for a in args])


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def run():
    return frozen.saved("results").path


@pytest.mark.parametrize("command", ["issue", "list", "show", "diff", "verify"])
def test_help(command):
    done = call(command, "--help")
    assert done.exit_code == 0 and "--store" in done.output


def test_issue_list_show_verify(run):
    done = call("issue", run)
    ident = Store("forecasts").open(1).id
    assert done.exit_code == 0 and done.stdout == f"Issued as 1: {ident}\n" and not done.stderr
    done = call("issue", run.name)
    assert done.exit_code == 0 and done.stdout.startswith("Was issued as 1 at 20")
    assert done.stdout.endswith(f"; nothing changed: {ident}\n")
    head, row = call("list").stdout.splitlines()
    assert head.split()[:2] == ["serial", "id"] and row.split()[:2] == ["1", ident[:12]]
    assert "full record" in row and row.endswith("86%")
    for key in ("1", "latest", ident, ident[:9]):
        done = call("show", key)
        assert done.exit_code == 0, done.output
        for piece in (ident, "Chance (%)", "draws.parquet", "record_hash", "elastic-side"):
            assert piece in done.stdout
    done = call("verify")
    entry = manifest.sha256((run.parents[1] / "forecasts" / ledger.path(1)).read_bytes())
    assert done.exit_code == 0
    assert done.stdout == f"All is as issued: 1 in the ledger, newest entry {entry}\n"
    assert call("verify", "1", "--head", entry).exit_code == 0


def test_show_still_shows_runs(run):
    for name in (run, run.name):
        done = call("show", name)
        assert done.exit_code == 0 and "Convergence" in done.stdout
    done = call("show", "2024-elastic-side-ffffffff")
    assert done.exit_code == 2 and "there is no run" in done.stderr
    os.rename(run, "results/12")
    assert "Convergence" in call("show", "12").stdout
    done = call("show", "13")
    assert done.exit_code == 2 and "nothing has been issued in 'forecasts'" in done.stderr


def test_only_complete_runs_are_issued():
    done = call("issue", frozen.saved("results", gate=frozen.helpers.FAILED).path)
    assert done.exit_code == 2 and "only a complete run" in done.stderr
    assert not os.path.exists("forecasts")


def test_list_as_json():
    made.store("s", 2)
    rows = json.loads(call("list", "--store", "s", "--json").stdout)
    assert [r["serial"] for r in rows] == [1, 2] and rows == Store("s").entries()


def test_diff(run):
    other = frozen.saved("other", frozen.labelled(frozen.helpers.tree(), seed=5)).path
    for path in (run, other):
        assert call("issue", path).exit_code == 0
    done = call("diff", "1", "2")
    assert done.exit_code == 0 and "draws.parquet" in done.stdout
    assert call("diff", "1", "latest", "--rows", "1").exit_code == 0
    assert "nothing differs" in call("diff", "1", "1").stdout
    made.store("s")[0].issue(*made.forecast(0))
    made.store("s")[0].issue(*made.forecast(1))
    shown = call("diff", "1", "2", "--store", "s").stdout
    assert "seed" in shown and "Facts" in shown and "forecast.csv" in shown


def test_diff_of_durability():
    import test_issued_diff as pairs

    store = Store("s")
    pairs.issue(store, {"current": 0.4, "storm": 0.3}, {"votes": (1, 1)})
    pairs.issue(store, {"current": 0.42, "storm": 0.2}, {"votes": (2, 1)})
    shown = call("diff", "1", "2", "--store", "s", "--rows", "1").stdout
    assert "largest changes (1 of 4)" in shown and "-0.1" in shown and "in 89 % widths" in shown


def test_verify_names_what_is_wrong():
    store, _ = made.store("s", 2)
    name = manifest.folder(store.open(2).id)
    made.overwrite(f"s/{name}/run.json", b"[]\n")
    done = call("verify", "--store", "s")
    assert done.exit_code == cli_issued.PROBLEMS == 4
    hashes = (manifest.sha256(data) for data in (b'{"schema": 1}\n', b"[]\n"))
    assert done.stdout.splitlines() == [
        f"damage: {name}/run.json was changed",
        f"  expected  {next(hashes)}, 14 bytes",
        f"  found     {next(hashes)}, 3 bytes",
        "  remedy    Restore it from a copy of the store.",
    ]
    assert call("verify", "1", "--store", "s").exit_code == 0
    assert (
        "The ledger and this forecast are as issued" in call("verify", "1", "--store", "s").stdout
    )
    assert call("verify", "--store", "s", "--head", "0" * 64).exit_code == 4


def test_leftovers_alone_are_no_failure_and_unfinished_issues_are():
    made.store("s", 1)
    os.mkdir("s/.partial-x")
    done = call("verify", "--store", "s")
    assert done.exit_code == 0 and "leftover" in done.stdout and "All is as issued" in done.stdout
    os.unlink("s/ledger/00000001.json")
    assert call("verify", "--store", "s").exit_code == 4


def test_refusals():
    for args in (
        ["list"],
        ["verify"],
        ["show", "latest"],
        ["diff", "1", "2"],
        ["issue", "nothing"],
    ):
        done = call(*args)
        assert done.exit_code == 2, args
        assert done.stderr.startswith("fairweather: ") and done.stderr.count("\n") == 1
    made.store("s", 1)
    made.overwrite("s/store.json", b'{"format":2}')
    done = call("list", "--store", "s")
    assert done.exit_code == 2 and "has format 2" in done.stderr
    assert call("verify", "--store", "s").exit_code == 4


def test_a_clock_set_back_is_said(run, monkeypatch):
    import datetime as dt

    made.store("forecasts", 1)
    monkeypatch.setattr(ledger, "now", lambda: dt.datetime(2001, 1, 1, tzinfo=dt.UTC))
    done = call("issue", run)
    assert done.exit_code == 0 and "the clock stands before the previous issue" in done.stderr
    assert "(clock behind)" in call("list").stdout
    assert "(the clock was behind)" in call("show", "2").stdout
    assert call("issue", run).stderr == ""


def test_an_index_built_anew_is_said_on_standard_error():
    made.store("s", 1)
    os.unlink("s/index.sqlite")
    done = call("list", "--store", "s")
    assert done.stderr == "fairweather: the index of 's' was missing: built anew from the ledger\n"
    assert len(done.stdout.splitlines()) == 2


def test_a_remote_store():
    where = "memory://cli/forecasts"
    made.store(where, 2)
    assert len(call("list", "--store", where).stdout.splitlines()) == 3
    assert call("verify", "--store", where).exit_code == 0


def test_a_list_imports_nothing_heavy():
    made.store("forecasts", 2)
    code = (
        "import sys; from fairweather.cli import app\n"
        "try: app(['list'])\n"
        "except SystemExit as end: assert not end.code\n"
        "heavy = ('pandas', 'numpy', 'rich.table', 'fsspec', 'xarray', 'pyarrow')\n"
        "print([m for m in heavy if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        env=made.environment(),
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == "[]"


def test_errors_are_of_one_kind():
    with pytest.raises(ArchiveError):
        Store("none").open("latest")
