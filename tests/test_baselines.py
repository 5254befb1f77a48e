"""Every plain forecast rests on known rows alone and is right in the world it believes in."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import made_fit
from fairweather.ahead import due, extend
from fairweather.baselines import (
    BASELINES,
    LEAST_ROWS,
    BaselineError,
    Item,
    Known,
    get_baseline,
    shrunk,
    unlink,
)
from fairweather.baselines.ar1 import correlation

PANEL = made_fit.panel()
AHEAD = due(extend(PANEL, PANEL.origin + 3))


def item(x, units=None, **changes):
    units = tuple(units or (f"A{k:02d}-B{k:02d}" for k in range(len(x))))
    given = {"id": "x", "family": "within", "latent": "alignment", "sign": 1.0, "units": units,
             "years": np.arange(1992, 1992 + x.shape[1]), "x": x}  # fmt: skip
    return Item(**(given | changes))


def known(*items):
    out = Known.__new__(Known)
    out.items = {i.id: i for i in items}
    return out


def ahead(one, lead=1):
    return pd.DataFrame({"indicator": one.id, "unit": one.units,
                         "year": one.last[1] + lead})  # fmt: skip


@pytest.mark.parametrize("name", BASELINES)
def test_shape_label_and_silence(name):
    piece = get_baseline(name)
    assert piece.LABEL and piece.LABEL[0].islower()
    out = piece.foresee(Known(PANEL), AHEAD, np.random.default_rng(1), 50)
    assert out.shape == (len(AHEAD), 50)
    # A series of few rows is passed over, every other one is foreseen.
    counts = {
        (i.id, u): n for i in Known(PANEL).items.values()
        for u, n in zip(i.units, i.rows, strict=True)
    }  # fmt: skip
    enough = np.array([counts[k] >= LEAST_ROWS
                       for k in zip(AHEAD["indicator"], AHEAD["unit"], strict=True)])  # fmt: skip
    assert np.isfinite(out[enough]).all() and np.isnan(out[~enough]).all()


@pytest.mark.parametrize("name", BASELINES)
def test_the_same_seed_gives_the_same_draws(name):
    piece = get_baseline(name)
    a, b = (piece.foresee(Known(PANEL), AHEAD, np.random.default_rng(1), 20) for _ in range(2))
    np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", BASELINES)
def test_a_year_that_is_known_is_refused(name):
    one = item(np.random.default_rng(1).standard_normal((3, 20)))
    with pytest.raises(BaselineError, match="is already known"):
        get_baseline(name).foresee(known(one), ahead(one, 0), np.random.default_rng(1), 20)


@pytest.mark.parametrize("name", BASELINES)
def test_a_series_that_never_moved_is_foreseen_all_the_same(name):
    one = item(np.ones((4, 12)))
    out = get_baseline(name).foresee(known(one), ahead(one), np.random.default_rng(1), 20)
    assert np.isfinite(out).all() and np.abs(out - 1.0).max() < 1e-9


def worlds(name, rng, series=300, years=40):
    """Series of the law that a plain forecast believes in."""
    noise = rng.standard_normal((series, years))
    if name == "random-walk":
        return noise.cumsum(axis=1)
    if name == "trend":
        return noise.cumsum(axis=1) + rng.normal(0, 0.5, (series, 1)) * np.arange(years)
    if name == "climatology":
        return noise + rng.normal(0, 3, (series, 1))
    out = np.zeros((series, years))
    out[:, 0] = noise[:, 0] / np.sqrt(1 - 0.6**2)
    for t in range(1, years):
        out[:, t] = 0.6 * out[:, t - 1] + noise[:, t]
    return out + rng.normal(0, 3, (series, 1))


@pytest.mark.parametrize("name", [b for b in BASELINES if b != "index"])
@pytest.mark.parametrize("lead", [1, 3])
def test_in_its_own_world_it_covers_what_it_says(name, lead):
    rng = np.random.default_rng(3)
    x = worlds(name, rng)
    past = item(x[:, :-3])
    out = get_baseline(name).foresee(known(past), ahead(past, lead), rng, 400)
    share = (out < x[:, [-4 + lead]]).mean(axis=1)
    inside = (np.abs(share - 0.5) < 0.445).mean()
    assert 0.84 < inside < 0.94
    assert abs(share.mean() - 0.5) < 0.06


@pytest.mark.parametrize("name", ["random-walk", "trend", "ar1"])
def test_the_far_is_less_sure_than_the_near(name):
    one = item(worlds(name, np.random.default_rng(4), series=30))
    rng = np.random.default_rng(1)
    near, far = (get_baseline(name).foresee(known(one), ahead(one, k), rng, 600).std(axis=1)
                 for k in (1, 5))  # fmt: skip
    assert (far > near).all()


def test_the_index_follows_the_other_items_of_a_unit():
    """An item that is noise is foreseen where the others of its unit stand now."""
    rng = np.random.default_rng(5)
    level = np.repeat(np.where(np.arange(24) < 18, 0.0, 3.0)[None], 6, axis=0)
    level[3:] *= -1.0
    others = [item(level + 0.1 * rng.standard_normal((6, 24)), id=f"o{k}") for k in range(4)]
    one = item(level + 0.1 * rng.standard_normal((6, 24)))
    turned = replace(one, id="turned", x=-one.x, sign=-1.0)
    out = get_baseline("index").foresee(known(one, turned, *others), ahead(one), rng, 200)
    assert (out[:3].mean(axis=1) > 1.5).all() and (out[3:].mean(axis=1) < -1.5).all()
    back = get_baseline("index").foresee(known(one, turned, *others), ahead(turned), rng, 200)
    assert (back[:3].mean(axis=1) < -1.5).all()


def test_the_correlation_of_an_ar1_is_found():
    x = worlds("ar1", np.random.default_rng(6))
    assert correlation(item(x)) == pytest.approx(0.6, abs=0.05)
    assert correlation(item(np.full((2, 8), 1.0))) == 0.0


def test_steps_over_gaps_count_their_years():
    x = np.array([[0.0, np.nan, np.nan, 3.0, 4.0]])
    change, gap = item(x).steps()
    assert change[0, 3:].tolist() == [3.0, 1.0] and gap[0, 3:].tolist() == [3.0, 1.0]
    assert np.isnan(change[0, :3]).all()


def test_a_short_series_borrows_from_the_others():
    square = np.array([[1.0, np.nan, np.nan, np.nan], [9.0, 9.0, 9.0, 9.0]])
    own = shrunk(square)
    assert 1.0 < own[0] < 9.0 and own[1] > own[0]


def test_votes_are_read_as_the_model_reads_them():
    from fairweather.measurement.vote import score

    votes = Known(PANEL).items["unga_votes"]
    rows = PANEL.rows["unga_votes"].iloc[0]
    unit, time = int(rows["unit"]), int(rows["time"])
    at = votes.units.index(PANEL.dyads[unit])
    assert votes.x[at, time] == pytest.approx(score(rows["value"], rows["partial"], rows["n"]))


def test_links_are_undone():
    rng = np.random.default_rng(1)
    n = np.full(2, 10.0)
    assert unlink("vote", np.zeros((2, 3)), n, rng).tolist() == [[0.5] * 3] * 2
    count = unlink("count", np.log(np.array([[0.5, 3.5]])), np.ones(1), rng)
    assert count.tolist() == [[0.0, 3.0]]
    share = unlink("share", np.array([[50.0, -50.0], [np.nan, 0.0]]), n, rng)
    assert share[0].tolist() == [10.0, 0.0] and np.isnan(share[1, 0])
    assert unlink("within", np.array([[1.5]]), np.ones(1), rng).item() == 1.5


def test_an_unknown_one_is_refused():
    with pytest.raises(BaselineError, match="Use one of random-walk"):
        get_baseline("arima")


def test_a_year_without_rows_is_no_year_of_an_average_index():
    """At an origin nothing of the year itself is known: the index stands where it last stood."""
    rng = np.random.default_rng(5)
    x = np.repeat(np.where(np.arange(24) < 18, 0.0, 3.0)[None], 6, axis=0)
    x = x + 0.1 * rng.standard_normal((6, 24))
    late = np.concatenate([x, np.full((6, 2), np.nan)], axis=1)
    short, long_ = (
        get_baseline("index")
        .foresee(known(item(v)), ahead(item(v)), np.random.default_rng(1), 400)
        .mean(axis=1)
        for v in (x, late)
    )
    np.testing.assert_allclose(long_, short, atol=0.25)
    assert (short > 2.5).all()


def test_a_share_of_no_trials_is_no_row():
    rows = dict(PANEL.rows)
    one = next(i.id for i in PANEL.indicators("alignment") if i.family == "share")
    none = rows[one].iloc[[-1]].assign(time=len(PANEL.years) - 1, value=0.0, n=0.0)
    kept = rows[one][rows[one]["time"] < len(PANEL.years) - 1]
    with_none = replace(PANEL, rows=rows | {one: pd.concat([kept, none], ignore_index=True)})
    without = replace(PANEL, rows=rows | {one: kept})
    a, b = (Known(p).items[one] for p in (with_none, without))
    np.testing.assert_array_equal(a.x, b.x)
    empty = Known(replace(PANEL, rows=rows | {one: none}))
    assert one not in empty.items
