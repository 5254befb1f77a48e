"""Whether a ceiling was never passed, given how likely a passing would have been seen.

One recorded passing settles the matter. None recorded leaves passings that no row could show: the
yearly hazard has Jeffreys' prior and is learned from the clean years, each as far as it was seen.

Invariant: a year without any row teaches nothing and may hide a passing. Guarded by
``tests/test_claims_record.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from fairweather.claims.evidence import ClaimError, Evidence
from fairweather.claims.measures.record_rows import (
    DRAWS,
    EXPOSURE,
    FOCAL,
    SEED,
    chronology,
    matching,
    say,
    wide,
    years_of,
)

if TYPE_CHECKING:
    from fairweather.record import Record

_GRID = (np.arange(2000) + 0.5) / 2000
_BETWEEN = 7


def record_ceiling(record: Record, params: Mapping[str, Any]) -> Evidence:
    """Judge a ceiling over some years.

    Parameters
    ----------
    record : Record
    params : mapping
        `years`; optional `levels` (list of `indicator`, `unit` and `above`: a level above it
        passes); `events` (list of the fields of `record_rows.matching`: such an event passes);
        `cleared` (ids of events read one by one and found to pass nothing); `seen` (chance that the
        chronology shows a passing of a year it covers, or the two ends between which it lies);
        `below` (fields of events that must be there, for a claim that something fell short of the
        ceiling); `said`.

    Returns
    -------
    Evidence
        `value`: chance per year of passing; `shocks`: years with a row.

    Raises
    ------
    ClaimError
        If no year can show a passing.

    Examples
    --------
    >>> import fairweather as fw
    >>> pact = {"indicator": "pact_level_atop", "above": 2}
    >>> params = {"years": [[2000, 2018]], "levels": [pact], "said": "{passed} in {seen} years"}
    >>> record_ceiling(fw.load_record(), params).note
    '0 in 19 years'
    """
    years = years_of(params["years"])
    seen = dict.fromkeys(years, 0.0)
    passed: list[str] = []
    for level in params.get("levels", ()):
        name, unit = level["indicator"], level.get("unit", FOCAL)
        table = wide(record, name)
        have = table[unit].reindex(years).dropna() if unit in table else table.iloc[:0, 0]
        seen |= dict.fromkeys(have.index, 1.0)
        passed += [f"{name} {y}" for y in have.index[have > level["above"]]]
    facts: dict[str, Any] = {}
    listed: set[int] = set()
    short = True
    if "events" in params or "below" in params:
        events = chronology(record)
        last = int(events["year"].max()) if len(events) else years[0] - 1
        # A covered year without an event is a year in which nothing was found, not an unread one.
        for year in years:
            if year <= last:
                listed.add(year)
        for spec in params.get("events", ()):
            hits = matching(events, {**spec, "years": years})
            hits = hits[~hits["event_id"].isin(params.get("cleared", ()))]
            passed += hits["event_id"].tolist()
        if "below" in params:
            low = matching(events, {**params["below"], "years": years})
            low = low[~low["event_id"].isin(passed)]
            short = len(low) > 0
            facts["below"] = len(low)
    chances = _chances(params.get("seen", 1.0))
    sights = [np.array([max(seen[y], c if y in listed else 0.0) for y in years]) for c in chances]
    sight = sights[-1]
    if not (sight > 0).any():
        asked = [x["indicator"] for x in params.get("levels", ())]
        asked += ["the chronology"] if "events" in params or "below" in params else []
        raise ClaimError(
            f"the claim asks for {', '.join(asked)} in {params['years']}, where nothing has a row",
            remedy="Widen the years of the record, or leave the claim out.",
        )
    drawn = [unseen(s, len(set(passed))) for s in sights]
    # Draw by draw another chance, each as often as the others.
    at = np.arange(DRAWS)
    hazard, hidden = (np.stack(x)[at % len(sights), at] for x in zip(*drawn, strict=True))
    _, prior_hidden = unseen(np.zeros(len(years)), 0)
    if "events" in params:
        # What if such acts were listed no better than drills and visits?
        usual = wide(record, EXPOSURE, "n")[FOCAL].reindex(years)
        facts["as_listed"] = float(1 - unseen(usual.fillna(0.0).to_numpy(), 0)[1].mean())
    facts |= {
        "passed": len(set(passed)), "seen": int((sight > 0).sum()), "years": len(years),
        "hazard": float(hazard.mean()), "hidden": float(hidden.mean()),
        "which": ", ".join(sorted(set(passed))) or "none",
    }  # fmt: skip
    holds = ~hidden & (not passed) & short
    return Evidence(
        value=hazard,
        holds=holds,
        note=say(params, facts),
        prior=float((~prior_hidden).mean()),
        shocks=int((sight > 0).sum()),
    )


def _chances(seen: float | list[float]) -> np.ndarray:
    """Chances that stand for a judged one: itself, or evenly between two ends."""
    ends = np.atleast_1d(np.asarray(seen, float))
    at = (np.arange(_BETWEEN) + 0.5) / _BETWEEN
    return ends if len(ends) == 1 else ends[0] + at * (ends[1] - ends[0])


def unseen(sight: np.ndarray, passed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw the yearly hazard of passing, and whether a passing went unseen.

    Parameters
    ----------
    sight : ndarray, shape (year,)
        Chance that a passing in the year would show; 0 for a year without rows.
    passed : int
        Passings recorded.

    Returns
    -------
    hazard : ndarray, shape (draw,)
    hidden : ndarray of bool, shape (draw,)

    Examples
    --------
    >>> hazard, hidden = unseen(np.ones(10), 0)
    >>> bool(hidden.any()), bool(hazard.mean() < 0.1)
    (False, True)
    """
    rng = np.random.default_rng(SEED)
    clean = np.log1p(-np.outer(_GRID, sight)).sum(axis=1)
    # Clean years, and as many recorded passings, on Jeffreys' prior.
    log_weight = clean + (passed - 0.5) * np.log(_GRID) - 0.5 * np.log1p(-_GRID)
    weight = np.exp(log_weight - log_weight.max())
    hazard = rng.choice(_GRID, DRAWS, p=weight / weight.sum())
    none = np.log1p(-hazard) * len(sight) - np.log1p(-np.outer(hazard, sight)).sum(axis=1)
    return hazard, rng.random(DRAWS) > np.exp(none)
