"""One piece under one reading: fit without the rows held out, and score them.

Invariant: what a job gives depends on its own inputs and seed alone; a dyad's year is scored
jointly over its indicators, by the mean density over the draws of a fit that has not seen it.
Guarded by ``tests/test_contest_refit.py``.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from fairweather import names
from fairweather.contest.design import HORIZON, hold

if TYPE_CHECKING:
    import xarray as xr

    from fairweather.model import Model
    from fairweather.panel import Panel
    from fairweather.priors import Priors

# Enough for the mean density of a dyad's year; its Monte Carlo error is reported.
DRAWS, TUNE, CHAINS = 150, 200, 2


@lru_cache(maxsize=4)
def panel_for(states: tuple[str, ...] | None, focal: str, last_year: int | None) -> Panel:
    """Lay out the panel of a job, once a process."""
    from fairweather.panel import load_panel

    return load_panel(
        states=None if states is None else list(states), focal=focal, last_year=last_year
    )


def draw(
    model: Model, seed: int, *, draws: int = DRAWS, tune: int = TUNE
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Fit, and return draws with one leading axis and what is said of their quality."""
    from fairweather.inference import fit

    began = time.perf_counter()
    tree = fit(model, draws=draws, tune=tune, chains=CHAINS, random_seed=seed, progressbar=False,
               cores=1)  # fmt: skip
    data = tree["posterior"].to_dataset()
    values = {}
    for name, x in data.data_vars.items():
        x = x.transpose(names.CHAIN, names.DRAW, ...).to_numpy()
        values[str(name)] = x.reshape(-1, *x.shape[2:])
    facts = {
        "seconds": round(time.perf_counter() - began, 2),
        "divergences": int(tree["sample_stats"]["diverging"].sum()),
    }
    return values, facts


def score_piece(job: dict[str, Any]) -> dict[str, Any]:
    """Fit one piece under one reading and score what was held out.

    Parameters
    ----------
    job : dict
        ``piece``, ``reading``, ``priors`` (Priors), ``seed``, ``states``, ``focal``, ``last_year``.

    Returns
    -------
    dict
        ``fits``: one entry per fit (or reweighting); ``blocks``: unit, year, origin, horizon,
        cells, lpd, mc_error and one list per domain; ``held_out``: of episodes, what happened
        beside what the reading expected.
    """
    piece, out = job["piece"], {"fits": [], "blocks": [], "held_out": []}
    if piece["design"] == "future":
        last = min(piece["origins"][-1] + HORIZON, job["last_year"])
        panel = panel_for(job["states"], job["focal"], last)
        _walk(panel, piece["origins"], job, out)
    else:
        panel = panel_for(job["states"], job["focal"], job["last_year"])
        score_once(panel, hold(panel, piece), piece, job["reading"], job["priors"], job["seed"],
                   out)  # fmt: skip
    return out | {"blocks": _columns(out["blocks"])}


def score_once(
    whole: Panel, known: Panel, piece: dict[str, Any], reading: str, priors: Priors, seed: int,
    out: dict[str, Any],
) -> None:  # fmt: skip
    """Fit a panel without the rows of a piece, and score them; adds to `out`."""
    from fairweather.contest.windows import replications
    from fairweather.heldout import held_density
    from fairweather.model import build_model

    model = build_model(known, reading=reading, priors=priors)
    values, facts = draw(model, seed)
    density = held_density(values, model, whole)
    out["fits"].append(facts | _quality(values, density, model) | {"exact": True})
    out["blocks"].append(_scored(density))
    if piece["windows"]:
        out["held_out"] += replications(values, model, whole, piece["windows"], seed)


def _walk(panel: Panel, origins: tuple[int, ...], job: dict[str, Any], out: dict) -> None:
    """Walk the origins of a piece: fit the first; go on by reweighting where that is allowed."""
    from fairweather.heldout import held_density
    from fairweather.lfo import good_k, reweight
    from fairweather.model import build_model

    values: dict[str, np.ndarray] = {}
    fitted = before = None
    for origin in origins:
        known = hold(panel, job["piece"], origin)
        model = build_model(known, reading=job["reading"], priors=job["priors"])
        weights, note = None, {"origin": origin, "k": None}
        # One year on, each series has one new row, and their densities multiply.
        if fitted is not None and origin == before + 1:
            rows = held_density(values, fitted, panel)
            ratio = np.nansum(rows.values[:, rows["year"].values == origin], axis=1)
            weights, k = reweight(ratio)
            note["k"] = float(k)
            if not (k <= good_k(len(ratio)) and _same(fitted, model)):
                weights = None
        if weights is None:
            values, facts = draw(model, job["seed"] + origin)
            fitted, before = model, origin
        scored = held_density(given_agenda(values, model, panel), model, panel)
        if weights is None:
            out["fits"].append(note | facts | _quality(values, scored, model) | {"exact": True})
        else:
            out["fits"].append(note | {"exact": False, "seconds": 0.0, "divergences": 0,
                                       "max_rhat": None})  # fmt: skip
        ahead = scored.isel(cell=np.flatnonzero(scored["year"].values <= origin + HORIZON))
        out["blocks"].append(_scored(ahead, origin, weights))


