"""What the two UN voting files share: letters, totals, member codes, and the joining key.

Guarded by ``tests/test_formats.py``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from fairweather.checks import matches, rule
from fairweather.countries import iso3_of_un
from fairweather.formats.door import Table

LETTERS = {"Y": 1, "A": 2, "N": 3, "X": 8}
SUMS = ["yes", "no", "abstain", "nonvoting"]
KEY = ["date", "resolution"]
# The Library's own totals, and the sum each must equal.
_TOTAL_OF = {
    "total_yes": "yes",
    "total_no": "no",
    "total_abstentions": "abstain",
    "total_non_voting": "nonvoting",
    "total_ms": "members",
}
# The Library writes whole numbers as 120 or, in some versions, as 120.0.
TOTALS = {
    name: rule(
        matches(r"([0-9]{1,3}(\.0)?)?"),
        "the total is not a whole number",
        "download the file again",
    )
    for name in _TOTAL_OF
}
# Yugoslavia's seat passed to the state that became Serbia on this day.
_SEAT_OF_SERBIA = "2000-11-01"


def codes(letters: pd.Series) -> pd.Series:
    """Turn the Library's letters into 1 yes, 2 abstain, 3 no, 8 not voting."""
    return letters.map(LETTERS).astype("int8")


def states(table: Table) -> pd.DataFrame:
    """Add `iso3`, and refuse two rows of one state on one resolution.

    Parameters
    ----------
    table : Table
        With `ms_code`, `date` and `resolution`.

    Returns
    -------
    DataFrame
        A copy of the table's frame with `iso3`; long texts as categories, to save memory.
    """
    frame = table.frame.copy()
    # One code serves thousands of rows: translate each pair of code and date once.
    pairs = frame[["ms_code", "date"]].drop_duplicates()
    pairs["iso3"] = iso3_of_un(
        pairs["ms_code"], pairs["date"], table.path, line=lambda n: table.line(int(pairs.index[n]))
    )
    serbia = (pairs["iso3"] == "SCG") | (
        (pairs["iso3"] == "YUG") & (pairs["date"] >= _SEAT_OF_SERBIA)
    )
    pairs["iso3"] = pairs["iso3"].mask(serbia, "SRB")
    frame = frame.merge(pairs, on=["ms_code", "date"], how="left", validate="many_to_one")
    frame["call"] = frame.groupby(KEY, sort=False).ngroup()
    table.refuse_if(
        frame.duplicated(["call", "iso3"]),
        "the state has two votes on one resolution (ms_code = {ms_code!r}, {resolution}, {date})",
        "Keep one of the rows.",
    )
    return frame


def check_totals(table: Table, frame: pd.DataFrame, only: np.ndarray | None = None) -> None:
    """Refuse a row whose printed totals are not the sums over its roll call's rows.

    Parameters
    ----------
    table : Table
        Whose lines are named.
    frame : DataFrame
        From `states`, with `vote`.
    only : array of bool, optional
        Rows that are checked; all by default. Blank totals are not checked.
    """
    counted = sums(frame)
    for total, name in _TOTAL_OF.items():
        printed = pd.to_numeric(frame[total], errors="coerce")
        bad = printed.notna() & (printed != frame["call"].map(counted[name]))
        if only is not None:
            bad &= only
        table.refuse_if(
            bad,
            f"{total} is {{{total}}}, which the rows of {{resolution}} contradict",
            "The file may be cut, edited or mixed from two versions: download it again.",
        )


def sums(frame: pd.DataFrame) -> pd.DataFrame:
    """Count `yes, no, abstain, nonvoting, members` by `call`."""
    counted = pd.DataFrame(
        {
            name: (frame["vote"] == code).groupby(frame["call"]).sum()
            for name, code in zip(SUMS, (1, 3, 2, 8), strict=True)
        }
    )
    return counted.assign(members=counted.sum(axis=1))


def refuse_same_calls(tables: Sequence[Table]) -> None:
    """Refuse a roll call that two files hold."""
    for n, later in enumerate(tables):
        for earlier in tables[:n]:
            later.refuse_repeats(earlier, KEY, "the roll call")


def assemble(frames: Sequence[pd.DataFrame]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Join files, number their roll calls by date and symbol, and split calls from votes.

    Parameters
    ----------
    frames : sequence of DataFrame
        Columns `date, resolution, iso3, vote` and any others that are constant in a roll call.

    Returns
    -------
    calls, votes : DataFrame
        `rc` counts from 1; calls carry `year` and the four sums, votes are sorted by `rc, iso3`.
    """
    whole = pd.concat(frames, ignore_index=True)
    whole["call"] = whole.groupby(KEY, sort=True).ngroup() + 1
    calls = whole.drop_duplicates("call").drop(columns=["iso3", "vote"])
    calls = calls.sort_values("call", ignore_index=True)
    calls["year"] = calls["date"].str[:4].astype("int64")
    counted = sums(whole)[SUMS].astype("int64")
    calls = calls.join(counted, on="call").rename(columns={"call": "rc"})
    votes = whole[["call", "iso3", "vote"]].rename(columns={"call": "rc"})
    return calls, votes.sort_values(["rc", "iso3"], ignore_index=True)
