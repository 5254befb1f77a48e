"""Complementarity: economies that need each other align; pressure plays no part.

Invariant: pressure never enters. Guarded by ``tests/test_readings.py``. Contract: rival N1
(Strüver 2016, 2017).
"""

from __future__ import annotations

from typing import Any

from fairweather.readings import drift

LABEL = "complementarity"
CLAIM = "economic fit joins; US pressure plays no part"
COEFFICIENTS: dict[str, str | None] = {}
PARTS = ("trend", "complementarity")
DRIVERS = "complementarity"
PRESSED = "own"
HOLDS: dict[str, dict[str, Any]] = {}

coefficients = drift.coefficients
drive = drift.drive
