"""Tell how long a backtest took, from the facts its folder keeps, or run a small one.

Run from the root of a checkout::

    .venv/bin/python benchmarks/backtest.py --folder results/backtest-3a0b37d6ad
    .venv/bin/python benchmarks/backtest.py                      # a small one: 2 origins, 4 states
    .venv/bin/python benchmarks/backtest.py --rows 20            # more of the slowest fits

Wall time is from the first file of a fit to the last, and of one fit more: a folder that was
continued after a break counts the break, which is told.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

MODEL = Path(__file__).resolve().parents[1] / "model"
ORIGINS, READINGS = 17, 4
SMALL = [
    "--states", "CHN,IND,IRN,RUS", "--from", "2014", "--to", "2015", "--reading", "persistence",
    "--reading", "elastic-side", "--quiet",
]  # fmt: skip
# A pause between two fits of so many times the longest fit is a break.
BREAK = 3.0


def memory() -> str:
    """Memory of the machine, if it tells."""
    try:
        return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB"
    except (ValueError, OSError, AttributeError):
        return "unknown memory"


def facts(folder: Path) -> list[dict]:
    """Facts of the fits of a folder, with the moment each was written, in that order."""
    out = []
    for file in sorted((folder / "sims").glob("*.json")):
        found = json.loads(file.read_text(encoding="utf-8"))["facts"]
        out.append(found | {"at": file.stat().st_mtime})
    return sorted(out, key=lambda f: f["at"])


def timing(fits: list[dict]) -> dict[str, float]:
    """Seconds of fitting and of the clock, and how many fits ran at once.

    Parameters
    ----------
    fits : list of dict
        From `facts`: ``seconds`` and ``at``.
    """
    longest = max(f["seconds"] for f in fits)
    at = [f["at"] for f in fits]
    gaps = [b - a for a, b in pairwise(at)]
    pauses = sum(g for g in gaps if g > BREAK * longest)
    total = sum(f["seconds"] for f in fits)
    wall = at[-1] - at[0] - pauses + fits[0]["seconds"]
    return {"fitting": total, "wall": wall, "breaks": pauses, "at_once": total / max(wall, 1e-9)}


def told(folder: Path, rows: int) -> list[str]:
    """Lines about a folder."""
    fits = facts(folder)
    if not fits:
        return [f"{folder} holds no fit that is done"]
    settings = json.loads((folder / "settings.json").read_text(encoding="utf-8"))
    each, spent = [f["seconds"] for f in fits], timing(fits)
    readings = sorted({f["reading"] for f in fits})
    origins = sorted({f["origin"] for f in fits})
    lines = [
        f"{len(settings['states'])} states, {settings['draws']} draws after {settings['tune']}, "
        f"two chains; origins {origins[0]}-{origins[-1]}, readings {', '.join(readings)}",
        f"{len(fits)} fits: median {statistics.median(each):.0f} s, {min(each):.0f} to "
        f"{max(each):.0f} s",
        f"{spent['fitting'] / 60:.1f} minutes of fitting in {spent['wall'] / 60:.1f} minutes of "
        f"the clock, {spent['at_once']:.1f} fits at once"
        + (f"; breaks of {spent['breaks'] / 60:.0f} minutes left out" if spent["breaks"] else ""),
    ]
    for name in readings:
        own = [f["seconds"] for f in fits if f["reading"] == name]
        lines.append(f"  {name:<18} {len(own):3} fits, median {statistics.median(own):6.1f} s")
    for one in sorted(fits, key=lambda f: -f["seconds"])[:rows]:
        lines.append(f"  slow: {one['origin']} {one['reading']:<18} {one['seconds']:6.1f} s")
    hours = ORIGINS * READINGS * statistics.fmean(each) / max(spent["at_once"], 1.0) / 3600
    lines.append(
        f"{ORIGINS} origins x {READINGS} readings at this pace: {ORIGINS * READINGS} fits, "
        f"{60 * hours:.0f} minutes of the clock"
    )
    return lines


def main() -> int:
    """Print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, help="a backtest that is there")
    parser.add_argument("--rows", type=int, default=3, help="slowest fits shown")
    asked = parser.parse_args()
    cpu = platform.processor() or platform.machine()
    print(f"{os.cpu_count()} cores, {memory()}, {cpu}, Python {platform.python_version()}, load "
          f"{os.getloadavg()[0]:.1f}")  # fmt: skip
    if asked.folder is not None:
        print("\n".join(told(asked.folder, asked.rows)))
        return 0
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / "backtest"
        start = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "fairweather.cli", "backtest", *SMALL, "--out", str(folder)],
            env=os.environ | {"PYTHONPATH": str(MODEL)}, stdout=subprocess.DEVNULL, check=False,
        )  # fmt: skip
        print(f"A small one from start to exit: {time.perf_counter() - start:.0f} s, exit "
              f"{done.returncode}")  # fmt: skip
        if done.returncode == 0:
            print("\n".join(told(folder, asked.rows)))
    return done.returncode


if __name__ == "__main__":
    raise SystemExit(main())
