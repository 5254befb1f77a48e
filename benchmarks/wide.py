"""Panels of any width, made of copies of the real one: for timing only.

Invariant: a copy has the rows of what it copies, so that the rows of a dyad, and with them the
work per dyad, are about those of the record at every width. Nothing fitted to such a panel means
anything. Guarded by ``tests/test_bench_engine.py::test_a_wide_panel_copies_the_record``.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pandas as pd

from fairweather import names


def widen(panel: Any, n_states: int) -> Any:
    """Make a panel of so many states, and all their dyads.

    Parameters
    ----------
    panel : fairweather.panel.Panel
        Where the rows come from; its focal dyad stays.
    n_states : int
        More than those of `panel` make copies; fewer leave states out, never the focal two.

    Returns
    -------
    fairweather.panel.Panel
        Copy ``k`` of ``AFG`` is called ``AFG.00k``. A dyad of copies has the rows of the dyad of
        their originals; two copies of one state, which has no dyad with itself, those of that
        state with the next one. Complementarity, anchor and movement are copied likewise; centre
        and spread of the anchors are those of `panel`.

    Raises
    ------
    ValueError
        Fewer than three states.

    Examples
    --------
    >>> import fairweather as fw
    >>> wide = widen(fw.load_panel(states=["CHN", "IND", "RUS"]), 5)
    >>> wide.states
    ('CHN', 'CHN.001', 'IND', 'RUS', 'RUS.001')
    """
    if n_states < 3:
        raise ValueError(f"{n_states} states make no panel; ask for three or more")
    first = panel.focal.split("-")
    order = [*first, *(s for s in panel.states if s not in first)]
    made = [(s, k) for k in range(-(-n_states // len(order))) for s in order][:n_states]
    pairs = sorted((s if k == 0 else f"{s}.{k:03d}", s) for s, k in made)
    states = tuple(code for code, _ in pairs)
    origin = np.array([panel.states.index(s) for _, s in pairs])
    left, right = np.triu_indices(n_states, 1)
    dyad = _dyads(panel)[origin[left], origin[right]]
    rows = {}
    for latent, source in ((names.ALIGNMENT, dyad), (names.PRESSURE, origin)):
        for indicator in panel.indicators(latent):
            rows[indicator.id] = _copied(panel.rows[indicator.id], source)
    return dataclasses.replace(
        panel, states=states, dyads=tuple(f"{states[i]}-{states[j]}" for i, j in zip(
            left, right, strict=True)), left=left, right=right,
        rows={k: v for k, v in rows.items() if len(v)},
        complementarity=panel.complementarity[:, dyad], anchor_fill=panel.anchor_fill[origin],
        movement=panel.movement[origin], likeness=panel.likeness[:, dyad],
    )  # fmt: skip


def _dyads(panel: Any) -> np.ndarray:
    """Position of the dyad of two states, shape (state, state); of a state with the next one."""
    n = len(panel.states)
    out = np.zeros((n, n), int)
    out[panel.left, panel.right] = out[panel.right, panel.left] = np.arange(len(panel.dyads))
    state = np.arange(n)
    out[state, state] = out[state, (state + 1) % n]
    return out


def _copied(rows: pd.DataFrame, source: np.ndarray) -> pd.DataFrame:
    """Rows of every new unit: those of the unit it copies."""
    new = pd.DataFrame({"unit": source, "copy": np.arange(len(source))})
    out = new.merge(rows, on="unit", how="inner")
    return out.assign(unit=out["copy"]).drop(columns="copy")
