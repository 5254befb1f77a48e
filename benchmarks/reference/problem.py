"""The reference problem: one simulated data set and one set of priors, shared by every form.

Invariant: the data depend on the seed alone, rows are in long form, and no NaN is ever a row.
Guarded by ``tests/test_bench_reference.py::test_the_data_set_is_what_it_says``.

30 dyads x 25 years. One latent path per dyad, an AR(1) with three drivers::

    z[d, 0] = X[d, 0] . beta + sigma / sqrt(1 - rho^2) e[d, 0]
    z[d, t] = rho z[d, t-1] + X[d, t] . beta + sigma e[d, t]

seen through five indicators, each missing in a fifth of the cells at random::

    binomial    y ~ Binomial(n, logit^-1(a + z))                 (the anchor: loading 1)
    negbin      y ~ NegativeBinomial(mean exp(a + l z), phi)     (variance mu + mu^2 / phi)
    poisson     y ~ Poisson(exp(a + l z))
    lognormal   log y ~ Normal(a + l z, s)
    ordinal     y ~ OrderedLogistic(l z, cuts), five levels
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

SEED = 20161208
DYADS, YEARS, DRIVERS, LEVELS = 30, 25, 3, 5
MISSING = 0.2
FAMILIES = ("binomial", "negbin", "poisson", "lognormal", "ordinal")
# Order of the vectors: an intercept for each family but the ordinal one, whose cut-points stand
# for it; a loading for each family but the anchor.
WITH_INTERCEPT = FAMILIES[:4]
WITH_LOADING = FAMILIES[1:]

# The exact priors. Loadings, phi: (mean, SD) of the logarithm. Cut-points: independent normals
# restricted to increasing order. rho: Beta(a, b). The rest: SD of a normal or half-normal.
RHO = (4.0, 2.0)
SIGMA = 0.5
BETA = 0.5
INTERCEPT = 2.0
LOADING = (0.0, 0.5)
PHI = (1.0, 1.0)
S = 1.0
CUTS = 3.0

TRUTH = {
    "rho": 0.9,
    "sigma": 0.3,
    "beta": np.array([0.15, -0.1, 0.05]),
    "a": np.array([0.2, 0.7, 0.3, 0.5]),
    "loading": np.array([1.0, 0.8, 0.7, 1.2]),
    "phi": 4.0,
    "s": 0.6,
    "cuts": np.array([-1.5, -0.5, 0.5, 1.5]),
}
# What every form returns, in this order, besides the path "z".
PARAMETERS = tuple(TRUTH)


@dataclass(frozen=True)
class Rows:
    """The observations of one family: cell = dyad * years + year, no NaN."""

    cell: np.ndarray
    y: np.ndarray
    n: np.ndarray | None = None  # trials of the binomial


@dataclass(frozen=True)
class Problem:
    """Drivers, shape (dyad, year, driver), the rows of each family, and the simulated path."""

    X: np.ndarray
    rows: dict[str, Rows]
    z: np.ndarray

    @property
    def shape(self) -> tuple[int, int]:
        """Dyads and years."""
        return self.X.shape[0], self.X.shape[1]


def path(beta: np.ndarray, rho: float, sigma: float, X: np.ndarray, e: np.ndarray) -> np.ndarray:
    """Run the recursion forward: the reference definition of the latent path."""
    z = np.empty(e.shape)
    drive = X @ beta
    z[:, 0] = drive[:, 0] + sigma / np.sqrt(1 - rho**2) * e[:, 0]
    for t in range(1, e.shape[1]):
        z[:, t] = rho * z[:, t - 1] + drive[:, t] + sigma * e[:, t]
    return z


@cache
def make(dyads: int = DYADS, years: int = YEARS, seed: int = SEED) -> Problem:
    """Simulate the data set.

    Parameters
    ----------
    dyads, years : int
        Smaller for quick tests; the benchmark uses the defaults.
    seed : int

    Returns
    -------
    Problem
    """
    rng = np.random.default_rng(seed)
    p = TRUTH
    X = rng.normal(size=(dyads, years, DRIVERS))
    for t in range(1, years):  # drivers persist, as drivers do
        X[:, t] = 0.7 * X[:, t - 1] + np.sqrt(1 - 0.7**2) * X[:, t]
    X = (X - X.mean(axis=(0, 1))) / X.std(axis=(0, 1))
    z = path(p["beta"], p["rho"], p["sigma"], X, rng.normal(size=(dyads, years)))
    rows = {}
    for k, family in enumerate(FAMILIES):
        cell = np.flatnonzero(rng.uniform(size=z.size) >= MISSING)
        eta = (1.0 if k == 0 else p["loading"][k - 1]) * z.ravel()[cell]
        if family != "ordinal":
            eta = eta + p["a"][k]
        n = None
        if family == "binomial":
            n = rng.integers(5, 16, size=cell.size)
            y = rng.binomial(n, 1 / (1 + np.exp(-eta)))
        elif family == "negbin":
            y = rng.poisson(np.exp(eta) * rng.gamma(p["phi"], 1 / p["phi"], size=cell.size))
        elif family == "poisson":
            y = rng.poisson(np.exp(eta))
        elif family == "lognormal":
            y = np.exp(eta + p["s"] * rng.normal(size=cell.size))
        else:
            y = (eta + rng.logistic(size=cell.size) > p["cuts"][:, None]).sum(axis=0)
        rows[family] = Rows(cell, y, n)
    return Problem(X, rows, z)
