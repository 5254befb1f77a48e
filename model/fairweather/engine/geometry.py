"""What a fit learnt of its own space: where each coordinate lies, how wide it is, and some draws.

Invariant: each coordinate carries a label (block, then unit, indicator or year) and stands on an
absolute scale, so that a fit of another panel takes over what both have, whatever the points
around which either samples. Guarded by ``tests/test_renewal_warm.py``.

The width of a coordinate is the one at which nutpie's mass matrix would be one: the geometric
mean of the spread of the draws and of the inverse spread of the gradients.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from fairweather import names
from fairweather.errors import SamplerError
from fairweather.model import MEAN_STEP, PRESSURE_STEP

if TYPE_CHECKING:
    import xarray as xr

    from fairweather.engine.pack import Packed
    from fairweather.model import Model
    from fairweather.panel import Panel

GROUP = "geometry"
# Gradients a chain are enough to know their spread; one a draw would cost a thirtieth.
_GRADIENTS = 256
# Draws of each chain that are kept for later starts: in the middle and at the end.
POINTS = 2


class Tally:
    """Running moments of one chain's draws and gradients, and the draws kept as points.

    Parameters
    ----------
    number : int
        Coordinates.
    draws : int
        How many draws will come.
    """

    def __init__(self, number: int, draws: int) -> None:
        self.n = self.gradients = 0
        self.mean, self.square = np.zeros(number), np.zeros(number)
        self.slope = np.zeros(number)
        self.points = np.full((POINTS, number), np.nan)
        self._every = max(1, draws // _GRADIENTS)
        self._at = {draws // 2 - 1: 0, draws - 1: 1}

    def add(self, x: np.ndarray, density: Any) -> None:
        """Take the next draw; of some the gradient too."""
        if self.n in self._at:
            self.points[self._at[self.n]] = x
        if self.n % self._every == 0:
            self.slope += density(x)[1] ** 2
            self.gradients += 1
        self.n += 1
        away = x - self.mean
        self.mean += away / self.n
        self.square += away * (x - self.mean)


@dataclass(frozen=True)
class Geometry:
    """Place and width of every coordinate, and draws to start from.

    Attributes
    ----------
    label : tuple of str
        Of each coordinate, such as ``shock_raw|CHN-RUS|2014``.
    mean, scale : ndarray, shape (coordinate,)
    points : ndarray, shape (chain, point, coordinate)
    states : tuple of str
        Zero-sum coordinates mean the same only among the same states.
    years : tuple of int
    voted : tuple of int
        Years with votes: the agenda's coordinates are contrasts over these.
    """

    label: tuple[str, ...]
    mean: np.ndarray = field(repr=False)
    scale: np.ndarray = field(repr=False)
    points: np.ndarray = field(repr=False)
    states: tuple[str, ...] = ()
    years: tuple[int, ...] = ()
    voted: tuple[int, ...] = ()

    @classmethod
    def of(cls, tallies: list[Tally], model: Model, packed: Packed) -> Geometry:
        """Join the chains of one fit."""
        means = np.array([t.mean for t in tallies])
        spread = np.array([t.square / max(t.n - 1, 1) for t in tallies]).mean(axis=0)
        spread = spread + means.var(axis=0)
        slope = sum(t.slope for t in tallies) / sum(t.gradients for t in tallies)
        with np.errstate(divide="ignore", invalid="ignore"):
            scale = (spread / slope) ** 0.25
        scale = np.where(np.isfinite(scale) & (scale > 0), scale, 1.0)
        shift = offset(model, packed)
        panel = model.panel
        return cls(
            coordinates(model, packed), means.mean(axis=0) + shift, scale,
            np.array([t.points for t in tallies]) + shift, tuple(panel.states),
            tuple(int(y) for y in panel.years), voted(panel),
        )  # fmt: skip

    @property
    def digest(self) -> str:
        """SHA-256 of all that decides a start, cut to sixteen digits."""
        found = hashlib.sha256("\n".join((*self.label, *self.states)).encode())
        for part in (self.mean, self.scale, self.points):
            found.update(np.asarray(part, np.float32).tobytes())
        return found.hexdigest()[:16]

    def to_dataset(self) -> xr.Dataset:
        """Lay the geometry out for a fit's tree, in single precision."""
        import xarray as xr

        return xr.Dataset(
            {
                "mean": ("coordinate", self.mean.astype(np.float32)),
                "scale": ("coordinate", self.scale.astype(np.float32)),
                "points": (("chain", "point", "coordinate"), self.points.astype(np.float32)),
            },
            coords={"coordinate": list(self.label)},
            attrs={k: json.dumps(getattr(self, k)) for k in ("states", "years", "voted")},
        )


