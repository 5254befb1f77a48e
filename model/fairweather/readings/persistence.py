"""Persistence: alignment stays where it is, and wanders; nothing pulls it anywhere.

Invariant: no driver and no trend, and a half-life of a generation, so that a record of three
decades sees a random walk. Guarded by ``tests/test_readings.py``. The yardstick of every forecast.
"""

from __future__ import annotations

from typing import Any

from fairweather.readings import drift

LABEL = "persistence"
CLAIM = "a random walk; nothing pulls"
COEFFICIENTS: dict[str, str | None] = {}
PARTS = ()
DRIVERS = "complementarity"
PRESSED = "own"
HOLDS: dict[str, dict[str, Any]] = {
    "half_life": {"dist": "Fixed", "params": {"value": 30.0}},
}

coefficients = drift.coefficients
drive = drift.drive
