"""Skill by hand, on the same cells for all, with errors of whole years and states."""

import numpy as np
import pandas as pd
import pytest

from fairweather.skill import KEYS, SkillError, common, skill, skill_table, year_masses

STATES = ("CHN", "IND", "IRN", "PAK", "RUS")
UNITS = [f"{a}-{b}" for k, a in enumerate(STATES) for b in STATES[k + 1 :]]


def long(ratio=1.0, years=range(2009, 2019), noise=0.0, year_noise=0.0, seed=1):
    """Scores of a plain forecast, and of ours at a ratio of it."""
    rng = np.random.default_rng(seed)
    rows = []
    for y in years:
        shock = np.exp(year_noise * rng.standard_normal())
        for item, unit_of in (("votes", 1.0), ("trade", 50.0)):
            for u in UNITS:
                base = unit_of * rng.uniform(0.5, 1.5)
                mine = ratio * shock * base * np.exp(noise * rng.standard_normal())
                for f, s in (("plain", base), ("ours", mine)):
                    rows.append((y - 1, "alignment", item, u, y, 1, "diplomatic", f, s))
    return pd.DataFrame(rows, columns=[*KEYS, "horizon", "domain", "forecast", "crps"])


def test_a_tenth_better_is_a_tenth_whatever_the_unit():
    found = skill(common(long(0.9), "crps", ["ours", "plain"]), "ours", "plain")
    assert found["skill"] == pytest.approx(0.1) and found["cells"] == 200
    assert found["lower"] == pytest.approx(0.1) and found["better"] == 1.0
    back = skill(common(long(0.9), "crps", ["ours", "plain"]), "plain", "ours")
    assert 1 - back["skill"] == pytest.approx(1 / 0.9)


def test_years_that_move_together_widen_the_interval():
    calm = skill(common(long(0.9, noise=0.4), "crps", ["ours", "plain"]), "ours", "plain")
    tied = skill(common(long(0.9, year_noise=0.4), "crps", ["ours", "plain"]), "ours", "plain")
    assert tied["upper"] - tied["lower"] > 2 * (calm["upper"] - calm["lower"])


def test_the_interval_covers_a_true_tie():
    hits = 0
    for seed in range(60):
        table = common(long(1.0, noise=0.3, year_noise=0.2, seed=seed), "crps", ["ours", "plain"])
        one = skill(table, "ours", "plain", replicates=200)
        # On the log scale shocks of a mean of zero leave the mean ratio a little above one.
        hits += one["lower"] <= 1 - np.exp(0.2**2 / 2 + 0.3**2 / 2) <= one["upper"]
    assert 44 <= hits <= 60


def test_cells_that_one_forecast_lacks_are_left_out_for_all():
    scores = long(0.9)
    gone = (scores["forecast"] == "ours") & (scores["year"] == 2010)
    scores.loc[gone, "crps"] = np.nan
    assert len(common(scores, "crps", ["ours", "plain"])) == 180
    scores.loc[scores["forecast"] == "ours", "crps"] = np.nan
    with pytest.raises(SkillError, match="no cell has the score"):
        common(scores, "crps", ["ours", "plain"])
    with pytest.raises(SkillError, match="no forecast 'theirs'"):
        common(scores, "crps", ["theirs", "plain"])


def test_groups_are_compared_by_themselves():
    scores = pd.concat([long(0.8), long(1.2).assign(horizon=2, origin=1990)])
    table = skill_table(scores, ["ours"], ["plain"], by="horizon").set_index("group")["skill"]
    assert table[1] == pytest.approx(0.2) and table[2] == pytest.approx(-0.2)
    whole = skill_table(scores, ["ours"], ["plain"])
    assert whole["group"].tolist() == [""] and abs(whole["skill"].item()) < 0.1


def test_one_year_has_no_interval_of_years():
    found = skill(common(long(0.9, years=[2010]), "crps", ["ours", "plain"]), "ours", "plain")
    assert found["years"] == 1 and np.isnan(found["better"])
    assert found["lower"] == pytest.approx(0.1), "states can still be drawn anew"


def test_states_are_units_too():
    rows = long(0.9)
    rows["unit"] = rows["unit"].str[:3]
    rows = rows.drop_duplicates([*KEYS, "forecast"])
    found = skill(common(rows, "crps", ["ours", "plain"]), "ours", "plain")
    assert found["skill"] == pytest.approx(0.1)


def test_far_forecasts_of_neighbouring_years_count_as_one_run():
    """Errors that last three years: drawn year by year, they would look like independent news."""
    rng = np.random.default_rng(3)
    spread = {1: [], 3: []}
    for _ in range(20):
        lasting = np.repeat(rng.standard_normal(6), 3)
        table = long(years=range(2001, 2019))
        table.loc[table["forecast"] == "ours", "crps"] *= np.exp(
            0.3 * lasting[table.loc[table["forecast"] == "ours", "year"] - 2001]
        )
        for horizon, out in spread.items():
            whole = common(table.assign(horizon=horizon), "crps", ["ours", "plain"])
            one = skill(whole, "ours", "plain")
            out.append(one["upper"] - one["lower"])
    assert np.mean(spread[3]) > 1.2 * np.mean(spread[1])


@pytest.mark.parametrize(("years", "length"), [(16, 3), (7, 3), (3, 3), (2, 5), (1, 1)])
def test_runs_of_years_draw_as_many_years_as_there_are(years, length):
    mass = year_masses(years, length, 2000, np.random.default_rng(1))
    assert (mass.sum(axis=1) == years).all()
    np.testing.assert_allclose(mass.mean(axis=0), 1.0, atol=0.12)
    if years > 1:
        assert mass.std() > 0.3, "a run as long as the record would vary nothing"


def test_a_score_without_a_bootstrap_left_has_no_interval():
    rows = long(years=[2010])
    rows["unit"] = "CHN-RUS"
    rows = rows.drop_duplicates([*KEYS, "forecast"])
    found = skill(common(rows, "crps", ["ours", "plain"]), "ours", "plain")
    assert np.isnan([found["lower"], found["upper"], found["better"]]).all()
