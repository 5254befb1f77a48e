"""Made-up results of a contest, as its jobs leave them: one reading is better by a given lead."""

from functools import cache

import numpy as np
import pandas as pd

import made_fit
from fairweather import names
from fairweather.contest.design import Piece, find_windows
from fairweather.contest.windows import STATISTICS
from fairweather.priors import load_priors
from fairweather.readings import DEFAULT
from fairweather.readings import READINGS as ALL

READINGS = ("drift", "thermostat", "elastic-side")
DOMAINS = names.DOMAINS[names.ALIGNMENT]
LEAD = {"drift": 0.0, "thermostat": -0.4, "elastic-side": 0.6}
LAYOUT = [
    Piece("future-2008", "future", origins=(2008, 2009)),
    Piece("future-2010", "future", origins=(2010, 2011)),
    Piece("episodes-0", "episodes", windows=(
        {"state": "RUS", "start": 1995, "end": 1996, "type": "easing"},
        {"state": "CHN", "start": 2010, "end": 2011, "type": "hardship"},
    )),
    Piece("episodes-1", "episodes", windows=(
        {"state": "IRN", "start": 2002, "end": 2003, "type": "easing"},
    )),
    Piece("placebo-0", "placebo", windows=(
        {"state": "RUS", "start": 2004, "end": 2005, "type": "easing"},
    )),
    Piece("dyads-0", "dyads", dyads=("CHN-RUS", "IND-IRN")),
    Piece("dyads-1", "dyads", dyads=("CHN-IND", "IRN-RUS")),
]  # fmt: skip


@cache
def common(seed=0):
    """News that all readings share, by dyad and year."""
    rng = np.random.default_rng(seed)
    return {(u, y): rng.normal(-12.0, 2.0) for u in made_fit.panel().dyads for y in
            range(1992, 2025)}  # fmt: skip


def blocks(piece, reading, lead, salt=0):
    """Scores of a piece: what all share, the reading's lead, and a little noise."""
    rng = np.random.default_rng([len(reading), sum(map(ord, reading + piece.name)), salt])
    dyads = made_fit.panel().dyads
    if piece.design == "future":
        cells = [(u, o + h, o, h) for o in piece.origins for u in dyads for h in (1, 2, 3)]
    elif piece.design == "dyads":
        cells = [(u, y, None, None) for u in piece.dyads for y in range(1992, 2025)]
    else:
        cells = sorted({
            (u, y, None, None) for w in piece.windows for u in dyads if w["state"] in u
            for y in range(w["start"], w["end"] + 4)
        })  # fmt: skip
    units, years, origins, horizons = (list(c) for c in zip(*cells, strict=True))
    lpd = [common()[u, y] + lead + rng.normal(0, 0.3) for u, y, *_ in cells]
    out = {"unit": units, "year": years, "origin": origins, "horizon": horizons,
           "cells": [5] * len(cells), "lpd": lpd, "mc_error": [0.02] * len(cells)}  # fmt: skip
    for d in DOMAINS:
        out[d] = [x / len(DOMAINS) for x in lpd]
    # A domain with no row there, as a job writes it.
    out[DOMAINS[0]][0] = float("nan")
    return out


def episodes(piece, reading):
    rows = []
    for w in piece.windows:
        for dyad in ("", "CHN-RUS") if w["state"] in ("CHN", "RUS") else ("",):
            rows += [
                {"reading": reading, **w, "dyad": dyad, "statistic": s, "realised": -0.4,
                 "episode_id": f"{w['state']}-{w['type']}-{w['start']}",
                 "replicated_mean": 0.1, "replicated_lower": -0.6, "replicated_upper": 0.8,
                 "p_value": 0.2}
                for s in STATISTICS
            ]  # fmt: skip
    return rows


def scored(piece, reading, lead):
    fits = [{"seconds": 9.5, "divergences": 0, "max_rhat": 1.03, "rhat_score": 1.004,
             "exact": True}]  # fmt: skip
    if piece.design == "future":
        first, later = piece.origins
        fits = [{"origin": first, "k": None, **fits[0]},
                {"origin": later, "k": 0.31, "exact": False, "seconds": 0.0, "divergences": 0,
                 "max_rhat": None}]  # fmt: skip
    return {"fits": fits, "blocks": blocks(piece, reading, lead),
            "held_out": episodes(piece, reading)}  # fmt: skip


def world(truth, reading, n):
    """The reading that is true does best there."""
    made = blocks(LAYOUT[2], reading, 0.8 if reading == truth else 0.0, salt=100 + n)
    return {"fits": [], "truth": truth, "blocks": {k: made[k] for k in ("unit", "year", "lpd")}}


def specification(p, reading="elastic-side", rhat=1.004):
    claim = {"value": 0.2, "lower": -0.1, "upper": 0.5, "probability": p,
             "prior_probability": 0.5, "verdict": "undecided"}  # fmt: skip
    return {"claims": {"C01": claim, "C08": {**claim, "probability": None}}, "divergences": 0,
            "max_rhat": rhat, "reading": reading, "rows": 1234}  # fmt: skip


def done(folder=None, lead=None, layout=LAYOUT, worlds=5, readings=READINGS, problems=None):
    """What `run_contest` hands on."""
    lead = LEAD if lead is None else lead
    assert set(readings) <= set(ALL)
    fits = pd.DataFrame([
        {"as_of": "", "reading": r, "priors": "default", "passed": True, "max_rhat": 1.004,
         "min_ess": 900.0, "seconds": 60.0, "problem": "",
         # Power-scaling needs a real fit of the default reading.
         "folder": "" if r == DEFAULT else f"fits/{r}"}
        for r in readings
    ])  # fmt: skip
    panel = made_fit.panel()
    return {
        "pieces": {f"{p.name}--{r}": scored(p, r, lead[r]) for p in layout for r in readings},
        "worlds": {
            f"world-{t}-{n}--{r}": world(t, r, n)
            for t in readings for n in range(worlds) for r in readings
        },
        "specifications": {"spec--default": specification(0.9), "spec--author": specification(0.97),
                           "spec--slow": specification(0.4, rhat=1.02)},
        "fits": fits, "problems": dict(problems or {}), "panel": panel, "priors": load_priors(),
        "windows": find_windows(panel), "readings": tuple(readings), "layout": list(layout),
        "folder": folder,
        "settings": {
            "kind": "contest", "readings": list(readings), "every": 1, "seed": 2016,
            "designs": list(dict.fromkeys(p.design for p in layout)),
            "record": panel.record.content_hash, "priors": load_priors().content_hash,
        },
    }  # fmt: skip
