"""Which of two readings predicts better, and how sure that is when blocks hang together.

Invariant: readings are compared on the same blocks, and every standard error says which blocks it
takes to move together. Guarded by ``tests/test_differences.py``.

A block is one dyad-year. Blocks of a year share the world's news; blocks whose dyads have a state
in common share that state. Naive standard errors take all blocks as independent and are too small.
Neighbouring years are taken as independent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from fairweather.errors import FairweatherError

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

READING = "reading"
BLOCK = "block"
# Nearer to zero than this many standard errors: the two cannot be told apart.
TOLD = 2.0


class ScoreError(FairweatherError):
    """Scores of a contest are missing, malformed, or too few to compare readings by."""


@dataclass(frozen=True, eq=False)
class Blocks:
    """Scores of the blocks that all readings have, and what each block belongs to.

    Attributes
    ----------
    scores : ndarray (block, reading)
        Log predictive densities, all finite.
    readings : tuple of str
    years : tuple of int
        Years present, sorted.
    states, dyads : tuple of str
        States and dyads present, sorted.
    year, dyad : ndarray (block,)
        Index into `years` and `dyads`.
    members : ndarray (block, 2)
        Indices into `states`.
    kept : ndarray of bool, as long as the input
        Which blocks of the input these are.
    missing : dict of str to int
        Blocks that a reading lacks, by reading.
    """

    scores: np.ndarray
    readings: tuple[str, ...]
    years: tuple[int, ...]
    states: tuple[str, ...]
    dyads: tuple[str, ...]
    year: np.ndarray
    dyad: np.ndarray
    members: np.ndarray
    kept: np.ndarray
    missing: dict[str, int]

    @property
    def dropped(self) -> int:
        """Blocks of the input that at least one reading lacks."""
        return int((~self.kept).sum())

    @property
    def by_state(self) -> bool:
        """Whether there are states enough to cluster by: two dyads of three states or more."""
        return len(self.states) >= 3

    def where(self, keep: np.ndarray, group: str = "") -> Blocks:
        """Restrict to some of these blocks.

        Parameters
        ----------
        keep : ndarray of bool (block,)
        group : str
            What these blocks are, for the message if they are too few.

        Raises
        ------
        ScoreError
            Fewer than two years are left.
        """
        kept = self.kept.copy()
        kept[self.kept] = keep
        labels = [self.dyads[d] for d in self.dyad[keep]]
        years = [self.years[y] for y in self.year[keep]]
        return _index(self.scores[keep], self.readings, years, labels, kept, self.missing, group)


def common_blocks(scores: xr.DataArray) -> Blocks:
    """Take the blocks that every reading has.

    Parameters
    ----------
    scores : DataArray (reading, block)
        Log predictive densities, NaN where a cell could not be scored. Coordinates of ``block``:
        ``unit`` (a dyad such as CHN-RUS) and ``year``.

    Returns
    -------
    Blocks

    Raises
    ------
    ScoreError
        A dimension or coordinate is missing, a reading stands twice or has no score at all, a
        score is infinite, no block is common to all, a unit is no dyad, or the blocks are of one
        year only.

    Examples
    --------
    >>> import xarray as xr
    >>> scores = xr.DataArray(
    ...     [[-1.0, -2.0, np.nan], [-1.5, -2.5, -3.0]], dims=("reading", "block"),
    ...     coords={"reading": ["drift", "placebo"], "unit": ("block", ["CHN-RUS"] * 3),
    ...             "year": ("block", [2008, 2009, 2010])})
    >>> found = common_blocks(scores)
    >>> found.years, found.dropped, found.missing
    ((2008, 2009), 1, {'drift': 1, 'placebo': 0})
    """
    if set(scores.dims) != {READING, BLOCK}:
        raise ScoreError(
            f"scores have the dimensions {', '.join(map(str, scores.dims)) or 'none'}",
            remedy="Give them as (reading, block).",
        )
    for name in (READING, "unit", "year"):
        if name not in scores.coords:
            raise ScoreError(f"scores have no coordinate {name!r}", remedy="Add it.")
    readings = tuple(str(r) for r in scores[READING].to_numpy())
    if len(set(readings)) < len(readings):
        raise ScoreError("a reading stands twice among the scores", remedy="Keep one of the two.")
    values = np.array(scores.transpose(BLOCK, READING), dtype=float)
    missing = dict(zip(readings, np.isnan(values).sum(axis=0).tolist(), strict=True))
    for reading, count in missing.items():
        if count == len(values):
            raise ScoreError(f"reading {reading!r} has no score", remedy="Leave it out.")
    if np.isinf(values).any():
        block, column = np.argwhere(np.isinf(values))[0]
        at = f"{scores['unit'].to_numpy()[block]} {scores['year'].to_numpy()[block]}"
        raise ScoreError(
            f"the score of {readings[column]!r} at {at} is infinite",
            remedy="Sum densities in logs, or set it to NaN if it could not be scored.",
        )
    kept = ~np.isnan(values).any(axis=1)
    if not kept.any():
        raise ScoreError(
            "no block has a score under every reading",
            remedy=f"Leave out a reading with gaps: {_gaps(missing)}.",
        )
    units, years = scores["unit"].to_numpy()[kept], scores["year"].to_numpy()[kept]
    return _index(values[kept], readings, years, units, kept, missing, "")


def clustered_errors(values: np.ndarray, blocks: Blocks) -> dict[str, np.ndarray]:
    """Find standard errors of means over blocks, by what is taken to hang together.

    Parameters
    ----------
    values : ndarray (block, quantity)
        One value a block and quantity, such as differences of scores.
    blocks : Blocks

    Returns
    -------
    dict of str to ndarray (quantity,)
        ``naive``: blocks independent. ``year``: blocks of a year together. ``state``: blocks that
        share a member state together (dyadic-robust: Aronow, Samii & Assenova 2015), or blocks of
        a dyad where that is larger; NaN with fewer than three states. ``both``: blocks that share
        a year or a state (Cameron, Gelbach & Miller 2011), but not less than either alone.

    Notes
    -----
    Each sum of squares over G clusters is multiplied by G / (G - 1). The dyadic and the two-way
    sums are differences of sums of squares and can come out near zero or negative by chance; so
    the largest of the one-way and two-way errors is taken.

    Examples
    --------
    >>> import xarray as xr
    >>> scores = xr.DataArray(
    ...     [[-1.0, -1.0, -3.0, -3.0]], dims=("reading", "block"),
    ...     coords={"reading": ["drift"], "unit": ("block", ["CHN-RUS", "IND-IRN"] * 2),
    ...             "year": ("block", [2008, 2008, 2009, 2009])})
    >>> blocks = common_blocks(scores)
    >>> {k: round(float(v[0]), 3) for k, v in clustered_errors(blocks.scores, blocks).items()}
    {'naive': 0.577, 'year': 1.0, 'state': 0.0, 'both': 1.0}
    """
    values = np.asarray(values, dtype=float)
    n = len(values)
    e = values - values.mean(axis=0)
    # Rounding of a mean is no variation.
    e[np.abs(e) < 1e-12 * np.maximum(1.0, np.abs(values).max(axis=0))] = 0.0
    naive = (e**2).sum(axis=0) * (n / (n - 1))
    year = _squares(_sums(e, blocks.year))
    if not blocks.by_state:
        state = np.full(e.shape[1], np.nan)
        both = year
    else:
        a, b = blocks.members.T
        # Two blocks of one dyad share both states: counted twice by state, so once taken off.
        dyads = _sums(e, blocks.dyad)
        dyadic = _factor(len(blocks.states)) * (
            (_sums(e, a, b) ** 2).sum(axis=0) - (dyads**2).sum(axis=0)
        )
        state = np.maximum(dyadic, _squares(dyads))
        in_year = blocks.year * len(blocks.states)
        cells = len(np.unique(np.concatenate([in_year + a, in_year + b])))
        within = _factor(cells) * (
            (_sums(e, in_year + a, in_year + b) ** 2).sum(axis=0)
            - (_sums(e, blocks.year * len(blocks.dyads) + blocks.dyad) ** 2).sum(axis=0)
        )
        both = np.maximum.reduce([year + dyadic - within, year, state])
    found = {"naive": naive, "year": year, "state": state, "both": both}
    return {name: np.sqrt(v) / n for name, v in found.items()}


def paired_differences(
    scores: xr.DataArray,
    against: str = "best",
    *,
    by: str | Sequence[object] | None = None,
) -> pd.DataFrame:
    """Compare readings pair by pair on the blocks that all of them have.

    Parameters
    ----------
    scores : DataArray (reading, block)
        As in `common_blocks`.
    against : str
        A reading that all others are compared with; ``"best"``, the one with the highest total
        score over all blocks; or ``"each"``, every pair.
    by : str or sequence (block,), optional
        A coordinate of ``block`` (``horizon``, ``design``, ...) or one label a block: a table for
        each group of blocks, below one another.

    Returns
    -------
    DataFrame
        One row a pair (and group): ``reading``, ``against``, ``blocks``, ``dropped`` (blocks
        left out as some reading lacks them), ``mean`` and ``total`` difference of scores
        (positive: `reading` predicts better), standard errors of the mean ``se_naive``,
        ``se_year``, ``se_state``, ``se`` (two-way, see `clustered_errors`), ``total_se``,
        ``years``, ``states``, ``df``, ``p_better`` (t distribution, `df` degrees of freedom),
        ``told`` and ``sentence``. With `by`, ``group`` comes first.

    Raises
    ------
    ScoreError
        As in `common_blocks`; or `against` is unknown, only one reading is there, labels do not
        fit, or a group is of one year only.

    Examples
    --------
    >>> import xarray as xr
    >>> scores = xr.DataArray(
    ...     [[-1.0, -1.0, -1.2, -1.1], [-2.0, -2.1, -2.1, -2.3]], dims=("reading", "block"),
    ...     coords={"reading": ["drift", "placebo"], "unit": ("block", ["CHN-RUS"] * 4),
    ...             "year": ("block", [2008, 2009, 2010, 2011])})
    >>> paired_differences(scores).loc[0, "sentence"]
    'drift predicts better than placebo'
    """
    import pandas as pd

    blocks = common_blocks(scores)
    pairs = _pairs(blocks, against)
    if by is None:
        return pd.DataFrame(_rows(blocks, pairs, blocks.dropped))
    labels = _labels(scores, by)
    rows = []
    for group in pd.unique(labels[blocks.kept]):
        part = blocks.where(labels[blocks.kept] == group, str(group))
        dropped = int((labels[~blocks.kept] == group).sum())
        rows += [{"group": group, **row} for row in _rows(part, pairs, dropped)]
    return pd.DataFrame(rows).sort_values("group", kind="stable", ignore_index=True)


def _rows(blocks: Blocks, pairs: list[tuple[int, int]], dropped: int) -> list[dict[str, object]]:
    from scipy.stats import t

    left, right = np.array(pairs).T
    gaps = blocks.scores[:, left] - blocks.scores[:, right]
    means, errors = gaps.mean(axis=0), clustered_errors(gaps, blocks)
    clusters = min(len(blocks.years), len(blocks.states) if blocks.by_state else 10**9)
    rows = []
    for k, (a, b) in enumerate(pairs):
        mean, se = float(means[k]), float(errors["both"][k])
        # Two readings that agree everywhere stand even; a constant gap leaves no doubt.
        ratio = mean / se if se > 0 else np.sign(mean) * np.inf if mean else 0.0
        told = abs(mean) >= TOLD * se and mean != 0
        one, other = blocks.readings[a], blocks.readings[b]
        better = (one, other) if mean > 0 else (other, one)
        rows.append({
            "reading": one, "against": other, "blocks": len(gaps), "dropped": dropped,
            "mean": mean, "total": mean * len(gaps),
            **{f"se_{name}": float(errors[name][k]) for name in ("naive", "year", "state")},
            "se": se, "total_se": se * len(gaps), "years": len(blocks.years),
            "states": len(blocks.states), "df": clusters - 1,
            "p_better": float(t.cdf(ratio, clusters - 1)), "told": bool(told),
            "sentence": "{} predicts better than {}".format(*better) if told
            else f"cannot tell {one} from {other}",
        })  # fmt: skip
    return rows


def _pairs(blocks: Blocks, against: str) -> list[tuple[int, int]]:
    known = blocks.readings
    if len(known) < 2:
        raise ScoreError("only one reading has scores", remedy="Score another one.")
    if against == "each":
        return list(combinations(range(len(known)), 2))
    if against == "best":
        against = known[int(blocks.scores.sum(axis=0).argmax())]
    if against not in known:
        raise ScoreError(
            f"reading {against!r} has no scores", remedy=f"Choose from {', '.join(known)}."
        )
    fixed = known.index(against)
    return [(k, fixed) for k in range(len(known)) if k != fixed]


def _labels(scores: xr.DataArray, by: str | Sequence[object]) -> np.ndarray:
    if isinstance(by, str):
        if by not in scores.coords or scores[by].dims != (BLOCK,):
            raise ScoreError(f"blocks have no {by!r}", remedy="Name a coordinate of block.")
        return scores[by].to_numpy()
    labels = np.asarray(by)
    if labels.shape != (scores.sizes[BLOCK],):
        raise ScoreError(
            f"{len(labels)} labels for {scores.sizes[BLOCK]} blocks", remedy="Give one a block."
        )
    return labels


def _index(
    scores: np.ndarray,
    readings: tuple[str, ...],
    years: Sequence[int],
    units: Sequence[str],
    kept: np.ndarray,
    missing: dict[str, int],
    group: str,
) -> Blocks:
    ends = []
    for unit in map(str, units):
        one, _, other = unit.partition("-")
        if not one or not other or one == other:
            raise ScoreError(f"unit {unit!r} is no dyad", remedy="Write it as CHN-RUS.")
        ends.append(sorted((one, other)))
    found, year = np.unique(np.asarray(years, dtype=int), return_inverse=True)
    if len(found) < 2:
        raise ScoreError(
            f"blocks {f'of {group} ' if group else ''}are of one year only",
            remedy="One year is one cluster and has no standard error: take more years together.",
        )
    states, members = np.unique(np.array(ends), return_inverse=True)
    dyads, dyad = np.unique(["-".join(pair) for pair in ends], return_inverse=True)
    return Blocks(
        scores, readings, tuple(found.tolist()), tuple(states.tolist()), tuple(dyads.tolist()),
        year, dyad, members.reshape(-1, 2), kept, dict(missing),
    )  # fmt: skip


def _sums(values: np.ndarray, *codes: np.ndarray) -> np.ndarray:
    """Sum over blocks by cluster; a block with two codes counts in both clusters."""
    out = np.zeros((max(int(c.max()) for c in codes) + 1, values.shape[1]))
    for c in codes:
        np.add.at(out, c, values)
    return out


def _squares(sums: np.ndarray) -> np.ndarray:
    return _factor(len(sums)) * (sums**2).sum(axis=0)


def _factor(clusters: int) -> float:
    return clusters / (clusters - 1)


def _gaps(missing: dict[str, int]) -> str:
    ranked = sorted(missing.items(), key=lambda item: -item[1])
    return ", ".join(f"{r} lacks {n}" for r, n in ranked[:3] if n)
