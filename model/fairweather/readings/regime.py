"""Regime: likeness of institutions and leaders who have long dealt with each other join.

Invariant: pressure never enters; likeness takes the place of complementarity, with the same prior
and error. Guarded by ``tests/test_readings.py``. Contract: rival N2 (claims C07, C19, C23).
"""

from __future__ import annotations

from typing import Any

LABEL = "regime and leaders"
CLAIM = "alike regimes and lasting leaders join; US pressure plays no part"
COEFFICIENTS: dict[str, str | None] = {}
PARTS = ("trend", "complementarity")
DRIVERS = "likeness"
PRESSED = "own"
HOLDS: dict[str, dict[str, Any]] = {}


def coefficients(priors: Any, space: Any) -> dict[str, Any]:
    """No coefficient of its own."""
    return {}


def drive(xp: Any, left: Any, right: Any, c: dict[str, Any]) -> Any:
    """Return the pull of pressure on the target: none."""
    return xp.zeros_like(left["pressure"])
