"""Which readings the contest prefers, and whether their coefficients say what the claim says.

Invariant: only the weights of the readings named count, so that a claim about two readings is not
settled by a third. Guarded by ``tests/test_claims_measures.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fairweather.claims.evidence import ClaimError, Evidence
from fairweather.claims.measures.easing import eased
from fairweather.draws import Draws
from fairweather.readings import get_reading

if TYPE_CHECKING:
    from fairweather.claims.judge import Context


def _joint(draws: Draws) -> np.ndarray:
    """Whether the pressures count jointly: a weak link, or a positive product."""
    if "exponent" in get_reading(draws.reading).COEFFICIENTS:
        return (draws.get("exponent") < 0) & (draws.get("shared_pressure") > 0)
    return draws.get("coupling") > 0


def _pressure_joins(draws: Draws) -> np.ndarray:
    """Whether pressure on both draws the pair together."""
    return eased(draws, draws.pair) < 0


CONDITIONS = {"joint": _joint, "pressure-joins": _pressure_joins}


def preferred(context: Context, params: dict[str, Any]) -> Evidence:
    """Share of the weight of `pro` and `contra` that goes to `pro` and meets the condition.

    The share of each replicate of the weights is its probability: with weights w and probability
    c of the condition, ``sum(w c, pro) / sum(w, pro and contra)``.
    """
    pro, contra, meets = params["pro"], params["contra"], CONDITIONS[params["condition"]]
    order = list(context.weights)
    missing = [r for r in (*pro, *contra) if r not in order]
    # A reading that weighs next to nothing has no draws to meet a condition with.
    unread = [r for r in pro if r not in context.draws]
    pro = [r for r in pro if r in context.draws]
    if missing or not pro:
        raise ClaimError(
            f"the contest has no weight for {', '.join(missing or unread)}",
            remedy="Run the contest with these readings.",
        )
    weight = context.replicates()
    met = {r: float(meets(context.draws[r]).mean()) for r in pro}
    before = [float(meets(context.prior[r]).mean()) for r in pro]
    total = weight[:, [order.index(r) for r in (*pro, *contra)]].sum(axis=1)
    inside = weight[:, [order.index(r) for r in pro]] @ np.array([met[r] for r in pro])
    known = total > 0.01
    held = weight[:, [order.index(r) for r in unread]].sum(axis=1).mean() if unread else 0.0
    note = f"the readings compared hold {total.mean():.2f} of all weight"
    if unread:
        note += f"; {', '.join(unread)}, with {held:.2f}, were not fitted to the whole record"
    if not known.any():
        raise ClaimError(
            "neither side of the comparison holds any weight in the contest",
            remedy="Nothing can be said of readings that the record rules out.",
        )
    share = inside[known] / total[known]
    return Evidence(
        share, share, note, prior=sum(before) / (len(pro) + len(contra)),
        by_reading={**met, **dict.fromkeys(contra, 0.0)},
    )  # fmt: skip
