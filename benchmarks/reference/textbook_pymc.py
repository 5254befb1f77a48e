"""The reference problem as a competent user of PyMC writes it, sampled by PyMC's own default.

Invariant: nothing here is tuned; likelihoods are PyMC's distributions with ``observed=`` in long
form, the path is non-centred through a lower-triangular product, the sampler's settings are
PyMC's. Guarded by ``tests/test_bench_reference.py::test_the_forms_share_one_density``.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from . import problem as P
from .measure import report

EDGE = 1e-9


def build(data: P.Problem | None = None) -> Any:
    """Write the model down."""
    import pymc as pm
    import pytensor.tensor as pt

    data = data or P.make()
    D, T = data.shape
    rows = data.rows
    coords = {"dyad": range(D), "year": range(T), "driver": range(data.X.shape[2]),
              "with_intercept": list(P.WITH_INTERCEPT), "with_loading": list(P.WITH_LOADING),
              "cut": range(P.LEVELS - 1)}  # fmt: skip
    age = np.arange(T)[:, None] - np.arange(T)[None, :]
    with pm.Model(coords=coords) as model:
        rho = pm.Beta("rho", *P.RHO)
        sigma = pm.HalfNormal("sigma", P.SIGMA)
        beta = pm.Normal("beta", 0, P.BETA, dims="driver")
        a = pm.Normal("a", 0, P.INTERCEPT, dims="with_intercept")
        loading = pm.LogNormal("loading", *P.LOADING, dims="with_loading")
        phi = pm.LogNormal("phi", *P.PHI)
        s = pm.HalfNormal("s", P.S)
        cuts = pm.Normal("cuts", 0, P.CUTS, dims="cut", initval=np.arange(4) - 1.5,
                         transform=pm.distributions.transforms.ordered)  # fmt: skip

        e = pm.Normal("e", dims=("dyad", "year"))
        # At 0 and 1, which a rejected step may reach in floating point, PyTensor's Numba code stops
        # PyMC's own sampler with a ZeroDivisionError.
        keep = pt.clip(rho, EDGE, 1 - EDGE)
        shock = sigma * pt.concatenate([e[:, :1] / pt.sqrt(1 - keep**2), e[:, 1:]], axis=1)
        weights = pt.where(age >= 0, keep ** np.maximum(age, 0), 0.0)
        z = pm.Deterministic("z", (pt.dot(data.X, beta) + shock) @ weights.T, dims=("dyad", "year"))

        eta = z.ravel()
        r = rows["binomial"]
        pm.Binomial("binomial", n=r.n, logit_p=a[0] + eta[r.cell], observed=r.y)
        r = rows["negbin"]
        mu = pt.exp(a[1] + loading[0] * eta[r.cell])
        pm.NegativeBinomial("negbin", mu=mu, alpha=phi, observed=r.y)
        r = rows["poisson"]
        pm.Poisson("poisson", pt.exp(a[2] + loading[1] * eta[r.cell]), observed=r.y)
        r = rows["lognormal"]
        pm.LogNormal("lognormal", a[3] + loading[2] * eta[r.cell], s, observed=r.y)
        r = rows["ordinal"]
        pm.OrderedLogistic("ordinal", eta=loading[3] * eta[r.cell], cutpoints=cuts,
                           compute_p=False, observed=r.y)  # fmt: skip
    return model


def run(
    draws: int = 1000, tune: int | None = None, chains: int = 4, seed: int = 1,
    nuts_sampler: str | None = None, cores: int = 2,
) -> dict[str, Any]:  # fmt: skip
    """Sample with ``pm.sample``.

    Parameters
    ----------
    draws, chains, seed : int
    tune : int, optional
        Default: what PyMC picks.
    nuts_sampler : str, optional
        Default: what PyMC picks, nutpie where it is installed; ``"pymc"`` for PyMC's own NUTS.
    cores : int

    Returns
    -------
    dict
        See `measure.report`.
    """
    import pymc as pm

    start = time.perf_counter()
    model = build()
    # Warm-up is kept for one purpose: to count its gradients.
    with model:
        tree = pm.sample(draws=draws, tune=tune, chains=chains, cores=cores, random_seed=seed,
                         nuts_sampler=nuts_sampler, progressbar=False,
                         compute_convergence_checks=False, discard_tuned_samples=False)  # fmt: skip
    total = time.perf_counter() - start
    post = tree["posterior"]
    sample_s = float(post.attrs["sampling_time"])
    stats, warm = tree["sample_stats"], tree["warmup_sample_stats"]
    return report(
        {k: post[k].to_numpy() for k in (*P.PARAMETERS, "z")},
        steps=stats["n_steps"].to_numpy(),
        warmup_steps=warm["n_steps"].to_numpy(),
        divergences=int(stats["diverging"].sum()),
        energy=stats["energy"].to_numpy(),
        compile_s=total - sample_s,
        sample_s=sample_s,
        cores=min(cores, chains),
        label=f"PyMC, {post.attrs['inference_library']} {'' if nuts_sampler else '(its default)'}",
    )
