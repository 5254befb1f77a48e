"""What is said of a contest is what its numbers say, no more."""

import itertools

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from fairweather.confusion import Confusion
from fairweather.contest_words import contest_sentences
from fairweather.differences import paired_differences
from fairweather.stacking import stack

DYADS = ["-".join(p) for p in itertools.combinations(("CHN", "IND", "IRN", "RUS"), 2)]
READINGS = ["drift", "thermostat", "placebo"]


def made(leads, seed=0, dyads=DYADS, years=range(2008, 2020)):
    units, when = zip(*itertools.product(dyads, years), strict=True)
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(len(leads), len(units))) + np.array(leads)[:, None]
    return xr.DataArray(
        values, dims=("reading", "block"),
        coords={"reading": READINGS[: len(leads)], "unit": ("block", list(units)),
                "year": ("block", list(when))},
    )  # fmt: skip


def said(scores, confusion=None, **kwargs):
    return contest_sentences(
        stack(scores, replicates=60), paired_differences(scores, **kwargs), confusion
    )


@pytest.mark.parametrize("leads", [[0.0, 0.0, 0.0], [3.0, 0.0, 0.0], [0.0, 0.0, -3.0], [0.0, 0.0]])
def test_three_to_six_whole_sentences(leads):
    out = said(made(leads))
    assert 3 <= len(out) <= 6
    assert all(s[0].isupper() and s.endswith(".") and ".." not in s for s in out)


def test_what_cannot_be_told_is_said_and_a_clear_lead_too():
    out = said(made([0.0, 0.0, -4.0]), against="drift")
    assert "The data cannot tell drift from thermostat." in out
    assert "Drift predicts better than placebo, by at least 2 standard errors." in out
    assert "the lead is not clear" in out[0]
    clear = said(made([4.0, 0.0, 0.0]))
    assert not any("cannot tell drift" in s for s in clear)
    assert "the lead is not clear" not in clear[0] and clear[0].startswith("Drift has the largest")
    behind = said(made([-4.0, 0.0, 0.0]), against="drift")
    assert "Drift predicts worse than thermostat and placebo" in " ".join(behind)


def test_of_every_pair_those_of_the_first_are_used():
    scores = made([0.0, -4.0, -4.1])
    out = " ".join(said(scores, against="each"))
    assert "Drift predicts better than thermostat and placebo" in out
    assert "cannot tell" not in out.replace("cannot be told", "")


def test_years_states_and_gaps_are_counted():
    scores = made([0.5, 0.0, 0.0])
    scores[0, :3] = np.nan
    text = " ".join(said(scores))
    assert "69 held-out blocks, but these are of 12 years and 4 states" in text
    assert "3 were left out" in text
    assert "left out" not in " ".join(said(made([0.5, 0.0, 0.0])))


def test_a_year_that_decides_is_named():
    scores = made([0.0, 0.0]) * 0.0
    scores[0] -= 0.05
    scores[0, scores["year"].values == 2014] += 2.0
    assert "without 2014 another reading would come first" in " ".join(said(scores))
    even = " ".join(said(made([3.0, 0.0])))
    assert "no single year or state decides" in even


def test_one_dyad_and_one_reading():
    out = " ".join(said(made([2.0, 0.0], dyads=["CHN-RUS"])))
    assert "no single year decides" in out
    pair = made([2.0, 0.0])
    alone = contest_sentences(stack(pair[:1], replicates=5), paired_differences(pair))
    assert not any("mixed" in s or "before" in s for s in alone)


def test_a_second_opinion_that_differs_is_told():
    # The first is better in most years, and far off in the others.
    scores = made([0.0, 0.0]) * 0.0
    scores[0] += 2.0
    scores[0, scores["year"].values >= 2017] -= 22.0
    assert "by total score alone thermostat comes first" in said(scores)[0]
    assert "by total score alone" not in said(made([3.0, 0.0]))[0]


def test_without_worlds_nothing_is_claimed_of_the_contest():
    assert said(made([3.0, 0.0]))[-1].startswith("No worlds were simulated")


def test_worlds_say_how_often_the_pick_is_right():
    rows = [("drift", 0.9)] * 6 + [("drift", 0.2)] * 2 + [("thermostat", 0.8)] * 3
    rows += [("thermostat", 0.1)] * 1
    table = pd.DataFrame({"truth": [t for t, _ in rows], "drift": [w for _, w in rows]})
    found = Confusion.of(table.assign(thermostat=1 - table["drift"]))
    last = said(made([3.0, 0.0]), found)[-1]
    assert f"picked the true reading in {found.found()}" in last and found.found().hits == 7
    assert "where drift was not true it was picked in 75 %" in last and last.endswith("of 4.")
