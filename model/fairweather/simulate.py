"""Worlds drawn from the priors: the model run forward with NumPy, sampler not involved.

Invariant: the simulator states the same structure as ``fairweather.model`` and names its
parameters alike, so that a world whose truth is known can be fitted and compared, and a prior can
be read in the units of its consequences. Guarded by ``tests/test_simulate.py`` and
``tests/test_recovery.py``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from fairweather import names
from fairweather.dynamics import five_year_share, follow, keeps, speed
from fairweather.errors import FairweatherError
from fairweather.measurement import PARAMETERS, get_family
from fairweather.model import Space, complementarity_pull, incidence, past_deviation, prepare, sides
from fairweather.panel import Panel, fill_anchor
from fairweather.posterior import dataset, labels
from fairweather.priors import Priors, load_priors
from fairweather.readings import DEFAULT, get_reading
from fairweather.readings.parts import narrowed, pressed, scope_from, seen
from fairweather.structure import (
    draw_parameters,
    paths,
    pressure_path,
    slow_error,
    stacked,
    targets,
    wide,
    zero_sum,
)

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class World:
    """One simulated world: its truth and what an observer would have coded.

    Attributes
    ----------
    parameters : dict
        Named as in the posterior; ``target_centre`` and ``delegation`` included.
    alignment : ndarray, shape (dyad, year)
    pressure, words : ndarray, shape (state, year)
    complementarity : ndarray, shape (kind, dyad, year)
    rows : dict of str to DataFrame
        Per indicator, the same cells as the panel's rows. Series that carry no information (a
        single row of a within item, units that never saw an event) keep their coded values.
    """

    parameters: dict[str, Any]
    alignment: np.ndarray = field(repr=False)
    pressure: np.ndarray = field(repr=False)
    words: np.ndarray = field(repr=False)
    complementarity: np.ndarray = field(repr=False)
    rows: dict[str, pd.DataFrame] = field(repr=False)
    source: Panel = field(repr=False)
    priors: Priors = field(repr=False)

    def panel(self) -> Panel:
        """Return a copy of the panel that shows this world, ready for ``build_model``.

        Constants of the design stay those of the source, under which the world was simulated:
        the mean of the anchor, its movement, and the spreads that set the residuals' floors.
        """
        spread = dict(self.source.spread)
        within = prepare(self.source, self.priors).get("within")
        if within is not None:
            spread |= zip(within.ids, within.extra["spread"].tolist(), strict=True)
        fill = fill_anchor(self.source, self.rows)
        return replace(self.source, rows=self.rows, anchor_fill=fill, spread=spread)


def simulate_world(
    panel: Panel, priors: Priors | None = None, reading: str = DEFAULT,
    parameters: dict[str, Any] | None = None, *, random_seed: int = 0, whole: bool = True,
    weather: np.ndarray | None = None,
) -> World:  # fmt: skip
    """Draw one world on a panel's cells, from the very density that the model evaluates.

    Pressure answers to earlier alignment and alignment's target to pressure: the two are solved
    year by year at given shocks.

    Parameters
    ----------
    panel : Panel
        Gives the axes, complementarity, and which cells are observed.
    priors : Priors, optional
    reading : str
    parameters : dict, optional
        Values to use in place of draws from the priors, by posterior name.
    random_seed : int
    whole : bool
        Votes in halves, as they are counted. The model reads a logit without bounds: without
        rounding and with shares beyond all or none, ``rows`` give back the score exactly.
    weather : ndarray, shape (state, year), optional
        Pressure that came, in place of a path drawn: alignment alone is simulated, and indicators
        of pressure keep their coded rows.

    Returns
    -------
    World

    Raises
    ------
    FairweatherError
        Unknown parameter, or a feedback so strong that the paths leave all bounds.

    Examples
    --------
    >>> import fairweather as fw
    >>> panel = fw.load_panel(states=["CHN", "RUS", "IND"])
    >>> simulate_world(panel, parameters={"half_life": 4.0}, random_seed=1).alignment.shape[0]
    3
    """
    priors, rng = narrowed(priors or load_priors(), reading), np.random.default_rng(random_seed)
    source, panel = panel, seen(panel, reading)
    space, batches = Space.of(panel), prepare(panel, priors)
    n_state, n_dyad, n_year = len(panel.states), len(panel.dyads), len(panel.years)
    par = draw_parameters(panel, priors, reading, rng, known=parameters, batches=batches)
    comp = slow_error(panel, space, priors, rng.standard_normal((len(panel.kinds), n_dyad, 2)))
    noise = rng.standard_normal((n_state, n_year))
    eps = rng.standard_t(priors.fixed("shock_df"), (n_dyad, n_year))
    common = par["state_shock_scale"] * zero_sum(rng, (n_year - 1, n_state))
    mean_over_dyads = incidence(panel)
    pressure, deviation = np.full(noise.shape, panel.anchor_mean), past_deviation(n_year)
    # A year's pressure answers to earlier alignment alone: every round settles the next year.
    if weather is not None:
        pressure = np.array(weather, float)
    for t in range(n_year if weather is None else 0):
        moving, _ = targets(panel, reading, par, pressure, comp)
        alignment, _ = paths(panel, par, moving, eps, common)
        company = mean_over_dyads @ (alignment @ deviation.T)
        pressure[:, t] = pressure_path(panel, par, noise, company)[:, t]
    moving, centre = targets(panel, reading, par, pressure, comp)
    alignment, gap = paths(panel, par, moving, eps, common)
    if not np.isfinite(alignment).all():
        raise FairweatherError(
            "pressure and alignment feed on each other without bound; "
            "use a smaller feedback or smaller elasticities"
        )
    words = priors.fixed("words_scale") * rng.standard_normal((n_state, n_year))
    delegation = par["delegation_scale"] * zero_sum(rng, (n_year, n_state))
    par = {**par, "target_centre": centre, "delegation": delegation}
    latents = {"alignment": alignment, "pressure": pressure, "words": words, "gap": gap}
    rows_read = stacked(panel, {**par, **latents})
    rows = {k: frame.copy() for k, frame in panel.rows.items()}
    for name, batch in batches.items():
        own = {k: np.asarray(par[v]) for k, v in PARAMETERS[name].items() if v in par}
        shown = get_family(name).simulate(batch, batch.read(rows_read), own, rng)
        for k, indicator in enumerate(batch.ids):
            if weather is not None and batch.indicators[k].latent == names.PRESSURE:
                continue
            series = np.flatnonzero(batch.which == k)
            old, units = rows[indicator], batch.unit[series]
            rows[indicator] = _write(old, shown[series], units, name, whole)
    return World(par, alignment, pressure, words, comp, rows, source, priors)


def _write(
    rows: pd.DataFrame, seen: np.ndarray, units: np.ndarray, family: str, whole: bool
) -> pd.DataFrame:
    """Put simulated values (series, year) into long rows; a vote's logit becomes counts."""
    at = rows["unit"].isin(units).to_numpy()
    where = np.searchsorted(units, rows["unit"].to_numpy()[at])
    value = seen[where, rows["time"].to_numpy()[at]]
    out = rows.copy()
    if family == "vote":
        # The inverse of `vote.score`, to the nearest half agreement.
        n = out.loc[at, "n"].to_numpy()
        same, half = (n + 4.0) / (1.0 + np.exp(-value)) - 2.0, 0.0
        if whole:
            same = np.round(2.0 * np.clip(same, 0.0, n)) / 2.0
            half = np.where(same % 1.0 > 0, 1.0, 0.0)
        value = same - 0.5 * half
        out.loc[at, "partial"], out.loc[at, "opposite"] = half, n - value - half
    out.loc[at, "value"] = value
    return out


