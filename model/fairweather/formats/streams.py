"""A file is read as text only while it stays small, whole, and in the encoding declared.

What a publisher's file unpacks to is counted as it is read, so that a crafted archive is refused
before it fills memory or disk. Guarded by ``tests/test_formats.py``.
"""

from __future__ import annotations

import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from fairweather.errors import SourceError

MAX_BYTES = 2 * 1024**3
# Real tables pack ten to sixty times smaller; below the floor no ratio can do harm.
MAX_RATIO = 200
RATIO_FLOOR = 64 * 1024**2

ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_UTF_16_32 = (b"\xff\xfe", b"\xfe\xff")
_OLD_EXCEL = b"\xd0\xcf\x11\xe0"


class _Watched(io.RawIOBase):
    """Passes bytes on, and stops at the size cap, at a bomb's ratio and at a NUL byte."""

    def __init__(self, inner: BinaryIO, path: Path, packed: int | None) -> None:
        self._inner, self._path, self._packed = inner, path, packed
        self._seen, self._lines = 0, 1

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:
        chunk = self._inner.read(len(buffer))
        self._seen += len(chunk)
        if self._seen > MAX_BYTES or (
            self._packed is not None
            and self._seen > RATIO_FLOOR
            and self._seen > MAX_RATIO * self._packed
        ):
            raise too_large(self._path, "it unpacks to more than a table of this kind can hold")
        nul = chunk.find(b"\x00")
        if nul >= 0:
            raise SourceError(
                "the file holds NUL bytes, so it is not plain text",
                file=self._path,
                row=self._lines + chunk.count(b"\n", 0, nul),
                remedy="Download it again, or save it as UTF-8 text.",
            )
        self._lines += chunk.count(b"\n")
        buffer[: len(chunk)] = chunk
        return len(chunk)


def too_large(path: Path, problem: str) -> SourceError:
    """Make the refusal of a file over the cap."""
    return SourceError(
        problem,
        file=path,
        remedy=f"Files up to {MAX_BYTES // 1024**3} GiB of text are read; split it by year.",
    )


def check_file(path: Path) -> bytes:
    """Refuse what is not a readable file of bearable size, and return its first bytes.

    Parameters
    ----------
    path : Path
        Publisher's file.

    Returns
    -------
    bytes
        The first four bytes, which tell packed files from text.

    Raises
    ------
    SourceError
        If the path is missing, a folder, unreadable, empty or above `MAX_BYTES`.
    """
    try:
        if path.is_dir():
            raise SourceError("this is a folder", file=path, remedy="Name the file inside it.")
        if not path.is_file():
            raise SourceError("there is no such file", file=path, remedy="Check the path.")
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise too_large(path, f"the file has {size:,} bytes")
        with path.open("rb") as stream:
            head = stream.read(4)
    except (OSError, ValueError) as err:
        raise SourceError(
            f"the file cannot be read ({err.__class__.__name__})",
            file=path,
            remedy="Check the path and its permissions.",
        ) from err
    if not head:
        raise SourceError("the file is empty", file=path, remedy="Download it again.")
    if head[:2] in _UTF_16_32:
        raise SourceError(
            "the file is UTF-16 or UTF-32, not UTF-8", file=path, row=1, remedy="Save it as UTF-8."
        )
    if head == _OLD_EXCEL:
        raise SourceError(
            "the file is an old Excel workbook (.xls)",
            file=path,
            remedy="Save it as .xlsx or as CSV in UTF-8.",
        )
    return head


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn every way in which a packed or damaged file can fail into a refusal."""
    try:
        yield
    except (EOFError, OSError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, RuntimeError,
            NotImplementedError, UnicodeError, OverflowError) as err:  # fmt: skip
        if isinstance(err, UnicodeDecodeError):
            raise
        raise SourceError(
            f"the file is cut or damaged ({str(err)[:100] or err.__class__.__name__})",
            file=path,
            remedy="Download it again.",
        ) from err


def _only_entry(archive: zipfile.ZipFile, path: Path) -> zipfile.ZipInfo:
    entries = [
        e for e in archive.infolist() if not e.is_dir() and not e.filename.startswith("__MACOSX/")
    ]
    if len(entries) != 1:
        raise SourceError(
            f"the archive holds {len(entries)} files, not one table",
            file=path,
            remedy="Unpack it and name the table.",
        )
    return entries[0]


@contextmanager
def open_bytes(path: Path, head: bytes) -> Iterator[io.BufferedReader]:
    """Open plain, .gz or .zip content as one guarded stream of bytes.

    Parameters
    ----------
    path : Path
        Checked by `check_file`.
    head : bytes
        What `check_file` returned; content decides, not the suffix.
    """
    packed = path.stat().st_size
    with reading(path):
        if head[:2] == b"\x1f\x8b":
            with gzip.open(path, "rb") as inner:
                yield io.BufferedReader(_Watched(inner, path, packed), 1 << 20)
        elif head in ZIP:
            with (
                zipfile.ZipFile(path) as archive,
                archive.open(_only_entry(archive, path)) as inner,
            ):
                yield io.BufferedReader(_Watched(inner, path, packed), 1 << 20)
        else:
            with path.open("rb") as inner:
                yield io.BufferedReader(_Watched(inner, path, None), 1 << 20)


def undecodable(path: Path, head: bytes, encoding: str) -> SourceError:
    """Make the refusal of a file that is not in its encoding, with the line found again."""
    row = None
    with open_bytes(path, head) as stream:
        for number, line in enumerate(stream, start=1):
            try:
                line.decode(encoding)
            except UnicodeDecodeError:
                row = number
                break
    return SourceError(
        f"the text is not {encoding.removesuffix('-sig').upper()}",
        file=path,
        row=row,
        remedy="Save the file as UTF-8, or download it again.",
    )
