"""From an unconstrained vector to the paths: the forward half of the compiled density.

Invariant: the equations are those of ``fairweather.model``, which stays their definition; the
numbers agree to rounding. Guarded by ``tests/test_engine.py``.

``x`` is the unconstrained vector; ``f``, ``i`` and ``w`` are flat arrays of constants, indices and
work space, with the places of their parts in ``fo``, ``io`` and ``wo``: see ``slots``.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from fairweather.engine import slots

kernel = njit(cache=True, nogil=True, error_model="numpy")


@njit(cache=True, nogil=True, inline="always")
def vec(flat, at, n):
    """One part of a flat array."""
    return flat[at : at + n]


@njit(cache=True, nogil=True, inline="always")
def mat(flat, at, n, m):
    """One part of a flat array as a table."""
    return flat[at : at + n * m].reshape(n, m)


@kernel
def turned(table):
    """Transpose a table into one that is contiguous."""
    n, m = table.shape
    out = np.empty((m, n))
    for a in range(n):
        for b in range(m):
            out[b, a] = table[a, b]
    return out


@kernel
def extend(raw, out):
    """PyMC's zero-sum transform: ``n - 1`` free numbers to ``n`` that sum to zero (isometric)."""
    n = out.shape[0]
    total = 0.0
    for k in range(n - 1):
        total += raw[k]
    norm = total / (math.sqrt(n) + n)
    for k in range(n - 1):
        out[k] = raw[k] - norm
    out[n - 1] = -total / math.sqrt(n)


@kernel
def extend_back(adjoint, out):
    """Adjoint of `extend`: adds to ``out``."""
    n = adjoint.shape[0]
    total = 0.0
    for k in range(n - 1):
        total += adjoint[k]
    back = -total / (math.sqrt(n) + n) - adjoint[n - 1] / math.sqrt(n)
    for k in range(n - 1):
        out[k] += adjoint[k] + back


@kernel
def read(x, f, fo, i, io, w, wo):
    """Free numbers in their own units, pressure, words, elasticities, zero-sum effects."""
    size = vec(i, io[slots.I_SIZES], len(slots.SIZES))
    S, T = size[slots.N_STATE], size[slots.N_YEAR]
    at, kind = (
        vec(i, io[slots.I_SCALAR_AT], size[slots.N_SCALAR]),
        vec(i, io[slots.I_SCALAR_KIND], size[slots.N_SCALAR]),
    )
    mu = vec(f, fo[slots.D_MU], size[slots.N_SCALAR])
    scalar = vec(w, wo[slots.W_SCALAR], size[slots.N_SCALAR])
    for n in range(size[slots.N_SCALAR]):
        if kind[n] == slots.FIXED:
            scalar[n] = mu[n]
        elif kind[n] == slots.NORMAL:
            scalar[n] = x[at[n]]
        else:
            scalar[n] = math.exp(x[at[n]])
    block = vec(i, io[slots.I_BLOCK_AT], len(slots.BLOCKS))
    constant = vec(f, fo[slots.D_CONSTANTS], len(slots.CONSTANTS))
    fill, step = vec(f, fo[slots.D_FILL], S * T), vec(x, block[slots.STEP], S * T)
    deviation, words = vec(w, wo[slots.W_DEVIATION], S * T), vec(w, wo[slots.W_WORDS], S * T)
    raw = vec(x, block[slots.WORDS], S * T)
    for n in range(S * T):
        deviation[n] = fill[n] + constant[slots.K_STEP] * step[n] - constant[slots.K_MEAN]
        words[n] = constant[slots.K_WORDS] * raw[n]
    if block[slots.OWN] >= 0:
        own, own_raw = vec(w, wo[slots.W_OWN], S), vec(w, wo[slots.W_OWN_RAW], S)
        extend(vec(x, block[slots.OWN], S - 1), own_raw)
        relative = vec(f, fo[slots.D_RELATIVE], S)
        for s in range(S):
            own[s] = scalar[slots.ELASTICITY_MEAN] + relative[s] * own_raw[s]
    shock, raw2 = (
        mat(w, wo[slots.W_STATE_SHOCK], T - 1, S),
        mat(x, block[slots.STATE_SHOCK], T - 1, S - 1),
    )
    for t in range(T - 1):
        extend(raw2[t], shock[t])
    visit, raw3 = mat(w, wo[slots.W_DELEGATION], T, S), mat(x, block[slots.DELEGATION], T, S - 1)
    for t in range(T):
        extend(raw3[t], visit[t])
    coefficient = vec(w, wo[slots.W_COEFFICIENT], size[slots.N_COEFFICIENT])
    first = slots.FIRST_EXTRA + size[slots.N_KIND]
    for n in range(size[slots.N_COEFFICIENT]):
        coefficient[n] = scalar[first + n]


