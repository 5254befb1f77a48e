"""What the record holds and what it does not, at one glance; an empty cell is no zero.

Invariant: a shade is a share of the units there could have been, and true zeros are never drawn as
events. Guarded by ``tests/test_figures.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_rgb
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.transforms import ScaledTranslation

from fairweather.coverage import coverage
from fairweather.figures import style
from fairweather.names import ALIGNMENT, COMPLEMENTARITY, DOMAINS, LIKENESS, PRESSURE

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from fairweather.codebook import Codebook, Indicator
    from fairweather.record import Record

# Upper ends of the classes of the share of possible units, and how much of the colour each gets.
CLASSES = (0.1, 0.4, 0.8, 1.0)
DEPTHS = (0.3, 0.5, 0.75, 1.0)
_TITLES = {
    ALIGNMENT: "Alignment of a pair",
    PRESSURE: "US pressure on a state",
    COMPLEMENTARITY: "Complementarity",
    LIKENESS: "Likeness",
}
_ROW = 0.1  # inches a line
_HEAD = 1.4  # lines a group's title takes
_SILENT = "#A0A0A0"


def caption(record: Record) -> str:
    """Say what the chart shows and of which record.

    Parameters
    ----------
    record : Record

    Returns
    -------
    str
        Names the record by the beginning of its hash.
    """
    day = f", known on {record.as_of}" if record.as_of else ""
    line = " The upright line is where the panel begins." if _long(record) else ""
    return (
        "What the record holds, by indicator and year. The deeper the colour, the larger the share "
        "of the units there could have been (pairs, directed pairs or states that existed) with a "
        "row; the orange part of a cell is the share of its rows that are true zeros. A thin line "
        "without a cell is a year that the codebook covers and nobody has a row for. Indicators "
        "with a hollow mark are recorded, but left aside by the default fit. Numbers: most units "
        f"in a year.{line} Record {record.content_hash[:8]}{day}."
    )


def ordered(codebook: Codebook) -> list[tuple[str, list[Indicator]]]:
    """Group the indicators by latent and domain, those of the default fit first.

    Parameters
    ----------
    codebook : Codebook

    Returns
    -------
    list of (str, list of Indicator)
        Titles of the groups and their indicators, from top to bottom.

    Examples
    --------
    >>> from fairweather.codebook import load_codebook
    >>> ordered(load_codebook())[0][1][0].id
    'unga_votes'
    """
    groups = []
    for latent, domains in DOMAINS.items():
        for domain in domains:
            found = sorted(codebook.by(latent=latent, domain=domain), key=lambda i: not i.default)
            if found:
                groups.append((f"{_TITLES[latent]}: {domain}", found))
    return groups


def shade(color: str, share: float) -> tuple[float, float, float]:
    """Mix a colour with white by the class of a share.

    Examples
    --------
    >>> shade("#000000", 0.9), shade("#000000", 0.05)
    ((0.0, 0.0, 0.0), (0.7, 0.7, 0.7))
    """
    depth = DEPTHS[min(int(np.searchsorted(CLASSES, share)), len(DEPTHS) - 1)]
    return tuple(round(1 - depth * (1 - part), 10) for part in to_rgb(color))  # type: ignore


def plot_coverage(record: Record) -> style.Page:
    """Plot which indicator has rows in which year.

    Parameters
    ----------
    record : Record
        With or without its long record.

    Returns
    -------
    Figure
        One line an indicator, one cell a year.

    Examples
    --------
    >>> import fairweather as fw
    >>> fw.plot_coverage(fw.load_record())  # doctest: +SKIP
    """
    seen = coverage(record)
    groups = ordered(record.codebook)
    lines = sum(len(found) + _HEAD for _, found in groups)
    first, last = int(seen["year"].min()), int(seen["year"].max())
    with style.context():
        fig = style.page(style.DOUBLE, _ROW * lines + 0.9, caption(record))
        ax = fig.subplots()
        cells, colors, y = [], [], 0.0
        for title, found in groups:
            ax.text(first - 0.5, y, title, va="center", fontsize=6, fontweight="bold")
            for one in found:
                y += 1
                rows = seen[seen["indicator"] == one.id]
                _name(ax, one, rows, first, y)
                for cell, color in _cells(rows, y):
                    cells.append(cell)
                    colors.append(color)
            y += _HEAD
        ax.add_collection(PolyCollection(cells, facecolors=colors, linewidths=0))
        _axes(ax, (first, last), y)
        if _long(record):
            ax.axvline(_panel(record) - 0.5, color=style.INK, lw=0.6)
        _legend(fig)
        return style.settle(fig)


def _cells(rows: pd.DataFrame, y: float) -> list[tuple[list[tuple[float, float]], tuple]]:
    """Draw each year as a box, its lower part in another colour for true zeros."""
    out = []
    for row in rows.itertuples(index=False):
        share = row.units / max(row.possible, 1)
        zero = 0.0 if np.isnan(row.zeros) else row.zeros / row.rows
        low, high = y + 0.42, y - 0.42  # the axis points down
        cut = low + (high - low) * zero
        for bottom, top, color in ((low, cut, style.ORANGE), (cut, high, style.BLUE)):
            if bottom != top:
                out.append((_box(row.year, bottom, top), shade(color, share)))
    return out


def _box(year: int, bottom: float, top: float) -> list[tuple[float, float]]:
    left, right = year - 0.45, year + 0.45
    return [(left, bottom), (left, top), (right, top), (right, bottom)]


def _name(ax: Axes, one: Indicator, rows: pd.DataFrame, first: int, y: float) -> None:
    """Write the line's name, mark and size, and draw the covered years that have no row."""
    color = style.INK if one.default else style.GREY
    silent = np.setdiff1d(
        np.arange(max(one.history_from or one.first_year, first), one.last_year + 1), rows["year"]
    )
    ax.hlines(np.full(len(silent), y), silent - 0.5, silent + 0.5, color=_SILENT, lw=0.7)
    most = int(rows["units"].max()) if len(rows) else 0
    beside = ax.get_yaxis_transform()
    ax.plot([0], [y], "o", ms=2.4, mec=color, mew=0.5, mfc=color if one.default else "white",
            transform=beside + ScaledTranslation(-5 / 72, 0, ax.figure.dpi_scale_trans),
            clip_on=False)  # fmt: skip
    for text, side, shift, ink in (
        (one.label, "right", -10, color),
        (str(most), "right", 16, style.INK),
        (one.id, "left", 20, style.GREY),
    ):
        ax.annotate(
            text, (0 if shift < 0 else 1, y), (shift, 0), xycoords=beside,
            textcoords="offset points", ha=side, va="center", fontsize=5.2, color=ink,
        )  # fmt: skip


