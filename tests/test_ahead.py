"""The years to come are drawn from what is known; no outcome is read before it is scored."""

import numpy as np
import pytest

import made_fit
from fairweather.ahead import KEYS, AheadError, density, due, extend, foresee, with_cells
from fairweather.model import build_model
from made_values import drawn_values

PANEL = made_fit.panel()
LONGER = extend(PANEL, PANEL.origin + 3)
CELLS = due(LONGER)


@pytest.fixture(scope="module")
def fitted():
    model = build_model(LONGER)
    return drawn_values(model), model


def test_longer_years_have_no_rows_and_drivers_stand_still():
    assert LONGER.origin == PANEL.origin + 3 and LONGER.rows is not None
    for name, rows in LONGER.rows.items():
        assert len(rows) == len(PANEL.rows[name])
    for part in ("complementarity", "anchor_fill", "likeness"):
        long, short = getattr(LONGER, part), getattr(PANEL, part)
        np.testing.assert_array_equal(long[..., : short.shape[-1]], short)
        for t in range(1, 4):
            np.testing.assert_array_equal(long[..., -t], short[..., -1])
    np.testing.assert_array_equal(LONGER.movement, PANEL.movement)


def test_a_panel_is_not_shortened():
    with pytest.raises(AheadError, match="is not after"):
        extend(PANEL, PANEL.origin)


def test_every_living_series_is_due_from_its_last_row_on():
    assert not CELLS.duplicated(KEYS).any()
    assert (CELLS["year"] > CELLS["last"]).all() and CELLS["year"].max() == LONGER.origin
    votes = CELLS[CELLS["indicator"] == "unga_votes"]
    assert votes.groupby("unit").size().eq(3).all() and len(votes) == 3 * len(PANEL.dyads)
    ended = {
        i: int(PANEL.years[r["time"].max()]) for i, r in PANEL.rows.items()
    }  # the newest row of each item decides which of its series still live
    for name, part in CELLS.groupby("indicator"):
        assert (part["last"] > ended[name] - 3).all()
    with pytest.raises(AheadError, match="Extend the panel"):
        due(made_fit.panel(first_year=1992).__class__(**{**PANEL.__dict__, "rows": {}}))


def test_draws_do_not_depend_on_what_came(fitted):
    values, model = fitted
    a = foresee(values, model, CELLS, np.random.default_rng(1))
    # Values stay within what an item has shown: an item never above one stays so.
    other = CELLS.assign(value=np.where(CELLS["family"] == "vote", 1.0, CELLS["value"]))
    b = foresee(values, model, other, np.random.default_rng(1))
    np.testing.assert_array_equal(a, b)
    assert a.shape == (40, len(CELLS))


def test_draws_are_in_the_units_of_the_record(fitted):
    values, model = fitted
    x = foresee(values, model, CELLS, np.random.default_rng(1))
    for family, part in CELLS.groupby("family"):
        own = x[:, part.index]
        own = own[:, ~np.isnan(own).any(axis=0)]
        if family == "vote":
            assert (own > 0).all() and (own < 1).all()
        if family == "count":
            assert (own >= 0).all() and (own == np.round(own)).all()
        if family == "share":
            assert (own <= part["n"].max()).all()


def test_the_score_depends_on_what_came(fitted):
    values, model = fitted
    votes = CELLS[CELLS["family"] == "vote"].reset_index(drop=True)
    low = density(values, model, votes.assign(value=0.2 * votes["n"], partial=0.0))
    usual = density(values, model, votes)
    assert np.isfinite(low).all() and (low.mean(axis=0) < usual.mean(axis=0)).all()


def test_cells_come_back_in_the_order_asked(fitted):
    values, model = fitted
    votes = CELLS[CELLS["family"] == "vote"].reset_index(drop=True)
    back = votes.iloc[::-1].reset_index(drop=True)
    np.testing.assert_allclose(density(values, model, votes)[:, ::-1], density(values, model, back))


def test_known_rows_are_not_touched():
    whole = with_cells(LONGER, CELLS)
    for name, rows in LONGER.rows.items():
        new = whole.rows[name]
        assert new.iloc[: len(rows)].equals(rows.reset_index(drop=True))
        assert len(new) == len(rows) + (CELLS["indicator"] == name).sum()
    assert sum(map(len, LONGER.rows.values())) == sum(map(len, PANEL.rows.values()))


def test_years_ahead_need_not_make_up_for_the_agenda_of_known_ones():
    """Agreement above the line in every known year says nothing of the votes of the next one."""
    from fairweather.measurement.vote import agenda_basis
    from fairweather.model import prepare
    from fairweather.priors import load_priors

    known, ahead = len(PANEL.years), 3
    basis = prepare(LONGER, load_priors())["vote"].extra["basis"]
    assert basis.shape == (known + ahead, known + ahead - 2)
    np.testing.assert_array_equal(basis[:known, : known - 2], agenda_basis(np.ones(known, bool)))
    np.testing.assert_array_equal(basis[known:, known - 2 :], np.eye(ahead))
    assert not basis[known:, : known - 2].any() and not basis[:known, known - 2 :].any()
    whole = prepare(PANEL, load_priors())["vote"].extra["basis"]
    np.testing.assert_array_equal(whole, agenda_basis(np.ones(known, bool)))


def test_draws_of_votes_do_not_hang_on_what_known_agendas_add_up_to(fitted):
    values, model = fitted
    votes = CELLS[CELLS["family"] == "vote"].reset_index(drop=True)
    last = len(PANEL.years) - 2
    other = values["agenda"].copy()
    other[:, : last - 1] += 5.0
    # With the residual of the last known year left as it is, only the agenda could tell.
    basis = model.batches["vote"].extra["basis"]
    shift = (other - values["agenda"]) @ basis.T
    assert np.abs(shift[:, : len(PANEL.years)]).max() > 1.0
    np.testing.assert_allclose(shift[:, len(PANEL.years) :], 0.0, atol=1e-12)
    a, b = (
        foresee(values | {"agenda": x}, model, votes, np.random.default_rng(1))
        for x in (values["agenda"], other)
    )
    logit = [np.log(x / (1 - x)) for x in (a, b)]
    # Three years on the residual of the last known year has faded to a third.
    far = (votes["year"] == LONGER.origin).to_numpy()
    moved = np.abs((logit[1] - logit[0])[:, far]).max()
    assert moved <= np.abs(shift[:, : len(PANEL.years)]).max() * 0.7**3 + 1e-9
