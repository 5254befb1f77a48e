"""Bands and captions say the same thing: interval kind, levels, units and vintage, in one place.

Guarded by ``tests/test_figures.py``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from fairweather.panel import REFERENCE_YEARS

LEVELS = (0.89, 0.5)
INTERVAL = "equal-tailed credible interval"


def reference(attrs: Mapping[str, Any], latent: str) -> tuple[float, float]:
    """Centre and spread of the reference set of a latent, from the attributes of a fit."""
    stored = attrs["reference"]
    table = json.loads(stored) if isinstance(stored, str) else stored
    centre, spread = table[latent]
    return float(centre), float(spread)


def reported(values: Any, attrs: Mapping[str, Any], latent: str) -> np.ndarray:
    """Values of a latent in the unit in which it is reported.

    Returns
    -------
    ndarray
        Standard deviations of all dyads (or states) in the reference years, from their mean.

    Examples
    --------
    >>> reported([1.4], {"reference": {"alignment": [1.0, 0.4]}}, "alignment").round(6).tolist()
    [1.0]
    """
    centre, spread = reference(attrs, latent)
    return (np.asarray(values, float) - centre) / spread


def flat(array: Any) -> np.ndarray:
    """Draws of all chains as one leading axis, shape (draw, ...), from a labelled array."""
    rest = [d for d in array.dims if d not in ("chain", "draw")]
    values = array.transpose(*[d for d in ("chain", "draw") if d in array.dims], *rest).values
    return values.reshape(-1, *(array.sizes[d] for d in rest))


def draw_band(ax: Any, x: Any, draws: np.ndarray, color: str, label: str | None = None) -> None:
    """Draw the median and the 50 and 89 % bands of draws, shape (draw, x)."""
    for level, alpha in zip(LEVELS, (0.18, 0.35), strict=True):
        low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2], axis=0)
        ax.fill_between(x, low, high, color=color, alpha=alpha, linewidth=0)
    ax.plot(x, np.median(draws, axis=0), color=color, label=label)


def unit(latent: str) -> str:
    """Axis label of a latent's unit."""
    units = {"alignment": "dyads", "pressure": "states"}[latent]
    first, last = REFERENCE_YEARS
    return f"SD of all {units} in {first}–{last}"


def vintage(attrs: Mapping[str, Any]) -> str:
    """One sentence on which data, beliefs and reading a result rests."""
    day = attrs.get("as_of") or None
    data = f"data available on {day}" if day else "the full record"
    return (
        f"Reading {attrs.get('reading')}, priors {attrs.get('priors_id')}; {data}, "
        f"last year {attrs.get('origin')}, record {str(attrs.get('record_hash'))[:8]}."
    )


def band_caption() -> str:
    """One sentence on what the line and the bands are."""
    return f"Line: posterior median; dark and light bands: 50 % and 89 % {INTERVAL}."
