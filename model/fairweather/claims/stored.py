"""Verdicts are kept as one JSON file beside the contest they come from, and read back at once.

Invariant: what is read back is what was kept; reading needs neither NumPy nor xarray.
Guarded by ``tests/test_claims_stored.py``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fairweather.claims.judgement import VERDICTS, Judgement
from fairweather.errors import ArchiveError

FILE = "claims.json"
FOLDERS = "contest-*"
_CHANCES, _NUMBERS = ("probability", "prior_probability"), ("value", "lower", "upper")
_ROUNDING = 1e-9
_TEXT = ("claim_id", "method", "unit", "sentence", "problem")


@dataclass(frozen=True)
class Stored:
    """Verdicts of one contest.

    Attributes
    ----------
    folder : Path
    claims : dict of str to Judgement
    by_prior : dict of str to dict
        By belief set and claim: probability and verdict.
    made : dict
        What they rest on: versions, seeds, hashes.
    """

    folder: Path
    claims: dict[str, Judgement]
    by_prior: dict[str, dict[str, Any]] = field(default_factory=dict)
    made: dict[str, Any] = field(default_factory=dict)

    @property
    def problems(self) -> dict[str, str]:
        """By claim, why it has no verdict; empty if all have one."""
        return {k: v.problem for k, v in self.claims.items() if v.problem or v.verdict is None}


def write_claims(
    folder: str | Path, claims: Mapping[str, Judgement], *,
    by_prior: Mapping[str, Mapping[str, Judgement]] | None = None,
    made: Mapping[str, Any] | None = None,
) -> Path:  # fmt: skip
    """Keep the verdicts of a contest, whole or not at all.

    Parameters
    ----------
    folder : str or Path
    claims : mapping of str to Judgement
        From ``fairweather.claims.judge_all``.
    by_prior : mapping of str to mapping, optional
        The same claims under other belief sets.
    made : mapping, optional
        Provenance, as JSON can hold it.

    Returns
    -------
    Path
        The file written.
    """
    from fairweather.rundir import write_whole

    file = Path(folder) / FILE
    short = ("verdict", "probability", "prior_probability", "problem")
    kept = {
        "claims": {k: v.to_dict() for k, v in claims.items()},
        "by_prior": {
            prior: {k: {s: v.to_dict()[s] for s in short} for k, v in each.items()}
            for prior, each in (by_prior or {}).items()
        },
        "made": dict(made or {}),
    }
    write_whole(file, json.dumps(kept, indent=1, allow_nan=False, ensure_ascii=False) + "\n")
    return file


def read_claims(folder: str | Path) -> Stored:
    """Read the verdicts of a contest.

    Raises
    ------
    ArchiveError
        The folder holds none, or they are damaged.
    """
    file = Path(folder) / FILE
    try:
        kept = json.loads(file.read_text(encoding="utf-8"))
        by_prior, made = kept.get("by_prior", {}), kept.get("made", {})
        for where, part in (("claims", kept["claims"]), ("by_prior", by_prior), ("made", made)):
            _need(isinstance(part, dict), where, "is no table")
        for name, one in kept["claims"].items():
            _check(f"claims.{name}", one)
        for prior, each in by_prior.items():
            _need(isinstance(each, dict), f"by_prior.{prior}", "is no table")
            for name, one in each.items():
                _check(f"by_prior.{prior}.{name}", one)
        claims = {k: Judgement.from_dict(v) for k, v in kept["claims"].items()}
    except OSError as err:
        raise ArchiveError(
            f"'{folder}' holds no verdicts ({err.strerror})",
            remedy="Name the folder of a finished contest.",
        ) from err
    except (ValueError, KeyError, TypeError, AttributeError) as err:
        what = err if isinstance(err, _Damage) else type(err).__name__
        raise ArchiveError(
            f"the verdicts in '{folder}' are damaged ({what})",
            file=FILE,
            remedy="Run the contest again with the same folder.",
        ) from err
    return Stored(Path(folder), claims, by_prior, made)


class _Damage(ValueError):
    """What a contest cannot have written."""


def _need(fine: bool, where: str, problem: str) -> None:
    if not fine:
        raise _Damage(f"{where} {problem}")


def _check(where: str, kept: Any) -> None:
    """Refuse a kept verdict that would be shown as if it were one."""
    _need(isinstance(kept, dict), where, "is no table")
    found = kept.get("verdict")
    known = found is None or found in VERDICTS
    _need(known, where, f"has the verdict {found!r}; known are {', '.join(VERDICTS)}")
    for name in _CHANCES:
        p = kept.get(name)
        _need(_is_chance(p), where, f"has {name} {p!r}, which is not between 0 and 1")
    for name in _NUMBERS:
        x = kept.get(name)
        _need(x is None or _is_number(x), where, f"has {name} {x!r}, which is no number")
    for name in _TEXT:
        _need(isinstance(kept.get(name, ""), str), where, f"has {name} that is no text")
    count = kept.get("shocks")
    _need(count is None or (_is_number(count) and count >= 0), where, f"has shocks {count!r}")
    by = kept.get("by_reading") or {}
    _need(isinstance(by, dict), where, "has by_reading that is no table")
    for reading, p in by.items():
        _need(_is_chance(p), where, f"has {p!r} for {reading}, which is not between 0 and 1")
    for name in ("by_construction", "notes"):
        said = kept.get(name) or []
        fine = isinstance(said, list) and all(isinstance(s, str) for s in said)
        _need(fine, where, f"has {name} that is no list of text")


def _is_number(x: Any) -> bool:
    return isinstance(x, int | float) and not isinstance(x, bool)


def _is_chance(p: Any) -> bool:
    # A weighted mean of ones may miss 1 in the last digit.
    return p is None or (_is_number(p) and -_ROUNDING <= p <= 1 + _ROUNDING)


def newest_contest(results: str | Path) -> Path | None:
    """Folder of the contest whose verdicts were written last; None if there is none."""
    found = sorted(Path(results).glob(f"{FOLDERS}/{FILE}"), key=lambda f: (f.stat().st_mtime, f))
    return found[-1].parent if found else None
