"""Recovery of each reading: worlds whose coefficients are known and not zero, fitted under it.

Invariant: a world is simulated and fitted under the same reading, with the same coefficients in
every world of that reading and all else drawn from the priors; nothing of the fit is told the
truth. Guarded by ``tests/test_recovery_readings.py``.

The coefficients stand where they matter (about two prior SDs out), so that intervals need not
cover them at their nominal rate: the prior pulls them in. The table says by how much.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fairweather.calibration import (
    CHAINS,
    DRAWS,
    RANKS,
    SEED,
    TUNE,
    one_world,
    settings_of,
)
from fairweather.readings import READINGS, get_reading
from fairweather.resume import CalibrationError, Store, run_jobs
from fairweather.rundir import write_whole

if TYPE_CHECKING:
    import pandas as pd

    from fairweather.priors import Priors

WORLDS = 8
# Larger than the calibration's: coefficients of single states need years that differ.
LAYOUT = {
    "states": ["BRA", "CHN", "CUB", "IND", "IRN", "JPN", "PRK", "RUS"],
    "first_year": 1992, "last_year": 2024,
}  # fmt: skip
_COMMON = {"half_life": 5.0, "complementarity_trade": 0.3}
# State by state in the order of LAYOUT: the pair apart, as the claim about Russia has it.
_ELASTICITY = [0.3, 0.2, 0.4, 0.3, 0.4, 0.3, 0.2, 0.6]
KNOWN: dict[str, dict[str, Any]] = {
    "persistence": {"wander": 0.2, "state_wander": 0.12},
    "drift": {"half_life": 5.0, "drift": 0.2, "dyad_drift_scale": 0.2},
    "complementarity": {**_COMMON, "complementarity_energy": 0.3},
    "regime": {"half_life": 5.0, "complementarity_regime": 0.3, "complementarity_leaders": 0.3},
    "placebo": {**_COMMON, "elasticity": _ELASTICITY},
    "thermostat": {**_COMMON, "elasticity": _ELASTICITY},
    "common-enemy": {**_COMMON, "shared_pressure": 0.6, "exponent": -3.0},
    "elastic-side": {**_COMMON, "elasticity": _ELASTICITY, "coupling": 0.3},
    "fragile-sticky": {**_COMMON, "elasticity": _ELASTICITY, "asymmetry": 1.2},
    "scope": {"half_life": 5.0, "scope": 0.3},
    "domains": {**_COMMON, "elasticity": _ELASTICITY, "coupling": 0.3, "lead_security": 0.5,
                "lead_economic": -0.4},
}  # fmt: skip
_SHOWN = ("half_life", "complementarity_trade", "drift", "dyad_drift_scale", "elasticity[CHN]",
          "elasticity[RUS]", "coupling", "shared_pressure", "exponent", "asymmetry", "scope",
          "lead_security", "lead_economic", "complementarity_energy", "complementarity_regime",
          "complementarity_leaders", "wander", "state_wander")  # fmt: skip


def recover(
    out: str | Path, *, worlds: int = WORLDS, readings: Iterable[str] = tuple(READINGS),
    draws: int = DRAWS, tune: int = TUNE, chains: int = CHAINS, seed: int = SEED,
    priors: Priors | None = None, layout: Mapping[str, Any] = LAYOUT,
    known: Mapping[str, Mapping[str, Any]] = KNOWN, cluster: str | None = None,
    workers: int | None = None, quiet: bool = True, task: Callable[[dict], Any] = one_world,
) -> pd.DataFrame:  # fmt: skip
    """Simulate and fit worlds under each reading, and compare its coefficients with the truth.

    Parameters
    ----------
    out : str or Path
        Folder of the run, continued if it was begun with the same settings; gets
        ``recovery.csv``.
    worlds : int
        Of each reading.
    readings : iterable of str
    draws, tune, chains, seed, priors, layout, cluster, workers, quiet, task
        As in `fairweather.calibration.calibrate`.
    known : mapping of str to mapping
        Coefficients of the worlds by reading.

    Returns
    -------
    DataFrame
        One row a reading, world and coefficient: truth, mean, sd, z = (mean - truth) / sd, lower,
        upper (89 % interval), covered, sign (posterior probability of the true sign), sign_found
        (it is above one half), failed (why there are no draws).

    Raises
    ------
    CalibrationError
        No world asked for, a reading without known coefficients, or a folder made with others.

    Examples
    --------
    >>> recover("calibration/recovery", worlds=8)  # doctest: +SKIP
    """
    from fairweather import farm
    from fairweather.priors import load_priors

    readings = tuple(readings)
    for name in readings:
        get_reading(name)
        if name not in known:
            raise CalibrationError(f"no coefficients are set for the reading '{name}'",
                                   remedy="Name them in `known`.")  # fmt: skip
    if worlds < 1:
        raise CalibrationError("no world is asked for", remedy="Use one or more.")
    priors = priors or load_priors()
    same = {"draws": draws, "tune": tune, "chains": chains, "ranks": min(RANKS, draws * chains)}
    coefficients = {name: dict(known[name]) for name in readings}
    store = Store(out, settings_of("recovery", layout, priors, seed=seed, known=coefficients,
                                   **same))  # fmt: skip
    keys = {f"{name}-{n:03d}": name for name in readings for n in range(worlds)}
    seeds = farm.spawn_seeds(seed, keys)
    jobs = {
        k: {**same, "seed": seeds[k], "layout": dict(layout), "priors": priors, "reading": name,
            "known": coefficients[name]}
        for k, name in keys.items()
    }  # fmt: skip
    results = run_jobs(store, task, jobs, cluster=cluster, workers=workers, quiet=quiet,
                       label="worlds of known coefficients")  # fmt: skip
    table = tabulate(results, keys, coefficients)
    write_whole(store.folder / "recovery.csv", table.to_csv(index=False, lineterminator="\n"))
    return table


def tabulate(
    results: Mapping[str, Any], readings: Mapping[str, str],
    known: Mapping[str, Mapping[str, Any]] = KNOWN,
) -> pd.DataFrame:  # fmt: skip
    """Compare every coefficient of every world with its truth; see `recover`.

    Parameters
    ----------
    results : mapping of str to dict
        From ``one_world``, by job.
    readings : mapping of str to str
        Reading of each job.
    known : mapping of str to mapping
        Coefficients by reading; those drawn from the prior are not shown.
    """
    import pandas as pd

    rows = []
    for key, result in results.items():
        head = {"reading": readings[key], "world": key}
        if result["failed"]:
            rows.append({**head, "quantity": "", "failed": result["failed"]})
        for name in _SHOWN:
            q = result["quantities"].get(name)
            if q is None or name.partition("[")[0] not in known[readings[key]]:
                continue
            sign = q["above"] if q["truth"] > 0 else 1.0 - q["above"]
            rows.append({
                **head, "quantity": name, "truth": q["truth"], "mean": q["mean"], "sd": q["sd"],
                "z": (q["mean"] - q["truth"]) / q["sd"], "lower": q["lower"], "upper": q["upper"],
                "covered": q["lower"] <= q["truth"] <= q["upper"], "sign": sign,
                "sign_found": sign > 0.5, "failed": "",
            })  # fmt: skip
    return pd.DataFrame(rows, columns=[
        "reading", "world", "quantity", "truth", "mean", "sd", "z", "lower", "upper", "covered",
        "sign", "sign_found", "failed",
    ])  # fmt: skip


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """Average `recover` over worlds.

    Returns
    -------
    DataFrame
        One row a reading and coefficient: worlds, truth, mean and sd (averages), z (mean of z),
        z_sd, coverage, signs (share of worlds where the sign was found).
    """
    found = table[table["quantity"] != ""]
    found = found.astype({"covered": float, "sign_found": float})
    out = found.groupby(["reading", "quantity"], sort=False).agg(
        worlds=("world", "nunique"), truth=("truth", "mean"), mean=("mean", "mean"),
        sd=("sd", "mean"), z=("z", "mean"), z_sd=("z", "std"), coverage=("covered", "mean"),
        signs=("sign_found", "mean"),
    )  # fmt: skip
    return out.reset_index()
