"""The moment of the brief: forecasts from the end of 2016, held against the eight years after.

Invariant: the forecasts under the expected and under unchanged weather depend on what was known
at the moment alone; only the weather that came and the outcomes are read from the later record.
All weathers meet the same shocks. Guarded by ``tests/test_moment.py``.

Three weathers: ``expected``, as a brief of December 2016 argued (``data/moment.toml``); ``came``,
the change of the coded anchor of pressure since the end of 2016; ``unchanged``. Around each path
pressure keeps its own innovations, as in `fairweather.forecast`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fairweather import names
from fairweather.draws import Draws
from fairweather.forecast import MASS, QUANTILES, Futures, mc_error, thresholds
from fairweather.moment_rows import CAME, EXPECTED, UNCHANGED, WEATHERS, MomentError, scored
from fairweather.observables import Observables
from fairweather.scenarios import BASELINE, Scenarios, check_scenarios, load_scenarios, shifts
from fairweather.scores import Cells, get_score

if TYPE_CHECKING:
    import xarray as xr

    from fairweather.panel import Panel
    from fairweather.priors import Priors

DAY = "2016-12-31"
HORIZON = 8


def expectations(path: Any = None) -> Scenarios:
    """Read the weather the brief expected.

    Parameters
    ----------
    path : str or Path, optional
        A scenario file with ``[scenario.expected]``; default ``moment.toml`` of the data folder.

    Returns
    -------
    Scenarios

    Raises
    ------
    ScenarioError
        As `fairweather.scenarios.load_scenarios`.
    MomentError
        No scenario of that name.

    Examples
    --------
    >>> expectations().names
    ['current-weather', 'expected']
    """
    from fairweather.paths import data_dir

    found = load_scenarios(data_dir() / "moment.toml" if path is None else path)
    if EXPECTED not in found.names:
        raise MomentError(
            f"there is no [scenario.{EXPECTED}]", file=found.file,
            remedy="Write the weather the brief expected under that name.",
        )  # fmt: skip
    return found.select([BASELINE, EXPECTED])


def pressure_that_came(panel: Panel, states: list[str], moment: int, horizon: int) -> np.ndarray:
    """Change of the anchor of pressure since the end of the moment's year.

    Parameters
    ----------
    panel : Panel
        The later one. Beyond the anchor's last coded year its last value stays.
    states : list of str
    moment : int
        The year from whose end changes are counted.
    horizon : int

    Returns
    -------
    ndarray, shape (state, year)
        log(1 + cases).

    Examples
    --------
    >>> import fairweather as fw
    >>> now = fw.load_panel(states=["CHN", "RUS", "IND"])
    >>> pressure_that_came(now, ["RUS"], 2016, 2).round(2).tolist()
    [[0.41, 0.41]]
    """
    path = panel.anchor_fill[[panel.states.index(s) for s in states]]
    at = moment - int(panel.years[0])
    return path[:, at + 1 : at + 1 + horizon] - path[:, [at]]


def moment(
    tree: xr.DataTree, panel_then: Panel, panel_now: Panel, *, horizon: int = HORIZON,
    random_seed: int = 1, scenarios: Scenarios | None = None, priors: Priors | None = None,
) -> xr.DataTree:  # fmt: skip
    """Forecast the years after an as-of date under three weathers, and score the forecasts.

    Parameters
    ----------
    tree : DataTree
        A fit to `panel_then`.
    panel_then : Panel
        As of a date; years between its end and that date pass under unchanged pressure.
    panel_now : Panel
        A later one, which holds the outcomes and the weather that came.
    horizon : int
        Years after the date.
    random_seed : int
    scenarios : Scenarios, optional
        With ``expected``; default the shipped `expectations`.
    priors : Priors, optional
        The belief set of the fit; default the shipped one of that name.

    Returns
    -------
    DataTree
        ``survival`` (weather, year), ``alignment`` (draws and quantiles, logits), ``effects``
        (draws: expected minus came and minus unchanged, and of one SD less on one state alone,
        SD of dyads), ``pressure`` (state, year; SD of states; each year, and means so far),
        ``observables`` (draws, outcomes)
        and ``scores`` (row, forecast).

    Raises
    ------
    MomentError
        `panel_then` is of no date, the pair is not the brief's, the later panel ends too early.
    ScenarioError
        A scenario the panel cannot carry.

    Examples
    --------
    >>> import fairweather as fw
    >>> then = fw.load_panel(as_of=DAY)
    >>> found = moment(fw.fit(then), then, fw.load_panel())  # doctest: +SKIP
    """
    import xarray as xr

    start = _check(panel_then, panel_now, horizon)
    draws = Draws.of(tree, panel_then, priors)
    gap = start - panel_then.origin
    steps, years = horizon + gap, start + np.arange(1, horizon + 1)
    given = check_scenarios(expectations() if scenarios is None else scenarios, panel_then)
    everyone = draws.get("pressure", state=list(panel_then.states))
    spread = draws.reference[names.PRESSURE][1]
    planned = shifts(given, panel_then, everyone, horizon, spread)
    seen = pressure_that_came(panel_now, draws.pair, start, horizon)
    came = np.broadcast_to(seen, planned.shape[1:])
    known = dict(zip(given.names, planned, strict=True))
    weather = {EXPECTED: known[EXPECTED], CAME: came, UNCHANGED: known[BASELINE]}
    ease = np.zeros((2, *planned.shape[1:]))
    for side in range(2):
        ease[side, :, side] = -spread

    rng = np.random.default_rng(random_seed)
    futures, indicators = Futures(draws, steps, rng), Observables(draws, steps, rng)
    level, bar = next(iter(thresholds(draws).items()))
    one_a, mean_a, alive, one_p, drawn = [], [], [], [], []
    for shift in weather.values():
        alignment, pressure, away = futures.whole(_late(shift, gap))
        above = alignment[..., gap:] > bar[:, None, None]
        alive.append(np.logical_and.accumulate(above, axis=-1).mean(axis=1).T)
        one_a.append(alignment[:, 0, gap:])
        mean_a.append(alignment[..., gap:].mean(axis=1))
        one_p.append(pressure[:, 0, :, gap:])
        drawn.append(indicators.draw(alignment[:, 0], pressure[:, 0], away[:, 0])[..., gap:])
    one_sd = draws.reference[names.ALIGNMENT][1]
    alone = np.stack([
        futures.under(_late(shift, gap))[0][..., gap:].mean(axis=1) for shift in ease
    ])  # fmt: skip
    coords = {"weather": list(WEATHERS), names.YEAR: years}
    one_a = np.stack(one_a)
    nodes = {
        "survival": _survival(np.stack(alive), draws, level, coords),
        "alignment": xr.Dataset(
            {"value": (("weather", names.DRAW, names.YEAR), one_a),
             "quantiles": (("weather", "quantile", names.YEAR),
                           np.quantile(one_a, QUANTILES, axis=1).swapaxes(0, 1))},
            coords={**coords, "quantile": list(QUANTILES)},
            attrs={"units": "logits", "level": float(bar.mean())},
        ),
        "effects": xr.Dataset(
            {"expected_minus_came": ((names.DRAW, names.YEAR), (mean_a[0] - mean_a[1]) / one_sd),
             "expected_minus_unchanged": (
                 (names.DRAW, names.YEAR), (mean_a[0] - mean_a[2]) / one_sd),
             "eased_alone": (
                 (names.STATE, names.DRAW, names.YEAR), (alone - mean_a[2]) / one_sd)},
            coords={names.YEAR: years, names.STATE: draws.pair},
            attrs={"units": "SD of all dyads, 1998-2002"},
        ),
        "pressure": _pressure(panel_now, draws, weather, np.stack(one_p), seen, years),
        **scored(panel_then, panel_now, indicators, np.stack(drawn), coords, random_seed),
    }  # fmt: skip
    attrs = {
        **tree.attrs, "day": str(panel_then.record.as_of), "moment": start, "horizon": horizon,
        "moment_seed": random_seed, "draws_used": len(draws), "threshold": level,
        "scenarios_hash": given.content_hash, "record_now": panel_now.record.content_hash,
        "last_anchor": int(_anchor(panel_now, years)[1]), "panel_end": panel_then.origin,
    }  # fmt: skip
    return xr.DataTree.from_dict({"/": xr.Dataset(attrs=attrs), **nodes})


def _check(then: Panel, now: Panel, horizon: int) -> int:
    """Refuse panels that cannot be held against each other; return the year of the moment."""
    if then.record.as_of is None:
        raise MomentError(
            "the earlier panel is of no date", remedy=f"Load it with as_of='{DAY}' or another day."
        )
    start = then.record.as_of.year
    for what, panel in (("earlier", then), ("later", now)):
        if panel.focal != names.FOCAL:
            raise MomentError(
                f"the pair of the {what} panel is {panel.focal}, the brief is about {names.FOCAL}",
                remedy="Load it without focal=.",
            )
    if isinstance(horizon, bool) or not isinstance(horizon, int) or not 1 <= horizon <= 10:
        raise MomentError(f"horizon is {horizon!r}", remedy="Ask for 1 to 10 years.")
    if now.origin < start + horizon:
        raise MomentError(
            f"the later panel ends in {now.origin}, before {start + horizon}",
            remedy="Use a later record, or a shorter horizon.",
        )
    return start


def _late(shift: np.ndarray, gap: int) -> np.ndarray:
    """Begin a shift only after the years between the panel's end and the moment."""
    return np.concatenate([np.zeros((*shift.shape[:2], gap)), shift], axis=-1)


