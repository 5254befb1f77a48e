"""A model laid out for the kernels: flat arrays of numbers, and where each part stands.

Invariant: everything a fit depends on is data here, so that one compilation serves every panel,
vintage, held-out row and prior set. Guarded by ``tests/test_engine.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fairweather.dynamics import TURN
from fairweather.engine import slots
from fairweather.engine.drive import arguments
from fairweather.errors import FairweatherError
from fairweather.model import MEAN_STEP, PRESSURE_STEP, SLOPE_STEP
from fairweather.names import STATE
from fairweather.readings import get_reading
from fairweather.readings.parts import scope_from

if TYPE_CHECKING:
    from fairweather.model import Model

_KIND = {"Fixed": slots.FIXED, "Normal": slots.NORMAL, "LogNormal": slots.LOGNORMAL,
         "HalfNormal": slots.HALFNORMAL}  # fmt: skip


class NotCovered(FairweatherError):
    """The kernels do not know a part of this model; the general sampler path does."""


@dataclass(frozen=True)
class Block:
    """A run of free numbers: name, place, shape, and how they are bound."""

    name: str
    at: int
    shape: tuple[int, ...]
    transform: str = ""

    @property
    def size(self) -> int:
        """How many numbers."""
        return int(np.prod(self.shape, dtype=int))

    @property
    def value_name(self) -> str:
        """Name of the same numbers in a PyMC model."""
        return f"{self.name}_{self.transform}__" if self.transform else self.name


@dataclass(frozen=True)
class Packed:
    """What the kernels read.

    Attributes
    ----------
    f, fo : ndarray
        Constants and where each of `slots.DATA` begins.
    i, io : ndarray of int
        Indices and where each of `slots.INDEX` begins.
    wo : ndarray of int
        Where each of `slots.WORK` begins in the work space.
    work : int
        Size of the work space.
    shapes : dict
        Shape of each part of the work space.
    blocks : dict of str to Block
        The unconstrained vector, part by part.
    scalars : tuple of str
        Names of the free and fixed numbers in the order of the kernels.
    centre : ndarray
        Prior medians on the unconstrained scale.
    """

    f: np.ndarray
    fo: np.ndarray
    i: np.ndarray
    io: np.ndarray
    wo: np.ndarray
    work: int
    shapes: dict[str, tuple[int, ...]]
    blocks: dict[str, Block]
    scalars: tuple[str, ...]
    centre: np.ndarray

    def start(self, seed: int, *lead: int) -> np.ndarray:
        """Where chains start: prior medians, each moved by up to one; shape (*lead, number)."""
        rng = np.random.default_rng(seed)
        return self.centre + rng.uniform(-1.0, 1.0, (*lead, self.n_dim))

    @property
    def n_dim(self) -> int:
        """Length of the unconstrained vector."""
        return len(self.centre)

    def views(self, w: np.ndarray) -> dict[str, np.ndarray]:
        """Parts of a work space by name."""
        return {
            name: w[self.wo[k] : self.wo[k] + int(np.prod(shape, dtype=int))].reshape(shape)
            for k, (name, shape) in enumerate(self.shapes.items())
        }


def _flat(names: tuple[str, ...], parts: dict[str, Any], kind: type) -> tuple[Any, Any]:
    out = [np.ascontiguousarray(parts[n], dtype=kind).ravel() for n in names]
    starts = np.cumsum([0, *(a.size for a in out[:-1])])
    # A spare number at the end: a part of size nothing still has a place.
    return np.concatenate([*out, np.zeros(1, kind)]), starts.astype(np.int64)


def _filter(filters: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Whitening of a series as the gap to the cell before and two weights."""
    gap, weight = np.zeros(filters[0].shape, int), np.zeros(filters[0].shape)
    for g, c in enumerate(filters[1:], start=1):
        gap, weight = np.where(c != 0, g, gap), np.where(c != 0, c, weight)
    return filters[0], weight, gap


def _moved(batch: Any) -> np.ndarray:
    position = {k: n for n, k in enumerate(batch.shifted)}
    return np.array([position.get(k, -1) for k in batch.which], int)


