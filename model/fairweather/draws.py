"""Draws of a fit, laid out for what is computed from it: thinned, stacked, the focal dyad only.

Invariant: the target of the focal dyad is computed here by the same functions the model is built
from, so that the forecast and the claims cannot drift from the fit; a quantity whose prior is
Fixed is read from the belief set. Guarded by ``tests/test_forecast.py::test_target_is_the_models``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from fairweather import names
from fairweather.dynamics import five_year_share, lag
from fairweather.errors import FairweatherError, PriorError
from fairweather.model import complementarity_pull, sides
from fairweather.panel import Panel, load_panel
from fairweather.priors import Priors, load_priors
from fairweather.readings import get_reading
from fairweather.readings.parts import narrowed, pressed, scope_from, seen

if TYPE_CHECKING:
    import xarray as xr

LIMIT = 1000
# Years whose mean alignment durability is held against; fixed before fitting.
THRESHOLDS = {"2001-04": (2001, 2004), "1996-00": (1996, 2000), "2005-08": (2005, 2008)}


def spans(years: np.ndarray) -> dict[str, tuple[int, int]]:
    """Threshold spans a panel covers; checked before sampling too.

    Raises
    ------
    FairweatherError
        If the panel covers none of the spans.
    """
    out = {
        label: (first, last)
        for label, (first, last) in THRESHOLDS.items()
        if years[0] <= first and last <= years[-1]
    }
    if not out:
        raise FairweatherError(
            f"the panel runs {years[0]}-{years[-1]} and covers none of {', '.join(THRESHOLDS)}, "
            "the years durability is measured against",
            remedy="Use a longer panel, or an --as-of of 2000-12-31 or later.",
        )
    return out


def panel_of(tree: xr.DataTree) -> Panel:
    """Lay out again the panel a fit was made from.

    Raises
    ------
    FairweatherError
        If the record has changed since.
    """
    p, a = tree["posterior"].to_dataset(), tree.attrs
    years = p["year"].values
    panel = load_panel(
        as_of=a.get("as_of") or None, states=[str(s) for s in p["state"].values],
        first_year=int(years[0]), last_year=int(years[-1]), focal=str(a["focal"]),
    )  # fmt: skip
    if panel.record.content_hash != a["record_hash"]:
        raise FairweatherError(
            "the record has changed since the fit",
            remedy="Pass the panel the fit was made from, or fit again.",
        )
    return panel


def priors_of(tree: xr.DataTree) -> Priors:
    """Read again the shipped belief set a fit was made with.

    Raises
    ------
    PriorError
        If it was not a shipped one, or has changed since.
    """
    name = str(tree.attrs["priors_id"])
    priors = load_priors(name)
    if priors.content_hash != tree.attrs["priors_hash"]:
        raise PriorError(
            f"belief set '{name}' is not the one of the fit",
            remedy="Pass priors=, the belief set the fit was made with.",
        )
    return priors


@dataclass(frozen=True)
class Draws:
    """Thinned draws of a fit, chain after chain.

    Attributes
    ----------
    chains, per_chain : int
    """

    panel: Panel
    priors: Priors
    reading: str
    reference: dict[str, tuple[float, float]]
    chains: int
    per_chain: int
    data: Any

    @classmethod
    def of(
        cls, tree: xr.DataTree, panel: Panel | None = None, priors: Priors | None = None,
        limit: int = LIMIT,
    ) -> Draws:  # fmt: skip
        """Thin the draws of a fit to about `limit`, evenly within each chain."""
        panel = panel_of(tree) if panel is None else panel
        priors = priors_of(tree) if priors is None else priors
        reading = str(tree.attrs["reading"])
        priors, panel = narrowed(priors, reading), seen(panel, reading)
        data = tree["posterior"].to_dataset()
        if list(data["dyad"].values) != list(panel.dyads) or list(data["year"].values) != list(
            panel.years
        ):
            raise FairweatherError(
                "the fit and the panel differ in dyads or years",
                remedy="Pass the panel the fit was made from.",
            )
        chains, size = data.sizes["chain"], data.sizes["draw"]
        keep = min(size, max(limit // chains, 1))
        data = data.isel(draw=np.linspace(0, size - 1, keep).round().astype(int))
        reference = {k: tuple(v) for k, v in json.loads(tree.attrs["reference"]).items()}
        return cls(panel, priors, reading, reference, chains, keep, data)

    def __len__(self) -> int:
        """Count the draws kept."""
        return self.chains * self.per_chain

    def __contains__(self, name: str) -> bool:
        """Whether the fit sampled or derived a quantity."""
        return name in self.data

    def get(self, name: str, **sel: Any) -> np.ndarray:
        """Return a quantity, shape (draw, ...); a Fixed one is repeated."""
        if name not in self.data:
            return np.full(len(self), self.priors.fixed(name))
        value = self.data[name].sel(**sel) if sel else self.data[name]
        value = value.transpose("chain", "draw", ...).to_numpy().astype(float)
        return value.reshape(len(self), *value.shape[2:])

    @property
    def pair(self) -> list[str]:
        """The two states of the focal dyad."""
        return self.panel.focal.split("-")

    @property
    def pressing(self) -> list[str]:
        """The two states whose pressure moves the focal dyad: its own, or two unrelated ones."""
        d = self.panel.dyads.index(self.panel.focal)
        return [self.panel.states[side[d]] for side in pressed(self.panel, self.reading)]

    def _felt(self, pressure: np.ndarray, years: np.ndarray) -> np.ndarray:
        """Pressure that moves the focal dyad; that on unrelated states keeps its last value."""
        if get_reading(self.reading).PRESSED == "own":
            return pressure
        at = np.clip(np.asarray(years) - int(self.panel.years[0]), 0, len(self.panel.years) - 1)
        other = self.get("pressure", state=self.pressing)[:, None, :, at]
        return np.broadcast_to(other, np.broadcast_shapes(other.shape, pressure.shape))

    def by_chain(self, values: np.ndarray) -> np.ndarray:
        """Unstack the draw axis, the last one: shape (..., chain, draw)."""
        return values.reshape(*values.shape[:-1], self.chains, self.per_chain)

    def coefficients(self) -> dict[str, np.ndarray]:
        """Every coefficient of the target, ready for arrays (..., draw, future, dyad, year)."""
        wanted: dict[str, str | None] = dict(get_reading(self.reading).COEFFICIENTS)
        wanted |= {f"complementarity_{k}": None for k in self.panel.kinds} | {"scope": None}
        out = {}
        for name, dims in wanted.items():
            if dims == "state":
                out[name] = self.get(name, state=self.pressing)[:, None, :]
            else:
                out[name] = self.get(name)[:, None, None, None]
        return out

    def terms(
        self, pressure: np.ndarray, complementarity: np.ndarray, years: np.ndarray
    ) -> dict[str, np.ndarray]:
        """Terms of the focal target in the long run.

        Parameters
        ----------
        pressure : ndarray, shape (..., draw, future, 2, year)
            Of the two focal states, log(1 + cases).
        complementarity : ndarray, shape (draw, kind, year or 1)
            Of the focal dyad.
        years : ndarray of int, shape (year,)

        Returns
        -------
        dict of str to ndarray, shape (..., draw, future, year)
            ``pressure``, ``complementarity`` and ``drift``, in logits.
        """
        p = self.panel
        view = SimpleNamespace(
            left=np.array([0]), right=np.array([1]), kinds=p.kinds, anchor_mean=p.anchor_mean
        )
        c = self.coefficients()
        left, right = sides(view, self._felt(pressure, years), c)
        weather = get_reading(self.reading).drive(np, left, right, c)
        start = scope_from(p, self.reading)
        comp = complementarity[:, None, :, None, :]
        pull = complementarity_pull(np, comp, pressure, view, c, start)
        decade = (np.asarray(years) - p.years.mean()) / 10.0
        ahead = decade + lag(self.get("half_life"))[:, None, None]
        drift = self.get("dyad_drift", dyad=p.focal)[:, None, None] * ahead
        share = five_year_share(self.get("half_life"))[:, None, None]
        return {
            "pressure": weather[..., 0, :] / share,
            "complementarity": pull[..., 0, :] / share,
            "drift": np.broadcast_to(drift, weather[..., 0, :].shape),
        }

    def moving(
        self, pressure: np.ndarray, complementarity: np.ndarray, years: np.ndarray
    ) -> np.ndarray:
        """Return the moving part of the target of the pair, (..., draw, future, year)."""
        return self._centred(self.terms(pressure, complementarity, years))

    def _centred(self, terms: dict[str, np.ndarray]) -> np.ndarray:
        centre = self.get("target_centre", dyad=self.panel.focal)[:, None, None]
        share = five_year_share(self.get("half_life"))[:, None, None]
        return terms["pressure"] + terms["complementarity"] - centre / share

    def standing(self, years: np.ndarray) -> np.ndarray:
        """Level and trend of the focal path, shape (draw, 1, year)."""
        focal = self.panel.focal
        decade = (np.asarray(years) - self.panel.years.mean()) / 10.0
        trend = self.get("dyad_drift", dyad=focal)[:, None, None]
        return self.get("level", dyad=focal)[:, None, None] + trend * decade

    def target(
        self, pressure: np.ndarray, complementarity: np.ndarray, years: np.ndarray
    ) -> np.ndarray:
        """Target of the focal dyad in logits, shape (..., draw, future, year); see `terms`."""
        # The target's own trend runs ahead of the path's.
        terms = self.terms(pressure, complementarity, years)
        level = self.get("level", dyad=self.panel.focal)[:, None, None]
        return level + terms["drift"] + self._centred(terms)

    def history(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Paths of the focal dyad in the sample.

        Returns
        -------
        alignment : ndarray, shape (draw, year)
        pressure : ndarray, shape (draw, 2, year)
        complementarity : ndarray, shape (draw, kind, year)
        """
        focal, kinds = self.panel.focal, list(self.panel.kinds)
        every = names.DYAD in self.data["complementarity"].dims
        return (
            self.get("alignment", dyad=focal),
            self.get("pressure", state=self.pair),
            self.get("complementarity", kind=kinds, **({names.DYAD: focal} if every else {})),
        )
