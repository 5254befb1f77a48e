"""What a release says is set beside what was known on its day, and nothing known later gives way.

Pure functions of tables. Guarded by ``tests/test_release.py``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import pandas as pd

from fairweather.codebook import Codebook
from fairweather.coding.notes import Note, spoken_of_later
from fairweather.record import Record, latest
from fairweather.schema import COLUMNS, KEY, NUMBERS, number_text

_KEY = list(KEY)
FEW = 20  # events or trials; of fewer a fifth is no sign of anything


def stood(ledger: pd.DataFrame, day: dt.date) -> pd.DataFrame:
    """Rows that stood on a day, with the `release` they came from.

    Unlike a record as of that day it keeps rows of zeros whose first positive came later: they
    were coded, and a release can confirm them.

    Parameters
    ----------
    ledger : DataFrame
        As in `fairweather.record.Record.ledger`.
    day : date
        Of the release; rows known later are left out.

    Returns
    -------
    DataFrame
        Columns of the record and `release` (0 for the first vintage).

    Examples
    --------
    >>> from fairweather.record import load_record
    >>> set(stood(load_record().ledger, dt.date(2014, 3, 1))["release"])
    {0}
    """
    known = ledger[ledger["available_on"] <= pd.Timestamp(day)]
    return latest(known)[[*COLUMNS, "release"]]


def compare(
    standing: pd.DataFrame, brought: pd.DataFrame, day: dt.date
) -> tuple[pd.DataFrame, int]:
    """List rows new, changed and withdrawn; numbers are compared as they are written.

    Parameters
    ----------
    standing : DataFrame
        As `stood` gives it.
    brought : DataFrame
        Columns of the record.
    day : date
        Of the release; from then on its rows count as known.

    Returns
    -------
    changes : DataFrame
        Columns of a vintage, `before` and `now` (value, partial, opposite and n as written, divided
        by strokes; blank where there is no row) and `release` (where what stood came from).
    confirmed : int
        Rows that say the same.
    """
    both = []
    for frame in (standing, brought):
        text = frame[_KEY].copy()
        text["shown"] = number_text(frame["value"])
        for c in NUMBERS[1:]:
            text["shown"] += "/" + number_text(frame[c])
        both.append(text)
    joined = both[0].merge(both[1], on=_KEY, how="outer", suffixes=("_before", "_now"))
    same = joined["shown_before"] == joined["shown_now"]
    joined["status"] = "changed"
    joined.loc[joined["shown_before"].isna(), "status"] = "new"
    joined.loc[joined["shown_now"].isna(), "status"] = "withdrawn"
    rows = pd.concat([brought, standing]).drop_duplicates(_KEY)
    rows = rows.assign(available_on=pd.Timestamp(day))
    out = joined[~same].merge(rows[list(COLUMNS)], on=_KEY, how="left")
    out = out.merge(standing[[*_KEY, "release"]], on=_KEY, how="left")
    out.loc[out["status"] == "withdrawn", list(NUMBERS)] = float("nan")
    for side in ("before", "now"):
        out[side] = out[f"shown_{side}"].astype(object).where(out[f"shown_{side}"].notna(), "")
    return out[[*COLUMNS, "status", "before", "now", "release"]], int(same.sum())


def lost(standing: pd.DataFrame, changes: pd.DataFrame) -> tuple[int, int]:
    """Count rows that were not zero and are gone or zero now, and all that were not zero.

    In a list where absence is zero, a file that was cut shows as zeros and not as gaps.

    Parameters
    ----------
    standing : DataFrame
        As `stood` gives it, cut to what the release speaks about.
    changes : DataFrame
        As `compare` gives it.

    Returns
    -------
    gone, held : int
        Rows lost so, and rows that were not zero.
    """
    was = changes["before"].str.split("/").str[0].replace("", "0").astype(float) != 0
    now = changes["value"].fillna(0) != 0
    return int((was & ~now).sum()), int((standing["value"] != 0).sum())


def shrunk(
    standing: pd.DataFrame, brought: pd.DataFrame, codebook: Codebook, most: float
) -> pd.DataFrame:
    """Find years of which a release holds much less than stood: the mark of a file cut in the year.

    Rows need not be gone for that: half of a year's roll calls leaves every pair a row.

    Parameters
    ----------
    standing, brought : DataFrame
        As for `compare`.
    codebook : Codebook
        Says what is counted: events in `value` of counts, trials and events behind it in `n` else.
    most : float
        Share of a year's total that may be missing.

    Returns
    -------
    DataFrame
        `indicator, year, before, after`, one row a year; years with fewer than `FEW` are left out.
    """
    counts = [one.id for one in codebook.by(family="count")]
    totals = []
    for rows in (standing, brought):
        size = rows["value"].where(rows["indicator"].isin(counts), rows["n"]).fillna(0)
        totals.append(size.groupby([rows["indicator"], rows["year"]]).sum())
    both = pd.concat(totals, axis=1, keys=["before", "after"]).fillna(0).reset_index()
    return both[(both["before"] >= FEW) & (both["after"] < (1 - most) * both["before"])]


def outdated(
    changes: pd.DataFrame, record: Record, notes: Iterable[Note], day: dt.date
) -> pd.DataFrame:
    """Rows in which an older file would take the place of what a later one says.

    Later is a release of a later day, whether it changed the row or confirmed it, or the first
    vintage where its source was read after `day`: its rows count as known from long before, but
    say what was read then.

    Parameters
    ----------
    changes : DataFrame
        As `compare` gives it.
    record : Record
        The whole record, with all its vintages.
    notes : iterable of Note
        Of all releases taken in (see `fairweather.coding.notes`).
    day : date
        On which the file came out.

    Returns
    -------
    DataFrame
        The rows of `changes` in question; rows that are new are never among them.
    """
    read_on = {key: one.read_on for key, one in record.codebook.sources.items()}
    first = changes["source"].map(read_on).fillna("") > day.isoformat()
    differs = changes["status"] != "new"
    known = record.ledger
    later = known[(known["release"] > 0) & (known["available_on"] > pd.Timestamp(day))]
    said = pd.MultiIndex.from_frame(changes[_KEY]).isin(pd.MultiIndex.from_frame(later[_KEY]))
    confirmed = spoken_of_later(changes, notes, day)
    return changes[differs & ((first & (changes["release"] == 0)) | said | confirmed)]
