"""What is held out is known before anything is fitted, and is exactly what a piece promises."""

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest

import made_fit
from fairweather import names
from fairweather.contest import design
from fairweather.contest.design import AFTER, ContestError, hold, pieces
from fairweather.holdout import HoldOutError, hold_out
from fairweather.panel import load_panel

PANEL = made_fit.panel()


@cache
def layout():
    return tuple(pieces(PANEL))


def of(kind, laid=None):
    return [p for p in (laid or layout()) if p.design == kind]


def promised(piece, origin, unit, year):
    """Whether a piece says that it holds out a row of alignment."""
    if piece.design == "future":
        return year > origin
    if piece.design == "dyads":
        return unit in piece.dyads
    return any(
        w["state"] in unit.split("-") and w["start"] <= year <= w["end"] + AFTER
        for w in piece.windows
    )


def test_laid_out_the_same_twice():
    assert tuple(pieces(PANEL)) == layout()
    keys = [p.name for p in layout()]
    assert len(set(keys)) == len(keys) and {p.design for p in layout()} == set(design.DESIGNS)
    assert all(p.name.rsplit("-", 1)[0] == p.design for p in layout())
    job = layout()[0].to_job()
    assert design.Piece(**job) == layout()[0]


@pytest.mark.parametrize("every", [1, 2, 3])
def test_origins(every):
    laid = pieces(PANEL, ("future",), every=every)
    assert [o for p in laid for o in p.origins] == list(range(2008, PANEL.origin, every))
    assert all(len(p.origins) == 2 for p in laid[:-1]) and 1 <= len(laid[-1].origins) <= 2


def test_by_default_each_year_is_foreseen_once():
    origins = [o for p in of("future") for o in p.origins]
    years = [y for o in origins for y in range(o + 1, min(o + design.HORIZON, PANEL.origin) + 1)]
    assert years == list(range(2009, PANEL.origin + 1))


def test_the_last_origin_has_a_year_to_be_scored_on():
    even = replace(PANEL, years=PANEL.years[:-1])
    assert pieces(PANEL, ("future",), every=1)[-1].origins == (PANEL.origin - 2, PANEL.origin - 1)
    assert pieces(even, ("future",), every=1)[-1].origins == (even.origin - 1,)


def test_a_piece_holds_out_what_it_promises_and_nothing_else():
    read = [i.id for i in PANEL.indicators(names.ALIGNMENT)]
    for piece in layout():
        for origin in piece.origins or (None,):
            known, seen = hold(PANEL, piece.to_job(), origin), 0
            for name in read:
                frame = PANEL.rows[name]
                gone = [
                    promised(piece, origin, PANEL.dyads[u], int(PANEL.years[t]))
                    for u, t in zip(frame["unit"], frame["time"], strict=True)
                ]
                want = frame[~np.array(gone)].reset_index(drop=True)
                seen += sum(gone)
                left = known.rows.get(name, frame.iloc[:0])
                assert left.reset_index(drop=True).equals(want), (piece.name, origin, name)
            assert seen > 0


def test_pressure_stays_in_every_piece():
    for piece in layout():
        for origin in piece.origins or (None,):
            known = hold(PANEL, piece.to_job(), origin)
            for ind in PANEL.indicators(names.PRESSURE):
                pd.testing.assert_frame_equal(known.rows[ind.id], PANEL.rows[ind.id])
            assert np.array_equal(known.anchor_fill, PANEL.anchor_fill)
            assert np.array_equal(known.complementarity, PANEL.complementarity)


def test_nothing_is_changed_in_place():
    before = {k: v.copy() for k, v in PANEL.rows.items()}
    hold(PANEL, of("episodes")[0].to_job())
    assert all(before[k].equals(PANEL.rows[k]) for k in before)


# -- episodes and quiet years --------------------------------------------------------------------


def test_episodes_come_from_pressure_alone():
    obs = PANEL.record.observations
    own = obs["indicator"].isin([i.id for i in PANEL.indicators(names.ALIGNMENT)])
    assert own.sum() > 500
    turned = obs.assign(value=obs["value"].where(~own, -3.0 * obs["value"] + 1.0))
    other = replace(PANEL, record=replace(PANEL.record, observations=turned))
    pd.testing.assert_frame_equal(design.find_windows(other), design.find_windows(PANEL))
    assert pieces(other, ("episodes",)) == of("episodes")
    # The guard above can fail: pressure does move them.
    us = obs["indicator"].isin([i.id for i in PANEL.indicators(names.PRESSURE)])
    calm = replace(PANEL, record=replace(PANEL.record, observations=obs[~us | own]))
    assert len(design.find_windows(calm)) == 0 and pieces(calm, ("episodes", "placebo")) == []


