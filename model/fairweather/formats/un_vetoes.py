"""Who vetoed is read from the list of names; the 0/1 columns beside it are never believed.

Layout: the veto list of the World Politics Data Lab (C. L. Yordan, from the UN Library's list) with
names as ISO3 codes in `vetoed_by`, joined by ``;``. In the published list the 0/1 columns of 26
rows of 1966-1985 are wrong, so they are made anew. `n_vetoes` must equal the number of names.
Guarded by ``tests/test_formats.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from fairweather.checks import matches, rule
from fairweather.formats import cells
from fairweather.formats.door import given, open_table

NAME = "un-vetoes"
TITLE = "Vetoes in the UN Security Council (CSV)"
SOURCE = "un_vetoes"
TABLES = ("sc_vetoes",)
INDICATORS = ("unsc_joint_veto",)

PERMANENT = ("CHN", "RUS", "USA", "GBR", "FRA")
# TWN held China's seat to 1971; its one veto is not a veto of the People's Republic.
_ONE = "(CHN|TWN|RUS|USA|GBR|FRA)"

COLUMNS = {
    "date": cells.iso_date(),
    "year": cells.year(1946),
    "draft": cells.text(),
    "meeting": (),
    "agenda_item": (),
    "topic": None,
    "region": None,
    "vetoed_by": rule(
        matches(f"{_ONE}(;{_ONE})*"),
        "the cell does not list permanent members",
        "write their ISO3 codes joined by semicolons, such as CHN;RUS",
    ),
    "n_vetoes": cells.count(),
    "chn": None,
    "twn": None,
    "fra": None,
    "gbr": None,
    "rus": None,
    "usa": None,
    "chn_rus_joint": None,
    "source": None,
    "note": None,
}


def read(paths: Sequence[Path]) -> dict[str, pd.DataFrame]:
    """Read one or more lists of vetoed drafts.

    Parameters
    ----------
    paths : sequence of Path
        CSV files; a draft may be in one of them only.

    Returns
    -------
    dict of str to DataFrame
        `sc_vetoes`: `date, year, draft, chn, rus, usa, gbr, fra` (0 or 1), one row a draft.

    Raises
    ------
    SourceError
        If the layout differs, a veto names no permanent member or one twice, the year is not that
        of the date, or one draft stands twice.
    """
    tables = [open_table(path, COLUMNS) for path in given(paths)]
    key = ["date", "draft", "meeting"]
    parts = []
    for n, table in enumerate(tables):
        frame = table.frame
        table.refuse_if(
            frame["year"] != frame["date"].str[:4],
            "the year {year} is not that of the date {date}",
            "Correct one of the two.",
        )
        named = frame["vetoed_by"].str.split(";")
        table.refuse_if(
            named.map(len) != named.map(lambda names: len(set(names))),
            "a member is named twice ({vetoed_by})",
            "Name each once.",
        )
        table.refuse_if(
            named.map(len) != frame["n_vetoes"].astype(int),
            "n_vetoes is {n_vetoes}, the members named are {vetoed_by}",
            "Correct one of the two.",
        )
        # Early drafts have no symbol, and the meeting's stands in: several can share it.
        symbol = ~frame["draft"].str.startswith("S/PV.")
        table.refuse_if(
            symbol & frame.duplicated(key),
            "the draft {draft} of {date} stands twice",
            "Keep one of the rows.",
        )
        for earlier in tables[:n]:
            table.refuse_repeats(earlier, key, "the draft")
        out = frame[["date", "draft"]].assign(year=frame["year"].astype("int64"))
        for state in PERMANENT:
            out[state.lower()] = named.map(lambda names, one=state: int(one in names))
        parts.append(out)
    whole = pd.concat(parts).sort_values(["date", "draft"], kind="stable", ignore_index=True)
    return {"sc_vetoes": whole[["date", "year", "draft", *map(str.lower, PERMANENT)]]}


def coverage(tables: dict[str, pd.DataFrame]) -> tuple[int, int]:
    """First and last year with a veto."""
    years = tables["sc_vetoes"]["year"]
    return int(years.min()), int(years.max())
