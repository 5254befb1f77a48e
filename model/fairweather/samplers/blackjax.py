"""NUTS of blackjax, on JAX: a second opinion.

The log density is PyMC's, differentiated by JAX; blackjax is called directly, since the bridge of
PyMC 6.4 does not fit blackjax 1.7. Guarded by ``tests/test_samplers.py``.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np

from fairweather.samplers import Drawn, Settings, through_pymc

if TYPE_CHECKING:
    from fairweather.model import Model


def require() -> None:
    """Refuse if the package is missing."""
    through_pymc.require("blackjax")


def sample(model: Model, settings: Settings) -> Drawn:
    """Draw from the posterior; see `fairweather.samplers`."""
    import blackjax
    import jax

    from fairweather.engine.pack import pack
    from fairweather.samplers.jax_density import joined_logp, name_points

    start = time.perf_counter()
    packed = pack(model)
    with jax.enable_x64(True):
        logp = joined_logp(model, packed)

        def chain(key: Any, position: Any) -> Any:
            warm, draw = jax.random.split(key)
            adapt = blackjax.window_adaptation(
                blackjax.nuts, logp, target_acceptance_rate=settings.target_accept
            )
            (state, tuned), trace = adapt.run(warm, position, num_steps=settings.tune)
            step = blackjax.nuts(logp, **tuned).step

            def one(state: Any, key: Any) -> Any:
                state, info = step(key, state)
                return state, (state.position, info.is_divergent, info.energy,
                               info.num_integration_steps)  # fmt: skip

            _, out = jax.lax.scan(one, state, jax.random.split(draw, settings.draws))
            return *out, trace.info.num_integration_steps.sum()

        positions = packed.start(settings.seed, settings.chains)
        keys = jax.random.split(jax.random.PRNGKey(settings.seed), settings.chains)
        run = jax.jit(chain).lower(keys[0], positions[0]).compile()
        compile_s, start = time.perf_counter() - start, time.perf_counter()
        found = [run(k, x) for k, x in zip(keys, positions, strict=True)]
        x, diverging, energy, steps, tuning = (np.stack(a) for a in zip(*found, strict=True))
    values = name_points(model, packed, x, "blackjax")
    stats = {"diverging": diverging, "energy": energy, "n_steps": steps}
    seconds = time.perf_counter() - start
    return Drawn(values, stats, compile_s, seconds, int(steps.sum() + tuning.sum()), "blackjax")
