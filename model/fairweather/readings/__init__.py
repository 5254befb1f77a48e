"""Rival readings of what holds an alignment together, as interchangeable pieces of one model.

Invariant: a reading says how two pressures move the target of a dyad, and which parts of the
shared model it goes without; everything else is shared. Each is a module with the same few names,
found here. Guarded by the conformance suite ``tests/test_readings.py``.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from fairweather.errors import FairweatherError

READINGS: dict[str, str] = {
    "persistence": "fairweather.readings.persistence",
    "drift": "fairweather.readings.drift",
    "complementarity": "fairweather.readings.complementarity",
    "regime": "fairweather.readings.regime",
    "placebo": "fairweather.readings.placebo",
    "thermostat": "fairweather.readings.thermostat",
    "common-enemy": "fairweather.readings.common_enemy",
    "elastic-side": "fairweather.readings.elastic_side",
    "fragile-sticky": "fairweather.readings.fragile_sticky",
    "scope": "fairweather.readings.scope",
    "domains": "fairweather.readings.domains",
}
DEFAULT = "elastic-side"


def get_reading(name: str) -> ModuleType:
    """Return the module of a reading.

    Parameters
    ----------
    name : str
        One of ``READINGS``.

    Returns
    -------
    module
        With ``LABEL``, ``CLAIM``, ``COEFFICIENTS`` (name -> dims), ``PARTS`` (the shared parts it
        has), ``DRIVERS`` (what stands in for complementarity), ``PRESSED`` (whose pressure it
        reads), ``HOLDS`` (what else it holds), ``coefficients(priors, space)`` and
        ``drive(xp, left, right, c)``. See ``fairweather.readings.parts``.

    Raises
    ------
    FairweatherError
        Unknown reading.

    Examples
    --------
    >>> get_reading("drift").LABEL
    'smooth drift'
    """
    if name not in READINGS:
        raise FairweatherError(f"unknown reading '{name}'; choose one of {', '.join(READINGS)}")
    return import_module(READINGS[name])
