"""Run the forms of the reference problem, each in fresh processes, and print one table.

Run from the root of a checkout, on a machine that does nothing else::

    .venv/bin/python -m benchmarks.reference.table
    .venv/bin/python -m benchmarks.reference.table --forms ours textbook --repeats 3 --out t.json

Invariant: every run is a process of its own and draws with its own seed; a form's row is its
repeat of least sampling time, and the range over repeats stands beside it.
Guarded by ``tests/test_bench_reference.py::test_the_table_takes_the_quickest_repeat``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
FORMS = {
    "textbook": ("textbook_pymc", {}),
    "textbook-pymc-nuts": ("textbook_pymc", {"nuts_sampler": "pymc"}),
    "numpyro": ("numpyro_form", {}),
    "numpyro-sequential": ("numpyro_form", {"chain_method": "sequential"}),
    "ours": ("ours", {}),
}
DEFAULT = ("textbook", "textbook-pymc-nuts", "numpyro", "ours")
COLUMNS = {
    "ess_per_s": "ESS/s", "min_ess_bulk": "min ESS", "max_rhat": "R-hat", "divergences": "div.",
    "ms_per_gradient": "ms/grad.", "steps_per_draw": "steps", "sample_s": "sample s",
    "prepare_s": "prep. s", "compile_s": "compile s", "cpu_s": "CPU s", "peak_gb": "GiB",
}  # fmt: skip


def once(form: str, seed: int, draws: int, chains: int) -> dict[str, Any]:
    """Run a form in a fresh process and judge it there."""
    module, extra = FORMS[form]
    code = (
        "import json, warnings; warnings.simplefilter('ignore')\n"
        f"from benchmarks.reference import {module} as form, measure\n"
        "if __name__ == '__main__':\n"
        f"    run = form.run(draws={draws}, chains={chains}, seed={seed}, **{extra!r})\n"
        "    out = run | measure.judge(run); out.pop('draws')\n"
        "    print(json.dumps(out))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True,
                          check=False)  # fmt: skip
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1]) | {"form": form, "seed": seed}


def quickest(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Pick the repeat of least sampling time; the range of ESS/s over repeats goes with it."""
    rate = [r["ess_per_s"] for r in runs]
    return min(runs, key=lambda r: r["sample_s"]) | {"range": [min(rate), max(rate)]}


def line(row: dict[str, Any]) -> str:
    """One line of the table."""
    cells = [f"{row[k]:>10.4g}" if k != "max_rhat" else f"{row[k]:>10.4f}" for k in COLUMNS]
    low, high = row["range"]
    return f"{row['form']:20}" + "".join(cells) + f"   {low:.3g}-{high:.3g}"


def main() -> None:
    """Run, print, and keep the numbers of every repeat if asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--forms", nargs="+", choices=FORMS, default=DEFAULT)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--chains", type=int, default=4)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; {args.chains} x {args.draws}")
    print(f"{'':20}" + "".join(f"{v:>10}" for v in COLUMNS.values()) + "   ESS/s over repeats")
    kept: dict[str, list[dict[str, Any]]] = {form: [] for form in args.forms}
    for form in args.forms:
        for k in range(args.repeats):
            kept[form].append(once(form, 1 + k, args.draws, args.chains))
            if args.out:  # a long table that is cut short keeps what it has
                args.out.write_text(json.dumps(kept, indent=1))
        print(line(quickest(kept[form])), flush=True)


if __name__ == "__main__":
    main()
