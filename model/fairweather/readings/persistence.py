"""Persistence: alignment stays where it is, and wanders; nothing pulls it anywhere.

Invariant: no driver and no trend, and a half-life of a generation, so that a record of three
decades sees a random walk. Guarded by ``tests/test_readings.py``. The yardstick of every forecast.
"""

from __future__ import annotations

from typing import Any

LABEL = "persistence"
CLAIM = "a random walk; nothing pulls"
COEFFICIENTS: dict[str, str | None] = {}
PARTS = ()
DRIVERS = "complementarity"
PRESSED = "own"
HOLDS: dict[str, dict[str, Any]] = {
    "half_life": {"dist": "Fixed", "params": {"value": 30.0}},
}


def coefficients(priors: Any, space: Any) -> dict[str, Any]:
    """No coefficient of its own."""
    return {}


def drive(xp: Any, left: Any, right: Any, c: dict[str, Any]) -> Any:
    """Return the pull of pressure on the target: none."""
    return xp.zeros_like(left["pressure"])
