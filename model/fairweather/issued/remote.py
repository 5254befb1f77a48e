"""A store behind an address: whatever fsspec can reach, without locks and without renames.

Invariant: a file of an address is whole or absent, so a folder counts only once its last file,
the manifest, is there; who creates a ledger entry first has it. Guarded by
``tests/test_issued_places.py``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from fairweather.errors import ArchiveError, FairweatherError


class RemotePlace:
    """An fsspec address; see `fairweather.issued.places.Place`.

    Examples
    --------
    >>> there = RemotePlace("memory://doctest-remote")
    >>> there.put_new("ledger/1.json", b"x"), there.put_new("ledger/1.json", b"y")
    (True, False)
    >>> there.read("ledger/1.json"), there.names("ledger")
    (b'x', ['1.json'])
    """

    index: Path | None = None

    def __init__(self, location: str) -> None:
        self.location = location
        self.fs, self.root = _connect(location)

    def _at(self, name: str) -> str:
        return f"{self.root.rstrip('/')}/{name}".rstrip("/")

    def exists(self, name: str) -> bool:
        """Whether a file or folder is there."""
        with _told(self.location):
            return bool(self.fs.exists(self._at(name)))

    def names(self, folder: str = "") -> list[str]:
        """Names in a folder, sorted; none if there is no such folder."""
        with _told(self.location):
            try:
                found = self.fs.ls(self._at(folder), detail=False)
            except (FileNotFoundError, NotADirectoryError):
                return []
        return sorted({str(p).rstrip("/").rsplit("/", 1)[-1] for p in found})

    def read(self, name: str) -> bytes:
        """Content of a file; FileNotFoundError if there is none."""
        with _told(self.location):
            return bytes(self.fs.cat_file(self._at(name)))

    def read_many(self, names: Sequence[str]) -> dict[str, bytes]:
        """Content of those of many files that can be read, asked for at once."""
        if not names:
            return {}
        with _told(self.location):
            paths = {self.fs._strip_protocol(self._at(n)): n for n in names}
            found = self.fs.cat(list(paths), on_error="omit")
        # A single path is answered by its content alone.
        if isinstance(found, bytes):
            return {names[0]: found}
        return {paths[self.fs._strip_protocol(p)]: bytes(data) for p, data in found.items()}

    def put_new(self, name: str, data: bytes) -> bool:
        """Create a file; False, and nothing done, if the name is taken."""
        with _told(self.location):
            try:
                self.fs.pipe_file(self._at(name), data, mode="create")
            except FileExistsError:
                return False
        # Not every kind of address creates exclusively: see whose content it is.
        return self.read(name) == data

    def publish_folder(self, name: str, files: Mapping[str, bytes], last: str) -> bool:
        """Write the files, `last` at the end; two who do so write the same bytes."""
        if self.exists(f"{name}/{last}"):
            return False
        with _told(self.location):
            for file in [*(f for f in files if f != last), last]:
                self.fs.pipe_file(self._at(f"{name}/{file}"), files[file])
        return True

    def leftovers(self) -> list[str]:
        """Nothing is written under a passing name here."""
        return []

    def sweep(self) -> None:
        """Do nothing: see `leftovers`."""

    def turn(self) -> AbstractContextManager[None]:
        """Do not wait: the ledger entry decides."""
        return nullcontext()


def _connect(location: str) -> tuple[Any, str]:
    from fsspec.core import url_to_fs

    try:
        # What another machine has issued since must be seen.
        return url_to_fs(location, use_listings_cache=False, skip_instance_cache=True)
    except (ImportError, ValueError) as err:
        raise ArchiveError(
            f"'{location}' cannot be reached ({err})",
            remedy="Check the address, or install what it needs (s3fs for s3://).",
        ) from err


@contextmanager
def _told(location: str) -> Iterator[None]:
    """Turn what a remote system answers into a refusal; each has errors of its own."""
    try:
        yield
    except (FairweatherError, FileNotFoundError):
        raise
    except Exception as err:
        text = " ".join(str(err).split()) or "no reason given"
        raise ArchiveError(
            f"'{location}' does not answer as it should ({type(err).__name__}: {text})",
            remedy="Check the address, the network and your right to write there.",
        ) from err
