"""Made-up results of a backtest, as its jobs leave them: draws around what came, of known skill."""

from functools import cache
from pathlib import Path

import numpy as np

import made_fit
from fairweather.ahead import due, extend
from fairweather.backtest import origin as o
from fairweather.baselines import Known
from fairweather.panel import load_panel
from fairweather.record import load_record
from fairweather.scales import link

STATES, FOCAL, HORIZON = tuple(made_fit.STATES), "CHN-RUS", 3
READINGS = ("drift", "elastic-side")
ORIGINS = (2012, 2013, 2014, 2015, 2016)
# SD of draws around their centre, and of the centre around what came, on the link scale.
SPREAD = 0.4
DRAWS = 60


@cache
def record():
    return load_record()


@cache
def panel(origin):
    return load_panel(record().known_on(f"{origin}-12-31"), states=list(STATES))


@cache
def known(origin):
    return Known(panel(origin))


@cache
def _came(origin):
    longer = extend(panel(origin), origin + HORIZON)
    return o.came(due(longer), o.latest(STATES, FOCAL), origin)


def cells_of(done, origin):
    """As `fairweather.backtest.scored.cells_of`, the record read once a process."""
    return _came(origin).copy(), known(origin)


def unlinked(family, x, n):
    if family == "vote":
        return 1 / (1 + np.exp(-x))
    if family == "count":
        return np.maximum(np.rint((np.exp(x) - 0.5) * np.where(n > 0, n, 1)), 0)
    if family == "share":
        return np.clip(np.rint(n / (1 + np.exp(-x))), 0, n)
    return x


def drawn(cells, rng, error, spread=SPREAD, draws=DRAWS):
    """Draws whose centre misses what came by `error` SDs of them."""
    value, n = o.in_units(cells), cells["n"].to_numpy(float)
    out = np.zeros((len(cells), draws), np.float32)
    for family, part in cells.groupby("family"):
        at = part.index.to_numpy()
        x = link(family, value[at], n[at])
        centre = x + error * spread * rng.standard_normal(len(at))
        law = centre[:, None] + spread * rng.standard_normal((len(at), draws))
        out[at] = unlinked(family, law, n[at][:, None])
    return out


def one(origin, reading, error=1.0, lead=0.0, **options):
    """Result of a job: a larger `lead` is a better joint score in every dyad's year."""
    cells, _ = cells_of(None, origin)
    seed = [origin, sum(map(ord, reading))]
    rng = np.random.default_rng(seed)
    own = cells[cells["latent"] == "alignment"].drop_duplicates(["unit", "year"])
    own = own.sort_values(["unit", "year"])
    lpd = np.random.default_rng(origin).normal(-10, 2, len(own)) + lead
    lpd = lpd + rng.normal(0, 0.1, len(own))
    return {
        "facts": {"seconds": 30.0 + origin % 5, "divergences": int(origin == 2014),
                  "max_rhat": 1.01 + 0.02 * (origin % 3), "origin": origin, "reading": reading,
                  "panel_end": origin, "cells": len(cells)},
        "draws": drawn(cells, rng, error, **options),
        "log_density": [-1.0] * len(cells),
        "blocks": {"unit": own["unit"].tolist(), "year": own["year"].astype(int).tolist(),
                   "lpd": lpd.round(4).tolist()},
    }  # fmt: skip


def done(folder=".", readings=READINGS, origins=ORIGINS, errors=None, leads=None, **options):
    errors, leads = errors or {}, leads or {}
    return {
        "origins": {
            y: {r: one(y, r, errors.get(r, 1.0), leads.get(r, 0.0), **options) for r in readings}
            for y in origins
        },
        "problems": {}, "readings": tuple(readings), "folder": Path(folder), "states": STATES,
        "focal": FOCAL,
        "settings": {"kind": "backtest", "first": min(origins), "last": max(origins),
                     "horizon": HORIZON, "states": list(STATES), "focal": FOCAL, "seed": 1,
                     "record": o.latest(STATES, FOCAL).record.content_hash, "draws": 30,
                     "tune": 30, "priors": "p", "code": "c"},
    }  # fmt: skip
