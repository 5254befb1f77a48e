"""What stands between the draws of an archived fit and a panel: why they cannot be weighed.

Invariant: draws are weighed only within the model they were drawn from: same code, reading,
beliefs, axes and constants of the design. Guarded by ``tests/test_renewal_renew.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fairweather import names
from fairweather.errors import ArchiveError

if TYPE_CHECKING:
    from fairweather.archive import Results
    from fairweather.model import Model
    from fairweather.panel import Panel

_TOLERANCE = 1e-9


@dataclass(frozen=True)
class Last:
    """The last fit that was sampled, or why it is not to be had.

    Attributes
    ----------
    run : Results or None
    lost : str
        A sentence; empty where there is a run.
    """

    run: Results | None
    lost: str = ""


def last_of(before: Results) -> Last:
    """Find the run that was sampled: the one given, or the one its draws were weighed from.

    Parameters
    ----------
    before : Results

    Returns
    -------
    Last

    Examples
    --------
    >>> last_of(fw.open_results("results/RUN")).run.id  # doctest: +SKIP
    '2024-elastic-side-3f9a01bc'
    """
    from fairweather.archive import open_results

    name = before.tree.attrs.get("weighed_from")
    if not name:
        return Last(before)
    try:
        return Last(open_results(before.path.parent / str(name)))
    except ArchiveError:
        return Last(None, f"{name}, the fit that the last one was weighed from, is not beside it")


def obstacle(run: Results, old: Panel, model: Model) -> str:
    """Say what forbids to weigh the draws of a run for a model; empty if nothing does.

    Parameters
    ----------
    run : Results
    old : Panel
        Of the run, as its reading saw it.
    model : Model
        Of the panel now.

    Returns
    -------
    str
        A clause without a full stop.
    """
    from fairweather.archive import COMPLETE, FITTED
    from fairweather.engine.geometry import voted
    from fairweather.provenance import MODEL_SOURCES, panel_attributes, source_hash

    new, attrs = model.panel, run.tree.attrs
    if run.status not in (COMPLETE, FITTED):
        return f"{run.id} did not meet the bar"
    if attrs["reading"] != model.reading:
        return f"the last fit is of the reading {attrs['reading']}"
    if attrs["priors_hash"] != model.priors.content_hash:
        return "the prior set is not that of the last fit"
    if attrs.get("model_source") != source_hash(*MODEL_SOURCES):
        return "the code of the model has changed since the last fit"
    if old.states != new.states or old.focal != new.focal:
        return "the states or the focal pair are not those of the last fit"
    if not np.array_equal(old.years, new.years):
        return (
            f"the record now covers {new.years[0]}-{new.origin}, "
            f"the last fit {old.years[0]}-{old.origin}"
        )
    if voted(old) != voted(new):
        return "the years with votes are not those of the last fit, and the agenda hangs on them"
    if attrs["indicators"] != panel_attributes(new)["indicators"]:
        return "which indicators there are, or how they are to be read, has changed"
    return _coordinates(run, model) or _constants(old, new)


def _coordinates(run: Results, model: Model) -> str:
    """Whether the draws name what the model reads, and nothing else."""
    posterior = run.tree["posterior"]
    for axis, labels in model.coords.items():
        if axis not in posterior.coords or axis in (names.YEAR, names.KIND):
            continue
        had = [str(x) for x in posterior[axis].values]
        now = [str(x) for x in labels]
        if had != now:
            more = sorted(set(now) ^ set(had))
            return f"the last fit has other parameters ({axis}: {', '.join(more[:3]) or 'order'})"
    return ""


def _constants(old: Panel, new: Panel) -> str:
    """Whether the constants of the design stand; draws of others are of another model."""
    pairs = {
        "the mean of the pressure anchor": (old.anchor_mean, new.anchor_mean),
        "the movement of the pressure anchor": (old.movement, new.movement),
        "the structural drivers": (old.complementarity, new.complementarity),
    }
    for what, (a, b) in pairs.items():
        if np.shape(a) != np.shape(b) or not np.allclose(a, b, rtol=0.0, atol=_TOLERANCE):
            return f"{what} moved with the new rows, and every draw hangs on it"
    if old.spread != new.spread or old.kinds != new.kinds:
        return "the constants of the design are not those of the last fit"
    return ""
