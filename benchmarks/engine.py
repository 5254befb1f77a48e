"""The engine beside what others would run, in one sitting: numbers to JSON, tables to Markdown.

Run from the root of a checkout, on a machine that does nothing else::

    make bench
    make bench ARGS='--only a,c --repeats 5'
    make bench ARGS='--only b --cap 3600 --resume'

Sections: ``a`` the reference problem (``benchmarks.reference``); ``b`` the default record, the
default fit and rivals (``benchmarks.rivals``); ``c`` the gradient on panels of 100 to 1,600 dyads
(``benchmarks.wide``); ``d`` ten origins from one compilation.

Invariant: every run is a fresh process, one after the other, and leaves a row, whether it
finished, was ended by the clock or failed; the load of the machine at its start stands in the row.
Guarded by ``tests/test_bench_engine.py``.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from . import engine_page
from .reference import table

ROOT = Path(__file__).resolve().parents[1]
FOLDER = Path(__file__).resolve().parent
PACKAGES = ("pymc", "pytensor", "nutpie", "numba", "jax", "numpyro", "numpy")
REFERENCE = ("ours", "textbook", "textbook-pymc-nuts", "numpyro")
RIVALS = ("pymc-default", "pymc-nuts", "numpyro")
STATES = (15, 29, 57)
WORLD = 193
YEARS = tuple(range(2015, 2025))


def machine() -> dict[str, Any]:
    """Say what the numbers are measured on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "date": dt.date.today().isoformat(), "cores": os.cpu_count(),
        "memory_gb": round(memory, 1), "machine": platform.machine(), "cpu": _cpu(),
        "python": platform.python_version(), "packages": {p: version(p) for p in PACKAGES},
    }  # fmt: skip


