"""What is held out: the designs of the contest, laid out as pieces that are fitted one by one.

Invariant: rows of pressure stay in every piece, so that explanations are compared given the
weather that came, and every piece is known before anything is fitted.
Guarded by ``tests/test_contest_design.py``.

- *future*: rows of alignment after an origin, from 2008 on; the next years are scored.
- *episodes*: rows of all dyads of a state from the start of an easing or hardship to three years
  after its end; episodes are found from pressure alone and dealt into folds.
- *placebo*: windows of the same lengths in quiet years of the same states.
- *dyads*: all rows of a fold of dyads: what does a reading say of a pair it has never seen?
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from fairweather import names
from fairweather.errors import FairweatherError

if TYPE_CHECKING:
    import pandas as pd

    from fairweather.panel import Panel

DESIGNS = ("future", "episodes", "placebo", "dyads")
FIRST_ORIGIN = 2008
HORIZON = 3
# Years looked at before and after an episode.
BEFORE, AFTER = 3, 3
FOLDS = 4
# Origins as far apart as years are scored: each year is foreseen once.
EVERY = HORIZON
SEED = 2016


class ContestError(FairweatherError):
    """The contest cannot be laid out or continued as asked."""


@dataclass(frozen=True)
class Piece:
    """One thing that is held out.

    Attributes
    ----------
    name, design : str
    origins : tuple of int
        Of the future design: origins that share a panel; the first is always fitted.
    windows : tuple of dict
        Of episodes and placebos: ``state, start, end, type``.
    dyads : tuple of str
        Of the design of dyads.
    """

    name: str
    design: str
    origins: tuple[int, ...] = ()
    windows: tuple[dict[str, Any], ...] = field(default=())
    dyads: tuple[str, ...] = ()

    def to_job(self) -> dict[str, Any]:
        """Write the piece down for a job."""
        return asdict(self)


def pieces(
    panel: Panel, designs: tuple[str, ...] = DESIGNS, *, every: int = EVERY, folds: int = FOLDS
) -> list[Piece]:
    """Lay out what is held out.

    Parameters
    ----------
    panel : Panel
    designs : tuple of str
        Of `DESIGNS`.
    every : int
        Years between two origins.
    folds : int
        How many folds episodes and dyads are dealt into.

    Returns
    -------
    list of Piece

    Raises
    ------
    ContestError
        Unknown or repeated design, no year between origins, fewer than two folds, or a panel that
        ends before the first origin.

    Examples
    --------
    >>> import fairweather as fw
    >>> panel = fw.load_panel(states=["CHN", "RUS", "IND"])
    >>> pieces(panel, ("dyads",), folds=3)[0].dyads
    ('CHN-RUS',)
    """
    unknown = [d for d in designs if d not in DESIGNS]
    if unknown or not designs or len(set(designs)) < len(designs):
        raise ContestError(
            f"designs are {', '.join(designs) or 'none'}",
            remedy=f"Name some of {', '.join(DESIGNS)}, each once.",
        )
    if every < 1 or folds < 2:
        raise ContestError(
            f"every = {every}, folds = {folds}", remedy="Use every >= 1 and two folds or more."
        )
    out: list[Piece] = []
    if "future" in designs:
        out += _future(panel, every)
    if "episodes" in designs or "placebo" in designs:
        found = find_windows(panel)
        if "episodes" in designs:
            out += _dealt(found, "episodes", min(folds, max(len(found), 1)))
        if "placebo" in designs:
            out += _dealt(quiet_windows(panel, found), "placebo", 1)
    if "dyads" in designs:
        order = np.random.default_rng(SEED).permutation(len(panel.dyads))
        # The pair in question comes first, so that its fold does not depend on the others.
        named = [panel.focal, *(panel.dyads[k] for k in order if panel.dyads[k] != panel.focal)]
        n = min(folds, len(named))
        out += [Piece(f"dyads-{k}", "dyads", dyads=tuple(sorted(named[k::n]))) for k in range(n)]
    return out


def _future(panel: Panel, every: int) -> list[Piece]:
    origins = list(range(FIRST_ORIGIN, panel.origin, every))
    if not origins or FIRST_ORIGIN - int(panel.years[0]) < 5:
        raise ContestError(
            f"the panel runs {panel.years[0]}-{panel.origin}, and the first origin is "
            f"{FIRST_ORIGIN}",
            remedy="Use a panel from 2003 or earlier to 2009 or later.",
        )
    # Two origins a piece: the second may be reached from the first by reweighting.
    blocks = [tuple(origins[k : k + 2]) for k in range(0, len(origins), 2)]
    return [Piece(f"future-{b[0]}", "future", origins=b) for b in blocks]


def find_windows(panel: Panel) -> pd.DataFrame:
    """Easing and hardship episodes of the panel's states, within its years, with rows to hold out.

    Returns
    -------
    DataFrame
        state, start, end, type, ``problem``: why an episode cannot be used, or empty.
    """
    from fairweather.episodes import find_episodes

    found = find_episodes(panel.record, states=panel.states)
    first, last = int(panel.years[0]), panel.origin
    why = []
    for e in found.itertuples():
        if e.start <= first:
            why.append("no year before it in the panel")
        elif e.end >= last:
            why.append("no year after it in the panel")
        elif not _rows(panel, e.state, e.start, e.end + AFTER):
            why.append("no row of alignment in its years")
        else:
            why.append("")
    return found[["state", "start", "end", "type"]].assign(problem=why)


def _rows(panel: Panel, state: str, start: int, end: int) -> int:
    """How many rows of alignment a state's dyads have in some years."""
    s = panel.states.index(state)
    own = np.flatnonzero((panel.left == s) | (panel.right == s))
    total = 0
    for ind in panel.indicators(names.ALIGNMENT):
        rows = panel.rows[ind.id]
        years = panel.years[rows["time"].to_numpy(int)]
        total += int((np.isin(rows["unit"], own) & (years >= start) & (years <= end)).sum())
    return total


