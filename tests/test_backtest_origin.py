"""A fit of an origin sees nothing that came later; of what came only the trials are read."""

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest

import made_backtest as made
import made_fit
from fairweather.ahead import KEYS, AheadError, due, extend, foresee, with_cells
from fairweather.backtest import origin as o
from fairweather.model import build_model
from fairweather.panel import load_panel
from fairweather.priors import load_priors
from fairweather.record import resolve
from made_values import drawn_values

ORIGIN, STATES = 2014, ("CHN", "IND", "RUS")
JOB = {"origin": ORIGIN, "horizon": 2, "reading": "persistence", "priors": load_priors(),
       "seed": 3, "states": STATES, "focal": "CHN-RUS", "draws": 25, "tune": 25}  # fmt: skip


def other_later(record):
    """Change every row that came out after the origin, all but its trials."""
    ledger = record.ledger.copy()
    late = ledger["available_on"] > pd.Timestamp(f"{ORIGIN}-12-31")
    assert late.sum() > 1000
    votes = late & (ledger["indicator"] == "unga_votes")
    ledger.loc[votes, ["value", "partial", "opposite"]] = 0.0
    ledger.loc[votes, "opposite"] = ledger.loc[votes, "n"]
    rest = late & ~votes
    share = (
        rest
        & (ledger["n"] > 0)
        & ledger["indicator"].isin([i.id for i in record.codebook.by() if i.family == "share"])
    )
    ledger.loc[rest & ~share, "value"] += 3.0
    ledger.loc[share, "value"] = ledger.loc[share, "n"] - ledger.loc[share, "value"]
    return replace(record, ledger=ledger, observations=resolve(ledger))


def fitted(record):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(o, "known_at", lambda year, states, focal: load_panel(
            record.known_on(f"{year}-12-31"), states=list(states)))  # fmt: skip
        patch.setattr(o, "latest", lambda states, focal: load_panel(record, states=list(states)))
        return o.foresee_origin(dict(JOB))


@cache
def usual():
    return fitted(made.record())


def test_rows_that_came_later_do_not_touch_fit_or_draws():
    """Byte for byte: had every later row been another, the forecast would be the same."""
    other = fitted(other_later(made.record()))
    np.testing.assert_array_equal(other["draws"], usual()["draws"])
    assert np.isfinite(usual()["draws"]).any()
    same = [{k: v for k, v in x["facts"].items() if k not in ("seconds", "max_rhat")}
            for x in (other, usual())]  # fmt: skip
    assert same[0] == same[1]
    # What came is scored: the density of other outcomes is another.
    a, b = (np.array(x["log_density"]) for x in (other, usual()))
    assert (a != b)[np.isfinite(a) & np.isfinite(b)].mean() > 0.5
    assert other["blocks"]["lpd"] != usual()["blocks"]["lpd"]


def test_what_a_job_gives():
    found = usual()
    cells = len(found["draws"])
    assert found["draws"].dtype == np.float32 and found["draws"].shape == (cells, 50)
    assert found["facts"]["cells"] == cells == len(found["log_density"])
    assert found["facts"]["panel_end"] == ORIGIN and found["facts"]["reading"] == "persistence"
    blocks = pd.DataFrame(found["blocks"])
    assert not blocks.duplicated(["unit", "year"]).any() and np.isfinite(blocks["lpd"]).all()
    assert set(blocks["year"]) == {2015, 2016}


def test_years_up_to_the_origin_are_no_forecast_even_where_rows_came_late():
    panel = made.panel(ORIGIN)
    cells = due(extend(panel, ORIGIN + 2))
    late = cells[cells["year"] <= ORIGIN]
    assert set(late["indicator"]) >= {"trade_cow"}, "trade of 2013 came out in 2015"
    found = o.came(cells, o.latest(made.STATES, made.FOCAL), ORIGIN)
    assert (found["year"] > ORIGIN).all() and (found["horizon"] >= 1).all()
    assert not found.duplicated(KEYS).any()


def test_the_origins_own_year_has_an_agenda_of_its_own_too():
    """Its votes come out the year after: it must not make up for the agendas before it."""
    longer = extend(made.panel(ORIGIN), ORIGIN + 2)
    basis = build_model(longer).batches["vote"].extra["basis"]
    known = len(longer.years) - 3
    assert longer.years[known - 1] == ORIGIN - 1
    np.testing.assert_array_equal(basis[known:, known - 2 :], np.eye(3))
    np.testing.assert_allclose(basis[:known].sum(axis=0), 0.0, atol=1e-12)


