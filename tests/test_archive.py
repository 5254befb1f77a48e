"""An archived run is whole or absent, can be traced, and reads back as it was."""

import json
import os
import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr

import fairweather as fw
import helpers
from fairweather import archive, provenance, rundir
from fairweather.clock import Clock
from fairweather.errors import ArchiveError


@pytest.fixture(autouse=True)
def tables(monkeypatch):
    stub = SimpleNamespace(
        durability_table=helpers.durability_table, forecast_table=helpers.forecast_table
    )
    monkeypatch.setitem(sys.modules, "fairweather.forecast", stub)


@pytest.fixture
def fit():
    return helpers.tree()


@pytest.fixture
def saved(fit, tmp_path):
    clock = Clock()
    with clock("data"):
        pass
    from fairweather.figures.style import SINGLE, page

    return archive.save_results(
        fit, helpers.forecast(fit), helpers.claims(), gate=helpers.Gate(),
        figures={"survival": page(SINGLE, 2, "Nothing.")}, results_dir=tmp_path, clock=clock,
    )  # fmt: skip


def everything(folder):
    return sorted(p.name for p in folder.iterdir())


# -- round trip ----------------------------------------------------------------------------------


def test_round_trip(saved, fit):
    results = fw.open_results(saved)
    assert results.status == "complete" and results.id == saved.name
    posterior = results.tree["posterior"]
    np.testing.assert_allclose(posterior["alignment"], fit["posterior"]["alignment"], rtol=1e-6)
    assert posterior["alignment"].dtype == np.float32
    xr.testing.assert_equal(
        posterior["elasticity"].load(), fit["posterior"]["elasticity"].drop_attrs()
    )
    assert posterior["dyad"].values.tolist() == fit["posterior"]["dyad"].values.tolist()
    assert {**results.tree.attrs} == {**fit.attrs}
    assert set(results.tree.children) == set(fit.children)
    fc = helpers.forecast(fit)
    xr.testing.assert_equal(results.forecast["durability"].to_dataset(),
                            fc["durability"].to_dataset())  # fmt: skip
    assert np.isinf(results.forecast["durability"]["median_years"]).all()
    assert len(results.durability) == 5 * 3 * 5
    assert results.claims["verdict"].tolist() == ["undecided", "borne out"]
    assert results.forecast_table["model_id"].tolist() == ["fairweather-elastic-side"]
    assert results.diagnostics["quantity"].tolist()[0] == "half_life"


def test_geometry_is_left_out_and_what_the_forecast_reads_stays(saved, fit):
    kept = set(fw.open_results(saved).tree["posterior"].data_vars)
    assert not kept & {"level_raw", "pressure_step"}
    assert {"alignment", "pressure", "words", "shift_within", "half_life"} <= kept
    assert "level_raw" in fit["posterior"], "the caller's tree must not change"


def test_an_archived_fit_can_be_archived_again(saved, tmp_path):
    again = fw.open_results(saved).tree.load()
    path = fw.save_results(again, gate=helpers.Gate(), results_dir=tmp_path / "again")
    assert fw.open_results(path).status == "fit-only"


def test_run_json_states_what_the_numbers_rest_on(saved, fit):
    text = (saved / "run.json").read_text(encoding="utf-8")
    run = json.loads(text, parse_constant=lambda c: pytest.fail(f"{c} is no JSON"))
    assert run["model"] == {
        "reading": "elastic-side", "focal": "CHN-RUS", "origin": fit.attrs["origin"],
        "sampler": "nutpie", "tune": None, "chains": 2, "draws": 40, "target_accept": None,
        "indicators": None,
    }  # fmt: skip
    assert run["data"]["record_hash"] == fit.attrs["record_hash"]
    assert run["data"]["as_of"] is None and run["data"]["states"] == list(helpers.STATES)
    assert run["data"]["years"] == [1992, fit.attrs["origin"]]
    assert run["scenarios"]["names"] == list(helpers.SCENARIOS)
    assert run["timings"].keys() == {"compile", "sample", "data", "total"}
    assert run["diagnostics"]["passed"] and run["diagnostics"]["divergences"] == 0
    assert run["machine"]["cores"] >= 1 and run["machine"]["peak_memory_mb"] > 10
    assert run["packages"]["xarray"] and len(run["code"]["source"]) == 64
    assert run["contents"] == [n for n in everything(saved) if n != "run.json"]
    assert str(saved.parent) not in text


def test_files_of_a_run(saved):
    assert everything(saved) == [
        "claims.csv", "diagnostics.csv", "durability.csv", "figures", "forecast.csv",
        "forecast.zarr", "posterior.zarr", "run.json",
    ]  # fmt: skip
    assert everything(saved / "figures") == ["survival.pdf", "survival.png", "survival.txt"]
    assert b"\r" not in (saved / "durability.csv").read_bytes()
    names = [p.suffix for p in saved.rglob("*")]
    assert not {".pkl", ".pickle", ".npy"} & set(names)


