"""The record as a rival's author would hold it: one block of numbers per indicator.

Invariant: the numbers are those our own model reads (``fairweather.model.prepare``), only cut by
indicator instead of by family, so that a difference between the forms is never one of data.
Guarded by ``tests/test_bench_rivals.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fairweather.model import prepare


@dataclass(frozen=True)
class Item:
    """One indicator.

    Attributes
    ----------
    id, family : str
    place : int
        Its position among the indicators of the family (the axis of the loadings).
    shift : int or None
        Its position among the indicators whose standard shifts by year.
    latent : str
        ``alignment``, ``vote``, ``material`` or ``verbal``: what its units are read from.
    unit : ndarray of int, shape (unit,)
        Dyads or states of the panel.
    sign : float
    seen : ndarray of bool, shape (unit, year)
    y, n : ndarray, shape (unit, year)
        Value and, for counts and shares, exposure or trials; 0 where unseen.
    noise : ndarray, shape (unit, year)
        Standard deviation of a year's innovation (votes), or its ratio to the residual scale.
    carry : list of ndarray, each (unit, year)
        Share of the residual 1, 2, ... years before that is carried into the year.
    extra : dict
        Fixed numbers of the family.
    """

    id: str
    family: str
    place: int
    shift: int | None
    latent: str
    unit: np.ndarray
    sign: float
    seen: np.ndarray
    y: np.ndarray
    n: np.ndarray
    noise: np.ndarray
    carry: list[np.ndarray]
    extra: dict[str, Any]

    def long(self) -> dict[str, np.ndarray]:
        """Lay the seen cells out as rows.

        Returns
        -------
        dict of str to ndarray, each (row,)
            ``unit`` (position in `unit`), ``time``, ``y``, ``n``, ``noise``; ``before``, the row
            whose residual carries over, and ``carry``, the share of it (0 where there is none).
        """
        unit, time = np.nonzero(self.seen)
        row = np.full(self.seen.shape, -1)
        row[unit, time] = np.arange(len(unit))
        before, carry = np.zeros(len(unit), int), np.zeros(len(unit))
        for gap, share in enumerate(self.carry, start=1):
            has = np.flatnonzero(share[unit, time])
            before[has] = row[unit[has], time[has] - gap]
            carry[has] = share[unit[has], time[has]]
        cells = {k: getattr(self, k)[unit, time] for k in ("y", "n", "noise")}
        return {"unit": unit, "time": time, "before": before, "carry": carry, **cells}


def cut(panel: Any, priors: Any) -> dict[str, list[Item]]:
    """Cut the record of a panel by indicator.

    Parameters
    ----------
    panel : fairweather.panel.Panel
    priors : fairweather.priors.Priors

    Returns
    -------
    dict of str to list of Item
        By family, in the order of the axis of the family's loadings.

    Examples
    --------
    >>> import fairweather as fw
    >>> cut(fw.load_panel(), fw.load_priors())["share"][0].family
    'share'
    """
    n_dyad, n_state = len(panel.dyads), len(panel.states)
    start = {0: "alignment", n_dyad: "material", n_dyad + n_state: "verbal",
             n_dyad + 2 * n_state: "vote",
             # Without a lead of their own, items of security and the economy read alignment.
             2 * (n_dyad + n_state): "alignment",
             3 * n_dyad + 2 * n_state: "alignment"}  # fmt: skip
    out = {}
    for family, batch in prepare(panel, priors).items():
        items = []
        for place, ident in enumerate(batch.ids):
            at = np.flatnonzero(batch.which == place)
            seen = batch.mask[at]
            n = np.zeros(seen.shape)
            if family == "count":
                n = np.where(seen, np.exp(np.where(seen, batch.extra["offset"][at], 0.0)), 0.0)
            elif family == "share":
                n = batch.extra["n"][at]
            # e = c0 r - c1 lag1(r) - ... has unit variance: the innovation has SD 1/c0.
            first, *later = [c[at] for c in batch.extra.get("filter", [batch.mask.astype(float)])]
            safe = np.where(seen, first, 1.0)
            shift = batch.shifted.index(place) if place in batch.shifted else None
            extra = {k: v for k, v in batch.extra.items() if isinstance(v, float)}
            if family == "within":
                extra["floor"] = batch.extra["floor"][place]
            if family == "vote":
                extra["basis"] = batch.extra["basis"]
            items.append(
                Item(
                    ident, family, place, shift, start[int(batch.row[at[0]] - batch.unit[at[0]])],
                    batch.unit[at], float(batch.sign[at[0], 0]), seen, batch.y[at], n,
                    np.where(seen, 1.0 / safe, 1.0), [c / safe for c in later], extra,
                )
            )  # fmt: skip
        out[family] = items
    return out
