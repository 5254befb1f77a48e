"""Small made-up fits and forecasts with the shape of real ones, for tests of what follows a fit."""

from dataclasses import dataclass, field
from functools import cache
from json import dumps

import numpy as np
import pandas as pd
import xarray as xr

from fairweather.panel import load_panel

STATES = ("CHN", "IND", "RUS")
SCENARIOS = ("current-weather", "ease-russia", "ease-china", "ease-both", "storm")
THRESHOLDS = ("2001-04", "1996-00", "2005-08")


@dataclass
class Gate:
    """A stand-in for the report of `fairweather.inference.gate`."""

    passed: bool = True
    failures: list = field(default_factory=list)

    @property
    def table(self):
        return pd.DataFrame({
            "quantity": ["half_life", "alignment[CHN-RUS, 2024]"], "rhat": [1.001, 1.004],
            "ess_bulk": [1800.0, 950.0], "ess_tail": [2000.0, 1100.0],
            "passed": [True, self.passed],
        })  # fmt: skip

    @property
    def summary(self):
        return {
            "max_rhat": 1.004, "min_ess_bulk": 950.0, "min_ess_tail": 1100.0, "divergences": 0,
            "min_ebfmi": 0.81,
        }  # fmt: skip


FAILED = Gate(False, ["half_life: R-hat 1.052, the bar is 1.01", "drift: bulk ESS 80, bar 400"])


@cache
def panel():
    return load_panel(states=list(STATES))


def tree(chains=2, draws=40, seed=3, **attrs):
    """A fit: paths around plausible values, and some of the sampler's own geometry."""
    rng = np.random.default_rng(seed)
    p = panel()
    lead = (chains, draws)
    n_state, n_dyad, n_year = len(p.states), len(p.dyads), len(p.years)
    slope = np.linspace(0.5, 1.8, n_year)
    posterior = xr.Dataset(
        {
            "alignment": (
                ("chain", "draw", "dyad", "year"),
                slope + 0.2 * rng.standard_normal((*lead, n_dyad, n_year)),
            ),
            "pressure": (
                ("chain", "draw", "state", "year"),
                p.anchor_fill + 0.1 * rng.standard_normal((*lead, n_state, n_year)),
            ),
            "words": (
                ("chain", "draw", "state", "year"),
                0.1 * rng.standard_normal((*lead, n_state, n_year)),
            ),
            "elasticity": (("chain", "draw", "state"), rng.standard_normal((*lead, n_state))),
            "half_life": (("chain", "draw"), rng.lognormal(1.6, 0.2, lead)),
            "shift_within": (("chain", "draw", "year"), rng.standard_normal((*lead, n_year))),
            "level_raw": (("chain", "draw", "dyad"), rng.standard_normal((*lead, n_dyad))),
            "pressure_step": (
                ("chain", "draw", "state", "year"), np.zeros((*lead, n_state, n_year)),
            ),
        },
        coords={"dyad": list(p.dyads), "state": list(p.states), "year": p.years},
    )  # fmt: skip
    root = {
        "reading": "elastic-side", "priors_id": "default", "priors_hash": "p" * 64,
        "record_hash": p.record.content_hash, "as_of": "", "focal": "CHN-RUS", "origin": p.origin,
        "reference": dumps(p.reference), "versions": dumps({"pymc": "6"}), "seed": 1,
        "sampler": "nutpie", "timings": dumps({"compile": 5.1, "sample": 60.2}),
    }  # fmt: skip
    stats = xr.Dataset({"diverging": (("chain", "draw"), np.zeros(lead, bool))})
    return xr.DataTree.from_dict({
        "/": xr.Dataset(attrs=root | attrs), "posterior": posterior, "sample_stats": stats,
        "constant_data": xr.Dataset(coords={"year": p.years}),
        "prior": xr.Dataset({"half_life": (("chain", "draw"), rng.lognormal(1.6, 0.2, (1, 50)))}),
    })  # fmt: skip


def forecast(fit=None, horizon=5, draws=30, seed=4):
    """A forecast: durability falls with the years, most under easing."""
    fit = tree() if fit is None else fit
    rng = np.random.default_rng(seed)
    years = np.arange(1, horizon + 1)
    fall = (
        np.array([0.03, 0.08, 0.06, 0.12, 0.01])[:, None, None]
        * np.array([1, 0.8, 1.2])[None, :, None]
    )
    probability = np.exp(-fall * years)
    dims = ("scenario", "threshold", "horizon")
    durability = xr.Dataset(
        {
            "probability": (dims, probability),
            "lower": (dims, np.clip(probability - 0.1, 0, 1)),
            "upper": (dims, np.clip(probability + 0.08, 0, 1)),
            "mc_error": (dims, np.full(probability.shape, 0.006)),
            "median_years": (dims[:2], np.full(probability.shape[:2], np.inf)),
        },
        coords={"scenario": list(SCENARIOS), "threshold": list(THRESHOLDS), "horizon": years},
        attrs={"interval": "89 % equal-tailed credible interval"},
    )
    size = (len(SCENARIOS), draws)
    predictions = xr.Dataset(
        {
            "alignment": (("scenario", "draw", "horizon"), rng.standard_normal((*size, horizon))),
            "pressure": (
                ("scenario", "draw", "state", "horizon"), rng.standard_normal((*size, 2, horizon)),
            ),
        },
        coords={"scenario": list(SCENARIOS), "horizon": years, "state": ["CHN", "RUS"]},
    )  # fmt: skip
    observables = xr.Dataset(
        {
            "value": (
                ("scenario", "indicator", "draw", "horizon"),
                rng.standard_normal((len(SCENARIOS), 2, draws, horizon)),
            )
        },
        coords={
            "scenario": list(SCENARIOS), "indicator": ["unga_votes", "arms_volume"],
            "horizon": years,
        },
    )  # fmt: skip
    attrs = dict(fit.attrs) | {"scenarios_hash": "s" * 64, "horizon": horizon}
    return xr.DataTree.from_dict({
        "/": xr.Dataset(attrs=attrs), "predictions": predictions, "durability": durability,
        "observables": observables,
    })  # fmt: skip


def durability_table(fc):
    names = ["scenario", "horizon", "threshold"]
    frame = fc["durability"].to_dataset().drop_vars("median_years").to_dataframe().reset_index()
    return frame[[*names, "probability", "lower", "upper", "mc_error"]]


def forecast_table(fc, model_id):
    first = {
        "origin_date": "2024-12-31", "target_date": "2025-12-31", "horizon": 1,
        "scenario": "current-weather", "indicator": "unga_votes", "unit": "CHN-RUS",
        "output_type": "quantile", "output_type_id": 0.5, "value": 0.8, "model_id": model_id,
    }  # fmt: skip
    return pd.DataFrame([first])


def claims():
    row = {
        "claim_id": "C01", "statement": "Pressure on Russia pulls it toward China",
        "quantity": "elasticity[RUS]", "value": 0.212, "lower": -0.04, "upper": 0.47,
        "probability": 0.91, "prior_probability": 0.5, "threshold": 0.95, "verdict": "undecided",
        "note": "preliminary, in-sample",
    }  # fmt: skip
    other = row | {"claim_id": "C02", "verdict": "borne out", "lower": np.nan, "upper": np.nan}
    return pd.DataFrame([row, other])
