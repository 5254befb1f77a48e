"""Elastic side: each state has an elasticity of its own, and the tie is a product of two demands.

Invariant: with p the pressure above its reference, the pull is
``b_i p_i + b_j p_j + g p_i p_j``: the product of two linear demands with its cross term free.
At g = 0 it is the thermostat; with g > 0 relief on one side also weakens what the other side's
pressure is worth, so that easing one side is enough. Guarded by ``tests/test_readings.py``.
The brief's own reading (Yun Sun 2016): Russia's elasticity is the larger.
"""

from __future__ import annotations

from typing import Any

LABEL = "elastic side"
CLAIM = "each side has its own elasticity; relief on one side can be enough"
COEFFICIENTS: dict[str, str | None] = {"elasticity": "state", "coupling": None}
PARTS = ("trend", "complementarity", "scope")
DRIVERS = "complementarity"
PRESSED = "own"
HOLDS: dict[str, dict[str, Any]] = {}


def coefficients(priors: Any, space: Any) -> dict[str, Any]:
    """Create an elasticity per state and the coupling of the two demands."""
    return {"elasticity": space.elasticity(priors), "coupling": priors["coupling"].rv()}


def drive(xp: Any, left: Any, right: Any, c: dict[str, Any]) -> Any:
    """Return own answers plus the coupling of the two pressures above their reference."""
    own = left["elasticity"] * left["pressure"] + right["elasticity"] * right["pressure"]
    return own + c["coupling"] * left["pressure"] * right["pressure"]
