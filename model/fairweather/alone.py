"""One command changes a folder at a time, and one that was killed leaves no lock behind.

The kernel holds the lock and drops it with the process, whatever ended that. Guarded by
``tests/test_release.py``.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fairweather.errors import RecordError

_PAUSE = 0.02


def take(handle: int, wait: float = 0.0) -> bool:
    """Lock an open file or folder, waiting for whoever holds it.

    Parameters
    ----------
    handle : int
        Its descriptor; closing it lets go.
    wait : float
        Seconds at most.

    Returns
    -------
    bool
        Whether it is held now.

    Raises
    ------
    OSError
        The file system locks nothing.
    """
    # Monotonic: a clock that is set back makes nobody wait for ever.
    until = time.monotonic() + wait
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            left = until - time.monotonic()
            if left <= 0:
                return False
            time.sleep(min(_PAUSE, left))
        else:
            return True


@contextmanager
def alone(
    folder: str | Path, what: str = "is changing the record in", wait: float = 0.0
) -> Iterator[None]:
    """Hold a folder while it is changed; nothing is written for it.

    Parameters
    ----------
    folder : str or Path
        An existing folder.
    what : str
        What the other process is doing there, for the message.
    wait : float
        Seconds to wait for it.

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
        if not take(handle, wait):
            raise RecordError(
                f"another command {what} '{Path(folder).name}'",
                remedy="Wait until it is done, then try again.",
            )
        yield
    finally:
        os.close(handle)
