"""How much better the stacked forecast is than each plain one, by horizon.

Guarded by ``tests/test_figures.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fairweather.figures import style

if TYPE_CHECKING:
    import pandas as pd

_COLORS = (style.BLUE, style.ORANGE, style.GREEN, style.RED, style.PINK)
_MARKS = ("o", "s", "^", "D", "v")


def plot_skill(table: pd.DataFrame, forecast: str = "stacked") -> style.Page:
    """Plot skill by horizon against every plain forecast.

    Parameters
    ----------
    table : DataFrame
        From ``fairweather.backtest``: by, group, forecast, against, skill, lower, upper.
    forecast : str

    Returns
    -------
    Figure

    Examples
    --------
    >>> plot_skill(found.skill)  # doctest: +SKIP
    """
    part = table[(table["by"] == "horizon") & (table["forecast"] == forecast)]
    against = list(dict.fromkeys(part["against"]))
    horizons = sorted(set(part["group"].astype(int)))
    caption = (
        f"Skill of the {forecast} forecast by CRPS: one less the ratio to a plain forecast, over "
        "indicators by the geometric mean; above zero it is better. Bars: 89 % intervals over "
        "years or states drawn anew."
    )
    with style.context():
        fig = style.page(style.DOUBLE, 2.6, caption)
        ax = fig.subplots()
        ax.axhline(0.0, color=style.GREY, lw=0.8)
        width = 0.7 / max(len(against), 1)
        for k, name in enumerate(against):
            rows = part[part["against"] == name].sort_values("group")
            x = rows["group"].to_numpy(float) + (k - (len(against) - 1) / 2) * width
            y = 100 * rows["skill"].to_numpy()
            ends = 100 * rows[["lower", "upper"]].to_numpy().T
            color, mark = _COLORS[k % len(_COLORS)], _MARKS[k % len(_MARKS)]
            ax.errorbar(x, y, np.abs(ends - y), fmt=mark, color=color, ms=4, lw=1.0, label=name)
        ax.set_xticks(horizons, [f"{h} year{'s' if h > 1 else ''} ahead" for h in horizons])
        ax.set_xlim(min(horizons) - 0.5, max(horizons) + 0.5)
        ax.set_ylabel("better than (%)")
        ax.legend(ncols=len(against), loc="upper center", bbox_to_anchor=(0.5, 1.16))
        return style.settle(fig)