def test_fit_only(fit, tmp_path):
    results = fw.open_results(fw.save_results(fit, gate=helpers.Gate(), results_dir=tmp_path))
    assert results.status == "fit-only" and results.run["scenarios"] is None
    with pytest.raises(ArchiveError, match=r"has no durability.csv. Make one with: fairweather"):
        _ = results.durability


# -- whole or absent -----------------------------------------------------------------------------


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError("killed"), SystemExit])
def test_an_interrupted_save_leaves_nothing(fit, tmp_path, monkeypatch, error):
    def stop(*_):
        raise error

    monkeypatch.setattr(archive, "describe", stop)
    with pytest.raises(error if isinstance(error, type) else type(error)):
        fw.save_results(fit, gate=helpers.Gate(), results_dir=tmp_path)
    assert everything(tmp_path) == []


def test_a_killed_save_never_opens(fit, tmp_path, monkeypatch):
    # A kill -9 gives no chance to clean up.
    monkeypatch.setattr(archive, "describe", lambda *_: 1 / 0)
    monkeypatch.setattr(rundir.shutil, "rmtree", lambda *_, **__: None)
    with pytest.raises(ZeroDivisionError):
        fw.save_results(fit, gate=helpers.Gate(), results_dir=tmp_path)
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(".partial-") and (left / "posterior.zarr").is_dir()
    with pytest.raises(ArchiveError, match=r"not a complete run.* Delete it and run again"):
        fw.open_results(left)
    # Not even when the last file was written but not yet renamed.
    (left / "run.json").write_text('{"schema": 1, "contents": []}')
    with pytest.raises(ArchiveError, match="not a complete run"):
        fw.open_results(left)


def test_a_failed_save_keeps_the_run_it_was_to_replace(saved, fit, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    before = (saved / "run.json").read_bytes()
    monkeypatch.setattr(archive, "describe", full)
    with pytest.raises(ArchiveError, match=r"No space left on device.* Free some space"):
        archive.save_results(
            fit, helpers.forecast(fit), gate=helpers.Gate(), results_dir=saved.parent,
            overwrite=True,
        )  # fmt: skip
    assert (saved / "run.json").read_bytes() == before
    assert everything(saved.parent) == [saved.name]


def test_old_leftovers_are_swept_and_young_ones_left(tmp_path):
    old, young = tmp_path / ".partial-a", tmp_path / ".partial-b"
    old.mkdir()
    young.mkdir()
    os.utime(old, (time.time() - 2 * 86_400,) * 2)
    with rundir.new_run_dir(tmp_path, "run"):
        pass
    assert everything(tmp_path) == [".partial-b", "run"]


# -- which folder --------------------------------------------------------------------------------


def test_a_second_run_gets_a_suffix(saved, fit):
    fc = helpers.forecast(fit)
    args = {"gate": helpers.Gate(), "results_dir": saved.parent}
    names = [archive.save_results(fit, fc, **args).name for _ in range(2)]
    assert names == [f"{saved.name}-2", f"{saved.name}-3"]
    assert fw.open_results(saved.parent / names[1]).run["id"] == saved.name


def test_overwrite_replaces(saved, fit):
    path = archive.save_results(
        fit, helpers.forecast(fit), gate=helpers.Gate(), results_dir=saved.parent, overwrite=True
    )
    assert path == saved and everything(saved.parent) == [saved.name]
    assert not fw.open_results(path).has("claims.csv")


def test_overwrite_puts_the_old_run_back_if_the_rename_fails(tmp_path, monkeypatch):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "kept").touch()
    real, calls = os.rename, []

    def second_fails(a, b):
        calls.append(a)
        if len(calls) == 2:
            raise OSError(5, "Input/output error")
        real(a, b)

    monkeypatch.setattr(rundir.os, "rename", second_fails)
    with (
        pytest.raises(ArchiveError, match="Input/output"),
        rundir.new_run_dir(tmp_path, "run", overwrite=True),
    ):
        pass
    assert everything(tmp_path) == ["run"] and everything(tmp_path / "run") == ["kept"]


def test_failed_gate_keeps_draws_and_no_quotable_table(fit, tmp_path):
    path = archive.save_results(
        fit, helpers.forecast(fit), helpers.claims(), gate=helpers.FAILED, results_dir=tmp_path,
        figures={"survival": None},
    )  # fmt: skip
    assert path.name.startswith("failed-")
    assert everything(path) == ["diagnostics.csv", "posterior.zarr", "run.json"]
    results = fw.open_results(path)
    assert results.status == "failed-gate"
    assert results.run["diagnostics"]["failures"] == helpers.FAILED.failures
    assert results.tree["posterior"].sizes["draw"] == 40
    with pytest.raises(ArchiveError, match=r"\(failed-gate\) has no claims.csv"):
        _ = results.claims