def _survival(alive: np.ndarray, draws: Draws, level: str, coords: dict[str, Any]) -> xr.Dataset:
    """Summarise draw-wise survival, shape (weather, year, draw)."""
    import xarray as xr

    dims = ("weather", names.YEAR)
    tails = (0.5 - MASS / 2, 0.5 + MASS / 2)
    lower, upper = np.quantile(alive, tails, axis=-1)
    change = alive - alive[WEATHERS.index(CAME)]
    low, high = np.quantile(change, tails, axis=-1)
    floor = 0.5 / len(draws)
    data = {
        "probability": alive.mean(axis=-1), "lower": lower, "upper": upper,
        "mc_error": np.maximum(mc_error(alive, draws), floor), "change": change.mean(axis=-1),
        "change_lower": low, "change_upper": high, "change_mc_error": mc_error(change, draws),
    }  # fmt: skip
    return xr.Dataset(
        {k: (dims, v) for k, v in data.items()}, coords=coords,
        attrs={"threshold": level, "interval": f"{100 * MASS:.0f} % equal-tailed",
               "change": f"against the weather that {CAME}"},
    )  # fmt: skip


def _anchor(panel: Panel, years: np.ndarray) -> tuple[np.ndarray, int]:
    """Where the anchor is coded, shape (state, year), and the last such year (0 for none)."""
    seen = np.zeros((len(panel.states), len(panel.years)), bool)
    for one in panel.indicators(names.PRESSURE):
        if one.anchor:
            seen[panel.rows[one.id]["unit"], panel.rows[one.id]["time"]] = True
    seen = seen[:, years - int(panel.years[0])]
    return seen, int(years[seen.any(axis=0)].max()) if seen.any() else 0