def _measured(batches: dict[str, Any], width: int) -> tuple[dict, dict, dict]:
    """Constants, indices and sizes of the five families, empty where one is absent."""
    none = np.zeros(0)
    data = {n: none for n in slots.DATA if n.partition("_")[0] in _FAMILIES}
    index = {n: none for n in slots.INDEX if n.partition("_")[0] in _FAMILIES}
    sizes = {n: 0 for n in slots.SIZES}
    data["agenda_basis"] = none
    for name, b in batches.items():
        if name not in _FAMILIES:
            raise NotCovered(f"no kernel for indicator family '{name}'")
        x = b.extra
        sizes[name] = len(b.unit)
        data |= {f"{name}_y": b.y, f"{name}_sign": b.sign}
        index[f"{name}_row"] = b.row
        if name in {"vote", "within"}:
            c0, c1, index[f"{name}_gap"] = _filter(x["filter"])
            data |= {f"{name}_c0": c0, f"{name}_c1": c1}
        if name in {"within", "count", "share"}:
            index[f"{name}_which"], sizes[f"{name}_item"] = b.which, len(b.indicators)
        if name in {"within", "count"}:
            index[f"{name}_moved"], sizes[f"{name}_shift"] = _moved(b), len(b.shifted)
        if name in {"count", "anchor"}:
            index[f"{name}_mask"] = b.mask
    if "vote" in batches:
        data["agenda_basis"] = batches["vote"].extra["basis"]
    if "within" in batches:
        x = batches["within"].extra
        data |= {f"within_{k}": x[k] for k in ("constant", "information", "dof", "floor")}
    if "count" in batches:
        b = batches["count"]
        data |= {"count_offset": np.where(b.mask, b.extra["offset"], 0.0),
                 "count_strength": b.extra["concentration"] * b.extra["seen"]}  # fmt: skip
    if "share" in batches:
        data["share_trials"] = batches["share"].extra["n"] * batches["share"].mask
    return data, index, sizes


_FAMILIES = ("vote", "within", "count", "share", "anchor")


def _scalars(model: Model) -> tuple[list[str], list[tuple[int, float, float]]]:
    """Free and fixed numbers in the order of the kernels: name; kind, centre, spread."""
    coefficients = get_reading(model.reading).COEFFICIENTS
    unknown = [k for k, dims in coefficients.items() if dims == STATE and k != "elasticity"]
    if unknown:
        raise NotCovered(f"no kernel for a coefficient of each state named {unknown[0]}")
    extra = [f"complementarity_{k}" for k in model.panel.kinds]
    extra += [k for k, dims in coefficients.items() if dims is None]
    table = []
    for name in (*slots.SCALARS, *extra):
        if name.startswith("elasticity_") and "elasticity" not in coefficients:
            table.append((slots.FIXED, 1.0, 1.0))
        else:
            table.append(_prior(model.priors[name]))
    return [*slots.SCALARS, *extra], table


def _prior(prior: Any) -> tuple[int, float, float]:
    p = prior.params
    if prior.fixed:
        return slots.FIXED, p["value"], 1.0
    return _KIND[prior.dist], p.get("mu", 0.0), p["sigma"]


