"""Statistics meet replicates: draws are laid out once for all tests, and results kept apart.

Invariant: a test gives the same numbers alone and among others; a failure ends that test and no
other. Guarded by ``tests/test_predictive.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from fairweather.errors import FairweatherError
from fairweather.predictive.evaluate import Runner
from fairweather.predictive.replicate import ReplicationError, Replicator
from fairweather.predictive.result import ALL, Failure, PredictiveTest, PredictiveTests, compared
from fairweather.statistics import Statistic, StatisticError

if TYPE_CHECKING:
    import xarray as xr

# Draws laid out at a time: a compromise between calls and memory.
CHUNK = 25

Where = str | Callable[..., Any] | None


def run(
    bench: Replicator, replicate: str, jobs: list[tuple[Statistic, Where]],
    patience: float | None, *, strict: bool = False,
) -> PredictiveTests:  # fmt: skip
    """Run statistics over all draws, some draws at a time.

    Parameters
    ----------
    bench : Replicator
    replicate : str
    jobs : list of (Statistic, regime)
    patience : float or None
    strict : bool
        Raise the first failure instead of keeping it.
    """
    cells, size = bench.drawn_cells, len(bench.sample)
    drawn = cells.any(axis=0)
    runners: list[Runner | None] = []
    masks: list[np.ndarray | None] = []
    reasons: dict[int, str] = {}

    def lost(k: int, err: FairweatherError) -> None:
        if strict:
            raise err
        reasons[k] = str(err)

    for k, (one, where) in enumerate(jobs):
        runners.append(Runner(one, patience, size + (1 if one.observables_only else size)))
        masks.append(None)
        try:
            masks[k] = bench.layout.regime(where, drawn)
            if (
                not (cells if masks[k] is None else cells & masks[k]).any()
                and replicate != "ordinary"
            ):
                raise ReplicationError(
                    f"no row drawn anew lies {'in the panel' if where is None else 'under where='}",
                    remedy="Leave out rows of that regime, or choose another.",
                )
        except FairweatherError as err:
            lost(k, err)
    for start in range(0, size, CHUNK):
        part = slice(start, min(start + CHUNK, size))
        for k, data, what in _data(bench, jobs, masks, reasons, part, drawn):
            try:
                runners[k].run(data, what, start)
            except StatisticError as err:
                lost(k, err)
    found, failed = [], []
    for k, (one, where) in enumerate(jobs):
        name = ALL if where is None else where if isinstance(where, str) else _named(where)
        if k in reasons:
            failed.append(Failure(one.name, one.label, replicate, name, reasons[k]))
            continue
        counts = {"draws": size, **bench.layout.counts(cells, masks[k])}
        if one.support is not None:
            data = bench.layout.observed(drawn, masks[k])
            if not one.observables_only:
                latents = {n: bench.sample.values[n][:1].copy() for n in bench.latents}
                data = bench.layout.build({}, latents, 1, drawn=drawn, keep=masks[k]).isel(draw=0)
            counts["support"] = int(one.support(data))
        values = (runners[k].array(w) for w in ("realised", "replicated"))
        data = compared(*values, runners[k].like, bench.sample)
        notes = [*bench.notes, *_caveats(one, replicate, data)]
        found.append(
            PredictiveTest(one.name, one.label, replicate, name, data, counts, tuple(notes))
        )
    return PredictiveTests(tuple(found), tuple(failed))


def _named(where: Callable[..., Any]) -> str:
    return str(getattr(where, "__name__", "where")).strip("<>")


def _data(
    bench: Replicator, jobs: list[tuple[Statistic, Where]], masks: list[np.ndarray | None],
    reasons: dict[int, str], part: slice, drawn: np.ndarray,
) -> Iterator[tuple[int, xr.Dataset, str]]:  # fmt: skip
    """Lay some draws out for each statistic: replicated, and realised where still needed."""
    rows, size = bench.rows(part), part.stop - part.start
    fresh = {k: v[part].copy() for k, v in bench.latents.items()}
    fitted = {k: bench.sample.values[k][part].copy() for k in bench.latents}
    built: dict[Any, xr.Dataset] = {}

    def make(k: int, what: str) -> xr.Dataset:
        blind, mask = jobs[k][0].observables_only, masks[k]
        key = (what, blind, None if mask is None else mask.tobytes())
        if key not in built:
            content = rows if what == "replicated" else {}
            paths = {} if blind else fresh if what == "replicated" else fitted
            count = 1 if blind and what == "realised" else size
            built[key] = bench.layout.build(content, paths, count, drawn=drawn, keep=mask)
        return built[key]

    for k, (one, _) in enumerate(jobs):
        if not one.observables_only or part.start == 0:
            if k not in reasons:
                yield k, make(k, "realised"), "realised"
        if k not in reasons:
            yield k, make(k, "replicated"), "replicated"


def _caveats(one: Statistic, replicate: str, data: xr.Dataset) -> list[str]:
    out = []
    if replicate == "ordinary" and one.purpose == "claim":
        out.append("a statistic of a claim passes ordinary replication almost whatever is true")
    if bool((data["replicated"] == data["realised"]).all()):
        out.append("replicated and realised values are the same on every draw: nothing was tested")
    return out
