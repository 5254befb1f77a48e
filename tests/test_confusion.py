"""Made-up worlds of which it is plain what a contest can tell."""

import io

import numpy as np
import pandas as pd
import pytest
from scipy.stats import beta

from fairweather.confusion import FEWEST, TIE, Confusion, Rate
from fairweather.differences import ScoreError

READINGS = ("drift", "thermostat", "elastic-side", "placebo")


def worlds(rows):
    """Rows of (truth, picked, times): the picked reading has 0.7, the others share the rest."""
    out = []
    for truth, picked, times in rows:
        weights = {r: 0.7 if r == picked else 0.1 for r in READINGS}
        out += [{"truth": truth, **weights}] * times
    return pd.DataFrame(out)


@pytest.fixture
def found():
    return Confusion.of(worlds([
        ("drift", "drift", 6), ("drift", "thermostat", 2),
        ("thermostat", "thermostat", 4), ("thermostat", "elastic-side", 4),
        ("elastic-side", "thermostat", 5), ("elastic-side", "drift", 1),
        ("scope", "drift", 3),
    ]))  # fmt: skip


def test_the_matrix_counts_worlds(found):
    assert list(found.counts.index) == ["drift", "thermostat", "elastic-side", "scope"]
    assert list(found.counts.columns) == list(READINGS)
    assert found.counts.loc["drift"].tolist() == [6, 2, 0, 0]
    assert found.counts.to_numpy().sum() == 25
    assert found.rates.loc["drift"].tolist() == [0.75, 0.25, 0.0, 0.0]
    assert found.rates.sum(axis=1).to_numpy() == pytest.approx(np.ones(4))
    expected = 6 / 8 * 0.7 + 2 / 8 * 0.1
    assert found.mean_weights.loc["drift", "drift"] == pytest.approx(expected)


def test_rates_have_jeffreys_intervals(found):
    rate = found.rate("drift", "drift", level=0.9)
    assert (rate.hits, rate.worlds, rate.share) == (6, 8, 0.75)
    assert (rate.lower, rate.upper) == pytest.approx(beta.ppf([0.05, 0.95], 6.5, 2.5))
    group = found.rate({"thermostat", "elastic-side"}, {"thermostat", "elastic-side"})
    assert (group.hits, group.worlds) == (13, 14)
    assert found.found().hits == 10 and found.found().worlds == 22  # scope took no part
    assert str(Rate.of(8, 10)) == "80 % [55, 94] of 10"


def test_a_rate_at_the_edge_excludes_nothing_there():
    none, all_ = Rate.of(0, 7), Rate.of(7, 7)
    assert none.lower == 0.0 < none.upper < 0.4 and all_.upper == 1.0 > all_.lower > 0.6
    empty = Rate.of(0, 0)
    assert np.isnan(empty.share) and (empty.lower, empty.upper) == (0.0, 1.0)
    assert str(empty) == "no worlds"
    assert Rate.of(80, 100).upper < Rate.of(8, 10).upper


def test_groups_can_be_told_where_their_members_cannot(found):
    table = worlds([("drift", "drift", 8), ("thermostat", "elastic-side", 5),
                    ("elastic-side", "thermostat", 5)])  # fmt: skip
    many = Confusion.of(table)
    pressure = {"thermostat", "elastic-side"}
    telling = many.can_tell(pressure, {"drift"})
    assert telling and telling.told and (telling.p_pro, telling.p_contra) == (1.0, 1.0)
    assert (telling.worlds_pro, telling.worlds_contra) == (10, 8)
    assert 0.6 < telling.lower_contra < telling.lower_pro < 1.0
    assert telling.sentence.startswith("this record could tell elastic-side or thermostat from d")
    inner = many.can_tell({"thermostat"}, {"elastic-side"})
    assert not inner and (inner.p_pro, inner.p_contra) == (0.0, 0.0)
    assert "could not tell" in inner.sentence and "0 of 5" in inner.sentence


def test_total_weight_of_a_group_counts_not_its_first_reading():
    row = {"drift": 0.4, "thermostat": 0.3, "elastic-side": 0.3, "placebo": 0.0}
    table = pd.DataFrame([{"truth": t, **row} for t in ["thermostat"] * 5 + ["drift"] * 5])
    telling = Confusion.of(table).can_tell({"thermostat", "elastic-side"}, {"drift"})
    assert (telling.p_pro, telling.p_contra) == (1.0, 0.0)


def test_a_contest_that_always_picks_one_side_tells_nothing():
    table = worlds([("drift", "drift", 20), ("thermostat", "drift", 20)])
    telling = Confusion.of(table).can_tell({"drift"}, {"thermostat"})
    assert telling.p_pro == 1.0 and telling.p_contra == 0.0 and not telling


