"""Prior terms on the unconstrained scale: log density up to a constant, gradient added.

Guarded by ``tests/test_engine.py``.
"""

from __future__ import annotations

import math

from fairweather.engine import slots
from fairweather.engine.structure import kernel


@kernel
def standard(x, at, n, scale, grad):
    """Independent normals of one scale: log density, gradient added."""
    total, precision = 0.0, 1.0 / (scale * scale)
    for k in range(at, at + n):
        total += x[k] * x[k]
        grad[k] -= precision * x[k]
    return -0.5 * precision * total


@kernel
def heavy(x, at, n, df, grad):
    """Log density of a standard Student-t; eight terms share one logarithm."""
    total, product, size = 0.0, 1.0, 0
    for k in range(at, at + n):
        factor = 1.0 + x[k] * x[k] / df
        product *= factor
        size += 1
        if size == 8:
            total += math.log(product)
            product, size = 1.0, 0
        grad[k] -= (df + 1.0) * x[k] / (df * factor)
    return -0.5 * (df + 1.0) * (total + math.log(product))


@kernel
def prior(kind, mu, sigma, at, x, dvalue, value, grad):
    """One prior on the unconstrained scale; ``dvalue`` is the derivative in its own units."""
    if kind == slots.FIXED:
        return 0.0
    if kind == slots.HALFNORMAL:
        grad[at] += dvalue * value + 1.0 - value * value / (sigma * sigma)
        return x[at] - 0.5 * value * value / (sigma * sigma)
    z = (x[at] - mu) / sigma
    grad[at] += (dvalue if kind == slots.NORMAL else dvalue * value) - z / sigma
    return -0.5 * z * z


@kernel
def priors(vkind, vprior, v, at, x, dvalue, value, grad):
    """Priors of a vector parameter, the ``v``-th of ``slots.VECTORS``, which begins at ``at``."""
    total = 0.0
    for k in range(value.shape[0]):
        total += prior(vkind[v], vprior[v, 0], vprior[v, 1], at + k, x, dvalue[k], value[k], grad)
    return total
