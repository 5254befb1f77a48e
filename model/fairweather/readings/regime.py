"""Regime: likeness of institutions and leaders who have long dealt with each other join.

Invariant: pressure never enters; likeness takes the place of complementarity, with the same prior
and error. Guarded by ``tests/test_readings.py``. Contract: rival N2 (claims C07, C19, C23).
"""

from __future__ import annotations

from typing import Any

from fairweather.readings import drift

LABEL = "regime and leaders"
CLAIM = "alike regimes and lasting leaders join; US pressure plays no part"
COEFFICIENTS: dict[str, str | None] = {}
PARTS = ("trend", "complementarity")
DRIVERS = "likeness"
PRESSED = "own"
HOLDS: dict[str, dict[str, Any]] = {}

coefficients = drift.coefficients
drive = drift.drive
