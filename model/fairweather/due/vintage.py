"""The record as an issued forecast knew it, found again by the hash in its facts.

Invariant: what is handed back is what the forecast was made from, or it is said that it is not.
Guarded by ``tests/test_due.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from fairweather.errors import AsOfError, RecordError
from fairweather.record import Record, resolve

# How the record of a forecast was found.
BY_HASH, BY_DAY = "hash", "day"


class Vintages:
    """The vintages of a record, by what issued forecasts say of theirs.

    A forecast of the full record knew some number of the releases that the record has taken in
    since; one as of a day knew what was out by then. The hash in its facts says which it was. Where
    no vintage has that hash, because a release was removed or the record is another, what was out
    on the day (as of, or else of issue) stands in, and ``how`` says ``day``.

    Parameters
    ----------
    record : Record
        As it is known now.

    Examples
    --------
    >>> import fairweather as fw
    >>> record = fw.load_record()
    >>> facts = {"data": {"as_of": None, "record_hash": record.content_hash}}
    >>> Vintages(record).of(facts)[1]
    'hash'
    """

    def __init__(self, record: Record) -> None:
        self.record = record
        self._whole: dict[int, Record] = {}
        self._found: dict[Any, tuple[Record, str]] = {}

    def of(self, facts: Mapping[str, Any], issued_on: str = "") -> tuple[Record, str]:
        """Find the record a forecast knew.

        Parameters
        ----------
        facts : mapping
            Of an issued forecast; ``data`` has ``as_of`` and ``record_hash``, and ``states`` if
            the forecast was made from some states only.
        issued_on : str
            Day of issue (YYYY-MM-DD), for a forecast whose hash is not met.

        Returns
        -------
        record : Record
            Cut to the states of the forecast.
        how : str
            ``hash`` if it is what the forecast was made from, ``day`` if it stands in for it.

        Raises
        ------
        RecordError
            The record lacks the states of the forecast, or nothing was out on the day.
        """
        data = facts.get("data") or {}
        states = tuple(data.get("states") or ())
        key = (data.get("as_of"), data.get("record_hash"), states, issued_on[:10])
        if key not in self._found:
            self._found[key] = self._find(*key)
        return self._found[key]

    def _find(
        self, as_of: str | None, wanted: str | None, states: tuple[str, ...], day: str
    ) -> tuple[Record, str]:
        if as_of:
            found = self._known_on(as_of, states)
            return found, BY_HASH if found.content_hash == wanted else BY_DAY
        for release in sorted(self.record.ledger["release"].unique(), reverse=True):
            found = self._cut(self._until(int(release)), states)
            if found.content_hash == wanted:
                return found, BY_HASH
        return self._known_on(day, states), BY_DAY

    def _until(self, release: int) -> Record:
        """Take the record as it was when this release was the last one taken in."""
        if release not in self._whole:
            rows = self.record.ledger
            rows = rows[rows["release"] <= release].reset_index(drop=True)
            self._whole[release] = replace(self.record, observations=resolve(rows), ledger=rows)
        return self._whole[release]

    def _known_on(self, day: str, states: tuple[str, ...]) -> Record:
        try:
            return self._cut(self.record.known_on(day), states)
        except AsOfError as err:
            raise RecordError(
                f"this record cannot tell what a forecast of {day or 'an unknown day'} knew",
                remedy="Name the record it was made from: --data DIR.",
            ) from err

    @staticmethod
    def _cut(record: Record, states: tuple[str, ...]) -> Record:
        if not states or set(states) == set(record.states["iso3"]):
            return record
        return record.select(states=states)
