"""One look at the running year: rows, fit, nowcast, early warning, and what was issued before.

Invariant: nothing is written, neither to the record nor to the store of issued forecasts.
Guarded by ``tests/test_monitor_watch.py``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from fairweather.draws import Draws
from fairweather.monitor.earlier import Earlier, last_issued
from fairweather.monitor.fitting import Fit, fit_running, last_run
from fairweather.monitor.influence import influence
from fairweather.monitor.layout import running
from fairweather.monitor.nowcast import Nowcast, nowcast
from fairweather.monitor.rows import MonitorError, read_rows
from fairweather.monitor.warning import EarlyWarning, early_warning
from fairweather.readings import DEFAULT
from fairweather.samplers import Settings

if TYPE_CHECKING:
    import pandas as pd

    from fairweather.panel import Panel

# Enough for an interval and a probability to two digits; the warning thins to a thousand.
DRAWS = 1000
PROVISIONAL = "Provisional: rows of a year that is not over can still change."


@dataclass(frozen=True)
class Asked:
    """What a look is asked for; None leaves the choice to what was issued last.

    Attributes
    ----------
    rows : str or Path, optional
        File of rows of the running year.
    store, results : str
    reading, priors, focal : str, optional
    states : list of str, optional
    horizon : int
    today : date, optional
        Default: by the clock.
    settings : Settings
        Of the fit.
    """

    rows: str | Path | None = None
    store: str = "forecasts"
    results: str = "results"
    reading: str | None = None
    priors: str | None = None
    states: list[str] | None = None
    focal: str | None = None
    horizon: int = 5
    today: dt.date | None = None
    settings: Settings = field(default_factory=lambda: Settings(draws=DRAWS))


@dataclass(frozen=True)
class Watch:
    """What one look at the running year found.

    Attributes
    ----------
    reading, priors : str
    nowcast : Nowcast
    warning : EarlyWarning
    influence : DataFrame or None
        None without rows.
    earlier : Earlier or None
        The forecast issued last.
    issued : float or None
        Its probability, for the same threshold and horizon.
    issued_as : str
        What that number is of, or why there is none.
    rows : DataFrame or None
    how : str
        How the draws came about.
    notes : list of str
        What the reader should know.
    """

    reading: str
    priors: str
    nowcast: Nowcast
    warning: EarlyWarning
    influence: pd.DataFrame | None
    earlier: Earlier | None
    issued: float | None
    issued_as: str
    rows: pd.DataFrame | None = field(repr=False)
    how: str = ""
    notes: list[str] = field(default_factory=list)

    @property
    def learned(self) -> float | None:
        """Today's view of the origin less what was issued: past and parameters, learned anew."""
        return None if self.issued is None else self.warning.then - self.issued

    @property
    def happened(self) -> float:
        """Today's view of now less that of the origin: what happened since."""
        return self.warning.change


def watch(asked: Asked, *, fit: Fit = fit_running, say: Callable[[str], None] = print) -> Watch:
    """Look at the running year.

    Parameters
    ----------
    asked : Asked
    fit : callable
        Takes a panel, ``reading``, ``priors``, ``settings``, ``before`` and ``say``; returns the
        draws as a tree and how they came about.
    say : callable
        Told what goes on.

    Returns
    -------
    Watch

    Raises
    ------
    FairweatherError
        Rows that cannot be taken, a store that cannot be read, draws that do not meet the bar.

    Examples
    --------
    >>> watch(Asked(rows="2025.csv")).warning.fell  # doctest: +SKIP
    0.71
    """
    from fairweather.priors import load_priors

    asked, panel, earlier = prepare(asked)
    today = asked.today or dt.date.today()
    rows = None if asked.rows is None else read_rows(asked.rows, panel, today)
    priors = load_priors(asked.priors)
    whole = running(panel, rows)
    since = panel.origin if earlier is None else earlier.origin
    _refuse_late(since, whole)
    before = last_run(asked.results, reading=asked.reading, panel=panel)
    tree, how = fit(
        whole, reading=asked.reading, priors=priors, settings=asked.settings, before=before,
        say=say,
    )  # fmt: skip
    draws = Draws.of(tree, whole, priors)
    seed = asked.settings.seed
    say("looking ahead from then and from now")
    found = early_warning(draws, since, horizon=asked.horizon, random_seed=seed)
    reasons = None if rows is None else influence(draws, rows, found)
    now = nowcast(draws, whole, rows, priors=priors, since=since, random_seed=seed)
    issued, issued_as = None, "nothing was issued"
    if earlier is not None:
        issued, issued_as = earlier.chance(asked.reading, asked.horizon, found.threshold)
    notes = _notes(asked, panel, earlier, rows, today, issued, issued_as)
    return Watch(
        asked.reading, priors.id, now, found, reasons, earlier, issued, issued_as, rows, how, notes
    )


def prepare(asked: Asked) -> tuple[Asked, Panel, Earlier | None]:
    """Fill in what was left to the last issue, and lay the record out.

    Parameters
    ----------
    asked : Asked

    Returns
    -------
    asked : Asked
        With reading, priors and states.
    panel : Panel
        Up to the record's last year.
    earlier : Earlier or None
    """
    from fairweather.panel import load_panel

    earlier = last_issued(asked.store, asked.focal)
    if earlier is not None:
        asked = replace(
            asked, reading=asked.reading or earlier.best, focal=asked.focal or earlier.focal,
            priors=asked.priors or earlier.priors,
            states=list(earlier.states) if asked.states is None else asked.states,
        )  # fmt: skip
    focal = {"focal": asked.focal} if asked.focal else {}
    panel = load_panel(states=asked.states, **focal)
    return replace(asked, reading=asked.reading or DEFAULT), panel, earlier


def _refuse_late(since: int, whole: Panel) -> None:
    if since >= whole.origin:
        raise MonitorError(
            f"the forecast issued last starts from {since}, the running year is {whole.origin}",
            remedy="Bring the record up to date (fairweather data import), or give rows of a "
            "later year.",
        )


def _notes(
    asked: Asked, panel: Panel, earlier: Earlier | None, rows: pd.DataFrame | None,
    today: dt.date, issued: float | None, issued_as: str,
) -> list[str]:  # fmt: skip
    """Say what stands between the numbers and what they seem to say."""
    out: list[str] = []
    if rows is None:
        out.append(
            f"No rows of {panel.origin + 1} were given: the running year is a year ahead of the "
            "record."
        )
    elif not (rows["year"] == int(rows["year"].max())).all():
        out.append("The file has rows of several years; the last of them is the running one.")
    if earlier is None:
        pair = f" for {asked.focal}" if asked.focal else ""
        out.append(
            f"Nothing has been issued{pair} in '{asked.store}': held against the end of the "
            f"record, {panel.origin}."
        )
    if earlier is not None and today < earlier.day:
        out.append(
            f"The clock ({today}) stands before the last issue ({earlier.day}). If it is set "
            "back, set it."
        )
    if today < dt.date(panel.origin, 12, 31):
        out.append(
            f"The clock ({today}) stands before the end of the record ({panel.origin}). If it is "
            "set back, set it."
        )
    if earlier is not None and issued is not None:
        if f"reading {asked.reading}" not in issued_as:
            out.append(
                f"The number issued is of {issued_as}, this is reading {asked.reading}: 'learned' "
                "holds the difference between them."
            )
        if asked.priors not in (None, earlier.priors):
            out.append("Priors are not those of the issue: 'learned' holds the difference.")
        if set(panel.states) != set(earlier.states):
            out.append("States are not those of the issue: 'learned' holds the difference.")
    return out
