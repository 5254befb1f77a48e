"""Time the contest: a fresh one from start to exit, and the verdicts read back from it.

Run from the root of a checkout::

    .venv/bin/python benchmarks/contest.py                       # the default contest, 90 minutes
    .venv/bin/python benchmarks/contest.py --folder DIR          # one that is there: verdicts only
    .venv/bin/python benchmarks/contest.py -- --every 2 --worlds 1

What follows ``--`` is handed to ``fairweather contest``.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

MODEL = Path(__file__).resolve().parents[1] / "model"
CONTEST, CLAIMS = 90.0, 5.0  # minutes, seconds
COMMAND = [sys.executable, "-m", "fairweather.cli"]


def timed(*args: str) -> tuple[float, int]:
    """Run a command of the package in a fresh process; return seconds and exit code."""
    start = time.perf_counter()
    done = subprocess.run(
        [*COMMAND, *args], env=os.environ | {"PYTHONPATH": str(MODEL)}, check=False,
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    return time.perf_counter() - start, done.returncode


def main() -> int:
    """Print what was measured beside its target; return 1 if a target was missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", help="a contest that is there")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("options", nargs="*", help="for fairweather contest")
    asked = parser.parse_args()
    cpu = platform.processor() or platform.machine()
    print(f"{os.cpu_count()} cores, {cpu}, Python {platform.python_version()}")
    missed = False
    with tempfile.TemporaryDirectory() as made:
        folder = Path(asked.folder or Path(made) / "contest-fresh")
        if not asked.folder:
            seconds, code = timed("contest", "--out", str(folder), "--quiet", *asked.options)
            missed |= code not in (0, 3) or seconds > 60 * CONTEST
            print(f"contest {' '.join(asked.options)}: {seconds / 60:.1f} min, exit {code} "
                  f"(target {CONTEST:.0f} min)")  # fmt: skip
        for args in (["claims"], ["claims", "C08"]):
            runs = [timed(*args, "--contest", str(folder))[0] for _ in range(asked.runs)]
            middle = statistics.median(runs)
            missed |= middle > CLAIMS
            print(f"{' '.join(args)}: {middle:.2f} s, median of {asked.runs} (target {CLAIMS} s)")
    return int(missed)


if __name__ == "__main__":
    raise SystemExit(main())
