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
from fairweather.skill import KEYS, SkillError, common, skill_table

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
        By forecast, and of the mixture by indicator: coverage, and the histogram of places.
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
    other = scores[scores["latent"] == names.PRESSURE]
    ours, base = [MIXTURE, *done["readings"]], list(BASELINES)
    tables = [skill_table(own, ours, base).assign(by="all")]
    for by in ("horizon", "domain", "indicator", "group"):
        tables.append(skill_table(own, [MIXTURE], base, by=by).assign(by=by))
    best = _best(own, list(done["readings"]))
    tables.append(skill_table(own, [MIXTURE], [best]).assign(by="best reading"))
    try:
        tables.append(skill_table(other, [MIXTURE], base).assign(by="all", group=STATES))
    except SkillError:
        pass  # too few rows of pressure for a plain forecast
    table = pd.concat([x for x in tables if len(x)], ignore_index=True)
    facts = [
        {"origin": o, "reading": r, **found["facts"]}
        for o, each in done["origins"].items() for r, found in each.items()
    ]  # fmt: skip
    quality = pd.DataFrame(facts)
    calibration = calibration_table(own, [*ours, *base])
    said = sentences(table, own, best, done, calibration)
    return Backtest(
        scores, weights, table, calibration, _means(own, [*ours, *base]), quality, said,
        dict(done["problems"]),
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
    return str(np.log(per.clip(lower=1e-12)).mean().idxmin())


def calibration_table(own: pd.DataFrame, forecasts: list[str]) -> pd.DataFrame:
    """Coverage and histogram of places, on the cells that all forecasts speak of.

    Parameters
    ----------
    own : DataFrame
        Rows of `fairweather.backtest.scored.score_all`.
    forecasts : list of str
        The first of them is told by indicator, too.

    Returns
    -------
    DataFrame
        ``by`` (all, or indicator), ``group``, ``forecast``, ``cells``, ``inside_50``,
        ``inside_89`` and one ``bin_`` a tenth. Over all, indicators count alike: thousands of
        votes, which share the agenda of their years, would hide everything else.
    """
    import pandas as pd

    keys = [*KEYS, "horizon"]
    shared = own.assign(spoken=own["low"].notna() & own["forecast"].isin(forecasts))
    shared = shared[shared.groupby(keys)["spoken"].transform("sum") == len(forecasts)]

    def told(part: pd.DataFrame) -> dict[str, float]:
        low, high = part["low"].to_numpy(), part["high"].to_numpy()
        row = {f"inside_{100 * p:.0f}": float(part[f"inside_{100 * p:.0f}"].mean()) for p in LEVELS}
        return row | {f"bin_{k}": float(x) for k, x in enumerate(histogram(low, high))}

    rows, first = [], []
    for name in forecasts:
        part = shared[shared["forecast"] == name]
        each = {i: told(p) | {"cells": len(p)} for i, p in part.groupby("indicator", sort=True)}
        mean = pd.DataFrame(each.values()).drop(columns="cells", errors="ignore").mean().to_dict()
        rows.append({"by": "all", "group": "", "forecast": name, "cells": len(part), **mean})
        if name == forecasts[0]:
            first = [{"by": "indicator", "group": i, "forecast": name, **r}
                     for i, r in each.items()]  # fmt: skip
    return pd.DataFrame([*rows, *first])


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
    table: pd.DataFrame, own: pd.DataFrame, best: str, done: Mapping[str, Any],
    calibration: pd.DataFrame,
) -> list[str]:  # fmt: skip
    """Say what the backtest shows, and what it cannot."""
    out = []
    whole = table[(table["by"] == "all") & (table["group"] == "")]
    for row in whole[whole["forecast"] == MIXTURE].itertuples():
        out.append(f"By CRPS the stacked forecast is {_compared(row)}.")
    near = table[(table["by"] == "horizon") & (table["forecast"] == MIXTURE)]
    behind = near[~(near["skill"] > 0)]
    if len(behind):
        told = "; ".join(
            f"{against} at {listed(part['group'], 'year', 'years')}"
            for against, part in behind.groupby("against", sort=False)
        )
        out.append(f"It is not ahead of {told}.")
    elif len(near):
        out.append("At every horizon it is ahead of every plain forecast.")
    row = next(table[table["by"] == "best reading"].itertuples())
    out.append(
        f"The best single reading, picked with hindsight, is {best}; the stacked forecast is "
        f"{_compared(row)}."
    )
    mine = calibration[calibration["by"] == "all"].set_index("forecast")
    if MIXTURE in mine.index and mine.loc[MIXTURE, "cells"]:
        in50, in89 = (100 * mine.loc[MIXTURE, f"inside_{k}"] for k in (50, 89))
        out.append(
            f"Its central 50 % intervals hold {in50:.0f} % of outcomes, those of 89 % hold "
            f"{in89:.0f} %, indicators counted alike."
        )
    years, origins = own["year"].nunique(), own["origin"].nunique()
    out.append(
        f"This rests on {_several(origins, 'origin')} and {_several(years, 'target year')}. They "
        "overlap and share their news, so the intervals draw whole runs of years anew. So few "
        "years can show a difference of some parts in a hundred between forecasts of all pairs. "
        f"They cannot show which forecast is better for {done['focal']} alone, nor how any does "
        "after an easing."
    )
    return out


