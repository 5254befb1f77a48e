"""How many independent events a claim rests on: shocks, not episodes and not dyad-years.

Invariant: episodes that start within a year of each other are one shock, however many states and
dyads they move. Guarded by ``tests/test_claims_shocks.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from fairweather.panel import Panel


def shock_table(found: pd.DataFrame) -> pd.DataFrame:
    """Merge episodes of both kinds into shocks.

    Parameters
    ----------
    found : DataFrame
        As from ``fairweather.find_episodes``.

    Returns
    -------
    DataFrame
        start, end, states, episodes, type; one row per shock.

    Examples
    --------
    >>> import fairweather as fw
    >>> sorted(set(shock_table(fw.find_episodes())["type"]))
    ['easing', 'hardship']
    """
    import pandas as pd

    from fairweather.episodes import TYPES, shocks

    return pd.concat([shocks(found, k).assign(type=k) for k in TYPES], ignore_index=True)


def count_shocks(entry: dict[str, Any], panel: Panel, shocks: pd.DataFrame | None) -> int | None:
    """Count what a claim rests on; None where the measure counts itself, or nothing is counted.

    Parameters
    ----------
    entry : dict
        ``shocks`` says of which kind, ``of`` which states must be among those hit.
    panel : Panel
    shocks : DataFrame or None
        From `shock_table`.
    """
    kind, of = entry["shocks"], set(entry["of"])
    if entry["method"] == "record":
        return None
    if kind == "states":
        return len(panel.states)
    if kind == "years":
        return len(panel.years)
    if kind not in ("easing", "hardship", "both") or shocks is None:
        return None
    table = shocks if kind == "both" else shocks[shocks["type"] == kind]
    named = [{s.strip() for s in str(text).split(",")} for text in table["states"]]
    return sum(1 for states in named if not of or states & of)
