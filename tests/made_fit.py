"""A made-up fit with every quantity a forecast reads, for a small panel of real states."""

from functools import cache
from json import dumps

import numpy as np
import xarray as xr

from fairweather.model import prepare
from fairweather.panel import load_panel
from fairweather.priors import load_priors
from fairweather.readings import get_reading
from fairweather.readings.parts import seen

STATES = ("CHN", "IND", "IRN", "RUS")


@cache
def panel(focal="CHN-RUS", first_year=1992):
    return load_panel(states=list(STATES), focal=focal, first_year=first_year)


def fit(p=None, reading="elastic-side", chains=2, draws=60, seed=3, **fixed):
    """Draws around plausible values; `fixed` sets a quantity to one value in every draw."""
    p, priors = seen(p or panel(), reading), load_priors()
    rng = np.random.default_rng(seed)
    lead, years = (chains, draws), len(p.years)
    batches = prepare(p, priors)
    labels = {"dyad": list(p.dyads), "state": list(p.states), "kind": list(p.kinds)}
    sizes = {k: len(v) for k, v in labels.items()} | {"year": years}
    made = {}

    def put(name, dims, value):
        shape = (*lead, *(sizes[d] for d in dims))
        if name in fixed:
            value = np.broadcast_to(np.asarray(fixed[name], float), shape).copy()
        made[name] = (("chain", "draw", *dims), np.broadcast_to(value, shape))

    def noise(scale, dims=()):
        return scale * rng.standard_normal((*lead, *(sizes[d] for d in dims)))

    path = np.linspace(1.0, 1.3, years)
    put("alignment", ("dyad", "year"), path + noise(0.05, ("dyad", "year")))
    put("pressure", ("state", "year"), p.anchor_fill + noise(0.05, ("state", "year")))
    put("words", ("state", "year"), noise(0.1, ("state", "year")))
    comp = p.complementarity - p.complementarity.mean(axis=2, keepdims=True)
    put("complementarity", ("kind", "year"), comp[:, p.dyads.index(p.focal)])
    put("half_life", (), 4.0 * np.exp(noise(0.1)))
    put("level", ("dyad",), 1.15 + noise(0.1, ("dyad",)))
    put("target_centre", ("dyad",), noise(0.05, ("dyad",)))
    put("dyad_drift", ("dyad",), noise(0.02, ("dyad",)))
    put("elasticity", ("state",), 0.2 + noise(0.05, ("state",)))
    for name, value in {
        "shock_scale": 0.08, "state_shock_scale": 0.04, "pressure_half_life": 12.0,
        "pressure_innovation": 0.2, "delegation_scale": 0.12,
    }.items():  # fmt: skip
        put(name, (), value)
    for name, scale in {
        "coupling": 0.01, "shared_pressure": 0.1, "exponent": 1.0, "scope": 0.05,
        "drift": 0.02, **{f"complementarity_{kind}": 0.1 for kind in p.kinds},
    }.items():  # fmt: skip
        put(name, (), noise(scale))
    parts = get_reading(reading).PARTS
    if "asymmetry" in parts:
        put("asymmetry", (), noise(0.3))
    if "leads" in parts:
        put("lead_security", (), noise(0.2))
        put("lead_economic", (), noise(0.2))
        put("gap", ("dyad", "year"), noise(0.1, ("dyad", "year")))
    for family, batch in batches.items():
        labels[family] = batch.ids
        labels[f"{family}_shifted"] = [batch.ids[k] for k in batch.shifted]
        labels[f"{family}_series"] = [
            f"{batch.ids[k]}:{u}" for k, u in zip(batch.which, batch.unit, strict=True)
        ]
    sizes |= {k: len(v) for k, v in labels.items()} | {"agenda_dim_0": years - 2}
    # A small record may lack a family.
    for family in [f for f in ("within", "count", "share") if f in batches]:
        put(f"loading_{family}", (family,), 2.0)
    for family in [f for f in ("within", "count") if f in batches]:
        dims = (f"{family}_shifted", "year")
        put(f"shift_{family}", dims, noise(0.1, dims))
    if "within" in batches:
        put("residual_within", ("within",), 0.4)
    if "share" in batches:
        put("share_level", ("share_series",), 0.0)
    put("agenda", ("agenda_dim_0",), noise(0.1, ("agenda_dim_0",)))
    used = {d for dims, _ in made.values() for d in dims}
    coords = {k: v for k, v in labels.items() if k in used} | {"year": p.years}
    root = {
        "reading": reading, "priors_id": priors.id, "priors_hash": priors.content_hash,
        "record_hash": p.record.content_hash, "as_of": "", "focal": p.focal, "origin": p.origin,
        "reference": dumps(p.reference), "seed": 1, "sampler": "nutpie",
    }  # fmt: skip
    return xr.DataTree.from_dict({
        "/": xr.Dataset(attrs=root), "posterior": xr.Dataset(made, coords=coords),
    })  # fmt: skip
