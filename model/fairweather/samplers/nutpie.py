"""nutpie on the compiled engine: the default sampler.

Invariant: draws come from nutpie or from nothing. A model the engine does not cover is compiled by
JAX instead, several times slower. Guarded by ``tests/test_samplers.py`` and
``tests/test_engine.py``.
"""

from __future__ import annotations

import hashlib
import time
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from fairweather.errors import SamplerError
from fairweather.samplers import Drawn, Settings, could_not_sample, through_pymc

if TYPE_CHECKING:
    from fairweather.model import Model


def require() -> None:
    """Refuse if nutpie is missing."""
    if find_spec("nutpie") is None:
        raise SamplerError(
            "nutpie is not installed", remedy="Install the package with its dependencies."
        )


def sample(model: Model, settings: Settings) -> Drawn:
    """Draw from the posterior; see `fairweather.samplers`.

    Raises
    ------
    SamplerError
        The density or its gradient is not finite at the start, or nutpie could not go on.
    """
    from fairweather.engine.drive import NotTraceable
    from fairweather.engine.pack import NotCovered, pack

    start = time.perf_counter()
    try:
        packed = pack(model)
        return _engine(model, packed, settings, start)
    except (NotCovered, NotTraceable):
        return _general(model, settings)


def _engine(model: Model, packed: Any, settings: Settings, start: float) -> Drawn:
    """Sample on the compiled engine."""
    from nutpie.compiled_pyfunc import from_pyfunc

    from fairweather.engine.chains import run
    from fairweather.engine.geometry import Geometry
    from fairweather.engine.keeping import ChainKeep, claim
    from fairweather.engine.native import Density, check_start
    from fairweather.engine.warm import carry_over

    check_start(Density(model, packed))
    warm = None
    if settings.warm is not None:
        warm = carry_over(settings.warm, model, packed, settings.chains, settings.seed)
    if settings.keep is not None:
        claim(settings.keep, _digest(packed, settings, model.reading))
    keeps = [
        ChainKeep(k, Density(model, packed), settings.draws, settings.tune, settings.keep)
        for k in range(settings.chains)
    ]

    def compiled(keep: ChainKeep) -> Any:
        def expand(x: np.ndarray) -> dict[str, np.ndarray]:
            keep.add(np.asarray(x) if warm is None else warm.back(np.asarray(x)))
            return {"seen": np.array(float(keep.seen))}

        def density() -> Any:
            own = Density(model, packed)
            return own if warm is None else warm.density(own)

        return from_pyfunc(
            packed.n_dim, density, lambda *_: expand, [np.dtype("float64")], [()], ["seen"],
            make_initial_point_fn=packed.start if warm is None else warm.begin(keep.chain),
        )  # fmt: skip

    compile_s, start = time.perf_counter() - start, time.perf_counter()
    stats = run(compiled, keeps, settings)
    posterior = {k: np.stack([keep.values[k] for keep in keeps]) for k in keeps[0].values}
    gradients = int(stats.pop("gradients").sum())
    seconds = time.perf_counter() - start
    geometry = Geometry.of([keep.tally for keep in keeps], model, packed)
    return Drawn(posterior, stats, compile_s, seconds, gradients, "nutpie", geometry)


def _digest(packed: Any, settings: Settings, reading: str) -> str:
    """Return SHA-256 of all that decides a chain's draws; how many chains there are does not."""
    from fairweather.provenance import code_version, package_versions

    asked = (settings.draws, settings.tune, settings.seed, settings.target_accept, reading,
             code_version(), package_versions())  # fmt: skip
    asked += () if settings.warm is None else (settings.warm.digest,)
    digest = hashlib.sha256(repr(asked).encode())
    for part in (packed.f, packed.i, packed.centre):
        digest.update(part.tobytes())
    return digest.hexdigest()


def _general(model: Model, settings: Settings) -> Drawn:
    """Sample the PyMC model with gradients of JAX: a few seconds to compile."""
    import nutpie

    start = time.perf_counter()
    compiled = nutpie.compile_pymc_model(
        model.pymc, backend="jax", gradient_backend="jax", var_names=through_pymc.kept(model)
    )
    compile_s, start = time.perf_counter() - start, time.perf_counter()
    try:
        tree = nutpie.sample(
            compiled, draws=settings.draws, tune=settings.tune, chains=settings.chains,
            cores=settings.cores or settings.chains, seed=settings.seed,
            progress_bar=settings.progressbar, target_accept=settings.target_accept,
        )  # fmt: skip
    except RuntimeError as err:
        raise could_not_sample("nutpie", err) from err
    kept = set(through_pymc.kept(model))
    values = {k: v.to_numpy() for k, v in tree["posterior"].to_dataset().items() if k in kept}
    stats, warm = tree["sample_stats"].to_dataset(), tree["warmup_sample_stats"].to_dataset()
    found = {k: stats[k].to_numpy() for k in ("diverging", "energy", "n_steps")}
    gradients = int(found["n_steps"].sum() + warm["n_steps"].sum())
    return Drawn(values, found, compile_s, time.perf_counter() - start, gradients, "nutpie")
