"""What `fairweather priors` prints, writes and refuses."""

import json
import os

import pandas as pd
import pytest
from typer.testing import CliRunner

from fairweather import beliefs
from fairweather.cli import app
from fairweather.panel import load_panel
from fairweather.priors import load_priors

STATES = "CHN,RUS,IND"
COMPARE = beliefs.compare_beliefs
MINE = (
    '[meta]\nid = "mine"\ntitle = "Fast and sure"\nbase = "sceptic"\n'
    '[half_life]\ndist = "LogNormal"\nmu = 1.2\nsigma = 0.2\n'
    'reason = "It answers within a term."\nsource = "a notebook"\n'
)


@pytest.fixture(scope="module")
def panel():
    return load_panel(states=STATES.split(","))


@pytest.fixture(scope="module")
def table(panel):
    return COMPARE(panel, ["default", "sceptic", "author"], draws=20)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch, panel):
    """Another folder, and the panel read once for all tests."""
    monkeypatch.chdir(tmp_path)
    assert panel.states == tuple(sorted(STATES.split(",")))
    monkeypatch.setattr("fairweather.panel.load_panel", lambda states: panel)


@pytest.fixture
def known(monkeypatch, table):
    """What is implied, computed once: these tests are about what stands around it."""

    def compare(panel, sets, reading, **_):
        return table[table["set"].isin([one.id for one in sets])]

    monkeypatch.setattr(beliefs, "compare_beliefs", compare)


def run(*args, code=0):
    done = CliRunner().invoke(app, ["priors", "--states", STATES, "--draws", "20", *map(str, args)])
    assert done.exit_code == code, done.output
    return " ".join(done.output.split())


def contest(tmp_path, name, by_prior, age=0):
    file = tmp_path / "results" / f"contest-{name}" / "claims.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    text = (
        by_prior if isinstance(by_prior, str) else json.dumps({"claims": {}, "by_prior": by_prior})
    )
    file.write_text(text, encoding="utf-8")
    os.utime(file, ns=(10**18 - age, 10**18 - age))
    return file


def says(verdict, probability):
    return {"verdict": verdict, "probability": probability}


def test_all_sets_with_what_they_change():
    shown = run()
    for name in ("default", "sceptic", "author", "agnostic"):
        assert f"{name}: {load_priors(name).title}" in shown
    sceptic = load_priors("sceptic")
    assert f"on default, changes {len(sceptic.changed)} of {len(sceptic.table)}" in shown
    assert "elasticity_mean Normal(0, 0.07) Normal(0, 0.2)" in shown
    assert "Source:" not in shown, "reasons are shown of a set asked for"
    assert "C43 " in shown and "chance of falling below" in shown
    assert "No verdicts under these sets in 'results'; fairweather contest computes them." in shown


def test_a_set_with_its_reasons_beside_the_default(known):
    shown = run("--set", "author")
    assert "weaker link" in shown and "Source: Yun" in shown and "sceptic" not in shown
    assert "before any alignment is seen default author" in shown


def test_a_set_of_ones_own(tmp_path, panel):
    (tmp_path / "mine.toml").write_text(MINE, encoding="utf-8")
    shown = run("--set", "mine.toml", "--set", "default", "--csv", "out.csv")
    assert "mine: Fast and sure (on sceptic, changes 1 of" in shown
    assert "half_life LogNormal(1.2, 0.2) LogNormal(1.946, 0.2) It answers within a term." in shown
    assert "measured differently" not in shown
    table = pd.read_csv("out.csv")
    expected = COMPARE(panel, ["mine.toml", "default"], draws=20)
    pd.testing.assert_frame_equal(table, expected)


def test_a_set_that_measures_differently_is_told():
    more = MINE + (
        '[concentration]\ndist = "Fixed"\nvalue = 6.0\nreason = "trust counts"\nsource = "me"\n'
    )
    with open("mine.toml", "w", encoding="utf-8") as file:
        file.write(more)
    shown = run("--set", "mine.toml")
    assert "Beyond what moves the target it changes concentration: alignment is then" in shown


def test_a_reading_changes_what_is_implied():
    shown = run("--set", "default", "--reading", "drift", "--seed", "3")
    assert "reading drift" in shown and "C08" not in shown and "C36" in shown
    assert "(as shipped)" in shown


def test_verdicts_of_the_newest_contest(tmp_path, known):
    old = {"default": {"C01": says("contradicted", 0.0)}}
    contest(tmp_path, "z-old", old, age=10**9)
    new = {
        "default": {"C01": says("borne out", 0.95), "C08": says("undecided", 0.4)},
        "sceptic": {"C01": says("undecided", 0.5), "C08": says("undecided", 0.41)},
    }
    new["default"] |= {"C25": says("not testable here", None), "C30": says(None, None)}
    contest(tmp_path, "a-new", new)
    shown = run("--set", "default", "--set", "sceptic")
    assert "C01 borne out (95 %) undecided (50 %) hangs on beliefs" in shown
    assert "C08 undecided (40 %) undecided (41 %)" in shown
    assert "C25 not testable here - C30 - -" in shown
    assert shown.count("hangs on beliefs") == 1 and "contradicted" not in shown
    shown = run("--set", "author")
    assert "C01 borne out (95 %) -" in shown
    shown = run("--set", "author", "--results", "nowhere")
    assert "No verdicts under these sets in 'nowhere'; fairweather contest" in shown


def test_a_contest_under_one_set_has_no_such_verdicts(tmp_path, known):
    contest(tmp_path, "one", json.dumps({"claims": {}}))
    assert "fairweather contest computes them" in run("--set", "default")


@pytest.mark.parametrize(
    "text", ["{", '["a"]', '{"claims": {}, "by_prior": {"default": {"C01": {"verdict": "x"}}}}',
             '{"claims": {}, "by_prior": {"default": 3}}', '{"claims": {}, "by_prior": [1]}'],
)  # fmt: skip
def test_damaged_verdicts_are_refused(tmp_path, text):
    contest(tmp_path, "bad", text)
    shown = run("--set", "default", code=2)
    assert "claims.json: the verdicts" in shown and "contest-bad" in shown and "damaged" in shown


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--set", "nobody"], "shipped sets: default, agnostic, author, sceptic"),
        (["--set", "gone.toml"], "gone.toml: cannot be read"),
        (["--set", "author", "--set", "author"], "'author' is named twice"),
        (["--reading", "weather"], "unknown reading 'weather'"),
        (
            ["--csv", "no/such/folder/out.csv", "--set", "default"],
            "--csv: there is no folder 'no/such/folder'. Make it first.",
        ),
    ],
)
def test_refusals(args, message):
    assert message in run(*args, code=2)
