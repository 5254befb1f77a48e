"""How much better one forecast is than another, and how sure that is.

Invariant: forecasts are compared on the cells that all of them speak of; indicators count alike,
however many cells they have; errors are of whole years or whole states drawn anew, whichever are
larger. Guarded by ``tests/test_skill.py``.

Skill is one less the ratio of mean scores, averaged over indicators by the geometric mean, so that
no unit and no reference has the last word: 0.1 is a tenth better than the plain forecast.

Forecasts several years ahead of neighbouring years miss the same news: what happens in between is
in all of them. Years are therefore drawn in runs as long as the longest horizon compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from fairweather.errors import FairweatherError

if TYPE_CHECKING:
    import pandas as pd

MASS = 0.89
REPLICATES = 400
SEED = 2016
KEYS = ["origin", "latent", "indicator", "unit", "year"]


class SkillError(FairweatherError):
    """Forecasts cannot be compared as asked."""


def common(scores: pd.DataFrame, score: str, forecasts: Sequence[str]) -> pd.DataFrame:
    """Lay one score out by cell and forecast, cells that all of them speak of.

    Parameters
    ----------
    scores : DataFrame
        Long, with `KEYS`, ``horizon``, ``domain``, ``forecast`` and the score.
    score : str
    forecasts : sequence of str

    Returns
    -------
    DataFrame
        Index of keys, horizon and domain; one column a forecast.

    Raises
    ------
    SkillError
        A forecast is missing, or no cell is common to all.
    """
    missing = [f for f in forecasts if f not in set(scores["forecast"])]
    if missing:
        raise SkillError(f"there is no forecast {missing[0]!r}", remedy="Score it first.")
    wide = scores[scores["forecast"].isin(forecasts)].pivot(
        index=[*KEYS, "horizon", "domain"], columns="forecast", values=score
    )
    whole = wide[list(forecasts)].dropna()
    if whole.empty:
        raise SkillError(f"no cell has the score '{score}' under all forecasts")
    return whole


def skill(
    table: pd.DataFrame, forecast: str, against: str, *, replicates: int = REPLICATES,
    seed: int = SEED,
) -> dict[str, float]:  # fmt: skip
    """Skill of one forecast against another, with an interval.

    Parameters
    ----------
    table : DataFrame
        From `common`.
    forecast, against : str
    replicates : int
    seed : int

    Returns
    -------
    dict
        ``skill``, ``lower``, ``upper`` (89 %, over runs of years or states drawn anew, whichever
        reach further), ``better`` (share of replicates over years above 0), ``cells``, ``years``.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = [(2008, "alignment", "votes", u, y, 1, "diplomatic", f, s)
    ...         for y in (2009, 2010) for u in ("CHN-RUS", "CHN-IND")
    ...         for f, s in (("ours", 1.0), ("plain", 2.0))]
    >>> long = pd.DataFrame(rows, columns=[*KEYS, "horizon", "domain", "forecast", "crps"])
    >>> round(skill(common(long, "crps", ["ours", "plain"]), "ours", "plain")["skill"], 6)
    0.5
    """
    index = table.index.to_frame(index=False)
    both = table[[forecast, against]].to_numpy()
    item = index["indicator"].astype("category").cat.codes.to_numpy()
    rng = np.random.default_rng(seed)
    draws = {}
    year = index["year"].astype("category").cat.codes.to_numpy()
    n = int(year.max()) + 1
    by_year = _sums(both, year, item)
    found = _ratio(np.ones((1, n)), by_year)[0]
    if n > 1:
        mass = year_masses(n, int(index["horizon"].max()), replicates, rng)
        draws["year"] = _ratio(mass, by_year)
    unit = index["unit"].astype("category")
    members = [str(u).split("-") for u in unit.cat.categories]
    states = sorted({s for pair in members for s in pair})
    if len(states) >= 3:
        place = {s: k for k, s in enumerate(states)}
        mass = rng.multinomial(len(states), np.full(len(states), 1 / len(states)), size=replicates)
        # A dyad has the product of the masses of its two states; a state alone its own.
        own = np.stack([mass[:, [place[s] for s in pair]].prod(axis=1) for pair in members], axis=1)
        draws["state"] = _ratio(own, _sums(both, unit.cat.codes.to_numpy(), item))
    tail = (1 - MASS) / 2
    ends = [np.nanquantile(d, [tail, 1 - tail]) for d in draws.values() if np.isfinite(d).any()]
    low = min((float(e[0]) for e in ends), default=np.nan)
    high = max((float(e[1]) for e in ends), default=np.nan)
    over = draws["year"][np.isfinite(draws["year"])] if "year" in draws else np.zeros(0)
    return {
        "skill": float(found), "lower": low, "upper": high,
        "better": float(np.mean(over > 0)) if len(over) else np.nan, "cells": len(both),
        "years": n,
    }  # fmt: skip


def year_masses(years: int, length: int, replicates: int, rng: np.random.Generator) -> np.ndarray:
    """Draw masses of years: runs of neighbouring years with replacement, as many years in all.

    Parameters
    ----------
    years : int
    length : int
        Of a run, half of the years at most: with longer ones hardly anything would vary. A run
        that meets the end goes on at the beginning.
    replicates : int
    rng : numpy.random.Generator

    Returns
    -------
    ndarray, shape (replicate, year)

    Examples
    --------
    >>> mass = year_masses(6, 3, 4, np.random.default_rng(1))
    >>> mass.sum(axis=1).tolist()
    [6.0, 6.0, 6.0, 6.0]
    """
    length = max(1, min(length, years // 2))
    runs = -(-years // length)
    start = rng.integers(years, size=(replicates, runs))
    mass = np.zeros((replicates, years))
    for k in range(runs):
        # The last run is cut, so that as many years are drawn as there are.
        for step in range(min(length, years - k * length)):
            mass[np.arange(replicates), (start[:, k] + step) % years] += 1.0
    return mass


def _sums(both: np.ndarray, cluster: np.ndarray, item: np.ndarray) -> np.ndarray:
    """Sum two scores, shape (2, cluster, indicator): all that a bootstrap needs."""
    out = np.zeros((2, int(cluster.max()) + 1, int(item.max()) + 1))
    for k in range(2):
        np.add.at(out[k], (cluster, item), both[:, k])
    return out


def _ratio(mass: np.ndarray, sums: np.ndarray) -> np.ndarray:
    """Skill under masses of clusters, shape (replicate,)."""
    up, down = mass @ sums
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(up) - np.log(down)
    # An indicator that no drawn cell is of, or that is foreseen without any error, says nothing.
    logs = np.where(np.isfinite(logs), logs, np.nan)
    blank = np.isnan(logs).all(axis=1)
    out = np.full(len(mass), np.nan)
    out[~blank] = 1.0 - np.exp(np.nanmean(logs[~blank], axis=1))
    return out


def skill_table(
    scores: pd.DataFrame, forecasts: Sequence[str], against: Sequence[str], *,
    score: str = "crps", by: str | None = None, replicates: int = REPLICATES,
) -> pd.DataFrame:  # fmt: skip
    """Skill of forecasts against each of others, over all cells or by group.

    Parameters
    ----------
    scores : DataFrame
        As for `common`.
    forecasts, against : sequence of str
    score : str
    by : str, optional
        A column of `scores`: horizon, indicator, domain, or one added.
    replicates : int

    Returns
    -------
    DataFrame
        forecast, against, ``group`` (empty for all), and the columns of `skill`.
    """
    import pandas as pd

    groups = [("", scores)] if by is None else list(scores.groupby(by, sort=True))
    rows = []
    for label, part in groups:
        try:
            table = common(part, score, [*dict.fromkeys([*forecasts, *against])])
        except SkillError:
            if by is None:
                raise
            continue  # of an item with too few rows no plain forecast speaks
        rows += [
            {"forecast": f, "against": a, "group": label, **skill(table, f, a,
                                                                  replicates=replicates)}
            for f in forecasts for a in against if f != a
        ]  # fmt: skip
    return pd.DataFrame(rows)
