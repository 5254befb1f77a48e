"""Which new observations moved the forecast: the forecast with an indicator's rows less without.

Invariant: both are of the same draws and the same shocks, so that a difference is that of the
rows; where the weights do not bear it there is no number. Guarded by
``tests/test_renewal_influence.py``.

Without an indicator's rows that differ, the draws have weights in proportion to one over the
density of these rows (the earlier rows put back in their place), smoothed by PSIS. The constants
of the design stay those of the panel.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fairweather import names
from fairweather.renewal.rows import CHANGED, NEW, WITHDRAWN, difference, without

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from fairweather.panel import Panel
    from fairweather.priors import Priors
    from fairweather.scenarios import Scenarios

# Enough for the weights' tail; each has two hundred futures.
_DRAWS = 4000
# A mean of log densities needs fewer.
_SURPRISE_DRAWS = 500
COLUMNS = ("indicator", "rows", "new", "changed", "withdrawn", "units", "surprise", "change",
           "mc_error", "k")  # fmt: skip


def influence(
    tree: xr.DataTree,
    before_panel: Panel,
    panel: Panel,
    *,
    scenarios: Scenarios | None = None,
    horizon: int = 5,
    earlier: xr.DataTree | None = None,
    priors: Priors | None = None,
    random_seed: int = 1,
) -> pd.DataFrame:
    """Measure what the rows of each indicator that differ did to the forecast.

    Parameters
    ----------
    tree : DataTree
        The fit of `panel`, by whichever route.
    before_panel, panel : Panel
        Before the new rows (see ``fairweather.renewal.panel_before``) and with them.
    scenarios : Scenarios, optional
        As for ``fairweather.forecast``.
    horizon : int
        Years ahead.
    earlier : DataTree, optional
        The fit of `before_panel`: needed for ``surprise``, which is NaN without.
    priors : Priors, optional
        Of the fit; default: the shipped belief set of that name.
    random_seed : int
        Of the futures.

    Returns
    -------
    DataFrame
        One row per indicator with rows that differ, largest change first: ``indicator``; ``rows``,
        how many differ, of them ``new``, ``changed``, ``withdrawn``; ``units``, how many dyads or
        states they are of; ``surprise``, mean negative log density of a new or changed row under
        the earlier draws, NaN if not to be had; ``change``, durability of the focal pair (first
        threshold, last horizon, current weather) with the rows less without them; ``mc_error``;
        ``k``, Pareto k of the leave-out weights. Where k is too large ``change`` is NaN.

    Raises
    ------
    FairweatherError
        The panel is not that of the fit, or covers no threshold.

    Examples
    --------
    >>> influence(done.tree, panel_before(run, panel), panel)  # doctest: +SKIP
    """
    import pandas as pd

    from fairweather.draws import Draws
    from fairweather.model import prepare

    rows = difference(before_panel, panel)
    if not len(rows):
        return pd.DataFrame(columns=list(COLUMNS))
    draws = Draws.of(tree, panel, priors, limit=_DRAWS)
    survival = _survival(draws, scenarios, horizon, random_seed)
    values = {str(k): draws.get(str(k)) for k in draws.data.data_vars}
    fitted = prepare(draws.panel, draws.priors)
    surprise = _surprise(earlier, before_panel, panel, rows, draws.priors, draws.reading)
    out = []
    for name, own in rows.groupby(names.INDICATOR, sort=True):
        change, error, k = _change(
            survival, values, draws, fitted, without(draws.panel, before_panel, str(name))
        )
        count = own["status"].value_counts()
        out.append({
            "indicator": name, "rows": len(own),
            **{s: int(count.get(s, 0)) for s in (NEW, CHANGED, WITHDRAWN)},
            "units": own["unit"].nunique(), "surprise": surprise.get(str(name), np.nan),
            "change": change, "mc_error": error, "k": k,
        })  # fmt: skip
    table = pd.DataFrame(out, columns=list(COLUMNS))
    order = table["change"].abs().fillna(-1.0).sort_values(ascending=False, kind="stable").index
    return table.loc[order].reset_index(drop=True)


def _survival(draws: Any, scenarios: Scenarios | None, horizon: int, seed: int) -> np.ndarray:
    """Share of each draw's futures that stay above its first threshold to the horizon."""
    from fairweather.forecast import Futures, all_shifts, thresholds
    from fairweather.scenarios import BASELINE, check_scenarios, load_scenarios

    chosen = check_scenarios(load_scenarios() if scenarios is None else scenarios, draws.panel)
    shift = all_shifts(draws, chosen, horizon)[chosen.names.index(BASELINE)]
    level = next(iter(thresholds(draws).values()))
    futures = Futures(draws, horizon, np.random.default_rng(seed))
    alignment, _ = futures.under(shift)
    return (alignment > level[:, None, None]).all(axis=-1).mean(axis=1)


