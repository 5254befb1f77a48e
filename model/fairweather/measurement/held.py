"""Held-out cells: what the known rows of a series say of a row that a fit has not seen.

Invariant: a cell is met with the density that the model gives to the known rows and that cell
together, normalised over the cell; other held-out cells are integrated out, never read, unless a
series is lost whole. Guarded by ``tests/test_held.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fairweather.errors import FairweatherError
from fairweather.measurement.batch import LONGEST, Batch

_LOG_ROOT = 0.5 * np.log(2.0 * np.pi)
_AT_ONCE = 4096


class HeldOutError(FairweatherError):
    """The cells to score are not those that a fit has not seen."""


@dataclass(frozen=True)
class Held:
    """Held-out cells and what is known of their series.

    Attributes
    ----------
    series, time : ndarray of int, shape (cell,)
        Place in the whole batch.
    source : ndarray of int, shape (cell,)
        Series of the known batch, -1 where the fit had none.
    item : ndarray of int, shape (cell,)
        Indicator of the known batch, -1 where it lost all its rows: such a cell has no score.
    rest : ndarray of bool, shape (cell, year)
        Known years of the cell's series.
    """

    series: np.ndarray
    time: np.ndarray
    source: np.ndarray
    item: np.ndarray
    rest: np.ndarray

    @property
    def lost(self) -> np.ndarray:
        """Whether no row of the cell's series is known, shape (cell,)."""
        return ~self.rest.any(axis=1)

    def chained(self) -> np.ndarray:
        """Return `rest`, where a series is lost whole its earlier held-out cells instead."""
        rest = self.rest.copy()
        for s in np.unique(self.series[self.lost]):
            own = np.flatnonzero(self.series == s)
            for c in own:
                rest[c, self.time[own][self.time[own] < self.time[c]]] = True
        return rest

    def opened(self) -> np.ndarray:
        """Return `rest`, where a series is lost whole its first held-out cell instead."""
        rest = self.rest.copy()
        for s in np.unique(self.series[self.lost]):
            own = np.flatnonzero(self.series == s)
            first = self.time[own].min()
            rest[own[self.time[own] > first], first] = True
        return rest


def meet(known: Batch, whole: Batch, cells: tuple[np.ndarray, np.ndarray]) -> Held:
    """Line held-out cells of a whole batch up with the known one, by indicator and unit.

    Parameters
    ----------
    known, whole : Batch
        Of the panel a fit saw and of the full one.
    cells : tuple of ndarray of int
        Series and year of every held-out cell, places in `whole`.

    Raises
    ------
    HeldOutError
        A cell without a row, or one that the fit has seen.

    Examples
    --------
    >>> from fairweather import load_panel, load_priors
    >>> from fairweather.holdout import hold_out
    >>> from fairweather.model import prepare
    >>> panel = load_panel(states=["CHN", "RUS", "IND"])
    >>> known = prepare(hold_out(panel, indicators="unga_votes", years=2010), load_priors())
    >>> whole = prepare(panel, load_priors())
    >>> cells = (np.arange(3), np.full(3, 2010 - 1992))
    >>> meet(known["vote"], whole["vote"], cells).rest.sum(axis=1) + 1 - whole["vote"].mask.sum(1)
    array([0, 0, 0])
    """
    series, time = (np.asarray(x, int) for x in cells)
    place = {
        (known.ids[k], u): n for n, (k, u) in enumerate(zip(known.which, known.unit, strict=True))
    }
    source = np.array(
        [place.get((whole.ids[k], u), -1) for k, u in zip(whole.which, whole.unit, strict=True)],
        int,
    )
    item = np.array([known.ids.index(i) if i in known.ids else -1 for i in whole.ids], int)
    rest = whole.mask.copy()
    rest[series, time] = False
    rest[source >= 0] = known.mask[source[source >= 0]]
    for wrong, text in (
        (~whole.mask[series, time], "has no row in the whole panel"),
        (rest[series, time], "is among the rows the fit has seen"),
    ):
        if wrong.any():
            s, t = series[wrong][0], time[wrong][0]
            name = whole.ids[whole.which[s]]
            raise HeldOutError(
                f"the cell of {name}, unit {whole.unit[s]}, year {t} of the panel {text}",
                remedy="Score the rows that hold_out left out.",
            )
    return Held(series, time, source[series], item[whole.which[series]], rest[series])


