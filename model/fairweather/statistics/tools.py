"""What statistics are made of: the composite, windows around episodes, a tie's own past level.

Invariant: every function takes a data set with or without a leading dimension ``draw`` and gives
each draw what it would give that draw alone; a missing cell stays missing and weighs nothing.
Guarded by ``tests/test_statistics.py``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from fairweather import names
from fairweather.statistics import StatisticError

if TYPE_CHECKING:
    import xarray as xr

# The aloof years: a tie's past level, as for durability.
LEVEL_YEARS = (2001, 2004)
# Years after the end of an episode in which change and recovery are looked for.
CHANGE_YEARS, RECOVERY_YEARS = 3, 5


def mean_seen(x: np.ndarray, axis: int | tuple[int, ...] = -1) -> np.ndarray:
    """Mean over what is there, NaN where nothing is.

    Examples
    --------
    >>> mean_seen(np.array([[1.0, np.nan], [np.nan, np.nan]])).tolist()
    [1.0, nan]
    """
    seen = ~np.isnan(x)
    count = seen.sum(axis=axis)
    total = np.where(seen, x, 0.0).sum(axis=axis)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def composite(data: xr.Dataset, domain: str | None = None) -> xr.DataArray:
    """Fixed-weight composite of the alignment indicators, in SDs of the observed panel.

    Each indicator stands on the link scale of its family (log odds of a vote or share,
    log(rate + 1/2) of a count, a continuous item as it is), standardised over all observed cells
    of the whole panel and signed so that up is closer. A cell is the mean over the indicators of
    a domain that are present in it, then over the domains present.

    Parameters
    ----------
    data : Dataset
    domain : {"diplomatic", "security", "economic"}, optional
        One domain alone.

    Returns
    -------
    DataArray, dims (..., dyad, year)

    Raises
    ------
    StatisticError
        No indicator of this domain in the data set.
    """
    import xarray as xr

    x = data["standardised"].transpose(..., names.INDICATOR, names.DYAD, names.YEAR)
    kinds = data["domain"].to_numpy()
    wanted = names.DOMAINS[names.ALIGNMENT] if domain is None else (domain,)
    parts = [
        mean_seen(x.to_numpy()[..., kinds == one, :, :], axis=-3)
        for one in wanted
        if (kinds == one).any()
    ]
    if not parts:
        raise StatisticError(
            f"no indicator of the domain {domain!r} in the data set",
            remedy=f"It has {', '.join(sorted(set(kinds)))}.",
        )
    whole = parts[0] if len(parts) == 1 else mean_seen(np.stack(parts), axis=0)
    first = x.isel({names.INDICATOR: 0}, drop=True)
    coords = {k: v for k, v in first.coords.items() if set(v.dims) <= set(first.dims)}
    return xr.DataArray(whole, dims=first.dims, coords=coords)


def windows(data: xr.Dataset, kind: str) -> Iterator[tuple[str, int, int, np.ndarray]]:
    """Episodes of one kind in the weather of the data set.

    Parameters
    ----------
    data : Dataset
    kind : {"easing", "hardship"}

    Yields
    ------
    state : str
    start, end : int
        Positions on the axis of years, inclusive.
    dyads : ndarray of int
        Positions of the state's dyads.
    """
    marks = data["weather"].transpose(names.STATE, names.YEAR).to_numpy() == kind
    left, right = data["left"].to_numpy(), data["right"].to_numpy()
    for state, row in zip(data[names.STATE].to_numpy(), marks, strict=True):
        edge = np.diff(np.concatenate([[0], row.astype(int), [0]]))
        own = np.flatnonzero((left == state) | (right == state))
        for start, stop in zip(np.flatnonzero(edge > 0), np.flatnonzero(edge < 0), strict=True):
            yield str(state), int(start), int(stop) - 1, own


def around(
    data: xr.Dataset, series: xr.DataArray, kind: str, first: int = 0, last: int = CHANGE_YEARS
) -> tuple[np.ndarray, np.ndarray]:
    """Values of a series before and after each episode, one window per episode and dyad.

    Parameters
    ----------
    data : Dataset
    series : DataArray, dims (..., dyad, year)
    kind : {"easing", "hardship"}
    first : int
        Years after the *start* (0) or, from 1 on, after the *end* of the episode at which the
        window opens.
    last : int
        Years after the end at which it closes; cut at the end of the data set.

    Returns
    -------
    before : ndarray, shape (..., window)
        In the year before the start; NaN if unseen or outside the data set.
    after : ndarray, shape (..., window, first_to_last)
        Padded with NaN to the longest window.
    """
    x = series.transpose(..., names.DYAD, names.YEAR).to_numpy()
    before, after = [], []
    for _, start, end, own in windows(data, kind):
        if start == 0:
            continue
        opens = start if first == 0 else end + first
        before.append(x[..., own, start - 1])
        after.append(x[..., own, opens : end + last + 1])
    if not before:
        return np.empty((*x.shape[:-2], 0)), np.empty((*x.shape[:-2], 0, 0))
    width = max(a.shape[-1] for a in after)
    pad = [(0, 0)] * (x.ndim - 1)
    after = [
        np.pad(a, [*pad, (0, width - a.shape[-1])], constant_values=np.nan) for a in after
    ]  # fmt: skip
    return np.concatenate(before, axis=-1), np.concatenate(after, axis=-2)


def changes(data: xr.Dataset, series: xr.DataArray, kind: str) -> np.ndarray:
    """Change of a series around each episode, shape (..., window), NaN where not seen.

    Mean over the years from the start of the episode to three after its end, less the year before
    its start.
    """
    before, after = around(data, series, kind)
    return mean_seen(after) - before


def per_draw(data: xr.Dataset, values: np.ndarray, what: str) -> Any:
    """Mean over the last axis, labelled by draw where the data set has draws.

    Raises
    ------
    StatisticError
        Nothing there to take a mean of.
    """
    import xarray as xr

    mean = mean_seen(values)
    if np.isnan(mean).any():
        raise StatisticError(f"no {what} in the data set", remedy="Widen the panel or the regime.")
    return xr.DataArray(mean, dims=(names.DRAW,)) if mean.ndim else float(mean)


def own_level(data: xr.Dataset, series: xr.DataArray) -> np.ndarray:
    """Mean of a series in 2001-04, shape (..., dyad); NaN where unseen."""
    years = data[names.YEAR].to_numpy()
    x = series.transpose(..., names.DYAD, names.YEAR).to_numpy()
    return mean_seen(x[..., (years >= LEVEL_YEARS[0]) & (years <= LEVEL_YEARS[1])])


def above_own_level(data: xr.Dataset, *, later: bool = False) -> np.ndarray:
    """Whether the composite stands above its own level of 2001-04: 1, 0 or NaN.

    Parameters
    ----------
    data : Dataset
    later : bool
        Only years after 2004; others are NaN.

    Returns
    -------
    ndarray, shape (..., dyad, year)
    """
    whole = composite(data)
    x = whole.transpose(..., names.DYAD, names.YEAR).to_numpy()
    level = own_level(data, whole)[..., None]
    out = np.where(np.isnan(x) | np.isnan(level), np.nan, x > level)
    early = data[names.YEAR].to_numpy() <= LEVEL_YEARS[1]
    return np.where(early, np.nan, out) if later else out


def least_pressure(data: xr.Dataset) -> np.ndarray:
    """Take the smaller of a dyad's two latent pressures, shape (..., dyad, year)."""
    p = data[names.PRESSURE].transpose(..., names.STATE, names.YEAR)
    place = {s: k for k, s in enumerate(data[names.STATE].to_numpy())}
    left, right = ([place[s] for s in data[side].to_numpy()] for side in ("left", "right"))
    p = p.to_numpy()
    return np.minimum(p[..., left, :], p[..., right, :])


def differences(data: xr.Dataset, family: str, span: int = 1) -> np.ndarray:
    """Difference every series of a family over `span` years, on the link scale.

    Returns
    -------
    ndarray, shape (..., series, year - span)
    """
    x = levels(data, family)
    return x[..., span:] - x[..., :-span]


def levels(data: xr.Dataset, family: str) -> np.ndarray:
    """Every series of a family on the link scale, shape (..., series, year)."""
    x = data["standardised"].transpose(..., names.INDICATOR, names.DYAD, names.YEAR)
    x = x.to_numpy()[..., data["family"].to_numpy() == family, :, :]
    return x.reshape(*x.shape[:-3], -1, x.shape[-1])


def pooled(data: xr.Dataset, top: np.ndarray, bottom: np.ndarray, what: str) -> Any:
    """Ratio of two sums over all series and years, labelled by draw where there are draws."""
    both = ~(np.isnan(top) | np.isnan(bottom))
    sums = [np.where(both, x, 0.0).sum(axis=(-2, -1)) for x in (top, bottom)]
    bad = np.where(sums[1] > 0, 0.0, np.nan)
    return per_draw(data, (bad + sums[0] / np.where(sums[1] > 0, sums[1], 1.0))[..., None], what)
