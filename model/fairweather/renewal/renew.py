"""One fit from the last one: the cheapest route that is exact, and the reason for it.

Invariant: a reweighted fit is weighed from the last fit that was sampled, with all rows that came
since; what cannot be weighed is sampled; what is returned passes the gate. Guarded by
``tests/test_renewal_renew.py``.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fairweather.errors import ConvergenceError, FairweatherError
from fairweather.gate import GateReport, gate
from fairweather.kept_rows import panel_from
from fairweather.renewal.obstacles import Last, last_of, obstacle
from fairweather.renewal.rows import difference

if TYPE_CHECKING:
    import xarray as xr

    from fairweather.archive import Results
    from fairweather.model import Model
    from fairweather.panel import Panel
    from fairweather.priors import Priors
    from fairweather.samplers import Settings

CONFIRMED, REWEIGHTED, WARM, COLD = "confirmed", "reweighted", "warm", "cold"
# A warm start has the mass matrix and the place, and could do with few draws to find its step. But
# nutpie cannot be told to leave the mass matrix alone, and would end on one from the last of them:
# from a hundred draws it is so rough that a slow number missed the bar.
WARM_TUNE = 200
Say = Callable[[str], Any]


@dataclass(frozen=True)
class Renewed:
    """A fit of a panel, and how it came about.

    Attributes
    ----------
    tree : DataTree
        As ``fairweather.fit`` returns it; passes the gate. ``attrs`` say ``renewed`` (`how`),
        ``why`` and, of a reweighted fit, ``k``, ``efficiency``, ``weighed_from`` (id of the run
        that was sampled) and ``weighed_seed``.
    how : str
        ``confirmed`` (no row differs), ``reweighted``, ``warm`` or ``cold``.
    k : float or None
        Pareto k of the weights, where weighing was tried.
    why : str
        One sentence: why it was reweighted, or why it was sampled.
    seconds : float
    report : GateReport
        What the gate says of the tree.
    """

    tree: xr.DataTree = field(repr=False)
    how: str
    k: float | None
    why: str
    seconds: float
    report: GateReport = field(repr=False)


def renew(
    before: Results | None,
    panel: Panel,
    *,
    reading: str,
    priors: Priors,
    settings: Settings,
    keep: str | Path | None = None,
    say: Say = print,
) -> Renewed:
    """Bring a fit up to date with a panel.

    Parameters
    ----------
    before : Results or None
        The last archived run of the same reading; None: there is none. If it was reweighted, the
        run it was weighed from is looked for beside it.
    panel : Panel
        What the record holds now.
    reading : str
    priors : Priors
    settings : Settings
        What the sampler is asked for if it must sample; a warm start tunes for 200 draws at most.
        Its seed also decides how weighed draws are drawn again.
    keep : str or Path, optional
        An existing folder that takes the draws as they come; a fit that was stopped goes on there.
    say : callable
        Takes one line of text before each long step.

    Returns
    -------
    Renewed

    Raises
    ------
    ConvergenceError
        Sampled anew, the draws do not meet the bar.
    SamplerError
        The sampler could not go on.

    Examples
    --------
    >>> import fairweather as fw
    >>> from fairweather.samplers import Settings
    >>> done = renew(fw.open_results("results/RUN"), fw.load_panel(), reading="elastic-side",
    ...              priors=fw.load_priors(), settings=Settings())  # doctest: +SKIP
    >>> done.how, done.why  # doctest: +SKIP
    ('reweighted', '21 rows differ, and the weights of the draws bear it (k 0.31)')
    """
    from fairweather.model import build_model

    began = time.perf_counter()
    model = build_model(panel, reading=reading, priors=priors)
    last, k = None, None
    if before is None:
        why = f"there is no earlier fit of {reading}"
    else:
        done = _unchanged(before, model)
        if done is None:
            last = last_of(before)
            done, k, why = _weighed(last, model, settings, say)
        if done is not None:
            tree, how, k, why = done
            return Renewed(tree, how, k, why, time.perf_counter() - began, gate(tree))
    tree, how, why, report = _sampled(before, last, model, settings, keep, why, say)
    return Renewed(tree, how, k, why, time.perf_counter() - began, report)


def _unchanged(before: Results, model: Model) -> tuple[Any, ...] | None:
    """Take the last fit as it is, if it is one of these very rows."""
    old = panel_from(before.tree, model.panel)
    if old is None or obstacle(before, old, model) or len(difference(old, model.panel)):
        return None
    why = "no row differs from those of the last fit"
    tree = before.tree.load().copy()
    tree.attrs.update(_facts(model), renewed=CONFIRMED, why=why)
    return tree, CONFIRMED, None, why


def _weighed(
    last: Last, model: Model, settings: Settings, say: Say
) -> tuple[tuple[Any, ...] | None, float | None, str]:
    """Weigh the last sampled fit; else say why that will not do."""
    from fairweather.gate import MIN_ESS
    from fairweather.lfo import ReweightError
    from fairweather.model import prepare
    from fairweather.renewal.ratio import UnweighableError, log_ratio
    from fairweather.renewal.reweigh import resampled, weigh

    if last.run is None:
        return None, None, last.lost
    old = panel_from(last.run.tree, model.panel)
    if old is None:
        return None, None, f"{last.run.id} does not say which rows it was made from"
    reason = obstacle(last.run, old, model)
    if reason:
        return None, None, reason
    rows = difference(old, model.panel)
    n = f"{len(rows)} row{'s' if len(rows) != 1 else ''} differ{'' if len(rows) != 1 else 's'}"
    say(f"weighing the draws of {last.run.id}: {n}")
    tree = last.run.tree.load()
    data = tree["posterior"].to_dataset()
    chains = data.sizes["chain"]
    values = {str(k): x.transpose("chain", "draw", ...).to_numpy() for k, x in data.items()}
    values = {k: x.reshape(-1, *x.shape[2:]) for k, x in values.items()}
    fitted = prepare(old, model.priors)
    try:
        ratio = log_ratio(values, old, fitted, model.batches, model.priors)
        weights = weigh(ratio, chains)
    except (UnweighableError, ReweightError) as err:
        return None, None, f"{n}, and they cannot be weighed: {err}"
    k = float(weights.k)
    if not weights.usable:
        return None, k, f"{n}, and they say too much for weights (Pareto k {k:.2f})"
    table = last.run.diagnostics
    least = float(table[["ess_bulk", "ess_tail"]].min().min()) * weights.efficiency
    if least < MIN_ESS:
        left = f"an effective sample size of {least:.0f}, must be at least {MIN_ESS:.0f}"
        return None, k, f"{n}, and weights would leave {left}"
    why = f"{n}, and the weights of the draws bear it (Pareto k {k:.2f})"
    facts = _facts(model) | {
        "renewed": REWEIGHTED, "why": why, "k": k, "efficiency": weights.efficiency,
        "weighed_from": last.run.id, "weighed_seed": settings.seed,
    }  # fmt: skip
    made = resampled(tree, model, weights, table, settings.seed, facts)
    return (made, REWEIGHTED, k, why), k, why


def _sampled(
    before: Results | None, last: Last | None, model: Model, settings: Settings,
    keep: str | Path | None, why: str, say: Say,
) -> tuple[Any, str, str, GateReport]:  # fmt: skip
    """Sample, from where the last fit stood if it says where."""
    found = _geometry(before, last)
    if found is not None:
        say(f"fitting anew, from where the last fit stood: {why}")
        short = replace(settings, tune=min(settings.tune, WARM_TUNE), warm=found)
        tree, report = _fit(model, short, keep, {"renewed": WARM, "why": why})
        if report.passed:
            return tree, WARM, why, report
        why += f"; started warm, the draws did not meet the bar ({report.failures[0]})"
        keep = None if keep is None else _inside(keep)
    elif before is not None:
        why += "; the last fit does not keep where it stood"
    say(f"fitting anew: {why}")
    tree, report = _fit(model, settings, keep, {"renewed": COLD, "why": why})
    if not report.passed:
        raise ConvergenceError(
            f"the draws do not meet the bar: {report.failures[0]}",
            remedy="Ask for more draws or tuning, or a higher target of acceptance.",
        )
    return tree, COLD, why, report


def _geometry(before: Results | None, last: Last | None) -> Any:
    """Return the geometry of the last fit, or of the one it was weighed from."""
    from fairweather.engine.geometry import GROUP, geometry_of

    runs = [] if before is None else [before, None if last is None else last.run]
    for run in runs:
        if run is not None and GROUP in run.tree.children:
            return geometry_of(run.tree)
    return None


def _fit(
    model: Model, settings: Settings, keep: str | Path | None, facts: dict[str, Any]
) -> tuple[Any, GateReport]:
    from fairweather.inference import fit

    tree = fit(
        model, draws=settings.draws, tune=settings.tune, chains=settings.chains,
        random_seed=settings.seed, progressbar=settings.progressbar, cores=settings.cores,
        target_accept=settings.target_accept, keep=settings.keep if keep is None else keep,
        warm=settings.warm,
    )  # fmt: skip
    tree.attrs.update(facts)
    return tree, gate(tree)


def _inside(keep: str | Path) -> Path:
    """Make a folder of its own for a second try: its draws are of other settings."""
    folder = Path(keep) / "cold"
    try:
        folder.mkdir(exist_ok=True)
    except OSError as err:
        raise FairweatherError(
            f"the draws could not be written ({err.strerror or err})",
            remedy="Free some space or name another folder.",
        ) from err
    return folder


def _facts(model: Model) -> dict[str, Any]:
    """Attributes of a fit that follow from its panel."""
    from fairweather.provenance import panel_attributes

    return panel_attributes(model.panel)
