"""Scores of issued forecasts of what has come, beside plain forecasts made from what they knew.

Invariant: a cell is scored only if its value stands in the record now and was not known to the
forecast; the plain forecasts see what the forecast saw; the same store and record give the same
table. Guarded by ``tests/test_due.py``.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fairweather import names
from fairweather.backtest.origin import came, in_units
from fairweather.baselines import BASELINES, Known, get_baseline, unlink
from fairweather.coding import notes
from fairweather.due.final import status
from fairweather.due.vintage import Vintages
from fairweather.scenarios import BASELINE
from fairweather.scores import SCORES, Cells, get_score
from fairweather.scores.calibration import LEVELS, coverage, place

if TYPE_CHECKING:
    import pandas as pd

    from fairweather.issued import Issued, Store
    from fairweather.panel import Panel
    from fairweather.record import Record

# The issued forecast among the forecasts of a cell.
ISSUED = "issued"
# Draws of a plain forecast.
DRAWS = 1000
KEYS = ["indicator", "unit", "year"]
_CELL = ["latent", "indicator", "family", "domain", "unit", "year", "horizon", "value", "n"]
COLUMNS = [
    "serial", "id", "origin", "scenario", *_CELL, "known_from", "status", "why", "revisions",
    "vintage", "forecast", *SCORES, "low", "high", *(f"inside_{100 * p:.0f}" for p in LEVELS),
]  # fmt: skip


def due_scores(
    store: Store, record: Record, *, data_dir: str | Path | None = None,
    keys: Iterable[str | int] | None = None, scenario: str = BASELINE,
    since: Record | None = None,
) -> pd.DataFrame:  # fmt: skip
    """Score every issued forecast of which something has come.

    Parameters
    ----------
    store : Store
    record : Record
        What is known now, with all its vintages; cut to a day, what was known then.
    data_dir : str or Path, optional
        Folder of the record, for the notes of its releases; by default the one in use.
    keys : iterable of str or int, optional
        Only these forecasts (ids, serials, ``latest``); by default all.
    scenario : str
        US weather under which a forecast is scored; by default that it stays as it was. The others
        are forecasts on a condition that was hardly ever met.
    since : Record, optional
        Only values that this earlier record did not have, or had otherwise.

    Returns
    -------
    DataFrame
        One row per forecast issued, cell and forecast of it (``issued``, and the plain ones of
        `fairweather.baselines`), in the order of issue: ``serial, id, origin, scenario``; the
        cell with ``horizon`` (years), ``value`` (of votes the share of agreement) and ``n``
        (trials, exposure); ``known_from, status, why, revisions`` as `status` says; ``vintage``
        (see `Vintages`); ``forecast``; every score of `fairweather.scores`, smaller being better;
        ``low`` and ``high``, the place of what came among the draws; ``inside_50`` and
        ``inside_89``. NaN where a forecast does not speak or a score says nothing. Empty if
        nothing has come.

    Raises
    ------
    ArchiveError
        The store, or a forecast in it, cannot be read.
    RecordError
        The record is not one these forecasts can be made from.

    Examples
    --------
    >>> import fairweather as fw
    >>> from fairweather.issued import Store
    >>> due_scores(Store("forecasts"), fw.load_record())  # doctest: +SKIP
    """
    import pandas as pd

    vintages, noted = Vintages(record), notes.read(data_dir or _in_use())
    newest = int(record.observations["year"].max())
    seen = _Seen(vintages)
    parts = []
    for key in _wanted(store, keys, newest):
        one = store.open(key)
        cells = _cells(one, record, seen, scenario)
        if cells is not None and since is not None:
            cells = _only_new(cells, record, since)
        if cells is None or cells.empty:
            continue
        told = status(record, noted, cells[KEYS])
        cells = cells.assign(**{c: told[c] for c in told.columns.difference(KEYS)})
        parts.append(_score(one, cells, seen, scenario))
    if not parts:
        return pd.DataFrame(columns=COLUMNS)
    return pd.concat(parts, ignore_index=True)[COLUMNS]


def _in_use() -> Path:
    from fairweather.paths import data_dir

    return data_dir()


def _wanted(store: Store, keys: Iterable[str | int] | None, newest: int) -> list[str | int]:
    """Forecasts of which something can have come, told by the ledger alone."""
    if keys is not None:
        return list(keys)
    out = []
    for entry in store.entries():
        origin = entry["headline"].get("origin")
        if isinstance(origin, int) and origin < newest:
            out.append(entry["serial"])
    return out


class _Seen:
    """Panels and rows as forecasts knew them, kept while many of one vintage are scored."""

    def __init__(self, vintages: Vintages) -> None:
        self.vintages = vintages
        self._kept: dict[Any, tuple[Panel, Known, Record, str]] = {}
        self._now: dict[Any, Panel] = {}

    def then(self, one: Issued) -> tuple[Panel, Known, Record, str]:
        """Panel, rows for plain forecasts, record and how it was found."""
        from fairweather.panel import load_panel

        record, how = self.vintages.of(one.facts, one.issued_at[:10])
        first, origin = _first_year(one, record), int(one.facts["origin"])
        key = (id(record), first, origin, one.facts["focal"])
        if key not in self._kept:
            panel = load_panel(record, first_year=first, last_year=origin, focal=one.facts["focal"])
            self._kept[key] = (panel, Known(panel), record, how)
        return self._kept[key]

    def now(self, one: Issued) -> Panel:
        """Lay out what is known now, for the states of a forecast."""
        from fairweather.panel import load_panel

        record = self.vintages.record
        states = tuple((one.facts.get("data") or {}).get("states") or record.states["iso3"])
        first = _first_year(one, record)
        if (states, first) not in self._now:
            self._now[states, first] = load_panel(
                record, states=list(states), first_year=first, focal=one.facts["focal"]
            )
        return self._now[states, first]


def _first_year(one: Issued, record: Record) -> int:
    """First year of a forecast's panel, or of the record where that begins later."""
    years = (one.facts.get("data") or {}).get("years") or [1992]
    return max(int(years[0]), int(record.observations["year"].min()))