def test_the_bar_is_two_thirds_of_both_sides_and_more_than_a_coin():
    def telling(right, of):
        table = worlds([("drift", "drift", of), ("thermostat", "thermostat", right),
                        ("thermostat", "drift", of - right)])  # fmt: skip
        return Confusion.of(table).can_tell({"drift"}, {"thermostat"})

    assert telling(20, 30) and not telling(19, 30), "two thirds"
    # Of few worlds, two thirds may well be a coin's doing.
    assert telling(9, 12) and not telling(8, 12)
    assert telling(5, 6) and not telling(4, 6)
    table = worlds([("drift", "drift", 6), ("thermostat", "thermostat", 5),
                    ("thermostat", "drift", 1)])  # fmt: skip
    strict = Confusion.of(table).can_tell({"drift"}, {"thermostat"}, least=0.9)
    assert not strict and "90 % needed of both" in strict.sentence


def test_too_few_worlds_tell_nothing_however_clear():
    def telling(n):
        table = worlds([("drift", "drift", 9), ("thermostat", "thermostat", n)])
        return Confusion.of(table).can_tell({"drift"}, {"thermostat"})

    assert telling(FEWEST)
    short = telling(FEWEST - 1)
    assert not short and short.p_contra == 1.0
    assert short.sentence == (
        "too few worlds were simulated to say whether this record could tell drift from "
        "thermostat: 9 and 4, 5 needed of both"
    )
    none = Confusion.of(worlds([("drift", "drift", 9)])).can_tell({"drift"}, {"placebo"})
    assert not none and np.isnan(none.p_contra) and none.worlds_contra == 0


def test_even_weights_are_no_pick_and_no_success():
    row = {"drift": 0.4, "thermostat": 0.4, "elastic-side": 0.1, "placebo": 0.1}
    table = pd.DataFrame([{"truth": t, **row} for t in ["thermostat"] * 5 + ["drift"] * 5])
    found = Confusion.of(table)
    assert found.counts[TIE].tolist() == [5, 5] and found.found().hits == 0
    telling = found.can_tell({"drift"}, {"thermostat"})
    assert not telling and telling.p_pro == telling.p_contra == 0.0


def test_a_pick_that_is_given_is_kept():
    table = worlds([("drift", "drift", 3)]).assign(picked=["drift", "placebo", "drift"])
    assert Confusion.of(table).counts.loc["drift", "placebo"] == 1
    with pytest.raises(ScoreError, match="'tide' was picked but took no part"):
        Confusion.of(table.assign(picked="tide"))


def test_failed_worlds_are_left_out_and_counted(found):
    table = worlds([("drift", "drift", 5), ("thermostat", "drift", 1)])
    table.loc[2, "placebo"] = np.nan
    before = table.copy()
    kept = Confusion.of(table.assign(world=range(6), failed=""))
    assert kept.failed == 1 and len(kept.worlds) == 5 and kept.readings == READINGS
    assert "1 more worlds gave no weights" in kept.markdown()
    assert "more worlds" not in found.markdown()
    pd.testing.assert_frame_equal(table, before)


def test_tables_show_every_truth_and_reading(found):
    from rich.console import Console

    lines = found.markdown().splitlines()
    assert lines[0].split(" | ") == ["| true", *READINGS, "found", "worlds |"]
    assert lines[2] == "| drift | 75 | 25 | · | · | 75 [47, 92] | 8 |"
    assert lines[5] == "| scope | 100 | · | · | · |  | 3 |"
    out = io.StringIO()
    Console(file=out, width=120).print(found.table())
    text = out.getvalue()
    assert all(name in text for name in (*READINGS, "scope", "75 [47, 92]"))


def test_unknown_and_muddled_groups_are_refused(found):
    with pytest.raises(ScoreError, match=r"knows reading 'tide'.*drift"):
        found.rate("tide", "drift")
    with pytest.raises(ScoreError, match="knows reading 'tide'"):
        found.can_tell({"tide"}, {"drift"})
    with pytest.raises(ScoreError, match="drift stands on both sides"):
        found.can_tell({"drift", "placebo"}, {"drift"})
    with pytest.raises(ScoreError, match="group of readings is empty"):
        found.can_tell(set(), {"drift"})
    with pytest.raises(ScoreError, match="no weights of scope"):
        found.can_tell({"scope"}, {"drift"})


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (pd.DataFrame({"drift": [1.0]}), "no column 'truth'"),
        (pd.DataFrame({"truth": ["drift"]}), "no reading has weights"),
        (pd.DataFrame({"truth": ["drift"], "drift": [np.nan]}), "no world has weights"),
        (pd.DataFrame({"truth": ["a"] * 2, "a": [0.5, 0.5], "b": [0.5, 0.9]}), "line 3: weights"),
        (pd.DataFrame({"truth": ["a"], "a": [1.5], "b": [-0.5]}), "negative or do not sum"),
        (pd.DataFrame({"truth": ["a"], "a": [1.0], "note": ["x"]}), "a weight is no number"),
    ],
)
def test_malformed_worlds_are_refused(table, said):
    with pytest.raises(ScoreError, match=said):
        Confusion.of(table)


def test_readings_can_be_named():
    table = worlds([("drift", "drift", 2)]).assign(share_first=0.3)
    assert Confusion.of(table, READINGS).readings == READINGS
    with pytest.raises(ScoreError, match="no column 'tide'"):
        Confusion.of(table, ["drift", "tide"])
