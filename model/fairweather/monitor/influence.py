"""Which indicator's rows of the running year moved the warning: what it says without them.

Invariant: the weight of a draw is the likelihood of the rows kept over that of all rows, by the
model's own families; where Pareto k says that weights cannot be used, no number is given.
Guarded by ``tests/test_monitor_influence.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fairweather.forecast import mc_error
from fairweather.lfo import ReweightError, good_k, reweight
from fairweather.measurement import get_family
from fairweather.model import prepare
from fairweather.monitor.layout import without
from fairweather.monitor.warning import EarlyWarning, lower_now
from fairweather.observables import parameters
from fairweather.structure import stacked

if TYPE_CHECKING:
    import pandas as pd

    from fairweather.draws import Draws
    from fairweather.panel import Panel

COLUMNS = ["indicator", "rows", "k", "fell", "fell_error", "change", "change_error"]
EVERY = "all rows"
_AT_ONCE = 100
_LATENTS = ("alignment", "pressure", "words", "delegation", "gap", "lead_security", "lead_economic")


def influence(draws: Draws, rows: pd.DataFrame, found: EarlyWarning) -> pd.DataFrame:
    """Take the rows of each indicator out by weights.

    Parameters
    ----------
    draws : Draws
        Those of `found`.
    rows : DataFrame
        From `fairweather.monitor.read_rows`.
    found : EarlyWarning

    Returns
    -------
    DataFrame
        indicator, rows, ``k`` (Pareto), and with the rows less without them: ``fell`` (of the
        probability that durability fell) and ``change`` (of the mean change), each with its Monte
        Carlo error; NaN where k is too large. Largest first, all rows together last.

    Examples
    --------
    >>> influence(draws, rows, early_warning(draws, 2024))  # doctest: +SKIP
    """
    import pandas as pd

    then, now = found.draws
    below, change = lower_now(then, now), now - then
    out = []
    for name in [*dict.fromkeys(rows["indicator"]), None]:
        own = rows if name is None else rows[rows["indicator"] == name]
        ratio = -likelihood_of(draws, own)
        weight, k = _weights(ratio)
        effects = [_effect(x, weight, draws) for x in (below, change)]
        if k > good_k(len(draws)):
            effects = [(np.nan, np.nan)] * 2
        label = EVERY if name is None else name
        out.append((label, len(own), k, *effects[0], *effects[1]))
    table = pd.DataFrame(out, columns=COLUMNS)
    order = table["fell"].abs().where(table["indicator"] != EVERY, -1.0).fillna(-0.5)
    return table.iloc[np.argsort(-order, kind="stable")].reset_index(drop=True)


def likelihood_of(draws: Draws, rows: pd.DataFrame) -> np.ndarray:
    """Log likelihood that rows add to those of the panel without them, up to a constant.

    Parameters
    ----------
    draws : Draws
        Of a fit whose panel has the rows.
    rows : DataFrame
        Of one or more indicators.

    Returns
    -------
    ndarray, shape (draw,)
    """
    less = without(draws.panel, rows)
    families = set(rows["family"])
    return _likelihood(draws, draws.panel, families) - _likelihood(draws, less, families)


def _likelihood(draws: Draws, panel: Panel, families: set[str]) -> np.ndarray:
    batches = {k: b for k, b in prepare(panel, draws.priors).items() if k in families}
    par = {k: parameters(draws, b) for k, b in batches.items()}
    values = {k: draws.get(k) for k in _LATENTS if k in draws or k.startswith("lead_")}
    out = np.zeros(len(draws))
    # Latents of all dyads, states and years take some 250 kB a draw.
    for first in range(0, len(draws), _AT_ONCE):
        at = slice(first, first + _AT_ONCE)
        latents = stacked(panel, {k: v[at] for k, v in values.items()})
        for name, batch in batches.items():
            own = {k: v[at] for k, v in par[name].items()}
            out[at] += get_family(name).fit_logp(batch, batch.read(latents), own).sum(axis=-1)
    return out


def _weights(ratio: np.ndarray) -> tuple[np.ndarray, float]:
    """Weights that sum to the number of draws, and their Pareto k."""
    try:
        log_weights, k = reweight(ratio)
    except ReweightError:
        return np.ones(len(ratio)), float("inf")
    return len(ratio) * np.exp(log_weights), k


def _effect(x: np.ndarray, weight: np.ndarray, draws: Draws) -> tuple[float, float]:
    """Mean less weighted mean, and its Monte Carlo error by the delta method."""
    away = (weight * x).mean()
    each = (1.0 - weight) * (x - away)
    return float(x.mean() - away), float(mc_error(each, draws))
