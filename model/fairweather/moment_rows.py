"""Later rows of the pair held against drawn series, beside the plain forecasts.

Invariant: a series is scored if the earlier panel reads it and the later one has rows of it; the
earlier panel alone makes the plain forecasts, and scores and plain forecasts are those of
`fairweather.scores` and `fairweather.baselines`. Guarded by ``tests/test_moment.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fairweather import names
from fairweather.errors import FairweatherError
from fairweather.scales import link
from fairweather.scores import Cells, get_score
from fairweather.scores.calibration import coverage, place

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from fairweather.observables import Observables
    from fairweather.panel import Panel

EXPECTED, CAME, UNCHANGED = "expected", "came", "unchanged"
WEATHERS = (EXPECTED, CAME, UNCHANGED)
# Of the plain forecasts those two that need no other series of the pair.
BASELINES = ("random-walk", "climatology")
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

    from fairweather.baselines import Known

    labels, known = indicators.coords, Known(then)
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
        before, _ = _rows(then, name, then.years)
        past = link(one.family, in_record(one.family, before), before["n"].to_numpy(float))
        own = np.random.default_rng([seed, 7, k])
        mine = np.moveaxis(drawn[:, k][..., at], 1, -1)  # (weather, row, draw)
        if one.family == "share":
            # Trials are given: a share of two trials scatters more than the chance behind it.
            trials = np.broadcast_to(n[:, None], mine.shape).astype(int)
            mine = own.binomial(trials, np.clip(mine, 0.0, 1.0)).astype(float)
        table = dict(zip(WEATHERS, mine, strict=True))
        table |= _plain(known, one, unit, years[at], n, size, own)
        value = in_record(one.family, later)
        unit_sd = past.std(ddof=1) if len(past) > 1 else 0.0
        rows += [(name, one.domain, one.family, int(y), v, unit_sd if unit_sd > 0 else np.nan)
                 for y, v in zip(years[at], link(one.family, value, n), strict=True)]  # fmt: skip
        scores.append(_scores(table, one.family, value, n))
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


def coded(family: str, rows: Any) -> np.ndarray:
    """Outcome of coded rows in the unit in which `Observables` draws them.

    Parameters
    ----------
    family : str
    rows : DataFrame
        With ``value``, ``partial`` and ``n``.

    Returns
    -------
    ndarray, shape (row,)
        Agreement as a share for votes, as the model reads them; share for shares, else the value.
    """
    value, n = rows["value"].to_numpy(float), rows["n"].to_numpy(float)
    if family == "vote":
        from fairweather.measurement.vote import score

        return 1.0 / (
            1.0 + np.exp(-score(value, np.nan_to_num(rows["partial"].to_numpy(float)), n))
        )
    return value / n if family == "share" else value


def in_record(family: str, rows: Any) -> np.ndarray:
    """Outcome of coded rows as scores take it: of shares the number of successes."""
    return rows["value"].to_numpy(float) if family == "share" else coded(family, rows)


def linked(family: str, drawn: np.ndarray) -> np.ndarray:
    """Move values from the unit of `coded` to the link scale; of a share the chance behind it."""
    return link("vote" if family == "share" else family, drawn, 1.0)


def _plain(
    known: Any, one: Any, unit: str, years: np.ndarray, n: np.ndarray, size: int,
    rng: np.random.Generator,
) -> dict[str, np.ndarray]:  # fmt: skip
    """Draws of the plain forecasts of one series, in the units of the record; none where silent."""
    import pandas as pd

    from fairweather.baselines import get_baseline, unlink

    cells = pd.DataFrame({"indicator": one.id, "unit": unit, "year": years})
    out = {}
    for name in BASELINES:
        x = get_baseline(name).foresee(known, cells, rng, size)
        if not np.isnan(x).any():
            out[name] = unlink(one.family, x, n, rng)
    return out


def _agenda(then: Panel, now: Panel, years: np.ndarray) -> np.ndarray:
    """Movement of agreement since the last year known then, shape (all pairs or the pair, year)."""
    anchor = next((one for one in now.indicators(names.ALIGNMENT) if one.anchor), None)
    if anchor is None or anchor.id not in then.rows:
        return np.full((2, len(years)), np.nan)
    rows = now.rows[anchor.id]
    logit = linked(anchor.family, coded(anchor.family, rows))
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


def _scores(
    table: dict[str, np.ndarray], family: str, value: np.ndarray, n: np.ndarray
) -> dict[str, np.ndarray]:
    """Scores of every forecast of one series, each (row, forecast), NaN where there is none."""
    shape = (len(value), len(FORECASTS))
    inside = {f"inside_{100 * p:.0f}": p for p in LEVELS}
    out = {k: np.full(shape, np.nan) for k in ("crps", "pit_low", "pit_high", "log", *inside)}
    for k, name in enumerate(FORECASTS):
        if name not in table:
            continue
        one = Cells(family, table[name], value, n, np.full(len(value), np.nan))
        low, high = place(one)
        out["pit_low"][:, k], out["pit_high"][:, k] = low, high
        for score in ("crps", "log"):
            out[score][:, k] = get_score(score).score(one)
        for label, p in inside.items():
            out[label][:, k] = coverage(low, high, p)
    return out