def geometry_of(fit: xr.DataTree | Geometry) -> Geometry:
    """Read the geometry kept with a fit.

    Raises
    ------
    SamplerError
        The fit keeps none: it is of another sampler or an earlier version.

    Examples
    --------
    >>> geometry_of(tree).scale.min() > 0  # doctest: +SKIP
    True
    """
    if isinstance(fit, Geometry):
        return fit
    if GROUP not in fit.children:
        raise SamplerError(
            "the fit to start from keeps no geometry: it is of another sampler or version",
            remedy="Fit without a warm start.",
        )
    data = fit[GROUP].to_dataset()
    read = [data[k].to_numpy().astype(float) for k in ("mean", "scale", "points")]
    labels = tuple(str(x) for x in data["coordinate"].values)
    kept = (tuple(json.loads(data.attrs[k])) for k in ("states", "years", "voted"))
    return Geometry(labels, *read, *kept)


def voted(panel: Panel) -> tuple[int, ...]:
    """Years in which any dyad has votes.

    Examples
    --------
    >>> import fairweather as fw
    >>> voted(fw.load_panel(states=["CHN", "RUS", "IND"]))[-1]
    2024
    """
    own = [one.id for one in panel.indicators(names.ALIGNMENT) if one.family == "vote"]
    seen = sorted({int(t) for i in own for t in panel.rows[i]["time"]})
    return tuple(int(panel.years[t]) for t in seen)


def coordinates(model: Model, packed: Packed) -> tuple[str, ...]:
    """Label every coordinate of the unconstrained vector.

    Examples
    --------
    >>> import fairweather as fw
    >>> from fairweather.engine.pack import pack
    >>> model = fw.build_model(fw.load_panel(states=["CHN", "RUS", "IND"]))
    >>> coordinates(model, pack(model))[-1]
    'share_level|chronology_sign:CHN-RUS'
    """
    panel, batches = model.panel, model.batches
    years = [str(y) for y in panel.years]
    axes: dict[str, list[list[str]]] = {
        "pressure_step": [list(panel.states), years], "words_raw": [list(panel.states), years],
        "complementarity_error": [list(panel.kinds), list(panel.dyads), ["slope", "bend"]],
        "mean_step": [list(panel.dyads)], "slope_step": [list(panel.dyads)],
        "shock_raw": [list(panel.dyads), years], "state_shock_raw": [years[1:]],
        "delegation": [years],
    }  # fmt: skip
    for family, batch in batches.items():
        for name in (f"loading_{family}", "residual_spare" if family == "within" else ""):
            axes[name] = [batch.ids]
        axes[f"shift_{family}"] = [[batch.ids[k] for k in batch.shifted], years]
        if family == "share":
            units = [panel.units(batch.indicators[k].latent)[u]
                     for k, u in zip(batch.which, batch.unit, strict=True)]  # fmt: skip
            axes["share_level"] = [
                [f"{batch.ids[k]}:{u}" for k, u in zip(batch.which, units, strict=True)]
            ]
    out: list[str] = []
    for name, block in packed.blocks.items():
        own = axes.get(name, [])
        # What has no label of its own, as contrasts, is counted.
        own = own + [[f"#{k}" for k in range(n)] for n in block.shape[len(own) :]]
        out += ["|".join((name, *parts)) for parts in product(*own)]
    return tuple(out)


def offset(model: Model, packed: Packed) -> np.ndarray:
    """Say what to add to a point so that it does not depend on where the sampler centred it."""
    out = np.zeros(packed.n_dim)
    centred = {"pressure_step": model.panel.anchor_fill / PRESSURE_STEP,
               "mean_step": model.space.mean / MEAN_STEP}  # fmt: skip
    for name, where in centred.items():
        block = packed.blocks[name]
        out[block.at : block.at + block.size] = np.ravel(where)
    return out
