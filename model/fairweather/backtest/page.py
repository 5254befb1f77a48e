"""The backtest as tables: for the terminal, for a page, and as CSV for other programs.

Invariant: what is printed and what is written come from the same frames.
Guarded by ``tests/test_backtest_page.py``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fairweather import names
from fairweather.backtest.scored import MIXTURE, score_all
from fairweather.baselines import BASELINES
from fairweather.contest.page import markdown, plain
from fairweather.scores import SCORES, get_score
from fairweather.scores.calibration import LEVELS, histogram
from fairweather.skill import SkillError, common, skill_table

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

OWN, PARTNERS, OTHERS = "the pair in question", "its two states with others", "other pairs"
STATES = "states (pressure)"


@dataclass(frozen=True)
class Backtest:
    """A backtest that was scored.

    Attributes
    ----------
    scores, weights : DataFrame
        From `fairweather.backtest.scored.score_all`.
    skill : DataFrame
        CRPS of readings and mixture against plain forecasts, over all cells and by group.
    calibration : DataFrame
        By forecast: coverage, and the histogram of places.
    means : DataFrame
        Every score by forecast and horizon, on cells that all forecasts speak of.
    quality : DataFrame
        One row per fit.
    sentences : list of str
    problems : dict of str to str
    """

    scores: pd.DataFrame
    weights: pd.DataFrame
    skill: pd.DataFrame
    calibration: pd.DataFrame
    means: pd.DataFrame
    quality: pd.DataFrame
    sentences: list[str]
    problems: dict[str, str]


def summarise(done: Mapping[str, Any]) -> Backtest:
    """Turn a backtest into tables and sentences.

    Parameters
    ----------
    done : mapping
        From `fairweather.backtest.run.run_backtest`.

    Returns
    -------
    Backtest

    Raises
    ------
    SkillError
        No origin was foreseen under all readings.
    """
    import pandas as pd

    scores, weights = score_all(done)
    if scores.empty:
        raise SkillError(
            "no origin was foreseen under every reading",
            remedy="Run the same command again: what failed is tried anew.",
        )
    own = scores[scores["latent"] == names.ALIGNMENT]
    own = own.assign(group=_groups(own["unit"], done["focal"]))
    ours, base = [MIXTURE, *done["readings"]], list(BASELINES)
    tables = [skill_table(own, ours, base).assign(by="all")]
    for by in ("horizon", "domain", "indicator", "group"):
        tables.append(skill_table(own, [MIXTURE], base, by=by).assign(by=by))
    best = _best(own, list(done["readings"]))
    if best != MIXTURE:
        tables.append(skill_table(own, [MIXTURE], [best]).assign(by="best reading"))
    other = scores[scores["latent"] == names.PRESSURE]
    if len(other):
        tables.append(skill_table(other, [MIXTURE], base).assign(by="all", group=STATES))
    table = pd.concat(tables, ignore_index=True)
    facts = [
        {"origin": o, "reading": r, **found["facts"]}
        for o, each in done["origins"].items() for r, found in each.items()
    ]  # fmt: skip
    quality = pd.DataFrame(facts)
    said = sentences(table, own, best, done)
    return Backtest(
        scores, weights, table, _calibration(own, [*ours, *base]), _means(own, [*ours, *base]),
        quality, said, dict(done["problems"]),
    )  # fmt: skip


def _groups(unit: pd.Series, focal: str) -> pd.Series:
    pair = set(focal.split("-"))
    return unit.map(
        lambda u: OWN if u == focal else PARTNERS if pair & set(u.split("-")) else OTHERS
    )


def _best(own: pd.DataFrame, readings: list[str]) -> str:
    """Find the single reading with the best CRPS, over the cells that all of them speak of."""
    whole = common(own, "crps", readings)
    per = whole.groupby("indicator")[readings].mean()
    return str(np.log(per).mean().idxmin())


def _calibration(own: pd.DataFrame, forecasts: list[str]) -> pd.DataFrame:
    import pandas as pd

    rows = []
    for name in forecasts:
        part = own[(own["forecast"] == name) & own["low"].notna()]
        low, high = part["low"].to_numpy(), part["high"].to_numpy()
        row: dict[str, Any] = {"forecast": name, "cells": len(part)}
        for p in LEVELS:
            row[f"inside_{100 * p:.0f}"] = float(part[f"inside_{100 * p:.0f}"].mean())
        row |= {f"bin_{k}": x for k, x in enumerate(histogram(low, high))}
        rows.append(row)
    return pd.DataFrame(rows)


def _means(own: pd.DataFrame, forecasts: list[str]) -> pd.DataFrame:
    """Mean scores by horizon, indicators counting alike."""
    import pandas as pd

    rows = []
    for score in SCORES:
        try:
            whole = common(own, score, forecasts)
        except SkillError:
            continue
        each = whole.groupby(["horizon", "indicator"])[forecasts].mean()
        for horizon, part in each.groupby("horizon"):
            rows += [
                {"score": score, "horizon": int(horizon), "forecast": f, "mean": float(m)}
                for f, m in part.mean().items()
            ]
    return pd.DataFrame(rows)


def sentences(
    table: pd.DataFrame, own: pd.DataFrame, best: str, done: Mapping[str, Any]
) -> list[str]:
    """Say what the backtest shows, and what it cannot."""
    whole = table[(table["by"] == "all") & (table["group"] == "")]
    mix = whole[whole["forecast"] == MIXTURE]
    out = []
    for row in mix.itertuples():
        clear = row.lower > 0 or row.upper < 0
        word = "better" if row.skill > 0 else "worse"
        out.append(
            f"The stacked forecast is {abs(100 * row.skill):.0f} % {word} than {row.against} by "
            f"CRPS [{100 * row.lower:.0f}, {100 * row.upper:.0f}]"
            + ("." if clear else ": the difference is not clear.")
        )
    behind = table[(table["by"] == "horizon") & (table["skill"] <= 0)]
    if len(behind):
        told = ", ".join(f"{r.against} at {r.group} year(s)" for r in behind.itertuples())
        out.append(f"It does not beat {told}.")
    else:
        out.append("At every horizon it is ahead of every plain forecast.")
    out.append(f"The best single reading is {best}.")
    years, origins = own["year"].nunique(), own["origin"].nunique()
    out.append(
        f"This rests on {origins} origins and {years} target years, which overlap and share their "
        "news: whole years are drawn anew for the intervals. So few years can show a difference "
        "of some parts in a hundred between forecasts of all pairs; they cannot show which "
        f"forecast is better for {done['focal']} alone, nor how any does after an easing."
    )
    return out


def page(done: Mapping[str, Any], found: Backtest) -> str:
    """Write the backtest down as a page of Markdown."""
    s = done["settings"]
    whole = found.skill[found.skill["by"] == "all"]
    parts = [
        "# Forecasts made again", "",
        f"Origins {s['first']}-{s['last']}, {s['horizon']} years ahead, readings "
        f"{', '.join(done['readings'])} and their mixture; record {s['record'][:12]}, seed "
        f"{s['seed']}. Every fit sees what was available on the last day of its year; outcomes "
        "are of the latest vintage.",
        "", *(f"- {x}" for x in found.sentences), "",
        "## Skill", "",
        "One less the ratio of CRPS, averaged over indicators by the geometric mean; 89 % interval "
        "over years or states drawn anew.", "",
        markdown(whole[["forecast", "against", "group", "skill", "lower", "upper", "better",
                        "cells"]]), "",
    ]  # fmt: skip
    for by in ("horizon", "domain", "indicator", "group", "best reading"):
        part = found.skill[found.skill["by"] == by]
        if len(part):
            part = part[["group", "forecast", "against", "skill", "lower", "upper", "cells"]]
            parts += [f"### By {by}", "", markdown(part), ""]
    parts += ["## Scores", "", "Means over indicators of the alignment of pairs; smaller is "
              f"better. {'; '.join(f'{k}: {get_score(k).LABEL}' for k in SCORES)}.", "",
              markdown(_wide(found.means), 3), "",
              "## Calibration", "",
              "Share of outcomes inside central intervals, and in tenths of the forecast (each "
              "0.10 where it is right); counts take their part of every bin they touch.", "",
              markdown(found.calibration, 2), "",
              "## Weights of the mixture", "", markdown(_weights(found.weights)), "",
              "## Quality of the fits", "", _told(found.quality), ""]  # fmt: skip
    if found.problems:
        parts += [
            "## Problems",
            "",
            *(f"- {k}: {' '.join(str(v).split())}" for k, v in found.problems.items()),
            "",
        ]
    return "\n".join(parts)


def _wide(means: pd.DataFrame) -> pd.DataFrame:
    table = means.pivot(index=["score", "horizon"], columns="forecast", values="mean")
    order = list(dict.fromkeys(means["forecast"]))
    return table[order].reset_index()


def _weights(weights: pd.DataFrame) -> pd.DataFrame:
    table = weights.pivot(index=["origin", "years"], columns="reading", values="weight")
    return table.reset_index()


def _told(quality: pd.DataFrame) -> str:
    return (
        f"{len(quality)} fits in {quality['seconds'].sum() / 60:.0f} minutes of fitting; R-hat of "
        f"the log score above 1.05 in {(quality['max_rhat'] > 1.05).sum()}, at most "
        f"{quality['max_rhat'].max():.2f}; divergences in {(quality['divergences'] > 0).sum()}."
    )


def write(done: Mapping[str, Any], found: Backtest) -> list[Path]:
    """Write ``backtest.md``, ``backtest.json``, ``skill.csv`` and ``scores.csv``.

    Returns
    -------
    list of Path
    """
    from fairweather.rundir import write_whole

    folder = done["folder"]
    kept = {
        "settings": done["settings"], "readings": list(done["readings"]),
        "sentences": found.sentences, "problems": found.problems,
        "weights": found.weights.to_dict("records"), "means": found.means.to_dict("records"),
        "calibration": found.calibration.to_dict("records"),
        "quality": found.quality.to_dict("records"),
    }  # fmt: skip
    files = [folder / n for n in ("backtest.md", "backtest.json", "skill.csv", "scores.csv")]
    write_whole(files[0], page(done, found))
    write_whole(files[1], json.dumps(plain(kept), indent=1, allow_nan=False, default=str) + "\n")
    write_whole(files[2], found.skill.to_csv(index=False, lineterminator="\n"))
    text = found.scores.round(5).to_csv(index=False, lineterminator="\n")
    write_whole(files[3], text)
    return files
