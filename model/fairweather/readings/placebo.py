"""Placebo: a thermostat wired to the wrong room, the pressure on two unrelated states.

Invariant: the pressure on a dyad's own states never enters. It must lose: where it does not, the
contest feels common weather and not pressure. Guarded by ``tests/test_readings.py``.
"""

from __future__ import annotations

from typing import Any

from fairweather.readings import thermostat

LABEL = "placebo"
CLAIM = "pressure on two unrelated states joins: must lose"
COEFFICIENTS: dict[str, str | None] = thermostat.COEFFICIENTS
PARTS = ("trend", "complementarity")
DRIVERS = "complementarity"
PRESSED = "unrelated"
HOLDS: dict[str, dict[str, Any]] = {}

coefficients = thermostat.coefficients
drive = thermostat.drive
