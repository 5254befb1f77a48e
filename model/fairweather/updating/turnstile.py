"""One update of a store at a time; one that was killed leaves no lock behind.

Invariant: the kernel holds the lock and drops it with the process; neither the clock nor what is
in the file decides anything. Guarded by ``tests/test_updating_turnstile.py``.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fairweather.alone import take
from fairweather.errors import ArchiveError, FairweatherError


class BusyError(FairweatherError):
    """Another update of the same store is running."""


def lock_file(store: str | Path, results: str | Path = "results") -> Path:
    """Find the file that is locked: beside the store, or with the results if it is remote.

    Examples
    --------
    >>> lock_file("forecasts").name, lock_file("s3://bucket/forecasts").name[:8]
    ('.forecasts.update', '.update-')
    """
    text = str(store)
    scheme, mark, _ = text.partition("://")
    if mark and scheme != "file":
        return Path(results) / f".update-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
    # Two names of one folder are one store.
    place = Path(text.removeprefix("file://")).resolve()
    return place.with_name(f".{place.name}.update")


@contextmanager
def turnstile(
    store: str | Path, results: str | Path = "results", wait: float = 0.0
) -> Iterator[None]:
    """Hold the right to update a store.

    Parameters
    ----------
    store : str or Path
        Folder or address of the store; it need not be there yet.
    results : str or Path
        Folder of results; for a remote store the lock is there, so that updates from two machines
        are not kept apart.
    wait : float
        Seconds to wait for another update to end.

    Raises
    ------
    BusyError
        Another update holds it.
    ArchiveError
        The file cannot be made.

    Examples
    --------
    >>> import tempfile
    >>> with turnstile(tempfile.mkdtemp() + "/forecasts"):
    ...     pass
    """
    file = lock_file(store, results)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(file, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as err:
        raise ArchiveError(
            f"no update can be made here: '{file.name}' cannot be written beside the store "
            f"({err.strerror or err})",
            remedy="Make the folder writable, or name another store: --store DIR.",
        ) from err
    try:
        if not take(handle, wait):
            name = file.name.strip(".").removesuffix(".update")
            raise BusyError(
                f"another update of '{name}' is running",
                remedy="Wait until it is done, or let this one wait: --wait SECONDS.",
            )
        yield
    finally:
        os.close(handle)
