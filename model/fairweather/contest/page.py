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
        (89 %), and its total score less the best, with standard error. NaN where a reading has
        no score of a design.
    """
    import pandas as pd

    stacked = contest.designs[contest.primary]
    band = stacked.interval()
    out = pd.DataFrame({d: s.weights.to_series() for d, s in contest.designs.items()})
    ends = band.transpose("reading", ...).to_pandas()
    out["lower"], out["upper"] = ends.iloc[:, 0], ends.iloc[:, -1]
    table = difference_table(contest, contest.primary).set_index("reading")
    for column, source in (("difference", "total"), ("se", "total_se")):
        out[column] = table[source].reindex(out.index)
        # The best is at no distance from itself; a reading without a score is at none known.
        out.loc[out.index.isin(table["against"]), column] = 0.0
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


def monte_carlo(results: Mapping[str, Any]) -> pd.DataFrame:
    """Error of total scores from a finite number of draws.

    Parameters
    ----------
    results : mapping of str to dict
        Key ``piece--reading`` to the result of its job.

    Returns
    -------
    DataFrame
        By design and reading: ``blocks``; ``error``, standard error of the total score, blocks
        taken as independent; ``bias``, by how much the log of a mean over draws is too low on
        average, which is much alike for all readings and cancels in differences.
    """
    import pandas as pd

    rows = []
    for key, found in results.items():
        piece, reading = key.split("--")
        error = pd.Series(found["blocks"].get("mc_error", []), dtype=float).dropna()
        rows += [(piece.rsplit("-", 1)[0], reading, e**2) for e in error]
    table = pd.DataFrame(rows, columns=["design", "reading", "square"])
    groups = table.groupby(["design", "reading"], sort=False)["square"]
    return groups.agg(
        blocks="size", error=lambda x: float(x.sum() ** 0.5), bias=lambda x: -0.5 * float(x.sum())
    ).reset_index()


def placebo_table(contest: Contest) -> pd.DataFrame:
    """Change around episodes beside placebo windows: mean, and how many fell below expectation.

    Returns
    -------
    DataFrame
        By type, placebo and reading: windows, realised and expected mean change of the composite,
        share of windows below the reading's median.
    """
    import pandas as pd

    held = contest.held_out
    if not len(held):
        return pd.DataFrame()
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
    """Write a frame as a Markdown table; missing numbers stay empty, as does an empty table."""
    import numpy as np

    def text(x: Any) -> str:
        if isinstance(x, bool | np.bool_):
            return "yes" if x else "no"
        if isinstance(x, float):
            return "" if math.isnan(x) else f"{x:.{digits}f}"
        return "" if x is None else " ".join(str(x).split()).replace("|", "\\|")

    if not len(frame):
        return "None."

    frame = frame.reset_index() if index else frame
    head = [str(c) for c in frame.columns]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(map(text, row)) + " |" for row in frame.itertuples(index=False)]
    return "\n".join(lines)


SHOWN = ("C01", "C08", "C36", "C40", "C43", "C44")


def page(done: Mapping[str, Any], contest: Contest) -> str:
    """Write the contest down as a page of Markdown."""
    from fairweather.contest.honesty import sections

    settings, every = done["settings"], done["settings"]["every"]
    origins = "an origin every year" if every == 1 else f"an origin every {every} years"
    focal = "; focal is the future design on the pair in question alone"
    parts = [
        "# The contest of readings", "",
        f"{len(settings['readings'])} readings; designs {', '.join(settings['designs'])}; "
        f"{origins}; record {settings['record'][:12]}, seed {settings['seed']}.",
        "", *(f"- {s}" for s in contest.sentences), "",
        "## Weights", "",
        "Stacking weights by design; lower and upper end (89 %) and the difference in total score "
        f"to the best, with its standard error, are of the design {contest.primary}"
        f"{focal if 'focal' in contest.designs else ''}.", "",
        markdown(weight_table(contest), index=True), "",
        "## Could this record tell them apart?", "",
    ]  # fmt: skip
    if contest.confusion is not None:
        parts += [contest.confusion.markdown(), "",
                  "A small contest, on one fold of episodes: years before and after the windows "
                  "are known. It says whether explanations can be told apart there, and of "
                  "forecasts nothing.", ""]  # fmt: skip
        if contest.small is not None:
            small = contest.small.weights.to_series().sort_values(ascending=False)
            shares = ", ".join(f"{r} {w:.2f}" for r, w in small.items() if w > 0.005)
            parts += [f"The same small contest on the record: {shares}.", ""]
    else:
        parts += ["No world was simulated.", ""]
    parts += ["## Differences", "",
              "Total score of a reading less that of the best; its standard error with blocks as "
              "independent (naive_se), and with those of a year or a state moving together "
              "(total_se); and the probability that it is the better of the two.", ""]  # fmt: skip
    for design in contest.designs:
        columns = ["reading", "against", "blocks", "total", "naive_se", "total_se", "years",
                   "states", "p_better"]  # fmt: skip
        table = difference_table(contest, design)
        table = table.assign(naive_se=table["se_naive"] * table["blocks"])
        parts += [f"### {design}", "", markdown(table[columns]), ""]
    parts += ["## Around episodes and placebo windows", "",
              "Mean change over the windows of a type: composite of all domains, in SD of the "
              "indicators, beside what a fit expected that had not seen the rows; below: share of "
              "windows under the median of what was expected; least_p: smallest share of "
              "replications at or below what happened.", "",
              markdown(placebo_table(contest)), ""]  # fmt: skip
    if done["specifications"]:
        parts += ["## Specification curve", "",
                  "Probability of the formal statement under one reading, in-sample; of C08 the "
                  "half that draws can show.", "",
                  markdown(specification_table(done, SHOWN)), ""]  # fmt: skip
    parts += sections(done)
    whole = done["fits"][["reading", "passed", "max_rhat", "min_ess", "seconds"]]
    whole = whole.assign(**{c: whole[c].map(_whole) for c in ("min_ess", "seconds")})
    parts += ["## Quality of the fits", "", _told(quality(contest)), "",
              "Error of total scores from the number of draws:", "",
              markdown(monte_carlo(done["pieces"]), 1), "",
              "Fits to the whole record:", "", markdown(whole, 3), ""]  # fmt: skip
    if contest.problems:
        told = (f"- {k}: {' '.join(str(v).split())}" for k, v in contest.problems.items())
        parts += ["## Problems", "", *told, ""]
    return "\n".join(parts)


def _whole(x: float) -> str:
    return "" if math.isnan(x) else f"{x:.0f}"


def _told(good: Mapping[str, Any]) -> str:
    """Say the quality of the short fits in words."""
    text = (
        f"{good['fits']} short fits in {good['seconds'] / 60:.0f} minutes; largest R-hat "
        f"{good['max_rhat']} of a main parameter; R-hat of the total score above 1.01 in "
        f"{good['rhat_score_above_1.01']} and above 1.05 in {good['rhat_score_above_1.05']}; "
        f"divergences in {good['divergent_fits']}. "
    )
    if good["least_k"] is None:
        return text + "No origin was tried by reweighting."
    return text + (
        f"{good['reweighted']} origins were reached by reweighting the fit before; the smallest "
        f"Pareto k met was {good['least_k']}."
    )


def plain(x: Any) -> Any:
    """Put None in place of numbers that JSON cannot hold.

    Examples
    --------
    >>> plain({"a": [1.0, float("nan")], "b": (float("inf"), "c")})
    {'a': [1.0, None], 'b': [None, 'c']}
    """
    if isinstance(x, Mapping):
        return {k: plain(v) for k, v in x.items()}
    if isinstance(x, list | tuple):
        return [plain(v) for v in x]
    return None if isinstance(x, float) and not math.isfinite(x) else x


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
        "quality": quality(contest),
        "monte_carlo": json.loads(monte_carlo(done["pieces"]).to_json(orient="records")),
        "problems": contest.problems,
        "fits": json.loads(done["fits"].drop(columns="folder").to_json(orient="records")),
        "specifications": done["specifications"],
    }  # fmt: skip
    if contest.confusion is not None:
        kept["confusion"] = json.loads(contest.confusion.counts.to_json(orient="index"))
    files = [folder / "contest.md", folder / "contest.json"]
    write_whole(files[0], page(done, contest))
    write_whole(files[1], json.dumps(plain(kept), indent=1, allow_nan=False) + "\n")
    return files
