"""A case whose end is unknown counts as far as the coders saw it last, else in one year only.

Layout: Threat and Imposition of Economic Sanctions (TIES), version 4, the case file
``TIESv4.xls`` saved as .xlsx or CSV, one row per case, states by Correlates of War number. Cases
with the United States among `sender1` to `sender5` are used. An imposition is active from the year
it was imposed (else the year the case began) to the end year; without one, to `ongoingasofyear`;
without that, in its first year, so active counts are too low. Trade-practice cases are those whose
first issue is 13. State number 345 is YUG to the end. Some dates are remarks ("1949, sometime
before"): their year is used. Guarded by ``tests/test_formats_sanctions.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from fairweather.checks import matches, rule
from fairweather.countries import iso3_of_cow
from fairweather.formats import cells
from fairweather.formats.door import Table, open_table
from fairweather.formats.releases import ENCODINGS, one_file
from fairweather.formats.state_years import case_years, counts

NAME = "ties"
TITLE = "TIES version 4, sanction threats and impositions, case file (CSV or XLSX)"
SOURCE = "ties"
TABLES = ("ties_us", "ties_cases")
INDICATORS = (
    "ties_us_impositions",
    "ties_us_threats",
    "ties_us_new_impositions",
    "ties_us_trade_practice",
)

US = "2"
SENDERS = [f"sender{n}" for n in range(1, 6)]
TRADE_PRACTICES = 13
FIRST_YEAR, LAST_YEAR = 1945, 2005
# Targets that are no state: 1 as in the manual, 1000 and above for organisations.
_ORGANISATION = r"1|[1-9][0-9]{3}"

_YEAR = rule(
    matches(r"((19|20)[0-9]{2})?"),
    "the year is not a number",
    "write four digits or leave it blank",
)
_REMARK = rule(
    matches(r"((19|20)[0-9]{2}([^0-9].*)?)?"),
    "the cell does not begin with a year",
    "write the year first, or leave the cell blank",
)
_NUMBER = rule(
    matches(r"[0-9]{0,4}"),
    "the cell is not a state number",
    "write a Correlates of War number or leave it blank",
)
_REST = (
    "startmonth startday endmonth endday ongoingasofmonth ongoingasofday primarysender institution"
    " institutionid targetinstitution otherinstitution issue2 issue3 otherissue threatid1 threatid2"
    " threatid3 sanctiontypethreat othersanctiontypethreatened bspecif scommit"
    " threatenedtargetinterest dsanctions carrots anticipatedtargetcosts"
    " anticipatedtargetcostsfigureifav tcurrency tyearofestimate anticipatedsendercosts scurrency"
    " syearofestimate sancimpositionstartmonth sancimpositionstartday sanctionidentity sanctiontype"
    " othersanctiontype implementationofdiplomaticsancti carrotsduringsanction carrotvalue"
    " carrotcurrency carrotyear targetcosts targeteconomiccostsfigure targeteconomiccostscurrency"
    " targeteconomiccostsyear sendercosts sendereconomiccostsfigure sendereconomiccostscurrency"
    " sendereconomiccostsyear finaloutcome settlementnaturesender settlementnaturetarget"
).split()

COLUMNS = {
    "caseid": rule(matches(r"[0-9]{10}"), "the case id is not ten digits", "write it as printed"),
    "startyear": cells.year(FIRST_YEAR, LAST_YEAR),
    "endyear": _YEAR,
    "ongoingasofyear": _YEAR,
    **{sender: _NUMBER for sender in SENDERS},
    "targetstate": _NUMBER,
    "issue1": rule(
        matches(r"[0-9]{0,2}"), "the issue is no code of the manual", "write 1 to 15 or nothing"
    ),
    "threat": cells.one_of(["0", "1", ""]),
    "imposition": cells.one_of(["0", "1", ""]),
    "sancimpositionstartyear": _REMARK,
    **{name: None for name in _REST},
}


def read(paths: Sequence[Path]) -> dict[str, pd.DataFrame]:
    """Read the cases and count those of the United States by target and year.

    Parameters
    ----------
    paths : sequence of Path
        One file.

    Returns
    -------
    dict of str to DataFrame
        `ties_us`: `iso3, year, ties_us_active_impositions, ties_us_active_impositions_nontrade,
        ties_us_new_cases, ties_us_new_impositions, ties_us_new_threats`, 1945-2005, zero where
        there is no case. `ties_cases`: those cases, with `caseid, target_iso3, start_year,
        end_year, ongoing_as_of_year, imposed_year, threat, imposition, issue1_code` (0 where no
        issue is coded). Targets that are organisations are left out.

    Raises
    ------
    SourceError
        If the layout differs, a target is unknown, a case stands twice or ends before it begins.
    """
    table = open_table(one_file(paths), COLUMNS, encoding=ENCODINGS)
    table.refuse_duplicates(["caseid"], "the case stands twice")
    table.refuse_if(
        (table.frame["endyear"] != "") & (table.frame["endyear"] < table.frame["startyear"]),
        "case {caseid} ends in {endyear}, before it begins in {startyear}",
        "Correct one of the two.",
    )
    cases = _us_cases(table)
    rows = cases.rename(columns={"target_iso3": "iso3"})
    began = rows["imposed_year"].fillna(rows["start_year"])
    end = rows["end_year"].fillna(rows["ongoing_as_of_year"]).fillna(began)
    # A case may have been imposed only after the threat had ended: it then lasts one year.
    spans = rows.assign(begin=began.astype("int64"), end=np.maximum(end, began).astype("int64"))
    spans = spans[spans["imposition"] == 1]
    active = case_years(spans, FIRST_YEAR, LAST_YEAR)
    starts = rows.rename(columns={"start_year": "year"})
    parts = {
        "ties_us_active_impositions": active,
        "ties_us_active_impositions_nontrade": active[active["issue1_code"] != TRADE_PRACTICES],
        "ties_us_new_cases": starts,
        "ties_us_new_impositions": spans.rename(columns={"begin": "year"}),
        "ties_us_new_threats": starts[starts["threat"] == 1],
    }
    counted = counts(parts, FIRST_YEAR, LAST_YEAR, sorted(set(rows["iso3"])))
    return {"ties_us": counted, "ties_cases": cases}


def _us_cases(table: Table) -> pd.DataFrame:
    """Cases of the United States against a state."""
    frame = table.frame
    ours = (frame[SENDERS] == US).any(axis=1)
    state = ~frame["targetstate"].str.fullmatch(_ORGANISATION).astype(bool)
    cases = frame[ours & state]
    codes = iso3_of_cow(
        cases["targetstate"], table.path, line=lambda n: table.line(int(cases.index[n]))
    )

    def number(column: str) -> pd.Series:
        return pd.to_numeric(cases[column].str[:4]).astype("float64")

    out = pd.DataFrame(
        {
            "caseid": cases["caseid"].astype("int64"),
            # 345 was Yugoslavia for most of the release, and is kept apart from Serbia throughout.
            "target_iso3": codes.replace("SRB", "YUG"),
            "start_year": number("startyear").astype("int64"),
            "end_year": number("endyear"),
            "ongoing_as_of_year": number("ongoingasofyear"),
            "imposed_year": number("sancimpositionstartyear"),
            "threat": number("threat").fillna(0).astype("int64"),
            "imposition": number("imposition").fillna(0).astype("int64"),
            "issue1_code": number("issue1").fillna(0).astype("int64"),
        }
    )
    return out.reset_index(drop=True)


def coverage(tables: dict[str, pd.DataFrame]) -> tuple[int, int]:
    """First and last year of the release."""
    years = tables["ties_us"]["year"]
    return int(years.min()), int(years.max())
