"""Which rows moved the forecast, on made-up draws whose truth is worked out by hand."""

from dataclasses import replace

import numpy as np
import pytest

import made_fit
from fairweather import build_model, forecast, hold_out, load_panel
from fairweather.draws import Draws
from fairweather.heldout import held_density
from fairweather.renewal.influence import COLUMNS, influence
from fairweather.scenarios import load_scenarios

FAINT = {"indicators": "us_aid", "units": "RUS", "years": 2024}
TWO = {"units": "CHN-RUS", "years": 2013}


@pytest.fixture(scope="module")
def panel():
    return made_fit.panel()


def made(panel, draws):
    """A made-up fit that has all that rows are weighed by."""
    tree = made_fit.fit(panel, chains=2, draws=draws)
    post, batch = tree["posterior"].to_dataset(), build_model(panel).batches["within"]
    # Of this the floor of a residual is worked out, and these the votes read beside alignment.
    ratio = (post["residual_within"] / batch.extra["floor"]) ** 2 - 1.0
    noise = np.random.default_rng(5).normal(size=(2, draws, len(panel.years), len(panel.states)))
    post["residual_spare"] = np.sqrt(ratio.clip(0.01))
    post["delegation"] = (("chain", "draw", "year", "state"), 0.1 * noise)
    tree["posterior"] = post
    return tree


@pytest.fixture(scope="module")
def tree(panel):
    return made(panel, 300)


def test_no_difference_is_an_empty_table(tree, panel):
    assert list(influence(tree, panel, panel).columns) == list(COLUMNS)
    assert influence(tree, panel, panel).empty


@pytest.fixture(scope="module")
def table(tree, panel):
    return influence(tree, hold_out(panel, **TWO), panel)


def test_one_row_an_indicator_largest_change_first(table, panel):
    assert list(table.columns) == list(COLUMNS)
    assert table["indicator"].is_unique and len(table) > 3
    assert (table["rows"] == 1).all() and (table["new"] == 1).all() and (table["units"] == 1).all()
    size = table["change"].abs().dropna().to_numpy()
    assert (np.diff(size) <= 0).all() and len(size)
    assert table["change"].isna().to_numpy()[: len(size)].sum() == 0
    bad = table["k"] > 0.7
    assert table.loc[bad, "change"].isna().all() and table.loc[~bad, "change"].notna().all()
    assert table["surprise"].isna().all()


def test_what_the_change_is_of_is_what_the_forecast_says(tree, panel):
    """With all rows, durability is that of the forecast; the difference is by the weights."""
    from fairweather.renewal.influence import _DRAWS, _survival

    draws = Draws.of(tree, panel, limit=_DRAWS)
    survival = _survival(draws, None, 3, 1)
    said = forecast(tree, panel, horizon=3)["durability"]["probability"]
    said = said.sel(scenario="current-weather").isel(threshold=0, horizon=-1)
    assert survival.mean() == pytest.approx(float(said), abs=1e-12)


def by_hand(tree, before, panel, horizon=5):
    """Leave-out weights from the predictive density of the one row, another way to them."""
    from fairweather.renewal.influence import _survival

    draws = Draws.of(tree, panel, limit=4000)
    values = {str(k): draws.get(str(k)) for k in draws.data.data_vars}
    density = held_density(values, build_model(before), panel, "pressure")
    weights = np.exp(-density.values.sum(axis=1))
    survival = _survival(draws, None, horizon, 1)
    return survival.mean() - (weights * survival).sum() / weights.sum()


def test_a_new_row_counts_by_one_over_its_density(tree, panel):
    rows = {"indicators": "us_leader_contacts", "units": "RUS", "years": 2024}
    before = hold_out(panel, **rows)
    found = influence(tree, before, panel).iloc[0]
    assert found["k"] < 0.5
    wanted = by_hand(tree, before, panel)
    assert found["change"] == pytest.approx(wanted, abs=2e-3)
    assert np.sign(found["change"]) == np.sign(wanted) and wanted != 0.0
    assert 0.0 < found["mc_error"] < 0.05


def test_withdrawn_rows_count_the_other_way_round(tree, panel):
    fewer = hold_out(panel, **FAINT)
    came = influence(tree, fewer, panel).iloc[0]
    went = influence(tree, panel, fewer).iloc[0]
    assert (came["new"], came["withdrawn"]) == (1, 0)
    assert (went["new"], went["withdrawn"]) == (0, 1)
    assert np.sign(went["change"]) == -np.sign(came["change"])


def test_a_changed_row_is_held_against_its_old_value(tree, panel):
    votes = panel.rows["unga_votes"].copy()
    at = votes.index[(votes["unit"] == 0) & (votes["time"] == 30)][0]
    votes.loc[at, "value"] -= 1
    found = influence(tree, replace(panel, rows=panel.rows | {"unga_votes": votes}), panel).iloc[0]
    assert (found["indicator"], found["changed"]) == ("unga_votes", 1)
    assert np.isfinite(found["change"])


def test_surprise_is_under_the_earlier_draws(tree, panel):
    rows = {"indicators": "us_leader_contacts", "units": "RUS", "years": 2024}
    before = hold_out(panel, **rows)
    found = influence(tree, before, panel, earlier=tree).iloc[0]["surprise"]
    draws = Draws.of(tree, panel, limit=4000)
    values = {str(k): draws.get(str(k)) for k in draws.data.data_vars}
    density = held_density(values, build_model(before), panel, "pressure")
    assert found == pytest.approx(-density.values.mean(), abs=0.02)
    far = panel.rows["us_leader_contacts"].copy()
    last = (far["unit"] == 3) & (far["time"] == 32)
    far.loc[last, "value"] = 400.0
    odd = replace(panel, rows=panel.rows | {"us_leader_contacts": far})
    assert influence(tree, before, odd, earlier=tree).iloc[0]["surprise"] > found + 5.0


def test_rows_of_a_year_the_earlier_fit_did_not_reach(tree, panel):
    before = load_panel(states=list(made_fit.STATES), last_year=2023)
    found = influence(tree, before, panel, earlier=tree)
    assert {"unga_votes", "us_aid"} <= set(found["indicator"])
    assert found["surprise"].isna().all() and found["k"].notna().all()


def test_an_indicator_the_fit_never_had_is_not_judged(tree, panel):
    fewer = replace(panel, rows={k: v for k, v in panel.rows.items() if k != "swap_lines"})
    found = influence(made(fewer, 40), panel, fewer).set_index("indicator").loc["swap_lines"]
    assert found["withdrawn"] > 0 and np.isnan(found["change"]) and np.isinf(found["k"])


def test_scenarios_and_seed_are_handed_on(tree, panel):
    before = hold_out(panel, **FAINT)
    one, two = (influence(tree, before, panel, scenarios=load_scenarios(), random_seed=s)
                for s in (1, 2))  # fmt: skip
    assert one["k"].equals(two["k"]) and not one["change"].equals(two["change"])
