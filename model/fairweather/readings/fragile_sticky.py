"""Fragile or sticky: a thermostat that falls faster than it rose, or the reverse.

Invariant: the speed depends on the direction in which the target moves, never on cumulated rises
and falls, which are a trend in disguise; rise and fall have the same prior, so that the claim has
to be earned. Guarded by ``tests/test_readings.py`` and ``tests/test_dynamics.py``. Contract: H3.
"""

from __future__ import annotations

from typing import Any

from fairweather.readings import thermostat

LABEL = "fragile or sticky"
CLAIM = "pressures add up, and the tie falls faster than it rose, or slower"
COEFFICIENTS: dict[str, str | None] = thermostat.COEFFICIENTS
PARTS = ("trend", "complementarity", "scope", "asymmetry")
DRIVERS = "complementarity"
PRESSED = "own"
HOLDS: dict[str, dict[str, Any]] = {}

coefficients = thermostat.coefficients
drive = thermostat.drive
