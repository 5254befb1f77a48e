"""The structure of the model in NumPy: parameters from their priors, targets, paths.

Invariant: the same equations and names as ``fairweather.model``, run forward; any array may carry
an axis of draws in front. Guarded by ``tests/test_simulate.py`` and ``tests/test_recovery.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from fairweather import names
from fairweather.dynamics import five_year_share, keeps, speed, step
from fairweather.errors import FairweatherError
from fairweather.measurement import PARAMETERS
from fairweather.measurement.batch import Batch
from fairweather.model import LEADING, Space, complementarity_pull, prepare, sides, stack
from fairweather.panel import Panel
from fairweather.priors import Priors
from fairweather.readings import get_reading
from fairweather.readings.parts import narrowed, pressed, scope_from, seen

_COMMON = (
    "half_life", "wander", "state_wander", "scope", "drift", "dyad_drift_scale", "feedback",
    "pressure_half_life", "pressure_innovation", "delegation_scale",
    "asymmetry", "lead_security", "lead_economic",
)  # fmt: skip
_HYPER = {"elasticity": ("elasticity_mean", "elasticity_scale")}


def zero_sum(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Draw standard normal deviations that sum to zero over the last axis, as PyMC does."""
    z = rng.standard_normal(shape)
    return z - z.mean(axis=-1, keepdims=True)


def wide(x: Any, axes: int = 2) -> np.ndarray:
    """Put `axes` empty axes behind a parameter, so that it meets arrays with draws in front."""
    return np.asarray(x, float)[(..., *(None,) * axes)]


