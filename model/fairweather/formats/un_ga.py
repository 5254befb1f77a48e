"""A roll call is read only when its rows bear out the totals printed beside them.

Layout: UN Dag Hammarskjöld Library, General Assembly Voting Data, version 5 (February 2026),
digitallibrary.un.org/record/4060887: one row per member and adopted resolution. Version 2
(March 2025) lacks `vote_note` and is read too. Totals may be written ``120.0``. A roll call is
known by symbol and date; `undl_id` may be blank. Codes of the day become those of this package:
CHN is TWN up to 25 October 1971, SUN is RUS. Guarded by ``tests/test_formats.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from fairweather.checks import matches, rule
from fairweather.formats import cells, roll_calls
from fairweather.formats.door import Table, given, open_table

NAME = "un-ga"
TITLE = "UN Library, General Assembly voting data (CSV)"
SOURCE = "un_ga"
TABLES = ("ga_rollcalls", "ga_votes")
INDICATORS = ("unga_votes",)

COLUMNS = {
    "undl_id": None,
    "ms_code": cells.text(),
    "ms_name": None,
    "ms_vote": cells.one_of(roll_calls.LETTERS),
    # A few old records give only the year. In 1971 that would not tell who held China's seat.
    "date": [
        cells.iso_date(partial=True),
        rule(
            lambda dates: ~dates.isin(["1971", "1971-10"]),
            "the date does not tell on which side of 25 October 1971 the vote was",
            "write the whole date",
        ),
    ],
    "session": (),
    "resolution": rule(
        matches(r"A/(RES|DEC)/\S.*"),
        "the symbol is not that of a resolution of the General Assembly",
        "use the official file of adopted resolutions; symbols begin with A/RES/",
    ),
    "draft": None,
    "committee_report": None,
    "meeting": None,
    "title": None,
    "agenda_title": None,
    "subjects": None,
    "vote_note": None,
    **roll_calls.TOTALS,
    "undl_link": None,
}


def read(paths: Sequence[Path]) -> dict[str, pd.DataFrame]:
    """Read one or more releases, such as one file per span of years.

    Parameters
    ----------
    paths : sequence of Path
        Official CSV files, plain or packed; no roll call may be in two of them.

    Returns
    -------
    dict of str to DataFrame
        `ga_rollcalls`: `rc, date, year, session, resolution, kind, yes, no, abstain, nonvoting`;
        `ga_votes`: `rc, iso3, vote` (1 yes, 2 abstain, 3 no, 8 not voting).

    Raises
    ------
    SourceError
        If the layout differs, a letter or code is unknown, a state has two votes on one
        resolution, or totals contradict the rows.
    """
    tables = [open_table(path, COLUMNS, optional=("vote_note",)) for path in given(paths)]
    roll_calls.refuse_same_calls(tables)
    calls, votes = roll_calls.assemble([_coded(table) for table in tables])
    calls["session"] = calls["session"].str.replace("-", "")
    resolved = calls["resolution"].str.startswith("A/RES/")
    calls["kind"] = pd.Series("resolution", index=calls.index).where(resolved, "decision")
    order = ["rc", "date", "year", "session", "resolution", "kind"]
    return {"ga_rollcalls": calls[order + roll_calls.SUMS], "ga_votes": votes}


def _coded(table: Table) -> pd.DataFrame:
    frame = roll_calls.states(table)
    frame["vote"] = roll_calls.codes(frame["ms_vote"])
    roll_calls.check_totals(table, frame)
    return frame[["date", "resolution", "session", "iso3", "vote"]]


def coverage(tables: dict[str, pd.DataFrame]) -> tuple[int, int]:
    """First and last year with a recorded vote."""
    years = tables["ga_rollcalls"]["year"]
    return int(years.min()), int(years.max())
