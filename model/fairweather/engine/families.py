"""Indicator families for the engine: log likelihood and its derivatives in one pass.

Invariant: the numbers are those of ``fairweather.measurement`` (up to a constant) and the
derivatives those of automatic differentiation. Every function adds to the adjoints it is given
and returns the log likelihood. Guarded by ``tests/test_engine.py``.

A batch has ``series x year`` cells; ``row`` and ``sign`` say which row of the stacked latents
``L`` a series reads and in which direction. Residuals of AR(1) series are whitened cell by cell,
``e_t = c0_t r_t - c1_t r_{t - gap_t}``; an unobserved cell has ``c0 = 0``. Sums keep their order
(no fast mathematics): a tenth slower, but then a gradient is the same to the last bit wherever its
arrays lie, and a chain repeats.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

_DIRECT = 32


@njit(cache=True, nogil=True, error_model="numpy")
def vote(y, c0, c1, gap, row, sign, L, agenda, dL, dagenda):
    """Gaussian log likelihood of logit scores with an AR(1) residual."""
    n, width = y.shape
    r, dr = np.empty(width), np.empty(width)
    total = 0.0
    for s in range(n):
        x, dx, g = L[row[s]], dL[row[s]], sign[s]
        for t in range(width):
            r[t] = y[s, t] - g * x[t] - agenda[t]
            dr[t] = 0.0
        for t in range(width):
            if c0[s, t] != 0.0:
                e = c0[s, t] * r[t] - c1[s, t] * r[t - gap[s, t]]
                total += e * e
                dr[t] += c0[s, t] * e
                dr[t - gap[s, t]] -= c1[s, t] * e
        for t in range(width):
            dx[t] += g * dr[t]
            dagenda[t] += dr[t]
    return -0.5 * total


@njit(cache=True, nogil=True, error_model="numpy")
def within(y, c0, c1, gap, constant, information, which, row, sign, moved, L, loading, scale,
           shift, dof, dL, dloading, dscale, dshift):  # fmt: skip
    """Gaussian log likelihood with the unit levels integrated out."""
    n, width = y.shape
    r, e, dr = np.empty(width), np.empty(width), np.empty(width)
    ss = np.zeros(loading.shape[0])
    for s in range(n):
        k, g, m = which[s], sign[s], moved[s]
        x, dx = L[row[s]], dL[row[s]]
        b, precision = g * loading[k], 1.0 / (scale[k] * scale[k])
        for t in range(width):
            r[t] = y[s, t] - b * x[t]
        if m >= 0:
            for t in range(width):
                r[t] -= shift[m, t]
        level, square = 0.0, 0.0
        for t in range(width):
            e[t] = c0[s, t] * r[t] - c1[s, t] * r[t - gap[s, t]]
            level += e[t] * constant[s, t]
            square += e[t] * e[t]
        ss[k] += square - level * level / information[s]
        level /= information[s]
        for t in range(width):
            dr[t] = 0.0
        for t in range(width):
            if c0[s, t] != 0.0:
                de = precision * (e[t] - level * constant[s, t])
                dr[t] += c0[s, t] * de
                dr[t - gap[s, t]] -= c1[s, t] * de
        own = 0.0
        for t in range(width):
            dx[t] += b * dr[t]
            own += dr[t] * x[t]
        dloading[k] += g * own
        if m >= 0:
            for t in range(width):
                dshift[m, t] += dr[t]
    total = 0.0
    for k in range(loading.shape[0]):
        precision = 1.0 / (scale[k] * scale[k])
        total -= dof[k] * math.log(scale[k]) + 0.5 * ss[k] * precision
        dscale[k] += (ss[k] * precision - dof[k]) / scale[k]
    return total


@njit(cache=True, nogil=True, error_model="numpy")
def digamma(x):
    """Return the derivative of ``lgamma``: recurrence to 6, then the asymptotic series."""
    out = 0.0
    while x < 6.0:
        out -= 1.0 / x
        x += 1.0
    f = 1.0 / (x * x)
    series = f * (1 / 12 - f * (1 / 120 - f * (1 / 252 - f * (1 / 240 - f * (1 / 132)))))
    return out + math.log(x) - 0.5 / x - series


@njit(cache=True, nogil=True, error_model="numpy")
def rising(a, n):
    """``lgamma(a + n) - lgamma(a)`` and its derivative in ``a``; a product when ``n`` is small."""
    if n <= _DIRECT and n == math.floor(n):
        value, slope, product, size = 0.0, 0.0, 1.0, 0
        for k in range(int(n)):
            product *= a + k
            slope += 1.0 / (a + k)
            size += 1
            if size == 8:
                value += math.log(product)
                product, size = 1.0, 0
        return value + math.log(product), slope
    return math.lgamma(a + n) - math.lgamma(a), digamma(a + n) - digamma(a)


@njit(cache=True, nogil=True, error_model="numpy")
def count(y, offset, mask, strength, which, row, sign, moved, L, loading, shift, dL, dloading,
          dshift):  # fmt: skip
    """Dirichlet-multinomial log likelihood of the years' shares of a unit's total."""
    n, width = y.shape
    eta, alpha, d = np.empty(width), np.empty(width), np.empty(width)
    total = 0.0
    for s in range(n):
        k, g, m = which[s], sign[s], moved[s]
        x, dx = L[row[s]], dL[row[s]]
        b = g * loading[k]
        top = -np.inf
        for t in range(width):
            if mask[s, t]:
                eta[t] = b * x[t] + offset[s, t]
                if m >= 0:
                    eta[t] += shift[m, t]
                top = max(top, eta[t])
        norm = 0.0
        for t in range(width):
            alpha[t] = math.exp(eta[t] - top) if mask[s, t] else 0.0
            norm += alpha[t]
        norm = strength[s] / norm
        mean = 0.0
        for t in range(width):
            alpha[t] *= norm
            d[t] = 0.0
            if y[s, t] > 0.0:
                value, slope = rising(max(alpha[t], 1e-300), y[s, t])
                total += value
                d[t] = slope * alpha[t]
                mean += d[t]
        mean /= strength[s]
        own = 0.0
        for t in range(width):
            d[t] -= mean * alpha[t]
            dx[t] += b * d[t]
            own += d[t] * x[t]
        dloading[k] += g * own
        if m >= 0:
            for t in range(width):
                dshift[m, t] += d[t]
    return total


@njit(cache=True, nogil=True, error_model="numpy")
def share(y, trials, concentration, which, row, sign, L, loading, level, dL, dloading, dlevel):
    """Beta-binomial log likelihood of successes out of trials."""
    n, width = y.shape
    total = 0.0
    for s in range(n):
        k = which[s]
        b = sign[s] * loading[k]
        for t in range(width):
            if trials[s, t] > 0.0:
                x = L[row[s], t]
                p = 1.0 / (1.0 + math.exp(-level[s] - b * x))
                yes, dyes = rising(concentration * p, y[s, t])
                no, dno = rising(concentration * (1.0 - p), trials[s, t] - y[s, t])
                total += yes + no
                d = concentration * p * (1.0 - p) * (dyes - dno)
                dlevel[s] += d
                dL[row[s], t] += b * d
                dloading[k] += sign[s] * x * d
    return total


@njit(cache=True, nogil=True, error_model="numpy")
def anchor(y, mask, scale, row, sign, L, dL):
    """Gaussian log likelihood of the anchor of pressure."""
    n, width = y.shape
    total, precision = 0.0, 1.0 / (scale * scale)
    for s in range(n):
        for t in range(width):
            if mask[s, t]:
                e = y[s, t] - sign[s] * L[row[s], t]
                total += e * e
                dL[row[s], t] += sign[s] * precision * e
    return -0.5 * precision * total
