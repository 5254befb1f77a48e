"""Whether a value that came is final or may still be revised, by rule and from the record alone.

Invariant: no clock is read; the same record gives the same answer on any day.
Guarded by ``tests/test_due.py``.

A value is *final* when

1. a later release of its publisher spoke of its indicator and year, for all units, and left it as
   it is (such a release confirms what it does not change); or
2. it is of the first vintage, and the publisher's file was read a year or more after the day the
   value counts as known (the end of its year and the publisher's usual delay): there had been a
   year to revise it.

Every other value is *provisional*: one that a release brought and none has confirmed, one of the
first vintage read sooner than that, and one of a year that had not ended when it came, unless a
release from after the end of that year confirmed it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import TYPE_CHECKING

from fairweather.coding.notes import Note
from fairweather.record import Record, as_date, latest

if TYPE_CHECKING:
    import pandas as pd

FINAL, PROVISIONAL = "final", "provisional"
# Days after which a value of the first vintage has had its time to be revised.
YEAR = 365


def status(record: Record, notes: Iterable[Note], keys: pd.DataFrame) -> pd.DataFrame:
    """Say of values whether they are final, and why.

    Parameters
    ----------
    record : Record
        With all its vintages.
    notes : iterable of Note
        Of its releases (`fairweather.coding.notes.read`); those after the record's own cut-off are
        not looked at.
    keys : DataFrame
        ``indicator``, ``unit``, ``year`` of values that stand in the record.

    Returns
    -------
    DataFrame
        Index and keys of `keys`; ``known_from`` (day), ``status``, ``why``, and ``revisions``: how
        often a release changed the value after it had first come.

    Examples
    --------
    >>> import fairweather as fw
    >>> import pandas as pd
    >>> record = fw.load_record()
    >>> one = pd.DataFrame({"indicator": ["unga_votes"], "unit": ["CHN-RUS"], "year": [2010]})
    >>> status(record, [], one)["status"].tolist()
    ['final']
    """
    cells = ["indicator", "unit", "year"]
    some = record.ledger.merge(keys[cells].drop_duplicates(), on=cells)
    read_on = {key: one.read_on for key, one in record.codebook.sources.items()}
    known = [n for n in notes if record.as_of is None or n.released <= str(record.as_of)]
    rows = latest(some).drop_duplicates(cells, keep="last").set_index(cells)
    changed = some[some["status"] == "changed"].groupby(cells).size()
    out = keys[cells].copy()
    found = rows.reindex(out.set_index(cells).index)
    days = [None if d != d else d.date() for d in found["available_on"]]
    judged = [
        _judge(i, int(y), day, r == 0, read_on.get(s, ""), known, record.as_of)
        for i, y, day, r, s in zip(
            out["indicator"], out["year"], days, found["release"], found["source"], strict=True
        )
    ]
    out["known_from"] = [str(d) if d else "" for d in days]
    out["status"] = [FINAL if ok else PROVISIONAL for ok, _ in judged]
    out["why"] = [why for _, why in judged]
    counts = changed.reindex(out.set_index(cells).index).fillna(0)
    out["revisions"] = counts.to_numpy(int)
    return out


def _judge(
    indicator: str, year: int, day: dt.date | None, first: bool, read_on: str,
    notes: list[Note], as_of: dt.date | None,
) -> tuple[bool, str]:  # fmt: skip
    if day is None:
        return False, "it does not stand in the record"
    # What is said of a running year confirms nothing.
    ended = dt.date(year, 12, 31)
    for note in notes:
        whole = indicator in note.indicators and note.years[0] <= year <= note.years[1]
        if whole and note.released > max(day, ended).isoformat():
            return True, f"confirmed by the release of {note.released}"
    if day < ended:
        return False, "its year had not ended when it came"
    if not first:
        return False, "no later release has confirmed it yet"
    read = as_date(read_on) if read_on else None
    if read is not None and as_of is not None:
        read = min(read, as_of)
    if read is not None and (read - day).days >= YEAR:
        return True, f"of the first vintage, read on {read}, a year or more after it was out"
    return False, "of the first vintage, read less than a year after it was out"
