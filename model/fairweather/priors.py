"""Prior beliefs are data: read from TOML, checked key by key, never hidden in code.

Invariant: a model is built only from priors that name a known quantity, a known distribution,
its exact parameters, a reason and a source; a misspelt key stops the run.
Guarded by ``tests/test_priors.py``.
"""

from __future__ import annotations

import hashlib
import math
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fairweather.errors import PriorError
from fairweather.paths import priors_dir

PARAMETERS: dict[str, tuple[str, ...]] = {
    "Normal": ("mu", "sigma"),
    "LogNormal": ("mu", "sigma"),
    "HalfNormal": ("sigma",),
    "Fixed": ("value",),
}
_POSITIVE = {"sigma"}
_TEXT = {"reason", "source"}
_OPTIONAL = {"unit"}

QUANTITIES: tuple[str, ...] = (
    "half_life", "intercept_scale", "wander", "shock_df", "state_wander",
    "elasticity_mean", "elasticity_scale", "coupling", "shared_pressure", "exponent",
    "complementarity_trade", "complementarity_energy", "scope", "complementarity_error",
    "drift", "dyad_drift_scale", "asymmetry", "lead_security", "lead_economic",
    "complementarity_regime", "complementarity_leaders",
    "pressure_half_life", "pressure_innovation", "anchor_error", "feedback", "words_scale",
    "loading_within", "loading_count", "loading_share", "share_level", "residual_spare",
    "residual_floor",
    "concentration", "year_shift_scale", "agenda_scale", "vote_residual", "vote_sampling_share",
    "delegation_scale",
)  # fmt: skip
# These enter densities as constants or only through their support: a wrong kind is an error.
_MUST_BE_FIXED = {
    "intercept_scale", "words_scale", "shock_df", "complementarity_error", "anchor_error",
    "year_shift_scale", "agenda_scale",
    "vote_residual", "vote_sampling_share", "residual_floor", "concentration",
}  # fmt: skip
_MUST_BE_POSITIVE = {
    "half_life", "intercept_scale", "wander", "shock_df", "state_wander",
    "elasticity_scale", "complementarity_error", "dyad_drift_scale", "pressure_half_life",
    "pressure_innovation", "anchor_error", "words_scale", "loading_within", "loading_count",
    "loading_share", "residual_spare", "residual_floor", "concentration", "year_shift_scale",
    "agenda_scale",
    "vote_residual", "delegation_scale",
}  # fmt: skip


@dataclass(frozen=True)
class Prior:
    """One prior: a distribution, its parameters, and why.

    Examples
    --------
    >>> Prior("half_life", "LogNormal", {"mu": 1.6, "sigma": 0.2}, "slow", "note").fixed
    False
    """

    name: str
    dist: str
    params: dict[str, float]
    reason: str
    source: str
    unit: str = ""

    @property
    def fixed(self) -> bool:
        """Whether the quantity is a constant."""
        return self.dist == "Fixed"

    def rv(self, name: str | None = None, dims: Any = None) -> Any:
        """Create the PyMC variable in the current model context (a float when fixed)."""
        if self.fixed:
            return self.params["value"]
        import pymc as pm

        return getattr(pm, self.dist)(name or self.name, **self.params, dims=dims)

    def draw(self, rng: np.random.Generator, size: Any = None) -> Any:
        """Draw from the prior with NumPy (used by prior prediction and simulated worlds)."""
        p = self.params
        if self.dist == "Fixed":
            return p["value"] if size is None else np.full(size, p["value"])
        if self.dist == "Normal":
            return rng.normal(p["mu"], p["sigma"], size)
        if self.dist == "LogNormal":
            return rng.lognormal(p["mu"], p["sigma"], size)
        return np.abs(rng.normal(0.0, p["sigma"], size))

    def logp(self, value: Any) -> Any:
        """Log density of a tensor value, up to nothing: used where a prior is a potential."""
        import pymc as pm

        if self.fixed:
            raise PriorError(f"prior '{self.name}' is Fixed and has no density")
        return pm.logp(getattr(pm, self.dist).dist(**self.params), value)

    def __str__(self) -> str:
        """Write the prior as a distribution with its parameters."""
        args = ", ".join(f"{k}={v:g}" for k, v in self.params.items())
        return f"{self.dist}({args})"


