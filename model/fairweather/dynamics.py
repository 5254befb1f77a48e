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


# Yearly movement of the target, in logits, from which on its direction counts in full.
TURN = 0.03


def keeps(xp: Any, half_life: Any, asymmetry: Any, moving: Any) -> Any:
    """Share of the gap to the target that is left after each year, where direction matters.

    The half-life is multiplied by ``exp(asymmetry / 2)`` in years in which the target rises, and
    divided by it where it falls: positive means that a tie falls faster than it rose.

    Parameters
    ----------
    xp : module
        ``numpy`` or ``pytensor.tensor``.
    half_life, asymmetry : array that broadcasts against (..., dyad, 1)
    moving : array, shape (..., dyad, year)
        The moving part of the target.

    Returns
    -------
    array, shape (..., dyad, year - 1)
        Of the second and later years.

    Examples
    --------
    >>> keeps(np, 1.0, 2.0, np.array([[0.0, 9.0, 0.0]])).round(2).tolist()
    [[0.77, 0.15]]
    """
    turn = xp.tanh((moving[..., 1:] - moving[..., :-1]) / TURN)
    return 2.0 ** (-xp.exp(-0.5 * asymmetry * turn) / half_life)


def follow(xp: Any, moving: Any, keep: Any) -> Any:
    """Follow a moving target from its first value, at a speed that changes by year.

    The same product as in `propagate`, written with sums of logarithms.

    Parameters
    ----------
    xp : module
    moving : array, shape (dyad, year)
    keep : array, shape (dyad, year - 1)
        From `keeps`.

    Returns
    -------
    array, shape (dyad, year)
        The answer to the target; shocks come on top and fade at the common speed.

    Examples
    --------
    >>> follow(np, np.array([[0.0, 1.0, 1.0]]), np.array([[0.5, 0.5]])).tolist()
    [[0.0, 0.5, 0.75]]
    """
    past = xp.concatenate([xp.zeros_like(keep[:, :1]), xp.cumsum(xp.log(keep), axis=1)], axis=1)
    inputs = xp.concatenate([moving[:, :1], (1.0 - keep) * moving[:, 1:]], axis=1)
    return xp.exp(past) * xp.cumsum(xp.exp(-past) * inputs, axis=1)


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
