"""The default model in NumPyro, written by hand in jax.numpy.

Invariant: the joint density of the quantities named below is that of ``fairweather.build_model``
under the reading ``elastic-side``, up to one constant, once the flat unit levels are integrated
out. Guarded by ``tests/test_bench_rivals.py``.

The form is that of ``rivals.textbook_pymc`` (non-centred paths, yearly shock scales and drift
sampled, a sampled level per unit of a continuous item, one site per indicator), in the idiom of
NumPyro: dense arrays with masks instead of rows, plates over units, factors where a density is
corrected. It is run in double precision, as the other forms are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fairweather.model import Space

from .items import Item, cut

NOTHING = 1e-12


def distribution(prior: Any, factor: Any = 1.0) -> Any:
    """Distribution of ``factor`` times a quantity that has `prior`, in NumPyro."""
    import jax.numpy as jnp
    import numpyro.distributions as dist

    p = prior.params
    if prior.dist == "LogNormal":
        return dist.LogNormal(p["mu"] + jnp.log(factor), p["sigma"])
    if prior.dist == "HalfNormal":
        return dist.HalfNormal(p["sigma"] * factor)
    return dist.Normal(p["mu"] * factor, p["sigma"] * factor)


def draw(prior: Any, name: str | None = None, factor: Any = 1.0) -> Any:
    """Sample a quantity from its prior, or return it where it is fixed."""
    import numpyro

    name = name or prior.name
    if prior.fixed:
        return numpyro.deterministic(name, prior.params["value"] * factor)
    return numpyro.sample(name, distribution(prior, factor))


def weights(keep: Any, n_year: int) -> Any:
    """Lower-triangular weights ``keep^(t-s)``, shape (year, year)."""
    import jax.numpy as jnp

    age = np.subtract.outer(np.arange(n_year), np.arange(n_year))
    return jnp.where(age >= 0, keep ** np.maximum(age, 0), 0.0)


def build(panel: Any, priors: Any, *, centred_pressure: bool = False) -> Callable[[], None]:
    """Write the model down.

    Parameters
    ----------
    panel : fairweather.panel.Panel
    priors : fairweather.priors.Priors
    centred_pressure : bool
        Sample the path of pressure itself; by default its yearly shocks.

    Returns
    -------
    callable
        A NumPyro model without arguments, named and in units as our posterior is.

    Examples
    --------
    >>> import fairweather as fw
    >>> model = build(fw.load_panel(states=["CHN", "RUS", "IRN"], first_year=2008),
    ...               fw.load_priors())
    >>> callable(model)
    True
    """
    import jax.numpy as jnp
    import numpyro
    import numpyro.distributions as dist

    space, items = Space.of(panel), cut(panel, priors)
    n_state, n_dyad, n_year = len(panel.states), len(panel.dyads), len(panel.years)
    left, right, decade = panel.left, panel.right, space.decade
    seen = panel.complementarity.std(axis=2, keepdims=True)
    state = np.arange(n_state)[:, None]
    member = (left == state) | (right == state)
    member = member / member.sum(axis=1, keepdims=True)
    so_far = np.tril(np.ones((n_year, n_year))) / np.arange(1, n_year + 1)[:, None]

    def pressure_shocks(keep: Any, innovation: Any) -> tuple[Any, Any]:
        """Shocks of pressure, and its path above the reference."""
        with numpyro.plate("shock_states", n_state, dim=-2):
            with numpyro.plate("shock_years", n_year, dim=-1):
                z = numpyro.sample("pressure_shock", dist.Normal(0.0, 1.0))
        first = z[:, :1] / jnp.sqrt(1.0 - keep**2)
        shocks = jnp.concatenate([first, z[:, 1:]], axis=1)
        return z, innovation * shocks @ weights(keep, n_year).T

    def model() -> None:
        # --- pressure ----------------------------------------------------------------------------
        keep = 2.0 ** (-1.0 / draw(priors["pressure_half_life"]))
        innovation = draw(priors["pressure_innovation"])
        if centred_pressure:
            flat = dist.ImproperUniform(dist.constraints.real, (n_state, n_year), ())
            P = numpyro.sample("pressure", flat.to_event(2))
            z, p = None, P - panel.anchor_mean
        else:
            z, p = pressure_shocks(keep, innovation)
            P = numpyro.deterministic("pressure", panel.anchor_mean + p)
        words = numpyro.sample(
            "words",
            dist.Normal(0.0, priors.fixed("words_scale")).expand([n_state, n_year]).to_event(2),
        )

        # --- what moves the target ---------------------------------------------------------------
        mean = draw(priors["elasticity_mean"])
        size = draw(priors["elasticity_scale"])
        own = numpyro.sample("elasticity_own", dist.ZeroSumNormal(size, (n_state,)))
        elasticity = numpyro.deterministic("elasticity", mean + space.relative * own)
        coupling, scope = draw(priors["coupling"]), draw(priors["scope"])
        error = numpyro.sample(
            "complementarity_error",
            dist.Normal(0.0, 1.0).expand([len(panel.kinds), n_dyad, 2]).to_event(3),
        )
        slow = error @ space.basis.T / np.sqrt(2.0)
        C = panel.complementarity + priors.fixed("complementarity_error") * seen * slow
        C = C - C.mean(axis=2, keepdims=True)
        p_left, p_right = p[left], p[right]
        moving = elasticity[left, None] * p_left + elasticity[right, None] * p_right
        moving = moving + coupling * p_left * p_right
        for k, kind in enumerate(panel.kinds):
            effect = draw(priors[f"complementarity_{kind}"])
            moving = moving + (effect + scope * (p_left + p_right) / 2.0) * C[k]
        centre = numpyro.deterministic("target_centre", moving.mean(axis=1))
        stay = 2.0 ** (-1.0 / draw(priors["half_life"]))
        moving = (moving - centre[:, None]) / (1.0 - stay**5)
        drift = draw(priors["drift"])
        own = numpyro.sample("dyad_drift_own", dist.ZeroSumNormal(1.0, (n_dyad,)))
        trend = numpyro.deterministic("dyad_drift", drift + draw(priors["dyad_drift_scale"]) * own)

        # --- alignment ---------------------------------------------------------------------------
        level = numpyro.sample("grand_level", dist.Normal(0.0, 1.0))
        spread = dist.ZeroSumNormal(priors.fixed("intercept_scale"), (n_dyad,))
        level = numpyro.deterministic("level", level + numpyro.sample("level_own", spread))
        yearly = 1.0 / jnp.sqrt(1.0 + stay**2 + stay**4)
        shock_scale = draw(priors["wander"], "shock_scale", yearly)
        state_scale = draw(priors["state_wander"], "state_shock_scale", yearly)
        numpyro.deterministic("wander", shock_scale / yearly)
        numpyro.deterministic("state_wander", state_scale / yearly)
        with numpyro.plate("shock_dyads", n_dyad, dim=-2):
            with numpyro.plate("dyad_years", n_year, dim=-1):
                shock = numpyro.sample("shock", dist.StudentT(priors.fixed("shock_df"), 0.0, 1.0))
        with numpyro.plate("state_years", n_year - 1):
            both = numpyro.sample("state_shock", dist.ZeroSumNormal(1.0, (n_state,)))
        both = state_scale * both
        # Level and trend are those of the path, so its target runs ahead of it by `ahead` decades.
        ahead = stay / (1.0 - stay) / 10.0
        target = level[:, None] + trend[:, None] * (decade + ahead) + moving
        first = target[:, 0] - trend * ahead + shock_scale / jnp.sqrt(1.0 - stay**2) * shock[:, 0]
        moves = (1.0 - stay) * target[:, 1:] + shock_scale * shock[:, 1:]
        moves = moves + (both[:, left] + both[:, right]).T
        moves = jnp.concatenate([first[:, None], moves], axis=1)
        A = numpyro.deterministic("alignment", moves @ weights(stay, n_year).T)

        # --- feedback: alignment with others may provoke pressure --------------------------------
        company = member @ (A - A @ so_far.T)
        push = draw(priors["feedback"]) * company[:, :-1]
        if centred_pressure:
            start = dist.Normal(0.0, innovation / jnp.sqrt(1.0 - keep**2)).log_prob(p[:, 0])
            later = dist.Normal(keep * p[:, :-1] + push, innovation).log_prob(p[:, 1:])
            numpyro.factor("pressure_path", start.sum() + later.sum())
        else:
            # The company of a year depends on pressure before it: making the path from it would
            # take a loop. The density of the shocks is moved from mean 0 to mean `push` instead.
            push = push / innovation
            numpyro.factor("pressure_feedback", (z[:, 1:] * push - 0.5 * push**2).sum())

        # --- measurement: one site per indicator -------------------------------------------------
        size = draw(priors["delegation_scale"])
        with numpyro.plate("delegation_years", n_year):
            delegation = numpyro.sample("delegation", dist.ZeroSumNormal(size, (n_state,)))
        votes = A + (delegation[:, left] + delegation[:, right]).T
        latents = {"alignment": A, "vote": votes, "material": P, "verbal": P + words}
        for item in items.get("vote", []):
            vote(item, latents)
        for item in items.get("anchor", []):
            mu = item.sign * latents[item.latent][item.unit]
            observe(item, dist.Normal(mu, item.extra["scale"]))
        for family, write in (("within", within), ("count", count), ("share", share)):
            if family in items:
                write(items[family], latents, priors)

    return model


def observe(item: Item, distribution: Any) -> None:
    """Condition on the seen cells of an indicator."""
    import numpyro

    n_unit, n_year = item.seen.shape
    with numpyro.plate(f"{item.id}_units", n_unit, dim=-2):
        with numpyro.plate(f"{item.id}_years", n_year, dim=-1):
            with numpyro.handlers.mask(mask=item.seen):
                numpyro.sample(item.id, distribution, obs=item.y)


def carried(item: Item, mu: Any) -> Any:
    """Expect of each cell what the residuals of the years before carry into it."""
    import jax.numpy as jnp

    residual = item.y - mu
    out = mu
    for gap, part in enumerate(item.carry, start=1):
        if part.any():
            earlier = part[:, gap:] * residual[:, :-gap]
            out = out + jnp.pad(earlier, ((0, 0), (gap, 0)))
    return out


def vote(item: Item, latents: dict[str, Any]) -> None:
    """Logit of contested agreement: alignment, the year's agenda and an AR(1) residual."""
    import numpyro
    import numpyro.distributions as dist

    basis = item.extra["basis"]
    with numpyro.plate("contrasts", basis.shape[1]):
        agenda = numpyro.sample("agenda", dist.Normal(0.0, item.extra["agenda_scale"]))
    mu = item.sign * latents["vote"][item.unit] + basis @ agenda
    observe(item, dist.Normal(carried(item, mu), item.noise))


