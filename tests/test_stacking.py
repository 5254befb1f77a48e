"""Weights are those of known mixtures, of ArviZ where it has them, and as sure as years allow."""

import itertools
import warnings

import numpy as np
import pytest
import xarray as xr
from scipy.stats import norm

from fairweather.differences import ScoreError, common_blocks
from fairweather.stacking import (
    GAP,
    mixture_weights,
    pseudo_bma,
    stack,
    stack_focal,
    state_masses,
    year_masses,
)

STATES = ("CHN", "IND", "IRN", "RUS")
DYADS = ["-".join(pair) for pair in itertools.combinations(STATES, 2)]
YEARS = range(2008, 2020)


def labelled(values, readings=None, dyads=DYADS, years=YEARS):
    values = np.asarray(values, dtype=float)
    units, when = zip(*itertools.product(dyads, years), strict=True)
    readings = readings or [f"r{k}" for k in range(len(values))]
    return xr.DataArray(
        values, dims=("reading", "block"),
        coords={"reading": readings, "unit": ("block", list(units)),
                "year": ("block", list(when))},
    )  # fmt: skip


def made(seed=0, k=3, spread=1.0, **kwargs):
    rng = np.random.default_rng(seed)
    n = len(kwargs.get("dyads", DYADS)) * len(kwargs.get("years", YEARS))
    return labelled(-2.0 + spread * rng.normal(size=(k, n)), **kwargs)


def short_of_best(density, weights, mass=None):
    """By how much a reading would still gain: zero at the optimum (KKT)."""
    p = np.ones(len(density)) if mass is None else mass
    return float((density.T @ (p / p.sum() / (density @ weights))).max() - 1)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.85])
def test_a_known_mixture_is_recovered(share):
    rng = np.random.default_rng(1)
    n = 20_000
    first = rng.random(n) < share
    y = np.where(first, rng.normal(-1.0, 1.0, n), rng.normal(2.0, 0.7, n))
    density = np.column_stack([norm.pdf(y, -1.0, 1.0), norm.pdf(y, 2.0, 0.7), norm.pdf(y, 8, 1)])
    found = mixture_weights(density)
    assert found == pytest.approx([share, 1 - share, 0.0], abs=0.015)


@pytest.mark.parametrize("seed", range(8))
def test_weights_meet_the_conditions_of_an_optimum(seed):
    rng = np.random.default_rng(seed)
    n, k = int(rng.choice([5, 40, 300])), int(rng.integers(2, 12))
    logs = 10 ** rng.uniform(-6, 3) * rng.standard_t(2, size=(n, k))
    density = np.exp(logs - logs.max(axis=1, keepdims=True))
    mass = rng.standard_exponential(n)
    w = mixture_weights(density, mass)
    assert (w >= 0).all() and w.sum() == pytest.approx(1.0)
    assert short_of_best(density, w, mass) < 10 * GAP
    # Not true of just any weights.
    assert short_of_best(density, np.full(k, 1.0 / k), mass) > short_of_best(density, w, mass)


def test_weights_and_second_opinion_are_those_of_arviz():
    from arviz_stats import compare
    from arviz_stats.utils import ELPDData

    scores = made(3, k=4, spread=0.7)
    found = stack(scores, replicates=0)

    def one(x):
        n = len(x)
        return ELPDData(elpd=x.sum(), se=np.sqrt(n) * x.std(), p=1.0, n_samples=1000, good_k=0.7,
                        n_data_points=n, scale="log", warning=False,
                        elpd_i=xr.DataArray(x, dims="block"))  # fmt: skip

    data = {str(r): one(scores.sel(reading=r).values) for r in scores["reading"].values}
    theirs = compare(data, method="stacking", round_to="none")["weight"]
    assert found.weights.to_series().to_numpy() == pytest.approx(
        theirs[found.weights["reading"].values].to_numpy(), abs=2e-3
    )
    # With every block a cluster of its own, pseudo-BMA+ is theirs too.
    masses = np.random.default_rng(0).standard_exponential((4000, scores.sizes["block"]))
    theirs = compare(data, method="bb-pseudo-bma", round_to="none")["weight"]
    ours = pseudo_bma(scores.values.T, masses)
    assert ours == pytest.approx(theirs[found.weights["reading"].values].to_numpy(), abs=0.03)


def test_readings_that_predict_alike_share():
    scores = made(4, k=3)
    scores[2] = scores[1]
    found = stack(scores, replicates=30)
    w = found.weights.values
    assert w[1] == pytest.approx(w[2], abs=1e-6) and w[1] > 0.05
    two = stack(scores[:2], replicates=0).weights.values
    assert w[0] == pytest.approx(two[0], abs=1e-5)
    assert found.draws.values[:, 1] == pytest.approx(found.draws.values[:, 2], abs=1e-6)


