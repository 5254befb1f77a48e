"""What the pair does when the United States eases on one side or on both.

Invariant: every effect is of the same step, one SD of pressure from the origin year, whatever
scenarios the forecast was made under. Guarded by ``tests/test_claims_measures.py``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from fairweather import names
from fairweather.claims.evidence import Evidence
from fairweather.draws import Draws
from fairweather.dynamics import five_year_share
from fairweather.errors import ScenarioError
from fairweather.forecast import Futures, all_shifts
from fairweather.scenarios import BASELINE, check_scenarios, load_scenarios

YEARS_AHEAD = 5
_FUTURES = 40


def spread(draws: Draws) -> float:
    """One SD of alignment: the spread across dyads in the reference years."""
    return draws.reference[names.ALIGNMENT][1]


def eased(draws: Draws, states: Iterable[str]) -> np.ndarray:
    """Five-year effect on the target of easing `states` by one SD from the origin year, in SD.

    Returns
    -------
    ndarray, shape (draw,)
    """
    _, pressure, comp = draws.history()
    now, year = pressure[:, None, :, -1:], draws.panel.years[-1:]
    then = now.copy()
    for state in states:
        then[:, :, draws.pair.index(state)] -= draws.reference[names.PRESSURE][1]

    def target(p: np.ndarray) -> np.ndarray:
        return sum(draws.terms(p, comp[:, :, -1:], year).values())[:, 0, 0]

    share = five_year_share(draws.get("half_life"))
    return share * (target(then) - target(now)) / spread(draws)


def scenario_futures(draws: Draws, name: str, futures: int = _FUTURES) -> tuple[Futures, Any, Any]:
    """Futures under the current weather and under one shipped scenario, with the same shocks.

    Returns
    -------
    Futures, and two ndarrays of alignment, shape (draw, future, year)

    Raises
    ------
    ScenarioError
        The shipped file lacks the scenario.
    """
    wanted = load_scenarios()
    if name not in wanted.names:
        raise ScenarioError(
            f"a claim needs '{name}'", file=wanted.file, remedy="Restore the shipped scenario."
        )
    scenarios = check_scenarios(wanted.select([BASELINE, name]), draws.panel)
    if name not in scenarios.names:
        raise ScenarioError(
            f"the panel cannot carry '{name}', which a claim needs", file=wanted.file,
            remedy="Use a panel with both states of the focal dyad.",
        )  # fmt: skip
    ahead = Futures(draws, YEARS_AHEAD, np.random.default_rng(1), futures)
    shift = dict(zip(scenarios.names, all_shifts(draws, scenarios, YEARS_AHEAD), strict=True))
    return ahead, ahead.under(shift[BASELINE])[0], ahead.under(shift[name])[0]


def scenario_effect(draws: Draws, name: str) -> np.ndarray:
    """Mean effect of a shipped scenario on alignment after five years, in SD, shape (draw,)."""
    _, base, then = scenario_futures(draws, name)
    return (then - base)[:, :, -1].mean(axis=1) / spread(draws)


def fragile(draws: Draws, params: dict[str, Any]) -> Evidence:
    """Mean effect of ease-both after five years, below a size (default 0)."""
    effect = scenario_effect(draws, "ease-both")
    return Evidence(effect, effect < params.get("size", 0.0))


def outlasts(draws: Draws, params: dict[str, Any]) -> Evidence:
    """Mean effect of ease-both after five years, above the size that would be a collapse."""
    effect = scenario_effect(draws, "ease-both")
    return Evidence(effect, effect > params["size"])


def responsive(draws: Draws, params: dict[str, Any]) -> Evidence:
    """Fall of the target when one side alone is eased; the smaller of the two sides."""
    fall = {s: -eased(draws, [s]) for s in draws.pair}
    both = np.stack(list(fall.values()))
    said = ", ".join(f"{s} {(f > 0).mean():.2f}" for s, f in fall.items())
    return Evidence(both.min(axis=0), (both > 0).all(axis=0), f"fall probable by side: {said}")


def each_bad(draws: Draws, params: dict[str, Any]) -> Evidence:
    """Effect of easing both below a size, while easing either side alone does not help."""
    one = np.stack([eased(draws, [s]) for s in draws.pair])
    both = eased(draws, draws.pair)
    holds = (both < params["size"]) & (one <= 0).all(axis=0)
    said = ", ".join(f"{s} {e.mean():.2f}" for s, e in zip(draws.pair, one, strict=True))
    return Evidence(both, holds, f"one side alone: {said} SD")


def one_side(draws: Draws, params: dict[str, Any]) -> Evidence:
    """Effect of easing one state alone below a size."""
    effect = eased(draws, [params["state"]])
    return Evidence(effect, effect < params["size"])


def demand_stays(draws: Draws, params: dict[str, Any]) -> Evidence:
    """Effect of easing one state alone no lower than a size; retrenchment quoted beside."""
    effect = eased(draws, [params["state"]])
    away = scenario_effect(draws, "retrenchment")
    note = f"under retrenchment the pair moves by {away.mean():.2f} SD in five years"
    return Evidence(effect, effect > params["size"], note)


def asymmetric(draws: Draws, params: dict[str, Any]) -> Evidence:
    """Effect of easing Russia, minus that of easing China."""
    russia, china = eased(draws, ["RUS"]), eased(draws, ["CHN"])
    note = f"easing Russia {russia.mean():.2f}, easing China {china.mean():.2f}"
    return Evidence(russia - china, (russia < 0) & (russia < china), note)