@pytest.mark.parametrize("below", ["", "deeper"])
def test_unwritable_folder_is_named(tmp_path, below):
    # A file in its place: works for root, who may write anywhere.
    target = tmp_path / "results"
    target.touch()
    with pytest.raises(ArchiveError, match="cannot write to the results folder") as caught:
        archive.ensure_writable(target / below)
    assert "results" in str(caught.value) and "--results DIR" in str(caught.value)


def test_ensure_writable_leaves_nothing_behind(tmp_path):
    assert everything(archive.ensure_writable(tmp_path / "a" / "b")) == []


def test_a_file_that_cannot_be_put_in_its_place_is_named_and_leaves_no_draft(tmp_path):
    target = tmp_path / "table.csv"
    target.mkdir()
    with pytest.raises(OSError) as caught:
        rundir.write_whole(target, "a,b\n")
    assert caught.value.filename == str(target) and caught.value.strerror
    assert [f.name for f in tmp_path.iterdir()] == ["table.csv"]
    with pytest.raises(OSError) as caught:
        rundir.write_whole(tmp_path / "nowhere" / "a.csv", "a,b\n")
    assert caught.value.filename == str(tmp_path / "nowhere" / "a.csv")


def test_a_full_disk_leaves_the_file_as_it_was(tmp_path, monkeypatch):
    file = tmp_path / "table.csv"
    rundir.write_whole(file, "old")

    def full(*names):
        raise OSError("no space left")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="no space left") as caught:
        rundir.write_whole(file, "new")
    assert caught.value.filename == str(file)
    assert file.read_text() == "old" and [f.name for f in tmp_path.iterdir()] == ["table.csv"]


# -- opening -------------------------------------------------------------------------------------


def test_missing_run():
    with pytest.raises(ArchiveError, match=r"no run at 'results/x'. Name a folder"):
        fw.open_results("results/x")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "run.json: is damaged"),
        ("[]", "run.json: is damaged"),
        ("{}", "run.json: is damaged"),
        ('{"schema": 99, "code": {"version": "7.1"}}', "format 99.* fairweather 7.1"),
    ],
)
def test_damaged_or_foreign_run(saved, text, problem):
    (saved / "run.json").write_text(text)
    with pytest.raises(ArchiveError, match=problem):
        fw.open_results(saved)


def test_a_part_that_went_missing(saved):
    (saved / "claims.csv").unlink()
    with pytest.raises(ArchiveError, match=r"lacks claims.csv. Run it again"):
        fw.open_results(saved)


def test_unreadable_draws(saved):
    for file in (saved / "posterior.zarr").rglob("zarr.json"):
        file.write_text("{")
    with pytest.raises(ArchiveError, match=r"posterior.zarr: the draws cannot be read"):
        _ = fw.open_results(saved).tree


# -- identity ------------------------------------------------------------------------------------


def test_run_id(fit):
    fc = helpers.forecast(fit)
    one = provenance.run_id(fit, fc)
    assert one.startswith(f"{fit.attrs['origin']}-elastic-side-") and len(one.split("-")[-1]) == 8
    assert one == provenance.run_id(helpers.tree(), helpers.forecast(helpers.tree()))
    others = [helpers.tree(seed=3, **{k: v}) for k, v in [
        ("record_hash", "x"), ("priors_hash", "x"), ("focal", "CHN-IND"), ("as_of", "2016-12-31"),
    ]]  # fmt: skip
    others += [helpers.tree(draws=41)]
    ids = {one, provenance.run_id(fit), *map(provenance.run_id, others)}
    assert len(ids) == 2 + len(others)
    slower = helpers.tree(timings=json.dumps({"sample": 999.0}))
    assert provenance.run_id(slower, fc) == one


def test_code_version_sees_every_source_file(monkeypatch, tmp_path):
    before = provenance.code_version()["source"]
    package = tmp_path / "fairweather"
    package.mkdir()
    (package / "__init__.py").write_text("")
    monkeypatch.setattr(provenance.fairweather, "__file__", str(package / "__init__.py"))
    first = provenance.code_version()["source"]
    (package / "x.py").write_text("1")
    assert len({before, first, provenance.code_version()["source"]}) == 3


def test_plain_is_strict_json():
    value = {"a": np.float32(0.5), "b": np.arange(2), "c": float("inf"), "d": "[1]", "e": "x"}
    assert provenance.plain(value) == {"a": 0.5, "b": [0, 1], "c": None, "d": [1], "e": "x"}


def test_clock():
    clock = Clock()
    for _ in range(2):
        with clock("step"):
            time.sleep(0.01)
    with pytest.raises(ValueError), clock("fails"):
        raise ValueError
    report = clock.report()
    assert report.keys() == {"step", "fails", "total"}
    assert 0.02 <= report["step"] <= report["total"]
