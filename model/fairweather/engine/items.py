"""Every indicator of a model, family by family, with the priors of what they bring.

Invariant: families speak of the stacked latents alone; what they say goes to one adjoint.
Guarded by ``tests/test_engine.py``.
"""

from __future__ import annotations

import numpy as np

from fairweather.engine import families, slots
from fairweather.engine.structure import kernel, mat, vec
from fairweather.engine.terms import priors, standard

_vote, _within, _count = families.vote, families.within, families.count
_share, _anchor = families.share, families.anchor


@kernel
def measure(x, f, fo, i, io, w, wo, dstack, grad):
    """All indicators: adds to the adjoint of the stacked latents and to the gradient."""
    size = vec(i, io[slots.I_SIZES], len(slots.SIZES))
    T = size[slots.N_YEAR]
    block, vkind = (
        vec(i, io[slots.I_BLOCK_AT], len(slots.BLOCKS)),
        vec(i, io[slots.I_VECTOR_KIND], len(slots.VECTORS)),
    )
    constant = vec(f, fo[slots.D_CONSTANTS], len(slots.CONSTANTS))
    vprior = mat(f, fo[slots.D_VECTOR], len(slots.VECTORS), 2)
    L = mat(w, wo[slots.W_STACKED], 4 * size[slots.N_DYAD] + 2 * size[slots.N_STATE], T)
    total = 0.0
    n = size[slots.N_VOTE]
    if n > 0:
        agenda, dagenda = np.zeros(T), np.zeros(T)
        basis, a = mat(f, fo[slots.D_AGENDA], T, T - 2), vec(x, block[slots.AGENDA], T - 2)
        for t in range(T):
            for k in range(T - 2):
                agenda[t] += basis[t, k] * a[k]
        total += _vote(
            mat(f, fo[slots.D_VOTE_Y], n, T),
            mat(f, fo[slots.D_VOTE_C0], n, T),
            mat(f, fo[slots.D_VOTE_C1], n, T),
            mat(i, io[slots.I_VOTE_GAP], n, T),
            vec(i, io[slots.I_VOTE_ROW], n),
            vec(f, fo[slots.D_VOTE_SIGN], n),
            L,
            agenda,
            dstack,
            dagenda,
        )
        for t in range(T):
            for k in range(T - 2):
                grad[block[slots.AGENDA] + k] += basis[t, k] * dagenda[t]
        total += standard(x, block[slots.AGENDA], T - 2, constant[slots.K_AGENDA], grad)
    n = size[slots.N_WITHIN]
    if n > 0:
        m, moved = size[slots.N_WITHIN_ITEM], size[slots.N_WITHIN_SHIFT]
        loading, spare = (
            np.exp(vec(x, block[slots.LOAD_WITHIN], m)),
            np.exp(vec(x, block[slots.SPARE], m)),
        )
        floor = vec(f, fo[slots.D_WITHIN_FLOOR], m)
        scale = floor * np.sqrt(1.0 + spare * spare)
        dloading, dscale = np.zeros(m), np.zeros(m)
        at = block[slots.SHIFT_WITHIN] if moved > 0 else 0
        shift, dshift = mat(x, at, moved, T), mat(grad, at, moved, T)
        total += _within(
            mat(f, fo[slots.D_WITHIN_Y], n, T),
            mat(f, fo[slots.D_WITHIN_C0], n, T),
            mat(f, fo[slots.D_WITHIN_C1], n, T),
            mat(i, io[slots.I_WITHIN_GAP], n, T),
            mat(f, fo[slots.D_WITHIN_CONSTANT], n, T),
            vec(f, fo[slots.D_WITHIN_INFORMATION], n),
            vec(i, io[slots.I_WITHIN_WHICH], n),
            vec(i, io[slots.I_WITHIN_ROW], n),
            vec(f, fo[slots.D_WITHIN_SIGN], n),
            vec(i, io[slots.I_WITHIN_MOVED], n),
            L,
            loading,
            scale,
            shift,
            vec(f, fo[slots.D_WITHIN_DOF], m),
            dstack,
            dloading,
            dscale,
            dshift,
        )
        dspare = dscale * floor * floor * spare / scale
        total += priors(vkind, vprior, slots.V_SPARE, block[slots.SPARE], x, dspare, spare, grad)
        total += priors(
            vkind, vprior, slots.V_WITHIN, block[slots.LOAD_WITHIN], x, dloading, loading, grad
        )
        if moved > 0:
            total += standard(x, at, moved * T, constant[slots.K_SHIFT_WITHIN], grad)
    n = size[slots.N_COUNT]
    if n > 0:
        m, moved = size[slots.N_COUNT_ITEM], size[slots.N_COUNT_SHIFT]
        loading, dloading = np.exp(vec(x, block[slots.LOAD_COUNT], m)), np.zeros(m)
        at = block[slots.SHIFT_COUNT] if moved > 0 else 0
        shift, dshift = mat(x, at, moved, T), mat(grad, at, moved, T)
        total += _count(
            mat(f, fo[slots.D_COUNT_Y], n, T),
            mat(f, fo[slots.D_COUNT_OFFSET], n, T),
            mat(i, io[slots.I_COUNT_MASK], n, T),
            vec(f, fo[slots.D_COUNT_STRENGTH], n),
            vec(i, io[slots.I_COUNT_WHICH], n),
            vec(i, io[slots.I_COUNT_ROW], n),
            vec(f, fo[slots.D_COUNT_SIGN], n),
            vec(i, io[slots.I_COUNT_MOVED], n),
            L,
            loading,
            shift,
            dstack,
            dloading,
            dshift,
        )
        total += priors(
            vkind, vprior, slots.V_COUNT, block[slots.LOAD_COUNT], x, dloading, loading, grad
        )
        if moved > 0:
            total += standard(x, at, moved * T, constant[slots.K_SHIFT_COUNT], grad)
    n = size[slots.N_SHARE]
    if n > 0:
        m = size[slots.N_SHARE_ITEM]
        loading, dloading = np.exp(vec(x, block[slots.LOAD_SHARE], m)), np.zeros(m)
        level, dlevel = vec(x, block[slots.SHARE_LEVEL], n), np.zeros(n)
        total += _share(
            mat(f, fo[slots.D_SHARE_Y], n, T),
            mat(f, fo[slots.D_SHARE_TRIALS], n, T),
            constant[slots.K_SHARE],
            vec(i, io[slots.I_SHARE_WHICH], n),
            vec(i, io[slots.I_SHARE_ROW], n),
            vec(f, fo[slots.D_SHARE_SIGN], n),
            L,
            loading,
            level,
            dstack,
            dloading,
            dlevel,
        )
        total += priors(
            vkind, vprior, slots.V_SHARE, block[slots.LOAD_SHARE], x, dloading, loading, grad
        )
        total += priors(
            vkind, vprior, slots.V_LEVEL, block[slots.SHARE_LEVEL], x, dlevel, level, grad
        )
    n = size[slots.N_ANCHOR]
    if n > 0:
        total += _anchor(
            mat(f, fo[slots.D_ANCHOR_Y], n, T),
            mat(i, io[slots.I_ANCHOR_MASK], n, T),
            constant[slots.K_ANCHOR],
            vec(i, io[slots.I_ANCHOR_ROW], n),
            vec(f, fo[slots.D_ANCHOR_SIGN], n),
            L,
            dstack,
        )
    return total