def prior_tree(
    panel: Panel, *, reading: str = DEFAULT, priors: Priors | None = None, draws: int = 400,
    random_seed: int = 0,
) -> xr.DataTree:  # fmt: skip
    """Draws from the prior laid out like a fit, with pressure as its anchor shows it.

    Alignment is never conditioned on any indicator. Pressure is: a scenario says what pressure
    does next, and would mean something else if it started elsewhere than in the fit.

    Returns
    -------
    xarray.DataTree
        Group ``posterior`` with one chain of `draws`, and the attributes of a fit.

    Examples
    --------
    >>> import fairweather as fw
    >>> tree = prior_tree(fw.load_panel(states=["CHN", "RUS", "IND"]), draws=5)
    >>> dict(tree["posterior"].dataset["level"].sizes)
    {'chain': 1, 'draw': 5, 'dyad': 3}
    """
    import xarray as xr

    priors, rng = narrowed(priors or load_priors(), reading), np.random.default_rng(random_seed)
    panel = seen(panel, reading)
    space, batches = Space.of(panel), prepare(panel, priors)
    n_state, n_dyad, n_year = len(panel.states), len(panel.dyads), len(panel.years)
    par = draw_parameters(panel, priors, reading, rng, size=(draws,), batches=batches)
    error = rng.standard_normal((draws, len(panel.kinds), n_dyad, 2))
    comp = slow_error(panel, space, priors, error)
    pressure = np.broadcast_to(panel.anchor_fill, (draws, n_state, n_year)).copy()
    moving, centre = targets(panel, reading, par, pressure, comp)
    eps = rng.standard_t(priors.fixed("shock_df"), moving.shape)
    common = wide(par["state_shock_scale"]) * zero_sum(rng, (draws, n_year - 1, n_state))
    words = priors.fixed("words_scale") * rng.standard_normal((draws, n_state, n_year))
    alignment, gap = paths(panel, par, moving, eps, common)
    if "leads" in get_reading(reading).PARTS:
        par["gap"] = gap
    par |= {
        "target_centre": centre, "alignment": alignment, "pressure": pressure, "words": words,
        "delegation": wide(par["delegation_scale"]) * zero_sum(rng, (draws, n_year, n_state)),
        # As in a fit, only the focal dyad's is kept.
        "complementarity": comp[:, :, panel.dyads.index(panel.focal)],
    }  # fmt: skip
    # As in a fit, what is held fixed is not among the draws.
    held = {k for k in par if k in priors.table and priors[k].fixed}
    drawn = {k: np.asarray(v)[None] for k, v in par.items() if k not in held}
    posterior = dataset(drawn, labels(panel, batches))
    tree = xr.DataTree.from_dict({"posterior": posterior})
    tree.attrs = {
        "reading": reading, "priors_id": priors.id, "priors_hash": priors.content_hash,
        "record_hash": panel.record.content_hash, "as_of": str(panel.record.as_of or ""),
        "focal": panel.focal, "origin": panel.origin, "seed": random_seed, "sampler": "prior",
        "reference": json.dumps({k: list(v) for k, v in panel.reference.items()}),
    }  # fmt: skip
    return tree


