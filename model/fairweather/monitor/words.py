"""What a look at the running year says, in sentences; no digit that the draws do not support.

Invariant: a cause is named only when durability fell or rose beyond the cut-offs, and rows only if
the weights that single them out can be trusted. Guarded by ``tests/test_monitor_words.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fairweather.monitor.influence import EVERY
from fairweather.monitor.warning import UNTOLD
from fairweather.wording import percent, points

if TYPE_CHECKING:
    from fairweather.monitor.warning import EarlyWarning
    from fairweather.monitor.watch import Watch

# An effect smaller than this many of its Monte Carlo errors is not named.
CLEAR = 2.0


def headline(one: Watch) -> str:
    """Say in one sentence whether durability fell, rose, or cannot be told, and why.

    Parameters
    ----------
    one : Watch

    Returns
    -------
    str
    """
    w = one.warning
    since = f"its state of {w.since}"
    if one.earlier is not None:
        since = f"forecast {one.earlier.serial}, issued from {w.since}"
    chance = f"probability that it fell {share(w.fell, w.fell_error)}"
    if w.verdict == UNTOLD:
        return (
            f"Whether the durability of {w.focal} fell since {since}, cannot be told: {chance}, "
            f"mean change {moved(w.change, w.change_error)}."
        )
    size = moved(w.change, w.change_error)
    return (
        f"The durability of {w.focal} {w.verdict} since {since}: {chance}, mean change {size}, "
        f"{cause(w)}{rows_named(one)}."
    )


def share(value: float, error: float) -> str:
    """Write a probability in per cent by its Monte Carlo error.

    Examples
    --------
    >>> share(0.934, 0.008)
    '93 %'
    """
    return f"{percent(value, error)} %"


def moved(change: float, error: float) -> str:
    """Write a change of a probability by its Monte Carlo error.

    Examples
    --------
    >>> moved(-0.0312, 0.004), moved(0.01, 0.004)
    ('-3 points', '+1 point')
    """
    text = points(change, error)
    return f"{text} point{'' if text.lstrip('+-') == '1' else 's'}"


def cause(w: EarlyWarning) -> str:
    """Name the part that moved durability most in the direction it went.

    Parameters
    ----------
    w : EarlyWarning

    Returns
    -------
    str
    """
    sign = -1.0 if w.verdict == "fell" else 1.0
    own = sign * w.parts["change"].to_numpy()
    k = int(np.argmax(own))
    part = w.parts.iloc[k]
    if own[k] <= CLEAR * part["mc_error"]:
        return "no single part of which stands out"
    what, _, who = str(part["part"]).partition(" ")
    what = f"{what} on {who} moved" if who else f"{what} itself moved"
    return f"mostly because {what} ({moved(part['change'], part['mc_error'])})"


def rows_named(one: Watch) -> str:
    """Name the indicator whose rows of the running year moved the probability most."""
    if one.influence is None:
        return ""
    table = one.influence[one.influence["indicator"] != EVERY]
    if table["fell"].isna().any():
        # One of those without a number may be the largest.
        return "; which rows tell it, their weights do not say (Pareto k too large)"
    sign = 1.0 if one.warning.verdict == "fell" else -1.0
    k = int(np.argmax(sign * table["fell"].to_numpy()))
    top = table.iloc[k]
    if sign * top["fell"] <= CLEAR * top["fell_error"]:
        return "; no indicator's rows of the year tell it"
    without = np.clip(one.warning.fell - top["fell"], 0.0, 1.0)
    return (
        f"; told most by the rows of {top['indicator']} (without them the probability is "
        f"{share(without, one.warning.fell_error)})"
    )


def split(one: Watch) -> str:
    """Say how the number issued became today's: what was learned, and what happened since.

    Parameters
    ----------
    one : Watch

    Returns
    -------
    str
    """
    w = one.warning
    then, today = (share(a, e) for a, e in ((w.then, w.then_error), (w.today, w.today_error)))
    ahead = f"{w.horizon} year{'s' if w.horizon > 1 else ''} ahead, above its {w.threshold} level"
    happened = moved(w.change, w.change_error)
    low, high = (moved(x, w.change_error).split()[0] for x in (w.lower, w.upper))
    if one.issued is None:
        why = f" ({one.issued_as})" if one.earlier is not None else ""
        return (
            f"Durability {ahead}: {then} seen from {w.since}, {today} from {w.now}{why}; "
            f"what happened since: {happened} [{low}, {high}]."
        )
    return (
        f"Durability {ahead}: issued {share(one.issued, w.then_error)} ({one.issued_as}), today's "
        f"view of the same origin {then}, now {today}. What was learned of {w.since} and before: "
        f"{moved(one.learned, w.then_error)}; what happened since: {happened} [{low}, {high}]."
    )
