"""Nothing enters the record except through these tables' schemas (pandera, at the door).

Used both when the codings are built and when they are loaded, so that a file that can be written
can be read. A refusal names the file, its line and what to do. Guarded by
``tests/test_record.py``.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pandas as pd
import pandera.pandas as pa

from fairweather.checks import NUMBER, enforce, matches, rule
from fairweather.codebook import Indicator
from fairweather.errors import RecordError
from fairweather.names import ALIGNMENT, COMPLEMENTARITY, PRESSURE

COLUMNS = (
    "indicator",
    "unit",
    "year",
    "value",
    "partial",
    "opposite",
    "n",
    "source",
    "available_on",
)
STATE_COLUMNS = (
    "iso3",
    "name",
    "role",
    "region",
    "years_two_cases",
    "years_three_kinds",
    "mean_cinc",
)
NUMBERS = ("value", "partial", "opposite", "n")
_FORM = {
    ALIGNMENT: (r"[A-Z]{3}-[A-Z]{3}", "AAA-BBB"),
    PRESSURE: (r"[A-Z]{3}", "AAA"),
    COMPLEMENTARITY: (r"[A-Z]{3}>[A-Z]{3}", "AAA>BBB"),
}


def _text_schema(
    one: Indicator, states: frozenset[str], sources: frozenset[str]
) -> pa.DataFrameSchema:
    """Check every cell as text, before any conversion could hide what was written."""
    form, shown = _FORM[one.latent]
    numeric = "write a plain number, or delete the row if the value is unknown"
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
                lambda s: s.str.findall("[A-Z]{3}").map(lambda codes: set(codes) <= states),
                "unit names an unknown state",
                "use a state of states.csv",
            ),
            rule(
                lambda s: s.map(lambda u: len(u) != 7 or u[:3] != u[4:]),
                "the pair is one state twice",
                "name two different states",
            ),
            rule(
                lambda s: s.map(lambda u: one.latent != ALIGNMENT or len(u) != 7 or u[:3] < u[4:]),
                "the pair is not in alphabetical order",
                "write the two different states alphabetically",
            ),
        ],
        "year": [rule(matches(r"\d{4}"), "year is not a whole year", "write four digits")],
        "value": [rule(matches(NUMBER), "value is not a number", numeric)],
        "source": [
            rule(lambda s: s.isin(sources), "source is unknown", "use a key of sources.toml")
        ],
        "available_on": [
            rule(
                lambda s: pd.to_datetime(s, format="%Y-%m-%d", errors="coerce").notna(),
                "available_on is not a date",
                "write YYYY-MM-DD",
            )
        ],
    }
    for name in NUMBERS[1:]:
        rules[name] = [
            rule(matches(f"({NUMBER})?"), f"{name} is not a number", "write a number or nothing")
        ]
    return pa.DataFrameSchema({k: pa.Column(checks=v) for k, v in rules.items()})


def _typed_schema(one: Indicator) -> pa.DataFrameSchema:
    """Check what the numbers say, by family."""

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
    elif one.family == "count":
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
            lambda f: ~f.duplicated(["unit", "year"], keep="first"),
            "a second row for the same unit and year",
            "keep one of the two rows",
        ),
        rule(
            lambda f: f["available_on"] == release_date(f["year"], one.release_lag_days),
            "available_on is not 31 December of the year plus the release lag",
            f"add {one.release_lag_days} days, or change release_lag_days in codebook.toml",
        ),
    ]
    years = rule(
        lambda s: s.between(one.first_year, one.last_year),
        f"year is outside {one.first_year}-{one.last_year}",
        "delete the row, or widen the years in codebook.toml",
    )
    schema = {"year": pa.Column(int, checks=[years])}
    schema |= {k: pa.Column(float, nullable=True, checks=v) for k, v in columns.items()}
    return pa.DataFrameSchema(schema, checks=wide)


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


def _read_text(path: Path, columns: Iterable[str]) -> pd.DataFrame:
    try:
        frame = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
    except FileNotFoundError:
        raise RecordError(
            "the file is missing", file=path, remedy="Restore it, or rebuild data/."
        ) from None
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as err:
        raise RecordError(f"not a UTF-8 CSV table: {err}", file=path, remedy="Mend it.") from None
    for name in columns:
        if name not in frame:
            raise RecordError(
                f"the column {name!r} is missing",
                file=path,
                row=1,
                remedy=f"Use the columns {', '.join(columns)}.",
            )
    for name in frame.columns:
        if name not in columns:
            raise RecordError(
                f"the column {name!r} is unknown",
                file=path,
                row=1,
                remedy=f"Use the columns {', '.join(columns)}.",
            )
    return frame[list(columns)]


def read_observations(
    path: str | Path, one: Indicator, states: Iterable[str], sources: Iterable[str]
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
    path = Path(path)
    frame = _read_text(path, COLUMNS)
    if frame.empty:
        raise RecordError("the file has no rows", file=path, remedy="Delete it or fill it.")
    frame = enforce(_text_schema(one, frozenset(states), frozenset(sources)), frame, path)
    frame["year"] = frame["year"].astype("int64")
    for name in NUMBERS:
        frame[name] = pd.to_numeric(frame[name], errors="coerce").astype("float64")
    frame["available_on"] = pd.to_datetime(frame["available_on"], format="%Y-%m-%d")
    return enforce(_typed_schema(one), frame, path)


def read_states(path: str | Path) -> pd.DataFrame:
    """Read the table of member states.

    Parameters
    ----------
    path : str or Path
        `states.csv`.

    Returns
    -------
    DataFrame
        Columns `STATE_COLUMNS`, in file order.

    Raises
    ------
    RecordError
        If a code is malformed or repeated, a role unknown or a number not a number.
    """
    path = Path(path)
    frame = _read_text(path, STATE_COLUMNS)
    whole = [rule(matches(r"\d+"), "not a whole number", "write a count of years")]
    schema = pa.DataFrameSchema(
        {
            "iso3": pa.Column(
                checks=[
                    rule(matches("[A-Z]{3}"), "iso3 is not an ISO3 code", "write three letters"),
                    rule(lambda s: ~s.duplicated(), "the state is repeated", "keep one row"),
                ]
            ),
            "name": pa.Column(checks=[rule(lambda s: s != "", "name is blank", "fill it in")]),
            "role": pa.Column(
                checks=[
                    rule(
                        lambda s: s.isin(["pressed", "contrast"]),
                        "role is unknown",
                        "write pressed or contrast",
                    )
                ]
            ),
            "region": pa.Column(checks=[rule(lambda s: s != "", "region is blank", "fill it in")]),
            "years_two_cases": pa.Column(checks=whole),
            "years_three_kinds": pa.Column(checks=whole),
            "mean_cinc": pa.Column(
                checks=[rule(matches(NUMBER), "mean_cinc is not a number", "write a share")]
            ),
        }
    )
    frame = enforce(schema, frame, path)
    frame["mean_cinc"] = frame["mean_cinc"].astype(float)
    years = ["years_two_cases", "years_three_kinds"]
    frame[years] = frame[years].astype("int64")
    return frame


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

    return values.map(text).astype(str)


def to_csv_text(frame: pd.DataFrame) -> str:
    """Canonical text of observations: sorted, fixed number format, LF line ends."""
    frame = frame.sort_values(["indicator", "unit", "year"], kind="stable")
    out = frame[["indicator", "unit", "year"]].copy()
    for name in NUMBERS:
        out[name] = number_text(frame[name])
    out["source"] = frame["source"]
    out["available_on"] = frame["available_on"].dt.strftime("%Y-%m-%d")
    return out[list(COLUMNS)].to_csv(index=False, lineterminator="\n")
