"""A result can be traced to its inputs: data, beliefs, scenarios, code, packages and seed.

Invariant: the id of a run is a function of what determines its numbers and of nothing else: no
clock, no path, no machine. Guarded by ``tests/test_archive.py::test_run_id``.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import math
import os
import platform
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fairweather

if TYPE_CHECKING:
    import xarray as xr

    from fairweather.clock import Clock

SCHEMA = 1
PACKAGES = (
    "pymc", "pytensor", "nutpie", "numba", "jax", "arviz", "xarray", "zarr", "pandas", "numpy",
    "scipy", "matplotlib",
)  # fmt: skip
# What the density of a model hangs on: draws are of one version of it.
MODEL_SOURCES = (
    "model.py", "dynamics.py", "panel.py", "priors.py", "measurement/*.py", "readings/*.py",
    "engine/*.py",
)  # fmt: skip
_MODEL = ("reading", "focal", "origin", "sampler", "tune", "target_accept", "indicators")
# Attributes of a fit (and of a forecast) that determine its numbers.
_DETERMINING = (
    "reading", "priors_hash", "record_hash", "as_of", "focal", "first_year", "origin",
    "indicators", "seed", "sampler", "target_accept", "scenarios_hash", "horizon",
)  # fmt: skip
# Of a fit that leans on an earlier one: on its geometry, or on its draws.
RENEWAL = ("warm", "weighed_from", "weighed_seed")
RENEWED = ("renewed", "why", "k", "efficiency", *RENEWAL)


def plain(value: Any) -> Any:
    """Turn attributes into strict JSON: NumPy to Python, text that is JSON to what it says.

    Numbers without a JSON form (NaN, infinity) become None.

    Examples
    --------
    >>> plain({"reference": '{"alignment": [1.0, 0.4]}', "seed": float("nan")})
    {'reference': {'alignment': [1.0, 0.4]}, 'seed': None}
    """
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [plain(v) for v in value]
    if isinstance(value, str):
        return plain(json.loads(value)) if value[:1] in ("{", "[") else value
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return str(value)


def code_version() -> dict[str, str]:
    """Version of the package and SHA-256 over its source files.

    Examples
    --------
    >>> sorted(code_version())
    ['source', 'version']
    """
    return {"version": fairweather.__version__, "source": source_hash("**/*.py")}


def source_hash(*patterns: str) -> str:
    """SHA-256 over the names and text of source files of the package, line ends aside."""
    digest, root = hashlib.sha256(), Path(fairweather.__file__).parent
    for file in sorted({file for pattern in patterns for file in root.glob(pattern)}):
        digest.update(file.relative_to(root).as_posix().encode() + b"\0")
        digest.update(file.read_bytes().replace(b"\r\n", b"\n") + b"\0")
    return digest.hexdigest()


def package_versions() -> dict[str, str]:
    """Versions of the packages that shape the numbers; an absent one is left out."""
    out = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            out[name] = version(name)
        except PackageNotFoundError:
            continue
    return out


def machine() -> dict[str, Any]:
    """Say what a timing must be read against: system, processor type, cores, peak memory in MB."""
    return {
        "system": platform.system(),
        "processor": platform.machine(),
        "cores": os.cpu_count(),
        "peak_memory_mb": peak_memory_mb(),
    }


def peak_memory_mb() -> float | None:
    """Look up the largest resident memory so far, in MB; None where the system cannot tell."""
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1e6 if sys.platform == "darwin" else 1e3), 1)


def run_id(tree: xr.DataTree, forecast: xr.DataTree | None = None) -> str:
    """Id of a run: origin, reading, and eight hex digits of what determines its numbers.

    Parameters
    ----------
    tree : DataTree
        A fit.
    forecast : DataTree, optional
        A forecast from it.

    Returns
    -------
    str
        For example ``2024-elastic-side-3f9a01bc``.
    """
    attrs = {**tree.attrs, **(forecast.attrs if forecast is not None else {})}
    size = {k: int(tree["posterior"].sizes.get(k, 0)) for k in ("chain", "draw")}
    return _identify(attrs, size)


def attributes(model: Any, settings: Any, sampler: str) -> dict[str, Any]:
    """State what determines the numbers of a fit, as attributes of its tree.

    Parameters
    ----------
    model : Model
    settings : Settings
        With draws, tune, chains and seed.
    sampler : str
    """
    out = {
        "reading": model.reading,
        "priors_id": model.priors.id,
        "priors_hash": model.priors.content_hash,
        **panel_attributes(model.panel),
        "sampler": sampler,
        "seed": settings.seed,
        "draws": settings.draws,
        "tune": settings.tune,
        "chains": settings.chains,
        "target_accept": settings.target_accept,
        "model_source": source_hash(*MODEL_SOURCES),
    }
    # A cold fit says nothing: its id is what it was before there were warm ones.
    return out if settings.warm is None else out | {"warm": settings.warm.digest}


def panel_attributes(panel: Any) -> dict[str, Any]:
    """Attributes of a fit that follow from its panel alone."""
    return {
        "record_hash": panel.record.content_hash,
        "as_of": "" if panel.record.as_of is None else str(panel.record.as_of),
        "focal": panel.focal,
        "first_year": int(panel.years[0]),
        "origin": panel.origin,
        "indicators": _indicators_hash(panel),
        "reference": json.dumps({k: list(v) for k, v in panel.reference.items()}),
    }


def _indicators_hash(panel: Any) -> str:
    """Hash of the codebook's entries a panel reads: which, and how each is to be read."""
    entries = [repr(panel.record.codebook[i]) for i in sorted(panel.rows)]
    return hashlib.sha256("\n".join(entries).encode()).hexdigest()[:16]


