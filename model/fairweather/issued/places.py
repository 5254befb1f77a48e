"""Where a store can be: one registry, and the few things every place can do.

Invariant: a name that is there is whole, and is never written again; nothing above this line
knows which kind of place it works on. Guarded by ``tests/test_issued_places.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from importlib import import_module
from pathlib import Path
from typing import Protocol

PARTIAL = ".partial-"
STALE_SECONDS = 86_400


class Place(Protocol):
    """What a store needs of the place it is kept in; names are relative, with ``/``.

    Attributes
    ----------
    location : str
        As the user named it.
    index : Path or None
        Where an index may be kept; None if reading it would not be quicker.
    """

    location: str
    index: Path | None

    def exists(self, name: str) -> bool:
        """Whether a file or folder is there."""

    def names(self, folder: str = "") -> list[str]:
        """Names in a folder, sorted; none if there is no such folder."""

    def read(self, name: str) -> bytes:
        """Content of a file; FileNotFoundError if there is none."""

    def read_many(self, names: Sequence[str]) -> dict[str, bytes]:
        """Content of those of many files that can be read."""

    def put_new(self, name: str, data: bytes) -> bool:
        """Create a file, whole and for good; False, and nothing done, if the name is taken."""

    def publish_folder(self, name: str, files: Mapping[str, bytes], last: str) -> bool:
        """Create a folder of files, `last` marking it whole; False if it is there already."""

    def leftovers(self) -> list[str]:
        """Names of what interrupted issues left behind."""

    def sweep(self) -> None:
        """Remove leftovers of a day ago or more."""

    def turn(self) -> AbstractContextManager[None]:
        """Wait until no other command issues here, as far as the place can tell."""


# By the scheme of an address; everything else is asked of fsspec.
_PLACES = {"": ("local", "LocalPlace"), "file": ("local", "LocalPlace")}
_OTHERS = ("remote", "RemotePlace")


def place(location: str | Path) -> Place:
    """Find the place an address names; fsspec is imported only for a remote one.

    Parameters
    ----------
    location : str or Path
        A folder, or an address such as ``s3://bucket/forecasts``.

    Returns
    -------
    Place

    Examples
    --------
    >>> type(place("forecasts")).__name__, type(place("memory://forecasts")).__name__
    ('LocalPlace', 'RemotePlace')
    """
    scheme, mark, _ = str(location).partition("://")
    module, name = _PLACES.get(scheme if mark else "", _OTHERS)
    make: Callable[[str], Place] = getattr(import_module(f"fairweather.issued.{module}"), name)
    return make(str(location))