def _crps(drawn: np.ndarray, value: np.ndarray) -> np.ndarray:
    """CRPS of numbers that need no link; `drawn` has one axis more, the draws."""
    none = np.full(value.size, np.nan)
    cells = Cells("anchor", drawn.reshape(value.size, -1), value.ravel(), none, none)
    return get_score("crps").score(cells).reshape(value.shape)


def interval(drawn: np.ndarray) -> np.ndarray:
    """Bounds that hold 90 % of the draws, the last axis."""
    return np.quantile(drawn, (0.05, 0.95), axis=-1)


def means_so_far(drawn: np.ndarray) -> np.ndarray:
    """Mean of each draw from the first year through every later one, shape (..., year, draw).

    A mean over years scatters less than its years do: its interval is not the mean of theirs.

    Examples
    --------
    >>> means_so_far(np.array([[1.0], [2.0], [6.0]])).ravel().tolist()
    [1.0, 1.5, 3.0]
    """
    return np.cumsum(drawn, axis=-2) / np.arange(1, drawn.shape[-2] + 1)[:, None]


def _pressure(
    panel: Panel, draws: Draws, weather: dict[str, np.ndarray], drawn: np.ndarray,
    came: np.ndarray, years: np.ndarray,
) -> xr.Dataset:  # fmt: skip
    """Did the expected weather come? Changes since the moment, in SD of states."""
    import xarray as xr

    spread = draws.reference[names.PRESSURE][1]
    dims = (names.STATE, names.YEAR)
    origin = draws.get("pressure", state=draws.pair)[:, :, -1]
    # (weather, state, year, draw), against each draw's own level at the panel's end.
    moved = np.moveaxis((drawn - origin[None, :, :, None]) / spread, 1, -1)
    outcome = came / spread
    still = moved[WEATHERS.index(UNCHANGED)]
    (low, high), (mean_low, mean_high) = (interval(x) for x in (still, means_so_far(still)))
    at = [panel.states.index(s) for s in draws.pair]
    data = {
        "expected": weather[EXPECTED].mean(axis=0) / spread, "came": outcome,
        "seen": _anchor(panel, years)[0][at], "unchanged_lower": low, "unchanged_upper": high,
        "mean_lower": mean_low, "mean_upper": mean_high,
        "crps_expected": _crps(moved[WEATHERS.index(EXPECTED)], outcome),
        "crps_unchanged": _crps(moved[WEATHERS.index(UNCHANGED)], outcome),
    }  # fmt: skip
    return xr.Dataset(
        {k: (dims, v) for k, v in data.items()},
        coords={names.STATE: draws.pair, names.YEAR: years},
        attrs={"units": "SD of all states, 1998-2002, against the end of the moment's year",
               "interval": "90 % of pressure if nothing but its own innovations moved it; mean_*: "
                           "of its mean from the first year through this one"},
    )  # fmt: skip
