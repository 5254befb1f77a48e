"""The log density and its gradient at a point.

Invariant: value (up to a constant) and gradient equal those of the PyMC model at every point; a
point where the density is not finite returns minus infinity. Guarded by ``tests/test_engine.py``.
"""

from __future__ import annotations

import math

import numpy as np

from fairweather.engine import slots
from fairweather.engine.items import measure
from fairweather.engine.reverse import back, persistence
from fairweather.engine.structure import kernel, mat, vec
from fairweather.engine.terms import heavy, prior, standard


@kernel
def finish(x, f, fo, i, io, w, wo, grad):
    """Log density at ``x``, its gradient written to ``grad``; needs the forward half."""
    size = vec(i, io[slots.I_SIZES], len(slots.SIZES))
    S, D, T, K = size[slots.N_STATE], size[slots.N_DYAD], size[slots.N_YEAR], size[slots.N_KIND]
    block = vec(i, io[slots.I_BLOCK_AT], len(slots.BLOCKS))
    constant = vec(f, fo[slots.D_CONSTANTS], len(slots.CONSTANTS))
    scalar = vec(w, wo[slots.W_SCALAR], size[slots.N_SCALAR])
    grad[:] = 0.0
    # Part of the work space: fresh memory of this size would cost a page fault a call.
    dstack, dscalar = (
        mat(w, wo[slots.W_ADJOINT], 4 * D + 2 * S, T),
        np.zeros(size[slots.N_SCALAR]),
    )
    dstack[:] = 0.0
    total = measure(x, f, fo, i, io, w, wo, dstack, grad)
    dP = dstack[D : D + S]
    words, gwords = dstack[D + S : D + 2 * S], mat(grad, block[slots.WORDS], S, T)
    for s in range(S):
        for t in range(T):
            dP[s, t] += words[s, t]
            gwords[s, t] += constant[slots.K_WORDS] * words[s, t]
    total += persistence(w, wo, i, io, dstack[:D], dP, dscalar)
    total += back(x, f, fo, i, io, w, wo, dstack, dscalar, dP, grad)
    gstep = mat(grad, block[slots.STEP], S, T)
    for s in range(S):
        for t in range(T):
            gstep[s, t] += constant[slots.K_STEP] * dP[s, t]
    total += standard(x, block[slots.WORDS], S * T, 1.0, grad)
    total += standard(x, block[slots.ERROR], 2 * K * D, 1.0, grad)
    total += standard(x, block[slots.STATE_SHOCK], (T - 1) * (S - 1), 1.0, grad)
    total += heavy(x, block[slots.SHOCK], D * T, constant[slots.K_DF], grad)
    if block[slots.OWN] >= 0:
        spread, n = scalar[slots.ELASTICITY_SCALE], S - 1
        part = standard(x, block[slots.OWN], n, spread, grad)
        dscalar[slots.ELASTICITY_SCALE] += -2.0 * part / spread - n / spread
        total += part - n * math.log(spread)
    spread, n = scalar[slots.DELEGATION_SCALE], T * (S - 1)
    part = standard(x, block[slots.DELEGATION], n, spread, grad)
    dscalar[slots.DELEGATION_SCALE] += -2.0 * part / spread - n / spread
    total += part - n * math.log(spread)
    at, kind = (
        vec(i, io[slots.I_SCALAR_AT], size[slots.N_SCALAR]),
        vec(i, io[slots.I_SCALAR_KIND], size[slots.N_SCALAR]),
    )
    mu, sigma = (
        vec(f, fo[slots.D_MU], size[slots.N_SCALAR]),
        vec(f, fo[slots.D_SIGMA], size[slots.N_SCALAR]),
    )
    for n in range(size[slots.N_SCALAR]):
        total += prior(kind[n], mu[n], sigma[n], at[n], x, dscalar[n], scalar[n], grad)
    return total if math.isfinite(total) else -np.inf
