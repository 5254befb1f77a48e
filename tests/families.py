"""Made-up rows, batches and parameters of every family, for tests of measurement."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytensor.tensor as pt

from fairweather.measurement import PARAMETERS, get_family
from fairweather.measurement.batch import Source
from fairweather.priors import load_priors

PRIORS, YEARS, UNITS = load_priors(), 9, 4
AR = {"vote": 0.6, "within": 0.6}  # the families whose residual is carried
OFFSET = 2  # rows of the stacked latents before the units'


def made_rows(family, seed=0, gaps=True):
    rng = np.random.default_rng(seed)
    unit, time = np.divmod(np.arange(UNITS * YEARS), YEARS)
    rows = pd.DataFrame({"unit": unit, "time": time})
    n = rng.integers(10, 30, len(rows)).astype(float)
    blank = np.full(len(rows), np.nan)
    if family == "vote":
        value, partial = np.floor(0.6 * n), np.floor(0.2 * n)
        value = value - rng.integers(0, 5, len(rows))
        rows = rows.assign(value=value, partial=partial, opposite=n - value - partial, n=n)
    elif family == "share":
        rows = rows.assign(value=rng.binomial(n.astype(int), 0.4).astype(float), n=n)
    elif family == "count":
        rows = rows.assign(value=rng.poisson(2.0, len(rows)).astype(float), n=blank)
    else:
        rows = rows.assign(value=rng.normal(size=len(rows)), n=blank)
    if gaps:
        rows = rows[~((rows["time"] == 4) & (rows["unit"] < 2)) & (rows["time"] != unit % 3)]
    return rows.reset_index(drop=True)


def made_indicator(family, name="one", sign=1, phi=0.0, shift=False):
    return SimpleNamespace(
        id=name, sign=sign, residual_ar=phi, item_year_shift=shift, family=family
    )


def made_sources(family, phi=0.0):
    if family in ("vote", "anchor"):
        return [Source(made_indicator(family, phi=phi), made_rows(family), OFFSET)]
    return [
        Source(made_indicator(family, phi=phi), made_rows(family), OFFSET),
        Source(
            made_indicator(family, "two", -1, 0.0, family != "share"), made_rows(family, 1), OFFSET
        ),
    ]


def made_parameters(family, batch, seed=3, draws=None):
    rng = np.random.default_rng(seed)
    lead = () if draws is None else (draws,)
    shapes = {
        "agenda": (YEARS - 2,), "loading": (len(batch.ids),), "scale": (len(batch.ids),),
        "shift": (len(batch.shifted), YEARS), "level": (len(batch.unit),),
    }  # fmt: skip
    out = {}
    for key in PARAMETERS[family]:
        if key == "shift" and not batch.shifted:
            continue
        draw = rng.normal(size=(*lead, *shapes[key]))
        out[key] = np.exp(0.3 * draw) if key in ("loading", "scale") else 0.3 * draw
    return out


def model_logp(family, batch, latent, par):
    tensors = {k: pt.as_tensor(v) for k, v in par.items()}
    return float(get_family(family).logp(batch, pt.as_tensor(latent), tensors).eval())
