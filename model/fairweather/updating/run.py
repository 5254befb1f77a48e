"""An update from record to issue; whatever can be refused cheaply is refused before sampling.

Invariant: the order is import, runs, issue, each whole or absent, and each is skipped if it was
done before. Nothing is ordered by the clock. Guarded by ``tests/test_updating_run.py`` and
``tests/test_updating_crash.py``.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fairweather import samplers
from fairweather.updating.intake import Release, bring, differences
from fairweather.updating.renewing import Run, readings_of, renew_all, runs_of
from fairweather.updating.terms import Terms, previous, settle
from fairweather.updating.turnstile import turnstile

if TYPE_CHECKING:
    import pandas as pd

    from fairweather.issued import Issued, Store
    from fairweather.panel import Panel
    from fairweather.record import Record

ISSUED, NOTHING_NEW, DRY_RUN = "issued", "nothing-new", "dry-run"


@dataclass(frozen=True)
class Asked:
    """What an update is asked; None leaves the choice to the last forecast or the library.

    Attributes
    ----------
    release : Release, optional
        A publisher's release to take in first.
    store, results : str
        Where issued forecasts and runs are kept.
    data : str, optional
        Folder of the record.
    readings : list of str, optional
    weights : str, optional
        A source of weights: ``equal``, folder of a backtest, or a file.
    focal, states, priors, scenarios
        As for a forecast.
    draws, tune : int, optional
    chains, seed, horizon : int
    target_accept : float
    wait : float
        Seconds to wait for another update.
    dry_run : bool
        Say what would be done, and write nothing.
    progressbar : bool
    """

    release: Release | None = None
    store: str = "forecasts"
    results: str = "results"
    data: str | None = None
    readings: list[str] | None = None
    weights: str | None = None
    focal: str | None = None
    states: list[str] | None = None
    priors: str | None = None
    scenarios: str | None = None
    draws: int | None = None
    tune: int | None = None
    chains: int = samplers.CHAINS
    seed: int = 1
    horizon: int = 5
    target_accept: float = samplers.TARGET_ACCEPT
    wait: float = 0.0
    dry_run: bool = False
    progressbar: bool = False


@dataclass(frozen=True)
class Updated:
    """What an update did.

    Attributes
    ----------
    status : str
        ``issued``, ``nothing-new`` or ``dry-run``.
    one : Issued or None
        The forecast that stands now; None before the first.
    before : Issued or None
        The forecast it followed.
    runs : dict of str to Run
        By reading; empty if nothing was renewed.
    terms : Terms
    taken : dict or None
        What the release brought (see `fairweather.updating.intake.bring`).
    rows : DataFrame or None
        ``indicator, new, changed, withdrawn`` against the record of the forecast before; None if
        that cannot be told.
    influence : DataFrame or None
        From `fairweather.renewal.influence`, of the reading of most weight.
    due : DataFrame or None
        Scores of values that came with this update (`fairweather.due.due_scores`).
    notes : list of str
        What the user should know besides.
    seconds : float
    """

    status: str
    one: Issued | None
    before: Issued | None
    terms: Terms
    runs: dict[str, Run] = field(default_factory=dict)
    taken: dict[str, Any] | None = None
    rows: pd.DataFrame | None = None
    influence: pd.DataFrame | None = None
    due: pd.DataFrame | None = None
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0


def update(asked: Asked | None = None, say: Callable[[str], None] = lambda text: None) -> Updated:
    """Take in a release, renew the fits, issue a forecast, and say what moved.

    Parameters
    ----------
    asked : Asked, optional
        By default: from whatever the record now holds.
    say : callable
        Told what is being done.

    Returns
    -------
    Updated

    Raises
    ------
    BusyError
        Another update of the store is running.
    ConvergenceError
        A fit failed or its draws do not meet the bar; the record is updated, nothing is issued.
    FairweatherError
        A refusal; what was done before it is whole.

    Examples
    --------
    >>> from fairweather.updating import Asked, update
    >>> update(Asked(readings=["elastic-side"])).status  # doctest: +SKIP
    'issued'
    """
    from fairweather.issued import Store

    asked, began = asked or Asked(), time.monotonic()
    notes: list[str] = []
    store = Store(asked.store, say=notes.append)
    gate = turnstile(asked.store, asked.results, asked.wait)
    with nullcontext() if asked.dry_run else gate:
        done = _update(asked, store, notes, say)
    return replace(done, notes=notes, seconds=round(time.monotonic() - began, 1))


def _update(asked: Asked, store: Store, notes: list[str], say: Callable[[str], None]) -> Updated:
    from fairweather.panel import load_panel
    from fairweather.record import load_record
    from fairweather.scenarios import check_scenarios

    terms = settle(
        store, focal=asked.focal, states=asked.states, readings=asked.readings,
        weights=asked.weights, priors=asked.priors, scenarios=asked.scenarios,
        horizon=asked.horizon, sampling=samplers.Settings(
            asked.draws or samplers.DRAWS, asked.tune or samplers.TUNE, asked.chains, asked.seed,
            asked.target_accept, asked.progressbar,
        ),
    )  # fmt: skip
    notes += terms.notes
    if not asked.dry_run:
        _writable(store, asked)
    taken = None
    if asked.release is not None:
        say("reading the release")
        taken = bring(asked.release, asked.data, asked.dry_run)
    record = load_record(asked.data)
    panel = load_panel(
        record, states=None if terms.states is None else list(terms.states), focal=terms.focal
    )
    terms = replace(terms, scenarios=check_scenarios(terms.scenarios, panel))
    before, same = previous(store, terms)
    known = _known(before, record)
    rows = None if known is None else differences(known, panel.record)
    done = Updated(NOTHING_NEW, before, before, terms, taken=taken, rows=rows)
    pending = asked.dry_run and taken is not None and any(
        taken[k] for k in ("new", "changed", "withdrawn")
    )  # fmt: skip
    if before is not None and same and _hash(before) == panel.record.content_hash and not pending:
        return done
    if before is None:
        notes.append("no forecast of this pair has been issued yet: this is the first")
    elif not same:
        notes.append(f"no forecast was made on these terms yet; compared with {before.serial}")
    if asked.dry_run:
        return replace(done, status=DRY_RUN)
    named = {} if before is None else dict(readings_of(before.facts))
    runs = renew_all(panel, terms, asked.results, named, say)
    say("issuing")
    one = issue(store, runs, terms, before)
    if one.new and one.clock_behind:
        notes.append("the clock stands before the previous issue; the ledger says so, and the "
                     "order is that of the serials. Set the clock")  # fmt: skip
    done = replace(done, status=ISSUED, one=one, runs=runs)
    return _told(done, store, asked, record, panel, known, notes, say)


def issue(store: Store, runs: dict[str, Run], terms: Terms, before: Issued | None) -> Issued:
    """Freeze the mixture of the runs and issue it.

    The facts say on which terms it was made, how each fit was renewed and which forecast it
    follows: nothing of the clock, so that the same update, made again, issues the same.

    Returns
    -------
    Issued
    """
    from fairweather.issued import freeze

    kept = [run.results for run in runs.values()]
    if len(kept) == 1:
        files, facts = freeze(kept[0])
    else:
        files, facts = freeze(*kept, weights=(terms.weights, terms.where), seed=terms.sampling.seed)
    note = {
        "terms": terms.facts(),
        "renewed": {name: run.facts() for name, run in runs.items()},
        "after": None if before is None else before.id,
    }
    return store.issue(files, {**facts, "update": note})


def _writable(store: Store, asked: Asked) -> None:
    """Refuse before hours of sampling what would be refused after them."""
    import tempfile

    from fairweather.archive import ensure_writable
    from fairweather.errors import ArchiveError

    ensure_writable(asked.results)
    root = getattr(store.place, "root", None)
    if root is None or not Path(root).is_dir():
        return
    try:
        with tempfile.TemporaryFile(dir=root):
            pass
    except OSError as err:
        raise ArchiveError(
            f"cannot issue into '{asked.store}' ({err.strerror or err})",
            remedy="Make it writable, free some space, or name another store: --store DIR.",
        ) from err


def _hash(one: Issued) -> str | None:
    return (one.facts.get("data") or {}).get("record_hash")


def _known(before: Issued | None, record: Record) -> Record | None:
    """Find the record that a forecast knew; None where it cannot be told for certain."""
    from fairweather.due import Vintages
    from fairweather.due.vintage import BY_HASH
    from fairweather.errors import RecordError

    if before is None:
        return None
    try:
        found, how = Vintages(record).of(before.facts, before.issued_at[:10])
    except RecordError:
        return None
    return found if how == BY_HASH else None


def _told(
    done: Updated, store: Store, asked: Asked, record: Record, panel: Panel,
    known: Record | None, notes: list[str], say: Callable[[str], None],
) -> Updated:  # fmt: skip
    """Add what moved the forecast and what came due."""
    from fairweather.due import due_scores

    if known is None:
        if done.before is not None:
            notes.append("the record of the forecast before is not to be had: what is new in it, "
                         "and what that did, cannot be told")  # fmt: skip
        return done
    say("looking at what moved it, and at what came due")
    # The forecast is issued: whatever goes wrong from here on is told, and takes nothing back.
    try:
        done = replace(done, influence=_influence(done, asked, panel, known))
    except Exception as err:
        notes.append(f"which observation moved the forecast cannot be told: {_said(err)}")
    try:
        done = replace(done, due=due_scores(store, record, data_dir=asked.data, since=known))
    except Exception as err:
        notes.append(f"what came due cannot be scored: {_said(err)}")
    return done


def _said(err: Exception) -> str:
    from fairweather.errors import FairweatherError

    return str(err) if isinstance(err, FairweatherError) else f"{type(err).__name__}: {err}"


def _influence(done: Updated, asked: Asked, panel: Panel, known: Record) -> pd.DataFrame | None:
    from fairweather.panel import load_panel
    from fairweather.renewal import influence

    if done.before is None or done.rows is None or done.rows.empty:
        return None
    terms, best = done.terms, done.terms.best
    old = load_panel(known, focal=terms.focal)
    named = dict(readings_of(done.before.facts)).get(best)
    runs = runs_of(asked.results, best, old, terms.priors.content_hash)
    earlier = [r for r in runs if r.run["id"] == named]
    return influence(
        done.runs[best].results.tree.load(), old, panel, scenarios=terms.scenarios,
        horizon=terms.horizon, earlier=earlier[-1].tree.load() if earlier else None,
        priors=terms.priors, random_seed=terms.sampling.seed,
    )  # fmt: skip
