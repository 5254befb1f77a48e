"""Batches: all indicators of one family laid out as series, one row per indicator and unit.

Invariant: a cell is used if and only if the mask says a row was observed there, and every series
knows which row of the stacked latents it reads and with which sign. One batch is one likelihood
node, whatever the number of indicators. Guarded by ``tests/test_measurement.py``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

LONGEST = 4  # years without a row over which a residual is still carried


@dataclass(frozen=True)
class Batch:
    """The observed block of one family.

    Attributes
    ----------
    family : str
    indicators : tuple
        Codebook entries of the family present in the panel.
    which : ndarray of int, shape (series,)
        Indicator of each series.
    unit : ndarray of int, shape (series,)
        Unit of each series on its latent's axis (dyads or states).
    row : ndarray of int, shape (series,)
        Row of the stacked latents the series reads.
    sign : ndarray, shape (series, 1)
        Declared direction.
    mask : ndarray of bool, shape (series, year)
    y : ndarray, shape (series, year)
        Values, 0 where unobserved.
    extra : dict
        What the family adds.
    """

    family: str
    indicators: tuple[Any, ...]
    which: np.ndarray
    unit: np.ndarray
    row: np.ndarray
    sign: np.ndarray
    mask: np.ndarray
    y: np.ndarray
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def ids(self) -> list[str]:
        """Indicator names, the coordinate of the family's parameters."""
        return [i.id for i in self.indicators]

    @property
    def shifted(self) -> list[int]:
        """Positions of the indicators whose standard may shift by year for all units alike."""
        units = np.bincount(self.which, minlength=len(self.indicators))
        return [k for k, i in enumerate(self.indicators) if i.item_year_shift and units[k] > 2]

    def read(self, stacked: Any) -> Any:
        """Signed latent of each series, shape (..., series, year)."""
        if np.array_equal(self.row, np.arange(self.row[0], self.row[0] + len(self.row))):
            part = stacked[..., self.row[0] : self.row[0] + len(self.row), :]
        else:
            part = stacked[..., self.row, :]
        return self.sign * part

    def shift_rows(self, shift: Any, xp: Any) -> Any:
        """Spread the shifts of the shifted indicators over the series, 0 for the others."""
        position = {k: n for n, k in enumerate(self.shifted)}
        index = np.array([position.get(k, len(position)) for k in self.which])
        zero = xp.zeros_like(shift[..., :1, :])
        return xp.concatenate([shift, zero], axis=-2)[..., index, :]


@dataclass(frozen=True)
class Source:
    """Rows of one indicator with the place of its units in the stacked latents."""

    indicator: Any
    rows: pd.DataFrame
    offset: int
    spread: float | None = None  # of a within item, where it is known beforehand
    foreseen: int = 0  # years at the end of the panel of which no vote is known


def lay_out(
    family: str, sources: list[Source], n_years: int, columns: tuple[str, ...], least: int = 1
) -> tuple[Batch, dict[str, np.ndarray]]:
    """Lay long rows out as series, dropping series with fewer than `least` rows.

    Returns
    -------
    Batch
        With ``y`` the first of `columns`.
    dict of str to ndarray
        Every column as (series, year), 0 where unobserved.
    """
    kept, which, unit, row, sign, frames = [], [], [], [], [], []
    start = 0
    for source in sources:
        rows = source.rows
        rows = rows[rows.groupby("unit")["time"].transform("size") >= least]
        units = np.sort(rows["unit"].unique()).astype(int)
        if len(units) == 0:
            continue
        series = start + np.searchsorted(units, rows["unit"].to_numpy())
        frames.append(rows.assign(series=series))
        which += [len(kept)] * len(units)
        unit += list(units)
        row += list(units + source.offset)
        sign += [float(source.indicator.sign)] * len(units)
        kept.append(source.indicator)
        start += len(units)
    out = {c: np.zeros((start, n_years)) for c in columns}
    mask = np.zeros((start, n_years), dtype=bool)
    if frames:
        table = pd.concat(frames, ignore_index=True)
        where = (table["series"].to_numpy(int), table["time"].to_numpy(int))
        mask[where] = True
        for c in columns:
            out[c][where] = np.nan_to_num(table[c].to_numpy(float))
    batch = Batch(
        family, tuple(kept), np.array(which, int), np.array(unit, int), np.array(row, int),
        np.array(sign, float)[:, None], mask, out[columns[0]],
    )  # fmt: skip
    return batch, out