def draw_parameters(
    panel: Panel, priors: Priors, reading: str, rng: np.random.Generator, *,
    size: tuple[int, ...] = (), known: dict[str, Any] | None = None,
    batches: dict[str, Batch] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Draw every structural parameter from its prior.

    Parameters
    ----------
    panel : Panel
    priors : Priors
    reading : str
    rng : numpy.random.Generator
    size : tuple of int
        Leading axes: ``()`` for one world, ``(draw,)`` for many.
    known : dict, optional
        Values to use in place of draws; what hangs on them follows them.
    batches : dict, optional
        From ``fairweather.model.prepare``; drawn up if absent.

    Returns
    -------
    dict
        Named as in the posterior.

    Raises
    ------
    FairweatherError
        ``known`` names a parameter this reading does not have.

    Examples
    --------
    >>> import fairweather as fw
    >>> panel = fw.load_panel(states=["CHN", "RUS", "IND"])
    >>> rng = np.random.default_rng(1)
    >>> draw_parameters(panel, fw.load_priors(), "elastic-side", rng)["elasticity"].shape
    (3,)
    """
    known, out, priors = dict(known or {}), {}, narrowed(priors, reading)
    panel = seen(panel, reading)
    batches = prepare(panel, priors) if batches is None else batches
    n_state, n_dyad = len(panel.states), len(panel.dyads)
    space = Space.of(panel)

    def take(name: str, draw: Any, shape: tuple[int, ...] = ()) -> Any:
        value = known.pop(name) if name in known else draw((*size, *shape))
        value = np.asarray(value, float)
        if shape or size:
            # A known value may lack the axis of draws or be one number for all units.
            value = np.broadcast_to(value, (*size, *shape)).copy()
        out[name] = value if value.ndim else float(value)
        return out[name]

    def prior(name: str) -> Any:
        return lambda shape: np.asarray(priors[name].draw(rng, shape))

    pieces = get_reading(reading).COEFFICIENTS
    scalars = [*_COMMON, *(f"complementarity_{kind}" for kind in panel.kinds)]
    for name, dims in pieces.items():
        scalars += [name] if dims is None else _HYPER[name]
    for name in scalars:
        take(name, prior(name))
    if "elasticity" in pieces:
        mean, scale = wide(out["elasticity_mean"], 1), wide(out["elasticity_scale"], 1)
        take("elasticity", lambda s: mean + space.relative * scale * zero_sum(rng, s), (n_state,))
    # A year's shocks follow from how far a tie or a state wanders in three years.
    keep_sq = (1.0 - speed(np.asarray(out["half_life"]))) ** 2
    yearly = 1.0 / np.sqrt(1.0 + keep_sq + keep_sq**2)
    take("shock_scale", lambda s: out["wander"] * yearly)
    take("state_shock_scale", lambda s: out["state_wander"] * yearly)
    grand, scale = rng.standard_normal((*size, 1)), priors.fixed("intercept_scale")
    take("level", lambda s: grand + scale * zero_sum(rng, s), (n_dyad,))
    common, scale = wide(out["drift"], 1), wide(out["dyad_drift_scale"], 1)
    take("dyad_drift", lambda s: common + scale * zero_sum(rng, s), (n_dyad,))
    for name, batch in batches.items():
        here = (len(batch.ids),)
        if name == "vote":
            years = (batch.extra["basis"].shape[1],)
            take("agenda", lambda s, b=batch: b.extra["agenda_scale"] * rng.standard_normal(s),
                 years)  # fmt: skip
        if f"loading_{name}" in PARAMETERS[name].values():
            take(f"loading_{name}", prior(f"loading_{name}"), here)
        if name == "within":
            spare = take("residual_spare", prior("residual_spare"), here)
            floor = batch.extra["floor"]
            take("residual_within", lambda s, f=floor, x=spare: f * np.sqrt(1.0 + x**2), here)
        if name == "share":
            take("share_level", prior("share_level"), (len(batch.unit),))
        if batch.shifted and "shift" in PARAMETERS[name]:
            shape = (len(batch.shifted), len(panel.years))
            scale = batch.extra["shift_scale"]
            take(PARAMETERS[name]["shift"], lambda s, x=scale: x * rng.standard_normal(s), shape)
    if known:
        raise FairweatherError(
            f"the simulator has no parameter {', '.join(sorted(known))} in the reading "
            f"'{reading}'; known: {', '.join(sorted(out))}"
        )
    return out


def slow_error(panel: Panel, space: Space, priors: Priors, error: np.ndarray) -> np.ndarray:
    """Complementarity with its slow error, centred over time."""
    seen = panel.complementarity.std(axis=2, keepdims=True)
    slow = priors.fixed("complementarity_error") * seen * (error @ (space.basis.T / np.sqrt(2.0)))
    comp = panel.complementarity + slow
    return comp - comp.mean(axis=-1, keepdims=True)


def targets(
    panel: Panel, reading: str, par: dict[str, Any], pressure: np.ndarray, comp: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Compute the moving part of each dyad's target by year, and the centre taken out of it.

    Parameters
    ----------
    par : dict
        From `draw_parameters`, with or without an axis of draws in front.
    pressure : ndarray, shape (..., state, year)
    comp : ndarray, shape (..., kind, dyad, year)

    Returns
    -------
    moving : ndarray, shape (..., dyad, year)
        In the long run, centred; level and trend are those of the path and not in it.
    centre : ndarray, shape (..., dyad)
    """
    piece = get_reading(reading)
    wanted = {*piece.COEFFICIENTS, "scope", *(f"complementarity_{kind}" for kind in panel.kinds)}
    c = {k: par[k] if piece.COEFFICIENTS.get(k) == names.STATE else wide(par[k]) for k in wanted}
    left, right = sides(panel, pressure, c, pressed(panel, reading))
    moving = piece.drive(np, left, right, c) + complementarity_pull(
        np, comp, pressure, panel, c, scope_from(panel, reading)
    )
    centre = moving.mean(axis=-1)
    return (moving - centre[..., None]) / wide(five_year_share(par["half_life"])), centre


def paths(
    panel: Panel, par: dict[str, Any], moving: np.ndarray, eps: np.ndarray, common: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Alignment by the recursion, and the gap between the answer to the target and the target.

    Parameters
    ----------
    par : dict
    moving : ndarray, shape (..., dyad, year)
        From `targets`.
    eps : ndarray, shape (..., dyad, year)
        Standard shocks of dyads.
    common : ndarray, shape (..., year - 1, state)
        Shocks of states.

    Returns
    -------
    alignment, gap : ndarray, shape (..., dyad, year)
    """
    scale = wide(par["shock_scale"], 1)
    rest = wide(1.0 - speed(par["half_life"]), 1)
    keep = keeps(np, wide(par["half_life"]), wide(par["asymmetry"]), moving)
    both = common[..., panel.left] + common[..., panel.right]
    answer = np.empty(np.broadcast_shapes(moving.shape, eps.shape))
    stray = np.empty(answer.shape)
    answer[..., 0] = moving[..., 0]
    stray[..., 0] = scale / np.sqrt(1.0 - rest**2) * eps[..., 0]
    for t in range(1, answer.shape[-1]):
        shock = scale * eps[..., t] + both[..., t - 1, :]
        answer[..., t] = step(answer[..., t - 1], moving[..., t], 0.0, 1.0 - keep[..., t - 1])
        stray[..., t] = rest * stray[..., t - 1] + shock
    standing = wide(par["level"], 1) + wide(par["dyad_drift"], 1) * Space.of(panel).decade
    return standing + answer + stray, moving - answer


def stacked(panel: Panel, values: Mapping[str, Any]) -> np.ndarray:
    """Stack the latents of draws or of a world, as the indicators read them.

    Parameters
    ----------
    panel : Panel
    values : mapping of str to array
        Named as in the posterior, any leading axes: ``alignment`` (..., dyad, year), ``pressure``
        and ``words`` (..., state, year), ``delegation`` (..., year, state); ``gap`` (..., dyad,
        year) and the leads of the domains, where the reading has them.

    Returns
    -------
    ndarray, shape (..., row, year)
        Rows in the order of ``fairweather.model.prepare``.
    """
    x = {k: np.asarray(values[k], float) for k in ("alignment", "pressure", "words", "delegation")}
    visit = x["delegation"][..., panel.left] + x["delegation"][..., panel.right]
    votes = x["alignment"] + np.swapaxes(visit, -1, -2)
    leads = (0.0, 0.0)
    if "gap" in values:
        gap = np.asarray(values["gap"], float)
        leads = tuple(wide(values[f"lead_{domain}"]) * gap for domain in LEADING)
    return stack(np, x["alignment"], x["pressure"], x["words"], votes, leads)


def pressure_path(
    panel: Panel, par: dict[str, Any], noise: np.ndarray, company: np.ndarray
) -> np.ndarray:
    """Pressure as an AR(1) from stationarity, answering to last year's company."""
    keep = wide(2.0 ** (-1.0 / np.asarray(par["pressure_half_life"])), 1)
    scale, back = wide(par["pressure_innovation"], 1), wide(par["feedback"], 1)
    dev = np.empty(noise.shape)
    dev[..., 0] = scale / np.sqrt(1.0 - keep**2) * noise[..., 0]
    for t in range(1, noise.shape[-1]):
        mean = keep * dev[..., t - 1] + back * company[..., t - 1]
        dev[..., t] = mean + scale * noise[..., t]
    return panel.anchor_mean + dev
