"""Predictive density and draws of the rows a fit has not seen, labelled.

Invariant: a row left out is scored given the known rows and the draws of the fit alone, with
everything its family integrates out integrated out; rows no reading can speak of are NaN, the same
rows under every reading. Guarded by ``tests/test_heldout.py``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from fairweather import names
from fairweather.errors import FairweatherError
from fairweather.measurement import PARAMETERS, get_family
from fairweather.measurement.batch import Batch
from fairweather.model import Model, prepare
from fairweather.panel import Panel
from fairweather.structure import stacked

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from fairweather.priors import Priors

CELL, BLOCK = "cell", "block"


def held_cells(whole: Panel, known: Panel, latent: str = names.ALIGNMENT) -> pd.DataFrame:
    """List the rows of a panel that another one lacks.

    Parameters
    ----------
    whole, known : Panel
        The second is the first without some rows, as ``fairweather.hold_out`` gives it.
    latent : str
        ``alignment`` or ``pressure``: what the indicators speak of.

    Returns
    -------
    DataFrame
        indicator, unit, year, domain, family, value, n, and ``score``: the share of agreement of
        votes, smoothed as the model reads it, NaN for other families.

    Raises
    ------
    FairweatherError
        The panels differ in axes, or `known` has rows that `whole` lacks.

    Examples
    --------
    >>> import fairweather as fw
    >>> panel = fw.load_panel(states=["CHN", "RUS", "IND"])
    >>> rows = held_cells(panel, fw.hold_out(panel, indicators="trade_cow", years=2010))
    >>> rows["unit"].tolist()
    ['CHN-IND', 'CHN-RUS', 'IND-RUS']
    """
    import pandas as pd

    from fairweather.measurement.vote import score

    _same_axes(whole, known)
    axis, parts = np.array(whole.units(latent)), []
    for ind in whole.indicators(latent):
        frame = whole.rows[ind.id]
        seen = known.rows.get(ind.id)
        out = _missing(frame, seen, ind.id)
        frame = frame[out]
        share = np.full(len(frame), np.nan)
        if ind.family == "vote":
            logit = score(*(frame[c].to_numpy(float) for c in ("value", "partial", "n")))
            share = 1.0 / (1.0 + np.exp(-logit))
        parts.append(pd.DataFrame({
            names.INDICATOR: ind.id, "unit": axis[frame["unit"].to_numpy(int)],
            names.YEAR: whole.years[frame["time"].to_numpy(int)], "domain": ind.domain,
            "family": ind.family, "value": frame["value"].to_numpy(float),
            "n": frame["n"].to_numpy(float), "score": share,
        }))  # fmt: skip
    parts = [p for p in parts if len(p)]
    columns = [names.INDICATOR, "unit", names.YEAR, "domain", "family", "value", "n", "score"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def _same_axes(whole: Panel, known: Panel) -> None:
    same = whole.dyads == known.dyads and whole.states == known.states
    if not same or not np.array_equal(whole.years, known.years):
        raise FairweatherError(
            "the panel of the fit and the whole one differ in states or years",
            remedy="Leave rows out of the whole panel with hold_out.",
        )


def _missing(frame: pd.DataFrame, seen: pd.DataFrame | None, indicator: str) -> np.ndarray:
    """Which rows of an indicator are not among those seen."""
    if seen is None:
        return np.ones(len(frame), bool)
    width = 1 + max(int(frame["time"].max()), int(seen["time"].max()))
    key, other = (f["unit"].to_numpy(int) * width + f["time"].to_numpy(int) for f in (frame, seen))
    out = ~np.isin(key, other)
    if (~out).sum() != len(seen):
        raise FairweatherError(
            f"the panel of the fit has rows of '{indicator}' that the whole one lacks",
            remedy="Leave rows out of the whole panel with hold_out.",
        )
    return out


def parameters(
    values: Mapping[str, Any], batch: Batch, priors: Priors, draws: int
) -> dict[str, np.ndarray]:
    """Parameters of a family as its functions call them, each with a leading draw axis.

    Parameters
    ----------
    values : mapping of str to array
        Draws of a fit of the panel the batch was laid out from.
    batch : Batch
    priors : Priors
        A quantity held fixed is read from here.
    draws : int
    """
    out = {}
    for inner, name in PARAMETERS[batch.family].items():
        if inner == "shift" and not batch.shifted:
            continue
        if name in values:
            out[inner] = np.asarray(values[name], float)
        else:
            size = len(batch.unit) if inner == "level" else len(batch.ids)
            out[inner] = np.full((draws, size), priors.fixed(name))
    return out


def _families(
    values: Mapping[str, Any], known: Model, whole: Panel, rows: pd.DataFrame, latent: str
) -> Iterator[tuple[np.ndarray, tuple[Any, ...]]]:
    """Positions of the cells of each family among `rows`, and what its functions take."""
    paths = stacked(whole, values)
    for family, batch in prepare(whole, known.priors).items():
        fitted = known.batches.get(family)
        if fitted is None and PARAMETERS[family]:
            continue  # the fit has no parameter of it
        place = {
            (batch.ids[k], u): s
            for s, (k, u) in enumerate(zip(batch.which, batch.unit, strict=True))
            if batch.indicators[k].latent == latent
        }
        axis = {u: n for n, u in enumerate(whole.units(latent))}
        series = np.array(
            [place.get((i, axis[u]), -1) for i, u in zip(rows["indicator"], rows["unit"],
                                                         strict=True)], int,
        )  # fmt: skip
        at = np.flatnonzero(series >= 0)
        if len(at) == 0:
            continue
        time = rows["year"].to_numpy(int)[at] - int(whole.years[0])
        fitted = _none(batch) if fitted is None else fitted
        par = parameters(values, fitted, known.priors, len(paths))
        yield at, (family, fitted, batch, (series[at], time), batch.read(paths), par)


def _none(batch: Batch) -> Batch:
    """Return the batch of a fit that saw no row of the family."""
    gone = {
        name: getattr(batch, name)[:0] for name in ("which", "unit", "row", "sign", "mask", "y")
    }
    return replace(batch, indicators=(), **gone)


def _labelled(value: np.ndarray, rows: pd.DataFrame) -> xr.DataArray:
    import xarray as xr

    coords = {c: (CELL, rows[c].to_numpy()) for c in (names.INDICATOR, "unit", names.YEAR)}
    coords |= {c: (CELL, rows[c].to_numpy()) for c in ("domain", "family")}
    return xr.DataArray(value, dims=(names.DRAW, CELL), coords=coords)


def held_density(
    values: Mapping[str, Any], known: Model, whole: Panel, latent: str = names.ALIGNMENT
) -> xr.DataArray:
    """Log predictive density of every row a fit has not seen.

    Parameters
    ----------
    values : mapping of str to array
        Draws of the fit, named as in the posterior, draw axis first.
    known : Model
        The model that was fitted.
    whole : Panel
        The panel with all rows.
    latent : str
        ``alignment`` or ``pressure``.

    Returns
    -------
    DataArray, dims (draw, cell)
        In the order of `held_cells`, with ``indicator``, ``unit``, ``year``, ``domain`` and
        ``family`` on ``cell``. NaN where nothing can be said: an indicator that lost all its rows,
        a unit that never saw an event, a single row of a unit whose level is unknown.

    Raises
    ------
    FairweatherError
        The panels differ in axes, or the draws are of another panel.

    Examples
    --------
    >>> held_density(values, model, panel).mean("draw")  # doctest: +SKIP
    """
    rows, out = _start(values, known, whole, latent)
    for at, (family, *given) in _families(values, known, whole, rows, latent):
        out[:, at] = get_family(family).held_logp(*given)
    density = _labelled(out, rows)
    density.attrs["unscored"] = int(np.isnan(out).all(axis=0).sum())
    return density


def held_draws(
    values: Mapping[str, Any], known: Model, whole: Panel, rng: np.random.Generator,
    latent: str = names.ALIGNMENT,
) -> xr.DataArray:  # fmt: skip
    """Draw every row a fit has not seen, one a draw of the fit.

    Rows of one series are drawn together: their residual is one path, their level or rate one
    number. A series of values that is lost whole keeps its first value, one of counts its total.

    Returns
    -------
    DataArray, dims (draw, cell)
        Cells as in `held_density`, in the units of the record; of votes the share of agreement,
        smoothed like ``score`` of `held_cells`.

    Raises
    ------
    FairweatherError
        As `held_density`.

    Examples
    --------
    >>> held_draws(values, model, panel, np.random.default_rng(1))  # doctest: +SKIP
    """
    rows, out = _start(values, known, whole, latent)
    for at, (family, *given) in _families(values, known, whole, rows, latent):
        out[:, at] = get_family(family).held_draw(*given, rng)
    return _labelled(out, rows)


def _start(
    values: Mapping[str, Any], known: Model, whole: Panel, latent: str
) -> tuple[pd.DataFrame, np.ndarray]:
    rows = held_cells(whole, known.panel, latent)
    shape = np.shape(values[names.ALIGNMENT])
    if len(shape) != 3 or shape[1:] != (len(whole.dyads), len(whole.years)):
        raise FairweatherError(
            f"alignment has the shape {shape}, not (draw, {len(whole.dyads)}, {len(whole.years)})",
            remedy="Pass draws of a fit of this panel, chains joined.",
        )
    return rows, np.full((shape[0], len(rows)), np.nan)


def blocks(density: xr.DataArray) -> xr.DataArray:
    """Sum the log density over the indicators of a unit and year.

    Parameters
    ----------
    density : DataArray, dims (draw, cell)
        From `held_density`. Cells without a score are passed over.

    Returns
    -------
    DataArray, dims (draw, block)
        With ``unit``, ``year`` and ``cells``, how many were scored, on ``block``; units in order,
        then years. NaN where no cell was scored.

    Examples
    --------
    >>> blocks(held_density(values, model, panel))  # doctest: +SKIP
    """
    import pandas as pd
    import xarray as xr

    keys = pd.DataFrame({"unit": density["unit"].values, "year": density[names.YEAR].values})
    groups = keys.groupby(["unit", "year"], sort=True)
    label = keys.drop_duplicates().sort_values(["unit", "year"])
    which = groups.ngroup().to_numpy()
    value = density.transpose(names.DRAW, CELL).to_numpy()
    scored = ~np.isnan(value).all(axis=0)
    out = np.zeros((value.shape[0], len(label)))
    np.add.at(out.T, which[scored], value[:, scored].T)
    cells = np.bincount(which[scored], minlength=len(label))
    out[:, cells == 0] = np.nan
    coords = {c: (BLOCK, label[c].to_numpy()) for c in ("unit", names.YEAR)}
    coords["cells"] = (BLOCK, cells)
    return xr.DataArray(out, dims=(names.DRAW, BLOCK), coords=coords)


def elpd(density: xr.DataArray, chains: int = 1) -> tuple[xr.DataArray, xr.DataArray]:
    """Log of the mean density over draws, with its Monte Carlo error.

    Parameters
    ----------
    density : DataArray, dims (draw, ...)
        Log densities, from `held_density` or `blocks`; chains one after another.
    chains : int

    Returns
    -------
    value, error : DataArray, dims (...)
        The error by the delta method: that of the mean density, by its effective sample size,
        relative to the mean.

    Raises
    ------
    FairweatherError
        The draws cannot be split into so many chains.

    Examples
    --------
    >>> import xarray as xr
    >>> value, error = elpd(xr.DataArray(np.log([[1.0], [3.0]]), dims=("draw", "block")))
    >>> value.values.round(3), error.values
    (array([0.693]), array([0.5]))
    """
    from arviz_stats.base import array_stats

    x = density.transpose(names.DRAW, ...)
    log = x.to_numpy()
    n = log.shape[0]
    if chains < 1 or n % chains:
        raise FairweatherError(f"{n} draws are not {chains} chains of one length")
    top = log.max(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        weight = np.exp(log - top)
        mean = weight.mean(axis=0)
        value = top + np.log(mean)
        spread = weight.std(axis=0, ddof=1) if n > 1 else np.zeros(mean.shape)
    size = np.full(mean.shape, float(n))
    moving = spread > 1e-12
    if n // chains >= 4 and moving.any():
        each = np.moveaxis(weight[:, moving], 0, -1).reshape(-1, chains, n // chains)
        ess = array_stats.ess(each, chain_axis=-2, draw_axis=-1, method="mean")
        size[moving] = np.clip(np.nan_to_num(ess, nan=float(n)), 1.0, n)
    blank = x.isel({names.DRAW: 0}, drop=True)
    return blank.copy(data=value), blank.copy(data=spread / np.sqrt(size) / mean)
