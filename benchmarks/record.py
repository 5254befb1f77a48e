"""Time the record: loading and checking it, building it whole, and building the whole world.

Run from the root of a checkout::

    .venv/bin/python benchmarks/record.py                      # the first figure
    .venv/bin/python benchmarks/record.py --sources DIR        # all of them

Every figure is of a fresh process, import included where it says so; medians of `--runs`.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

MODEL = Path(__file__).resolve().parents[1] / "model"
TARGETS = {  # seconds, GiB
    "load and check the record": (2.0, None),
    "build the record from sources": (180.0, None),
    "build all UN members' dyads": (300.0, 4.0),
}
LOAD = """
import time
import fairweather.record, pandera.pandas
t = time.perf_counter()
record = fairweather.record.load_record()
print(time.perf_counter() - t)
"""
BUILD = """
import time
from pathlib import Path
from shutil import copy
from fairweather.coding.build import build
from fairweather.paths import shipped_data_dir
folder = Path({folder!r})
for path in [*shipped_data_dir().glob("*.toml"), *shipped_data_dir().glob("*.csv")]:
    copy(path, folder)
t = time.perf_counter()
build({sources!r}, folder, states={states!r})
print(time.perf_counter() - t)
"""


def measure(code: str, runs: int) -> tuple[float, float]:
    """Return the median seconds a program prints last, and its largest memory in GiB."""
    seconds, peaks = [], []
    for _ in range(runs):
        done = subprocess.run(
            ["/usr/bin/env", sys.executable, "-c", code + _PEAK],
            env=os.environ | {"PYTHONPATH": str(MODEL)},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(done.stderr)
        *_, time, peak = done.stdout.split()
        seconds.append(float(time))
        peaks.append(float(peak))
    return statistics.median(seconds), max(peaks)


_PEAK = """
import resource, sys
unit = 2**30 if sys.platform == "darwin" else 2**20
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit)
"""


def main() -> None:
    """Measure and print a table beside the targets."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sources", help="folder of the prepared sources")
    parser.add_argument("--runs", type=int, default=3)
    args = parser.parse_args()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    print(
        f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.machine()}, "
        f"Python {platform.python_version()}; median of {args.runs} fresh processes"
    )
    codes = {"load and check the record": LOAD}
    if args.sources:
        source = str(Path(args.sources).resolve())
        for name, states in (
            ("build the record from sources", None),
            ("build all UN members' dyads", "un-members"),
        ):
            codes[name] = (source, states)
    print(f"{'':32}{'seconds':>9}{'target':>9}{'GiB':>7}{'target':>9}")
    for name, code in codes.items():
        with tempfile.TemporaryDirectory() as folder:
            if isinstance(code, tuple):
                code = BUILD.format(folder=folder, sources=code[0], states=code[1])
            seconds, peak = measure(code, args.runs)
        limit, room = TARGETS[name]
        shown = f"{room:.0f}" if room else "-"
        print(f"{name:32}{seconds:9.2f}{limit:9.0f}{peak:7.2f}{shown:>9}")


if __name__ == "__main__":
    main()
