"""Where outcomes fell among the draws: flat if forecasts are right; and how often inside.

Guarded by ``tests/test_figures_backtest.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fairweather.figures import style

if TYPE_CHECKING:
    import pandas as pd

_COLUMNS = 5


def plot_pit(table: pd.DataFrame, forecasts: tuple[str, ...] | None = None) -> style.Page:
    """Plot the histogram of places of each forecast, and its coverage as a table.

    Parameters
    ----------
    table : DataFrame
        From ``fairweather.backtest``: forecast, cells, inside_50, inside_89 and bins; rows of
        single indicators (``by``) are passed over.
    forecasts : tuple of str, optional
        Default: all.

    Returns
    -------
    Figure

    Examples
    --------
    >>> plot_pit(found.calibration)  # doctest: +SKIP
    """
    if "by" in table:
        table = table[table["by"] == "all"]
    names = list(table["forecast"]) if forecasts is None else list(forecasts)
    mine = table.set_index("forecast").loc[names]
    bins = [c for c in table.columns if c.startswith("bin_")]
    rows = -(-len(names) // _COLUMNS)
    caption = (
        "Places of outcomes among the draws of each forecast, in tenths, indicators counted alike. "
        "A right forecast is flat (line); one too sure of itself rises at both ends, one not sure "
        "enough in the middle. Counts take their part of every tenth they touch. Below: share of "
        "outcomes inside the central 50 % and 89 % intervals, circles beside what they promise "
        "(lines)."
    )
    with style.context():
        fig = style.page(style.DOUBLE, 1.35 * rows + 0.7 + 0.17 * len(names), caption)
        above, below = fig.subfigures(
            2, 1, height_ratios=[1.35 * rows + 0.25, 0.45 + 0.17 * len(names)]
        )
        shape = (rows, min(_COLUMNS, len(names)))
        axes = above.subplots(*shape, sharex=True, sharey=True, squeeze=False).ravel()
        edges = np.linspace(0.0, 1.0, len(bins) + 1)
        for k, ax in enumerate(axes):
            if k >= len(names):
                ax.remove()
                continue
            height = mine.loc[names[k], bins].to_numpy(float) * len(bins)
            ax.stairs(height, edges, fill=True, color=style.SKY)
            ax.stairs(height, edges, color=style.INK, lw=0.6)
            ax.axhline(1.0, color=style.INK, lw=0.8, ls=(0, (4, 2)))
            ax.set_title(names[k])
            ax.set_xticks([0, 0.5, 1], ["0", "½", "1"])
            ax.set_xlim(0, 1)
            # A column that ends early keeps its numbers below the last histogram it has.
            ax.tick_params(labelbottom=k + _COLUMNS >= len(names))
        above.supxlabel("place of the outcome among the draws", fontsize=8)
        above.supylabel("relative frequency", fontsize=8)
        _coverage(below.subplots(), names, mine)
        return style.settle(fig)


def _coverage(ax: Any, names: list[str], table: pd.DataFrame) -> None:
    """Draw coverage of each forecast beside what it promises, with the numbers."""
    at = np.arange(len(names))[::-1]
    for column, level, filled in (("inside_50", 50, False), ("inside_89", 89, True)):
        value = 100 * table[column].to_numpy(float)
        ax.axvline(level, color=style.INK, lw=0.8, ls=(0, (4, 2)), zorder=1)
        ax.hlines(at, np.minimum(value, level), np.maximum(value, level), color=style.GREY, lw=0.8)
        ax.plot(value, at, "o", ms=4, color=style.BLUE, zorder=3, clip_on=False,
                markerfacecolor=style.BLUE if filled else "white")  # fmt: skip
    for y, name in zip(at, names, strict=True):
        in50, in89, cells = (table.loc[name, c] for c in ("inside_50", "inside_89", "cells"))
        text = f"{100 * in50:.0f} %, {100 * in89:.0f} % of {int(cells):,}"
        ax.text(1.02, y, text, transform=ax.get_yaxis_transform(), va="center", fontsize=7)
    ax.set_yticks(at, names)
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(-0.6, len(names) - 0.4)
    ax.set_xlim(min(20.0, 100 * float(table[["inside_50", "inside_89"]].min().min()) - 3), 100)
    ax.set_xticks([25, 50, 75, 89, 100])
    ax.set_xlabel("outcomes inside the interval (%)")
