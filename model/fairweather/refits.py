"""Many fits at once: every as-of date under every reading and prior set, each archived when done.

Invariant: what a fit gives depends on its own inputs and seed alone, not on the others, on how
many ran at a time or on how often the command was stopped; a fit that fails is told, and does not
stop the rest. Guarded by ``tests/test_refits.py``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fairweather.errors import ArchiveError, FairweatherError, PriorError
from fairweather.readings import DEFAULT, get_reading

if TYPE_CHECKING:
    import datetime as dt

    import pandas as pd

    from fairweather.archive import Results
    from fairweather.priors import Priors

COLUMNS = ("as_of", "reading", "priors", "passed", "max_rhat", "min_ess", "seconds", "folder",
           "problem")  # fmt: skip


@dataclass(frozen=True)
class Refit:
    """One fit to be done.

    Attributes
    ----------
    as_of : str
        Empty for the full record.
    reading, priors : str
        Name of the reading, id of the prior set.
    id : str
        Id of the fit, which is the name of its folder.
    job : dict
        What `refit` needs.
    """

    as_of: str
    reading: str
    priors: str
    id: str
    job: dict[str, Any] = field(repr=False)

    @property
    def key(self) -> str:
        """Name among the fits of one command."""
        return f"{self.as_of or 'full record'}, {self.reading}, {self.priors}"


def plan(
    as_of: Iterable[str | dt.date | None] = (None,),
    *,
    readings: Iterable[str] = (DEFAULT,),
    priors: Iterable[str | Priors | None] = (None,),
    states: list[str] | None = None,
    focal: str | None = None,
    draws: int | None = None,
    tune: int | None = None,
    chains: int | None = None,
    target_accept: float | None = None,
    seed: int = 1,
    results: str | Path = "results",
) -> list[Refit]:
    """Cross dates, readings and prior sets, and check every fit without sampling.

    Parameters
    ----------
    as_of : iterable of str, date or None
        Each fit uses only data available that day; None is the full record.
    readings : iterable of str
    priors : iterable of str, Priors or None
        Names or files of prior sets; None is the default set.
    states : list of str, optional
    focal : str, optional
    draws, tune, chains : int, optional
        Per chain, and how many.
    target_accept : float, optional
        Of the step-size adaptation.
    seed : int
        Root of the seeds: a fit's own follows from this, its date, reading and prior set.
    results : str or Path
        Folder of results, which workers elsewhere must see under the same path.

    Returns
    -------
    list of Refit
        Dates outermost; what was named twice is there once.

    Raises
    ------
    FairweatherError
        Unknown reading or states, malformed priors, impossible date, unwritable folder.

    Examples
    --------
    >>> import tempfile
    >>> fits = plan(["2008-12-31"], states=["CHN", "IND", "RUS"], results=tempfile.mkdtemp())
    >>> fits[0].key
    '2008-12-31, elastic-side, default'
    """
    from fairweather import names, samplers
    from fairweather.farm import spawn_seeds
    from fairweather.model import build_model
    from fairweather.panel import load_panel
    from fairweather.provenance import attributes, fit_id
    from fairweather.record import as_date, load_record
    from fairweather.rundir import ensure_writable

    days = list(dict.fromkeys(map(as_date, as_of)))
    wanted, beliefs = list(dict.fromkeys(readings)), _prior_sets(priors)
    for what, given in (("date", days), ("reading", wanted), ("prior set", beliefs)):
        if not given:
            raise FairweatherError(f"no {what} is named, so there is nothing to fit")
    for name in wanted:
        get_reading(name)
    numbers = {"draws": draws or samplers.DRAWS, "tune": tune or samplers.TUNE,
               "chains": chains or samplers.CHAINS,
               "target_accept": target_accept or samplers.TARGET_ACCEPT}  # fmt: skip
    # Read once; cutting it is what `load_panel(as_of=...)` does too.
    record, fits = load_record(), []
    for day in days:
        cut = record if day is None else record.known_on(day)
        panel = load_panel(cut, states=states, focal=focal or names.FOCAL)
        text = "" if day is None else str(day)
        for name, one in product(wanted, beliefs):
            key = (text, name, one.id)
            own = spawn_seeds(seed, [key])[key]
            model = build_model(panel, reading=name, priors=one)
            attrs = attributes(model, samplers.Settings(**numbers, seed=own), samplers.DEFAULT)
            job = {
                "as_of": text or None, "states": states, "focal": panel.focal, "reading": name,
                "priors": one, "seed": own, **numbers, "results": str(Path(results).absolute()),
                "record_hash": panel.record.content_hash,
            }  # fmt: skip
            fits.append(Refit(*key, fit_id(attrs), job))
    # Last: it makes the folder, and a refused command writes nothing.
    ensure_writable(results)
    return fits


def _prior_sets(priors: Iterable[str | Priors | None]) -> list[Priors]:
    """Read prior sets; ids name them in tables and seeds, so no two may share one."""
    from fairweather.priors import Priors, load_priors

    found: dict[str, Priors] = {}
    for given in priors:
        one = given if isinstance(given, Priors) else load_priors(given)
        if found.setdefault(one.id, one).content_hash != one.content_hash:
            raise PriorError(
                f"two different prior sets have the id '{one.id}'",
                remedy="Give each its own id, under [meta].",
            )
    return list(found.values())


def refit(job: dict[str, Any]) -> str:
    """Fit, judge and archive one job of `plan`; return the name of its folder.

    Raises
    ------
    ArchiveError
        The record here is not the one the fit was planned on.
    """
    from fairweather.archive import save_results
    from fairweather.clock import Clock
    from fairweather.gate import gate
    from fairweather.inference import fit
    from fairweather.model import build_model
    from fairweather.panel import load_panel
    from fairweather.provenance import attributes, fit_id
    from fairweather.samplers import DEFAULT as SAMPLER
    from fairweather.samplers import Settings
    from fairweather.unfinished import unfinished

    clock = Clock()
    with clock("data"):
        panel = load_panel(as_of=job["as_of"], states=job["states"], focal=job["focal"])
    if panel.record.content_hash != job["record_hash"]:
        raise ArchiveError(
            "the record on this worker is another than the one the fit was planned on",
            remedy="Start the workers with the same data folder.",
        )
    with clock("build"):
        model = build_model(panel, reading=job["reading"], priors=job["priors"])
    numbers = {k: job[k] for k in ("draws", "tune", "chains", "target_accept")}
    attrs = attributes(model, Settings(**numbers, seed=job["seed"]), SAMPLER)
    with unfinished(job["results"], attrs) as keep:
        done = archived(job["results"], fit_id(attrs))
        if done is not None:  # by a worker that died before it could say so
            return done.id
        with clock("fit"):
            tree = fit(
                model, **numbers, random_seed=job["seed"], progressbar=False, cores=1, keep=keep
            )
        with clock("diagnostics"):
            report = gate(tree)
        # Whatever stands under this name is a damaged copy of the same.
        return save_results(
            tree, gate=report, results_dir=job["results"], clock=clock, overwrite=True
        ).name


def archived(results: str | Path, name: str) -> Results | None:
    """Open a fit that is archived, passed or failed; None if it is not there whole.

    Parameters
    ----------
    results : str or Path
    name : str
        Id of the fit.

    Returns
    -------
    Results or None
    """
    from fairweather.archive import open_results

    for folder in (name, f"failed-{name}"):
        try:
            found = open_results(Path(results) / folder)
        except ArchiveError:
            continue
        if found.run.get("id") == name:
            return found
    return None


def _left(one: Refit) -> bool:
    """Whether a fit is still to be done; of one that is not, no draws lie about."""
    import shutil

    from fairweather.alone import alone
    from fairweather.errors import RecordError
    from fairweather.unfinished import folder_of

    if archived(one.job["results"], one.id) is None:
        return True
    # Stopped between archiving the fit and clearing away its draws.
    kept = folder_of(one.job["results"], one.id)
    if kept.is_dir():
        with suppress(RecordError), alone(kept):
            shutil.rmtree(kept, ignore_errors=True)
    return False


def carry_out(
    fits: Sequence[Refit],
    *,
    cluster: str | None = None,
    workers: int | None = None,
    quiet: bool = False,
) -> pd.DataFrame:
    """Do the fits that are not archived yet, and tell how each came out.

    Parameters
    ----------
    fits : sequence of Refit
        From `plan`.
    cluster, workers, quiet
        See `fairweather.farm.run`.

    Returns
    -------
    DataFrame
        One row per fit, in order, with `COLUMNS`. ``passed`` is False also for a fit that gave no
        draws: it has no folder. ``seconds`` is the wall time of the fit when it was done.

    Raises
    ------
    FarmError
        If the farm itself could not work. What is archived by then stays.

    Examples
    --------
    >>> fits = plan(["2008-12-31", "2012-12-31"])  # doctest: +SKIP
    >>> carry_out(fits, workers=2)  # doctest: +SKIP
    """
    import pandas as pd

    from fairweather import farm

    left = {f.key: f.job for f in fits if _left(f)}
    told: dict[str, str] = {}
    try:
        where = farm.run(refit, left, cluster=cluster, workers=workers, label="fits", quiet=quiet)
    except farm.FarmError as err:
        if not err.failures:
            raise
        where = err.results
        told = err.reasons
    rows = [_row(one, where.get(one.key), told.get(one.key, "")) for one in fits]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _row(one: Refit, folder: str | None, problem: str) -> dict[str, Any]:
    """Read the outcome of a fit from its folder."""
    row = {"as_of": one.as_of, "reading": one.reading, "priors": one.priors, "passed": False,
           "max_rhat": float("nan"), "min_ess": float("nan"), "seconds": float("nan"),
           "folder": "", "problem": problem}  # fmt: skip
    # A worker with other code gives another id, and says which.
    name = one.id if folder is None else folder.removeprefix("failed-")
    found = None if problem else archived(one.job["results"], name)
    if found is None:
        shared = f"its worker archived {folder}, which is not in {one.job['results']} as seen here"
        return row | {"problem": problem or shared}
    facts = found.run["diagnostics"]
    return row | {
        "passed": bool(facts["passed"]),
        "max_rhat": _number(facts["max_rhat"]),
        "min_ess": min(_number(facts["min_ess_bulk"]), _number(facts["min_ess_tail"])),
        "seconds": _number(found.run["timings"]["total"]),
        "folder": str(found.path),
        "problem": facts["failures"][0] if facts["failures"] else "",
    }


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)
