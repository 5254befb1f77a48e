"""What has come is scored against forecasts that did not know it; how final it is, is told."""

import io
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import small_record
from fairweather.backtest.origin import in_units
from fairweather.baselines import BASELINES
from fairweather.coding import notes
from fairweather.coding.release import plan_release, take
from fairweather.due import (
    FINAL,
    ISSUED,
    MIN_CELLS,
    PROVISIONAL,
    Vintages,
    due_scores,
    means,
    skills,
    status,
)
from fairweather.due.scored import COLUMNS, as_recorded
from fairweather.errors import RecordError
from fairweather.issued import Store
from fairweather.record import load_record
from fairweather.scores import SCORES
from test_release import assembly

DAY = "2022-12-31"
WEATHERS = ("current-weather", "storm")


def frozen(record, origin, as_of=None, seed=0, draws=50, units=(("unga_votes", "CHN-RUS"),
           ("arms_deliveries", "CHN-RUS"))):  # fmt: skip
    """Files and facts of a made-up forecast of two series for three years."""
    rng = np.random.default_rng(seed)
    rows = [
        (w, i, u, origin + h, (rng.beta(16, 3, draws) if i == "unga_votes"
                               else rng.poisson(3.0, draws)).astype(np.float32))
        for w in WEATHERS for i, u in units for h in (1, 2, 3)
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=["scenario", "indicator", "unit", "target_year", "draws"])
    out = io.BytesIO()
    table.to_parquet(out)
    facts = {
        "focal": "CHN-RUS", "origin": origin, "horizon": 3, "seed": seed,
        "data": {"as_of": as_of, "record_hash": record.content_hash,
                 "states": list(record.states["iso3"]), "years": [1992, origin]},
        "readings": {"elastic-side": 1.0},
    }  # fmt: skip
    return {"draws.parquet": out.getvalue()}, facts


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A record, and a store with a forecast as of 2022 and one of all that was known."""
    root = tmp_path_factory.mktemp("due")
    data = small_record.make(root / "data")
    record = load_record(data)
    store = Store(root / "forecasts")
    store.issue(*frozen(record.known_on(DAY), 2022, DAY))
    store.issue(*frozen(record, 2024, seed=1))
    return SimpleNamespace(root=root, data=data, record=record, store=store)


@pytest.fixture(scope="module")
def scored(world):
    return due_scores(world.store, world.record, data_dir=world.data)


def test_only_what_came_and_was_not_known(world, scored):
    assert list(scored.columns) == COLUMNS
    # Of the forecast of all that was known nothing has come.
    assert set(scored["serial"]) == {1} and set(scored["scenario"]) == {"current-weather"}
    own = scored[scored["forecast"] == ISSUED]
    now = world.record.observations
    then = world.record.known_on(DAY).observations
    keys = ["indicator", "unit", "year"]
    said = {(i, "CHN-RUS", y) for i in ("unga_votes", "arms_deliveries") for y in range(2023, 2026)}
    wanted = said & set(map(tuple, now[keys].values)) - set(map(tuple, then[keys].values))
    assert set(map(tuple, own[keys].values)) == wanted and len(wanted) >= 2
    assert (own["horizon"] == own["year"] - 2022).all() and (scored["vintage"] == "hash").all()
    assert set(scored["forecast"]) == {ISSUED, *BASELINES}


def test_scores_are_those_of_the_frozen_draws(world, scored):
    files, _ = frozen(world.record.known_on(DAY), 2022, DAY)
    table = pd.read_parquet(io.BytesIO(files["draws.parquet"]))
    one = scored[(scored["forecast"] == ISSUED) & (scored["indicator"] == "unga_votes")].iloc[0]
    row = world.record.observations.merge(
        pd.DataFrame([one[["indicator", "unit", "year"]]]), on=["indicator", "unit", "year"]
    ).assign(family="vote")
    assert one["value"] == pytest.approx(in_units(row)[0])
    draws = table[
        (table["scenario"] == "current-weather") & (table["indicator"] == "unga_votes")
        & (table["target_year"] == one["year"])
    ]["draws"].iloc[0].astype(float)  # fmt: skip
    assert one["low"] == pytest.approx((draws < one["value"]).mean())
    x, y = np.log(draws / (1 - draws)), np.log(one["value"] / (1 - one["value"]))
    spread = np.abs(x[:, None] - x[None, :]).mean() / 2
    crps = np.abs(x - y).mean() - spread
    assert one["crps"] == pytest.approx(crps, rel=0.05)
    for name in SCORES:
        assert scored[name].notna().any()


def test_the_same_again_and_one_at_a_time(world, scored):
    again = due_scores(world.store, world.record, data_dir=world.data, keys=[1])
    pd.testing.assert_frame_equal(scored, again)
    storm = due_scores(world.store, world.record, data_dir=world.data, scenario="storm")
    plain = storm["forecast"] != ISSUED
    # What came is the same; the forecast is another.
    assert storm["value"].equals(scored["value"])
    assert not np.allclose(storm[~plain]["crps"], scored[~plain]["crps"])
    none = due_scores(world.store, world.record, data_dir=world.data, keys=[2])
    assert none.empty and list(none.columns) == COLUMNS


def test_only_what_is_new_since(world, scored):
    for known, left in ((world.record, 0), (world.record.known_on(DAY), len(scored))):
        found = due_scores(world.store, world.record, data_dir=world.data, since=known)
        assert len(found) == left


def test_plain_forecasts_see_what_the_forecast_saw(world, monkeypatch):
    from fairweather.due import scored as module

    seen = []
    true = module.Known

    def known(panel):
        seen.append((panel.record.as_of, panel.origin))
        return true(panel)

    monkeypatch.setattr(module, "Known", known)
    due_scores(world.store, world.record, data_dir=world.data)
    assert [(str(day), origin) for day, origin in seen] == [(DAY, 2022)]


def test_means_and_skill(scored, monkeypatch):
    table = means(scored)
    own = table[table["forecast"] == ISSUED].iloc[0]
    part = scored[scored["forecast"] == ISSUED]
    assert own["cells"] == len(part) == own["final"] + own["provisional"]
    assert own["crps"] == pytest.approx(part.groupby("indicator")["crps"].mean().mean())
    assert skills(scored).empty and len(part) < MIN_CELLS
    monkeypatch.setattr("fairweather.due.tables.MIN_CELLS", 2)
    found = skills(scored)
    assert set(found["against"]) <= set(BASELINES) and len(found)
    # Two forecasts of one origin are not one.
    two = pd.concat([scored, scored.assign(serial=9)], ignore_index=True)
    assert skills(two)["cells"].tolist() == (2 * found["cells"]).tolist()
    # But what they spoke of came once: it does not make few values many.
    monkeypatch.setattr("fairweather.due.tables.MIN_CELLS", int(found["cells"].max()) + 1)
    assert skills(two).empty


def test_means_are_over_the_cells_of_which_all_forecasts_speak(scored):
    silent = (scored["forecast"] == "random-walk") & (scored["indicator"] == "arms_deliveries")
    assert silent.any()
    some = scored.assign(crps=scored["crps"].mask(silent))
    table = means(some).set_index("forecast")
    votes = scored[scored["indicator"] == "unga_votes"].groupby("forecast")
    assert (table["cells"] == votes.size()[table.index]).all()
    np.testing.assert_allclose(table["crps"], votes["crps"].mean()[table.index])
    # The forecasts of all issued ones at once are told apart by their id.
    both = pd.concat([some, scored.assign(id="another")], ignore_index=True).assign(serial=0)
    cells = means(both).set_index("forecast")["cells"]
    assert cells[ISSUED] == table.loc[ISSUED, "cells"] + (scored["forecast"] == ISSUED).sum()
    # Where nothing is in common the issued forecast is not hidden.
    alone = means(scored.assign(crps=scored["crps"].mask(scored["forecast"] == "ar1")))
    assert alone["forecast"].tolist() == [ISSUED]
    assert alone["cells"].tolist() == [(scored["forecast"] == ISSUED).sum()]


def test_a_blank_is_not_the_number_minus_one():
    from fairweather.due.scored import _only_new

    cells = cell(2024, indicator="tone")
    row = cells.assign(value=3.0, partial=np.nan, opposite=np.nan, n=np.nan)
    old, new = (SimpleNamespace(observations=row.assign(n=n)) for n in (np.nan, -1.0))
    assert len(_only_new(cells, new, old)) == 1 and _only_new(cells, new, new).empty


def cell(year, unit="CHN-RUS", indicator="unga_votes"):
    return pd.DataFrame({"indicator": [indicator], "unit": [unit], "year": [year]})


def judged(data, year, as_of=None):
    one = status(load_record(data, as_of=as_of), notes.read(data), cell(year)).iloc[0]
    return one["status"], one["why"], one["revisions"]


def test_final_and_provisional(tmp_path, monkeypatch):
    data = small_record.make(tmp_path / "data")
    # Of the first vintage: read long after it was out, or soon after.
    assert judged(data, 2010)[0] == FINAL and "first vintage, read on" in judged(data, 2010)[1]
    sources = data / "sources.toml"
    text = sources.read_text()
    head, mark, rest = text.partition("[source.un_ga]")
    line = next(x for x in rest.splitlines() if x.startswith("read_on"))
    sources.write_text(head + mark + rest.replace(line, 'read_on = "2025-03-01"', 1))
    state, why, _ = judged(data, 2024)
    assert state == PROVISIONAL and "less than a year" in why
    assert judged(data, 2010)[0] == FINAL
    # As of a day the file had not been read later than that day.
    assert judged(data, 2010, as_of="2011-06-30")[0] == PROVISIONAL

    file = assembly(tmp_path / "ga.csv")
    take(plan_release("un-ga", [file], data_dir=data, released="2026-02-06"))
    assert judged(data, 2025) == (PROVISIONAL, "no later release has confirmed it yet", 0)
    # A revision is provisional again.
    assembly(file, russia="Y" * 11 + "N")
    take(plan_release("un-ga", [file], data_dir=data, released="2026-03-06"))
    assert judged(data, 2025) == (PROVISIONAL, "no later release has confirmed it yet", 1)
    file.write_text(file.read_text().replace("A title", "The title"))
    take(plan_release("un-ga", [file], data_dir=data, released="2026-06-06"))
    assert judged(data, 2025) == (FINAL, "confirmed by the release of 2026-06-06", 1)
    # On an earlier day that was not known.
    assert judged(data, 2025, as_of="2026-04-01")[0] == PROVISIONAL


def test_a_running_year_is_provisional_until_it_has_ended(tmp_path):
    data = small_record.make(tmp_path / "data")
    file = assembly(tmp_path / "ga.csv", year=2025)
    take(plan_release("un-ga", [file], data_dir=data, released="2025-12-01", years=(2025, 2025)))
    assert judged(data, 2025)[:2] == (PROVISIONAL, "its year had not ended when it came")
    file.write_text(file.read_text().replace("A title", "The title"))
    take(plan_release("un-ga", [file], data_dir=data, released="2025-12-20", years=(2025, 2025)))
    assert judged(data, 2025)[0] == PROVISIONAL
    file.write_text(file.read_text().replace("The title", "Title"))
    take(plan_release("un-ga", [file], data_dir=data, released="2026-02-06"))
    assert judged(data, 2025)[0] == FINAL


def test_the_vintage_of_a_forecast_is_found_by_its_hash(tmp_path):
    data = small_record.make(tmp_path / "data")
    records = [load_record(data)]
    for k, day in enumerate(("2026-02-06", "2026-03-06")):
        file = assembly(tmp_path / f"{k}.csv", russia="Y" * (12 - k) + "N" * k)
        take(plan_release("un-ga", [file], data_dir=data, released=day))
        records.append(load_record(data))
    finder = Vintages(records[-1])
    for one in records:
        found, how = finder.of({"data": {"as_of": None, "record_hash": one.content_hash}})
        assert how == "hash" and found.content_hash == one.content_hash
    part = records[1].select(["CHN", "IND", "RUS"])
    facts = {"data": {"record_hash": part.content_hash, "states": ["CHN", "IND", "RUS"]}}
    assert finder.of(facts)[1] == "hash"
    # A hash that no vintage has: what was out on the day of issue stands in, and it is said.
    found, how = finder.of({"data": {"record_hash": "x" * 64}}, "2026-02-20")
    assert how == "day" and found.content_hash == records[1].known_on("2026-02-20").content_hash
    with pytest.raises(RecordError, match="cannot tell what a forecast of an unknown day knew"):
        finder.of({"data": {"record_hash": "x" * 64}})


def test_draws_become_what_the_record_holds():
    rng = np.random.default_rng(1)
    n, big = np.array([40.0]), np.full((1, 20_000), 0.25)
    share = as_recorded("share", big, n, np.ones(1), rng)
    assert share.mean() == pytest.approx(10.0, abs=0.1) and share.max() <= 40
    count = rng.poisson(8.0, (1, 20_000)).astype(float)
    same = as_recorded("count", count, np.array([2.0]), np.array([2.0]), rng)
    np.testing.assert_array_equal(same, count)
    half = as_recorded("count", count, np.array([1.0]), np.array([2.0]), rng)
    # Thinned, a count stays a count of half the rate: mean and variance are alike.
    assert half.mean() == pytest.approx(4.0, abs=0.1) and half.var() == pytest.approx(4.0, abs=0.2)
    twice = as_recorded("count", count, np.array([4.0]), np.array([2.0]), rng)
    np.testing.assert_array_equal(twice, 2 * count)
    np.testing.assert_array_equal(as_recorded("within", big, n, n, rng), big)


def test_nothing_of_the_clock(world, scored, monkeypatch):
    import time

    monkeypatch.setattr(time, "time", lambda: 0.0)
    late = due_scores(world.store, replace(world.record), data_dir=world.data)
    pd.testing.assert_frame_equal(scored, late)
