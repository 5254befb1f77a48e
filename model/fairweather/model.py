"""The model on a page: pressure, drivers, dynamics, measurement, in that order.

Invariant: location and scale are fixed once and only once: pressure by its anchor (intercept 0,
loading 1), alignment by contested votes (loading 1, no dyad offset); every other loading is
positive after its declared sign. Guarded by ``tests/test_model.py`` and ``tests/test_recovery.py``.

Units: alignment in logits of contested agreement, pressure in log(1 + US sanction cases).
Coefficients are five-year responses of the target. See ``docs/model.md`` for the reasons.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from fairweather import names
from fairweather.dynamics import five_year_share, follow, keeps, propagate, speed
from fairweather.measurement import FAMILIES, get_family
from fairweather.measurement.batch import Batch, Source
from fairweather.panel import Panel
from fairweather.posterior import labels
from fairweather.priors import Priors, load_priors
from fairweather.readings import DEFAULT, get_reading
from fairweather.readings.parts import narrowed, pressed, scope_from, seen

if TYPE_CHECKING:
    import pymc as pm

# A state whose anchor never moved tells nothing of its elasticity: it keeps the common one.
STILL = 0.15**2
# Pressure is sampled around its interpolated anchor in steps of about its posterior spread.
PRESSURE_STEP = 0.12
# So are the mean and the slope of each dyad's path, around its votes and around no slope.
MEAN_STEP, SLOPE_STEP = 0.1, 0.1
# Domains whose items may run ahead of the general path, or behind it; votes and visits are it.
LEADING = ("security", "economic")


@dataclass(frozen=True)
class Space:
    """What the pieces of the model may know: the panel and its fixed geometry."""

    panel: Panel
    basis: np.ndarray  # two slow shapes per dyad for the error of complementarity
    decade: np.ndarray  # years in decades, centred
    relative: np.ndarray  # how much of its own elasticity a state's record can show
    mean: np.ndarray  # where each dyad's votes stand: the place around which means are sampled
    pressed: tuple[np.ndarray, np.ndarray]  # whose pressure moves each dyad

    @classmethod
    def of(
        cls, panel: Panel, batches: dict[str, Batch] | None = None, reading: str = DEFAULT
    ) -> Space:
        """Derive the fixed geometry of a panel."""
        t = (panel.years - panel.years.mean()) / 10.0
        shapes = np.column_stack([t, t**2 - (t**2).mean()])
        shapes = shapes / shapes.std(axis=0)
        move = panel.movement
        mean = np.zeros(len(panel.dyads))
        if batches and "vote" in batches:
            votes = batches["vote"]
            mean += (votes.y * votes.mask).sum() / votes.mask.sum()
            mean[votes.unit] = (votes.y * votes.mask).sum(axis=1) / votes.mask.sum(axis=1)
        return cls(panel, shapes, t, move / (move + STILL), mean, pressed(panel, reading))

    def elasticity(self, priors: Priors) -> Any:
        """Elasticity of each state: a common mean and zero-sum deviations, centred."""
        import pymc as pm

        mean = priors["elasticity_mean"].rv()
        scale = priors["elasticity_scale"].rv()
        own = pm.ZeroSumNormal("elasticity_own", sigma=scale, dims="state")
        return pm.Deterministic("elasticity", mean + self.relative * own, dims="state")


@dataclass(frozen=True)
class Model:
    """A model of a panel: its reading, priors, and data laid out by family.

    Attributes
    ----------
    pymc : pymc.Model
        The model on a page, written down when first asked for: the engine computes the same
        density without it.
    """

    panel: Panel
    priors: Priors
    reading: str
    batches: dict[str, Batch]
    space: Space

    @cached_property
    def pymc(self) -> pm.Model:
        """The model in PyMC."""
        return write(self)

    @property
    def coords(self) -> dict[str, Any]:
        """Labels of every named axis."""
        return labels(self.panel, self.batches)


def prepare(panel: Panel, priors: Priors) -> dict[str, Batch]:
    """One batch per family, its series pointing into the rows of `stack`."""
    n_dyad, n_state = len(panel.dyads), len(panel.states)
    offset = {"diplomatic": 0, "material": n_dyad, "verbal": n_dyad + n_state,
              "vote": n_dyad + 2 * n_state, "security": 2 * (n_dyad + n_state),
              "economic": 3 * n_dyad + 2 * n_state}  # fmt: skip
    batches = {}
    for name in FAMILIES:
        sources = [
            Source(i, panel.rows[i.id], offset[_block(i)], panel.spread.get(i.id), panel.foreseen)
            for latent in (names.ALIGNMENT, names.PRESSURE)
            for i in panel.indicators(latent)
            if i.family == name
        ]
        batch = get_family(name).prepare(sources, len(panel.years), priors)
        if len(batch.unit):
            batches[name] = batch
    return batches


def stack(
    xp: Any, alignment: Any, pressure: Any, words: Any, votes: Any, leads: tuple[Any, Any]
) -> Any:
    """Stack the latents that indicators read, shape (..., row, year), in the order of `prepare`.

    `leads` is what security and economic items read beyond alignment.
    """
    domains = [alignment + leads[0], alignment + leads[1]]
    return xp.concatenate([alignment, pressure, pressure + words, votes, *domains], axis=-2)


def _block(indicator: Any) -> str:
    """Which block of the stacked latents an indicator reads."""
    return "vote" if indicator.family == "vote" else indicator.domain


def sides(
    panel: Panel, pressure: Any, c: dict[str, Any], whose: tuple[Any, Any] | None = None
) -> tuple[dict, dict]:
    """Pressure above its reference, and any state coefficient, for both sides of each dyad.

    `whose` are the positions of the states that press on the dyad; its own two by default.
    """
    p = pressure - panel.anchor_mean
    out = []
    for side in (panel.left, panel.right) if whose is None else whose:
        view = {"pressure": p[..., side, :]}
        if "elasticity" in c:
            view["elasticity"] = c["elasticity"][..., side, None]
        out.append(view)
    return out[0], out[1]


def complementarity_pull(
    xp: Any, comp: Any, pressure: Any, panel: Panel, c: dict, start: float = 0.0
) -> Any:
    """Pull of complementarity, allowed to count more where pressure is present (scope).

    `start` is from ``fairweather.readings.parts.scope_from``.
    """
    p = pressure - panel.anchor_mean
    both = 0.5 * (p[..., panel.left, :] + p[..., panel.right, :]) + start
    pull = 0.0
    for k, kind in enumerate(panel.kinds):
        pull = pull + (c[f"complementarity_{kind}"] + c["scope"] * both) * comp[..., k, :, :]
    return pull


def build_model(panel: Panel, *, reading: str = DEFAULT, priors: Priors | None = None) -> Model:
    """Put a panel, a reading and priors together.

    Parameters
    ----------
    panel : Panel
    reading : str
        One of ``fairweather.READINGS``: what moves the target.
    priors : Priors, optional
        Default: the shipped belief set ``default``.

    Returns
    -------
    Model
        ``.pymc`` holds ``alignment`` (dyad, year), ``pressure`` (state, year) and the parameters.

    Examples
    --------
    >>> import fairweather as fw
    >>> m = fw.build_model(fw.load_panel(states=["CHN", "RUS", "IRN"], first_year=2008))
    >>> m.reading
    'elastic-side'
    """
    priors, panel = narrowed(priors or load_priors(), reading), seen(panel, reading)
    batches = prepare(panel, priors)
    return Model(panel, priors, reading, batches, Space.of(panel, batches, reading))


def write(spec: Model) -> pm.Model:
    """Write the model down in PyMC: pressure, drivers, dynamics, measurement."""
    import pymc as pm
    import pytensor.tensor as pt

    panel, priors, space, batches = spec.panel, spec.priors, spec.space, spec.batches
    piece = get_reading(spec.reading)
    n_state, n_dyad, n_year = len(panel.states), len(panel.dyads), len(panel.years)
    with pm.Model(coords=spec.coords) as model:
        # --- pressure: a stationary AR(1) around a known mean, sampled around its anchor ---------
        q = pm.Flat("pressure_step", dims=("state", "year"), initval=np.zeros((n_state, n_year)))
        P = pm.Deterministic("pressure", panel.anchor_fill + PRESSURE_STEP * q,
                             dims=("state", "year"))  # fmt: skip
        keep = 2.0 ** (-1.0 / priors["pressure_half_life"].rv())
        innovation = priors["pressure_innovation"].rv()
        words_raw = pm.Normal("words_raw", dims=("state", "year"))
        words = pm.Deterministic("words", priors.fixed("words_scale") * words_raw,
                                 dims=("state", "year"))  # fmt: skip

        # --- drivers: what each reading, complementarity and drift do to the target --------------
        c = piece.coefficients(priors, space)
        for kind in panel.kinds:
            c[f"complementarity_{kind}"] = priors[f"complementarity_{kind}"].rv()
        c["scope"] = priors["scope"].rv()
        left, right = sides(panel, P, c, space.pressed)
        weather = piece.drive(pt, left, right, c)
        error = pm.Normal("complementarity_error", shape=(len(panel.kinds), n_dyad, 2))
        seen = panel.complementarity.std(axis=2, keepdims=True)
        C = panel.complementarity + priors.fixed("complementarity_error") * seen * pt.dot(
            error, space.basis.T / np.sqrt(2.0)
        )
        C = C - C.mean(axis=2, keepdims=True)
        pm.Deterministic("complementarity", C[:, panel.dyads.index(panel.focal), :],
                         dims=("kind", "year"))  # fmt: skip
        pull = complementarity_pull(pt, C, P, panel, c, scope_from(panel, spec.reading))
        moving = weather + pull
        centre = pm.Deterministic("target_centre", moving.mean(axis=1), dims="dyad")
        half_life = priors["half_life"].rv()
        moving = (moving - centre[:, None]) / five_year_share(half_life)

        # --- dynamics: partial adjustment, heavy-tailed dyad shocks, shocks of whole states ------
        k = speed(half_life)
        # Three-year amplitudes are sampled: unlike yearly or lasting ones they hardly trade off
        # with the half-life.
        keep_sq = (1.0 - k) ** 2
        yearly = 1.0 / pt.sqrt(1.0 + keep_sq + keep_sq**2)
        shock_scale = pm.Deterministic("shock_scale", priors["wander"].rv() * yearly)
        state_scale = pm.Deterministic("state_shock_scale", priors["state_wander"].rv() * yearly)
        eps = pm.StudentT("shock_raw", nu=priors.fixed("shock_df"), mu=0.0, sigma=1.0,
                          dims=("dyad", "year"))  # fmt: skip
        state_shock = state_scale * pm.ZeroSumNormal("state_shock_raw", shape=(n_year - 1, n_state))
        common = state_shock[:, panel.left] + state_shock[:, panel.right]
        first = shock_scale / pt.sqrt(1.0 - keep_sq) * eps[:, 0]
        shocks = shock_scale * eps[:, 1:] + common.T
        # The answer to the target may depend on its direction; shocks fade at the common speed.
        kept = keeps(pt, half_life, priors["asymmetry"].rv(), moving)
        answer = follow(pt, moving, kept)
        excursion = answer + propagate(pt, first, shocks, k)
        # Level and trend are those of the path, which trails its target, so that they do not shift
        # with the half-life. Sampled are mean and slope of the whole path, which the record shows;
        # level and trend follow (Jacobian 1), and their priors are stated of them.
        mean = space.mean + MEAN_STEP * pm.Flat("mean_step", dims="dyad",
                                                initval=np.zeros(n_dyad))  # fmt: skip
        slope = SLOPE_STEP * pm.Flat("slope_step", dims="dyad", initval=np.zeros(n_dyad))
        fit = space.decade / (space.decade**2).sum()
        level = pm.Deterministic("level", mean - excursion.mean(axis=1), dims="dyad")
        trend = pm.Deterministic("dyad_drift", slope - pt.dot(excursion, fit), dims="dyad")
        grand = pm.Deterministic("grand_level", level.mean())
        drift = pm.Deterministic("drift", trend.mean())
        pm.Potential("level_prior", pm.logp(pm.Normal.dist(0.0, 1.0), grand)
                     + spread_logp(level - grand, priors.fixed("intercept_scale")))  # fmt: skip
        pm.Potential("drift_prior", priors["drift"].logp(drift)
                     + spread_logp(trend - drift, priors["dyad_drift_scale"].rv()))  # fmt: skip
        A = pm.Deterministic("alignment", level[:, None] + trend[:, None] * space.decade
                             + excursion, dims=("dyad", "year"))  # fmt: skip

        # --- feedback: alignment with others may provoke pressure --------------------------------
        feedback = priors["feedback"].rv()
        # Measured from the years so far. Nothing later enters, so given the shocks the map from
        # innovations to pressure is triangular, and the product of normals is its density.
        company = pt.dot(incidence(panel), pt.dot(A, past_deviation(n_year).T))
        dev = P - panel.anchor_mean
        expected = keep * dev[:, :-1] + feedback * company[:, :-1]
        start = innovation / pt.sqrt(1.0 - keep**2)
        pm.Potential("pressure_path", pm.logp(pm.Normal.dist(0.0, start), dev[:, 0]).sum()
                     + pm.logp(pm.Normal.dist(expected, innovation), dev[:, 1:]).sum())  # fmt: skip

        # --- measurement: each family of indicators speaks of the stacked latents ----------------
        # A delegation's year touches all its pairs and passes: it is no alignment.
        delegation = pm.ZeroSumNormal("delegation", sigma=priors["delegation_scale"].rv(),
                                      dims=("year", "state"))  # fmt: skip
        votes = A + (delegation[:, panel.left] + delegation[:, panel.right]).T
        lead = [priors[f"lead_{domain}"].rv() for domain in LEADING]
        gap = moving - answer
        if "leads" in piece.PARTS:
            gap = pm.Deterministic("gap", gap, dims=("dyad", "year"))
        stacked = stack(pt, A, P, words, votes, (lead[0] * gap, lead[1] * gap))
        for name, batch in batches.items():
            family = get_family(name)
            par = family.parameters(batch, priors)
            pm.Potential(f"rows_{name}", family.logp(batch, batch.read(stacked), par))
    return model


def spread_logp(deviation: Any, scale: Any) -> Any:
    """Log density of deviations that sum to zero, constants dropped."""
    import pytensor.tensor as pt

    n = deviation.shape[0] - 1
    return -0.5 * (deviation**2).sum() / scale**2 - n * pt.log(scale)


def past_deviation(n_year: int) -> np.ndarray:
    """Weights that take from each year the mean of the years up to it, shape (year, year).

    Examples
    --------
    >>> past_deviation(3)[2].round(2).tolist()
    [-0.33, -0.33, 0.67]
    """
    so_far = np.tril(np.ones((n_year, n_year))) / np.arange(1, n_year + 1)[:, None]
    return np.eye(n_year) - so_far


def incidence(panel: Panel) -> np.ndarray:
    """Mean over a state's dyads, shape (state, dyad)."""
    out = np.zeros((len(panel.states), len(panel.dyads)))
    for d, (i, j) in enumerate(zip(panel.left, panel.right, strict=True)):
        out[i, d] = out[j, d] = 1.0
    return out / out.sum(axis=1, keepdims=True)
