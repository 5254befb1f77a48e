"""A self-check of the installation: does it load, does it compute the same thing twice, how fast.

Invariant: the engine is compared with the PyMC model as written, and the default sampler with
every other sampler that is installed, on a problem small enough for minutes; a disagreement
beyond Monte Carlo error fails. Guarded by ``tests/test_doctor.py`` and ``tests/test_samplers.py``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fairweather.errors import FairweatherError

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from fairweather.model import Model

STATES = ("CHN", "IND", "RUS")
FIRST_YEAR = 2012
# A difference this far out happens once in a thousand checks of this many quantities.
_RISK = 1e-3
_SIZE = {"draws": 1000, "tune": 500, "chains": 2}


@dataclass(frozen=True)
class Finding:
    """One check: what was looked at, whether it is well, and what was seen."""

    check: str
    passed: bool
    seen: str


def tiny() -> Model:
    """Build the problem of the self-check: three states, thirteen years, real rows."""
    from fairweather.model import build_model
    from fairweather.panel import load_panel

    return build_model(load_panel(states=list(STATES), first_year=FIRST_YEAR))


def examine(samplers: list[str] | None = None) -> Iterator[Finding]:
    """Run the checks one after another.

    Parameters
    ----------
    samplers : list of str, optional
        To compare with the default; by default all that are installed. An empty list compares
        none.

    Yields
    ------
    Finding

    Examples
    --------
    >>> next(examine([])).check
    'packages'
    """
    yield _guarded("packages", _packages)
    yield _guarded("record", _record)
    model = tiny()
    yield _guarded("engine against the model as written", lambda: _engine(model))
    yield from _samplers(model, samplers)


def _guarded(check: str, look: Callable[[], tuple[bool, str]]) -> Finding:
    """Turn whatever goes wrong into a finding."""
    try:
        passed, seen = look()
    except Exception as err:
        return Finding(check, False, f"{type(err).__name__}: {err}")
    return Finding(check, passed, seen)


def _packages() -> tuple[bool, str]:
    from fairweather.provenance import package_versions

    found = package_versions()
    return True, ", ".join(f"{k} {v}" for k, v in found.items())


def _record() -> tuple[bool, str]:
    from fairweather.record import load_record

    record = load_record()
    return True, f"{len(record.observations):,} rows, hash {record.content_hash[:12]}"


def _engine(model: Model) -> tuple[bool, str]:
    """Largest relative difference of the gradient, and what a gradient costs."""
    import numpy as np

    from fairweather.engine.native import Density
    from fairweather.engine.pack import pack

    start = time.perf_counter()
    packed = pack(model)
    density = Density(model, packed)
    density(packed.centre.copy())
    compiled = time.perf_counter() - start
    rng = np.random.default_rng(1)
    points = [packed.centre + 0.4 * rng.standard_normal(packed.n_dim) for _ in range(3)]
    differences, constants = written_minus_engine(model, packed, density, points)
    start = time.perf_counter()
    for _ in range(200):
        density(points[0])
    each = (time.perf_counter() - start) / 200
    worst = max(differences)
    good = worst < 1e-8 and float(np.ptp(constants)) < 1e-6
    return good, (
        f"gradients differ by at most {worst:.0e}; ready in {compiled:.1f} s, "
        f"{1e6 * each:.0f} microseconds a gradient"
    )


def written_minus_engine(
    model: Model, packed: Any, density: Any, points: list[Any]
) -> tuple[list[float], list[float]]:
    """Compare with automatic differentiation of the PyMC model.

    Returns
    -------
    list of float
        Largest relative difference of the gradient at each point.
    list of float
        Difference of the log densities at each point: one constant where both agree.
    """
    import jax
    import numpy as np

    from fairweather.samplers.jax_density import joined_logp

    both = jax.jit(jax.value_and_grad(joined_logp(model, packed)))
    worst, constants = [], []
    for x in points:
        value, slopes = both(x)
        ours, gradient = density(x)
        # NumPy's maximum keeps a NaN, and a NaN is no agreement.
        worst.append(float(np.max(np.abs(gradient - slopes) / (1.0 + np.abs(slopes)))))
        constants.append(float(ours - value))
    return worst, constants


def _samplers(model: Model, wanted: list[str] | None) -> Iterator[Finding]:
    """Compare posterior means of the default sampler with those of the others."""
    from fairweather.inference import fit
    from fairweather.samplers import DEFAULT, SAMPLERS, get_sampler

    others = [s for s in SAMPLERS if s != DEFAULT] if wanted is None else list(wanted)
    if not others:
        return
    ours: list[xr.DataTree] = []

    def sample(name: str) -> Any:
        return fit(model, sampler=name, random_seed=11, progressbar=False, **_SIZE)

    def default() -> tuple[bool, str]:
        ours.append(sample(DEFAULT))
        return True, f"{_SIZE['chains']} x {_SIZE['draws']} draws"

    yield _guarded(f"sampler {DEFAULT}", default)
    for name in others:
        try:
            get_sampler(name)
        except FairweatherError:
            if wanted is not None:
                yield Finding(f"sampler {name}", False, "not installed")
            continue

        def look(name: str = name) -> tuple[bool, str]:
            table = compare(ours[0], sample(name))
            worst = table.iloc[0]
            return bool(table["agrees"].all()), (
                f"{len(table)} posterior means against {DEFAULT}; furthest {worst['quantity']}, "
                f"{worst['z']:.1f} Monte Carlo errors"
            )

        yield _guarded(f"sampler {name}", look)


def compare(one: xr.DataTree, two: xr.DataTree) -> pd.DataFrame:
    """Compare the posterior means of two fits of one model.

    Returns
    -------
    DataFrame
        quantity, z (difference in Monte Carlo errors of both), agrees; furthest first. The bar is
        set so that two exact samplers fail it once in a thousand comparisons.

    Notes
    -----
    Monte Carlo errors are those of arviz-stats (``mcse``), of bulk ESS.
    """
    import arviz_stats as az
    import numpy as np
    import pandas as pd
    from scipy.stats import t

    from fairweather.gate import reported

    a, b = reported(one), reported(two)
    spread_a, spread_b = az.mcse(a), az.mcse(b)
    rows = []
    for name in [v for v in a.data_vars if v in b.data_vars]:
        lead = ("chain", "draw")
        gap = np.ravel((a[name].mean(lead) - b[name].mean(lead)).to_numpy())
        error = np.ravel(np.hypot(spread_a[name].to_numpy(), spread_b[name].to_numpy()))
        for n, (g, e) in enumerate(zip(gap, error, strict=True)):
            if e > 0 or g != 0:
                far = abs(g) / e if e > 0 else np.inf
                rows.append((name if gap.size == 1 else f"{name}[{n}]", far))
    table = pd.DataFrame(rows, columns=["quantity", "z"])
    # Errors are estimates themselves, of some tens of independent draws at the worst: hence t.
    bar = float(t.isf(_RISK / (2 * len(table)), df=60))
    table["agrees"] = table["z"] < bar
    return table.sort_values("z", ascending=False, ignore_index=True)
