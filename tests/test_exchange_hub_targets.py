"""Target data are the record's own values, in the units of the forecasts."""

import numpy as np
import pandas as pd
import pytest

from fairweather.exchange.hub_targets import foreseen, known, merged
from fairweather.record import load_record


@pytest.fixture(scope="module")
def record():
    return load_record()


def row(rows, target, unit, year):
    hit = rows[(rows["target"] == target) & (rows["unit"] == unit)
               & (rows["target_end_date"] == f"{year}-12-31")]  # fmt: skip
    return float(hit["observation"].iloc[0])


def coded(record, target, unit, year):
    o = record.observations
    return o[(o["indicator"] == target) & (o["unit"] == unit) & (o["year"] == year)].iloc[0]


def test_units_are_those_of_the_forecasts(record):
    targets = {"unga_votes", "unsc_joint_nonyes", "arms_deliveries", "gsdb_us_cases", "trade_cow"}
    rows = known(record, targets, {"CHN-RUS", "RUS"})
    assert set(rows["target"]) == targets and set(rows["unit"]) == {"CHN-RUS", "RUS"}
    c = coded(record, "unga_votes", "CHN-RUS", 2020)
    share = (c["value"] + 0.5 * c["partial"] + 2.0) / (c["n"] + 4.0)
    assert row(rows, "unga_votes", "CHN-RUS", 2020) == pytest.approx(share)
    c = coded(record, "unsc_joint_nonyes", "CHN-RUS", 2020)
    assert row(rows, "unsc_joint_nonyes", "CHN-RUS", 2020) == c["value"] / c["n"]
    for target, unit in (("arms_deliveries", "CHN-RUS"), ("gsdb_us_cases", "RUS")):
        assert row(rows, target, unit, 2014) == coded(record, target, unit, 2014)["value"]
    assert np.isfinite(rows["observation"]).all()
    assert not rows.duplicated(["target_end_date", "target", "unit"]).any()


def some(values):
    return pd.DataFrame({
        "target_end_date": ["2020-12-31", "2021-12-31"], "target": "us_mid", "unit": "RUS",
        "observation": values,
    })  # fmt: skip


def test_what_is_known_now_takes_the_place_of_what_was():
    first = merged(None, some([1.0, 0.5]), "observation")
    assert first == (b"target_end_date,target,unit,observation\n2020-12-31,us_mid,RUS,1\n"
                     b"2021-12-31,us_mid,RUS,0.5\n")  # fmt: skip
    other = some([3.0, 4.0]).assign(unit="CHN")
    both = merged(first, other, "observation")
    assert both.count(b"RUS") == 2 and both.count(b"CHN") == 2
    revised = merged(both, some([2.0, 0.5]).iloc[:1], "observation")
    assert b"2020-12-31,us_mid,RUS,2\n" in revised and revised.count(b"RUS") == 1
    assert merged(revised, some([2.0, 0.5]).iloc[:1], "observation") == revised


def test_nothing_known_is_no_file():
    assert merged(None, some([1.0, 1.0]).iloc[:0], "oracle_value") is None
    before = merged(None, some([1.0, 0.0]), "oracle_value")
    assert merged(before, some([1.0, 1.0]).iloc[:0], "oracle_value") == before


def test_oracle_years_are_those_of_the_rounds():
    tasks = {"rounds": [
        {"model_tasks": [{"task_ids": {"target_end_date": {"optional": ["2021-12-31"]}}}]},
    ]}  # fmt: skip
    assert foreseen(some([1.0, 0.0]), tasks)["target_end_date"].tolist() == ["2021-12-31"]
