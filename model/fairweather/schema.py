"""Nothing enters the record except through these tables' schemas (pandera, at the door).

Used both when the codings are built and when they are loaded, so that a file that can be written
can be read. A refusal names the file, its line and what to do. Guarded by
``tests/test_record.py``.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable
from pathlib import Path

import pandas as pd
import pandera.pandas as pa

from fairweather.checks import NUMBER, enforce, matches, read_text, rule
from fairweather.codebook import Indicator
from fairweather.errors import RecordError

COLUMNS = (
    "indicator",
    "unit",
    "year",
    "rater",
    "value",
    "partial",
    "opposite",
    "n",
    "source",
    "available_on",
)
NUMBERS = ("value", "partial", "opposite", "n")
RATED = ("ordinal",)
KEY = ("indicator", "unit", "year", "rater")
STATUSES = ("new", "changed", "withdrawn")
_FORM = {
    "dyad": (r"[A-Z]{3}-[A-Z]{3}", "AAA-BBB"),
    "state": (r"[A-Z]{3}", "AAA"),
    "directed": (r"[A-Z]{3}>[A-Z]{3}", "AAA>BBB"),
}


def _each(test: Callable[[str], bool]) -> Callable[[pd.Series], pd.Series]:
    """Test each distinct cell once: a column has few of them and may have a million rows."""
    return lambda cells: cells.map({c: test(c) for c in cells.unique()}).astype(bool)


def _text_schema(
    one: Indicator, states: frozenset[str], sources: frozenset[str], *, status: bool = False
) -> pa.DataFrameSchema:
    """Check every cell as text, before any conversion could hide what was written."""
    form, shown = _FORM[one.units_are]
    numeric = "write a plain number, or delete the row if the value is unknown"
    rated = one.family in RATED
    rules = {
        "indicator": [
            rule(
                lambda s: s == one.id,
                "indicator is not the one of this file",
                f"write {one.id!r}, or move the row to its own file",
            )
        ],
        "unit": [
            rule(matches(form), f"unit is not of the form {shown}", f"write it as {shown}"),
            rule(
                _each(lambda u: set(re.findall("[A-Z]{3}", u)) <= states),
                "unit names an unknown state",
                "use a state of states.csv",
            ),
            rule(
                _each(lambda u: len(u) != 7 or u[:3] != u[4:]),
                "the pair is one state twice",
                "name two different states",
            ),
            rule(
                _each(lambda u: one.units_are != "dyad" or len(u) != 7 or u[:3] < u[4:]),
                "the pair is not in alphabetical order",
                "write the two different states alphabetically",
            ),
        ],
        "year": [rule(matches(r"\d{4}"), "year is not a whole year", "write four digits")],
        "rater": [
            rule(
                matches(r"[\w.-]*" if rated else ""),
                "rater is not a plain name" if rated else f"family {one.family!r} has no rater",
                "use letters, digits, dots and hyphens" if rated else "leave it blank",
            )
        ],
        # A withdrawn row says that a value is no longer held, and holds none.
        "value": [
            rule(matches(f"({NUMBER})?" if status else NUMBER), "value is not a number", numeric)
        ],
        "source": [
            rule(lambda s: s.isin(sources), "source is unknown", "use a key of sources.toml")
        ],
        "available_on": [
            rule(
                _each(_is_date),
                "available_on is not a date",
                "write YYYY-MM-DD",
            )
        ],
    }
    for name in NUMBERS[1:]:
        rules[name] = [
            rule(matches(f"({NUMBER})?"), f"{name} is not a number", "write a number or nothing")
        ]
    wide = []
    if status:
        rules["status"] = [
            rule(lambda s: s.isin(STATUSES), "status is unknown", f"write {', '.join(STATUSES)}")
        ]
        wide.append(
            rule(
                lambda f: (f["status"] == "withdrawn") == (f["value"] == ""),
                "a row is either withdrawn or has a value",
                "delete the value, or mend the status",
            )
        )
    return pa.DataFrameSchema({k: pa.Column(checks=v) for k, v in rules.items()}, checks=wide)


def _is_date(text: str) -> bool:
    try:
        return dt.date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _typed_schema(
    one: Indicator, years: tuple[int, int], released: dt.date | None = None
) -> pa.DataFrameSchema:
    """Check what the numbers say, by family.

    Without `released` a row counts as known from the end of its year plus the release lag; with
    it, from that day.
    """

    def whole(s: pd.Series) -> pd.Series:
        return (s >= 0) & (s == s.round())

    def blank(s: pd.Series) -> pd.Series:
        return s.isna()

    count = ("is not a count", "write a whole number of 0 or more")
    unused = ("is not used by this family", "leave it blank")
    columns: dict[str, list[pa.Check]] = {name: [] for name in NUMBERS}
    wide: list[pa.Check] = []
    if one.family == "vote":
        for name in NUMBERS:
            columns[name] = [rule(whole, f"{name} {count[0]}", count[1])]
        wide = [
            rule(
                lambda f: f["value"] + f["partial"] + f["opposite"] == f["n"],
                "votes do not add up: value + partial + opposite is not n",
                "recount the votes of the row",
            )
        ]
    else:
        for name in ("partial", "opposite"):
            columns[name] = [rule(blank, f"{name} {unused[0]}", unused[1])]
    if one.family == "share":
        for name in ("value", "n"):
            columns[name] = [rule(whole, f"{name} {count[0]}", count[1])]
        wide = [
            rule(
                lambda f: (f["value"] <= f["n"]) & (f["n"] > 0),
                "more successes than trials, or no trials",
                "recount, or delete a row without trials",
            )
        ]
    elif one.family in ("count", "ordinal"):
        columns["value"] = [rule(whole, f"value {count[0]}", count[1])]
    elif one.family == "anchor":
        columns["value"] = [rule(lambda s: s >= 0, "value is negative", "write log(1 + cases)")]
    elif one.family == "driver":
        columns["value"] = [
            rule(lambda s: s.between(0, 1), "value is outside 0 to 1", "check the transformation")
        ]
        columns["n"] = [rule(blank, f"n {unused[0]}", unused[1])]
    if one.family in ("count", "within", "anchor"):
        columns["n"] = [
            rule(lambda s: s.isna() | (s > 0), "n is not positive", "write it above 0, or nothing")
        ]
    wide += [
        rule(
            lambda f: ~f.duplicated(["unit", "year", "rater"], keep="first"),
            "a second row for the same unit and year",
            "keep one of the two rows",
        ),
        _known_from(one, released),
    ]
    first, last = years
    inside = rule(
        lambda s: s.between(first, last),
        f"year is outside {first}-{last}",
        "delete the row, or widen the years in codebook.toml",
    )
    schema = {"year": pa.Column(int, checks=[inside])}
    schema |= {k: pa.Column(float, nullable=True, checks=v) for k, v in columns.items()}
    return pa.DataFrameSchema(schema, checks=wide)


def _known_from(one: Indicator, released: dt.date | None) -> pa.Check:
    if released is not None:
        return rule(
            lambda f: f["available_on"] == pd.Timestamp(released),
            "available_on is not the day of the release",
            f"write {released}, the name of the folder",
        )
    return rule(
        lambda f: f["available_on"] == release_date(f["year"], one.release_lag_days),
        "available_on is not 31 December of the year plus the release lag",
        f"add {one.release_lag_days} days, or change release_lag_days in codebook.toml",
    )


def release_date(years: pd.Series, lag_days: int) -> pd.Series:
    """Date from which values of these years count as known.

    Parameters
    ----------
    years : Series of int
    lag_days : int
        Days after 31 December.

    Returns
    -------
    Series of datetime64

    Examples
    --------
    >>> release_date(pd.Series([2020]), 31).dt.strftime("%Y-%m-%d").tolist()
    ['2021-01-31']
    """
    last_day = pd.to_datetime(years.astype(str) + "-12-31", format="%Y-%m-%d")
    return last_day + pd.Timedelta(days=lag_days)


def read_observations(
    path: str | Path,
    one: Indicator,
    states: Iterable[str],
    sources: Iterable[str],
    *,
    history: bool = False,
    may_be_empty: bool = False,
) -> pd.DataFrame:
    """Read one indicator's file, refusing anything that breaks a rule.

    Parameters
    ----------
    path : str or Path
        The CSV file.
    one : Indicator
        Its codebook entry.
    states, sources : iterable of str
        Known ISO3 codes and source keys.
    history : bool
        Whether the file holds the years of the long record, before `first_year`.
    may_be_empty : bool
        Whether a header without rows is fine (an indicator with no rows for chosen states).

    Returns
    -------
    DataFrame
        Columns `COLUMNS`; `year` int, `value, partial, opposite, n` float (blank is NaN),
        `available_on` datetime64.

    Raises
    ------
    RecordError
        Naming file, line and remedy.
    """
    years = (one.history_from, one.first_year - 1) if history else (one.first_year, one.last_year)
    path = Path(path)
    frame = read_text(path, COLUMNS)
    if frame.empty and not may_be_empty:
        raise RecordError("the file has no rows", file=path, remedy="Delete it or fill it.")
    frame = enforce(_text_schema(one, frozenset(states), frozenset(sources)), frame, path)
    return enforce(_typed_schema(one, years), _typed(frame), path)


def read_vintage(
    path: str | Path,
    one: Indicator,
    states: Iterable[str],
    sources: Iterable[str],
    released: dt.date,
) -> pd.DataFrame:
    """Read what one release said of one indicator: rows new, changed or withdrawn.

    Parameters
    ----------
    path : str or Path
        The CSV file.
    one : Indicator
    states, sources : iterable of str
    released : date
        Day of the release, from which its rows count as known.

    Returns
    -------
    DataFrame
        Columns `COLUMNS` and `status`; a withdrawn row has no value.

    Raises
    ------
    RecordError
        Naming file, line and remedy.
    """
    path = Path(path)
    frame = read_text(path, (*COLUMNS, "status"))
    if frame.empty:
        raise RecordError("the file has no rows", file=path, remedy="Delete it.")
    frame = enforce(
        _text_schema(one, frozenset(states), frozenset(sources), status=True), frame, path
    )
    frame = _typed(frame)
    held = frame[frame["status"] != "withdrawn"]
    lines = held.index.to_list()
    years = (one.history_from or one.first_year, released.year)
    enforce(
        _typed_schema(one, years, released),
        held.reset_index(drop=True),
        path,
        line=lambda position: 1 if position < 0 else lines[position] + 2,
    )
    twice = frame.duplicated(["unit", "year", "rater"])
    if twice.any():
        raise RecordError(
            "a second row for the same unit and year",
            file=path,
            row=int(twice.idxmax()) + 2,
            remedy="Keep one of the two rows.",
        )
    return frame


def _typed(frame: pd.DataFrame) -> pd.DataFrame:
    numbers = {c: pd.to_numeric(frame[c], errors="coerce").astype("float64") for c in NUMBERS}
    day = pd.to_datetime(frame["available_on"], format="%Y-%m-%d")
    return frame.assign(year=frame["year"].astype("int64"), available_on=day, **numbers)


def number_text(values: pd.Series) -> pd.Series:
    """Write numbers with at most six decimals, no trailing zeros, blank for NaN.

    Examples
    --------
    >>> number_text(pd.Series([1.0, 0.25, float("nan")])).tolist()
    ['1', '0.25', '']
    """

    def text(x: float) -> str:
        if pd.isna(x):
            return ""
        out = f"{x:.6f}".rstrip("0").rstrip(".")
        return "0" if out == "-0" else out

    return values.map({x: text(x) for x in values.unique()}).astype(str)


def to_csv_text(frame: pd.DataFrame, columns: Iterable[str] = COLUMNS) -> str:
    """Canonical text of observations: sorted, fixed number format, LF line ends."""
    frame = frame.sort_values(list(KEY), kind="stable")
    written = {c: number_text(frame[c]) for c in NUMBERS}
    written["available_on"] = frame["available_on"].dt.strftime("%Y-%m-%d")
    return frame.assign(**written)[list(columns)].to_csv(index=False, lineterminator="\n")
