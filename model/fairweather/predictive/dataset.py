"""The labelled data set that a statistic receives, built for observed and for replicated rows.

Invariant: observed and replicated data sets have the same variables, labels and gaps, so that a
statistic cannot tell them apart but by their values; all arrays are read-only. The constants of
standardisation are those of the observed panel in both. Guarded by ``tests/test_predictive.py``.

``docs/predictive.md`` is the schema.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from fairweather import names
from fairweather.errors import FairweatherError
from fairweather.measurement.vote import score
from fairweather.scales import link

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from fairweather.panel import Panel

LATENTS = (names.ALIGNMENT, names.PRESSURE)
# Weather of a dyad in a year, from the episodes of its two states.
DYAD_WEATHER = ("eased", "both eased", "pressed", "mixed", "quiet")
# What `where` understands: a weather of dyads, or two of them together.
REGIMES: dict[str, tuple[str, ...]] = {
    **{label: (label,) for label in DYAD_WEATHER},
    "easing": ("eased", "both eased"),
    "hardship": ("pressed",),
}
_TAKEN = {
    *LATENTS, names.COMPLEMENTARITY, names.DYAD, names.STATE, names.YEAR, names.KIND, names.DRAW,
    names.INDICATOR, "standardised", "exposure", "weather", "dyad_weather", "drawn", "domain",
    "family", "left", "right",
}  # fmt: skip


def state_weather(panel: Panel, episodes: pd.DataFrame) -> np.ndarray:
    """Label every state and year ``easing``, ``hardship`` or nothing, shape (state, year)."""
    out = np.full((len(panel.states), len(panel.years)), "", dtype="<U8")
    place = {s: k for k, s in enumerate(panel.states)}
    for row in episodes.itertuples():
        if row.state in place:
            out[place[row.state], (panel.years >= row.start) & (panel.years <= row.end)] = row.type
    return out


def dyad_weather(panel: Panel, weather: np.ndarray) -> np.ndarray:
    """Weather of each dyad and year, one of `DYAD_WEATHER`, from that of its two states."""
    left, right = weather[panel.left], weather[panel.right]
    eased, pressed = ((left == k).astype(int) + (right == k) for k in ("easing", "hardship"))
    return np.select(
        [(eased > 0) & (pressed > 0), eased == 2, eased == 1, pressed > 0],
        ["mixed", "both eased", "eased", "pressed"],
        "quiet",
    )


def raw(family: str, value: np.ndarray, n: np.ndarray, partial: np.ndarray) -> np.ndarray:
    """Values as a reader expects them: of votes, the share of agreement, an abstention a half."""
    return (value + 0.5 * partial) / n if family == "vote" else value


def share_of_score(logit: np.ndarray, n: np.ndarray) -> np.ndarray:
    """Share of agreement behind a logit score, to the nearest half agreement, within 0 and 1."""
    same = (n + 4.0) / (1.0 + np.exp(-logit)) - 2.0
    return np.round(2.0 * np.clip(same, 0.0, n)) / 2.0 / n


def on_link(family: str, x: np.ndarray, n: np.ndarray) -> np.ndarray:
    """Put raw values on the link scale of their family.

    Examples
    --------
    >>> round(float(on_link("count", np.array(0.0), np.array(np.nan))), 3)
    -0.693
    """
    return score(x * n, 0.0, n) if family == "vote" else link(family, x, n)


@dataclass(frozen=True)
class Layout:
    """Grids of a panel, and how a data set is built from values in their place.

    Attributes
    ----------
    grid, n : dict of str to ndarray, shape (unit, year)
        Raw values and their trials or exposure, NaN where no row is.
    centre, spread : dict of str to float
        Of the alignment indicators on their link scale, over all observed cells.
    weather : ndarray, shape (state, year)
    dyad_weather : ndarray, shape (dyad, year)
    episodes : DataFrame
        As from ``find_episodes``.
    """

    panel: Panel
    grid: dict[str, np.ndarray] = field(repr=False)
    n: dict[str, np.ndarray] = field(repr=False)
    centre: dict[str, float]
    spread: dict[str, float]
    weather: np.ndarray = field(repr=False)
    dyad_weather: np.ndarray = field(repr=False)
    episodes: pd.DataFrame = field(repr=False)

    @classmethod
    def of(cls, panel: Panel) -> Layout:
        """Lay a panel out.

        Raises
        ------
        FairweatherError
            An indicator has the name of another variable of the schema.
        """
        from fairweather.episodes import find_episodes

        grid, n, centre, spread = {}, {}, {}, {}
        for latent in LATENTS:
            shape = (len(panel.units(latent)), len(panel.years))
            for ind in panel.indicators(latent):
                if ind.id in _TAKEN:
                    raise FairweatherError(
                        f"an indicator cannot be called '{ind.id}' here", file="codebook.toml",
                        remedy="Choose an id that is no variable of the data set.",
                    )  # fmt: skip
                frame = panel.rows[ind.id]
                where = (frame["unit"].to_numpy(int), frame["time"].to_numpy(int))
                columns = {c: np.full(shape, np.nan) for c in ("value", "partial", "n")}
                for name, column in columns.items():
                    column[where] = frame[name].to_numpy(float)
                grid[ind.id] = raw(ind.family, columns["value"], columns["n"], columns["partial"])
                n[ind.id] = columns["n"]
                grid[ind.id].flags.writeable = False
                if latent == names.ALIGNMENT:
                    x = on_link(ind.family, grid[ind.id], n[ind.id])
                    centre[ind.id] = float(np.nanmean(x))
                    spread[ind.id] = float(np.nanstd(x)) or 1.0
        episodes = find_episodes(panel.record, states=panel.states)
        weather = state_weather(panel, episodes)
        both = dyad_weather(panel, weather)
        return cls(panel, grid, n, centre, spread, weather, both, episodes)

    @property
    def alignment_ids(self) -> list[str]:
        """Ids of the alignment indicators, in the order of the codebook."""
        return [i.id for i in self.panel.indicators(names.ALIGNMENT)]

    @property
    def coords(self) -> dict[str, Any]:
        """Labels of every axis but the draws."""
        p, inds = self.panel, self.panel.indicators(names.ALIGNMENT)
        return {
            names.DYAD: list(p.dyads), names.STATE: list(p.states), names.YEAR: p.years.copy(),
            names.KIND: list(p.kinds), names.INDICATOR: [i.id for i in inds],
            "domain": (names.INDICATOR, [i.domain for i in inds]),
            "family": (names.INDICATOR, [i.family for i in inds]),
            "left": (names.DYAD, [p.states[k] for k in p.left]),
            "right": (names.DYAD, [p.states[k] for k in p.right]),
        }  # fmt: skip

    def seen(self) -> np.ndarray:
        """Whether an alignment row is there, shape (indicator, dyad, year)."""
        return np.stack([~np.isnan(self.grid[i]) for i in self.alignment_ids])

    def build(
        self, rows: Mapping[str, np.ndarray], latents: Mapping[str, np.ndarray], size: int, *,
        drawn: np.ndarray, keep: np.ndarray | None = None,
    ) -> xr.Dataset:  # fmt: skip
        """Build the data set of some draws.

        Parameters
        ----------
        rows : mapping of str to ndarray, shape (draw, unit, year)
            Raw values of the indicators drawn anew; the others keep what was observed.
        latents : mapping of str to ndarray, shape (draw, unit, year)
            ``alignment`` and ``pressure``, or nothing.
        size : int
            Draws.
        drawn : ndarray of bool, shape (dyad, year)
        keep : ndarray of bool, shape (dyad, year), optional
            Dyad-years to show; all else becomes NaN.

        Returns
        -------
        Dataset
            With a leading dimension ``draw``.
        """
        import xarray as xr

        data: dict[str, Any] = {}
        for latent, dim in zip(LATENTS, (names.DYAD, names.STATE), strict=True):
            hide = None if keep is None or latent == names.PRESSURE else ~keep
            for ind in self.panel.indicators(latent):
                grid = self.grid[ind.id]
                x = rows.get(ind.id, np.broadcast_to(grid, (size, *grid.shape)))
                x = x if hide is None else np.where(hide, np.nan, x)
                data[ind.id] = ((names.DRAW, dim, names.YEAR), x, {"label": ind.label})
            if latent in latents:
                x = latents[latent]
                x = x if hide is None else np.where(hide, np.nan, x)
                data[latent] = ((names.DRAW, dim, names.YEAR), x)
        exposure = np.stack([self.n[i] for i in self.alignment_ids])
        if keep is not None:
            exposure = np.where(keep, exposure, np.nan)
        standard = self.standardised({i: data[i][1] for i in self.alignment_ids}, size)
        pair = (names.DYAD, names.YEAR)
        data["standardised"] = ((names.DRAW, names.INDICATOR, *pair), standard)
        data["exposure"] = ((names.INDICATOR, *pair), exposure)
        data[names.COMPLEMENTARITY] = ((names.KIND, *pair), self.panel.complementarity.copy())
        data["weather"] = ((names.STATE, names.YEAR), self.weather.copy())
        data["dyad_weather"] = (pair, self.dyad_weather.copy())
        data["drawn"] = (pair, drawn.copy())
        for _, array, *_ in data.values():
            array.flags.writeable = False
        return xr.Dataset(data, coords=self.coords)

    def standardised(self, rows: Mapping[str, np.ndarray], size: int) -> np.ndarray:
        """Standardise raw values on their link scale, signed, shape (draw, indicator, dyad, year).

        Values that are the same on every draw (arrays without a step along the draws) are
        computed once.
        """
        inds = self.panel.indicators(names.ALIGNMENT)
        same = all(rows[i.id].strides[0] == 0 for i in inds)
        shape = (len(self.panel.dyads), len(self.panel.years))
        out = np.full((1 if same else size, len(inds), *shape), np.nan)
        for k, ind in enumerate(inds):
            seen = ~np.isnan(self.grid[ind.id])
            x = rows[ind.id][: len(out), seen]
            z = on_link(ind.family, x, self.n[ind.id][seen]) - self.centre[ind.id]
            out[:, k, seen] = ind.sign * z / self.spread[ind.id]
        return np.broadcast_to(out, (size, *out.shape[1:])) if same else out

    def observed(self, drawn: np.ndarray, keep: np.ndarray | None = None) -> xr.Dataset:
        """Build the data set of what was observed, without draws and latent paths."""
        return self.build({}, {}, 1, drawn=drawn, keep=keep).isel({names.DRAW: 0})

    def regime(
        self, where: str | Callable[[xr.Dataset], Any] | None, drawn: np.ndarray
    ) -> np.ndarray | None:
        """Dyad-years of a regime that hold data, shape (dyad, year); None for all.

        Raises
        ------
        FairweatherError
            Unknown regime, a callable that gives no mask of dyads and years, or no data.
        """
        if where is None:
            return None
        if callable(where):
            keep, name = self._own(where, drawn), getattr(where, "__name__", "where")
        elif where in REGIMES:
            keep, name = np.isin(self.dyad_weather, REGIMES[where]), where
        else:
            raise FairweatherError(
                f"unknown regime {where!r}",
                remedy=f"Choose from {', '.join(REGIMES)}, or give a function of the data set.",
            )
        if not (self.seen() & keep).any():
            raise FairweatherError(
                f"the regime '{name}' has no data in this panel",
                remedy="Widen the panel, or choose another regime.",
            )
        return keep

    def _own(self, where: Callable[[xr.Dataset], Any], drawn: np.ndarray) -> np.ndarray:
        import xarray as xr

        like = xr.DataArray(drawn, self.coords_of_pairs, (names.DYAD, names.YEAR))
        try:
            keep = where(self.observed(drawn))
        except Exception as err:
            raise FairweatherError(
                f"where= fails: {type(err).__name__}: {err}",
                remedy="Try it on fairweather.predictive.example(panel).",
            ) from err
        if (
            not isinstance(keep, xr.DataArray)
            or keep.dtype != bool
            or set(keep.dims) - {*like.dims}
        ):
            raise FairweatherError(
                "where= gives no mask of dyads and years",
                remedy="Return a DataArray of True and False over dyad, year or both.",
            )
        for dim in keep.dims:
            if not np.array_equal(keep[dim], like[dim]):
                raise FairweatherError(
                    f"where= gives a mask with other labels of {dim} than the data set",
                    remedy="Keep all dyads and years; write False instead of dropping them.",
                )
        return (keep.reset_coords(drop=True) & xr.ones_like(like)).transpose(*like.dims).to_numpy()

    @property
    def coords_of_pairs(self) -> dict[str, Any]:
        """Labels of dyads and years."""
        return {names.DYAD: list(self.panel.dyads), names.YEAR: self.panel.years.copy()}

    def counts(self, drawn_cells: np.ndarray, keep: np.ndarray | None) -> dict[str, int]:
        """Say what a test rests on.

        Parameters
        ----------
        drawn_cells : ndarray of bool, shape (indicator, dyad, year)
        keep : ndarray of bool, shape (dyad, year), optional
        """
        from fairweather.episodes import shocks

        cells = self.seen() if keep is None else self.seen() & keep
        pairs = cells.any(axis=0)
        out = {
            "cells": int(cells.sum()), "drawn_cells": int((cells & drawn_cells).sum()),
            "dyad_years": int(pairs.sum()), "dyads": int(pairs.any(axis=1).sum()),
            "years": int(pairs.any(axis=0).sum()),
        }  # fmt: skip
        left, right = self.panel.left, self.panel.right
        place = {s: k for k, s in enumerate(self.panel.states)}
        met = []
        for row in self.episodes.itertuples():
            own = (left == place[row.state]) | (right == place[row.state])
            span = (self.panel.years >= row.start) & (self.panel.years <= row.end)
            met.append(bool(pairs[own][:, span].any()))
        here = self.episodes[np.array(met, bool)]
        for kind in ("easing", "hardship"):
            out[f"{kind}_episodes"] = int((here["type"] == kind).sum())
            out[f"{kind}_shocks"] = len(shocks(here, kind))
        return out


_kept: list[Layout] = []


def laid_out(panel: Panel) -> Layout:
    """Lay a panel out, or find it among the last two laid out: its episodes take a while."""
    for layout in _kept:
        if layout.panel is panel:
            return layout
    _kept[:] = [Layout.of(panel), *_kept[:1]]
    return _kept[0]
