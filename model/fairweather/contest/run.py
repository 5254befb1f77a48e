"""The whole contest: laid out, done piece by piece, continued where it was stopped.

Invariant: a folder holds one contest; a job that is done is not done again, a job that fails is
told and costs nothing but itself. Guarded by ``tests/test_contest_run.py``.

Every reading is fitted to every piece and to every simulated world, and to the whole record, at
length only where its weight can be felt in a claim. Jobs are independent and go through
`fairweather.farm`, on this machine or on a Dask cluster.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
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
from fairweather.contest.specifications import beliefs, judge_specification, load_specifications
from fairweather.contest.truths import draw_truths
from fairweather.contest.worlds import score_world
from fairweather.paths import data_dir
from fairweather.readings import DEFAULT, READINGS, get_reading
from fairweather.resume import Store

if TYPE_CHECKING:
    from fairweather.panel import Panel
    from fairweather.priors import Priors

WORLDS = 1
TRUTHS = 20
# Fits to the whole record are those of every day: half the draws would not pass the gate.
FIT_DRAWS = samplers.DRAWS
# Files that decide the numbers; a contest is not continued under others.
_CODE = (
    "contest/design.py", "contest/refit.py", "contest/truths.py", "contest/worlds.py",
    "contest/windows.py",
    "contest/specifications.py", "heldout.py", "holdout.py", "lfo.py", "model.py", "structure.py",
    "simulate.py", "dynamics.py", "inference.py", "posterior.py", "panel.py", "priors.py",
    "episodes.py", "scales.py", "turning.py", "measurement/*.py", "readings/*.py", "engine/*.py",
    "samplers/*.py",
)  # fmt: skip
# Beside them, what the claims of a specification rest on. None of it touches a piece or a world, so
# that it is no setting of the folder: a change costs the specifications alone.
_CLAIMS_CODE = ("claims/**/*.py", "draws.py", "forecast.py", "scenarios.py")
_CLAIMS_DATA = ("claims.toml", "scenarios.toml")
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
    CodebookError
        The catalogue of claims, on which the contest is to be judged, is malformed.
    """
    from fairweather.claims.catalogue import load_claims
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
    if focal == names.FOCAL:
        # A claim that cannot be judged is better told before the fits than after them.
        load_claims()
    priors = priors or load_priors()
    panel = load_panel(states=states, focal=focal)
    designs = tuple(designs)
    if set(designs) == {"placebo"}:
        raise ContestError(
            "placebo windows alone give no weights", remedy="Add future, episodes or dyads."
        )
    layout = pieces(panel, designs, every=every, folds=folds)
    choices = _choices(panel, priors) if specifications else {}
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
    jobs: dict[str, dict] = {
        f"{p.name}--{r}": {**base, "piece": p.to_job(), "reading": r}
        for p in layout
        for r in chosen
    }
    found = _do(store, score_piece, jobs, seed, problems, farm, "pieces")
    needed = _needed(found, chosen)
    say(f"Claims rest on {', '.join(needed)}")
    fits = _whole_fits(out, needed, panel, states, priors, fit_draws, seed, farm)
    problems |= {f"fit--{r.reading}": str(r.problem) for r in fits.itertuples() if r.problem}
    jobs = _world_jobs(store, layout, chosen, worlds, seed, base, problems, farm)
    met = _do(store, score_world, jobs, seed, problems, farm, "worlds")
    jobs = {
        f"spec--{name}": {**base, "name": name, "specification": spec}
        for name, (spec, _) in choices.items()
    }
    stored = {f"spec--{name}": f"spec--{name}--{rests}" for name, (_, rests) in choices.items()}
    return {
        "pieces": found, "worlds": met,
        "specifications": _do(
            store, judge_specification, jobs, seed, problems, farm, "specifications", stored
        ),
        "fits": fits, "problems": problems, "panel": panel, "priors": priors, "readings": chosen,
        "layout": layout, "settings": settings, "folder": Path(out),
        "windows": find_windows(panel),
    }  # fmt: skip


def _choices(panel: Panel, priors: Priors) -> dict[str, tuple[dict[str, Any], str]]:
    """Choices of the curve that the panel can carry, each with a hash of what decides its claims.

    The hash holds what the settings of the folder do not: the choice itself, its beliefs, the
    claims with their thresholds, the scenarios, and the code that judges.
    """
    from fairweather.provenance import source_hash

    shared = hashlib.sha256(source_hash(*_CLAIMS_CODE).encode())
    for name in _CLAIMS_DATA:
        file = data_dir() / name
        text = file.read_bytes().replace(b"\r\n", b"\n") if file.is_file() else b""
        shared.update(b"\0" + text)
    out = {}
    for name, spec in load_specifications().items():
        if set(spec.get("without_states", ())) <= set(panel.states):
            own = shared.copy()
            chosen = [spec, beliefs(spec, priors).content_hash]
            own.update(b"\0" + json.dumps(chosen, sort_keys=True, default=str).encode())
            out[name] = spec, own.hexdigest()[:8]
    return out


