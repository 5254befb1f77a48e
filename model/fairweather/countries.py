"""One table of states decides what a publisher's name or number means; anything else is refused.

Publishers write the same state in many ways: a Correlates of War number, a name of the day, a
code the state has since given up. All are turned into ISO 3166 alpha-3 codes here and nowhere
else, from ``data/countries.csv``. States that ended keep a code of their own (CSK, DDR, VDR, YMD,
YUG, SCG, EAZ, ANT); the USSR is RUS, except where a publisher writes SUN itself. `un_from` and
`un_to` are the years of the first and, for states that left or ended, the last recorded vote in
the General Assembly, so membership may have begun or ended a little earlier or later.
Guarded by ``tests/test_countries.py``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pandas as pd

from fairweather.errors import SourceError
from fairweather.paths import shipped_data_dir

FILE = "countries.csv"
# The Assembly seated Beijing on the evening of this day; every vote of the day was Taipei's.
SEAT_OF_CHINA = "1971-10-25"
# Codes of the UN Library and of older ISO 3166 that stand for a state of today.
FORMER = MappingProxyType(
    {"SUN": "RUS", "BYS": "BLR", "UKS": "UKR", "ZAR": "COD", "BUR": "MMR", "ROM": "ROU"}
    | {"DHY": "BEN", "HVO": "BFA", "TMP": "TLS", "RHO": "ZWE", "NHB": "VUT", "YAR": "YEM"}
)


def _line(position: int) -> int:
    return position + 2


@cache
def _table() -> pd.DataFrame:
    return pd.read_csv(shipped_data_dir() / FILE, dtype=str, keep_default_na=False)


def table() -> pd.DataFrame:
    """Return the table of states, one row a code.

    Returns
    -------
    DataFrame
        Text columns `iso3, name, cow, state_from, state_to, un_from, un_to, other_names`;
        several numbers or names in one cell are joined by ``|``, an empty cell is none.

    Examples
    --------
    >>> table().set_index("iso3").loc["DEU", "cow"]
    '255|260'
    """
    return _table().copy()


@cache
def valid_iso3() -> frozenset[str]:
    """Codes that a table may hold: ISO 3166 states and territories, and states that ended.

    Examples
    --------
    >>> "XKX" in valid_iso3(), "CH" in valid_iso3()
    (True, False)
    """
    return frozenset(_table()["iso3"])


def in_system(states: Iterable[str], years: Iterable[int]) -> np.ndarray:
    """Say which states were in the state system in which years, to keep out what came before.

    A state is in the system in its unbroken spells of capability rows (Correlates of War) that
    reach 1950 or later: Syria is out while it was part of the United Arab Republic. The last
    spell is open if it reaches the end of those rows. Territories have no spell and are always
    in, since it is not for this table to say when they were not.

    Parameters
    ----------
    states : iterable of str
        ISO3 codes.
    years : iterable of int

    Returns
    -------
    ndarray of bool, states x years

    Examples
    --------
    >>> in_system(["DEU", "SYR", "YMD"], [1950, 1955, 1960, 1991]).astype(int).tolist()
    [[0, 1, 1, 1], [1, 1, 0, 1], [0, 0, 0, 0]]
    """
    years = np.asarray(list(years))
    spells = _spells()
    out = [
        np.any([(years >= first) & (years <= last) for first, last in spells[state]], axis=0)
        if state in spells
        else np.ones(len(years), dtype=bool)
        for state in states
    ]
    return np.array(out, dtype=bool).reshape(len(out), len(years))


@cache
def _spells() -> dict[str, list[tuple[int, int]]]:
    rows = _table()
    rows = rows[rows["state_from"] != ""]
    return {
        iso3: [
            (int(first), int(last or 9999))
            for first, last in zip(since.split("|"), until.split("|"), strict=True)
        ]
        for iso3, since, until in zip(
            rows["iso3"], rows["state_from"], rows["state_to"], strict=True
        )
    }


def un_members(year: int) -> frozenset[str]:
    """States with a seat in the General Assembly in a year, as far as first votes tell.

    Parameters
    ----------
    year : int

    Returns
    -------
    frozenset of str
        ISO3 codes. Both CHN and TWN in 1971; RUS stands for the USSR.

    Examples
    --------
    >>> len(un_members(2024))
    193
    """
    rows = _table()
    rows = rows[rows["un_from"] != ""]
    last = rows["un_to"].replace("", "9999").astype(int)
    return frozenset(rows.loc[(rows["un_from"].astype(int) <= year) & (year <= last), "iso3"])


def plain(name: str) -> str:
    """Reduce a name to what must agree: no case, accents, punctuation, ``&`` or ``St.``.

    Examples
    --------
    >>> plain("St. Kitts & Nevis") == plain("SAINT KITTS AND NEVIS")
    True
    """
    text = unicodedata.normalize("NFKD", name)
    text = "".join(c for c in text if not unicodedata.combining(c)).casefold()
    text = re.sub(r"['’`.]", "", text.replace("&", " and "))
    text = re.sub(r"[^a-z0-9]+", " ", text).strip()
    return re.sub(r"^the ", "", re.sub(r"\bst\b", "saint", text))


@cache
def _by_cow() -> dict[int, str]:
    rows = _table()
    return {
        int(number): iso3
        for iso3, cell in zip(rows["iso3"], rows["cow"], strict=True)
        for number in cell.split("|")
        if number
    }


@cache
def _by_name() -> dict[str, str]:
    rows = _table()
    return {
        plain(name): iso3
        for iso3, first, more in zip(rows["iso3"], rows["name"], rows["other_names"], strict=True)
        for name in (first, *more.split("|"))
        if name
    }


def _translate(
    cells: pd.Series,
    known: dict,
    kind: str,
    file: str | Path | None,
    line: Callable[[int], int],
    remedy: str,
) -> pd.Series:
    found = cells.map(known)
    bad = found.isna()
    if bad.any():
        position = int(bad.to_numpy().argmax())
        cell = cells.iloc[position]
        more = int(bad.sum()) - 1
        tail = f"; {more} more such row(s) follow" if more else ""
        shown = cell.item() if hasattr(cell, "item") else cell
        raise SourceError(
            f"unknown {kind} {shown!r}{tail}", file=file, row=line(position), remedy=remedy
        )
    return found.astype("str")


def iso3_of_cow(
    numbers: pd.Series, file: str | Path | None = None, *, line: Callable[[int], int] = _line
) -> pd.Series:
    """Turn Correlates of War state numbers into ISO3 codes.

    Parameters
    ----------
    numbers : Series
        Whole numbers, or text of them.
    file : str or Path, optional
        Named in the refusal.
    line : callable
        Line of the file for a position in `numbers`.

    Returns
    -------
    Series of str
        Same index. 365 is RUS in every year, 255 and 260 DEU, 678 and 679 YEM, 345 SRB.

    Raises
    ------
    SourceError
        If a number is not that of a state of 1945 or later.

    Examples
    --------
    >>> iso3_of_cow(pd.Series([2, 710, 365])).tolist()
    ['USA', 'CHN', 'RUS']
    """
    read = pd.to_numeric(numbers, errors="coerce")
    # Keep the cell as written for the message where it is no number.
    read = read.astype(object).where(read.notna(), numbers)
    remedy = f"Use a Correlates of War state number, or add it to data/{FILE}."
    return _translate(read, _by_cow(), "state number", file, line, remedy)


def iso3_of_name(
    names: pd.Series, file: str | Path | None = None, *, line: Callable[[int], int] = _line
) -> pd.Series:
    """Turn English names of states, as publishers write them, into ISO3 codes.

    Parameters
    ----------
    names : Series of str
    file : str or Path, optional
        Named in the refusal.
    line : callable
        Line of the file for a position in `names`.

    Returns
    -------
    Series of str
        Same index. "USSR" is RUS and "Soviet Union" SUN; "China" is CHN in every year.

    Raises
    ------
    SourceError
        If a name is in no row of the table.

    Examples
    --------
    >>> iso3_of_name(pd.Series(["Korea, North", "Türkiye"])).tolist()
    ['PRK', 'TUR']
    """
    known = {name: _by_name().get(plain(str(name))) for name in names.unique()}
    remedy = f"Correct the name, or add it to other_names in data/{FILE}."
    return _translate(names, known, "state", file, line, remedy)


def names_known(names: pd.Series) -> pd.Series:
    """Tell which names `iso3_of_name` would translate.

    Parameters
    ----------
    names : Series of str

    Returns
    -------
    Series of bool
        Same index.

    Examples
    --------
    >>> names_known(pd.Series(["China", "World"])).tolist()
    [True, False]
    """
    return names.isin([name for name in names.unique() if plain(str(name)) in _by_name()])


def iso3_of_un(
    codes: pd.Series,
    dates: pd.Series,
    file: str | Path | None = None,
    *,
    line: Callable[[int], int] = _line,
) -> pd.Series:
    """Turn the UN Library's member codes of the day into the codes of this package.

    Parameters
    ----------
    codes : Series of str
        Three letters, of the day of the vote (SUN, BYS, UKS, ...).
    dates : Series of str
        ISO dates, same index.
    file : str or Path, optional
        Named in the refusal.
    line : callable
        Line of the file for a position in `codes`.

    Returns
    -------
    Series of str
        CHN is TWN up to 25 October 1971, when the seat passed.

    Raises
    ------
    SourceError
        If a code is unknown.

    Examples
    --------
    >>> iso3_of_un(pd.Series(["CHN", "CHN"]), pd.Series(["1961-01-01", "1999-01-01"])).tolist()
    ['TWN', 'CHN']
    """
    known = {code: code for code in valid_iso3()} | dict(FORMER)
    remedy = "Use the member's three-letter code."
    found = _translate(codes, known, "member code", file, line, remedy)
    return found.mask((found == "CHN") & (dates <= SEAT_OF_CHINA), "TWN")
