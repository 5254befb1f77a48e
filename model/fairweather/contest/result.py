"""What the contest found: weights, differences, the confusion matrix, and what to say of them.

Invariant: weights that average claims come from the future design alone, chosen before any result;
the confusion matrix is of a smaller contest, and the same small contest on the record stands
beside it. Guarded by ``tests/test_contest_result.py``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from fairweather import names
from fairweather.contest.design import ContestError

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from fairweather.confusion import Confusion
    from fairweather.stacking import Stacked

# Whose weights average the claims, if it was run.
PRIMARY = ("future", "episodes", "dyads")
ALL = "joint"


@dataclass(frozen=True)
class Contest:
    """A contest that was run.

    Attributes
    ----------
    designs : dict of str to Stacked
        Weights by design; ``focal`` is the future design on the pair in question alone.
    differences : DataFrame
        Every design: each reading against the best of it.
    confusion : Confusion or None
    small : Stacked or None
        The contest that simulated worlds were met with, on the record.
    held_out : DataFrame
        What happened around episodes and placebo windows beside what was expected.
    fits : DataFrame
        One row per fit of a piece: piece, reading, origin, exact, k, seconds, divergences, R-hats.
    sentences : list of str
    problems : dict of str to str
    primary : str
        The design whose weights average claims.
    """

    designs: dict[str, Stacked]
    differences: pd.DataFrame
    confusion: Confusion | None
    small: Stacked | None
    held_out: pd.DataFrame
    fits: pd.DataFrame
    sentences: list[str]
    problems: dict[str, str] = field(default_factory=dict)
    primary: str = "future"

    @property
    def weights(self) -> dict[str, float]:
        """Weights that average claims."""
        w = self.designs[self.primary].weights
        return {str(r): float(x) for r, x in zip(w["reading"].values, w.values, strict=True)}


def scores(
    results: Mapping[str, Any], design: str | None = None, *, domain: str = ALL,
    only: str | None = None,
) -> xr.DataArray:  # fmt: skip
    """Lay the scores of pieces out by reading and block.

    Parameters
    ----------
    results : mapping of str to dict
        Key ``piece--reading`` to the result of its job.
    design : str, optional
        Keep pieces of this design.
    domain : str
        ``joint`` or one domain of alignment.
    only : str, optional
        Keep this piece alone.

    Returns
    -------
    DataArray, dims (reading, block)
        With unit, year, origin, horizon and design on block; NaN where a reading has no score.

    Raises
    ------
    ContestError
        No piece of this design has been scored.
    """
    import pandas as pd
    import xarray as xr

    parts = []
    for key, found in results.items():
        piece, reading = key.split("--")
        kind = piece.rsplit("-", 1)[0]
        if (design and kind != design) or (only and piece != only) or not found.get("blocks"):
            continue
        blocks = found["blocks"]
        frame = pd.DataFrame({
            "unit": blocks["unit"], "year": blocks["year"], "reading": reading, "design": kind,
            "origin": pd.Series(blocks.get("origin", [-1] * len(blocks["unit"]))).fillna(-1),
            "horizon": pd.Series(blocks.get("horizon", [-1] * len(blocks["unit"]))).fillna(-1),
            "score": np.array(blocks["lpd" if domain == ALL else domain], float),
        })  # fmt: skip
        # A dyad of two eased states is held out twice in one year, by different fits.
        frame["piece"] = piece
        parts.append(frame)
    if not parts:
        raise ContestError(f"no piece of the design {design or only} has been scored")
    keys = ["unit", "year", "origin", "horizon", "design", "piece"]
    wide = pd.concat(parts).pivot(index=keys, columns="reading", values="score")
    index = wide.index.to_frame(index=False)
    coords = {c: ("block", index[c].to_numpy()) for c in ("unit", "design")}
    coords |= {c: ("block", index[c].to_numpy(int)) for c in ("year", "origin", "horizon")}
    return xr.DataArray(
        wide.to_numpy().T,
        dims=("reading", "block"),
        coords={"reading": list(wide.columns), **coords},
    )


def primary_weights(results: Mapping[str, Any]) -> dict[str, float] | None:
    """Largest of the weight and its mean over the bootstrap; None if no design could be scored."""
    from fairweather.differences import ScoreError
    from fairweather.stacking import stack

    for design in PRIMARY:
        try:
            found = stack(scores(results, design), replicates=100)
        except (ContestError, ScoreError):
            continue
        most = np.maximum(found.weights.values, found.draws.mean("replicate").values)
        return dict(zip(map(str, found.weights["reading"].values), map(float, most), strict=True))
    return None


def summarise(done: Mapping[str, Any]) -> Contest:
    """Turn the results of a contest into weights, differences and sentences.

    Parameters
    ----------
    done : mapping
        From `fairweather.contest.run.run_contest`.

    Returns
    -------
    Contest

    Raises
    ------
    ContestError
        Nothing has been scored.
    """
    import pandas as pd

    from fairweather.contest_words import contest_sentences
    from fairweather.differences import paired_differences
    from fairweather.stacking import stack, stack_focal

    results, problems = done["pieces"], dict(done["problems"])
    designs: dict[str, Stacked] = {}
    tables = []
    focal = done["panel"].focal

    def add(table: xr.DataArray, design: str, domain: str = ALL, by: str | None = None) -> None:
        tables.append(paired_differences(table, by=by).assign(design=design, domain=domain))

    for design in dict.fromkeys(p.design for p in done["layout"]):
        # What cannot be compared is told, and costs nothing else.
        with _told(problems, f"design {design}"):
            table = scores(results, design)
            stacked = stack(table)
            add(table, design)
            designs[design] = stacked
        if design not in designs:
            continue
        for domain in names.DOMAINS[names.ALIGNMENT]:
            with _told(problems, f"design {design}, domain {domain}"):
                add(scores(results, design, domain=domain), design, domain)
        if design == "future":
            with _told(problems, f"design {design}, {focal} alone"):
                stacked = stack_focal(table, focal)
                add(table.isel(block=np.flatnonzero(table["unit"].values == focal)), "focal")
                designs["focal"] = stacked
            with _told(problems, f"design {design}, by horizon"):
                add(table, design, by="horizon")
    primary = next((d for d in PRIMARY if d in designs), None)
    if primary is None:
        why = "; ".join(f"{k}: {v}" for k, v in list(problems.items())[:3])
        raise ContestError(
            f"no design that gives weights could be scored{': ' if why else ''}{why}",
            remedy=f"Ask for one of {', '.join(PRIMARY)}." if not why else None,
        )
    differences = pd.concat(tables, ignore_index=True)
    confusion, small = _calibrated(done, problems)
    main = differences[
        (differences["design"] == primary) & (differences["domain"] == ALL)
        & (differences["group"].isna() if "group" in differences else True)
    ]  # fmt: skip
    sentences = contest_sentences(
        designs[primary], main.drop(columns=["group"], errors="ignore"), confusion
    )
    held = [row for r in results.values() for row in r.get("held_out", ())]
    placebo = {
        (r["episode_id"], r["reading"]) for k, v in results.items() if k.startswith("placebo")
        for r in v.get("held_out", ())
    }  # fmt: skip
    table = pd.DataFrame(held)
    if len(table):
        keys = zip(table["episode_id"], table["reading"], strict=True)
        table["placebo"] = [k in placebo for k in keys]
    fits = [
        {"piece": k.split("--")[0], "reading": k.split("--")[1], **f}
        for k, r in results.items() for f in r["fits"]
    ]  # fmt: skip
    return Contest(designs, differences, confusion, small, table, pd.DataFrame(fits), sentences,
                   problems, primary)  # fmt: skip


@contextmanager
def _told(problems: dict[str, str], what: str) -> Iterator[None]:
    """Note why something could not be scored, and go on."""
    from fairweather.differences import ScoreError

    try:
        yield
    except (ContestError, ScoreError) as err:
        problems[what] = str(err)


def _calibrated(
    done: Mapping[str, Any], problems: dict[str, str]
) -> tuple[Confusion | None, Stacked | None]:
    """Confusion matrix of the simulated worlds, and the same small contest on the record."""
    import pandas as pd

    from fairweather.confusion import Confusion
    from fairweather.contest.run import world_piece
    from fairweather.differences import ScoreError
    from fairweather.stacking import stack

    piece = world_piece(done["layout"])
    if piece is None:
        return None, None
    try:
        small = stack(scores(done["pieces"], only=piece.name))
    except (ContestError, ScoreError) as err:
        problems["the small contest"] = str(err)
        small = None
    worlds: dict[str, dict[str, Any]] = {}
    for key, found in done["worlds"].items():
        world, reading = key.split("--")
        worlds.setdefault(world, {})[f"world-0--{reading}"] = found
    rows = []
    for world, met in worlds.items():
        truth = next(iter(met.values()))["truth"]
        if len(met) < len(done["readings"]):
            problems[world] = "not every reading has met it"
            continue
        try:
            found = stack(scores(met), replicates=0)
        except (ContestError, ScoreError) as err:
            problems[world] = str(err)
            continue
        weight = {str(r): float(found.weights.sel(reading=r)) for r in done["readings"]}
        rows.append({"world": world, "truth": truth, **weight})
    return (Confusion.of(pd.DataFrame(rows), done["readings"]) if rows else None), small
