"""Which domain of the tie moves first: security, or the economy.

Invariant: only a reading that lets domains lead or lag can speak; in others they move together.
Guarded by ``tests/test_claims_measures.py``.
"""

from __future__ import annotations

from typing import Any

from fairweather.claims.evidence import Evidence
from fairweather.draws import Draws


def economic_lags(draws: Draws, params: dict[str, Any]) -> Evidence:
    """Lead of the economic domain: below 0 and below that of security."""
    economic, security = draws.get("lead_economic"), draws.get("lead_security")
    note = f"security leads by {security.mean():.2f}"
    return Evidence(economic, (economic < 0) & (economic < security), note)


def security_first(draws: Draws, params: dict[str, Any]) -> Evidence:
    """Lead of security over the economy, with the composite between them."""
    economic, security = draws.get("lead_economic"), draws.get("lead_security")
    return Evidence(security - economic, (security > 0) & (economic < 0))
