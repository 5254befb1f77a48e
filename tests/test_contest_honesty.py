"""Tables that would make one doubt the answer: placebo dyads, their summary, the page's section."""

from functools import cache

import numpy as np
import pandas as pd
import pytest

from fairweather.contest import honesty
from fairweather.contest.design import find_windows
from fairweather.contest.honesty import placebo_dyads, placebo_summary, sections
from fairweather.errors import FairweatherError
from fairweather.panel import load_panel

STATES = ["CHN", "IND", "IRN", "PAK", "PRK", "RUS", "SAU", "ZAF"]


@cache
def panel():
    return load_panel(states=STATES)


def windows(*rows):
    columns = ["state", "start", "end", "type", "problem"]
    return pd.DataFrame(rows, columns=columns)


def moved(by, units, first):
    """The panel with votes of some dyads moved from a year on."""
    from dataclasses import replace

    p = panel()
    rows = p.rows["unga_votes"].copy()
    at = rows["unit"].isin([p.dyads.index(u) for u in units]) & (rows["time"] >= first - 1992)
    rows.loc[at, "value"] = (rows.loc[at, "value"] * by).round()
    return replace(p, rows={**p.rows, "unga_votes": rows})


def test_a_fall_of_the_eased_states_ties_alone_is_seen_beside_those_of_others():
    one = windows(("ZAF", 2008, 2008, "easing", ""))
    before = placebo_dyads(panel(), one)["difference"].item()
    own = [d for d in panel().dyads if "ZAF" in d]
    after = placebo_dyads(moved(0.5, own, 2008), one)["difference"].item()
    assert after < before - 0.2
    # What falls for everybody is no effect of the easing.
    world = placebo_dyads(moved(0.5, panel().dyads, 2008), one)["difference"].item()
    assert abs(world - before) < abs(after - before) / 2


def test_dyads_of_states_in_an_episode_are_no_placebo():
    one = windows(("ZAF", 2008, 2008, "easing", ""))
    two = windows(("ZAF", 2008, 2008, "easing", ""), ("IND", 2009, 2010, "hardship", ""))
    few, fewer = (placebo_dyads(panel(), w)["placebo_dyads"].iloc[0] for w in (one, two))
    n = len(STATES)
    assert few == (n - 1) * (n - 2) / 2 and fewer == (n - 2) * (n - 3) / 2


def test_episodes_of_no_use_are_left_out_and_nothing_is_changed():
    found = find_windows(panel())
    kept = found.copy()
    table = placebo_dyads(panel(), found)
    assert len(table) <= (found["problem"] == "").sum()
    pd.testing.assert_frame_equal(found, kept)


def test_the_summary_counts_shocks_and_not_episodes():
    table = pd.DataFrame({
        "start": [1994, 1994, 2003], "type": "easing", "difference": [-1.0, -3.0, 0.0],
    })  # fmt: skip
    row = placebo_summary(table).iloc[0]
    assert (row["episodes"], row["shocks"]) == (3, 2)
    assert row["difference"] == pytest.approx(-1.0)
    assert row["se"] == pytest.approx(np.std([-2.0, 0.0], ddof=1) / np.sqrt(2))


def test_a_failure_of_power_scaling_costs_its_table_alone(monkeypatch, tmp_path):
    def fail(tree, p, priors):
        raise FairweatherError("no draws to weigh")

    monkeypatch.setattr(honesty, "power_scaling", fail)
    monkeypatch.setattr("fairweather.archive.open_results",
                        lambda path: type("R", (), {"tree": None}))  # fmt: skip
    fits = pd.DataFrame([{"reading": "elastic-side", "folder": str(tmp_path)}])
    done = {"panel": panel(), "windows": find_windows(panel()), "fits": fits, "priors": None}
    text = "\n".join(sections(done))
    assert "Not available: no draws to weigh" in text and "## Placebo dyads" in text
