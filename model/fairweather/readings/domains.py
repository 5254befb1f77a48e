"""Domains: elastic sides whose effect shows first in security and last in the economy, or not.

Invariant: items of security and of the economy read the path a share of the gap to the target
ahead or behind; signs are free, so that the order has to be earned. At no lead it is the elastic
side. Guarded by ``tests/test_readings.py``. The brief's order of loss (claims C31, C41).
"""

from __future__ import annotations

from typing import Any

from fairweather.readings import elastic_side

LABEL = "domains in turn"
CLAIM = "each side has its own elasticity; domains answer one after another"
COEFFICIENTS: dict[str, str | None] = elastic_side.COEFFICIENTS
PARTS = ("trend", "complementarity", "scope", "leads")
DRIVERS = "complementarity"
PRESSED = "own"
HOLDS: dict[str, dict[str, Any]] = {}

coefficients = elastic_side.coefficients
drive = elastic_side.drive
