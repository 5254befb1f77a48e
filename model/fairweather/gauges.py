"""What is ranked in a calibration: parameters, paths, and how well the data are met.

Invariant: truth and draws pass through the same function, with the same labels, so that no
quantity is compared with another. Guarded by
``tests/test_calibration.py::test_truth_and_draws_are_measured_alike``.

The fit to the data is a quantity too: it depends on parameters and data at once and shows faults
that ranks of parameters alone cannot (Modrak et al. 2023). It is the log likelihood of a family
up to constants; of votes at the delegations' mean, as these are not kept among the draws.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from fairweather.measurement.batch import Batch, apply_filter
from fairweather.panel import Panel

_DYNAMICS = ("half_life", "wander", "state_wander", "drift", "dyad_drift_scale",
             "delegation_scale")  # fmt: skip
_DRIVERS = ("elasticity_mean", "elasticity_scale", "coupling", "shared_pressure", "exponent",
            "scope")  # fmt: skip
_PRESSURE = ("pressure_half_life", "pressure_innovation", "feedback")
GROUPS: dict[str, str] = {
    "dynamics": "dynamics of alignment", "drivers": "what moves the target",
    "pressure": "pressure", "loadings": "loadings", "levels": "residuals, levels and years",
    "alignment": "alignment of the pair", "data": "fit to the data",
}  # fmt: skip


def gauges(
    values: Mapping[str, Any], panel: Panel, batches: Mapping[str, Batch]
) -> dict[str, tuple[str, np.ndarray]]:
    """Everything that is ranked, from draws or from the truth.

    Parameters
    ----------
    values : mapping of str to array
        Named as in the posterior, any leading axes (none for the truth): parameters,
        ``alignment`` (..., dyad, year), ``pressure`` and ``words`` (..., state, year).
    panel : Panel
        The simulated world's panel.
    batches : mapping of str to Batch
        From ``fairweather.model.prepare`` of that panel.

    Returns
    -------
    dict of str to (str, ndarray)
        Group (one of ``GROUPS``) and values with the leading axes, by label. A parameter absent
        from `values` (held fixed, or of another reading) is left out.

    Examples
    --------
    >>> import fairweather as fw
    >>> from fairweather.model import prepare
    >>> panel = fw.load_panel(states=["CHN", "RUS", "IND"])
    >>> gauges({"half_life": 5.0}, panel, {})
    {'half_life': ('dynamics', array(5.))}
    """
    out: dict[str, tuple[str, np.ndarray]] = {}
    x = {name: np.asarray(value, float) for name, value in values.items()}

    def put(group: str, name: str, *where: tuple[str, int]) -> None:
        if name in x:
            label = f"{name}[{', '.join(text for text, _ in where)}]" if where else name
            out[label] = (group, x[name][(..., *(at for _, at in where))])

    a, b = panel.focal.split("-")
    pair = [(s, panel.states.index(s)) for s in (a, b)]
    focal = (panel.focal, panel.dyads.index(panel.focal))
    n = len(panel.years)
    times = [(str(panel.years[t]), t) for t in (0, n // 2, n - 1)]
    for name in _DYNAMICS:
        put("dynamics", name)
    for name in (*_DRIVERS, *(f"complementarity_{kind}" for kind in panel.kinds)):
        put("drivers", name)
    for name in _PRESSURE:
        put("pressure", name)
    for state in pair:
        put("drivers", "elasticity", state)
        for time in times:
            put("pressure", "pressure", state, time)
        put("pressure", "words", state, times[1])
    for name in ("level", "dyad_drift"):
        put("alignment", name, focal)
    for time in times:
        put("alignment", "alignment", focal, time)
    for family, batch in batches.items():
        items = list(enumerate(batch.ids))
        for k, item in items:
            put("loadings", f"loading_{family}", (item, k))
            if family == "within":
                put("levels", "residual_within", (item, k))
        if family == "share":
            for s, k in enumerate(batch.which):
                put("levels", "share_level", (batch.ids[k], s))
        if batch.shifted:
            put("levels", f"shift_{family}", (batch.ids[batch.shifted[0]], 0), times[1])
    put("levels", "agenda", ("0", 0))
    if all(name in x for name in ("alignment", "pressure", "words")):
        paths = [x["alignment"], x["pressure"], x["pressure"] + x["words"], x["alignment"]]
        stacked = np.concatenate(paths, axis=-2)
        for family, batch in batches.items():
            if not set(_NEEDED.get(family, ())) <= set(x):
                continue  # held fixed, so not among the draws
            out[f"fit[{family}]"] = ("data", _FIT[family](batch, batch.read(stacked), x))
    return out


def _total(x: np.ndarray) -> np.ndarray:
    return x.sum(axis=(-2, -1))


def _vote(batch: Batch, latent: np.ndarray, x: Mapping[str, np.ndarray]) -> np.ndarray:
    agenda = x["agenda"] @ batch.extra["basis"].T
    e = apply_filter(np, batch.y - latent - agenda[..., None, :], batch.extra["filter"])
    return -0.5 * _total(e**2)


def _slope(batch: Batch, latent: np.ndarray, x: Mapping[str, np.ndarray]) -> np.ndarray:
    """Multiply loading and latent, and add the shifts of the year."""
    out = x[f"loading_{batch.family}"][..., batch.which, None] * latent
    shift = x.get(f"shift_{batch.family}")
    return out if shift is None or not batch.shifted else out + batch.shift_rows(shift, np)


def _within(batch: Batch, latent: np.ndarray, x: Mapping[str, np.ndarray]) -> np.ndarray:
    own = batch.extra
    e = apply_filter(np, batch.y - _slope(batch, latent, x), own["filter"])
    ss = (e**2).sum(axis=-1) - (e * own["constant"]).sum(axis=-1) ** 2 / own["information"]
    scale = x["residual_within"]
    return -(np.log(scale) @ own["dof"] + 0.5 * ((ss @ own["member"].T) / scale**2).sum(axis=-1))


def _count(batch: Batch, latent: np.ndarray, x: Mapping[str, np.ndarray]) -> np.ndarray:
    from scipy.special import gammaln

    eta = _slope(batch, latent, x) + batch.extra["offset"]
    weight = np.exp(eta - eta.max(axis=-1, keepdims=True))
    strength = batch.extra["concentration"] * batch.extra["seen"]
    alpha = strength[:, None] * weight / weight.sum(axis=-1, keepdims=True)
    seen = batch.y > 0
    alpha = np.maximum(alpha[..., seen], 1e-300)
    return (gammaln(alpha + batch.y[seen]) - gammaln(alpha)).sum(axis=-1)


def _share(batch: Batch, latent: np.ndarray, x: Mapping[str, np.ndarray]) -> np.ndarray:
    from scipy.special import betaln, expit

    eta = x["share_level"][..., None] + _slope(batch, latent, x)
    tried = batch.mask & (batch.extra["n"] > 0)
    yes, n = batch.y[tried], batch.extra["n"][tried]
    # Kept off 0 and 1, where the beta function has no value.
    p = np.clip(expit(eta[..., tried]), 1e-12, 1.0 - 1e-12)
    c = batch.extra["concentration"]
    a, b = c * p, c * (1.0 - p)
    return (betaln(a + yes, b + n - yes) - betaln(a, b)).sum(axis=-1)


def _anchor(batch: Batch, latent: np.ndarray, x: Mapping[str, np.ndarray]) -> np.ndarray:
    return -0.5 * _total(((batch.y - latent) / batch.extra["scale"]) ** 2 * batch.mask)


_FIT = {"vote": _vote, "within": _within, "count": _count, "share": _share, "anchor": _anchor}
_NEEDED = {
    "vote": ("agenda",), "within": ("loading_within", "residual_within"),
    "count": ("loading_count",), "share": ("loading_share", "share_level"),
}  # fmt: skip
