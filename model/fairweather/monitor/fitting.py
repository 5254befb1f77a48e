"""The fit of the running year's panel: as quick as the last run of the same reading allows.

Guarded by ``tests/test_monitor_watch.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fairweather.errors import ArchiveError, ConvergenceError
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
    from fairweather.gate import gate
    from fairweather.inference import fit
    from fairweather.model import build_model

    say(f"fitting {len(panel.dyads)} dyads, {panel.years[0]}-{panel.origin}; reading {reading}")
    tree = fit(
        build_model(panel, reading=reading, priors=priors), draws=settings.draws,
        tune=settings.tune, chains=settings.chains, random_seed=settings.seed,
        target_accept=settings.target_accept, progressbar=settings.progressbar,
    )  # fmt: skip
    failures = list(gate(tree).failures)
    if failures:
        more = f" (and {len(failures) - 1} more)" if len(failures) > 1 else ""
        raise ConvergenceError(
            f"the draws do not meet the bar: {failures[0].rstrip('.')}{more}; nothing is told",
            remedy="Ask for more --draws or --tune, or a higher --target-accept (0.9).",
        )
    return tree, "fitted anew"


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