def _compared(row: Any) -> str:
    """How far ahead or behind, with its interval."""
    if not row.skill == row.skill:
        return f"not to be compared with {row.against}"
    word = "better" if row.skill > 0 else "worse"
    text = f"{abs(100 * row.skill):.0f} % {word} than {row.against}"
    if not (row.lower == row.lower and row.upper == row.upper):
        return f"{text}; how sure that is cannot be told"
    text += f", 89 % [{100 * row.lower:.0f}, {100 * row.upper:.0f}]"
    return text if row.lower > 0 or row.upper < 0 else f"{text}: no clear difference"


def listed(values: Any, one: str, many: str) -> str:
    """List whole numbers with their noun.

    Examples
    --------
    >>> listed([1], "year", "years"), listed([1, 2, 3], "year", "years")
    ('1 year', '1, 2 and 3 years')
    """
    words = [str(int(v)) for v in values]
    if len(words) == 1:
        return f"{words[0]} {one if words[0] == '1' else many}"
    return f"{', '.join(words[:-1])} and {words[-1]} {many}"


def _several(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


HEADINGS = {
    "horizon": "By years ahead", "domain": "By domain", "indicator": "By indicator",
    "group": "By whose pair it is", "best reading": "Against the best single reading",
}  # fmt: skip


def page(done: Mapping[str, Any], found: Backtest) -> str:
    """Write the backtest down as a page of Markdown."""
    s = done["settings"]
    whole = found.skill[found.skill["by"] == "all"]
    whole = whole.assign(of=whole["group"].replace("", "pairs (alignment)"))
    last = ["skill", "lower", "upper", "better", "cells"]
    parts = [
        "# Forecasts made again", "",
        f"Origins {s['first']}-{s['last']}, {_several(s['horizon'], 'year')} ahead, readings "
        f"{', '.join(done['readings'])} and their stacked mixture; record {s['record'][:12]}, "
        f"seed {s['seed']}. Every fit sees what was available on the last day of its year; "
        "outcomes are of the latest vintage.",
        "", *(f"- {x}" for x in found.sentences), "",
        "## Skill", "",
        "One less the ratio of mean CRPS to that of the forecast compared with, averaged over "
        "indicators by the geometric mean: 0.1 is a tenth better, below 0 is worse. Lower and "
        "upper: 89 % interval over runs of years, or states, drawn anew, whichever reach further. "
        "Better: share of such draws of years in which it is ahead.", "",
        markdown(whole[["of", "forecast", "against", *last]]), "",
    ]  # fmt: skip
    for by, heading in HEADINGS.items():
        part = found.skill[found.skill["by"] == by]
        if not len(part):
            continue
        columns = ["group", "forecast", "against", *last]
        if by == "best reading":
            columns = columns[1:]
        label = "years ahead" if by == "horizon" else by
        part = part[columns].rename(columns={"group": label})
        parts += [f"### {heading}", "", markdown(part), ""]
    mean = found.calibration[found.calibration["by"] == "all"]
    each = found.calibration[found.calibration["by"] == "indicator"]
    inside = ["cells", "inside_50", "inside_89"]
    parts += ["## Scores", "",
              "Means over the indicators of pairs, on cells that all forecasts speak of; smaller "
              f"is better. {'; '.join(f'{k}: {get_score(k).LABEL}' for k in SCORES)}.", "",
              markdown(_wide(found.means), 3), "",
              "## Calibration", "",
              "Share of outcomes inside central intervals, and in each tenth of the forecast (0.10 "
              "where it is right), indicators counted alike. Counts take their part of every tenth "
              "they touch; no random number is used.", "",
              markdown(mean.drop(columns=["by", "group"]), 2), "",
              "### The stacked forecast by indicator", "",
              markdown(each[["group", *inside]].rename(columns={"group": "indicator"}), 2), "",
              "## Weights of the mixture", "",
              "Found at each origin on rows that were out by then; equal while they speak of fewer "
              "than three years. The last row is for a forecast made now.", "",
              markdown(_weights(found.weights)), "",
              "## Quality of the fits", "", _told(found.quality), ""]  # fmt: skip
    if found.problems:
        parts += ["## Problems", ""]
        parts += [f"- {k}: {' '.join(str(v).split())}" for k, v in found.problems.items()]
        parts += [""]
    return "\n".join(parts)


def _wide(means: pd.DataFrame) -> pd.DataFrame:
    table = means.pivot(index=["score", "horizon"], columns="forecast", values="mean")
    order = list(dict.fromkeys(means["forecast"]))
    return table[order].reset_index()


def _weights(weights: pd.DataFrame) -> pd.DataFrame:
    table = weights.pivot(index=["origin", "years"], columns="reading", values="weight")
    return table.reset_index().rename(columns={"years": "years it rests on"})


def _told(quality: pd.DataFrame) -> str:
    rough = int((quality["max_rhat"] > 1.05).sum())
    split = int((quality["divergences"] > 0).sum())
    return (
        f"{_several(len(quality), 'fit')}, {quality['seconds'].sum() / 60:.0f} minutes of fitting "
        f"in all. R-hat of the log score is at most {quality['max_rhat'].max():.2f}, above 1.05 in "
        f"{_several(rough, 'fit')}; {_several(split, 'fit')} had divergent transitions."
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
