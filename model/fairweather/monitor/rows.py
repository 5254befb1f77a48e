"""Rows of a year that is not over: read, held against the record's own rules, given an exposure.

Invariant: nothing of them enters the record; a row is taken only if the record would take it, if
its year is after the record's last, and if what it counts can be compared with a year's.
Guarded by ``tests/test_monitor_rows.py``.
"""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pandera.pandas as pa

from fairweather import names
from fairweather.checks import NUMBER, enforce, is_day, matches, rule
from fairweather.errors import CodebookError, FairweatherError
from fairweather.schema import NUMBERS, text_schema, typed_schema

if TYPE_CHECKING:
    from fairweather.codebook import Indicator
    from fairweather.panel import Panel

COLUMNS = (
    "indicator", "unit", "year", "value", "partial", "opposite", "n", "through", "source",
)  # fmt: skip
MARK = "#"
# What a part of a year says in the units of a whole one, after its exposure or its own trials.
DIVISIBLE = ("count", "share", "vote")


class MonitorError(FairweatherError):
    """A running year cannot be read, laid out or judged."""


def read_rows(path: str | Path, panel: Panel, today: dt.date | None = None) -> pd.DataFrame:
    """Read rows of the running year.

    Parameters
    ----------
    path : str or Path
        A CSV file with the columns ``COLUMNS``; lines that begin with ``#`` are passed over.
    panel : Panel
        Laid out from the record; rows are of later years and of its units.
    today : date, optional
        Default: the day by the clock. A row cannot reach beyond it.

    Returns
    -------
    DataFrame
        latent, indicator, family, domain, unit, year, value, partial, opposite, ``n`` (of a count
        the exposure, computed where it was blank), ``through`` (date), ``covered`` (share of the
        year), ``full`` (exposure of a whole year of a count), ``line`` of the file.

    Raises
    ------
    MonitorError
        Naming file, line and remedy.

    Examples
    --------
    >>> read_rows("2025.csv", fw.load_panel())  # doctest: +SKIP
    """
    path, today = Path(path), today or dt.date.today()
    text = _text(path)
    ones = _indicators(text, panel, path.name)
    text = text.assign(source=[
        cell or ones[i].source for cell, i in zip(text["source"], text["indicator"], strict=True)
    ])  # fmt: skip
    _check(_own(panel), text, path.name)
    _as_the_record_does(text, ones, panel, path.name)
    frame = _typed(text, ones)
    _check(_of_a_part(panel, today), frame, path.name)
    frame["full"] = full_exposures(frame, panel)
    counted = (frame["family"] == "count") & frame["n"].isna()
    frame["n"] = frame["n"].where(~counted, frame["covered"] * frame["full"])
    _check(_exposed(), frame, path.name)
    kept = ["latent", "indicator", "family", "domain", "unit", "year", *NUMBERS]
    return frame[[*kept, "through", "covered", "full", "line"]]


def covered(through: dt.date) -> float:
    """Share of a year that is over at the end of a day.

    Examples
    --------
    >>> covered(dt.date(2025, 12, 31)), round(covered(dt.date(2025, 6, 30)), 3)
    (1.0, 0.496)
    """
    last = dt.date(through.year, 12, 31)
    return through.timetuple().tm_yday / last.timetuple().tm_yday


def full_exposures(cells: pd.DataFrame, panel: Panel) -> np.ndarray:
    """Exposure of a whole year of each count: 1, or the largest that its unit has on record.

    Parameters
    ----------
    cells : DataFrame
        indicator, unit, latent, family.
    panel : Panel

    Returns
    -------
    ndarray, shape (cell,)
        NaN for other families.
    """
    out = np.where(cells["family"] == "count", 1.0, np.nan)
    for k in np.flatnonzero(~np.isnan(out)):
        row = cells.iloc[k]
        if row["indicator"] in panel.rows:
            rows = panel.rows[row["indicator"]]
            unit = panel.units(row["latent"]).index(row["unit"])
            own = rows["n"][rows["unit"] == unit].to_numpy(float)
            if np.isfinite(own).any():
                out[k] = np.nanmax(own)
    return out


