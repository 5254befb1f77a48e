"""What was issued last is found by its pair, and its number is the one that was issued."""

import datetime as dt

import pytest

import issued_made
from fairweather.errors import ArchiveError
from fairweather.monitor import MonitorError, last_issued

TABLE = (
    "scenario,horizon,threshold,probability\n"
    "current-weather,1,2001-04,{0}5\ncurrent-weather,3,2001-04,{0}2\n"
    "current-weather,3,1996-00,0.9\nstorm,3,2001-04,0.01\n"
)


def issue(store, k, tables=("durability.csv",), **facts):
    files, base = issued_made.forecast(k)
    base["data"] = {"as_of": None, "record_hash": "r" * 64, "states": ["CHN", "IND", "RUS"]}
    files |= {name: TABLE.format(f"0.{n + 1}").encode() for n, name in enumerate(tables)}
    return store.issue(files, base | facts)


@pytest.fixture
def store(tmp_path):
    return issued_made.store(tmp_path / "s")[0]


def found(store, *args):
    return last_issued(store.place.location, *args)


def test_nothing_issued_is_none(tmp_path, store):
    assert last_issued(str(tmp_path / "absent")) is None
    issue(store, 1)
    assert found(store, "IND-RUS") is None


def test_the_last_of_the_pair_says_what_it_rests_on(store):
    issue(store, 1)
    issue(store, 2, origin=2023, priors={"id": "sceptic", "hash": "p"})
    issue(store, 3, focal="CHN-IND")
    one = found(store, "CHN-RUS")
    assert (one.serial, one.origin, one.priors, one.best) == (2, 2023, "sceptic", "elastic-side")
    assert one.states == ("CHN", "IND", "RUS") and one.readings == {"elastic-side": 1.0}
    assert one.day == dt.date.fromisoformat(one.issued_at[:10])
    assert found(store).focal == "CHN-IND"


def test_the_number_is_todays_weather_at_the_threshold_and_horizon(store):
    issue(store, 1)
    one = found(store)
    assert one.chance("elastic-side", 1, "2001-04") == (0.15, "reading elastic-side")
    assert one.chance("elastic-side", 3, "2001-04")[0] == 0.12
    assert one.chance("elastic-side", 5, "2001-04") == (
        None, "forecast 1 was issued for 3 years, not for 5",
    )  # fmt: skip


def test_of_a_mixture_the_best_reading_has_a_number_of_its_own(store):
    weights = {"elastic-side": 0.3, "drift": 0.7}
    issue(store, 1, ("durability.csv", "best-durability.csv"), readings=weights, best="drift")
    one = found(store)
    assert one.best == "drift"
    assert one.chance("drift", 1, "2001-04") == (0.25, "reading drift, the best of 2")
    assert one.chance("elastic-side", 1, "2001-04") == (0.15, "a mixture of 2 readings")


def test_a_forecast_without_its_table_has_no_number(store):
    issue(store, 1, ())
    value, why = found(store).chance("elastic-side", 1, "2001-04")
    assert value is None and "keeps no durability.csv" in why


def test_a_store_that_cannot_be_used_is_refused(tmp_path, store):
    issue(store, 1, priors={})
    with pytest.raises(MonitorError, match="forecast 1 does not say what it rests on"):
        found(store)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "note.txt").write_text("x")
    with pytest.raises(ArchiveError, match="no store of issued forecasts"):
        last_issued(str(tmp_path / "other"))