def _cpu() -> str:
    """Name of the processor, where Linux says it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((x.split(":", 1)[1].strip() for x in lines if x.startswith("model name")), "")


def job(
    name: str, limit: float | None = None, cache: str | None = None, /, **ask: Any
) -> dict[str, Any]:  # fmt: skip
    """Run a job of ``benchmarks.engine_jobs`` in a fresh process.

    Parameters
    ----------
    name : str
    limit : float, optional
        Seconds after which it is ended.
    cache : str, optional
        Folder of compiled code (``NUMBA_CACHE_DIR``).
    ask : dict
        Arguments of the job.

    Returns
    -------
    dict
        What the job found with ``process_s``; if it was ended ``finished`` False, if it failed
        ``failed``, the last line of its complaint.
    """
    env = os.environ | ({"NUMBA_CACHE_DIR": cache} if cache else {})
    command = [sys.executable, "-m", "benchmarks.engine_jobs", name, json.dumps(ask)]
    start = time.perf_counter()
    try:
        done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True,
                              timeout=limit, check=False)  # fmt: skip
    except subprocess.TimeoutExpired:
        return {"finished": False, "wall_s": time.perf_counter() - start}
    if done.returncode:
        return {"failed": complaint(done.stderr)}
    return json.loads(done.stdout.splitlines()[-1]) | {"process_s": time.perf_counter() - start}


def complaint(text: str) -> str:
    r"""Pick the last line of a traceback that names an error.

    Examples
    --------
    >>> complaint("Traceback ...\nZeroDivisionError: division by zero\n\nHINT: look")
    'ZeroDivisionError: division by zero'
    """
    lines = [x.strip() for x in text.splitlines() if x.strip()]
    named = [x for x in lines if x.split(":")[0].endswith(("Error", "Exception", "Interrupt"))]
    return (named or lines or ["no message"])[-1][:300]


def reference(form: str, seed: int, draws: int, chains: int) -> dict[str, Any]:
    """Run a form of the reference problem."""
    try:
        return table.once(form, seed, draws, chains)
    except SystemExit as err:
        return {"failed": complaint(str(err))}


def command_line(seed: int, extra: list[str], cache: str) -> dict[str, Any]:
    """Time ``fairweather fit`` as a user runs it, from the start of the process to its exit.

    Returns
    -------
    dict
        ``wall_s``, ``cpu_s``, ``peak_gb`` and ``exit`` (3: the draws do not meet the bar).
    """
    program = Path(sys.executable).with_name("fairweather")
    with tempfile.TemporaryDirectory() as folder:
        command = [program, "fit", "--quiet", "--seed", str(seed), "--results", folder, *extra]
        start = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=ROOT, env=os.environ | {"NUMBA_CACHE_DIR": cache},
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            _, status, used = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            raise
        process.returncode = os.waitstatus_to_exitcode(status)
        wall = time.perf_counter() - start
    unit = 2**30 if sys.platform == "darwin" else 2**20
    out = {"wall_s": wall, "cpu_s": used.ru_utime + used.ru_stime,
           "peak_gb": used.ru_maxrss / unit, "exit": process.returncode}  # fmt: skip
    return out if process.returncode in (0, 3) else out | {"failed": f"exit {process.returncode}"}


Run = tuple[str, dict[str, Any], Callable[[], dict[str, Any]]]


def plan(section: str, args: argparse.Namespace, cache: str) -> list[Run]:
    """List the runs of a section: form, what it is asked for, and the call that does it.

    Runs of one form and request are the same run: ``--resume`` does not repeat them.
    """
    out: list[Run] = []

    def add(form: str, call: Callable[..., dict[str, Any]], **ask: Any) -> None:
        out.append((form, ask, lambda: call(**ask)))

    def worker(name: str, limit: float | None = None) -> Callable[..., dict[str, Any]]:
        return lambda **ask: job(name, limit, cache, **ask)

    seeds = range(1, args.repeats + 1)
    if section == "a":
        for seed in seeds:  # forms take turns: a busy spell of the machine hits all alike
            for form in REFERENCE:
                add(form, lambda form=form, **ask: reference(form, **ask), seed=seed,
                    draws=args.reference_draws, chains=args.chains or 4)  # fmt: skip
    if section == "b":
        asked = {"draws": args.draws, "tune": args.tune, "chains": args.chains}
        tiny = {"draws": 4, "tune": 1, "chains": 1, "seed": 1}
        add("ours-cold", lambda **ask: _cold(**ask), **tiny)
        add("ours-warm", worker("ours"), **tiny)
        extra = [str(x) for k, v in asked.items() if v for x in (f"--{k}", v)]
        for seed in seeds:
            add("ours", worker("ours"), seed=seed, **asked)
            add("command-line", lambda seed, extra: command_line(seed, extra, cache), seed=seed,
                extra=extra)  # fmt: skip
        for seed in range(1, args.rival_repeats + 1):
            for form in args.rivals.split(","):
                add(form, lambda form=form, **ask: job("rival", form=form, **ask), seed=seed,
                    draws=args.rival_draws, tune=args.rival_tune, chains=args.rival_chains,
                    cap=args.cap)  # fmt: skip
    if section == "c":
        for states in (*STATES, *([WORLD] if args.world else [])):
            add("engine", worker("scale"), states=states, seconds=args.seconds)
        for states in STATES:
            add("jax", worker("scale-jax", args.jax_cap), states=states, seconds=args.seconds)
    if section == "d":
        add("origins", worker("origins"), years=list(YEARS), draws=args.origin_draws,
            tune=args.origin_tune, chains=2, seed=1)  # fmt: skip
    return out


def _cold(**ask: Any) -> dict[str, Any]:
    """Run once with nothing compiled yet."""
    with tempfile.TemporaryDirectory() as empty:
        return job("ours", None, empty, **ask)


def bench(section: str, args: argparse.Namespace, store: dict[str, Any], cache: str) -> None:
    """Run a section, keeping every row as soon as it is there."""
    old = store["sections"].get(section, {}) if args.resume else {}
    kept = [r for r in old.get("runs", []) if "failed" not in r["result"]]
    runs = store["sections"][section] = {"machine": old.get("machine") or machine(), "runs": kept}
    for form, ask, call in plan(section, args, cache):
        if any(r["form"] == form and r["ask"] == ask for r in kept):
            continue
        print(f"{section} {form} {json.dumps(ask)}", flush=True)
        load, start = [round(x, 2) for x in os.getloadavg()], time.perf_counter()
        began = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        row = call()
        row = {"form": form, "ask": ask, "load": load, "began": began,
               "total_s": time.perf_counter() - start, "result": row}  # fmt: skip
        runs["runs"].append(row)
        said = row["result"].get("failed") or ("" if row["result"].get("finished", True) else
                                               "ended by the clock")  # fmt: skip
        print(f"  {row['total_s']:.1f} s, load {load[0]} {said}", flush=True)
        write(store, args.out)


def write(store: dict[str, Any], out: Path) -> None:
    """Write the numbers, and the tables made of them."""
    out.write_text(json.dumps(store, indent=1) + "\n")
    out.with_suffix(".md").write_text(engine_page.page(store))


def parse(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="a,b,c,d", help="sections, e.g. a,c; others stay")
    parser.add_argument("--repeats", type=int, default=3, help="of sections a and b")
    parser.add_argument("--resume", action="store_true", help="keep runs already made as asked")
    parser.add_argument("--page", action="store_true", help="only write the tables anew")
    parser.add_argument("--out", type=Path, default=FOLDER / "engine.json")
    parser.add_argument("--reference-draws", type=int, default=1000)
    parser.add_argument("--draws", type=int, help="of ours; default: of fairweather.fit")
    parser.add_argument("--tune", type=int, help="likewise")
    parser.add_argument("--chains", type=int, help="likewise; also of section a, where it is 4")
    parser.add_argument("--rivals", default=",".join(RIVALS), help="forms of section b")
    parser.add_argument("--rival-draws", type=int, default=200)
    parser.add_argument("--rival-tune", type=int, default=300)
    parser.add_argument("--rival-chains", type=int, default=2)
    parser.add_argument("--rival-repeats", type=int, default=1)
    parser.add_argument("--cap", type=float, default=1800.0, help="seconds for a rival")
    parser.add_argument("--seconds", type=float, default=10.0, help="of timing a gradient")
    parser.add_argument("--jax-cap", type=float, default=600.0, help="seconds for a JAX gradient")
    parser.add_argument("--world", action="store_true", help="the engine on 18,528 dyads too")
    parser.add_argument("--origin-draws", type=int, default=100)
    parser.add_argument("--origin-tune", type=int, default=200)
    args = parser.parse_args(argv)
    args.only = args.only.split(",")
    if unknown := set(args.only) - set("abcd"):
        parser.error(f"no section {', '.join(sorted(unknown))}; there are a, b, c and d")
    return args


def main() -> None:
    """Run what is asked for and merge it with what is there."""
    args = parse()
    store = json.loads(args.out.read_text()) if args.out.exists() else {"sections": {}}
    with tempfile.TemporaryDirectory() as cache:
        if not args.page and set(args.only) & set("bcd"):  # compile once; only one run is cold
            job("ours", None, cache, draws=4, tune=1, chains=1, seed=1)
        for section in [] if args.page else args.only:
            bench(section, args, store, cache)
    write(store, args.out)
    print(f"wrote {args.out} and {args.out.with_suffix('.md')}")


if __name__ == "__main__":
    main()
