"""Time the list of a store of many issued forecasts, with and without its index.

Run from the root of a checkout::

    .venv/bin/python benchmarks/issued.py
    .venv/bin/python benchmarks/issued.py --count 100000 --runs 9

Every figure is of a fresh process, start of the interpreter included; medians of `--runs`. Seconds
of processor are told beside those of the clock: other work on the machine is no fault of the store.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

MODEL = Path(__file__).resolve().parents[1] / "model"
sys.path.insert(0, str(MODEL))

from fairweather.issued import Store, ledger, manifest  # noqa: E402

TARGET = 1.0
COMMAND = "from fairweather.start import main; main()"


def fill(root: Path, count: int) -> None:
    """Write a store as `count` issues would leave it, without waiting for the disk."""
    root.mkdir(parents=True)
    (root / manifest.LEDGER).mkdir()
    (root / manifest.NOTE).write_bytes(manifest.note())
    last = None
    for k in range(count):
        files = {"forecast.csv": b"year,value\n2025,%d\n" % k, "run.json": b"{}\n"}
        facts = {
            "focal": "CHN-RUS", "origin": 2024, "horizon": 5, "seed": k, "data": {"as_of": None},
            "readings": {"elastic-side": 1.0}, "priors": {"id": "default", "hash": "p" * 64},
            "chance": {"probability": round(k / count, 3)},
        }  # fmt: skip
        text = manifest.compose(files, facts)
        ident = manifest.sha256(text)
        folder = root / manifest.folder(ident)
        folder.mkdir(parents=True)
        for name, data in (files | {manifest.MANIFEST: text}).items():
            (folder / name).write_bytes(data)
        last = ledger.write(ident, manifest.headline(facts), last)
        (root / ledger.path(k + 1)).write_bytes(last)


def once(*args: str) -> tuple[float, float]:
    """Seconds of clock and of processor that a command takes."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(
        [sys.executable, "-c", COMMAND, *args],
        env=os.environ | {"PYTHONPATH": str(MODEL)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Measure and print a table beside the target."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=5)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "forecasts"
        fill(root, args.count)
        listing = ("list", "--store", str(root))
        Store(root, say=lambda text: None).entries()
        times: dict[str, list[tuple[float, float]]] = {"--version": [], "warm": [], "cold": []}
        for _ in range(args.runs):
            times["--version"].append(once("--version"))
            times["warm"].append(once(*listing))
            (root / "index.sqlite").unlink()
            times["cold"].append(once(*listing))
        # Before the folder is removed, which takes its time.
        print(
            f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}; "
            f"load {os.getloadavg()[0]:.1f}; median of {args.runs} fresh processes"
        )
        print(f"{'':44}{'seconds':>9}{'processor':>11}{'target':>8}")
        for name, label in (
            ("--version", "fairweather --version, for comparison"),
            ("warm", f"fairweather list, {args.count:,} forecasts"),
            ("cold", "the same, index missing and built anew"),
        ):
            wall, cpu = (statistics.median(column) for column in zip(*times[name], strict=True))
            target = f"{TARGET:8.1f}" if name != "--version" else f"{'-':>8}"
            print(f"{label:44}{wall:9.2f}{cpu:11.2f}{target}")


if __name__ == "__main__":
    main()
