"""What was issued last for a pair: the number a warning is held against, and from which year.

Invariant: a store is only read; where nothing has been issued the end of the record stands in.
Guarded by ``tests/test_monitor_earlier.py``.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fairweather.issued import Store
from fairweather.monitor.rows import MonitorError
from fairweather.wording import baseline

if TYPE_CHECKING:
    from fairweather.issued import Issued

_TABLE = "durability.csv"


@dataclass(frozen=True)
class Earlier:
    """The forecast issued last for a pair.

    Attributes
    ----------
    serial : int
    id : str
    issued_at : str
    focal : str
    origin : int
    states : tuple of str
    priors : str
        Id of its belief set.
    readings : dict of str to float
        Weights.
    best : str
        Its single reading, or the best of several.
    """

    serial: int
    id: str
    issued_at: str
    focal: str
    origin: int
    states: tuple[str, ...]
    priors: str
    readings: dict[str, float]
    best: str
    _issued: Issued

    @property
    def day(self) -> dt.date:
        """Day of issue, by the clock of the machine that issued it."""
        return dt.date.fromisoformat(self.issued_at[:10])

    def chance(self, reading: str, horizon: int, threshold: str) -> tuple[float | None, str]:
        """Probability that was issued, under today's weather.

        Parameters
        ----------
        reading : str
            A mixture also keeps the numbers of its best reading.
        horizon : int
            Years ahead.
        threshold : str

        Returns
        -------
        probability : float or None
            None if it was not issued.
        what : str
            What it is of, or why there is none.
        """
        name, what = _TABLE, f"reading {self.best}"
        if len(self.readings) > 1:
            alone = [n for n in self._issued.files if n.startswith("best") and n.endswith(_TABLE)]
            name, what = _TABLE, f"a mixture of {len(self.readings)} readings"
            if alone and reading == self.best:
                name, what = alone[0], f"reading {self.best}, the best of {len(self.readings)}"
        if name not in self._issued.files:
            return None, f"forecast {self.serial} keeps no {_TABLE}"
        table = self._issued.table(name)
        today = table["scenario"] == baseline(list(dict.fromkeys(table["scenario"])))
        at = (table["horizon"] == horizon) & (table["threshold"].astype(str) == threshold)
        row = table[today & at]
        if row.empty:
            far = int(table["horizon"].max())
            return None, f"forecast {self.serial} was issued for {far} years, not for {horizon}"
        return float(row["probability"].iloc[0]), what


def last_issued(location: str, focal: str | None = None) -> Earlier | None:
    """Find the forecast issued last.

    Parameters
    ----------
    location : str
        Of the store.
    focal : str, optional
        The last one for this pair; default: the last of all.

    Returns
    -------
    Earlier or None
        None where nothing has been issued, or nothing for this pair.

    Raises
    ------
    ArchiveError
        The place is no store, or it is damaged.
    MonitorError
        The forecast does not say what it rests on.

    Examples
    --------
    >>> import tempfile
    >>> last_issued(tempfile.mkdtemp() + "/forecasts") is None
    True
    """
    store = Store(location)
    if not any(not name.startswith(".") for name in store.place.names()):
        return None
    entries = [e for e in store.entries() if focal in (None, e["headline"].get("focal"))]
    return _earlier(store.open(entries[-1]["serial"])) if entries else None


def _earlier(one: Issued) -> Earlier:
    facts: dict[str, Any] = one.facts
    try:
        weights = {str(k): float(v) for k, v in facts["readings"].items()}
        best = str(facts.get("best") or max(weights, key=weights.__getitem__))
        return Earlier(
            one.serial, one.id, one.issued_at, str(facts["focal"]), int(facts["origin"]),
            tuple(facts["data"]["states"]), str(facts["priors"]["id"]), weights, best, one,
        )  # fmt: skip
    except (KeyError, TypeError, ValueError, AttributeError) as err:
        raise MonitorError(
            f"forecast {one.serial} does not say what it rests on ({err})",
            remedy="Issue one made by fairweather forecast, or name another --store.",
        ) from err
