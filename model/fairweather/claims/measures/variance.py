"""Exogenous primacy: which term of the target moves most over the years.

Invariant: terms are compared by their own variance, so that a wide prior does not decide.
Guarded by ``tests/test_claims_measures.py``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fairweather.claims.evidence import Evidence
from fairweather.draws import Draws


def exogenous(draws: Draws, params: dict[str, Any]) -> Evidence:
    """Variance over the years of the terms of the target, each by itself."""
    _, pressure, comp = draws.history()
    terms = draws.terms(pressure[:, None], comp, draws.panel.years)
    size = {k: v[:, 0].var(axis=-1) for k, v in terms.items()}
    p, c, d = size["pressure"], size["complementarity"], size["drift"]
    share = p / np.maximum(p + c + d, 1e-300)
    note = (
        f"pressure exceeds drift with probability {(p > d).mean():.2f}, "
        f"both with {((p > c) & (p > d)).mean():.2f}"
    )
    return Evidence(share, p > c, note)