@kernel
def build(x, f, fo, i, io, w, wo):
    """Targets and paths: needs `read` and the reading's pull."""
    size = vec(i, io[slots.I_SIZES], len(slots.SIZES))
    S, D, T, K = size[slots.N_STATE], size[slots.N_DYAD], size[slots.N_YEAR], size[slots.N_KIND]
    left, right = vec(i, io[slots.I_LEFT], D), vec(i, io[slots.I_RIGHT], D)
    block = vec(i, io[slots.I_BLOCK_AT], len(slots.BLOCKS))
    constant = vec(f, fo[slots.D_CONSTANTS], len(slots.CONSTANTS))
    scalar = vec(w, wo[slots.W_SCALAR], size[slots.N_SCALAR])
    deviation, pull = mat(w, wo[slots.W_DEVIATION], S, T), mat(w, wo[slots.W_PULL], D, T)
    fixed, moving = vec(f, fo[slots.D_COMP], K * D * T), mat(w, wo[slots.W_MOVING], D, T)
    comp, error = vec(w, wo[slots.W_COMP], K * D * T), vec(x, block[slots.ERROR], K * D * 2)
    spread, basis = vec(f, fo[slots.D_ERROR], K * D), mat(f, fo[slots.D_BASIS], 2, T)
    decade, centre = vec(f, fo[slots.D_DECADE], T), vec(w, wo[slots.W_CENTRE], D)
    r = 2.0 ** (-1.0 / scalar[slots.HALF_LIFE])
    five = 1.0 - r**5
    squares = 0.0
    for t in range(T):
        squares += decade[t] * decade[t]
    for d in range(D):
        a, b = left[d], right[d]
        for t in range(T):
            moving[d, t] = pull[d, t]
        for k in range(K):
            n, c = k * D + d, scalar[slots.FIRST_EXTRA + k]
            e0, e1 = spread[n] * error[2 * n], spread[n] * error[2 * n + 1]
            for t in range(T):
                value = fixed[n * T + t] + e0 * basis[0, t] + e1 * basis[1, t]
                comp[n * T + t] = value
                both = 0.5 * (deviation[a, t] + deviation[b, t]) + constant[slots.K_SCOPE_FROM]
                moving[d, t] += (c + scalar[slots.SCOPE] * both) * value
        mean = 0.0
        for t in range(T):
            mean += moving[d, t]
        centre[d] = mean / T
        for t in range(T):
            moving[d, t] = (moving[d, t] - centre[d]) / five
    yearly = 1.0 / math.sqrt(1.0 + r**2 + r**4)
    derived = vec(w, wo[slots.W_DERIVED], len(slots.DERIVED))
    derived[slots.X_SHOCK] = scalar[slots.WANDER] * yearly
    derived[slots.X_STATE_SHOCK] = scalar[slots.STATE_WANDER] * yearly
    derived[slots.X_DRIFT] = derived[slots.X_GRAND] = 0.0
    place, step = vec(f, fo[slots.D_MEAN], D), vec(x, block[slots.MEAN], D)
    tilt = vec(x, block[slots.SLOPE], D)
    level, trend = vec(w, wo[slots.W_LEVEL], D), vec(w, wo[slots.W_TREND], D)
    u, shock = mat(w, wo[slots.W_EXCURSION], D, T), mat(x, block[slots.SHOCK], D, T)
    common = turned(mat(w, wo[slots.W_STATE_SHOCK], T - 1, S))
    visit = turned(mat(w, wo[slots.W_DELEGATION], T, S))
    stacked = mat(w, wo[slots.W_STACKED], 4 * D + 2 * S, T)
    kept, skew = mat(w, wo[slots.W_KEEP], D, T), scalar[slots.ASYMMETRY]
    answer = mat(w, wo[slots.W_ANSWER], D, T)
    ahead = scalar[slots.LEAD_SECURITY]
    ahead_e = scalar[slots.LEAD_ECONOMIC]
    first = derived[slots.X_SHOCK] / math.sqrt(1.0 - r * r)
    for d in range(D):
        a, b = left[d], right[d]
        # The answer to the target, whose speed may depend on direction, and shocks that fade.
        answer[d, 0], stray = moving[d, 0], first * shock[d, 0]
        u[d, 0] = answer[d, 0] + stray
        for t in range(1, T):
            keep = r
            if skew != 0.0:
                turn = math.tanh((moving[d, t] - moving[d, t - 1]) / constant[slots.K_TURN])
                keep = 2.0 ** (-math.exp(-0.5 * skew * turn) / scalar[slots.HALF_LIFE])
                kept[d, t] = keep
            answer[d, t] = keep * answer[d, t - 1] + (1.0 - keep) * moving[d, t]
            stray = (
                r * stray
                + derived[slots.X_SHOCK] * shock[d, t]
                + derived[slots.X_STATE_SHOCK] * (common[a, t - 1] + common[b, t - 1])
            )
            u[d, t] = answer[d, t] + stray
        mean, slope = 0.0, 0.0
        for t in range(T):
            mean += u[d, t]
            slope += u[d, t] * decade[t]
        level[d] = place[d] + constant[slots.K_MEAN_STEP] * step[d] - mean / T
        trend[d] = constant[slots.K_SLOPE_STEP] * tilt[d] - slope / squares
        derived[slots.X_GRAND] += level[d] / D
        derived[slots.X_DRIFT] += trend[d] / D
        for t in range(T):
            stacked[d, t] = level[d] + trend[d] * decade[t] + u[d, t]
            stacked[D + 2 * S + d, t] = stacked[d, t] + visit[a, t] + visit[b, t]
            gap = moving[d, t] - answer[d, t]
            stacked[2 * D + 2 * S + d, t] = stacked[d, t] + ahead * gap
            stacked[3 * D + 2 * S + d, t] = stacked[d, t] + ahead_e * gap
    words = mat(w, wo[slots.W_WORDS], S, T)
    for s in range(S):
        for t in range(T):
            stacked[D + s, t] = deviation[s, t] + constant[slots.K_MEAN]
            stacked[D + S + s, t] = stacked[D + s, t] + words[s, t]
