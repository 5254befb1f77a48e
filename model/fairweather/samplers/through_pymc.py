"""Samplers that PyMC calls: the model as written, with PyMC's own gradients.

Invariant: the quantities kept are those the engine keeps. Guarded by ``tests/test_samplers.py``.
"""

from __future__ import annotations

import time
import warnings
from importlib.util import find_spec
from typing import TYPE_CHECKING

from fairweather.errors import SamplerError
from fairweather.samplers import Drawn, Settings, could_not_sample

if TYPE_CHECKING:
    from fairweather.model import Model

# Geometry, not results: left out of what is kept.
_GEOMETRY = {
    "pressure_step", "mean_step", "slope_step", "complementarity_error",
}  # fmt: skip
_STATS = ("diverging", "energy", "n_steps")


def kept(model: Model) -> list[str]:
    """Names of the quantities a fit keeps."""
    written = model.pymc
    every = [v.name for v in [*written.free_RVs, *written.deterministics]]
    return [n for n in every if not n.endswith("_raw") and n not in _GEOMETRY]


def require(package: str) -> None:
    """Refuse if a sampler's package is not installed."""
    if find_spec(package) is None:
        raise SamplerError(
            f"the sampler {package} is not installed",
            remedy="Install fairweather[samplers], or leave --sampler out.",
        )


def sample(model: Model, settings: Settings, name: str) -> Drawn:
    """Draw with ``pymc.sample(nuts_sampler=name)``, one chain after another.

    Raises
    ------
    SamplerError
        The sampler refused, for instance at a start without a finite density.
    """
    import pymc as pm

    written = model.pymc
    start = time.perf_counter()
    with warnings.catch_warnings():
        # Samplers warn of their own affairs; the gate judges the draws.
        warnings.simplefilter("ignore")
        try:
            tree = pm.sample(
                draws=settings.draws, tune=settings.tune, chains=settings.chains,
                random_seed=settings.seed, model=written, nuts_sampler=name,
                nuts={"target_accept": settings.target_accept}, cores=1,
                progressbar=settings.progressbar, var_names=kept(model),
                compute_convergence_checks=False,
            )  # fmt: skip
        except (RuntimeError, ValueError, FloatingPointError) as err:
            raise could_not_sample(name, err) from err
    whole = time.perf_counter() - start
    posterior = tree["posterior"].to_dataset()
    values = {
        str(k): v.transpose("chain", "draw", ...).to_numpy() for k, v in posterior.data_vars.items()
    }
    stats = tree["sample_stats"].to_dataset()
    seconds = float(tree["posterior"].attrs.get("sampling_time") or whole)
    found = {k: stats[k].transpose("chain", "draw").to_numpy() for k in _STATS if k in stats}
    gradients = int(found["n_steps"].sum()) if "n_steps" in found else 0
    return Drawn(values, found, max(whole - seconds, 0.0), seconds, gradients, name)
