"""What a measure must be told: the params it cannot do without, and what each has to be.

Invariant: a param that would make a measure fail, or silently mean another one, is refused when
the catalogue is read, not after hours of fitting; nothing here imports a measure.
Guarded by ``tests/test_claims_catalogue.py``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_RECORD = ("items", "said")
# By measure; "at|pulse" is either. What is not listed needs none.
REQUIRED: dict[str, tuple[str, ...]] = {
    "outlasts": ("size",),
    "each-bad": ("size",),
    "one-side": ("state", "size"),
    "demand-stays": ("state", "size"),
    "necessary": ("high", "low", "at_most"),
    "sufficient": ("high", "low", "at_most"),
    "follows-threat": ("above",),
    "too-small": ("size",),
    "pressure-fell": ("state", "before", "after"),
    "pressure-returns": ("state", "years"),
    "less-durable": ("size",),
    "preferred": ("pro", "contra", "condition"),
    "after-episodes": ("type", "side", "size"),
    "record-ceiling": ("years", "said"),
    "record-coincidence": (*_RECORD, "window", "events", "lags"),
    "record-rank": (*_RECORD, "kind"),
    "record-rate": (*_RECORD, "years", "against"),
    "record-share": ("groups", "said"),
    "record-step": (*_RECORD, "window", "at|pulse"),
}
NUMBER, TEXT, LIST, TABLE, STATE, STATES, SPAN = (
    "a number", "text", "a list", "a table", "a three-letter state code",
    "a list of three-letter state codes", "a first and a last year",
)  # fmt: skip
_SIZES = ("high", "low", "at_most", "above", "size", "bound", "error", "at")
# By param, whatever the measure; of several kinds any will do.
KINDS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(_SIZES, (NUMBER,)),
    **dict.fromkeys(("said", "rival", "unit", "statistic", "dyad"), (TEXT,)),
    **dict.fromkeys(("items", "groups", "against", "pulse", "lags", "levels", "cleared", "net_of",
                     "pro", "contra"), (LIST,)),
    **dict.fromkeys(("states", "among"), (STATES,)),
    **dict.fromkeys(("before", "after", "window"), (SPAN,)),
    "state": (STATE,), "years": (NUMBER, LIST), "seen": (NUMBER, LIST), "events": (LIST, TABLE),
    "below": (TABLE,), "rise": (TABLE,),
}  # fmt: skip
CHOICES: dict[str, tuple[str, ...]] = {
    "type": ("easing", "hardship"), "side": ("above", "below"), "kind": ("count", "level"),
    "condition": ("joint", "pressure-joins"),
}  # fmt: skip
_CODE = re.compile("[A-Z]{3}")


def params_problem(measure: str, params: Mapping[str, Any], label: str = "params") -> str | None:
    """Say what is wrong with the params of a measure, with its remedy; None if nothing is.

    Parameters
    ----------
    measure : str
    params : mapping
    label : str
        The field of the claim that holds them.

    Examples
    --------
    >>> params_problem("too-small", {})
    "params lacks size, which measure 'too-small' needs. Add it."
    >>> params_problem("too-small", {"size": "big"})
    "params.size = 'big' is not a number. Mend it."
    >>> params_problem("too-small", {"size": 0.1})
    """
    wanted = REQUIRED.get(measure, ())
    if missing := [k for k in wanted if not any(one in params for one in k.split("|"))]:
        named = ", ".join(" or ".join(k.split("|")) for k in missing)
        return f"{label} lacks {named}, which measure {measure!r} needs. Add it."
    for name, value in params.items():
        if name in CHOICES and value not in CHOICES[name]:
            return f"{label}.{name} = {value!r}. Use one of {', '.join(CHOICES[name])}."
        kinds = KINDS.get(name, ())
        if kinds and not any(is_a(kind, value) for kind in kinds):
            return f"{label}.{name} = {value!r} is not {' or '.join(kinds)}. Mend it."
    return None


def is_a(kind: str, value: Any) -> bool:
    """Whether a value is of a kind.

    Examples
    --------
    >>> is_a(NUMBER, 0.5), is_a(NUMBER, True), is_a(STATES, ["CHN"]), is_a(STATES, ["CHNN"])
    (True, False, True, False)
    """
    if kind == STATES:
        return isinstance(value, list) and all(is_a(STATE, v) for v in value)
    if kind == SPAN:
        whole = isinstance(value, list) and all(type(v) is int for v in value)
        return whole and len(value) == 2 and value[0] <= value[1]
    if kind == NUMBER:
        return isinstance(value, int | float) and not isinstance(value, bool) and value == value
    if kind == STATE:
        return isinstance(value, str) and bool(_CODE.fullmatch(value))
    return isinstance(value, {TEXT: str, LIST: list, TABLE: dict}[kind])
