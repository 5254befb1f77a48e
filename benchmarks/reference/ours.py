"""The reference problem in coordinates in which its posterior is nearly a standard normal.

Invariant: the same joint density as ``textbook_pymc.py``, Jacobian included; only the coordinates
and the way the sums are written differ.
Guarded by ``tests/test_bench_reference.py::test_the_forms_share_one_density``.

``laplace.py`` finds, in a second or two, the mode of the 19 parameters with the path integrated
out, their covariance, the most probable path and how it follows the parameters. Then, with
standard-normal-like ``v`` and ``u``,

    parameters  t = mode + root v
    path        z[d] = path at the mode + follow (t - mode)
                       + axes[d] u[d] / sqrt(1 / sigma^2 + information[d])

The path is neither centred nor non-centred: along an axis of much information its spread is that
of the rows, along one of little it is sigma's, and sigma stretches each axis by as much as it
should. Everything but sigma's stretch is a constant linear map, so the Jacobian is one sum.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from . import laplace as L
from . import problem as P
from .measure import report


def build(data: P.Problem | None = None, geometry: L.Geometry | None = None) -> Any:
    """Write the model down.

    Parameters
    ----------
    data : Problem, optional
    geometry : Geometry, optional
        Default: `laplace.fit` of the data.

    Returns
    -------
    pymc.Model
    """
    import pymc as pm
    import pytensor.tensor as pt

    data = data or P.make()
    g = geometry or L.fit(data)
    D, T = data.shape
    with pm.Model() as model:
        v = pm.Flat("v", shape=L.SIZE, initval=np.zeros(L.SIZE))
        u = pm.Flat("u", shape=(D, T), initval=np.zeros((D, T)))
        move = pt.dot(g.root, v)
        t = g.t + move
        rho = pm.Deterministic("rho", pt.sigmoid(t[L.RHO]))
        sigma = pm.Deterministic("sigma", pt.exp(t[L.SIGMA]))
        beta = pm.Deterministic("beta", t[L.BETA])
        a = pm.Deterministic("a", t[L.A])
        loading = pm.Deterministic("loading", pt.exp(t[L.LOADING]))
        phi = pm.Deterministic("phi", pt.exp(t[L.PHI]))
        s = pm.Deterministic("s", pt.exp(t[L.S]))
        gaps = pt.exp(t[L.CUTS][1:])
        cuts = pm.Deterministic("cuts", pt.concatenate([t[L.CUTS][:1], t[L.CUTS][0]
                                                        + pt.cumsum(gaps)]))  # fmt: skip
        spread = g.information + 1 / sigma**2
        along = (g.axes * (u / pt.sqrt(spread))[:, None, :]).sum(axis=2)
        follow = pt.dot(g.follow.reshape(D * T, L.SIZE), move).reshape((D, T))
        z = pm.Deterministic("z", g.z + follow + along)
        stretch = -pt.log(spread).sum() / 2

        # --- priors, with the volume of t -> parameters ------------------------------------------
        prior = (
            P.RHO[0] * pt.log(rho) + P.RHO[1] * pt.log1p(-rho)
            + t[L.SIGMA] - (sigma / P.SIGMA) ** 2 / 2
            + t[L.S] - (s / P.S) ** 2 / 2
            - (beta**2).sum() / (2 * P.BETA**2)
            - (a**2).sum() / (2 * P.INTERCEPT**2)
            - ((t[L.LOADING] - P.LOADING[0]) ** 2).sum() / (2 * P.LOADING[1] ** 2)
            - (t[L.PHI] - P.PHI[0]) ** 2 / (2 * P.PHI[1] ** 2)
            - (cuts**2).sum() / (2 * P.CUTS**2) + t[L.CUTS][1:].sum()
        )  # fmt: skip
        gap = z - pt.dot(data.X, beta)
        first, later = gap[:, 0], gap[:, 1:] - rho * z[:, :-1]
        stationary = 1 - rho**2
        path = (
            -(stationary * (first**2).sum() + (later**2).sum()) / (2 * sigma**2)
            - D * T * t[L.SIGMA] + D / 2 * pt.log(stationary)
        )  # fmt: skip
        pm.Potential("posterior", prior + path + stretch + rows(
            pt, data, z.ravel(), a, loading, phi, s, cuts, gaps))  # fmt: skip
    return model


def rows(
    pt: Any, data: P.Problem, z: Any, a: Any, loading: Any, phi: Any, s: Any, cuts: Any, gaps: Any
) -> Any:
    """Log likelihood of all rows, constants left out, each family in as few logarithms as it needs.

    Sums are over all cells: a missing one counts zero times, which costs less than picking rows.
    """
    size = z.size if isinstance(z, np.ndarray) else data.shape[0] * data.shape[1]

    def full(cell: np.ndarray, value: Any) -> np.ndarray:
        out = np.zeros(size)
        out[cell] = value
        return out

    r = data.rows["binomial"]
    y, n = full(r.cell, r.y), full(r.cell, r.n)
    eta = a[0] + z
    total = (y * eta - n * pt.softplus(eta)).sum()

    r = data.rows["negbin"]
    y, seen = full(r.cell, r.y), full(r.cell, 1.0)
    eta = a[1] + loading[0] * z
    # (y + phi) log(1 + mu / phi), with one softplus; the gamma functions once per distinct count.
    total += (y * (eta - pt.log(phi)) - (y + seen * phi) * pt.softplus(eta - pt.log(phi))).sum()
    value, count = np.unique(r.y, return_counts=True)
    total += (count * pt.gammaln(value + phi)).sum() - len(r.y) * pt.gammaln(phi)

    r = data.rows["poisson"]
    y, seen = full(r.cell, r.y), full(r.cell, 1.0)
    eta = a[2] + loading[1] * z
    total += (y * eta - seen * pt.exp(eta)).sum()

    r = data.rows["lognormal"]
    y, seen = full(r.cell, np.log(r.y)), full(r.cell, 1.0)
    gap = seen * (y - a[3] - loading[2] * z)
    total += -(gap**2).sum() / (2 * s**2) - len(r.y) * pt.log(s)

    # log(F(h) - F(l)) = log F(h) + log F(-l) + log(1 - exp(l - h)): the last is of the gap alone.
    r = data.rows["ordinal"]
    eta = loading[3] * z
    below, above = r.y < P.LEVELS - 1, r.y > 0
    total -= pt.softplus(eta[r.cell[below]] - cuts[r.y[below]]).sum()
    total -= pt.softplus(cuts[r.y[above] - 1] - eta[r.cell[above]]).sum()
    inner = np.bincount(r.y, minlength=P.LEVELS)[1:-1]
    return total + (inner * pt.log(-pt.expm1(-gaps))).sum()


def run(
    draws: int = 1000, tune: int | None = None, chains: int = 4, seed: int = 1, cores: int = 2,
    target_accept: float = 0.8,
) -> dict[str, Any]:  # fmt: skip
    """Sample with nutpie, diagonal mass matrix.

    Parameters
    ----------
    draws, chains, seed, cores : int
    tune : int, optional
        Default 200: the coordinates leave little to learn.
    target_accept : float

    Returns
    -------
    dict
        See `measure.report`; ``prepare_s`` is the Laplace approximation.
    """
    import nutpie

    tune = 200 if tune is None else tune
    start = time.perf_counter()
    data = P.make()
    geometry = L.fit(data)
    prepare_s = time.perf_counter() - start
    start = time.perf_counter()
    compiled = nutpie.compile_pymc_model(build(data, geometry), backend="numba")
    compile_s = time.perf_counter() - start
    start = time.perf_counter()
    tree = nutpie.sample(compiled, draws=draws, tune=tune, chains=chains, cores=cores, seed=seed,
                         progress_bar=False, target_accept=target_accept)  # fmt: skip
    sample_s = time.perf_counter() - start
    post, stats = tree["posterior"], tree["sample_stats"]
    return report(
        {k: post[k].to_numpy() for k in (*P.PARAMETERS, "z")},
        steps=stats["n_steps"].to_numpy(),
        warmup_steps=tree["warmup_sample_stats"]["n_steps"].to_numpy(),
        divergences=int(stats["diverging"].sum()),
        energy=stats["energy"].to_numpy(),
        compile_s=compile_s,
        prepare_s=prepare_s,
        sample_s=sample_s,
        cores=min(cores, chains),
        label="ours, nutpie",
    )