def test_every_usable_episode_is_in_one_fold():
    found = design.find_windows(PANEL)
    usable = found[found["problem"] == ""]
    dealt = [w for p in of("episodes") for w in p.windows]
    assert sorted((w["state"], w["start"], w["end"], w["type"]) for w in dealt) == sorted(
        usable[["state", "start", "end", "type"]].itertuples(index=False, name=None)
    )
    # Dealt in order of time: a fold spreads over the years.
    ordered = sorted(dealt, key=lambda w: (w["start"], w["state"]))
    assert list(of("episodes")[0].windows) == ordered[:: len(of("episodes"))]
    assert "no year after it in the panel" in set(found["problem"])


def test_an_episode_that_begins_with_the_panel_says_so():
    late = made_fit.panel(first_year=1996)
    found = design.find_windows(late)
    early = found["start"] <= 1996
    assert early.any() and set(found["problem"][early]) == {"no year before it in the panel"}
    assert not any(w["start"] <= 1996 for p in pieces(late, ("episodes",)) for w in p.windows)


def test_an_episode_without_data_costs_nothing_else():
    read = [i.id for i in PANEL.indicators(names.ALIGNMENT)]
    own = [d for d in PANEL.dyads if "IRN" in d]
    bare = hold_out(PANEL, indicators=read, units=own, years=range(2019, 2030))
    found, whole = design.find_windows(bare), design.find_windows(PANEL)
    lost = (found["state"] == "IRN") & (found["start"] == 2019)
    assert found["problem"][lost].tolist() == ["no row of alignment in its years"]
    pd.testing.assert_frame_equal(found[~lost], whole[~lost])
    dealt = [w for p in pieces(bare, ("episodes",)) for w in p.windows]
    rest = [w for p in of("episodes") for w in p.windows if w["state"] != "IRN"]
    assert sorted(map(str, dealt)) == sorted(map(str, rest))


def test_quiet_windows_touch_no_episode_of_their_state():
    whole = load_panel()
    found = design.find_windows(whole)
    quiet = design.quiet_windows(whole, found)
    assert 15 < len(quiet) <= (found["problem"] == "").sum()
    taken = {s: [] for s in whole.states}
    for q in quiet.itertuples():
        years = set(range(q.start, q.end + AFTER + 1))
        for e in found[found["state"] == q.state].itertuples():  # unusable ones too
            assert not years & set(range(e.start, e.end + 1)), (q, e)
        assert not any(years & other for other in taken[q.state]), "no year is held out twice"
        taken[q.state].append(years)
        assert whole.years[0] < q.start and q.end < whole.origin
        like = found[(found["state"] == q.state) & (found["type"] == q.type)]
        assert q.end - q.start in (like["end"] - like["start"]).tolist()
    assert design.quiet_windows(whole, found).equals(quiet)


# -- dyads ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("folds", [2, 4, 50])
def test_dyads_are_dealt_once_and_the_pair_in_question_comes_first(folds):
    laid = pieces(PANEL, ("dyads",), folds=folds)
    assert sorted(d for p in laid for d in p.dyads) == sorted(PANEL.dyads)
    assert PANEL.focal in laid[0].dyads and len(laid) == min(folds, len(PANEL.dyads))
    other = replace(PANEL, focal="IND-IRN")
    assert "IND-IRN" in pieces(other, ("dyads",), folds=folds)[0].dyads


# -- refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("designs", "options", "said"),
    [
        (("past",), {}, "designs are past. Name some of future"),
        (("future", "future"), {}, "each once"),
        ((), {}, "designs are none"),
        (("future",), {"every": 0}, "every = 0"),
        (("dyads",), {"folds": 1}, "two folds or more"),
    ],
)
def test_refusals(designs, options, said):
    with pytest.raises(ContestError, match=said):
        pieces(PANEL, designs, **options)


@pytest.mark.parametrize("years", [np.arange(1992, 2009), np.arange(2004, 2025)])
def test_a_short_panel_is_refused_and_other_designs_go_on(years):
    short = replace(PANEL, years=years)
    with pytest.raises(ContestError, match="Use a panel from 2003 or earlier to 2009 or later"):
        pieces(short, ("future",))
    assert pieces(short, ("dyads",)) == of("dyads")


def test_a_piece_without_rows_is_refused():
    first = of("episodes")[0].to_job()
    with pytest.raises(HoldOutError, match="no row matches"):
        hold(hold(PANEL, first), first)