def _needed(found: Mapping[str, Any], readings: tuple[str, ...]) -> tuple[str, ...]:
    """Name the readings whose draws a claim can feel, and the default; all if none was scored."""
    from fairweather.claims.averaging import NEGLIGIBLE
    from fairweather.contest.result import primary_weights

    weights = primary_weights(found)
    if weights is None:
        return readings
    felt = {r for r, w in weights.items() if w >= NEGLIGIBLE}
    return tuple(r for r in readings if r in felt or r == DEFAULT)


def _do(
    store: Store, task: Callable[[dict], Any], jobs: Mapping[str, dict], seed: int,
    problems: dict[str, str], farm_options: Mapping[str, Any], label: str,
    stored: Mapping[str, str] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Do the jobs the store lacks; what fails goes to `problems`.

    Results lie in the store under the name in `stored`, else under their own; seeds follow from
    their own, so that a job that is done anew gives the same draws.
    """
    from fairweather import farm

    at = dict(stored or {k: k for k in jobs})

    def kept() -> dict[str, Any]:
        found = store.load(at.values())
        return {k: found[at[k]] for k in jobs if at[k] in found}

    done = kept()
    seeds = farm.spawn_seeds(seed, jobs)
    # Seeds are of the numbers a sampler takes.
    left = {k: {**job, "seed": seeds[k] % 2**31} for k, job in jobs.items() if k not in done}
    try:
        farm.run(task, left, done=lambda k, found: store.write(at[k], found), label=label,
                 **farm_options)  # fmt: skip
    except farm.FarmError as err:
        if not err.failures:
            raise
        problems |= {k: err.reasons.get(k, "failed") for k in err.failures}
    return kept()


def _whole_fits(
    out: str | Path, readings: tuple[str, ...], panel: Panel, states: list[str] | None,
    priors: Priors, draws: int, seed: int, farm_options: Mapping[str, Any],
) -> Any:  # fmt: skip
    import pandas as pd

    from fairweather.refits import carry_out, plan

    def fits(which: Iterable[str], draws: int) -> pd.DataFrame:
        planned = plan(
            readings=which, priors=[priors], states=states, focal=panel.focal, draws=draws,
            seed=seed, results=Path(out) / "fits",
        )  # fmt: skip
        return carry_out([_standing(one) for one in planned], **farm_options)

    found = fits(readings, draws)
    # One that the gate refused is sampled once more, twice as long; the gate stays as it is.
    refused = found.loc[~found["passed"] & (found["folder"] != ""), "reading"].tolist()
    if refused:
        again = fits(refused, 2 * draws).set_index("reading")
        kept = found.set_index("reading")
        kept.loc[refused] = again.loc[refused]
        found = kept.reset_index()[list(found.columns)]
    return found


def _standing(one: Any) -> Any:
    """Let a fit of this contest stand: the folder's settings cover all the code it rests on."""
    from fairweather.refits import archived

    folder = Path(one.job["results"])
    if archived(folder, one.id) is None:
        stem = one.id.rsplit("-", 1)[0]
        for path in sorted(folder.glob(f"*{stem}-*")):
            name = path.name.removeprefix("failed-")
            same = re.fullmatch(rf"{re.escape(stem)}-[0-9a-f]{{8}}", name)
            kept = archived(folder, name) if same else None
            if kept is not None and kept.run["model"].get("draws") == one.job["draws"]:
                return replace(one, id=name)
    return one


def _world_jobs(
    store: Store, layout: list[Piece], readings: tuple[str, ...], worlds: int, seed: int,
    base: dict[str, Any], problems: dict[str, str], farm_options: Mapping[str, Any],
) -> dict[str, dict]:  # fmt: skip
    """Worlds of every reading, each to be met by every reading."""
    from fairweather.farm import spawn_seeds

    piece = world_piece(layout)
    jobs: dict[str, dict] = {}
    if not worlds or piece is None:
        return jobs
    # More worlds than asked for now, so that a later command adds to them.
    kept = max(worlds, TRUTHS)
    own = spawn_seeds(seed, [f"truths--{r}" for r in readings])
    asked = {
        f"truths-{kept}--{r}": {**base, "reading": r, "worlds": kept,
                                "truth_seed": own[f"truths--{r}"] % 2**31}
        for r in readings
    }  # fmt: skip
    truths = _do(store, draw_truths, asked, seed, problems, farm_options, "truths")
    for key, found in truths.items():
        reading = key.split("--")[1]
        for n in range(worlds):
            name = f"world-{reading}-{n}"
            own = spawn_seeds(seed, [name])[name] % 2**31
            jobs |= {
                f"{name}--{r}": {**base, **found["truths"][n], "truth": reading,
                                 "world_seed": own, "piece": piece.to_job(), "reading": r}
                for r in readings
            }  # fmt: skip
    return jobs


def world_piece(layout: list[Piece]) -> Piece | None:
    """Pick the piece that simulated worlds are met with: the first fold of episodes, or of another.

    A whole contest on every world would take days; the same small one is scored on the record. The
    future design alone has none: its pieces are walked origin by origin.
    """
    return next(
        (p for d in ("episodes", "dyads", "placebo") for p in layout if p.design == d), None
    )
