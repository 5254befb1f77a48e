"""How much each reading adds when all of them predict together, and how sure the shares are.

Invariant: weights are non-negative, sum to one and maximise the mean log score of the mixture
(Yao, Vehtari, Simpson & Gelman 2018); readings that predict alike share alike. Guarded by
``tests/test_stacking.py``.

The bootstrap gives random mass to whole years, or to states (a block has the product of the
masses of its two states), never to single blocks: blocks of a year or a state are no independent
witnesses. ArviZ has the same weights, but no clusters, and its sums of densities run out of range
on joint densities of many indicators; hence the solver here, which is checked against it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fairweather.differences import (
    BLOCK,
    READING,
    Blocks,
    ScoreError,
    clustered_errors,
    common_blocks,
)
from fairweather.names import FOCAL

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

LEVEL = 0.89
REPLICATES = 500
SEED = 2016
# Mean log score that the weights may fall short of the best mixture.
GAP = 1e-7
_STEPS = 200
# Weights nearer than this are equal.
_EVEN = 1e-6


@dataclass(frozen=True, eq=False)
class Stacked:
    """Stacking weights of the readings, with what the record allows to say about them.

    Attributes
    ----------
    weights : DataArray (reading,)
        Sum to one.
    draws : DataArray (replicate, reading)
        Weights under random masses of years.
    draws_by_state : DataArray (replicate, reading) or None
        Weights under random masses of states; None with fewer than three states.
    pseudo_bma : DataArray (reading,)
        Pseudo-BMA+ over years, a second opinion: shares by total score alone.
    elpd : DataFrame
        By reading: ``elpd`` (total log score), ``se_naive``, ``se_year``, ``se_state``, ``se``.
    baseline : str
        What the mixture is compared with: the reading named, else the best single one.
    gain, gain_se : float
        Total log score of the mixture less that of `baseline`. Each year is scored with weights
        found on the other years, so a mixture can lose.
    without_year : DataArray (year, reading)
        Weights without that year.
    without_state : DataArray (state, reading) or None
        Weights without the dyads of that state.
    blocks, dropped : int
        Blocks used, and blocks left out because some reading lacks them.
    missing : dict of str to int
        Blocks that a reading lacks.
    years, states : int
    """

    weights: xr.DataArray
    draws: xr.DataArray
    draws_by_state: xr.DataArray | None
    pseudo_bma: xr.DataArray
    elpd: pd.DataFrame
    baseline: str
    gain: float
    gain_se: float
    without_year: xr.DataArray
    without_state: xr.DataArray | None
    blocks: int
    dropped: int
    missing: dict[str, int]
    years: int
    states: int

    @property
    def best(self) -> str:
        """The reading with the largest weight."""
        return str(self.weights[READING].to_numpy()[int(self.weights.to_numpy().argmax())])

    @property
    def pivotal(self) -> dict[str, list[str]]:
        """Years, and states, without which another reading would have the largest weight."""
        out: dict[str, list[str]] = {}
        for name, part in (("year", self.without_year), ("state", self.without_state)):
            if part is None:
                out[name] = []
                continue
            behind = part.sel({READING: self.best}) < part.max(READING) - _EVEN
            out[name] = [str(v) for v in part[name].to_numpy()[behind.to_numpy()]]
        return out

    def interval(self, level: float = LEVEL) -> xr.DataArray:
        """Find equal-tailed intervals of weights: over years or states, whichever reach further.

        Returns
        -------
        DataArray (reading, bound)
            ``bound`` is ``lower``, ``upper``. NaN without replicates.
        """
        import xarray as xr

        sets = [d for d in (self.draws, self.draws_by_state) if d is not None and len(d)]
        ends = np.full((self.weights.size, 2), np.nan)
        if sets:
            tail = (1 - level) / 2
            found = np.array([np.quantile(d.to_numpy(), [tail, 1 - tail], axis=0) for d in sets])
            ends = np.stack([found[:, 0].min(axis=0), found[:, 1].max(axis=0)], axis=1)
        coords = {READING: self.weights[READING].to_numpy(), "bound": ["lower", "upper"]}
        return xr.DataArray(ends, coords, (READING, "bound"))

    def table(self, level: float = LEVEL) -> pd.DataFrame:
        """Lay the readings out, best first.

        Returns
        -------
        DataFrame
            ``reading``, ``weight``, ``lower``, ``upper``, ``first`` (share of replicates over
            years in which it has the largest weight), ``pseudo_bma``, ``elpd``, ``elpd_se``.
        """
        import pandas as pd

        ends, draws = self.interval(level).to_numpy(), self.draws.to_numpy()
        top = draws >= draws.max(axis=1, keepdims=True) - _EVEN
        out = pd.DataFrame({
            "reading": self.weights[READING].to_numpy(), "weight": self.weights.to_numpy(),
            "lower": ends[:, 0], "upper": ends[:, 1],
            "first": (top / top.sum(axis=1, keepdims=True)).mean(axis=0) if len(draws) else np.nan,
            "pseudo_bma": self.pseudo_bma.to_numpy(), "elpd": self.elpd["elpd"].to_numpy(),
            "elpd_se": self.elpd["se"].to_numpy(),
        })  # fmt: skip
        return out.sort_values("weight", ascending=False, kind="stable", ignore_index=True)


def stack(
    scores: xr.DataArray,
    *,
    baseline: str | None = None,
    replicates: int = REPLICATES,
    seed: int = SEED,
) -> Stacked:
    """Weigh the readings by how well they predict together.

    Parameters
    ----------
    scores : DataArray (reading, block)
        Log predictive densities with ``unit`` and ``year`` on ``block``; NaN where a cell could
        not be scored. Only blocks that all readings have are used.
    baseline : str, optional
        Reading that the mixture is compared with. Default: the highest total score.
    replicates : int
        Bootstrap draws over years, and as many over states. 0 leaves both out.
    seed : int

    Returns
    -------
    Stacked

    Raises
    ------
    ScoreError
        As in `fairweather.differences.common_blocks`; or `baseline` is unknown.

    Examples
    --------
    >>> import xarray as xr
    >>> scores = xr.DataArray(
    ...     [[-1.0, -1.0, -1.0], [-9.0, -9.0, -9.0]], dims=("reading", "block"),
    ...     coords={"reading": ["drift", "placebo"], "unit": ("block", ["CHN-RUS"] * 3),
    ...             "year": ("block", [2008, 2009, 2010])})
    >>> found = stack(scores, replicates=20)
    >>> found.best, found.weights.round(3).to_numpy().tolist()
    ('drift', [1.0, 0.0])
    """
    import pandas as pd
    import xarray as xr

    blocks = common_blocks(scores)
    names, n = list(blocks.readings), len(blocks.scores)
    totals = blocks.scores.sum(axis=0)
    if baseline is not None and baseline not in names:
        raise ScoreError(
            f"reading {baseline!r} has no scores", remedy=f"Choose from {', '.join(names)}."
        )
    base = names.index(baseline) if baseline else int(totals.argmax())

    def labelled(values: np.ndarray, dim: str, labels: object) -> xr.DataArray:
        return xr.DataArray(values, {dim: labels, READING: names}, (dim, READING))

    # Densities relative to the best reading of a block: the weights depend on no more.
    density = np.exp(blocks.scores - blocks.scores.max(axis=1, keepdims=True))
    flat = mixture_weights(density)
    over_years = year_masses(blocks, replicates, seed)
    draws = _each(density, over_years)
    by_state = without_state = None
    if blocks.by_state:
        found = _each(density, state_masses(blocks, replicates, seed))
        by_state = labelled(found, "replicate", np.arange(len(found)))
        out = np.array([(blocks.members != s).all(axis=1) for s in range(len(blocks.states))])
        # With three states, one dyad is left; with a star, none is.
        some = out.any(axis=1)
        left = [s for s, is_some in zip(blocks.states, some, strict=True) if is_some]
        without_state = labelled(_each(density, out[some]), "state", left)
    out = np.array([blocks.year != y for y in range(len(blocks.years))])
    without = _each(density, out)
    mixed = np.log((density * without[blocks.year]).sum(axis=1))
    mixed += blocks.scores.max(axis=1) - blocks.scores[:, base]
    errors = clustered_errors(np.column_stack([blocks.scores, mixed]), blocks)
    table = pd.DataFrame({
        "elpd": totals, **{f"se_{k}": errors[k][:-1] * n for k in ("naive", "year", "state")},
        "se": errors["both"][:-1] * n,
    }, index=pd.Index(names, name=READING))  # fmt: skip
    one = {READING: names}
    return Stacked(
        xr.DataArray(flat, one, (READING,)),
        labelled(draws, "replicate", np.arange(len(draws))), by_state,
        xr.DataArray(pseudo_bma(blocks.scores, over_years), one, (READING,)), table, names[base],
        float(mixed.sum()), float(errors["both"][-1] * n),
        labelled(without, "year", list(blocks.years)), without_state,
        n, blocks.dropped, blocks.missing, len(blocks.years), len(blocks.states),
    )  # fmt: skip


def stack_focal(
    scores: xr.DataArray,
    unit: str = FOCAL,
    *,
    baseline: str | None = None,
    replicates: int = REPLICATES,
    seed: int = SEED,
) -> Stacked:
    """Weigh the readings on the blocks of one dyad only.

    Parameters
    ----------
    scores : DataArray (reading, block)
    unit : str
        The dyad, its states in either order.
    baseline, replicates, seed
        As in `stack`.

    Returns
    -------
    Stacked
        Without the parts by state: one dyad has no others to be compared with.

    Raises
    ------
    ScoreError
        As in `stack`; or the dyad has no blocks.

    Examples
    --------
    >>> import xarray as xr
    >>> scores = xr.DataArray(
    ...     [[-1.0, -1.0, -5.0], [-3.0, -3.0, -1.0]], dims=("reading", "block"),
    ...     coords={"reading": ["drift", "placebo"],
    ...             "unit": ("block", ["CHN-RUS", "CHN-RUS", "CHN-IND"]),
    ...             "year": ("block", [2008, 2009, 2009])})
    >>> stack_focal(scores, replicates=20).blocks
    2
    """
    if "unit" not in scores.coords:
        raise ScoreError("scores have no coordinate 'unit'", remedy="Add it.")
    wanted = {unit, "-".join(reversed(unit.split("-")))}
    keep = np.isin(scores["unit"].to_numpy().astype(str), list(wanted))
    if not keep.any():
        raise ScoreError(f"no block is of {unit}", remedy="Name a dyad that was scored.")
    part = scores.isel({BLOCK: keep})
    return stack(part, baseline=baseline, replicates=replicates, seed=seed)


def mixture_weights(density: np.ndarray, mass: np.ndarray | None = None) -> np.ndarray:
    """Find the weights whose mixture has the highest mean log density.

    A primal-dual interior-point method. Where several weights are equally good (readings that
    predict alike), it ends in the middle of them.

    Parameters
    ----------
    density : ndarray (block, reading)
        Predictive densities, not logs; the scale of a row is free, its largest should be near 1.
    mass : ndarray (block,), optional
        Weight of each block in the mean, not negative. Default: equal.

    Returns
    -------
    ndarray (reading,)

    Raises
    ------
    ScoreError
        The optimum was not reached to within ``GAP``.

    Examples
    --------
    >>> mixture_weights(np.array([[1.0, 0.1], [1.0, 0.1], [0.1, 1.0]])).round(2).tolist()
    [0.7, 0.3]
    """
    mass = np.full(len(density), 1.0) if mass is None else np.asarray(mass, dtype=float)
    used = mass > 0
    x, p = density[used], mass[used] / mass[used].sum()
    k = x.shape[1]
    if k == 1:
        return np.ones(1)
    # Minimise -sum p log(x w) + sum w over w >= 0: at its optimum the weights sum to one.
    w, z = np.full(k, 1.0 / k), np.ones(k)
    for _ in range(_STEPS):
        f = x @ w
        slope = 1.0 - x.T @ (p / f)
        mu = float(w @ z) / k
        if mu < GAP * 1e-2 and np.abs(slope - z).max() < GAP:
            break
        scaled = x * (np.sqrt(p) / f)[:, None]
        target = 0.1 * mu
        dw = np.linalg.solve(scaled.T @ scaled + np.diag(z / w), target / w - slope)
        dz = (target - w * z - z * dw) / w
        # Stay inside: at most almost to where a weight, or the price of one, would be zero.
        limits = [-v[d < 0] / d[d < 0] for v, d in ((w, dw), (z, dz))]
        length = min(1.0, 0.99 * np.concatenate([*limits, [np.inf]]).min())
        w, z = w + length * dw, z + length * dz
    w = w / w.sum()
    # No reading may gain by more weight: its mean density relative to the mixture is at most 1.
    if not (x.T @ (p / (x @ w))).max() <= 1.0 + 10 * GAP:
        raise ScoreError("stacking weights were not found", remedy="Look for scores far apart.")
    return w


def pseudo_bma(scores: np.ndarray, masses: np.ndarray) -> np.ndarray:
    """Share out one unit of weight by total log score, averaged over a bootstrap (pseudo-BMA+).

    Parameters
    ----------
    scores : ndarray (block, reading)
        Log predictive densities.
    masses : ndarray (replicate, block)
        From `year_masses` or `state_masses`. Without replicates: equal mass, once.

    Returns
    -------
    ndarray (reading,)

    Examples
    --------
    >>> pseudo_bma(np.array([[-1.0, -1.0], [-2.0, -2.0]]), np.ones((1, 2))).tolist()
    [0.5, 0.5]
    """
    from scipy.special import softmax

    masses = masses if len(masses) else np.ones((1, len(scores)))
    means = masses @ scores / masses.sum(axis=1, keepdims=True)
    return softmax(len(scores) * means, axis=1).mean(axis=0)


def year_masses(blocks: Blocks, replicates: int, seed: int) -> np.ndarray:
    """Draw masses of blocks: one exponential a year, Rubin's bootstrap over whole years.

    Returns
    -------
    ndarray (replicate, block)
    """
    rng = np.random.default_rng([seed, 0])
    return rng.standard_exponential((replicates, len(blocks.years)))[:, blocks.year]


def state_masses(blocks: Blocks, replicates: int, seed: int) -> np.ndarray:
    """Draw masses of blocks: one exponential a state, a block the product of its two.

    Returns
    -------
    ndarray (replicate, block)
    """
    rng = np.random.default_rng([seed, 1])
    drawn = rng.standard_exponential((replicates, len(blocks.states)))
    return drawn[:, blocks.members[:, 0]] * drawn[:, blocks.members[:, 1]]


def _each(density: np.ndarray, masses: np.ndarray) -> np.ndarray:
    found = [mixture_weights(density, mass) for mass in masses]
    return np.array(found).reshape(len(masses), density.shape[1])
