"""What each indicator of pressure saw, beside the latent it is said to measure.

Invariant: an indicator is centred on the latent over the years it was seen and scaled by its usual
movement within states, so a panel compares movement, not level, and a flat indicator stays flat.
Guarded by ``tests/test_figures.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fairweather.figures import style
from fairweather.figures.bands import band_caption, draw_band, flat, reported, unit, vintage

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from fairweather.panel import Panel


def transformed(rows: pd.DataFrame, family: str) -> np.ndarray:
    """Values on the scale on which they speak of the latent.

    Parameters
    ----------
    rows : DataFrame
        Columns ``value`` and ``n``.
    family : str
        Counts become log(1 + rate), shares empirical logits, the rest stays.

    Returns
    -------
    ndarray

    Examples
    --------
    >>> import pandas as pd
    >>> transformed(pd.DataFrame({"value": [0.0], "n": [float("nan")]}), "count").tolist()
    [0.0]
    """
    value, n = rows["value"].to_numpy(float), rows["n"].to_numpy(float)
    if family == "count":
        return np.log1p(value / np.where(np.isnan(n), 1.0, n))
    if family == "share":
        return np.log((value + 0.5) / (n - value + 0.5))
    return value


def plot_pressure(tree: xr.DataTree, panel: Panel) -> style.Page:
    """Plot every pressure indicator of the two focal states against the latent.

    Parameters
    ----------
    tree : DataTree
        A fit.
    panel : Panel
        The panel it was fitted to.

    Returns
    -------
    Figure
        One row an indicator, one column a state; signs turned so that up is more pressure.

    Examples
    --------
    >>> import fairweather as fw
    >>> panel = fw.load_panel()
    >>> fw.plot_pressure(fw.fit(panel), panel)  # doctest: +SKIP
    """
    pair = str(tree.attrs["focal"]).split("-")
    seen = [
        i for i in panel.indicators("pressure")
        if panel.rows[i.id]["unit"].isin([panel.states.index(s) for s in pair]).any()
    ]  # fmt: skip
    years = panel.years
    caption = (
        "Indicators of US pressure (dots) beside the latent pressure; indicators of words beside "
        "pressure in words. Dots are centred on the latent over the years seen and scaled so that "
        "movement within all states is as large as the latent's; signs are turned so that up is "
        f"more pressure. {band_caption()} {vintage(tree.attrs)}"
    )
    with style.context():
        fig = style.page(style.DOUBLE, 0.62 * len(seen) + 0.9, caption)
        axes = fig.subplots(len(seen), len(pair), sharex=True, sharey=True, squeeze=False)
        latents = {domain: _latent(tree, domain) for domain in {one.domain for one in seen}}
        middle = {domain: np.median(draws, axis=0) for domain, draws in latents.items()}
        for row, one in zip(axes, seen, strict=True):
            draws, dots = latents[one.domain], placed(panel, one, middle[one.domain])
            for ax, state in zip(row, pair, strict=True):
                at = panel.states.index(state)
                draw_band(ax, years, draws[:, at], style.RED)
                mine = dots[dots["unit"] == at]
                ax.plot(years[mine["time"]], mine["y"], "o", ms=2, color=style.INK)
                if mine.empty:
                    ax.text(
                        0.02, 0.8, "no rows", transform=ax.transAxes, color=style.GREY, fontsize=6
                    )
            row[0].set_title(f"{one.label} ({one.domain})", fontsize=6.5, fontweight="normal")
        for ax, state in zip(axes[0], pair, strict=True):
            ax.set_title(state, loc="right")
        axes[0, 0].set_xlim(years[0] - 0.5, years[-1] + 0.5)
        fig.supylabel(unit("pressure"), fontsize=8)
        return style.settle(fig)


def placed(panel: Panel, one: Any, latent: np.ndarray) -> pd.DataFrame:
    """Put an indicator's rows on the latent's scale.

    Parameters
    ----------
    panel : Panel
    one : Indicator
    latent : ndarray, shape (state, year)
        Middle of the latent, in reported units.

    Returns
    -------
    DataFrame
        ``unit`` and ``time`` positions, and ``y``.
    """
    rows = panel.rows[one.id].sort_values(["unit", "time"]).copy()
    rows["y"] = one.sign * transformed(rows, one.family)
    rows["latent"] = latent[rows["unit"], rows["time"]]
    by_unit = rows.groupby("unit")[["y", "latent"]]
    mean = by_unit.transform("mean")
    moved = rows[["y", "latent"]] - mean
    spread = moved.std(ddof=0)
    ratio = spread["latent"] / spread["y"] if spread["y"] > 1e-9 else 0.0
    return rows.assign(y=mean["latent"] + ratio * moved["y"])[["unit", "time", "y"]]


def _latent(tree: xr.DataTree, domain: str) -> np.ndarray:
    """Draws of the latent an indicator of this domain reads, shape (draw, state, year)."""
    posterior = tree["posterior"]
    latent = posterior["pressure"]
    if domain == "verbal" and "words" in posterior:
        latent = latent + posterior["words"]
    return reported(flat(latent), tree.attrs, "pressure")
