"""How the rows of two panels differ, by label: new, changed, withdrawn.

Invariant: a row is known by indicator, unit and year, not by its place, so that panels of other
years and states can be compared. Guarded by ``tests/test_renewal_rows.py``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from fairweather import names
from fairweather.kept_rows import COLUMNS, panel_from

if TYPE_CHECKING:
    import pandas as pd

    from fairweather.archive import Results
    from fairweather.panel import Panel

NEW, CHANGED, WITHDRAWN = "new", "changed", "withdrawn"
_KEYS = [names.INDICATOR, "unit", names.YEAR]


def panel_before(before: Results, panel: Panel) -> Panel | None:
    """Lay out the panel that an archived run was made from.

    Parameters
    ----------
    before : Results
    panel : Panel
        A later one: codebook and record come from it.

    Returns
    -------
    Panel or None
        None if the run kept no rows: it was made by an earlier version.

    Examples
    --------
    >>> panel_before(fw.open_results("results/RUN"), fw.load_panel())  # doctest: +SKIP
    """
    return panel_from(before.tree, panel)


def long_rows(panel: Panel) -> pd.DataFrame:
    """List the rows of a panel with labels.

    Returns
    -------
    DataFrame
        indicator, unit, year, value, partial, opposite, n.

    Examples
    --------
    >>> import fairweather as fw
    >>> panel = fw.load_panel(states=["CHN", "RUS", "IND"])
    >>> len(long_rows(panel)) == sum(map(len, panel.rows.values()))
    True
    """
    import pandas as pd

    parts = []
    for latent in (names.ALIGNMENT, names.PRESSURE):
        axis = np.array(panel.units(latent))
        for one in panel.indicators(latent):
            frame = panel.rows[one.id]
            parts.append(pd.DataFrame({
                names.INDICATOR: one.id, "unit": axis[frame["unit"].to_numpy(int)],
                names.YEAR: panel.years[frame["time"].to_numpy(int)],
                **{c: frame[c].to_numpy(float) for c in COLUMNS},
            }))  # fmt: skip
    if not parts:
        return pd.DataFrame(columns=[*_KEYS, *COLUMNS])
    return pd.concat(parts, ignore_index=True)


def difference(old: Panel, new: Panel) -> pd.DataFrame:
    """List the rows in which two panels differ.

    Parameters
    ----------
    old, new : Panel

    Returns
    -------
    DataFrame
        indicator, unit, year, ``status`` (new, changed or withdrawn), in this order.

    Examples
    --------
    >>> import fairweather as fw
    >>> panel = fw.load_panel(states=["CHN", "RUS", "IND"])
    >>> fewer = fw.hold_out(panel, indicators="trade_cow", units="CHN-RUS", years=2010)
    >>> difference(fewer, panel).values.tolist()
    [['trade_cow', 'CHN-RUS', 2010, 'new']]
    """
    a, b = (long_rows(p).set_index(_KEYS) for p in (old, new))
    both = a.index.intersection(b.index)
    x, y = (t.loc[both, list(COLUMNS)].to_numpy(float) for t in (a, b))
    moved = ~((x == y) | (np.isnan(x) & np.isnan(y))).all(axis=1)
    parts = {NEW: b.index.difference(both), CHANGED: both[moved],
             WITHDRAWN: a.index.difference(both)}  # fmt: skip
    import pandas as pd

    frames = [i.to_frame(index=False).assign(status=s) for s, i in parts.items() if len(i)]
    if not frames:
        return pd.DataFrame(columns=[*_KEYS, "status"])
    out = pd.concat(frames, ignore_index=True)
    return out.sort_values(_KEYS, ignore_index=True)


def without(panel: Panel, before: Panel, indicator: str) -> Panel:
    """Put the earlier rows of one indicator in the place of its rows.

    Parameters
    ----------
    panel, before : Panel
    indicator : str

    Returns
    -------
    Panel
        With the axes and the constants of the design of `panel`; an indicator that `before` lacks
        goes.

    Examples
    --------
    >>> import fairweather as fw
    >>> panel = fw.load_panel(states=["CHN", "RUS", "IND"])
    >>> fewer = fw.hold_out(panel, indicators="trade_cow", years=range(2010, 2014))
    >>> len(difference(fewer, without(panel, fewer, "trade_cow")))
    0
    """
    rows = {k: v for k, v in panel.rows.items() if k != indicator}
    if indicator in before.rows:
        latent = panel.record.codebook[indicator].latent
        frame = before.rows[indicator]
        place = {u: k for k, u in enumerate(panel.units(latent))}
        axis = before.units(latent)
        unit = np.array([place.get(axis[u], -1) for u in frame["unit"].to_numpy(int)], int)
        time = before.years[frame["time"].to_numpy(int)] - int(panel.years[0])
        here = (unit >= 0) & (time >= 0) & (time < len(panel.years))
        if here.any():
            rows[indicator] = frame.assign(unit=unit, time=time)[here].reset_index(drop=True)
    return replace(panel, rows=rows)
