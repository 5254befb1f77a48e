"""The reference problem written by hand in NumPyro and sampled by its NUTS on the CPU.

Invariant: the same joint density as ``textbook_pymc.py``, term by term.
Guarded by ``tests/test_bench_reference.py::test_the_forms_share_one_density``.

Chains run side by side (``chain_method="parallel"``) on two host devices, which have to be asked
for before JAX starts: call `run` in a fresh process, as ``table.py`` does. With one device the
chains run one after the other.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from . import problem as P
from .measure import report


def program(data: P.Problem) -> Any:
    """Return the NumPyro program of a data set."""
    import jax.numpy as jnp
    import numpyro
    import numpyro.distributions as dist

    D, T = data.shape
    rows = data.rows
    age = np.arange(T)[:, None] - np.arange(T)[None, :]
    X = jnp.asarray(data.X)

    def model() -> None:
        rho = numpyro.sample("rho", dist.Beta(*P.RHO))
        sigma = numpyro.sample("sigma", dist.HalfNormal(P.SIGMA))
        beta = numpyro.sample("beta", dist.Normal(0.0, P.BETA).expand([X.shape[2]]).to_event(1))
        a = numpyro.sample("a", dist.Normal(0.0, P.INTERCEPT).expand([4]).to_event(1))
        loading = numpyro.sample("loading", dist.LogNormal(*P.LOADING).expand([4]).to_event(1))
        phi = numpyro.sample("phi", dist.LogNormal(*P.PHI))
        s = numpyro.sample("s", dist.HalfNormal(P.S))
        cuts = numpyro.sample("cuts", dist.ImproperUniform(
            dist.constraints.ordered_vector, (), event_shape=(P.LEVELS - 1,)))  # fmt: skip
        numpyro.factor("cuts_prior", dist.Normal(0.0, P.CUTS).log_prob(cuts).sum())

        e = numpyro.sample("e", dist.Normal(0.0, 1.0).expand([D, T]).to_event(2))
        shock = sigma * jnp.concatenate([e[:, :1] / jnp.sqrt(1 - rho**2), e[:, 1:]], axis=1)
        weights = jnp.where(age >= 0, rho ** np.maximum(age, 0), 0.0)
        z = numpyro.deterministic("z", (X @ beta + shock) @ weights.T)

        eta = z.ravel()
        r = rows["binomial"]
        numpyro.sample("binomial", dist.Binomial(r.n, logits=a[0] + eta[r.cell]), obs=r.y)
        r = rows["negbin"]
        mu = jnp.exp(a[1] + loading[0] * eta[r.cell])
        numpyro.sample("negbin", dist.NegativeBinomial2(mu, phi), obs=r.y)
        r = rows["poisson"]
        mu = jnp.exp(a[2] + loading[1] * eta[r.cell])
        numpyro.sample("poisson", dist.Poisson(mu), obs=r.y)
        r = rows["lognormal"]
        numpyro.sample("lognormal", dist.LogNormal(a[3] + loading[2] * eta[r.cell], s), obs=r.y)
        r = rows["ordinal"]
        numpyro.sample("ordinal", dist.OrderedLogistic(loading[3] * eta[r.cell], cuts), obs=r.y)

    return model


def run(
    draws: int = 1000, tune: int | None = None, chains: int = 4, seed: int = 1,
    chain_method: str = "parallel", cores: int = 2,
) -> dict[str, Any]:  # fmt: skip
    """Sample with NumPyro's NUTS at its default settings.

    Parameters
    ----------
    draws, chains, seed : int
    tune : int, optional
        Default: 1000, as in NumPyro's examples and PyMC's bridge.
    chain_method : str
        ``"parallel"`` runs `cores` chains side by side, in as many calls as the chains need.
    cores : int

    Returns
    -------
    dict
        See `measure.report`. Compile time is what JAX reports for tracing, lowering and
        compiling; the rest of the wall time of the sampler counts as sampling.
    """
    import numpyro

    tune = 1000 if tune is None else tune
    numpyro.set_host_device_count(cores)
    numpyro.enable_x64()
    import jax
    from numpyro.infer import MCMC, NUTS

    side = min(cores, chains, jax.local_device_count()) if chain_method == "parallel" else 1
    if chains % side:
        raise ValueError(f"{chains} chains do not divide among {side} devices")
    spans: list[tuple[float, float]] = []

    def note(event: str, seconds: float, **_: Any) -> None:
        if "/compile/" in event:
            end = time.perf_counter()
            spans.append((end - seconds, end))

    jax.monitoring.register_event_duration_secs_listener(note)
    start = time.perf_counter()
    mcmc = MCMC(NUTS(program(P.make())), num_warmup=tune, num_samples=draws, num_chains=side,
                chain_method=chain_method if side > 1 else "sequential",
                progress_bar=False)  # fmt: skip
    fields = ("num_steps", "diverging", "energy")
    parts, extras, warm = [], [], []
    for k in range(chains // side):
        # Warm-up apart, to count its gradients.
        mcmc.warmup(jax.random.key(1000 * seed + k), extra_fields=fields, collect_warmup=True)
        warm.append(_arrays(mcmc.get_extra_fields(group_by_chain=True)))
        mcmc.run(jax.random.key(1000 * seed + k + 500), extra_fields=fields)
        parts.append(_arrays(mcmc.get_samples(group_by_chain=True)))
        extras.append(_arrays(mcmc.get_extra_fields(group_by_chain=True)))
        mcmc.post_warmup_state = None
    total = time.perf_counter() - start
    compile_s = covered(spans)
    draws_ = {k: np.concatenate([p[k] for p in parts]) for k in (*P.PARAMETERS, "z")}
    extra = {k: np.concatenate([e[k] for e in extras]) for k in fields}
    return report(
        draws_,
        steps=extra["num_steps"],
        warmup_steps=np.concatenate([w["num_steps"] for w in warm]),
        divergences=int(extra["diverging"].sum()),
        energy=extra["energy"],
        compile_s=compile_s,
        sample_s=total - compile_s,
        cores=side,
        label=f"NumPyro, {chain_method}",
    )


def covered(spans: list[tuple[float, float]]) -> float:
    """Seconds covered by spans of time that may contain one another."""
    total, reached = 0.0, -np.inf
    for start, end in sorted(spans):
        total += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return total


def _arrays(values: dict[str, Any]) -> dict[str, np.ndarray]:
    """NumPy arrays (chain, draw, ...) of what the chains returned."""
    return {k: np.asarray(v) for k, v in values.items()}
