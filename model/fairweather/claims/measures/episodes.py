"""What alignment did after episodes of easing or hardship that the fit had not seen.

Invariant: the unit of evidence is the shock, not the episode: episodes that start within a year
of each other are one. Guarded by ``tests/test_claims_measures.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fairweather.claims.evidence import ClaimError, Evidence
from fairweather.claims.shocks import shock_of

if TYPE_CHECKING:
    import pandas as pd

    from fairweather.claims.judge import Context

_DRAWS = 4000
# An 89 % interval of a normal distribution spans this many SDs.
_SPAN = 2 * 1.598
_BASELINE = "drift"


def _rows(context: Context, params: dict[str, Any]) -> pd.DataFrame:
    table = context.held_out
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
    base["shock"] = shock_of(base["start"])
    found = base.dropna(subset=["z"]).groupby("shock")
    return found.agg(
        z=("z", "mean"), realised=("realised", "mean"), expected=("replicated_mean", "mean"),
        first=("start", "min"),
    )  # fmt: skip


def said(context: Context, params: dict[str, Any]) -> str:
    """Say in one sentence what followed the episodes, for a note."""
    rows = _rows(context, params)
    shocks = departures(rows)
    where = " or ".join(params.get("states") or []) or "any state"
    dyad = params.get("dyad", context.panel.focal)
    tie = f"the tie {dyad}" if dyad else "the mean tie of the state"
    if shocks.empty:
        return f"no held-out {params['type']} of {where}"
    text = (
        f"after {len(shocks)} held-out {params['type']} shock(s) on {where} {tie} changed by "
        f"{shocks['realised'].mean():.2f}, by drift alone {shocks['expected'].mean():.2f}"
    )
    weight = {r: w for r, w in context.weights.items() if r in context.pressure_readings}
    scores = rows.groupby("reading")[["replicated_mean", "log_score"]].agg(
        {"replicated_mean": "mean", "log_score": "sum"}
    )
    weight = {r: w for r, w in weight.items() if r in scores.index}
    if sum(weight.values()) > 0:
        w = np.array(list(weight.values())) / sum(weight.values())
        mine = scores.loc[list(weight)]
        gain = float(w @ mine["log_score"]) - float(scores.loc[_BASELINE, "log_score"])
        text += (
            f", by the readings with pressure {float(w @ mine['replicated_mean']):.2f} "
            f"(log score {gain:+.1f} against drift)"
        )
    return text


def after_episodes(context: Context, params: dict[str, Any]) -> Evidence:
    """Mean departure from drift after held-out episodes, on one side of a size.

    The mean over shocks has a Student-t posterior with one degree of freedom fewer than there
    are shocks; with one shock there is none.

    Parameters
    ----------
    context : Context
    params : dict
        type (``easing`` or ``hardship``), side (``below`` or ``above``), size, and optionally
        states, dyad (default the focal one; "" for all of a state) and statistic.
    """
    if context.held_out is None or len(context.held_out) == 0:
        raise ClaimError(
            "no episode was held out", remedy="Run the contest with its design 'episodes'."
        )
    shocks = departures(_rows(context, params))
    n, focal = len(shocks), context.panel.focal
    wide = params.get("dyad", focal) == ""
    beside = {**params, "states": focal.split("-") if wide else [], "dyad": focal if wide else ""}
    note = f"{said(context, params)}; {said(context, beside)}"
    if n < 2:
        # One event has no error to be told from chance by.
        nothing = np.full(1, np.nan)
        return Evidence(nothing, nothing, note, shocks=n, prior=0.5)
    z = shocks["z"].to_numpy(float)
    t = np.random.default_rng(1).standard_t(n - 1, _DRAWS)
    value = z.mean() + z.std(ddof=1) / np.sqrt(n) * t
    below = params["side"] == "below"
    holds = value < params["size"] if below else value > params["size"]
    return Evidence(value, holds, note, shocks=n, prior=0.5)
