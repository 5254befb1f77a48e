"""The command for people and for cron: one JSON line, documented exit codes, nothing else."""

import json

import pytest
from typer.testing import CliRunner

import made_update as made
import test_updating_run as whole
from fairweather import cli, updating
from fairweather.errors import ConvergenceError, SourceError
from fairweather.updating import BusyError
from fairweather.updating.turnstile import turnstile

runner = CliRunner()
base, calls, world = whole.base, whole.calls, whole.world
READ = ["--reading", made.READING, "--horizon", "2", "--draws", "20", "--tune", "10",
        "--chains", "2"]  # fmt: skip


def call(*args):
    return runner.invoke(cli.app, [str(a) for a in args])


def places(world):
    return ["--store", world.store, "--results", world.results, "--data", world.data]


def test_one_json_line_for_cron_and_a_page_for_people(world):
    file = made.votes(world.root.parent)
    given = ["--import", "un-ga", file, "--released", "2026-02-06"]
    done = call("update", *given, *READ, *places(world), "--quiet")
    assert done.exit_code == 0 and done.stderr == "" and done.stdout.count("\n") == 1
    said = json.loads(done.stdout)
    assert said["status"] == "issued" and said["serial"] == 2 and said["after"] == 1
    assert len(said["id"]) == 64 and said["code"] == 0
    one = said["readings"][made.READING]
    assert (one["how"], one["k"], one["weight"]) == ("reweighted", 0.31, 1.0)
    assert said["rows"] == {"unga_votes": {"new": 3, "changed": 0, "withdrawn": 0}}
    today = said["durability"]["current-weather"]
    assert today["before_to"] == 2026 and today["to"] == 2027 and 0 <= today["after"] <= 1
    assert said["influence"][0]["indicator"] == "unga_votes"
    assert said["due"]["cells"] == 1 and said["due"]["final"] == 0
    assert set(said["due"]["crps"]) >= {"issued", "random-walk"} and said["seconds"] > 0

    done = call("update", *READ, *places(world), "--quiet")
    said = json.loads(done.stdout)
    assert done.exit_code == 0 and said["status"] == "nothing-new" and said["serial"] == 2
    assert said["readings"] == {} and said["durability"] == {}
    done = call("update", *READ, *places(world))
    assert done.exit_code == 0 and "Nothing is new since forecast 2" in done.stdout

    # The next release, on a page.
    file = made.votes(world.root.parent, "march.csv", russia="Y" * 11 + "N")
    given = ["--import", "un-ga", file, "--released", "2026-03-06"]
    done = call("update", *given, *READ, *places(world))
    assert done.exit_code == 0, done.output
    for piece in (
        "un-ga, released 2026-03-06: 0 new, 2 changed, 0 withdrawn", "unga_votes: 2 changed",
        "elastic-side: reweighted (Pareto k 0.31)", "few rows differ", "Issued as 3: ",
        "Chance of staying above", "What moved it (elastic-side)", "Scores of what has come",
        "random-walk", "Provisional",
    ):  # fmt: skip
        assert piece in done.stdout, piece
    scores = call(
        "score", *places(world)[:2], "--data", world.data, "--csv", world.root / "scores.csv"
    )
    assert scores.exit_code == 0 and "Fewer than 20 values have come" in scores.stdout


def test_score_writes_a_table_and_names_what_is_missing(world, tmp_path):
    at = ["--store", world.store, "--data", world.data]
    done = call("score", *at)
    assert done.exit_code == 0 and done.stdout == "Nothing that was forecast has come yet.\n"
    csv = tmp_path / "scores.csv"
    assert call("score", "1", *at, "--csv", csv).exit_code == 0
    assert csv.read_text().startswith("serial,id,origin,scenario,latent,indicator,")
    done = call("score", "9", *at)
    assert done.exit_code == 2 and "there is no forecast 9" in done.stderr


@pytest.mark.parametrize(
    ("error", "code", "status"),
    [
        (SourceError("has no year", file="ga.csv", remedy="Fetch it."), 2, "refused"),
        (OSError(28, "No space left on device", "/somewhere/else/x"), 2, "refused"),
        (ConvergenceError("R-hat 1.05"), 3, "failed"),
        (BusyError("another update is running"), 5, "busy"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
def test_exit_codes(monkeypatch, error, code, status):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(updating, "update", fail)
    done = call("update", "--quiet")
    said = json.loads(done.stdout)
    assert done.exit_code == code == said["code"] and said["status"] == status
    assert done.stdout.count("\n") == 1 and done.stderr == "" and "/somewhere" not in done.stdout
    loud = call("update")
    assert loud.exit_code == code and loud.stdout == ""
    assert loud.stderr.startswith("fairweather: ") and loud.stderr.count("\n") == 1


def test_what_is_unforeseen_is_told_and_not_hidden(monkeypatch):
    monkeypatch.setattr(updating, "update", lambda *_, **__: 1 / 0)
    done = call("update", "--quiet")
    found = json.loads(done.stdout)
    assert found["status"] == "unforeseen" and found["seconds"] >= 0
    assert done.exit_code == 1 and isinstance(done.exception, ZeroDivisionError)


def test_another_update_is_running(world):
    with turnstile(world.store):
        done = call("update", *READ, *places(world), "--quiet")
    said = json.loads(done.stdout)
    assert done.exit_code == 5 and said["status"] == "busy" and "--wait" in said["problem"]


@pytest.mark.parametrize("given", [["x.csv"], ["--released", "2026-01-01"], ["--years", "2024"]])
def test_a_release_without_its_layout(given):
    done = call("update", *given)
    assert done.exit_code == 2 and "without --import FORMAT" in done.stderr


def test_options_reach_the_update(monkeypatch):
    seen = []

    def note(asked, say=None):
        seen.append(asked)
        raise SourceError("enough")

    monkeypatch.setattr(updating, "update", note)
    call(
        "update", "--import", "un-ga", "a.csv", "b.csv", "--years", "2023-2024",
        "--accept-withdrawals", "--accept-older", "--reading", "drift", "--reading", "scope",
        "--weights", "equal", "--states", "chn,rus,ind", "--wait", "5", "--dry-run",
        "--seed", "7", "--quiet",
    )  # fmt: skip
    one = seen[0]
    assert [p.name for p in one.release.files] == ["a.csv", "b.csv"]
    assert one.release.years == (2023, 2024) and one.release.accept_withdrawals
    assert one.release.accept_older
    assert one.readings == ["drift", "scope"] and one.weights == "equal" and one.seed == 7
    assert one.states == ["CHN", "RUS", "IND"] and one.wait == 5.0 and one.dry_run
    assert not one.progressbar


def test_json_is_strict():
    from fairweather.updating.telling import one_line

    assert one_line({"a": float("inf"), "b": "two\nlines"}).count("\n") == 0
    assert json.loads(one_line({"a": float("nan")}))["a"] is None
