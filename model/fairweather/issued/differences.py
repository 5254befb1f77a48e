"""What differs between two issued forecasts: facts, durability, medians of the indicators.

Invariant: numbers are compared for the same scenario and the same year, never for the same number
of years ahead of different origins. Guarded by ``tests/test_issued_diff.py``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from fairweather.issued.frozen import Issued

_INNER = (0.055, 0.945)
_DURABILITY = {"scenario", "threshold", "horizon", "probability"}
_FORECAST = {
    "scenario", "indicator", "unit", "target_date", "output_type", "output_type_id", "value",
}  # fmt: skip


@dataclass(frozen=True)
class Difference:
    """What differs between two issued forecasts; each table is empty if nothing does.

    Attributes
    ----------
    facts : DataFrame
        fact (a path such as ``data.as_of``), a, b.
    files : DataFrame
        file, a, b: size and hash of the files that are not the same.
    durability : DataFrame
        scenario, threshold, target_year, a, b, change; largest change first.
    medians : DataFrame
        scenario, indicator, unit, target_year, a, b, change, and ``in_widths``: the change as a
        share of the 89 % interval of a. Largest share first.
    """

    facts: pd.DataFrame
    files: pd.DataFrame
    durability: pd.DataFrame
    medians: pd.DataFrame


def diff(a: Issued, b: Issued) -> Difference:
    """Compare two issued forecasts.

    Parameters
    ----------
    a, b : Issued
        From `Store.open`; they may be of different stores.

    Returns
    -------
    Difference

    Examples
    --------
    >>> from fairweather.issued import Store
    >>> store = Store("memory://doctest-diff")
    >>> one = store.issue({"a.txt": b"1"}, {"data": {"as_of": "2016-12-31"}})
    >>> two = store.issue({"a.txt": b"1"}, {"data": {"as_of": "2020-12-31"}})
    >>> diff(one, two).facts.values.tolist()
    [['data.as_of', '2016-12-31', '2020-12-31']]
    """
    import pandas as pd

    facts = [(k, x, y) for k, x, y in _pairs(flat(a.facts), flat(b.facts))]
    files = [(k, _file(x), _file(y)) for k, x, y in _pairs(a.files, b.files)]
    return Difference(
        pd.DataFrame(facts, columns=["fact", "a", "b"]),
        pd.DataFrame(files, columns=["file", "a", "b"]),
        _durability(a, b),
        _medians(a, b),
    )


def flat(facts: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Write nested facts as paths.

    Examples
    --------
    >>> flat({"data": {"as_of": None}, "origin": 2024})
    {'data.as_of': None, 'origin': 2024}
    """
    out: dict[str, Any] = {}
    for key, value in facts.items():
        if isinstance(value, Mapping) and value:
            out |= flat(value, f"{above}{key}.")
        else:
            out[f"{above}{key}"] = value
    return out


def _pairs(a: Mapping[str, Any], b: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    for key in sorted({*a, *b}):
        if (key in a) != (key in b) or a[key] != b[key]:
            yield key, a.get(key), b.get(key)


def _file(facts: Mapping[str, Any] | None) -> str:
    return "" if facts is None else f"{facts['size']} bytes, {facts['sha256'][:12]}"


def _table(one: Issued, name: str, columns: set[str]) -> pd.DataFrame | None:
    """Read a frozen table; None if there is none, or one of another layout."""
    table = one.table(name) if name in one.files else None
    return table if table is not None and columns <= set(table.columns) else None


def _merged(a: pd.DataFrame, b: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    both = a.merge(b, on=keys, suffixes=("_a", "_b"), validate="one_to_one")
    both["change"] = both["b"] - both["a"]
    return both[both["change"] != 0]


def _durability(a: Issued, b: Issued) -> pd.DataFrame:
    keys = ["scenario", "threshold", "target_year"]
    tables = []
    for name, one in (("a", a), ("b", b)):
        table = _table(one, "durability.csv", _DURABILITY)
        if table is None or not isinstance(one.facts.get("origin"), int):
            return _nothing([*keys, "a", "b", "change"])
        table = table.astype({"threshold": str})
        table["target_year"] = one.facts["origin"] + table["horizon"]
        tables.append(table[[*keys, "probability"]].rename(columns={"probability": name}))
    both = _merged(*tables, keys)
    return both.sort_values("change", key=abs, ascending=False, kind="stable", ignore_index=True)


def _medians(a: Issued, b: Issued) -> pd.DataFrame:
    keys = ["scenario", "indicator", "unit", "target_year"]
    columns = [*keys, "a", "b", "change", "in_widths"]
    tables = []
    for name, one in (("a", a), ("b", b)):
        table = _table(one, "forecast.csv", _FORECAST)
        if table is None:
            return _nothing(columns)
        tables.append(_quantiles(table, keys, name))
    # The width is that of the first: what was said before is the measure of what is new.
    both = _merged(tables[0], tables[1].drop(columns="width"), keys)
    both["in_widths"] = both["change"].abs() / both["width"].where(both["width"] > 0)
    return both.sort_values("in_widths", ascending=False, kind="stable", ignore_index=True)[columns]


def _quantiles(table: pd.DataFrame, keys: list[str], name: str) -> pd.DataFrame:
    table = table[table["output_type"] == "quantile"].copy()
    table["target_year"] = table["target_date"].astype(str).str[:4].astype(int)
    table["level"] = table["output_type_id"].astype(float)
    wide = table.pivot(index=keys, columns="level", values="value")
    wide = wide.reindex(columns=[*_INNER, 0.5])
    out = wide[[0.5]].set_axis([name], axis=1)
    out["width"] = wide[_INNER[1]] - wide[_INNER[0]]
    return out.reset_index()


def _nothing(columns: list[str]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(columns=columns)
