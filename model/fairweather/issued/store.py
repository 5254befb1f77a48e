"""A store of issued forecasts: issue, list, open and verify.

Invariant: a forecast is issued when its ledger entry is there, and only then; whatever is issued
is whole and stays as it was. Guarded by ``tests/test_issued_store.py`` and
``tests/test_issued_crash.py``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fairweather.errors import ArchiveError
from fairweather.issued import check, ledger, manifest
from fairweather.issued.book import Book
from fairweather.issued.frozen import Issued, damaged
from fairweather.issued.manifest import MANIFEST, NOTE
from fairweather.issued.places import place

if TYPE_CHECKING:
    import pandas as pd

DEFAULT = "forecasts"
_SHORTEST = 4


class Store:
    r"""Forecasts that were issued; the folder is made by the first issue.

    Parameters
    ----------
    location : str or Path
        A folder, or an fsspec address such as ``s3://bucket/forecasts``.
    say : callable, optional
        Told what the user should know besides the result; default: a line on standard error.

    Examples
    --------
    >>> store = Store("memory://doctest-store")
    >>> store.issue({"a.csv": b"year,chance\n2025,0.35\n"}, {"focal": "CHN-RUS"}).serial
    1
    >>> store.open(1).table("a.csv")["chance"].tolist()
    [0.35]
    >>> store.list()[["serial", "focal"]].values.tolist()
    [[1, 'CHN-RUS']]
    """

    def __init__(
        self, location: str | Path = DEFAULT, say: Callable[[str], None] | None = None
    ) -> None:
        self.place = place(location)
        self._book = Book(self.place, say or _say)

    # -- issue ---------------------------------------------------------------------------------

    def issue(self, files: Mapping[str, bytes], facts: Mapping[str, Any]) -> Issued:
        """Freeze a forecast and enter it in the ledger; one issued before is left as it is.

        Parameters
        ----------
        files : mapping of str to bytes
            By name, from `freeze` for instance.
        facts : mapping
            What determines the forecast: strict JSON without clock, path or machine.

        Returns
        -------
        Issued
            ``new`` says whether this call issued it.

        Raises
        ------
        ArchiveError
            The place refuses, or the store is damaged. Nothing is then half issued, and the
            same call completes what is missing.
        RecordError
            Another command has been issuing here for minutes.
        """
        text = manifest.compose(files, facts)
        ident, whole = manifest.sha256(text), json.loads(text)
        here = self.place
        with here.turn():
            self._checked(create=True)
            here.sweep()
            known = self._book.known(ident)
            name = manifest.folder(ident)
            if not here.publish_folder(name, {**files, MANIFEST: text}, MANIFEST):
                self._still_whole(ident)
                known = known or self._book.known(ident, thorough=True)
            entry, new = known, False
            if entry is None:
                entry, new = self._book.enter(ident, manifest.headline(whole["facts"]))
        return self._issued(entry, whole, new)

    def _still_whole(self, ident: str) -> None:
        wrong = check.forecast(self.place, ident)
        if wrong:
            row = wrong[0]
            raise ArchiveError(
                f"the same forecast was issued before, and its '{row['file']}' {row['problem']}",
                remedy=f"{row['remedy']} Or move '{manifest.folder(ident)}' away and issue again.",
            )

    # -- read ----------------------------------------------------------------------------------

    def entries(self) -> list[dict[str, Any]]:
        """Read the ledger, oldest first; quick, and without pandas.

        Returns
        -------
        list of dict
            serial, id, issued_at, ``clock`` if it was behind, and the headline.
        """
        self._checked()
        return self._book.entries()

    def list(self) -> pd.DataFrame:
        """List what was issued, in order of issue.

        Returns
        -------
        DataFrame
            serial, id, issued_at, clock, and the facts of the headline.
        """
        import pandas as pd

        columns = ["serial", "id", "issued_at", "clock", *manifest.HEADLINE]
        rows = [
            {**e["headline"], "clock": "", **{k: e[k] for k in columns if k in e}}
            for e in self.entries()
        ]
        return pd.DataFrame(rows, columns=columns)

    def open(self, key: str | int) -> Issued:
        """Open an issued forecast.

        Parameters
        ----------
        key : str or int
            Its id or the first four or more digits of it, its serial (up to eight decimal
            digits), or ``latest``.

        Raises
        ------
        ArchiveError
            None or several of that name, or its manifest is damaged.
        """
        self._checked()
        entry = self._find(str(key).strip().lower(), self._book.entries())
        try:
            whole = manifest.parse(
                self.place.read(f"{manifest.folder(entry['id'])}/{MANIFEST}"), entry["id"]
            )
            stored = self.place.read(ledger.path(entry["serial"]))
        except (OSError, ValueError) as err:
            problem = getattr(err, "strerror", None) or str(err)
            raise damaged(entry["id"], f"cannot be used ({problem})", MANIFEST) from err
        return self._issued(stored, whole)

    def verify(self, key: str | int | None = None, head: str | None = None) -> pd.DataFrame:
        """Hash everything anew and list what is wrong; the index is not looked at.

        Parameters
        ----------
        key : str or int, optional
            Check the files of this forecast only, and the whole ledger.
        head : str, optional
            Hash of a ledger entry that was published: it must be in the chain.

        Returns
        -------
        DataFrame
            severity (``damage``, ``unfinished``, ``leftover``), serial, id, file, problem,
            expected, found, remedy; empty if all is as it was issued.
        """
        import pandas as pd

        if not any(not name.startswith(".") for name in self.place.names()):
            self._absent(create=False)
        ident = None
        if key is not None:
            text = str(key).strip().lower()
            whole = manifest.ID.fullmatch(text)
            self._checked()
            ident = text if whole else self._find(text, self._book.entries())["id"]
        return pd.DataFrame(check.problems(self.place, ident, head), columns=list(check.COLUMNS))

    def head(self) -> tuple[int, str]:
        """Count of the ledger's entries, and SHA-256 of the newest: publish it elsewhere."""
        self._checked()
        count, last = self._book.last()
        return count, "" if last is None else manifest.sha256(last)

    def _find(self, key: str, entries: list[dict[str, Any]]) -> dict[str, Any]:
        where = f"'{self.place.location}'"
        if not entries:
            raise ArchiveError(
                f"nothing has been issued in {where} yet", remedy="Issue: fairweather issue RUN."
            )
        if key == "latest":
            return entries[-1]
        if key.isdecimal() and len(key) <= 8:
            found = [e for e in entries if e["serial"] == int(key)]
            what = f"there is no forecast {int(key)} in {where}"
        else:
            usable = len(key) >= _SHORTEST and not set(key) - set("0123456789abcdef")
            found = [e for e in entries if usable and e["id"].startswith(key)]
            what = f"there is no forecast '{key[:70]}' in {where}"
        if len(found) > 1:
            ids = ", ".join(f"{e['serial']} ({e['id'][: len(key) + 4]})" for e in found[:5])
            raise ArchiveError(
                f"'{key}' could be any of {len(found)} forecasts: {ids}",
                remedy="Give more digits, or the serial.",
            )
        if not found:
            raise ArchiveError(
                what,
                remedy=f"Name a serial from 1 to {entries[-1]['serial']}, {_SHORTEST} or more "
                "digits of an id (9 if all are decimal), or latest: see fairweather list.",
            )
        return found[0]

    def _checked(self, create: bool = False) -> None:
        """Refuse what is no store, or one of a newer format."""
        where = self.place.location
        try:
            found = json.loads(self.place.read(NOTE))
            version = int(found["format"])
        except (FileNotFoundError, NotADirectoryError):
            return self._absent(create)
        except OSError as err:
            raise ArchiveError(
                f"the store '{where}' cannot be read ({err.strerror or err})",
                remedy="Check the path and your right to read it.",
            ) from err
        except (ValueError, KeyError, TypeError) as err:
            raise ArchiveError(
                f"{NOTE} of the store '{where}' is damaged",
                remedy=f"Restore it; it says {manifest.note().decode().strip()}.",
            ) from err
        if version > manifest.FORMAT:
            raise ArchiveError(
                f"the store '{where}' has format {version}, this version reads {manifest.FORMAT}",
                remedy="Update fairweather.",
            )
        return None

    def _absent(self, create: bool) -> None:
        where = self.place.location
        if any(not name.startswith(".") for name in self.place.names()):
            raise ArchiveError(
                f"'{where}' is no store of issued forecasts: it has no {NOTE}",
                remedy="Name another folder: --store DIR. If the file was lost, restore it: "
                f"it says {manifest.note().decode().strip()}.",
            )
        if not create:
            raise ArchiveError(
                f"nothing has been issued in '{where}'",
                remedy="Name the store: --store DIR. Or issue a forecast: fairweather issue RUN.",
            )
        self.place.put_new(NOTE, manifest.note())

    def _issued(self, stored: bytes, whole: Mapping[str, Any], new: bool = False) -> Issued:
        entry = json.loads(stored)
        return Issued(
            entry["id"], entry["serial"], entry["issued_at"], whole["facts"], whole["files"],
            manifest.sha256(stored), new, "clock" in entry, self.place,
        )  # fmt: skip


def _say(text: str) -> None:
    print(f"fairweather: {text}", file=sys.stderr)
