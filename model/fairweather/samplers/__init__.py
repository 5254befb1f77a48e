"""Samplers: ways to draw from one posterior, as interchangeable pieces.

Invariant: each is a module with one function, ``sample(model, settings)``, which returns `Drawn`;
all of them draw from the density of the same PyMC model. ``nutpie`` runs on the compiled engine
and is the default; the others are a second opinion, with gradients of their own. Guarded by
``tests/test_samplers.py``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from fairweather.errors import SamplerError

if TYPE_CHECKING:
    import numpy as np

    from fairweather.engine.geometry import Geometry

SAMPLERS: dict[str, str] = {
    "nutpie": "fairweather.samplers.nutpie",
    "numpyro": "fairweather.samplers.numpyro",
    "blackjax": "fairweather.samplers.blackjax",
    "pymc": "fairweather.samplers.pymc",
}
DEFAULT = "nutpie"
DRAWS, TUNE, CHAINS = 2000, 400, 4
# Larger steps travel further along the slow directions. Fits of the whole record do not diverge at
# this value; those of a handful of states may, and then want 0.9.
TARGET_ACCEPT = 0.7


@dataclass(frozen=True)
class Settings:
    """What a sampler is asked for.

    Attributes
    ----------
    draws, tune, chains : int
        Per chain, and how many.
    seed : int
    target_accept : float
    progressbar : bool
    cores : int, optional
        Chains run side by side; default: as many as this process may use.
    keep : Path, optional
        Folder that takes the draws as they come, so that a kill does not lose them.
    warm : Geometry, optional
        Of an earlier fit: where chains start and in which units they step (nutpie only).
    """

    draws: int = DRAWS
    tune: int = TUNE
    chains: int = CHAINS
    seed: int = 1
    target_accept: float = TARGET_ACCEPT
    progressbar: bool = True
    cores: int | None = None
    keep: Path | None = None
    warm: Geometry | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Drawn:
    """Draws of every kept quantity.

    Attributes
    ----------
    posterior : dict of str to ndarray, each (chain, draw, ...)
    stats : dict of str to ndarray, each (chain, draw)
        ``diverging``, ``energy``, ``n_steps`` at least.
    compile_s, sample_s : float
    gradients : int
        Evaluations of the gradient, tuning included; 0 if the sampler does not say.
    library : str
        What drew them.
    geometry : Geometry, optional
        For a later warm start; not every sampler has one.
    """

    posterior: dict[str, np.ndarray] = field(repr=False)
    stats: dict[str, np.ndarray] = field(repr=False)
    compile_s: float
    sample_s: float
    gradients: int
    library: str
    geometry: Geometry | None = field(default=None, repr=False)


def could_not_sample(name: str, err: Exception) -> SamplerError:
    """Say that a sampler gave up, and what to look at."""
    return SamplerError(
        f"{name} could not sample: {err}",
        remedy="Check the record for extreme values, or try another --seed.",
    )


def get_sampler(name: str) -> ModuleType:
    """Return the module of a sampler.

    Raises
    ------
    SamplerError
        Unknown, or not installed.

    Examples
    --------
    >>> get_sampler("nutpie").__name__
    'fairweather.samplers.nutpie'
    """
    if name not in SAMPLERS:
        raise SamplerError(f"unknown sampler '{name}'; choose one of {', '.join(SAMPLERS)}")
    module = import_module(SAMPLERS[name])
    module.require()
    return module