def _text(path: Path) -> pd.DataFrame:
    """Read cells as written, with the line each came from."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError:
        raise MonitorError(
            "the file does not exist",
            file=path,
            remedy="Write one: fairweather monitor --template FILE.",
        ) from None
    except (OSError, UnicodeDecodeError) as err:
        raise MonitorError(
            f"cannot be read ({getattr(err, 'strerror', None) or 'not UTF-8'})", file=path,
            remedy="Give a CSV file in UTF-8.",
        ) from None  # fmt: skip
    kept = [(k, x) for k, x in enumerate(lines, 1) if x.strip(", \t") and not x.startswith(MARK)]
    table = [(k, next(csv.reader([x]))) for k, x in kept]
    header = [cell.strip() for cell in table[0][1]] if table else []
    if sorted(header) != sorted(COLUMNS):
        raise MonitorError(
            f"the columns are {', '.join(header) or 'missing'}", file=path,
            row=table[0][0] if table else 1, remedy=f"Use {', '.join(COLUMNS)}.",
        )  # fmt: skip
    for line, cells in table[1:]:
        if len(cells) != len(header):
            raise MonitorError(
                f"{len(cells)} cells, not {len(header)}", file=path, row=line,
                remedy="Write one cell a column, blank where there is nothing.",
            )  # fmt: skip
    if len(table) < 2:
        raise MonitorError(
            "the file has no rows", file=path, remedy="Fill it, or leave --rows out."
        )
    frame = pd.DataFrame([[c.strip() for c in cells] for _, cells in table[1:]], columns=header)
    return frame[list(COLUMNS)].assign(line=[k for k, _ in table[1:]])


def _indicators(text: pd.DataFrame, panel: Panel, file: str) -> dict[str, Indicator]:
    """Find each row's indicator, among those a fit of this panel can read."""
    out, book = {}, panel.record.codebook
    for name, line in zip(text["indicator"], text["line"], strict=True):
        if name in out:
            continue
        try:
            one = book[name]
        except CodebookError as err:
            raise MonitorError(
                f"no indicator {name!r}", file=file, row=line, remedy=err.remedy
            ) from None
        measured = one.latent in (names.ALIGNMENT, names.PRESSURE) and one.fitted
        if not measured or not (one.default or name in panel.rows):
            raise MonitorError(
                f"the fit does not read '{name}'", file=file, row=line,
                remedy="Leave the row out; --template FILE lists what is read.",
            )  # fmt: skip
        out[name] = one
    return out


def _own(panel: Panel) -> pa.DataFrameSchema:
    """Rules on cells as written that the record has no use for."""
    on_record = "bring it in with: fairweather data import"
    return pa.DataFrameSchema(
        {
            "year": pa.Column(checks=[
                rule(matches("[0-9]{4}"), "year is not a whole year", "write four digits"),
                rule(
                    lambda s: ~s.str.fullmatch("[0-9]{4}") | (s > str(panel.origin)),
                    f"the record reaches to {panel.origin}: this year is over", on_record,
                ),
            ]),
            "through": pa.Column(checks=[
                rule(lambda s: s.map(is_day).astype(bool), "through is not a date",
                     "write the last day the row covers, YYYY-MM-DD"),
            ]),
            "value": pa.Column(checks=[
                rule(matches(NUMBER), "value is not a number",
                     "write a plain number, or delete the row if it is unknown"),
            ]),
        },
        checks=[
            rule(lambda f: ~f.duplicated(["indicator", "unit", "year"], keep="first"),
                 "a second row for the same indicator, unit and year", "keep one of them"),
        ],
    )  # fmt: skip


