"""The schema of ``forecast.csv``: one number a row, in the form of the forecast hubs.

Invariant: every table this package writes as ``forecast.csv`` passes `check_forecast`; what passes
can be scored and exported without a further look.
Guarded by ``tests/test_exchange_forecast_csv.py``.

Version 1 is what ``docs/exchange.md`` says. A column is never renamed, and never given another
meaning, under one version.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from fairweather.exchange import ExchangeError

if TYPE_CHECKING:
    import pandas as pd
    import pandera.pandas as pa

VERSION = 1
OUTPUT_TYPES = ("quantile", "mean", "median", "cdf", "pmf")
HORIZONS = (1, 10)
FILE = "forecast.csv"
# Rows of one forecast of one quantity.
TASK = (
    "model_id", "origin_date", "target_date", "horizon", "scenario", "indicator", "unit",
)  # fmt: skip
# Rounded probabilities of a pmf may miss their sum by so much.
_ROUNDING = 1e-4


@dataclass(frozen=True)
class Column:
    """One column of ``forecast.csv``.

    Attributes
    ----------
    type : str
        ``date`` (YYYY-MM-DD), ``text``, ``whole number`` or ``number``.
    says : str
    blank : bool
        Whether a cell may be empty.
    pattern : str
        Of the whole cell, for text.
    """

    type: str
    says: str
    blank: bool = False
    pattern: str = ""


SCHEMA = MappingProxyType({
    "origin_date": Column("date", "last day of the last year the forecast was made from"),
    "target_date": Column("date", "last day of the year that is forecast"),
    "horizon": Column("whole number", "years from origin_date to target_date, 1 to 10"),
    "scenario": Column("text", "name of the US weather", pattern=r"[a-z0-9][a-z0-9_-]*"),
    "indicator": Column(
        "text", "indicator of the codebook, in its units", pattern=r"[a-z][a-z0-9_]*"
    ),
    "unit": Column(
        "text", "state (AAA) or pair of states in alphabetical order (AAA-BBB)",
        pattern=r"[A-Z]{3}(-[A-Z]{3})?",
    ),
    "output_type": Column("text", f"one of {', '.join(OUTPUT_TYPES)}"),
    "output_type_id": Column(
        "number", "level of a quantile, above 0 and below 1; value of a cdf; category of a pmf; "
        "blank for mean and median", blank=True,
    ),
    "value": Column("number", "the quantile, mean or median; the probability of a cdf or pmf"),
    "model_id": Column("text", "team and model", pattern=r"[A-Za-z0-9_+]+(-[A-Za-z0-9_+]+)+"),
})  # fmt: skip


def read_forecast(path: str | Path) -> pd.DataFrame:
    """Read a ``forecast.csv`` and check it.

    Parameters
    ----------
    path : str or Path
        A UTF-8 CSV file.

    Returns
    -------
    DataFrame
        The columns of `SCHEMA` in its order: dates and names as text, ``horizon`` as int,
        ``output_type_id`` and ``value`` as float.

    Raises
    ------
    ExchangeError
        Names the file, the line of the first fault and the remedy.

    Examples
    --------
    >>> read_forecast("results/RUN/forecast.csv")  # doctest: +SKIP
    """
    file = Path(path)
    try:
        data = file.read_bytes()
    except OSError as err:
        raise ExchangeError(
            f"cannot be read ({err.strerror or err})", file=file, remedy="Check the path."
        ) from err
    return parse_forecast(data, file=file.name)


def parse_forecast(data: bytes, *, file: str = FILE) -> pd.DataFrame:
    """Read the bytes of a ``forecast.csv`` and check them; see `read_forecast`.

    Raises
    ------
    ExchangeError
        As `read_forecast`.
    """
    import io

    import pandas as pd

    try:
        # As text: the numbers are converted later, to the last digit.
        frame = pd.read_csv(
            io.BytesIO(data), dtype=str, keep_default_na=False, encoding="utf-8", index_col=False
        )
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as err:
        raise ExchangeError(
            f"is no UTF-8 CSV table ({' '.join(str(err).split())})", file=file,
            remedy="Write one row a number, under a header.",
        ) from err  # fmt: skip
    return check_forecast(frame, file=file)


def check_forecast(frame: pd.DataFrame, *, file: str = FILE) -> pd.DataFrame:
    """Check a table against the schema of ``forecast.csv``.

    Parameters
    ----------
    frame : DataFrame
        As `fairweather.forecast.forecast_table` makes it, or read as text.
    file : str
        How messages call it.

    Returns
    -------
    DataFrame
        A new one, typed as `read_forecast` says.

    Raises
    ------
    ExchangeError
        A column is missing or unknown, a cell is malformed, years do not add up, a row stands
        twice, quantiles cross, a cdf falls, or a pmf does not sum to one.

    Examples
    --------
    >>> import pandas as pd
    >>> row = {"origin_date": "2024-12-31", "target_date": "2025-12-31", "horizon": 1,
    ...        "scenario": "storm", "indicator": "unga_votes", "unit": "CHN-RUS",
    ...        "output_type": "mean", "output_type_id": None, "value": 0.8, "model_id": "me-drift"}
    >>> check_forecast(pd.DataFrame([row]))["horizon"].tolist()
    [1]
    >>> check_forecast(pd.DataFrame([row | {"horizon": 2}]))
    Traceback (most recent call last):
    fairweather.exchange.ExchangeError: forecast.csv, line 2: horizon is not the years from \
