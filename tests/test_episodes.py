"""Episodes: turning points of a series, and the rule that reads them from pressure alone."""

from dataclasses import replace
from functools import cache
from itertools import pairwise

import hypothesis.strategies as st
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings

from fairweather import episodes, names
from fairweather.episodes import compare, find_episodes, movement, shocks, steps
from fairweather.errors import RecordError
from fairweather.figures.episodes import Episode
from fairweather.record import load_record
from fairweather.turning import held, legs, spans

# Halves and quarters, so that sums and shifts are exact and no verdict hangs on rounding.
SERIES = st.lists(st.integers(-20, 20).map(lambda k: k / 4), min_size=2, max_size=25)
SHIFT = st.integers(-50, 50).map(lambda k: k / 2)


def found_in(index):
    return spans(index, 2.0, 3, 0.5)


@cache
def record():
    return load_record()


def world(**series):
    """The record with made-up rows: indicator to {state: values by year from 2000}."""
    real = record()
    rows = []
    for name, states in series.items():
        for state, values in states.items():
            for year, value in enumerate(values, start=2000):
                if value is not None:
                    v, n = value if isinstance(value, tuple) else (value, np.nan)
                    rows.append((name, state, year, float(v), n, pd.Timestamp(year + 1, 3, 1)))
    made = pd.DataFrame(
        rows, columns=["indicator", "unit", "year", "value", "n", "available_on"]
    ).reindex(columns=real.observations.columns)
    if "rater" in made:
        made["rater"] = ""
    return replace(real, observations=made, ledger=None)


# Turning points


@given(SERIES, st.integers(1, 12).map(lambda k: k / 2))
def test_legs_tile_alternate_and_are_long_enough(x, threshold):
    found = legs(x, threshold)
    assert found[0][0] == 0 and found[-1][1] == len(x) - 1
    assert all(a[1] == b[0] for a, b in pairwise(found))
    changes = np.array([c for *_, c in found])
    assert np.allclose(changes, [x[b] - x[a] for a, b, _ in found])
    inner = changes[1:-1]
    assert np.all(np.abs(inner) >= threshold)
    assert np.all(np.sign(inner[1:]) == -np.sign(inner[:-1]))
    for a, b, change in found:
        # Within a leg nothing turns back by the threshold.
        back = (
            -np.sign(change)
            * np.subtract.outer(x[a : b + 1], x[a : b + 1])[np.tril_indices(b - a + 1)]
        )
        assert back.max() < threshold or (change == 0 and len(found) == 1)


@given(SERIES, SHIFT)
def test_upside_down_swaps_and_a_constant_changes_nothing(x, shift):
    x = np.array(x)
    here = found_in(x)
    assert found_in(-x) == [(a, b, -c) for a, b, c in here]
    assert found_in(x + shift) == here
    assert legs(x + shift, 2.0) == legs(x, 2.0)


@given(SERIES)
def test_no_span_below_the_threshold_and_none_overlap(x):
    found = found_in(x)
    assert all(abs(c) >= 2.0 for *_, c in found)
    assert all(a[1] <= b[0] for a, b in pairwise(found))
    for a, b, c in found:
        step = np.sign(c) * np.diff(x[a : b + 1])
        assert step.min() >= 0 and step[0] >= 0.5 and step[-1] >= 0.5


def test_monotone_series_is_one_leg():
    assert legs([0, 1, 2, 5], 2) == [(0, 3, 5.0)]
    assert legs([4, 1, 0], 2) == [(0, 2, -4.0)]
    assert legs([1.0], 2) == legs([], 2) == []


def test_flat_years_are_trimmed_and_slow_drift_is_no_episode():
    assert found_in([0, 0, 0.2, 2.2, 2.2, 2.4]) == [(2, 3, 2.0)]
    assert found_in(np.arange(12) * 0.6) == []
    assert found_in([0, 1, 2, 3, 4, 5]) == [(0, 5, 5.0)]


def test_what_is_gone_in_a_year_is_not_held():
    assert held([0, 0, 9, 0, 0]).tolist() == [0] * 5
    assert held([0, 0, 9, 9, 0]).tolist() == [0, 0, 9, 9, 0]
    assert held([3, 1]).tolist() == [3, 1]


@given(SERIES)
def test_held_commutes_with_sign(x):
    assert np.array_equal(held(-np.array(x)), -held(x))


# The rule


