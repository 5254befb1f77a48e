"""The forecasts of several readings become one: their mixture, each with its weight.

Invariant: probabilities of the mixture are the weighted means of those of its readings, without
drawing anew; draw k of all its variables, scenarios and indicators is one future of one reading.
Guarded by ``tests/test_ensemble.py``.

A mixture of the same futures in other shares would be another forecast: which draws are taken is
a rule (largest remainders, evenly along each reading's draws), and the seed only sets where along
them it begins and in which order they stand.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from fairweather import names
from fairweather.errors import FairweatherError
from fairweather.scenarios import BASELINE
from fairweather.weights import EQUAL, WeightsError, share_out, weights_from

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["EQUAL", "STACKED", "EnsembleError", "WeightsError", "mix", "weights_from"]

STACKED = "stacked"
# What must be the same in all readings, in words, and what to do if it is not.
_SAME = {
    "focal": "the pair", "origin": "the origin", "as_of": "the as-of date",
    "record_hash": "the record", "priors_hash": "the prior beliefs",
    "indicators": "the codebook", "scenarios_hash": "the scenarios", "horizon": "the horizon",
}  # fmt: skip
_GROUPS = ("predictions", "effects", "observables", "survival")


class EnsembleError(FairweatherError):
    """Forecasts that cannot be mixed."""


def mix(
    forecasts: Mapping[str, xr.DataTree], weights: Mapping[str, float], seed: int = 1,
    source: Mapping[str, Any] | None = None,
) -> xr.DataTree:  # fmt: skip
    """Mix the forecasts of several readings into one.

    Parameters
    ----------
    forecasts : mapping of str to DataTree
        By reading, each from ``fairweather.forecast``.
    weights : mapping of str to float
        One for each reading; a reading of weight zero is left out.
    seed : int
        Sets where along each reading's draws the rule begins, and the order of the mixture's.
    source : mapping, optional
        Where the weights are from, as `weights_from` tells; kept among the attributes.

    Returns
    -------
    DataTree
        As ``fairweather.forecast`` makes it, of as many draws as the shortest of the readings has.
        Intervals are over the parameter draws of all readings, each with its weight; Monte Carlo
        errors are those of the readings, taken as independent. Attributes: ``reading`` is
        ``stacked``; ``readings``, ``draws_by_reading`` and ``weights`` (JSON), ``best`` (the
        reading of most weight), ``mix_seed``. ``reading`` along the draws says whose each is.

    Raises
    ------
    WeightsError
        Weights that are none, or that do not fit the readings.
    EnsembleError
        Forecasts that do not speak of the same things, or were made without their survival by
        draw.

    Examples
    --------
    >>> import fairweather as fw
    >>> one, two = (fw.open_results(f"results/{r}") for r in ("A", "B"))  # doctest: +SKIP
    >>> mix({"drift": one.forecast, "scope": two.forecast},
    ...     {"drift": 0.4, "scope": 0.6})  # doctest: +SKIP
    """
    import xarray as xr

    share, notes = share_out(weights)
    for name in forecasts:
        if name not in weights:
            raise WeightsError(f"'{name}' has no weight", remedy="Give it one, or leave it out.")
    for name in share:
        if name not in forecasts:
            raise WeightsError(
                f"there is no forecast of '{name}', which has a weight",
                remedy="Make one: fairweather forecast --reading " + name + ".",
            )
    trees = _alike({name: forecasts[name] for name in share})
    sizes = {name: tree["observables"].sizes[names.DRAW] for name, tree in trees.items()}
    total = min(sizes.values())
    counts = dict(zip(share, largest_remainders(list(share.values()), total), strict=True))
    rng = np.random.default_rng(seed)
    picked = {name: _evenly(counts[name], sizes[name], rng) for name in share}
    order = rng.permutation(total)
    labels = np.repeat(list(counts), list(counts.values()))[order]
    nodes = {}
    for group in _GROUPS:
        parts = [t[group].to_dataset().isel({names.DRAW: picked[n]}) for n, t in trees.items()]
        whole = xr.concat(
            parts, dim=names.DRAW, join="exact", coords="minimal", compat="override",
            data_vars="minimal", combine_attrs="drop_conflicts",
        ).isel({names.DRAW: order})  # fmt: skip
        nodes[group] = whole.assign_coords(reading=(names.DRAW, labels))
    nodes["durability"] = _durability(trees, share)
    nodes["/"] = xr.Dataset(attrs=_attributes(trees, share, counts, seed, source, notes))
    return xr.DataTree.from_dict(nodes)


def largest_remainders(shares: list[float], total: int) -> list[int]:
    """Divide whole draws in proportion to shares.

    Parameters
    ----------
    shares : list of float
        Summing to one.
    total : int

    Returns
    -------
    list of int
        Each within one of its exact part; the first of equal remainders is served first.

    Examples
    --------
    >>> largest_remainders([0.5, 0.3, 0.2], 8)
    [4, 2, 2]
    """
    exact = np.asarray(shares, float) * total
    # Rounding must not lose a draw that is whole.
    out = np.floor(exact + 1e-9).astype(int)
    last = np.argsort(out - exact, kind="stable")[: total - int(out.sum())]
    out[last] += 1
    return [int(k) for k in out]


def weighted_quantiles(
    values: np.ndarray, weights: np.ndarray, levels: tuple[float, ...]
) -> np.ndarray:
    """Quantiles of weighted values, by linear interpolation.

    With equal weights they are those of `numpy.quantile`.

    Parameters
    ----------
    values : ndarray, shape (..., n)
    weights : ndarray, shape (n,)
        Positive, summing to one.
    levels : tuple of float

    Returns
    -------
    ndarray, shape (level, ...)

    Examples
    --------
    >>> weighted_quantiles(np.array([3.0, 1.0, 2.0]), np.full(3, 1 / 3), (0.25, 0.5)).tolist()
    [1.5, 2.0]
    """
    flat = values.reshape(-1, values.shape[-1])
    out = np.empty((len(levels), len(flat)))
    for row, x in enumerate(flat):
        order = np.argsort(x, kind="stable")
        w = weights[order]
        middle = np.cumsum(w) - w / 2
        # Where the smallest stands is 0, where the largest stands is 1.
        span = middle[-1] - middle[0]
        place = (middle - middle[0]) / span if span > 0 else np.zeros(1)
        out[:, row] = np.interp(levels, place, x[order])
    return out.reshape(len(levels), *values.shape[:-1])


def _evenly(count: int, size: int, rng: np.random.Generator) -> np.ndarray:
    """Positions of `count` of `size` draws: evenly along them, so that all chains are there."""
    start = rng.random()
    return np.floor((np.arange(count) + start) * size / count).astype(int) if count else (
        np.empty(0, int)
    )  # fmt: skip


def _alike(trees: Mapping[str, xr.DataTree]) -> dict[str, xr.DataTree]:
    """Refuse forecasts that do not speak of the same things; lay them out in the same order."""
    first = next(iter(trees))
    for name, tree in trees.items():
        if tree.attrs.get("reading", name) != name:
            raise EnsembleError(
                f"the forecast given as '{name}' is of the reading '{tree.attrs['reading']}'",
                remedy="Give each forecast under the name of its reading.",
            )
        if "survival" not in tree:
            raise EnsembleError(
                f"the forecast of '{name}' does not keep the survival of each draw",
                remedy="It was made by an earlier version. Make it again from its fit: "
                "fairweather forecast --from RUN.",
            )
        for key, said in _SAME.items():
            a, b = trees[first].attrs.get(key), tree.attrs.get(key)
            if a != b:
                raise _differ(first, name, said, _short(a), _short(b))
        for said, a, b in zip(_LABELS, _labels(trees[first]), _labels(tree), strict=True):
            if sorted(a) != sorted(b):
                apart = [sorted(set(x) - set(y)) for x, y in ((a, b), (b, a))]
                raise _differ(first, name, said, *(", ".join(map(_word, x[:3])) or "none more"
                                                   for x in apart))  # fmt: skip
    out = {}
    order = list(trees[first]["observables"][names.INDICATOR].values)
    for name, tree in trees.items():
        nodes = {k: v.to_dataset() for k, v in tree.children.items()}
        nodes["observables"] = nodes["observables"].sel({names.INDICATOR: order})
        for group in ("predictions", "effects", "observables", "survival", "durability"):
            nodes[group] = nodes[group].sel(
                {d: trees[first][group][d].values for d in (names.SCENARIO, names.THRESHOLD)
                 if d in nodes[group].dims}
            )  # fmt: skip
        out[name] = _tree(nodes, tree.attrs)
    return out


def _tree(nodes: Mapping[str, xr.Dataset], attrs: Mapping[Any, Any]) -> xr.DataTree:
    """Put groups together under a root of attributes."""
    import xarray as xr

    return xr.DataTree.from_dict({"/": xr.Dataset(attrs=dict(attrs)), **nodes})


_LABELS = (
    "the scenarios", "the thresholds", "the years ahead", "the states", "the indicators",
    "the number of futures",
)  # fmt: skip


def _labels(tree: xr.DataTree) -> tuple[list[Any], ...]:
    durability, seen = tree["durability"].to_dataset(), tree["observables"].to_dataset()
    series = [seen[k].values for k in (names.INDICATOR, "id", "unit")]
    return (
        [str(v) for v in durability[names.SCENARIO].values],
        [str(v) for v in durability[names.THRESHOLD].values],
        [int(v) for v in durability[names.HORIZON].values],
        [str(v) for v in tree["predictions"][names.STATE].values],
        [tuple(map(str, row)) for row in zip(*series, strict=True)],
        [int(tree["survival"].attrs["futures"])],
    )


def _differ(a: str, b: str, said: str, x: str, y: str) -> EnsembleError:
    return EnsembleError(
        f"the forecasts of '{a}' and '{b}' differ in {said}: {x} and {y}",
        remedy="Make both from the same record, with the same options but --reading.",
    )


def _short(value: Any) -> str:
    text = str(value)
    return f"{text[:12]}..." if len(text) > 40 else text or "none"


def _word(value: Any) -> str:
    return f"{value[1]} of {value[2]}" if isinstance(value, tuple) else str(value)


def _durability(trees: Mapping[str, xr.DataTree], share: Mapping[str, float]) -> xr.Dataset:
    """Durability of the mixture, from all draws of all readings."""
    from fairweather.forecast import MASS

    dims = (names.SCENARIO, names.THRESHOLD, names.HORIZON)
    tables = {n: t["durability"].to_dataset().transpose(*dims) for n, t in trees.items()}
    alive = {n: _survival(t) for n, t in trees.items()}
    first = next(iter(tables.values()))
    base = list(map(str, first[names.SCENARIO].values)).index(BASELINE)
    w = np.array(list(share.values()))

    def mean(name: str) -> np.ndarray:
        return np.tensordot(w, np.stack([t[name].values for t in tables.values()]), 1)

    def error(name: str) -> np.ndarray:
        return np.sqrt(np.tensordot(w**2, np.stack([t[name].values for t in tables.values()]) ** 2,
                                    1))  # fmt: skip

    pooled = np.concatenate(list(alive.values()), axis=-1)
    each = np.concatenate([np.full(x.shape[-1], v / x.shape[-1])
                           for v, x in zip(w, alive.values(), strict=True)])  # fmt: skip
    tails = (0.5 - MASS / 2, 0.5 + MASS / 2)
    lower, upper = weighted_quantiles(pooled, each, tails)
    change_lower, change_upper = weighted_quantiles(pooled - pooled[base], each, tails)
    probability = mean("probability")
    down = probability <= 0.5
    median = np.where(down.any(axis=-1), down.argmax(axis=-1) + 1.0, np.inf)
    out = first.copy()
    new = {
        "probability": probability, "lower": lower, "upper": upper, "mc_error": error("mc_error"),
        "change": mean("change"), "change_lower": change_lower, "change_upper": change_upper,
        "change_mc_error": error("change_mc_error"),
    }  # fmt: skip
    out = out.assign({k: (dims, v) for k, v in new.items()} | {"median_years": (dims[:2], median)})
    said = f"{first.attrs.get('interval', '')} of all readings, each with its weight"
    return out.assign_attrs(interval=said)


def _survival(tree: xr.DataTree) -> np.ndarray:
    """Share of futures that stay above, shape (scenario, threshold, horizon, draw)."""
    node = tree["survival"].to_dataset()
    order = (names.SCENARIO, names.THRESHOLD, names.HORIZON, names.DRAW)
    return node["survived"].transpose(*order).values / float(node.attrs["futures"])


def _attributes(
    trees: Mapping[str, xr.DataTree], share: Mapping[str, float], counts: Mapping[str, int],
    seed: int, source: Mapping[str, Any] | None, notes: list[str],
) -> dict[str, Any]:  # fmt: skip
    """Keep what all readings say alike, and say what the mixture is."""
    first, *others = trees.values()
    same = {
        k: v for k, v in first.attrs.items() if all(repr(t.attrs.get(k)) == repr(v) for t in others)
    }
    same.pop("timings", None)
    where = dict(source or {"kind": "given"})
    where["notes"] = [*where.get("notes", []), *notes]
    return same | {
        "reading": STACKED, "readings": json.dumps(dict(share)), "best": next(iter(share)),
        "draws_by_reading": json.dumps(dict(counts)), "weights": json.dumps(where),
        "mix_seed": seed, "draws_used": sum(counts.values()),
    }  # fmt: skip
