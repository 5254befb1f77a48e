"""No indicator enters the record without a complete, typed entry in the codebook.

The codebook (``data/codebook.toml``) says what each indicator measures, how it was coded, what an
absent row means and how long after the year a value could be known. ``data/sources.toml`` names
the publishers. Guarded by ``tests/test_codebook.py``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import MISSING, dataclass, fields
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType

from fairweather import paths
from fairweather.checks import is_day
from fairweather.errors import CodebookError
from fairweather.names import ALIGNMENT, COMPLEMENTARITY, DOMAINS, LIKENESS, PRESSURE

FAMILIES = MappingProxyType(
    {
        ALIGNMENT: ("vote", "within", "count", "share", "ordinal"),
        PRESSURE: ("anchor", "within", "count", "share", "ordinal"),
        COMPLEMENTARITY: ("driver",),
        LIKENESS: ("driver", "span"),
    }
)
# Families without a measurement model: recorded, checked and shown, never in a fit.
NOT_FITTED = ("ordinal",)
# Families whose zero says that nothing was counted; elsewhere the field `zero` has to say so.
COUNTED = ("vote", "share", "count", "anchor")
UNITS = MappingProxyType(
    {ALIGNMENT: "dyad", PRESSURE: "state", COMPLEMENTARITY: "directed", LIKENESS: "dyad"}
)


@dataclass(frozen=True, kw_only=True)
class Indicator:
    """One indicator of the codebook; the fields are those of its table, plus ``id``.

    ``residual_ar`` is the yearly autocorrelation of the indicator's own error (0 to below 1) and
    ``release_lag_days`` the days from 31 December of the year to the day the value could be known.
    The last six may be left out: ``unit`` (``dyad``, ``state`` or ``directed``; by default the
    usual one of the latent), ``default`` (whether the default fit reads it), ``aside`` (why it does
    not), ``breaks`` (years in which the instrument changes, in words), ``history_from`` (first
    year of the long record before ``first_year``; 0 if there is none) and ``only_with_any`` (units
    without any positive value are left out, so a unit's rows of zeros say that one comes later).
    """

    id: str
    label: str
    latent: str
    domain: str
    family: str
    sign: int
    anchor: bool
    units: str
    first_year: int
    last_year: int
    zero: str
    coverage: str
    item_year_shift: bool
    residual_ar: float
    transform: str
    source: str
    release_lag_days: int
    why: str
    unit: str = ""
    default: bool = True
    aside: str = ""
    breaks: str = ""
    history_from: int = 0
    only_with_any: bool = False

    @property
    def units_are(self) -> str:
        """Kind of unit: ``dyad``, ``state`` or ``directed``."""
        return self.unit or UNITS.get(self.latent, "")

    @property
    def fitted(self) -> bool:
        """Whether a fit can read it: it has a measurement family and the unit of its latent."""
        return self.family not in NOT_FITTED and self.units_are == UNITS.get(self.latent)

    @property
    def true_zero(self) -> bool:
        """Whether zero says that there was none; on other scales it is a value like any."""
        return self.family in COUNTED or "true zero" in self.zero


@dataclass(frozen=True, kw_only=True)
class Source:
    """One publisher's data set: how to cite it, its terms, and where our copy was read.

    ``version`` is the publisher's own, where it gives one; ``read_on`` the day by which the copy
    had been read (YYYY-MM-DD). Both may be left out.
    """

    id: str
    citation: str
    publisher: str
    licence: str
    read: str
    note: str
    version: str = ""
    read_on: str = ""


@dataclass(frozen=True)
class Codebook:
    """All indicators and sources, in the order of the files.

    Iterates over ids and looks an id up, like a read-only mapping to `Indicator`.
    """

    indicators: tuple[Indicator, ...]
    sources: Mapping[str, Source]

    def __getitem__(self, key: str) -> Indicator:
        """Return one indicator; an unknown id raises `CodebookError`."""
        for one in self.indicators:
            if one.id == key:
                return one
        raise CodebookError(
            f"no indicator {key!r}", file="codebook.toml", remedy=_near(str(key), self)
        )

    def __iter__(self) -> Iterator[str]:
        """Iterate over indicator ids."""
        return (i.id for i in self.indicators)

    def __len__(self) -> int:
        """Count the indicators."""
        return len(self.indicators)

    def __contains__(self, key: object) -> bool:
        """Say whether an indicator is in the codebook."""
        return any(i.id == key for i in self.indicators)

    def of(self, latent: str) -> tuple[Indicator, ...]:
        """Return the indicators of one latent, in file order."""
        return self.by(latent=latent)

    def by(
        self,
        *,
        latent: str | None = None,
        domain: str | None = None,
        family: str | None = None,
        default: bool | None = None,
    ) -> tuple[Indicator, ...]:
        """Return the indicators that match, in file order.

        Parameters
        ----------
        latent, domain, family : str, optional
            Keep only indicators with this value.
        default : bool, optional
            Keep only those the default fit reads (True) or leaves aside (False).

        Returns
        -------
        tuple of Indicator

        Examples
        --------
        >>> [i.id for i in load_codebook().by(family="vote")]
        ['unga_votes']
        """
        return tuple(
            i
            for i in self.indicators
            if (latent is None or i.latent == latent)
            and (domain is None or i.domain == domain)
            and (family is None or i.family == family)
            and (default is None or i.default == default)
        )


def _near(key: str, ids: Iterable[str]) -> str:
    """Name ids that may have been meant: similar ones, then those that hold the word."""
    ids = list(ids)
    near = get_close_matches(key.lower(), ids, n=3, cutoff=0.6)
    near += [i for i in ids if len(key) > 2 and key.lower() in i and i not in near]
    if not near:
        return "fairweather data check lists them all."
    return f"Did you mean {' or '.join(near[:4])}?"


def load_codebook(path: str | Path | None = None) -> Codebook:
    """Read and check the codebook and the sources beside it.

    Parameters
    ----------
    path : str or Path, optional
        The codebook file or the folder that holds it; the committed one by default.

    Returns
    -------
    Codebook

    Raises
    ------
    CodebookError
        If a file is missing or not TOML, a field is missing, unknown or of the wrong type, or
        values contradict each other. The message names file, line and remedy.

    Examples
    --------
    >>> load_codebook()["unga_votes"].anchor
    True
    """
    path = paths.data_dir() if path is None else Path(path)
    if path.is_dir():
        path = path / "codebook.toml"
    sources_path = path.with_name("sources.toml")
    sources = _read_tables(sources_path, "source", Source)
    indicators = _read_tables(path, "indicator", Indicator)
    _check_days(sources, sources_path)
    lines = _lines(path, "indicator")
    for one in indicators.values():
        _check(one, sources, path, lines[one.id])
    for latent in (ALIGNMENT, PRESSURE):
        anchors = [i.id for i in indicators.values() if i.latent == latent and i.anchor]
        if len(anchors) != 1:
            raise CodebookError(
                f"latent {latent!r} has {len(anchors)} anchors {anchors}",
                file=path,
                remedy="Set anchor = true for exactly one of its indicators.",
            )
    return Codebook(tuple(indicators.values()), MappingProxyType(sources))


def _check_days(sources: Mapping[str, Source], path: Path) -> None:
    """Refuse a day of reading that is none: releases are compared with it."""
    for one in sources.values():
        if one.read_on and not is_day(one.read_on):
            raise CodebookError(
                f"[source.{one.id}] read_on {one.read_on!r} is not a day",
                file=path,
                row=_lines(path, "source").get(one.id),
                remedy="Write YYYY-MM-DD.",
            )


def _lines(path: Path, kind: str) -> dict[str, int]:
    """Line of each `[kind.id]` header, for messages."""
    head = f"[{kind}."
    return {
        text.strip()[len(head) : -1].strip('"'): number
        for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if text.strip().startswith(head)
    }


def _read_tables(path: Path, kind: str, cls: type) -> dict:
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CodebookError(
            "the file does not exist", file=path, remedy="Restore it from version control."
        ) from None
    except tomllib.TOMLDecodeError as err:
        raise CodebookError(f"not valid TOML: {err}", file=path, remedy="Mend it.") from None
    stray = set(tables) - {kind}
    if stray or not isinstance(tables.get(kind), dict):
        raise CodebookError(
            f"expected only [{kind}.<id>] tables, found {sorted(tables)}",
            file=path,
            remedy=f"Write every entry as [{kind}.<id>].",
        )
    lines = _lines(path, kind)
    return {k: _entry(path, kind, k, v, cls, lines.get(k)) for k, v in tables[kind].items()}


def _entry(path: Path, kind: str, key: str, table: object, cls: type, line: int | None):
    types = {f.name: f.type for f in fields(cls) if f.name != "id"}
    needed = {f.name for f in fields(cls) if f.name != "id" and f.default is MISSING}
    where = f"[{kind}.{key}]"
    if not isinstance(table, dict):
        raise CodebookError(f"{where} is not a table", file=path, row=line, remedy="Make it one.")
    lacking = ", ".join(repr(name) for name in types if name in needed - set(table))
    if lacking:
        raise CodebookError(
            f"{where} lacks the field {lacking}", file=path, row=line, remedy="Add it."
        )
    for name in sorted(set(table) - set(types)):
        raise CodebookError(
            f"{where} has the unknown field {name!r}",
            file=path,
            row=line,
            remedy=f"Remove it, or use one of {', '.join(types)}.",
        )
    allowed = {"str": (str,), "int": (int,), "bool": (bool,), "float": (int, float)}
    for name, value in table.items():
        kind_of = types[name]
        good = isinstance(value, allowed[kind_of])
        if kind_of in ("int", "float") and isinstance(value, bool):
            good = False
        if not good or value == "":
            raise CodebookError(
                f"{where} field {name!r} is {value!r}, not a non-empty {kind_of}",
                file=path,
                row=line,
                remedy=f"Give it a {kind_of}.",
            )
    return cls(id=key, **table)


def _check(one: Indicator, sources: Mapping[str, Source], path: Path, line: int) -> None:
    """Refuse values that are typed well but mean nothing together."""
    domains = DOMAINS.get(one.latent, ())
    rules = (
        (one.latent in DOMAINS, f"latent {one.latent!r} is unknown", f"Use one of {list(DOMAINS)}"),
        (
            one.domain in domains,
            f"domain {one.domain!r} is not one of latent {one.latent!r}",
            f"Use one of {list(domains)}",
        ),
        (
            one.family in FAMILIES.get(one.latent, ()),
            f"family {one.family!r} does not fit latent {one.latent!r}",
            f"Use one of {list(FAMILIES.get(one.latent, ()))}",
        ),
        (one.sign in (-1, 1), f"sign is {one.sign}", "Use 1 or -1"),
        (
            one.first_year <= one.last_year,
            f"first_year {one.first_year} is after last_year {one.last_year}",
            "Swap them",
        ),
        (0 <= one.residual_ar < 1, f"residual_ar is {one.residual_ar}", "Use 0 to below 1"),
        (one.release_lag_days >= 0, "release_lag_days is negative", "Use 0 or more"),
        (
            one.source in sources,
            f"source {one.source!r} is not in sources.toml",
            "Add it there, or correct the key",
        ),
        (
            one.unit in ("", "dyad", "directed", "state")
            and (one.units_are == "state") == (one.latent == PRESSURE),
            f"unit {one.unit!r} does not fit latent {one.latent!r}",
            "Use state for pressure, dyad or directed otherwise",
        ),
        (
            one.default or one.aside != "",
            "it is left out of the default fit without a reason",
            "Give the reason in the field aside",
        ),
        (
            not one.default or (one.fitted and one.aside == ""),
            "the default fit cannot read it, or aside gives a reason against it",
            "Set default = false, or drop aside",
        ),
        (
            one.history_from == 0 or 1946 <= one.history_from < one.first_year,
            f"history_from is {one.history_from}",
            "Use a year before first_year, or leave it out",
        ),
        (
            not one.only_with_any or one.family == "count",
            f"only_with_any with family {one.family!r}",
            "Only counts can leave out units without any",
        ),
        (
            not one.anchor or one.family in ("vote", "anchor"),
            f"anchor of family {one.family!r}",
            "Only family vote or anchor can be an anchor",
        ),
    )
    for good, problem, remedy in rules:
        if not good:
            raise CodebookError(
                f"[indicator.{one.id}] {problem}", file=path, row=line, remedy=f"{remedy}."
            )
