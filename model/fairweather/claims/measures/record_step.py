"""A step, or a pulse of some years, in a yearly index beyond its own linear trend.

Items are put on a common scale and averaged; residuals follow an AR(1) whose persistence is learned
on a grid, everything else is conjugate, so that the posterior is exact.

Invariant: the prior of the step is symmetric about zero, and only years in which all items have a
row enter. Guarded by ``tests/test_claims_record.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from fairweather.claims.evidence import ClaimError, Evidence
from fairweather.claims.measures.record_rows import (
    DRAWS,
    EXPOSURE,
    FOCAL,
    SEED,
    counts,
    say,
    sign_of,
    wide,
    years_of,
)

if TYPE_CHECKING:
    import pandas as pd

    from fairweather.record import Record

_RHO = np.linspace(0.0, 0.9, 19)
_SHAPE, _SCALE = 2.0, 1.0
_WIDE, _USUAL = 10.0, 2.0
_FEWEST = 6


def record_step(record: Record, params: Mapping[str, Any]) -> Evidence:
    """Judge the size of a step or pulse.

    Parameters
    ----------
    record : Record
    params : mapping
        `items` (each `indicator`, `unit`, `against`: "others", a list of units, or absent; or
        `channels` of the chronology as in `record_rows.counts`),
        `window` [first, last], `at` (first year of the step) or `pulse` (years), `side`
        ("above" or "below" zero), `net_of` (list of `indicator` and `unit` held fixed), `said`.

    Returns
    -------
    Evidence
        `value`: the step in standard deviations of the index; `shocks`: years.

    Raises
    ------
    ClaimError
        If fewer than six years have all items, or none lies on one side of the step.

    Examples
    --------
    >>> import fairweather as fw
    >>> params = {"items": [{"indicator": "joint_patrols_chn_rus"}], "window": [2010, 2024],
    ...           "at": 2019, "said": "{step:.1f} over {years} years"}
    >>> bool(record_step(fw.load_record(), params).holds.mean() > 0.5)
    True
    """
    years = np.arange(params["window"][0], params["window"][1] + 1)
    index = index_of(record, params["items"], years)
    at = index.index.to_numpy()
    names = ", ".join(map(_name, params["items"]))
    on = _on(at, params)
    if on.all() or not on.any():
        raise ClaimError(
            f"the claim asks for a step in {names}, and all years with rows are on one side of it",
            remedy="Widen the years of the record, or leave the claim out.",
        )
    also = [_scaled(_item(record, one).reindex(at).ffill().to_numpy())
            for one in params.get("net_of", ())]  # fmt: skip
    step, prior, weight = fit_step(index.to_numpy(), at, on, also)
    side = 1 if params.get("side", "above") == "above" else -1
    narrow = fit_step(index.to_numpy(), at, on, also, _USUAL / 2)[0]
    facts: dict[str, Any] = {
        "step": float(step.mean()), "years": len(at), "first": int(at[0]), "last": int(at[-1]),
        "inside": int(on.sum()), "chance": float((side * step > 0).mean()),
        "narrow": float((side * narrow > 0).mean()),
    }  # fmt: skip
    lists = [i for i in params["items"] if "channels" not in i]
    if 0 < len(lists) < len(params["items"]):
        # The chronology is denser in some years than its exposure may tell.
        plain = index_of(record, lists, at).to_numpy()
        facts["lists_alone"] = float((side * fit_step(plain, at, on, also)[0] > 0).mean())
    if "at" in params:
        weights = {y: fit_step(index.to_numpy(), at, at >= y, also)[2] for y in at[2:-1]}
        best = max(weights, key=weights.get)
        total = np.logaddexp.reduce(list(weights.values()))
        facts["best"] = int(best)
        facts["best_chance"] = float(np.exp(weights[best] - total))
        facts["here"] = float(np.exp(weight - total))
    return Evidence(
        value=step,
        holds=side * step > 0,
        note=say(params, facts),
        prior=float((side * prior > 0).mean()),
        shocks=len(at),
    )


def index_of(record: Record, items: list[Mapping[str, Any]], years: np.ndarray) -> pd.Series:
    """Average items on a common scale over the years in which all have a row.

    Parameters
    ----------
    record : Record
    items : list of mapping
    years : ndarray

    Returns
    -------
    Series
        Indexed by year; mean 0, standard deviation 1 over these years.

    Raises
    ------
    ClaimError
    """
    import pandas as pd

    table = pd.concat([_item(record, one) for one in items], axis=1, join="inner")
    table = table[table.index.isin(years)].dropna()
    if len(table) < _FEWEST:
        raise ClaimError(
            f"the claim asks for a step in {', '.join(map(_name, items))}, which have "
            f"{len(table)} common years, and {_FEWEST} are needed",
            remedy="Widen the years of the record, or leave the claim out.",
        )
    scaled = np.mean([_scaled(table.iloc[:, k].to_numpy()) for k in range(table.shape[1])], axis=0)
    return pd.Series(_scaled(scaled), index=table.index)


def fit_step(
    y: np.ndarray,
    years: np.ndarray,
    on: np.ndarray,
    also: list[np.ndarray] | tuple = (),
    usual: float = _USUAL,
) -> tuple[np.ndarray, np.ndarray, float]:
    """Draw the step from its posterior and its prior.

    Parameters
    ----------
    y : ndarray, shape (year,)
    years : ndarray, shape (year,)
    on : ndarray of bool, shape (year,)
    also : list of ndarray
        Other series held fixed.
    usual : float
        Prior standard deviation of step and trend, in standard deviations of the residual.

    Returns
    -------
    step, prior : ndarray, shape (draw,)
    weight : float
        Log marginal likelihood.

    Examples
    --------
    >>> t = np.arange(2000, 2020)
    >>> step, _, _ = fit_step((t >= 2010) * 2.0 - 1, t, t >= 2010)
    >>> bool((step > 0).mean() > 0.95)
    True
    """
    rng = np.random.default_rng(SEED)
    trend = (years - years.mean()) / (years.max() - years.min())
    x = np.column_stack([np.ones(len(y)), on - on.mean(), trend, *also])
    before = np.diag([_WIDE**-2, *[usual**-2] * (2 + len(also))])
    gap = np.abs(years[:, None] - years[None])
    found = []
    for rho in _RHO:
        inverse = np.linalg.inv(rho**gap if rho else np.eye(len(y)))
        precision = before + x.T @ inverse @ x
        mean = np.linalg.solve(precision, x.T @ inverse @ y)
        scale = _SCALE + 0.5 * (y @ inverse @ y - mean @ precision @ mean)
        logdet = np.linalg.slogdet(inverse)[1] - np.linalg.slogdet(precision)[1]
        weight = 0.5 * logdet - (_SHAPE + 0.5 * len(y)) * np.log(scale)
        found.append((weight, mean[1], np.linalg.inv(precision)[1, 1], scale))
    weight, mean, spread, scale = map(np.array, zip(*found, strict=True))
    share = np.exp(weight - np.logaddexp.reduce(weight))
    k = rng.choice(len(_RHO), DRAWS, p=share / share.sum())
    variance = scale[k] / rng.gamma(_SHAPE + 0.5 * len(y), 1.0, DRAWS)
    step = mean[k] + np.sqrt(spread[k] * variance) * rng.standard_normal(DRAWS)
    variance = _SCALE / rng.gamma(_SHAPE, 1.0, DRAWS)
    prior = usual * np.sqrt(variance) * rng.standard_normal(DRAWS)
    return step, prior, float(np.logaddexp.reduce(weight))


def _item(record: Record, item: Mapping[str, Any]) -> pd.Series:
    """One item on its additive scale, up meaning more, net of the others where they are given."""
    if "channels" in item:
        have = wide(record, EXPOSURE, "n")[FOCAL].dropna().index
        one = counts(record, item, list(have))
        return np.log((one.focal + 0.5) / one.exposure).rename(one.name)
    name, unit = item["indicator"], item.get("unit", FOCAL)
    values = wide(record, name)
    of = wide(record, name, "n").reindex(columns=values.columns)
    family = record.codebook[name].family if name in record.codebook else "within"
    if family == "count":
        values = np.log((values + 0.5) / of.where(of > 0, 1.0))
    elif family == "share":
        values = np.log((values + 0.5) / (of - values + 0.5))
    own = values[unit].dropna() if unit in values else values.iloc[:0, 0]
    against = item.get("against")
    if against:
        rest = against if isinstance(against, list) else [u for u in values if u != unit]
        rest = [u for u in rest if u in values]
        own = (own - values[rest].mean(axis=1)).dropna()
    if own.empty:
        raise ClaimError(
            f"the claim asks for {name!r} of {unit}, which has no rows to compare",
            remedy="Load a record that holds the unit, or leave the claim out.",
        )
    return sign_of(record, name) * own.rename(name)


def _name(item: Mapping[str, Any]) -> str:
    return item.get("indicator", "chronology")


def _on(years: np.ndarray, params: Mapping[str, Any]) -> np.ndarray:
    if "at" in params:
        return years >= params["at"]
    return np.isin(years, years_of(params["pulse"]))


def _scaled(y: np.ndarray) -> np.ndarray:
    spread = y.std()
    return (y - y.mean()) / (spread if spread > 0 else 1.0)
