"""The whole backtest: every origin under every reading, continued where it was stopped.

Invariant: a folder holds one backtest; a job that is done is not done again, one that fails is
told and costs nothing but itself. Guarded by ``tests/test_backtest_run.py``.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import zlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np

from fairweather import names
from fairweather.backtest.origin import DRAWS, TUNE, foresee_origin, latest
from fairweather.errors import FairweatherError
from fairweather.readings import READINGS as READING_NAMES
from fairweather.readings import get_reading
from fairweather.resume import Store

if TYPE_CHECKING:
    from fairweather.priors import Priors

FIRST, HORIZON, SEED = 2008, 3, 2008
# The default reading, and those to which the contest of explanations gives most weight.
READINGS = ("elastic-side", "domains", "persistence", "thermostat")
# Files that decide the numbers; a backtest is not continued under others.
_CODE = (
    "ahead.py", "backtest/origin.py", "contest/refit.py", "heldout.py", "holdout.py", "model.py",
    "structure.py", "simulate.py", "dynamics.py", "inference.py", "posterior.py", "panel.py",
    "priors.py", "scales.py", "measurement/*.py", "readings/*.py", "engine/*.py", "samplers/*.py",
)  # fmt: skip
Say = Callable[[str], None]


class BacktestError(FairweatherError):
    """The backtest cannot be laid out or continued as asked."""


def run_backtest(
    out: str | Path | None = None, *, results: str | Path = "results", first: int = FIRST,
    last: int | None = None, horizon: int = HORIZON, readings: Iterable[str] = READINGS,
    states: list[str] | None = None, focal: str = names.FOCAL, priors: Priors | None = None,
    draws: int = DRAWS, tune: int = TUNE, seed: int = SEED, cluster: str | None = None,
    workers: int | None = None, quiet: bool = False, say: Say = lambda text: None,
) -> dict[str, Any]:  # fmt: skip
    """Foresee from every origin what is known by now, under every reading.

    Parameters
    ----------
    out : str or Path, optional
        Folder; one begun with the same settings is continued, and may be given more readings.
        Default: a folder in `results` named after the settings.
    results : str or Path
    first, last : int
        Origins, from year to year. Default: from 2008 to the last of which something has come.
    horizon : int
        Years ahead.
    readings : iterable of str
    states : list of str, optional
    focal : str
    priors : Priors, optional
    draws, tune : int
        Per chain, of two.
    seed : int
    cluster, workers, quiet
        See `fairweather.farm.run`.
    say : callable
        Told what is being done.

    Returns
    -------
    dict
        ``origins``: {origin: {reading: result}} with arrays as `foresee_origin` gives them;
        ``problems``: job to reason; ``readings``, ``settings``, ``folder``, ``priors``.

    Raises
    ------
    BacktestError
        No reading, origins out of order, a horizon that is no whole number of years from 1 to 10,
        or nothing that could have come.
    """
    from fairweather import farm
    from fairweather.priors import load_priors
    from fairweather.provenance import source_hash

    chosen = tuple(dict.fromkeys(readings))
    for name in chosen:
        get_reading(name)
    if not chosen:
        raise BacktestError("no reading is asked for", remedy="Name one or more.")
    if isinstance(horizon, bool) or not isinstance(horizon, int) or not 1 <= horizon <= 10:
        raise BacktestError(f"horizon is {horizon!r}", remedy="Ask for 1 to 10 years.")
    priors = priors or load_priors()
    members = None if states is None else tuple(states)
    now = latest(members, focal)
    end = now.origin - 1 if last is None else last
    if first > end:
        raise BacktestError(
            f"origins run from {first} to {end}", remedy="Give a first one before the last."
        )
    if end >= now.origin:
        say(f"Nothing foreseen from {now.origin} on has come yet; origins end in {now.origin - 1}.")
        end = now.origin - 1
    if first > end or first < int(now.years[0]) + 8:
        raise BacktestError(
            f"origins run from {first} to {end}, the record from {now.years[0]} to {now.origin}",
            remedy=f"Use origins from {int(now.years[0]) + 8} to {now.origin - 1}.",
        )
    settings = {
        "kind": "backtest", "first": first, "last": end, "horizon": horizon,
        "states": list(now.states), "focal": focal, "seed": seed,
        "priors": priors.content_hash, "record": now.record.content_hash, "draws": draws,
        "tune": tune, "code": source_hash(*_CODE),
    }  # fmt: skip
    if out is None:
        name = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:10]
        out = Path(results) / f"backtest-{name}"
    store = Store(out, settings, "backtest")
    base = {
        "horizon": horizon, "priors": priors, "states": members, "focal": focal, "draws": draws,
        "tune": tune,
    }  # fmt: skip
    keys = {f"{y}--{r}": (y, r) for y in range(first, end + 1) for r in chosen}
    seeds = farm.spawn_seeds(seed, keys)
    done = _done(store.jobs, keys)
    jobs = {
        k: {**base, "origin": y, "reading": r, "seed": seeds[k] % 2**31}
        for k, (y, r) in keys.items() if k not in done
    }  # fmt: skip
    say(f"{len(keys)} fits: origins {first}-{end}, {len(chosen)} readings; {len(done)} are done")
    problems: dict[str, str] = {}
    try:
        farm.run(
            foresee_origin, jobs, done=lambda k, r: keep(store, k, r), label="origins",
            cluster=cluster, workers=workers, quiet=quiet,
        )  # fmt: skip
    except farm.FarmError as err:
        if not err.failures:
            raise
        problems = {k: err.reasons.get(k, "failed") for k in err.failures}
    origins = _gather(store.jobs, keys)
    if not origins:
        first_reason = next(iter(problems.values()), "no job was done")
        raise BacktestError(f"no origin could be foreseen: {first_reason}")
    return {
        "origins": origins, "problems": problems, "readings": chosen, "settings": settings,
        "folder": Path(out), "priors": priors, "states": members, "focal": focal,
    }  # fmt: skip


def read_backtest(folder: str | Path, *, readings: Iterable[str] | None = None) -> dict[str, Any]:
    """Read a backtest back as it stands, without fitting anything.

    To score it anew, with later scores or plain forecasts, or while it still runs.

    Parameters
    ----------
    folder : str or Path
        Of a backtest.
    readings : iterable of str, optional
        Default: all that the folder holds. An origin that one of them lacks is not scored.

    Returns
    -------
    dict
        As `run_backtest`, without ``priors``; jobs that are not done are in ``problems``.

    Raises
    ------
    BacktestError
        It holds no backtest, one of another record, or nothing that is done.

    Examples
    --------
    >>> done = read_backtest("results/backtest-3a0b37d6ad")  # doctest: +SKIP
    """
    folder = Path(folder)
    try:
        settings = json.loads((folder / "settings.json").read_text(encoding="utf-8"))
        if settings["kind"] != "backtest":
            raise ValueError(f"it holds a {settings['kind']}")
        years = range(settings["first"], settings["last"] + 1)
        members, record = tuple(settings["states"]), settings["record"]
    except (OSError, ValueError, KeyError, TypeError) as err:
        raise BacktestError(
            f"'{folder}' holds no backtest ({err})", remedy="Name a folder of one."
        ) from err
    now = latest(members, settings["focal"])
    if record != now.record.content_hash:
        raise BacktestError(
            f"'{folder}' was made from the record {record[:12]}, the one in use is "
            f"{now.record.content_hash[:12]}",
            remedy="Use the record it was made from, or run the backtest anew.",
        )
    keys = {f"{y}--{r}": (y, r) for y in years for r in readings or READING_NAMES}
    done = _done(folder / "sims", keys)
    chosen = tuple(r for r in readings or READING_NAMES if any(keys[k][1] == r for k in done))
    if not chosen:
        raise BacktestError(
            f"'{folder}' holds no origin that is done", remedy="Run the backtest first."
        )
    lacking = [k for k, (_, r) in keys.items() if r in chosen and k not in set(done)]
    return {
        "origins": _gather(folder / "sims", keys), "problems": dict.fromkeys(lacking, "not done"),
        "readings": chosen, "settings": settings, "folder": folder, "states": members,
        "focal": settings["focal"],
    }  # fmt: skip


def _done(jobs: Path, keys: Iterable[str]) -> list[str]:
    """Keys of the jobs of which both files are there."""
    return [k for k in keys if all((jobs / f"{k}.{end}").is_file() for end in ("json", "npz"))]


def _gather(jobs: Path, keys: Mapping[str, tuple[int, str]]) -> dict[int, dict[str, Any]]:
    origins: dict[int, dict[str, Any]] = {}
    for k in _done(jobs, keys):
        origin, reading = keys[k]
        origins.setdefault(origin, {})[reading] = read(jobs, k)
    return origins


def keep(store: Store, key: str, result: dict[str, Any]) -> None:
    """Write the draws of a job, then its facts: a job is done when both are there."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, draws=result["draws"])
    file = store.jobs / f"{key}.npz"
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        draft.write_bytes(buffer.getvalue())
        os.replace(draft, file)
    finally:
        draft.unlink(missing_ok=True)
    store.write(key, {k: v for k, v in result.items() if k != "draws"})


