"""The default model as a competent PyMC user would write it, without this package's geometry.

Invariant: the joint density of the quantities named below is that of ``fairweather.build_model``
under the reading ``elastic-side``, up to one constant, once the flat unit levels are integrated
out. Guarded by ``tests/test_bench_rivals.py``.

What is written in the ordinary way here and otherwise in ``fairweather.model``:

- paths of pressure and alignment are non-centred: unit normal (Student-t) shocks through the
  lower-triangular weights of an AR(1) and of partial adjustment; pressure can be centred instead;
- yearly shock scales are sampled: LogNormal priors of the three-year amplitudes, carried over;
- the drift is sampled, not the total trend;
- every unit of a continuous item has a level of its own, with a flat prior, and is sampled;
- one observed node per indicator, in long form.

Feedback enters as a density ratio on the shocks of pressure, so that no loop over years is needed.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fairweather.model import Space

from .items import Item, cut

# Stands for an unseen year in a Dirichlet: no pseudo-events to speak of.
NOTHING = 1e-12
# Years, far below what the priors allow. Below a thousandth or so the share kept in a year is 0 in
# floating point; its powers have no derivative there, and where nutpie rejects the step PyTensor's
# Numba code stops PyMC's own sampler with a ZeroDivisionError.
SHORTEST = 0.01


def kept_in_a_year(half_life: Any) -> Any:
    """Share of a deviation that is left after a year."""
    import pytensor.tensor as pt

    return 2.0 ** (-1.0 / pt.maximum(half_life, SHORTEST))


def weights(keep: Any, n_year: int) -> Any:
    """Lower-triangular weights ``keep^(t-s)``, shape (year, year)."""
    import pytensor.tensor as pt

    age = np.subtract.outer(np.arange(n_year), np.arange(n_year))
    return pt.where(age >= 0, keep ** np.maximum(age, 0), 0.0)


def scaled(prior: Any, name: str, factor: Any) -> Any:
    """Create ``factor`` times a quantity that has `prior`, sampled as itself."""
    import pymc as pm
    import pytensor.tensor as pt

    p = prior.params
    if prior.dist == "LogNormal":
        return pm.LogNormal(name, p["mu"] + pt.log(factor), p["sigma"])
    if prior.dist == "HalfNormal":
        return pm.HalfNormal(name, p["sigma"] * factor)
    return pm.Deterministic(name, p["value"] * factor)


def build(panel: Any, priors: Any, *, centred_pressure: bool = False) -> Any:
    """Write the model down.

    Parameters
    ----------
    panel : fairweather.panel.Panel
    priors : fairweather.priors.Priors
    centred_pressure : bool
        Sample the path of pressure itself; by default its yearly shocks.

    Returns
    -------
    pymc.Model
        Named as in our posterior: ``alignment`` (dyad, year), ``pressure`` (state, year) and the
        parameters, in the same units.

    Examples
    --------
    >>> import fairweather as fw
    >>> model = build(fw.load_panel(states=["CHN", "RUS", "IRN"], first_year=2008),
    ...               fw.load_priors())
    >>> model["alignment"].ndim
    2
    """
    import pymc as pm
    import pytensor.tensor as pt

    space, items = Space.of(panel), cut(panel, priors)
    n_state, n_dyad, n_year = len(panel.states), len(panel.dyads), len(panel.years)
    left, right, decade = panel.left, panel.right, space.decade
    with pm.Model(coords=coordinates(panel, items)) as model:
        # --- pressure ----------------------------------------------------------------------------
        keep = kept_in_a_year(priors["pressure_half_life"].rv())
        innovation = priors["pressure_innovation"].rv()
        stationary = 1.0 / pt.sqrt(1.0 - keep**2)
        if centred_pressure:
            P = pm.Flat("pressure", dims=("state", "year"), initval=panel.anchor_fill)
            p = P - panel.anchor_mean
        else:
            z = pm.Normal("pressure_shock", dims=("state", "year"))
            shocks = pt.concatenate([stationary * z[:, :1], z[:, 1:]], axis=1)
            p = innovation * pt.dot(shocks, weights(keep, n_year).T)
            P = pm.Deterministic("pressure", panel.anchor_mean + p, dims=("state", "year"))
        words = pm.Normal("words", 0.0, priors.fixed("words_scale"), dims=("state", "year"))

        # --- what moves the target ---------------------------------------------------------------
        mean = priors["elasticity_mean"].rv()
        own = pm.ZeroSumNormal("elasticity_own", priors["elasticity_scale"].rv(), dims="state")
        elasticity = pm.Deterministic("elasticity", mean + space.relative * own, dims="state")
        coupling, scope = priors["coupling"].rv(), priors["scope"].rv()
        error = pm.Normal("complementarity_error", shape=(len(panel.kinds), n_dyad, 2))
        seen = panel.complementarity.std(axis=2, keepdims=True)
        slow = pt.dot(error, space.basis.T) / np.sqrt(2.0)
        C = panel.complementarity + priors.fixed("complementarity_error") * seen * slow
        C = C - C.mean(axis=2, keepdims=True)
        p_left, p_right = p[left], p[right]
        moving = elasticity[left, None] * p_left + elasticity[right, None] * p_right
        moving = moving + coupling * p_left * p_right
        for k, kind in enumerate(panel.kinds):
            effect = priors[f"complementarity_{kind}"].rv()
            moving = moving + (effect + scope * (p_left + p_right) / 2.0) * C[k]
        centre = pm.Deterministic("target_centre", moving.mean(axis=1), dims="dyad")
        stay = kept_in_a_year(priors["half_life"].rv())
        moving = (moving - centre[:, None]) / (1.0 - stay**5)
        drift = priors["drift"].rv()
        dyad_own = pm.ZeroSumNormal("dyad_drift_own", dims="dyad")
        trend = drift + priors["dyad_drift_scale"].rv() * dyad_own
        trend = pm.Deterministic("dyad_drift", trend, dims="dyad")

        # --- alignment ---------------------------------------------------------------------------
        spread = priors.fixed("intercept_scale")
        level = pm.Normal("grand_level", 0.0, 1.0)
        level = level + pm.ZeroSumNormal("level_own", spread, dims="dyad")
        level = pm.Deterministic("level", level, dims="dyad")
        yearly = 1.0 / pt.sqrt(1.0 + stay**2 + stay**4)
        shock_scale = scaled(priors["wander"], "shock_scale", yearly)
        state_scale = scaled(priors["state_wander"], "state_shock_scale", yearly)
        pm.Deterministic("wander", shock_scale / yearly)
        pm.Deterministic("state_wander", state_scale / yearly)
        shock = pm.StudentT(
            "shock", nu=priors.fixed("shock_df"), mu=0.0, sigma=1.0, dims=("dyad", "year")
        )
        state_shock = pm.ZeroSumNormal("state_shock", shape=(n_year - 1, n_state))
        state_shock = state_scale * state_shock
        # Level and trend are those of the path, so its target runs ahead of it by `ahead` decades.
        ahead = stay / (1.0 - stay) / 10.0
        target = level[:, None] + trend[:, None] * (decade + ahead)[None, :] + moving
        first = target[:, 0] - trend * ahead + shock_scale / pt.sqrt(1.0 - stay**2) * shock[:, 0]
        moves = (1.0 - stay) * target[:, 1:] + shock_scale * shock[:, 1:]
        moves = moves + (state_shock[:, left] + state_shock[:, right]).T
        moves = pt.concatenate([first[:, None], moves], axis=1)
        A = pt.dot(moves, weights(stay, n_year).T)
        A = pm.Deterministic("alignment", A, dims=("dyad", "year"))

        # --- feedback: alignment with others may provoke pressure --------------------------------
        so_far = np.tril(np.ones((n_year, n_year))) / np.arange(1, n_year + 1)[:, None]
        company = pt.dot(company_of(panel), A - pt.dot(A, so_far.T))
        push = priors["feedback"].rv() * company[:, :-1]
        if centred_pressure:
            start = pm.logp(pm.Normal.dist(0.0, innovation * stationary), p[:, 0])
            later = pm.logp(pm.Normal.dist(keep * p[:, :-1] + push, innovation), p[:, 1:])
            pm.Potential("pressure_path", start.sum() + later.sum())
        else:
            # The company of a year depends on pressure before it: making the path from it would
            # take a loop. The density of the shocks is moved from mean 0 to mean `push` instead.
            push = push / innovation
            pm.Potential("pressure_feedback", (z[:, 1:] * push - 0.5 * push**2).sum())

        # --- measurement: one node per indicator -------------------------------------------------
        size = priors["delegation_scale"].rv()
        delegation = pm.ZeroSumNormal("delegation", size, shape=(n_year, n_state))
        votes = A + (delegation[:, left] + delegation[:, right]).T
        latents = {"alignment": A, "vote": votes, "material": P, "verbal": P + words}
        for item in items.get("vote", []):
            vote(item, latents)
        for item in items.get("anchor", []):
            anchor(item, latents)
        for family, write in (("within", within), ("count", count), ("share", share)):
            if family in items:
                write(items[family], latents, priors)
    return model


def coordinates(panel: Any, items: dict[str, list[Item]]) -> dict[str, list]:
    """Label the axes."""
    out = {"state": list(panel.states), "dyad": list(panel.dyads), "year": list(panel.years)}
    for family, members in items.items():
        out[family] = [i.id for i in members]
        out[f"{family}_shifted"] = [i.id for i in members if i.shift is not None]
    out["share_series"] = [f"{i.id}:{u}" for i in items.get("share", []) for u in i.unit]
    return out


def company_of(panel: Any) -> np.ndarray:
    """Mean over the dyads of each state, shape (state, dyad)."""
    state = np.arange(len(panel.states))[:, None]
    member = (panel.left == state) | (panel.right == state)
    return member / member.sum(axis=1, keepdims=True)


def vote(item: Item, latents: dict[str, Any]) -> None:
    """Logit of contested agreement: alignment, the year's agenda and an AR(1) residual."""
    import pymc as pm
    import pytensor.tensor as pt

    row, basis = item.long(), item.extra["basis"]
    agenda = pt.dot(
        basis, pm.Normal("agenda", 0.0, item.extra["agenda_scale"], shape=basis.shape[1])
    )
    mu = item.sign * latents["vote"][item.unit][row["unit"], row["time"]] + agenda[row["time"]]
    mu = mu + row["carry"] * (row["y"] - mu)[row["before"]]
    pm.Normal(item.id, mu, row["noise"], observed=row["y"])


