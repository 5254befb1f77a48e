"""Sampling: from a panel to labelled draws.

Invariant: draws say which sampler made them, from which data, beliefs and seed; the default is
nutpie, and draws come from the sampler asked for or from nothing. Guarded by
``tests/test_inference.py``, ``tests/test_samplers.py`` and ``tests/test_recovery.py``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fairweather import names
from fairweather.errors import SamplerError
from fairweather.model import Model, build_model
from fairweather.panel import Panel
from fairweather.posterior import dataset
from fairweather.provenance import attributes
from fairweather.samplers import (
    CHAINS,
    DEFAULT,
    DRAWS,
    TARGET_ACCEPT,
    TUNE,
    Drawn,
    Settings,
    get_sampler,
)

if TYPE_CHECKING:
    import xarray as xr

SEED = 20161208


def fit(
    model: Model | Panel,
    *,
    draws: int = DRAWS,
    tune: int = TUNE,
    chains: int = CHAINS,
    random_seed: int = SEED,
    progressbar: bool = True,
    reading: str | None = None,
    priors: Any = None,
    target_accept: float = TARGET_ACCEPT,
    sampler: str = DEFAULT,
    cores: int | None = None,
    keep: str | Path | None = None,
) -> xr.DataTree:
    """Sample the posterior.

    Parameters
    ----------
    model : Model or Panel
        A panel is built into a model first, with `reading` and `priors`.
    draws, tune, chains : int
        Per chain.
    random_seed : int
        Draws of a chain repeat on the same machine and versions, however many chains there are.
    progressbar : bool
    reading, priors
        Only with a panel.
    target_accept : float
        Of the step-size adaptation.
    sampler : str
        One of ``fairweather.samplers.SAMPLERS``; others than nutpie are a second opinion.
    cores : int, optional
        Chains at a time; default: the cores this process may use.
    keep : str or Path, optional
        An existing folder that takes the draws as they come (nutpie only). Chains found whole
        there, of a run of the same model and settings, are not sampled again.

    Returns
    -------
    DataTree
        Groups ``posterior``, ``sample_stats``, ``constant_data``; provenance in ``attrs``.

    Raises
    ------
    SamplerError
        The sampler is missing, the density is not finite at the start, or the draws could not be
        written.

    Notes
    -----
    The default runs on a compiled density and gradient (`fairweather.engine`), compiled once per
    machine and then used for every panel, vintage and set of priors.

    Examples
    --------
    >>> import fairweather as fw
    >>> tree = fw.fit(fw.load_panel(), progressbar=False)  # doctest: +SKIP
    """
    piece = get_sampler(sampler)
    if draws < 4 or tune < 1 or chains < 1:
        raise SamplerError(
            f"draws = {draws}, tune = {tune}, chains = {chains} cannot be sampled",
            remedy="Use at least 4 draws, 1 tuning step and 1 chain.",
        )
    if isinstance(model, Panel):
        extra = {} if reading is None else {"reading": reading}
        model = build_model(model, priors=priors, **extra)
    settings = Settings(
        draws, tune, chains, random_seed, target_accept, progressbar, cores,
        None if keep is None else Path(keep),
    )  # fmt: skip
    drawn = piece.sample(model, settings)
    return _label(drawn, model, settings)


def _label(drawn: Drawn, model: Model, settings: Settings) -> xr.DataTree:
    """Put the provenance where the results are."""
    import numpy as np
    import xarray as xr

    panel = model.panel
    posterior = dataset(drawn.posterior, model.coords)
    # Dyads, states and years are labelled even where no quantity spans them.
    posterior = posterior.assign_coords(
        {names.YEAR: panel.years, names.STATE: list(panel.states), names.DYAD: list(panel.dyads)}
    )
    lead = (names.CHAIN, names.DRAW)
    axes = {names.CHAIN: np.arange(settings.chains), names.DRAW: np.arange(settings.draws)}
    stats = xr.Dataset({k: (lead, v) for k, v in drawn.stats.items()}, axes)
    constant = panel.to_datatree()[names.COMPLEMENTARITY].to_dataset()
    constant["anchor_fill"] = ((names.STATE, names.YEAR), panel.anchor_fill)
    constant = constant.assign_coords({names.STATE: list(panel.states)})
    out = xr.DataTree.from_dict(
        {"posterior": posterior, "sample_stats": stats, "constant_data": constant}
    )
    timings = {"compile": round(drawn.compile_s, 2), "sample": round(drawn.sample_s, 2)}
    out.attrs.update(attributes(model, settings, drawn.library))
    out.attrs.update(timings=json.dumps(timings), gradients=drawn.gradients)
    return out
