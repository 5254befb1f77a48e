"""The contest as tables: for the terminal, for a page, and as JSON for other programs.

Invariant: what is printed and what is written come from the same frames.
Guarded by ``tests/test_contest_result.py``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fairweather.contest.result import ALL, Contest

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd


def weight_table(contest: Contest) -> pd.DataFrame:
    """Weights of every design, with the interval of the primary one.

    Returns
    -------
    DataFrame
        One row per reading: a column per design, ``lower`` and ``upper`` of the primary design
        (89 %), and its total score less the best, with standard error.
    """
    import pandas as pd

    stacked = contest.designs[contest.primary]
    band = stacked.interval()
    out = pd.DataFrame({d: s.weights.to_series() for d, s in contest.designs.items()})
    ends = band.transpose("reading", ...).to_pandas()
    out["lower"], out["upper"] = ends.iloc[:, 0], ends.iloc[:, -1]
    table = difference_table(contest, contest.primary).set_index("reading")
    out["difference"] = table["total"].reindex(out.index).fillna(0.0)
    out["se"] = table["total_se"].reindex(out.index).fillna(0.0)
    return out.sort_values(contest.primary, ascending=False)


def difference_table(contest: Contest, design: str, domain: str = ALL) -> pd.DataFrame:
    """Differences of one design against its best reading, ungrouped."""
    table = contest.differences
    keep = (table["design"] == design) & (table["domain"] == domain)
    if "group" in table:
        keep &= table["group"].isna()
    return table[keep]


def quality(contest: Contest) -> dict[str, Any]:
    """Say how well the short fits did, and where reweighting would have been allowed."""
    fits = contest.fits
    exact = fits[fits["exact"]]
    k = fits["k"].dropna() if "k" in fits else fits.iloc[:0, 0]
    return {
        "fits": len(exact), "reweighted": int((~fits["exact"]).sum()),
        "least_k": None if k.empty else round(float(k.min()), 2),
        "divergent_fits": int((exact["divergences"] > 0).sum()),
        "rhat_score_above_1.01": int((exact["rhat_score"] > 1.01).sum()),
        "rhat_score_above_1.05": int((exact["rhat_score"] > 1.05).sum()),
        "max_rhat": round(float(exact["max_rhat"].max()), 3),
        "seconds": round(float(exact["seconds"].sum()), 1),
    }  # fmt: skip


def placebo_table(contest: Contest) -> pd.DataFrame:
    """Change around episodes beside placebo windows: mean, and how many fell below expectation.

    Returns
    -------
    DataFrame
        By type, placebo and reading: windows, realised and expected mean change of the composite,
        share of windows below the reading's median.
    """
    held = contest.held_out
    if not len(held):
        return held
    rows = held[(held["statistic"] == "change") & (held["dyad"] == "")]
    groups = rows.groupby(["type", "placebo", "reading"])
    return groups.agg(
        windows=("realised", "size"), realised=("realised", "mean"),
        expected=("replicated_mean", "mean"), below=("p_value", lambda p: float((p < 0.5).mean())),
        least_p=("p_value", "min"),
    ).reset_index()  # fmt: skip


def specification_table(done: Mapping[str, Any], claims: tuple[str, ...]) -> pd.DataFrame:
    """Probability of some claims under every choice of the curve."""
    import pandas as pd

    from fairweather.contest.specifications import load_specifications

    rows = []
    for name, spec in load_specifications().items():
        found = done["specifications"].get(f"spec--{name}")
        if found:
            row = {"choice": spec["label"], "max_rhat": found["max_rhat"],
                   "divergences": found["divergences"]}  # fmt: skip
            row |= {c: (found["claims"].get(c) or {}).get("probability") for c in claims}
            rows.append(row)
    return pd.DataFrame(rows)


def markdown(frame: pd.DataFrame, digits: int = 2, index: bool = False) -> str:
    """Write a frame as a Markdown table; missing numbers stay empty."""

    def text(x: Any) -> str:
        if isinstance(x, float):
            return "" if math.isnan(x) else f"{x:.{digits}f}"
        return "" if x is None else str(x)

    frame = frame.reset_index() if index else frame
    head = [str(c) for c in frame.columns]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(map(text, row)) + " |" for row in frame.itertuples(index=False)]
    return "\n".join(lines)


SHOWN = ("C01", "C08", "C36", "C40", "C43", "C44")


def page(done: Mapping[str, Any], contest: Contest) -> str:
    """Write the contest down as a page of Markdown."""
    from fairweather.contest.honesty import sections

    settings, good = done["settings"], quality(contest)
    n = len(contest.designs[contest.primary].weights)
    parts = [
        "# The contest of readings", "",
        f"{n} readings; designs {', '.join(settings['designs'])}; an origin every "
        f"{settings['every']} year(s); record {settings['record'][:12]}, seed {settings['seed']}.",
        "", *(f"- {s}" for s in contest.sentences), "",
        "## Weights", "",
        "Stacking weights by design; interval (89 %) and score differences of the design "
        f"{contest.primary}.", "", markdown(weight_table(contest), index=True), "",
        "## Could this record tell them apart?", "",
    ]  # fmt: skip
    if contest.confusion is not None:
        parts += [contest.confusion.markdown(), ""]
        if contest.small is not None:
            small = contest.small.weights.to_series().sort_values(ascending=False)
            shares = ", ".join(f"{r} {w:.2f}" for r, w in small.items() if w > 0.005)
            parts += [f"The same small contest on the record: {shares}.", ""]
    else:
        parts += ["No world was simulated.", ""]
    parts += ["## Differences", ""]
    for design in contest.designs:
        columns = ["reading", "against", "blocks", "total", "se_naive", "total_se", "years",
                   "states", "p_better"]  # fmt: skip
        table = difference_table(contest, design)
        parts += [f"### {design}", "", markdown(table[[c for c in columns if c in table]]), ""]
    parts += ["## Around episodes and placebo windows", "",
              "Composite of all domains, SD of the indicators; what was expected by a fit that had "
              "not seen the rows.", "", markdown(placebo_table(contest)), ""]  # fmt: skip
    if done["specifications"]:
        parts += ["## Specification curve", "",
                  "Probability of the formal statement under one reading, in-sample; of C08 the "
                  "half that draws can show.", "",
                  markdown(specification_table(done, SHOWN)), ""]  # fmt: skip
    parts += sections(done)
    parts += ["## Quality of the fits", "", *(f"- {k}: {v}" for k, v in good.items()), ""]
    whole = done["fits"][["reading", "passed", "max_rhat", "min_ess", "seconds"]]
    parts += ["Fits to the whole record:", "", markdown(whole, 3), ""]
    if contest.problems:
        parts += ["## Problems", "", *(f"- {k}: {v}" for k, v in contest.problems.items()), ""]
    return "\n".join(parts)


def write(done: Mapping[str, Any], contest: Contest) -> list[Path]:
    """Write ``contest.md`` and ``contest.json`` into the folder of the contest.

    Returns
    -------
    list of Path
    """
    from fairweather.rundir import write_whole

    folder = done["folder"]
    weights = weight_table(contest)
    kept = {
        "settings": done["settings"], "sentences": contest.sentences, "primary": contest.primary,
        "weights": json.loads(weights.to_json(orient="index")),
        "differences": json.loads(contest.differences.to_json(orient="records")),
        "held_out": json.loads(contest.held_out.to_json(orient="records")),
        "quality": quality(contest), "problems": contest.problems,
        "fits": json.loads(done["fits"].drop(columns="folder").to_json(orient="records")),
        "specifications": done["specifications"],
    }  # fmt: skip
    if contest.confusion is not None:
        kept["confusion"] = json.loads(contest.confusion.counts.to_json(orient="index"))
    files = [folder / "contest.md", folder / "contest.json"]
    write_whole(files[0], page(done, contest))
    write_whole(files[1], json.dumps(kept, indent=1) + "\n")
    return files
