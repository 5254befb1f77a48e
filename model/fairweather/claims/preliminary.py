"""The claims one fit can speak to, judged as soon as it is made: preliminary and in-sample.

Invariant: prior and posterior are judged by the same functions, with the shipped scenarios
whatever the forecast was made under, and no verdict is given where the reading cannot speak.
Guarded by ``tests/test_claims.py``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from fairweather import names
from fairweather.claims.averaging import MASS
from fairweather.claims.catalogue import load_claims
from fairweather.claims.judgement import NOT_TESTABLE, verdict
from fairweather.claims.measures import get_measure
from fairweather.claims.parts import lacking
from fairweather.draws import Draws, priors_of
from fairweather.errors import FairweatherError

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from fairweather.panel import Panel
    from fairweather.priors import Priors

NOTE = "preliminary, in-sample"
COLUMNS = (
    "claim_id", "statement", "quantity", "value", "lower", "upper", "probability",
    "prior_probability", "threshold", "verdict", "note",
)  # fmt: skip
_HALF = "the held-out half of this claim is judged by the contest"


def assess(
    tree: xr.DataTree, panel: Panel | None = None, fc: xr.DataTree | None = None, *,
    prior_tree: xr.DataTree | None = None, priors: Priors | None = None,
) -> pd.DataFrame:  # fmt: skip
    """Score the claims that one fit can speak to.

    Parameters
    ----------
    tree : DataTree
        A fit.
    panel : Panel, optional
    fc : DataTree, optional
        A forecast from the fit, quoted in the notes.
    prior_tree : DataTree, optional
        Draws from the prior laid out like a fit; default: simulated.
    priors : Priors, optional
        The belief set of the fit.

    Returns
    -------
    DataFrame
        claim_id, statement, quantity, value (mean), lower, upper (89 %), probability that the
        formal statement holds, prior_probability of the same, threshold, verdict, note. Claims
        judged by the posterior that need nothing the reading lacks, and the posterior half of
        those judged by held-out episodes.

    Examples
    --------
    >>> import fairweather as fw
    >>> fw.assess_claims(fw.fit(fw.load_panel()))  # doctest: +SKIP
    """
    import pandas as pd

    priors = priors_of(tree) if priors is None else priors
    draws = Draws.of(tree, panel, priors)
    if prior_tree is None:
        from fairweather.simulate import prior_tree as simulate

        prior_tree = simulate(
            draws.panel, reading=draws.reading, priors=priors, draws=400, random_seed=1
        )
    before = Draws.of(prior_tree, draws.panel, priors)
    rows = []
    for name, entry, measure, params in _speakable(draws.reading):
        row: dict[str, Any] = {
            "claim_id": name, "statement": entry["statement"], "quantity": entry["quantity"],
            "threshold": entry["upper"], **_judged(entry, measure, params, draws, before),
        }  # fmt: skip
        half = _HALF if entry["method"] == "held-out" else ""
        said = [NOTE, half, row["note"], _durability(fc) if name == "C08" else ""]
        rows.append(row | {"note": "; ".join(s for s in said if s)})
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _speakable(reading: str) -> Iterator[tuple[str, dict[str, Any], str, dict[str, Any]]]:
    """Claims that a fit of this reading can say something of, with their posterior measure."""
    for name, entry in load_claims().items():
        if entry["method"] == "posterior":
            measure, params = entry["measure"], entry["params"]
        elif entry["method"] == "held-out" and "beside" in entry:
            measure, params = entry["beside"], entry.get("beside_params", {})
        else:
            continue
        if not lacking(reading, entry["needs"]):
            yield name, entry, measure, params


def _judged(
    entry: dict[str, Any], measure: str, params: dict[str, Any], draws: Draws, before: Draws
) -> dict[str, Any]:
    blank = dict.fromkeys(
        ("value", "lower", "upper", "probability", "prior_probability"), math.nan
    )  # fmt: skip
    if draws.panel.focal != names.FOCAL:
        why = f"the claim is about {names.FOCAL}, the fit about {draws.panel.focal}"
        return blank | {"verdict": NOT_TESTABLE, "note": why}
    function = get_measure(measure)
    try:
        now = function(draws, params)
    except FairweatherError as err:
        # A shorter panel, or one of few states: said in the row, the run goes on.
        return blank | {"verdict": NOT_TESTABLE, "note": str(err)}
    prior = now.prior
    if prior is None:
        prior = float(np.mean(function(before, params).holds))
    probability = float(np.mean(now.holds))
    lower, upper = map(float, np.quantile(now.value, MASS))
    return {
        "value": float(np.mean(now.value)), "lower": lower, "upper": upper,
        "probability": probability, "prior_probability": prior,
        "verdict": verdict(probability, entry["lower"], entry["upper"]), "note": now.note,
    }  # fmt: skip


def _durability(fc: xr.DataTree | None) -> str:
    """Quote durability under ease-both, where the forecast has it."""
    if fc is None or "durability" not in fc.children:
        return ""
    table = fc["durability"].to_dataset()
    name = "ease-both"
    if name not in table[names.SCENARIO].values:
        return ""
    last = table["probability"].sel(scenario=name).isel(threshold=0, horizon=-1)
    return f"under {name} it stays above its {last.threshold.item()} level through year " \
        f"{last.horizon.item()} with probability {float(last):.2f}"  # fmt: skip