def test_a_step_stays_within_an_instrument_and_never_spans_a_gap():
    made = world(
        gsdb_us_cases={"CHN": [0, 1, 1], "RUS": [0, 0, 0]},
        # Another instrument, at another level, from 2002 on; and one with a year missing.
        ofac_additions={"CHN": [None, None, 50, 50], "RUS": [None, None, 7, 8]},
        us_aid={"CHN": [5, None, 0]},
    )
    found = steps(made).set_index(["indicator", "state", "year"])["step"]
    assert "us_aid" not in found.index.get_level_values("indicator")
    assert found["ofac_additions", "CHN", 2003] == 0
    assert ("ofac_additions", "CHN", 2002) not in found.index
    assert found["gsdb_us_cases", "CHN", 2001] > 0


def test_a_zigzag_is_not_turned_round():
    """Up, down, up: the running median alone would call the year of the fall a rise."""
    made = world(gsdb_us_cases={"CHN": [0, 3, 0, 3], "RUS": [0, 0, 0, 0]})
    assert held([0, 3, 0, 3]).tolist() == [0, 0, 3, 3]
    found = find_episodes(made)
    assert not ((found["type"] == "hardship") & (found["start"] == 2002)).any()


def test_signs_exposure_and_year_shifts():
    made = world(
        us_aid={"CHN": [0, 3], "RUS": [3, 0]},
        fr_sanction_docs={"CHN": [(0, 0.25), (0, 1.0), (3, 1.0)], "RUS": [(2, 0.5), (4, 1.0)]},
        us_leader_contacts={s: [k, k + 2] for k, s in enumerate(["CHN", "RUS", "IRN"])},
    )
    found = steps(made).set_index(["indicator", "state", "year"])["step"]
    assert found["us_aid", "CHN", 2001] < 0 < found["us_aid", "RUS", 2001]
    assert found["fr_sanction_docs", "CHN", 2001] == 0
    assert found["fr_sanction_docs", "RUS", 2001] == pytest.approx(0)
    assert found["us_leader_contacts"].sum() == pytest.approx(0)
    assert np.mean(found["us_leader_contacts"] ** 2) == pytest.approx(1)


def test_items_with_year_shifts_need_three_states():
    made = world(us_leader_contacts={"CHN": [0, 4, 1], "RUS": [5, 0, 1]})
    assert steps(made).empty
    assert find_episodes(made, domain="verbal").empty


def test_raters_are_not_compared_with_each_other():
    made = world(gsdb_us_cases={"CHN": [1, 1, 2], "RUS": [0, 0, 0]})
    one = made.observations.assign(rater="ann")
    two = one[one["year"] > 2000].assign(rater="bob", value=lambda f: f["value"] + 9)
    both = replace(made, observations=pd.concat([one, two], ignore_index=True), ledger=None)
    assert np.allclose(steps(both)["step"], steps(made)["step"])


def test_movement_has_unit_size_whatever_the_number_of_indicators():
    rng = np.random.default_rng(5)
    many = pd.DataFrame({
        "state": "CHN", "year": np.repeat(np.arange(2000), 4), "domain": "material",
        "step": rng.standard_normal(8000),
    })  # fmt: skip
    few = many[many.index % 4 == 0].assign(state="RUS")
    moved = movement(pd.concat([many, few])).groupby("state").std()
    assert moved["CHN"] == pytest.approx(moved["RUS"], rel=0.1)


def test_a_made_up_easing_is_found_and_dated():
    calm = [1.0] * 10
    made = world(
        gsdb_us_cases={
            "RUS": [2, 2, 2, 2, 1, 0, 0, 0, 0, 0], "CHN": [0, 0, 0, 0, 0, 0, 0, 0, 0, 3],
            "IRN": [0, 0, 4, 0, 0, 0, 0, 0, 0, 0], "IND": calm, "BRA": calm, "PRK": calm,
        },
        us_leader_contacts={
            "RUS": [0] * 9 + [9], **dict.fromkeys(["CHN", "IRN", "IND", "BRA", "PRK"], calm),
        },
    )  # fmt: skip
    found = find_episodes(made).set_index("state")
    assert found.loc["RUS", ["start", "end", "type"]].tolist() == [2004, 2005, "easing"]
    assert found.loc["CHN", ["start", "end", "type"]].tolist() == [2009, 2009, "hardship"]
    assert found["provisional"].to_dict() == {"CHN": True, "RUS": False}
    assert found["agreeing"].tolist() == [1, 1]
    assert find_episodes(made, states=["CHN"])["state"].tolist() == ["CHN"]
    # Words are another domain.
    words = find_episodes(made, domain="verbal")
    assert words[["state", "start", "type"]].values.tolist() == [["RUS", 2009, "easing"]]