def test_two_alike_and_nothing_else_stand_even():
    scores = made(5, k=2)
    scores[1] = scores[0]
    found = stack(scores, replicates=20)
    assert found.weights.values == pytest.approx([0.5, 0.5])
    assert found.table()["first"].tolist() == [0.5, 0.5]
    assert found.pivotal == {"year": [], "state": []}
    assert found.gain == pytest.approx(0.0, abs=1e-9)


def test_one_that_dominates_takes_all():
    scores = made(6, k=4, spread=0.3)
    scores[2] += 5.0
    found = stack(scores, replicates=50)
    assert found.best == "r2" and found.weights.sel(reading="r2") > 0.999
    assert (found.interval().sel(reading="r2") > 0.999).all()
    assert found.pseudo_bma.sel(reading="r2") > 0.999
    row = found.table().iloc[0]
    assert row["reading"] == "r2" and row["first"] == 1.0


def test_joint_densities_far_out_of_range_are_weighed():
    scores = made(7, k=3)
    far = scores - 5000.0 * (1 + np.arange(scores.sizes["block"]) % 3)
    one, other = (stack(s, replicates=5).weights.values for s in (scores, far))
    assert one == pytest.approx(other, abs=1e-5)


def test_draws_repeat_by_seed():
    scores = made(8)
    one, same, other = (stack(scores, replicates=25, seed=s) for s in (1, 1, 2))
    for name in ("draws", "draws_by_state"):
        xr.testing.assert_identical(getattr(one, name), getattr(same, name))
        assert np.abs(getattr(one, name).values - getattr(other, name).values).max() > 1e-3
    xr.testing.assert_identical(one.weights, other.weights)
    assert (one.draws.values != one.draws_by_state.values).any()
    assert one.draws.sum("reading").values == pytest.approx(np.ones(25))


def test_draws_do_not_depend_on_the_order_of_blocks():
    scores = made(9)
    order = np.random.default_rng(0).permutation(scores.sizes["block"])
    one, other = (stack(s, replicates=10) for s in (scores, scores[:, order]))
    assert one.draws.values == pytest.approx(other.draws.values, abs=1e-5)
    assert one.draws_by_state.values == pytest.approx(other.draws_by_state.values, abs=1e-5)


def test_whole_years_and_states_are_drawn():
    scores = made(10)
    blocks = common_blocks(scores)
    years = year_masses(blocks, 6, 1)
    for y in range(len(blocks.years)):
        assert np.ptp(years[:, blocks.year == y], axis=1).max() == 0.0
    assert (np.ptp(years, axis=1) > 0).all()
    # A block has the product of two states: over any four states, products of pairs agree.
    states = state_masses(blocks, 6, 1)
    mass = {u: states[:, scores["unit"].values == u][:, 0] for u in DYADS}
    crossed = mass["CHN-IND"] * mass["IRN-RUS"]
    assert crossed == pytest.approx(mass["CHN-IRN"] * mass["IND-RUS"])
    assert crossed != pytest.approx(mass["CHN-IND"] * mass["CHN-RUS"])


def test_intervals_are_wider_when_few_years_say_it():
    rng = np.random.default_rng(11)
    lead = rng.normal(size=len(YEARS))
    n = len(DYADS) * len(YEARS)
    # The same leads, hanging together by year or dealt out block by block.
    dealt = rng.permutation(np.tile(lead, len(DYADS)))
    scores = [labelled([x, np.zeros(n)]) for x in (np.tile(lead, len(DYADS)), dealt)]
    wide, narrow = (stack(s, replicates=200).draws.values[:, 0].std() for s in scores)
    assert wide > 1.5 * narrow > 0


def test_the_interval_reaches_as_far_as_either_kind_of_draws():
    found = stack(made(12, spread=0.5), replicates=60)
    ends = found.interval(0.8)
    for draws in (found.draws, found.draws_by_state):
        own = draws.quantile([0.1, 0.9], "replicate").values
        assert (ends.values[:, 0] <= own[0] + 1e-12).all()
        assert (ends.values[:, 1] >= own[1] - 1e-12).all()
    assert (found.interval(0.5).values[:, 0] >= ends.values[:, 0]).all()


def test_totals_have_clustered_errors():
    scores = made(13)
    found = stack(scores, replicates=0)
    x = scores.values[1]
    assert found.elpd.loc["r1", "elpd"] == pytest.approx(x.sum())
    e = x - x.mean()
    sums = [e[scores["year"].values == y].sum() for y in YEARS]
    by_hand = np.sqrt(12 / 11 * np.sum(np.square(sums)))
    assert found.elpd.loc["r1", "se_year"] == pytest.approx(by_hand)
    assert (found.elpd["se"] >= found.elpd[["se_year", "se_state"]].max(axis=1) - 1e-9).all()


