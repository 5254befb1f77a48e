"""Leave rows out of a panel, so that what was predicted can be held against them.

Invariant: nothing the model reads depends on a value that was left out, save the constants of the
design: mean and movement of the pressure anchor, complementarity, the reference period. They stay
those of the whole panel, so that fits with and without the rows are on one scale.
Guarded by ``tests/test_holdout.py``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from fairweather import names
from fairweather.errors import FairweatherError
from fairweather.panel import fill_anchor

if TYPE_CHECKING:
    from fairweather.panel import Panel
    from fairweather.record import Record

Years = int | range | Iterable[int | range]


class HoldOutError(FairweatherError):
    """What should be left out is not there."""


def hold_out(
    panel: Panel,
    *,
    indicators: str | Iterable[str] | None = None,
    units: str | Iterable[str] | None = None,
    years: Years | None = None,
) -> Panel:
    """Copy a panel without the rows that match all conditions given.

    Parameters
    ----------
    panel : Panel
    indicators : str or iterable of str, optional
        Ids of indicators with rows in the panel.
    units : str or iterable of str, optional
        Labels of dyads (``CHN-RUS``) or states (``RUS``). A state stands for rows coded for the
        state itself, not for those of its dyads.
    years : int, range or iterable of these, optional
        A range may reach beyond the panel, a single year may not.

    Returns
    -------
    Panel
        Same axes and constants of the design. The anchor of pressure is interpolated anew from
        the rows that are left, and the record lacks the rows too: the copy has a hash of its own.

    Raises
    ------
    HoldOutError
        No condition, an unknown name, a year outside the panel, or nothing matches.

    Examples
    --------
    >>> import fairweather as fw
    >>> panel = fw.load_panel(states=["CHN", "RUS", "IND"])
    >>> fewer = hold_out(panel, indicators="trade_cow", units="CHN-RUS", years=range(2005, 2010))
    >>> len(panel.rows["trade_cow"]) - len(fewer.rows["trade_cow"])
    5
    """
    if indicators is None and units is None and years is None:
        raise HoldOutError("nothing says what to leave out", remedy="Name indicators or years.")
    wanted = _known(panel, indicators)
    labels = _labels(panel, units)
    steps = None if years is None else _years(panel, years) - int(panel.years[0])
    rows, gone = dict(panel.rows), []
    for latent in (names.ALIGNMENT, names.PRESSURE):
        axis = np.array(panel.units(latent))
        for ind in panel.indicators(latent):
            if ind.id not in wanted:
                continue
            frame = panel.rows[ind.id]
            out = np.ones(len(frame), bool)
            if labels is not None:
                out &= np.isin(axis[frame["unit"]], list(labels))
            if steps is not None:
                out &= np.isin(frame["time"], steps)
            gone.append(_keys(ind.id, axis, panel.years, frame[out]))
            left = frame[~out].reset_index(drop=True)
            if left.empty:
                del rows[ind.id]
            else:
                rows[ind.id] = left
    keys = pd.concat(gone, ignore_index=True) if gone else pd.DataFrame()
    if keys.empty:
        raise HoldOutError(
            "no row matches all of the conditions",
            remedy="Look at panel.rows for what there is.",
        )
    if not rows:
        raise HoldOutError("no row would be left", remedy="Leave fewer out.")
    return replace(
        panel, record=_without(panel.record, keys), rows=rows, anchor_fill=fill_anchor(panel, rows)
    )


def _several(given: str | Iterable[str]) -> list[str]:
    return [given] if isinstance(given, str) else list(given)


def _known(panel: Panel, indicators: str | Iterable[str] | None) -> set[str]:
    wanted = set(panel.rows if indicators is None else _several(indicators))
    for name in sorted(wanted - set(panel.rows)):
        one = panel.record.codebook[name]  # refuses what no codebook knows, with a near miss
        raise HoldOutError(
            f"indicator '{one.id}' has no rows in this panel",
            remedy=f"It reads {', '.join(panel.rows)}.",
        )
    return wanted


def _labels(panel: Panel, units: str | Iterable[str] | None) -> set[str] | None:
    if units is None:
        return None
    wanted = set(_several(units))
    unknown = sorted(wanted - {*panel.dyads, *panel.states})
    if unknown:
        raise HoldOutError(
            f"no dyad or state {', '.join(map(repr, unknown))} in this panel",
            remedy=f"Its states are {', '.join(panel.states)}; dyads are alphabetical, as CHN-RUS.",
        )
    return wanted


def _years(panel: Panel, years: Years) -> np.ndarray:
    first, last = int(panel.years[0]), panel.origin
    found: set[int] = set()
    for one in [years] if isinstance(years, int | np.integer | range) else years:
        if isinstance(one, range):
            found.update(one)
        elif isinstance(one, bool) or not isinstance(one, int | np.integer):
            raise HoldOutError(f"{one!r} is no year", remedy="Write 2014 or range(2014, 2018).")
        elif not first <= one <= last:
            raise HoldOutError(f"{one} is not among the years of this panel, {first}-{last}")
        else:
            found.add(int(one))
    return np.array(sorted(found), int)


def _keys(indicator: str, axis: np.ndarray, years: np.ndarray, frame: pd.DataFrame) -> pd.DataFrame:
    """Name rows as the record does."""
    unit, year = axis[frame["unit"]], years[frame["time"]]
    return pd.DataFrame({"indicator": indicator, "unit": unit, "year": year})


def _without(record: Record, keys: pd.DataFrame) -> Record:
    """Take rows out of a record and out of the vintages behind it."""
    gone = pd.MultiIndex.from_frame(keys)

    def rest(table: pd.DataFrame) -> pd.DataFrame:
        here = pd.MultiIndex.from_frame(table[["indicator", "unit", "year"]])
        return table[~here.isin(gone)].reset_index(drop=True)

    return replace(record, observations=rest(record.observations), ledger=rest(record.ledger))
