"""What would make one doubt the answer: placebo dyads, power-scaling, episodes that were no use.

Invariant: nothing here is fitted or tuned; each table is reported whatever it shows.
Guarded by ``tests/test_contest_honesty.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from fairweather import names
from fairweather.contest.design import AFTER, BEFORE
from fairweather.contest.windows import all_rows, changes
from fairweather.errors import FairweatherError

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from fairweather.panel import Panel
    from fairweather.priors import Priors


def placebo_dyads(panel: Panel, windows: pd.DataFrame) -> pd.DataFrame:
    """Set the change of an eased or pressed state's dyads beside that of dyads nobody moved.

    A dyad stands in as a placebo for an episode where neither of its states has an episode, or the
    three years after one, in the years looked at. Both changes come from the coded rows alone:
    mean of the years from the end to three after it, less the mean of the three years before the
    start, per indicator in its own SD, then over a dyad's indicators and domains, then over dyads.

    Parameters
    ----------
    panel : Panel
    windows : DataFrame
        From `fairweather.contest.design.find_windows`.

    Returns
    -------
    DataFrame
        One row per usable episode: state, start, end, type, ``own`` and ``placebo`` (mean change,
        SD), ``dyads`` and ``placebo_dyads`` (how many), ``difference``.
    """
    import pandas as pd

    rows = all_rows(panel)
    busy: dict[str, set[int]] = {}
    for w in windows.itertuples():
        busy.setdefault(w.state, set()).update(range(w.start, w.end + AFTER + 1))
    out = []
    for w in windows[windows["problem"] == ""].itertuples():
        span = set(range(w.start - BEFORE, w.end + AFTER + 1))
        quiet = {d for d in panel.dyads if not any(busy.get(s, set()) & span for s in d.split("-"))}
        own = {d for d in panel.dyads if w.state in d.split("-")}
        found = changes(rows, rows["level"].to_numpy()[None], w.start, w.end)
        moved = pd.Series({d: float(x[0]) for d, x in found.items()}, dtype=float)
        a, b = moved[moved.index.isin(own)], moved[moved.index.isin(quiet)]
        if len(a) and len(b):
            out.append((w.state, w.start, w.end, w.type, a.mean(), b.mean(), len(a), len(b)))
    columns = ["state", "start", "end", "type", "own", "placebo", "dyads", "placebo_dyads"]
    table = pd.DataFrame(out, columns=columns)
    return table.assign(difference=table["own"] - table["placebo"])


def placebo_summary(table: pd.DataFrame) -> pd.DataFrame:
    """Mean difference by type, with a standard error over shocks: windows that start together.

    Returns
    -------
    DataFrame
        type, episodes, shocks, difference, se.
    """
    import pandas as pd

    from fairweather.episodes import shock_of

    out = []
    for kind, part in table.groupby("type"):
        by_shock = part["difference"].groupby(shock_of(part["start"])).mean()
        n = len(by_shock)
        se = float(by_shock.std(ddof=1) / np.sqrt(n)) if n > 1 else float("nan")
        out.append((kind, len(part), n, float(by_shock.mean()), se))
    return pd.DataFrame(out, columns=["type", "episodes", "shocks", "difference", "se"])


def power_scaling(tree: xr.DataTree, panel: Panel, priors: Priors | None = None) -> pd.DataFrame:
    """How far the claims' quantities move if the prior, or the record, speaks a little louder.

    Parameters
    ----------
    tree : DataTree
        A fit to the whole record.
    panel : Panel
    priors : Priors, optional
        The belief set of the fit; default: the shipped one of that name.

    Returns
    -------
    DataFrame
        From `fairweather.sensitivity.power_scale`.
    """
    from fairweather.sensitivity import claim_values, power_scale, thin

    few = thin(tree)
    values = claim_values(few, panel, priors=priors)
    return power_scale(few, panel, values, priors=priors)


def sections(done: Mapping[str, Any]) -> list[str]:
    """Write the tables of this module down for the page of a contest."""
    from fairweather.archive import open_results
    from fairweather.contest.page import markdown
    from fairweather.readings import DEFAULT

    table = placebo_dyads(done["panel"], done["windows"])
    parts = [
        "## Placebo dyads", "",
        "Change around episodes less that of dyads whose states nobody eased or pressed at the "
        "time, from the coded rows alone, SD of the indicators; standard error over shocks.", "",
        markdown(placebo_summary(table)), "",
    ]  # fmt: skip
    unused = done["windows"][done["windows"]["problem"] != ""]
    if len(unused):
        said = [f"- {w.state} {w.type} {w.start}-{w.end}: {w.problem}" for w in unused.itertuples()]
        parts += ["Episodes that could not be held out:", "", *said, ""]
    fits = done["fits"]
    folder = fits.loc[(fits["reading"] == DEFAULT) & (fits["folder"] != ""), "folder"]
    if len(folder) and done["panel"].focal == names.FOCAL:
        parts += ["## Power-scaling", "",
                  "Sensitivity of the claims' quantities to the prior and to the record, reading "
                  f"{DEFAULT}.", ""]  # fmt: skip
        try:
            scaled = power_scaling(open_results(folder.iloc[0]).tree, done["panel"], done["priors"])
            parts += [markdown(scaled, 3), ""]
        except FairweatherError as err:  # said on the page; the other tables are kept
            parts += [f"Not available: {err}", ""]
    return parts