def carry(
    rest: np.ndarray, time: np.ndarray, phi: np.ndarray, *, level: bool = False,
    scale: float = 1.0, thin: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Weights of known residuals on a held-out one, and the spread left, cell by cell.

    Residuals follow an AR(1) that starts afresh after a long gap, as `ar1_filter` whitens them.
    The cell leans on the nearest known years of both sides and, where its unit level is integrated
    out under a flat prior, on all others through that level.

    Parameters
    ----------
    rest : ndarray of bool, shape (cell, year)
        Known years.
    time : ndarray of int, shape (cell,)
    phi : ndarray, shape (cell,)
    level : bool
        Whether a flat unit level is integrated out.
    scale : float
        Standard deviation of the residual.
    thin : ndarray, shape (cell, year), optional
        Variance added to the innovation of a year.

    Returns
    -------
    weight : ndarray, shape (cell, year)
        1 at the cell, minus the weight of each known residual elsewhere: applied to a mean it
        gives the part of the mean that is not already in the known rows.
    spread : ndarray, shape (cell,)
        Standard deviation, inf where nothing is known of the level.
    """
    weight, spread = np.zeros(rest.shape), np.full(len(time), np.inf)
    for first in range(0, len(time), _AT_ONCE):
        part = slice(first, first + _AT_ONCE)
        extra = None if thin is None else thin[part]
        weight[part], spread[part] = _carry(rest[part], time[part], phi[part], level, scale, extra)
    return weight, spread


def whitener(mask: np.ndarray, phi: np.ndarray) -> np.ndarray:
    """Whitening matrices of AR(1) residuals with gaps, shape (cell, year, year).

    The coefficients of `ar1_filter` as one lower triangular matrix a cell.
    """
    n, width = mask.shape
    years = np.arange(width)
    last = np.maximum.accumulate(np.where(mask, years, -1), axis=1)
    before = np.concatenate([np.full((n, 1), -1), last[:, :-1]], axis=1)
    gap = years - before
    linked = mask & (before >= 0) & (gap <= LONGEST) & (phi[:, None] > 0)
    kept = np.where(linked, phi[:, None] ** np.where(linked, gap, 1), 0.0)
    out = np.zeros((n, width, width))
    own = mask / np.sqrt(1.0 - kept**2)
    out[:, years, years] = own
    c, t = np.nonzero(linked)
    out[c, t, before[c, t]] = -(kept * own)[c, t]
    return out


def _white(mask: np.ndarray, phi: np.ndarray, scale: float, thin: np.ndarray | None) -> np.ndarray:
    """`whitener` of residuals of a scale, thin years noisier."""
    white = whitener(mask, phi)
    if thin is None:
        return white / scale
    own = np.diagonal(white, axis1=1, axis2=2)
    return white / np.sqrt(scale**2 + thin * own**2)[..., None]


def _carry(
    rest: np.ndarray, time: np.ndarray, phi: np.ndarray, level: bool, scale: float,
    thin: np.ndarray | None,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    at, mask = np.arange(len(time)), rest.copy()
    mask[at, time] = True
    white = _white(mask, phi, scale, thin)
    unit = white[at, :, time]
    pull = np.einsum("crt,cr->ct", white, unit)
    alone = np.zeros(len(time), bool)
    if level:
        constant = white.sum(axis=2)
        share = (unit * constant).sum(axis=1) / (constant**2).sum(axis=1)
        pull = pull - share[:, None] * np.einsum("crt,cr->ct", white, constant)
        alone = ~rest.any(axis=1)
    precision = np.where(alone, 1.0, pull[at, time])
    weight = np.where(mask, pull / precision[:, None], 0.0)
    weight[alone] = 0.0
    weight[at, time] = 1.0
    return weight, np.where(alone, np.inf, 1.0 / np.sqrt(precision))


def joint_noise(
    held: Held, rest: np.ndarray, phi: np.ndarray, draws: int, rng: np.random.Generator, *,
    level: bool = False, scale: float = 1.0, thin: np.ndarray | None = None,
) -> np.ndarray:  # fmt: skip
    """Draw standard normal noise, correlated among the held-out cells of a series, (draw, cell).

    Parameters
    ----------
    held : Held
    rest : ndarray of bool, shape (cell, year)
        Known years of each cell's series.
    phi, level, scale, thin
        As in `carry`.
    """
    noise = rng.standard_normal((draws, len(held.time)))
    for s in np.unique(held.series):
        own = np.flatnonzero(held.series == s)
        known = rest[own].any(axis=0)
        own = own[~known[held.time[own]]]
        if len(own) < 2:
            continue
        mask = known.copy()
        mask[held.time[own]] = True
        extra = None if thin is None else thin[own[:1]]
        white = _white(mask[None], phi[own[:1]], scale, extra)[0]
        unit = white[:, held.time[own]]
        precision = unit.T @ unit
        if level:
            constant = white.sum(axis=1)
            share = unit.T @ constant
            precision -= np.outer(share, share) / (constant @ constant)
        cov = np.linalg.inv(precision)
        spread = np.sqrt(np.diag(cov))
        root = np.linalg.cholesky(cov / np.outer(spread, spread))
        noise[:, own] = noise[:, own] @ root.T
    return noise


def weigh(x: np.ndarray, row: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Weighted sums over years, ``sum_t weight[c, t] x[d, row[c], t]``, shape (draw, cell)."""
    out = np.empty((x.shape[0], len(row)))
    for r in np.unique(row):
        own = row == r
        out[:, own] = x[:, r, :] @ weight[own].T
    return out


def shifts(known: Batch, item: np.ndarray, par: dict[str, Any], weight: np.ndarray) -> np.ndarray:
    """Weighted shifts of the years of each cell's indicator, 0 where the fit had none.

    Returns
    -------
    ndarray, shape (draw, cell) or, without any shift, (1, cell)
    """
    if "shift" not in par:
        return np.zeros((1, len(item)))
    position = {k: n for n, k in enumerate(known.shifted)}
    row = np.array([position.get(k, -1) for k in item], int)
    out = np.zeros((par["shift"].shape[0], len(item)))
    own = row >= 0
    out[:, own] = weigh(par["shift"], row[own], weight[own])
    return out


def normal_logp(y: np.ndarray, mean: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Log density of a normal, 0 where the spread has no bound."""
    free = np.isinf(spread)
    spread = np.where(free, 1.0, spread)
    out = -0.5 * ((y - mean) / spread) ** 2 - np.log(spread) - _LOG_ROOT
    return np.where(free, 0.0, out)


def unscored(values: np.ndarray, without: np.ndarray) -> np.ndarray:
    """Put NaN where a cell has no score."""
    return np.where(without, np.nan, values)
