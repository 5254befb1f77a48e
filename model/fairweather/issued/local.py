"""A store on a disk: written hidden, on the disk before it is seen, renamed or linked into place.

Invariant: a crash at any moment leaves each name absent or whole; what is there is never
overwritten. Guarded by ``tests/test_issued_crash.py``.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from fairweather.alone import alone
from fairweather.errors import ArchiveError
from fairweather.issued.places import PARTIAL, STALE_SECONDS

_FILE, _FOLDER = 0o444, 0o555
_PATIENCE = 120.0
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)
_FULL = (errno.ENOSPC, errno.EDQUOT)


class LocalPlace:
    """A folder; see `fairweather.issued.places.Place`.

    Examples
    --------
    >>> here = LocalPlace(tempfile.mkdtemp())
    >>> here.put_new("ledger/1.json", b"x"), here.put_new("ledger/1.json", b"y")
    (True, False)
    >>> here.read("ledger/1.json"), here.names("ledger")
    (b'x', ['1.json'])
    """

    def __init__(self, location: str) -> None:
        self.location = location
        self.root = Path(location.removeprefix("file://"))
        self.index: Path | None = self.root / "index.sqlite"

    def exists(self, name: str) -> bool:
        """Whether a file or folder is there."""
        return (self.root / name).exists()

    def names(self, folder: str = "") -> list[str]:
        """Names in a folder, sorted; none if there is no such folder."""
        try:
            return sorted(os.listdir(self.root / folder))
        except (FileNotFoundError, NotADirectoryError):
            return []

    def read(self, name: str) -> bytes:
        """Content of a file; FileNotFoundError if there is none."""
        with open(f"{self.root}/{name}", "rb") as file:
            return file.read()

    def read_many(self, names: Sequence[str]) -> dict[str, bytes]:
        """Content of those of many files that can be read."""
        out = {}
        for name in names:
            with suppress(OSError):
                out[name] = self.read(name)
        return out

    def put_new(self, name: str, data: bytes) -> bool:
        """Create a file, whole and for good; False, and nothing done, if the name is taken."""
        with _told(self.location):
            target = self.root / name
            _make(target.parent)
            handle, draft = tempfile.mkstemp(prefix=PARTIAL, dir=self.root)
            try:
                _fill(handle, data)
                _link(draft, target)
            except FileExistsError:
                return False
            finally:
                with suppress(OSError):
                    os.unlink(draft)
            _settle(target.parent)
            return True

    def publish_folder(self, name: str, files: Mapping[str, bytes], last: str) -> bool:
        """Create a folder of files by one rename; False if it is there already."""
        target = self.root / name
        with _told(self.location):
            if target.exists():
                # A crash right after the rename leaves it open to changes.
                if target.stat().st_mode & 0o222:
                    os.chmod(target, _FOLDER)
                return False
            _make(target.parent)
            partial = Path(tempfile.mkdtemp(prefix=PARTIAL, dir=self.root))
            try:
                for file, data in files.items():
                    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
                    _fill(os.open(partial / file, flags, 0o644), data)
                _settle(partial)
                os.rename(partial, target)
            except OSError as err:
                if err.errno in (errno.EEXIST, errno.ENOTEMPTY):
                    return False
                raise
            finally:
                shutil.rmtree(partial, ignore_errors=True)
            # After the rename: a folder one may not write to cannot be moved by everyone.
            os.chmod(target, _FOLDER)
            _settle(target.parent)
            return True

    def leftovers(self) -> list[str]:
        """Names of what interrupted issues left behind."""
        return [name for name in self.names() if name.startswith(PARTIAL)]

    def sweep(self) -> None:
        """Remove leftovers of a day ago or more; a younger one may be at work."""
        for name in self.leftovers():
            old = self.root / name
            with suppress(OSError):
                if time.time() - old.stat().st_mtime > STALE_SECONDS:
                    if old.is_dir():
                        shutil.rmtree(old, ignore_errors=True)
                    else:
                        old.unlink()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait until no other command issues here; the lock goes with its process."""
        with ExitStack() as held:
            with _told(self.location):
                _make(self.root)
                _wait(held, self.root)
            yield


def _wait(held: ExitStack, folder: Path) -> None:
    # Some network disks lock no folders: there, the ledger entry decides alone.
    with suppress(OSError):
        held.enter_context(alone(folder, "is issuing into", _PATIENCE))


def _fill(handle: int, data: bytes) -> None:
    """Write a new file, make it read-only, and wait until it is on the disk."""
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(handle, view) :]
        os.fchmod(handle, _FILE)
        os.fsync(handle)
    finally:
        os.close(handle)


def _link(draft: str, target: Path) -> None:
    """Give a file its name; unlike a rename, this fails if the name is taken."""
    try:
        os.link(draft, target)
    except OSError as err:
        if err.errno not in _NO_LINKS:
            raise
        raise ArchiveError(
            f"'{target.parent}' is on a disk without hard links ({err.strerror})",
            remedy="Name a store on another disk: --store DIR.",
        ) from err


def _make(folder: Path) -> None:
    """Make a folder and those above it, each on the disk before something is put into it."""
    if not folder.is_dir():
        _make(folder.parent)
        folder.mkdir(exist_ok=True)
        _settle(folder.parent)


def _settle(folder: Path) -> None:
    """Wait until the names in a folder are on the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _told(location: str) -> Iterator[None]:
    """Say what to do about a disk that refuses."""
    try:
        yield
    except OSError as err:
        remedy = (
            "Free some space and issue it again; what was issued before is whole."
            if err.errno in _FULL
            else "Make it writable, or issue into another store: --store DIR."
        )
        raise ArchiveError(
            f"cannot issue into '{location}' ({err.strerror or err})", remedy=remedy
        ) from err
