"""From a contest to verdicts on the claims: every claim meets what it was promised in advance.

Invariant: verdicts rest on stored results alone and can be taken again from them; nothing is
fitted here. Guarded by ``tests/test_contest_result.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from fairweather.contest.result import Contest

LIMIT = 400


def write_evidence(done: Mapping[str, Any], contest: Contest) -> Path:
    """Judge the claims on a contest and keep the verdicts beside it.

    Parameters
    ----------
    done : mapping
        From `fairweather.contest.run.run_contest`.
    contest : Contest

    Returns
    -------
    Path
        Of ``claims.json``.
    """
    from fairweather.claims import Context, judge_all
    from fairweather.claims.catalogue import claims_hash
    from fairweather.claims.shocks import shock_table
    from fairweather.claims.stored import write_claims
    from fairweather.episodes import find_episodes

    draws, before = draws_of(done)
    weights = dict(contest.weights)
    stacked = contest.designs[contest.primary]
    replicates = stacked.draws.sel(reading=list(weights)).values
    held = contest.held_out
    if len(held):
        held = held[~held["placebo"]].assign(log_score=np.nan)
    context = Context(
        panel=done["panel"], draws=draws, prior=before, weights=weights, weight_draws=replicates,
        held_out=held if len(held) else None, confusion=contest.confusion,
        shocks=shock_table(find_episodes(done["panel"].record)),
    )  # fmt: skip
    judged = judge_all(context)
    made = {k: v for k, v in done["settings"].items() if k != "kind"}
    made["claims_hash"] = claims_hash()
    made["failed_gate"] = [r.reading for r in done["fits"].itertuples() if not r.passed]
    return write_claims(done["folder"], judged, by_prior=by_prior(done), made=made)


def draws_of(done: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Draws of the fits to the whole record that passed the gate, and of their priors."""
    from fairweather.archive import open_results
    from fairweather.draws import Draws
    from fairweather.simulate import prior_tree

    panel, priors = done["panel"], done["priors"]
    draws = {
        row.reading: Draws.of(open_results(row.folder).tree, panel, priors, LIMIT)
        for row in done["fits"].itertuples() if row.folder and row.passed
    }  # fmt: skip
    before = {}
    for reading in done["readings"]:
        tree = prior_tree(panel, reading=reading, priors=priors, draws=400, random_seed=1)
        before[reading] = Draws.of(tree, panel, priors)
    return draws, before


class _Short:
    """A verdict under another belief set, of one reading."""

    def __init__(self, found: Mapping[str, Any]) -> None:
        self.found = found

    def to_dict(self) -> dict[str, Any]:
        """Give what is kept."""
        return {
            "verdict": self.found["verdict"], "probability": self.found["probability"],
            "prior_probability": self.found["prior_probability"], "problem": "",
        }  # fmt: skip


def by_prior(done: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Verdicts of one reading under each belief set that the specification curve fitted."""
    from fairweather.contest.specifications import load_specifications

    out = {}
    for name, spec in load_specifications().items():
        found = done["specifications"].get(f"spec--{name}")
        if found and (name == "default" or "priors" in spec):
            claims = found["claims"].items()
            out[spec.get("priors", done["priors"].id)] = {k: _Short(v) for k, v in claims}
    return out
