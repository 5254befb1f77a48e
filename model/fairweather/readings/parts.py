"""What a reading goes without: the shared parts of the model, and the values at which they are nil.

Invariant: a part a reading does not list is held at its nil value, so that two readings differ by
what they say and by nothing else; measurement, pressure and identification are never touched.
Guarded by ``tests/test_readings.py``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from fairweather.errors import FairweatherError
from fairweather.readings import get_reading

if TYPE_CHECKING:
    from fairweather.panel import Panel
    from fairweather.priors import Priors

_NIL = {"dist": "Fixed", "params": {"value": 0.0}}
# A trend of a fiftieth of a logit a decade is none; exactly none would be a wall for the sampler.
PARTS: dict[str, dict[str, dict[str, Any]]] = {
    "trend": {
        "drift": {"dist": "Normal", "params": {"mu": 0.0, "sigma": 0.02}},
        "dyad_drift_scale": {"dist": "Fixed", "params": {"value": 0.02}},
    },
    "complementarity": {
        f"complementarity_{kind}": _NIL for kind in ("trade", "energy", "regime", "leaders")
    },
    "scope": {"scope": _NIL},
    "asymmetry": {"asymmetry": _NIL},
    "leads": {"lead_security": _NIL, "lead_economic": _NIL},
}
DRIVERS = ("complementarity", "likeness")
PRESSED = ("own", "unrelated")


def narrowed(priors: Priors, reading: str) -> Priors:
    """Hold what a reading goes without.

    Parameters
    ----------
    priors : Priors
    reading : str

    Returns
    -------
    Priors
        Of the same id and hash: the name of the reading says the rest.

    Examples
    --------
    >>> import fairweather as fw
    >>> narrowed(fw.load_priors(), "drift").fixed("scope")
    0.0
    """
    piece = get_reading(reading)
    changes = dict(piece.HOLDS)
    for part, held in PARTS.items():
        if part not in piece.PARTS:
            changes |= held
    reason = f"the reading {reading} goes without it"
    known = {k: v for k, v in changes.items() if k in priors.table}
    table = {
        k: replace(priors[k], dist=v["dist"], params=dict(v["params"]), reason=reason,
                   source="fairweather.readings")
        for k, v in known.items()
    }  # fmt: skip
    return replace(priors, table={**priors.table, **table})


def scope_from(panel: Panel, reading: str) -> float:
    """Where a reading counts pressure from when it asks how much complementarity counts.

    From the panel's mean, where complementarity has an effect of its own beside; else from no
    pressure at all, so that it counts only where pressure is present.

    Examples
    --------
    >>> import fairweather as fw
    >>> scope_from(fw.load_panel(states=["CHN", "RUS", "IND"]), "thermostat")
    0.0
    """
    return 0.0 if "complementarity" in get_reading(reading).PARTS else float(panel.anchor_mean)


def seen(panel: Panel, reading: str) -> Panel:
    """Put the drivers a reading reads in the place of complementarity.

    Examples
    --------
    >>> import fairweather as fw
    >>> seen(fw.load_panel(states=["CHN", "RUS", "IND"]), "regime").kinds
    ('regime', 'leaders')
    """
    if get_reading(reading).DRIVERS == "complementarity":
        return panel
    return replace(panel, complementarity=panel.likeness, kinds=panel.likeness_kinds)


def pressed(panel: Panel, reading: str) -> tuple[np.ndarray, np.ndarray]:
    """Whose pressure moves each dyad: that of its own two states, or of two unrelated ones.

    Unrelated are the two states half the alphabet further on, or the nearest after them that are
    no members of the dyad: a rule that knows nothing of the states. With three states there is one.

    Returns
    -------
    left, right : ndarray of int, shape (dyad,)

    Raises
    ------
    FairweatherError
        Fewer than three states.

    Examples
    --------
    >>> import fairweather as fw
    >>> panel = fw.load_panel(states=["CHN", "RUS", "IND"])
    >>> panel.dyads[0], [panel.states[s[0]] for s in pressed(panel, "placebo")]
    ('CHN-IND', ['RUS', 'RUS'])
    """
    if get_reading(reading).PRESSED == "own":
        return panel.left, panel.right
    n = len(panel.states)
    if n < 3:
        raise FairweatherError("a placebo needs a third state", remedy="Name three or more.")
    out = np.empty((2, len(panel.dyads)), int)
    for d, pair in enumerate(zip(panel.left, panel.right, strict=True)):
        for side, state in enumerate(pair):
            step = n // 2
            while (state + step) % n in pair:
                step += 1
            out[side, d] = (state + step) % n
    return out[0], out[1]
