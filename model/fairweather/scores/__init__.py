"""Scores of a forecast given as draws, as interchangeable pieces.

Invariant: every score is a module with the same names, is proper, and is smaller the better the
forecast, so that tables and bootstraps treat all alike:

``LABEL``
    What the score is, in a few words.
``FAMILIES``
    Indicator families it can be taken of.
``score(cells)``
    One number per cell of a `Cells`, NaN where the score says nothing, with NumPy.

A mixture is draws with weights; every score takes them. The numbers come from `scoringrules`.
Guarded by the conformance suite ``tests/test_scores.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from types import ModuleType

import numpy as np

from fairweather.errors import FairweatherError
from fairweather.scales import link

SCORES: dict[str, str] = {
    "crps": "fairweather.scores.crps",
    "log": "fairweather.scores.log",
    "rps": "fairweather.scores.rps",
    "brier": "fairweather.scores.brier",
    "interval": "fairweather.scores.interval",
}
# Families whose values are whole numbers.
WHOLE = ("count", "share")


class ScoreError(FairweatherError):
    """A forecast cannot be scored as asked."""


@dataclass(frozen=True)
class Cells:
    """Cells of one family: what was foreseen of them and what came.

    Attributes
    ----------
    family : str
    draws : ndarray, shape (cell, draw)
        In the units of the record; of votes the share of agreement.
    value : ndarray, shape (cell,)
        What came, in the same units.
    n : ndarray, shape (cell,)
        Trials or exposure of the cell.
    last : ndarray, shape (cell,)
        The last value known at the origin.
    weights : ndarray, shape (draw,), optional
        Of the draws, summing to one; equal by default.
    """

    family: str
    draws: np.ndarray
    value: np.ndarray
    n: np.ndarray
    last: np.ndarray
    weights: np.ndarray | None = None

    def __post_init__(self) -> None:
        """Refuse shapes that do not fit."""
        size = np.shape(self.draws)
        if len(size) != 2 or size[1] < 2:
            raise ScoreError(
                f"draws have the shape {size}, not (cell, draw)", remedy="Give two draws or more."
            )
        for name in ("value", "n", "last"):
            if np.shape(getattr(self, name)) != size[:1]:
                raise ScoreError(
                    f"'{name}' has the shape {np.shape(getattr(self, name))}, not {size[:1]}",
                    remedy="Give one number a cell.",
                )
        if self.weights is not None:
            w = np.asarray(self.weights)
            if w.shape != size[1:] or not np.isclose(w.sum(), 1.0) or (w < 0).any():
                raise ScoreError(
                    f"weights of shape {w.shape} with sum {w.sum():.3g} do not weigh {size[1]} "
                    "draws",
                    remedy="Give one weight a draw, summing to one.",
                )

    @property
    def w(self) -> np.ndarray:
        """Weights of the draws, summing to one."""
        size = self.draws.shape[1]
        return np.full(size, 1.0 / size) if self.weights is None else np.asarray(self.weights)

    @property
    def linked(self) -> tuple[np.ndarray, np.ndarray]:
        """Draws and outcomes on the scale on which equal differences are equal changes."""
        return (
            link(self.family, self.draws, self.n[:, None]), link(self.family, self.value, self.n)
        )  # fmt: skip


def get_score(name: str) -> ModuleType:
    """Return the module of a score.

    Raises
    ------
    ScoreError
        Unknown score.

    Examples
    --------
    >>> get_score("crps").LABEL
    'continuous ranked probability score'
    """
    if name not in SCORES:
        raise ScoreError(f"unknown score '{name}'", remedy=f"Use one of {', '.join(SCORES)}.")
    return import_module(SCORES[name])
