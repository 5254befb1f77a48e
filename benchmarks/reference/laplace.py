"""A Laplace approximation of the posterior: it chooses the geometry of ``ours.py``, no result.

Invariant: the log density written here is that of the other forms, and its derivatives are right;
a poor approximation can only make sampling slower. Guarded by
``tests/test_bench_reference.py::test_the_forms_share_one_density`` and
``::test_the_derivatives_of_the_likelihood_are_right``.

Parameters are one vector of 19 reals, in the order of `unpack`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.linalg import cho_solve_banded, cholesky_banded, eigh
from scipy.optimize import approx_fprime, minimize
from scipy.special import expit, gammaln

from . import problem as P

# Where each parameter lies in the vector of reals.
RHO, SIGMA, BETA, A, LOADING, PHI, S, CUTS = (
    0, 1, slice(2, 5), slice(5, 9), slice(9, 13), 13, 14, slice(15, 19)
)  # fmt: skip
SIZE = 19
START = np.concatenate([[1.5, -1.0], np.zeros(11), [1.0, -0.5], [-1.5, 0.0, 0.0, 0.0]])


def unpack(t: np.ndarray) -> dict[str, Any]:
    """From the vector of reals to the parameters.

    logit rho, log sigma, beta, a, log loading, log phi, log s, first cut-point and log gaps.
    """
    c = t[CUTS]
    return {
        "rho": expit(t[RHO]), "sigma": np.exp(t[SIGMA]), "beta": t[BETA], "a": t[A],
        "loading": np.exp(t[LOADING]), "phi": np.exp(t[PHI]), "s": np.exp(t[S]),
        "cuts": np.cumsum(np.concatenate([c[:1], np.exp(c[1:])])),
    }  # fmt: skip


def log_prior(p: dict[str, Any]) -> float:
    """Log prior of the parameters themselves, up to a constant."""
    out = (P.RHO[0] - 1) * np.log(p["rho"]) + (P.RHO[1] - 1) * np.log1p(-p["rho"])
    out -= (p["sigma"] / P.SIGMA) ** 2 / 2 + (p["s"] / P.S) ** 2 / 2
    for name, scale in (("beta", P.BETA), ("a", P.INTERCEPT), ("cuts", P.CUTS)):
        out -= np.sum((p[name] / scale) ** 2) / 2
    for name, (mean, sd) in (("loading", P.LOADING), ("phi", P.PHI)):
        x = np.log(p[name])
        out -= np.sum(((x - mean) / sd) ** 2 / 2 + x)
    return float(out)


def log_jacobian(t: np.ndarray) -> float:
    """Log volume of `unpack`."""
    rho = expit(t[RHO])
    return float(np.log(rho * (1 - rho)) + t[SIGMA] + t[LOADING].sum() + t[PHI] + t[S]
                 + t[CUTS][1:].sum())  # fmt: skip


def precision(rho: float, years: int) -> tuple[np.ndarray, float]:
    """Diagonal of an AR(1)'s precision at unit innovations, and what stands beside it."""
    diagonal = np.full(years, 1 + rho**2)
    diagonal[0] = diagonal[-1] = 1.0
    return diagonal, -rho


def log_rows(p: dict[str, Any], z: np.ndarray, data: P.Problem) -> tuple[float, Any, Any]:
    """Log likelihood of all rows; first and minus second derivative by z, shape (dyad * year,)."""
    z = z.ravel()
    total, first, second = 0.0, np.zeros(z.size), np.zeros(z.size)
    for k, family in enumerate(P.FAMILIES):
        r = data.rows[family]
        loading = 1.0 if k == 0 else p["loading"][k - 1]
        eta = loading * z[r.cell] + (p["a"][k] if k < 4 else 0.0)
        if family == "binomial":
            q = expit(eta)
            value, d, w = r.y * eta - r.n * np.logaddexp(0, eta), r.y - r.n * q, r.n * q * (1 - q)
        elif family == "negbin":
            mu, phi = np.exp(eta), p["phi"]
            value = (r.y * eta - (r.y + phi) * np.log(phi + mu) + phi * np.log(phi)
                     + gammaln(r.y + phi) - gammaln(phi))  # fmt: skip
            d = r.y - (r.y + phi) * mu / (phi + mu)
            w = (r.y + phi) * phi * mu / (phi + mu) ** 2
        elif family == "poisson":
            mu = np.exp(eta)
            value, d, w = r.y * eta - mu, r.y - mu, mu
        elif family == "lognormal":
            gap = (np.log(r.y) - eta) / p["s"]
            value, d = -(gap**2) / 2 - np.log(p["s"]), gap / p["s"]
            w = np.full(eta.size, 1 / p["s"] ** 2)
        else:
            edges = np.concatenate([[-np.inf], p["cuts"], [np.inf]])
            high, low = expit(edges[r.y + 1] - eta), expit(edges[r.y] - eta)
            value, d = np.log(high - low), high + low - 1
            w = high * (1 - high) + low * (1 - low)
        total += float(value.sum())
        np.add.at(first, r.cell, loading * d)
        np.add.at(second, r.cell, loading**2 * w)
    return total, first, second


