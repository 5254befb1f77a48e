"""A year is the part seen and a rest that the same law draws."""

import numpy as np
import pytest

from fairweather.measurement import count, share, vote
from fairweather.measurement.batch import Source
from fairweather.monitor.rest import count_year, plain, share_year, vote_year
from fairweather.panel import load_panel
from fairweather.priors import load_priors

PANEL = load_panel(states=["CHN", "IND", "RUS"])
PRIORS = load_priors()
BOOK = PANEL.record.codebook
DRAWS = 40_000


def rows(values, n=None, **more):
    import pandas as pd

    size = len(values)
    blank = np.full(size, np.nan)
    return pd.DataFrame({
        "unit": 0, "time": np.arange(size), "value": np.asarray(values, float), "partial": blank,
        "opposite": blank, "n": blank if n is None else np.asarray(n, float), **more,
    })  # fmt: skip


def counts(values, n):
    return count.prepare([Source(BOOK["arms_deliveries"], rows(values, n), 0)], len(values), PRIORS)


def par(loading=1.0, **more):
    return {"loading": np.full((DRAWS, 1), loading)} | more


def year(batch, rest, latent=None, seed=0):
    latent = np.zeros((DRAWS, batch.mask.shape[1])) if latent is None else latent
    rng = np.random.default_rng(seed)
    return count_year(batch, 0, batch.mask.shape[1] - 1, latent, par(), rest, rng)


def test_with_nothing_left_the_year_is_what_was_seen():
    batch = counts([2, 3, 4, 1], [1, 1, 1, 0.5])
    assert (year(batch, 0.0) == 1).all()
    level = np.zeros((3, 1))
    shares = share.prepare(
        [Source(BOOK["unsc_joint_veto"], rows([1, 2, 3], [4, 4, 4]), 0)], 3, PRIORS
    )
    given = (shares, 0, 2, np.zeros((3, 3)), {"loading": np.ones((3, 1)), "level": level})
    assert (share_year(*given, 0, np.random.default_rng(0)) == 0.75).all()
    votes = vote.prepare(
        [Source(BOOK["unga_votes"], rows([8, 8, 8], [10] * 3, partial=2.0, opposite=0.0), 0)], 3,
        PRIORS,
    )  # fmt: skip
    given = (votes, 0, 2, np.zeros((3, 3)), {"agenda": np.zeros((3, 1))})
    assert (vote_year(*given, (9.0, 10.0), 0, np.random.default_rng(0)) == 0.9).all()


def test_events_to_come_are_as_many_as_the_exposure_left_and_the_units_rate():
    batch = counts([2, 3, 4, 3, 1], [1, 1, 1, 1, 0.5])
    drawn = year(batch, 0.5)
    assert drawn.min() == 1 and (drawn == np.round(drawn)).all()
    # 13 events in 4.5 years of exposure; a flat log rate makes the mean a little larger.
    assert drawn.mean() - 1 == pytest.approx(0.5 * 13 / 4.5, rel=0.1)


def test_what_is_left_grows_with_the_latent_of_the_year():
    batch = counts([2, 3, 4, 3, 1], [1, 1, 1, 1, 0.5])
    higher = np.zeros((DRAWS, 5))
    higher[:, -1] = np.log(3.0)
    # The year is part of the series: its weight also tells of the rate.
    weights = 4.0 + 0.5 * 3.0
    assert (year(batch, 0.5, higher) - 1).mean() == pytest.approx(1.5 * 13 / weights, rel=0.1)


def test_two_halves_scatter_as_a_whole_year():
    """Parts of a year are independent given the latent: their shapes add up."""
    batch = counts([20, 30, 40, 30, 25, 28, 31, 22, 0], [1] * 8 + [1e-9])
    whole, half, other = (year(batch, e, seed=s) for s, e in enumerate((1.0, 0.5, 0.5)))
    both = half + other
    assert whole.mean() == pytest.approx(both.mean(), rel=0.03)
    # Halves drawn apart do not share the unit's unknown rate, which is a small part here.
    assert whole.std() == pytest.approx(both.std(), rel=0.1)


def test_an_item_of_at_most_one_stays_so():
    batch = counts([0, 1, 0, 1, 0], [1, 1, 1, 1, 0.5])
    drawn = year(batch, 0.5)
    assert set(np.unique(drawn)) == {0.0, 1.0} and 0.05 < drawn.mean() < 0.5
    seen = counts([0, 1, 0, 1, 1], [1, 1, 1, 1, 0.5])
    assert (year(seen, 0.5) == 1).all()


def test_a_share_learns_from_the_trials_seen():
    batch = share.prepare(
        [Source(BOOK["unsc_joint_veto"], rows([1, 2, 5], [4, 4, 6]), 0)], 3, PRIORS
    )
    level = np.full((DRAWS, 1), np.log(0.3 / 0.7))
    given = (batch, 0, 2, np.zeros((DRAWS, 3)), {"loading": np.ones((DRAWS, 1)), "level": level})
    drawn = share_year(*given, 4, np.random.default_rng(0))
    c = batch.extra["concentration"]
    assert drawn.mean() == pytest.approx((5 + 4 * (0.3 * c + 5) / (c + 6)) / 10, abs=0.005)
    assert drawn.min() >= 0.5 and drawn.max() <= 0.9


def agreement(n_seen, agreed, rest, ar=0.0):
    from dataclasses import replace

    frame = rows([8, 8, 8, agreed], [10, 10, 10, n_seen])
    frame["partial"], frame["opposite"] = 0.0, frame["n"] - frame["value"]
    one = replace(BOOK["unga_votes"], residual_ar=ar)
    batch = vote.prepare([Source(one, frame, 0)], 4, PRIORS)
    latent = np.full((DRAWS, 4), vote.score(8, 0, 10))
    given = (batch, 0, 3, latent, {"agenda": np.zeros((DRAWS, 2))})
    drawn = vote_year(*given, (agreed, n_seen), rest, np.random.default_rng(0))
    return (drawn * (n_seen + rest) - agreed) / rest


def test_votes_to_come_go_on_as_the_year_began():
    usual = agreement(10, 8, 40).mean()
    # The model reads 8 of 10 as 10 of 14; of forty votes that is so many.
    assert usual == pytest.approx(plain(np.array(10 / 14), 40), abs=0.02)
    low, lower = agreement(10, 4, 40).mean(), agreement(60, 24, 40).mean()
    assert lower < low < usual
    # Many votes seen: what differs is the year, not chance.
    assert lower == pytest.approx(0.42, abs=0.08)


def test_few_votes_to_come_scatter_more():
    assert agreement(20, 16, 4).std() > 1.3 * agreement(20, 16, 60).std()


def test_shares_are_shown_as_counted():
    np.testing.assert_allclose(plain(np.array([(33 + 2) / 44.0]), 40), 33 / 40)
    assert plain(np.array([0.999]), 4)[0] == 1.0 and plain(np.array([0.001]), 4)[0] == 0.0
