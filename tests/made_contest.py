"""A made-up context to judge claims in: a few readings, weights, episodes and what can be told."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd

from fairweather.claims.judge import Context
from fairweather.draws import Draws
from fairweather.priors import load_priors
from made_fit import fit, panel


@dataclass(frozen=True)
class Answer:
    told: bool
    sentence: str

    def __bool__(self):
        return self.told


@dataclass(frozen=True)
class Confusion:
    """Tells everything apart, or nothing."""

    can: bool = True

    def can_tell(self, pro, contra):
        return Answer(self.can, f"The record cannot tell {pro[0]} from {contra[0]}.")


@cache
def draws(reading, seed=3, size=60, **fixed):
    return Draws.of(fit(reading=reading, seed=seed, draws=size, **fixed), panel(), load_priors())


READINGS = ("drift", "thermostat", "common-enemy", "elastic-side")


def held_out(change=-1.0, years=(1994, 1999, 2004, 2009, 2016), kind="easing", state="RUS"):
    """Episodes after which the tie of `state` changed by `change`, while drift foresees none."""
    rows = []
    for k, year in enumerate(years):
        for reading, mean, score in (("drift", 0.0, -3.0), ("elastic-side", -0.8, -2.0)):
            for dyad in ("", "pressed", "CHN-RUS"):
                rows.append({
                    "reading": reading, "episode_id": f"e{k}", "state": state, "start": year,
                    "end": year + 1, "type": kind, "dyad": dyad, "statistic": "change",
                    "realised": change + 0.05 * (k - 2), "replicated_mean": mean,
                    "replicated_lower": mean - 0.8, "replicated_upper": mean + 0.8,
                    "p_value": 0.1, "log_score": score,
                })  # fmt: skip
    return pd.DataFrame(rows)


def shocks():
    rows = [
        (t, y, y + 1, "CHN, RUS", 2) for t in ("easing", "hardship") for y in (1994, 1999, 2005)
    ]
    return pd.DataFrame(rows, columns=["type", "start", "end", "states", "episodes"])


def context(weights=None, **changes):
    weights = weights or dict.fromkeys(READINGS, 0.25)
    replicates = np.random.default_rng(1).dirichlet(
        50 * np.array(list(weights.values())) + 1e-3, 80
    )
    made = {
        "panel": panel(), "draws": {r: draws(r) for r in weights},
        "prior": {r: draws(r, seed=9, size=30) for r in weights}, "weights": weights,
        "weight_draws": replicates, "held_out": held_out(), "confusion": Confusion(),
        "shocks": shocks(),
    }  # fmt: skip
    return Context(**{**made, **changes})
