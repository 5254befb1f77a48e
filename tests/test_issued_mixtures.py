"""A mixture of runs is issued with its weights, and with the best single reading beside it."""

import io
import json
import shutil

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import fairweather as fw
from fairweather import archive, cli
from fairweather.ensemble import EnsembleError, WeightsError, mix, weights_from
from fairweather.errors import ArchiveError
from fairweather.forecast import durability_table, forecast_table
from fairweather.issued import Store, diff, freeze, manifest
from made_mixture import READINGS, WEIGHTS, one, saved, tree
from test_weights import backtest

runner = CliRunner()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("mixtures")
    for reading in READINGS:
        saved(place / "results", reading)
    return place


@pytest.fixture(scope="module")
def runs(folder):
    found = {}
    for path in (folder / "results").iterdir():
        run = fw.open_results(path)
        found[run.run["model"]["reading"]] = run
    return [found[r] for r in READINGS]


@pytest.fixture(scope="module")
def frozen(runs):
    return freeze(*runs, weights=WEIGHTS)


def changed(run, **parts):
    return archive.Results(run.path, run.run | parts)


def test_files(runs, frozen):
    files, _ = frozen
    assert sorted(files) == [
        "best-durability.csv", "best-forecast.csv", "diagnostics.csv", "draws.parquet",
        "durability.csv", "forecast.csv", "run-drift.json", "run-scope.json",
        "run-thermostat.json",
    ]  # fmt: skip
    best = runs[READINGS.index("scope")]
    for name in ("durability.csv", "forecast.csv"):
        assert files[f"best-{name}"] == (best.path / name).read_bytes()
    made = mix({r: one(r) for r in READINGS}, WEIGHTS)
    read = pd.read_csv(io.BytesIO(files["durability.csv"]))
    pd.testing.assert_frame_equal(read, durability_table(made))
    read = pd.read_csv(io.BytesIO(files["forecast.csv"]))
    np.testing.assert_allclose(read["value"], forecast_table(made, "x")["value"])
    assert set(read["model_id"]) == {"fairweather-stacked"}
    drawn = pd.read_parquet(io.BytesIO(files["draws.parquet"]))
    assert {len(d) for d in drawn["draws"]} == {40}
    quality = pd.read_csv(io.BytesIO(files["diagnostics.csv"]))
    assert list(quality.columns[:2]) == ["reading", "quantity"]
    assert set(quality["reading"]) == set(READINGS)


def test_facts(runs, frozen, folder):
    files, facts = frozen
    assert json.loads(json.dumps(facts, allow_nan=False)) == facts
    assert facts["readings"] == pytest.approx(WEIGHTS) and facts["best"] == "scope"
    assert list(facts["readings"]) == ["scope", "thermostat", "drift"]
    assert facts["weights"] == {"kind": "given", "notes": [], "left_out": []}
    for run in runs:
        own = facts["runs"][run.run["model"]["reading"]]
        assert own["run"] == run.id and own["diagnostics"]["passed"] is True
        assert own["seed"] == {"fit": run.run["seed"], "forecast": run.run["scenarios"]["seed"]}
        assert own["sampling"]["draws"] == 20 and own["code"] == run.run["code"]
    assert facts["code"] == runs[0].run["code"] and facts["data"] == runs[0].run["data"]
    assert facts["mixing"]["draws"] == {"scope": 20, "thermostat": 12, "drift": 8}
    assert facts["diagnostics"]["divergences"] == 0 and facts["diagnostics"]["passed"]
    assert facts["seed"] == {"mix": 1} and facts["origin"] == 2024 and facts["horizon"] == 2
    table = pd.read_csv(io.BytesIO(files["durability.csv"]))
    first = table[(table.scenario == "current-weather") & (table.horizon == 2)].iloc[0]
    assert facts["chance"]["probability"] == pytest.approx(first["probability"])
    text = json.dumps(facts) + b"".join(v for k, v in files.items() if k.endswith("json")).decode()
    assert str(folder) not in text and "created" not in text


def test_a_headline_says_the_weights(frozen):
    assert manifest.headline(frozen[1])["readings"] == "scope .50 + thermostat .30 + drift .20"
    several = {f"r{k}": 0.1 for k in range(10)}
    assert (
        manifest.headline({"readings": several})["readings"] == "r0 .10 + r1 .10 + r2 .10 + 7 more"
    )
    most = {"drift": 0.998, "scope": 0.002}
    assert manifest.headline({"readings": most})["readings"] == "drift 1.00 + 1 more"
    assert manifest.headline({"readings": {"drift": 1.0}})["readings"] == "drift"
    assert manifest.headline({"readings": {"drift": "x", "a": 1}})["readings"] == "a+drift"


def test_the_same_mixture_has_the_same_id(runs, frozen, tmp_path):
    ident = manifest.sha256(manifest.compose(*frozen))
    turned = freeze(*reversed(runs), weights=dict(reversed(WEIGHTS.items())))
    assert manifest.sha256(manifest.compose(*turned)) == ident
    copies = []
    for run in runs:
        shutil.copytree(run.path, tmp_path / run.id)
        copies.append(fw.open_results(tmp_path / run.id))
    assert manifest.sha256(manifest.compose(*freeze(*copies, weights=WEIGHTS))) == ident
    for other in ({"weights": {**WEIGHTS, "drift": 0.1, "scope": 0.6}},
                  {"weights": WEIGHTS, "seed": 2}):  # fmt: skip
        assert manifest.sha256(manifest.compose(*freeze(*runs, **other))) != ident


