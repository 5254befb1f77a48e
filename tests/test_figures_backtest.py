"""Figures of the backtest show the numbers of its tables, in grey as well as in colour."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread

from fairweather.baselines import BASELINES
from fairweather.figures import style
from fairweather.figures.pit import plot_pit
from fairweather.figures.skill import _FLOOR, _LOOKS, plot_skill

NAMES = ("stacked", "drift", *BASELINES)


def skill(**cells):
    rows = []
    for by, groups in (("all", [""]), ("horizon", [1, 2, 3]), ("domain", ["economic", "security"])):
        for g in groups:
            for k, b in enumerate(BASELINES):
                row = {
                    "by": by,
                    "group": g,
                    "forecast": "stacked",
                    "against": b,
                    "skill": 0.05 * k,
                    "lower": 0.05 * k - 0.1,
                    "upper": 0.05 * k + 0.1,
                }
                rows.append(row | cells.get(f"{g}-{b}", {}))
    return pd.DataFrame(rows)


def calibration(names=NAMES):
    rng = np.random.default_rng(1)
    rows = []
    for n in names:
        bins = rng.dirichlet(np.full(10, 20.0))
        rows.append(
            {
                "by": "all",
                "group": "",
                "forecast": n,
                "cells": 1234,
                "inside_50": 0.42,
                "inside_89": 0.93,
                **{f"bin_{k}": x for k, x in enumerate(bins)},
            }
        )
    return pd.DataFrame([*rows, rows[0] | {"by": "indicator", "group": "votes"}])


def test_skill_shows_every_group_and_plain_forecast():
    fig = plot_skill(skill())
    assert [ax.get_title(loc="left") for ax in fig.axes] == ["a  By years ahead", "b  By domain"]
    ticks = [[t.get_text() for t in ax.get_xticklabels()] for ax in fig.axes]
    assert ticks == [["all", "1 year", "2 years", "3 years"], ["economic", "security"]]
    assert [t.get_text() for t in fig.legends[0].get_texts()] == list(BASELINES)
    one = fig.axes[0].containers[1]
    np.testing.assert_allclose(one.lines[0].get_ydata(), 5.0)
    segments = np.array(one.lines[2][0].get_segments())
    np.testing.assert_allclose(segments[0, :, 1], [-5.0, 15.0])
    assert "89 %" in fig.get_label() and "above zero it is better" in fig.get_label()


def test_an_interval_that_leaves_the_axis_is_cut_and_marked():
    fig = plot_skill(skill(**{"economic-ar1": {"skill": -0.2, "lower": -9.0, "upper": 0.3}}))
    ax = fig.axes[1]
    assert ax.get_ylim()[0] > _FLOOR - 20
    marks = [line for line in ax.lines if len(line.get_ydata()) and line.get_ydata()[0] == _FLOOR]
    assert len(marks) == 1 and marks[0].get_marker() == "v"


def test_intervals_that_are_missing_are_not_drawn():
    gap = {"lower": np.nan, "upper": np.nan}
    fig = plot_skill(skill(**{f"economic-{b}": gap for b in BASELINES}))
    assert len(fig.axes) == 2
    only = skill()
    assert len(plot_skill(only[only["by"] != "domain"]).axes) == 1


def test_places_and_coverage_of_each_forecast():
    table = calibration()
    fig = plot_pit(table)
    titles = [ax.get_title(loc="left") for ax in fig.axes]
    assert titles[:-1] == list(NAMES)
    height = fig.axes[0].patches[0].get_data().values
    np.testing.assert_allclose(
        height, 10 * table.loc[0, [f"bin_{k}" for k in range(10)]].astype(float)
    )
    told = [t.get_text() for t in fig.axes[-1].texts]
    assert told == ["42 %, 93 % of 1,234"] * len(NAMES)
    dots = [line for line in fig.axes[-1].lines if line.get_marker() == "o"]
    assert [set(d.get_xdata()) for d in dots] == [{42.0}, {93.0}]
    some = plot_pit(table, ("drift", "ar1"))
    assert [ax.get_title(loc="left") for ax in some.axes][:2] == ["drift", "ar1"]


@pytest.mark.parametrize("draw", [lambda: plot_skill(skill()), lambda: plot_pit(calibration())])
def test_files_are_whole_and_the_same_each_time(tmp_path, draw):
    one, two = (style.save(draw(), "x", tmp_path / k) for k in "ab")
    assert [f.read_bytes() for f in one] == [f.read_bytes() for f in two]
    pixels = imread(one[1])[..., :3]
    assert (pixels < 0.98).any(axis=2).mean() > 0.02


def test_grey_is_enough():
    """Marks differ in shape or filling, whatever the colour."""
    assert len({(mark, filled) for _, mark, filled in _LOOKS}) == len(_LOOKS) >= len(BASELINES)
