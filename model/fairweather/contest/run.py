"""The whole contest: laid out, done piece by piece, continued where it was stopped.

Invariant: a folder holds one contest; a job that is done is not done again, a job that fails is
told and costs nothing but itself. Guarded by ``tests/test_contest_run.py``.

Every reading is fitted to the whole record (for the claims, and for worlds to be simulated from),
to every piece, and to every simulated world. Jobs are independent and go through
`fairweather.farm`, on this machine or on a Dask cluster.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fairweather import names, samplers
from fairweather.contest.design import (
    DESIGNS,
    EVERY,
    FOLDS,
    SEED,
    ContestError,
    Piece,
    find_windows,
    pieces,
)
from fairweather.contest.refit import CHAINS, DRAWS, TUNE, score_piece
from fairweather.contest.specifications import judge_specification, load_specifications
from fairweather.contest.worlds import score_world, truth_of
from fairweather.readings import READINGS, get_reading
from fairweather.resume import Store

if TYPE_CHECKING:
    from fairweather.panel import Panel
    from fairweather.priors import Priors

WORLDS = 1
# Fits to the whole record are those of every day: half the draws would not pass the gate.
FIT_DRAWS = samplers.DRAWS
# Files that decide the numbers; a contest is not continued under others.
_CODE = (
    "contest/design.py", "contest/refit.py", "contest/worlds.py", "contest/windows.py",
    "contest/specifications.py", "heldout.py", "holdout.py", "lfo.py", "model.py", "structure.py",
    "simulate.py", "dynamics.py", "inference.py", "posterior.py", "panel.py", "priors.py",
    "episodes.py", "turning.py", "measurement/*.py", "readings/*.py", "engine/*.py",
    "samplers/*.py",
)  # fmt: skip
Say = Callable[[str], None]


def run_contest(
    out: str | Path | None = None, *, results: str | Path = "results",
    readings: Iterable[str] = tuple(READINGS),
    designs: Iterable[str] = DESIGNS, every: int = EVERY, folds: int = FOLDS, worlds: int = WORLDS,
    specifications: bool = True, states: list[str] | None = None, focal: str = names.FOCAL,
    priors: Priors | None = None, fit_draws: int = FIT_DRAWS, seed: int = SEED,
    cluster: str | None = None, workers: int | None = None, quiet: bool = False,
    say: Say = lambda text: None,
) -> dict[str, Any]:  # fmt: skip
    """Lay out a contest and do what is not done yet.

    Parameters
    ----------
    out : str or Path, optional
        Folder of the contest; one begun with the same settings is continued. A larger `worlds`
        adds to it. Default: a folder in `results` named after the settings.
    results : str or Path
    readings : iterable of str
        Two or more.
    designs : iterable of str
        Of ``fairweather.contest.design.DESIGNS``.
    every : int
        Years between origins.
    folds : int
    worlds : int
        Simulated worlds a reading; 0 for none.
    specifications : bool
        Whether to fit the specification curve too.
    states : list of str, optional
    focal : str
    priors : Priors, optional
    fit_draws : int
        Per chain of the fits to the whole record.
    seed : int
    cluster, workers, quiet
        See `fairweather.farm.run`.
    say : callable
        Told what is being done.

    Returns
    -------
    dict
        ``pieces``, ``worlds``, ``specifications``: results by key; ``fits``: DataFrame of the fits
        to the whole record; ``problems``: key to reason; ``panel``, ``priors``, ``readings``,
        ``layout``, ``settings``.

    Raises
    ------
    ContestError
        Fewer than two readings, or a folder of another contest.
    """
    from fairweather.panel import load_panel
    from fairweather.priors import load_priors
    from fairweather.provenance import source_hash

    chosen = tuple(dict.fromkeys(readings))
    for name in chosen:
        get_reading(name)
    if len(chosen) < 2:
        raise ContestError(
            f"{len(chosen)} reading makes no contest", remedy="Name two readings or more."
        )
    if worlds < 0:
        raise ContestError(f"worlds = {worlds}", remedy="Simulate 0 or more a reading.")
    priors = priors or load_priors()
    panel = load_panel(states=states, focal=focal)
    layout = pieces(panel, tuple(designs), every=every, folds=folds)
    settings = {
        "kind": "contest", "readings": list(chosen), "designs": list(designs), "every": every,
        "folds": folds, "states": list(panel.states), "focal": focal, "seed": seed,
        "priors": priors.content_hash, "record": panel.record.content_hash,
        "fit_draws": fit_draws, "draws": [CHAINS, DRAWS, TUNE], "code": source_hash(*_CODE),
    }  # fmt: skip
    if out is None:
        name = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:10]
        out = Path(results) / f"contest-{name}"
    store = Store(out, settings, "contest")
    base = {"states": panel.states, "focal": focal, "last_year": panel.origin, "priors": priors}
    problems: dict[str, str] = {}
    farm = {"cluster": cluster, "workers": workers, "quiet": quiet}

    say(f"{len(layout)} pieces, {len(chosen)} readings")
    fits = _whole_fits(out, chosen, panel, states, priors, fit_draws, seed, farm)
    problems |= {f"fit--{r.reading}": str(r.problem) for r in fits.itertuples() if r.problem}
    jobs = {
        f"{p.name}--{r}": {**base, "piece": p.to_job(), "reading": r}
        for p in layout
        for r in chosen
    }
    done = {"pieces": _do(store, score_piece, jobs, seed, problems, farm, "pieces")}
    jobs = {}
    if specifications:
        jobs = {
            f"spec--{name}": {**base, "name": name, "specification": spec}
            for name, spec in load_specifications().items()
            if set(spec.get("without_states", ())) <= set(panel.states)
        }
    done["specifications"] = _do(
        store, judge_specification, jobs, seed, problems, farm, "specifications"
    )
    jobs = _world_jobs(fits, layout, chosen, worlds, panel, priors, seed, base)
    done["worlds"] = _do(store, score_world, jobs, seed, problems, farm, "worlds")
    return done | {
        "fits": fits, "problems": problems, "panel": panel, "priors": priors, "readings": chosen,
        "layout": layout, "settings": settings, "folder": Path(out),
        "windows": find_windows(panel),
    }  # fmt: skip


def _do(
    store: Store, task: Callable[[dict], Any], jobs: Mapping[str, dict], seed: int,
    problems: dict[str, str], farm_options: Mapping[str, Any], label: str,
) -> dict[str, Any]:  # fmt: skip
    """Do the jobs the store lacks; what fails goes to `problems`."""
    from fairweather import farm

    done = store.load(jobs)
    seeds = farm.spawn_seeds(seed, jobs)
    # Seeds are of the numbers a sampler takes.
    left = {k: {**job, "seed": seeds[k] % 2**31} for k, job in jobs.items() if k not in done}
    try:
        farm.run(task, left, done=store.write, label=label, **farm_options)
    except farm.FarmError as err:
        if not err.failures:
            raise
        problems |= {k: err.reasons.get(k, "failed") for k in err.failures}
    return store.load(jobs)


def _whole_fits(
    out: str | Path, readings: tuple[str, ...], panel: Panel, states: list[str] | None,
    priors: Priors, draws: int, seed: int, farm_options: Mapping[str, Any],
) -> Any:  # fmt: skip
    from fairweather.refits import carry_out, plan

    fits = plan(
        readings=readings, priors=[priors], states=states, focal=panel.focal, draws=draws,
        seed=seed, results=Path(out) / "fits",
    )  # fmt: skip
    return carry_out(fits, **farm_options)


def _world_jobs(
    fits: Any, layout: list[Piece], readings: tuple[str, ...], worlds: int, panel: Panel,
    priors: Priors, seed: int, base: dict[str, Any],
) -> dict[str, dict]:  # fmt: skip
    """Worlds of every reading that has draws, each to be met by every reading."""
    from fairweather.archive import open_results
    from fairweather.farm import spawn_seeds

    piece = world_piece(layout)
    jobs: dict[str, dict] = {}
    if not worlds:
        return jobs
    for row in fits.itertuples():
        if not row.folder:
            continue
        tree = open_results(row.folder).tree
        for n in range(worlds):
            name = f"world-{row.reading}-{n}"
            own = spawn_seeds(seed, [name])[name] % 2**31
            truth = truth_of(tree, panel, priors, row.reading, own)
            jobs |= {
                f"{name}--{r}": {**base, **truth, "truth": row.reading, "world_seed": own,
                                 "piece": piece.to_job(), "reading": r}
                for r in readings
            }  # fmt: skip
    return jobs


def world_piece(layout: list[Piece]) -> Piece:
    """Pick the piece that simulated worlds are met with: the first fold of episodes, or the first.

    A whole contest on every world would take days; the same small one is scored on the record.
    """
    return next((p for p in layout if p.design == "episodes"), layout[0])