def loadings(items: list[Item], priors: Any, what: str) -> Any:
    """Sample one positive number per indicator of a family."""
    import jax.numpy as jnp
    import numpyro

    if priors[what].fixed:
        return jnp.full(len(items), priors[what].params["value"])
    return numpyro.sample(what, distribution(priors[what]).expand([len(items)]).to_event(1))


def yearly_shift(items: list[Item], family: str) -> Any:
    """Shifts by year of the judged and media items of a family, shape (shifted, year)."""
    import numpyro
    import numpyro.distributions as dist

    shifted = sum(i.shift is not None for i in items)
    if not shifted:
        return None
    prior = dist.Normal(0.0, items[0].extra["shift_scale"])
    shape = [shifted, items[0].seen.shape[1]]
    return numpyro.sample(f"shift_{family}", prior.expand(shape).to_event(2))


def within(items: list[Item], latents: dict[str, Any], priors: Any) -> None:
    """Continuous items: level of the unit, loading, shift of the year, AR(1) residual."""
    import jax.numpy as jnp
    import numpyro
    import numpyro.distributions as dist

    loading = loadings(items, priors, "loading_within")
    spare = loadings(items, priors, "residual_spare")
    floor = np.array([i.extra["floor"] for i in items])
    scale = numpyro.deterministic("residual_within", floor * jnp.sqrt(1.0 + spare**2))
    shift = yearly_shift(items, "within")
    flat = dist.ImproperUniform(dist.constraints.real, (), ())
    for item in items:
        with numpyro.plate(f"{item.id}_levels", len(item.unit)):
            level = numpyro.sample(f"{item.id}_level", flat)
        mu = item.sign * loading[item.place] * latents[item.latent][item.unit] + level[:, None]
        if item.shift is not None:
            mu = mu + shift[item.shift]
        observe(item, dist.Normal(carried(item, mu), scale[item.place] * item.noise))


