"""Draws of a fit as seen from an earlier year: the same parameters, the paths up to that year.

Invariant: a forecast from the view is the model's own from the state of that year; level, trend and
target in any year are those of the whole draws. Guarded by ``tests/test_monitor_view.py``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from fairweather import names
from fairweather.monitor.rows import MonitorError

if TYPE_CHECKING:
    from fairweather.draws import Draws

_FIRST = 3  # years a view has at least: a step of the target needs two


def until(draws: Draws, year: int) -> Draws:
    """See draws from an earlier year.

    Parameters
    ----------
    draws : Draws
        Of a fit that reaches beyond the year, or to it.
    year : int
        Last year of the view.

    Returns
    -------
    Draws
        Its panel ends with `year`. The level is restated: in the model it belongs to the middle of
        the years, and these are fewer.

    Raises
    ------
    MonitorError
        The year is not among those of the fit.

    Examples
    --------
    >>> until(Draws.of(tree, panel), 2020).panel.origin  # doctest: +SKIP
    2020
    """
    panel = draws.panel
    if not int(panel.years[0]) + _FIRST - 1 <= year <= panel.origin:
        raise MonitorError(
            f"{year} is not a year one can look back from: the fit runs "
            f"{panel.years[0]}-{panel.origin}",
            remedy="Name a later year, or one the fit reaches.",
        )
    if year == panel.origin:
        return draws
    keep = panel.years <= year
    last = int(keep.sum())
    cut = replace(
        panel, years=panel.years[keep], complementarity=_cut(panel.complementarity, last),
        likeness=_cut(panel.likeness, last), anchor_fill=panel.anchor_fill[..., :last],
        rows={k: f[f["time"] < last] for k, f in panel.rows.items() if (f["time"] < last).any()},
    )  # fmt: skip
    moved = float(cut.years.mean() - panel.years.mean()) / 10.0
    data = draws.data.isel({names.YEAR: np.flatnonzero(keep)})
    data = data.assign(level=data["level"] + moved * data["dyad_drift"])
    return replace(draws, panel=cut, data=data)


def _cut(x: np.ndarray, last: int) -> np.ndarray:
    return x[..., :last] if x.size else x
