"""Standard errors are those of the textbook formulas, written out pair by pair of blocks."""

import itertools

import numpy as np
import pytest
import xarray as xr
from scipy.stats import t

from fairweather.differences import (
    ScoreError,
    clustered_errors,
    common_blocks,
    paired_differences,
)

STATES = ("CHN", "IND", "IRN", "RUS", "TUR")
DYADS = ["-".join(pair) for pair in itertools.combinations(STATES, 2)]


def made_scores(values, units, years, readings=None, **coords):
    values = np.asarray(values, dtype=float)
    readings = readings or [f"r{k}" for k in range(len(values))]
    on_block = {"unit": units, "year": years, **coords}
    return xr.DataArray(
        values, dims=("reading", "block"),
        coords={"reading": readings, **{k: ("block", list(v)) for k, v in on_block.items()}},
    )  # fmt: skip


def made_panel(seed=0, years=range(2008, 2016), k=3, by_year=0.5, by_state=0.5, dyads=DYADS):
    """Scores with shocks of years and of states that readings do not share."""
    rng = np.random.default_rng(seed)
    units, when = zip(*itertools.product(dyads, years), strict=True)
    year = by_year * rng.normal(size=(k, max(years) + 1))[:, when]
    state = by_state * rng.normal(size=(k, len(STATES)))
    ends = [[STATES.index(s) for s in u.split("-")] for u in units]
    values = rng.normal(size=(k, len(units))) + year + state[:, ends].sum(axis=2)
    return made_scores(values, units, when)


def pair_by_pair(x, units, years):
    """Sums of e_n e_m over pairs of blocks that a rule takes to hang together."""
    e = x - x.mean()
    members = [set(u.split("-")) for u in units]
    n = range(len(e))
    cells = {(s, y) for m, y in zip(members, years, strict=True) for s in m}
    states = set().union(*members)
    clusters = {"year": len(set(years)), "state": len(states), "cell": len(cells)}
    factor = {k: g / (g - 1) for k, g in clusters.items()}
    total = dict.fromkeys(factor, 0.0)
    for i, j in itertools.product(n, n):
        same = {"year": years[i] == years[j], "state": bool(members[i] & members[j])}
        same["cell"] = same["year"] and same["state"]
        for k in total:
            total[k] += factor[k] * e[i] * e[j] * same[k]
    return total


@pytest.mark.parametrize("seed", range(4))
def test_errors_are_those_of_the_formula(seed):
    scores = made_panel(seed)[:, 3:70]  # unbalanced
    blocks = common_blocks(scores)
    found = clustered_errors(blocks.scores, blocks)
    units, years = list(scores["unit"].values), list(scores["year"].values)
    for k in range(3):
        x = scores.values[k]
        v = pair_by_pair(x, units, years)
        both = max(v["year"] + v["state"] - v["cell"], v["year"], v["state"])
        n = len(x)
        assert found["naive"][k] == pytest.approx(x.std(ddof=1) / np.sqrt(n))
        assert found["year"][k] == pytest.approx(np.sqrt(v["year"]) / n)
        # The dyadic sum, where it is the larger one.
        by_dyad = sum((x - x.mean())[np.array(units) == u].sum() ** 2 for u in set(units))
        by_dyad *= len(set(units)) / (len(set(units)) - 1)
        assert found["state"][k] == pytest.approx(np.sqrt(max(v["state"], by_dyad)) / n)
        assert found["both"][k] == pytest.approx(np.sqrt(max(both, by_dyad)) / n)


def test_the_dyadic_sum_is_at_work():
    # Shocks of states: pairs that share one state count, not only those of one dyad.
    scores = made_panel(1, by_year=0.0, by_state=2.0)
    blocks = common_blocks(scores)
    x = scores.values[0]
    v = pair_by_pair(x, list(scores["unit"].values), list(scores["year"].values))
    found = clustered_errors(blocks.scores, blocks)
    assert found["state"][0] == pytest.approx(np.sqrt(v["state"]) / len(x))
    e = x - x.mean()
    by_dyad = sum(e[scores["unit"].values == u].sum() ** 2 for u in DYADS) * 10 / 9
    assert v["state"] > 1.5 * by_dyad
    assert found["state"][0] > 2 * found["naive"][0]