origin_date 2024-12-31 to target_date 2025-12-31. Mend one of the three.
    """
    from fairweather.checks import enforce

    for name in SCHEMA:
        if name not in frame:
            raise ExchangeError(
                f"the column '{name}' is missing", file=file, row=1,
                remedy=f"Use the columns {', '.join(SCHEMA)}.",
            )  # fmt: skip
    for name in frame.columns:
        if name not in SCHEMA:
            raise ExchangeError(
                f"the column '{name}' is unknown", file=file, row=1,
                remedy=f"Use the columns {', '.join(SCHEMA)}.",
            )  # fmt: skip
    text = _as_text(frame.reset_index(drop=True)[list(SCHEMA)])
    if text.empty:
        raise ExchangeError("there is no row", file=file, remedy="Write one row a number.")
    enforce(_text_schema(), text, file, error=ExchangeError)
    out = text.copy()
    out["horizon"] = text["horizon"].astype(int)
    for name in ("output_type_id", "value"):
        out[name] = text[name].replace("", "nan").astype(float)
    # First each row alone: a bad cell explains why rows do not go together.
    for schema in (_row_schema(), _group_schema()):
        out = enforce(schema, out, file, error=ExchangeError)
    return out


def _as_text(frame: pd.DataFrame) -> pd.DataFrame:
    """Write every cell as a file would; a blank is an empty string."""

    def cell(value: Any) -> str:
        if value is None or value != value:
            return ""
        return value if isinstance(value, str) else repr(getattr(value, "item", lambda: value)())

    return frame.map(cell).astype(object)


def _text_schema() -> pa.DataFrameSchema:
    """Check every cell as text, before a conversion could hide what was written."""
    import pandera.pandas as pa

    from fairweather.checks import NUMBER, is_day, matches, rule

    def year_end(cells: pd.Series) -> pd.Series:
        return cells.map({c: is_day(c) and c.endswith("-12-31") for c in cells.unique()}).astype(
            bool
        )

    rules = {}
    for name, column in SCHEMA.items():
        if column.type == "date":
            found = rule(year_end, f"{name} is not the last day of a year", "write YYYY-12-31")
        elif column.type == "whole number":
            first, last = HORIZONS
            allowed = "|".join(str(k) for k in range(first, last + 1))
            found = rule(matches(allowed), f"{name} is not a whole number of years from {first} "
                         f"to {last}", "count the years from origin to target")  # fmt: skip
        elif column.type == "number":
            pattern = f"({NUMBER})?" if column.blank else NUMBER
            found = rule(matches(pattern), f"{name} is not a number", "write a plain, finite one")
        elif name == "output_type":
            found = rule(lambda s: s.isin(OUTPUT_TYPES), f"{name} is unknown",
                         f"write one of {', '.join(OUTPUT_TYPES)}")  # fmt: skip
        else:
            found = rule(matches(column.pattern), f"{name} is malformed", f"write {column.says}")
        rules[name] = pa.Column(object, checks=[found])
    return pa.DataFrameSchema(rules)


def _row_schema() -> pa.DataFrameSchema:
    """Check what the cells of a row say together."""
    import numpy as np
    import pandera.pandas as pa

    from fairweather.checks import rule

    def years(f: pd.DataFrame) -> pd.Series:
        first, last = (f[c].str[:4].astype(int) for c in ("origin_date", "target_date"))
        return last - first == f["horizon"]

    def ordered(f: pd.DataFrame) -> pd.Series:
        return f["unit"].map(lambda u: len(u) == 3 or u[:3] < u[4:]).astype(bool)

    def level(f: pd.DataFrame) -> pd.Series:
        kind, x = f["output_type"], f["output_type_id"]
        return (
            (kind.isin(["mean", "median"]) & x.isna())
            | ((kind == "quantile") & x.between(0.0, 1.0, inclusive="neither"))
            | (kind.isin(["cdf", "pmf"]) & np.isfinite(x))
        )

    def finite(f: pd.DataFrame) -> pd.Series:
        return np.isfinite(f["value"])

    def probability(f: pd.DataFrame) -> pd.Series:
        return ~f["output_type"].isin(["cdf", "pmf"]) | f["value"].between(0.0, 1.0)

    checks = [
        rule(years, "horizon is not the years from origin_date {origin_date} to target_date "
             "{target_date}", "mend one of the three"),
        rule(ordered, "the pair {unit} is not two states in alphabetical order",
             "write the states alphabetically"),
        rule(level, "output_type_id does not fit output_type {output_type}",
             "write the level of a quantile (above 0, below 1), the value of a cdf or pmf, "
             "nothing for mean and median"),
        rule(finite, "value is not finite", "leave out what cannot be forecast"),
        rule(probability, "value of a {output_type} is not from 0 to 1", "write a probability"),
    ]  # fmt: skip
    return pa.DataFrameSchema({}, checks=checks, strict=False)


def _group_schema() -> pa.DataFrameSchema:
    """Check what the rows of one forecast say together."""
    import pandas as pd
    import pandera.pandas as pa

    from fairweather.checks import rule

    def once(f: pd.DataFrame) -> pd.Series:
        return ~f.duplicated([*TASK, "output_type", "output_type_id"], keep="first")

    def rising(f: pd.DataFrame) -> pd.Series:
        """Quantiles and cdf, in the order of their levels, never fall."""
        keys = [*TASK, "output_type"]
        part = f[f["output_type"].isin(["quantile", "cdf"])]
        part = part.sort_values([*keys, "output_type_id"], kind="stable")
        falls = part.groupby(keys, sort=False)["value"].diff() < 0
        return _but(f, part.index[falls.to_numpy()])

    def whole(f: pd.DataFrame) -> pd.Series:
        """Probabilities of a pmf sum to one; its first row is named."""
        part = f[f["output_type"] == "pmf"]
        total = part.groupby(list(TASK), sort=False)["value"].transform("sum")
        off = (total - 1.0).abs() > _ROUNDING
        return _but(f, part.index[off & ~part.duplicated(list(TASK))])

    def _but(f: pd.DataFrame, bad: pd.Index) -> pd.Series:
        return pd.Series(~f.index.isin(bad), index=f.index)

    checks = [
        rule(once, "a second row for the same forecast, output_type and output_type_id",
             "keep one of the two"),
        rule(rising, "values of {output_type} fall where output_type_id rises",
             "sort the levels, or mend the value"),
        rule(whole, "the probabilities of this pmf do not sum to one", "add what is missing"),
    ]  # fmt: skip
    return pa.DataFrameSchema({}, checks=checks, strict=False)
