"""What a fresh process does for ``benchmarks.engine``: one job, its numbers on the last line.

Invariant: a job prints one line of JSON last, and nothing it measures ran in its process before.
Guarded by ``tests/test_bench_engine.py::test_a_job_prints_its_numbers``.

From the root of a checkout::

    .venv/bin/python -m benchmarks.engine_jobs scale '{"states": 15, "seconds": 1}'
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np


def peak_gb() -> float:
    """Largest resident memory of this process so far, GiB."""
    unit = 2**30 if sys.platform == "darwin" else 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def ours(draws: int | None, tune: int | None, chains: int | None, seed: int) -> dict[str, Any]:
    """``fairweather.fit`` on the default record; None: the default of `fit`.

    Returns
    -------
    dict
        Numbers of the run under the names ``rivals.run.run`` gives them, and ``passed``,
        whether the gate passed.
    """
    import fairweather as fw
    from fairweather.engine.chains import cores
    from fairweather.gate import gate
    from fairweather.samplers import Settings

    asked = {"draws": draws, "tune": tune, "chains": chains}
    asked = {k: v for k, v in asked.items() if v is not None}
    start = time.perf_counter()
    panel = fw.load_panel()
    build_s = time.perf_counter() - start
    tree = fw.fit(panel, random_seed=seed, progressbar=False, **asked)
    spent = json.loads(tree.attrs["timings"])
    steps = tree["sample_stats"]["n_steps"].to_numpy()
    side, gradients = cores(Settings(**asked)), int(tree.attrs["gradients"])
    ms = 1e3 * spent["sample"] * side / gradients
    peak, verdict = peak_gb(), gate(tree)
    judged = verdict.table.dropna(subset="ess_bulk")  # a handful of draws has no ESS
    worst = judged.loc[judged["ess_bulk"].idxmin()] if len(judged) else None
    low = None if worst is None else float(worst["ess_bulk"])
    return {
        "build_s": build_s, "compile_s": spent["compile"], "sample_s": spent["sample"],
        "gradients": gradients, "side_by_side": side, "ms_per_gradient": ms,
        "steps_per_draw": float(steps.mean()), "draws_asked": steps.shape[1],
        "tune": Settings(**asked).tune, "chains": steps.shape[0],
        "divergences": int(tree["sample_stats"]["diverging"].sum()),
        "min_ess_bulk": low, "min_ess_of": None if worst is None else str(worst["quantity"]),
        "max_rhat": verdict.summary["max_rhat"] if low else None, "passed": verdict.passed,
        "ess_per_s": low / spent["sample"] if low else None,
        "ess_per_s_drawing": low / (1e-3 * ms * float(steps.sum()) / side) if low else None,
        "peak_gb": peak, "finished": True,
    }  # fmt: skip


def rival(
    form: str, draws: int, tune: int, chains: int, seed: int, cap: float
) -> dict[str, Any]:  # fmt: skip
    """Run a rival on the default record; see ``benchmarks.rivals.run.run``."""
    import fairweather as fw

    from .rivals.run import run

    out = run(form, fw.load_panel(), draws, tune, chains, seed, timeout=cap)
    out.pop("draws", None)
    return out


def timed(call: Callable[[np.ndarray], Any], points: np.ndarray, seconds: float) -> dict[str, Any]:
    """Time a call at points, one after the other, for about so many seconds, ten times at least.

    Returns
    -------
    dict
        ``ms``, the median; ``ms_range``, its quartiles; ``cpu_ms``, processor time of all threads
        per call, on average; ``calls``.
    """
    spent, began, cpu = [], time.perf_counter(), time.process_time()
    while time.perf_counter() - began < seconds or len(spent) < 10:
        start = time.perf_counter()
        call(points[len(spent) % len(points)])
        spent.append(1e3 * (time.perf_counter() - start))
    low, median, high = np.percentile(spent, [25, 50, 75])
    cpu = 1e3 * (time.process_time() - cpu) / len(spent)
    return {"ms": float(median), "ms_range": [float(low), float(high)], "cpu_ms": cpu,
            "calls": len(spent)}  # fmt: skip


def _wide(states: int) -> tuple[Any, Any, np.ndarray, dict[str, Any]]:
    """Model of a wide panel, packed, points around where chains start, and its size."""
    import fairweather as fw
    from fairweather.engine.pack import pack

    from .wide import widen

    start = time.perf_counter()
    model = fw.build_model(widen(fw.load_panel(), states))
    packed = pack(model)
    size = {"states": states, "dyads": len(model.panel.dyads), "years": len(model.panel.years),
            "numbers": packed.n_dim, "prepare_s": time.perf_counter() - start,
            "rows": sum(len(r) for r in model.panel.rows.values())}  # fmt: skip
    rng = np.random.default_rng(1)
    points = packed.centre + 0.1 * rng.standard_normal((5, packed.n_dim))
    return model, packed, points, size


def scale(states: int, seconds: float) -> dict[str, Any]:
    """Time the engine's gradient on a panel of so many states.

    Returns
    -------
    dict
        Sizes, times (see `timed`), ``us_per_dyad`` and whether all was ``finite``.
    """
    from fairweather.engine.native import Density

    model, packed, points, size = _wide(states)
    density = Density(model, packed)
    finite = True
    for x in points:  # loads or compiles the kernels, warms the caches
        value, grad = density(x)
        finite &= bool(np.isfinite(value) and np.isfinite(grad).all())
    out = timed(density, points, seconds)
    return size | out | {"us_per_dyad": 1e3 * out["ms"] / size["dyads"], "finite": finite,
                         "peak_gb": peak_gb()}  # fmt: skip


def scale_jax(states: int, seconds: float) -> dict[str, Any]:
    """Time the same gradient as JAX computes it from the PyMC model, in double precision.

    Returns
    -------
    dict
        As `scale`, with ``compile_s`` and ``off``, the largest difference from the engine's
        gradient relative to 1 + its size.
    """
    import jax

    jax.config.update("jax_enable_x64", True)
    from fairweather.engine.native import Density
    from fairweather.samplers.jax_density import joined_logp

    model, packed, points, size = _wide(states)
    start = time.perf_counter()
    both = jax.jit(jax.value_and_grad(joined_logp(model, packed)))
    theirs = np.asarray(jax.block_until_ready(both(points[0]))[1])
    compile_s = time.perf_counter() - start
    grad = Density(model, packed)(points[0])[1]
    out = timed(lambda x: jax.block_until_ready(both(x)), points, seconds)
    off = float((np.abs(theirs - grad) / (1.0 + np.abs(grad))).max())
    return size | out | {"us_per_dyad": 1e3 * out["ms"] / size["dyads"], "compile_s": compile_s,
                         "off": off, "peak_gb": peak_gb()}  # fmt: skip


def origins(years: list[int], draws: int, tune: int, chains: int, seed: int) -> dict[str, Any]:
    """Fit the record as of the end of each year, in this one process.

    Returns
    -------
    dict
        ``origins``: per year its panel, seconds to load it, to compile and to sample, how often
        Numba compiled anything meanwhile (``compiled``) and how many signatures the engine's
        kernels have afterwards (``signatures``).
    """
    from numba.core import event

    import fairweather as fw
    from fairweather.engine import density, structure

    kernels = (structure.read, structure.build, density.finish)
    out = []
    for year in years:
        start = time.perf_counter()
        panel = fw.load_panel(as_of=f"{year}-12-31")
        load_s = time.perf_counter() - start
        with event.install_recorder("numba:compile") as heard:
            tree = fw.fit(panel, draws=draws, tune=tune, chains=chains, random_seed=seed,
                          progressbar=False)  # fmt: skip
        whole = time.perf_counter() - start
        spent = json.loads(tree.attrs["timings"])
        out.append({
            "as_of": f"{year}-12-31", "years": len(panel.years), "dyads": len(panel.dyads),
            "load_s": load_s, "compile_s": spent["compile"], "sample_s": spent["sample"],
            "wall_s": whole, "gradients": int(tree.attrs["gradients"]),
            "compiled": sum(e.is_start for _, e in heard.buffer),
            "signatures": [len(k.signatures) for k in kernels],
        })  # fmt: skip
    return {"origins": out, "peak_gb": peak_gb(), "draws_asked": draws, "tune": tune,
            "chains": chains}  # fmt: skip


JOBS: dict[str, Callable[..., dict[str, Any]]] = {
    "ours": ours, "rival": rival, "scale": scale, "scale-jax": scale_jax, "origins": origins,
}  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(JOBS[sys.argv[1]](**json.loads(sys.argv[2]))))
