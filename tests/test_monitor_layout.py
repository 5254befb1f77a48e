"""The running year is one more year of the panel, and its rows come out as they went in."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import made_fit
from fairweather.model import prepare
from fairweather.monitor import running
from fairweather.monitor.layout import without
from fairweather.priors import load_priors
from monitor_made import rows

PANEL = made_fit.panel()


@pytest.fixture(scope="module")
def some(tmp_path_factory):
    return rows(tmp_path_factory.mktemp("rows"))


def test_the_running_year_follows_the_record_or_is_that_of_the_rows(some):
    assert running(PANEL).origin == PANEL.origin + 1
    later = some.assign(year=2027)
    whole = running(PANEL, later)
    assert whole.origin == 2027
    assert (whole.rows["unga_votes"]["time"] <= 2027 - 1992).all()
    assert len(whole.rows["unga_votes"]) == len(PANEL.rows["unga_votes"]) + 1


def test_a_row_stands_at_its_unit_and_year_with_its_exposure(some):
    whole = running(PANEL, some)
    docs = whole.rows["fr_sanction_docs"].iloc[-1]
    assert whole.states[int(docs["unit"])] == "RUS" and whole.years[int(docs["time"])] == 2025
    assert docs["value"] == 3 and docs["n"] == pytest.approx(181 / 365)
    batch = prepare(whole, load_priors())["count"]
    series = (batch.unit == whole.states.index("RUS")) & (
        batch.which == batch.ids.index("fr_sanction_docs")
    )
    np.testing.assert_allclose(batch.extra["offset"][series, -1], np.log(181 / 365))


def test_rows_taken_out_leave_the_panel_as_it_was(some):
    bare, whole = running(PANEL), running(PANEL, some)
    again = without(whole, some)
    assert again.rows.keys() == bare.rows.keys()
    for name, frame in bare.rows.items():
        pd.testing.assert_frame_equal(
            again.rows[name], frame.reset_index(drop=True), check_dtype=False
        )
    one = without(whole, some, "unga_votes")
    assert len(one.rows["unga_votes"]) == len(bare.rows["unga_votes"])
    assert len(one.rows["arms_deliveries"]) == len(bare.rows["arms_deliveries"]) + 1


def test_an_indicator_may_have_its_first_row_in_the_running_year(some):
    never = replace(PANEL, rows={k: v for k, v in PANEL.rows.items() if k != "unsc_joint_veto"})
    whole = running(never, some)
    assert len(whole.rows["unsc_joint_veto"]) == 1
    assert "unsc_joint_veto" in prepare(whole, load_priors())["share"].ids
    assert "unsc_joint_veto" not in without(whole, some).rows


def test_constants_of_the_design_do_not_move(some):
    whole = running(PANEL, some)
    assert whole.anchor_mean == PANEL.anchor_mean and whole.reference == PANEL.reference
    np.testing.assert_array_equal(whole.movement, PANEL.movement)
