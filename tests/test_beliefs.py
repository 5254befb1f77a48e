"""Belief sets are compared by the claims' own functions, each on the same random numbers."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fairweather.beliefs import (
    CLAIM,
    COLLAPSE,
    EASING,
    MOVEMENT,
    SETS,
    compare_beliefs,
    measured,
    read_sets,
)
from fairweather.claims.measures import get_measure
from fairweather.draws import Draws
from fairweather.errors import FairweatherError, PriorError
from fairweather.panel import load_panel
from fairweather.priors import Prior, load_priors
from fairweather.simulate import prior_check, prior_tree

DRAWS = 200


@pytest.fixture(scope="module")
def panel():
    return load_panel(states=["CHN", "IND", "IRN", "RUS"])


@pytest.fixture(scope="module")
def table(panel):
    return compare_beliefs(panel, draws=DRAWS)


def _row(table, name, what):
    rows = table[(table["set"] == name) & (table["id"] == what)]
    assert len(rows) == 1
    return rows.iloc[0]


def test_every_set_has_every_row_once(table):
    assert list(dict.fromkeys(table["set"])) == list(SETS)
    for _, part in table.groupby("set"):
        assert not part["id"].duplicated().any()
        wanted = {"C01", "C04", "C08", "C36", "C43", "C49", COLLAPSE, EASING, MOVEMENT}
        assert wanted <= set(part["id"])
    # Whether pressure fell is no belief about the target; domains move together in this reading.
    assert not {"C37", "C38", "C41", "C42"} & set(table["id"])
    assert (table["lower"] <= table["median"]).all() and (table["median"] <= table["upper"]).all()
    claims = table["kind"] == CLAIM
    assert table.loc[claims, "probability"].between(0, 1).all()
    assert table.loc[~claims, "probability"].isna().all()


def test_numbers_are_those_of_the_claims_and_of_the_check(panel, table):
    priors = load_priors("author")
    tree = prior_tree(panel, priors=priors, draws=DRAWS, random_seed=1)
    found = get_measure("fragile")(Draws.of(tree, panel, priors), {"size": -0.1})
    row = _row(table, "author", "C08")
    assert row["mean"] == pytest.approx(found.value.mean())
    assert row["probability"] == pytest.approx(found.holds.mean())
    assert [row["lower"], row["median"], row["upper"]] == pytest.approx(
        np.quantile(found.value, (0.05, 0.5, 0.95)).tolist()
    )
    check = prior_check(panel, priors, draws=DRAWS, random_seed=1)
    row = _row(table, "author", COLLAPSE)
    assert row["upper"] == pytest.approx(check["chance_high"])
    assert row["mean"] == pytest.approx(np.average(check["chance"], weights=check["weight"]))
    assert _row(table, "author", MOVEMENT)["median"] == pytest.approx(check["movement"][1])


def test_more_draws_than_a_forecast_keeps_are_all_used(panel):
    one = compare_beliefs(panel, ["default"], draws=1200)
    priors = load_priors()
    tree = prior_tree(panel, priors=priors, draws=1200, random_seed=1)
    found = get_measure("exogenous")(Draws.of(tree, panel, priors, limit=1200), {})
    assert len(found.value) == 1200
    assert _row(one, "default", "C01")["mean"] == pytest.approx(found.value.mean())


def test_sets_meet_the_same_random_numbers(panel, table):
    alone = compare_beliefs(panel, ["sceptic"], draws=DRAWS)
    part = table[table["set"] == "sceptic"].reset_index(drop=True)
    pd.testing.assert_frame_equal(alone, part)


def test_beliefs_show_in_what_they_imply(table):
    author, sceptic, default, agnostic = (
        {k: _row(table, name, k) for k in ("C01", "C08", "C36", COLLAPSE, EASING, MOVEMENT)}
        for name in ("author", "sceptic", "default", "agnostic")
    )
    # The author expects the claims, the sceptic does not, the other two take no side.
    for claim in ("C01", "C08", "C36"):
        assert author[claim]["probability"] > 0.75
        assert sceptic[claim]["probability"] < 0.5
    for one in (default, agnostic):
        assert 0.3 < one["C08"]["probability"] < 0.6
        assert abs(one["C08"]["mean"]) < 0.15
    span = {k: one["C08"]["upper"] - one["C08"]["lower"]
            for k, one in {"s": sceptic, "d": default, "a": agnostic}.items()}  # fmt: skip
    assert 1.5 < span["a"] / span["d"] < 2.5 and span["s"] < 0.6 * span["d"]
    assert author[EASING]["median"] > 0 and author[EASING]["upper"] > -2 * author[EASING]["lower"]
    assert abs(sceptic[EASING]["median"]) < 0.02
    # From hardly any collapse to more than a third: no weather is ruled out beforehand.
    for one in (default, agnostic):
        assert one[COLLAPSE]["lower"] <= 0.02 and 0.35 < one[COLLAPSE]["upper"] < 0.9


@pytest.mark.parametrize("reading", ["drift", "common-enemy"])
def test_a_reading_is_not_asked_what_it_cannot_say(panel, reading):
    table = compare_beliefs(panel, ["default"], reading, draws=20)
    assert "C43" not in set(table["id"]) and COLLAPSE in set(table["id"])
    assert ("C08" in set(table["id"])) == (reading != "drift")


def test_the_half_that_draws_can_show_is_named_as_such(table):
    said = set(table.loc[table["id"] == "C08", "quantity"])
    assert len(said) == 1
    said = said.pop()
    assert "held-out" not in said and said.startswith("mean effect of ease-both")


def test_another_pair_is_not_asked():
    panel = load_panel(states=["CHN", "IND", "RUS"], focal="CHN-IND")
    assert measured(Draws.of(prior_tree(panel, draws=5), panel)) == {}


def test_own_sets_and_files(panel, tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text(
        '[meta]\nbase = "default"\n[elasticity_mean]\ndist = "Normal"\nmu = 1.0\nsigma = 0.01\n'
        'reason = "sure"\nsource = "me"\n', encoding="utf-8",
    )  # fmt: skip
    fast = load_priors().replace(
        half_life=Prior("half_life", "LogNormal", {"mu": 0.5, "sigma": 0.1}, "r", "s")
    )
    table = compare_beliefs(panel, [file, fast], draws=60)
    assert list(dict.fromkeys(table["set"])) == ["mine", "default*"]
    assert _row(table, "mine", "C08")["probability"] > 0.95


def test_the_example_in_the_docs_is_a_set(tmp_path):
    text = (Path(__file__).parent.parent / "docs/beliefs.md").read_text(encoding="utf-8")
    (tmp_path / "mine.toml").write_text(text.split("```toml")[1].split("```")[0], encoding="utf-8")
    mine = load_priors(tmp_path / "mine.toml")
    assert (mine.id, mine.base, mine.changed) == ("mine", "sceptic", ("half_life",))


def test_refusals(panel):
    with pytest.raises(PriorError, match=r"'author' is named twice\. Give each its own"):
        read_sets(["author", "default", "author"])
    with pytest.raises(PriorError, match=r"no belief set is named\. Name one of default"):
        compare_beliefs(panel, [])
    with pytest.raises(PriorError, match="shipped sets: default"):
        compare_beliefs(panel, ["nobody"])
    with pytest.raises(FairweatherError, match="unknown reading 'x'"):
        compare_beliefs(panel, ["default"], "x")
