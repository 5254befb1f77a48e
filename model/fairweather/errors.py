"""Every refusal has one base class, and says which file, which row and what to do.

Guarded by ``tests/test_record.py`` and ``tests/test_codebook.py``.
"""

from __future__ import annotations

from pathlib import Path


class FairweatherError(Exception):
    """Base of all errors this package raises on purpose.

    Parameters
    ----------
    message : str
        What is wrong.
    file : str or Path, optional
        The file at fault; of a path only the name is shown, so that messages do not depend on the
        machine. Text that is no absolute path is shown as it is: two folders of the record hold
        files of one name.
    row : int, optional
        Line in that file, counted from 1 (the header is line 1).
    remedy : str, optional
        What the reader can do about it.

    Examples
    --------
    >>> print(FairweatherError("year is not a number", file="a.csv", row=3, remedy="Write 1992."))
    a.csv, line 3: year is not a number. Write 1992.
    """

    def __init__(
        self,
        message: str,
        *,
        file: str | Path | None = None,
        row: int | None = None,
        remedy: str | None = None,
    ) -> None:
        whole = isinstance(file, str) and not Path(file).is_absolute()
        self.file = file if whole or file is None else Path(file).name
        self.row = row
        self.remedy = remedy
        where = self.file or ""
        if row is not None:
            where = f"{where}, line {row}" if where else f"line {row}"
        text = f"{where}: {message}" if where else message
        if remedy:
            text = f"{text.rstrip('.')}. {remedy}"
        super().__init__(text)


class RecordError(FairweatherError):
    """An observation or state table breaks the rules of the record."""


class CodebookError(FairweatherError):
    """The codebook or the list of sources is malformed."""


class PriorError(FairweatherError):
    """A prior file is malformed or names an unknown parameter."""


class ScenarioError(FairweatherError):
    """A scenario cannot be applied to the fitted panel."""


class AsOfError(FairweatherError):
    """The date asked for cannot be honoured."""


class ConvergenceError(FairweatherError):
    """The sampler's draws do not meet the bar."""


class ArchiveError(FairweatherError):
    """A stored fit is missing, damaged or of another version."""


class SamplerError(FairweatherError):
    """The sampler could not run."""


class SourceError(FairweatherError):
    """A publisher's file is missing or does not look as its reader expects."""
