"""Likeness of two states: how alike they are ruled, and how long both rulers have ruled.

Leaders are those REIGN holds to rule in fact, by one rule for all states; nobody's first year is
guessed, so after REIGN's last year a state has a leader only where a source still shows one whose
first year is known. Guarded by ``tests/test_indicators_likeness.py``.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from fairweather.coding.registry import Sources, reader

REIGN_LAST = 2020
# REIGN begins a leader anew where a state's number changes; the office did not change hands.
CONTINUED: Mapping[tuple[str, str], int] = {
    ("DEU", "Kohl"): 1982,
    ("YEM", "Saleh al-Hashidi"): 1978,
}
# REIGN's leaders of December 2020 as lists of visits write them: spellings differ, and the Chinese
# list has Chinese names. States without an entry are not followed.
SEEN: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("COD", "Felix Tschisekedi"): ("Tshisekedi", "齐塞克迪"),
    ("IND", "Narendra Modi"): ("Narendra Modi", "莫迪"),
    ("KHM", "Hun Sen"): ("Hun Sen", "洪森"),
    ("NGA", "Buhari"): ("Muhammadu Buhari", "布哈里"),
    ("SDN", "Abdelrahman Burhan"): ("布尔汉",),
    ("SYR", "Bashar al-Assad"): ("巴沙尔",),
    ("VEN", "Nicolas Maduro"): ("马杜罗",),
    ("ZAF", "Ramaphosa"): ("Ramaphosa", "拉马福萨"),
}


@reader("regime_likeness")
def regime_likeness(src: Sources) -> pd.DataFrame:
    """One less the difference of the two states' electoral democracy (V-Dem)."""
    first, last = src.span(1992, 2024)
    rows = src.read("regimes", ["iso3", "year", "polyarchy_vdem"])
    rows = rows[rows["iso3"].isin(src.states) & rows["year"].between(first, last)]
    both = _pairs(rows.dropna(subset=["polyarchy_vdem"]))
    return both.assign(value=1 - (both["polyarchy_vdem_i"] - both["polyarchy_vdem_j"]).abs())


@reader("leader_tenure_together")
def leader_tenure_together(src: Sources) -> pd.DataFrame:
    """Log of one more than the years for which both leaders of 31 December have been in office."""
    first, last = src.span(1992, 2024)
    listed = src.read("leaders", ["iso3", "year", "leader_31dec", "in_office_since"])
    listed = listed[listed["iso3"].isin(src.states)]
    own = zip(listed["iso3"], listed["leader_31dec"], listed["in_office_since"], strict=True)
    listed["since"] = [CONTINUED.get((i, name), since) for i, name, since in own]
    rows = listed[["iso3", "year", "since"]]
    if last > REIGN_LAST:
        rows = pd.concat([rows, _later(src, listed[listed["year"] == REIGN_LAST], last)])
    both = _pairs(rows[rows["year"].between(first, last)])
    began = both[["since_i", "since_j"]].max(axis=1)
    return both.assign(value=np.log1p((both["year"] - began).astype(float)))


def _pairs(rows: pd.DataFrame) -> pd.DataFrame:
    """Put each two states of a year side by side, once, as `unit`; other columns by side."""
    both = rows.merge(rows, on="year", suffixes=("_i", "_j"))
    both = both[both["iso3_i"] < both["iso3_j"]]
    return both.assign(unit=both["iso3_i"] + "-" + both["iso3_j"])


def _later(src: Sources, known: pd.DataFrame, last: int) -> pd.DataFrame:
    """Leaders of 31 December after REIGN ends, with the year in which each came to office.

    The three with a list of heads of state follow it. Elsewhere the leader of 2020 was in office
    in every year before one of a later visit; of a successor no source gives the first year.
    """
    heads = src.read("formal_leaders", ["iso3", "leader", "start", "end"])
    last_seen = _last_seen(src)
    rows = []
    for one in known.itertuples():
        own = heads[heads["iso3"] == one.iso3]
        seen = last_seen.get((one.iso3, one.leader_31dec), "")
        for year in range(REIGN_LAST + 1, last + 1):
            day = f"{year}-12-31"
            head = own[(own["start"] <= day) & (own["end"].isna() | (own["end"] > day))]
            if len(head):
                same = one.leader_31dec in head["leader"].iloc[0]
                rows.append((one.iso3, year, one.since if same else int(head["start"].iloc[0][:4])))
            elif seen > day:
                rows.append((one.iso3, year, one.since))
    return pd.DataFrame(rows, columns=["iso3", "year", "since"])


def _last_seen(src: Sources) -> dict[tuple[str, str], str]:
    """Day of the last visit of each leader that is followed; blank if there is none."""
    visits = _sightings(src)
    return {
        (iso3, leader): max(
            (day for state, who, day in visits if state == iso3 and any(n in who for n in names)),
            default="",
        )
        for (iso3, leader), names in SEEN.items()
    }


def _sightings(src: Sources) -> list[tuple[str, str, str]]:
    """State, name and day of each visit to China or the United States; false ones are out."""
    china = src.read("visits_to_china", ["from_iso3", "leader_name_zh", "start_date", "hand_flag"])
    china = china[china["hand_flag"].isna()]
    us = src.read("visits_to_us", ["from_iso3", "visitor", "start_date"])
    return [
        *zip(china["from_iso3"], china["leader_name_zh"].astype(str), china["start_date"],
             strict=True),
        *zip(us["from_iso3"], us["visitor"].astype(str), us["start_date"], strict=True),
    ]  # fmt: skip