def quiet_windows(panel: Panel, found: pd.DataFrame) -> pd.DataFrame:
    """Windows of the same lengths and states as the episodes, in years without any.

    Each episode is moved to the start that is nearest to its own, from five years away on, such
    that no year from three before the window to three after it is of an episode of the state or of
    the three years after one.

    Returns
    -------
    DataFrame
        state, start, end, ``type``: that of the episode it stands for, problem.
    """
    import pandas as pd

    first, last = int(panel.years[0]) + 1, panel.origin - 1
    busy: dict[str, set[int]] = {}
    for e in found.itertuples():
        busy.setdefault(e.state, set()).update(range(e.start, e.end + AFTER + 1))
    out = []
    for e in found[found["problem"] == ""].itertuples():
        length = e.end - e.start
        starts = [
            y for y in range(first, last - length + 1)
            if abs(y - e.start) >= 5
            and not busy[e.state] & set(range(y - BEFORE, y + length + AFTER + 1))
        ]  # fmt: skip
        if starts:
            start = min(starts, key=lambda y: (abs(y - e.start), y))
            busy[e.state].update(range(start, start + length + AFTER + 1))
            out.append((e.state, start, start + length, e.type, ""))
    return pd.DataFrame(out, columns=["state", "start", "end", "type", "problem"])


def _dealt(found: pd.DataFrame, design: str, folds: int) -> list[Piece]:
    """Deal windows into folds in order of time, so that a fold spreads over the years."""
    usable = found[found["problem"] == ""].sort_values(["start", "state"])
    rows = usable[["state", "start", "end", "type"]].to_dict("records")
    clean = [
        {"state": str(r["state"]), "start": int(r["start"]), "end": int(r["end"]),
         "type": str(r["type"])}
        for r in rows
    ]  # fmt: skip
    dealt = [tuple(clean[k::folds]) for k in range(folds)]
    return [Piece(f"{design}-{k}", design, windows=w) for k, w in enumerate(dealt) if w]


def hold(panel: Panel, piece: dict[str, Any], origin: int | None = None) -> Panel:
    """Leave out of a panel what a piece holds out.

    Parameters
    ----------
    panel : Panel
        Of the years of the piece.
    piece : dict
        From `Piece.to_job`.
    origin : int, optional
        Of the future design.

    Returns
    -------
    Panel

    Raises
    ------
    HoldOutError
        Nothing there to hold out.
    """
    from fairweather.holdout import hold_out

    read = [i.id for i in panel.indicators(names.ALIGNMENT)]
    if piece["design"] == "future":
        return hold_out(panel, indicators=read, years=range(origin + 1, panel.origin + 1))
    if piece["design"] == "dyads":
        return hold_out(panel, indicators=read, units=piece["dyads"])
    for w in piece["windows"]:
        read = [i.id for i in panel.indicators(names.ALIGNMENT)]
        own = [d for d in panel.dyads if w["state"] in d.split("-")]
        panel = hold_out(
            panel, indicators=read, units=own, years=range(w["start"], w["end"] + AFTER + 1)
        )
    return panel
