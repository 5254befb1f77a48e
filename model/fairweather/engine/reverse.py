"""The way back: from adjoints of the paths to those of everything that made them.

Invariant: each line answers to one of ``fairweather.engine.structure``, in reverse order.
Guarded by ``tests/test_engine.py``.
"""

from __future__ import annotations

import math

import numpy as np

from fairweather.engine import slots
from fairweather.engine.structure import extend_back, kernel, mat, turned, vec


@kernel
def persistence(w, wo, i, io, dA, dP, dscalar):
    """Path of pressure: an AR(1) that answers to last year's company; adjoints added."""
    size = vec(i, io[slots.I_SIZES], len(slots.SIZES))
    S, D, T = size[slots.N_STATE], size[slots.N_DYAD], size[slots.N_YEAR]
    left, right = vec(i, io[slots.I_LEFT], D), vec(i, io[slots.I_RIGHT], D)
    scalar = vec(w, wo[slots.W_SCALAR], size[slots.N_SCALAR])
    dev, A = mat(w, wo[slots.W_DEVIATION], S, T), mat(w, wo[slots.W_STACKED], D, T)
    keep = 2.0 ** (-1.0 / scalar[slots.PRESSURE_HALF_LIFE])
    sigma, back = scalar[slots.PRESSURE_INNOVATION], scalar[slots.FEEDBACK]
    company, dcompany = np.zeros((S, T)), np.zeros((S, T))
    share = 1.0 / (S - 1.0)
    for d in range(D):
        past = 0.0
        for t in range(T):
            past += A[d, t]
            value = share * (A[d, t] - past / (t + 1.0))
            company[left[d], t] += value
            company[right[d], t] += value
    precision, rest = 1.0 / (sigma * sigma), 1.0 - keep * keep
    total, dkeep, squares = 0.0, 0.0, 0.0
    for s in range(S):
        squares += rest * dev[s, 0] ** 2
        dP[s, 0] -= precision * rest * dev[s, 0]
        dkeep += keep * (precision * dev[s, 0] ** 2 - 1.0 / rest)
        for t in range(1, T):
            z = dev[s, t] - keep * dev[s, t - 1] - back * company[s, t - 1]
            squares += z * z
            z *= precision
            dP[s, t] -= z
            dP[s, t - 1] += keep * z
            dcompany[s, t - 1] += back * z
            dkeep += z * dev[s, t - 1]
            dscalar[slots.FEEDBACK] += z * company[s, t - 1]
    total = -0.5 * precision * squares - S * T * math.log(sigma) + 0.5 * S * math.log(rest)
    dscalar[slots.PRESSURE_INNOVATION] += squares * precision / sigma - S * T / sigma
    dscalar[slots.PRESSURE_HALF_LIFE] += (
        dkeep * keep * math.log(2.0) / scalar[slots.PRESSURE_HALF_LIFE] ** 2
    )
    for d in range(D):
        later = 0.0
        for t in range(T - 1, -1, -1):
            here = dcompany[left[d], t] + dcompany[right[d], t]
            later += here / (t + 1.0)
            dA[d, t] += share * (here - later)
    return total


