"""Plain forecasts that any model has to beat, as interchangeable pieces.

Invariant: a plain forecast is made from the rows known at the origin alone; every one is a module
with the same names:

``LABEL``
    What it says, in a sentence.
``foresee(known, cells, rng, draws)``
    Draws of cells on the link scale of their family, (cell, draw), NaN where it cannot speak.

Guarded by the conformance suite ``tests/test_baselines.py``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np

from fairweather import names
from fairweather.errors import FairweatherError
from fairweather.scales import link

if TYPE_CHECKING:
    import pandas as pd

    from fairweather.panel import Panel

BASELINES: dict[str, str] = {
    "random-walk": "fairweather.baselines.random_walk",
    "trend": "fairweather.baselines.trend",
    "ar1": "fairweather.baselines.ar1",
    "climatology": "fairweather.baselines.climatology",
    "index": "fairweather.baselines.index",
}
# Fewer rows than this say nothing about a series.
LEAST_ROWS = 5
# A series' own variance counts as many years as it has, that of its indicator as many as this.
BORROWED = 4.0


class BaselineError(FairweatherError):
    """A plain forecast cannot be made as asked."""


@dataclass(frozen=True)
class Item:
    """One indicator's known rows on the link scale.

    Attributes
    ----------
    id, family, latent : str
    units : tuple of str
    years : ndarray of int, shape (year,)
    x : ndarray, shape (series, year)
        NaN where there is no row.
    """

    id: str
    family: str
    latent: str
    sign: float
    units: tuple[str, ...]
    years: np.ndarray
    x: np.ndarray

    @property
    def last(self) -> tuple[np.ndarray, np.ndarray]:
        """Last value of each series and its year."""
        seen = ~np.isnan(self.x)
        at = self.x.shape[1] - 1 - np.argmax(seen[:, ::-1], axis=1)
        return self.x[np.arange(len(self.x)), at], self.years[at]

    @property
    def rows(self) -> np.ndarray:
        """How many rows each series has."""
        return (~np.isnan(self.x)).sum(axis=1)

    def steps(self) -> tuple[np.ndarray, np.ndarray]:
        """Take changes between neighbouring rows.

        Returns
        -------
        change, gap : ndarray, shape (series, year)
            The change and the years since the row before; NaN where there is none.
        """
        change, gap = np.full(self.x.shape, np.nan), np.full(self.x.shape, np.nan)
        for s, x in enumerate(self.x):
            at = np.flatnonzero(~np.isnan(x))
            change[s, at[1:]] = np.diff(x[at])
            gap[s, at[1:]] = np.diff(self.years[at])
        return change, gap


def shrunk(square: np.ndarray) -> np.ndarray:
    """Mean square of each series, drawn towards that of all series of the indicator.

    Parameters
    ----------
    square : ndarray, shape (series, year)
        NaN where there is none.

    Returns
    -------
    ndarray, shape (series,)

    Examples
    --------
    >>> shrunk(np.array([[1.0, 1.0, 1.0, 1.0], [3.0, 3.0, 3.0, 3.0]])).tolist()
    [1.5, 2.5]
    """
    n = (~np.isnan(square)).sum(axis=1)
    total = np.nansum(square, axis=1)
    common = total.sum() / max(n.sum(), 1)
    return (total + BORROWED * common) / (n + BORROWED)


class Known:
    """Rows of a panel as plain forecasts read them.

    Parameters
    ----------
    panel : Panel
        As known at the origin.
    """

    def __init__(self, panel: Panel) -> None:
        self.items: dict[str, Item] = {}
        for latent in (names.ALIGNMENT, names.PRESSURE):
            units = panel.units(latent)
            for one in panel.indicators(latent):
                rows = panel.rows[one.id]
                if one.family in ("share", "vote"):
                    rows = rows[rows["n"] > 0]  # a share of no trials is no value
                if rows.empty:
                    continue
                value = rows["value"].to_numpy(float)
                n = rows["n"].to_numpy(float)
                if one.family == "vote":
                    from fairweather.measurement.vote import score

                    logit = score(value, rows["partial"].to_numpy(float), n)
                    value = 1.0 / (1.0 + np.exp(-logit))
                held, at = np.unique(rows["unit"].to_numpy(int), return_inverse=True)
                x = np.full((len(held), len(panel.years)), np.nan)
                x[at, rows["time"].to_numpy(int)] = link(one.family, value, n)
                self.items[one.id] = Item(
                    one.id, one.family, latent, float(one.sign), tuple(units[k] for k in held),
                    panel.years, x,
                )  # fmt: skip

    def meet(
        self, cells: pd.DataFrame
    ) -> Iterator[tuple[np.ndarray, Item, np.ndarray, np.ndarray]]:
        """Walk the cells indicator by indicator.

        Yields
        ------
        at : ndarray of int
            Positions among the cells.
        item : Item
        series : ndarray of int
            Series of each.
        lead : ndarray of int
            Years from the last known row of its series.

        Raises
        ------
        BaselineError
            A cell is not after the last known row of its series.
        """
        for name, part in cells.groupby("indicator", sort=False):
            item = self.items.get(str(name))
            if item is None:
                continue
            place = {u: k for k, u in enumerate(item.units)}
            series = part["unit"].map(place)
            part, series = part[series.notna()], series[series.notna()].to_numpy(int)
            enough = item.rows[series] >= LEAST_ROWS
            part, series = part[enough], series[enough]
            lead = part["year"].to_numpy(int) - item.last[1][series]
            if (lead < 1).any():
                bad = part[lead < 1].iloc[0]
                raise BaselineError(
                    f"{bad['indicator']} of {bad['unit']} in {bad['year']} is already known",
                    remedy="Ask for years after the last row of a series.",
                )
            yield cells.index.get_indexer(part.index), item, series, lead


def get_baseline(name: str) -> ModuleType:
    """Return the module of a plain forecast.

    Raises
    ------
    BaselineError
        Unknown name.

    Examples
    --------
    >>> get_baseline("random-walk").LABEL
    'the last value, and steps as large as those seen'
    """
    if name not in BASELINES:
        raise BaselineError(
            f"unknown plain forecast '{name}'", remedy=f"Use one of {', '.join(BASELINES)}."
        )
    return import_module(BASELINES[name])


def unlink(family: str, x: np.ndarray, n: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Turn draws on the link scale into draws in the units of the record.

    Parameters
    ----------
    family : str
    x : ndarray, shape (cell, draw)
    n : ndarray, shape (cell,)
        Trials or exposure.
    rng : numpy.random.Generator
        Of the trials of a share.

    Returns
    -------
    ndarray, shape (cell, draw)
        Counts are rounded; shares drawn out of their trials.

    Examples
    --------
    >>> unlink("count", np.array([[-0.69, 0.92]]), np.ones(1), np.random.default_rng(1)).tolist()
    [[0.0, 2.0]]
    """
    n = np.asarray(n, float)[:, None]
    if family == "vote":
        return 1.0 / (1.0 + np.exp(-x))
    if family == "count":
        rate = np.exp(np.clip(x, None, 15.0)) - 0.5
        return np.maximum(np.rint(rate * np.where(n > 0, n, 1.0)), 0.0)
    if family == "share":
        chance = 1.0 / (1.0 + np.exp(-x))
        blank = np.isnan(chance)
        drawn = rng.binomial(np.broadcast_to(n, x.shape).astype(int), np.where(blank, 0.5, chance))
        return np.where(blank, np.nan, drawn.astype(float))
    return x
