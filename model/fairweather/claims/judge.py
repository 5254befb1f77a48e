"""From evidence to verdicts: probability against thresholds, then what the record cannot tell.

Invariant: a verdict other than undecided needs all of: a probability beyond its threshold, as many
independent events as `MIN_SHOCKS`, and, where the claim hangs on which reading is right, a contest
that can tell those readings apart. A measure that fails costs its own claim only.
Guarded by ``tests/test_claims_judge.py``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fairweather import names
from fairweather.claims.averaging import MASS, Mixture, average
from fairweather.claims.catalogue import check_claims
from fairweather.claims.evidence import ClaimError, Evidence
from fairweather.claims.judgement import MIN_SHOCKS, NOT_TESTABLE, Judgement, verdict
from fairweather.claims.measures import get_measure
from fairweather.claims.parts import PRESSURE
from fairweather.claims.sentences import sentence
from fairweather.claims.shocks import count_shocks

if TYPE_CHECKING:
    import pandas as pd

    from fairweather.draws import Draws
    from fairweather.panel import Panel

_PAIRED = 4000


@dataclass(frozen=True)
class Context:
    """All that claims are judged on.

    Attributes
    ----------
    panel : Panel
    draws, prior : mapping of str to Draws
        By reading: fitted to the whole record, and before it.
    weights : mapping of str to float
        What the contest gives each reading.
    weight_draws : ndarray, DataFrame or DataArray, shape (replicate, reading)
        Replicates of the weights; an ndarray has them in the order of `weights`.
    held_out : DataFrame, optional
        One row per reading, episode and statistic: reading, episode_id, state, start, end, type
        (easing or hardship), dyad ("" for the mean over the state's dyads), statistic, realised,
        replicated_mean, replicated_lower, replicated_upper, p_value, log_score.
    confusion : object, optional
        ``can_tell(pro, contra)`` returns an object that is true where it can, with a ``sentence``
        (``fairweather.confusion.Confusion``).
    shocks : DataFrame, optional
        Independent shocks, from ``fairweather.claims.shocks.shock_table``.
    record : Record, optional
        Default: that of the panel.
    """

    panel: Panel
    draws: Mapping[str, Draws]
    prior: Mapping[str, Draws]
    weights: Mapping[str, float]
    weight_draws: Any
    held_out: pd.DataFrame | None = None
    confusion: Any = None
    shocks: pd.DataFrame | None = None
    record: Any = None

    def replicates(self) -> np.ndarray:
        """Replicates of the weights in the order of `weights`, shape (replicate, reading)."""
        order, drawn = list(self.weights), self.weight_draws
        if hasattr(drawn, "sel"):
            drawn = drawn.sel(reading=order).transpose(..., "reading")
        elif hasattr(drawn, "columns"):
            drawn = drawn[order]
        return np.asarray(drawn, float)

    @property
    def pressure_readings(self) -> tuple[str, ...]:
        """Readings of this contest in which pressure moves the pair."""
        return tuple(r for r in self.weights if r in PRESSURE)


def judge_all(context: Context, path: str | Path | None = None) -> dict[str, Judgement]:
    """Judge every claim of the catalogue.

    Parameters
    ----------
    context : Context
    path : str or Path, optional
        The catalogue; default: that of the record in use.

    Returns
    -------
    dict of str to Judgement
        In order of the catalogue. Where a table is malformed or its measure fails, ``problem``
        says so and there is no verdict; the others are judged all the same.

    Raises
    ------
    ClaimError
        The panel is about another pair.
    CodebookError
        The catalogue cannot be read at all.
    """
    _focal(context)
    entries, problems = check_claims(path)
    out = {n: Judgement(n, "", None, problem=f"[claim.{n}] {p}") for n, p in problems.items()}
    for name, entry in entries.items():
        try:
            out[name] = judge(name, entry, context)
        except Exception as err:  # one claim's failure must not cost the others their verdict
            problem = f"{type(err).__name__}: {err}"
            out[name] = Judgement(name, entry["method"], None, problem=problem)
    return dict(sorted(out.items()))


def judge(name: str, entry: dict[str, Any], context: Context) -> Judgement:
    """Judge one claim.

    Parameters
    ----------
    name : str
    entry : dict
        From ``fairweather.claims.load_claims``.
    context : Context

    Returns
    -------
    Judgement

    Raises
    ------
    FairweatherError
        What the measure raises.

    Examples
    --------
    >>> judge("C25", {"method": "none", "why": "no polls", "unit": ""}, context)  # doctest: +SKIP
    """
    _focal(context)
    method = entry["method"]
    if method == "none":
        return Judgement(
            name, method, NOT_TESTABLE, sentence=f"Not testable here: {entry['why']}"
        )  # fmt: skip
    found = _METHODS[method](entry, context)
    shocks = (
        found.shocks
        if found.shocks is not None
        else count_shocks(entry, context.panel, context.shocks)
    )
    found = replace(found, claim_id=name, method=method, unit=entry["unit"], shocks=shocks)
    outcome, why = decide(found, entry, context)
    notes = [*found.notes, entry["caveat"], *_episodes(entry, context)]
    found = replace(found, verdict=outcome, notes=tuple(n for n in notes if n))
    # Of two halves the sentence must say which one decides.
    halves = found.notes[0] if "beside" in entry else ""
    return replace(found, sentence=sentence(found, entry, why, halves))


def decide(found: Judgement, entry: dict[str, Any], context: Context) -> tuple[str, str]:
    """Verdict, and why it is undecided where the probability alone would say otherwise."""
    if math.isnan(found.probability):
        n = found.shocks or 0
        return "undecided", f"{n} independent event(s) on record give no probability"
    first = verdict(found.probability, entry["lower"], entry["upper"])
    if first == "undecided":
        return first, ""
    if found.shocks is not None and found.shocks < MIN_SHOCKS:
        return "undecided", (
            f"it rests on {found.shocks} independent event(s), fewer than {MIN_SHOCKS}"
        )
    before = found.prior_probability
    if not math.isnan(before) and verdict(before, entry["lower"], entry["upper"]) == first:
        # Beyond the threshold before any row was read: the record must have halved what was left.
        left, now = (before, found.probability) if first == "contradicted" else (
            1.0 - before, 1.0 - found.probability)  # fmt: skip
        if left <= 0 or now > 0.5 * left:
            return "undecided", (
                f"it was {before:.2f} before any row was read, and the record moved it too little"
            )
    asked: tuple[str, ...] = ()
    if tell := entry["tell"]:
        if context.confusion is None:
            return "undecided", "whether the contest can tell the readings apart is not calibrated"
        pro, contra = ([r for r in tell[k] if r in context.weights] for k in ("pro", "contra"))
        if not pro or not contra:
            return "undecided", "the contest holds one side of the comparison only"
        answer = context.confusion.can_tell(pro, contra)
        if not answer:
            return "undecided", str(answer.sentence).rstrip(".")
        asked = (*pro, *contra)
    aside = [r for r in found.by_construction if r not in asked]
    if aside:
        free = {r: p for r, p in found.by_reading.items() if r not in aside}
        weight = {r: context.weights.get(r, 0.0) for r in free}
        total = sum(weight.values())
        # Of what the other readings have learnt, the verdict must follow as well.
        learnt = sum(weight[r] * p for r, p in free.items()) / total if total > 0 else math.nan
        if not total > 0 or verdict(learnt, entry["lower"], entry["upper"]) != first:
            fixed = ", ".join(aside)
            return "undecided", f"the answer is built into {fixed} and not learnt there"
    return first, ""


def _focal(context: Context) -> None:
    if context.panel.focal != names.FOCAL:
        raise ClaimError(
            f"the claims are about {names.FOCAL}, the panel about {context.panel.focal}",
            remedy=f"Use a panel whose focal dyad is {names.FOCAL}.",
        )


def _episodes(entry: dict[str, Any], context: Context) -> list[str]:
    """Say what held-out episodes show beside a posterior claim."""
    if "episodes" not in entry or context.held_out is None:
        return []
    from fairweather.claims.measures.episodes import said

    return [f"beside it: {said(context, entry['episodes'])}"]


def _posterior(entry: dict[str, Any], context: Context) -> Judgement:
    args = entry["measure"], entry["params"], entry["needs"]
    now = average(*args, context.draws, context.weights)
    prior = now.prior
    if prior is None:
        prior = average(*args, context.prior, dict.fromkeys(context.prior, 1.0)).probability
    return _of_mixture(now, prior)


def _of_mixture(now: Mixture, prior: float) -> Judgement:
    value, lower, upper = now.summary()
    notes = now.notes
    if now.by_construction and (learnt := now.learnt()):
        p, *numbers = learnt
        said = f"{numbers[0]:.2f} [{numbers[1]:.2f}, {numbers[2]:.2f}] with probability {p:.2f}"
        notes = (f"in the readings that learn it: {said}", *notes)
    return Judgement(
        "", "", None, now.probability, prior, value, lower, upper, shocks=now.shocks,
        by_reading=now.by_reading, by_construction=now.by_construction, notes=notes,
    )  # fmt: skip


def _of_evidence(found: Evidence) -> Judgement:
    value, holds = np.asarray(found.value, float), np.asarray(found.holds, float)
    lower, upper = np.quantile(value, MASS)
    prior = math.nan if found.prior is None else float(found.prior)
    if found.prior is None and found.prior_holds is not None:
        prior = float(np.mean(found.prior_holds))
    counted = "" if found.events is None else f"{found.events} rows or events were counted"
    return Judgement(
        "", "", None, float(holds.mean()), prior, float(value.mean()), float(lower), float(upper),
        shocks=found.shocks, by_reading=dict(found.by_reading),
        notes=tuple(n for n in (found.note, counted) if n),
    )  # fmt: skip


def _held_out(entry: dict[str, Any], context: Context) -> Judgement:
    """Held-out episodes; where the claim names a posterior measure beside, both must hold."""
    found = get_measure(entry["measure"])(context, entry["params"])
    if "beside" not in entry:
        return _of_evidence(found)
    args = entry["beside"], entry.get("beside_params", {}), entry["needs"]
    now = average(*args, context.draws, context.weights)
    before = average(*args, context.prior, dict.fromkeys(context.prior, 1.0)).probability
    at = np.random.default_rng(2).integers(len(found.value), size=_PAIRED)
    _, also = now.draw(_PAIRED)
    held = np.asarray(found.holds, float)
    mean, lower, upper = now.summary()
    both = Evidence(
        np.asarray(found.value, float)[at], held[at] * also, found.note, found.shocks,
        found.prior * before,
    )  # fmt: skip
    out = _of_evidence(both)
    said = (
        f"the half on held-out episodes holds with probability {held.mean():.2f}, the other with "
        f"{now.probability:.2f}, its effect being {mean:.2f} [{lower:.2f}, {upper:.2f}] SD"
    )
    joint = {r: p * float(held.mean()) for r, p in now.by_reading.items()}
    return replace(
        out, by_reading=joint, by_construction=now.by_construction,
        notes=(said, *out.notes, *now.notes),
    )  # fmt: skip


def _contest(entry: dict[str, Any], context: Context) -> Judgement:
    return _of_evidence(get_measure(entry["measure"])(context, entry["params"]))


def _record(entry: dict[str, Any], context: Context) -> Judgement:
    record = context.panel.record if context.record is None else context.record
    return _of_evidence(get_measure(entry["measure"])(record, entry["params"]))


_METHODS = {
    "posterior": _posterior, "held-out": _held_out, "contest": _contest, "record": _record,
}  # fmt: skip