@dataclass(frozen=True)
class Priors:
    """A complete belief set, one `Prior` per quantity.

    Raises
    ------
    PriorError
        On access to a quantity the belief set does not define.
    """

    id: str
    title: str
    table: dict[str, Prior]
    content_hash: str

    def __getitem__(self, name: str) -> Prior:
        """Return the prior of one quantity."""
        try:
            return self.table[name]
        except KeyError:
            raise PriorError(f"no prior for '{name}' in belief set '{self.id}'") from None

    def fixed(self, name: str) -> float:
        """Return the value of a quantity that is held fixed."""
        prior = self[name]
        if not prior.fixed:
            raise PriorError(f"'{name}' is {prior}, but the model needs a Fixed value")
        return prior.params["value"]

    def replace(self, **changes: Prior) -> Priors:
        """Return a copy with some priors replaced; the hash follows the content."""
        table = {**self.table, **changes}
        digest = hashlib.sha256(
            repr(sorted((k, str(v)) for k, v in table.items())).encode()
        ).hexdigest()
        return Priors(f"{self.id}*", self.title, table, digest)


def _check(name: str, entry: dict[str, Any], where: str) -> Prior:
    if name not in QUANTITIES:
        raise PriorError(
            f"{where}: [{name}] is not a quantity of the model. Known: {', '.join(QUANTITIES)}"
        )
    if not isinstance(entry, dict):
        raise PriorError(
            f"{where}: [{name}] must be a table, not {entry!r}; "
            f"write [{name}] with dist, its parameters, reason and source"
        )
    dist = entry.get("dist")
    if dist not in PARAMETERS:
        raise PriorError(f"{where}: [{name}] dist = {dist!r}; use one of {', '.join(PARAMETERS)}")
    wanted = set(PARAMETERS[dist])
    for key in entry:
        if key not in wanted | _TEXT | _OPTIONAL | {"dist"}:
            raise PriorError(
                f"{where}: [{name}] has an unknown key '{key}'; "
                f"{dist} takes {', '.join(sorted(wanted))} beside reason, source and unit"
            )
    for key in sorted(wanted | _TEXT):
        if key not in entry:
            raise PriorError(f"{where}: [{name}] lacks '{key}'; add it")
    for key in _TEXT:
        if not isinstance(entry[key], str) or not entry[key].strip():
            raise PriorError(f"{where}: [{name}] {key} must be a sentence, not {entry[key]!r}")
    params: dict[str, float] = {}
    for key in wanted:
        value = entry[key]
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not math.isfinite(value)
        ):
            raise PriorError(f"{where}: [{name}] {key} = {value!r} is not a finite number")
        if key in _POSITIVE and value <= 0:
            raise PriorError(f"{where}: [{name}] {key} = {value} must be greater than 0")
        params[key] = float(value)
    if name in _MUST_BE_FIXED and dist != "Fixed":
        raise PriorError(f"{where}: [{name}] must be Fixed; it enters the likelihood as a constant")
    if name in _MUST_BE_POSITIVE:
        if dist == "Normal":
            raise PriorError(f"{where}: [{name}] must be positive; use LogNormal or HalfNormal")
        if dist == "Fixed" and params["value"] <= 0:
            raise PriorError(f"{where}: [{name}] value = {params['value']} must be greater than 0")
    ordered = {k: params[k] for k in PARAMETERS[dist]}
    return Prior(name, dist, ordered, entry["reason"], entry["source"], entry.get("unit", ""))


def load_priors(path: str | Path | None = None) -> Priors:
    """Read and check a belief set.

    Parameters
    ----------
    path : str or Path, optional
        A TOML file, or the name of a belief set shipped in ``priors/`` (default: ``default``).

    Returns
    -------
    Priors

    Raises
    ------
    PriorError
        Unreadable file, unknown quantity, misspelt key, impossible parameter, missing reason.

    Examples
    --------
    >>> import fairweather as fw
    >>> str(fw.load_priors()["half_life"])
    'LogNormal(mu=1.609, sigma=0.2)'
    """
    file = Path(path) if path and str(path).endswith(".toml") else None
    if file is None:
        file = priors_dir() / f"{path or 'default'}.toml"
    try:
        raw = file.read_bytes()
    except OSError as err:
        known = ", ".join(sorted(p.stem for p in priors_dir().glob("*.toml")))
        raise PriorError(f"{file}: cannot be read ({err.strerror}); shipped sets: {known}") from err
    try:
        content = tomllib.loads(raw.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as err:
        raise PriorError(f"{file}: not valid TOML: {err}") from err
    meta = content.pop("meta", {})
    if not isinstance(meta, dict):
        raise PriorError(f"{file.name}: [meta] must be a table with id and title, not {meta!r}")
    table = {name: _check(name, entry, file.name) for name, entry in content.items()}
    missing = [q for q in QUANTITIES if q not in table]
    if missing:
        raise PriorError(f"{file.name}: no prior for {', '.join(missing)}; add a table for each")
    digest = hashlib.sha256(repr(sorted((k, str(v)) for k, v in table.items())).encode())
    return Priors(
        str(meta.get("id", file.stem)), str(meta.get("title", "")), table, digest.hexdigest()
    )
