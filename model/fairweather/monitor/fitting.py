"""The fit of the running year's panel: as quick as the last run of the same reading allows.

Guarded by ``tests/test_monitor_watch.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fairweather.errors import ArchiveError
from fairweather.samplers import Settings

if TYPE_CHECKING:
    import xarray as xr

    from fairweather.archive import Results
    from fairweather.panel import Panel
    from fairweather.priors import Priors

Fit = Callable[..., "tuple[xr.DataTree, str]"]
Say = Callable[[str], None]


def fit_running(
    panel: Panel, *, reading: str, priors: Priors, settings: Settings,
    before: Results | None = None, say: Say = print,
) -> tuple[xr.DataTree, str]:  # fmt: skip
    """Fit a panel, starting from an earlier run where there is one.

    Parameters
    ----------
    panel : Panel
        From `fairweather.monitor.running`.
    reading : str
    priors : Priors
    settings : Settings
    before : Results, optional
        Last run of the same reading.
    say : callable
        Told what goes on.

    Returns
    -------
    tree : DataTree
    how : str
        How the draws came about, in words.

    Raises
    ------
    ConvergenceError
        The draws do not meet the bar.
    """
    from fairweather.renewal import renew

    say(f"{len(panel.dyads)} dyads, {panel.years[0]}-{panel.origin}; reading {reading}")
    done = renew(before, panel, reading=reading, priors=priors, settings=settings, say=say)
    return done.tree, f"{done.how}: {done.why}"


def last_run(results: str | Path, *, reading: str, panel: Panel) -> Results | None:
    """Find the newest run of a reading for the states and the pair of a panel.

    Parameters
    ----------
    results : str or Path
        Folder of runs; it may be absent.
    reading : str
    panel : Panel

    Returns
    -------
    Results or None
        Damaged, failed and unfinished runs are passed over.

    Examples
    --------
    >>> import fairweather as fw
    >>> panel = fw.load_panel(states=["CHN", "RUS", "IND"])
    >>> last_run("no-such-folder", reading="drift", panel=panel) is None
    True
    """
    from fairweather.archive import COMPLETE, FITTED, open_results

    found: list[tuple[str, Any]] = []
    for file in sorted(Path(results).glob("[!.]*/run.json")):
        try:
            one = open_results(file.parent)
            model, data = one.run["model"], one.run["data"]
            same = (model["reading"], model["focal"], sorted(data["states"])) == (
                reading, panel.focal, sorted(panel.states),
            )  # fmt: skip
            if same and one.status in (COMPLETE, FITTED):
                found.append((str(one.run.get("created", "")), one))
        except (ArchiveError, KeyError, TypeError):
            continue
    return max(found, key=lambda pair: pair[0])[1] if found else None
