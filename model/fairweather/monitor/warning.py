"""The probability that durability fell between two years, under one posterior, and by which state.

Invariant: both years are looked at with the same parameters, threshold, shocks of the futures and
weather ("stays as it is now"); where nothing moved, neither fell nor rose. Guarded by
``tests/test_monitor_warning.py``.

Durability of a draw is the share of its futures that stay above its own mean of the threshold's
years over the whole horizon. Looked at from the earlier year it is today's view of that year, not
what was said then.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations
from math import factorial
from typing import TYPE_CHECKING

import numpy as np

from fairweather.forecast import FUTURES, MASS, Futures, mc_error, thresholds
from fairweather.monitor.rows import MonitorError
from fairweather.monitor.view import until

if TYPE_CHECKING:
    import pandas as pd

    from fairweather.draws import Draws

# Fixed before any use: beyond them the warning says that durability fell, or rose.
FELL, ROSE = 0.9, 0.1
UNTOLD = "cannot be told"


@dataclass(frozen=True)
class EarlyWarning:
    """Durability then and now, and the chance that it fell.

    Attributes
    ----------
    focal : str
    since, now : int
        Years looked from.
    horizon : int
        Years looked ahead.
    threshold : str
    fell, fell_error : float
        Probability that durability is lower now, a tie counting one half; its Monte Carlo error.
    then, then_error, today, today_error : float
        Mean durability from both years, as known now.
    change, lower, upper, change_error : float
        Mean of now less then over draws, its 89 % interval and Monte Carlo error.
    parts : DataFrame
        part (``pressure AAA`` of both states, ``alignment``), change, lower, upper, mc_error; they
        add up to `change`.
    draws : ndarray, shape (2, draw)
        Durability of each draw, then and now.
    """

    focal: str
    since: int
    now: int
    horizon: int
    threshold: str
    fell: float
    fell_error: float
    then: float
    then_error: float
    today: float
    today_error: float
    change: float
    lower: float
    upper: float
    change_error: float
    parts: pd.DataFrame
    draws: np.ndarray = field(repr=False)

    @property
    def verdict(self) -> str:
        """``fell``, ``rose`` or ``cannot be told``, by cut-offs fixed in advance."""
        return "fell" if self.fell > FELL else "rose" if self.fell < ROSE else UNTOLD


def lower_now(then: np.ndarray, now: np.ndarray) -> np.ndarray:
    """Say of each draw whether durability is lower now: 1, 0, or one half for a tie.

    Examples
    --------
    >>> lower_now(np.array([0.4, 0.4, 0.4]), np.array([0.3, 0.4, 0.5])).tolist()
    [1.0, 0.5, 0.0]
    """
    return (now < then) + 0.5 * (now == then)


def early_warning(
    draws: Draws, since: int, *, horizon: int = 5, random_seed: int = 1, futures: int = FUTURES
) -> EarlyWarning:
    """Hold durability now against durability of an earlier year.

    Parameters
    ----------
    draws : Draws
        Of a fit whose last year is the running one.
    since : int
        Origin of the forecast it is held against.
    horizon : int
        Years ahead, 1 to 10.
    random_seed : int
    futures : int
        Per draw.

    Returns
    -------
    EarlyWarning

    Raises
    ------
    MonitorError
        The year is not before the running one, or the horizon is out of range.

    Examples
    --------
    >>> early_warning(Draws.of(tree, panel), 2024).verdict  # doctest: +SKIP
    'cannot be told'
    """
    import pandas as pd

    panel = draws.panel
    if since >= panel.origin:
        raise MonitorError(
            f"the forecast starts from {since}, the running year is {panel.origin}",
            remedy="Give rows of a later year, or bring the record up to date: "
            "fairweather data import.",
        )
    if isinstance(horizon, bool) or not isinstance(horizon, int) or not 1 <= horizon <= 10:
        raise MonitorError(
            f"horizon is {horizon!r}, not a whole number of years", remedy="Ask for 1 to 10 years."
        )
    label, level = next(iter(thresholds(draws).items()))
    ways = _coalitions(draws, since, level, horizon, random_seed, futures)
    then, now = ways[frozenset()], ways[frozenset(range(3))]
    change, below = now - then, lower_now(then, now)
    lower, upper = _interval(change)
    titles = [*(f"pressure {state}" for state in draws.pair), "alignment"]
    parts = []
    for k, title in enumerate(titles):
        own = shapley(ways, k, len(titles))
        low, high = _interval(own)
        parts.append((title, own.mean(), low, high, float(mc_error(own, draws))))
    # Half a draw: draws that all agree do not make a thing certain.
    floor = 0.5 / len(draws)
    return EarlyWarning(
        focal=panel.focal, since=since, now=panel.origin, horizon=horizon, threshold=label,
        fell=float(below.mean()), fell_error=max(float(mc_error(below, draws)), floor),
        then=float(then.mean()), then_error=max(float(mc_error(then, draws)), floor),
        today=float(now.mean()), today_error=max(float(mc_error(now, draws)), floor),
        change=float(change.mean()), lower=lower, upper=upper,
        change_error=float(mc_error(change, draws)),
        parts=pd.DataFrame(parts, columns=["part", "change", "lower", "upper", "mc_error"]),
        draws=np.stack([then, now]),
    )  # fmt: skip


def _coalitions(
    draws: Draws, since: int, level: np.ndarray, horizon: int, seed: int, futures: int
) -> dict[frozenset[int], np.ndarray]:
    """Durability of each draw with some states as they are now and the others as they were.

    Positions 0 and 1 are pressure on the two states, 2 is alignment, with the answer to its
    target, what is left of shocks, complementarity and the calendar.
    """
    views = [until(draws, since), draws]
    # The same seed: shocks hang on parameters alone, so both views meet the same futures.
    ahead = [Futures(v, horizon, np.random.default_rng(seed), futures) for v in views]
    pressure = [f.pressure_past[:, :, -1] for f in ahead]
    out = {}
    for size in range(4):
        for moved in combinations(range(3), size):
            base = int(2 in moved)
            shift = np.zeros((len(draws), 2, horizon))
            for side in range(2):
                wanted = pressure[int(side in moved)][:, side]
                shift[:, side] = (wanted - pressure[base][:, side])[:, None]
            alignment, _ = ahead[base].under(shift)
            out[frozenset(moved)] = (alignment > level[:, None, None]).all(axis=-1).mean(axis=1)
    return out


def shapley(ways: dict[frozenset[int], np.ndarray], player: int, players: int) -> np.ndarray:
    """Find what one part adds, averaged over every order in which parts could have moved.

    Parameters
    ----------
    ways : dict of frozenset of int to ndarray
        Value of every set of parts that moved.
    player, players : int
        Which part, and how many there are.

    Returns
    -------
    ndarray

    Examples
    --------
    >>> ways = {(): 0.0, (0,): 1.0, (1,): 0.0, (0, 1): 3.0}
    >>> ways = {frozenset(k): np.array(v) for k, v in ways.items()}
    >>> float(shapley(ways, 0, 2)), float(shapley(ways, 1, 2))
    (2.0, 1.0)
    """
    total = np.zeros_like(ways[frozenset()])
    for moved, value in ways.items():
        if player not in moved:
            weight = factorial(len(moved)) * factorial(players - len(moved) - 1)
            total = total + weight / factorial(players) * (ways[moved | {player}] - value)
    return total


def _interval(x: np.ndarray) -> tuple[float, float]:
    low, high = np.quantile(x, (0.5 - MASS / 2, 0.5 + MASS / 2))
    return float(low), float(high)
