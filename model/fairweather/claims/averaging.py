"""One measure over all readings: draws of each, weighted as the contest weighs the readings.

Invariant: a reading that lacks what the claim needs counts as one in which the claim does not
hold, and is named; it is never left out of the average.
Guarded by ``tests/test_claims_judge.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fairweather.claims.evidence import ClaimError
from fairweather.claims.measures import get_measure
from fairweather.claims.parts import lacking

if TYPE_CHECKING:
    from fairweather.draws import Draws

# A reading with less weight than this changes no printed digit.
NEGLIGIBLE = 0.005
MASS = (0.055, 0.945)


@dataclass(frozen=True)
class Mixture:
    """What the readings say together.

    Attributes
    ----------
    value, holds, weight : ndarray, shape (draw,)
        Draws of all readings, and what each draw weighs; weights sum to one.
    free : ndarray of bool, shape (draw,)
        Draws of readings in which the quantity is learnt.
    by_reading : dict of str to float
    by_construction : tuple of str
        Readings in which the quantity does not vary from draw to draw.
    notes : tuple of str
    shocks : int or None
    prior : float or None
    """

    value: np.ndarray
    holds: np.ndarray
    weight: np.ndarray
    free: np.ndarray
    by_reading: dict[str, float]
    by_construction: tuple[str, ...]
    notes: tuple[str, ...]
    shocks: int | None
    prior: float | None

    @property
    def probability(self) -> float:
        """That the formal statement holds, over all readings."""
        return float(self.weight @ self.holds)

    def summary(self) -> tuple[float, float, float]:
        """Mean and 89 % interval of the quantity."""
        lower, upper = quantiles(self.value, self.weight, MASS)
        return float(self.weight @ self.value), lower, upper

    def learnt(self) -> tuple[float, float, float, float] | None:
        """Probability, mean and interval over readings in which it is learnt; None if in none."""
        if not self.free.any():
            return None
        value, weight = self.value[self.free], self.weight[self.free]
        weight = weight / weight.sum()
        lower, upper = quantiles(value, weight, MASS)
        return float(weight @ self.holds[self.free]), float(weight @ value), lower, upper

    def draw(self, size: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
        """Draw values and whether the statement holds from the mixture, shape (size,) each."""
        at = np.random.default_rng(seed).choice(len(self.weight), size, p=self.weight)
        return self.value[at], self.holds[at]


def quantiles(value: np.ndarray, weight: np.ndarray, levels: tuple[float, ...]) -> list[float]:
    """Quantiles of weighted draws.

    Examples
    --------
    >>> quantiles(np.array([1.0, 2.0, 3.0]), np.array([0.1, 0.1, 0.8]), (0.05, 0.5))
    [1.0, 3.0]
    """
    order = np.argsort(value, kind="stable")
    reached = np.cumsum(weight[order])
    at = np.searchsorted(reached, np.asarray(levels) * reached[-1])
    return [float(x) for x in value[order][np.minimum(at, len(order) - 1)]]


def kept_weights(weights: Mapping[str, float], draws: Mapping[str, Any]) -> dict[str, float]:
    """Weights that count, summing to one.

    Raises
    ------
    ClaimError
        A reading has weight and no draws, or no reading has weight.
    """
    total = sum(weights.values())
    kept = {r: w / total for r, w in weights.items() if total > 0 and w / total >= NEGLIGIBLE}
    if not kept:
        raise ClaimError("no reading has any weight", remedy="Run the contest to its end.")
    if missing := [r for r in kept if r not in draws]:
        raise ClaimError(
            f"the reading {missing[0]} weighs {kept[missing[0]]:.2f} and has no draws that passed "
            "the gate",
            remedy="Fit it to the whole record, with more draws if the gate refused it.",
        )
    whole = sum(kept.values())
    return {r: w / whole for r, w in kept.items()}


def average(
    measure: str, params: dict[str, Any], needs: str, draws: Mapping[str, Draws],
    weights: Mapping[str, float],
) -> Mixture:  # fmt: skip
    """Measure a claim in every reading that has weight.

    Parameters
    ----------
    measure : str
        A posterior measure.
    params : dict
    needs : str
        Part of the model the claim needs.
    draws : mapping of str to Draws
    weights : mapping of str to float

    Returns
    -------
    Mixture

    Raises
    ------
    ClaimError
        A reading has weight and no draws.
    """
    function, kept = get_measure(measure), kept_weights(weights, draws)
    values, held, weight, fixed, notes = [], [], [], [], []
    by_reading: dict[str, float] = {}
    absent: list[str] = []
    shocks, prior = None, None
    heaviest = max(kept, key=kept.__getitem__)
    for reading, w in kept.items():
        if lacking(reading, needs):
            values.append(np.zeros(1))
            held.append(np.zeros(1))
            fixed.append(reading)
            absent.append(reading)
        else:
            found = function(draws[reading], params)
            values.append(np.asarray(found.value, float))
            held.append(np.asarray(found.holds, float))
            # NaN is no constant: it says that there is nothing to measure.
            if np.ptp(values[-1]) < 1e-12:
                fixed.append(reading)
            if found.note and (reading == heaviest or not shocks):
                notes.append(f"{reading}: {found.note}")
            shocks = found.shocks if found.shocks is not None else shocks
            prior = found.prior if found.prior is not None else prior
        by_reading[reading] = float(held[-1].mean())
        weight.append(np.full(len(values[-1]), w / len(values[-1])))
    if absent:
        notes.append(f"without {needs} by construction: {', '.join(absent)}")
    free = [np.full(len(v), r not in fixed) for r, v in zip(kept, values, strict=True)]
    return Mixture(
        np.concatenate(values), np.concatenate(held), np.concatenate(weight),
        np.concatenate(free), by_reading,
        tuple(fixed), tuple(notes), shocks, prior,
    )  # fmt: skip
