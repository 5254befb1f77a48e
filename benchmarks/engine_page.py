"""The tables of ``benchmarks.engine`` from its numbers.

Invariant: every run in the JSON is in a table; a run the clock ended shows what is known of it,
one that failed its message, and neither enters a median. Guarded by
``tests/test_bench_engine.py::test_the_page_shows_what_did_not_finish``.
"""

from __future__ import annotations

from statistics import median
from typing import Any

LABELS = {
    "ours": "this package", "textbook": "PyMC, textbook form, default sampler (nutpie)",
    "textbook-pymc-nuts": "PyMC, textbook form, its own NUTS", "numpyro": "NumPyro, NUTS",
    "pymc-default": "PyMC, textbook form, default sampler (nutpie)",
    "pymc-nuts": "PyMC, textbook form, its own NUTS",
}  # fmt: skip
NONE = "–"
Runs = list[dict[str, Any]]


def page(store: dict[str, Any]) -> str:
    """Write the page.

    Parameters
    ----------
    store : dict
        ``sections``: per section ``machine`` and ``runs``, each with ``form``, ``ask``, ``load``,
        ``total_s`` and ``result``.

    Returns
    -------
    str
        Markdown.

    Examples
    --------
    >>> page({"sections": {}}).splitlines()[0]
    '# The engine beside others'
    """
    out = ["# The engine beside others", "",
           "Written by `make bench`; every number is in `engine.json`. Medians of the finished "
           "runs, range in brackets; every run is a fresh process, one after the other.",
           "Ratios: how many times better this package is.", ""]  # fmt: skip
    for section, write in (("a", _reference), ("b", _record), ("c", _scaling), ("d", _origins)):
        if section in store["sections"]:
            part = store["sections"][section]
            out += [*write(part["runs"]), "", _where(part), ""]
    return "\n".join(out)


def _where(part: dict[str, Any]) -> str:
    """Say on what it was measured, and how busy that was."""
    m, loads = part["machine"], [r["load"][0] for r in part["runs"]]
    packages = ", ".join(f"{k} {v}" for k, v in m["packages"].items())
    busy = f"{min(loads):.1f} to {max(loads):.1f}" if loads else NONE
    return (f"Measured {m['date']} on {m['cores']} cores ({m['cpu'] or m['machine']}), "
            f"{m['memory_gb']:.0f} GiB; Python {m['python']}, {packages}. Load of the last minute "
            f"at the start of a run (the run before counts): {busy}. Section total: "
            f"{sum(r['total_s'] for r in part['runs']) / 60:.1f} min.")  # fmt: skip


def table(head: list[str], rows: list[list[str]]) -> list[str]:
    """Lay out a table, numbers to the right."""
    rule = "|---|" + "---:|" * (len(head) - 1)
    return ["| " + " | ".join(head) + " |", rule, *("| " + " | ".join(r) + " |" for r in rows)]


def number(x: float | None) -> str:
    """Three digits, thousands with commas.

    Examples
    --------
    >>> number(1234.5), number(0.03456), number(None)
    ('1,234', '0.0346', '–')
    """
    if x is None or x != x:
        return NONE
    if abs(x) >= 100:
        return f"{x:,.0f}"
    return f"{x:.3g}"


def spread(runs: Runs, key: str) -> str:
    """Median and range of a result over finished runs."""
    x = values(runs, key)
    if not x:
        return NONE
    if len(x) == 1 or min(x) == max(x):
        return number(median(x))
    return f"{number(median(x))} ({number(min(x))}–{number(max(x))})"


def values(runs: Runs, key: str) -> list[float]:
    """Collect a result of the finished runs that have it."""
    out = [r["result"].get(key) for r in finished(runs)]
    return [x for x in out if x is not None and x == x]


def finished(runs: Runs) -> Runs:
    """Pick runs that neither failed nor were ended by the clock."""
    return [r for r in runs if "failed" not in r["result"] and r["result"].get("finished", True)]


def ratio(mine: Runs, other: Runs, key: str, *, more_is_better: bool) -> str:
    """How many times better the median of the first is."""
    a, b = values(mine, key), values(other, key)
    if not a or not b:
        return NONE
    a, b = median(a), median(b)
    better = (a, b) if more_is_better else (b, a)
    return f"{number(better[0] / better[1])}×" if better[1] else NONE


