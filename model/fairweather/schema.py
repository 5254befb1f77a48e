"""Nothing enters the record except through these tables' schemas (pandera, at the door).

Used both when the codings are built and when they are loaded, so that a file that can be written
can be read. A refusal names the file, its line and what to do. Guarded by
``tests/test_record.py``.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pandera.pandas as pa

from fairweather.checks import NUMBER, enforce, is_day, matches, read_text, rule
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
FORM = {
    "dyad": (r"[A-Z]{3}-[A-Z]{3}", "AAA-BBB"),
    "state": (r"[A-Z]{3}", "AAA"),
    "directed": (r"[A-Z]{3}>[A-Z]{3}", "AAA>BBB"),
}


def _each(test: Callable[[str], bool]) -> Callable[[pd.Series], pd.Series]:
    """Test each distinct cell once: a column has few of them and may have a million rows."""
    return lambda cells: cells.map({c: test(c) for c in cells.unique()}).astype(bool)


@dataclass(frozen=True)
class Part:
    """One file of the record: an indicator's first vintage, its long record, or a release.

    Attributes
    ----------
    path : Path
    one : Indicator
    years : (int, int)
        Years its rows may have.
    released : date or None
        Day of the release; None for the first vintage, known by the rule of the codebook.
    number : int
        Place of the release among all; 0 for the first vintage.
    """

    path: Path
    one: Indicator
    years: tuple[int, int]
    released: dt.date | None = None
    number: int = 0

    @property
    def shown(self) -> str:
        """The file as messages call it: an indicator has one in each of several folders."""
        if self.released is not None:
            return "/".join(self.path.parts[-3:])
        return "/".join(self.path.parts[-2:])


def text_schema(
    units: str, rated: bool, states: frozenset[str], sources: frozenset[str]
) -> pa.DataFrameSchema:
    """Check every cell as text, before any conversion could hide what was written."""
    form, shown = FORM[units]
    numeric = "write a plain number, or delete the row if the value is unknown"
    rules = {
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
                _each(lambda u: units != "dyad" or len(u) != 7 or u[:3] < u[4:]),
                "the pair is not in alphabetical order",
                "write the two different states alphabetically",
            ),
        ],
        "year": [rule(matches("[0-9]{4}"), "year is not a whole year", "write four digits")],
        "rater": [
            rule(
                matches(r"[\w.-]*" if rated else ""),
                "rater is not a plain name" if rated else "this family has no rater",
                "use letters, digits, dots and hyphens" if rated else "leave it blank",
            )
        ],
        # A withdrawn row says that a value is no longer held, and holds none.
        "value": [rule(matches(f"({NUMBER})?"), "value is not a number", numeric)],
        "source": [
            rule(lambda s: s.isin(sources), "source is unknown", "use a key of sources.toml")
        ],
        "available_on": [
            rule(
                _each(is_day),
                "available_on is not a date",
                "write YYYY-MM-DD",
            )
        ],
    }
    for name in NUMBERS[1:]:
        rules[name] = [
            rule(matches(f"({NUMBER})?"), f"{name} is not a number", "write a number or nothing")
        ]
    rules["status"] = [
        rule(lambda s: s.isin(("", *STATUSES)), "status is unknown", f"write {', '.join(STATUSES)}")
    ]
    wide = [
        rule(
            lambda f: f["indicator"] == f["_id"],
            "indicator is not the one of this file",
            "write {_id!r}, or move the row to its own file",
        ),
        rule(
            lambda f: (f["status"] != "") == f["_later"],
            "status is blank",
            f"write {', '.join(STATUSES)}",
        ),
        rule(
            lambda f: (f["status"] == "withdrawn") | (f["value"] != ""),
            "value is not a number: it is blank",
            numeric,
        ),
        rule(
            lambda f: (f["status"] != "withdrawn") | (f["value"] == ""),
            "a row is either withdrawn or has a value",
            "delete the value, or mend the status",
        ),
        rule(
            lambda f: ~f.duplicated(["_part", "unit", "year", "rater"], keep="first"),
            "a second row for the same unit and year",
            "keep one of the two rows",
        ),
    ]
    return pa.DataFrameSchema({k: pa.Column(checks=v) for k, v in rules.items()}, checks=wide)


def typed_schema(family: str) -> pa.DataFrameSchema:
    """Check what the numbers say, by family."""

    def whole(s: pd.Series) -> pd.Series:
        return (s >= 0) & (s == s.round())

    def blank(s: pd.Series) -> pd.Series:
        return s.isna()

    count = ("is not a count", "write a whole number of 0 or more")
    unused = ("is not used by this family", "leave it blank")
    columns: dict[str, list[pa.Check]] = {name: [] for name in NUMBERS}
    wide: list[pa.Check] = []
    if family == "vote":
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
    if family == "share":
        for name in ("value", "n"):
            columns[name] = [rule(whole, f"{name} {count[0]}", count[1])]
        wide = [
            rule(
                lambda f: (f["value"] <= f["n"]) & (f["n"] > 0),
                "more successes than trials, or no trials",
                "recount, or delete a row without trials",
            )
        ]
    elif family in ("count", "ordinal"):
        columns["value"] = [rule(whole, f"value {count[0]}", count[1])]
    elif family == "anchor":
        columns["value"] = [rule(lambda s: s >= 0, "value is negative", "write log(1 + cases)")]
    elif family == "driver":
        columns["value"] = [
            rule(lambda s: s.between(0, 1), "value is outside 0 to 1", "check the transformation")
        ]
    elif family == "span":
        columns["value"] = [rule(lambda s: s >= 0, "value is negative", "write log(1 + years)")]
    if family in ("driver", "span"):
        columns["n"] = [rule(blank, f"n {unused[0]}", unused[1])]
    if family in ("count", "within", "anchor"):
        columns["n"] = [
            rule(lambda s: s.isna() | (s > 0), "n is not positive", "write it above 0, or nothing")
        ]
    wide += [
        rule(
            lambda f: f["year"].between(f["_first"], f["_last"]),
            "year {year} is outside {_first}-{_last}",
            "delete the row, or widen the years in codebook.toml",
        ),
        rule(
            lambda f: f["_later"] | (f["available_on"] == release_date(f["year"], f["_lag"])),
            "available_on is not 31 December of the year plus the release lag",
            "add {_lag} days, or change release_lag_days in codebook.toml",
        ),
        rule(
            lambda f: ~f["_later"] | (f["available_on"] == f["_released"]),
            "available_on is not the day of the release",
            "write {_released:%Y-%m-%d}, the name of the folder",
        ),
    ]
    schema = {k: pa.Column(float, nullable=True, checks=v) for k, v in columns.items()}
    return pa.DataFrameSchema(schema, checks=wide)


def release_date(years: pd.Series, lag_days: int | pd.Series) -> pd.Series:
    """Date from which values of these years count as known.

    Parameters
    ----------
    years : Series of int
    lag_days : int or Series of int
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
    return last_day + pd.to_timedelta(lag_days, unit="D")


