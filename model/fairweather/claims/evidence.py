"""What a measure hands to the judge: draws of a quantity, and whether the claim holds in each.

Invariant: evidence carries no verdict; thresholds are applied by the judge alone.
Guarded by ``tests/test_claims_judge.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fairweather.errors import FairweatherError

if TYPE_CHECKING:
    import numpy as np


class ClaimError(FairweatherError):
    """A claim cannot be measured on what is given."""


@dataclass(frozen=True)
class Evidence:
    """What a claim says of each draw.

    Attributes
    ----------
    value : ndarray, shape (draw,)
        The reported quantity.
    holds : ndarray of bool or of probabilities, shape (draw,)
        Whether the formal statement holds; its mean is the probability of the claim.
    note : str
        What a reader should know beside the number.
    shocks : int, optional
        Independent events the numbers rest on, where the measure counts them itself.
    prior : float, optional
        Probability before the record is seen, where no prior fit can tell; NaN where there is none.
    prior_holds : ndarray of bool, optional
        Whether it holds in draws from a prior of the measure's own; stands in for `prior`.
    events : int, optional
        Rows or events that were counted; unlike `shocks` they need not be independent.
    by_reading : mapping of str to float
        Probability by reading, where the measure itself compares readings.
    """

    value: np.ndarray
    holds: np.ndarray
    note: str = ""
    shocks: int | None = None
    prior: float | None = None
    prior_holds: np.ndarray | None = None
    events: int | None = None
    by_reading: Mapping[str, float] = field(default_factory=dict)
