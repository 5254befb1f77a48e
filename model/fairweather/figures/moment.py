"""The moment of the brief at a glance: pressure, survival, and a few indicators with what came.

Guarded by ``tests/test_moment.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fairweather.figures import style
from fairweather.figures.bands import draw_band, vintage

if TYPE_CHECKING:
    import xarray as xr

EXPECTED, CAME, UNCHANGED = "expected", "came", "unchanged"
COLORS = {EXPECTED: style.BLUE, CAME: style.RED, UNCHANGED: style.GREY}
# In this order, those the moment has.
SHOWN = (
    ("unga_votes", "agreement in votes, %"), ("arms_deliveries", "arms deals delivering"),
    ("exercises_chn_rus", "joint exercises"), ("trade_chn_rus_customs", "trade, log"),
    ("chronology_sign", "cooperative events, %"), ("visits_to_china_vg2", "visits to China"),
)  # fmt: skip
PANELS = 5


def plot_moment(found: xr.DataTree) -> style.Page:
    """Plot what was expected at the end of 2016, what the model forecast, and what came.

    Parameters
    ----------
    found : DataTree
        From ``fairweather.moment.moment``.

    Returns
    -------
    Figure
        Pressure on either state, survival under three weathers, and up to five indicators.

    Examples
    --------
    >>> plot_moment(found)  # doctest: +SKIP
    """
    data = found["observables"].to_dataset()
    have = [x for x in SHOWN if x[0] in data["indicator"].values][:PANELS]
    years = data["year"].values.astype(int)
    states = [str(s) for s in found["pressure"]["state"].values]
    anchor = int(found.attrs["last_anchor"])
    note = f" The anchor is coded to {anchor}; later its last value." if anchor < years[-1] else ""
    caption = (
        f"As of {found.attrs['day']}. Pressure: as a brief of that month expected (blue), as it "
        f"came (red); grey: 90 % interval if nothing but its own innovations moved it.{note} "
        f"Survival: probability that alignment stays above its {found.attrs['threshold']} level, "
        "under the weather expected, come and unchanged. Indicators: median, 50 % and 89 % bands "
        "under the weather that came; blue: median under the expected weather; dots: what was "
        f"coded (of shares the forecast is of the chance behind them). {vintage(found.attrs)}"
    )
    panels = len(states) + 1 + len(have)
    rows, columns = -(-panels // 4), 4
    with style.context():
        fig = style.page(style.DOUBLE, 1.75 * rows + 0.2, caption)
        axes = list(fig.subplots(rows, columns, squeeze=False).ravel())
        for ax in axes[panels:]:
            ax.remove()
        for ax, state in zip(axes, states, strict=False):
            _pressure(ax, found["pressure"].to_dataset().sel(state=state), years, state)
        _survival(axes[len(states)], found["survival"].to_dataset(), years)
        for ax, (name, label) in zip(axes[len(states) + 1 :], have, strict=False):
            _indicator(ax, data.sel(indicator=name), years, label)
        for ax in axes[:panels]:
            ax.set_xlim(years[0] - 0.4, years[-1] + 0.4)
            ax.set_xticks([y for y in (years[0], years[len(years) // 2], years[-1])])
        # The panel of survival has a line of each weather.
        handles, labels = axes[len(states)].get_legend_handles_labels()
        fig.legend(handles, labels, loc="outside lower center", ncols=3, fontsize=6)
        return style.settle(fig)


def _pressure(ax: Any, one: xr.Dataset, years: np.ndarray, state: str) -> None:
    ax.fill_between(
        years, one["unchanged_lower"], one["unchanged_upper"], color=style.GREY, alpha=0.22,
        linewidth=0,
    )  # fmt: skip
    ax.axhline(0.0, color=style.GREY, lw=0.5)
    ax.plot(years, one["expected"], color=COLORS[EXPECTED], label="expected")
    seen = one["seen"].to_numpy()
    came = one["came"].to_numpy()
    ax.plot(years, came, color=COLORS[CAME], label="came")
    ax.plot(years[seen], came[seen], "o", color=COLORS[CAME], ms=2.5)
    ax.set_title(f"pressure on {state}, SD")


def _survival(ax: Any, table: xr.Dataset, years: np.ndarray) -> None:
    for name in (UNCHANGED, CAME, EXPECTED):
        one = table.sel(weather=name)
        if name == EXPECTED:
            ax.fill_between(
                years, one["lower"], one["upper"], color=COLORS[name], alpha=0.12, linewidth=0
            )
        ax.plot(years, one["probability"], color=COLORS[name], marker="o", ms=2, label=name)
    ax.set_ylim(0, 1.04)
    ax.set_yticks([0, 0.5, 1], ["0", "50 %", "100 %"])
    ax.set_title("stays above its level")


def _indicator(ax: Any, one: xr.Dataset, years: np.ndarray, label: str) -> None:
    factor = 100.0 if label.endswith("%") else 1.0
    came = factor * one["value"].sel(weather=CAME).to_numpy()
    draw_band(ax, years, came, COLORS[CAME])
    expected = factor * np.median(one["value"].sel(weather=EXPECTED).to_numpy(), axis=0)
    ax.plot(years, expected, color=COLORS[EXPECTED], lw=0.9)
    outcome = factor * one["outcome"].to_numpy()
    ax.plot(years, outcome, "o", color=style.INK, ms=3, clip_on=False, zorder=3)
    # The far tail of a count would flatten all else.
    low, high = np.nanmin(outcome), np.nanmax(outcome)
    below, above = np.quantile(came, (0.03, 0.97))
    span = max(high - low, 1e-9)
    ax.set_ylim(
        max(below, low - 3 * span) - 0.05 * span if not factor > 1 else 0,
        100 if factor > 1 else min(above, high + 3 * span),
    )
    ax.set_title(label)
