"""The rows a fit has seen, kept in its tree with the constants of its design.

Invariant: a fit says itself what it was made from, to the last digit; a record that has moved on
cannot change what it says. Guarded by ``tests/test_renewal_rows.py``.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from fairweather import names

if TYPE_CHECKING:
    import xarray as xr

    from fairweather.panel import Panel

ROWS = "rows"
COLUMNS = ("value", "partial", "opposite", "n")


def rows_dataset(panel: Panel) -> xr.Dataset:
    """Lay the rows of a panel out as one table with the constants of the design.

    Parameters
    ----------
    panel : Panel
        As a reading sees it.

    Returns
    -------
    Dataset
        On ``row``: ``which`` (place in ``attrs["indicators"]``), ``unit``, ``time`` and the columns
        of the rows; on ``state``: ``movement``. ``attrs`` hold mean and spread constants.

    Examples
    --------
    >>> import fairweather as fw
    >>> panel = fw.load_panel(states=["CHN", "RUS", "IND"])
    >>> rows_dataset(panel).sizes["row"] == sum(map(len, panel.rows.values()))
    True
    """
    import xarray as xr

    ids, frames = list(panel.rows), list(panel.rows.values())
    which = np.repeat(np.arange(len(ids)), [len(f) for f in frames])

    def column(name: str, kind: type) -> np.ndarray:
        parts = [f[name].to_numpy(kind) for f in frames]
        return np.concatenate(parts) if parts else np.zeros(0, kind)

    data = {"which": ("row", which.astype(np.int16))}
    data |= {c: ("row", column(c, np.int16)) for c in ("unit", "time")}
    data |= {c: ("row", column(c, float)) for c in COLUMNS}
    data["movement"] = (names.STATE, np.asarray(panel.movement, float))
    attrs = {"indicators": json.dumps(ids), "anchor_mean": float(panel.anchor_mean),
             "spread": json.dumps(panel.spread)}  # fmt: skip
    return xr.Dataset(data, coords={names.STATE: list(panel.states)}, attrs=attrs)


def panel_from(tree: xr.DataTree, like: Panel) -> Panel | None:
    """Lay out again the panel a fit was made from.

    Parameters
    ----------
    tree : DataTree
        A fit.
    like : Panel
        Any panel of the same codebook, such as a later one; its record comes with it.

    Returns
    -------
    Panel or None
        As the reading of the fit saw it; None if the fit keeps no rows.

    Examples
    --------
    >>> panel_from(fw.fit(panel), panel).origin == panel.origin  # doctest: +SKIP
    True
    """
    import pandas as pd

    if ROWS not in tree.children:
        return None
    data, posterior = tree[ROWS].to_dataset().load(), tree["posterior"]
    states = tuple(str(s) for s in posterior[names.STATE].values)
    dyads = tuple(str(d) for d in posterior[names.DYAD].values)
    place = {s: k for k, s in enumerate(states)}
    pairs = [d.split("-") for d in dyads]
    frame = pd.DataFrame({c: data[c].to_numpy() for c in ("which", "unit", "time", *COLUMNS)})
    frame = frame.astype({"unit": int, "time": int})
    rows = {
        name: frame.loc[frame["which"] == k, ["unit", "time", *COLUMNS]].reset_index(drop=True)
        for k, name in enumerate(json.loads(data.attrs["indicators"]))
    }
    constant = tree["constant_data"].to_dataset()
    driver = constant["value"] if "value" in constant else None
    kinds = () if driver is None else tuple(str(k) for k in driver[names.KIND].values)
    years = posterior[names.YEAR].values.astype(int)
    blank = np.zeros((0, len(dyads), len(years)))
    return replace(
        like, states=states, dyads=dyads, years=years, focal=str(tree.attrs["focal"]),
        left=np.array([place[a] for a, _ in pairs]), right=np.array([place[b] for _, b in pairs]),
        rows=rows, complementarity=blank if driver is None else driver.to_numpy(), kinds=kinds,
        anchor_fill=constant["anchor_fill"].to_numpy(), movement=data["movement"].to_numpy(),
        anchor_mean=float(data.attrs["anchor_mean"]),
        reference={k: tuple(v) for k, v in json.loads(tree.attrs["reference"]).items()},
        spread=json.loads(data.attrs["spread"]),
    )  # fmt: skip
