"""Forecasts as others read them: the schema of ``forecast.csv``, and exports in the form of hubs.

Invariant: what is exported is what was forecast, number for number; a file that was exported is
never replaced by another. Each export has one name and one module.
Guarded by ``tests/test_exchange_forecast_csv.py`` and ``tests/test_exchange_hubverse.py``.

Examples
--------
>>> sorted(EXPORTS)
['hubverse']
"""

from __future__ import annotations

import importlib
from types import ModuleType

from fairweather.errors import FairweatherError

# Name on the command line -> module in this folder.
EXPORTS: dict[str, str] = {"hubverse": "hubverse"}


class ExchangeError(FairweatherError):
    """A forecast breaks the rules of its form, or cannot be exported as asked."""


def get_export(name: str) -> ModuleType:
    """Import the module of one form of export.

    Parameters
    ----------
    name : str
        A key of `EXPORTS`.

    Returns
    -------
    module
        With `TITLE` and ``export(source, folder, **options)``, which takes a
        `fairweather.exchange.sources.Source` and returns an `Exported`.

    Raises
    ------
    ExchangeError
        No form has that name.

    Examples
    --------
    >>> get_export("hubverse").TITLE
    'A hub of the hubverse, schema v6.0.0'
    """
    if name not in EXPORTS:
        raise ExchangeError(
            f"there is no form '{name}' to export to", remedy=f"Forms: {', '.join(EXPORTS)}."
        )
    return importlib.import_module(f"{__name__}.{EXPORTS[name]}")