def count(items: list[Item], latents: dict[str, Any], priors: Any) -> None:
    """Let the years of a unit share its total, more unevenly than at random."""
    import jax
    import jax.numpy as jnp
    import numpyro
    import numpyro.distributions as dist

    loading = loadings(items, priors, "loading_count")
    shift = yearly_shift(items, "count")
    for item in items:
        eta = item.sign * loading[item.place] * latents[item.latent][item.unit]
        eta = eta + np.log(np.where(item.seen, item.n, 1.0))
        if item.shift is not None:
            eta = eta + shift[item.shift]
        portion = jax.nn.softmax(jnp.where(item.seen, eta, -jnp.inf), axis=1)
        strength = item.extra["concentration"] * item.seen.sum(axis=1, keepdims=True)
        with numpyro.plate(f"{item.id}_units", len(item.unit)):
            years = dist.DirichletMultinomial(strength * portion + NOTHING, item.y.sum(axis=1))
            numpyro.sample(item.id, years, obs=item.y)


def share(items: list[Item], latents: dict[str, Any], priors: Any) -> None:
    """Shares: successes out of trials, more scattered than binomial, with a level per unit."""
    import jax
    import numpyro.distributions as dist

    loading = loadings(items, priors, "loading_share")
    level = share_levels(items, priors)
    start = 0
    for item in items:
        here = level[start : start + len(item.unit), None]
        start += len(item.unit)
        eta = here + item.sign * loading[item.place] * latents[item.latent][item.unit]
        # 1 - p would be 0 at the wilder starting points.
        c, p, rest = item.extra["concentration"], jax.nn.sigmoid(eta), jax.nn.sigmoid(-eta)
        observe(item, dist.BetaBinomial(c * p, c * rest, item.n))


def share_levels(items: list[Item], priors: Any) -> Any:
    """Sample the level of every series of shares."""
    import jax.numpy as jnp
    import numpyro

    size = sum(len(i.unit) for i in items)
    if priors["share_level"].fixed:
        return jnp.full(size, priors["share_level"].params["value"])
    prior = distribution(priors["share_level"]).expand([size]).to_event(1)
    return numpyro.sample("share_level", prior)
