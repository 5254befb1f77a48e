"""Exogenous primacy: which term of the target moves most over the years, and to which side.

Invariant: terms are compared by their own variance, so that a wide prior does not decide.
Guarded by ``tests/test_claims_measures.py``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fairweather.claims.evidence import Evidence
from fairweather.claims.measures.easing import eased
from fairweather.draws import Draws


def exogenous(draws: Draws, params: dict[str, Any]) -> Evidence:
    """Variance over the years of the terms of the target, each by itself.

    Pressure that drives the pair apart is no driver of its alignment: easing both has to lower it.
    """
    _, pressure, comp = draws.history()
    terms = draws.terms(pressure[:, None], comp, draws.panel.years)
    size = {k: v[:, 0].var(axis=-1) for k, v in terms.items()}
    p, c, d = size["pressure"], size["complementarity"], size["drift"]
    share = p / np.maximum(p + c + d, 1e-300)
    joins = eased(draws, draws.pair) < 0
    note = (
        f"pressure varies more than complementarity with probability {(p > c).mean():.2f}, and "
        f"joins the pair with {joins.mean():.2f}; "
        f"it exceeds drift with probability {(p > d).mean():.2f}, "
        f"both with {((p > c) & (p > d)).mean():.2f}"
    )
    return Evidence(share, (p > c) & joins, note)
