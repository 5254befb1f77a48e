"""Variance ratio of votes: three-year changes against three independent yearly ones.

Mean square of three-year changes over three times that of yearly changes, on the logit scale, all
dyads pooled. One: a random walk. Well below one: yearly changes are undone, as noise is.
Invariant and guard: see the package.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fairweather.statistics.tools import differences, mean_seen, per_draw

LABEL = "variance ratio of votes over three years"
PURPOSE = "misfit"
OBSERVABLES_ONLY = True
SPAN = 3


def _square(data: Any, span: int) -> np.ndarray:
    return mean_seen(differences(data, "vote", span) ** 2, axis=(-2, -1))


def compute(data: Any) -> Any:
    """Ratio of the two mean squares."""
    yearly = _square(data, 1)
    ratio = _square(data, SPAN) / (SPAN * np.where(yearly > 0, yearly, np.nan))
    return per_draw(data, ratio[..., None], "vote series that moves over three years")


def support(data: Any) -> int:
    """Count the three-year changes."""
    return int(np.isfinite(differences(data, "vote", SPAN)).sum())
