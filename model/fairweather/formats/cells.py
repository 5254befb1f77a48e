"""Rules that many publishers' columns share: dates, counts, codes of states, closed lists.

Each is a pandera rule whose refusal says what is wrong and what to do. Guarded by
``tests/test_formats.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import pandas as pd
import pandera.pandas as pa

from fairweather.checks import NUMBER, matches, rule
from fairweather.countries import iso3_of_name, valid_iso3

STATES = valid_iso3()
ISO_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
YEARS = ("1776", "2100")  # no list of states' doings reaches beyond
LARGEST = 1e18


def iso_date(*, blank: bool = False, partial: bool = False) -> pa.Check:
    """Whole cells are real days, written YYYY-MM-DD.

    Parameters
    ----------
    blank : bool
        Let empty cells through.
    partial : bool
        Let YYYY-MM and YYYY through, where a publisher or a coder knows no more.
    """
    ends = {7: "-01", 4: "-01-01"} if partial else {}

    def test(cells: pd.Series) -> pd.Series:
        # Distinct days are few next to rows.
        written = pd.Series(cells.unique(), dtype="str")
        days = written + written.str.len().map(lambda n: ends.get(n, ""))
        real = days.str.fullmatch(ISO_DATE).astype(bool)
        real &= pd.to_datetime(days.where(real), format="%Y-%m-%d", errors="coerce").notna()
        real &= written.str[:4].between(*YEARS)
        return cells.isin(set(written[real]) | ({""} if blank else set()))

    form = "YYYY-MM-DD, YYYY-MM or YYYY" if partial else "YYYY-MM-DD"
    return rule(test, f"the date is no day of the form {form}", "write the date as 1992-07-31")


def year(first: int = 1800, last: int = 2100) -> pa.Check:
    """Whole cells are four-digit years from `first` to `last`."""
    good = {str(y) for y in range(first, last + 1)}
    return rule(
        lambda cells: cells.isin(good),
        f"the year is not a number from {first} to {last}",
        "write four digits, such as 1992",
    )


def count(*, blank: bool = False) -> pa.Check:
    """Whole cells are whole numbers from 0; with `blank`, empty cells are let through."""
    return rule(
        matches(r"[0-9]{0,9}" if blank else r"[0-9]{1,9}"),
        "the cell is not a whole number from 0",
        "write digits only",
    )


def finite(cells: pd.Series) -> pd.Series:
    """Say which cells are no number too large to be one: 1e999 is written as one, and so is 1e308.

    Cells that are no numbers at all pass; a pattern is there for them.
    """
    return ~(pd.to_numeric(cells, errors="coerce").abs() > LARGEST)


def number(*, blank: bool = False, positive: bool = False) -> pa.Check:
    """Whole cells are finite numbers with a decimal point.

    Parameters
    ----------
    blank : bool
        Let empty cells through.
    positive : bool
        Refuse what is below zero, such as -9 for a missing figure.
    """
    sign = "(?!-)" if positive else ""
    written = matches(f"({sign}{NUMBER})?" if blank else f"{sign}{NUMBER}")
    return rule(
        lambda cells: written(cells) & finite(cells),
        "the cell is not a number" + (" from 0" if positive else ""),
        "write digits with a decimal point and no separators or signs of doubt"
        + (", and leave out what is not known" if positive else ""),
    )


def text() -> pa.Check:
    """Whole cells are not blank."""
    return rule(lambda cells: cells != "", "the cell is blank", "fill it in or drop the row")


def one_of(values: Iterable[str], remedy: str = "") -> pa.Check:
    """Whole cells are one of a closed list."""
    values = sorted(values)
    shown = ", ".join(repr(v) for v in values[:12]) + (" ..." if len(values) > 12 else "")
    return rule(
        lambda cells: cells.isin(values),
        "the value is not in the publisher's list",
        remedy or f"use one of {shown}",
    )


def iso3(*, blank: bool = False) -> pa.Check:
    """Whole cells are known three-letter codes of states (see `fairweather.countries`)."""
    good = set(STATES) | ({""} if blank else set())
    return rule(
        lambda cells: cells.isin(good),
        "the code is no known three-letter code of a state",
        "use ISO 3166 alpha-3, or for a state that ended its code in countries.csv",
    )


def states_of(
    names: pd.Series, own: Mapping[str, str], file: Path, line: Callable[[int], int]
) -> pd.Series:
    """Turn names into ISO3 codes, with a publisher's own wording first.

    Parameters
    ----------
    names : Series of str
    own : mapping
        Wordings that the table of states lacks or gives another code, with their codes.
    file : Path
        Named in a refusal.
    line : callable
        Line of the file for a position in `names`.

    Returns
    -------
    Series of str

    Raises
    ------
    SourceError
        If a name is known to neither.
    """
    known = names.isin(list(own))
    # A name of the publisher's own passes as one that the table knows.
    found = iso3_of_name(names.mask(known, "China"), file, line=line)
    return found.mask(known, names.map(own))
