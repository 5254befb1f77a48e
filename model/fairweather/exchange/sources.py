"""What is exported: an issued forecast or an archived run, read the same way.

Invariant: the numbers are those of the frozen files, digit for digit.
Guarded by ``tests/test_exchange_hubverse.py``.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fairweather.exchange import ExchangeError
from fairweather.exchange.forecast_csv import FILE, parse_forecast

if TYPE_CHECKING:
    import pandas as pd

    from fairweather.archive import Results
    from fairweather.issued import Issued

DRAWS = "draws.parquet"


@dataclass(frozen=True)
class Source:
    """A forecast to export.

    Attributes
    ----------
    name : str
        Id of the issued forecast, or of the run.
    issued : bool
    table : DataFrame
        ``forecast.csv``, as `fairweather.exchange.forecast_csv.check_forecast` returns it.
    draws : DataFrame
        ``draws.parquet``: scenario, indicator, unit, target_year, and the list ``draws``.
    facts : dict
        What determines the forecast.
    """

    name: str
    issued: bool
    table: pd.DataFrame
    draws: pd.DataFrame
    facts: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of_issued(cls, one: Issued) -> Source:
        """Take an issued forecast.

        Raises
        ------
        ExchangeError
            It has no ``forecast.csv`` or no draws, or the table breaks its schema.
        ArchiveError
            A file of it is damaged.
        """
        for name in (FILE, DRAWS):
            if name not in one.files:
                raise ExchangeError(
                    f"forecast {one.serial} has no {name}",
                    remedy="Export one that was issued from a run: fairweather list.",
                )
        return cls._of(one.id, True, {n: one.read(n) for n in (FILE, DRAWS)}, one.facts)

    @classmethod
    def of_run(cls, results: Results) -> Source:
        """Take a complete run.

        Raises
        ------
        ArchiveError
            The run is not complete.
        ExchangeError
            Its table breaks the schema.
        """
        from fairweather.issued import freeze

        files, facts = freeze(results)
        return cls._of(results.id, False, files, facts)

    @classmethod
    def _of(
        cls, name: str, issued: bool, files: Mapping[str, bytes], facts: Mapping[str, Any]
    ) -> Source:
        import pandas as pd

        table = parse_forecast(files[FILE])
        draws = pd.read_parquet(io.BytesIO(files[DRAWS]))
        return cls(name, issued, table, draws, facts)


@dataclass(frozen=True)
class Exported:
    """What an export did.

    Attributes
    ----------
    folder : Path
    written, same : tuple of str
        Files that were written, and that were there already and say the same.
    notes : tuple of str
    """

    folder: Path
    written: tuple[str, ...]
    same: tuple[str, ...]
    notes: tuple[str, ...] = ()
