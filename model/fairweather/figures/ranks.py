"""Calibration at a glance: how far the ECDF of the ranks strays from uniform, group by group.

Guarded by ``tests/test_calibration.py``.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from fairweather import uniformity
from fairweather.figures import style
from fairweather.gauges import GROUPS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from fairweather.calibration import Calibration

_COLUMNS = 2


def caption(found: Calibration) -> str:
    """Say what the lines and the band are, and what came of it."""
    out = int((~found.table["inside"]).sum())
    worst = float(found.table["p_holm"].min()) if len(found.table) else float("nan")
    trouble = (
        f"; {found.troubled} fits with divergences or a high R-hat are kept" if found.troubled
        else ""
    )  # fmt: skip
    return (
        f"Ranks of the true values among {found.bins - 1} thinned posterior draws in "
        f"{len(found.runs) - found.failed} worlds drawn from the prior{trouble}. Lines: ECDF of "
        f"the ranks minus that of uniform ranks, one a quantity. Grey: where 95 % of uniform ECDFs "
        f"stay at every point (Säilynoja, Bürkner and Vehtari 2022). {out} of {len(found.table)} "
        f"quantities leave it, marked in colour; about {0.05 * len(found.table):.0f} would by "
        f"chance. Smallest Holm-adjusted p value: {worst:.2g}."
    )


def plot_ranks(found: Calibration) -> style.Page:
    """Plot ECDF differences with their simultaneous band.

    Parameters
    ----------
    found : Calibration
        From ``fairweather.calibration.calibrate``.

    Returns
    -------
    Figure
        One panel a group of quantities.

    Examples
    --------
    >>> from fairweather.calibration import calibrate
    >>> plot_ranks(calibrate("calibration"))  # doctest: +SKIP
    """
    groups = [g for g in GROUPS if (found.table["group"] == g).any()]
    groups += [g for g in dict.fromkeys(found.table["group"]) if g not in GROUPS]
    rows = max(1, math.ceil(len(groups) / _COLUMNS))
    with style.context():
        fig = style.page(style.DOUBLE, 1.5 * rows + 0.6, caption(found))
        axes = fig.subplots(rows, _COLUMNS, sharex=True, sharey=True, squeeze=False).ravel()
        for ax, group in zip(axes, groups, strict=False):
            _panel(ax, found, group)
        for n in range(len(groups), len(axes)):
            axes[n].remove()
            if n >= _COLUMNS:
                axes[n - _COLUMNS].tick_params(labelbottom=True)
        axes[0].set_xlim(0, 1)
        # Room below the lines for the names of those that leave the band.
        low, high = axes[0].get_ylim()
        axes[0].set_ylim(low - 0.35 * (high - low) * (not found.table["inside"].all()), high)
        axes[0].set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
        fig.supxlabel("scaled rank", fontsize=8)
        fig.supylabel("ECDF minus uniform", fontsize=8)
        return style.settle(fig)


def _panel(ax: Axes, found: Calibration, group: str) -> None:
    table = found.table[found.table["group"] == group]
    z = np.concatenate([[0.0], uniformity.edges(found.bins), [1.0]])
    lower, upper = uniformity.band(int(table["n"].max()), found.bins)
    ax.fill_between(z, np.pad(lower, 1), np.pad(upper, 1), color=style.GREY, alpha=0.22,
                    linewidth=0)  # fmt: skip
    ax.axhline(0.0, color=style.GREY, lw=0.5)
    colors = [style.RED, style.BLUE, style.GREEN, style.PINK]
    for row in table.sort_values("p_value", ascending=False).itertuples():
        ranks = found.ranks.loc[found.ranks["quantity"] == row.quantity, "rank"]
        path = np.pad(uniformity.difference(ranks, found.bins), 1)
        if row.inside:
            ax.plot(z, path, color=style.INK, lw=0.5, alpha=0.45)
            continue
        color = colors.pop(0) if colors else style.ORANGE
        ax.plot(z, path, color=color, lw=1.2, label=row.quantity)
    ax.set_title(GROUPS.get(group, group))
    ax.text(0.98, 0.97, f"{len(table)} quantities", transform=ax.transAxes, ha="right", va="top",
            fontsize=6, color=style.GREY)  # fmt: skip
    if not table["inside"].all():
        ax.legend(loc="lower left", fontsize=6)
