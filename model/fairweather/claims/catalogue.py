"""The catalogue of the 49 claims: statement, test and thresholds, fixed before any fit is made.

Invariant: a claim that is malformed is named with its remedy and never judged, and does not stop
the others from being judged; nothing here reads a result.
Guarded by ``tests/test_claims_catalogue.py``.
"""

from __future__ import annotations

import difflib
import hashlib
import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from fairweather.claims.measures import MEASURES
from fairweather.claims.measures.params import STATES, is_a, params_problem
from fairweather.claims.parts import NEEDS
from fairweather.errors import CodebookError
from fairweather.paths import data_dir

IDS = tuple(f"C{k:02d}" for k in range(1, 50))
SECTIONS = (
    "Introduction", "Best stage of relations", "A transactional relationship?",
    "Relations and the Trump administration",
)  # fmt: skip
METHODS = ("posterior", "contest", "held-out", "record", "none")
# What a claim rests on; those from meetings on are counted by the measure itself.
SHOCKS = (
    "easing", "hardship", "both", "states", "years", "meetings", "votes", "deals", "events", "none",
)  # fmt: skip
_TEXT = ("section", "statement", "formal", "quantity", "method")
_JUDGED = ("measure", "lower", "upper", "reason", "shocks")
_MORE = ("params", "needs", "tell", "of", "beside", "beside_params", "episodes", "caveat")
_UNIT = re.compile(r"\(([^()]+)\)$")
_REMEDY = "Mend the table."


def claims_file(path: str | Path | None = None) -> Path:
    """File of the claims: the one given, else that of the record in use."""
    return data_dir() / "claims.toml" if path is None else Path(path)


def claims_hash(path: str | Path | None = None) -> str:
    """Hash of the text of the claims, line ends aside: verdicts are of one text only.

    Raises
    ------
    CodebookError
        There is no such file.
    """
    file = claims_file(path)
    try:
        text = file.read_bytes().replace(b"\r\n", b"\n")
    except OSError as err:
        raise CodebookError(
            f"no claims can be read ({err})", file=file, remedy="Write [claim.C01] tables."
        ) from err
    return hashlib.sha256(text).hexdigest()[:16]


def load_claims(path: str | Path | None = None) -> dict[str, dict[str, Any]]:
    """Read the claims, their tests and their thresholds.

    Parameters
    ----------
    path : str or Path, optional
        Default: ``claims.toml`` of the record in use.

    Returns
    -------
    dict of str to dict
        In order of the paper: section, statement, formal, quantity, unit, method and, unless the
        method is ``none``, measure, params, needs, lower, upper, reason, shocks, tell.

    Raises
    ------
    CodebookError
        Unreadable file, a claim missing or unknown, a field missing, unknown or contradictory.

    Examples
    --------
    >>> load_claims()["C08"]["method"]
    'held-out'
    """
    entries, problems = check_claims(path)
    if problems:
        name, problem = next(iter(problems.items()))
        more = f" ({len(problems) - 1} more claim(s) to mend)" if len(problems) > 1 else ""
        raise CodebookError(f"[claim.{name}] {problem}{more}", file=claims_file(path))
    return entries


def check_claims(
    path: str | Path | None = None,
) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    """Read the claims; tell the sound ones from the others.

    Returns
    -------
    entries : dict of str to dict
        Sound claims, as from `load_claims`.
    problems : dict of str to str
        By claim what is wrong with it, remedy included.

    Raises
    ------
    CodebookError
        The file cannot be read at all.
    """
    file = claims_file(path)
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))["claim"]
    except (OSError, KeyError, UnicodeDecodeError, tomllib.TOMLDecodeError) as err:
        raise CodebookError(
            f"no claims can be read ({err})", file=file, remedy="Write [claim.C01] tables."
        ) from err
    if not isinstance(table, dict):
        raise CodebookError("claim is no table", file=file, remedy="Write [claim.C01] tables.")
    entries, problems = {}, {}
    for name in (*IDS, *(n for n in table if n not in IDS)):
        problem = _problem(name, table.get(name))
        if problem:
            problems[name] = problem
        else:
            entries[name] = _complete(table[name])
    return entries, problems


def near_miss(name: str, known: Iterable[str] = IDS) -> str:
    """Suggest the claim that was meant.

    Examples
    --------
    >>> near_miss("c8")
    'Did you mean C08?'
    """
    number = re.fullmatch("[cC]?0*([0-9]{1,3})", name.strip())
    guess = [f"C{int(number[1]):02d}"] if number else []
    # A letter O for a zero comes first: it is the likeliest slip.
    guess += difflib.get_close_matches(name.strip().upper().replace("O", "0"), list(known), n=1)
    found = next((g for g in guess if g in known), None)
    return f"Did you mean {found}?" if found else f"Claims run from {IDS[0]} to {IDS[-1]}."


