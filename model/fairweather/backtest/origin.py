"""One origin under one reading: fit what was known then, foresee, and keep what came beside it.

Invariant: the fit sees rows available on the last day of the origin year alone; of what came
later only the trials of a year are read before the draws are made.
Guarded by ``tests/test_backtest_origin.py``.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from fairweather import names
from fairweather.ahead import KEYS, AheadError, density, due, extend, foresee

if TYPE_CHECKING:
    import pandas as pd

    from fairweather.panel import Panel

# Iterations of a chain. Scores need means over draws, not tails; R-hat is reported.
DRAWS, TUNE = 200, 200
# Draws a cell keeps, for mixtures and scores.
KEPT = 200
LABELS = ["latent", "indicator", "family", "domain", "unit", "year", "last"]


@lru_cache(maxsize=2)
def latest(states: tuple[str, ...] | None, focal: str) -> Panel:
    """Lay out the latest record, once a process."""
    from fairweather.panel import load_panel

    return load_panel(states=None if states is None else list(states), focal=focal)


def known_at(origin: int, states: tuple[str, ...] | None, focal: str) -> Panel:
    """Lay out what was known at the end of a year."""
    from fairweather.panel import load_panel

    return load_panel(
        as_of=f"{origin}-12-31", states=None if states is None else list(states), focal=focal
    )


def came(cells: pd.DataFrame, now: Panel, origin: int) -> pd.DataFrame:
    """Put beside each cell what came, and leave out cells of which nothing is on record.

    Parameters
    ----------
    cells : DataFrame
        From `fairweather.ahead.due`.
    now : Panel
        The latest record.
    origin : int
        Years up to it are no forecast, even where their rows came late.

    Returns
    -------
    DataFrame
        As `cells`, with the outcome in ``value``, ``partial``, ``opposite`` and ``n``, the last
        known one in ``before`` (of votes the share of agreement), and ``horizon``.

    Raises
    ------
    AheadError
        Nothing has come.
    """
    import pandas as pd

    parts = []
    for latent in (names.ALIGNMENT, names.PRESSURE):
        axis = np.array(now.units(latent))
        for one in now.indicators(latent):
            rows = now.rows[one.id]
            parts.append(pd.DataFrame({
                "indicator": one.id, "unit": axis[rows["unit"].to_numpy(int)],
                "year": now.years[rows["time"].to_numpy(int)],
                **{c: rows[c].to_numpy(float) for c in ("value", "partial", "opposite", "n")},
            }))  # fmt: skip
    outcomes = pd.concat(parts, ignore_index=True)
    before = cells[[*LABELS, "value", "partial", "n"]].copy()
    before["before"] = in_units(before)
    before = before.drop(columns=["value", "partial", "n"])
    both = before[before["year"] > origin].merge(outcomes, on=KEYS, how="inner")
    # A share of no trials, and a vote of none, is no outcome.
    both = both[~(both["family"].isin(["share", "vote"]) & ~(both["n"] > 0))]
    if both.empty:
        raise AheadError(
            f"nothing foreseen from {origin} has come by {now.origin}",
            remedy="Take an earlier origin, or wait.",
        )
    return both.assign(horizon=both["year"] - origin).reset_index(drop=True)


def in_units(rows: pd.DataFrame) -> np.ndarray:
    """Values in the units in which cells are drawn: of votes the share of agreement.

    Parameters
    ----------
    rows : DataFrame
        family, value, partial, n.
    """
    from fairweather.measurement.vote import score

    value = rows["value"].to_numpy(float).copy()
    vote = (rows["family"] == "vote").to_numpy()
    if vote.any():
        some = rows[vote]
        logit = score(*(some[c].to_numpy(float) for c in ("value", "partial", "n")))
        value[vote] = 1.0 / (1.0 + np.exp(-logit))
    return value


def foresee_origin(job: dict[str, Any]) -> dict[str, Any]:
    """Fit one origin under one reading and foresee what came.

    Parameters
    ----------
    job : dict
        ``origin``, ``horizon``, ``reading``, ``priors`` (Priors), ``seed``, ``states``, ``focal``,
        ``draws``, ``tune``.

    Returns
    -------
    dict
        ``facts``: seconds, divergences, R-hat; ``draws``: ndarray (cell, draw), float32;
        ``log_density``: exact log score of each cell; ``blocks``: unit, year and joint log
        density, the agenda of a year given.
    """
    from fairweather.contest.refit import draw
    from fairweather.model import build_model

    states = None if job["states"] is None else tuple(job["states"])
    panel = known_at(job["origin"], states, job["focal"])
    longer = extend(panel, job["origin"] + job["horizon"])
    cells = came(due(longer), latest(states, job["focal"]), job["origin"])
    model = build_model(longer, reading=job["reading"], priors=job["priors"])
    values, facts = draw(model, job["seed"], draws=job["draws"], tune=job["tune"])
    # Any value may stand in for an outcome that is not to be read: the last one known.
    blind = cells.assign(**_blind(cells))
    drawn = foresee(values, model, blind, np.random.default_rng(job["seed"]))
    exact = density(values, model, cells)
    few = np.linspace(0, len(drawn) - 1, min(KEPT, len(drawn))).round().astype(int)
    return {
        "facts": facts | {"origin": job["origin"], "reading": job["reading"],
                          "panel_end": panel.origin, "cells": len(cells),
                          "max_rhat": _rhat(values, exact)},
        "draws": drawn[few].T.astype(np.float32),
        "log_density": _log_mean(exact).round(4).tolist(),
        "blocks": joint(values, model, cells),
    }  # fmt: skip


def _blind(cells: pd.DataFrame) -> dict[str, np.ndarray]:
    """Values that stand in for outcomes while cells are drawn; only trials are those that came."""
    vote = (cells["family"] == "vote").to_numpy()
    n = cells["n"].to_numpy(float)
    before = cells["before"].to_numpy(float)
    value = np.where(vote, before * n, before)
    share = (cells["family"] == "share").to_numpy()
    value = np.where(share, np.minimum(value, n), value)
    return {
        "value": value, "partial": np.where(vote, 0.0, cells["partial"].to_numpy(float)),
        "opposite": np.where(vote, n - value, cells["opposite"].to_numpy(float)),
    }  # fmt: skip


def joint(values: dict[str, np.ndarray], model: Any, cells: pd.DataFrame) -> dict[str, list]:
    """Joint log density of each dyad's year, the agenda of a year taken as it came.

    Weights of a mixture of readings are found by it: the agenda, of which no reading speaks, would
    drown what they do say (see `fairweather.contest.refit.given_agenda`).
    """
    from fairweather.ahead import with_cells
    from fairweather.contest.refit import given_agenda

    own = cells[cells["latent"] == names.ALIGNMENT].reset_index(drop=True)
    if own.empty:
        return {"unit": [], "year": [], "lpd": []}
    given = given_agenda(values, model, with_cells(model.panel, own))
    each = density(given, model, own)
    keep = ~np.isnan(each).any(axis=0)
    own, each = own[keep].reset_index(drop=True), each[:, keep]
    groups = own.groupby(["unit", "year"], sort=True)
    which = groups.ngroup().to_numpy()
    total = np.zeros((len(each), groups.ngroups))
    np.add.at(total.T, which, each.T)
    label = own.drop_duplicates(["unit", "year"]).sort_values(["unit", "year"])
    return {
        "unit": label["unit"].tolist(), "year": label["year"].astype(int).tolist(),
        "lpd": _log_mean(total).round(4).tolist(),
    }  # fmt: skip


def _log_mean(x: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        return np.logaddexp.reduce(x, axis=0) - np.log(len(x))


def _rhat(values: dict[str, np.ndarray], exact: np.ndarray) -> float:
    """R-hat of the log density of all that came, the quantity that scores rest on."""
    from arviz_stats.base import array_stats

    from fairweather.contest.refit import CHAINS

    total = np.nansum(exact, axis=1)
    return round(float(array_stats.rhat(total.reshape(CHAINS, -1), chain_axis=-2, draw_axis=-1)), 4)
