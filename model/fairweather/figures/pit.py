"""Where outcomes fell among the draws: flat if forecasts are right.

Guarded by ``tests/test_figures.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fairweather.figures import style

if TYPE_CHECKING:
    import pandas as pd


def plot_pit(table: pd.DataFrame, forecasts: tuple[str, ...] | None = None) -> style.Page:
    """Plot the histogram of places and the coverage of each forecast.

    Parameters
    ----------
    table : DataFrame
        From ``fairweather.backtest``: forecast, cells, inside_50, inside_89 and bins.
    forecasts : tuple of str, optional
        Default: all.

    Returns
    -------
    Figure

    Examples
    --------
    >>> plot_pit(found.calibration)  # doctest: +SKIP
    """
    names = list(table["forecast"]) if forecasts is None else list(forecasts)
    bins = [c for c in table.columns if c.startswith("bin_")]
    columns = min(5, len(names))
    rows = -(-len(names) // columns)
    caption = (
        "Places of outcomes among the draws of a forecast, in tenths; right forecasts are flat "
        "(line), too narrow ones rise at the ends. Counts take their part of every bin they touch. "
        "Below each name: share of outcomes inside the central 50 % and 89 %."
    )
    with style.context():
        fig = style.page(style.DOUBLE, 1.5 * rows + 0.4, caption)
        axes = fig.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
        edges = np.linspace(0.0, 1.0, len(bins) + 1)
        for ax, name in zip(axes, names, strict=False):
            row = table[table["forecast"] == name].iloc[0]
            height = row[bins].to_numpy(float) * len(bins)
            ax.stairs(height, edges, fill=True, color=style.SKY)
            ax.axhline(1.0, color=style.INK, lw=0.8)
            ax.set_title(
                f"{name}\n{100 * row['inside_50']:.0f} %, {100 * row['inside_89']:.0f} %",
                fontweight="normal",
            )
        for n in range(len(names), len(axes)):
            axes[n].remove()
        axes[0].set_xticks([0, 0.5, 1], ["0", "½", "1"])
        fig.supxlabel("place of the outcome among the draws", fontsize=8)
        fig.supylabel("density", fontsize=8)
        return style.settle(fig)
