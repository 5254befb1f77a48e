"""Each rival sampled as its user would, in a process of its own, and timed from inside.

Invariant: compile time and sampling time never overlap, and every gradient of the timed stretch is
counted. Guarded by ``tests/test_bench_rivals.py``.
"""

from __future__ import annotations

import json
import os
import pickle
import resource
import sys
import time
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from .quantities import kept, select

PROC = Path("/proc/self/status")


def read_only(table: dict) -> MappingProxyType:
    """Unpickle the read-only mappings of a panel's record."""
    return MappingProxyType(table)


def sample_pymc(
    job: dict[str, Any], mark: Callable[[str], None], *, sampler: str | None
) -> dict[str, Any]:
    """``pm.sample()`` on the textbook form; by default PyMC picks the sampler itself.

    Notes
    -----
    Tuning is kept, to count its gradients, so memory is somewhat higher than a user would see.
    """
    import pymc as pm

    from .textbook_pymc import build

    start = time.perf_counter()
    model = build(job["panel"], job["priors"], centred_pressure=job["centred_pressure"])
    build_s = time.perf_counter() - start
    chains, cores = job["chains"], min(job["chains"], os.cpu_count() or 1)
    start = time.perf_counter()
    with told_when_compiled(mark):
        tree = pm.sample(
            job["draws"], tune=job["tune"], chains=chains, cores=cores, random_seed=job["seed"],
            model=model, nuts_sampler=sampler, progressbar=False, discard_tuned_samples=False,
            compute_convergence_checks=False,
        )  # fmt: skip
    wall = time.perf_counter() - start
    posterior = tree["posterior"]
    sample_s = float(posterior.attrs["sampling_time"])
    stats, warm = tree["sample_stats"], tree["warmup_sample_stats"]
    column = "n_steps" if "n_steps" in stats else "tree_size"
    steps = stats[column].transpose("chain", "draw").to_numpy()
    everything = float(steps.sum() + warm[column].sum())
    return {
        "draws": {k: posterior[k].to_numpy() for k in kept(job["panel"]) if k in posterior},
        "sampler": str(posterior.attrs.get("inference_library", "pymc")),
        "build_s": build_s, "compile_s": wall - sample_s, "sample_s": sample_s,
        "ms_per_gradient": 1e3 * sample_s * cores / everything,
        "side_by_side": cores, "steps": steps,
        "divergences": int(stats["diverging"].sum()),
    }  # fmt: skip


@contextmanager
def told_when_compiled(mark: Callable[[str], None]) -> Any:
    """Say when the gradient is compiled, by nutpie or by PyMC itself, whichever is used."""
    import nutpie
    from pymc.sampling import mcmc

    places = ((nutpie, "compile_pymc_model"), (mcmc, "init_nuts"))
    originals = [getattr(*place) for place in places]

    def telling(original: Callable) -> Callable:
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            out = original(*args, **kwargs)
            mark("sample")
            return out

        return wrapped

    for place, original in zip(places, originals, strict=True):
        setattr(*place, telling(original))
    try:
        yield
    finally:
        for place, original in zip(places, originals, strict=True):
            setattr(*place, original)


class Compiling:
    """Seconds in which JAX traced, lowered or compiled; nested stretches count once."""

    def __init__(self) -> None:
        import jax

        self.stretches: list[tuple[float, float]] = []
        jax.monitoring.register_event_duration_secs_listener(self._hear)

    def _hear(self, event: str, seconds: float, **_: Any) -> None:
        if event.startswith("/jax/core/compile/"):
            now = time.perf_counter()
            self.stretches.append((now - seconds, now))

    def between(self, start: float, end: float) -> float:
        """Length of the union of the stretches within a window."""
        total, reached = 0.0, start
        for a, b in sorted(self.stretches):
            a, b = max(a, reached), min(b, end)
            if b > a:
                total, reached = total + b - a, b
        return total


