"""Scores of every forecast of every cell that has come: readings, their mixture, plain forecasts.

Invariant: the mixture of an origin has weights found on rows that were out by its last day; all
forecasts of a cell are as many draws, scored on the same outcome by the same code.
Guarded by ``tests/test_backtest_scored.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from fairweather import names
from fairweather.ahead import due, extend
from fairweather.backtest.origin import came, in_units, known_at, latest
from fairweather.backtest.run import BacktestError
from fairweather.baselines import BASELINES, Known, get_baseline, unlink
from fairweather.scores import SCORES, Cells, get_score
from fairweather.scores.calibration import LEVELS, coverage, place

if TYPE_CHECKING:
    import pandas as pd

    from fairweather.panel import Panel

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

    Raises
    ------
    BacktestError
        The draws of a job are of other cells than the record has.

    Examples
    --------
    >>> scores, weights = score_all(done)  # doctest: +SKIP
    """
    import pandas as pd

    parts, shares = [], []
    out = released(latest(done["states"], done["focal"]))
    for origin in sorted(done["origins"]):
        found = done["origins"][origin]
        if set(found) != set(done["readings"]):
            continue  # the mixture needs all of them; the problem is told
        weight, years = weights_at(done, origin, out)
        shares += [(origin, r, w, years) for r, w in weight.items()]
        cells, known = cells_of(done, origin)
        for reading, one in found.items():
            if len(one["draws"]) != len(cells):
                raise BacktestError(
                    f"{origin} under {reading} has draws of {len(one['draws'])} cells, the record "
                    f"has {len(cells)}",
                    file=done["folder"],
                    remedy="Read it with the record it was made from, or make it anew.",
                )
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


def released(now: Panel) -> dict[tuple[str, int], int]:
    """Tell by the end of which year the last row of each dyad's year was out.

    Parameters
    ----------
    now : Panel
        The latest record.

    Returns
    -------
    dict
        (dyad, year) to year. Some rows of a year come out four years later: until then its joint
        score is not known.
    """
    used = [one.id for one in now.indicators(names.ALIGNMENT)]
    ledger = now.record.ledger
    ledger = ledger[ledger["indicator"].isin(used) & ledger["unit"].isin(now.dyads)]
    first = ledger.groupby(["indicator", "unit", "year"])["available_on"].min()
    last = first.groupby(level=["unit", "year"]).max()
    return {(str(u), int(y)): day.year for (u, y), day in last.items()}


def weights_at(
    done: Mapping[str, Any], origin: int, out: Mapping[tuple[str, int], int] | None = None
) -> tuple[dict[str, float], int]:
    """Weights of the readings as known at an origin.

    Stacking weights of the joint scores of dyad-years that earlier origins foresaw, that are
    before this origin's year, and whose rows were all out by its end; equal while fewer than three
    years have come.

    Parameters
    ----------
    done : mapping
    origin : int
    out : mapping, optional
        From `released`. Default: every year's rows are out by the next year's end, as for a
        forecast made now.

    Returns
    -------
    dict of str to float, int
        Weights, and the number of years they rest on (0 where equal).
    """
    from fairweather.stacking import mixture_weights

    readings = list(done["readings"])
    logs: dict[tuple[int, str, int], dict[str, float]] = {}
    for earlier, found in done["origins"].items():
        if earlier >= origin or set(found) != set(readings):
            continue
        for reading in readings:
            b = found[reading]["blocks"]
            for unit, year, lpd in zip(b["unit"], b["year"], b["lpd"], strict=True):
                if year < origin and (out is None or out.get((unit, year), year + 1) <= origin):
                    logs.setdefault((earlier, unit, year), {})[reading] = lpd
    whole = {k: [v[r] for r in readings] for k, v in logs.items() if len(v) == len(readings)}
    whole = {k: v for k, v in whole.items() if np.isfinite(v).all()}
    years = len({year for _, _, year in whole})
    if years < LEAST_YEARS:
        return dict.fromkeys(readings, 1.0 / len(readings)), 0
    table = np.array(list(whole.values()), float)
    density = np.exp(table - table.max(axis=1, keepdims=True))
    return dict(zip(readings, map(float, mixture_weights(density)), strict=True)), years


def mixed(draws: Mapping[str, np.ndarray], weight: Mapping[str, float]) -> np.ndarray:
    """Draws of the mixture: of each reading as many as its weight, as many in all as one has.

    A score of draws gets better with their number alone, by a hundredth from 200 to 800: all
    forecasts must have as many. The same draws are taken of every cell, evenly spaced over the
    chains.

    Parameters
    ----------
    draws : mapping of str to ndarray, shape (cell, draw)
    weight : mapping of str to float
        Summing to one.

    Returns
    -------
    ndarray, shape (cell, draw)

    Examples
    --------
    >>> two = {"a": np.zeros((1, 4)), "b": np.ones((1, 4))}
    >>> mixed(two, {"a": 0.7, "b": 0.3}).tolist()
    [[0.0, 0.0, 0.0, 1.0]]
    """
    size = min(x.shape[1] for x in draws.values())
    share = np.array([weight[r] for r in draws]) * size
    # Largest remainders: whole numbers of draws that add up.
    count = np.floor(share + 1e-9).astype(int)
    short = np.argsort(count - share, kind="stable")[: size - count.sum()]
    count[short] += 1
    parts = []
    for n, x in zip(count, draws.values(), strict=True):
        at = ((np.arange(n) + 0.5) * x.shape[1] / max(n, 1)).astype(int)
        parts.append(x[:, at])
    return np.concatenate(parts, axis=1)


def _score_origin(
    origin: int, cells: pd.DataFrame, known: Known, found: Mapping[str, Any],
    weight: Mapping[str, float],
) -> pd.DataFrame:  # fmt: skip
    import pandas as pd

    value, n = in_units(cells), cells["n"].to_numpy(float)
    last = cells["before"].to_numpy(float)
    drawn = {r: found[r]["draws"].astype(float) for r in found}
    drawn[MIXTURE] = mixed(drawn, weight)
    size = drawn[MIXTURE].shape[1]
    rng = np.random.default_rng(origin)
    linked = {b: get_baseline(b).foresee(known, cells, rng, size) for b in BASELINES}
    out = []
    for family, part in cells.groupby("family", sort=False):
        at = cells.index.get_indexer(part.index)
        every = {r: x[at] for r, x in drawn.items()}
        every |= {b: unlink(str(family), x[at], n[at], rng) for b, x in linked.items()}
        for name, draws in every.items():
            one = Cells(str(family), draws, value[at], n[at], last[at])
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
            cells.last[~blank],
        )  # fmt: skip
        out[~blank] = piece.score(few)
    return out