def test_more_pressure_and_less_are_mirror_images():
    made = world(gsdb_us_cases={"RUS": [2, 2, 1, 0, 0, 3, 3], "IND": [1] * 7})
    other = made.observations.assign(value=9 - made.observations["value"])
    turned = find_episodes(replace(made, observations=other, ledger=None))
    found = find_episodes(made)
    assert len(found) == 2
    swap = {"easing": "hardship", "hardship": "easing"}
    assert turned["type"].tolist() == found["type"].map(swap).tolist()
    assert np.allclose(turned["change_sd"], -found["change_sd"])


@settings(max_examples=4, deadline=None)
@given(day=st.dates(pd.Timestamp("1995-01-01").date(), pd.Timestamp("2024-12-31").date()))
def test_episodes_see_no_later_row(day):
    whole = record()
    known = whole.known_on(day)
    rows = whole.observations
    late = rows["available_on"] > pd.Timestamp(day)
    # Rebuilt from the rows of the day alone, and from a record whose later rows are nonsense.
    rebuilt = replace(whole, observations=rows[~late].reset_index(drop=True), ledger=None)
    spoilt = rows.assign(value=rows["value"].mask(late, 99.0))
    spoilt = replace(whole, observations=spoilt, ledger=None).known_on(day)
    for domain in ("material", "all"):
        expected = find_episodes(known, domain=domain)
        for other in (rebuilt, spoilt):
            pd.testing.assert_frame_equal(find_episodes(other, domain=domain), expected)


def test_alignment_plays_no_part():
    whole = record()
    pressure = {i.id for i in whole.codebook.of(names.PRESSURE)}
    only = whole.observations[whole.observations["indicator"].isin(pressure)]
    only = replace(whole, observations=only.reset_index(drop=True), ledger=None)
    pd.testing.assert_frame_equal(find_episodes(only), find_episodes(whole))


def test_the_record_holds_the_loudest_episode():
    found = find_episodes(states="RUS")
    assert ((found["type"] == "hardship") & (found["start"] <= 2022) & (found["end"] >= 2022)).any()
    assert (found["change_sd"].abs() >= episodes.THRESHOLD).all()
    assert (found["agreeing"] <= found["indicators"]).all()


def test_unknown_names_are_refused():
    with pytest.raises(RecordError, match=r"unknown domain deeds.*all, material, verbal"):
        find_episodes(record(), domain="deeds")
    with pytest.raises(RecordError, match="unknown states ATL"):
        find_episodes(record(), states=["ATL"])


def test_nothing_to_read_gives_an_empty_table():
    empty = find_episodes(record().known_on("1993-03-15"))
    assert empty.empty and list(empty)[:4] == ["state", "start", "end", "type"]
    assert shocks(empty).empty
    assert compare(empty, [Episode("RUS", 1993, 1994, "easing", "", "high")])["kappa"].isna().all()


# The check


def table(*rows):
    made = pd.DataFrame(rows, columns=["state", "start", "end", "type"])
    made.attrs["years"] = (2000, 2009)
    return made


def test_compare_counts_years_and_allows_for_chance():
    hand = [
        Episode("RUS", 1998, 2002, "easing", "", "high"),
        Episode("RUS", 2007, 2007, "rising hardship", "", "high"),
        Episode("RUS", 2005, 2005, "easing in words", "", "high"),
    ]
    got = compare(table(("RUS", 2001, 2003, "easing"), ("CHN", 2001, 2003, "easing")), hand)
    easing, hardship = got.itertuples(index=False)
    assert easing[:5] == ("RUS", "easing", (2001, 2002), (2003,), (2000,))
    # 8 of 10 agree, 0.58 by chance; of ten shifts one agrees fully and two this well.
    assert easing.kappa == pytest.approx((0.8 - 0.58) / 0.42)
    assert easing.p == pytest.approx(0.3)
    assert hardship.hand_only == (2007,) and hardship.kappa == 0 and hardship.p == 1
    got = compare(table(), hand, words=True, years=range(2005, 2007))
    assert got["hand_only"].tolist() == [(2005,), ()]


def test_shocks_merge_what_starts_together():
    found = table(
        ("CHN", 2001, 2002, "easing"), ("RUS", 2002, 2002, "easing"),
        ("IRN", 2003, 2004, "easing"), ("IRN", 2001, 2004, "hardship"),
    )  # fmt: skip
    assert shocks(found).to_dict("list") == {
        "start": [2001, 2003], "end": [2002, 2004], "states": ["CHN, RUS", "IRN"],
        "episodes": [2, 1],
    }  # fmt: skip
    assert len(shocks(found, within=2)) == len(shocks(found, "hardship")) == 1
