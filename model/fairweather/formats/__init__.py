"""Every publisher's layout has one name and one module, and a file enters only through its reader.

Nothing here imports ``fairweather.coding``. Guarded by ``tests/test_formats.py``.
"""

from __future__ import annotations

import importlib
from types import ModuleType

from fairweather.errors import SourceError

# Name on the command line -> module in this folder.
FORMATS: dict[str, str] = {
    "un-ga": "un_ga",
    "un-sc": "un_sc",
    "un-vetoes": "un_vetoes",
    "sipri-register": "sipri_register",
    "visits-oh": "visits_oh",
    "visits-ceias": "visits_ceias",
    "visits-g2": "visits_g2",
    "coding-sheet": "coding_sheet",
    "gsdb": "gsdb",
    "ties": "ties",
    "ofac": "ofac",
    "cow-trade": "cow_trade",
    "cow-mid": "cow_mid",
    "cow-alliances": "cow_alliances",
    "atop": "atop",
    "icews": "icews",
    "gdelt": "gdelt",
    "wits": "wits",
    "world-bank": "world_bank",
    "energy-institute": "energy_institute",
}


def get_format(name: str) -> ModuleType:
    """Import the reader of one layout.

    Parameters
    ----------
    name : str
        A key of `FORMATS`.

    Returns
    -------
    module
        With `NAME`, `TITLE`, `SOURCE`, `TABLES`, `INDICATORS`, `read(paths)` and
        `coverage(tables)`; `WHOLE` is False where a release speaks for some units of its years
        only, so that a row it lacks is not withdrawn.

    Raises
    ------
    SourceError
        If no format has that name.

    Examples
    --------
    >>> get_format("un-ga").TABLES
    ('ga_rollcalls', 'ga_votes')
    """
    if name not in FORMATS:
        raise SourceError(
            f"there is no format {name!r}",
            remedy=f"Use one of: {', '.join(sorted(FORMATS))}.",
        )
    return importlib.import_module(f"fairweather.formats.{FORMATS[name]}")