def given_agenda(
    values: Mapping[str, np.ndarray], known: Model, whole: Panel
) -> dict[str, np.ndarray]:
    """Give years without a known vote the agenda that came: the mean over all dyads as it was.

    No reading says anything of an agenda, and all dyads share it: unknown, it would drown what the
    readings do say. What is scored of such a year is how dyads stand to each other.

    Parameters
    ----------
    values : mapping of str to array
        Draws of the fit.
    known : Model
        The model that was fitted.
    whole : Panel
        With the rows held out.

    Returns
    -------
    dict
        A copy in which each draw's votes have the year's mean; the shift, the same for all dyads,
        is kept with the delegations.

    Examples
    --------
    >>> given_agenda(values, model, panel)["delegation"].shape  # doctest: +SKIP
    (300, 33, 21)
    """
    from fairweather.model import prepare
    from fairweather.structure import stacked

    out, batch = dict(values), prepare(whole, known.priors).get("vote")
    fitted = known.batches.get("vote")
    if batch is None or fitted is None:
        return out
    years = np.flatnonzero(batch.mask.any(axis=0) & ~fitted.mask.any(axis=0))
    gap = batch.y - batch.read(stacked(whole, values))
    gap = gap - (values["agenda"] @ fitted.extra["basis"].T)[:, None, :]
    delegation = np.array(values["delegation"])
    for t in years:
        # Two delegations a dyad: each takes half.
        shift = gap[:, batch.mask[:, t], t].mean(axis=1)
        delegation[:, t, :] += 0.5 * shift[:, None]
    return out | {"delegation": delegation}


def _same(fitted: Model, later: Model) -> bool:
    """Whether draws of one model name all that the other reads, and mean the same by it."""
    a, b = ({k: list(v) for k, v in m.coords.items()} for m in (fitted, later))
    # The agenda is laid out by the years with votes.
    x, y = (m.batches["vote"].extra["basis"] if "vote" in m.batches else 0 for m in (fitted, later))
    return a == b and np.array_equal(x, y)


def _scored(density: xr.DataArray, origin: int | None = None, weights: Any = None) -> dict:
    """Score the blocks of one fit, jointly and by domain."""
    from fairweather.heldout import blocks, elpd
    from fairweather.lfo import weighted_elpd

    def value(part: xr.DataArray) -> np.ndarray:
        plain = elpd(part, CHAINS)[0].values
        return plain if weights is None else np.asarray(weighted_elpd(part.values, weights))

    joint = blocks(density)
    error = elpd(joint, CHAINS)[1]
    years = joint["year"].values.astype(int)
    out = {
        "unit": joint["unit"].values.astype(str).tolist(), "year": years.tolist(),
        "origin": [origin] * len(years),
        "horizon": [None if origin is None else int(y - origin) for y in years],
        "cells": joint["cells"].values.astype(int).tolist(),
        "lpd": value(joint).round(4).tolist(), "mc_error": error.values.round(4).tolist(),
    }  # fmt: skip
    place = {k: n for n, k in enumerate(zip(out["unit"], out["year"], strict=True))}
    for domain in names.DOMAINS[names.ALIGNMENT]:
        column = np.full(len(years), np.nan)
        at = np.flatnonzero(density["domain"].values == domain)
        if len(at):
            part = blocks(density.isel(cell=at))
            keys = zip(part["unit"].values.astype(str), part["year"].values.astype(int),
                       strict=True)  # fmt: skip
            column[[place[k] for k in keys]] = value(part)
        out[domain] = column.round(4).tolist()
    return out


def _quality(values: dict[str, np.ndarray], density: xr.DataArray, model: Model) -> dict:
    """R-hat of what is reported (the density of all that was held out) and of the main scalars."""
    from arviz_stats.base import array_stats

    from fairweather.readings import get_reading

    total = np.nansum(density.values, axis=1)
    wanted = ["half_life", "wander", *get_reading(model.reading).COEFFICIENTS]
    series = [total] + [
        values[k].reshape(len(total), -1)[:, n]
        for k in wanted if k in values
        for n in range(values[k].reshape(len(total), -1).shape[1])
    ]  # fmt: skip
    split = np.stack([s.reshape(CHAINS, -1) for s in series])
    # What never moves, as the elasticity of a state without a record of its own, has none.
    split = split[split.std(axis=(1, 2)) > 0]
    rhat = array_stats.rhat(split, chain_axis=-2, draw_axis=-1)
    return {"max_rhat": round(float(np.nanmax(rhat)), 4), "rhat_score": round(float(rhat[0]), 4)}


def _columns(parts: list[dict[str, list]]) -> dict[str, list]:
    return {k: [x for p in parts for x in p[k]] for k in parts[0]} if parts else {}
