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
from fairweather.kept_rows import ROWS, rows_dataset
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

    from fairweather.engine.geometry import Geometry

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
    warm: xr.DataTree | Geometry | None = None,
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
    warm : DataTree or Geometry, optional
        An earlier fit of this or a similar panel (nutpie only): chains start from its draws, in
        its units, and then need less tuning; `tune` is what you say all the same. The draws are
        of the same posterior.

    Returns
    -------
    DataTree
        Groups ``posterior``, ``sample_stats``, ``constant_data``, ``rows`` (what was observed),
        ``geometry`` (for a warm start; nutpie only); provenance in ``attrs``.

    Raises
    ------
    SamplerError
        The sampler is missing, the density is not finite at the start, or the draws could not be
        written; `warm` keeps no geometry, or another sampler is asked for.

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
    if warm is not None:
        from fairweather.engine.geometry import geometry_of

        if sampler != DEFAULT:
            raise SamplerError(f"{sampler} takes no warm start", remedy=f"Use {DEFAULT}.")
        warm = geometry_of(warm)
    if isinstance(model, Panel):
        extra = {} if reading is None else {"reading": reading}
        model = build_model(model, priors=priors, **extra)
    settings = Settings(
        draws, tune, chains, random_seed, target_accept, progressbar, cores,
        None if keep is None else Path(keep), warm,
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
    nodes = {"posterior": posterior, "sample_stats": stats, "constant_data": constant,
             ROWS: rows_dataset(panel)}  # fmt: skip
    if drawn.geometry is not None:
        nodes["geometry"] = drawn.geometry.to_dataset()
    out = xr.DataTree.from_dict(nodes)
    timings = {"compile": round(drawn.compile_s, 2), "sample": round(drawn.sample_s, 2)}
    out.attrs.update(attributes(model, settings, drawn.library))
    out.attrs.update(timings=json.dumps(timings), gradients=drawn.gradients)
    return out