def log_path(p: dict[str, Any], z: np.ndarray, data: P.Problem) -> float:
    """Log density of the path, up to a constant."""
    rho, sigma = p["rho"], p["sigma"]
    gap = z - data.X @ p["beta"]
    gap[:, 1:] -= rho * z[:, :-1]
    gap[:, 0] *= np.sqrt(1 - rho**2)
    D = z.shape[0]
    return float(-((gap / sigma) ** 2).sum() / 2 - z.size * np.log(sigma)
                 + D / 2 * np.log1p(-(rho**2)))  # fmt: skip


def log_joint(p: dict[str, Any], z: np.ndarray, data: P.Problem) -> float:
    """Log density of parameters, path and data, up to a constant."""
    return log_prior(p) + log_path(p, z, data) + log_rows(p, z, data)[0]


def mode(t: np.ndarray, z: np.ndarray, data: P.Problem) -> tuple[np.ndarray, np.ndarray, float]:
    """Most probable path given the parameters, by Newton steps.

    Returns
    -------
    z : array, shape (dyad, year)
    information : array, shape (dyad, year)
        What the rows say of each latent: minus the second derivative of their log likelihood.
    value : float
        Laplace's log marginal density of `t`, path integrated out, up to a constant.
    """
    D, T = data.shape
    p = unpack(t)
    rho, sigma = p["rho"], p["sigma"]
    diagonal, beside = precision(rho, T)
    # All dyads in one band: nothing stands between the last year of one and the first of the next.
    band = np.zeros((2, D * T))
    band[0, 1:] = np.where(np.arange(1, D * T) % T == 0, 0.0, beside / sigma**2)
    centre = P.path(p["beta"], rho, 1.0, data.X, np.zeros((D, T)))
    z = z.copy()
    for _ in range(50):
        _, d, w = log_rows(p, z, data)
        band[1] = np.tile(diagonal, D) / sigma**2 + w
        gap = z - centre
        pull = gap * diagonal
        pull[:, 1:] += beside * gap[:, :-1]
        pull[:, :-1] += beside * gap[:, 1:]
        factor = cholesky_banded(band)
        step = cho_solve_banded((factor, False), d - pull.ravel() / sigma**2)
        z += np.clip(step, -2, 2).reshape(D, T)
        if np.abs(step).max() < 1e-7:
            break
    value = log_joint(p, z, data) + log_jacobian(t) - np.log(factor[1]).sum()
    return z, w.reshape(D, T), value


@dataclass(frozen=True)
class Geometry:
    """Where the posterior lies: constants of ``ours.build``.

    Attributes
    ----------
    t : array, shape (19,)
        Mode of the parameters, path integrated out.
    root : array, shape (19, 19)
        A root of their covariance.
    z : array, shape (dyad, year)
        Most probable path at `t`.
    follow : array, shape (dyad, year, 19)
        How that path moves with the parameters.
    axes : array, shape (dyad, year, axis)
        Per dyad, axes along which both the rows and the AR(1) at the mode's rho are independent.
    information : array, shape (dyad, axis)
        What the rows say along each axis, against 1 / sigma^2 of the AR(1).
    """

    t: np.ndarray
    root: np.ndarray
    z: np.ndarray
    follow: np.ndarray
    axes: np.ndarray
    information: np.ndarray


def fit(data: P.Problem) -> Geometry:
    """Find the geometry: one optimisation over 19 parameters, a second or two."""
    z = np.zeros(data.shape)

    def loss(t: np.ndarray) -> float:
        nonlocal z
        path, _, value = mode(t, z, data)
        if not np.isfinite(value):
            return 1e10
        z = path
        return -value

    t = minimize(loss, START, method="BFGS", options={"gtol": 0.05}).x
    z, w, _ = mode(t, z, data)
    root = np.linalg.cholesky(_covariance(loss, t))
    h = 1e-4
    follow = np.stack(
        [(mode(t + h * e, z, data)[0] - mode(t - h * e, z, data)[0]) / (2 * h)
         for e in np.eye(SIZE)], axis=-1)  # fmt: skip
    D, T = data.shape
    diagonal, beside = precision(expit(t[RHO]), T)
    Q = np.diag(diagonal) + beside * (np.eye(T, k=1) + np.eye(T, k=-1))
    parts = [eigh(np.diag(w[d]), Q) for d in range(D)]
    return Geometry(t, root, z, follow, np.stack([v for _, v in parts]),
                    np.stack([i for i, _ in parts]))  # fmt: skip


def _covariance(loss: Any, t: np.ndarray) -> np.ndarray:
    """Inverse of the matrix of second differences."""
    slope = lambda x: approx_fprime(x, loss, 1e-4)  # noqa: E731
    H = np.stack([(slope(t + h) - slope(t - h)) / 2e-2 for h in 1e-2 * np.eye(t.size)])
    H = (H + H.T) / 2
    value, vector = np.linalg.eigh(H)
    # A direction the approximation takes for flat or convex gets a wide but finite spread.
    return (vector / np.maximum(value, 1.0)) @ vector.T
