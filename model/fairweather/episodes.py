"""Easing and hardship are read from US pressure alone: no alignment and no hand list comes near.

The rule, written before its outcome was seen:

1. *Steps.* Each pressure indicator is signed so that up is more pressure, and differenced from one
   year to the next within one state, instrument and rater; series are never spliced, and
   indicators the codebook leaves aside stay aside. A count is log(rate + 1/2), so that nothing in
   half a year equals nothing in a year; a share is a log odds. Items with year shifts (media,
   judgements) are net of the year's mean step over states: of steps and not of values, so that a
   state entering the source moves nobody else. Steps are divided by their root mean square over
   states and years: not centred, because pressure rising on everybody has risen.
2. *Movement* of a state in a year: sum over its indicators divided by the root of their number,
   and the same again over domains. Not a mean: instruments number two to five, and a mean of two
   swings more than a mean of five by chance alone, which would put turning points where least is
   known. Words and deeds are separate in the codebook, and 2017 had warm words and rising
   sanctions, so only deeds (`material`) count unless the caller asks otherwise.
3. *Index*: the cumulated movement in units of its root mean square over states and years, then a
   running median of three years, because an easing that is gone in a year is none (the method asks
   that it "stays down 12 months"). The last year has no successor: an episode that ends there is
   marked provisional. Only turns of the index mean something, never its level, which drifts when
   instruments come and go.
4. *Legs*: turning points at least `THRESHOLD` apart. Coding noise alone, independent by year, gives
   any two years of an index a difference with spread one; two is what it gives one time in twenty.
5. *Episode*: the years of a leg that lie in a window of at most `LONGEST` years that reaches the
   threshold (the method compares states relieved "within three years"; a slow drift is no
   episode), holds no opposite year, and starts and ends with at least `FLAT`, half an ordinary
   year, so that its dates rest on years that moved. Windows that meet are one episode. Where the
   yearly movements themselves, before the median, add up to the other sign, the median has turned
   a zigzag round: no episode.

An episode covers the years in which pressure *moved*; one in the first year seen may be older.
Everything, scales included, rests on the rows of the record given.
Guarded by ``tests/test_episodes.py``.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from fairweather import names
from fairweather.errors import RecordError
from fairweather.record import Record, load_record
from fairweather.scales import link
from fairweather.turning import held, spans

THRESHOLD = 2.0
LONGEST = 3
FLAT = 0.5
TYPES = ("easing", "hardship")
DOMAINS = ("all", *names.DOMAINS[names.PRESSURE])


def steps(record: Record) -> pd.DataFrame:
    """Yearly change of every pressure indicator, in units of its own pooled spread.

    Parameters
    ----------
    record : Record

    Returns
    -------
    DataFrame
        `state, year, step, indicator, domain`; a step needs the year before.
    """
    found = []
    for ind in record.codebook.by(latent=names.PRESSURE, default=True):
        rows = record.observations.query("indicator == @ind.id")
        if rows.empty:
            continue
        wide = rows.assign(level=ind.sign * link(ind.family, rows["value"], rows["n"])).pivot_table(
            index=[c for c in ("unit", "rater") if c in rows], columns="year", values="level"
        )
        # A full calendar, so that a step never spans a missing year.
        wide = wide.reindex(columns=range(wide.columns.min(), wide.columns.max() + 1))
        change = wide.diff(axis=1).groupby(level="unit").mean()
        if ind.item_year_shift:
            change = (change - change.mean()).loc[:, change.count() > 2]
        spread = np.sqrt(np.nanmean(change.to_numpy() ** 2)) if change.count().any() else 0.0
        if spread > 0:
            long = (change / spread).melt(value_name="step", ignore_index=False).dropna()
            long = long.assign(indicator=ind.id, domain=ind.domain)
            found.append(long.reset_index(names="state"))
    none = pd.DataFrame(columns=["state", "year", "step", "indicator", "domain"])
    return pd.concat(found, ignore_index=True) if found else none


def movement(changes: pd.DataFrame) -> pd.Series:
    """Join steps into one movement by state and year, as likely to be large with few as with many.

    Parameters
    ----------
    changes : DataFrame
        As from `steps`, cut to the domains wanted.

    Returns
    -------
    Series
        By state and year, in units of its root mean square.
    """
    joined = changes.set_index(["state", "year", "domain"])["step"]
    for keys in (["state", "year", "domain"], ["state", "year"]):
        group = joined.groupby(level=keys)
        joined = group.sum() / np.sqrt(group.size())
    return joined / (np.sqrt((joined**2).mean()) if joined.any() else 1.0)


def find_episodes(
    record: Record | None = None, *, domain: str = "material", states: Iterable[str] | None = None
) -> pd.DataFrame:
    """Find the episodes of easing and hardship by the rule of this module.

    Parameters
    ----------
    record : Record, optional
        Default: the record shipped with the project; cut it with `known_on` for a past day.
    domain : {"material", "verbal", "all"}
    states : iterable of str, optional
        Report only these; scales rest on all states of the record.

    Returns
    -------
    DataFrame
        `state, start, end, type, change_sd, indicators, agreeing, provisional`: years inclusive,
        change in yearly movements, how many indicators spoke in these years and how many of them
        moved the same way. `attrs["years"]`: first and last year with a movement.

    Raises
    ------
    RecordError
        Unknown domain or state.

    Examples
    --------
    >>> sorted(set(find_episodes(states=["RUS"])["type"]))
    ['easing', 'hardship']
    """
    record = record or load_record()
    members = set(record.states["iso3"])
    wanted = members if states is None else {states} if isinstance(states, str) else set(states)
    for what, given, known in (("domain", {domain}, DOMAINS), ("states", wanted, members)):
        if stray := sorted(given - set(known)):
            remedy = f"Choose from {', '.join(sorted(known))}."
            raise RecordError(f"unknown {what} {', '.join(stray)}", remedy=remedy)
    changes = steps(record)
    changes = changes[(changes["domain"] == domain) | (domain == "all")]
    moved = movement(changes).unstack("year")
    out = []
    for state in sorted(wanted & set(moved.index)):
        row = moved.loc[state]
        # Years without any indicator cut the series; no leg crosses them.
        for _, run in row.dropna().groupby(row.isna().cumsum()):
            first = int(run.index[0])
            index = held(np.concatenate([[0.0], run.cumsum()]))
            for a, b, change in spans(index, THRESHOLD, LONGEST, FLAT):
                start, end = first + a, first + b - 1
                if np.sign(row.loc[start:end].sum()) != np.sign(change):
                    continue
                seen = changes[(changes["state"] == state) & changes["year"].between(start, end)]
                seen = np.sign(change) * seen.groupby("indicator")["step"].sum()
                out.append((
                    state, start, end, TYPES[int(change > 0)], change, len(seen),
                    int((seen > 0).sum()), b == len(index) - 1,
                ))  # fmt: skip
    columns = "state start end type change_sd indicators agreeing provisional".split()
    found = pd.DataFrame(out, columns=columns)
    found.attrs["years"] = (int(moved.columns[0]), int(moved.columns[-1])) if moved.size else ()
    return found


def compare(
    found: pd.DataFrame, hand: Iterable[Any], *, words: bool = False, years: Any = None
) -> pd.DataFrame:
    """Hold the episodes found against a hand list, year by year: a check, never a target.

    Parameters
    ----------
    found : DataFrame
        As from `find_episodes`.
    hand : iterable of `fairweather.figures.episodes.Episode`
    words : bool
        Whether the hand list's easing in mere words counts.
    years : iterable of int, optional
        Default: all in which the rule could see a movement.

    Returns
    -------
    DataFrame
        By state of the hand list and type: the years in `common`, `found_only` and `hand_only`,
        `kappa` (agreement beyond chance; NaN where neither list varies) and `p`, the share of all
        circular shifts in time that agree as well (never below one over the number of years).
    """
    first, last = found.attrs.get("years") or (0, -1)
    calendar = np.arange(first, last + 1) if years is None else np.array(list(years), dtype=int)
    mine = [(e.state, e.type, e.start, e.end) for e in found.itertuples()]
    theirs = [(e.state, e.type, e.start, e.end) for e in hand if words or "words" not in e.type]
    out = []
    for state, kind in product(sorted({e[0] for e in theirs}), TYPES):
        a, b = np.zeros((2, len(calendar)), dtype=bool)
        for marks, (who, what, start, end) in [*((a, e) for e in mine), *((b, e) for e in theirs)]:
            marks |= (who == state) & (kind in what) & (start <= calendar) & (calendar <= end)
        kappas = [_kappa(np.roll(a, k), b) for k in range(len(calendar))] or [np.nan]
        p = np.mean(np.array(kappas) >= kappas[0] - 1e-12) if kappas[0] == kappas[0] else np.nan
        sets = (tuple(calendar[m].tolist()) for m in (a & b, a & ~b, ~a & b))
        out.append((state, kind, *sets, kappas[0], p))
    return pd.DataFrame(out, columns="state type common found_only hand_only kappa p".split())


def _kappa(a: np.ndarray, b: np.ndarray) -> float:
    """Cohen's kappa of two yes-no series."""
    chance = a.mean() * b.mean() + (1 - a.mean()) * (1 - b.mean())
    return float(((a == b).mean() - chance) / (1 - chance)) if chance < 1 else float("nan")


