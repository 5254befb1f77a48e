"""One command changes a folder at a time, and one that was killed leaves no lock behind.

The kernel holds the lock and drops it with the process, whatever ended that. Guarded by
``tests/test_release.py``.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fairweather.errors import RecordError


@contextmanager
def alone(folder: str | Path, what: str = "is changing the record in") -> Iterator[None]:
    """Hold a folder while it is changed; nothing is written for it.

    Parameters
    ----------
    folder : str or Path
        An existing folder.
    what : str
        What the other process is doing there, for the message.

    Raises
    ------
    RecordError
        If another process is changing it.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, alone(folder):
    ...     pass
    """
    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RecordError(
                f"another command {what} '{Path(folder).name}'",
                remedy="Wait until it is done, then try again.",
            ) from None
        yield
    finally:
        os.close(handle)
