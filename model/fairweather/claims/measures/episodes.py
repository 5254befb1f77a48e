"""What alignment did after episodes of easing or hardship that the fit had not seen.

Invariant: the unit of evidence is the shock, not the episode: episodes that start within a year
of each other are one. Guarded by ``tests/test_claims_measures.py``.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from fairweather.claims.evidence import ClaimError, Evidence
from fairweather.contest.design import AFTER
from fairweather.episodes import shock_of

if TYPE_CHECKING:
    import pandas as pd

    from fairweather.claims.judge import Context

_DRAWS = 4000
# An 89 % interval of a normal distribution spans this many SDs.
_SPAN = 2 * 1.598
_BASELINE = "drift"
# Means over ties, and how they are called.
TIES = {"": "the mean tie of the state", "pressed": "the mean tie with a partner under pressure"}


def _rows(context: Context, params: dict[str, Any]) -> pd.DataFrame:
    table = context.held_out
    if "design" in table:
        # Quiet windows bear the type of the episode they stand for, and are none.
        table = table[table["design"] == "episodes"]
    kind, dyad = params["type"], params.get("dyad", context.panel.focal)
    mine = table[
        (table["type"] == kind)
        & (table["statistic"] == params.get("statistic", "change"))
        & (table["dyad"].fillna("") == dyad)
    ]
    if params.get("states"):
        mine = mine[mine["state"].isin(params["states"])]
    return mine.dropna(subset=["realised", "replicated_mean"])


def departures(rows: pd.DataFrame) -> pd.DataFrame:
    """Realised change less what drift alone replicates, in drift's own SDs, by shock.

    Returns
    -------
    DataFrame
        One row per shock: z, realised, expected, years.
    """
    base = rows[rows["reading"] == _BASELINE].copy()
    width = (base["replicated_upper"] - base["replicated_lower"]) / _SPAN
    base["z"] = (base["realised"] - base["replicated_mean"]) / width.where(width > 0)
    base["shock"] = events_of(base)
    found = base.dropna(subset=["z"]).groupby("shock")
    return found.agg(
        z=("z", "mean"), realised=("realised", "mean"), expected=("replicated_mean", "mean"),
        first=("start", "min"),
    )  # fmt: skip


def events_of(rows: pd.DataFrame) -> np.ndarray:
    """Give each row its event: a shock; of one tie, windows that share a year are one.

    Parameters
    ----------
    rows : DataFrame
        start, end and dyad of each episode; ``""`` is the mean over a state's ties, ``pressed``
        over those with partners under pressure.

    Returns
    -------
    ndarray of int
    """
    if not len(rows) or str(rows["dyad"].iloc[0] or "") in TIES:
        return shock_of(rows["start"])
    start, last = rows["start"].to_numpy(int), rows["end"].to_numpy(int) + AFTER
    out, number, reach = np.zeros(len(rows), int), -1, -1
    for k in np.argsort(start, kind="stable"):
        number += int(start[k] > reach)
        reach = max(reach, int(last[k]))
        out[k] = number
    return out


def said(context: Context, params: dict[str, Any]) -> str:
    """Say in one sentence what followed the episodes, for a note."""
    rows = _rows(context, params)
    shocks = departures(rows)
    where = " or ".join(params.get("states") or []) or "any state"
    dyad = params.get("dyad", context.panel.focal)
    tie = TIES.get(dyad, f"the tie {dyad}")
    if shocks.empty:
        # Episodes that drift has no forecast of are there, and have nothing to be held against.
        unread = len(rows) and _BASELINE not in set(rows["reading"])
        lacks = f" that {_BASELINE} was fitted without" if unread else ""
        return f"no held-out {params['type']} of {where}{lacks}"
    text = (
        f"after {len(shocks)} held-out {params['type']} shock(s) on {where} {tie} changed by "
        f"{shocks['realised'].mean():.2f}, by drift alone {shocks['expected'].mean():.2f}"
    )
    return text + _expected(context, rows)


def _expected(context: Context, rows: pd.DataFrame) -> str:
    """Say what the readings with pressure foresaw, and by how much better they scored."""
    mean = rows.groupby("reading")["replicated_mean"].mean()
    weight = {r: context.weights[r] for r in context.pressure_readings if r in mean.index}
    total = sum(weight.values())
    if not total > 0:
        return ""
    w = np.array(list(weight.values())) / total
    text = f", by the readings with pressure {float(w @ mean[list(weight)]):.2f}"
    if "log_score" in rows:
        score = rows.groupby("reading")["log_score"].sum(min_count=1)
        gain = float(w @ score[list(weight)] - score[_BASELINE])
        text += f" (log score {gain:+.1f} against drift)" if np.isfinite(gain) else ""
    return text


def after_episodes(context: Context, params: dict[str, Any]) -> Evidence:
    """Mean departure from drift after held-out episodes, on one side of a size.

    The mean over shocks has a Student-t posterior with one degree of freedom fewer than there
    are shocks; with one shock there is none. Before the record it is as drift has it.

    Parameters
    ----------
    context : Context
    params : dict
        type (``easing`` or ``hardship``), side (``below`` or ``above``), size, and optionally
        states, dyad (default the focal one; "" for all of a state, "pressed" for those with
        partners under pressure themselves) and statistic.

    Raises
    ------
    ClaimError
        No episode was held out, or drift was not fitted without those that were.
    """
    if context.held_out is None or len(context.held_out) == 0:
        raise ClaimError(
            "no episode was held out", remedy="Run the contest with its design 'episodes'."
        )
    below = params["side"] == "below"
    # Before the record: drift's forecast is right, so that a departure is standard normal.
    chance = 0.5 * (1.0 + math.erf(params["size"] / math.sqrt(2.0)))
    prior = chance if below else 1.0 - chance
    rows = _rows(context, params)
    if len(rows) and _BASELINE not in set(rows["reading"]):
        raise _no_baseline(context)
    shocks = departures(rows)
    n, focal = len(shocks), context.panel.focal
    wide = params.get("dyad", focal) in TIES
    beside = {**params, "states": focal.split("-") if wide else [], "dyad": focal if wide else ""}
    note = f"{said(context, params)}; {said(context, beside)}"
    if n < 2:
        # One event has no error to be told from chance by.
        nothing = np.full(1, np.nan)
        return Evidence(nothing, nothing, note, shocks=n, prior=prior)
    z = shocks["z"].to_numpy(float)
    t = np.random.default_rng(1).standard_t(n - 1, _DRAWS)
    value = z.mean() + z.std(ddof=1) / np.sqrt(n) * t
    holds = value < params["size"] if below else value > params["size"]
    return Evidence(value, holds, note, shocks=n, prior=prior)


def _no_baseline(context: Context) -> ClaimError:
    """Say why there is nothing to hold the episodes against; none on record is another matter."""
    if _BASELINE in context.weights:
        return ClaimError(
            f"held-out claims compare with {_BASELINE}, whose fits without the episodes failed",
            remedy="Run the contest again with the same folder; what failed is tried again.",
        )
    return ClaimError(
        f"held-out claims compare with {_BASELINE}, which took no part",
        remedy=f"Run the contest with --reading {_BASELINE} too.",
    )