def ar1_correlation(width: int, phi: float) -> np.ndarray:
    """Correlation matrix of a stationary AR(1), shape (width, width)."""
    lag = np.abs(np.subtract.outer(np.arange(width), np.arange(width)))
    return np.where(lag == 0, 1.0, float(phi) ** lag) if phi else np.eye(width)


def ar1_filter(mask: np.ndarray, phi: np.ndarray, longest: int = LONGEST) -> list[np.ndarray]:
    """Coefficients that turn AR(1) residuals with gaps into independent ones, cell by cell.

    Parameters
    ----------
    mask : ndarray of bool, shape (series, year)
    phi : ndarray, shape (series,)
        Autocorrelation of the residual, 0 <= phi < 1.
    longest : int
        Longest gap bridged; after a longer one the residual starts afresh.

    Returns
    -------
    list of ndarray, each (series, year)
        ``e = c[0] r - c[1] lag1(r) - c[2] lag2(r) ...`` has unit variance on observed cells and is
        0 elsewhere: ``(r_t - phi^g r_{t-g}) / sqrt(1 - phi^(2g))`` with g the gap to the last
        observed year.
    """
    out = [mask.astype(float)] + [np.zeros(mask.shape) for _ in range(longest)]
    for s in np.flatnonzero(phi > 0):
        seen = np.flatnonzero(mask[s])
        for before, now in pairwise(seen):
            gap = now - before
            if gap <= longest:
                scale = 1.0 / np.sqrt(1.0 - phi[s] ** (2 * gap))
                out[0][s, now] = scale
                out[gap][s, now] = phi[s] ** gap * scale
    while len(out) > 1 and not out[-1].any():
        out.pop()
    return out


def apply_filter(xp: Any, r: Any, coefficients: list[np.ndarray]) -> Any:
    """Apply `ar1_filter` to residuals (..., series, year) with NumPy or PyTensor."""
    e = coefficients[0] * r
    for gap, c in enumerate(coefficients[1:], start=1):
        if c.any():
            lagged = c[:, gap:] * r[..., :-gap]
            e = e - xp.concatenate([xp.zeros_like(r[..., :gap]), lagged], axis=-1)
    return e


def invert_filter(e: np.ndarray, coefficients: list[np.ndarray]) -> np.ndarray:
    """Residuals whose filtered values are `e`, shape (series, year), 0 where unobserved.

    The inverse of `apply_filter`: standard normal `e` become residuals of the very density that
    the likelihood evaluates, gaps and thin years included.
    """
    r = np.zeros(e.shape)
    for t in range(e.shape[1]):
        value = e[:, t].copy()
        for gap, c in enumerate(coefficients[1:], start=1):
            if gap <= t:
                value += c[:, t] * r[:, t - gap]
        seen = coefficients[0][:, t] > 0
        r[seen, t] = value[seen] / coefficients[0][seen, t]
    return r


def last_residual(batch: Batch, r: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Last observed residual of each series and the years since, for carrying it forward.

    Parameters
    ----------
    r : ndarray, shape (draw, series, year)
    """
    width = batch.mask.shape[1]
    gap = np.argmax(batch.mask[:, ::-1], axis=1)
    return np.take_along_axis(r, (width - 1 - gap)[None, :, None], axis=2)[:, :, 0], gap


def ar1_future(
    carry: np.ndarray, gap: np.ndarray, phi: np.ndarray, scale: np.ndarray, horizon: int,
    rng: np.random.Generator,
) -> np.ndarray:  # fmt: skip
    """Continue AR(1) residuals: draws of shape (draw, series, horizon)."""
    state = carry * phi[None, :] ** gap[None, :]
    noise = np.sqrt(1.0 - phi**2)[None, :] * scale
    out = np.empty((*state.shape, horizon))
    for h in range(horizon):
        state = phi[None, :] * state + noise * rng.standard_normal(state.shape)
        out[:, :, h] = state
    return out
