"""Sampling with nutpie, and the gate no fit passes by luck.

Invariant: draws come from nutpie or from nothing, and a fit counts only if every reported
quantity has R-hat <= 1.01, bulk and tail ESS >= 400, with no divergence and E-BFMI > 0.3.
Guarded by ``tests/test_inference.py`` and ``tests/test_recovery.py``.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fairweather import names
from fairweather.errors import SamplerError
from fairweather.model import Model, build_model
from fairweather.panel import Panel

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

MAX_RHAT = 1.01
MIN_ESS = 400.0
MIN_EBFMI = 0.3
DRAWS = 3000
TUNE = 500
CHAINS = 4
# Larger steps travel further along the slow directions; no run has diverged at this value.
TARGET_ACCEPT = 0.7
SEED = 20161208
# Geometry, not results: left out of what is kept.
_GEOMETRY = {"pressure_step", "delegation", "complementarity_error"}
# Paths are judged where they are reported: the focal dyad and its two states in every year,
# everybody at the origin.
_PATHS = {"alignment": names.DYAD, "pressure": names.STATE}
_NOT_REPORTED = {"words", "complementarity", "agenda", "shift_within", "shift_count", "trend_total"}


@dataclass(frozen=True)
class GateReport:
    """What the gate found.

    Attributes
    ----------
    passed : bool
    table : DataFrame
        One row per reported quantity: rhat, ess_bulk, ess_tail, passed.
    summary : dict
        Worst values over all quantities, divergences, lowest E-BFMI.
    failures : list of str
        A sentence for each bar that was missed.
    """

    passed: bool
    table: pd.DataFrame
    summary: dict[str, float]
    failures: list[str]


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
) -> xr.DataTree:
    """Sample the posterior with nutpie.

    Parameters
    ----------
    model : Model or Panel
        A panel is built into a model first, with `reading` and `priors`.
    draws, tune, chains : int
        Per chain.
    random_seed : int
        Draws repeat on a warm compile cache of the same machine and versions.
    progressbar : bool
    reading, priors
        Only with a panel.
    target_accept : float
        Of nutpie's step-size adaptation.

    Returns
    -------
    DataTree
        Groups ``posterior``, ``sample_stats``, ``constant_data``; provenance in ``attrs``.

    Raises
    ------
    SamplerError
        nutpie is missing, or could not sample.

    Notes
    -----
    The gradient is compiled by JAX: a few seconds, where Numba takes minutes for this graph.

    Examples
    --------
    >>> import fairweather as fw
    >>> tree = fw.fit(fw.load_panel(), progressbar=False)  # doctest: +SKIP
    """
    try:
        import nutpie
    except ImportError as err:
        raise SamplerError(
            "nutpie is not installed", remedy="Install the package with its dependencies."
        ) from err
    if draws < 4 or tune < 1 or chains < 1:
        raise SamplerError(
            f"draws = {draws}, tune = {tune}, chains = {chains} cannot be sampled",
            remedy="Use at least 4 draws, 1 tuning step and 1 chain.",
        )
    if isinstance(model, Panel):
        extra = {} if reading is None else {"reading": reading}
        model = build_model(model, priors=priors, **extra)
    start = time.perf_counter()
    kept = [
        v.name
        for v in [*model.pymc.free_RVs, *model.pymc.deterministics]
        if not v.name.endswith("_raw") and v.name not in _GEOMETRY
    ]
    compiled = nutpie.compile_pymc_model(
        model.pymc, backend="jax", gradient_backend="jax", var_names=kept
    )
    compile_s = time.perf_counter() - start
    start = time.perf_counter()
    try:
        tree = nutpie.sample(
            compiled, draws=draws, tune=tune, chains=chains,
            cores=min(chains, os.cpu_count() or 1), seed=random_seed,
            progress_bar=progressbar, target_accept=target_accept,
        )  # fmt: skip
    except RuntimeError as err:
        raise SamplerError(
            f"nutpie could not sample: {err}",
            remedy="Check the record for extreme values, or try another --seed.",
        ) from err
    sample_s = time.perf_counter() - start
    library = tree["posterior"].attrs.get("inference_library", "nutpie")
    if library != "nutpie":
        raise SamplerError(f"the draws come from {library}, not from nutpie")
    return _label(tree, model, draws, tune, chains, random_seed, compile_s, sample_s)


def _label(
    tree: Any, model: Model, draws: int, tune: int, chains: int, seed: int, compile_s: float,
    sample_s: float,
) -> xr.DataTree:  # fmt: skip
    """Put the provenance where the results are."""
    import xarray as xr

    panel = model.panel
    posterior = tree["posterior"].to_dataset()
    # nutpie keeps untransformed variables whatever is asked for.
    geometry = [v for v in posterior.data_vars if str(v).endswith("_raw") or v in _GEOMETRY]
    posterior = posterior.drop_vars(geometry)
    posterior = posterior.assign_coords(
        {names.YEAR: panel.years, names.STATE: list(panel.states), names.DYAD: list(panel.dyads)}
    )
    stats = tree["sample_stats"].to_dataset()
    plain = [v for v in stats.data_vars if set(stats[v].dims) == {names.CHAIN, names.DRAW}]
    constant = panel.to_datatree()[names.COMPLEMENTARITY].to_dataset()
    constant["anchor_fill"] = ((names.STATE, names.YEAR), panel.anchor_fill)
    constant = constant.assign_coords({names.STATE: list(panel.states)})
    out = xr.DataTree.from_dict(
        {"posterior": posterior, "sample_stats": stats[plain], "constant_data": constant}
    )
    out.attrs.update(
        reading=model.reading,
        priors_id=model.priors.id,
        priors_hash=model.priors.content_hash,
        record_hash=panel.record.content_hash,
        as_of="" if panel.record.as_of is None else str(panel.record.as_of),
        focal=panel.focal,
        origin=panel.origin,
        reference=json.dumps({k: list(v) for k, v in panel.reference.items()}),
        sampler="nutpie",
        seed=seed,
        draws=draws,
        tune=tune,
        chains=chains,
        timings=json.dumps({"compile": round(compile_s, 2), "sample": round(sample_s, 2)}),
    )
    return out


def reported(tree: xr.DataTree) -> xr.Dataset:
    """Quantities the gate judges: all parameters, loadings, elasticities and reported paths."""
    posterior = tree["posterior"].to_dataset()
    focal = str(tree.attrs["focal"])
    members = focal.split("-")
    out = {}
    for name, values in posterior.data_vars.items():
        if name in _NOT_REPORTED:
            continue
        if name in _PATHS:
            dim = _PATHS[name]
            own = [focal] if dim == names.DYAD else members
            out[name] = values.sel({dim: own}).rename({dim: f"{dim}_focal"})
            out[f"{name}_origin"] = values.isel({names.YEAR: -1}, drop=True)
        else:
            out[name] = values
    import xarray as xr

    return xr.Dataset(out)


def gate(tree: xr.DataTree) -> GateReport:
    """Judge the draws of a fit.

    Parameters
    ----------
    tree : DataTree
        From `fit`.

    Returns
    -------
    GateReport

    Notes
    -----
    R-hat and ESS are the rank-normalised ones of Vehtari et al. (2021), from arviz-stats. A
    quantity that is constant (a share that touches its bound) has no R-hat and is not judged.
    """
    import arviz_stats as az
    import pandas as pd

    data = reported(tree)
    frames = []
    measures = {
        "rhat": az.rhat(data),
        "ess_bulk": az.ess(data, method="bulk"),
        "ess_tail": az.ess(data, method="tail"),
    }
    for name in data.data_vars:
        columns = {k: np.ravel(v[name].to_numpy()) for k, v in measures.items()}
        dims = [d for d in data[name].dims if d not in (names.CHAIN, names.DRAW)]
        labels = [str(name)]
        if dims:
            index = data[name].stack(_all=dims)["_all"].to_index()
            labels = [
                f"{name}[{', '.join(map(str, i)) if isinstance(i, tuple) else i}]" for i in index
            ]
        frame = pd.DataFrame({"quantity": labels, **columns})
        flat = data[name].to_numpy().reshape(-1, len(labels))
        # A true constant has no R-hat and is not judged; NaN among the draws is, and fails.
        frames.append(frame[~(flat == flat[0]).all(axis=0)])
    table = pd.concat(frames, ignore_index=True)
    good = (
        (table["rhat"] <= MAX_RHAT)
        & (table["ess_bulk"] >= MIN_ESS)
        & (table["ess_tail"] >= MIN_ESS)
    )
    table["passed"] = good
    divergences = int(tree["sample_stats"]["diverging"].sum())
    ebfmi = _ebfmi(tree)
    summary = {
        "max_rhat": float(table["rhat"].max()),
        "min_ess_bulk": float(table["ess_bulk"].min()),
        "min_ess_tail": float(table["ess_tail"].min()),
        "divergences": divergences,
        "min_ebfmi": ebfmi,
        "quantities": len(table),
    }
    failures = _failures(table[~good], divergences, ebfmi)
    return GateReport(not failures, table, summary, failures)


def _ebfmi(tree: xr.DataTree) -> float:
    """Lowest energy fraction of missing information over chains (Betancourt 2016)."""
    energy = tree["sample_stats"]["energy"].transpose(names.CHAIN, names.DRAW).to_numpy()
    change = np.square(np.diff(energy, axis=1)).mean(axis=1)
    return float((change / energy.var(axis=1)).min())


def _failures(bad: pd.DataFrame, divergences: int, ebfmi: float) -> list[str]:
    out = []
    if divergences:
        out.append(f"{divergences} divergent transitions; none is allowed")
    if not ebfmi > MIN_EBFMI:
        out.append(f"E-BFMI {ebfmi:.2f}; it must be above {MIN_EBFMI}")
    bars = (("rhat", MAX_RHAT, "R-hat", ">"), ("ess_bulk", MIN_ESS, "bulk ESS", "<"),
            ("ess_tail", MIN_ESS, "tail ESS", "<"))  # fmt: skip
    for row in bad[bad["rhat"].isna() | bad["ess_bulk"].isna()].itertuples():
        out.append(f"{row.quantity}: the draws are not finite")
    for column, bar, label, sense in bars:
        worst = bad[bad[column] > bar] if sense == ">" else bad[bad[column] < bar]
        worst = worst.sort_values(column, ascending=sense == "<")
        for row in worst.itertuples():
            value = getattr(row, column)
            text = f"{value:.3f}" if sense == ">" else f"{value:.0f}"
            limit = f"at most {bar}" if sense == ">" else f"at least {bar:.0f}"
            out.append(f"{row.quantity}: {label} {text}, must be {limit}")
    return out
