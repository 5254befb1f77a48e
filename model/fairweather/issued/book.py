"""The ledger of a place, read quickly and added to one entry at a time.

Invariant: an entry is added only after one that fits its own seal and place, under a serial that
nobody else has; the index decides nothing. Guarded by ``tests/test_issued_store.py`` and
``tests/test_issued_index.py``.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from typing import Any

from fairweather.errors import ArchiveError
from fairweather.issued import ledger
from fairweather.issued.manifest import LEDGER
from fairweather.issued.places import Place

_TRIES = 100


class Book:
    """The ledger of a place and, where there is one, its index.

    Parameters
    ----------
    place : Place
    say : callable
        Told what the user should know besides the result.
    """

    def __init__(self, place: Place, say: Callable[[str], None]) -> None:
        self._place, self._say = place, say

    def known(self, ident: str, thorough: bool = False) -> bytes | None:
        """Entry of a forecast that was issued before.

        The ids of the index are not checked by the chain: a forecast that it does not find but
        whose files are there must be looked for in the entries.
        """
        count, last = self.last()
        if last is None:
            return None
        if self._place.index is not None and not thorough:
            from fairweather.issued import index

            try:
                serial = index.find(self._place.index, ident, last, count)
                if serial is None:
                    return None
                data = self._place.read(ledger.path(serial))
                if ledger.read(data, serial)["id"] == ident:
                    return data
            except (index.Unusable, OSError, ValueError):
                pass
        serials = [e["serial"] for e in self.entries() if e["id"] == ident]
        return self._place.read(ledger.path(serials[0])) if serials else None

    def last(self) -> tuple[int, bytes | None]:
        """Count of entries and the newest one, which must fit for another to follow."""
        serials = ledger.serials(self._place.names(LEDGER))
        if not serials:
            return 0, None
        count = len(serials)
        try:
            if serials[-1] != count:
                raise ValueError("lacks an entry")
            last = self._place.read(ledger.path(count))
            ledger.read(last, count)
        except (ValueError, OSError) as err:
            raise ArchiveError(
                f"the ledger of '{self._place.location}' is damaged: nothing can be added to it",
                remedy="See what is wrong with: fairweather verify.",
            ) from err
        return count, last

    def enter(self, ident: str, headline: Mapping[str, Any]) -> tuple[bytes, bool]:
        """Write the next ledger entry, and tell whether it is new.

        Whoever creates an entry first has its serial; the other takes the next.
        """
        for _ in range(_TRIES):
            count, last = self.last()
            entry = ledger.write(ident, headline, last)
            if self._place.put_new(ledger.path(count + 1), entry):
                self._indexed(count + 1, ident, entry)
                return entry, True
            # Somebody else was first, perhaps with the same forecast.
            known = self.known(ident)
            if known is not None:
                return known, False
        raise ArchiveError(
            f"others issue into '{self._place.location}' all the time", remedy="Try again."
        )

    def _indexed(self, serial: int, ident: str, entry: bytes) -> None:
        if self._place.index is None:
            return
        from fairweather.issued import index

        try:
            if serial == 1:
                index.build(self._place.index, [(ident, entry)])
            else:
                index.append(self._place.index, serial, ident, entry)
        except (OSError, sqlite3.Error):
            self._say("the forecast is issued; its index could not be written and is built later")

    def entries(self) -> list[dict[str, Any]]:
        """All entries, oldest first: from the index if it is in step, else from the ledger."""
        serials = ledger.serials(self._place.names(LEDGER))
        if not serials:
            return []
        count, reason = len(serials), ""
        if self._place.index is not None and serials[-1] == count:
            from fairweather.issued import index

            try:
                return index.load(self._place.index, self._place.read(ledger.path(count)), count)
            except (index.Unusable, OSError) as why:
                reason = str(why)
        names = [ledger.path(k) for k in serials]
        stored = self._place.read_many(names)
        try:
            if len(stored) != count or serials[-1] != count:
                raise ValueError("an entry is missing")
            entries = ledger.chain([stored[name] for name in names])
        except (ValueError, KeyError, TypeError):
            return self._what_can_be_read(serials, stored)
        if self._place.index is not None:
            self._rebuild([(e["id"], stored[n]) for e, n in zip(entries, names, strict=True)],
                          reason)  # fmt: skip
        return entries

    def _rebuild(self, entries: list[tuple[str, bytes]], reason: str) -> None:
        from fairweather.issued import index

        what = f"the index of '{self._place.location}' {reason}"
        try:
            index.build(self._place.index, entries)
        except (OSError, sqlite3.Error) as err:
            self._say(f"{what}; it cannot be written here, so the ledger was read ({err})")
        else:
            self._say(f"{what}: built anew from the ledger")

    def _what_can_be_read(
        self, serials: list[int], stored: dict[str, bytes]
    ) -> list[dict[str, Any]]:
        out = []
        for serial in serials:
            try:
                out.append(ledger.read(stored[ledger.path(serial)], serial))
            except (ValueError, KeyError, TypeError):
                continue
        self._say("the ledger is damaged, what it still says is used; see: fairweather verify")
        return out
