"""The PyMC model's log density as one JAX function: what samplers on JAX draw from.

Invariant: the gradient is JAX's, not the engine's; only the order of the unconstrained vector and
the naming of its points are shared. Guarded by ``tests/test_samplers.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fairweather.engine.native import Density
from fairweather.engine.pack import Packed
from fairweather.errors import SamplerError

if TYPE_CHECKING:
    from fairweather.model import Model


def joined_logp(model: Model, packed: Packed) -> Any:
    """Log density of the PyMC model as a JAX function of the engine's unconstrained vector."""
    from pymc.model.transform.optimization import freeze_dims_and_data
    from pymc.sampling.jax import get_jaxified_logp

    # JAX needs sizes that do not change.
    written = freeze_dims_and_data(model.pymc)
    blocks = {b.value_name: b for b in packed.blocks.values()}
    parts = [blocks[v.name] for v in written.value_vars]
    separate = get_jaxified_logp(written)
    return lambda x: separate([x[b.at : b.at + b.size].reshape(b.shape) for b in parts])


def name_points(model: Model, packed: Packed, x: np.ndarray, library: str) -> dict[str, np.ndarray]:
    """Named quantities of every draw.

    Parameters
    ----------
    x : ndarray, shape (chain, draw, number)

    Raises
    ------
    SamplerError
        A draw is not finite.
    """
    if not np.isfinite(x).all():
        raise SamplerError(
            f"{library} returned draws that are not finite",
            remedy="Ask for more --tune, or try another --seed.",
        )
    return Density(model, packed).expand_all(x)
