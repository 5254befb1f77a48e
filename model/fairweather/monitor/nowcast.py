"""Where the focal pair and its indicators stand in the running year, the part seen included.

Invariant: a nowcast is provisional and enters no record; an indicator of which a part was seen is
drawn as that part and the rest of the year, one of which nothing was seen as any year to come.
Guarded by ``tests/test_monitor_nowcast.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fairweather import names
from fairweather.ahead import ENDED, AheadError, due, foresee
from fairweather.heldout import parameters
from fairweather.model import build_model
from fairweather.monitor.layout import without
from fairweather.monitor.rest import count_year, plain, share_year, vote_year
from fairweather.structure import stacked

if TYPE_CHECKING:
    import pandas as pd

    from fairweather.draws import Draws
    from fairweather.model import Model
    from fairweather.panel import Panel
    from fairweather.priors import Priors

LEVELS = (0.055, 0.25, 0.5, 0.75, 0.945)
BOUNDS = ["lower_89", "lower_50", "median", "upper_50", "upper_89"]
UNITS = {
    "vote": "share", "share": "share", "count": "events", "within": "scale",
    "anchor": "log",
}  # fmt: skip
_DRAWN = 500  # draws an indicator's interval needs


@dataclass(frozen=True)
class Nowcast:
    """The running year as far as it can be told; provisional.

    Attributes
    ----------
    year : int
    indicators : DataFrame
        indicator, unit, latent, family, last (year on record), before (its value), seen (value so
        far), through, covered, units, and the whole year's ``median`` with 50 and 89 % intervals.
    latents : DataFrame
        quantity, since (year compared with), before (median then), median and intervals, ``lower``
        (probability of being lower than then), units.
    """

    year: int
    indicators: pd.DataFrame
    latents: pd.DataFrame


def nowcast(
    draws: Draws, panel: Panel, rows: pd.DataFrame | None = None, *, priors: Priors,
    since: int | None = None, random_seed: int = 1,
) -> Nowcast:  # fmt: skip
    """Tell where the focal pair stands in the running year.

    Parameters
    ----------
    draws : Draws
        Of a fit of `panel`.
    panel : Panel
        From `fairweather.monitor.running`.
    rows : DataFrame, optional
        From `fairweather.monitor.read_rows`.
    priors : Priors
        Of the fit.
    since : int, optional
        Year the latents are compared with; default: the one before.
    random_seed : int

    Returns
    -------
    Nowcast

    Examples
    --------
    >>> nowcast(draws, panel, rows, priors=fw.load_priors()).indicators  # doctest: +SKIP
    """
    since = panel.origin - 1 if since is None else since
    table = indicators(draws, panel, rows, priors, np.random.default_rng(random_seed))
    return Nowcast(panel.origin, table, latents(draws, since))


def indicators(
    draws: Draws, panel: Panel, rows: pd.DataFrame | None, priors: Priors,
    rng: np.random.Generator,
) -> pd.DataFrame:  # fmt: skip
    """Draw the whole running year of each living indicator of the focal pair.

    Returns
    -------
    DataFrame
        As in `Nowcast`; NaN where nothing can be said: a unit that never saw an event.
    """
    import pandas as pd

    few = np.linspace(0, len(draws) - 1, min(_DRAWN, len(draws))).round().astype(int)
    values = {str(k): draws.get(str(k))[few] for k in draws.data.data_vars}
    model = build_model(panel, reading=draws.reading, priors=priors)
    seen, unseen = _cells(draws, panel, rows)
    parts = []
    if len(unseen):
        drawn = foresee(values, model, unseen, rng)
        n, family = unseen["n"].to_numpy(float), unseen["family"].to_numpy()
        drawn = np.where(family == "share", drawn / n, drawn)
        parts.append((unseen, np.where(family == "vote", plain(drawn, n), drawn)))
    if len(seen):
        parts.append((seen, _of_parts(seen, values, model, rng)))
    if not parts:
        return pd.DataFrame(columns=[*_COLUMNS, *BOUNDS])
    out = []
    for cells, drawn in parts:
        # Of counts whole numbers; of a unit that never saw an event nothing.
        spans = np.quantile(drawn, LEVELS, axis=0, method="inverted_cdf")
        out.append(cells[_COLUMNS].assign(**dict(zip(BOUNDS, spans, strict=True))))
    table = pd.concat([p for p in out if len(p)], ignore_index=True)
    order = {i.id: k for k, i in enumerate(panel.record.codebook.indicators)}
    at = table["indicator"].map(order)
    return table.iloc[np.lexsort((table["unit"], at))].reset_index(drop=True)


_COLUMNS = [
    "indicator", "unit", "latent", "family", "last", "before", "seen", "through", "covered",
    "units",
]  # fmt: skip


def _cells(
    draws: Draws, panel: Panel, rows: pd.DataFrame | None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Cells of the running year of which a part was seen, and those to be foreseen."""
    import pandas as pd

    pair, year = [panel.focal, *draws.pair], panel.origin
    bare = panel if rows is None else without(panel, rows)
    first = min(int(year), *(int(y) for y in rows["year"])) if rows is not None else int(year)
    try:
        cells = due(bare)
    except AheadError:
        cells = pd.DataFrame()
    if len(cells):
        living = cells["last"] > first - 1 - ENDED
        cells = cells[(cells["year"] == year) & cells["unit"].isin(pair) & living]
        cells = cells.assign(before=_shown(cells), trials=cells["n"])
    empty = pd.DataFrame(columns=[*_COLUMNS, "trials"])
    if rows is None:
        seen = empty
    else:
        seen = rows[(rows["year"] == year) & rows["unit"].isin(pair)]
        known = cells.set_index(["indicator", "unit"]) if len(cells) else None
        keys = pd.MultiIndex.from_frame(seen[["indicator", "unit"]])
        for name in ("last", "before", "trials"):
            old = np.nan if known is None else known[name].reindex(keys).to_numpy()
            seen = seen.assign(**{name: old})
        seen = seen.assign(
            seen=_shown(seen), agreed=seen["value"] + 0.5 * seen["partial"].fillna(0.0)
        )
        if len(cells):
            there = pd.MultiIndex.from_frame(cells[["indicator", "unit"]]).isin(keys)
            cells = cells[~there]
    unseen = cells.assign(seen=np.nan, through=None, covered=np.nan) if len(cells) else empty
    return tuple(
        part.assign(units=part["family"].map(UNITS)).reset_index(drop=True)
        for part in (seen, unseen)
    )  # fmt: skip


