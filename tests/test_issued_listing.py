"""The short way to a list prints what the command prints, or leaves everything to it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main
from typer.testing import CliRunner

from fairweather import cli
from fairweather.issued import Store
from fairweather.issued.listing import COLUMNS, listing, quick

MODEL = Path(cli.__file__).resolve().parents[1]
START = "from fairweather.start import main; main()"


@pytest.fixture
def store(tmp_path):
    place = Store(tmp_path / "forecasts", say=lambda text: None)
    for k, chance in enumerate((0.351, None, 1.0)):
        facts = {"focal": "CHN-RUS", "origin": 2022 + k, "horizon": 5,
                 "readings": {"elastic-side": 1.0}, "priors": {"id": "default"}}  # fmt: skip
        if chance is not None:
            facts["chance"] = {"probability": chance}
        place.issue({"note.txt": b"%d" % k}, facts)
    return place


def started(*args, **options):
    return subprocess.run(
        [sys.executable, "-c", options.pop("code", START), *map(str, args)],
        env=os.environ | {"PYTHONPATH": str(MODEL)}, capture_output=True, timeout=120, **options,
    )  # fmt: skip


def by_command(*args):
    return CliRunner().invoke(cli.app, ["list", *map(str, args)])


@pytest.mark.parametrize("more", [[], ["--json"]])
def test_both_ways_print_the_same(store, tmp_path, more, capfd):
    where = ["--store", str(tmp_path / "forecasts"), *more]
    wanted = by_command(*where)
    assert wanted.exit_code == 0
    assert quick(["list", *where])
    assert capfd.readouterr().out == wanted.stdout
    assert wanted.stdout.count("\n") >= 3


def test_the_program_takes_the_short_way_without_the_command_line(store, tmp_path):
    code = (
        "import sys; from fairweather.start import main; main(); sys.exit('typer' in sys.modules)"
    )
    done = started("list", "--store", tmp_path / "forecasts", code=code)
    assert done.returncode == 0, done.stderr
    assert done.stdout.decode() == by_command("--store", tmp_path / "forecasts").stdout
    assert started("--version").stdout == b"0.1.0\n"


@pytest.mark.parametrize(
    "words",
    [[], ["show", "1"], ["list", "--help"], ["list", "1"], ["list", "--store"], ["list", "--quiet"],
     ["list", "--store=x"], ["list", "--store", "--json"]],
)  # fmt: skip
def test_anything_else_is_left_to_the_command(words, capfd):
    assert not quick(words)
    assert capfd.readouterr() == ("", "")


def test_what_is_refused_is_refused_by_the_command(store, tmp_path, capfd):
    (tmp_path / "forecasts" / "ledger" / "00000002.json").unlink()
    where = ["--store", str(tmp_path / "forecasts")]
    wanted = by_command(*where)
    assert quick(["list", *where]) == (wanted.exit_code == 0)
    done = started("list", *where)
    assert done.returncode == wanted.exit_code and done.stdout.decode() == wanted.stdout
    note = tmp_path / "notes"
    note.mkdir()
    (note / "mine.txt").write_text("mine")
    capfd.readouterr()
    assert not quick(["list", "--store", str(note)]) or by_command("--store", note).exit_code == 0


def test_a_rebuilt_index_is_told(store, tmp_path):
    (tmp_path / "forecasts" / "index.sqlite").unlink()
    done = started("list", "--store", tmp_path / "forecasts")
    assert done.returncode == 0 and b"was missing: built anew" in done.stderr
    assert done.stdout.startswith(b"serial")


def test_a_reader_that_leaves_is_no_fault(store, tmp_path):
    done = subprocess.run(
        f'"{sys.executable}" -c "{START}" list --store "{tmp_path / "forecasts"}" | true',
        shell=True, env=os.environ | {"PYTHONPATH": str(MODEL)}, capture_output=True, timeout=120,
    )  # fmt: skip
    assert b"Traceback" not in done.stderr and b"Exception" not in done.stderr


def test_an_empty_list_has_its_head():
    assert listing([]).split() == " ".join(COLUMNS).split()
    assert listing([], json=True) == "[]"


def test_a_named_command_is_read_alone_and_is_the_same():
    whole = typer.main.get_command(cli.app)
    for name in ("list", "backtest", "forecast"):
        alone = typer.main.get_command(cli.narrowed([name]))
        assert list(alone.commands) == [name] and len(whole.commands) > 10
        one, other = (
            [(p.name, p.opts, p.default, p.help) for p in group.commands[name].params
             if hasattr(p, "help")] for group in (alone, whole)
        )  # fmt: skip
        assert one == other
    for words in ([], ["--version"], ["data", "build"], ["nothing"]):
        assert cli.narrowed(words) is cli.app