def _complete(entry: dict[str, Any]) -> dict[str, Any]:
    """Add what may be left out."""
    unit = _UNIT.search(entry.get("quantity", ""))
    given = {"params": {}, "needs": "none", "tell": None, "of": [], "caveat": ""}
    return {**given, **entry, "unit": unit[1] if unit else ""}


def _problem(name: str, entry: Any) -> str | None:
    """Say what is wrong with one claim, with its remedy; None if nothing is."""
    if name not in IDS:
        return f"is not one of {IDS[0]}-{IDS[-1]}. {near_miss(name)}"
    if entry is None:
        return 'is missing. Write its table; method = "none" with a why if it cannot be tested.'
    if not isinstance(entry, dict):
        return f"is no table. {_REMEDY}"
    if entry.get("method") not in METHODS:
        return f"method = {entry.get('method')!r}. Use one of {', '.join(METHODS)}."
    none = entry["method"] == "none"
    known = (*_TEXT, "why") if none else (*_TEXT, *_JUDGED, *_MORE)
    wanted = ("section", "statement", "method", "why") if none else (*_TEXT, *_JUDGED)
    if missing := [k for k in wanted if k not in entry]:
        return f"lacks {', '.join(missing)}. Add it; thresholds are fixed before any fit."
    if stray := [k for k in entry if k not in known]:
        because = " contradicts method = none" if none else " is unknown"
        return f"{', '.join(stray)}{because}. Leave it out."
    text = [k for k in (*_TEXT, "why", "reason", "caveat") if k in entry]
    if blank := [k for k in text if not isinstance(entry[k], str) or not entry[k].strip()]:
        return f"{blank[0]} is blank or no text. Write a sentence."
    if any(part not in SECTIONS for part in entry["section"].split("; ")):
        return f"section = {entry['section']!r}. Use one of {', '.join(SECTIONS)}."
    return None if none else _judged_problem(entry)


def _judged_problem(entry: dict[str, Any]) -> str | None:
    lower, upper = entry["lower"], entry["upper"]
    if not all(isinstance(x, int | float) and not isinstance(x, bool) for x in (lower, upper)):
        return "lower and upper are not numbers. Write probabilities, such as 0.1 and 0.9."
    if not 0 <= lower < upper <= 1:
        return "needs 0 <= lower < upper <= 1. Write probabilities, such as 0.1 and 0.9."
    if not _UNIT.search(entry["quantity"]):
        return "quantity ends without a unit. End it with one in brackets, such as (SD)."
    for key in ("measure", "beside"):
        measure = entry.get(key)
        if key in entry and str(measure) not in MEASURES:
            close = difflib.get_close_matches(str(measure), MEASURES, n=1) or list(MEASURES)
            return f"{key} = {measure!r} is no measure. Use one of {', '.join(close)}."
    if MEASURES[entry["measure"]].method != entry["method"]:
        is_for = MEASURES[entry["measure"]].method
        return f"measure = {entry['measure']!r} is of method {is_for!r}. Make the two agree."
    if "beside" in entry and (
        entry["method"] != "held-out" or MEASURES[entry["beside"]].method != "posterior"
    ):
        return "beside goes with method held-out and names a posterior measure. Leave it out."
    if entry.get("needs", "none") not in NEEDS:
        return f"needs = {entry['needs']!r}. Use one of {', '.join(NEEDS)}."
    if entry["shocks"] not in SHOCKS:
        return f"shocks = {entry['shocks']!r}. Use one of {', '.join(SHOCKS)}."
    for key in ("params", "beside_params", "episodes"):
        if not isinstance(entry.get(key, {}), dict):
            return f"{key} is no table. {_REMEDY}"
    if "of" in entry and not is_a(STATES, entry["of"]):
        return f'of = {entry["of"]!r} is not {STATES}. Write them such as ["CHN", "RUS"].'
    asked = {"params": entry["measure"], "beside_params": entry.get("beside")}
    for key, measure in asked.items():
        if measure and (problem := params_problem(measure, entry.get(key, {}), key)):
            return problem
    if "episodes" in entry and "type" not in entry["episodes"]:
        return "episodes lacks type. Say easing or hardship."
    if problem := params_problem("", entry.get("episodes", {}), "episodes"):
        return problem
    return _tell_problem(entry.get("tell"))


def _tell_problem(tell: Any) -> str | None:
    from fairweather.readings import READINGS

    if tell is None:
        return None
    if not isinstance(tell, dict) or sorted(tell) != ["contra", "pro"]:
        return "tell is not {pro = [...], contra = [...]}. Name the readings on either side."
    sides = [tell["pro"], tell["contra"]]
    if not all(isinstance(s, list) and all(isinstance(r, str) for r in s) for s in sides):
        return "tell has a side that is no list of names. Name the readings on either side."
    both = [r for side in sides for r in side]
    if unknown := [r for r in both if r not in READINGS]:
        return (
            f"tell names {unknown[0]!r}, no reading. Use names that `fairweather readings` lists."
        )
    if not tell["pro"] or not tell["contra"] or len(set(both)) < len(both):
        return "tell has an empty side, or one reading on both. Name each reading once."
    return None
