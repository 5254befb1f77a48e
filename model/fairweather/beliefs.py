"""Belief sets side by side: what each implies before any alignment is seen.

Invariant: claims are measured on draws of the prior by the very functions that judge a fit, and
every set meets the same random numbers, so that two sets differ by what they believe and not by
chance. Guarded by ``tests/test_beliefs.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fairweather import names
from fairweather.claims.evidence import Evidence
from fairweather.claims.measures import get_measure
from fairweather.claims.preliminary import _speakable
from fairweather.draws import Draws
from fairweather.errors import FairweatherError, PriorError
from fairweather.priors import Priors, load_priors
from fairweather.readings import DEFAULT
from fairweather.simulate import prior_check, prior_tree

if TYPE_CHECKING:
    import pandas as pd

    from fairweather.panel import Panel

SETS = ("default", "sceptic", "author", "agnostic")
POINTS = (0.05, 0.5, 0.95)
CLAIM, PREDICTION = "claim", "prediction"
COLLAPSE, EASING, MOVEMENT = "collapse", "easing", "movement"
_PREDICTIONS = {
    COLLAPSE: "chance of falling below the 2001-04 mean within three years of a one-SD easing",
    EASING: "change of that chance by the easing",
    MOVEMENT: "SD over time of the pair's alignment (logits)",
}


def read_sets(sets: Sequence[str | Path | Priors]) -> list[Priors]:
    """Read belief sets by name or file; sets already read are taken as they are.

    Raises
    ------
    PriorError
        None given, one that cannot be read, or two of one id.

    Examples
    --------
    >>> [one.id for one in read_sets(["default", "author"])]
    ['default', 'author']
    """
    out = [one if isinstance(one, Priors) else load_priors(one) for one in sets]
    if not out:
        raise PriorError("no belief set is named", remedy=f"Name one of {', '.join(SETS)}.")
    ids = [one.id for one in out]
    twice = sorted({i for i in ids if ids.count(i) > 1})
    if twice:
        raise PriorError(
            f"the belief set '{twice[0]}' is named twice", remedy="Give each its own [meta] id."
        )
    return out


def measured(draws: Draws) -> dict[str, tuple[str, Evidence]]:
    """Measure every claim that draws of one reading can speak of.

    Parameters
    ----------
    draws : Draws
        Of a fit, or of the prior.

    Returns
    -------
    dict of str to (str, Evidence)
        By claim: the quantity in words, and what it is in each draw. Of a claim judged by
        held-out episodes, the half that draws can show. A measure the panel is too short or too
        small for is left out; nothing is measured where the pair is not that of the claims.

    Examples
    --------
    >>> import fairweather as fw
    >>> panel = fw.load_panel(states=["CHN", "RUS", "IND"])
    >>> tree = prior_tree(panel, reading="drift", draws=5)
    >>> "C08" in measured(Draws.of(tree, panel))
    False
    """
    out: dict[str, tuple[str, Evidence]] = {}
    if draws.panel.focal != names.FOCAL:
        return out
    for name, entry, measure, params in _speakable(draws.reading):
        function = get_measure(measure)
        try:
            # Draws of the prior share one path of pressure; ties may leave nothing to rank.
            with np.errstate(divide="ignore", invalid="ignore"):
                found = function(draws, params)
        except FairweatherError:
            continue
        if not np.isfinite(found.value).all():
            continue
        said = entry["quantity"]
        if entry["method"] == "held-out":
            # Its text is about the held-out half; the measure says what the other half is.
            clause = (function.__doc__ or measure).splitlines()[0].split(",")[0].rstrip(".")
            said = clause[:1].lower() + clause[1:]
        out[name] = said, found
    return out


def compare_beliefs(
    panel: Panel, sets: Sequence[str | Path | Priors] = SETS, reading: str = DEFAULT, *,
    draws: int = 400, random_seed: int = 1,
) -> pd.DataFrame:  # fmt: skip
    """Say what belief sets imply of the claims and of the pair, before any alignment is seen.

    Parameters
    ----------
    panel : Panel
    sets : sequence of str, Path or Priors
        Names of shipped sets, files, or sets already read.
    reading : str
    draws : int
        Draws of the prior for each set.
    random_seed : int

    Returns
    -------
    DataFrame
        ``set``, ``kind`` (``claim`` or ``prediction``), ``id`` (the claim, or ``collapse``,
        ``easing``, ``movement``), ``quantity``, ``mean`` (NaN for ``easing`` and ``movement``),
        ``lower``, ``median``, ``upper`` (5, 50, 95 %), ``probability`` that the claim's formal
        statement holds (NaN for a prediction). Claims the reading cannot speak of are left out, as
        are those about pressure alone, which no set changes.

    Raises
    ------
    PriorError
        A set cannot be read, or two have one id.
    FairweatherError
        Unknown reading, or a panel without 2001-04.

    Examples
    --------
    >>> import fairweather as fw
    >>> panel = fw.load_panel(states=["CHN", "RUS", "IND"])
    >>> table = compare_beliefs(panel, ["default", "author"], draws=20)
    >>> table["set"].unique().tolist()
    ['default', 'author']
    """
    import pandas as pd

    rows: list[dict[str, Any]] = []
    for priors in read_sets(sets):
        common = {"reading": reading, "draws": draws, "random_seed": random_seed}
        tree = prior_tree(panel, priors=priors, **common)
        for name, (said, found) in measured(Draws.of(tree, panel, priors, limit=draws)).items():
            if found.prior is not None:
                continue  # read off the path of pressure, which beliefs of the target leave alone
            low, middle, high = np.quantile(found.value, POINTS)
            rows.append({
                "set": priors.id, "kind": CLAIM, "id": name, "quantity": said,
                "mean": found.value.mean(), "lower": low, "median": middle, "upper": high,
                "probability": found.holds.mean(),
            })  # fmt: skip
        check = prior_check(panel, priors, **common)
        mean = np.average(check["chance"], weights=check["weight"])
        points = {
            COLLAPSE: (check["chance_low"], check["chance_median"], check["chance_high"]),
            EASING: check["effect_of_easing"], MOVEMENT: check["movement"],
        }  # fmt: skip
        for name, (low, middle, high) in points.items():
            rows.append({
                "set": priors.id, "kind": PREDICTION, "id": name, "quantity": _PREDICTIONS[name],
                "mean": mean if name == COLLAPSE else np.nan,
                "lower": low, "median": middle, "upper": high, "probability": np.nan,
            })  # fmt: skip
    return pd.DataFrame(rows)
