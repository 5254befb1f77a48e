"""Density of a draw given other rows, less that given the rows it was drawn with.

Invariant: the ratio is that of the two posteriors, up to a constant, at the same point: what a
family works out from its rows (the floor of a residual, the link to a neighbouring year) is that
of each side. Guarded by ``tests/test_renewal_ratio.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from fairweather.errors import FairweatherError
from fairweather.measurement import PARAMETERS, get_family
from fairweather.measurement.batch import Batch
from fairweather.observables import take
from fairweather.structure import stacked

if TYPE_CHECKING:
    from fairweather.panel import Panel
    from fairweather.priors import Priors

_AT_ONCE = 250


class UnweighableError(FairweatherError):
    """The draws lack a parameter that the rows need."""


def log_ratio(
    values: Mapping[str, np.ndarray],
    panel: Panel,
    fitted: dict[str, Batch],
    other: dict[str, Batch],
    priors: Priors,
) -> np.ndarray:
    """Log likelihood of other rows less that of the rows of the fit, draw by draw.

    Parameters
    ----------
    values : mapping of str to ndarray
        Draws of the fit, named as in the posterior, draw axis first.
    panel : Panel
        Of the fit: its axes are those of the draws.
    fitted : dict of str to Batch
        From ``fairweather.model.prepare``: what the fit saw, and whose labels its parameters bear.
    other : dict of str to Batch
        The other rows, laid out on the same axes.
    priors : Priors
        A quantity held fixed is read from here.

    Returns
    -------
    ndarray, shape (draw,)
        Up to a constant.

    Raises
    ------
    UnweighableError
        The other rows need a parameter that the fit does not have.

    Examples
    --------
    >>> log_ratio(values, panel, model.batches, prepare(more, priors), priors)  # doctest: +SKIP
    """
    sides = []
    for family in PARAMETERS:
        before, after = fitted.get(family), other.get(family)
        items = _moved(before, after)
        for sign, batch in ((-1.0, before), (1.0, after)):
            if batch is None or not items:
                continue
            series = np.flatnonzero([batch.ids[k] in items for k in batch.which])
            if family != "within":
                # The floor of a residual hangs on all series of an item; else only these differ.
                series = series[_differs(batch, series, after if sign < 0 else before)]
            if len(series):
                _check(batch, before)
                sides.append((sign, batch, series, before))
    draws = len(values["alignment"])
    out = np.zeros(draws)
    if not sides:
        return out
    wanted = {n for names in PARAMETERS.values() for n in names.values()} | {
        "alignment", "pressure", "words", "delegation", "gap", "lead_security", "lead_economic",
        "residual_spare",
    }  # fmt: skip
    dyads, view = _concerned(panel, sides)
    for first in range(0, draws, _AT_ONCE):
        part = slice(first, first + _AT_ONCE)
        some = {
            k: np.asarray(v[part][:, dyads] if k in ("alignment", "gap") else v[part], float)
            for k, v in values.items() if k in wanted
        }  # fmt: skip
        for name in ("lead_security", "lead_economic"):
            if "gap" in some and name not in some:
                some[name] = np.full(len(some["alignment"]), priors.fixed(name))
        paths = stacked(view, some)
        for sign, batch, series, own in sides:
            few = take(batch, series)
            few = replace(few, row=_rows(panel, few.row, dyads))
            par = _parameters(some, batch, own, series, priors)
            found = get_family(batch.family).fit_logp(few, few.read(paths), par)
            out[part] += sign * found.sum(axis=-1)
    return out


def _places(panel: Panel, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Block of the stacked latents of each row, and its place there (see ``model.stack``)."""
    d, s = len(panel.dyads), len(panel.states)
    starts = np.cumsum([0, d, s, s, d, d])
    block = np.searchsorted(starts, rows, side="right") - 1
    return block, rows - starts[block]


def _concerned(panel: Panel, sides: list[tuple[Any, ...]]) -> tuple[np.ndarray, Any]:
    """Positions of the dyads that any of the series reads, and a view of the panel with them."""
    found = [np.zeros(1, int)]
    for _, batch, series, _ in sides:
        block, place = _places(panel, batch.row[series])
        found.append(place[(block != 1) & (block != 2)])
    dyads = np.unique(np.concatenate(found))
    return dyads, SimpleNamespace(left=panel.left[dyads], right=panel.right[dyads])