def unfinished(runs: Runs) -> list[str]:
    """One sentence for every run without a result, what is known of it included."""
    out = []
    for r in runs:
        name, got = LABELS.get(r["form"], r["form"]), r["result"]
        asked = ", ".join(f"{k} {v}" for k, v in r["ask"].items() if k not in ("extra", "cap"))
        if "failed" in got:
            spent = f"after {number(r['total_s'])} s"
            out.append(f"- {name} ({asked}): failed {spent}: `{got['failed']}`")
        elif not got.get("finished", True):
            stage = f", in the stage '{got['stage']}'" if got.get("stage") else ""
            out.append(f"- {name} ({asked}): not finished; more than {number(got['wall_s'])} s, "
                       f"ended by the clock{stage}")  # fmt: skip
    return ["", *out] if out else []


def by_form(runs: Runs) -> dict[str, Runs]:
    """Sort runs by form, in the order of their first."""
    out: dict[str, Runs] = {}
    for r in runs:
        out.setdefault(r["form"], []).append(r)
    return out


def _reference(runs: Runs) -> list[str]:
    """Write (a), the reference problem."""
    forms, rows = by_form(runs), []
    mine = forms.get("ours", [])
    for form, some in forms.items():
        rows.append([
            LABELS.get(form, form), spread(some, "ess_per_s"),
            ratio(mine, some, "ess_per_s", more_is_better=True), spread(some, "ess_per_s_all"),
            ratio(mine, some, "ess_per_s_all", more_is_better=True), spread(some, "min_ess_bulk"),
            spread(some, "max_rhat"), spread(some, "divergences"), spread(some, "ms_per_gradient"),
            spread(some, "steps_per_draw"), spread(some, "sample_s"),
            number(_total(some, "compile_s", "prepare_s")), spread(some, "peak_gb"),
            f"{len(finished(some))} of {len(some)}",
        ])  # fmt: skip
    head = ["form", "min ESS/s of sampling", "ratio", "min ESS/s, all costs", "ratio", "min ESS",
            "max R-hat", "divergences", "ms per gradient", "steps per draw", "sampling s",
            "preparing and compiling s", "peak GiB", "finished"]  # fmt: skip
    return ["## (a) The reference problem", "", *table(head, rows), *unfinished(runs)]


def _total(runs: Runs, *keys: str) -> float | None:
    """Median over runs of the sum of some results."""
    found = [sum(r["result"].get(k) or 0.0 for k in keys) for r in finished(runs)]
    return median(found) if found else None


def _size(run: dict[str, Any]) -> str:
    """Chains and draws of a run, as done or, if it did not finish, as asked."""
    ran = run["result"] if finished([run]) else run["ask"]
    return f"{ran.get('chains')} × {ran.get('draws_asked', run['ask'].get('draws'))}"


def _record(runs: Runs) -> list[str]:
    """Write (b), the default record."""
    forms, rows = by_form(runs), []
    mine = forms.get("ours", [])
    for form in ("ours", "pymc-default", "pymc-nuts", "numpyro"):
        some = forms.get(form, [])
        if not some:
            continue
        asked = ", ".join(dict.fromkeys(map(_size, some)))
        passed = [r["result"]["passed"] for r in finished(some) if "passed" in r["result"]]
        rows.append([
            LABELS[form], asked, spread(some, "min_ess_bulk"),
            f"{sum(passed)} of {len(passed)}" if passed else NONE, spread(some, "ms_per_gradient"),
            ratio(mine, some, "ms_per_gradient", more_is_better=False),
            spread(some, "steps_per_draw"), spread(some, "compile_s"), _sampled(some),
            spread(some, "ess_per_s"), ratio(mine, some, "ess_per_s", more_is_better=True),
            spread(some, "ess_per_s_drawing"),
            ratio(mine, some, "ess_per_s_drawing", more_is_better=True), spread(some, "peak_gb"),
        ])  # fmt: skip
    head = ["form", "chains × draws", "min ESS", "gate passed", "ms per gradient", "ratio",
            "steps per draw", "compile s", "sampling s", "min ESS/s", "ratio",
            "min ESS/s, tuning left out", "ratio", "peak GiB"]  # fmt: skip
    out = ["## (b) The default record", "", *table(head, rows), *unfinished(runs), ""]
    for form, text in (("ours-cold", "nothing compiled yet"), ("ours-warm", "once compiled")):
        if forms.get(form):
            out.append(f"- Seconds to compile, {text}: {spread(forms[form], 'compile_s')}.")
    if line := forms.get("command-line"):
        codes = sorted({r["result"]["exit"] for r in line if "exit" in r["result"]})
        out.append(f"- `fairweather fit`, start of the process to exit: {spread(line, 'wall_s')} "
                   f"s, {spread(line, 'cpu_s')} s of processor time, {spread(line, 'peak_gb')} GiB "
                   f"at most; exit code {', '.join(map(str, codes)) or NONE} (0: gate passed, 3: "
                   "it did not).")  # fmt: skip
    out += [
        "- A rival's effective draws rest on few draws: read them for their order of size. "
        "One chain uses one core of two: a second would at best double a rival's rate.",
        "- NumPyro does not count the gradients of its warm-up: its ms per gradient is of the "
        "draws alone; the others' is of all sampling.",
    ]
    return out