def test_errors_grow_when_blocks_of_a_year_are_duplicated():
    scores = made_panel(2)
    twice = xr.concat([scores, scores], "block")
    once, again = (common_blocks(s) for s in (scores, twice))
    before = clustered_errors(once.scores, once)
    after = clustered_errors(again.scores, again)
    # Copies are no news: clustered errors of the mean stay, the naive one shrinks.
    for name in ("year", "state"):
        assert after[name] == pytest.approx(before[name])
    assert (after["naive"] < 0.75 * before["naive"]).all()
    # Each year one value, copied to all dyads: as many witnesses as years.
    v = np.random.default_rng(0).normal(size=8)
    copies = common_blocks(made_scores([np.tile(v, len(DYADS))], np.repeat(DYADS, 8),
                                       list(range(2008, 2016)) * len(DYADS)))  # fmt: skip
    found = clustered_errors(copies.scores, copies)
    assert found["year"][0] == pytest.approx(v.std(ddof=1) / np.sqrt(8))
    assert found["both"][0] >= found["year"][0] > 3 * found["naive"][0]


def test_two_way_is_never_below_one_way():
    for seed in range(30):
        scores = made_panel(seed, years=range(2008, 2011), by_year=0.0, by_state=0.0)
        blocks = common_blocks(scores)
        found = clustered_errors(blocks.scores, blocks)
        assert (found["both"] >= np.maximum(found["year"], found["state"]) - 1e-12).all()
        assert (found["both"] > 0).all()


def test_two_way_covers_the_truth_where_naive_does_not():
    # Mean zero, shocks of years and states: how often is |mean| within two standard errors?
    inside = {"naive": [], "both": []}
    for seed in range(150):
        blocks = common_blocks(made_panel(seed, by_year=0.6, by_state=0.3, k=1))
        found = clustered_errors(blocks.scores, blocks)
        for name in inside:
            inside[name].append(abs(blocks.scores.mean()) < 2 * found[name][0])
    assert np.mean(inside["naive"]) < 0.6
    assert np.mean(inside["both"]) > np.mean(inside["naive"]) + 0.15


def test_one_dyad_has_no_error_by_state():
    scores = made_panel(3, dyads=["CHN-RUS"])
    table = paired_differences(scores)
    assert table["se_state"].isna().all()
    assert table["se"].to_numpy() == pytest.approx(table["se_year"].to_numpy())
    assert (table["df"] == 7).all() and (table["states"] == 2).all()


def test_a_clear_lead_is_told_and_a_small_one_is_not():
    scores = made_panel(4)
    scores[1] = scores[0] - 5.0 - 0.1 * made_panel(5).values[0]
    table = paired_differences(scores, "r0").set_index("reading")
    assert table.loc["r1", "sentence"] == "r0 predicts better than r1"
    assert table.loc["r1", "p_better"] < 0.001 and table.loc["r1", "told"]
    assert table.loc["r2", "sentence"] == "cannot tell r2 from r0"
    row = table.loc["r2"]
    assert abs(row["mean"]) < 2 * row["se"] and 0.02 < row["p_better"] < 0.98
    assert row["total"] == pytest.approx(row["mean"] * row["blocks"])
    assert row["total_se"] == pytest.approx(row["se"] * row["blocks"])
    other = paired_differences(scores, "r1").set_index("reading").loc["r0"]
    assert other["mean"] == pytest.approx(-table.loc["r1", "mean"])
    assert other["sentence"] == "r0 predicts better than r1" and other["p_better"] > 0.999


def test_the_chance_of_being_better_has_fat_tails():
    # As many degrees of freedom as the fewer clusters allow: 5 states, or 3 years.
    for years, df in ((range(2008, 2016), 4), (range(2008, 2011), 2)):
        row = paired_differences(made_panel(14, years=years), "r0").iloc[0]
        assert row["df"] == df
        assert row["p_better"] == pytest.approx(t.cdf(row["mean"] / row["se"], df))


def test_readings_that_agree_everywhere_cannot_be_told():
    scores = made_panel(6)
    scores[1] = scores[0]
    row = paired_differences(scores, "r0").iloc[0]
    assert row["se"] == 0.0 and row["p_better"] == 0.5
    assert row["sentence"] == "cannot tell r1 from r0"


