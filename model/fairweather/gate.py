"""The gate no fit passes by luck.

Invariant: a fit counts only if every reported quantity has R-hat <= 1.01, bulk and tail ESS >=
400, with no divergence and E-BFMI > 0.3. Guarded by ``tests/test_inference.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fairweather import names

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

MAX_RHAT = 1.01
MIN_ESS = 400.0
MIN_EBFMI = 0.3
# Group of a reweighted fit: what the gate found of the fit that its draws were weighed from.
INHERITED = "convergence"
# Paths are judged where they are reported: the focal dyad and its two states in every year,
# everybody at the origin.
_PATHS = {"alignment": names.DYAD, "pressure": names.STATE}
_NOT_REPORTED = {"words", "complementarity", "agenda", "shift_within", "shift_count"}


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

    Draws that were weighed and drawn again are no chains. They have the R-hat of the fit they were
    weighed from, and its ESS times the efficiency of the weights.
    """
    table = inherited(tree) if INHERITED in tree.children else judged(tree)
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
    if not len(table):
        failures.append("no quantity moved: every chain is stuck where it started")
    passed = bool(good.all()) and not failures
    return GateReport(passed, table, summary, failures)


def inherited(tree: xr.DataTree) -> pd.DataFrame:
    """Convergence of weighed draws: that of the sampled fit, its ESS times the efficiency.

    Returns
    -------
    DataFrame
        quantity, rhat, ess_bulk, ess_tail.
    """
    import pandas as pd

    data = tree[INHERITED].to_dataset()
    left = float(data.attrs["efficiency"])
    share = {"rhat": 1.0, "ess_bulk": left, "ess_tail": left}
    columns = {k: x * data[k].to_numpy().astype(float) for k, x in share.items()}
    return pd.DataFrame({"quantity": data["quantity"].values.astype(str), **columns})


def judged(tree: xr.DataTree) -> pd.DataFrame:
    """R-hat and effective sample sizes of every reported quantity that moves.

    Returns
    -------
    DataFrame
        quantity, rhat, ess_bulk, ess_tail.
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
    return pd.concat(frames, ignore_index=True)


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
    unknown = bad[["rhat", "ess_bulk", "ess_tail"]].isna().any(axis=1)
    for row in bad[unknown].itertuples():
        out.append(f"{row.quantity}: the draws are not finite, or too few to judge")
    for column, bar, label, sense in bars:
        worst = bad[bad[column] > bar] if sense == ">" else bad[bad[column] < bar]
        worst = worst.sort_values(column, ascending=sense == "<")
        for row in worst.itertuples():
            value = getattr(row, column)
            text = f"{value:.3f}" if sense == ">" else f"{value:.0f}"
            limit = f"at most {bar}" if sense == ">" else f"at least {bar:.0f}"
            out.append(f"{row.quantity}: {label} {text}, must be {limit}")
    return out