@kernel
def back(x, f, fo, i, io, w, wo, dstack, dscalar, dP, grad):
    """Go back from the paths to what made them; returns the priors of levels and trends."""
    size = vec(i, io[slots.I_SIZES], len(slots.SIZES))
    S, D, T, K = size[slots.N_STATE], size[slots.N_DYAD], size[slots.N_YEAR], size[slots.N_KIND]
    left, right = vec(i, io[slots.I_LEFT], D), vec(i, io[slots.I_RIGHT], D)
    block = vec(i, io[slots.I_BLOCK_AT], len(slots.BLOCKS))
    constant = vec(f, fo[slots.D_CONSTANTS], len(slots.CONSTANTS))
    scalar, derived = (
        vec(w, wo[slots.W_SCALAR], size[slots.N_SCALAR]),
        vec(w, wo[slots.W_DERIVED], len(slots.DERIVED)),
    )
    decade, moving = vec(f, fo[slots.D_DECADE], T), mat(w, wo[slots.W_MOVING], D, T)
    u, shock = mat(w, wo[slots.W_EXCURSION], D, T), mat(x, block[slots.SHOCK], D, T)
    gshock = mat(grad, block[slots.SHOCK], D, T)
    # Year by year for one state at a time: what a dyad reads and adds to lies side by side.
    common = turned(mat(w, wo[slots.W_STATE_SHOCK], T - 1, S))
    dcommon, dvisit = np.zeros((S, T - 1)), np.zeros((S, T))
    dA, dgap, dmoving = np.empty(T), np.empty(T), np.zeros((D, T))
    kept, skew = mat(w, wo[slots.W_KEEP], D, T), scalar[slots.ASYMMETRY]
    answer = mat(w, wo[slots.W_ANSWER], D, T)
    ahead, ahead_e = scalar[slots.LEAD_SECURITY], scalar[slots.LEAD_ECONOMIC]
    dlead, dlead_e, dskew, dlife = 0.0, 0.0, 0.0, 0.0
    r = 2.0 ** (-1.0 / scalar[slots.HALF_LIFE])
    rest = 1.0 / math.sqrt(1.0 - r * r)
    scale, sscale = derived[slots.X_SHOCK], derived[slots.X_STATE_SHOCK]
    dr, dscale, dsscale = 0.0, 0.0, 0.0
    level, trend = vec(w, wo[slots.W_LEVEL], D), vec(w, wo[slots.W_TREND], D)
    grand, drift, spread_t = (
        derived[slots.X_GRAND],
        derived[slots.X_DRIFT],
        scalar[slots.DYAD_DRIFT_SCALE],
    )
    z = (drift - constant[slots.K_DRIFT_MU]) / constant[slots.K_DRIFT_SIGMA]
    tight, tight_t = 1.0 / constant[slots.K_LEVEL] ** 2, 1.0 / spread_t**2
    squares, sum_level, sum_trend = 0.0, 0.0, 0.0
    for t in range(T):
        squares += decade[t] * decade[t]
    gmean, gslope = vec(grad, block[slots.MEAN], D), vec(grad, block[slots.SLOPE], D)
    for d in range(D):
        a, b = left[d], right[d]
        off, off_t = level[d] - grand, trend[d] - drift
        sum_level += off * off
        sum_trend += off_t * off_t
        up, slope, later = 0.0, 0.0, 0.0
        for t in range(T):
            vote = dstack[D + 2 * S + d, t]
            dvisit[a, t] += vote
            dvisit[b, t] += vote
            sec, eco = dstack[2 * D + 2 * S + d, t], dstack[3 * D + 2 * S + d, t]
            dA[t] = dstack[d, t] + vote + sec + eco
            gap = moving[d, t] - answer[d, t]
            dlead += sec * gap
            dlead_e += eco * gap
            dgap[t] = ahead * sec + ahead_e * eco
            up += dA[t]
            slope += dA[t] * decade[t]
        up -= grand / D + off * tight
        slope -= z / (D * constant[slots.K_DRIFT_SIGMA]) + off_t * tight_t
        gmean[d] += constant[slots.K_MEAN_STEP] * up
        gslope[d] += constant[slots.K_SLOPE_STEP] * slope
        keep, answered = r, 0.0
        for t in range(T - 1, -1, -1):
            direct = dA[t] - up / T - slope * decade[t] / squares
            later = direct + r * later
            answered = direct - dgap[t] + keep * answered
            dmoving[d, t] += dgap[t]
            if t > 0:
                dkeep = answered * (answer[d, t - 1] - moving[d, t])
                if skew != 0.0:
                    keep = kept[d, t]
                    turn = math.tanh((moving[d, t] - moving[d, t - 1]) / constant[slots.K_TURN])
                    # Derivative with respect to the logarithm of this year's half-life.
                    dlog = -dkeep * keep * math.log(keep)
                    dlife += dlog
                    dskew += 0.5 * turn * dlog
                    bend = 0.5 * skew * (1.0 - turn * turn) / constant[slots.K_TURN] * dlog
                    dmoving[d, t] += bend
                    dmoving[d, t - 1] -= bend
                else:
                    dr += dkeep
                dr += later * (u[d, t - 1] - answer[d, t - 1])
                dmoving[d, t] += (1.0 - keep) * answered
                gshock[d, t] += scale * later
                dscale += later * shock[d, t]
                dcommon[a, t - 1] += later
                dcommon[b, t - 1] += later
                dsscale += later * (common[a, t - 1] + common[b, t - 1])
            else:
                dmoving[d, 0] += answered
                gshock[d, 0] += scale * rest * later
                dscale += later * rest * shock[d, 0]
                dr += later * scale * shock[d, 0] * r * rest**3
    dscalar[slots.DYAD_DRIFT_SCALE] += (sum_trend * tight_t - (D - 1.0)) / spread_t
    visits, commons = turned(dvisit), turned(dcommon)
    for t in range(T):
        extend_back(visits[t], mat(grad, block[slots.DELEGATION], T, S - 1)[t])
    for t in range(T - 1):
        for s in range(S):
            commons[t, s] *= sscale
        extend_back(commons[t], mat(grad, block[slots.STATE_SHOCK], T - 1, S - 1)[t])
    q = 1.0 + r**2 + r**4
    dscalar[slots.WANDER] += dscale / math.sqrt(q)
    dscalar[slots.STATE_WANDER] += dsscale / math.sqrt(q)
    dyearly = -0.5 * q**-1.5 * (2.0 * r + 4.0 * r**3)
    dr += (dscale * scalar[slots.WANDER] + dsscale * scalar[slots.STATE_WANDER]) * dyearly
    five, dfive = 1.0 - r**5, 0.0
    deviation, comp = mat(w, wo[slots.W_DEVIATION], S, T), vec(w, wo[slots.W_COMP], K * D * T)
    partial = vec(w, wo[slots.W_PARTIAL], size[slots.N_ARGUMENT] * D * T)
    spread, basis = vec(f, fo[slots.D_ERROR], K * D), mat(f, fo[slots.D_BASIS], 2, T)
    gerror = vec(grad, block[slots.ERROR], K * D * 2)
    dview = np.zeros((max(size[slots.N_VIEW], 1), S))
    views = 2 * (1 + size[slots.N_VIEW])
    dm, both, pulled = np.empty(T), np.empty(T), np.empty(T)
    scope, dscope = scalar[slots.SCOPE], 0.0
    from_left = vec(i, io[slots.I_PRESSED_LEFT], D)
    from_right = vec(i, io[slots.I_PRESSED_RIGHT], D)
    for d in range(D):
        a, b, pa, pb = left[d], right[d], from_left[d], from_right[d]
        mean = 0.0
        for t in range(T):
            dm[t] = dmoving[d, t]
            mean += dm[t]
            dfive -= dm[t] * moving[d, t] / five
        mean /= T
        for t in range(T):
            dm[t] = (dm[t] - mean) / five
            both[t] = 0.5 * (deviation[a, t] + deviation[b, t]) + constant[slots.K_SCOPE_FROM]
            pulled[t] = 0.0
        for n in range(K):
            row = n * D + d
            c, own, e0, e1 = scalar[slots.FIRST_EXTRA + n], 0.0, 0.0, 0.0
            value = vec(comp, row * T, T)
            for t in range(T):
                own += dm[t] * value[t]
                dcomp = dm[t] * (c + scope * both[t])
                e0 += dcomp * basis[0, t]
                e1 += dcomp * basis[1, t]
                pulled[t] += dm[t] * value[t]
            dscalar[slots.FIRST_EXTRA + n] += own
            gerror[2 * row] += spread[row] * e0
            gerror[2 * row + 1] += spread[row] * e1
        for t in range(T):
            dscope += pulled[t] * both[t]
            half = 0.5 * scope * pulled[t]
            dP[a, t] += half
            dP[b, t] += half
            dP[pa, t] += dm[t] * partial[d * T + t]
            dP[pb, t] += dm[t] * partial[D * T + d * T + t]
        for n in range(2, size[slots.N_ARGUMENT]):
            total = 0.0
            for t in range(T):
                total += dm[t] * partial[n * D * T + d * T + t]
            if n < views:
                dview[n // 2 - 1, pa if n % 2 == 0 else pb] += total
            else:
                dscalar[slots.FIRST_EXTRA + K + n - views] += total
    dscalar[slots.SCOPE] += dscope
    if block[slots.OWN] >= 0:
        relative = vec(f, fo[slots.D_RELATIVE], S)
        for s in range(S):
            dscalar[slots.ELASTICITY_MEAN] += dview[0, s]
            dview[0, s] *= relative[s]
        extend_back(dview[0], vec(grad, block[slots.OWN], S - 1))
    dr -= 5.0 * r**4 * dfive
    dscalar[slots.HALF_LIFE] += dr * r * math.log(2.0) / scalar[slots.HALF_LIFE] ** 2
    dscalar[slots.HALF_LIFE] += dlife / scalar[slots.HALF_LIFE]
    dscalar[slots.ASYMMETRY] += dskew
    dscalar[slots.LEAD_SECURITY] += dlead
    dscalar[slots.LEAD_ECONOMIC] += dlead_e
    priors = z * z + grand * grand + sum_level * tight + sum_trend * tight_t
    return -0.5 * priors - (D - 1.0) * math.log(spread_t)
