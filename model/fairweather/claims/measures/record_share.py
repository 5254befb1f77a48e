"""A share of events, or a weighted sum of shares, judged against a bound.

Each group of trials has a share with a uniform prior; the claim weighs the shares and asks whether
the sum exceeds a bound. One group with bound one half asks for a majority; two groups with weights
1 and -1 ask which share is larger.

Invariant: without trials in a group its share keeps the prior, so that silence decides nothing.
Guarded by ``tests/test_claims_record.py``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fairweather.claims.evidence import ClaimError, Evidence
from fairweather.claims.measures.record_rows import (
    DRAWS,
    FOCAL,
    SEED,
    chronology,
    matching,
    say,
    wide,
    years_of,
)

if TYPE_CHECKING:
    import pandas as pd

    from fairweather.record import Record


def record_share(record: Record, params: Mapping[str, Any]) -> Evidence:
    """Judge a weighted sum of shares.

    Parameters
    ----------
    record : Record
    params : mapping
        `groups`: list of mappings with `name` and `weight`, and either `indicator` and `years`
        (value of n, summed) or the fields of `record_rows.matching`, of which `success` names the
        fields a success meets besides; `bound`; `said`.

    Returns
    -------
    Evidence
        `value`: the weighted sum; `shocks`: trials.

    Raises
    ------
    ClaimError
        If no group has a trial.

    Examples
    --------
    >>> import fairweather as fw
    >>> veto = {"name": "veto", "weight": 1, "indicator": "unsc_joint_veto", "years": [2019, 2020]}
    >>> said = "{veto_hits} of {veto_of}"
    >>> record_share(fw.load_record(), {"groups": [veto], "bound": 0.5, "said": said}).note
    '5 of 5'
    """
    groups, bound = params["groups"], params.get("bound", 0.0)
    weights = [g["weight"] for g in groups]
    tallies = _tallies(record, groups, known=False)
    if not sum(of for _, of in tallies):
        asked = "; ".join(str(g.get("indicator", _told(g))) for g in groups)
        raise ClaimError(
            f"the claim asks for shares, and the record has no trial of {asked}",
            remedy="Load a record that holds them, or leave the claim out.",
        )
    value = weighed(tallies, weights)
    prior = weighed([(0, 0)] * len(groups), weights)
    facts: dict[str, Any] = {"value": float(value.mean()), "bound": bound}
    for group, (hits, of) in zip(groups, tallies, strict=True):
        facts[f"{group['name']}_hits"], facts[f"{group['name']}_of"] = hits, of
        facts[f"{group['name']}_share"] = (hits + 1) / (of + 2)
    if any("indicator" not in g for g in groups):
        fewer = weighed(_tallies(record, groups, known=True), weights)
        facts["without_brief"] = float((fewer > bound).mean())
    return Evidence(
        value=value,
        holds=value > bound,
        note=say(params, facts),
        prior=float((prior > bound).mean()),
        shocks=sum(of for _, of in tallies),
    )


def weighed(
    tallies: Sequence[tuple[int, int]], weights: Sequence[float], draws: int = DRAWS
) -> np.ndarray:
    """Draw the weighted sum of shares.

    Parameters
    ----------
    tallies : sequence of (hits, trials)
    weights : sequence of float
    draws : int

    Returns
    -------
    ndarray, shape (draw,)

    Examples
    --------
    >>> float(weighed([(9, 10)], [1.0]).mean().round(1))
    0.8
    """
    rng = np.random.default_rng(SEED)
    total = np.zeros(draws)
    for (hits, of), weight in zip(tallies, weights, strict=True):
        total += weight * rng.beta(1 + hits, 1 + of - hits, draws)
    return total


def _tallies(
    record: Record, groups: Sequence[Mapping[str, Any]], *, known: bool
) -> list[tuple[int, int]]:
    events: pd.DataFrame | None = None
    out = []
    for group in groups:
        if "indicator" in group:
            name, unit = group["indicator"], group.get("unit", FOCAL)
            years = years_of(group["years"])
            value, of = (wide(record, name, c) for c in ("value", "n"))
            if unit not in value:
                raise ClaimError(
                    f"the claim asks for {name!r} of {unit}, which has no rows",
                    remedy="Load a record that holds the unit, or leave the claim out.",
                )
            out.append(tuple(int(t[unit].reindex(years).sum()) for t in (value, of)))
        else:
            if events is None:
                events = chronology(record, known=known)
            trials = matching(events, group)
            out.append((len(matching(trials, group["success"])), len(trials)))
    return out


def _told(group: Mapping[str, Any]) -> str:
    return f"chronology ({group['name']})"
