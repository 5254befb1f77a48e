"""The panel with the running year as its last, the rows of that year put in.

Invariant: rows of the record, constants of the design and earlier years are as in the panel given.
Guarded by ``tests/test_monitor_layout.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairweather.ahead import extend, with_cells

if TYPE_CHECKING:
    import pandas as pd

    from fairweather.panel import Panel


def running(panel: Panel, rows: pd.DataFrame | None = None) -> Panel:
    """Add the running year to a panel: that of the last row, or the one after the record.

    Parameters
    ----------
    panel : Panel
        Up to the record's last year.
    rows : DataFrame, optional
        From `fairweather.monitor.read_rows`.

    Returns
    -------
    Panel
        Its ``origin`` is the running year. Years between have no rows but those given.

    Examples
    --------
    >>> import fairweather as fw
    >>> panel = fw.load_panel(states=["CHN", "RUS", "IND"])
    >>> running(panel).origin - panel.origin
    1
    """
    if rows is None or rows.empty:
        return extend(panel, panel.origin + 1)
    return with_cells(extend(panel, int(rows["year"].max())), rows)


def without(panel: Panel, rows: pd.DataFrame, indicator: str | None = None) -> Panel:
    """Take rows of the running year out of its panel again.

    Parameters
    ----------
    panel : Panel
        From `running`.
    rows : DataFrame
        Those put in.
    indicator : str, optional
        Only this one's; default: all.

    Returns
    -------
    Panel
    """
    from dataclasses import replace

    kept, first = dict(panel.rows), int(panel.years[0])
    for (latent, name), part in rows.groupby(["latent", "indicator"], sort=False):
        if indicator not in (None, name):
            continue
        place = {u: k for k, u in enumerate(panel.units(latent))}
        gone = set(zip(part["unit"].map(place), part["year"] - first, strict=True))
        frame = panel.rows[name]
        keys = zip(frame["unit"].astype(int), frame["time"].astype(int), strict=True)
        frame = frame[[key not in gone for key in keys]].reset_index(drop=True)
        if frame.empty:
            del kept[name]
        else:
            kept[name] = frame
    return replace(panel, rows=kept)