def _panel(record: Record) -> int:
    return min(one.first_year for one in record.codebook.indicators)


def _long(record: Record) -> bool:
    """Say whether the long record is among the rows."""
    return int(record.observations["year"].min()) < _panel(record)


def _axes(ax: Axes, years: tuple[int, int], bottom: float) -> None:
    first, last = years
    ax.set_xlim(first - 0.5, last + 0.5)
    ax.set_ylim(bottom - 0.5, -0.8)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    ax.tick_params(labeltop=True, top=True, labelsize=6)
    ax.spines["top"].set_visible(True)
    ticks = [y for y in range(first, last + 1) if y % (10 if last - first > 45 else 5) == 0]
    ax.set_xticks(ticks)
    ax.grid(axis="x", color="#E5E5E5", lw=0.4)
    ax.set_axisbelow(True)


def _legend(fig: style.Page) -> None:
    lows = (0, *CLASSES[:-1])
    handles = [
        Patch(
            facecolor=shade(style.BLUE, high),
            label=f"{100 * low:.0f}–{100 * high:.0f} % of possible units",
        )
        for low, high in zip(lows, CLASSES, strict=True)
    ]
    dot = {"ls": "", "marker": "o", "ms": 3, "mew": 0.5, "color": style.INK}
    handles += [
        Patch(facecolor=style.ORANGE, label="true zeros among the rows"),
        Line2D([], [], color=_SILENT, lw=0.8, label="covered, but no row"),
        Line2D([], [], label="in the default fit", **dot),
        Line2D([], [], label="left aside", **{**dot, "mfc": "white", "mec": style.GREY}),
    ]
    fig.legend(handles=handles, loc="outside lower center", ncols=4, fontsize=6,
               handlelength=1.2, columnspacing=1.5)  # fmt: skip
