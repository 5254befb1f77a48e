"""Run a rival on a panel and say what it cost, in a fresh process.

Invariant: a form that does not finish in time is reported as such, with the stage it was in, never
left out. Guarded by ``tests/test_bench_rivals.py``.

From the root of a checkout, on the default panel::

    .venv/bin/python -m benchmarks.rivals.run numpyro --draws 200 --tune 300 --chains 2
"""

from __future__ import annotations

import argparse
import copyreg
import json
import os
import pickle
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from fairweather.errors import FairweatherError

from .quantities import effective
from .samplers import read_only

NAMES = ("pymc-default", "pymc-nuts", "numpyro")
ROOT = Path(__file__).resolve().parents[2]


class _Pickler(pickle.Pickler):
    """A panel holds its record's tables in read-only mappings, which pickle does not know."""

    dispatch_table = copyreg.dispatch_table | {MappingProxyType: lambda x: (read_only, (dict(x),))}


def run(
    form: str, panel: Any, draws: int, tune: int, chains: int, seed: int, *, priors: Any = None,
    timeout: float | None = None, centred_pressure: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """Sample one rival.

    Parameters
    ----------
    form : str
        ``pymc-default``: ``pm.sample()`` on the textbook form (nutpie with Numba where it is
        installed). ``pymc-nuts``: the same form and PyMC's own sampler. ``numpyro``: the NumPyro
        form and its NUTS. All at their own default settings.
    panel : fairweather.panel.Panel
    draws, tune, chains, seed : int
        Draws and tuning per chain.
    priors : fairweather.priors.Priors, optional
        Default: the shipped belief set.
    timeout : float, optional
        Seconds after which the process is ended.
    centred_pressure : bool
        Give the rival the better geometry for pressure; see ``textbook_pymc.build``.

    Returns
    -------
    dict
        ``finished`` (bool), ``stage`` (where it stopped: ``compile``, ``compile or warm-up``,
        ``sample``; else ``done``),
        ``wall_s`` and ``cpu_s`` (of the whole process: on a busy machine they differ). If finished
        also ``draws`` (see ``quantities.select``), ``build_s``, ``compile_s``, ``sample_s``
        (tuning included), ``ms_per_gradient`` (wall, of one chain while ``side_by_side`` run),
        ``steps_per_draw`` (after tuning), ``divergences``, ``peak_gb`` (``peak_gb_child``: the
        largest process of its own), ``min_ess_bulk`` and the quantity it is of, ``max_rhat``,
        ``ess_per_s`` (of all sampling), ``ess_per_s_drawing`` (tuning left out: what a long run
        tends to).

    Raises
    ------
    FairweatherError
        Unknown form, impossible numbers, or the process failed.

    Examples
    --------
    >>> import fairweather as fw
    >>> run("numpyro", fw.load_panel(), 200, 300, 2, 1)["finished"]  # doctest: +SKIP
    True
    """
    if form not in NAMES:
        raise FairweatherError(f"unknown form '{form}'", remedy=f"Use one of {', '.join(NAMES)}.")
    if draws < 4 or tune < 1 or chains < 1:
        raise FairweatherError(
            f"draws = {draws}, tune = {tune}, chains = {chains} cannot be sampled",
            remedy="Use at least 4 draws, 1 tuning step and 1 chain.",
        )
    if priors is None:
        from fairweather.priors import load_priors

        priors = load_priors()
    job = {
        "form": form, "panel": panel, "priors": priors, "draws": draws, "tune": tune,
        "chains": chains, "seed": seed, "centred_pressure": centred_pressure,
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with (folder / "job.pkl").open("wb") as file:
            _Pickler(file).dump(job)
        code, errors, wall, cpu = _child(folder, timeout)
        out = {"form": form, "panel": f"{len(panel.states)} states, {len(panel.years)} years",
               "chains": chains, "draws_asked": draws, "tune": tune,
               "centred_pressure": centred_pressure, "wall_s": wall, "cpu_s": cpu}  # fmt: skip
        stage = folder / "stage"
        if code is None:
            where = stage.read_text() if stage.exists() else "compile"
            return out | {"finished": False, "stage": where}
        if code:
            raise FairweatherError(f"the {form} form failed: {errors[-2000:]}")
        numbers = json.loads((folder / "numbers.json").read_text())
        with np.load(folder / "draws.npz") as file:
            got = dict(file)
        steps = np.load(folder / "steps.npy")
    out |= {"finished": True, "stage": "done", **numbers, "steps_per_draw": float(steps.mean())}
    return out | {"draws": got} | _rates(got, steps, numbers)


def _child(folder: Path, timeout: float | None) -> tuple[int | None, str, float, float]:
    """Run the job of a folder: exit code (None if ended by the clock), errors, wall and CPU."""
    path = [str(ROOT / "model"), str(ROOT), os.environ.get("PYTHONPATH", "")]
    start, before = time.perf_counter(), _cpu_of_children()
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.rivals.samplers", str(folder)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(p for p in path if p)},
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    try:
        _, errors = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        # Its chains may be processes too: the whole session goes.
        os.killpg(process.pid, 9)
        process.communicate()
        return None, "", time.perf_counter() - start, _cpu_of_children() - before
    except BaseException:
        os.killpg(process.pid, 9)
        raise
    return process.returncode, errors, time.perf_counter() - start, _cpu_of_children() - before


def _cpu_of_children() -> float:
    """Seconds of CPU that finished child processes have used so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _rates(
    draws: dict[str, np.ndarray], steps: np.ndarray, numbers: dict[str, Any]
) -> dict[str, Any]:
    """Effective draws of the worst quantity, and per second."""
    ess, rhat = effective(draws)
    worst = min(ess, key=ess.__getitem__)
    drawing = 1e-3 * numbers["ms_per_gradient"] * steps.sum() / numbers["side_by_side"]
    return {
        "min_ess_bulk": ess[worst], "min_ess_of": worst, "max_rhat": rhat,
        "ess_per_s": ess[worst] / numbers["sample_s"],
        "ess_per_s_drawing": float(ess[worst] / drawing),
    }  # fmt: skip


def main() -> None:
    """Run one form and print its numbers as JSON."""
    from fairweather.panel import load_panel

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("form", choices=NAMES)
    parser.add_argument("--draws", type=int, default=200)
    parser.add_argument("--tune", type=int, default=300)
    parser.add_argument("--chains", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--timeout", type=float)
    parser.add_argument("--states", nargs="*", help="default: all of the record")
    parser.add_argument("--first-year", type=int, default=1992)
    parser.add_argument("--centred-pressure", action="store_true")
    args = parser.parse_args()
    panel = load_panel(states=args.states, first_year=args.first_year)
    out = run(
        args.form, panel, args.draws, args.tune, args.chains, args.seed, timeout=args.timeout,
        centred_pressure=args.centred_pressure,
    )  # fmt: skip
    out.pop("draws", None)
    print(json.dumps(out, indent=2))


if __name__ == "__main__":
    main()
