"""Test statistics: one number (or a few labelled ones) of a labelled data set, found by name.

Invariant: every shipped statistic is a module with the same pieces, so that tests, tables and
documentation treat all alike, and one of a user's own is used in the same way:

``LABEL`` (a few words), ``PURPOSE`` (``"claim"`` or ``"misfit"``), ``OBSERVABLES_ONLY`` (bool)
``compute(data)``
    The statistic, for a data set with or without a leading dimension ``draw``.
``support(data)``
    How many windows, dyad-years or cells it rests on, a whole number.

Guarded by the conformance suite ``tests/test_statistics.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from typing import TYPE_CHECKING, Any

from fairweather.errors import FairweatherError

if TYPE_CHECKING:
    import xarray as xr

STATISTICS: dict[str, str] = {
    "change-after-easing": "fairweather.statistics.change_after_easing",
    "change-after-hardship": "fairweather.statistics.change_after_hardship",
    "drawdown": "fairweather.statistics.drawdown",
    "stays-above": "fairweather.statistics.stays_above",
    "security-less-economic": "fairweather.statistics.security_less_economic",
    "recovery": "fairweather.statistics.recovery",
    "necessity": "fairweather.statistics.necessity",
    "sufficiency": "fairweather.statistics.sufficiency",
    "vote-variance-ratio": "fairweather.statistics.vote_variance_ratio",
    "vote-autocorrelation": "fairweather.statistics.vote_autocorrelation",
    "count-zeros": "fairweather.statistics.count_zeros",
}
PURPOSES = ("claim", "misfit")
_own: dict[str, Statistic] = {}


class StatisticError(FairweatherError):
    """A test statistic is unknown, fails, or returns what is no number."""


@dataclass(frozen=True)
class Statistic:
    """A test statistic and what has to be known of it.

    Attributes
    ----------
    compute : callable
        Takes the labelled data set (``docs/predictive.md``), returns a number or a DataArray.
    name, label : str
    observables_only : bool
        It reads indicators and weather alone. Its realised value is then one number, and it is
        handed a data set without the latent paths ``alignment`` and ``pressure``.
    batched : bool
        It takes many draws at once, in a leading dimension ``draw``, and keeps that dimension.
    purpose : {"claim", "misfit"}
        What it speaks of: a claim about alignment, or the fit of the measurement.
    support : callable, optional
        Takes the realised data set, returns how many windows or cells the statistic rests on.
    """

    compute: Callable[[xr.Dataset], Any]
    name: str
    label: str
    observables_only: bool = False
    batched: bool = False
    purpose: str = "claim"
    support: Callable[[xr.Dataset], int] | None = None

    def __call__(self, data: xr.Dataset) -> Any:
        """Compute the statistic of a data set."""
        return self.compute(data)


def statistic(
    function: Callable[[xr.Dataset], Any] | None = None, *, name: str | None = None,
    label: str | None = None, observables_only: bool = False, batched: bool = False,
    purpose: str = "claim", support: Callable[[xr.Dataset], int] | None = None,
) -> Any:  # fmt: skip
    """Make a function a statistic that can be asked for by name.

    Parameters
    ----------
    function : callable, optional
        Given when the decorator stands without brackets.
    name : str, optional
        Default: the function's own, with dashes. A name of your own may be defined again.
    label : str, optional
        Default: the first line of the function's docstring.
    observables_only, batched, purpose, support
        As in `Statistic`.

    Returns
    -------
    Statistic

    Raises
    ------
    StatisticError
        No function, an unknown purpose, or the name of a shipped statistic.

    Examples
    --------
    >>> @statistic(observables_only=True)
    ... def mean_agreement(data):
    ...     '''Mean agreement in contested votes.'''
    ...     return data["unga_votes"].mean()
    >>> mean_agreement.name, mean_agreement.label
    ('mean-agreement', 'Mean agreement in contested votes')
    """

    def wrap(function: Callable[[xr.Dataset], Any]) -> Statistic:
        if not callable(function) or isinstance(function, Statistic):
            raise StatisticError(
                f"{function!r} is no function", remedy="Write @statistic above a plain function."
            )
        if purpose not in PURPOSES:
            raise StatisticError(
                f"purpose is {purpose!r}", remedy=f"Choose from {', '.join(PURPOSES)}."
            )
        own = name or _name(function)
        if own in STATISTICS:
            raise StatisticError(f"'{own}' is a shipped statistic", remedy="Choose another name.")
        _own[own] = Statistic(
            function, own, label or _label(function, own), observables_only, batched, purpose,
            support,
        )  # fmt: skip
        return _own[own]

    return wrap if function is None else wrap(function)


def _name(function: Callable[..., Any]) -> str:
    own = getattr(function, "__name__", type(function).__name__)
    return str(own).strip("<>_").replace("_", "-")


def _label(function: Callable[..., Any], name: str) -> str:
    # Of an object that is called like a function, the docstring is that of its class.
    doc = (function.__doc__ or "") if hasattr(function, "__name__") else ""
    return doc.strip().split("\n")[0].rstrip(".") or name


def list_statistics() -> list[str]:
    """Names of all statistics: the shipped ones, then those defined with `statistic`.

    Examples
    --------
    >>> list_statistics()[0]
    'change-after-easing'
    """
    return [*STATISTICS, *_own]


def get_statistic(name: str) -> Statistic:
    """Return a statistic by name.

    Raises
    ------
    StatisticError
        Unknown name; near misses are named.

    Examples
    --------
    >>> get_statistic("drawdown").observables_only
    True
    """
    if name in _own:
        return _own[name]
    if name not in STATISTICS:
        near = get_close_matches(str(name), list_statistics(), n=2)
        hint = f"Did you mean {' or '.join(near)}?" if near else "See list_statistics()."
        raise StatisticError(f"no statistic '{name}'", remedy=hint)
    module = import_module(STATISTICS[name])
    return Statistic(
        module.compute, name, module.LABEL, module.OBSERVABLES_ONLY, True, module.PURPOSE,
        module.support,
    )  # fmt: skip


def as_statistic(given: Any) -> Statistic:
    """Take a name, a `Statistic` or a plain function.

    A plain function is taken to use the latent path, one draw at a time: say more with `statistic`.

    Raises
    ------
    StatisticError
        None of these, or an unknown name.
    """
    if isinstance(given, Statistic):
        return given
    if isinstance(given, str):
        return get_statistic(given)
    if callable(given):
        own = _name(given)
        return Statistic(given, own, _label(given, own))
    raise StatisticError(
        f"{given!r} is no statistic",
        remedy="Give a name from list_statistics() or a function of the data set.",
    )
