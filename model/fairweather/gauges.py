"""What is ranked in a calibration: parameters, paths, and how well the data are met.

Invariant: truth and draws pass through the same function, with the same labels, so that no
quantity is compared with another. Guarded by
``tests/test_calibration.py::test_truth_and_draws_are_measured_alike``.

The fit to the data is a quantity too: it depends on parameters and data at once and shows faults
that ranks of parameters alone cannot (Modrak et al. 2023). It is the log likelihood of a family
up to constants; of votes at the delegations' mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from fairweather.measurement import PARAMETERS, get_family
from fairweather.measurement.batch import Batch
from fairweather.panel import Panel
from fairweather.structure import stacked

_DYNAMICS = ("half_life", "wander", "state_wander", "drift", "dyad_drift_scale",
             "delegation_scale")  # fmt: skip
_DRIVERS = ("elasticity_mean", "elasticity_scale", "coupling", "shared_pressure", "exponent",
            "scope", "asymmetry", "lead_security", "lead_economic",
            "complementarity_regime", "complementarity_leaders")  # fmt: skip
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
        mean = np.zeros((n, len(panel.states)))
        latents = stacked(panel, {**x, "delegation": mean})
        for family, batch in batches.items():
            own = {inner: name for inner, name in PARAMETERS[family].items()
                   if inner != "shift" or batch.shifted}  # fmt: skip
            if not set(own.values()) <= set(x):
                continue  # held fixed, so not among the draws
            par = {inner: x[name] for inner, name in own.items()}
            fit = get_family(family).fit_logp(batch, batch.read(latents), par)
            out[f"fit[{family}]"] = ("data", fit.sum(axis=-1))
    return out
