"""The verdict on one claim, with every number it rests on, in a form that is kept and read back.

Invariant: reading a judgement back gives what was kept, and needs neither NumPy nor xarray; a
claim whose measure failed has a problem and no verdict.
Guarded by ``tests/test_claims_judge.py``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

NOT_TESTABLE = "not testable here"
VERDICTS = ("borne out", "contradicted", "undecided", NOT_TESTABLE)
# Fewer independent events than this say nothing, however many dyad-years they fill.
MIN_SHOCKS = 3
_NUMBERS = ("probability", "prior_probability", "value", "lower", "upper")


@dataclass(frozen=True)
class Judgement:
    """One claim judged.

    Attributes
    ----------
    claim_id : str
    method : str
        One of ``fairweather.claims.catalogue.METHODS``.
    verdict : str or None
        One of `VERDICTS`; None where `problem` says why there is none.
    probability, prior_probability : float
        That the formal statement holds, with and without the record; NaN where there is none.
    value, lower, upper : float
        The quantity: mean and 89 % interval.
    unit : str
    shocks : int or None
        Independent events it rests on; None where the claim does not rest on events.
    by_reading : dict of str to float
        Probability under each reading.
    by_construction : tuple of str
        Readings in which the quantity is settled before any row is read.
    sentence : str
        The finding in one sentence, with its numbers.
    notes : tuple of str
    problem : str
        Why the measure failed; empty if it did not.
    """

    claim_id: str
    method: str
    verdict: str | None
    probability: float = math.nan
    prior_probability: float = math.nan
    value: float = math.nan
    lower: float = math.nan
    upper: float = math.nan
    unit: str = ""
    shocks: int | None = None
    by_reading: Mapping[str, float] = field(default_factory=dict)
    by_construction: tuple[str, ...] = ()
    sentence: str = ""
    notes: tuple[str, ...] = ()
    problem: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Lay out for JSON, which has no NaN: a missing number is null."""
        out = asdict(self)
        for name in _NUMBERS:
            out[name] = float(out[name]) if math.isfinite(out[name]) else None
        by = self.by_reading
        out["by_reading"] = {k: float(v) if math.isfinite(v) else None for k, v in by.items()}
        out["by_construction"], out["notes"] = list(self.by_construction), list(self.notes)
        return out

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> Judgement:
        """Read back what `to_dict` laid out; unknown keys of a later version are left aside."""
        known = {k: kept[k] for k in (f.name for f in fields(cls)) if k in kept}
        for name in _NUMBERS:
            known[name] = math.nan if known.get(name) is None else float(known[name])
        by = known.get("by_reading") or {}
        known["by_reading"] = {k: math.nan if v is None else v for k, v in by.items()}
        for name in ("by_construction", "notes"):
            known[name] = tuple(known.get(name) or ())
        return cls(**known)


def verdict(probability: float, lower: float, upper: float) -> str:
    """Turn a probability into a verdict.

    Examples
    --------
    >>> verdict(0.9, 0.1, 0.9), verdict(0.4, 0.1, 0.9), verdict(0.02, 0.1, 0.9)
    ('borne out', 'undecided', 'contradicted')
    """
    if probability >= upper:
        return "borne out"
    return "contradicted" if probability <= lower else "undecided"
