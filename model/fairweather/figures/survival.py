"""How long the alignment lasts under each US weather, always against the current one.

Guarded by ``tests/test_figures.py``.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from fairweather.figures import style
from fairweather.figures.bands import vintage
from fairweather.wording import baseline, percent, pretty

if TYPE_CHECKING:
    import xarray as xr


def plot_survival(fc: xr.DataTree, *, threshold: str | None = None) -> style.Page:
    """Plot the probability that the alignment has stayed above its threshold.

    Parameters
    ----------
    fc : DataTree
        From ``fairweather.forecast``.
    threshold : str, optional
        One of the forecast's thresholds; default the first.

    Returns
    -------
    Figure
        One panel a scenario; the current weather is repeated in grey.

    Examples
    --------
    >>> import fairweather as fw
    >>> fw.plot_survival(fw.forecast(fw.fit(fw.load_panel())))  # doctest: +SKIP
    """
    table = fc["durability"].to_dataset()
    level = threshold or str(table["threshold"].values[0])
    table = table.sel(threshold=level)
    names = [str(s) for s in table["scenario"].values]
    base = baseline(names)
    years = table["horizon"].values.astype(int)
    rows = math.ceil(len(names) / 4)
    columns = math.ceil(len(names) / rows)
    focal, origin = fc.attrs["focal"], fc.attrs["origin"]
    caption = (
        f"Probability that alignment {focal} stays above its own {level} level in every year from "
        f"{int(origin) + 1} on, by scenario. Bands: {interval(fc)}. Grey: {pretty(base).lower()}. "
        f"{vintage(fc.attrs)}"
    )
    with style.context():
        fig = style.page(style.DOUBLE, 1.75 * rows + 0.5, caption)
        axes = fig.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
        for ax, name in zip(axes, names, strict=False):
            one = table.sel(scenario=name)
            color = style.GREY if name == base else style.BLUE
            ax.fill_between(years, one["lower"], one["upper"], color=color, alpha=0.22, linewidth=0)
            if name != base:
                ax.plot(years, table["probability"].sel(scenario=base), color=style.GREY, lw=0.8)
            ax.plot(years, one["probability"], color=color, marker="o", ms=2.5)
            last, error = (float(one[k][-1]) for k in ("probability", "mc_error"))
            ax.annotate(
                f"{percent(last, error)} %", (years[-1], last), xytext=(0, 5), color=color,
                textcoords="offset points", ha="right", va="bottom", fontsize=7,
            )  # fmt: skip
            ax.set_title(pretty(name))
        for n in range(len(names), len(axes)):
            axes[n].remove()
            axes[n - columns].tick_params(labelbottom=True)
        axes[0].set_ylim(0, 1.08)
        axes[0].set_xticks(years)
        axes[0].set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "25 %", "50 %", "75 %", "100 %"])
        fig.supxlabel(f"years after {origin}", fontsize=8)
        fig.supylabel(f"stays above the {level} level", fontsize=8)
        return style.settle(fig)


def interval(fc: xr.DataTree) -> str:
    """Say what the bands of durability are, as the forecast declares it."""
    return str(fc["durability"].attrs.get("interval", "interval as given by the forecast"))
