"""The part of an update that brings a release into the record, and what differs since a forecast.

Invariant: a release is taken in as `fairweather data import` does it, before anything is fitted;
what differs is told against the record the forecast knew, whoever brought the rows.
Guarded by ``tests/test_updating_run.py``.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from fairweather.record import Record

STATUSES = ("new", "changed", "withdrawn")
_ANY_DAY = dt.date(1970, 1, 1)


@dataclass(frozen=True)
class Release:
    """A publisher's release as it is handed to an update.

    Attributes
    ----------
    format : str
        A key of `fairweather.formats.FORMATS`.
    files : tuple of Path
    released : str or None
        Day it came out; today by default.
    years : (int, int) or None
    accept_withdrawals, accept_older : bool
    """

    format: str
    files: tuple[Path, ...]
    released: str | None = None
    years: tuple[int, int] | None = None
    accept_withdrawals: bool = False
    accept_older: bool = False


def bring(release: Release, data_dir: str | Path | None, dry_run: bool) -> dict[str, Any]:
    """Check a release, compare it with the record and, unless it is a dry run, take it in.

    Returns
    -------
    dict
        ``format, released, years, confirmed``, counts of ``new, changed, withdrawn`` rows, and
        ``folder`` of the vintage (None where nothing was written).

    Raises
    ------
    FairweatherError
        The release is refused; the record is as it was.
    """
    from fairweather.coding.release import plan_release, take

    plan = plan_release(
        release.format, release.files, data_dir=data_dir, released=release.released,
        years=release.years, accept_withdrawals=release.accept_withdrawals,
        accept_older=release.accept_older,
    )  # fmt: skip
    folder = None if dry_run else take(plan)
    statuses = plan.changes["status"].tolist()
    return {
        "format": plan.format, "released": plan.released.isoformat(), "years": list(plan.years),
        "confirmed": plan.unchanged, **{s: statuses.count(s) for s in STATUSES},
        "folder": None if folder is None else folder.name,
    }  # fmt: skip


def differences(before: Record, now: Record) -> pd.DataFrame:
    """Count rows new, changed and withdrawn between two states of a record.

    Parameters
    ----------
    before, now : Record

    Returns
    -------
    DataFrame
        ``indicator``, and counts ``new, changed, withdrawn``; in the order of the codebook, and
        without indicators of which nothing differs.

    Examples
    --------
    >>> import fairweather as fw
    >>> record = fw.load_record()
    >>> before = record.select(years=range(1992, 2024))
    >>> bool(differences(before, record).set_index("indicator").loc["unga_votes", "new"] > 100)
    True
    """
    import pandas as pd

    from fairweather.coding.compare import compare

    # The day dates what differs, and nothing reads it here.
    changes, _ = compare(before.observations.assign(release=0), now.observations, _ANY_DAY)
    table = pd.crosstab(changes["indicator"], changes["status"])
    table = table.reindex(columns=list(STATUSES), fill_value=0)
    order = [i for i in now.codebook if i in table.index]
    out = table.loc[order].astype(int).reset_index()
    out.columns = ["indicator", *STATUSES]
    return out


def rows_of(table: pd.DataFrame | None) -> dict[str, dict[str, int]]:
    """Lay counts out for JSON, by indicator."""
    if table is None:
        return {}
    return {
        row["indicator"]: {s: int(row[s]) for s in STATUSES} for row in table.to_dict("records")
    }
