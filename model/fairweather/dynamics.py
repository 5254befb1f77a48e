"""Partial adjustment: alignment moves a fixed share of the way to its target each year.

Invariant: with speed ``k = 1 - 2^(-1/half_life)`` the whole path is a lower-triangular product of
the first year and of yearly moves, ``A_t = (1-k) A_{t-1} + k target_t + shocks_t``; the recursion
used forward by the forecast and the product used by the model agree.
Guarded by ``tests/test_dynamics.py::test_product_equals_recursion``.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def speed(half_life: Any) -> Any:
    """Share of the gap to the target closed in one year.

    Examples
    --------
    >>> float(speed(1.0))
    0.5
    """
    return 1.0 - 2.0 ** (-1.0 / half_life)


def five_year_share(half_life: Any) -> Any:
    """Share of the gap closed in five years: coefficients are stated as five-year responses."""
    return 1.0 - 2.0 ** (-5.0 / half_life)


def lag(half_life: Any) -> Any:
    """Decades by which a path trails a target that moves along a line.

    Examples
    --------
    >>> round(float(lag(1.0)), 3)
    0.1
    """
    k = speed(half_life)
    return (1.0 - k) / k / 10.0


def propagate(xp: Any, first: Any, moves: Any, k: Any) -> Any:
    """Accumulate yearly moves into a path.

    Parameters
    ----------
    xp : module
        ``numpy`` or ``pytensor.tensor``.
    first : array, shape (dyad,)
        Alignment in the first year.
    moves : array, shape (dyad, year - 1)
        ``k target_t + shocks_t`` of the later years.
    k : scalar
        Speed.

    Returns
    -------
    array, shape (dyad, year)
    """
    inputs = xp.concatenate([first[:, None], moves], axis=1)
    return xp.dot(inputs, weights(xp, k, inputs.shape[1]).T)


def weights(xp: Any, k: Any, width: Any) -> Any:
    """Lower-triangular weights ``(1-k)^(t-s)``, shape (width, width)."""
    age = xp.arange(width)[:, None] - xp.arange(width)[None, :]
    power = xp.exp(xp.log1p(-k) * xp.maximum(age, 0))
    return power * (age >= 0)


def step(level: Any, target: Any, shock: Any, k: Any) -> Any:
    """One year forward: the recursion the forecast uses."""
    return level + k * (target - level) + shock


def recursion(first: np.ndarray, moves: np.ndarray, k: float) -> np.ndarray:
    """Propagate by the recursion itself: the reference for tests."""
    path = [first]
    for t in range(moves.shape[1]):
        path.append((1.0 - k) * path[-1] + moves[:, t])
    return np.stack(path, axis=1)
