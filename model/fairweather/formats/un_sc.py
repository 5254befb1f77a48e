"""A resolution adopted without a vote is no vote: its fifteen printed ``Y`` are never counted.

Layout: UN Dag Hammarskjöld Library, Security Council Voting Data, version 6 (February 2026),
digitallibrary.un.org/record/4055387, columns in the order of its data dictionary. Where `modality`
says that no vote was taken, all members get code 8 and `yes` is 0. Only adopted resolutions are
listed; vetoed drafts are in ``un-vetoes``. Guarded by ``tests/test_formats.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from fairweather.checks import matches, rule
from fairweather.formats import cells, roll_calls
from fairweather.formats.door import Table, given, open_table

NAME = "un-sc"
TITLE = "UN Library, Security Council voting data (CSV)"
SOURCE = "un_sc"
TABLES = ("sc_rollcalls", "sc_votes")
INDICATORS = ("unsc_joint_nonyes",)

PERMANENT = ("CHN", "RUS", "USA", "GBR", "FRA")
NOT_VOTING = 8

COLUMNS = {
    "undl_id": None,
    "ms_code": cells.text(),
    "ms_name": None,
    "permanent_member": None,
    "ms_vote": cells.one_of(roll_calls.LETTERS),
    "date": cells.iso_date(),
    "resolution": rule(
        matches(r"S/RES/[0-9]+ ?\([0-9]{4}\)"),
        "the symbol is not that of a resolution of the Security Council",
        "use the official file of adopted resolutions; symbols read S/RES/2231(2015)",
    ),
    "draft": None,
    "meeting": None,
    "description": None,
    "agenda": None,
    "subjects": None,
    "vote_note": None,
    **roll_calls.TOTALS,
    "modality": rule(
        # The words differ between versions; only whether a vote was taken matters.
        lambda column: column.str.contains("vote", case=False),
        "the cell does not say whether a vote was taken",
        "it should read as adopted with or without a vote",
    ),
    "undl_link": None,
}


def read(paths: Sequence[Path]) -> dict[str, pd.DataFrame]:
    """Read one or more releases.

    Parameters
    ----------
    paths : sequence of Path
        Official CSV files, plain or packed; no roll call may be in two of them.

    Returns
    -------
    dict of str to DataFrame
        `sc_rollcalls`: `rc, date, year, resolution, yes, no, abstain, nonvoting, chn, rus, usa,
        gbr, fra` (the five votes, missing where the state had no seat); `sc_votes`: `rc, iso3,
        vote` (1 yes, 2 abstain, 3 no, 8 not voting or no vote taken).

    Raises
    ------
    SourceError
        If the layout differs, a letter or code is unknown, a state has two votes on one
        resolution, or the totals of a vote contradict its rows.
    """
    tables = [open_table(path, COLUMNS) for path in given(paths)]
    roll_calls.refuse_same_calls(tables)
    calls, votes = roll_calls.assemble([_coded(table) for table in tables])
    for state in PERMANENT:
        one = votes[votes["iso3"] == state].set_index("rc")["vote"]
        calls[state.lower()] = calls["rc"].map(one).astype("Int8")
    order = ["rc", "date", "year", "resolution", *roll_calls.SUMS, *map(str.lower, PERMANENT)]
    return {"sc_rollcalls": calls[order], "sc_votes": votes}


def _coded(table: Table) -> pd.DataFrame:
    frame = roll_calls.states(table)
    frame["resolution"] = frame["resolution"].str.replace(" ", "")
    unvoted = frame["modality"].str.contains("without", case=False)
    mixed = unvoted.groupby(frame["call"]).transform("nunique") > 1
    table.refuse_if(
        mixed,
        "the rows of {resolution} disagree on whether a vote was taken",
        "Download the file again.",
    )
    frame["vote"] = roll_calls.codes(frame["ms_vote"]).mask(unvoted, NOT_VOTING)
    # Without a vote the printed totals follow the printed letters, not a vote.
    roll_calls.check_totals(table, frame, only=~unvoted.to_numpy(bool))
    return frame[["date", "resolution", "iso3", "vote"]]


def coverage(tables: dict[str, pd.DataFrame]) -> tuple[int, int]:
    """First and last year with an adopted resolution."""
    years = tables["sc_rollcalls"]["year"]
    return int(years.min()), int(years.max())
