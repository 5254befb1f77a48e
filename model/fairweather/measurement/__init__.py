"""Indicator families: how a coded number speaks of a latent, as interchangeable pieces.

Invariant: every family is a module with the same functions, so the model, the simulator and the
forecast treat all indicators alike:

``prepare(sources, n_years, priors)``
    Long rows of the family's indicators to one `Batch`, once, with NumPy.
``parameters(batch, priors)``
    The free parameters, created in the current PyMC model.
``logp(batch, latent, par)``
    Log likelihood of all rows given the signed latent (series x year), a scalar tensor.
``simulate(batch, latent, par, rng)``
    A replicate of the observed cells, with NumPy.
``predict(batch, history, future, par, rng)``
    Draws of the indicators in later years for every series, with NumPy.

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