def pack(model: Model) -> Packed:
    """Lay a model out for the kernels.

    Parameters
    ----------
    model : Model
        From `fairweather.build_model`; its PyMC form is not needed.

    Returns
    -------
    Packed

    Raises
    ------
    NotCovered
        A family, coefficient or prior the kernels do not know.

    Examples
    --------
    >>> import fairweather as fw
    >>> packed = pack(fw.build_model(fw.load_panel(states=["CHN", "RUS", "IND"])))
    >>> packed.blocks["half_life"].value_name
    'half_life_log__'
    """
    panel, priors, space = model.panel, model.priors, model.space
    S, D, T, K = len(panel.states), len(panel.dyads), len(panel.years), len(panel.kinds)
    data, index, sizes = _measured(model.batches, T)
    names, table = _scalars(model)
    coefficients = get_reading(model.reading).COEFFICIENTS
    wanted = arguments(model.reading)
    views = sum(dims == STATE for dims in coefficients.values())
    free = len(coefficients) - views
    sizes |= {"state": S, "dyad": D, "year": T, "kind": K, "scalar": len(names),
              "argument": len(wanted), "view": views, "coefficient": free}  # fmt: skip
    if priors["drift"].dist != "Normal":
        raise NotCovered("the prior of the drift is not Normal")
    blocks, centre = _blocks(names, table, sizes, model)
    vectors = [_prior(priors[v]) for v in slots.VECTORS]
    for name, (kind, *_) in zip(slots.VECTORS, vectors, strict=True):
        if kind == slots.FIXED or (name == "share_level") != (kind == slots.NORMAL):
            raise NotCovered(f"the prior of {name} is {priors[name]}")
    fit = panel.complementarity
    seen = fit.std(axis=2)
    data |= {
        "constants": [
            PRESSURE_STEP, MEAN_STEP, SLOPE_STEP, priors.fixed("words_scale"),
            priors.fixed("intercept_scale"),
            priors.fixed("shock_df"), priors["drift"].params["mu"], priors["drift"].params["sigma"],
            priors.fixed("agenda_scale"),
            *(model.batches[b].extra["shift_scale"] if b in model.batches else 1.0
              for b in ("within", "count")),
            model.batches["share"].extra["concentration"] if "share" in model.batches else 1.0,
            priors.fixed("anchor_error"), panel.anchor_mean, TURN,
            scope_from(panel, model.reading),
        ],
        "scalar_mu": [mu for _, mu, _ in table], "scalar_sigma": [s for *_, s in table],
        "vector_prior": [v[1:] for v in vectors], "fill": panel.anchor_fill, "mean": space.mean,
        "relative": space.relative, "decade": space.decade, "basis": space.basis.T / np.sqrt(2.0),
        "complementarity": fit - fit.mean(axis=2, keepdims=True),
        "error_size": priors.fixed("complementarity_error") * seen,
    }  # fmt: skip
    index |= {
        "sizes": [sizes[n] for n in slots.SIZES],
        "scalar_at": [blocks[n].at if n in blocks else -1 for n in names],
        "scalar_kind": [k for k, *_ in table],
        "block_at": [blocks[n].at if n in blocks else -1 for n in slots.BLOCKS],
        "vector_kind": [k for k, *_ in vectors], "left": panel.left, "right": panel.right,
        "pressed_left": space.pressed[0], "pressed_right": space.pressed[1],
    }  # fmt: skip
    f, fo = _flat(slots.DATA, data, float)
    i, io = _flat(slots.INDEX, index, np.int64)
    shapes = {
        "scalar": (len(names),), "deviation": (S, T), "words": (S, T), "own": (max(views, 1), S),
        "coefficient": (free,), "own_raw": (S,),
        "state_shock": (T - 1, S), "delegation": (T, S), "pull": (D, T),
        "partial": (len(wanted), D, T), "complementarity": (K, D, T), "moving": (D, T),
        "centre": (D,), "trend": (D,), "level": (D,), "excursion": (D, T),
        "keep": (D, T), "answer": (D, T),
        "stacked": (4 * D + 2 * S, T), "adjoint": (4 * D + 2 * S, T),
        "derived": (len(slots.DERIVED),),
    }  # fmt: skip
    counts = [int(np.prod(shapes[n], dtype=int)) for n in slots.WORK]
    wo = np.cumsum([0, *counts[:-1]]).astype(np.int64)
    ordered = {n: shapes[n] for n in slots.WORK}
    return Packed(f, fo, i, io, wo, sum(counts) + 1, ordered, blocks, tuple(names), centre)


def _blocks(
    names: list[str], table: list[tuple[int, float, float]], sizes: dict[str, int], model: Model
) -> tuple[dict[str, Block], np.ndarray]:
    """Places in the unconstrained vector, and the prior medians there."""
    S, D, T, K = (sizes[n] for n in ("state", "dyad", "year", "kind"))
    blocks: dict[str, Block] = {}
    centre: list[np.ndarray] = []

    def add(name: str, shape: tuple[int, ...], transform: str = "", middle: float = 0.0) -> None:
        block = Block(name, sum(a.size for a in centre), shape, transform)
        if block.size:
            blocks[name] = block
            centre.append(np.full(block.size, middle))

    for name, (kind, mu, sigma) in zip(names, table, strict=True):
        if kind != slots.FIXED:
            bound = "" if kind == slots.NORMAL else "log"
            add(name, (), bound, np.log(0.67 * sigma) if kind == slots.HALFNORMAL else mu)
    add("pressure_step", (S, T))
    add("words_raw", (S, T))
    if sizes["view"]:
        add("elasticity_own", (S - 1,), "zerosum")
    add("complementarity_error", (K, D, 2))
    add("mean_step", (D,))
    add("slope_step", (D,))
    add("shock_raw", (D, T))
    add("state_shock_raw", (T - 1, S - 1), "zerosum")
    add("delegation", (T, S - 1), "zerosum")
    if "vote" in model.batches:
        add("agenda", (T - 2,))
    for family, vectors in _VECTORS.items():
        if family in model.batches:
            for name in vectors:
                kind, mu, sigma = _prior(model.priors[name])
                n = sizes[family] if name == "share_level" else sizes[f"{family}_item"]
                middle = np.log(0.67 * sigma) if kind == slots.HALFNORMAL else mu
                add(name, (n,), "" if kind == slots.NORMAL else "log", middle)
            if family != "share":
                add(f"shift_{family}", (sizes[f"{family}_shift"], T))
    return blocks, np.concatenate(centre)


_VECTORS = {"within": ("residual_spare", "loading_within"), "count": ("loading_count",),
            "share": ("loading_share", "share_level")}  # fmt: skip