def test_best_is_the_highest_total_and_each_gives_every_pair():
    scores = made_panel(7)
    scores[2] += 3.0
    assert set(paired_differences(scores)["against"]) == {"r2"}
    pairs = paired_differences(scores, "each")[["reading", "against"]].to_numpy().tolist()
    assert pairs == [["r0", "r1"], ["r0", "r2"], ["r1", "r2"]]


def test_only_blocks_of_all_readings_are_compared():
    scores = made_panel(8)
    before = scores.copy()
    gaps = scores.copy()
    gaps[0, :4], gaps[1, 3:6] = np.nan, np.nan
    blocks = common_blocks(gaps)
    assert blocks.dropped == 6 and blocks.missing == {"r0": 4, "r1": 3, "r2": 0}
    table = paired_differences(gaps, "r2")
    assert (table["dropped"] == 6).all() and (table["blocks"] == scores.sizes["block"] - 6).all()
    own = (scores[0] - scores[2])[6:]
    assert table.loc[0, "mean"] == pytest.approx(float(own.mean()))
    xr.testing.assert_identical(scores, before)


def test_groups_are_compared_on_their_own():
    scores = made_panel(9)
    horizon = 1 + np.arange(scores.sizes["block"]) % 2
    scores = scores.assign_coords(horizon=("block", horizon))
    gaps = scores.copy()
    gaps[0, 1] = np.nan
    table = paired_differences(gaps, "r2", by="horizon")
    assert table["group"].tolist() == [1, 1, 2, 2] and table["dropped"].tolist() == [0, 0, 1, 1]
    alone = paired_differences(gaps[:, horizon == 2], "r2")
    assert table.drop(columns="group").iloc[2:].reset_index(drop=True).equals(alone)
    labels = np.where(scores["unit"].values == "CHN-RUS", "focal", "rest")
    named = paired_differences(scores, "r2", by=labels)
    assert named["group"].tolist() == ["focal", "focal", "rest", "rest"]
    assert named["blocks"].tolist() == [8, 8, 72, 72]


def test_order_of_blocks_and_of_members_does_not_matter():
    scores = made_panel(10)
    rng = np.random.default_rng(0)
    order = rng.permutation(scores.sizes["block"])
    turned = scores[:, order].copy()
    names = ["-".join(reversed(u.split("-"))) if k % 2 else u
             for k, u in enumerate(turned["unit"].values)]  # fmt: skip
    turned = turned.assign_coords(unit=("block", names))
    columns = ["mean", "se_naive", "se_year", "se_state", "se", "p_better"]
    one, other = (paired_differences(s, "r0")[columns].to_numpy() for s in (scores, turned))
    assert one == pytest.approx(other)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda s: s.where(s["reading"] != "r1"), "'r1' has no score"),
        (lambda s: s.where(s["reading"] != "r1", -np.inf), "'r1' at CHN-IND 2008 is infinite"),
        (lambda s: s[:, s["year"].values == 2009], "one year only"),
        (lambda s: s.drop_vars("unit"), "no coordinate 'unit'"),
        (lambda s: s.rename(block="cell"), "dimensions reading, cell"),
        (lambda s: s.assign_coords(unit=("block", ["CHN"] * s.sizes["block"])), "is no dyad"),
        (lambda s: s.assign_coords(reading=["a", "a", "b"]), "stands twice"),
        (lambda s: s[:1], "only one reading"),
    ],
)
def test_what_cannot_be_compared_is_refused(change, said):
    with pytest.raises(ScoreError, match=said):
        paired_differences(change(made_panel(11)))


def test_no_common_block_is_refused_with_the_gaps():
    scores = made_panel(12)
    scores[0, :40], scores[1, 40:] = np.nan, np.nan
    with pytest.raises(ScoreError, match="r0 lacks 40, r1 lacks 40"):
        paired_differences(scores)


def test_unknown_names_are_refused():
    scores = made_panel(13)
    with pytest.raises(ScoreError, match=r"'tide' has no scores.*r0, r1, r2"):
        paired_differences(scores, "tide")
    with pytest.raises(ScoreError, match="no 'horizon'"):
        paired_differences(scores, by="horizon")
    with pytest.raises(ScoreError, match="2 labels for 80 blocks"):
        paired_differences(scores, by=["a", "b"])
    with pytest.raises(ScoreError, match="of 2010 are of one year only"):
        paired_differences(scores[:, scores["year"].values >= 2010], by="year")
