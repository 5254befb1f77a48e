"""What is measured of a run, defined once for every form.

Invariant: all forms are judged by the same numbers over the same quantities: all latents and all
main parameters, in the original parametrisation.
Guarded by ``tests/test_bench_reference.py::test_a_report_finds_the_worst_quantity``.
"""

from __future__ import annotations

import resource
import sys
from typing import Any

import numpy as np

MAIN = ("rho", "sigma", "beta", "a", "loading", "phi", "s", "cuts")


def report(
    draws: dict[str, np.ndarray], *, steps: np.ndarray, warmup_steps: np.ndarray,
    divergences: int, energy: np.ndarray, compile_s: float, sample_s: float, cores: int,
    label: str, prepare_s: float = 0.0,
) -> dict[str, Any]:  # fmt: skip
    """Put draws and costs together.

    Parameters
    ----------
    draws : dict
        Arrays (chain, draw, ...) of `MAIN` and ``z``.
    steps, warmup_steps : array, shape (chain, draw)
        Leapfrog steps.
    divergences : int
    energy : array, shape (chain, draw)
    compile_s, sample_s, prepare_s : float
        Seconds: building, compiling and starting; sampling with its warm-up; anything a form
        computes beforehand to choose its geometry. All three are costs of a run.
    cores : int
        Chains that run at the same time.
    label : str

    Returns
    -------
    dict
        ``draws``, the costs, ``ms_per_gradient`` (sampling seconds of one core per leapfrog step,
        warm-up and overhead included), ``steps_per_draw``; of this process and its children
        ``peak_gb`` and ``cpu_s``, processor seconds since the process started: what a busy
        machine distorts least.
    """
    gradients = int(steps.sum() + warmup_steps.sum())
    unit = 2**30 if sys.platform == "darwin" else 2**20
    used = [resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    peak = sum(u.ru_maxrss for u in used)
    change = np.square(np.diff(energy, axis=1)).mean(axis=1)
    return {
        "label": label.strip(),
        "draws": draws,
        "compile_s": compile_s,
        "prepare_s": prepare_s,
        "sample_s": sample_s,
        "ms_per_gradient": 1e3 * sample_s * cores / gradients,
        "steps_per_draw": float(steps.mean()),
        "gradients": gradients,
        "divergences": int(divergences),
        "ebfmi": float((change / energy.var(axis=1)).min()),
        "peak_gb": peak / unit,
        "cpu_s": sum(u.ru_utime + u.ru_stime for u in used),
    }


def judge(run: dict[str, Any]) -> dict[str, Any]:
    """Worst R-hat and ESS over everything, and what they belong to.

    Returns
    -------
    dict
        ``max_rhat``, ``min_ess_bulk``, ``min_ess_tail``, ``ess_per_s`` (bulk, of sampling),
        ``ess_per_s_all`` (of the whole wall time), ``worst`` (the six lowest bulk ESS).
    """
    import arviz_stats as az
    import xarray as xr

    data = xr.Dataset({
        k: xr.DataArray(v, dims=["chain", "draw", *(f"{k}_{i}" for i in range(v.ndim - 2))])
        for k, v in run["draws"].items()
    })  # fmt: skip
    found = {
        "rhat": az.rhat(data), "bulk": az.ess(data, method="bulk"),
        "tail": az.ess(data, method="tail"),
    }  # fmt: skip
    flat = {
        m: np.concatenate([np.ravel(v[k].to_numpy()) for k in run["draws"]])
        for m, v in found.items()
    }
    names = [f"{k}{list(i) if i else ''}" for k, v in run["draws"].items()
             for i in np.ndindex(v.shape[2:])]  # fmt: skip
    order = np.argsort(flat["bulk"])
    low = float(flat["bulk"][order[0]])
    wall = run["compile_s"] + run["prepare_s"] + run["sample_s"]
    return {
        "max_rhat": float(flat["rhat"].max()),
        "min_ess_bulk": low,
        "min_ess_tail": float(flat["tail"].min()),
        "ess_per_s": low / run["sample_s"],
        "ess_per_s_all": low / wall,
        "worst": [(names[i], round(float(flat["bulk"][i]))) for i in order[:6]],
    }
