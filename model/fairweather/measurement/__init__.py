"""Indicator families: how a coded number speaks of a latent, as interchangeable pieces.

Invariant: every family is a module with the same functions, so the model, the simulator and the
forecast treat all indicators alike:

``prepare(sources, n_years, priors)``
    Long rows of the family's indicators to one `Batch`, once, with NumPy.
``parameters(batch, priors)``
    The free parameters, created in the current PyMC model.
``logp(batch, latent, par)``
    Log likelihood of all rows given the signed latent (series x year), a scalar tensor.
``fit_logp(batch, latent, par)``
    The same, series by series and up to a constant, (..., series), with NumPy.
``simulate(batch, latent, par, rng)``
    A replicate of the observed cells, with NumPy.
``predict(batch, history, future, par, rng)``
    Draws of the indicators in later years for every series, with NumPy.
``held_logp(known, whole, cells, latent, par)``
    Log predictive density of rows a fit has not seen, (draw, cell), with NumPy: of each cell given
    the known rows of its series and the latents, whatever the family integrates out included. It
    sums to one over the cell's outcomes. NaN where no reading can speak.
``held_draw(known, whole, cells, latent, par, rng)``
    Draws of the same cells, (draw, cell), each from the same law, those of a series together.

``known`` is the batch of the panel the fit saw and ``whole`` that of the full panel; ``cells`` are
the series and years of all held-out cells in ``whole``, ``latent`` (draw, series of whole, year),
and ``par`` the parameters of the fit, as its own batch ``known`` names them, with an axis of draws
in front. An indicator that lost all its rows has no loading in the fit: its cells are NaN.

Guarded by the conformance suite ``tests/test_measurement.py``.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from fairweather.errors import CodebookError

FAMILIES: dict[str, str] = {
    "vote": "fairweather.measurement.vote",
    "within": "fairweather.measurement.within",
    "count": "fairweather.measurement.count",
    "share": "fairweather.measurement.share",
    "anchor": "fairweather.measurement.anchor",
}
# Name of each family's parameters in the posterior, and how its functions call them.
PARAMETERS: dict[str, dict[str, str]] = {
    "vote": {"agenda": "agenda"},
    "within": {"loading": "loading_within", "scale": "residual_within", "shift": "shift_within"},
    "count": {
        "loading": "loading_count", "shift": "shift_count",
    },
    "share": {
        "loading": "loading_share", "level": "share_level",
    },
    "anchor": {},
}  # fmt: skip


def get_family(name: str) -> ModuleType:
    """Return the module of an indicator family.

    Raises
    ------
    CodebookError
        Unknown family.

    Examples
    --------
    >>> get_family("count").__name__
    'fairweather.measurement.count'
    """
    if name not in FAMILIES:
        raise CodebookError(f"unknown indicator family '{name}'; use {', '.join(FAMILIES)}")
    return import_module(FAMILIES[name])
