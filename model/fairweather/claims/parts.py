"""Which part of the model a claim needs, and which readings lack it by construction.

Invariant: a reading lacks a part by what it is, never by what was estimated in it.
Guarded by ``tests/test_claims_judge.py``.
"""

from __future__ import annotations

from fairweather.readings import get_reading

NEEDS = ("none", "pressure", "elasticity", "asymmetry", "domains")
PRESSURE = ("thermostat", "common-enemy", "elastic-side", "fragile-sticky", "domains")
_SAID = {
    "pressure": "in the reading {} pressure on the pair plays no part by construction",
    "elasticity": "the reading {} gives the states no elasticity of their own",
    "asymmetry": "in the reading {} a tie falls as fast as it rises by construction",
    "domains": "in the reading {} all domains move together by construction",
}


def lacking(reading: str, needs: str) -> str | None:
    """Why a reading cannot have what a claim needs; None if it can.

    Examples
    --------
    >>> lacking("drift", "pressure")
    'in the reading drift pressure on the pair plays no part by construction'
    >>> lacking("thermostat", "pressure") is None
    True
    """
    piece = get_reading(reading)
    own = piece.PRESSED == "own"
    has = {
        "none": True,
        # In scope pressure moves the target through complementarity, with no term of its own.
        "pressure": own and (bool(piece.COEFFICIENTS) or "scope" in piece.PARTS),
        "elasticity": own and "elasticity" in piece.COEFFICIENTS,
        "asymmetry": "asymmetry" in piece.PARTS,
        "domains": "leads" in piece.PARTS,
    }
    return None if has[needs] else _SAID[needs].format(reading)
