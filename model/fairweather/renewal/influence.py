"""Which new observations moved the forecast: the forecast with an indicator's rows less without.

Invariant: both are of the same draws and the same shocks, so that a difference is that of the
rows. Guarded by ``tests/test_renewal_influence.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from fairweather.panel import Panel
    from fairweather.priors import Priors
    from fairweather.scenarios import Scenarios


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
    """
    raise NotImplementedError
