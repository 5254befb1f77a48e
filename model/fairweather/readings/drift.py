"""Smooth drift: alignment rises or falls along a trend of its own and is immune to weather.

Invariant: pressure never enters. Guarded by ``tests/test_readings.py``.
The strongest published rival of the brief (Korolev 2019; Papageorgiou and Vieira 2023).
"""

from __future__ import annotations

from typing import Any

LABEL = "smooth drift"
CLAIM = "a trend per dyad; US pressure plays no part"
COEFFICIENTS: dict[str, str | None] = {}
PARTS = ("trend",)
DRIVERS = "complementarity"
PRESSED = "own"
HOLDS: dict[str, dict[str, Any]] = {}


def coefficients(priors: Any, space: Any) -> dict[str, Any]:
    """No coefficient of its own: every reading carries the trend of each dyad, this one only it."""
    return {}


def drive(xp: Any, left: Any, right: Any, c: dict[str, Any]) -> Any:
    """Return the pull of the two sides on the target: none."""
    return xp.zeros_like(left["pressure"])