def _cells(one: Issued, record: Record, seen: _Seen, scenario: str) -> pd.DataFrame | None:
    """Lay out what a forecast said of which the value is known now and was not known to it."""
    facts = one.facts
    if "draws.parquet" not in one.files or not isinstance(facts.get("origin"), int):
        return None
    said = one.table("draws.parquet")
    said = said[said["scenario"] == scenario].rename(columns={"target_year": "year"})
    now = record.observations
    held = said[KEYS].astype({"year": int}).merge(now[KEYS].drop_duplicates(), on=KEYS)
    if held.empty:
        return None
    panel, _, then, how = seen.then(one)
    cells = _last_known(panel, said)
    known = then.observations[KEYS].drop_duplicates()
    cells = cells.merge(known, on=KEYS, how="left", indicator="in_then")
    cells = cells[cells["in_then"] == "left_only"].drop(columns="in_then")
    cells = cells.merge(held, on=KEYS)
    if cells.empty:
        return None
    draws = said.astype({"year": int})[[*KEYS, "draws"]]
    out = _came(cells, seen.now(one), facts["origin"])
    return None if out is None else out.merge(draws, on=KEYS, how="left").assign(vintage=how)


def _came(cells: pd.DataFrame, now: Panel, origin: int) -> pd.DataFrame | None:
    from fairweather.ahead import AheadError

    try:
        return came(cells, now, origin)
    except AheadError:
        return None


def _last_known(panel: Panel, said: pd.DataFrame) -> pd.DataFrame:
    """Put beside each cell the last row of its series that the forecast knew."""
    import pandas as pd

    parts = []
    for latent in (names.ALIGNMENT, names.PRESSURE):
        axis = np.array(panel.units(latent))
        for one in panel.indicators(latent):
            rows = panel.rows[one.id].sort_values("time")
            mean = rows.groupby("unit")["n"].transform(_exposure)
            rows = rows.assign(exposure=mean).groupby("unit").tail(1)
            parts.append(pd.DataFrame({
                "latent": latent, "indicator": one.id, "family": one.family,
                "domain": one.domain, "unit": axis[rows["unit"].to_numpy(int)],
                **{c: rows[c].to_numpy(float) for c in ("value", "partial", "n", "exposure")},
                "last": panel.years[rows["time"].to_numpy(int)],
            }))  # fmt: skip
    series = pd.concat(parts, ignore_index=True)
    return said[KEYS].astype({"year": int}).merge(series, on=["indicator", "unit"])


def _exposure(n: pd.Series) -> float:
    """Mean exposure of a series; a row without one has one."""
    x = n.to_numpy(float)
    return float(np.where(x > 0, x, 1.0).mean())


