"""The measures by name: how a claim becomes a number, one small module per idea.

Invariant: naming a measure imports nothing; each is fetched when it is first asked for. A measure
of method ``posterior`` takes the draws of one fit, ``contest`` and ``held-out`` the whole context,
``record`` the record; all take the claim's ``params`` second and return evidence.
Guarded by ``tests/test_claims_measures.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, NamedTuple

from fairweather.errors import FairweatherError


class Measure(NamedTuple):
    """Where a measure is, and what it takes."""

    method: str
    module: str
    function: str


def _of(method: str, module: str, *functions: str) -> dict[str, Measure]:
    return {f.replace("_", "-"): Measure(method, module, f) for f in functions}


_RECORD = (
    "record_ceiling", "record_coincidence", "record_rank", "record_rate", "record_share",
    "record_step",
)  # fmt: skip
MEASURES: dict[str, Measure] = {
    **_of("posterior", "variance", "exogenous"),
    **_of("posterior", "easing", "fragile", "outlasts", "responsive", "each_bad", "one_side",
          "asymmetric", "demand_stays"),
    **_of("posterior", "condition", "necessary", "sufficient", "follows_threat"),
    **_of("posterior", "complements", "moderated", "too_small"),
    **_of("posterior", "weather", "pressure_fell", "pressure_returns"),
    **_of("posterior", "leads", "economic_lags", "security_first"),
    **_of("posterior", "survival", "less_durable"),
    **_of("contest", "preferred", "preferred"),
    **_of("held-out", "episodes", "after_episodes"),
    **{n.replace("_", "-"): Measure("record", n, n) for n in _RECORD},
}  # fmt: skip


def get_measure(name: str) -> Callable[[Any, dict[str, Any]], Any]:
    """Fetch a measure by name.

    Raises
    ------
    FairweatherError
        Unknown measure; the message lists those there are.

    Examples
    --------
    >>> get_measure("fragile").__name__
    'fragile'
    """
    if name not in MEASURES:
        raise FairweatherError(
            f"unknown measure '{name}'", remedy=f"Use one of {', '.join(MEASURES)}."
        )
    found = MEASURES[name]
    module = import_module(f"fairweather.claims.measures.{found.module}")
    return getattr(module, found.function)
