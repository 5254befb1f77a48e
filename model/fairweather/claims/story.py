"""The whole story of one claim, from what the brief says to what the record says of it.

Invariant: thresholds and their reason come before the number that is held against them.
Guarded by ``tests/test_claims_story.py``.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping
from typing import Any

from fairweather.claims.judgement import MIN_SHOCKS, Judgement
from fairweather.claims.sentences import basis, estimate, share
from fairweather.wording import sentence as as_sentence

METHOD = {
    "posterior": "averaged over the readings, each by its weight in the contest",
    "contest": "which readings predict held-out years better",
    "held-out": "episodes left out of the fit, against what drift alone foresees",
    "record": "the record itself, without the model",
    "none": "not testable here",
}
_WIDTH = 100


def story(
    name: str, entry: Mapping[str, Any], found: Judgement | None = None,
    by_prior: Mapping[str, Mapping[str, Any]] | None = None,
) -> str:  # fmt: skip
    """Tell one claim as text.

    Parameters
    ----------
    name : str
    entry : mapping
        From ``fairweather.claims.load_claims``.
    found : Judgement, optional
        Without it only the test is told.
    by_prior : mapping of str to mapping, optional
        The same claims under other belief sets.

    Returns
    -------
    str

    Examples
    --------
    >>> entry = {"section": "Introduction", "statement": "All is well", "method": "none",
    ...          "why": "there are no polls"}
    >>> print(story("C25", entry))
    C25  Introduction
      claim       All is well.
      method      not testable here
      why         There are no polls.
    """
    parts = [("claim", as_sentence(entry["statement"]))]
    if "formal" in entry:
        parts += [("formally", as_sentence(entry["formal"]))]
    if "quantity" in entry:
        parts += [("quantity", as_sentence(entry["quantity"]))]
    parts += [("method", METHOD[entry["method"]])]
    if entry["method"] == "none":
        parts += [("why", as_sentence(entry["why"]))]
    else:
        parts += [*_test(entry)]
    if found is not None:
        parts += _found(name, entry, found, by_prior or {})
    return "\n".join([f"{name}  {entry['section']}", *(_line(*p) for p in parts if p[1])])


def _test(entry: Mapping[str, Any]) -> list[tuple[str, str]]:
    needs = entry.get("needs", "none")
    tell = entry.get("tell")
    bars = (
        f"borne out from {100 * entry['upper']:.0f} %, contradicted to {100 * entry['lower']:.0f} %"
    )
    return [
        ("measure", f"{entry['measure']}{_params(entry.get('params', {}))}"),
        ("beside", entry.get("beside", "") and f"{entry['beside']}"
                   f"{_params(entry.get('beside_params', {}))}: both must hold"),
        ("thresholds", f"{bars}. {entry['reason']}"),
        ("needs", "" if needs == "none" else f"a reading with {needs}; elsewhere it does not hold"),
        ("must tell", "" if not tell else
         f"{', '.join(tell['pro'])} from {', '.join(tell['contra'])}"),
        ("caveat", as_sentence(entry["caveat"]) if entry.get("caveat") else ""),
    ]  # fmt: skip


def _params(params: Mapping[str, Any]) -> str:
    if not params:
        return ""
    # Tables within, and sentences to be filled in, are for the file, not for a line.
    plain = {k: v for k, v in params.items() if k not in ("said", "dyad") and not _nested(v)}
    shown = (
        f"{k} = {', '.join(map(str, v)) if isinstance(v, list) else v}" for k, v in plain.items()
    )
    return f" ({'; '.join(shown)})" if plain else ""


def _nested(value: Any) -> bool:
    return isinstance(value, dict) or (
        isinstance(value, list) and any(isinstance(v, list | dict) for v in value)
    )


def _found(
    name: str, entry: Mapping[str, Any], found: Judgement, by_prior: Mapping[str, Any]
) -> list[tuple[str, str]]:
    if found.problem:
        return [("problem", found.problem)]
    if entry["method"] == "none":
        return [("verdict", str(found.verdict))]
    prior = "" if math.isnan(found.prior_probability) else (
        f"{share(found.prior_probability)} before the record is seen, "
    )  # fmt: skip
    rests = basis(found, entry["shocks"])
    if found.shocks is not None and entry["shocks"] in ("easing", "hardship", "both"):
        rests += f" (at least {MIN_SHOCKS} are needed)"
    mark = {r: " by construction" for r in found.by_construction}
    each = ", ".join(f"{r} {share(p)}{mark.get(r, '')}" for r, p in found.by_reading.items())
    others = ", ".join(
        f"{prior} {_kept_share(kept[name])}" for prior, kept in by_prior.items() if name in kept
    )
    if others:
        others += " (one reading, in-sample; of a claim in two halves the posterior one)"
    notes = [("note", as_sentence(n)) for n in found.notes if n != entry.get("caveat")]
    return [
        ("probability", f"{prior}{share(found.probability)} after it"),
        ("value", estimate(found)), ("by reading", each), ("rests on", rests),
        ("by prior", others), *notes,
        ("verdict", str(found.verdict)), ("in short", found.sentence),
    ]  # fmt: skip


def _kept_share(kept: Mapping[str, Any]) -> str:
    p = kept.get("probability")
    return share(math.nan if p is None else float(p))


def _line(label: str, text: str) -> str:
    first = f"  {label:<12}"
    return textwrap.fill(
        text, _WIDTH, initial_indent=first, subsequent_indent=" " * len(first),
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip
