"""The runs of an update: each reading's fit renewed, forecast from, and archived.

Invariant: a run that was archived for the same record and terms is taken as it is, so that an
update that was stopped goes on where it was; what a run says of how it came about stays with it.
Guarded by ``tests/test_updating_run.py``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fairweather.errors import ConvergenceError, FairweatherError, SamplerError

if TYPE_CHECKING:
    import xarray as xr

    from fairweather.archive import Results
    from fairweather.panel import Panel
    from fairweather.updating.terms import Terms

Say = Callable[[str], None]
# Where a run keeps what an update made of it.
NOTE = "update"


@dataclass(frozen=True)
class Run:
    """The run of one reading, and how it came about.

    Attributes
    ----------
    reading : str
    results : Results
    how : str
        ``confirmed``, ``reweighted``, ``warm`` or ``cold``.
    k : float or None
        Pareto k of the weights, where weighing was tried.
    why : str
    seconds : float
        Of the renewal; 0 for a run that was there.
    taken_up : bool
        Whether it was archived before this update began.
    """

    reading: str
    results: Results
    how: str
    k: float | None
    why: str
    seconds: float = 0.0
    taken_up: bool = False

    def facts(self) -> dict[str, Any]:
        """State how it came about, as strict JSON without clock or place."""
        return {"how": self.how, "k": self.k, "run": self.results.run["id"], "why": self.why}


def runs_of(results_dir: str | Path, reading: str, panel: Panel, priors: str) -> list[Results]:
    """Open the archived runs of a reading that a renewal can start from.

    Parameters
    ----------
    results_dir : str or Path
    reading : str
    panel : Panel
        The runs must be of its pair and states.
    priors : str
        Content hash of the prior beliefs.

    Returns
    -------
    list of Results
        By folder name; the full record's alone, and none that failed or was stopped.
    """
    out = []
    for folder in sorted(Path(results_dir).glob(f"[0-9]*-{reading}-*")):
        one = _opened(folder)
        if one is None or one.status not in ("complete", "fit-only"):
            continue
        model, data = one.run["model"], one.run["data"]
        if (
            model["reading"] == reading and model["focal"] == panel.focal
            and data["as_of"] is None and sorted(data["states"]) == sorted(panel.states)
            and data["years"][0] == int(panel.years[0]) and one.run["priors"]["hash"] == priors
        ):  # fmt: skip
            out.append(one)
    return out


def _opened(folder: Path) -> Results | None:
    from fairweather.archive import open_results
    from fairweather.errors import ArchiveError

    try:
        return open_results(folder)
    except (ArchiveError, OSError):
        return None  # an update does not hang on a run that somebody cut or deleted


def last_of(runs: list[Results], named: str | None) -> Results | None:
    """Choose the run a renewal starts from.

    Parameters
    ----------
    runs : list of Results
    named : str or None
        Id of the run that the last forecast was made from.

    Returns
    -------
    Results or None
        The named one; else the one that reaches furthest and was made last. Any of them is a
        sound start: a renewal checks by itself how far it carries.
    """
    same = [r for r in runs if r.run["id"] == named]
    order = same or sorted(
        runs, key=lambda r: (int(r.run["model"]["origin"]), str(r.run["created"]), r.id)
    )
    return order[-1] if order else None


def taken_up(runs: list[Results], reading: str, terms: Terms, panel: Panel) -> Run | None:
    """Find a whole run of the very record and terms, and read how it came about."""
    from fairweather.provenance import code_version

    record, source = panel.record.content_hash, code_version()["source"]
    wanted = terms.of_run(reading, record)
    for one in reversed(runs):
        same = one.status == "complete" and one.run["data"]["record_hash"] == record
        if not same or one.run["code"]["source"] != source:
            continue
        note = _note(one)
        if note is not None and note.get("terms") == wanted:
            return Run(reading, one, note["how"], note["k"], note["why"], taken_up=True)
        if note is None and _as_asked(one, terms):
            why = "a run of the same record and the same options was there"
            return Run(reading, one, "confirmed", None, why, taken_up=True)
    return None


def _note(one: Results) -> dict[str, Any] | None:
    try:
        found = json.loads(one.tree.attrs[NOTE])
    except (FairweatherError, KeyError, TypeError, ValueError):
        return None
    return found if isinstance(found, dict) and {"how", "k", "why"} <= found.keys() else None


def _as_asked(one: Results, terms: Terms) -> bool:
    """Whether a run that no update made was made with the same options."""
    run, own = one.run, terms.facts()
    said = run["scenarios"]
    return (
        run["seed"] == own["seed"] and said["seed"] == own["seed"]
        and said["hash"] == own["scenarios"] and said["horizon"] == own["horizon"]
        and all(run["model"].get(k) == own[k]
                for k in ("chains", "draws", "tune", "target_accept"))
    )  # fmt: skip


def renew_all(
    panel: Panel, terms: Terms, results_dir: str, named: Mapping[str, str], say: Say
) -> dict[str, Run]:
    """Make the run of every reading; one that fails does not keep the others from being made.

    Parameters
    ----------
    panel : Panel
    terms : Terms
    results_dir : str
    named : mapping of str to str
        By reading, id of the run that the last forecast was made from.
    say : callable

    Returns
    -------
    dict of str to Run
        In the order of the weights.

    Raises
    ------
    ConvergenceError
        A fit failed, or its draws do not meet the bar; names each. The others are archived.
    """
    out, failed = {}, {}
    for reading in terms.weights:
        try:
            out[reading] = renew_one(panel, reading, terms, results_dir, named.get(reading), say)
        except (ConvergenceError, SamplerError) as err:
            failed[reading] = err
            say(f"{reading}: {err}")
    if failed:
        told = "; ".join(f"{name}: {str(err).rstrip('.')}" for name, err in failed.items())
        raise ConvergenceError(
            f"{len(failed)} of {len(terms.weights)} readings could not be brought up to date: "
            f"{told}",
            remedy="Nothing was issued; the record and the runs that were made are kept, and the "
            "next update goes on from there.",
        )
    return out


def renew_one(
    panel: Panel, reading: str, terms: Terms, results_dir: str, named: str | None, say: Say
) -> Run:
    """Renew one reading's fit, forecast from it and archive both, unless that was done before.

    Raises
    ------
    ConvergenceError, SamplerError
        The fit failed; nothing is archived of it as a result.
    """
    from fairweather.archive import open_results, save_results

    runs = runs_of(results_dir, reading, panel, terms.priors.content_hash)
    there = taken_up(runs, reading, terms, panel)
    if there is not None:
        say(f"{reading}: {there.how}; the run {there.results.id} was there already")
        return there
    before = last_of(runs, named)
    renewed = fit_again(before, panel, reading, terms, results_dir, say)
    k = None if renewed.k is None or renewed.k != renewed.k else round(float(renewed.k), 4)
    note = {
        "terms": terms.of_run(reading, panel.record.content_hash), "how": renewed.how, "k": k,
        "why": renewed.why,
    }  # fmt: skip
    tree = renewed.tree
    tree.attrs[NOTE] = json.dumps(note, sort_keys=True, allow_nan=False)
    say(f"{reading}: {renewed.how} in {renewed.seconds:.0f} s. {renewed.why}")
    future = foresee(tree, panel, terms)
    path = save_results(tree, future, gate=renewed.report, results_dir=results_dir)
    return Run(
        reading, open_results(path), renewed.how, k, renewed.why, round(renewed.seconds, 1)
    )  # fmt: skip


def fit_again(
    before: Results | None, panel: Panel, reading: str, terms: Terms, results_dir: str, say: Say
) -> Any:
    """Renew a fit, with its draws kept under the results until it ends.

    Returns
    -------
    fairweather.renewal.Renewed

    Raises
    ------
    ConvergenceError, SamplerError
    """
    from fairweather.model import build_model
    from fairweather.provenance import attributes
    from fairweather.renewal import renew
    from fairweather.samplers import DEFAULT
    from fairweather.unfinished import unfinished

    model = build_model(panel, reading=reading, priors=terms.priors)
    failed: ConvergenceError | None = None
    with unfinished(results_dir, attributes(model, terms.sampling, DEFAULT)) as keep:
        try:
            return renew(
                before, panel, reading=reading, priors=terms.priors, settings=terms.sampling,
                keep=keep, say=say,
            )  # fmt: skip
        except ConvergenceError as err:
            failed = err  # the draws are whole, and no use: they are not to be taken up again
    raise failed


def foresee(tree: xr.DataTree, panel: Panel, terms: Terms) -> xr.DataTree:
    """Forecast from a fit under the terms."""
    from fairweather.forecast import forecast

    return forecast(
        tree, panel, scenarios=terms.scenarios, horizon=terms.horizon,
        random_seed=terms.sampling.seed, priors=terms.priors,
    )  # fmt: skip


def readings_of(facts: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Walk the readings of an issued forecast and the ids of their runs, as far as it says."""
    kept = facts.get("update")
    if isinstance(kept, Mapping):
        for reading, one in kept.get("renewed", {}).items():
            yield reading, one["run"]
    elif facts.get("runs"):
        for reading, one in facts["runs"].items():
            yield reading, one["run"]
    elif len(facts.get("readings") or {}) == 1:
        yield next(iter(facts["readings"])), str(facts.get("run"))
