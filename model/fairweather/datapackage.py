"""The descriptor of ``data/`` says of every table what is in it, and is wrong for no byte of it.

``data/datapackage.json`` is a Frictionless Data Package (version 2): fields with their bounds,
sources and terms, and of each file its size, hash and rows. It is computed from the files and their
codebook alone, so the same data give the same bytes. Guarded by ``tests/test_datapackage.py``.
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fairweather import paths
from fairweather.checks import NUMBER
from fairweather.chronology import FILE as CHRONOLOGY
from fairweather.chronology import load_rubric
from fairweather.codebook import Codebook, Indicator, load_codebook
from fairweather.errors import RecordError
from fairweather.schema import FORM, KEY, RATED, STATUSES
from fairweather.states import ROLES
from fairweather.wording import sentence

FILE = "datapackage.json"
PROFILE = "https://datapackage.org/profiles/2.0/datapackage.json"
# Rows from memory (unverified/) are no part of the package.
FOLDERS = ("observations", "history", "vintages")
_WHOLE = ("vote", "share")
# What value, partial, opposite and n are, by family; a field that is not named is not used.
_MEANING = {
    "vote": {
        "value": "identical votes",
        "partial": "one of the two abstained",
        "opposite": "yes against no",
        "n": "votes compared",
    },
    "share": {"value": "successes", "n": "trials"},
    "count": {"value": "events", "n": "exposure; blank is 1"},
    "ordinal": {"value": "level of a rank", "n": "as the codebook says"},
    "within": {"value": "transformed value", "n": "events behind the value, where there are such"},
    "anchor": {"value": "log(1 + cases)", "n": "exposure, where it is given"},
    "driver": {"value": "share from 0 to 1"},
    "span": {"value": "log(1 + years)"},
}
_TABLES: dict[str, dict[str, Any]] = {
    "states": {
        "title": "States of the record",
        "description": "Who is in the record and by which rule.",
        "key": "iso3",
        "constraints": {
            "iso3": {"pattern": "[A-Z]{3}", "unique": True},
            "role": {"enum": list(ROLES)},
            "mean_cinc": {"minimum": 0, "maximum": 1},
        },
    },
    "countries": {
        "title": "Codes, numbers and names of all states",
        "description": "What publishers' names and numbers of states mean. "
        "Several in one cell are joined by |.",
        "key": "iso3",
        "constraints": {"iso3": {"pattern": "[A-Z]{3}", "unique": True}},
        "types": {"cow": "string"},
    },
    "country_names_zh": {
        "title": "Chinese names of states",
        "description": "What names in Chinese sources mean.",
        "key": "name_zh",
        "constraints": {"name_zh": {"unique": True}},
    },
    "chronology": {
        "title": "Events between China and Russia",
        "description": "Own coding from public pages by chronology_rubric.toml, one coder. Density "
        "is uneven: numbers of different years do not compare.",
        "key": "event_id",
        "constraints": {"event_id": {"unique": True}},
    },
}


def descriptor(data_dir: str | Path | None = None) -> dict[str, Any]:
    """Describe every table of the record.

    Parameters
    ----------
    data_dir : str or Path, optional
        Folder of the record; the one of `fairweather.paths.data_dir` by default.

    Returns
    -------
    dict
        A Data Package descriptor; resources by path.

    Raises
    ------
    CodebookError
        If the codebook is malformed or lacks an indicator that has a file.
    RecordError
        If a file is no UTF-8 table.

    Examples
    --------
    >>> "observations/unga_votes.csv" in [r["path"] for r in descriptor()["resources"]]
    True
    """
    folder = paths.data_dir() if data_dir is None else Path(data_dir)
    book = load_codebook(folder / "codebook.toml")
    files = [*folder.glob("*.csv")]
    # Folders beginning with a point are half written; evidence/ holds a rater's own sheet.
    deep = {"vintages": "[!.]*/[!.]*.csv"}
    files += [p for n in FOLDERS for p in folder.glob(f"{n}/{deep.get(n, '[!.]*.csv')}")]
    found = sorted(p.relative_to(folder).as_posix() for p in files)
    return {
        "$schema": PROFILE,
        "name": "fairweather-record",
        "title": "Yearly codings of alignment between states and of US pressure on them",
        "description": "Own codings of publishers' data by indicator, unit and year; codebook.toml "
        "describes the indicators and sources.toml the sources, whose terms differ. An absent row "
        "means unknown.",
        "keywords": ["alignment", "international relations", "sanctions", "time series"],
        "sources": [_source(book, key) for key in sorted(book.sources)],
        "resources": [_resource(name, folder, book) for name in found],
    }


def text(data_dir: str | Path | None = None) -> str:
    """Write the descriptor as canonical JSON: keys sorted, one short object a line.

    Parameters
    ----------
    data_dir : str or Path, optional
        As in `descriptor`.

    Returns
    -------
    str
        Ends in a line feed.
    """
    return _json(descriptor(data_dir)) + "\n"


def out_of_step(data_dir: str | Path | None = None) -> bool:
    """Say whether ``datapackage.json`` is missing or differs from the files it describes.

    Parameters
    ----------
    data_dir : str or Path, optional
        As in `descriptor`.

    Returns
    -------
    bool

    Examples
    --------
    >>> out_of_step()
    False
    """
    path = (paths.data_dir() if data_dir is None else Path(data_dir)) / FILE
    return not path.exists() or path.read_bytes() != text(path.parent).encode()


def write(data_dir: str | Path | None = None) -> Path:
    """Write ``datapackage.json`` into the folder of the record, unless it is in step already.

    Parameters
    ----------
    data_dir : str or Path, optional
        As in `descriptor`.

    Returns
    -------
    Path
        The file.

    Examples
    --------
    >>> write("mine").name  # doctest: +SKIP
    'datapackage.json'
    """
    folder = paths.data_dir() if data_dir is None else Path(data_dir)
    path = folder / FILE
    told = text(folder)
    if path.exists() and path.read_bytes() == told.encode():
        return path
    # A reader must never find half a descriptor.
    new = path.with_name(f".{FILE}.new")
    try:
        new.write_text(told, encoding="utf-8", newline="\n")
        return new.replace(path)
    finally:
        new.unlink(missing_ok=True)


def _json(value: Any, indent: int = 0) -> str:
    """Lay JSON out: what fits stays on its line, so that a field is a line."""
    flat = json.dumps(value, ensure_ascii=False, sort_keys=True)
    if not isinstance(value, (dict, list)) or len(flat) + indent <= 120:
        return flat
    pad = " " * (indent + 1)
    if isinstance(value, dict):
        parts = [f"{json.dumps(k)}: {_json(v, indent + 1)}" for k, v in sorted(value.items())]
        ends = "{}"
    else:
        parts, ends = [_json(v, indent + 1) for v in value], "[]"
    inside = f",\n{pad}".join(parts)
    return f"{ends[0]}\n{pad}{inside}\n{' ' * indent}{ends[1]}"


def _source(book: Codebook, key: str) -> dict[str, str]:
    one = book.sources[key]
    told = {"key": key, "title": one.citation, "publisher": one.publisher}
    return told | ({"version": one.version} if one.version else {})


def _resource(name: str, folder: Path, book: Codebook) -> dict[str, Any]:
    path = folder / name
    raw = path.read_bytes()
    header, rows = _rows(raw, path)
    out = {
        "name": name.removesuffix(".csv").replace("/", ".").lower(),
        "path": name,
        "type": "table",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "bytes": len(raw),
        "hash": f"sha256:{hashlib.sha256(raw).hexdigest()}",
        "rows": len(rows),
    }
    place = name.split("/")
    if len(place) == 1:
        rubric = load_rubric(folder) if path.name == CHRONOLOGY else {}
        return out | _plain_table(path.stem, header, rows, rubric)
    return out | _indicator_table(book[path.stem], place, header, rows, book)


def _rows(raw: bytes, path: Path) -> tuple[list[str], list[list[str]]]:
    try:
        lines = [line for line in csv.reader(io.StringIO(raw.decode("utf-8"))) if line]
    except (UnicodeDecodeError, csv.Error) as err:
        raise RecordError(f"not a UTF-8 CSV table: {err}", file=path, remedy="Mend it.") from None
    if not lines:
        raise RecordError("the file is empty", file=path, remedy="Delete it or fill it.")
    header = lines[0]
    for number, line in enumerate(lines, start=1):
        if len(line) != len(header):
            raise RecordError(
                f"{len(line)} cells, the header has {len(header)}",
                file=path,
                row=number,
                remedy="Mend the row.",
            )
    return header, lines[1:]


def _indicator_table(
    one: Indicator, place: list[str], header: list[str], rows: list[list[str]], book: Codebook
) -> dict[str, Any]:
    kind = place[0]
    first, last, title = one.first_year, one.last_year, one.label
    if kind == "history":
        first, last, title = one.history_from, one.first_year - 1, f"{title}, the long record"
    elif kind == "vintages":
        first = one.history_from or one.first_year
        last, title = dt.date.fromisoformat(place[1][:10]).year, f"{title}, release of {place[1]}"
    found = {line[header.index("source")] for line in rows} if "source" in header else set()
    keys = sorted({one.source, *found} & set(book.sources))
    fields = [_field(name, one, (first, last), keys, kind == "vintages") for name in header]
    schema: dict[str, Any] = {"fields": fields, "primaryKey": list(KEY), "missingValues": [""]}
    if one.units_are == "state":
        reference = {"resource": "states", "fields": ["iso3"]}
        schema["foreignKeys"] = [{"fields": ["unit"], "reference": reference}]
    return {
        "title": title,
        "description": " ".join(
            sentence(part) for part in (one.why, one.coverage, one.breaks, one.zero) if part
        ),
        "indicator": {
            "latent": one.latent,
            "domain": one.domain,
            "family": one.family,
            "sign": one.sign,
            "unit": one.units_are,
            "default": one.default,
        },
        "schema": schema,
        "sources": [_source(book, key) for key in keys],
        "licenses": [
            {"name": f"LicenseRef-{key}", "title": book.sources[key].licence} for key in keys
        ],
    }


def _field(
    name: str, one: Indicator, years: tuple[int, int], sources: list[str], release: bool
) -> dict[str, Any]:
    """Describe one column of an indicator's table; the bounds are those of the record's door."""
    needed: dict[str, Any] = {"required": True}
    if name == "indicator":
        return _typed(name, "string", needed | {"enum": [one.id]})
    if name == "unit":
        form, shown = FORM[one.units_are]
        return _typed(name, "string", needed | {"pattern": form}, f"{one.units_are}: {shown}")
    if name == "year":
        return _typed(name, "integer", needed | {"minimum": years[0], "maximum": years[1]})
    if name == "rater":
        rated = one.family in RATED
        limit = {"pattern": r"[\w.-]*"} if rated else {"maxLength": 0}
        what = "who judged" if rated else "not used by this family"
        # Part of the key: blank is a value here, not a missing one.
        return _typed(name, "string", limit, what) | {"missingValues": []}
    if name == "source":
        return _typed(name, "string", needed | {"enum": sources}, "key of sources.toml")
    if name == "available_on":
        return _typed(name, "date", needed, "day from which the value counts as known")
    if name == "status":
        return _typed(name, "string", needed | {"enum": list(STATUSES)}, "what the release did")
    meaning = _MEANING[one.family].get(name, "not used by this family")
    return _typed(name, _number(name, one.family), _bounds(name, one.family, release), meaning)


def _number(name: str, family: str) -> str:
    whole = family in _WHOLE or (family in ("count", "ordinal") and name == "value")
    return "integer" if whole else "number"


def _bounds(name: str, family: str, release: bool) -> dict[str, Any]:
    used = name in _MEANING[family]
    # A withdrawn row of a release holds no number.
    always = name == "value" or (used and family in _WHOLE)
    out: dict[str, Any] = {"required": True} if always and not release else {}
    free = (name, family) in (("value", "within"), ("n", "ordinal"))
    if not used or free:
        return out
    if name == "n":
        return out | ({"minimum": 0} if family == "vote" else {"exclusiveMinimum": 0})
    return out | {"minimum": 0} | ({"maximum": 1} if family == "driver" else {})


def _typed(
    name: str, kind: str, constraints: dict[str, Any], description: str = ""
) -> dict[str, Any]:
    out: dict[str, Any] = {"name": name, "type": kind}
    if constraints:
        out["constraints"] = constraints
    return out | ({"description": description} if description else {})


def _plain_table(
    stem: str,
    header: list[str],
    rows: list[list[str]],
    rubric: Mapping[str, Mapping[str, str]],
) -> dict[str, Any]:
    """Describe a table that is no indicator's, its types read from its cells."""
    known = _TABLES.get(stem, {})
    fields = []
    for column, name in enumerate(header):
        cells = [line[column] for line in rows]
        limits: dict[str, Any] = {"required": True} if cells and all(cells) else {}
        limits |= known.get("constraints", {}).get(name, {})
        kind = known.get("types", {}).get(name) or _kind([c for c in cells if c])
        if name in rubric:
            limits["enum"] = [int(v) if kind == "integer" else v for v in rubric[name]]
        fields.append(_typed(name, kind, limits))
    schema: dict[str, Any] = {"fields": fields, "missingValues": [""]}
    if "key" in known:
        schema["primaryKey"] = [known["key"]]
    return {
        "title": known.get("title", stem.replace("_", " ").capitalize()),
        "description": known.get("description", "A table of the record."),
        "schema": schema,
    }


def _kind(cells: list[str]) -> str:
    if not cells:
        return "string"
    for kind, form in (("integer", r"-?\d+"), ("number", NUMBER), ("date", r"\d{4}-\d\d-\d\d")):
        if all(re.fullmatch(form, cell) for cell in cells):
            return kind
    return "string"
