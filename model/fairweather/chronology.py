"""Every event of the chronology is coded by the rubric, and none that rests on memory is read.

``data/chronology.csv`` is our own coding of events between China and Russia, 1991-2024, and
``data/chronology_rubric.toml`` says how it was made. Rows from memory are in
``data/unverified/`` and come only when asked for. Density is uneven: raw counts of different years
do not compare. Guarded by ``tests/test_chronology.py``.
"""

from __future__ import annotations

import datetime as dt
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pandera.pandas as pa

from fairweather import paths
from fairweather.checks import enforce, matches, read_text, rule
from fairweather.errors import RecordError

COLUMNS = (
    "event_id",
    "date",
    "date_precision",
    "year",
    "event",
    "channel",
    "direction",
    "sign",
    "intensity",
    "source",
    "reliability",
    "from_brief",
)
FILE = "chronology.csv"
UNVERIFIED_FILE = "unverified/chronology_unverified.csv"
RUBRIC_FILE = "chronology_rubric.toml"
MEMORY = "U"
_CODED = ("channel", "direction", "sign", "intensity", "reliability", "date_precision")
_YEAR = "[0-9]{4}"
_MONTH = f"{_YEAR}-[0-9]{{2}}"
_DAY = f"{_MONTH}-[0-9]{{2}}"
_FORM = {
    "day": _DAY,
    "reported": _DAY,
    "month": _MONTH,
    "year": _YEAR,
    "approx": f"{_DAY}|{_MONTH}",
}


def load_rubric(data_dir: str | Path | None = None) -> Mapping[str, Mapping[str, str]]:
    """Read the coding rules: of each coded column its values and what they mean.

    Parameters
    ----------
    data_dir : str or Path, optional
        Folder of the record; the one of `fairweather.paths.data_dir` by default.

    Returns
    -------
    mapping
        Table name to entries.

    Raises
    ------
    RecordError
        If the file is missing, not TOML, or lacks a coded column.

    Examples
    --------
    >>> sorted(load_rubric()["sign"])
    ['-1', '1']
    """
    folder = paths.data_dir() if data_dir is None else Path(data_dir)
    path = folder / RUBRIC_FILE
    try:
        rubric = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RecordError(
            "the file is missing", file=path, remedy="Restore it from version control."
        ) from None
    except tomllib.TOMLDecodeError as err:
        raise RecordError(f"not valid TOML: {err}", file=path, remedy="Mend it.") from None
    lost = [name for name in _CODED if not isinstance(rubric.get(name), dict)]
    if lost:
        raise RecordError(
            f"the tables {lost} are missing",
            file=path,
            remedy=f"Write [{lost[0]}] with its values.",
        )
    return rubric


def load_chronology(
    data_dir: str | Path | None = None, *, unverified: bool = False
) -> pd.DataFrame:
    """Read and check the events between China and Russia.

    Parameters
    ----------
    data_dir : str or Path, optional
        Folder of the record; the one of `fairweather.paths.data_dir` by default.
    unverified : bool
        Also read the rows that rest on memory; they have reliability ``U``.

    Returns
    -------
    DataFrame
        Columns `COLUMNS`; `date` text to the precision known, `year`, `sign` and `intensity` int,
        `from_brief` bool.

    Raises
    ------
    RecordError
        If a row breaks a rule; the message names file, line and remedy.

    Examples
    --------
    >>> events = load_chronology()
    >>> int(events["year"].min()), bool((events["reliability"] == "U").any())
    (1991, False)
    """
    folder = paths.data_dir() if data_dir is None else Path(data_dir)
    rubric = load_rubric(folder)
    path = folder / FILE
    events = check_chronology(read_text(path, COLUMNS), rubric, path)
    if unverified:
        path = folder / UNVERIFIED_FILE
        recalled = check_chronology(read_text(path, COLUMNS), rubric, path, memory=True)
        twice = recalled["event_id"].isin(events["event_id"])
        if twice.any():
            raise RecordError(
                "the event_id is also in chronology.csv",
                file=path,
                row=int(twice.idxmax()) + 2,
                remedy="Give each event an id of its own.",
            )
        events = pd.concat([events, recalled], ignore_index=True)
    return events


def check_chronology(
    frame: pd.DataFrame,
    rubric: Mapping[str, Mapping[str, str]],
    file: str | Path,
    *,
    memory: bool = False,
) -> pd.DataFrame:
    """Refuse events that are not coded by the rubric, and give the others their types.

    Parameters
    ----------
    frame : DataFrame
        Columns `COLUMNS`, every cell as text.
    rubric : mapping
        As from `load_rubric`.
    file : str or Path
        Named in the message.
    memory : bool
        Whether these are the rows from memory: all of reliability ``U``, or none.

    Returns
    -------
    DataFrame

    Raises
    ------
    RecordError
        Naming file, line and remedy.
    """
    frame = enforce(_schema(rubric, memory), frame, file)
    numbers = {name: frame[name].astype("int64") for name in ("year", "sign", "intensity")}
    return frame.assign(**numbers, from_brief=frame["from_brief"] == "1")


def _schema(rubric: Mapping[str, Mapping[str, str]], memory: bool) -> pa.DataFrameSchema:
    rules = {
        "event_id": [
            rule(matches(r"[A-Z]\d{3,}"), "event_id is malformed", "write a letter and a number"),
            rule(lambda s: ~s.duplicated(), "the event_id is repeated", "give it one of its own"),
        ],
        "date": [rule(lambda s: s.map(_is_date), "date is no date", "write YYYY, -MM and -DD")],
        "year": [rule(matches(_YEAR), "year is not a whole year", "write four digits")],
        "from_brief": [rule(matches("[01]"), "from_brief is not 0 or 1", "write 0 or 1")],
    }
    for name in ("event", "source"):
        rules[name] = [rule(lambda s: s.str.strip() != "", f"{name} is blank", "fill it in")]
    for name in _CODED:
        known = list(rubric[name])
        test, shown = _among(known), ", ".join(known)
        rules[name] = [rule(test, f"{name} is not in the rubric", f"write one of {shown}")]
    if memory:
        here, away = "the row does not rest on memory", f"move it to {FILE}"
    else:
        here, away = "the row rests on memory", f"move it to {UNVERIFIED_FILE}"
    rules["reliability"].append(rule(lambda s: (s == MEMORY) == memory, here, away))
    wide = [
        rule(
            lambda f: pd.Series(
                [
                    bool(re.fullmatch(_FORM.get(p, ""), d))
                    for d, p in zip(f["date"], f["date_precision"], strict=True)
                ],
                index=f.index,
            ),
            "the date has another form than its precision",
            "give both the same precision",
        ),
        rule(
            lambda f: f["date"].str[:4] == f["year"],
            "the year is not that of the date",
            "correct one of them",
        ),
    ]
    return pa.DataFrameSchema({k: pa.Column(checks=v) for k, v in rules.items()}, checks=wide)


def _among(known: list[str]):
    return lambda s: s.isin(known)


def _is_date(text: str) -> bool:
    try:
        dt.date.fromisoformat(f"{text}-01-01"[:10])
    except ValueError:
        return False
    return bool(re.fullmatch(f"{_YEAR}|{_MONTH}|{_DAY}", text))
