"""Common enemy: what counts is the pressure the two states share, a power mean of both.

Invariant: with P the log of pressure in levels, the power mean of exponent w is
``log(((e^(w P_i) + e^(w P_j)) / 2)) / w``: the weakest link as w falls, the geometric mean at 0,
the strongest side as w grows; it shifts one for one with a common shift of both pressures.
Guarded by ``tests/test_readings.py::test_power_mean_limits``.
"""

from __future__ import annotations

from typing import Any

LABEL = "common enemy"
CLAIM = "shared pressure joins; the learned exponent says whether the weaker side decides"
COEFFICIENTS: dict[str, str | None] = {"shared_pressure": None, "exponent": None}
PARTS = ("trend", "complementarity", "scope")
DRIVERS = "complementarity"
PRESSED = "own"
HOLDS: dict[str, dict[str, Any]] = {}


def coefficients(priors: Any, space: Any) -> dict[str, Any]:
    """Create the common effect and the learned exponent in the current PyMC model."""
    return {
        "shared_pressure": priors["shared_pressure"].rv(),
        "exponent": priors["exponent"].rv(),
    }


def power_mean(xp: Any, left: Any, right: Any, exponent: Any) -> Any:
    """Log power mean of two log pressures, smooth through exponent 0.

    With half gap g: mean + log(cosh(w g)) / w; near w g = 0 the ratio is w g^2 / 2, so the
    expression is written as g * (softened |w g|) without a division by zero.
    """
    gap = 0.5 * (left - right)
    x = exponent * gap
    # log cosh x = |x| + log1p(exp(-2|x|)) - log 2; the 1e-6 keeps the root smooth at 0.
    size = xp.sqrt(x * x + 1e-6)
    logcosh = size + xp.log1p(xp.exp(-2.0 * size)) - 0.6931471805599453
    safe = xp.sqrt(exponent * exponent + 1e-6)
    sign = exponent / safe
    return 0.5 * (left + right) + sign * logcosh / safe


def drive(xp: Any, left: Any, right: Any, c: dict[str, Any]) -> Any:
    """Return the common effect times the power mean of the two pressures."""
    mean = power_mean(xp, left["pressure"], right["pressure"], c["exponent"])
    return c["shared_pressure"] * mean
