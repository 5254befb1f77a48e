"""Rows kept with a fit, and how two panels' rows differ."""

from dataclasses import replace

import made_fit
import numpy as np
import pandas as pd
import pytest
import xarray as xr

from fairweather import hold_out, load_panel
from fairweather.kept_rows import ROWS, panel_from, rows_dataset
from fairweather.readings.parts import seen
from fairweather.renewal.rows import difference, long_rows, without


@pytest.fixture(scope="module")
def panel():
    return made_fit.panel()


def with_rows(panel, reading="elastic-side"):
    """A made-up fit that keeps its rows as a sampled one does."""
    p = seen(panel, reading)
    tree = made_fit.fit(panel, reading=reading, draws=4)
    constant = p.to_datatree()["complementarity"].to_dataset()
    constant["anchor_fill"] = (("state", "year"), p.anchor_fill)
    tree["constant_data"] = xr.DataTree(constant.assign_coords(state=list(p.states)))
    tree[ROWS] = xr.DataTree(rows_dataset(p))
    return tree


def test_a_panel_comes_back_from_its_fit_to_the_last_digit(panel, tmp_path):
    tree = with_rows(panel)
    tree.to_zarr(tmp_path / "t.zarr", zarr_format=3, consolidated=False)
    tree = xr.open_datatree(tmp_path / "t.zarr", engine="zarr", consolidated=False)
    again = panel_from(tree, panel)
    assert again.states == panel.states and again.dyads == panel.dyads
    assert (again.years == panel.years).all() and again.focal == panel.focal
    assert list(again.rows) == list(panel.rows)
    for name, frame in panel.rows.items():
        pd.testing.assert_frame_equal(again.rows[name], frame, check_dtype=False)
    for name in ("complementarity", "anchor_fill", "movement", "left", "right"):
        np.testing.assert_array_equal(getattr(again, name), getattr(panel, name))
    assert again.anchor_mean == panel.anchor_mean and again.kinds == panel.kinds
    assert not len(difference(again, panel))


def test_a_fit_without_rows_says_so(panel):
    assert panel_from(made_fit.fit(panel, draws=4), panel) is None


def test_new_changed_and_withdrawn_are_told_apart(panel):
    fewer = hold_out(panel, indicators="trade_cow", units="CHN-RUS", years=2010)
    rows = dict(panel.rows)
    moved = rows["us_aid"].copy()
    moved.loc[0, "value"] += 1.0
    other = replace(panel, rows=rows | {"us_aid": moved})
    found = difference(fewer, other)
    assert found["status"].tolist() == ["new", "changed"]
    back = difference(other, fewer)
    assert back["status"].tolist() == ["withdrawn", "changed"]
    assert found[["indicator", "unit", "year"]].equals(back[["indicator", "unit", "year"]])


def test_rows_are_known_by_label_not_by_place(panel):
    later = load_panel(states=list(made_fit.STATES), first_year=1995)
    found = difference(later, panel)
    assert set(found["status"]) == {"new"}
    assert found["year"].max() == 1994
    assert len(found) == (long_rows(panel)["year"] < 1995).sum()


def test_the_order_of_rows_is_no_difference(panel):
    rows = {k: v.iloc[::-1].reset_index(drop=True) for k, v in panel.rows.items()}
    assert not len(difference(panel, replace(panel, rows=rows)))


def test_without_puts_earlier_rows_back_on_the_axes_of_the_panel(panel):
    before = load_panel(states=list(made_fit.STATES), last_year=2020)
    fewer = without(panel, before, "trade_chn_rus_customs")
    assert (fewer.years == panel.years).all()
    left = difference(before, fewer)
    assert "trade_chn_rus_customs" not in set(left["indicator"])
    assert fewer.rows["unga_votes"] is panel.rows["unga_votes"]


def test_without_drops_an_indicator_that_was_not_there(panel):
    before = hold_out(panel, indicators="swap_lines")
    assert "swap_lines" not in without(panel, before, "swap_lines").rows
    assert "swap_lines" in panel.rows
