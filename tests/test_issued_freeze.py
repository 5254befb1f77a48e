"""What is frozen of a run is the forecast, and nothing of the clock, the folder or the machine."""

import io
import json
import shutil
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import fairweather as fw
import helpers
from fairweather import archive
from fairweather.errors import ArchiveError
from fairweather.issued import Store, freeze, manifest


def labelled(fit, **options):
    """A made-up forecast with the labels of a real one."""
    fc = helpers.forecast(fit, **options)
    value = (
        fc["observables"]
        .to_dataset()
        .assign_coords(
            id=("indicator", ["unga_votes", "arms_volume"]), unit=("indicator", ["CHN-RUS", "CHN"])
        )
    )
    fc["observables"] = fc["observables"].from_dict({"/": value})
    return fc


def saved(folder, fc=None, **options):
    fit = helpers.tree()
    return fw.open_results(archive.save_results(
        fit, labelled(fit) if fc is None else fc, options.pop("claims", helpers.claims()),
        gate=options.pop("gate", helpers.Gate()), results_dir=folder, **options,
    ))  # fmt: skip


@pytest.fixture(autouse=True)
def tables(monkeypatch):
    stub = SimpleNamespace(
        durability_table=helpers.durability_table, forecast_table=helpers.forecast_table
    )
    monkeypatch.setitem(sys.modules, "fairweather.forecast", stub)


@pytest.fixture
def results(tmp_path):
    return saved(tmp_path / "results")


def test_files(results):
    files, _ = freeze(results)
    assert sorted(files) == [
        "claims.csv", "diagnostics.csv", "draws.parquet", "durability.csv", "forecast.csv",
        "run.json",
    ]  # fmt: skip
    for name in ("claims.csv", "durability.csv", "forecast.csv", "diagnostics.csv"):
        assert files[name] == (results.path / name).read_bytes()


def test_facts(results):
    _, facts = freeze(results)
    assert json.loads(json.dumps(facts, allow_nan=False)) == facts
    assert facts["focal"] == "CHN-RUS" and facts["origin"] == 2024 and facts["horizon"] == 5
    assert facts["data"]["as_of"] is None and facts["data"]["record_hash"]
    assert facts["priors"] == {"id": "default", "hash": "p" * 64}
    assert facts["readings"] == {"elastic-side": 1.0} and facts["code"].keys() == {
        "version", "source"}  # fmt: skip
    assert facts["seed"]["fit"] == 1 and facts["diagnostics"]["passed"] is True
    assert facts["scenarios"]["names"] == list(helpers.SCENARIOS)
    chance = facts["chance"]
    assert (chance["scenario"], chance["threshold"], chance["horizon"]) == (
        "current-weather", "2001-04", 5)  # fmt: skip
    assert chance["probability"] == pytest.approx(np.exp(-0.15))
    shown = manifest.headline(facts)
    assert None not in {v for k, v in shown.items() if k != "as_of"}


def test_nothing_of_the_clock_the_folder_or_the_machine(results, tmp_path, monkeypatch):
    files, facts = freeze(results)
    run = json.loads(files["run.json"])
    assert not {"machine", "timings", "created", "contents"} & run.keys()
    assert run["packages"] and run["data"]["record_hash"]
    text = json.dumps(facts) + files["run.json"].decode()
    assert str(tmp_path) not in text
    # The same run, later, elsewhere, on another machine.
    elsewhere = tmp_path / "elsewhere" / "copy"
    shutil.copytree(results.path, elsewhere)
    edited = json.loads((elsewhere / "run.json").read_text())
    edited |= {"created": "2031-01-01", "timings": {}, "machine": {"cores": 96}}
    (elsewhere / "run.json").write_text(json.dumps(edited))
    again = freeze(fw.open_results(elsewhere))
    assert manifest.compose(*again) == manifest.compose(files, facts)


def test_another_run_has_another_id(results, tmp_path):
    other = saved(tmp_path / "other", labelled(helpers.tree(), seed=5))
    ids = {manifest.sha256(manifest.compose(*freeze(r))) for r in (results, other)}
    assert len(ids) == 2


def test_draws(results):
    files, _ = freeze(results)
    frame = pd.read_parquet(io.BytesIO(files["draws.parquet"]))
    assert list(frame.columns) == ["scenario", "indicator", "unit", "target_year", "draws"]
    assert len(frame) == 5 * 2 * 5
    value = results.forecast["observables"]["value"]
    for row in frame.iloc[[0, 7, 23, 49]].itertuples():
        which = 0 if row.indicator == "unga_votes" else 1
        wanted = value.sel(scenario=row.scenario, horizon=row.target_year - 2024)[which]
        assert row.draws.dtype == np.float32
        np.testing.assert_array_equal(row.draws, wanted.to_numpy().astype(np.float32))
    assert set(zip(frame["indicator"], frame["unit"], strict=True)) == {
        ("unga_votes", "CHN-RUS"), ("arms_volume", "CHN")}  # fmt: skip


@pytest.mark.parametrize("kind", ["fit-only", "failed-gate", "incomplete"])
def test_only_complete_runs(kind, tmp_path, results):
    if kind == "fit-only":
        one = fw.open_results(
            archive.save_results(helpers.tree(), gate=helpers.Gate(), results_dir=tmp_path)
        )
    elif kind == "failed-gate":
        one = saved(tmp_path, gate=helpers.FAILED)
    else:
        one = archive.Results(results.path, results.run | {"status": "incomplete"})
    with pytest.raises(ArchiveError, match=rf"is {kind}: only a complete run can be issued"):
        freeze(one)


def test_without_claims(tmp_path):
    files, _ = freeze(saved(tmp_path, claims=None))
    assert "claims.csv" not in files


def test_a_table_that_cannot_be_read(results):
    (results.path / "durability.csv").unlink()
    with pytest.raises(ArchiveError, match=r"durability.csv: cannot be read"):
        freeze(results)


def test_issue_and_open_a_run(results, tmp_path):
    store = Store(tmp_path / "forecasts")
    one = store.issue(*freeze(results))
    assert one.new and store.issue(*freeze(results)).new is False
    assert len(store.open(1).table("draws.parquet")) == 50
    assert store.list().loc[0, "chance"] == pytest.approx(np.exp(-0.15))
    assert len(store.verify()) == 0