def read_parts(
    parts: Sequence[Part],
    states: Iterable[str],
    sources: Iterable[str],
    *,
    may_be_empty: bool = False,
) -> pd.DataFrame:
    """Read files of the record, refusing anything that breaks a rule.

    Files of one kind are checked together: what each rule costs is paid once, not once a file.

    Parameters
    ----------
    parts : sequence of Part
        In the order wanted.
    states, sources : iterable of str
        Known ISO3 codes and source keys.
    may_be_empty : bool
        Whether a header without rows is fine (an indicator with no rows for chosen states).

    Returns
    -------
    DataFrame
        Columns `COLUMNS`, `status` (blank in a first vintage) and `release`; `year` int,
        `value, partial, opposite, n` float (blank is NaN), `available_on` datetime64.

    Raises
    ------
    RecordError
        Naming file, line and remedy.
    """
    known = (frozenset(states), frozenset(sources))
    read = [_text(k, part, may_be_empty) for k, part in enumerate(parts)]
    # Columns of an empty table have no type to agree on.
    text = pd.concat([frame for frame in read if len(frame)] or read[:1])
    kinds = [f"{part.one.units_are} {part.one.family in RATED}" for part in parts]
    for _, rows in text.groupby(text["_part"].map(kinds.__getitem__), sort=False):
        one = parts[rows["_part"].iloc[0]].one
        _enforce(text_schema(one.units_are, one.family in RATED, *known), rows, parts)
    numbers = {c: pd.to_numeric(text[c], errors="coerce").astype("float64") for c in NUMBERS}
    day = pd.to_datetime(text["available_on"], format="%Y-%m-%d")
    typed = text.assign(year=text["year"].astype("int64"), available_on=day, **numbers)
    held = typed[typed["status"] != "withdrawn"]
    families = [part.one.family for part in parts]
    for family, rows in held.groupby(held["_part"].map(families.__getitem__), sort=False):
        _enforce(typed_schema(family), rows, parts)
    return typed[[*COLUMNS, "status", "release"]].reset_index(drop=True)


def first_part(path: str | Path, one: Indicator, *, history: bool = False) -> Part:
    """Describe an indicator's file in `observations/` or, of earlier years, in `history/`."""
    span = (one.history_from, one.first_year - 1) if history else (one.first_year, one.last_year)
    return Part(Path(path), one, span)


def release_part(path: str | Path, one: Indicator, released: dt.date, number: int = 1) -> Part:
    """Describe what one release said of an indicator: rows new, changed or withdrawn."""
    span = (one.history_from or one.first_year, released.year)
    return Part(Path(path), one, span, released, number)


def _text(position: int, part: Part, may_be_empty: bool) -> pd.DataFrame:
    """Read one file as text, beside what its rows have to agree with."""
    later = part.released is not None
    frame = read_text(part.path, (*COLUMNS, "status") if later else COLUMNS, part.shown)
    if frame.empty and not may_be_empty:
        raise RecordError("the file has no rows", file=part.shown, remedy="Delete it or fill it.")
    beside = {
        "status": frame["status"] if later else "",
        "release": part.number,
        "_part": position,
        "_line": range(2, len(frame) + 2),
        "_id": part.one.id,
        "_first": part.years[0],
        "_last": part.years[1],
        "_lag": part.one.release_lag_days,
        "_later": later,
        "_released": pd.Timestamp(part.released or dt.date(1970, 1, 1)),
    }
    return frame.assign(**beside)


def _enforce(schema: pa.DataFrameSchema, rows: pd.DataFrame, parts: Sequence[Part]) -> None:
    rows = rows.reset_index(drop=True)
    if rows.empty:
        return
    enforce(
        schema,
        rows,
        lambda position: parts[rows["_part"].iloc[max(position, 0)]].shown,
        line=lambda position: 1 if position < 0 else int(rows["_line"].iloc[position]),
    )


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
