"""An exported forecast is a hub: its rules hold, its numbers are those that were forecast."""

import errno
import os

import numpy as np
import pandas as pd
import pytest

import hub_rules
from fairweather.alone import alone
from fairweather.errors import RecordError
from fairweather.exchange import EXPORTS, ExchangeError, get_export, hub_rows, hubverse
from fairweather.exchange.forecast_csv import parse_forecast
from fairweather.exchange.hubverse import export, read_output
from fairweather.exchange.sources import Source
from fairweather.issued import Store, freeze
from fairweather.record import load_record
from issued_made import everything
from made_mixture import READINGS, WEIGHTS, one, saved

OUTPUT = "model-output/fairweather-drift/2024-12-31-fairweather-drift"


@pytest.fixture(scope="module")
def record():
    return load_record()


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    return {r: saved(folder, r) for r in READINGS}


@pytest.fixture(scope="module")
def store(runs, tmp_path_factory):
    made = Store(tmp_path_factory.mktemp("store") / "forecasts")
    made.issue(*freeze(runs["drift"]))
    made.issue(*freeze(*runs.values(), weights=WEIGHTS))
    return made


@pytest.fixture
def source(store):
    return Source.of_issued(store.open(1))


def shifted(source, years):
    """The same forecast as if made from another origin."""
    table = source.table.copy()
    for name in ("origin_date", "target_date"):
        table[name] = (table[name].str[:4].astype(int) + years).astype(str) + "-12-31"
    draws = source.draws.assign(target_year=source.draws["target_year"] + years)
    return Source(source.name + str(years), True, table, draws, source.facts)


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_hub_follows_the_rules(source, record, tmp_path, form):
    done = export(source, tmp_path / "hub", form=form, record=record)
    assert hub_rules.check_hub(tmp_path / "hub") == [f"2024-12-31-fairweather-drift.{form}"]
    assert f"{OUTPUT}.{form}" in done.written and not done.same
    assert "oracle-output.csv" in done.notes[0]
    assert sorted(done.written) == sorted(everything(tmp_path / "hub"))


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_there_and_back(store, record, tmp_path, form):
    for serial, name in ((1, "drift"), (2, "stacked")):
        one = store.open(serial)
        export(Source.of_issued(one), tmp_path, form=form, samples=40, record=record)
        file = f"model-output/fairweather-{name}/2024-12-31-fairweather-{name}.{form}"
        table, samples = read_output(tmp_path / file)
        assert table.equals(parse_forecast(one.read("forecast.csv")))
        draws = one.table("draws.parquet")
        assert len(samples) == 40 * len(draws)
        wide = samples.pivot(index=["scenario", "indicator", "unit", "target_year"],
                             columns="draw", values="value")  # fmt: skip
        for row in draws.itertuples():
            at = (row.scenario, row.indicator, row.unit, row.target_year)
            np.testing.assert_array_equal(wide.loc[at].to_numpy(), row.draws.astype(float))


def test_a_sample_keeps_the_number_of_its_draw(source, record, tmp_path):
    export(source, tmp_path, samples=7, record=record)
    _, samples = read_output(tmp_path / f"{OUTPUT}.csv")
    assert samples["draw"].unique().tolist() == [3, 9, 15, 21, 26, 32, 38]
    row = source.draws.iloc[5]
    mine = samples[(samples["scenario"] == row["scenario"]) & (samples["unit"] == row["unit"])
                   & (samples["indicator"] == row["indicator"])
                   & (samples["target_year"] == row["target_year"])]  # fmt: skip
    np.testing.assert_array_equal(mine["value"], row["draws"][mine["draw"] - 1].astype(float))
    hub_rules.check_hub(tmp_path)


def test_no_samples(source, record, tmp_path):
    export(source, tmp_path, samples=0, record=record)
    _, samples = read_output(tmp_path / f"{OUTPUT}.csv")
    assert samples.empty and hub_rules.check_hub(tmp_path)
    with pytest.raises(ExchangeError, match="41 samples are asked for, of 40 draws"):
        export(source, tmp_path / "b", samples=41, record=record)
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_second_export_changes_nothing(source, record, tmp_path, form):
    export(source, tmp_path, form=form, record=record)
    before = everything(tmp_path)
    done = export(source, tmp_path, form=form, record=record)
    assert not done.written and everything(tmp_path) == before
    assert f"{OUTPUT}.{form}" in done.same