def _rows(panel: Panel, rows: np.ndarray, dyads: np.ndarray) -> np.ndarray:
    """Rows of the stacked latents where only some dyads are stacked."""
    block, place = _places(panel, rows)
    d, s = len(dyads), len(panel.states)
    dyadic = (block != 1) & (block != 2)
    place = np.where(dyadic, np.searchsorted(dyads, place), place)
    return np.cumsum([0, d, s, s, d, d])[block] + place


def _keys(batch: Batch | None) -> dict[tuple[str, int], int]:
    if batch is None:
        return {}
    return {(batch.ids[k], int(u)): n
            for n, (k, u) in enumerate(zip(batch.which, batch.unit, strict=True))}  # fmt: skip


def _same(a: Batch, i: int, b: Batch, j: int) -> bool:
    """Whether two series hold the same rows."""
    same = np.array_equal(a.mask[i], b.mask[j]) and np.array_equal(a.y[i], b.y[j])
    for name in ("offset", "n", "thin"):
        if same and name in a.extra:
            same = np.array_equal(a.extra[name][i], b.extra[name][j])
    return bool(same)


def _differs(batch: Batch, series: np.ndarray, other: Batch | None) -> np.ndarray:
    place, out = _keys(other), np.ones(len(series), bool)
    for n, s in enumerate(series):
        match = place.get((batch.ids[batch.which[s]], int(batch.unit[s])))
        out[n] = match is None or not _same(batch, s, other, match)
    return out


def _moved(before: Batch | None, after: Batch | None) -> set[str]:
    """Return the indicators of which any series differs."""
    out: set[str] = set()
    for batch, other in ((before, after), (after, before)):
        if batch is None:
            continue
        every = np.arange(len(batch.unit))
        different = every[_differs(batch, every, other)]
        out |= {batch.ids[k] for k in batch.which[different]}
    return out


def _check(batch: Batch, fitted: Batch | None) -> None:
    """Refuse rows that need a parameter the fit does not have."""
    named = PARAMETERS[batch.family]
    lacking = set() if not named or fitted is batch else set(batch.ids) - set(_ids(fitted))
    if not lacking and "shift" in named and fitted is not None:
        lacking = _shifted(batch) - _shifted(fitted)
    if not lacking and "level" in named:
        lacking = {f"{i}:{u}" for i, u in set(_keys(batch)) - set(_keys(fitted))}
    if lacking:
        raise UnweighableError(
            f"the fit has no parameter for {', '.join(sorted(lacking))}", remedy="Fit anew."
        )


def _ids(batch: Batch | None) -> list[str]:
    return [] if batch is None else batch.ids


def _shifted(batch: Batch) -> set[str]:
    return {batch.ids[k] for k in batch.shifted}


def _parameters(
    values: Mapping[str, np.ndarray], batch: Batch, fitted: Batch | None, series: np.ndarray,
    priors: Priors,
) -> dict[str, np.ndarray]:  # fmt: skip
    """Parameters of some series of a batch, found by label among those of the fit."""
    out, draws = {}, len(values["alignment"])
    if fitted is None or not PARAMETERS[batch.family]:
        return out
    item = [fitted.ids.index(i) for i in batch.ids]
    for inner, name in PARAMETERS[batch.family].items():
        if inner == "shift":
            if batch.shifted:
                own = [fitted.ids[k] for k in fitted.shifted]
                out[inner] = values[name][:, [own.index(batch.ids[k]) for k in batch.shifted]]
        elif inner == "agenda":
            out[inner] = values[name]
        elif inner == "scale":
            if "residual_spare" in values:
                spare = values["residual_spare"][:, item]
            else:
                spare = np.full((draws, len(item)), priors.fixed("residual_spare"))
            out[inner] = batch.extra["floor"] * np.sqrt(1.0 + spare**2)
        elif inner == "level":
            if name not in values:
                out[inner] = np.full((draws, len(series)), priors.fixed(name))
                continue
            place = _keys(fitted)
            at = [place[batch.ids[batch.which[s]], int(batch.unit[s])] for s in series]
            out[inner] = values[name][:, at]
        elif name in values:
            out[inner] = values[name][:, item]
        else:
            out[inner] = np.full((draws, len(item)), priors.fixed(name))
    return out