def test_one_run_needs_no_weights_and_is_no_mixture(runs):
    alone = freeze(runs[0])
    assert freeze(runs[0], weights={"drift": 1.0}) == alone
    assert "best" not in alone[1] and alone[1]["readings"] == {"drift": 1.0}
    with pytest.raises(WeightsError, match="no reading has any weight"):
        freeze(runs[0], weights={"drift": 0.0})


def test_a_reading_without_weight_is_left_out(runs):
    files, facts = freeze(*runs, weights={"drift": 0.0, "scope": 0.5, "thermostat": 0.5})
    assert "run-drift.json" not in files and facts["weights"]["left_out"] == ["drift"]
    assert facts["readings"] == {"scope": 0.5, "thermostat": 0.5} and "drift" not in facts["runs"]


def test_weights_of_a_backtest(runs, tmp_path):
    rows = [(2023, {"drift": 0.2, "scope": 0.5, "thermostat": 0.3}, 9),
            (2025, {"drift": 0.3, "scope": 0.3, "thermostat": 0.3, "regime": 0.1}, 12),
            (2026, {"drift": 1.0, "scope": 0.0, "thermostat": 0.0}, 13)]  # fmt: skip
    folder = backtest(tmp_path / "b", rows)
    _, facts = freeze(*runs, weights=folder)
    # Weights of 2026 rest on 2025, the first year that is forecast.
    assert facts["weights"]["origin"] == 2025 and facts["weights"]["years"] == 12
    assert facts["readings"] == pytest.approx(dict.fromkeys(READINGS, 1 / 3))
    assert "regime (0.1)" in facts["weights"]["notes"][0]
    given = weights_from(folder, READINGS)
    _, facts = freeze(*runs[:1], *runs[1:], weights=given)
    assert facts["weights"]["origin"] == 2026 and facts["readings"] == {"drift": 1.0}
    early = [changed(r, data=r.run["data"] | {"as_of": "2024-12-31"}) for r in runs]
    _, facts = freeze(*early, weights=folder)
    assert facts["weights"]["origin"] == 2023


def test_refusals(runs, tmp_path):
    with pytest.raises(ArchiveError, match="3 runs make a mixture, and it is not said"):
        freeze(*runs)
    with pytest.raises(ArchiveError, match=r"both of the reading 'drift'"):
        freeze(runs[0], runs[0], weights="equal")
    with pytest.raises(ArchiveError, match="only a complete run"):
        freeze(runs[0], changed(runs[1], status="fit-only"), weights="equal")
    other = changed(runs[1], data=runs[1].run["data"] | {"record_hash": "0"})
    with pytest.raises(ArchiveError, match="are of other data"):
        freeze(runs[0], other, weights="equal")
    other = changed(runs[1], priors={"id": "sceptic", "hash": "0"})
    with pytest.raises(ArchiveError, match="are of other prior beliefs"):
        freeze(runs[0], other, weights="equal")
    with pytest.raises(WeightsError, match="no weight of the reading scope"):
        freeze(*runs[:2], weights={"drift": 1.0})
    longer = saved(tmp_path, "scope", one("scope", horizon=3))
    with pytest.raises(EnsembleError, match="the horizon"):
        freeze(runs[0], longer, weights="equal")


def test_issue_list_show_diff(folder, runs, monkeypatch):
    monkeypatch.chdir(folder)

    def call(*args):
        done = runner.invoke(cli.app, [str(a) for a in args])
        assert done.exit_code == 0, done.output
        return done.stdout

    (folder / "w.toml").write_text("drift = 2\nscope = 5\nthermostat = 3\n")
    args = ["issue", *(r.path for r in runs), "--weights", "w.toml"]
    said = call(*args)
    assert said.startswith("Mixture of scope 50%, thermostat 30%, drift 20%; weights: file\n")
    assert "note: the weights summed to 10 and were divided by it" in said
    assert "Issued as 1: " in said and "Was issued as 1" in call(*args)
    assert "Issued as 2: " in call("issue", runs[0].id)
    backtest(folder / "b", [(2025, dict.fromkeys(READINGS, 1 / 3), 12)])
    said = call("issue", *(r.id for r in runs), "--weights", "b")
    assert "from 12 target years before 2025" in said
    rows = call("list").splitlines()
    assert "scope .50 + thermostat .30 + drift .20" in rows[1] and "  drift  " in rows[2]
    shown = call("show", "1")
    for piece in ("best", "scope", "runs drift seed fit", "weights kind", "run-drift.json",
                  "The single reading with most weight, scope:"):  # fmt: skip
        assert piece in shown
    said = call("diff", "1", "2")
    assert "readings.scope" in said and "Chance of staying above" in said
    store = Store("forecasts")
    assert len(diff(store.open(1), store.open(3)).medians) and len(store.verify()) == 0
    done = runner.invoke(cli.app, ["issue", *(str(r.path) for r in runs)])
    assert done.exit_code == 2 and "--weights SOURCE" in done.stderr


def test_runs_are_read_back_as_they_were_saved(runs):
    assert runs[0].forecast["survival"].to_dataset().equals(one("drift")["survival"].to_dataset())
    assert tree("drift").attrs["reading"] == "drift"