def fit_id(attrs: Mapping[str, Any]) -> str:
    """Id of a fit from its attributes alone, before there is a draw."""
    return _identify(attrs, {"chain": attrs["chains"], "draw": attrs["draws"]})


def _identify(attrs: Mapping[str, Any], size: dict[str, int]) -> str:
    inputs = {k: plain(attrs.get(k)) for k in _DETERMINING}
    inputs["size"] = size
    inputs["tune"] = plain(attrs.get("tune"))
    inputs |= {k: plain(attrs[k]) for k in RENEWAL if k in attrs}
    inputs["code"] = code_version()["source"]
    text = json.dumps(inputs, sort_keys=True, allow_nan=False)
    digest = hashlib.sha256(text.encode()).hexdigest()
    return f"{attrs.get('origin', 'x')}-{attrs.get('reading', 'x')}-{digest[:8]}"


def describe(
    tree: xr.DataTree, forecast: xr.DataTree | None, gate: Any, clock: Clock | None = None
) -> dict[str, Any]:
    """State everything a run's numbers rest on, as strict JSON (see ``run.json``)."""
    a = plain(dict(tree.attrs))
    posterior = tree["posterior"]
    timings = {**(a.get("timings") or {}), **(clock.report() if clock is not None else {})}
    out = {
        "schema": SCHEMA,
        "id": run_id(tree, forecast),
        "created": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "model": {k: a.get(k) for k in _MODEL}
        | {k: posterior.sizes.get(f"{k[:-1]}") for k in ("chains", "draws")},
        "data": {
            "record_hash": a.get("record_hash"),
            "as_of": a.get("as_of") or None,
            "states": [str(s) for s in posterior["state"].values],
            "years": [int(posterior["year"].values[k]) for k in (0, -1)],
            "reference": a.get("reference"),
        },
        "priors": {"id": a.get("priors_id"), "hash": a.get("priors_hash")},
        "scenarios": None,
        "seed": a.get("seed"),
        "code": code_version(),
        "packages": package_versions(),
        "timings": timings,
        "diagnostics": {
            "passed": bool(gate.passed), **dict(gate.summary), "failures": list(gate.failures),
        },
        "machine": machine(),
    }  # fmt: skip
    renewed = {k: a[k] for k in RENEWED if k in a}
    if renewed:
        out["renewed"] = renewed
    if forecast is not None:
        f = plain(dict(forecast.attrs))
        out["scenarios"] = {
            "hash": f.get("scenarios_hash"),
            "names": [str(s) for s in forecast["durability"]["scenario"].values],
            "horizon": f.get("horizon"),
            "seed": f.get("forecast_seed", f.get("seed")),
        }
    return plain(out)
