"""Whether one unit stands first among those it is compared with, and whether it rose.

Counts are ranked by draws of their rates; levels are ranked by draws of their means over the years.

Invariant: before the data every unit is as likely to be first as any other. Guarded by
``tests/test_claims_record.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from fairweather.claims.evidence import ClaimError, Evidence
from fairweather.claims.measures.record_rate import record_rate
from fairweather.claims.measures.record_rows import DRAWS, FOCAL, SEED, say, wide, years_of

if TYPE_CHECKING:
    import pandas as pd

    from fairweather.record import Record

_SHAPE = 0.5


def record_rank(record: Record, params: Mapping[str, Any]) -> Evidence:
    """Judge whether the focal unit is first.

    Parameters
    ----------
    record : Record
    params : mapping
        `items` (each `indicator` and `years`), `kind` ("count" or "level"), `unit` (default the
        focal pair), `among` (states of which both ends must be; all units of the items by default),
        optional `rise` (parameters of `record_rate`, which must hold too) and `error` (of a level,
        which years do not average out), `said`.

    Returns
    -------
    Evidence
        `value`: the focal unit over the best other (counts), or minus it (levels); `shocks`: counts
        of the focal unit, or years.

    Raises
    ------
    ClaimError
        If the focal unit, or every other, has no row.

    Examples
    --------
    >>> import fairweather as fw
    >>> params = {"kind": "count", "said": "{place} of {units}",
    ...           "items": [{"indicator": "china_trips_vg2", "years": [[2013, 2024]]}]}
    >>> record_rank(fw.load_record(), params).note
    '1 of 20'
    """
    unit, kind = params.get("unit", FOCAL), params["kind"]
    error = params.get("error", 0.0)
    blocks = [_block(record, item, params, unit) for item in params["items"]]
    units = sorted(set.intersection(*(set(b.columns) for b in blocks)))
    names = ", ".join(i["indicator"] for i in params["items"])
    if unit not in units or len(units) < 2:
        raise ClaimError(
            f"the claim ranks {unit} by {names}, and has rows of {', '.join(units) or 'nobody'}",
            remedy="Load a record with these units, or leave the claim out.",
        )
    score = by_rate(blocks, units) if kind == "count" else by_level(blocks, units, error)
    me = units.index(unit)
    rest = np.delete(score, me, axis=1)
    top = rest.max(axis=1)
    holds = score[:, me] > top
    value = score[:, me] / top if kind == "count" else score[:, me] - top
    order = np.argsort(-score.mean(axis=0))
    events = int(sum(b[unit].sum() if kind == "count" else b[unit].notna().sum() for b in blocks))
    facts: dict[str, Any] = {
        "place": int(np.flatnonzero(order == me)[0]) + 1, "units": len(units), "events": events,
        "first": units[order[0]], "second": units[order[1]], "chance": float(holds.mean()),
        "own": float(score[:, me].mean()), "best_other": float(rest.mean(axis=0).max()),
    }  # fmt: skip
    # Units are exchangeable before the data, and rank and rise independent.
    prior = 1.0 / len(units)
    if "rise" in params:
        rose = record_rate(record, {**params["rise"], "said": ""})
        holds, prior = holds & rose.holds, prior * rose.prior
        facts["rose"] = float(rose.holds.mean())
        facts["ratio"] = float(2.0 ** np.median(rose.value))
    return Evidence(value, holds, say(params, facts), shocks=events, prior=prior)


def by_rate(blocks: list[pd.DataFrame], units: list[str]) -> np.ndarray:
    """Draw the yearly rate of every unit, summed over items.

    Parameters
    ----------
    blocks : list of DataFrame
        Counts, years by units.
    units : list of str

    Returns
    -------
    ndarray, shape (draw, unit)
    """
    rng = np.random.default_rng(SEED)
    total = np.zeros((DRAWS, len(units)))
    for block in blocks:
        seen = block[units]
        scale = max(float(seen.to_numpy().mean()), 1.0 / seen.size)
        shape = _SHAPE + seen.sum().to_numpy()
        total += rng.gamma(shape, 1.0 / (_SHAPE / scale + len(seen)), (DRAWS, len(units)))
    return total


def by_level(blocks: list[pd.DataFrame], units: list[str], error: float = 0.0) -> np.ndarray:
    """Draw the mean level of every unit over the years, averaged over items.

    Years scatter with a spread common to all units, so that a unit of few years borrows it.

    Parameters
    ----------
    blocks : list of DataFrame
        Levels, years by units.
    units : list of str
    error : float
        Standard deviation of an error of the coding that years do not average out.

    Returns
    -------
    ndarray, shape (draw, unit)
    """
    rng = np.random.default_rng(SEED)
    total = np.zeros((DRAWS, len(units)))
    for block in blocks:
        seen = block[units]
        n = seen.notna().sum().to_numpy()
        loose = max(int((n - 1).sum()), 1)
        inner = float(np.nansum((seen - seen.mean()).to_numpy() ** 2))
        variance = max(inner, 1e-12) / rng.chisquare(loose, (DRAWS, 1))
        total += seen.mean().to_numpy() + np.sqrt(variance / n) * rng.standard_normal(
            (DRAWS, len(units))
        )
    return total / len(blocks) + error * rng.standard_normal(total.shape)


def _block(
    record: Record, item: Mapping[str, Any], params: Mapping[str, Any], unit: str
) -> pd.DataFrame:
    table = wide(record, item["indicator"])
    years = [y for y in years_of(item["years"]) if y in table.index]
    table = table.loc[years]
    if "among" in params:
        inside = set(params["among"])
        table = table[[u for u in table if set(u.split("-")) <= inside]]
    lost = unit not in table or not table[unit].notna().any()
    if lost:
        raise ClaimError(
            f"the claim ranks {unit} by {item['indicator']!r}, which has no row of it in "
            f"{item['years']}",
            remedy="Widen the years of the record, or leave the claim out.",
        )
    if params["kind"] == "count":
        return table.dropna(axis=1, how="any")
    return table.dropna(axis=1, how="all")
