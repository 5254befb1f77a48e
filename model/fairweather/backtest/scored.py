"""Scores of every forecast of every cell that has come: readings, their mixture, plain forecasts.

Invariant: the mixture of an origin has weights found on years before it; all forecasts of a cell
are scored on the same outcome by the same code. Guarded by ``tests/test_backtest_scored.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from fairweather.ahead import due, extend
from fairweather.backtest.origin import KEPT, came, in_units, known_at, latest
from fairweather.baselines import BASELINES, Known, get_baseline, unlink
from fairweather.scores import SCORES, Cells, get_score
from fairweather.scores.calibration import LEVELS, coverage, place

if TYPE_CHECKING:
    import pandas as pd

MIXTURE = "stacked"
# Years that must have come before weights are found on them; equal weights until then.
LEAST_YEARS = 3
LABELS = ["latent", "indicator", "family", "domain", "unit", "year", "horizon"]


def score_all(done: Mapping[str, Any]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Score a backtest.

    Parameters
    ----------
    done : mapping
        From `fairweather.backtest.run.run_backtest`.

    Returns
    -------
    scores : DataFrame
        One row per origin, forecast and cell: the labels, ``forecast``, every score, ``low`` and
        ``high`` (the place of the outcome among the draws) and ``inside_50``, ``inside_89``.
    weights : DataFrame
        One row per origin and reading: ``weight`` in the mixture, ``years`` it was found on. The
        last rows, of the year after the last outcome, are for a forecast made now.
    """
    import pandas as pd

    parts, shares = [], []
    for origin in sorted(done["origins"]):
        found = done["origins"][origin]
        if set(found) != set(done["readings"]):
            continue  # the mixture needs all of them; the problem is told
        weight, years = weights_at(done, origin)
        shares += [(origin, r, w, years) for r, w in weight.items()]
        cells, known = cells_of(done, origin)
        parts.append(_score_origin(origin, cells, known, found, weight))
    if parts:
        now = int(max(part["year"].max() for part in parts)) + 1
        weight, years = weights_at(done, now)
        shares += [(now, r, w, years) for r, w in weight.items()]
    scores = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
    return scores, pd.DataFrame(shares, columns=["origin", "reading", "weight", "years"])


def cells_of(done: Mapping[str, Any], origin: int) -> tuple[pd.DataFrame, Known]:
    """Lay out again the cells of an origin with their outcomes, and what was known then."""
    states, focal = done["states"], done["focal"]
    panel = known_at(origin, states, focal)
    longer = extend(panel, origin + done["settings"]["horizon"])
    return came(due(longer), latest(states, focal), origin), Known(panel)


def weights_at(done: Mapping[str, Any], origin: int) -> tuple[dict[str, float], int]:
    """Weights of the readings as known at an origin.

    Stacking weights of the joint scores of dyad-years that earlier origins foresaw and that are
    before this origin's year; equal while fewer than three years have come.

    Returns
    -------
    dict of str to float, int
        Weights, and the number of years they rest on (0 where equal).
    """
    from fairweather.stacking import mixture_weights

    names = list(done["readings"])
    logs: dict[tuple[int, str, int], dict[str, float]] = {}
    for earlier, found in done["origins"].items():
        if earlier >= origin or set(found) != set(names):
            continue
        for reading in names:
            b = found[reading]["blocks"]
            for unit, year, lpd in zip(b["unit"], b["year"], b["lpd"], strict=True):
                if year < origin:
                    logs.setdefault((earlier, unit, year), {})[reading] = lpd
    rows = [list(map(v.get, names)) for v in logs.values() if len(v) == len(names)]
    years = len({k[2] for k, v in logs.items() if len(v) == len(names)})
    table = np.array(rows, float)
    if years < LEAST_YEARS or not len(table):
        return dict.fromkeys(names, 1.0 / len(names)), 0
    table = table[np.isfinite(table).all(axis=1)]
    density = np.exp(table - table.max(axis=1, keepdims=True))
    return dict(zip(names, map(float, mixture_weights(density)), strict=True)), years


def _score_origin(
    origin: int, cells: pd.DataFrame, known: Known, found: Mapping[str, Any],
    weight: Mapping[str, float],
) -> pd.DataFrame:  # fmt: skip
    import pandas as pd

    value, n = in_units(cells), cells["n"].to_numpy(float)
    last = cells["before"].to_numpy(float)
    drawn: dict[str, tuple[np.ndarray, np.ndarray | None]] = {
        r: (found[r]["draws"].astype(float), None) for r in found
    }
    drawn[MIXTURE] = (
        np.concatenate([found[r]["draws"] for r in weight], axis=1).astype(float),
        np.concatenate([np.full(found[r]["draws"].shape[1], w / found[r]["draws"].shape[1])
                        for r, w in weight.items()]),
    )  # fmt: skip
    rng = np.random.default_rng(origin)
    linked = {b: get_baseline(b).foresee(known, cells, rng, KEPT) for b in BASELINES}
    out = []
    for family, part in cells.groupby("family", sort=False):
        at = cells.index.get_indexer(part.index)
        every = dict(drawn)
        every |= {b: (unlink(str(family), x[at], n[at], rng), None) for b, x in linked.items()}
        for name, (draws, w) in every.items():
            own = draws if name in linked else draws[at]
            one = Cells(str(family), own, value[at], n[at], last[at], w)
            low, high = place(one)
            columns = {s: _scored(s, one) for s in SCORES}
            columns |= {"low": low, "high": high}
            columns |= {f"inside_{100 * p:.0f}": coverage(low, high, p) for p in LEVELS}
            out.append(part[LABELS].assign(origin=origin, forecast=name, **columns))
    return pd.concat(out, ignore_index=True)


def _scored(name: str, cells: Cells) -> np.ndarray:
    piece = get_score(name)
    if cells.family not in piece.FAMILIES:
        return np.full(len(cells.value), np.nan)
    blank = np.isnan(cells.draws).any(axis=1)
    out = np.full(len(cells.value), np.nan)
    if not blank.all():
        few = Cells(
            cells.family, cells.draws[~blank], cells.value[~blank], cells.n[~blank],
            cells.last[~blank], cells.weights,
        )  # fmt: skip
        out[~blank] = piece.score(few)
    return out
