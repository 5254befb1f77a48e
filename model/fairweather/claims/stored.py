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

from fairweather.claims.judgement import Judgement
from fairweather.errors import ArchiveError

FILE = "claims.json"
FOLDERS = "contest-*"


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
        claims = {k: Judgement.from_dict(v) for k, v in kept["claims"].items()}
    except OSError as err:
        raise ArchiveError(
            f"'{folder}' holds no verdicts ({err.strerror})",
            remedy="Name the folder of a finished contest.",
        ) from err
    except (ValueError, KeyError, TypeError, AttributeError) as err:
        raise ArchiveError(
            f"the verdicts in '{folder}' are damaged ({type(err).__name__})",
            file=FILE,
            remedy="Run the contest again with the same folder.",
        ) from err
    return Stored(Path(folder), claims, kept.get("by_prior", {}), kept.get("made", {}))


def newest_contest(results: str | Path) -> Path | None:
    """Folder of the contest whose verdicts were written last; None if there is none."""
    found = sorted(Path(results).glob(f"{FOLDERS}/{FILE}"), key=lambda f: (f.stat().st_mtime, f))
    return found[-1].parent if found else None
