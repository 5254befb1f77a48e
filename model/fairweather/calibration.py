"""Simulation-based calibration: worlds drawn from the prior, fitted, and their truth ranked.

Invariant: if the simulator draws from the density that the model evaluates and the sampler draws
from its posterior, the rank of every true value among thinned draws is uniform (Talts et al.
2018). A folder holds simulations of one setting only, each written whole; a run that was killed
goes on where it stopped and ends with the same tables. Guarded by ``tests/test_calibration.py``.

Verdict: Holm-adjusted p values over all quantities; one below 0.01 fails the run, as do
simulations without draws in more than 5 % of worlds. Of the 95 % bands, one for each quantity,
5 % are left by chance. Fits with divergences or R-hat above 1.05 are counted and kept: leaving
them out would select worlds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fairweather.errors import FairweatherError
from fairweather.provenance import source_hash
from fairweather.readings import DEFAULT, get_reading
from fairweather.resume import CalibrationError, Store, run_jobs
from fairweather.rundir import write_whole

if TYPE_CHECKING:
    import pandas as pd

    from fairweather.panel import Panel
    from fairweather.priors import Priors

# Small, yet with every family, shifts of the year, gaps, a pressed pair, and in Brazil a state
# whose pressure never moved. Its cells are those of the record.
SMALL = {"states": ["BRA", "CHN", "IND", "IRN", "RUS"], "first_year": 2008, "last_year": 2020}
SIMS, DRAWS, TUNE, CHAINS, RANKS, SEED = 200, 1000, 500, 2, 99, 20161208
# Worlds from the prior are odder than the record: shorter steps than the default fit's.
TARGET_ACCEPT = 0.9
MAX_RHAT, ADJUSTED, MAX_FAILED = 1.05, 0.01, 0.05
INTERVAL = 0.89
# Files that decide the numbers; a folder is not continued under others.
_CODE = ("calibration.py", "gauges.py", "model.py", "structure.py", "simulate.py", "dynamics.py",
         "inference.py", "posterior.py", "panel.py", "priors.py", "measurement/*.py",
         "readings/*.py", "engine/*.py", "samplers/*.py")  # fmt: skip


@dataclass(frozen=True)
class Calibration:
    """What a calibration found.

    Attributes
    ----------
    table : DataFrame
        One row a quantity: group, n, mean_rank (0..1), max_difference, inside (95 % band),
        p_value, p_holm, low_ess (share of fits whose ESS is below the number of ranked draws).
    ranks : DataFrame
        One row a simulation and quantity: rank, truth, mean, sd, ess.
    runs : DataFrame
        One row a simulation: seed, divergences, max_rhat, min_ess, seconds, failed.
    bins : int
        Possible ranks.
    folder : Path
    """

    table: pd.DataFrame
    ranks: pd.DataFrame
    runs: pd.DataFrame
    bins: int
    folder: Path

    @property
    def troubled(self) -> int:
        """Fits with divergences or a bad R-hat; their ranks are kept."""
        return int(((self.runs["divergences"] > 0) | (self.runs["max_rhat"] > MAX_RHAT)).sum())

    @property
    def failed(self) -> int:
        """Simulations that gave no draws."""
        return int((self.runs["failed"] != "").sum())

    @property
    def passed(self) -> bool:
        """No quantity is off after adjustment, and nearly every world could be fitted."""
        enough = self.failed <= MAX_FAILED * len(self.runs)
        return bool(enough and len(self.table) and (self.table["p_holm"] >= ADJUSTED).all())


@lru_cache(maxsize=4)
def _small_panel(states: tuple[str, ...], first_year: int, last_year: int) -> Panel:
    from fairweather.panel import load_panel

    return load_panel(states=list(states), first_year=first_year, last_year=last_year)


def small_panel(layout: Mapping[str, Any] = SMALL) -> Panel:
    """Cells of the record that a simulated world fills; read once a process.

    Examples
    --------
    >>> small_panel().dyads[4]
    'CHN-IND'
    """
    return _small_panel(tuple(layout["states"]), layout["first_year"], layout["last_year"])


def one_world(job: dict[str, Any]) -> dict[str, Any]:
    """Simulate one world, fit it, and compare the draws with the truth.

    Parameters
    ----------
    job : dict
        ``seed``, ``layout``, ``reading``, ``priors`` (a belief set), ``draws``, ``tune``,
        ``chains``, ``ranks`` and ``known`` (parameters not drawn from their priors).

    Returns
    -------
    dict
        Plain numbers: ``quantities`` (label -> group, rank, truth, mean, sd, lower, upper, above,
        ess), ``divergences``, ``max_rhat``, ``min_ess``, ``seconds``, ``failed``. ``above`` is the
        share of draws above zero, lower and upper are the ends of the 89 % interval.
    """
    import time
    import warnings

    from fairweather.inference import fit
    from fairweather.model import build_model
    from fairweather.simulate import simulate_world

    start = time.perf_counter()
    world_seed, fit_seed, tie_seed = (
        int(s) for s in np.random.SeedSequence(job["seed"]).generate_state(3)
    )
    base = {"seed": job["seed"], "quantities": {}, "divergences": 0, "max_rhat": 0.0,
            "min_ess": 0.0, "failed": ""}  # fmt: skip
    try:
        world = simulate_world(
            small_panel(job["layout"]), job["priors"], job["reading"], job.get("known"),
            random_seed=world_seed, whole=False,
        )  # fmt: skip
        model = build_model(world.panel(), reading=job["reading"], priors=job["priors"])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of compilers and samplers, not of the numbers
            tree = fit(model, draws=job["draws"], tune=job["tune"], chains=job["chains"],
                       random_seed=fit_seed, target_accept=TARGET_ACCEPT, cores=1,
                       progressbar=False)  # fmt: skip
    except FairweatherError as err:
        return {**base, "failed": str(err), "seconds": time.perf_counter() - start}
    truth = {**world.parameters, "alignment": world.alignment, "pressure": world.pressure,
             "words": world.words}  # fmt: skip
    found = compare(truth, tree, model, job["ranks"], np.random.default_rng(tie_seed))
    rhat = [q.pop("rhat") for q in found.values()]
    return {
        **base, "quantities": found, "max_rhat": max(rhat),
        "min_ess": min(q["ess"] for q in found.values()),
        "divergences": int(tree["sample_stats"]["diverging"].sum()),
        "seconds": round(time.perf_counter() - start, 3),
    }  # fmt: skip


def compare(
    truth: Mapping[str, Any], tree: Any, model: Any, ranks: int, rng: np.random.Generator
) -> dict[str, dict[str, Any]]:
    """Rank the truth among evenly spaced draws, and sum the draws up.

    A quantity that never moved among the draws (a share at its bound) has no rank and is left
    out.

    Raises
    ------
    CalibrationError
        Fewer draws than are to be ranked.
    """
    import arviz_stats as az
    import xarray as xr

    from fairweather.gauges import gauges

    posterior = tree["posterior"].to_dataset()
    draws = {str(k): v.transpose("chain", "draw", ...).to_numpy() for k, v in posterior.items()}
    right = gauges(truth, model.panel, model.batches)
    drawn = gauges(draws, model.panel, model.batches)
    labels = [k for k, (_, v) in drawn.items() if k in right and (v != v.flat[0]).any()]
    values = np.stack([drawn[k][1] for k in labels], axis=-1)
    data = xr.Dataset({"x": (("chain", "draw", "quantity"), values)})
    ess = np.minimum(az.ess(data, method="bulk")["x"], az.ess(data, method="tail")["x"]).to_numpy()
    rhat = az.rhat(data)["x"].to_numpy()
    flat = values.reshape(-1, len(labels))
    if len(flat) < ranks:
        raise CalibrationError(f"{len(flat)} draws, but {ranks} are to be ranked",
                               remedy="Ask for more draws.")  # fmt: skip
    thin = flat[np.linspace(0, len(flat) - 1, ranks).round().astype(int)]
    tail = (1.0 - INTERVAL) / 2.0
    lower, upper = np.quantile(flat, [tail, 1.0 - tail], axis=0)
    out = {}
    for k, label in enumerate(labels):
        value = float(right[label][1])
        lot = rng.integers(0, (thin[:, k] == value).sum() + 1)
        out[label] = {
            "group": drawn[label][0], "rank": int((thin[:, k] < value).sum() + lot),
            "truth": value, "mean": float(flat[:, k].mean()), "sd": float(flat[:, k].std()),
            "lower": float(lower[k]), "upper": float(upper[k]),
            "above": float((flat[:, k] > 0).mean()), "ess": float(ess[k]), "rhat": float(rhat[k]),
        }  # fmt: skip
    return out


def code_hash() -> str:
    """SHA-256 over the source files that decide the numbers."""
    return source_hash(*_CODE)


def settings_of(kind: str, layout: Mapping[str, Any], priors: Priors, **more: Any) -> dict:
    """Name what decides the numbers of a folder of simulations."""
    record = small_panel(layout).record.content_hash
    return {"kind": kind, "layout": dict(layout), "priors": priors.content_hash, "record": record,
            "code": code_hash(), **more}  # fmt: skip


def calibrate(
    out: str | Path, *, sims: int = SIMS, draws: int = DRAWS, tune: int = TUNE,
    chains: int = CHAINS, seed: int = SEED, reading: str = DEFAULT, priors: Priors | None = None,
    ranks: int = RANKS, layout: Mapping[str, Any] = SMALL, cluster: str | None = None,
    workers: int | None = None, quiet: bool = True,
    task: Callable[[dict], Any] = one_world,
) -> Calibration:  # fmt: skip
    """Simulate worlds from the prior, fit each, and judge the ranks of the truth.

    Parameters
    ----------
    out : str or Path
        Folder of the run; one that was begun with the same settings is continued, and a larger
        `sims` adds to it.
    sims : int
        Worlds.
    draws, tune, chains : int
        Of each fit.
    seed : int
    reading : str
    priors : Priors, optional
    ranks : int
        Draws among which a truth is ranked, evenly spaced over all chains.
    layout : mapping
        ``states``, ``first_year`` and ``last_year`` of the worlds.
    cluster, workers, quiet
        See `fairweather.farm.run`.
    task : callable
        What is done for each world; see `one_world`.

    Returns
    -------
    Calibration

    Raises
    ------
    CalibrationError
        Settings out of range, or a folder made with others.

    Examples
    --------
    >>> calibrate("calibration", sims=200).passed  # doctest: +SKIP
    True
    """
    from fairweather import farm
    from fairweather.priors import load_priors

    if sims < 1 or ranks < 1 or draws * chains < ranks:
        raise CalibrationError(
            f"sims = {sims}, {chains} x {draws} draws and {ranks} ranks cannot be run",
            remedy="Use at least one world and as many draws as ranks.",
        )
    get_reading(reading)
    priors = priors or load_priors()
    same = {"reading": reading, "draws": draws, "tune": tune, "chains": chains, "ranks": ranks}
    store = Store(out, settings_of("calibration", layout, priors, seed=seed, **same))
    keys = [f"{n:05d}" for n in range(sims)]
    seeds = farm.spawn_seeds(seed, keys)
    jobs = {k: {**same, "seed": seeds[k], "layout": dict(layout), "priors": priors} for k in keys}
    results = run_jobs(store, task, jobs, cluster=cluster, workers=workers, quiet=quiet,
                       label="worlds")  # fmt: skip
    found = judge(results, ranks + 1, store.folder)
    for name in ("ranks", "runs", "table"):
        file = store.folder / f"{'calibration' if name == 'table' else name}.csv"
        write_whole(file, getattr(found, name).to_csv(index=False, lineterminator="\n"))
    return found


def judge(results: Mapping[str, Any], bins: int, folder: str | Path = ".") -> Calibration:
    """Turn the results of all worlds into ranks, bands and p values."""
    import pandas as pd

    from fairweather import uniformity as u

    columns = ["seed", "divergences", "max_rhat", "min_ess", "seconds", "failed"]
    runs = pd.DataFrame([{"sim": k, **{c: r[c] for c in columns}} for k, r in results.items()])
    kept = ["group", "rank", "truth", "mean", "sd", "ess"]
    ranks = pd.DataFrame(
        [{"sim": k, "quantity": q, **{c: v[c] for c in kept}}
         for k, r in results.items() for q, v in r["quantities"].items()],
        columns=["sim", "quantity", *kept],
    )  # fmt: skip
    rows = []
    for name, part in ranks.groupby("quantity", sort=False):
        r = part["rank"].to_numpy()
        rows.append({
            "quantity": name, "group": part["group"].iloc[0], "n": len(r),
            "mean_rank": (r.mean() + 0.5) / bins,
            "max_difference": float(np.abs(u.difference(r, bins)).max()),
            "inside": u.inside(r, bins), "p_value": u.p_value(r, bins),
            "low_ess": float((part["ess"] < bins - 1).mean()),
        })  # fmt: skip
    table = pd.DataFrame(rows, columns=["quantity", "group", "n", "mean_rank", "max_difference",
                                        "inside", "p_value", "low_ess"])  # fmt: skip
    table.insert(7, "p_holm", u.holm(table["p_value"]))
    return Calibration(table, ranks, runs, bins, Path(folder))
