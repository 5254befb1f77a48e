"""The claims of the brief: a test and thresholds for each, fixed before any fit, and a verdict.

Invariant: importing this package loads nothing heavy, so that stored verdicts are shown at once;
each name below is fetched on first use. Guarded by ``tests/test_claims.py``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fairweather.claims.catalogue import load_claims as load_claims
    from fairweather.claims.evidence import ClaimError as ClaimError
    from fairweather.claims.evidence import Evidence as Evidence
    from fairweather.claims.judge import Context as Context
    from fairweather.claims.judge import judge_all as judge_all
    from fairweather.claims.judgement import MIN_SHOCKS as MIN_SHOCKS
    from fairweather.claims.judgement import NOT_TESTABLE as NOT_TESTABLE
    from fairweather.claims.judgement import Judgement as Judgement
    from fairweather.claims.judgement import verdict as verdict
    from fairweather.claims.preliminary import NOTE as NOTE
    from fairweather.claims.preliminary import assess as assess

_WHERE = {
    "ClaimError": "evidence", "Context": "judge", "Evidence": "evidence",
    "Judgement": "judgement", "MIN_SHOCKS": "judgement", "NOTE": "preliminary",
    "NOT_TESTABLE": "judgement", "assess": "preliminary", "judge_all": "judge",
    "load_claims": "catalogue", "verdict": "judgement",
}  # fmt: skip
__all__ = list(_WHERE)


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'fairweather.claims' has no attribute {name!r}")
    value = getattr(import_module(f"fairweather.claims.{_WHERE[name]}"), name)
    globals()[name] = value
    return value