def test_a_mixture_gains_where_each_reading_knows_something():
    # One knows half of the dyads, the other the other half.
    knows = np.array([1.0 if u in DYADS[:3] else -3.0 for u in np.repeat(DYADS, len(YEARS))])
    found = stack(labelled([knows, -2.0 - knows]), baseline="r1", replicates=0)
    assert found.baseline == "r1" and found.gain > 50
    # Weights of other years: where leads are noise, the mixture loses by fitting them.
    noise = made(14, k=6, years=range(2008, 2012), dyads=["CHN-RUS"])
    few = stack(noise, replicates=0)
    logs = noise.values - noise.values.max(axis=0)
    fitted = np.log(np.exp(logs.T) @ few.weights.values).sum() - logs.sum(axis=1).max()
    assert few.gain < fitted


def test_years_and_states_that_decide_are_named():
    n = len(YEARS)
    lead = np.full(n, -0.05)
    lead[3] = 2.0  # only 2011 speaks for r0
    found = stack(labelled([np.tile(lead, len(DYADS)), np.zeros(n * len(DYADS))]), replicates=0)
    assert found.best == "r0" and found.pivotal["year"] == ["2011"]
    by_dyad = np.array([2.0 if "IRN" in u else -0.3 for u in DYADS])
    found = stack(labelled([np.repeat(by_dyad, n), np.zeros(n * len(DYADS))]), replicates=0)
    assert found.best == "r0" and found.pivotal == {"year": [], "state": ["IRN"]}


def test_weights_without_a_year_or_state_are_those_of_the_rest():
    scores = made(15)
    found = stack(scores, replicates=0)
    rest = stack(scores[:, scores["year"].values != 2010], replicates=0).weights
    assert found.without_year.sel(year=2010).values == pytest.approx(rest.values, abs=1e-5)
    keep = np.array(["RUS" not in u for u in scores["unit"].values])
    rest = stack(scores[:, keep], replicates=0).weights
    assert found.without_state.sel(state="RUS").values == pytest.approx(rest.values, abs=1e-5)


def test_the_focal_dyad_is_weighed_on_its_own():
    scores = made(16)
    part = scores[:, scores["unit"].values == "CHN-RUS"]
    for unit in ("CHN-RUS", "RUS-CHN"):
        found = stack_focal(scores, unit, replicates=10)
        assert found.blocks == len(YEARS) and found.states == 2
        assert found.draws_by_state is None and found.without_state is None
        xr.testing.assert_identical(found.weights, stack(part, replicates=10).weights)
        assert found.elpd["se_state"].isna().all() and found.elpd["se"].notna().all()
    assert np.isfinite(found.interval()).all()
    with pytest.raises(ScoreError, match="no block is of CHN-USA"):
        stack_focal(scores, "CHN-USA")


def test_blocks_that_a_reading_lacks_are_left_out_and_counted():
    scores = made(17)
    gaps = scores.copy()
    gaps[1, :5] = np.nan
    found = stack(gaps, replicates=5)
    assert found.dropped == 5 and found.missing == {"r0": 0, "r1": 5, "r2": 0}
    assert found.blocks == scores.sizes["block"] - 5
    rest = stack(scores[:, 5:], replicates=5)
    xr.testing.assert_identical(found.weights, rest.weights)
    assert np.isnan(gaps.values).sum() == 5


def test_degenerate_contests():
    one = stack(made(18, k=1), replicates=3)
    assert one.weights.values.tolist() == [1.0] and one.gain == pytest.approx(0.0)
    star = stack(made(19, dyads=["CHN-IND", "CHN-RUS"]), replicates=3)
    assert star.without_state["state"].values.tolist() == ["IND", "RUS"]
    none = stack(made(20), replicates=0)
    assert none.draws.shape == (0, 3) and np.isnan(none.interval()).all()
    assert none.table()["first"].isna().all() and none.pseudo_bma.sum() == pytest.approx(1.0)


def test_what_cannot_be_weighed_is_refused():
    scores = made(21)
    with pytest.raises(ScoreError, match="'r1' has no score"):
        stack(scores.where(scores["reading"] != "r1"))
    with pytest.raises(ScoreError, match="no score"):
        stack(scores * np.nan)
    with pytest.raises(ScoreError, match=r"'tide' has no scores.*r0, r1, r2"):
        stack(scores, baseline="tide")
    with pytest.raises(ScoreError, match="one year only"):
        stack(scores[:, scores["year"].values == 2010])
    with pytest.raises(ScoreError, match="no coordinate 'unit'"):
        stack_focal(scores.drop_vars("unit"))


def test_nothing_warns_on_scores_far_apart():
    scores = made(22, spread=300.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = stack(scores, replicates=20)
    assert np.isfinite(found.draws).all() and np.isfinite(found.gain)