def anchor(item: Item, latents: dict[str, Any]) -> None:
    """Pressure itself, up to a small error."""
    import pymc as pm

    row = item.long()
    mu = item.sign * latents[item.latent][item.unit][row["unit"], row["time"]]
    pm.Normal(item.id, mu, item.extra["scale"], observed=row["y"])


def yearly_shift(items: list[Item], family: str, n_year: int) -> Any:
    """Shifts by year of the judged and media items of a family, shape (shifted, year)."""
    import pymc as pm

    if all(i.shift is None for i in items):
        return None
    return pm.Normal(
        f"shift_{family}", 0.0, items[0].extra["shift_scale"], dims=(f"{family}_shifted", "year")
    )


def within(items: list[Item], latents: dict[str, Any], priors: Any) -> None:
    """Continuous items: level of the unit, loading, shift of the year, AR(1) residual."""
    import pymc as pm
    import pytensor.tensor as pt

    loading = priors["loading_within"].rv(dims="within")
    spare = priors["residual_spare"].rv(dims="within")
    floor = np.array([i.extra["floor"] for i in items])
    scale = pm.Deterministic("residual_within", floor * pt.sqrt(1.0 + spare**2), dims="within")
    shift = yearly_shift(items, "within", items[0].seen.shape[1])
    for item in items:
        row = item.long()
        start = item.y.sum(axis=1) / item.seen.sum(axis=1)
        level = pm.Flat(f"{item.id}_level", shape=len(item.unit), initval=start)
        latent = latents[item.latent][item.unit][row["unit"], row["time"]]
        mu = level[row["unit"]] + item.sign * loading[item.place] * latent
        if item.shift is not None:
            mu = mu + shift[item.shift][row["time"]]
        mu = mu + row["carry"] * (row["y"] - mu)[row["before"]]
        pm.Normal(item.id, mu, scale[item.place] * row["noise"], observed=row["y"])


