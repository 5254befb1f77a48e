"""Labelled posterior predictive tests: a statistic of the record beside that of its replicates.

Invariant: a test says how its replicates were made, and those of claims are made of rows the fit
has not seen; ordinary replication, which passes almost any claim because the latent paths have
seen the rows, says so in its result. Guarded by ``tests/test_predictive.py``.

``docs/predictive.md`` has the schema of the data set and a statistic in five lines.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from fairweather.predictive.dataset import DYAD_WEATHER, REGIMES, laid_out
from fairweather.predictive.replicate import (
    KINDS,
    ReplicationError,
    Replicator,
    Sample,
    held_out,
    mixed,
    ordinary,
)
from fairweather.predictive.result import ALL, Failure, PredictiveTest, PredictiveTests
from fairweather.predictive.running import Where, run
from fairweather.statistics import Statistic, StatisticError, as_statistic

if TYPE_CHECKING:
    import xarray as xr

    from fairweather.panel import Panel
    from fairweather.priors import Priors

__all__ = [
    "ALL", "DYAD_WEATHER", "KINDS", "REGIMES", "Failure", "PredictiveTest", "PredictiveTests",
    "ReplicationError", "StatisticError", "example", "ppc", "ppc_by_weather", "ppc_many",
]  # fmt: skip

DRAWS = 400
PATIENCE = 60.0


def ppc(
    tree: xr.DataTree | Mapping[str, Any], panel: Panel, statistic: Any, *,
    replicate: str = "held-out", known: Panel | None = None, where: Where = None,
    dyads: str | Iterable[str] | None = None, draws: int = DRAWS, random_seed: int = 1,
    priors: Priors | None = None, reading: str | None = None,
    patience: float | None = PATIENCE,
) -> PredictiveTest:  # fmt: skip
    """Test what a model says of the record by one statistic.

    Parameters
    ----------
    tree : DataTree or mapping of str to array
        A fit, or its values named as in the posterior with one leading axis of draws.
    panel : Panel
        The whole panel, from which the realised value comes.
    statistic : str, Statistic or callable
        A name from ``fairweather.list_statistics()``, what ``fairweather.statistic`` made of a
        function, or a plain function of the labelled data set.
    replicate : {"held-out", "mixed", "ordinary"}
        *held-out*: `tree` is a fit of `known`; rows it lacks are drawn given those it has. Claims
        are tested so. *mixed*: dyads drawn anew from the parameters of the panel. *ordinary*: all
        rows drawn anew around the fitted paths; for misfit of the measurement only.
    known : Panel, optional
        The panel without the rows left out, from ``fairweather.hold_out``; for *held-out*.
    where : str or callable, optional
        Show the statistic only the dyad-years of one weather, in realised and replicated data:
        one of ``REGIMES``, or a function of the observed data set that gives a mask over dyads
        and years.
    dyads : str or iterable of str, optional
        For *mixed*: those to draw anew, all by default; the others keep their rows and paths.
    draws : int
        About how many; thinned evenly within chains.
    random_seed : int
    priors : Priors, optional
        The belief set of the fit; default: the shipped one of that name.
    reading : str, optional
        For values by name: the reading they were drawn under.
    patience : float or None
        Seconds the statistic may take in all.

    Returns
    -------
    PredictiveTest

    Raises
    ------
    StatisticError
        The statistic is unknown, fails, gives NaN or no number, changes its input or is too slow.
    ReplicationError
        Fit, panel and way of replicating do not belong together.
    FairweatherError
        The regime is unknown or has no data.

    Examples
    --------
    >>> import fairweather as fw
    >>> from fairweather.simulate import prior_tree
    >>> panel = fw.load_panel(states=["CHN", "RUS", "IND"])
    >>> test = ppc(prior_tree(panel, draws=20), panel, "drawdown", replicate="mixed")
    >>> 0 <= test.p_value <= 1
    True
    """
    one = as_statistic(statistic)
    bench = _bench(tree, panel, replicate, known, dyads, draws, random_seed, priors, reading)
    return run(bench, replicate, [(one, where)], patience, strict=True).results[0]


def ppc_many(
    tree: xr.DataTree | Mapping[str, Any], panel: Panel, statistics: Iterable[Any] | None = None,
    *, replicate: str = "held-out", known: Panel | None = None, where: Where = None,
    dyads: str | Iterable[str] | None = None, draws: int = DRAWS, random_seed: int = 1,
    priors: Priors | None = None, reading: str | None = None,
    patience: float | None = PATIENCE,
) -> PredictiveTests:  # fmt: skip
    """Test many statistics on the same replicates; one that fails does not stop the others.

    Parameters
    ----------
    statistics : iterable, optional
        As in `ppc`; by default the shipped ones that fit the way of replicating: those of misfit
        for *ordinary*, those of claims for the others.
    tree, panel, replicate, known, where, dyads, draws, random_seed, priors, reading, patience
        As in `ppc`. Numbers are those that `ppc` gives for each statistic alone.

    Returns
    -------
    PredictiveTests

    Raises
    ------
    StatisticError
        Two statistics of one name.
    ReplicationError
        As `ppc`.

    Examples
    --------
    >>> import fairweather as fw
    >>> from fairweather.simulate import prior_tree
    >>> panel = fw.load_panel(states=["CHN", "RUS", "IND"])
    >>> tests = ppc_many(prior_tree(panel, draws=20), panel, replicate="ordinary")
    >>> [t.name for t in tests]
    ['vote-variance-ratio', 'vote-autocorrelation', 'count-zeros']
    """
    jobs = [(one, where) for one in _several(statistics, replicate)]
    bench = _bench(tree, panel, replicate, known, dyads, draws, random_seed, priors, reading)
    return run(bench, replicate, jobs, patience)


def ppc_by_weather(
    tree: xr.DataTree | Mapping[str, Any], panel: Panel, statistic: Any, *,
    replicate: str = "held-out", known: Panel | None = None,
    dyads: str | Iterable[str] | None = None, draws: int = DRAWS, random_seed: int = 1,
    priors: Priors | None = None, reading: str | None = None,
    patience: float | None = PATIENCE,
) -> PredictiveTests:  # fmt: skip
    """Test one statistic under every weather of a dyad in turn, and under all.

    Parameters
    ----------
    tree, panel, statistic, replicate, known, dyads, draws, random_seed, priors, reading, patience
        As in `ppc`.

    Returns
    -------
    PredictiveTests
        ``to_dataframe()`` is the table: one row for ``all`` and each of ``DYAD_WEATHER``; a
        weather without data is a row that says so.

    Examples
    --------
    >>> import fairweather as fw
    >>> from fairweather.simulate import prior_tree
    >>> panel = fw.load_panel(states=["CHN", "RUS", "IND"])
    >>> tests = ppc_by_weather(
    ...     prior_tree(panel, draws=20), panel, "count-zeros", replicate="ordinary"
    ... )
    >>> {"all", "quiet"} <= set(tests.to_dataframe()["where"])
    True
    """
    jobs: list[tuple[Statistic, Where]] = [(as_statistic(statistic), None)]
    jobs += [(jobs[0][0], label) for label in DYAD_WEATHER]
    bench = _bench(tree, panel, replicate, known, dyads, draws, random_seed, priors, reading)
    return run(bench, replicate, jobs, patience)


def example(panel: Panel) -> xr.Dataset:
    """Build the observed data set of a panel, on which to try a statistic.

    The latent paths are there in name: pressure as its anchor shows it, alignment as zeros.

    Examples
    --------
    >>> import fairweather as fw
    >>> data = example(fw.load_panel(states=["CHN", "RUS", "IND"]))
    >>> data["unga_votes"].dims
    ('dyad', 'year')
    """
    layout = laid_out(panel)
    nothing = np.zeros(panel.complementarity.shape[1:], bool)
    latents = {"alignment": np.zeros((1, *nothing.shape)), "pressure": panel.anchor_fill[None]}
    latents = {k: v.copy() for k, v in latents.items()}
    return layout.build({}, latents, 1, drawn=nothing).isel(draw=0)


def _several(statistics: Iterable[Any] | None, replicate: str) -> list[Statistic]:
    from fairweather.statistics import STATISTICS

    if statistics is None:
        purpose = "misfit" if replicate == "ordinary" else "claim"
        return [s for s in map(as_statistic, STATISTICS) if s.purpose == purpose]
    given = [statistics] if isinstance(statistics, str | Statistic) else list(statistics)
    found = [as_statistic(s) for s in given]
    named = [s.name for s in found]
    if twice := sorted({n for n in named if named.count(n) > 1}):
        raise StatisticError(
            f"two statistics are called {', '.join(twice)}",
            remedy="Give each a name of its own: @fairweather.statistic(name=...).",
        )
    return found


def _bench(
    tree: Any, panel: Panel, replicate: str, known: Panel | None, dyads: Any, draws: int,
    seed: int, priors: Priors | None, reading: str | None,
) -> Replicator:  # fmt: skip
    if replicate not in KINDS:
        raise ReplicationError(
            f"unknown replication {replicate!r}", remedy=f"Choose from {', '.join(KINDS)}."
        )
    if (replicate == "held-out") != (known is not None):
        raise ReplicationError(
            f"{replicate} replication {'needs' if known is None else 'takes no'} known=",
            remedy="Held-out: known = hold_out(panel, ...), tree = fit(known).",
        )
    if dyads is not None and replicate != "mixed":
        raise ReplicationError("dyads= is for mixed replication", remedy="Use where= instead.")
    sample = Sample.of(tree, panel if known is None else known, draws, priors, reading)
    layout = laid_out(panel)
    if replicate == "held-out":
        return held_out(layout, sample, known, seed)
    return ordinary(layout, sample, seed) if replicate == "ordinary" else mixed(
        layout, sample, seed, dyads
    )  # fmt: skip