def sample_numpyro(job: dict[str, Any], mark: Callable[[str], None]) -> dict[str, Any]:
    """NumPyro's NUTS with its defaults, as many chains side by side as there are cores."""
    import numpyro

    cores = min(job["chains"], os.cpu_count() or 1, 2)
    numpyro.set_host_device_count(cores)
    numpyro.enable_x64()
    import jax
    from numpyro.infer import MCMC, NUTS

    from .numpyro_form import build

    compiling, start = Compiling(), time.perf_counter()
    model = build(job["panel"], job["priors"], centred_pressure=job["centred_pressure"])
    build_s = time.perf_counter() - start
    runs, compile_s, sample_s, draw_s = [], 0.0, 0.0, 0.0
    for first in range(0, job["chains"], cores):
        side = min(cores, job["chains"] - first)
        mcmc = MCMC(
            NUTS(model), num_warmup=job["tune"], num_samples=job["draws"], num_chains=side,
            chain_method="parallel" if side > 1 else "sequential", progress_bar=False,
        )  # fmt: skip
        # NumPyro does not say when it has compiled and begins.
        mark("compile or warm-up")
        t0 = time.perf_counter()
        mcmc.warmup(jax.random.key(job["seed"] + first))
        jax.block_until_ready(mcmc.last_state)
        mark("sample")
        t1 = time.perf_counter()
        mcmc.run(mcmc.post_warmup_state.rng_key, extra_fields=("num_steps", "diverging", "energy"))
        got = mcmc.get_samples(group_by_chain=True)
        jax.block_until_ready(got)
        t2 = time.perf_counter()
        compile_s += compiling.between(t0, t2)
        draw_s += t2 - t1 - compiling.between(t1, t2)
        sample_s += t2 - t0 - compiling.between(t0, t2)
        extra = mcmc.get_extra_fields(group_by_chain=True)
        runs.append(({k: np.asarray(got[k]) for k in kept(job["panel"]) if k in got},
                     np.asarray(extra["num_steps"]), int(extra["diverging"].sum())))  # fmt: skip
    steps = np.concatenate([s for _, s, _ in runs])
    return {
        "draws": {k: np.concatenate([d[k] for d, _, _ in runs]) for k in runs[0][0]},
        "sampler": "numpyro", "build_s": build_s, "compile_s": compile_s, "sample_s": sample_s,
        # Of the draws alone: NumPyro does not count the gradients of its warm-up unasked.
        "ms_per_gradient": 1e3 * draw_s * cores / float(steps.sum()),
        "side_by_side": cores, "steps": steps, "divergences": sum(d for _, _, d in runs),
    }  # fmt: skip


FORMS: dict[str, Callable[..., dict[str, Any]]] = {
    "pymc-default": lambda job, mark: sample_pymc(job, mark, sampler=None),
    "pymc-nuts": lambda job, mark: sample_pymc(job, mark, sampler="pymc"),
    "numpyro": sample_numpyro,
}


def peak_kb() -> int:
    """Largest resident memory of this program; ``ru_maxrss`` would count its parent's too."""
    lines = PROC.read_text().splitlines()
    return int(next(x for x in lines if x.startswith("VmHWM")).split()[1])


def main(folder: Path) -> None:
    """Do the job left in a folder by `rivals.run.run`, and leave the result there."""
    with (folder / "job.pkl").open("rb") as file:
        job = pickle.load(file)

    def mark(stage: str) -> None:
        (folder / "stage").write_text(stage)

    mark("compile")
    out = FORMS[job["form"]](job, mark)
    draws = select(out.pop("draws"), job["panel"])
    steps = out.pop("steps")
    np.savez(folder / "draws.npz", **draws)
    np.save(folder / "steps.npy", steps)
    own, children = (
        resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    # Kilobytes on Linux, bytes on macOS. PyMC's own sampler runs its chains in child processes.
    unit = 2**30 if sys.platform == "darwin" else 2**20
    out["peak_gb"] = peak_kb() / 2**20 if PROC.exists() else own.ru_maxrss / unit
    out["peak_gb_child"] = children.ru_maxrss / unit
    (folder / "numbers.json").write_text(json.dumps(out))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
