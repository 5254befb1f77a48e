"""The codebook as a page says what the files say: nothing on it is written by hand.

Made from ``codebook.toml``, ``sources.toml`` and the rows; the same record gives the same bytes.
Guarded by ``tests/test_describe.py``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pandas as pd

from fairweather.codebook import Indicator, Source
from fairweather.coverage import coverage, spans
from fairweather.formats import FORMATS, get_format
from fairweather.names import ALIGNMENT, COMPLEMENTARITY, DOMAINS, LIKENESS, PRESSURE
from fairweather.record import Record
from fairweather.wording import sentence

_TITLES = {
    ALIGNMENT: "Alignment of a pair",
    PRESSURE: "US pressure on a state",
    COMPLEMENTARITY: "Structural complementarity",
    LIKENESS: "Likeness of regimes and leaders",
}
_UNITS = {"dyad": "pairs", "state": "states", "directed": "directed pairs, `FROM>TO`"}
_HEAD = ("indicator", "measures", "family", "sign", "years", "units", "rows", "zeros", "default")
_FIELDS = {
    "value": "transform",
    "units": "units",
    "coverage": "coverage",
    "zero": "zero",
    "breaks": "breaks",
    "why": "why",
}


def page(record: Record) -> str:
    """Write the codebook as Markdown.

    Parameters
    ----------
    record : Record
        With its long record, if that is to be told.

    Returns
    -------
    str
        Ends in a line feed.

    Examples
    --------
    >>> from fairweather.record import load_record
    >>> page(load_record()).splitlines()[0]
    '# Codebook'
    """
    seen = coverage(record)
    book = record.codebook
    left = sum(not i.default for i in book.indicators)
    panel = min(i.first_year for i in book.indicators)
    parts = [
        "# Codebook",
        "Made by `fairweather data codebook` from `data/codebook.toml`, `data/sources.toml` and "
        "the rows; do not edit. What holds for all of them, and the caveats, are in "
        "[record.md](record.md).",
        f"{len(book)} indicators, {len(book) - left} of them read by the default fit, "
        f"{left} left aside; {len(record.states)} states; {len(record.observations):,} rows, "
        f"{int((record.observations['year'] < panel).sum()):,} of them before {panel} (the long "
        "record).",
        "![Share of possible units with a row, by indicator and year](img/coverage.png)",
        "*Years* and *rows* are those of the panel; *units* are all with a row there. *Zeros* is "
        "the share of rows that are true zeros, blank where zero means nothing of its own. A sign "
        "of − says that more of it means less of what it measures.",
    ]
    for latent, domains in DOMAINS.items():
        parts.append(f"## {_TITLES[latent]}")
        for domain in domains:
            found = book.by(latent=latent, domain=domain)
            if found:
                parts += [f"### {domain.capitalize()}", _table(found, record)]
    parts.append("## Each indicator")
    for one in book.indicators:
        years = seen[seen["indicator"] == one.id]
        parts += [f"### {one.id}", _entry(one, book.sources[one.source], years)]
    parts.append("## Sources")
    for source in book.sources.values():
        used = [f"[{i.id}](#{i.id})" for i in book.indicators if i.source == source.id]
        parts += [f"### Source {source.id}", _source(source, used)]
    return "\n\n".join(parts) + "\n"


def write(record: Record, file: str | Path) -> Path:
    """Write the page to a file.

    Parameters
    ----------
    record : Record
    file : str or Path
        Its folder is made if need be.

    Returns
    -------
    Path
    """
    file = Path(file)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(page(record), encoding="utf-8", newline="\n")
    return file


def plain(text: str) -> str:
    r"""Keep Markdown from reading signs of arithmetic as its own.

    Examples
    --------
    >>> print(plain("s * n | <x> [y]"))
    s \* n \| &lt;x> \[y\]
    """
    return re.sub(r"([\\*|\[\]`])", r"\\\1", text.replace("&", "&amp;").replace("<", "&lt;"))


def _table(found: Iterable[Indicator], record: Record) -> str:
    lines = [_HEAD, ["---"] * len(_HEAD)]
    rows = record.observations
    for one in found:
        mine = rows[(rows["indicator"] == one.id) & (rows["year"] >= one.first_year)]
        lines.append(
            (
                f"[`{one.id}`](#{one.id})",
                plain(one.label),
                _family(one),
                "+" if one.sign > 0 else "−",
                f"{mine['year'].min()}–{mine['year'].max()}" if len(mine) else "",
                str(mine["unit"].nunique()),
                f"{len(mine):,}",
                _zeros(mine["value"], one),
                "yes" if one.default else "aside",
            )
        )
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _family(one: Indicator) -> str:
    return f"{one.family} (anchor)" if one.anchor and one.family != "anchor" else one.family


def _zeros(values: pd.Series, one: Indicator) -> str:
    if not one.true_zero or values.empty:
        return ""
    return f"{100 * (values == 0).mean():.0f} %"


def _entry(one: Indicator, source: Source, years: pd.DataFrame) -> str:
    sign = "more" if one.sign > 0 else "less"
    kind = _UNITS[one.units_are]
    lines = [
        f"**{plain(one.label)}.** {one.latent.capitalize()}, {one.domain}; family "
        f"`{one.family}`{', the anchor' if one.anchor else ''}; {kind}. "
        f"More of it means {sign} {one.latent}.",
        "",
        "- default fit: " + ("yes" if one.default else f"left aside. {plain(sentence(one.aside))}"),
    ]
    for name, field in _FIELDS.items():
        text = getattr(one, field)
        if text:
            lines.append(f"- {name}: {plain(text)}")
    lines.append(f"- years in the codebook: {one.first_year}–{one.last_year}" + _history(one))
    lines.append(f"- years with rows: {spans(years['year']) or 'none'}")
    if not years.empty:
        most = years.loc[(years["units"] / years["possible"].clip(lower=1)).idxmax()]
        lines.append(
            f"- most units in a year: {most['units']} of {most['possible']} ({most['year']})"
        )
    lines.append(
        f"- known: {one.release_lag_days} days after the year; own error: autocorrelation "
        f"{one.residual_ar:g}{', shifts of whole years' if one.item_year_shift else ''}"
    )
    how = ", ".join(f"`data import {name}`" for name in _feeding().get(one.id, ()))
    lines.append(f"- updated by: {how or 'rebuilding the record from prepared sources'}")
    lines.append(f"- source: [{plain(source.publisher)}](#source-{source.id})")
    return "\n".join(lines)


@cache
def _feeding() -> dict[str, list[str]]:
    """Say which layouts an indicator can be updated from."""
    out: dict[str, list[str]] = {}
    for name in sorted(FORMATS):
        for indicator in get_format(name).INDICATORS:
            out.setdefault(indicator, []).append(name)
    return out


def _history(one: Indicator) -> str:
    return f"; the long record from {one.history_from}" if one.history_from else ""


def _source(source: Source, used: list[str]) -> str:
    lines = [
        plain(source.citation),
        "",
        f"- publisher: {plain(source.publisher)}",
        f"- licence: {plain(source.licence)}",
        *([f"- version: {plain(source.version)}"] if source.version else []),
        f"- read from: {plain(source.read)}" + (f", by {source.read_on}" * bool(source.read_on)),
        f"- note: {plain(source.note)}",
        f"- used by: {', '.join(used) or 'nothing'}",
    ]
    return "\n".join(lines)
