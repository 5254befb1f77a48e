"""Forecast: how long the alignment stays above its own past level, under each US weather.

Invariant: every scenario meets the same shocks (common random numbers), so that a difference
between two scenarios is the effect of pressure and not of chance; survival never rises with the
horizon. Guarded by ``tests/test_forecast.py``.

Durability of a draw is the share of its futures that stay above the draw's own mean alignment of
2001-04 in every year to the horizon. Pressure follows the scenario with its own AR(1) innovations
around it; the feedback of alignment on pressure is part of what the scenario fixes, and
complementarity keeps its origin value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fairweather import names
from fairweather.draws import Draws, spans
from fairweather.dynamics import follow, keeps, speed, step
from fairweather.errors import FairweatherError, ScenarioError
from fairweather.observables import Observables
from fairweather.scenarios import BASELINE, Scenarios, check_scenarios, load_scenarios, shifts

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from fairweather.panel import Panel
    from fairweather.priors import Priors

FUTURES = 200
MASS = 0.89
QUANTILES = (0.025, 0.055, 0.25, 0.5, 0.75, 0.945, 0.975)


@dataclass(frozen=True)
class Shocks:
    """Shocks of the coming years, the same in every scenario.

    Attributes
    ----------
    alignment : ndarray, shape (draw, future, horizon)
        Own and state shocks of the focal dyad, logits.
    pressure : ndarray, shape (draw, future, 2, horizon)
        Departure of pressure from the scenario, log(1 + cases).
    """

    alignment: np.ndarray
    pressure: np.ndarray

    @classmethod
    def draw(cls, draws: Draws, futures: int, horizon: int, rng: np.random.Generator) -> Shocks:
        """Draw the shocks of `futures` futures per posterior draw."""
        size = (len(draws), futures, horizon)
        n = len(draws.panel.states)
        own = draws.get("shock_scale")[:, None, None] * rng.standard_t(
            draws.priors.fixed("shock_df"), size
        )
        # Two members of a zero-sum set of n shocks.
        scale = draws.get("state_shock_scale") * np.sqrt(2.0 * max(1.0 - 2.0 / n, 0.0))
        common = scale[:, None, None] * rng.standard_normal(size)
        keep = 2.0 ** (-1.0 / draws.get("pressure_half_life"))[:, None, None]
        innovation = draws.get("pressure_innovation")[:, None, None]
        away = np.zeros((len(draws), futures, 2, horizon))
        now = np.zeros(away.shape[:-1])
        for h in range(horizon):
            now = keep * now + innovation * rng.standard_normal(now.shape)
            away[..., h] = now
        return cls(own + common, away)


def advance(
    start: np.ndarray, target: np.ndarray, shock: np.ndarray, keep: np.ndarray
) -> np.ndarray:
    """Run the recursion of the model forward.

    Parameters
    ----------
    start : ndarray, shape (...,)
        Alignment in the year before the first.
    target, shock : ndarray, shape (..., year)
    keep : ndarray, shape (..., year)
        Share of the gap to the target that each year leaves.

    Returns
    -------
    ndarray, shape (..., year)

    Examples
    --------
    >>> half = np.full((1, 2), 0.5)
    >>> advance(np.array([0.0]), np.array([[1.0, 1.0]]), np.zeros((1, 2)), half).tolist()
    [[0.5, 0.75]]
    """
    out = np.empty(np.broadcast_shapes(target.shape, shock.shape))
    now = start
    for h in range(out.shape[-1]):
        now = step(now, target[..., h], shock[..., h], 1.0 - keep[..., h])
        out[..., h] = now
    return out


class Futures:
    """Futures of the focal dyad under any path of pressure, from one set of shocks."""

    def __init__(
        self, draws: Draws, horizon: int, rng: np.random.Generator, futures: int = FUTURES
    ) -> None:
        self.draws, self.horizon = draws, horizon
        self.shocks = Shocks.draw(draws, futures, horizon, rng)
        self.past, self.pressure_past, comp = draws.history()
        self.complementarity = comp[:, :, -1:]
        years = draws.panel.years
        # Where the answer to the target stands, and what is left of earlier shocks.
        self.moving_past = draws.moving(self.pressure_past[:, None], comp, years)
        life, skew = (draws.get(k)[:, None] for k in ("half_life", "asymmetry"))
        past = self.moving_past[:, 0]
        self.answered = follow(np, past, keeps(np, life, skew, past))[:, -1:]
        self.stray = self.past[:, -1:] - draws.standing(years)[:, 0, -1:] - self.answered
        self.years = draws.panel.origin + np.arange(1, horizon + 1)

    def under(self, shift: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Alignment and pressure under a shift of pressure.

        Parameters
        ----------
        shift : ndarray, shape (draw, 2, horizon)
            Against the origin year, log(1 + cases).

        Returns
        -------
        alignment : ndarray, shape (draw, future, horizon)
        pressure : ndarray, shape (draw, future, 2, horizon)
        """
        alignment, pressure, _ = self.whole(shift)
        return alignment, pressure

    def whole(self, shift: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Alignment, pressure, and the gap to the target (draw, future, horizon)."""
        draws = self.draws
        pressure = self.pressure_past[:, None, :, -1:] + shift[:, None] + self.shocks.pressure
        moving = draws.moving(pressure, self.complementarity, self.years)
        before, answered = self.moving_past[..., -1:], self.answered
        life, skew = (draws.get(k)[:, None, None] for k in ("half_life", "asymmetry"))
        seen = np.broadcast_to(before, (*moving.shape[:-1], 1))
        keep = keeps(np, life, skew, np.concatenate([seen, moving], axis=-1))
        start = np.broadcast_to(answered, moving.shape[:-1])
        answer = advance(start, moving, np.zeros(moving.shape), keep)
        rest = np.broadcast_to(1.0 - speed(life), moving.shape)
        stray = np.broadcast_to(self.stray, moving.shape[:-1])
        stray = advance(stray, np.zeros(moving.shape), self.shocks.alignment, rest)
        return draws.standing(self.years) + answer + stray, pressure, moving - answer


def all_shifts(draws: Draws, scenarios: Scenarios, horizon: int) -> np.ndarray:
    """Shifts of pressure under each scenario, shape (scenario, draw, 2, horizon)."""
    everyone = draws.get("pressure", state=list(draws.panel.states))
    spread = draws.reference[names.PRESSURE][1]
    return shifts(scenarios, draws.panel, everyone, horizon, spread)


def thresholds(draws: Draws) -> dict[str, np.ndarray]:
    """Levels the alignment is held against, one per draw; only those within the panel.

    Raises
    ------
    FairweatherError
        If the panel covers none of the spans.
    """
    years, path = draws.panel.years, draws.get("alignment", dyad=draws.panel.focal)
    return {
        label: path[:, (years >= first) & (years <= last)].mean(axis=1)
        for label, (first, last) in spans(years).items()
    }


def mc_error(values: np.ndarray, draws: Draws) -> np.ndarray:
    """Monte Carlo standard error of a mean over draws, by the effective sample size.

    Parameters
    ----------
    values : ndarray, shape (..., draw)
        Draw-wise values; their noise from a finite number of futures is part of the error.
    draws : Draws

    Returns
    -------
    ndarray, shape (...)
    """
    from arviz_stats.base import array_stats

    n = len(draws)
    spread = values.std(axis=-1, ddof=1) if n > 1 else np.zeros(values.shape[:-1])
    size = np.full(spread.shape, float(n))
    moving = spread > 1e-12
    if draws.per_chain >= 4 and moving.any():
        chains = draws.by_chain(values[moving])
        ess = array_stats.ess(chains, chain_axis=-2, draw_axis=-1, method="mean")
        size[moving] = np.clip(np.nan_to_num(ess, nan=float(n)), 1.0, n)
    return spread / np.sqrt(size)


def forecast(
    tree: xr.DataTree, panel: Panel | None = None, *, scenarios: Scenarios | None = None,
    horizon: int = 5, random_seed: int = 1, priors: Priors | None = None,
) -> xr.DataTree:  # fmt: skip
    """Forecast the focal dyad under each scenario.

    Parameters
    ----------
    tree : DataTree
        A fit.
    panel : Panel, optional
        The panel of the fit; default: laid out again from the shipped record.
    scenarios : Scenarios, optional
        Default: those of the shipped file that concern the focal dyad.
    horizon : int
        Years ahead, 1 to 10; after the fifth year a scenario keeps its last value.
    random_seed : int
    priors : Priors, optional
        The belief set of the fit; default: the shipped one of that name.

    Returns
    -------
    DataTree
        ``predictions`` (one future per draw, raw units), ``effects`` (mean change of alignment
        against the current weather per draw, raw units), ``durability``, ``observables``, and
        ``survival`` (``survived``: how many of a draw's futures stay above, whole numbers).

    Raises
    ------
    FairweatherError
        Horizon out of range, or a panel without the reference years.
    ScenarioError
        A scenario the panel cannot carry.

    Examples
    --------
    >>> import fairweather as fw
    >>> fc = fw.forecast(fw.fit(fw.load_panel()))  # doctest: +SKIP
    """
    import xarray as xr

    if isinstance(horizon, bool) or not isinstance(horizon, int) or not 1 <= horizon <= 10:
        raise FairweatherError(
            f"horizon is {horizon!r}, not a whole number of years from 1 to 10",
            remedy="Ask for 1 to 10 years.",
        )
    draws = Draws.of(tree, panel, priors)
    scenarios = check_scenarios(load_scenarios() if scenarios is None else scenarios, draws.panel)
    if BASELINE not in scenarios.names:
        raise ScenarioError(
            f"there is no '{BASELINE}' to compare with", file=scenarios.file,
            remedy="Keep it among the scenarios.",
        )  # fmt: skip
    rng = np.random.default_rng(random_seed)
    futures = Futures(draws, horizon, rng)
    indicators = Observables(draws, horizon, rng)
    levels = thresholds(draws)
    tau = np.stack(list(levels.values()))[:, :, None, None]
    paths = all_shifts(draws, scenarios, horizon)

    one_a, one_p, mean_a, survival, observed = [], [], [], [], []
    for shift in paths:
        alignment, pressure, gap = futures.whole(shift)
        one_a.append(alignment[:, 0])
        one_p.append(pressure[:, 0])
        mean_a.append(alignment.mean(axis=1))
        alive = np.logical_and.accumulate(alignment > tau, axis=-1)
        survival.append(alive.mean(axis=2).transpose(0, 2, 1))
        observed.append(indicators.draw(alignment[:, 0], pressure[:, 0], gap[:, 0]))
    base = scenarios.names.index(BASELINE)
    coords = {names.SCENARIO: scenarios.names, names.HORIZON: np.arange(1, horizon + 1)}
    predictions = xr.Dataset(
        {
            names.ALIGNMENT: ((names.SCENARIO, names.DRAW, names.HORIZON), np.stack(one_a)),
            names.PRESSURE: (
                (names.SCENARIO, names.DRAW, names.STATE, names.HORIZON), np.stack(one_p),
            ),
        },
        coords={**coords, names.STATE: draws.pair},
        attrs={"units": "alignment in logits, pressure in log(1 + cases)"},
    )  # fmt: skip
    effect = np.stack(mean_a) - mean_a[base]
    effects = xr.Dataset(
        {names.ALIGNMENT: ((names.SCENARIO, names.DRAW, names.HORIZON), effect)},
        coords=coords, attrs={"against": BASELINE, "one_sd": draws.reference[names.ALIGNMENT][1]},
    )  # fmt: skip
    observables = xr.Dataset(
        {
            "value": (
                (names.SCENARIO, names.INDICATOR, names.DRAW, names.HORIZON), np.stack(observed),
            )
        },
        coords={**coords, **indicators.coords},
    )  # fmt: skip
    attrs = {
        **tree.attrs, "scenarios_hash": scenarios.content_hash, "horizon": horizon,
        "forecast_seed": random_seed, "draws_used": len(draws), "futures_per_draw": FUTURES,
    }  # fmt: skip
    return xr.DataTree.from_dict({
        "/": xr.Dataset(attrs=attrs), "predictions": predictions, "effects": effects,
        "durability": _durability(np.stack(survival), base, draws, coords, list(levels)),
        "observables": observables,
        "survival": _counts(np.stack(survival), coords, list(levels)),
    })  # fmt: skip


def _counts(survival: np.ndarray, coords: dict[str, Any], labels: list[str]) -> xr.Dataset:
    """Keep survival of every draw, shape (scenario, threshold, horizon, draw), as whole numbers."""
    import xarray as xr

    count = np.rint(survival * FUTURES).astype(np.min_scalar_type(FUTURES))
    dims = (names.SCENARIO, names.THRESHOLD, names.HORIZON, names.DRAW)
    return xr.Dataset(
        {"survived": (dims, count)}, coords={**coords, names.THRESHOLD: labels},
        attrs={"units": "futures", "futures": FUTURES},
    )  # fmt: skip


def _durability(
    survival: np.ndarray, base: int, draws: Draws, coords: dict[str, Any], labels: list[str]
) -> xr.Dataset:
    """Summarise draw-wise survival, shape (scenario, threshold, horizon, draw)."""
    import xarray as xr

    dims = (names.SCENARIO, names.THRESHOLD, names.HORIZON)
    tails = (0.5 - MASS / 2, 0.5 + MASS / 2)
    lower, upper = np.quantile(survival, tails, axis=-1)
    change = survival - survival[base]
    change_lower, change_upper = np.quantile(change, tails, axis=-1)
    probability = survival.mean(axis=-1)
    down = probability <= 0.5
    median = np.where(down.any(axis=-1), down.argmax(axis=-1) + 1.0, np.inf)
    # Half a draw: draws that all agree do not make a thing certain.
    floor = 0.5 / len(draws)
    data = {
        "probability": probability, "lower": lower, "upper": upper,
        "mc_error": np.maximum(mc_error(survival, draws), floor),
        "change": change.mean(axis=-1), "change_lower": change_lower,
        "change_upper": change_upper, "change_mc_error": mc_error(change, draws),
    }  # fmt: skip
    return xr.Dataset(
        {k: (dims, v) for k, v in data.items()} | {"median_years": (dims[:2], median)},
        coords={**coords, names.THRESHOLD: labels},
        attrs={
            "interval": f"{MASS:.0%} equal-tailed interval over parameter draws".replace("%", " %"),
            "change": f"against {BASELINE}, same shocks",
            "median_years": "first year by which half of all futures have broken down",
        },
    )


def durability_table(fc: xr.DataTree) -> pd.DataFrame:
    """Durability as a table, one row per scenario, horizon and threshold.

    Parameters
    ----------
    fc : DataTree
        From `forecast`.

    Returns
    -------
    DataFrame
        scenario, horizon, threshold, probability, lower, upper, mc_error, and the change against
        the current weather with its Monte Carlo error.

    Examples
    --------
    >>> durability_table(fc)  # doctest: +SKIP
    """
    order = (names.SCENARIO, names.HORIZON, names.THRESHOLD)
    data = fc["durability"].to_dataset().drop_vars("median_years")
    columns = [
        "probability", "lower", "upper", "mc_error",
        "change", "change_lower", "change_upper", "change_mc_error",
    ]  # fmt: skip
    frame = data.to_dataframe(dim_order=order).reset_index()
    return frame[[*order, *columns]]


def forecast_table(fc: xr.DataTree, model_id: str) -> pd.DataFrame:
    """Forecasts of the indicators in the form of the forecast hubs, one row per number.

    Parameters
    ----------
    fc : DataTree
        From `forecast`.
    model_id : str

    Returns
    -------
    DataFrame
        origin_date, target_date, horizon (years), scenario, indicator, unit, output_type
        (``quantile`` or ``mean``), output_type_id (the level; empty for the mean), value, model_id.

    Examples
    --------
    >>> forecast_table(fc, "fairweather-elastic-side")  # doctest: +SKIP
    """
    import pandas as pd

    value = fc["observables"].to_dataset()["value"]
    x = value.transpose(names.SCENARIO, names.INDICATOR, names.HORIZON, names.DRAW).to_numpy()
    numbers = np.concatenate([np.moveaxis(np.quantile(x, QUANTILES, axis=-1), 0, -1),
                              x.mean(axis=-1)[..., None]], axis=-1)  # fmt: skip
    scenario, series, ahead, kind = (g.ravel() for g in np.indices(numbers.shape))
    horizon = value[names.HORIZON].to_numpy()[ahead]
    origin = int(fc.attrs["origin"])
    mean = kind == len(QUANTILES)
    return pd.DataFrame({
        "origin_date": f"{origin}-12-31",
        "target_date": [f"{origin + h}-12-31" for h in horizon],
        "horizon": horizon,
        "scenario": value[names.SCENARIO].to_numpy()[scenario],
        "indicator": value["id"].to_numpy()[series],
        "unit": value["unit"].to_numpy()[series],
        "output_type": np.where(mean, "mean", "quantile"),
        "output_type_id": np.append(QUANTILES, np.nan)[kind],
        "value": numbers.ravel(),
        "model_id": model_id,
    })  # fmt: skip
