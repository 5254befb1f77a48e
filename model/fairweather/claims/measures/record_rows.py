"""Rows of the coded record, as the measures of claims ask for them.

Invariant: a missing row is never read as a zero unless the claim says why it is one, events that
rest on the tested brief alone are left out, and every refusal names the indicator asked for.
Guarded by ``tests/test_claims_record.py``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fairweather.claims.evidence import ClaimError

if TYPE_CHECKING:
    import pandas as pd

    from fairweather.record import Record

DRAWS = 4000
SEED = 1
FOCAL = "CHN-RUS"
BRIEF = "Yun Sun"
EXPOSURE = "chronology_cooperation"
_LAG = 60


@dataclass(frozen=True)
class Counts:
    """Yearly counts of one item for the focal unit and for those it is set against.

    Attributes
    ----------
    name : str
        Indicator, or the channels counted.
    focal, exposure : Series
        Indexed by year.
    others : DataFrame or None
        Counts of the other units, years by units; None if the item has none.
    """

    name: str
    focal: pd.Series
    exposure: pd.Series
    others: pd.DataFrame | None = None


def years_of(spans: Iterable[Any]) -> list[int]:
    """Spell out years given as numbers or as pairs of first and last.

    Parameters
    ----------
    spans : iterable of int or of [int, int]

    Returns
    -------
    list of int

    Examples
    --------
    >>> years_of([2001, [2003, 2005]])
    [2001, 2003, 2004, 2005]
    """
    out: list[int] = []
    for one in spans:
        out += [int(one)] if isinstance(one, (int, np.integer)) else range(one[0], one[1] + 1)
    return sorted(set(out))


def wide(record: Record, indicator: str, column: str = "value") -> pd.DataFrame:
    """Lay an indicator out, years by units; a cell without a row is NaN.

    Parameters
    ----------
    record : Record
    indicator : str
    column : {"value", "n"}

    Returns
    -------
    DataFrame
        Raters are averaged.

    Raises
    ------
    ClaimError
        If the record has no row of it.

    Examples
    --------
    >>> import fairweather as fw
    >>> float(wide(fw.load_record(), "unsc_joint_veto")["CHN-RUS"][2019])
    3.0
    """
    rows = record.observations
    rows = rows[rows["indicator"] == indicator]
    if rows.empty:
        raise ClaimError(
            f"the claim asks for {indicator!r}, of which the record has no rows",
            remedy="Load a record that holds it, or leave the claim out.",
        )
    return rows.pivot_table(
        index="year", columns="unit", values=column, aggfunc="mean", dropna=False
    )


def sign_of(record: Record, indicator: str) -> int:
    """Tell whether more of an indicator means more or less of what it reads."""
    return int(record.codebook[indicator].sign) if indicator in record.codebook else 1


def pick(table: pd.DataFrame, unit: str, years: list[int], indicator: str) -> pd.Series:
    """Take one unit's years; all of them must be there.

    Raises
    ------
    ClaimError
        If the unit has no row, or a year is missing.
    """
    have = table[unit].dropna() if unit in table else None
    if have is None or have.empty:
        raise ClaimError(
            f"the claim asks for {indicator!r} of {unit}, which has no rows",
            remedy="Load a record that holds the unit, or leave the claim out.",
        )
    lost = [y for y in years if y not in have.index]
    if lost:
        raise ClaimError(
            f"the claim asks for {indicator!r} of {unit} in {_short(lost)}, where it has no row",
            remedy="Widen the years of the record, or leave the claim out.",
        )
    return have.loc[years].astype(float)


def chronology(record: Record, *, known: bool = False) -> pd.DataFrame:
    """Read the events of the chronology that this record may know, and that stand by themselves.

    Parameters
    ----------
    record : Record
        Its cut-off is kept; it must hold both states.
    known : bool
        Leave out every event that the brief mentions, and not only those it alone vouches for.

    Returns
    -------
    DataFrame
        As from `fairweather.chronology.load_chronology`.

    Raises
    ------
    ClaimError
        If the record holds only one of the two states.

    Examples
    --------
    >>> import fairweather as fw
    >>> old = chronology(fw.load_record(as_of="2005-01-15"))
    >>> int(old["year"].max())
    2003
    """
    import pandas as pd

    from fairweather.chronology import load_chronology

    if not {"CHN", "RUS"} <= set(record.states["iso3"]):
        raise ClaimError(
            "the claim asks for the chronology of CHN and RUS, and the record lacks one of them",
            remedy="Keep both states, or leave the claim out.",
        )
    events = load_chronology()
    drop = events["from_brief"] if known else alone(events["source"])
    events = events[~drop]
    if record.as_of is not None:
        lag = _LAG
        if EXPOSURE in record.codebook:
            lag = record.codebook[EXPOSURE].release_lag_days
        closed = pd.to_datetime(events["year"].astype(str) + "-12-31") + pd.Timedelta(days=lag)
        events = events[closed <= pd.Timestamp(record.as_of)]
    return events.reset_index(drop=True)


def alone(source: pd.Series) -> pd.Series:
    """Tell which events rest on the tested brief alone.

    Examples
    --------
    >>> import pandas as pd
    >>> alone(pd.Series(["Yun Sun (2016) fn2", "Yun Sun (2016) fn2; tass.com/1"])).tolist()
    [True, False]
    """
    return source.map(lambda s: all(p.strip().startswith(BRIEF) for p in s.split(";")))


def matching(events: pd.DataFrame, spec: Mapping[str, Any]) -> pd.DataFrame:
    """Keep events by channels, direction, sign, least intensity, years and dates.

    Parameters
    ----------
    events : DataFrame
    spec : mapping
        Any of `channels`, `direction` (lists), `sign`, `intensity` (least), `years` (as in
        `years_of`), `since` and `until` (text, to the precision of the shorter).

    Returns
    -------
    DataFrame
    """
    keep = np.ones(len(events), bool)
    if "channels" in spec:
        keep &= events["channel"].isin(spec["channels"]).to_numpy()
    if "direction" in spec:
        keep &= events["direction"].isin(spec["direction"]).to_numpy()
    if "sign" in spec:
        keep &= (events["sign"] == spec["sign"]).to_numpy()
    if "intensity" in spec:
        keep &= (events["intensity"] >= spec["intensity"]).to_numpy()
    if "years" in spec:
        keep &= events["year"].isin(years_of(spec["years"])).to_numpy()
    if "since" in spec:
        keep &= (events["date"] >= spec["since"]).to_numpy()
    if "until" in spec:
        keep &= (events["date"].str[: len(spec["until"])] <= spec["until"]).to_numpy()
    return events[keep]


def counts(record: Record, item: Mapping[str, Any], years: list[int]) -> Counts:
    """Count one item in the years asked for.

    Parameters
    ----------
    record : Record
    item : mapping
        `indicator` with `unit` (default the focal pair), `against` ("others", "shared" for units
        that share a state named in `state`, or a list of units) and `absent = 0` where an absent
        row is a true zero; or `channels` (with `direction`, `sign`) for events of the chronology,
        whose exposure is that of chronology_cooperation.
    years : list of int

    Returns
    -------
    Counts

    Raises
    ------
    ClaimError
        If a year has no row.
    """
    import pandas as pd

    if "channels" in item:
        name = "chronology: " + ", ".join(item["channels"])
        exposure = pick(wide(record, EXPOSURE, "n"), FOCAL, years, EXPOSURE)
        hits = matching(chronology(record), item)
        focal = hits["year"].value_counts().reindex(years, fill_value=0).astype(float)
        return Counts(name, focal.sort_index(), exposure)
    name, unit = item["indicator"], item.get("unit", FOCAL)
    values = wide(record, name)
    family = record.codebook[name].family if name in record.codebook else "count"
    if "absent" in item:
        values = values.reindex(sorted({*values.index, *years})).fillna(item["absent"])
    focal = pick(values, unit, years, name)
    exposure = pd.Series(1.0, index=years)
    if family == "count":
        listed = wide(record, name, "n")
        if unit in listed:
            exposure = listed[unit].reindex(years).fillna(1.0)
    others = None
    if item.get("against"):
        chosen = _others(values.columns, unit, item)
        others = values.reindex(years)[chosen].dropna(axis=1, how="any")
        if others.shape[1] == 0:
            raise ClaimError(
                f"the claim sets {name!r} of {unit} against other units, and none has all of "
                f"{_short(years)}",
                remedy="Load a record with more states, or leave the claim out.",
            )
    return Counts(name, focal, exposure, others)


def _others(units: Iterable[str], unit: str, item: Mapping[str, Any]) -> list[str]:
    against = item["against"]
    if isinstance(against, list):
        return [u for u in against if u in units]
    rest = [u for u in units if u != unit]
    if against == "shared":
        rest = [u for u in rest if item["state"] in u.split("-")]
    return rest


def say(params: Mapping[str, Any], facts: Mapping[str, Any]) -> str:
    """Fill the claim's own sentence with the numbers found.

    Raises
    ------
    ClaimError
        If the sentence asks for a number the measure does not give.

    Examples
    --------
    >>> say({"said": "It rose {ratio:.1f} times."}, {"ratio": 2.0})
    'It rose 2.0 times.'
    """
    try:
        return str(params["said"]).format(**facts)
    except (KeyError, IndexError, ValueError) as err:
        raise ClaimError(
            f"the sentence of the result cannot be filled ({err})",
            remedy=f"Use only {', '.join(facts)}.",
        ) from None


def _short(years: list[int]) -> str:
    shown = ", ".join(map(str, years[:4]))
    return shown if len(years) <= 4 else f"{shown} and {len(years) - 4} more years"
