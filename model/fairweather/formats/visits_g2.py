"""A false visit is out and a trip with two summits counts once, whichever copy is read.

Layouts: visit-g2 (github.com/wangmm001/visit-g2, August 2026), files `outbound_trips.csv` and
`inbound_cn_master.csv` as published, the latter with states and titles in Chinese; and the coded
copies with `host_iso3` or `from_iso3` and a column `hand_flag`, whose rows flagged ``exclude`` are
dropped. In the published file the same three false visits are known by date. Visits to China begin
on 5 April 2013, so 2013 is not a whole year of them. Both files are needed. Guarded by
``tests/test_formats.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pandas as pd

from fairweather.checks import rule
from fairweather.errors import SourceError
from fairweather.formats import cells, trips
from fairweather.formats.door import Table, given, open_table, read_header, refuse_empty
from fairweather.paths import shipped_data_dir

NAME = "visits-g2"
TITLE = "visit-g2, trips of Xi and US presidents and visits to China (CSV)"
SOURCE = "vg2"
TABLES = ("trips",)
INDICATORS = ("china_trips_vg2", "visits_to_china_vg2")

OUTBOUND, INBOUND = "VG2_outbound", "VG2_inbound_cn"
CHINESE_NAMES = "country_names_zh.csv"
_LEADERS = {"China": trips.CHINA, "United States": trips.US}
_PREMIERS = ("总理", "首相")
# State and first day of rows that are no visit of a head of state or government to China:
# a meeting in Dushanbe, a head of administration, a party chairman.
FALSE_VISITS = (("RUS", "2014-09-11"), ("RUS", "2016-03-25"), ("RUS", "2022-12-21"))

_DAYS = {"start_date": cells.iso_date(), "end_date": cells.iso_date(blank=True)}
_OUT = {
    "leader": cells.text(),
    **_DAYS,
    "destination_country": cells.text(),
    "locale": None,
    "details": None,
    "source": None,
    "country_leader": cells.one_of(_LEADERS),
    "year": cells.year(2013),
    "aspi_comparable": None,
}
OUT_PUBLISHED = {**_OUT, "flags": None}
OUT_CODED = {**_OUT, "repo_flags": None, "host_iso3": cells.iso3(), "traveller_iso3": cells.iso3()}
IN_CODED = {
    **_DAYS,
    "year": cells.year(2013),
    # EU_ stands for bodies of the European Union, which are no state.
    "from_iso3": cells.one_of([*sorted(cells.STATES), "EU_"], "use ISO 3166 alpha-3, or EU_"),
    "country_zh": (),
    "leader_name_zh": (),
    "title_zh": cells.text(),
    "title_en": None,
    "visit_type_zh": None,
    "visit_type_en": None,
    "n_articles": None,
    "source": None,
    "hand_flag": rule(
        lambda flags: (flags == "") | flags.str.match("(exclude|check):"),
        "the flag is unknown",
        "begin it with exclude or check and a colon",
    ),
}
IN_PUBLISHED = {
    "country": cells.text(),
    "leader_title": cells.text(),
    "name": (),
    "first": cells.iso_date(),
    "last": cells.iso_date(blank=True),
    "visit_type": None,
    "n_articles": None,
    "source": None,
}


def read(paths: Sequence[Path]) -> dict[str, pd.DataFrame]:
    """Read outbound trips and visits to China, told apart by their columns.

    Parameters
    ----------
    paths : sequence of Path
        At least one file of each kind, published or coded.

    Returns
    -------
    dict of str to DataFrame
        `trips`: `source, traveller_iso3, host_iso3, year, office, n_trips`, positive counts only.
        Offices are `president` outbound, `head_of_state` and `prime_minister` inbound.

    Raises
    ------
    SourceError
        If a kind is missing, the layout differs, or a state is unknown.
    """
    parts: dict[str, list[pd.DataFrame]] = {OUTBOUND: [], INBOUND: []}
    for path in given(paths):
        names = read_header(path)
        if "destination_country" in names or "country_leader" in names:
            parts[OUTBOUND].append(_outbound(path, coded="host_iso3" in names))
        else:
            parts[INBOUND].append(_inbound(path, coded="from_iso3" in names))
    for kind, found in parts.items():
        if not found:
            raise SourceError(
                f"no file of {'outbound trips' if kind == OUTBOUND else 'visits to China'} given",
                file=paths[0],
                remedy="Give both files; a year without rows is read as a year without visits.",
            )
        refuse_empty(pd.concat(found), paths[0], "visit of a state's leader")
    whole = [
        pd.concat(found, ignore_index=True).assign(source=kind) for kind, found in parts.items()
    ]
    return {"trips": trips.count(pd.concat(whole, ignore_index=True))}


def _outbound(path: Path, coded: bool) -> pd.DataFrame:
    table = open_table(path, OUT_CODED if coded else OUT_PUBLISHED)
    trips.check_days(table)
    frame = table.frame
    traveller = frame["country_leader"].map(_LEADERS)
    if coded:
        table.refuse_if(
            traveller != frame["traveller_iso3"],
            "traveller_iso3 is {traveller_iso3}, the leader is of {country_leader}",
            "Correct one of the two.",
        )
        host = frame["host_iso3"]
    else:
        host = cells.states_of(frame["destination_country"], trips.PLACES, path, table.line)
    return pd.DataFrame(
        {
            "start_date": frame["start_date"],
            "traveller_iso3": traveller,
            "host_iso3": host,
            "office": "president",
        }
    )


def _inbound(path: Path, coded: bool) -> pd.DataFrame:
    table = open_table(path, IN_CODED if coded else IN_PUBLISHED)
    frame = table.frame
    if coded:
        trips.check_days(table)
        guest, start, title = frame["from_iso3"], frame["start_date"], frame["title_zh"]
        false = frame["hand_flag"].str.startswith("exclude")
    else:
        trips.check_days(table, "first", "last")
        guest, start, title = _chinese(table), frame["first"], frame["leader_title"]
        false = pd.MultiIndex.from_arrays([guest, start]).isin(FALSE_VISITS)
    office = title.isin(_PREMIERS).map({True: "prime_minister", False: "head_of_state"})
    out = pd.DataFrame(
        {"start_date": start, "traveller_iso3": guest, "host_iso3": trips.CHINA, "office": office}
    )
    return out[(guest != "EU_") & ~false]


@cache
def _chinese_names() -> dict[str, str]:
    rows = pd.read_csv(shipped_data_dir() / CHINESE_NAMES, dtype=str)
    return dict(zip(rows["name_zh"], rows["iso3"], strict=True))


def _chinese(table: Table) -> pd.Series:
    guest = table.frame["country"].map(_chinese_names())
    table.refuse_if(
        guest.isna(),
        "unknown state {country!r}",
        f"Correct the name, or add it to data/{CHINESE_NAMES}.",
    )
    return guest


def coverage(tables: dict[str, pd.DataFrame]) -> tuple[int, int]:
    """First and last year with a trip; visits to China cover 2013 from April only."""
    years = tables["trips"]["year"]
    return int(years.min()), int(years.max())
