"""Rival readings of what holds an alignment together, as interchangeable pieces of one model.

Invariant: a reading only says how two pressures move the target of a dyad; everything else is
shared. Each is a module with the same two functions, ``coefficients`` and ``drive``, found here.
Guarded by the conformance suite ``tests/test_readings.py``.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from fairweather.errors import FairweatherError

READINGS: dict[str, str] = {
    "drift": "fairweather.readings.drift",
    "thermostat": "fairweather.readings.thermostat",
    "common-enemy": "fairweather.readings.common_enemy",
    "elastic-side": "fairweather.readings.elastic_side",
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
        With ``LABEL``, ``CLAIM``, ``COEFFICIENTS`` (name -> dims), ``coefficients(space)`` and
        ``drive(xp, left, right, c)``.

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
