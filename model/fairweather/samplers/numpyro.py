"""NUTS of NumPyro, on JAX: a second opinion, and the way onto a graphics card.

With ``fairweather[gpu]`` and a card, JAX runs there by itself, all chains as one program.
Compilation is part of the sampling time: NumPyro does both in one call. Guarded by
``tests/test_samplers.py``.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from fairweather.samplers import Drawn, Settings, through_pymc

if TYPE_CHECKING:
    from fairweather.model import Model


def require() -> None:
    """Refuse if the package is missing."""
    through_pymc.require("numpyro")


def sample(model: Model, settings: Settings) -> Drawn:
    """Draw from the posterior; see `fairweather.samplers`."""
    import jax
    from numpyro.infer import MCMC, NUTS

    from fairweather.engine.pack import pack
    from fairweather.samplers.jax_density import joined_logp, name_points

    start = time.perf_counter()
    packed = pack(model)
    with jax.enable_x64(True):
        logp = joined_logp(model, packed)
        kernel = NUTS(potential_fn=lambda x: -logp(x), target_accept_prob=settings.target_accept)
        on_card = jax.default_backend() != "cpu"
        mcmc = MCMC(
            kernel, num_warmup=settings.tune, num_samples=settings.draws,
            num_chains=settings.chains, progress_bar=settings.progressbar and not on_card,
            chain_method="vectorized" if on_card else "sequential",
        )  # fmt: skip
        at = packed.start(settings.seed, settings.chains)
        ready_s, start = time.perf_counter() - start, time.perf_counter()
        fields = ("diverging", "energy", "num_steps")
        key = jax.random.PRNGKey(settings.seed)
        first = jax.numpy.asarray(at if settings.chains > 1 else at[0])
        mcmc.run(key, init_params=first, extra_fields=fields)
        x = np.asarray(mcmc.get_samples(group_by_chain=True))
        extra = {k: np.asarray(v) for k, v in mcmc.get_extra_fields(group_by_chain=True).items()}
    values = name_points(model, packed, x, "numpyro")
    stats = {"diverging": extra["diverging"], "energy": extra["energy"],
             "n_steps": extra["num_steps"]}  # fmt: skip
    seconds = time.perf_counter() - start
    return Drawn(values, stats, ready_s, seconds, int(stats["n_steps"].sum()), "numpyro")