def count(items: list[Item], latents: dict[str, Any], priors: Any) -> None:
    """Let the years of a unit share its total, more unevenly than at random."""
    import pymc as pm
    import pytensor.tensor as pt

    loading = priors["loading_count"].rv(dims="count")
    shift = yearly_shift(items, "count", items[0].seen.shape[1])
    for item in items:
        exposure = np.log(np.where(item.seen, item.n, 1.0))
        eta = item.sign * loading[item.place] * latents[item.latent][item.unit] + exposure
        if item.shift is not None:
            eta = eta + shift[item.shift][None, :]
        portion = pt.special.softmax(pt.where(item.seen, eta, -1e3), axis=1)
        strength = item.extra["concentration"] * item.seen.sum(axis=1, keepdims=True)
        pm.DirichletMultinomial(
            item.id, n=item.y.sum(axis=1).astype(int), a=strength * portion + NOTHING,
            observed=item.y.astype(int),
        )  # fmt: skip


def share(items: list[Item], latents: dict[str, Any], priors: Any) -> None:
    """Shares: successes out of trials, more scattered than binomial, with a level per unit."""
    import pymc as pm

    loading = priors["loading_share"].rv(dims="share")
    level = priors["share_level"].rv(dims="share_series")
    start = 0
    for item in items:
        row, here = item.long(), slice(start, start + len(item.unit))
        start = here.stop
        latent = latents[item.latent][item.unit][row["unit"], row["time"]]
        eta = level[here][row["unit"]] + item.sign * loading[item.place] * latent
        c, p, rest = item.extra["concentration"], pm.math.sigmoid(eta), pm.math.sigmoid(-eta)
        pm.BetaBinomial(
            item.id, alpha=c * p, beta=c * rest, n=row["n"].astype(int),
            observed=row["y"].astype(int),
        )  # fmt: skip
