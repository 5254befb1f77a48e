"""Forecasts whose targets have come: what was said, what came, and how far that can be relied on.

Invariant: an outcome is scored against forecasts issued while it was not known, and against plain
forecasts made from what was known then; whether a value is final follows from the record and not
from the clock. Guarded by ``tests/test_due.py``.
"""

from fairweather.due.final import FINAL, PROVISIONAL, YEAR, status
from fairweather.due.scored import ISSUED, due_scores
from fairweather.due.tables import MIN_CELLS, means, skills
from fairweather.due.vintage import Vintages

__all__ = [
    "FINAL", "ISSUED", "MIN_CELLS", "PROVISIONAL", "YEAR", "Vintages", "due_scores", "means",
    "skills", "status",
]  # fmt: skip
