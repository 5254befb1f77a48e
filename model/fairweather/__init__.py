"""Measures how far states align under pressure, forecasts it, and scores claims about it.

Invariant: importing the package loads nothing heavy; each name below is fetched on first use.
Guarded by ``tests/test_package.py::test_import_stays_light``.

Examples
--------
>>> import fairweather as fw
>>> fw.load_panel(states=["CHN", "RUS", "IND"]).focal
'CHN-RUS'
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from fairweather.archive import open_results as open_results
    from fairweather.archive import save_results as save_results
    from fairweather.chronology import load_chronology as load_chronology
    from fairweather.claims import assess as assess_claims  # noqa: F401
    from fairweather.codebook import load_codebook as load_codebook
    from fairweather.coding.release import plan_release as plan_release
    from fairweather.coding.release import take as take_release  # noqa: F401
    from fairweather.describe import describe as describe
    from fairweather.episodes import find_episodes as find_episodes
    from fairweather.errors import FairweatherError as FairweatherError
    from fairweather.figures.alignment import plot_alignment as plot_alignment
    from fairweather.figures.coverage import plot_coverage as plot_coverage
    from fairweather.figures.pressure import plot_pressure as plot_pressure
    from fairweather.figures.survival import plot_survival as plot_survival
    from fairweather.forecast import forecast as forecast
    from fairweather.holdout import hold_out as hold_out
    from fairweather.inference import fit as fit
    from fairweather.model import build_model as build_model
    from fairweather.moment import moment as moment
    from fairweather.panel import load_panel as load_panel
    from fairweather.predictive import ppc as ppc
    from fairweather.predictive import ppc_by_weather as ppc_by_weather
    from fairweather.predictive import ppc_many as ppc_many
    from fairweather.priors import load_priors as load_priors
    from fairweather.readings import READINGS as READINGS
    from fairweather.record import load_record as load_record
    from fairweather.scenarios import load_scenarios as load_scenarios
    from fairweather.statistics import list_statistics as list_statistics
    from fairweather.statistics import statistic as statistic

_WHERE = {
    "FairweatherError": ("errors", "FairweatherError"),
    "READINGS": ("readings", "READINGS"),
    "assess_claims": ("claims", "assess"),
    "build_model": ("model", "build_model"),
    "describe": ("describe", "describe"),
    "find_episodes": ("episodes", "find_episodes"),
    "fit": ("inference", "fit"),
    "forecast": ("forecast", "forecast"),
    "hold_out": ("holdout", "hold_out"),
    "list_statistics": ("statistics", "list_statistics"),
    "load_chronology": ("chronology", "load_chronology"),
    "load_codebook": ("codebook", "load_codebook"),
    "load_panel": ("panel", "load_panel"),
    "load_priors": ("priors", "load_priors"),
    "load_record": ("record", "load_record"),
    "load_scenarios": ("scenarios", "load_scenarios"),
    "moment": ("moment", "moment"),
    "open_results": ("archive", "open_results"),
    "plan_release": ("coding.release", "plan_release"),
    "plot_alignment": ("figures.alignment", "plot_alignment"),
    "plot_coverage": ("figures.coverage", "plot_coverage"),
    "plot_pressure": ("figures.pressure", "plot_pressure"),
    "plot_survival": ("figures.survival", "plot_survival"),
    "ppc": ("predictive", "ppc"),
    "ppc_by_weather": ("predictive", "ppc_by_weather"),
    "ppc_many": ("predictive", "ppc_many"),
    "save_results": ("archive", "save_results"),
    "statistic": ("statistics", "statistic"),
    "take_release": ("coding.release", "take"),
}
__all__ = ["__version__", *_WHERE]


class _Package(ModuleType):
    """A package whose public names win over its modules of the same name (``forecast``)."""

    def __setattr__(self, name: str, value: Any) -> None:
        # The import system binds every submodule here; the public function must stay reachable.
        if not (name in _WHERE and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'fairweather' has no attribute {name!r}")
    module, attribute = _WHERE[name]
    value = getattr(import_module(f"fairweather.{module}"), attribute)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


sys.modules[__name__].__class__ = _Package
