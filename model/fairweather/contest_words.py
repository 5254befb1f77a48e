"""A contest in a few plain sentences, the ones that say what cannot be told among them.

Invariant: a lead within two standard errors is never called one, and every summary counts the
years, states and simulated worlds it rests on. Guarded by ``tests/test_contest_words.py``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from fairweather.differences import TOLD
from fairweather.stacking import LEVEL
from fairweather.wording import sentence

if TYPE_CHECKING:
    import pandas as pd

    from fairweather.confusion import Confusion
    from fairweather.stacking import Stacked


def contest_sentences(
    stacked: Stacked, differences: pd.DataFrame, confusion: Confusion | None = None
) -> list[str]:
    """Say in three to six sentences what a contest of readings found.

    Parameters
    ----------
    stacked : Stacked
    differences : DataFrame
        From `fairweather.differences.paired_differences`, without groups. If it holds every pair,
        those of the reading with the largest weight are used.
    confusion : Confusion, optional
        The same contest on simulated worlds.

    Returns
    -------
    list of str

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> from fairweather.differences import paired_differences
    >>> from fairweather.stacking import stack
    >>> scores = xr.DataArray(
    ...     [[-1.0, -1.2, -1.0], [-1.1, -1.0, -1.1]], dims=("reading", "block"),
    ...     coords={"reading": ["drift", "placebo"], "unit": ("block", ["CHN-RUS"] * 3),
    ...             "year": ("block", [2008, 2009, 2010])})
    >>> contest_sentences(stack(scores), paired_differences(scores))[1]
    'The data cannot tell drift from placebo.'
    """
    out = [_weights(stacked), *_pairs(stacked, differences), _support(stacked)]
    if stacked.weights.size > 1:
        out.append(_gain(stacked))
    return [sentence(text) for text in [*out, _worlds(stacked, confusion)]]


def _weights(stacked: Stacked) -> str:
    rows = stacked.table().to_dict("records")
    shown = [
        f"{r['weight']:.2f}"
        + (f" [{r['lower']:.2f}, {r['upper']:.2f}]" if r["lower"] == r["lower"] else "")
        for r in rows
    ]
    text = f"{rows[0]['reading']} has the largest stacking weight, {shown[0]}"
    if len(rows) > 1:
        text += f", before {rows[1]['reading']}, {shown[1]}"
        if not rows[0]["lower"] > rows[1]["upper"]:
            text += "; the lead is not clear"
    second = str(stacked.pseudo_bma.to_series().idxmax())
    if second != stacked.best:
        text += f"; by total score alone {second} comes first"
    return f"{text} ({100 * LEVEL:.0f} % intervals)" if rows[0]["lower"] >= 0 else text


def _pairs(stacked: Stacked, differences: pd.DataFrame) -> list[str]:
    one = differences["against"].nunique() == 1
    fixed = differences["against"].iloc[0] if one else stacked.best
    told: dict[str, list[str]] = {"even": [], "behind": [], "ahead": []}
    for row in differences.to_dict("records"):
        if fixed not in (row["reading"], row["against"]):
            continue
        other = row["reading"] if row["against"] == fixed else row["against"]
        lead = row["mean"] if row["reading"] == fixed else -row["mean"]
        told["even" if not row["told"] else "ahead" if lead > 0 else "behind"].append(other)
    out = []
    if told["even"]:
        out.append(f"the data cannot tell {fixed} from {_listed(told['even'], 'or')}")
    clear = []
    if told["ahead"]:
        clear.append(f"{fixed} predicts better than {_listed(told['ahead'], 'and')}")
    if told["behind"]:
        clear.append(f"{fixed} predicts worse than {_listed(told['behind'], 'and')}")
    if clear:
        out.append(f"{', and '.join(clear)}, by at least {TOLD:.0f} standard errors")
    return out


def _support(stacked: Stacked) -> str:
    text = f"this rests on {stacked.blocks} held-out blocks, but these are of {stacked.years} years"
    text += f" and {stacked.states} states, no more independent witnesses than that"
    if stacked.dropped:
        text += f"; {stacked.dropped} were left out as some reading has no score there"
    if stacked.weights.size == 1:
        return text
    swing = stacked.pivotal["year"] + stacked.pivotal["state"]
    if swing:
        return f"{text}; without {_listed(swing, 'or')} another reading would come first"
    checked = "year" if stacked.without_state is None else "year or state"
    return f"{text}; no single {checked} decides which reading comes first"


def _gain(stacked: Stacked) -> str:
    size = f"{stacked.gain:+.1f} in total, standard error {stacked.gain_se:.1f}"
    if abs(stacked.gain) < TOLD * stacked.gain_se or stacked.gain == 0:
        return f"the readings mixed cannot be told from {stacked.baseline} alone ({size})"
    better = "better" if stacked.gain > 0 else "worse"
    return f"the readings mixed predict {better} than {stacked.baseline} alone ({size})"


def _worlds(stacked: Stacked, confusion: Confusion | None) -> str:
    if confusion is None:
        return "no worlds were simulated, so it is unknown whether this contest finds the truth"
    text = f"on simulated worlds the contest picked the true reading in {confusion.found()}"
    best = stacked.best
    others = set(confusion.worlds["truth"]) - {best}
    if best in confusion.readings and others:
        text += f"; where {best} was not true it was picked in {confusion.rate(others, best)}"
    return text


def _listed(names: Iterable[str], word: str) -> str:
    names = list(names)
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {word} {names[-1]}"
