"""A sanction case counts once for each state it hits in each year it is in force, begin to end.

Layout: Global Sanctions Data Base, releases 3 (1950-2022) and 4 (1950-2023), the case file
``GSDB_V3.csv`` or ``GSDB_V4.csv``: one row per case, several states in one cell joined by commas,
some of them with a comma in their own name. A case is a bundle: counts say nothing of size. Cases
in force when the release ends carry its last year as their end. Senders that are groups (NATO,
CoCom, ...) are not counted as the United States. Guarded by ``tests/test_formats_sanctions.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from fairweather.countries import iso3_of_name, plain
from fairweather.formats import cells
from fairweather.formats.door import Table, open_table
from fairweather.formats.releases import one_file
from fairweather.formats.state_years import case_years, counts

NAME = "gsdb"
TITLE = "Global Sanctions Data Base, release 3 or 4, case file (CSV)"
SOURCE = "gsdb"
TABLES = ("gsdb_us", "gsdb_pairs")
INDICATORS = ("gsdb_us_cases", "gsdb_us_kinds", "gsdb_us_new", "gsdb_us_economic")

US = "USA"
FIRST_YEAR = 1950  # the release begins here; one case began in 1949
LAST_YEAR = 2023  # of release 4; release 3 ends a year earlier
TYPES = ("trade", "arms", "military", "financial", "travel", "other")
# The publisher joins states by commas; these names hold one.
WITH_COMMA = (
    "Bahamas, The",
    "Congo, Democratic Republic of the",
    "Congo, Republic of the",
    "Egypt, Arab Rep.",
    "Gambia, The",
    "Korea, North",
    "Korea, South",
    "Yemen, North",
    "Yemen, South",
)
# Targets and senders that are no state, as named in the release.
GROUPS = frozenset(
    plain(name)
    for name in (
        "African Union|Balkans|CSCE|ChinCom|CoCom|Comecon|Commonwealth|ECOWAS|EEC|EEU|EU|FRY|G7|G8"
        "|ICC Rome Statute Signatories|Kimberly Process Participants|League of Arab States"
        "|MERCOSUR|NAFTA|NATO|OAPEC|OIC|OSCE|Organisation of African Unity"
        "|Organization of American States|Organization of Eastern Carribean States"
        "|Pacific Islands Forum|Paris Agreement Signatories|SADC"
        "|Terrorist Organizations (Al-Qaeda)|Terrorist Organizations (ISIL and ANF)"
        "|Terrorist Organizations (Taliban and Al-Qaeda)|Terrorist Organizations (Taliban)"
        "|UN|UNASUR|Western Balkans|Western countries"
    ).split("|")
)

COLUMNS = {
    "case_id": cells.count(),
    "sanctioned_state": cells.text(),
    "sanctioning_state": cells.text(),
    "begin": cells.year(1900, LAST_YEAR),
    "end": cells.year(1900, LAST_YEAR),
    "trade": cells.one_of("01"),
    "descr_trade": None,
    **{kind: cells.one_of("01") for kind in TYPES[1:]},
    "target_mult": None,
    "sender_mult": None,
    "objective": None,
    "success": (),
}


def split_states(cell: str) -> list[str]:
    """Split a cell of several states.

    Examples
    --------
    >>> split_states("Egypt, Arab Rep., Syria")
    ['Egypt, Arab Rep.', 'Syria']
    """
    for name in WITH_COMMA:
        cell = cell.replace(name, name.replace(",", "\0"))
    return [part.strip().replace("\0", ",") for part in cell.split(",")]


def read(paths: Sequence[Path]) -> dict[str, pd.DataFrame]:
    """Read one release and count the United States' cases by target and year.

    Parameters
    ----------
    paths : sequence of Path
        One file.

    Returns
    -------
    dict of str to DataFrame
        `gsdb_us`: `iso3, year, us_active, us_new` and `us_trade, us_arms, ...` (active cases that
        have the type), zero for every other state and year of the release; the USSR is RUS.
        `gsdb_pairs`: `case_id, sender_iso3, target_iso3, begin, end` and the types, one row a case,
        sender and target; groups have no code, the USSR is SUN.

    Raises
    ------
    SourceError
        If the layout differs, a state is unknown, a case stands twice or ends before it begins.
    """
    table = open_table(one_file(paths), COLUMNS)
    frame = table.frame
    table.refuse_duplicates(["case_id"], "the case stands twice")
    table.refuse_if(
        frame["begin"] > frame["end"],
        "case {case_id} ends in {end}, before it begins in {begin}",
        "Correct one of the two.",
    )
    last = _last_year(table)
    pairs = _pairs(table)
    hits = pairs[(pairs["sender_iso3"] == US) & pairs["target_iso3"].notna()]
    hits = hits.assign(iso3=hits["target_iso3"].replace("SUN", "RUS"))
    hits = hits.drop_duplicates(["case_id", "iso3"])
    active = case_years(hits, FIRST_YEAR, last)
    new = hits.rename(columns={"begin": "year"})
    parts = {"us_active": active, "us_new": new[new["year"] >= FIRST_YEAR]}
    parts |= {f"us_{kind}": active[active[kind] == 1] for kind in TYPES}
    counted = counts(parts, FIRST_YEAR, last, sorted(set(hits["iso3"])))
    return {"gsdb_us": counted, "gsdb_pairs": pairs}


def _last_year(table: Table) -> int:
    """Year the release ends: the latest end of a case that still goes on."""
    frame = table.frame
    goes_on = frame["success"].str.contains("ongoing", regex=False)
    last = frame.loc[goes_on, "end"].max() if goes_on.any() else frame["end"].max()
    table.refuse_if(
        frame["end"] > last,
        f"case {{case_id}} ends in {{end}}, after the release, whose cases in force end in {last}",
        "Correct the year.",
    )
    return int(last)


def _pairs(table: Table) -> pd.DataFrame:
    """One row per case, sender and target."""
    cases = table.frame[["case_id", "begin", "end", *TYPES]].astype("int64")
    sender = _codes(table, "sanctioning_state").to_frame("sender_iso3")
    sides = sender.join(_codes(table, "sanctioned_state").rename("target_iso3"))
    order = ["case_id", "sender_iso3", "target_iso3", "begin", "end", *TYPES]
    return cases.join(sides)[order].reset_index(drop=True)


def _codes(table: Table, column: str) -> pd.Series:
    """Codes of the states named in a column, none for groups; index that of the case."""
    names = table.frame[column].map(split_states).explode()
    states = names[~names.map(plain).isin(GROUPS)]
    known = iso3_of_name(
        states, table.path, line=lambda position: table.line(int(states.index[position]))
    )
    # By name and not by index: a case has as many rows as states.
    return names.map(dict(zip(states, known, strict=True))).astype("str")


def coverage(tables: dict[str, pd.DataFrame]) -> tuple[int, int]:
    """First and last year of the release."""
    years = tables["gsdb_us"]["year"]
    return int(years.min()), int(years.max())
