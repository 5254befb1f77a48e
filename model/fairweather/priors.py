"""Prior beliefs are data: read from TOML, checked key by key, never hidden in code.

Invariant: a model is built only from priors that name a known quantity, a known distribution,
its exact parameters, a reason and a source; a misspelt key stops the run. A set may rest on a
shipped one and give only what it changes; its hash is that of the whole set.
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
_META = ("id", "title", "note", "base")

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
# What moves the target and how fast. Rival beliefs differ here and nowhere else: scale,
# identification, pressure's own course and measurement are common ground.
DRIVERS: tuple[str, ...] = (
    "half_life", "asymmetry", "elasticity_mean", "elasticity_scale", "coupling",
    "shared_pressure", "exponent", "complementarity_trade", "complementarity_energy",
    "complementarity_regime", "complementarity_leaders", "scope", "drift", "dyad_drift_scale",
    "lead_security", "lead_economic",
)  # fmt: skip


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

    def logpdf(self, x: Any) -> np.ndarray:
        """Log density of numbers, normalised.

        Parameters
        ----------
        x : array_like

        Returns
        -------
        ndarray, shape of `x`
            ``-inf`` where the prior gives no mass.

        Raises
        ------
        PriorError
            The quantity is Fixed.

        Examples
        --------
        >>> prior = Prior("drift", "Normal", {"mu": 0.0, "sigma": 1.0}, "reason", "source")
        >>> prior.logpdf([0.0, 2.0]).round(3).tolist()
        [-0.919, -2.919]
        """
        from scipy import stats

        p, x = self.params, np.asarray(x, float)
        if self.fixed:
            raise PriorError(f"prior '{self.name}' is Fixed and has no density")
        if self.dist == "Normal":
            return np.asarray(stats.norm.logpdf(x, p["mu"], p["sigma"]))
        if self.dist == "LogNormal":
            return np.asarray(stats.lognorm.logpdf(x, p["sigma"], scale=math.exp(p["mu"])))
        return np.asarray(stats.halfnorm.logpdf(x, scale=p["sigma"]))

    def same_as(self, other: Prior) -> bool:
        """Whether two priors are one distribution, whatever the reasons given."""
        return (self.dist, self.params) == (other.dist, other.params)

    def __str__(self) -> str:
        """Write the prior as a distribution with its parameters."""
        args = ", ".join(f"{k}={v:g}" for k, v in self.params.items())
        return f"{self.dist}({args})"


@dataclass(frozen=True)
class Priors:
    """A complete belief set, one `Prior` per quantity.

    Attributes
    ----------
    base : str
        Name of the shipped set it rests on; empty if it stands alone.
    changed : tuple of str
        The quantities in which it differs from its base.

    Raises
    ------
    PriorError
        On access to a quantity the belief set does not define.
    """

    id: str
    title: str
    table: dict[str, Prior]
    content_hash: str
    note: str = ""
    base: str = ""
    changed: tuple[str, ...] = ()

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
        return Priors(f"{self.id}*", self.title, table, _digest(table), self.note)

    def against(self, other: Priors) -> tuple[str, ...]:
        """Quantities in which two sets differ.

        Examples
        --------
        >>> load_priors().against(load_priors())
        ()
        """
        return tuple(n for n in QUANTITIES if not self[n].same_as(other[n]))


def _digest(table: dict[str, Prior]) -> str:
    """Hash of the whole set: what is believed, not why."""
    return hashlib.sha256(repr(sorted((k, str(v)) for k, v in table.items())).encode()).hexdigest()


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
        Whole: what a set with ``[meta] base = "NAME"`` does not give is taken from that shipped
        set, which may have a base of its own.

    Raises
    ------
    PriorError
        Unreadable file, unknown quantity, misspelt key, impossible parameter, missing reason; a
        base that is not shipped or leads back to itself; a set that changes nothing of its base.

    Examples
    --------
    >>> import fairweather as fw
    >>> str(fw.load_priors()["half_life"])
    'LogNormal(mu=1.609, sigma=0.2)'
    >>> fw.load_priors("sceptic").base
    'default'
    """
    file = Path(path) if path and str(path).endswith(".toml") else None
    if file is None:
        file = priors_dir() / f"{path or 'default'}.toml"
    return _load(file, ())


def shipped() -> list[str]:
    """Names of the belief sets in ``priors/``, ``default`` first.

    Examples
    --------
    >>> shipped()
    ['default', 'agnostic', 'author', 'sceptic']
    """
    found = sorted(p.stem for p in priors_dir().glob("*.toml"))
    return sorted(found, key=lambda name: name != "default")


def _load(file: Path, above: tuple[Path, ...]) -> Priors:
    """Read a set, and first the one it rests on; `above` are the sets that rest on this one."""
    try:
        raw = file.read_bytes()
    except OSError as err:
        raise PriorError(
            f"{file}: cannot be read ({err.strerror}); shipped sets: {', '.join(shipped())}"
        ) from err
    try:
        content = tomllib.loads(raw.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as err:
        raise PriorError(f"{file}: not valid TOML: {err}") from err
    meta = _check_meta(content.pop("meta", {}), file.name)
    own = {name: _check(name, entry, file.name) for name, entry in content.items()}
    base = None
    if "base" in meta:
        base = _load(_base_file(meta["base"], file, above), (*above, file.resolve()))
        if all(prior.same_as(base[name]) for name, prior in own.items()):
            raise PriorError(
                f"{file.name}: changes nothing of its base '{meta['base']}'",
                remedy="Give at least one quantity another prior, or use the base itself.",
            )
    table = {**(base.table if base else {}), **own}
    missing = [q for q in QUANTITIES if q not in table]
    if missing:
        raise PriorError(
            f"{file.name}: no prior for {', '.join(missing)}; add a table for each, or "
            '[meta] base = "default" to take the rest from a shipped set'
        )
    changed = [q for q in own if base and not own[q].same_as(base[q])]
    return Priors(
        meta.get("id", file.stem), meta.get("title", ""), table, _digest(table),
        meta.get("note", ""), meta.get("base", ""), tuple(changed),
    )  # fmt: skip


def _check_meta(meta: Any, where: str) -> dict[str, str]:
    if not isinstance(meta, dict):
        raise PriorError(f"{where}: [meta] must be a table with id and title, not {meta!r}")
    for key, value in meta.items():
        if key not in _META:
            raise PriorError(f"{where}: [meta] has an unknown key '{key}'; use {', '.join(_META)}")
        if not isinstance(value, str) or not value.strip():
            raise PriorError(f"{where}: [meta] {key} must be text, not {value!r}")
    return meta


def _base_file(name: str, file: Path, above: tuple[Path, ...] = ()) -> Path:
    if name not in shipped():
        raise PriorError(
            f"{file.name}: [meta] base = '{name}' is not a shipped set",
            remedy=f"Name one of {', '.join(shipped())}.",
        )
    base = priors_dir() / f"{name}.toml"
    if base.resolve() in (*above, file.resolve()):
        raise PriorError(
            f"{file.name}: [meta] base = '{name}' leads back to itself",
            remedy="Let the last set of the chain give every quantity.",
        )
    return base
