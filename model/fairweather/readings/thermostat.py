"""Thermostat: pressures add up, each state with its own elasticity.

Invariant: the effect of one state's pressure does not depend on the other's.
Guarded by ``tests/test_readings.py``. Contract: reading H1 (additive pressure).
"""

from __future__ import annotations

from typing import Any

LABEL = "thermostat"
CLAIM = "pressures add up; each state answers to its own"
COEFFICIENTS: dict[str, str | None] = {"elasticity": "state"}
PARTS = ("trend", "complementarity", "scope")
DRIVERS = "complementarity"
PRESSED = "own"
HOLDS: dict[str, dict[str, Any]] = {}


def coefficients(priors: Any, space: Any) -> dict[str, Any]:
    """Create one elasticity per state, partially pooled, in the current PyMC model."""
    return {"elasticity": space.elasticity(priors)}


def drive(xp: Any, left: Any, right: Any, c: dict[str, Any]) -> Any:
    """Return the sum of the two sides' answers to their own pressure."""
    return left["elasticity"] * left["pressure"] + right["elasticity"] * right["pressure"]
