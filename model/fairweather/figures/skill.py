"""How much better the stacked forecast is than each plain one, by years ahead and by domain.

Guarded by ``tests/test_figures_backtest.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fairweather.figures import style

if TYPE_CHECKING:
    import pandas as pd

# Told apart by shape and fill where there is no colour.
_LOOKS = (
    (style.BLUE, "o", True), (style.ORANGE, "s", False), (style.GREEN, "^", True),
    (style.RED, "D", False), (style.PINK, "v", True),
)  # fmt: skip
# Beyond this an interval is cut, so that one bad group does not flatten all others; in %.
_FLOOR = -60.0


def plot_skill(table: pd.DataFrame, forecast: str = "stacked") -> style.Page:
    """Plot skill against every plain forecast, over all cells, by years ahead and by domain.

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
    mine = table[table["forecast"] == forecast]
    far = mine[mine["by"] == "horizon"]
    against = list(dict.fromkeys(far["against"]))
    whole = mine[(mine["by"] == "all") & (mine["group"].astype(str) == "")]
    left = [("all", whole)] + [
        (f"{h} year{'' if h == 1 else 's'}", far[far["group"].astype(int) == h])
        for h in sorted(set(far["group"].astype(int)))
    ]
    domains = mine[mine["by"] == "domain"]
    right = [(str(d), domains[domains["group"] == d]) for d in dict.fromkeys(domains["group"])]
    caption = (
        f"How much better the {forecast} forecast is than plain ones by CRPS, in percent: one less "
        "the ratio of mean scores, over indicators by the geometric mean; above zero it is better. "
        "Bars: 89 % intervals over runs of years or states drawn anew, whichever reach further; "
        "an arrow marks one that goes on below the axis."
    )
    with style.context():
        fig = style.page(style.DOUBLE, 2.9, caption)
        panels = [("a  By years ahead", left), ("b  By domain", right)]
        panels = [p for p in panels if p[1]]
        axes = fig.subplots(
            1, len(panels), sharey=True, squeeze=False,
            gridspec_kw={"width_ratios": [len(p[1]) for p in panels]},
        )[0]  # fmt: skip
        for ax, (title, groups) in zip(axes, panels, strict=True):
            _draw(ax, groups, against)
            ax.set_title(title)
        axes[0].set_ylabel("better than the plain forecast (%)")
        handles, labels = axes[0].get_legend_handles_labels()
        fig.legend(handles, labels, ncols=len(against), loc="outside upper center")
        return style.settle(fig)


def _draw(ax: Any, groups: list[tuple[str, pd.DataFrame]], against: list[str]) -> None:
    """Draw one group beside another, the plain forecasts of each side by side."""
    ax.axhline(0.0, color=style.INK, lw=0.7, zorder=1)
    width = 0.7 / max(len(against), 1)
    for at in range(1, len(groups)):
        ax.axvline(at - 0.5, color=style.GREY, lw=0.4, ls=(0, (1, 3)), zorder=0)
    for k, name in enumerate(against):
        color, mark, filled = _LOOKS[k % len(_LOOKS)]
        x, rows = [], []
        for at, (_, part) in enumerate(groups):
            found = part[part["against"] == name]
            if len(found):
                x.append(at + (k - (len(against) - 1) / 2) * width)
                rows.append(100 * found[["skill", "lower", "upper"]].to_numpy(float)[0])
        if not rows:
            continue
        where, (y, low, high) = np.array(x), np.array(rows).T
        seen = np.maximum(y, _FLOOR)
        ends = np.abs(np.stack([np.clip(low, _FLOOR, None), np.maximum(high, _FLOOR)]) - seen)
        ax.errorbar(
            where, seen, np.nan_to_num(ends), fmt=mark, color=color, ms=3.6, lw=1.0, label=name,
            markerfacecolor=color if filled else "white", markeredgewidth=0.9, zorder=3,
        )  # fmt: skip
        cut = low < _FLOOR
        if cut.any():
            ax.plot(where[cut], np.full(cut.sum(), _FLOOR), marker="v", ls="", color=color, ms=3,
                    clip_on=False, zorder=4)  # fmt: skip
    ax.set_xticks(range(len(groups)), [label for label, _ in groups])
    ax.tick_params(axis="x", length=0)
    ax.set_xlim(-0.5, len(groups) - 0.5)
