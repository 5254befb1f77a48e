"""One plain sentence for a verdict, with the numbers it rests on.

Invariant: every sentence about a judged claim holds its probability, its quantity and its unit.
Guarded by ``tests/test_claims_judge.py``.
"""

from __future__ import annotations

import math
from typing import Any

from fairweather.claims.judgement import Judgement
from fairweather.wording import percent

# Stated to a percentage point: draws and replicates support no more.
_ERROR = 0.01
_COUNTED = {
    "easing": "independent easing shock(s)", "hardship": "independent hardship shock(s)",
    "both": "independent shocks of easing or hardship", "states": "states", "years": "years",
    "meetings": "meeting(s)", "votes": "vote(s)", "deals": "deal(s)", "events": "event(s)",
}  # fmt: skip


def share(probability: float) -> str:
    """Probability in per cent; a dash where there is none."""
    return "–" if math.isnan(probability) else f"{percent(probability, _ERROR)} %"


def number(x: float, width: float) -> str:
    """Print a number to one digit beyond the width of its interval.

    Examples
    --------
    >>> number(1.2345, 3.0), number(0.012345, 0.001), number(-0.001, 0.0)
    ('1.2', '0.0123', '0.00')
    """
    if not math.isfinite(x):
        return "–"
    digits = 2 if not width > 0 else min(max(1 - math.floor(math.log10(width)), 0), 4)
    text = f"{x:.{digits}f}"
    return text.lstrip("-") if float(text) == 0 else text


def estimate(found: Judgement) -> str:
    """Quantity with its 89 % interval and its unit; blank where there is none."""
    if math.isnan(found.value):
        return ""
    width = found.upper - found.lower
    text = number(found.value, width)
    if width > 0:
        text += f" [{number(found.lower, width)}, {number(found.upper, width)}]"
    return f"{text} {found.unit}".rstrip()


def basis(found: Judgement, kind: str) -> str:
    """Say what the numbers rest on; blank where nothing is counted."""
    if found.shocks is None:
        return ""
    return f"{found.shocks} {_COUNTED.get(kind, 'independent events')}"


def sentence(found: Judgement, entry: dict[str, Any], why: str = "", halves: str = "") -> str:
    """Say the finding in one sentence.

    Parameters
    ----------
    found : Judgement
        With its verdict.
    entry : dict
    why : str
        Why it is undecided where its probability alone would say otherwise.
    halves : str
        Of a claim in two halves, how each one stands.
    """
    if math.isnan(found.probability):
        return f"{str(found.verdict).capitalize()}: {why or 'no probability can be given'}."
    before = "" if math.isnan(found.prior_probability) else (
        f" ({share(found.prior_probability)} before the record is seen)"
    )  # fmt: skip
    formal = entry["formal"].rstrip(".")
    text = (
        f"{str(found.verdict).capitalize()}: the probability is {share(found.probability)}{before} "
        f"that {formal[:1].lower()}{formal[1:]}; the quantity is {estimate(found)}"
    )
    if on := basis(found, entry["shocks"]):
        text += f", resting on {on}"
    if halves:
        text += f"; {halves}"
    if why:
        text += f"; it stays undecided because {why[:1].lower()}{why[1:]}"
    return f"{text}."