def _shown(cells: pd.DataFrame) -> np.ndarray:
    """Values in the units shown: of votes and shares a share."""
    value, n = cells["value"].to_numpy(float), cells["n"].to_numpy(float)
    half = np.where(cells["family"] == "vote", 0.5 * cells["partial"].to_numpy(float), 0.0)
    of = cells["family"].isin(["vote", "share"]).to_numpy()
    return np.where(of, (value + half) / np.where(of, n, 1.0), value)


def _of_parts(
    seen: pd.DataFrame, values: dict[str, np.ndarray], model: Model, rng: np.random.Generator
) -> np.ndarray:
    """Draw whole years of which a part was seen, shape (draw, cell)."""
    panel, latents = model.panel, stacked(model.panel, values)
    out = np.full((len(latents), len(seen)), np.nan)
    for k, row in enumerate(seen.to_dict("records")):
        if row["family"] not in ("count", "share", "vote"):
            out[:, k] = row["value"]
            continue
        batch = model.batches.get(row["family"])
        at = None if batch is None else _series(batch, row, panel)
        if at is None:
            continue
        time = row["year"] - int(panel.years[0])
        par = parameters(values, batch, model.priors, len(latents))
        latent = batch.sign[at] * latents[:, batch.row[at]]
        given = (batch, at, time, latent, par)
        left = 1.0 - row["covered"]
        if row["family"] == "count":
            rest = max(row["full"] - row["n"], 0.0) if left > 0 else 0.0
            out[:, k] = count_year(*given, rest, rng)
            continue
        usual = row["trials"] if row["trials"] > 0 else row["n"] / row["covered"]
        rest = round(usual * left)
        if row["family"] == "share":
            out[:, k] = share_year(*given, rest, rng)
        else:
            out[:, k] = vote_year(*given, (row["agreed"], row["n"]), rest, rng)
    return out


def _series(batch: Any, row: dict[str, Any], panel: Panel) -> int | None:
    """Find the series a row belongs to; none for a unit without any event, or of one row."""
    if row["indicator"] not in batch.ids:
        return None
    unit = panel.units(row["latent"]).index(row["unit"])
    own = (batch.which == batch.ids.index(row["indicator"])) & (batch.unit == unit)
    return int(np.flatnonzero(own)[0]) if own.any() else None


def latents(draws: Draws, since: int) -> pd.DataFrame:
    """Alignment of the pair and pressure on its states now, beside an earlier year.

    Returns
    -------
    DataFrame
        As in `Nowcast`.
    """
    import pandas as pd

    at = int(np.flatnonzero(draws.panel.years == since)[0])
    paths = {f"alignment {draws.panel.focal}": draws.get(names.ALIGNMENT, dyad=draws.panel.focal)}
    for state in draws.pair:
        paths[f"pressure {state}"] = draws.get(names.PRESSURE, state=state)
    out = []
    for title, path in paths.items():
        then, now = path[:, at], path[:, -1]
        units = "logits" if title.startswith("align") else "log(1 + cases)"
        out.append((title, since, np.median(then), *np.quantile(now, LEVELS),
                    float((now < then).mean()), units))  # fmt: skip
    return pd.DataFrame(out, columns=["quantity", "since", "before", *BOUNDS, "lower", "units"])
