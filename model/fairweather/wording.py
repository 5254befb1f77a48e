"""Numbers and names as they are printed: no digit that the number of draws does not support.

Guarded by ``tests/test_tables.py``.
"""

from __future__ import annotations

# Percentage points a printed probability may be rounded to.
_STEPS = (0.1, 1.0, 2.0, 5.0, 10.0)
_PROPER = ("russia", "china")


def sentence(text: str) -> str:
    """Begin with a capital and end with a full stop.

    Examples
    --------
    >>> sentence("one pair only")
    'One pair only.'
    """
    text = text[:1].upper() + text[1:]
    return text if text.endswith(".") else f"{text}."


def step_for(mc_error: float) -> float:
    """Choose a rounding step in percentage points: the finest not finer than the Monte Carlo error.

    Parameters
    ----------
    mc_error : float
        Standard error of a probability, as a share.

    Returns
    -------
    float

    Examples
    --------
    >>> step_for(0.004), step_for(0.012), step_for(0.0004)
    (1.0, 2.0, 0.1)
    """
    points = 100 * mc_error
    return next((s for s in _STEPS if points <= s), _STEPS[-1]) if points >= 0 else _STEPS[-1]


def percent(share: float, mc_error: float) -> str:
    """Probability as a percentage, rounded by its Monte Carlo error.

    Never 0 or 100: draws that all agree do not make a thing certain.

    Examples
    --------
    >>> percent(0.8349, 0.006), percent(0.9999, 0.004), percent(0.0, 0.0004)
    ('83', '>99', '<0.1')
    """
    step = step_for(mc_error)
    value = round(100 * share / step) * step
    digits = 1 if step < 1 else 0
    if value >= 100:
        return f">{100 - step:.{digits}f}"
    if value <= 0:
        return f"<{step:.{digits}f}"
    return f"{value:.{digits}f}"


def points(change: float, mc_error: float) -> str:
    """Change of a probability in percentage points, signed, rounded by its Monte Carlo error.

    Examples
    --------
    >>> points(-0.123, 0.005), points(0.001, 0.005)
    ('-12', '0')
    """
    step = step_for(mc_error)
    value = round(100 * change / step) * step
    text = f"{value:+.{1 if step < 1 else 0}f}"
    return "0" if float(text) == 0 else text


def baseline(names: list[str]) -> str:
    """Name of the scenario the others are compared with: the current weather, else the first.

    Examples
    --------
    >>> baseline(["storm", "current-weather"])
    'current-weather'
    """
    return next((n for n in names if n.startswith("current")), names[0])


def pretty(name: str) -> str:
    """Scenario name as words.

    Examples
    --------
    >>> pretty("ease-russia"), pretty("reset_2009")
    ('Ease Russia', 'Reset 2009')
    """
    words = name.replace("_", " ").replace("-", " ").split()
    proper = [w.capitalize() if w in _PROPER else w for w in words]
    return " ".join([proper[0][:1].upper() + proper[0][1:], *proper[1:]])