def test_outcomes_are_those_of_the_latest_record():
    cells, _ = made.cells_of(None, ORIGIN)
    now = o.latest(made.STATES, made.FOCAL)
    for row in cells.groupby("family").head(3).itertuples():
        rows = now.rows[row.indicator]
        unit = now.units(row.latent).index(row.unit)
        mine = rows[(rows["unit"] == unit) & (now.years[rows["time"]] == row.year)]
        assert mine["value"].item() == row.value
    with pytest.raises(AheadError, match="nothing foreseen from 2030 has come by"):
        o.came(due(extend(made.panel(ORIGIN), 2032)), now, 2030)


def test_a_year_without_trials_is_no_outcome():
    panel = made.panel(ORIGIN)
    now = o.latest(made.STATES, made.FOCAL)
    shares = [i.id for i in now.indicators("alignment") if i.family in ("share", "vote")]
    none = {i: now.rows[i].assign(n=0.0, value=0.0) for i in shares}
    found = o.came(due(extend(panel, ORIGIN + 2)), replace(now, rows=now.rows | none), ORIGIN)
    assert not set(found["indicator"]) & set(shares) and len(found)


def test_stand_ins_for_outcomes_carry_the_trials_and_nothing_else():
    cells, _ = made.cells_of(None, ORIGIN)
    other = cells.assign(value=cells["value"] + 1.0, partial=0.5, opposite=9.0)
    a, b = (cells.assign(**o._blind(c)) for c in (cells, other))
    np.testing.assert_array_equal(a["value"], b["value"])
    np.testing.assert_array_equal(a["n"], cells["n"])
    share = a["family"] == "share"
    assert (a.loc[share, "value"] <= a.loc[share, "n"]).all()
    vote = a["family"] == "vote"
    np.testing.assert_allclose(
        a.loc[vote, "value"] + a.loc[vote, "opposite"], a.loc[vote, "n"], rtol=1e-9
    )


def test_draws_of_a_share_are_of_the_trials_that_came():
    longer = extend(made.panel(ORIGIN), ORIGIN + 2)
    model = build_model(longer)
    cells, _ = made.cells_of(None, ORIGIN)
    cells = cells[(cells["family"] == "share") & (cells["year"] <= ORIGIN + 2)]
    cells = cells.reset_index(drop=True)
    values = drawn_values(model)
    few, many = (
        foresee(values, model, blind.assign(**o._blind(blind)), np.random.default_rng(1))
        for blind in (cells.assign(n=1.0), cells.assign(n=40.0))
    )
    assert few.max() <= 1.0 < many.max() <= 40.0


def test_the_agenda_of_a_year_is_given_to_joint_scores():
    """All pairs agreeing less in a year is no news about any pair."""
    panel = made.panel(ORIGIN)
    longer = extend(panel, ORIGIN + 2)
    model = build_model(longer)
    values = drawn_values(model)
    cells, _ = made.cells_of(None, ORIGIN)
    cells = cells[(cells["year"] <= ORIGIN + 2) & (cells["family"] == "vote")]
    cells = cells.reset_index(drop=True)
    found = o.joint(values, model, cells)
    assert len(found["lpd"]) == len(cells.drop_duplicates(["unit", "year"]))
    from fairweather.measurement.vote import score

    logit = score(*(cells[c].to_numpy(float) for c in ("value", "partial", "n")))
    share = 1 / (1 + np.exp(-(logit - 1.0)))
    lower = cells.assign(value=share * (cells["n"] + 4) - 2, partial=0.0)
    moved = o.joint(values, model, lower)
    np.testing.assert_allclose(moved["lpd"], found["lpd"], atol=1e-3)
    assert o.joint(values, model, cells[cells["latent"] == "pressure"]) == {
        "unit": [], "year": [], "lpd": []
    }  # fmt: skip


def test_values_are_told_in_the_units_of_the_draws():
    rows = pd.DataFrame({"family": ["vote", "count", "share"], "value": [30.0, 4.0, 2.0],
                         "partial": [10.0, np.nan, np.nan], "n": [50.0, np.nan, 5.0]})  # fmt: skip
    units = o.in_units(rows)
    assert units[0] == pytest.approx((30 + 5 + 2) / 54) and units[1:].tolist() == [4.0, 2.0]
    assert made_fit.panel().origin >= 2024
    assert with_cells(made.panel(ORIGIN), made.cells_of(None, ORIGIN)[0].head(0)).rows