def shock_of(starts: Any, within: int = 1) -> np.ndarray:
    """Give each episode its shock: all that start up to `within` years after its first are one.

    Examples
    --------
    >>> shock_of([2009, 2001, 2002, 2010, 2003]).tolist()
    [2, 0, 0, 2, 1]
    """
    starts = np.asarray(starts, int)
    first, number, out = None, -1, np.zeros(len(starts), int)
    for k in np.argsort(starts, kind="stable"):
        if first is None or starts[k] > first + within:
            first, number = starts[k], number + 1
        out[k] = number
    return out


def shocks(found: pd.DataFrame, kind: str = "easing", within: int = 1) -> pd.DataFrame:
    """Merge episodes that start together, as a count of separate shocks needs.

    Several states eased at once may share one cause (a US election, a war elsewhere): a shock takes
    in all episodes that start up to `within` years after its first. A calendar holds few such
    windows, so with many states their number says little more than how long the record is.

    Parameters
    ----------
    found : DataFrame
        As from `find_episodes`.
    kind : {"easing", "hardship"}
    within : int

    Returns
    -------
    DataFrame
        `start, end, states, episodes` (how many), one row per shock.
    """
    part = found[found["type"] == kind]
    out = [
        (int(g["start"].min()), int(g["end"].max()), ", ".join(sorted(set(g["state"]))), len(g))
        for _, g in part.groupby(shock_of(part["start"], within))
    ]
    return pd.DataFrame(out, columns="start end states episodes".split())
