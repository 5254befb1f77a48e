"""Time how a fit of the default record is brought up to date: reweighted, warm, cold.

Run from the root of a checkout::

    .venv/bin/python benchmarks/renewal.py                    # some minutes
    .venv/bin/python benchmarks/renewal.py --results DIR      # keep the runs; take up what is there

The last fit is of the record to 2023 without the Security Council's votes of 2021, their last
year. Reweighted: these votes come in. Warm: they come in with a whole new year, 2024. Cold: the
last fit itself, made on the same machine just before. Each is a fresh process; seconds count from
the first line of Python, imports included, to draws that have passed the gate, and for the last
fit to the archive. On a machine that does other things the processor's seconds say more.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

MODEL = Path(__file__).resolve().parents[1] / "model"
TARGETS = {"reweighted": 20.0, "warm": 120.0}
COMMON = """
import json, time
began = time.perf_counter()
import numpy as np
import fairweather as fw
from fairweather.gate import gate
from fairweather.renewal import influence, panel_before, renew
from fairweather.samplers import Settings
LATE = {{"indicators": "unsc_joint_nonyes", "years": 2021}}
settings = Settings(draws={draws}, seed=1, progressbar=False)
def say(how, tree, report, **more):
    seconds = time.perf_counter() - began
    steps = int(tree["sample_stats"]["n_steps"].sum())
    out = {{"how": how, "seconds": seconds, "cpu": time.process_time(),
           "passed": bool(report.passed), "rhat": report.summary["max_rhat"],
           "ess": min(report.summary[k] for k in ("min_ess_bulk", "min_ess_tail")),
           "gradients": int(tree.attrs.get("gradients", 0)),
           "of them tuning": int(tree.attrs.get("gradients", 0)) - steps,
           "timings": json.loads(tree.attrs.get("timings", "{{}}")), **more}}
    print(json.dumps(out))
"""
COLD = """
panel = fw.hold_out(fw.load_panel(last_year=2023), **LATE)
tree = fw.fit(panel, draws=settings.draws, random_seed=1, progressbar=False)
report = gate(tree)
path = fw.save_results(tree, gate=report, results_dir={results!r}, overwrite=True)
say("cold", tree, report, run=str(path))
"""
RENEW = """
panel = fw.load_panel(last_year={last})
loaded = time.perf_counter() - began
before = fw.open_results({run!r})
done = renew(before, panel, reading="elastic-side", priors=fw.load_priors(), settings=settings,
             say=lambda line: None)
say(done.how, done.tree, done.report, why=done.why, k=done.k, loaded=loaded, renew=done.seconds,
    efficiency=done.tree.attrs.get("efficiency"))
"""
INFLUENCE = """
began = time.perf_counter()
table = influence(done.tree, panel_before(before, panel), panel, earlier=before.tree)
print(json.dumps({{"influence": time.perf_counter() - began, "table": table.to_dict("records")}}))
"""


def measure(code: str) -> list[dict]:
    """Run a program and return the JSON lines it prints."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": str(MODEL)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def machine() -> str:
    """Say what the numbers were measured on, and how busy it was."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} cores ({platform.machine()}), {memory:.0f} GiB, "
        f"load {os.getloadavg()[0]:.1f} (idle is 0)"
    )


def main() -> None:
    """Measure and print a table beside the targets."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", help="folder that keeps the runs; default: none is kept")
    parser.add_argument("--draws", type=int, default=2000, help="of each of four chains")
    parser.add_argument("--run", help="a last fit made before by this program; not made again")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        results = asked.results or scratch
        common = COMMON.format(draws=asked.draws)
        found = []
        run = asked.run
        if run is None:
            print(machine(), flush=True)
            found += measure(common + COLD.format(results=results))
            run = found[0]["run"]
            print(json.dumps(found[-1]), flush=True)
        for last in (2023, 2024):
            print(machine(), flush=True)
            found += measure(common + RENEW.format(last=last, run=run) + INFLUENCE.format())
            print(*map(json.dumps, found[-2:]), sep="\n", flush=True)
    head = ("seconds", "target", "processor", "gradients", "tuning", "ESS")
    print(f"{'':12}" + "".join(f"{name:>11}" for name in head))
    for one in found:
        if "how" in one:
            print(
                f"{one['how']:12}{one['seconds']:11.1f}{TARGETS.get(one['how'], ''):>11}"
                f"{one['cpu']:11.1f}{one['gradients']:11d}{one['of them tuning']:11d}"
                f"{one['ess']:11.0f}"
            )


if __name__ == "__main__":
    main()
