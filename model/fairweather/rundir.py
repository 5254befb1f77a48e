"""A folder of results appears whole or not at all: written hidden, then renamed into place.

Guarded by ``tests/test_archive.py``.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from fairweather.errors import ArchiveError

_STALE_SECONDS = 86_400


@dataclass
class Draft:
    """A run being written; ``path`` is the hidden folder, and after publishing the final one."""

    path: Path


def ensure_writable(results_dir: str | Path) -> Path:
    """Make the results folder and prove that a file can be written there.

    Meant to be called before a fit starts, so that an hour of work is not lost to a typing error.

    Raises
    ------
    ArchiveError
        Names the folder.

    Examples
    --------
    >>> import tempfile
    >>> ensure_writable(tempfile.mkdtemp()).is_dir()
    True
    """
    folder = Path(results_dir)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as err:
        raise ArchiveError(
            f"cannot write to the results folder '{results_dir}' ({err.strerror})",
            remedy="Name a folder you may write to: --results DIR.",
        ) from err
    return folder


def write_whole(file: Path, text: str) -> None:
    """Write a file beside its place and move it there: it is whole or as it was.

    Raises
    ------
    OSError
        Names the file asked for, not the draft beside it, of which nothing stays.
    """
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        draft.write_text(text, encoding="utf-8")
        os.replace(draft, file)
    except OSError as err:
        raise OSError(err.errno, err.strerror or str(err), str(file)) from err
    finally:
        # What kept the file from being written must not be hidden by what the draft meets.
        with suppress(OSError):
            draft.unlink(missing_ok=True)


@contextmanager
def new_run_dir(
    results_dir: str | Path, run_id: str, *, overwrite: bool = False
) -> Iterator[Draft]:
    """Open a hidden folder to write a run into, and publish it if the block ends well.

    Parameters
    ----------
    results_dir : str or Path
    run_id : str
        Name of the folder to be.
    overwrite : bool
        Replace a run of the same id; otherwise the new one gets a numeric suffix.

    Yields
    ------
    Draft
        ``path`` is the hidden folder inside the block, the published one after it.

    Raises
    ------
    ArchiveError
        If the file system refuses.
    """
    root = ensure_writable(results_dir)
    _sweep(root)
    draft = Draft(Path(tempfile.mkdtemp(prefix=f".partial-{run_id}-", dir=root)))
    partial = draft.path
    try:
        partial.chmod(0o755)
        yield draft
        draft.path = _publish(partial, root / run_id, overwrite)
    except OSError as err:
        raise ArchiveError(
            f"the run could not be written to '{results_dir}' ({err.strerror or err})",
            remedy="Free some space or name another folder: --results DIR.",
        ) from err
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _sweep(root: Path) -> None:
    """Remove what killed runs left behind a day ago or more; a younger one may be at work."""
    for old in root.glob(".partial-*"):
        if time.time() - old.stat().st_mtime > _STALE_SECONDS:
            shutil.rmtree(old, ignore_errors=True)


def _publish(partial: Path, target: Path, overwrite: bool) -> Path:
    """Rename into place; a folder in use refuses the rename, so nothing is ever mixed."""
    if overwrite and target.exists():
        aside = partial.with_name(partial.name.replace(".partial-", ".old-", 1))
        os.rename(target, aside)
        try:
            os.rename(partial, target)
        except OSError:
            os.rename(aside, target)
            raise
        shutil.rmtree(aside, ignore_errors=True)
        return target
    for n in count(1):
        path = target if n == 1 else target.with_name(f"{target.name}-{n}")
        try:
            os.rename(partial, path)
        except OSError as err:
            if err.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
                raise
        else:
            return path
    raise AssertionError("unreachable")
