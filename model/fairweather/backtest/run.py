"""The whole backtest: every origin under every reading, continued where it was stopped.

Invariant: a folder holds one backtest; a job that is done is not done again, one that fails is
told and costs nothing but itself. Guarded by ``tests/test_backtest_run.py``.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fairweather import names
from fairweather.backtest.origin import DRAWS, TUNE, foresee_origin, latest
from fairweather.errors import FairweatherError
from fairweather.readings import get_reading
from fairweather.resume import Store

if TYPE_CHECKING:
    from fairweather.priors import Priors

FIRST, HORIZON, SEED = 2008, 3, 2008
# The default reading, and those to which the contest of explanations gives most weight.
READINGS = ("elastic-side", "persistence", "thermostat", "scope")
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
    done = _done(store, keys)
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
    origins: dict[int, dict[str, Any]] = {}
    for k in _done(store, keys):
        origin, reading = keys[k]
        origins.setdefault(origin, {})[reading] = read(store, k)
    if not origins:
        first_reason = next(iter(problems.values()), "no job was done")
        raise BacktestError(f"no origin could be foreseen: {first_reason}")
    return {
        "origins": origins, "problems": problems, "readings": chosen, "settings": settings,
        "folder": Path(out), "priors": priors, "states": members, "focal": focal,
    }  # fmt: skip


def _done(store: Store, keys: Iterable[str]) -> list[str]:
    return [k for k in keys if (store.jobs / f"{k}.json").is_file()]


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


def read(store: Store, key: str) -> dict[str, Any]:
    """Read one job back.

    Raises
    ------
    BacktestError
        Its draws are damaged.
    """
    found = store.load([key])[key]
    file = store.jobs / f"{key}.npz"
    try:
        with np.load(file) as data:
            return found | {"draws": data["draws"]}
    except (OSError, ValueError, KeyError) as err:
        raise BacktestError(
            f"the draws cannot be read ({err})", file=file, remedy=f"Delete it and {key}.json."
        ) from err
