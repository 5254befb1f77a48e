"""Whether counts gather in the years near dated events, beyond what other pairs did.

Invariant: near and far years come from the events alone, never from the counts. Guarded by
``tests/test_claims_record.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fairweather.claims.evidence import ClaimError, Evidence
from fairweather.claims.measures.record_rate import record_rate
from fairweather.claims.measures.record_rows import chronology, matching, years_of

if TYPE_CHECKING:
    from fairweather.record import Record


def record_coincidence(record: Record, params: Mapping[str, Any]) -> Evidence:
    """Judge the rate of counts near events over the rate in the other years.

    Parameters
    ----------
    record : Record
    params : mapping
        `items` (see `record_rows.counts`), `window` [first, last], `events` (fields of
        `record_rows.matching`), `lags` (years after an event that count as near, 0 the same),
        `said`.

    Returns
    -------
    Evidence
        `value`: ratio of rates, near over far, in doublings; `shocks`: dated events.

    Raises
    ------
    ClaimError
        If no event was found, or no year is near or far.

    Examples
    --------
    >>> import fairweather as fw
    >>> deals = {"channels": ["energy"], "sign": 1, "intensity": 4}
    >>> params = {"items": [{"indicator": "arms_orders"}], "window": [2009, 2018], "events": deals,
    ...           "lags": [0], "said": "{near} near, {far} far"}
    >>> record_coincidence(fw.load_record(), params).note
    '9 near, 12 far'
    """
    window = years_of([params["window"]])
    found = matching(chronology(record), params["events"])
    when = sorted(set(found["year"]))
    near = [y for y in window if any(y - lag in when for lag in params["lags"])]
    far = [y for y in window if y not in near]
    used = found[found["year"].isin([y - lag for y in near for lag in params["lags"]])]
    if not near or not far:
        raise ClaimError(
            "the claim compares years near events of the chronology with others, and "
            f"{'no year is near one' if not near else 'every year is near one'}",
            remedy="Widen the years of the record, or leave the claim out.",
        )
    inner = {
        "items": params["items"], "years": near, "against": [far], "side": "above",
        "said": params["said"].replace("{near}", "{inside}").replace("{far}", "{outside}")
        .replace("{deals}", str(len(used)))
        .replace("{near_years}", str(len(near))).replace("{far_years}", str(len(far))),
    }  # fmt: skip
    out = record_rate(record, inner)
    return replace(out, shocks=len(used))