def _only_new(cells: pd.DataFrame, record: Record, since: Record) -> pd.DataFrame:
    """Keep cells whose value an earlier record did not have, or had otherwise."""
    numbers = ["value", "partial", "opposite", "n"]
    old, new = (r.observations.set_index(KEYS)[numbers] for r in (since, record))
    old, new = (x[~x.index.duplicated(keep="last")] for x in (old, new))
    at = cells.set_index(KEYS).index
    a, b = (x.reindex(at).to_numpy(float) for x in (old, new))
    same = ((a == b) | (np.isnan(a) & np.isnan(b))).all(axis=1)
    return cells[~(same & at.isin(old.index))].reset_index(drop=True)


def _score(one: Issued, cells: pd.DataFrame, seen: _Seen, scenario: str) -> pd.DataFrame:
    import pandas as pd

    panel, known, _, _ = seen.then(one)
    # Of the forecast's own id: the same numbers whenever it is scored.
    rng = np.random.default_rng(int(one.id[:12], 16))
    value, n = in_units(cells), cells["n"].to_numpy(float)
    last = cells["before"].to_numpy(float)
    exposure = _of(panel, cells)
    linked = {b: get_baseline(b).foresee(known, cells, rng, DRAWS) for b in BASELINES}
    parts = []
    for family, part in cells.groupby("family", sort=True):
        at = cells.index.get_indexer(part.index)
        drawn = np.stack([np.asarray(x, float) for x in part["draws"]])
        every = {ISSUED: as_recorded(str(family), drawn, n[at], exposure[at], rng)}
        every |= {b: unlink(str(family), x[at], n[at], rng) for b, x in linked.items()}
        shown = part.drop(columns="value").assign(value=value[at])
        for name, draws in every.items():
            one_cells = Cells(str(family), draws, value[at], n[at], last[at])
            low, high = place(one_cells)
            columns = {s: _taken(s, one_cells) for s in SCORES}
            columns |= {"low": low, "high": high}
            columns |= {f"inside_{100 * p:.0f}": coverage(low, high, p) for p in LEVELS}
            parts.append(shown.assign(forecast=name, **columns))
    out = pd.concat(parts, ignore_index=True).assign(
        serial=one.serial, id=one.id, origin=one.facts["origin"], scenario=scenario
    )
    order = [ISSUED, *BASELINES]
    out["rank"] = out["forecast"].map(order.index)
    return out.sort_values([*KEYS, "rank"], kind="stable", ignore_index=True)


def _of(panel: Panel, cells: pd.DataFrame) -> np.ndarray:
    """Mean exposure at which each cell's series was drawn, shape (cell,)."""
    mean = _last_known(panel, cells).drop_duplicates(KEYS).set_index(KEYS)["exposure"]
    return mean.reindex(cells.set_index(KEYS).index).to_numpy(float)


def as_recorded(
    family: str, draws: np.ndarray, n: np.ndarray, exposure: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Turn draws as they are frozen into draws of what the record holds.

    Parameters
    ----------
    family : str
    draws : ndarray, shape (cell, draw)
        As frozen: of shares the chance of a success, of counts a count at the mean exposure.
    n : ndarray, shape (cell,)
        Trials or exposure of what came.
    exposure : ndarray, shape (cell,)
        Mean exposure of the series when it was drawn.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray, shape (cell, draw)
        Of shares successes out of the trials that came; of counts at the exposure that came:
        thinned where it is less, so that the law stays that of a smaller rate.

    Examples
    --------
    >>> one, rng = np.ones(1), np.random.default_rng(1)
    >>> as_recorded("count", np.array([[0.0, 4.0]]), 0 * one, one, rng).tolist()
    [[0.0, 4.0]]
    """
    if family == "share":
        return rng.binomial(n.astype(int)[:, None], np.clip(draws, 0.0, 1.0)).astype(float)
    if family == "count":
        ratio = (np.where(n > 0, n, 1.0) / exposure)[:, None]
        whole = np.rint(draws).astype(int)
        less = rng.binomial(whole, np.broadcast_to(np.minimum(ratio, 1.0), whole.shape))
        more = np.floor(whole * np.maximum(ratio, 1.0) + rng.random(whole.shape))
        return np.where(ratio < 1.0, less, np.where(ratio > 1.0, more, whole)).astype(float)
    return draws


def _taken(name: str, cells: Cells) -> np.ndarray:
    """Take one score, NaN where it says nothing or the forecast does not speak."""
    piece, out = get_score(name), np.full(len(cells.value), np.nan)
    speaks = ~np.isnan(cells.draws).any(axis=1)
    if cells.family not in piece.FAMILIES or not speaks.any():
        return out
    few = Cells(cells.family, cells.draws[speaks], cells.value[speaks], cells.n[speaks],
                cells.last[speaks], cells.weights)  # fmt: skip
    out[speaks] = piece.score(few)
    return out
