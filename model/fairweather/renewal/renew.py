"""One fit from the last one: the cheapest route that is exact, and the reason for it.

Invariant: a reweighted fit is weighed from the last fit that was sampled, with all rows that came
since; what cannot be weighed is sampled. Guarded by ``tests/test_renewal_renew.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import xarray as xr

    from fairweather.archive import Results
    from fairweather.gate import GateReport
    from fairweather.panel import Panel
    from fairweather.priors import Priors
    from fairweather.samplers import Settings


@dataclass(frozen=True)
class Renewed:
    """A fit of a panel, and how it came about.

    Attributes
    ----------
    tree : DataTree
        As ``fairweather.fit`` returns it; passes the gate. ``attrs["renewed"]`` is `how`.
    how : str
        ``confirmed`` (no row differs), ``reweighted``, ``warm`` or ``cold``.
    k : float or None
        Pareto k of the weights, where weighing was tried.
    why : str
        One sentence: why it was reweighted, or why it was sampled.
    seconds : float
    report : GateReport
        What the gate says of the tree.
    """

    tree: xr.DataTree = field(repr=False)
    how: str
    k: float | None
    why: str
    seconds: float
    report: GateReport = field(repr=False)


def renew(
    before: Results | None,
    panel: Panel,
    *,
    reading: str,
    priors: Priors,
    settings: Settings,
    keep: str | Path | None = None,
    say: Callable[[str], Any] = print,
) -> Renewed:
    """Bring a fit up to date with a panel.

    Parameters
    ----------
    before : Results or None
        The last archived run of the same reading; None: there is none.
    panel : Panel
        What the record holds now.
    reading : str
    priors : Priors
    settings : Settings
        What the sampler is asked for if it must sample; a warm start tunes for 100 draws at most.
    keep : str or Path, optional
        An existing folder that takes the draws as they come.
    say : callable
        Takes one line of text before each long step.

    Returns
    -------
    Renewed

    Raises
    ------
    ConvergenceError
        Sampled anew, the draws do not meet the bar.
    SamplerError
        The sampler could not go on.
    """
    raise NotImplementedError