def _percentiles(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Weighted 5, 50 and 95 % points."""
    order = np.argsort(values)
    return np.interp([0.05, 0.5, 0.95], np.cumsum(weight[order]) / weight.sum(), values[order])


def prior_check(
    panel: Panel, priors: Priors | None = None, reading: str = DEFAULT, *, draws: int = 400,
    random_seed: int = 0, worlds: int = 200,
) -> dict[str, Any]:  # fmt: skip
    """Say what a belief set implies before any alignment is seen.

    The main entry is a chance: that the focal tie falls below its mean of 2001-04 within three
    years, after pressure on both its states eases by one SD (of all states, 1998-2002) and stays
    there. A prior world starts anywhere, often below that mean already; so each draw of the
    parameters is given `worlds` paths through the record's pressures, the chance is counted among
    those that end above it by no more than one SD of all dyads; draws weigh by how many do.

    Returns
    -------
    dict
        ``chance`` and ``weight`` (one per draw), ``chance_low``, ``chance_median``,
        ``chance_high`` (5, 50, 95 %), ``effect_of_easing`` (change of that chance against
        unchanged pressure), ``movement`` (SD over time of the focal alignment) and ``agreement``
        (share of agreement, all dyads and years), each as its 5, 50 and 95 %.

    Raises
    ------
    FairweatherError
        The panel has no year in 2001-04.
    """
    priors, rng = (
        narrowed(priors or load_priors(), reading),
        np.random.default_rng([random_seed, 1]),
    )
    panel = seen(panel, reading)
    window = np.flatnonzero((panel.years >= 2001) & (panel.years <= 2004))
    if len(window) == 0:
        raise FairweatherError("the panel has no year in 2001-04; start it earlier")
    tree = prior_tree(panel, reading=reading, priors=priors, draws=draws, random_seed=random_seed)
    drawn = tree["posterior"].dataset.isel(chain=0)
    par = {k: v.to_numpy() for k, v in drawn.data_vars.items()}
    for name in ("half_life", "asymmetry", "scope", *(f"complementarity_{k}" for k in panel.kinds)):
        par.setdefault(name, np.full(draws, priors.fixed(name) if priors[name].fixed else np.nan))
    at, horizon, n_year = panel.dyads.index(panel.focal), 3, len(panel.years)
    decade = np.append(Space.of(panel).decade, Space.of(panel).decade[-1] + np.arange(1, 4) / 10)
    one = {**par, "level": par["level"][:, [at]], "dyad_drift": par["dyad_drift"][:, [at]]}
    narrow = replace(panel, left=panel.left[[at]], right=panel.right[[at]], dyads=(panel.focal,))
    piece = get_reading(reading)
    rest, df = 1.0 - speed(par["half_life"])[:, None], priors.fixed("shock_df")
    whose = tuple(side[[at]] for side in pressed(panel, reading))
    shape = (draws, worlds, n_year + horizon)
    # Two states' shocks, zero-sum over the panel's states.
    share = np.sqrt(2.0 - 4.0 / len(panel.states))
    shocks = par["shock_scale"][:, None, None] * rng.standard_t(df, shape)
    shocks[..., 1:] += (par["state_shock_scale"][:, None, None] * share
                        * rng.standard_normal((draws, worlds, n_year + horizon - 1)))  # fmt: skip
    chance = {}
    for ease in (0.0, panel.reference[names.PRESSURE][1]):
        later = np.repeat(par["pressure"][..., -1:], horizon, axis=2)
        for s in (panel.left[at], panel.right[at]):
            later[:, s] -= ease
        pressure = np.concatenate([par["pressure"], later], axis=2)
        comp = par["complementarity"][:, :, None]
        comp = np.concatenate([comp, np.repeat(comp[..., -1:], horizon, axis=3)], axis=3)
        c = {n: v if piece.COEFFICIENTS.get(n) == names.STATE else wide(v)
             for n, v in one.items() if v.ndim == 1 or n == "elasticity"}  # fmt: skip
        moving = piece.drive(np, *sides(narrow, pressure, c, whose), c)
        moving = moving + complementarity_pull(
            np, comp, pressure, narrow, c, scope_from(panel, reading)
        )
        moving = moving[:, 0] - par["target_centre"][:, [at]]
        moving = moving / five_year_share(par["half_life"])[:, None]
        keep = keeps(np, par["half_life"][:, None], par["asymmetry"][:, None], moving)
        path = np.empty(shape)
        path[..., 0] = shocks[..., 0] / np.sqrt(1.0 - rest**2)
        for t in range(1, shape[2]):
            path[..., t] = rest * path[..., t - 1] + shocks[..., t]
        answer = follow(np, moving, keep)
        path += (answer + one["level"] + one["dyad_drift"] * decade)[:, None]
        bar = path[..., window].mean(axis=2)
        gap = path[..., n_year - 1] - bar
        above = (gap > 0) & (gap < panel.reference[names.ALIGNMENT][1])
        fell = above & (path[..., n_year:].min(axis=2) < bar)
        count = above.sum(axis=1)
        chance[ease > 0] = fell.sum(axis=1) / np.maximum(count, 1)
    # Paths of the past do not depend on what comes after: the weights are those of both runs.
    low, middle, high = _percentiles(chance[True], count)
    focal = par["alignment"][:, at]
    return {
        "chance": chance[True], "weight": count / worlds,
        "chance_low": float(low), "chance_median": float(middle), "chance_high": float(high),
        "effect_of_easing": _percentiles(chance[True] - chance[False], count),
        "movement": np.percentile(focal.std(axis=1), [5, 50, 95]),
        "agreement": np.percentile(1.0 / (1.0 + np.exp(-par["alignment"])), [5, 50, 95]),
    }  # fmt: skip