def _change(
    survival: np.ndarray, values: dict[str, np.ndarray], draws: Any, fitted: Any, fewer: Panel
) -> tuple[float, float, float]:
    """Durability with rows less without, its Monte Carlo error, and k of the weights."""
    from fairweather.forecast import mc_error
    from fairweather.lfo import ReweightError
    from fairweather.model import prepare
    from fairweather.renewal.ratio import UnweighableError, log_ratio
    from fairweather.renewal.reweigh import weigh

    try:
        other = prepare(fewer, draws.priors)
        ratio = log_ratio(values, draws.panel, fitted, other, draws.priors)
        weights = weigh(ratio, draws.chains)
    except (UnweighableError, ReweightError):
        return np.nan, np.nan, np.inf
    if not weights.usable:
        return np.nan, np.nan, weights.k
    share = np.exp(weights.log) * len(survival)
    left, whole = float((share * survival).mean()), float(survival.mean())
    # How each draw enters the difference of the two means.
    part = (survival - whole) - share * (survival - left)
    return whole - left, float(mc_error(part, draws)), weights.k


def _surprise(
    earlier: xr.DataTree | None, before: Panel, panel: Panel, rows: pd.DataFrame, priors: Priors,
    reading: str,
) -> dict[str, float]:  # fmt: skip
    """Mean negative log density of new and changed rows under earlier draws, by indicator."""
    from dataclasses import replace

    from fairweather.heldout import held_density
    from fairweather.model import build_model

    if (
        earlier is None
        or before.dyads != panel.dyads
        or not np.array_equal(before.years, panel.years)
    ):
        return {}
    data = earlier["posterior"].to_dataset()
    size = data.sizes["draw"]
    keep = np.linspace(0, size - 1, min(size, _SURPRISE_DRAWS // data.sizes["chain"])).round()
    data = data.isel(draw=np.unique(keep.astype(int))).load()
    values = {}
    for name, x in data.data_vars.items():
        x = x.transpose("chain", "draw", ...).to_numpy()
        values[str(name)] = x.reshape(-1, *x.shape[2:])
    scored = rows[rows["status"] != WITHDRAWN]
    # The rows as they were, without those that have another value now.
    stale = _keys(rows[rows["status"] != NEW])
    coming = _keys(scored)
    known = replace(before, rows=_filter(before, lambda key: key not in stale))
    fresh = _filter(panel, lambda key: key in coming)
    model = build_model(known, reading=reading, priors=priors)
    fitted = build_model(before, reading=reading, priors=priors)
    if {k: list(map(str, v)) for k, v in model.coords.items()} != {
        k: list(map(str, v)) for k, v in fitted.coords.items()
    }:
        return {}
    import pandas as pd

    whole = replace(known, rows={
        i: pd.concat([t[i] for t in (known.rows, fresh) if i in t], ignore_index=True)
        for i in {**known.rows, **fresh}
    })  # fmt: skip
    out: dict[str, float] = {}
    for latent in (names.ALIGNMENT, names.PRESSURE):
        if not any(panel.record.codebook[i].latent == latent for i in scored[names.INDICATOR]):
            continue
        density = held_density(values, model, whole, latent)
        which = density[names.INDICATOR].values
        for name in np.unique(which):
            found = density.values[:, which == name]
            found = found[:, np.isfinite(found).all(axis=0)]
            if found.size:
                out[str(name)] = float(-found.mean())
    return out


def _keys(rows: pd.DataFrame) -> set[tuple[str, str, int]]:
    return set(zip(rows[names.INDICATOR], rows["unit"], rows[names.YEAR].astype(int), strict=True))


def _filter(panel: Panel, wanted: Any) -> dict[str, pd.DataFrame]:
    """Rows of a panel whose key is wanted."""
    out = {}
    for name, frame in panel.rows.items():
        axis = panel.units(panel.record.codebook[name].latent)
        years = panel.years[frame["time"].to_numpy(int)]
        keys = zip(frame["unit"].to_numpy(int), years, strict=True)
        here = np.array([wanted((name, axis[u], int(y))) for u, y in keys], bool)
        if here.any():
            out[name] = frame[here].reset_index(drop=True)
    return out
