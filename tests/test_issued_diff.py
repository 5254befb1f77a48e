"""Two forecasts are compared for the same scenario and year, and the largest changes come first."""

import uuid

import pandas as pd
import pytest

from fairweather.issued import Store, diff

LEVELS = (0.055, 0.5, 0.945)


def durability(chances, horizons=(1, 2)):
    rows = [
        {"scenario": s, "horizon": h, "threshold": "2001-04", "probability": p / h}
        for s, p in chances.items() for h in horizons
    ]  # fmt: skip
    return pd.DataFrame(rows).to_csv(index=False).encode()


def quantiles(medians, origin, horizons=(1, 2)):
    rows = [
        {"origin_date": f"{origin}-12-31", "target_date": f"{origin + h}-12-31", "horizon": h,
         "scenario": "current-weather", "indicator": i, "unit": "CHN-RUS",
         "output_type": kind, "output_type_id": level, "value": m + half * width}
        for i, (m, half) in medians.items() for h in horizons
        for kind, level, width in (("quantile", 0.055, -1), ("quantile", 0.5, 0),
                                   ("quantile", 0.945, 1), ("mean", "", 0.2))
    ]  # fmt: skip
    return pd.DataFrame(rows).to_csv(index=False).encode()


@pytest.fixture
def store():
    return Store(f"memory://{uuid.uuid4().hex}")


def issue(store, chances, medians, origin=2024, **facts):
    files = {"durability.csv": durability(chances), "forecast.csv": quantiles(medians, origin)}
    return store.issue(files, {"origin": origin, "focal": "CHN-RUS"} | facts)


def test_same_origin(store):
    a = issue(store, {"current": 0.4, "storm": 0.3}, {"votes": (1, 1), "trade": (100, 50)}, seed=1)
    b = issue(store, {"current": 0.42, "storm": 0.2}, {"votes": (2, 1), "trade": (110, 50)}, seed=2)
    found = diff(a, b)
    assert found.facts.values.tolist() == [["seed", 1, 2]]
    assert found.files["file"].tolist() == ["durability.csv", "forecast.csv"]
    top = found.durability.iloc[0]
    assert (top["scenario"], top["target_year"]) == ("storm", 2025)
    assert top["change"] == pytest.approx(-0.1)
    assert found.durability["change"].abs().is_monotonic_decreasing
    # A vote more is half its interval, ten of trade a tenth: the measure is the indicator's own.
    assert found.medians["indicator"].tolist() == ["votes", "votes", "trade", "trade"]
    assert found.medians["in_widths"].tolist() == pytest.approx([0.5, 0.5, 0.1, 0.1])


def test_other_origins_meet_in_the_same_year(store):
    a = issue(store, {"current": 0.4}, {"votes": (1, 1)}, origin=2023)
    b = issue(store, {"current": 0.6}, {"votes": (1.5, 1)}, origin=2024)
    found = diff(a, b)
    assert found.durability["target_year"].tolist() == [2025]
    assert found.durability["change"].tolist() == pytest.approx([0.6 - 0.2])
    assert found.medians["target_year"].tolist() == [2025]
    assert found.facts.values.tolist() == [["origin", 2023, 2024]]


def test_nothing_in_common(store):
    a = issue(store, {"current": 0.4}, {"votes": (1, 1)}, origin=2010)
    b = issue(store, {"storm": 0.6}, {"trade": (1, 1)}, origin=2024)
    found = diff(a, b)
    assert len(found.durability) == len(found.medians) == 0


def test_the_same_forecast(store):
    a = issue(store, {"current": 0.4}, {"votes": (1, 1)})
    found = diff(a, store.open(1))
    assert not any(len(t) for t in (found.facts, found.files, found.durability, found.medians))


def test_facts_of_any_depth(store):
    a = store.issue({"a": b"1"}, {"data": {"as_of": None, "x": {"y": [1]}}, "only": 1, "e": {}})
    b = store.issue({"b": b"1"}, {"data": {"as_of": "2016-12-31", "x": {"y": [2]}}, "e": {"f": 0}})
    found = diff(a, b)
    assert found.facts["fact"].tolist() == ["data.as_of", "data.x.y", "e", "e.f", "only"]
    assert found.files["file"].tolist() == ["a", "b"] and found.files["b"].tolist()[0] == ""
    assert list(found.durability.columns) == ["scenario", "threshold", "target_year", "a", "b",
                                              "change"]  # fmt: skip


def test_a_certain_forecast_has_no_width(store):
    a = issue(store, {"current": 0.4}, {"votes": (1, 0), "trade": (1, 1)})
    b = issue(store, {"current": 0.4}, {"votes": (2, 0), "trade": (2, 1)})
    found = diff(a, b)
    assert found.medians["indicator"].tolist() == ["trade", "trade", "votes", "votes"]
    assert found.medians["in_widths"].isna().tolist() == [False, False, True, True]
