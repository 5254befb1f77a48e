"""Power-scaling: how a derived quantity moves if the prior, or the record, speaks a little louder.

Invariant: only the priors of what moves the target and how fast are scaled (``priors.DRIVERS``),
those of latent paths and of measurement never; the record's side is the log likelihood of every
family at the latents each draw holds. Guarded by ``tests/test_sensitivity.py``.

Kallioinen, Paananen, Bürkner and Vehtari (2024), by ArviZ: draws are weighed by a power of the
prior or of the likelihood slightly off one; what counts is how far the quantity's distribution
moves for a doubling of that power.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from fairweather import names
from fairweather.draws import LIMIT, Draws, priors_of
from fairweather.errors import FairweatherError
from fairweather.measurement import PARAMETERS, get_family
from fairweather.measurement.batch import Batch
from fairweather.model import prepare
from fairweather.panel import Panel
from fairweather.priors import DRIVERS, Priors
from fairweather.readings.parts import narrowed, seen
from fairweather.structure import stacked

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

THRESHOLD = 0.05
# Above this Pareto k, weighed draws stand for nothing.
WORST_K = 0.7
LEAST = 100
# Draws read at once: the stacked latents of all pairs are large.
_AT_ONCE = 100

CONFLICT = "possible prior-data conflict: both move it"
DOMINATES = "prior dominates: the data say little"
DATA = "the data decide, the prior hardly counts"
NEITHER = "neither moves it: the answer is the same under more or less of both"
NO_PRIOR = "the reading gives what moves the target no prior to scale"
STILL = "does not vary among the draws"
WEIGHTS = "not to be told: too few draws carry the weights"


def diagnose(prior: float, likelihood: float, threshold: float = THRESHOLD) -> str:
    """Put two sensitivities into words.

    Examples
    --------
    >>> diagnose(0.12, 0.01)
    'prior dominates: the data say little'
    >>> diagnose(0.12, 0.3)
    'possible prior-data conflict: both move it'
    """
    if np.isnan(prior) or np.isnan(likelihood):
        return NO_PRIOR
    if prior >= threshold:
        return CONFLICT if likelihood >= threshold else DOMINATES
    return DATA if likelihood >= threshold else NEITHER


def thin(tree: xr.DataTree, limit: int = LIMIT) -> xr.DataTree:
    """Keep about `limit` draws, the very ones that ``Draws.of`` keeps for forecasts and claims.

    Examples
    --------
    >>> import fairweather as fw
    >>> from fairweather.simulate import prior_tree
    >>> tree = prior_tree(fw.load_panel(states=["CHN", "RUS", "IND"]), draws=8)
    >>> thin(tree, 4)["posterior"].sizes["draw"]
    4
    """
    import xarray as xr

    data = tree["posterior"].to_dataset()
    size = data.sizes[names.DRAW]
    keep = min(size, max(limit // data.sizes[names.CHAIN], 1))
    data = data.isel(draw=np.linspace(0, size - 1, keep).round().astype(int))
    out = xr.DataTree.from_dict({"posterior": data})
    out.attrs = dict(tree.attrs)
    return out


def power_scale(
    tree: xr.DataTree, panel: Panel, quantities: Mapping[str, Any], *, lower: float = 0.99,
    upper: float = 1.01, priors: Priors | None = None,
) -> pd.DataFrame:  # fmt: skip
    """Sensitivity of derived quantities to the prior and to the record.

    Parameters
    ----------
    tree : DataTree
        A fit, thinned as the quantities are; see `thin`.
    panel : Panel
        The panel it was fitted to.
    quantities : mapping of str to array, each (chain, draw)
    lower, upper : float
        Powers on either side of one.
    priors : Priors, optional
        The belief set of the fit; default: the shipped one it names.

    Returns
    -------
    DataFrame
        One row per quantity: ``quantity``, ``prior`` and ``likelihood`` (sensitivity; above 0.05
        it counts), ``pareto_k`` (of the worst weights) and ``diagnosis`` in words.

    Raises
    ------
    FairweatherError
        A quantity of another shape than the draws, powers not on either side of one, too few
        draws, or a fit without what the likelihood needs.

    Examples
    --------
    >>> import fairweather as fw
    >>> from fairweather.simulate import prior_tree
    >>> panel = fw.load_panel(states=["CHN", "RUS", "IND"])
    >>> tree = prior_tree(panel, draws=100)
    >>> drift = tree["posterior"]["drift"].to_numpy()
    >>> power_scale(tree, panel, {"drift": drift})["quantity"].tolist()
    ['drift']
    """
    import pandas as pd
    import xarray as xr
    from arviz_stats import psense

    priors = priors_of(tree) if priors is None else priors
    posterior = tree["posterior"].to_dataset()
    shape = posterior.sizes[names.CHAIN], posterior.sizes[names.DRAW]
    _check(quantities, shape, lower, upper)
    dims = (names.CHAIN, names.DRAW)
    data = {k: (dims, np.asarray(v, float)) for k, v in quantities.items()}
    moving = {k: v for k, v in data.items() if np.ptp(v[1]) > 0}
    groups = {
        "prior": log_prior(posterior, priors, str(tree.attrs["reading"])),
        "likelihood": log_likelihood(posterior, panel, priors, str(tree.attrs["reading"])),
    }
    found, k = {}, -np.inf
    for group, terms in groups.items():
        found[group] = dict.fromkeys(data, np.nan)
        if not terms or not moving:
            continue
        part = xr.Dataset({name: (dims, value) for name, value in terms.items()})
        whole = xr.DataTree.from_dict({"posterior": xr.Dataset(moving), f"log_{group}": part})
        scaled = psense(whole, group=group, alphas=(lower, upper))
        found[group] |= {str(name): float(v) for name, v in scaled.items()}
        k = max(k, *(_tail(sum(terms.values()), alpha) for alpha in (lower, upper)))
    rows = []
    for name in data:
        prior, likelihood = found["prior"][name], found["likelihood"][name]
        said = diagnose(prior, likelihood) if k <= WORST_K else WEIGHTS
        rows.append({
            "quantity": name, "prior": prior, "likelihood": likelihood, "pareto_k": k,
            "diagnosis": said if name in moving else STILL,
        })  # fmt: skip
    return pd.DataFrame(rows)


def claim_values(
    tree: xr.DataTree, panel: Panel, priors: Priors | None = None
) -> dict[str, np.ndarray]:
    """Quantities of the claims that this fit's draws can measure, one number a draw.

    Parameters
    ----------
    tree : DataTree
        Thinned, so that nothing is thinned again; see `thin`. Measures over all dyad-years take
        at most 200 draws and are left out where there are more.
    panel : Panel
    priors : Priors, optional

    Returns
    -------
    dict of str to ndarray, each (chain, draw)

    Examples
    --------
    >>> import fairweather as fw
    >>> from fairweather.simulate import prior_tree
    >>> panel = fw.load_panel(states=["CHN", "RUS", "IND"])
    >>> values = claim_values(prior_tree(panel, draws=20), panel)
    >>> values["C01"].shape
    (1, 20)
    """
    from fairweather.beliefs import measured

    priors = priors_of(tree) if priors is None else priors
    draws = Draws.of(tree, panel, priors)
    return {
        name: draws.by_chain(found.value)
        for name, (_, found) in measured(draws).items()
        if len(found.value) == len(draws)
    }


def log_prior(posterior: xr.Dataset, priors: Priors, reading: str) -> dict[str, np.ndarray]:
    """Log density of each prior of what moves the target, shape (chain, draw).

    A quantity held fixed, and one that the reading holds near nothing, has no say and is left out.
    """
    held = narrowed(priors, reading)
    out = {}
    for name in DRIVERS:
        if name in posterior and name in priors.table:
            prior = priors[name]
            if not prior.fixed and prior.same_as(held[name]):
                value = posterior[name].transpose(names.CHAIN, names.DRAW).to_numpy()
                out[name] = prior.logpdf(value)
    return out


def log_likelihood(
    posterior: xr.Dataset, panel: Panel, priors: Priors, reading: str
) -> dict[str, np.ndarray]:
    """Log likelihood of each family at each draw up to a constant, shape (chain, draw)."""
    panel = seen(panel, reading)
    batches = prepare(panel, narrowed(priors, reading))
    x = {str(k): v.transpose(names.CHAIN, names.DRAW, ...) for k, v in posterior.items()}
    shape = posterior.sizes[names.CHAIN], posterior.sizes[names.DRAW]
    flat = {k: v.to_numpy().astype(float).reshape(-1, *v.shape[2:]) for k, v in x.items()}
    out: dict[str, list] = {name: [] for name in batches}
    for start in range(0, shape[0] * shape[1], _AT_ONCE):
        part = {k: v[start : start + _AT_ONCE] for k, v in flat.items()}
        try:
            latents = stacked(panel, part)
            for name, batch in batches.items():
                out[name].append(_family(name, batch, batch.read(latents), part))
        except KeyError as err:
            raise FairweatherError(
                f"the draws do not hold {err}, which the likelihood needs",
                remedy="Fit anew with this version.",
            ) from err
    return {name: np.concatenate(parts).reshape(shape) for name, parts in out.items()}


def _family(name: str, batch: Batch, latent: np.ndarray, x: Mapping[str, np.ndarray]) -> np.ndarray:
    """Log likelihood of one family, shape (draw,), up to a constant."""
    wanted = {k: v for k, v in PARAMETERS[name].items() if k != "shift" or batch.shifted}
    par = {inner: x[outer] for inner, outer in wanted.items()}
    return get_family(name).fit_logp(batch, latent, par).sum(axis=-1)


def _tail(total: np.ndarray, alpha: float) -> float:
    """Pareto k of the weights of one power."""
    import arviz_stats  # noqa: F401  (lends arrays their accessor)
    import xarray as xr

    log_weight = (alpha - 1.0) * total
    weight = np.exp(log_weight - log_weight.max())
    array = xr.DataArray(weight, dims=(names.CHAIN, names.DRAW))
    return float(array.azstats.pareto_khat(tail="right"))


def _check(
    quantities: Mapping[str, Any], shape: tuple[int, int], lower: float, upper: float
) -> None:
    if not 0.0 < lower < 1.0 < upper:
        raise FairweatherError(
            f"powers {lower:g} and {upper:g} do not lie on either side of one",
            remedy="Use the defaults, 0.99 and 1.01.",
        )
    if shape[0] * shape[1] < LEAST:
        raise FairweatherError(
            f"{shape[0] * shape[1]} draws are too few to weigh", remedy=f"Keep {LEAST} or more."
        )
    for name, value in quantities.items():
        if np.shape(value) != shape:
            raise FairweatherError(
                f"'{name}' has shape {np.shape(value)}, the draws {shape}",
                remedy="Compute it from the tree that is passed: thin(tree) first.",
            )
        if not np.isfinite(np.asarray(value, float)).all():
            raise FairweatherError(
                f"'{name}' is not finite in every draw", remedy="Leave it out, or mend it."
            )
