"""The measured path of the focal dyad, above the weather over its two states.

Guarded by ``tests/test_figures.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fairweather.figures import style
from fairweather.figures.bands import (
    band_caption,
    draw_band,
    flat,
    reported,
    unit,
    vintage,
)
from fairweather.figures.episodes import legend_handles, shade

if TYPE_CHECKING:
    import xarray as xr

    from fairweather.panel import Panel


def plot_alignment(tree: xr.DataTree, panel: Panel | None = None) -> style.Page:
    """Plot alignment of the focal dyad and pressure on its two states.

    Parameters
    ----------
    tree : DataTree
        A fit.
    panel : Panel, optional
        If given, the observed UN agreement of the dyad is added, in the same unit.

    Returns
    -------
    Figure
        Three panels over years; shaded spans are episodes from a hand list, for display only.

    Examples
    --------
    >>> import fairweather as fw
    >>> panel = fw.load_panel()
    >>> fw.plot_alignment(fw.fit(panel), panel)  # doctest: +SKIP
    """
    posterior, attrs = tree["posterior"], tree.attrs
    focal = str(attrs["focal"])
    pair = focal.split("-")
    years = posterior["year"].values.astype(int)
    caption = (
        f"Alignment of {focal} and US pressure on its states, {years[0]}–{years[-1]}. "
        f"{band_caption()} Unit: standard deviations of all dyads (states), from their mean, in "
        "the reference years. Shaded: easing and hardship from a hand list used only for display, "
        f"not as input. {vintage(attrs)}"
    )
    with style.context():
        fig = style.page(style.DOUBLE, 5.4, caption)
        axes = fig.subplots(3, 1, sharex=True, height_ratios=[2.2, 1, 1])
        top = axes[0]
        path = reported(flat(posterior["alignment"].sel(dyad=focal)), attrs, "alignment")
        draw_band(top, years, path, style.BLUE, "alignment")
        if panel is not None:
            _votes(top, panel, attrs)
        top.set_title(f"Alignment {focal}")
        top.set_ylabel(unit("alignment"))
        top.legend(loc="upper left")
        for ax, state in zip(axes[1:], pair, strict=True):
            draws = reported(flat(posterior["pressure"].sel(state=state)), attrs, "pressure")
            draw_band(ax, years, draws, style.RED)
            shade(ax, state, years)
            ax.set_title(f"US pressure on {state}")
        # The same spans as strips under the alignment: which side had which weather.
        low, high = top.get_ylim()
        top.set_ylim(low - 0.14 * (high - low), high)
        for n, state in enumerate(reversed(pair)):
            shade(top, state, years, (0.005 + 0.055 * n, 0.05 + 0.055 * n))
            top.text(
                1.0, 0.028 + 0.055 * n, f" {state}", transform=top.transAxes, va="center",
                fontsize=6, color=style.GREY,
            )  # fmt: skip
        axes[1].set_ylabel(unit("pressure"), y=-0.15)
        axes[2].set_xlim(years[0] - 0.5, years[-1] + 0.5)
        fig.legend(handles=legend_handles(), loc="outside lower center", ncols=3)
        return style.settle(fig)


def _votes(ax: Any, panel: Panel, attrs: Any) -> None:
    """Add the observed vote score of the focal dyad as dots."""
    from fairweather.measurement.vote import score

    for one in panel.indicators("alignment"):
        if one.family != "vote":
            continue
        rows = panel.rows[one.id]
        rows = rows[rows["unit"] == panel.dyads.index(panel.focal)]
        y = reported(score(rows["value"], rows["partial"], rows["n"]), attrs, "alignment")
        ax.plot(
            panel.years[rows["time"]], np.asarray(y), "o", ms=2.5, mfc="none", mec=style.GREY,
            mew=0.7, label="UN agreement alone, agenda not removed",
        )  # fmt: skip
