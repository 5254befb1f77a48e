"""Later rows of the pair held against drawn series, beside the plain forecasts.

Invariant: a series is scored if the earlier panel reads it and the later one has rows of it; the
earlier panel alone makes the plain forecasts. Guarded by ``tests/test_moment.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fairweather import names
from fairweather.errors import FairweatherError
from fairweather.moment_scores import (
    BASELINES,
    WHOLE,
    coded,
    covered,
    crps,
    log_score,
    out_of,
    pit,
    plain,
    scaled,
)

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from fairweather.observables import Observables
    from fairweather.panel import Panel

EXPECTED, CAME, UNCHANGED = "expected", "came", "unchanged"
WEATHERS = (EXPECTED, CAME, UNCHANGED)
FORECASTS = (*WEATHERS, *BASELINES)
LEVELS = (0.5, 0.9)


class MomentError(FairweatherError):
    """The moment cannot be set up from these panels."""


def scored(
    then: Panel, now: Panel, indicators: Observables, drawn: np.ndarray, coords: dict[str, Any],
    seed: int,
) -> dict[str, xr.Dataset]:  # fmt: skip
    """Hold the drawn series of the pair against its later rows, beside the plain forecasts.

    Parameters
    ----------
    then, now : Panel
    indicators : Observables
        Of the fit to `then`.
    drawn : ndarray, shape (weather, series, draw, year)
        What `indicators` drew.
    coords : dict
        ``weather`` and ``year``.
    seed : int

    Returns
    -------
    dict of str to Dataset
        ``observables``: draws and outcomes in the unit in which they are drawn, and ``agenda``,
        by how much agreement of all pairs, and of the pair, has moved since the last year known
        then (logits).
        ``scores``: rows by forecasts.

    Raises
    ------
    MomentError
        No series of the pair has both a past and a later row.

    Examples
    --------
    >>> scored(then, now, indicators, drawn, coords, 1)["scores"]  # doctest: +SKIP
    """
    import xarray as xr

    labels = indicators.coords
    years, size = coords[names.YEAR], drawn.shape[2]
    kept, outcomes, rows, scores = [], [], [], []
    for k, (name, unit) in enumerate(zip(labels["id"][1], labels["unit"][1], strict=True)):
        if unit != then.focal or name not in now.rows:
            continue
        one = then.record.codebook[name]
        later, at = _rows(now, name, years)
        if later.empty:
            continue
        n = later["n"].to_numpy(float)
        raw = coded(one.family, later)
        value = scaled(one.family, raw)
        before, past = _rows(then, name, then.years)
        own = np.random.default_rng([seed, 7, k])
        mine = np.moveaxis(drawn[:, k][..., at], 1, -1)  # (weather, row, draw)
        if one.family == "share":
            mine = out_of(mine, n[:, None], own.random(mine.shape[1:]))
        mine = scaled(one.family, mine)
        rival = plain(one.family, then.years[past], before, years[at], n, size, own)
        table = dict(zip(WEATHERS, mine, strict=True)) | rival
        known = scaled(one.family, coded(one.family, before))
        unit_sd = known.std(ddof=1) if len(known) > 1 else 0.0
        rows += [(name, one.domain, one.family, int(y), v, unit_sd if unit_sd > 0 else np.nan)
                 for y, v in zip(years[at], value, strict=True)]  # fmt: skip
        scores.append(_scores(table, value, one.family in WHOLE))
        kept.append(k)
        outcomes.append(np.full(len(years), np.nan))
        outcomes[-1][at] = raw
    if not kept:
        raise MomentError("no series of the pair has both a past and a later row")
    names_kept = [labels["id"][1][k] for k in kept]
    observables = xr.Dataset(
        {"value": (("weather", names.INDICATOR, names.DRAW, names.YEAR), drawn[:, kept]),
         "outcome": ((names.INDICATOR, names.YEAR), np.stack(outcomes)),
         "agenda": (("pairs", names.YEAR), _agenda(then, now, years))},
        coords={**coords, names.INDICATOR: names_kept, "pairs": ["all", then.focal]},
    )  # fmt: skip
    fields = [np.array(x) for x in zip(*rows, strict=True)]
    columns = (names.INDICATOR, "domain", "family", names.YEAR, "value", "past_sd")
    scored = xr.Dataset(
        {k: (("row", "forecast"), np.concatenate([s[k] for s in scores])) for k in scores[0]},
        coords={"forecast": list(FORECASTS)}
        | {k: ("row", x) for k, x in zip(columns, fields, strict=True)},
    )
    return {"observables": observables, "scores": scored}


def _agenda(then: Panel, now: Panel, years: np.ndarray) -> np.ndarray:
    """Movement of agreement since the last year known then, shape (all pairs or the pair, year)."""
    anchor = next((one for one in now.indicators(names.ALIGNMENT) if one.anchor), None)
    if anchor is None or anchor.id not in then.rows:
        return np.full((2, len(years)), np.nan)
    rows = now.rows[anchor.id]
    logit = scaled(anchor.family, coded(anchor.family, rows))
    focal = (rows["unit"] == now.dyads.index(now.focal)).to_numpy()
    mean = np.full((2, len(now.years)), np.nan)
    for t in rows["time"].unique():
        at = (rows["time"] == t).to_numpy()
        mean[0, t] = logit[at].mean()
        mean[1, t] = logit[at & focal].mean() if (at & focal).any() else np.nan
    base = int(then.years[then.rows[anchor.id]["time"].max()] - now.years[0])
    return mean[:, years - int(now.years[0])] - mean[:, [base]]


def _rows(panel: Panel, name: str, years: np.ndarray) -> tuple[pd.DataFrame, np.ndarray]:
    """Rows of the pair's series in some years, and the position of each among those years."""
    rows = panel.rows[name]
    rows = rows[rows["unit"] == panel.dyads.index(panel.focal)].sort_values("time")
    year = panel.years[rows["time"].to_numpy(int)]
    inside = (year >= years[0]) & (year <= years[-1])
    if panel.record.codebook[name].family == "share":
        inside &= rows["n"].to_numpy(float) > 0
    return rows[inside], year[inside] - int(years[0])


def _scores(table: dict[str, np.ndarray], value: np.ndarray, whole: bool) -> dict[str, np.ndarray]:
    """Scores of every forecast of one series, each (row, forecast), NaN where there is none."""
    shape = (len(value), len(FORECASTS))
    inside = {f"inside_{100 * p:.0f}": p for p in LEVELS}
    out = {k: np.full(shape, np.nan) for k in ("crps", "pit_low", "pit_high", "log_score", *inside)}
    for k, name in enumerate(FORECASTS):
        if name not in table:
            continue
        draws = table[name]
        low, high = pit(draws, value)
        out["crps"][:, k] = crps(draws, value)
        out["pit_low"][:, k], out["pit_high"][:, k] = low, high
        out["log_score"][:, k] = log_score(draws, value, whole)
        for label, p in inside.items():
            out[label][:, k] = covered(low, high, p)
    return out
