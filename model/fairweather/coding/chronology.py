"""Raw density of the hand-coded chronology is never read: only signs, or counts with exposure.

Density follows what the coder could find and differs between periods. Counts are set against the
share of drills and of visits, from lists that are nearly complete, that the chronology also holds;
such lists begin in 2004. Joint vetoes do not serve: the chronology took them from the very list.
Events that another indicator already counts are left out of all three indicators.
"""

from __future__ import annotations

import pandas as pd

from fairweather import chronology
from fairweather.coding.contacts import MEETING_YEARS, meetings
from fairweather.coding.detection import exposure
from fairweather.coding.registry import Sources, reader, with_zeros
from fairweather.names import FOCAL

# Channel -> pattern (case ignored) of events that another indicator counts.
COUNTED_ELSEWHERE = {
    "military": r"exercise|joint sea|peace mission|coalition-|patrol|vostok|flotilla|joint-20",
    "UN": r"veto",
    "trade": r"trade",
    "arms": r"\bdelivered\b|^delivery|shipped|arms exports to china reported",
    "finance": r"swap",
}
# A visit shows in what was signed or said during it; other channels move on their own days.
OF_VISITS = (
    "political",
    "statements",
    "energy",
    "finance",
    "trade",
    "infrastructure",
    "technology",
)
AT_HOME = ("in_china", "in_russia")
NO_DRILL = "law_enforcement"


def counted_elsewhere(events: pd.DataFrame) -> pd.Series:
    """Say which events another indicator counts.

    Parameters
    ----------
    events : DataFrame
        Columns `channel` and `event` (text).

    Returns
    -------
    Series of bool

    Examples
    --------
    >>> f = pd.DataFrame({"channel": ["UN", "UN"], "event": ["Joint veto of a draft", "A speech"]})
    >>> counted_elsewhere(f).tolist()
    [True, False]
    """
    out = pd.Series(False, index=events.index)
    for channel, pattern in COUNTED_ELSEWHERE.items():
        out |= (events["channel"] == channel) & events["event"].str.contains(
            pattern, case=False, regex=True
        )
    return out


def _read(src: Sources, *more: str) -> pd.DataFrame:
    events = src.read("chronology", ["year", "event", "channel", "sign", "reliability", *more])
    return events[events["sign"].isin([-1, 1]) & (events["reliability"] != chronology.MEMORY)]


def _own(src: Sources, first: int, last: int) -> pd.DataFrame:
    """Signed events of the years that no other indicator counts."""
    events = _read(src)
    return events[events["year"].between(first, last) & ~counted_elsewhere(events)]


@reader("chronology_sign")
def chronology_sign(src: Sources) -> pd.DataFrame:
    """Cooperative events among all signed events between China and Russia."""
    events = _own(src, *src.span(1991, 2024))
    events["value"] = (events["sign"] == 1).astype(int)
    table = events.groupby("year")["value"].agg(value="sum", n="size").reset_index()
    return table.assign(unit=FOCAL)


def detected(src: Sources, first: int, last: int) -> pd.Series:
    """Share of independently listed drills and visits that the chronology holds, by year.

    Parameters
    ----------
    src : Sources
    first, last : int
        Years.

    Returns
    -------
    Series
        Between 0 and 1, by year; see `fairweather.coding.detection`.
    """
    events = _read(src, "date", "date_precision")
    events = events[events["sign"] == 1]
    of_drills = events[(events["channel"] == "military") & counted_elsewhere(events)]
    drills = src.read("exercises_chn_rus", ["start_date", "year", "event_class"])
    drills = drills[drills["event_class"] != NO_DRILL].rename(columns={"start_date": "date"})
    visits = meetings(src)
    visits = visits[visits["mode"].isin(AT_HOME)]
    kinds = {
        "drills": (drills, of_drills),
        "visits": (visits, events[events["channel"].isin(OF_VISITS)]),
    }
    return exposure(kinds, first, last)


def _counts(src: Sources, sign: int) -> pd.DataFrame:
    first, last = src.span(*MEETING_YEARS)
    events = _own(src, first, last)
    events = events[events["sign"] == sign].assign(unit=FOCAL, value=1)
    table = with_zeros(events, [FOCAL], first, last)
    # Rates are estimated over all covered years, whatever years are asked for.
    share = detected(src, MEETING_YEARS[0], max(last, MEETING_YEARS[1]))
    return table.assign(n=table["year"].map(share))


@reader("chronology_cooperation")
def chronology_cooperation(src: Sources) -> pd.DataFrame:
    """Cooperative events of the year; n is the share of such events thought to be listed."""
    return _counts(src, 1)


@reader("chronology_friction")
def chronology_friction(src: Sources) -> pd.DataFrame:
    """Frictional events of the year, with the same n, which does not measure finding friction."""
    return _counts(src, -1)


def tables(src: Sources) -> dict[str, str]:
    """Texts of the event list and of the rows from memory, by path in the data folder.

    Returns
    -------
    dict of str to str
        Canonical CSV, in the order of the source.

    Raises
    ------
    SourceError
        If a source file or column is missing.
    """
    names = {chronology.FILE: "chronology", chronology.UNVERIFIED_FILE: "chronology_unverified"}
    return {
        place: src.read(name, chronology.COLUMNS).to_csv(index=False, lineterminator="\n")
        for place, name in names.items()
    }
