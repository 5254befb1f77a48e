"""Several archived runs become one forecast: their mixture, with the best single reading beside it.

Invariant: what is frozen of a mixture follows from the runs, the weights and the seed alone; the
order in which runs are given makes no difference.
Guarded by ``tests/test_issued_mixtures.py``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fairweather.errors import ArchiveError
from fairweather.issued.freezing import Weights, chance, draws, freeze, of_run, read_part, run_json

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from fairweather.archive import Results

_BEST = ("forecast.csv", "durability.csv")
_WORST = {"max_rhat": max, "min_ess_bulk": min, "min_ess_tail": min, "divergences": sum,
          "min_ebfmi": min}  # fmt: skip


def freeze_mixture(
    runs: Sequence[Results], weights: Weights | None, seed: int = 1
) -> tuple[dict[str, bytes], dict[str, Any]]:
    """Freeze the mixture of complete runs; see `fairweather.issued.freeze`.

    Parameters
    ----------
    runs : sequence of Results
        Of one reading each.
    weights : mapping, str, Path, or pair of mappings
    seed : int

    Returns
    -------
    files : dict of str to bytes
    facts : dict

    Raises
    ------
    ArchiveError
        Two runs of one reading, runs of other data or beliefs, or no weights.
    WeightsError, EnsembleError
        Weights that do not fit; forecasts that cannot be mixed.

    Examples
    --------
    >>> freeze_mixture(runs, {"drift": 0.4, "scope": 0.6})  # doctest: +SKIP
    """
    from fairweather.ensemble import STACKED, mix
    from fairweather.forecast import durability_table, forecast_table

    by_reading = _by_reading(runs)
    share, where = _weights(by_reading, weights)
    if len(by_reading) == 1:
        return freeze(*by_reading.values())  # One run is no mixture.
    share = {name: weight for name, weight in share.items() if weight > 0}
    kept = {name: by_reading[name] for name in share}
    where["left_out"] = sorted(set(by_reading) - set(share))
    common = _common(kept)
    tree = mix({n: r.forecast for n, r in kept.items()}, share, seed, where)
    durability = durability_table(tree)
    files = {
        "forecast.csv": _csv(forecast_table(tree, f"fairweather-{STACKED}")),
        "durability.csv": _csv(durability),
        "diagnostics.csv": _csv(_diagnostics(kept)),
        "draws.parquet": draws(tree, int(tree.attrs["origin"])),
    }
    best = str(tree.attrs["best"])
    files |= {f"best-{name}": read_part(kept[best], name) for name in _BEST}
    files |= {f"run-{name}.json": run_json(run) for name, run in kept.items()}
    facts = {
        **common,
        "readings": share,
        "weights": where,
        "best": best,
        "runs": {name: {"run": run.run["id"], **of_run(run.run)} for name, run in kept.items()},
        "seed": {"mix": seed},
        "mixing": _mixing(tree),
        "code": {k: _one_or_all(r.run["code"][k] for r in kept.values())
                 for k in ("version", "source")},
        "diagnostics": _worst(kept),
        "chance": chance(durability),
    }  # fmt: skip
    return files, facts


def _by_reading(runs: Sequence[Results]) -> dict[str, Results]:
    out: dict[str, Results] = {}
    for run in runs:
        name = str(run.run["model"]["reading"])
        if name in out:
            raise ArchiveError(
                f"runs {out[name].id} and {run.id} are both of the reading '{name}'",
                remedy="Give one run of each reading.",
            )
        out[name] = run
    return out


def _weights(
    runs: Mapping[str, Results], weights: Weights | None
) -> tuple[dict[str, float], dict[str, Any]]:
    """Read the weights of the runs, no younger than what the runs could know."""
    from fairweather.ensemble import EQUAL, weights_from

    if weights is None:
        raise ArchiveError(
            f"{len(runs)} runs make a mixture, and it is not said with which weights",
            remedy=f"Name a backtest, a file of reading = weight, or {EQUAL}: --weights SOURCE.",
        )
    if isinstance(weights, tuple):
        given, where = weights
        share, own = weights_from(given, runs)
        return share, {**where, "notes": [*where.get("notes", []), *own["notes"]]}
    first = next(iter(runs.values())).run
    origin = int(first["model"]["origin"])
    # Weights of an origin rest on the years before it; an as-of run does not yet know its own.
    latest = origin + 1 if first["data"].get("as_of") is None else origin
    return weights_from(weights, runs, latest=latest)


def _common(runs: Mapping[str, Results]) -> dict[str, Any]:
    """Facts that all runs must share."""
    first = next(iter(runs.values()))
    model, scenarios = first.run["model"], first.run["scenarios"]
    out = {
        "focal": model["focal"],
        "origin": model["origin"],
        "horizon": scenarios["horizon"],
        "data": first.run["data"],
        "priors": first.run["priors"],
        "scenarios": {"hash": scenarios["hash"], "names": scenarios["names"]},
    }
    for run in runs.values():
        for key, said in (("data", "data"), ("priors", "prior beliefs")):
            if run.run[key] != out[key]:
                raise ArchiveError(
                    f"runs {first.id} and {run.id} are of other {said}",
                    remedy="Make both with the same options but --reading.",
                )
    return out


def _diagnostics(runs: Mapping[str, Results]) -> pd.DataFrame:
    import pandas as pd

    parts = [run.diagnostics.assign(reading=name) for name, run in runs.items()]
    table = pd.concat(parts, ignore_index=True)
    return table[["reading", *(c for c in table.columns if c != "reading")]]


def _worst(runs: Mapping[str, Results]) -> dict[str, Any]:
    """Diagnostics of the mixture are the worst of its readings; divergences are counted."""
    each = [run.run["diagnostics"] for run in runs.values()]
    out: dict[str, Any] = {"passed": all(d["passed"] for d in each)}
    for name, rule in _WORST.items():
        values = [d[name] for d in each if d.get(name) is not None]
        if values:
            out[name] = rule(values)
    return out


def _mixing(tree: xr.DataTree) -> dict[str, Any]:
    """Say how many draws of the mixture are of each reading."""
    return {"rule": "largest remainders, evenly along each reading's draws",
            "draws": json.loads(tree.attrs["draws_by_reading"])}  # fmt: skip


def _one_or_all(values: Any) -> Any:
    found = sorted(set(values))
    return found[0] if len(found) == 1 else found


def _csv(table: pd.DataFrame) -> bytes:
    return table.to_csv(index=False, lineterminator="\n").encode("utf-8")