def test_another_round_leaves_earlier_files_alone(source, record, tmp_path):
    export(source, tmp_path, record=record)
    before = everything(tmp_path)
    done = export(shifted(source, -6), tmp_path, record=record)
    after = everything(tmp_path)
    changed = {k for k in before if after[k] != before[k]}
    assert changed == {"hub-config/tasks.json"}
    assert "target-data/oracle-output.csv" in done.written
    assert len(hub_rules.check_hub(tmp_path)) == 2
    rounds = hub_rules.read(tmp_path, "tasks.json")["rounds"]
    assert [r["last_data_date"] for r in rounds] == ["2024-12-31", "2018-12-31"]
    oracle = pd.read_csv(tmp_path / "target-data/oracle-output.csv")
    assert set(oracle["target_end_date"]) == {"2019-12-31", "2020-12-31"}
    assert export(shifted(source, -6), tmp_path, record=record).written == ()


def test_another_model_of_the_same_origin_joins_the_round(store, record, tmp_path):
    drift, stacked = (Source.of_issued(store.open(k)) for k in (1, 2))
    export(drift, tmp_path, record=record, samples=10)
    table = stacked.table[stacked.table["scenario"] == "ease-both"].replace(
        {"scenario": {"ease-both": "thaw"}}
    )
    draws = stacked.draws.replace({"scenario": {"current-weather": "thaw"}})
    draws = draws[draws["scenario"] == "thaw"]
    export(Source("x", True, table, draws, stacked.facts), tmp_path, record=record, samples=20)
    assert len(hub_rules.check_hub(tmp_path)) == 2
    (one,) = hub_rules.read(tmp_path, "tasks.json")["rounds"]
    assert set(one["additional_metadata"]["forecasts"]) == {
        "fairweather-drift", "fairweather-stacked"}  # fmt: skip
    scenarios = one["model_tasks"][0]["task_ids"]["scenario_id"]["optional"]
    assert scenarios == ["current-weather", "ease-both", "thaw"]
    told = one["additional_metadata"]["forecasts"]["fairweather-stacked"]
    assert told["readings"] == pytest.approx(WEIGHTS) and told["issued"] == "x"


def test_another_forecast_of_the_same_name_is_refused(source, record, tmp_path):
    export(source, tmp_path, record=record)
    before = everything(tmp_path)
    table = source.table.assign(value=source.table["value"] + 1.0)
    other = Source("other", True, table, source.draws, source.facts)
    with pytest.raises(ExchangeError, match=r"says something else; it is left as it is.*--model"):
        export(other, tmp_path, record=record)
    with pytest.raises(ExchangeError, match=r"there as 2024-12-31-fairweather-drift\.csv"):
        export(source, tmp_path, form="parquet", record=record)
    assert everything(tmp_path) == before
    export(other, tmp_path, model="drift-2", record=record)
    assert len(hub_rules.check_hub(tmp_path)) == 2


def test_parquet_of_another_writer_with_the_same_rows_is_the_same(source, record, tmp_path):
    export(source, tmp_path, form="parquet", record=record)
    file = tmp_path / f"{OUTPUT}.parquet"
    pd.read_parquet(file).to_parquet(file, compression="gzip", index=False)
    again = file.read_bytes()
    assert export(source, tmp_path, form="parquet", record=record).written == ()
    assert file.read_bytes() == again


def test_what_the_keeper_of_the_hub_wrote_stays(source, record, tmp_path):
    export(source, tmp_path, record=record)
    for name in ("hub-config/admin.json", "model-metadata/fairweather-drift.yml"):
        file = tmp_path / name
        file.write_text(file.read_text().replace("fairweather", "ours").replace("whoever", "we"))
    before = everything(tmp_path)
    done = export(source, tmp_path, record=record)
    assert everything(tmp_path) == before
    assert sum("left as it is" in note for note in done.notes) == 2