def _as_the_record_does(
    text: pd.DataFrame, ones: dict[str, Indicator], panel: Panel, file: str
) -> None:
    """Hold the rows against the schemas of the record, as rows of a release to come."""
    day = pd.Timestamp(dt.date(panel.origin + 1, 1, 1))
    beside = {
        "rater": "", "available_on": day.strftime("%Y-%m-%d"), "status": "new",
        "_later": True, "_released": day, "_lag": 0, "_first": panel.origin + 1, "_last": 9999,
    }  # fmt: skip
    frame = text.assign(**beside, _id=text["indicator"], _part=text["indicator"])
    # Which states there are is a rule of the panel, and comes next.
    states = frozenset(text["unit"].str.findall("[A-Z]{3}").explode().dropna())
    sources = frozenset(panel.record.codebook.sources)
    for units in dict.fromkeys(one.units_are for one in ones.values()):
        rows = frame[frame["indicator"].map(lambda i, u=units: ones[i].units_are == u)]
        _check(text_schema(units, False, states, sources), rows, file)
    _known_units(text, ones, panel, file)
    numbers = {c: pd.to_numeric(frame[c], errors="coerce").astype(float) for c in NUMBERS}
    typed = frame.assign(year=frame["year"].astype(int), available_on=day, **numbers)
    for family in dict.fromkeys(one.family for one in ones.values()):
        rows = typed[typed["indicator"].map(lambda i, f=family: ones[i].family == f)]
        _check(typed_schema(family), rows, file)


def _known_units(
    text: pd.DataFrame, ones: dict[str, Indicator], panel: Panel, file: str
) -> None:  # fmt: skip
    for name, unit, line in zip(text["indicator"], text["unit"], text["line"], strict=True):
        if unit not in panel.units(ones[name].latent):
            raise MonitorError(
                f"'{unit}' is not among the units of this panel ({', '.join(panel.states)})",
                file=file, row=line, remedy="Correct it, leave the row out, or add its states.",
            )  # fmt: skip


def _typed(text: pd.DataFrame, ones: dict[str, Indicator]) -> pd.DataFrame:
    of = [ones[i] for i in text["indicator"]]
    through = text["through"].map(dt.date.fromisoformat)
    return text.assign(
        year=text["year"].astype(int), through=through, covered=through.map(covered),
        latent=[one.latent for one in of], family=[one.family for one in of],
        domain=[one.domain for one in of],
        **{c: pd.to_numeric(text[c], errors="coerce").astype(float) for c in NUMBERS},
    )  # fmt: skip


def _of_a_part(panel: Panel, today: dt.date) -> pa.DataFrameSchema:
    """Rules on what a part of a year can say, and when it can be known."""
    late = (
        f"through is after today ({today})",
        "write a day that is over; if the clock is set back, set it or give --today",
    )
    keys = {
        (i, panel.units(panel.record.codebook[i].latent)[u], int(panel.years[t]))
        for i, rows in panel.rows.items()
        for u, t in zip(rows["unit"].astype(int), rows["time"].astype(int), strict=True)
    }
    held = panel.record.observations
    later = held[held["year"] > panel.origin]
    keys |= set(zip(later["indicator"], later["unit"], later["year"].astype(int), strict=True))
    return pa.DataFrameSchema(
        {
            "through": pa.Column(checks=[
                rule(lambda s: s.map(lambda day: day <= today).astype(bool), *late),
            ]),
        },
        checks=[
            rule(lambda f: f["through"].map(lambda day: day.year) == f["year"],
                 "through is not a day of the row's year", "correct one of the two"),
            rule(
                lambda f: f["family"].isin(DIVISIBLE) | (f["covered"] == 1.0),
                "a part of a year of '{indicator}' cannot be compared with a year",
                "wait for the whole year (through = {year}-12-31), or leave the row out",
            ),
            rule(lambda f: (f["family"] != "vote") | (f["n"] > 0),
                 "no votes so far", "delete the row: no vote is no row"),
            rule(
                lambda f: pd.Series([
                    key not in keys
                    for key in zip(f["indicator"], f["unit"], f["year"], strict=True)
                ], f.index),
                "the record has this row already", "delete it here",
            ),
        ],
    )  # fmt: skip


def _exposed() -> pa.DataFrameSchema:
    """Of a count n is the share of a year it was looked for, unless its record says otherwise."""
    return pa.DataFrameSchema(checks=[
        rule(
            lambda f: (f["family"] != "count") | (f["full"] > 1.0) | (f["n"] <= 1.0),
            "n of a count is its exposure, the share of a year: at most 1",
            "leave n blank: it follows from through",
        ),
    ])  # fmt: skip


def _check(schema: pa.DataFrameSchema, rows: pd.DataFrame, file: str) -> None:
    rows = rows.reset_index(drop=True)
    if len(rows):
        enforce(schema, rows, file, error=MonitorError,
                line=lambda position: int(rows["line"].iloc[max(position, 0)]))  # fmt: skip