def read(jobs: Path, key: str) -> dict[str, Any]:
    """Read one job back.

    Parameters
    ----------
    jobs : Path
        Folder of the jobs.
    key : str

    Returns
    -------
    dict
        As `fairweather.backtest.origin.foresee_origin` gives it.

    Raises
    ------
    BacktestError
        A file of it is damaged.
    """
    remedy = f"Delete {key}.json and {key}.npz; the same command does the job again."
    file = jobs / f"{key}.json"
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        missing = [k for k in ("facts", "blocks") if k not in found]
        if missing:
            raise ValueError(f"it lacks {missing[0]!r}")
    except (OSError, ValueError, TypeError) as err:
        raise BacktestError(
            f"the facts of a job cannot be read ({err})", file=file, remedy=remedy
        ) from err
    file = jobs / f"{key}.npz"
    try:
        # From memory: of a damaged archive NumPy would leave the file open.
        with np.load(io.BytesIO(file.read_bytes())) as data:
            return found | {"draws": data["draws"]}
    # A file cut short is no archive; one with a byte turned over does not unpack.
    except (OSError, ValueError, KeyError, EOFError, BadZipFile, zlib.error) as err:
        raise BacktestError(
            f"the draws of a job cannot be read ({err})", file=file, remedy=remedy
        ) from err