def _sampled(runs: Runs) -> str:
    """Seconds of sampling, or how long it was given."""
    late = [r["result"]["wall_s"] for r in runs if not r["result"].get("finished", True)]
    if not finished(runs) and late:
        return f"more than {number(max(late))} in all"
    return "failed" if not finished(runs) else spread(runs, "sample_s")


def _scaling(runs: Runs) -> list[str]:
    """Write (c), the gradient by the number of dyads."""
    engine = {r["ask"]["states"]: r for r in runs if r["form"] == "engine"}
    jax = {r["ask"]["states"]: r for r in runs if r["form"] == "jax"}
    rows = []
    for states in sorted({*engine, *jax}):
        us, them = ([x[states]] if states in x else [] for x in (engine, jax))
        size = next((r["result"] for r in finished([*us, *them])), {})
        rows.append([
            str(states), number(size.get("dyads")), number(size.get("numbers")),
            spread(us, "ms"), spread(us, "cpu_ms"), spread(us, "us_per_dyad"), spread(them, "ms"),
            spread(them, "cpu_ms"), spread(them, "compile_s"),
            ratio(us, them, "ms", more_is_better=False),
            ratio(us, them, "cpu_ms", more_is_better=False), spread(them, "off"),
        ])  # fmt: skip
    head = ["states", "dyads", "free numbers", "engine ms", "of processor", "µs per dyad",
            "JAX ms", "of processor", "compile s", "ratio", "ratio of processor",
            "largest difference"]  # fmt: skip
    out = ["## (c) One gradient, by the number of dyads", "", *table(head, rows),
           *unfinished(runs), ""]  # fmt: skip
    done = [r["result"] for r in finished(list(engine.values()))]
    done.sort(key=lambda x: x["dyads"])
    for large in done[1:]:
        by = large["us_per_dyad"] / done[0]["us_per_dyad"]
        out.append(f"- From {number(done[0]['dyads'])} to {number(large['dyads'])} dyads the time "
                   f"per dyad changes by a factor {by:.2f} (1: linear).")  # fmt: skip
    out.append("- JAX compiles the PyMC model's density and gradient, in double precision, as "
               "samplers on JAX evaluate it; it may use every core, the engine uses one per chain. "
               "Medians of many evaluations; panels of copies (`benchmarks/wide.py`). The "
               "difference is of the two gradients, relative to 1 + their size.")  # fmt: skip
    return out


def _origins(runs: Runs) -> list[str]:
    """Write (d), ten origins from one compilation."""
    out = ["## (d) Ten origins from one compilation", ""]
    for r in finished(runs):
        got = r["result"]
        rows = [[o["as_of"], str(o["years"]), str(o["dyads"]), number(o["load_s"]),
                 number(o["compile_s"]) if o["compile_s"] else "<0.01",
                 number(o["sample_s"]), number(o["wall_s"]),
                 str(o["compiled"]), ", ".join(map(str, o["signatures"]))]
                for o in got["origins"]]  # fmt: skip
        head = ["as of", "years", "dyads", "load s", "compile s", "sampling s", "all s",
                "compilations", "signatures of the kernels"]  # fmt: skip
        later = got["origins"][1:]
        out += [*table(head, rows), "",
                f"- {got['chains']} × {got['draws_asked']} draws after {got['tune']}, in one "
                "process: short runs, for their timing only; no gate is asked.",
                f"- After the first origin Numba compiled {sum(o['compiled'] for o in later)} "
                f"functions, in {len(later)} origins; fitting took "
                f"{number(sum(o['compile_s'] for o in later))} s before sampling, each "
                "rounded to 0.01 s."]  # fmt: skip
    return out + unfinished(runs)