@pytest.mark.parametrize(
    ("make", "said"),
    [(lambda d: (d / "notes.txt").write_text("x"), "is no hub: it has no hub-config/tasks.json"),
     (lambda d: None, "the hub takes no parquet files"),
     (lambda d: (d / "hub-config/tasks.json").write_text("[]"), "tasks.json: cannot be used"),
     (lambda d: (d / "hub-config/admin.json").unlink(), "admin.json: cannot be used")],
)  # fmt: skip
def test_folders_that_cannot_be_added_to(source, record, tmp_path, make, said):
    if "no hub" not in said:
        export(source, tmp_path, record=record)
        admin = tmp_path / "hub-config/admin.json"
        admin.write_text(admin.read_text().replace(',\n    "parquet"', ""))
    make(tmp_path)
    before = everything(tmp_path)
    with pytest.raises(ExchangeError, match=said):
        export(source, tmp_path, form="parquet", record=record)
    assert everything(tmp_path) == before


def test_a_file_is_no_folder(source, record, tmp_path):
    (tmp_path / "hub").write_text("x")
    with pytest.raises(ExchangeError, match="is no folder"):
        export(source, tmp_path / "hub", record=record)


def test_an_export_that_was_stopped_is_completed(source, record, tmp_path, monkeypatch):
    """Wherever it stops, the output is not there half, and the same command completes it."""
    whole = tmp_path / "whole"
    export(source, whole, record=record)
    real, calls = os.replace, []
    for stop in range(8):
        calls.clear()

        def replace(a, b, stop=stop):
            calls.append(b)
            if len(calls) > stop:
                raise OSError(errno.ENOSPC, "No space left on device")
            real(a, b)

        hub = tmp_path / f"hub{stop}"
        monkeypatch.setattr(hubverse.os, "replace", replace)
        with pytest.raises(OSError, match="No space left"):
            export(source, hub, record=record)
        monkeypatch.setattr(hubverse.os, "replace", real)
        assert not (hub / f"{OUTPUT}.csv").exists() and not list(hub.rglob(".*"))
        export(source, hub, record=record)
        assert everything(hub) == everything(whole)


def test_one_exports_at_a_time(source, record, tmp_path):
    with alone(tmp_path), pytest.raises(RecordError, match="another command is exporting into"):
        export(source, tmp_path, record=record)
    assert not everything(tmp_path)
    export(source, tmp_path, record=record)


def test_names(source, record, tmp_path):
    for bad in ("a b", "x" * 17, "ä"):
        with pytest.raises(ExchangeError, match="cannot be the abbreviation of a model"):
            export(source, tmp_path, model=bad, record=record)
    with pytest.raises(ExchangeError, match="no format 'xlsx'"):
        export(source, tmp_path, form="xlsx", record=record)
    assert not everything(tmp_path)


def test_only_one_origin_and_known_types(source):
    table = pd.concat([source.table, shifted(source, 1).table])
    with pytest.raises(ExchangeError, match="several origins: 2024-12-31, 2025-12-31"):
        hub_rows.to_rows(table, source.draws, 0)
    with pytest.raises(ExchangeError, match="output type cdf is not exported"):
        hub_rows.to_rows(source.table.assign(output_type="cdf"), source.draws, 0)


def test_sources(runs, store):
    run = Source.of_run(runs["drift"])
    issued = Source.of_issued(store.open(1))
    assert run.table.equals(issued.table) and run.name == runs["drift"].id
    assert issued.name == store.open(1).id and issued.issued and not run.issued
    bare = Store("memory://exchange-bare")
    with pytest.raises(ExchangeError, match=r"forecast 1 has no forecast\.csv"):
        Source.of_issued(bare.issue({"a.txt": b"x"}, {}))


def test_the_list_of_forms():
    for name in EXPORTS:
        module = get_export(name)
        assert module.TITLE and callable(module.export)
    with pytest.raises(ExchangeError, match="no form 'xml' to export to"):
        get_export("xml")


def test_the_forecast_of_a_small_run_is_the_one_exported(runs):
    value = one("drift")["observables"]["value"]
    table = Source.of_run(runs["drift"]).table
    row = table[(table["output_type"] == "mean") & (table["scenario"] == "ease-both")].iloc[0]
    wanted = value.sel(scenario="ease-both", horizon=row["horizon"]).isel(indicator=0).mean()
    assert row["value"] == pytest.approx(float(wanted))
