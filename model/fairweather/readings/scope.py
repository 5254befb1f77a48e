"""Scope: complementarity counts only where pressure is present, and pressure alone does nothing.

Invariant: without complementarity above or below its mean, pressure has no effect; without
pressure complementarity has none.
Guarded by ``tests/test_readings.py``. The brief's words on economics (claim C36), taken alone.
"""

from __future__ import annotations

from typing import Any

from fairweather.readings import drift

LABEL = "scope"
CLAIM = "complementarity counts only where pressure is present"
COEFFICIENTS: dict[str, str | None] = {}
PARTS = ("trend", "scope")
DRIVERS = "complementarity"
PRESSED = "own"
HOLDS: dict[str, dict[str, Any]] = {}

coefficients = drift.coefficients
drive = drift.drive
