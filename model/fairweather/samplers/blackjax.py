"""NUTS of blackjax, on JAX: a second opinion.

Guarded by ``tests/test_samplers.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairweather.samplers import Drawn, Settings, through_pymc

if TYPE_CHECKING:
    from fairweather.model import Model


def require() -> None:
    """Refuse if the package is missing."""
    through_pymc.require("blackjax")


def sample(model: Model, settings: Settings) -> Drawn:
    """Draw from the posterior; see `fairweather.samplers`."""
    return through_pymc.sample(model, settings, "blackjax")
