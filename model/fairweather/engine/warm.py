"""A warm start: the geometry of an earlier fit, carried over to the coordinates of another model.

Invariant: a start decides where chains begin and in which units they step, never what they draw
from; chains start from different draws of different earlier chains. Guarded by
``tests/test_renewal_warm.py``.

nutpie takes no mass matrix to begin with. Sampling ``z`` with ``x = mean + scale * z`` is the same
as beginning with the squared scales, and nutpie goes on adapting from there. Its own first mass
matrix is the inverse gradient where a chain begins, one noisy number a coordinate; of that one
point it is told a gradient of one everywhere, so that it begins with the identity. Only the first
trajectory of the tuning, which is thrown away, sees it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fairweather.engine.geometry import POINTS, Geometry, coordinates, offset, voted
from fairweather.measurement.vote import agenda_basis

if TYPE_CHECKING:
    from fairweather.engine.pack import Packed
    from fairweather.model import Model

# A coordinate the earlier fit did not have starts this share of its width around its centre.
_AROUND = 0.5
_ZERO_SUM = ("state_shock_raw", "delegation", "elasticity_own")


@dataclass(frozen=True)
class Start:
    """Where chains begin, and in which units they step.

    Attributes
    ----------
    mean, scale : ndarray, shape (coordinate,)
    points : ndarray, shape (chain, coordinate)
    known : int
        Coordinates that the earlier fit had too.
    """

    mean: np.ndarray
    scale: np.ndarray
    points: np.ndarray
    known: int

    def density(self, inner: Any) -> Any:
        """Density and gradient at ``z``, of one chain; it begins with the first call."""
        calls = iter(range(2**62))

        def scaled(z: np.ndarray) -> tuple[float, np.ndarray]:
            value, slope = inner(self.back(z))
            slope = slope * self.scale
            return value, slope if next(calls) else np.where(slope < 0, -1.0, 1.0)

        return scaled

    def back(self, z: np.ndarray) -> np.ndarray:
        """Return the point that ``z`` stands for."""
        return self.mean + self.scale * z

    def begin(self, chain: int) -> Any:
        """Make the function that tells nutpie where a chain begins; a second try is moved a bit."""
        tries = iter(range(1_000_000))

        def point(seed: int) -> np.ndarray:
            z = (self.points[chain] - self.mean) / self.scale
            moved = np.random.default_rng(seed).uniform(-0.2, 0.2, len(z))
            return z + (moved if next(tries) else 0.0)

        return point


def carry_over(
    found: Geometry, model: Model, packed: Packed, chains: int, seed: int
) -> Start:  # fmt: skip
    """Carry the geometry of an earlier fit over to a model, coordinate by coordinate.

    Parameters
    ----------
    found : Geometry
    model : Model
    packed : Packed
    chains : int
    seed : int

    Returns
    -------
    Start
        A coordinate both have takes over place and width; the agenda, contrasts over the years, is
        projected; a new year, unit or indicator starts around its prior median, as wide as others
        of its block.

    Examples
    --------
    >>> carry_over(geometry_of(tree), model, pack(model), 4, 1).points.shape  # doctest: +SKIP
    (4, 11706)
    """
    labels = coordinates(model, packed)
    place = {name: k for k, name in enumerate(found.label)}
    if tuple(model.panel.states) != found.states:
        place = {n: k for n, k in place.items() if n.partition("|")[0] not in _ZERO_SUM}
    if (tuple(int(y) for y in model.panel.years), voted(model.panel)) != (found.years, found.voted):
        place = {n: k for n, k in place.items() if not n.startswith("agenda|")}
    source = np.array([place.get(name, -1) for name in labels])
    known, shift = source >= 0, offset(model, packed)
    mean, scale = packed.centre + shift, np.ones(packed.n_dim)
    mean[known], scale[known] = found.mean[source[known]], found.scale[source[known]]
    for block in packed.blocks.values():
        part = slice(block.at, block.at + block.size)
        if known[part].any():
            scale[part][~known[part]] = np.median(scale[part][known[part]])
    agenda = _agenda(found, model, packed) if "agenda" in packed.blocks else None
    if agenda is not None and not known[agenda[0]].any():
        at, carried, wide = agenda
        mean[at], scale[at] = carried @ found.mean[_own(found)], wide
    points = np.empty((chains, packed.n_dim))
    earlier = len(found.points)
    for c in range(chains):
        rng = np.random.default_rng([seed, c])
        points[c] = mean + _AROUND * scale * rng.standard_normal(packed.n_dim)
        # Other chains first, then an earlier draw of each; never one draw for two chains.
        if c < earlier * POINTS:
            old = found.points[c % earlier, POINTS - 1 - c // earlier]
            if np.isfinite(old).all():
                points[c, known] = old[source[known]]
                if agenda is not None and not known[agenda[0]].any():
                    points[c, agenda[0]] = agenda[1] @ old[_own(found)]
    return Start(mean - shift, scale, points - shift, int(known.sum()))


def _own(found: Geometry) -> np.ndarray:
    return np.array([n for n, name in enumerate(found.label) if name.startswith("agenda|")], int)


def _agenda(
    found: Geometry, model: Model, packed: Packed
) -> tuple[slice, np.ndarray, np.ndarray] | None:
    """Place of the agenda, the matrix that carries its contrasts over, and the widths."""
    own, block = _own(found), packed.blocks["agenda"]
    years = [int(y) for y in model.panel.years]
    if len(own) != len(found.years) - 2:
        return None
    before = agenda_basis(np.isin(found.years, found.voted))
    now = model.batches["vote"].extra["basis"]
    same = np.equal.outer(years, found.years).astype(float)
    carried = now.T @ same @ before
    # Years without a past have the prior's spread.
    fresh = (now[~same.any(axis=1)] ** 2).sum(axis=0)
    prior = float(model.batches["vote"].extra["agenda_scale"])
    wide = np.sqrt(carried**2 @ found.scale[own] ** 2 + fresh * prior**2)
    return slice(block.at, block.at + block.size), carried, np.maximum(wide, 1e-3)
