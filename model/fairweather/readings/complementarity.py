"""Complementarity: economies that need each other align; pressure plays no part.

Invariant: pressure never enters. Guarded by ``tests/test_readings.py``. Contract: rival N1
(Strüver 2016, 2017).
"""

from __future__ import annotations

from typing import Any

LABEL = "complementarity"
CLAIM = "economic fit joins; US pressure plays no part"
COEFFICIENTS: dict[str, str | None] = {}
PARTS = ("trend", "complementarity")
DRIVERS = "complementarity"
PRESSED = "own"
HOLDS: dict[str, dict[str, Any]] = {}


def coefficients(priors: Any, space: Any) -> dict[str, Any]:
    """No coefficient of its own."""
    return {}


def drive(xp: Any, left: Any, right: Any, c: dict[str, Any]) -> Any:
    """Return the pull of pressure on the target: none."""
    return xp.zeros_like(left["pressure"])
