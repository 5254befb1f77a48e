"""A folder of finished jobs: a run that was killed goes on where it stopped.

Invariant: a file is whole or absent, and a folder holds results of one setting only; what a run
returns does not depend on how often it was interrupted. Guarded by
``tests/test_calibration.py::test_a_killed_run_goes_on_to_the_same_tables``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from fairweather.errors import FairweatherError
from fairweather.rundir import ensure_writable, write_whole


class CalibrationError(FairweatherError):
    """A calibration cannot be run or continued as asked."""


class Store:
    """A folder of finished jobs: one JSON file each, all of one setting.

    Parameters
    ----------
    folder : str or Path
    settings : dict
        What decides the numbers; a folder that holds others is refused.
    what : str
        What the folder holds, for messages.

    Raises
    ------
    CalibrationError
        The folder was made with other settings, holds something else, or is damaged.
    """

    def __init__(
        self, folder: str | Path, settings: Mapping[str, Any], what: str = "calibration"
    ) -> None:
        self.folder = Path(folder)
        note, wanted = self.folder / "settings.json", json.loads(json.dumps(dict(settings)))
        if note.is_file():
            made = _read(note, "Name a new folder; what this one holds cannot be told.")
            if not isinstance(made, dict):
                raise CalibrationError(
                    f"the settings of '{folder}' are no table", file=note,
                    remedy="Name a new folder; what this one holds cannot be told.",
                )  # fmt: skip
            keys = sorted(k for k in {*made, *wanted} if made.get(k) != wanted.get(k))
            if keys:
                told = "; ".join(f"{k} was {made.get(k)}, is now {wanted.get(k)}" for k in keys)
                raise CalibrationError(
                    f"'{folder}' was made with other settings: {told}",
                    remedy="Name a new folder, or the same settings.",
                )
        elif self.folder.is_dir() and any(f.name[0] != "." for f in self.folder.iterdir()):
            raise CalibrationError(
                f"'{folder}' is not empty and holds no {what}",
                remedy="Name a new or empty folder.",
            )
        # The note first: a run killed here must be able to go on.
        ensure_writable(self.folder)
        write_whole(note, json.dumps(wanted, indent=1) + "\n")
        self.jobs = ensure_writable(self.folder / "sims")

    def load(self, keys: Iterable[str]) -> dict[str, Any]:
        """Results of those of `keys` that are done.

        Raises
        ------
        CalibrationError
            A result is damaged.
        """
        files = {key: self.jobs / f"{key}.json" for key in keys}
        remedy = "Delete the file; the same command does the job again."
        return {k: _read(f, remedy) for k, f in files.items() if f.is_file()}

    def write(self, key: str, result: Any) -> None:
        """Keep one result, whole or not at all."""
        write_whole(self.jobs / f"{key}.json", json.dumps(result) + "\n")


def _read(file: Path, remedy: str) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except ValueError as err:
        raise CalibrationError(
            f"'{file.parent}' is damaged: the file is no JSON ({err})", file=file, remedy=remedy
        ) from err


def run_jobs(
    store: Store, task: Callable[[dict], Any], jobs: Mapping[str, dict], **options: Any
) -> dict[str, Any]:
    """Do the jobs that the store lacks, each kept as soon as it is done; return all results.

    A job whose worker died is told apart from one that ran: it is not kept, and tried again the
    next time.
    """
    from fairweather import farm

    done = store.load(jobs)
    missing = {k: job for k, job in jobs.items() if k not in done}
    lost: dict[str, str] = {}
    try:
        farm.run(task, missing, done=store.write, **options)
    except farm.FarmError as err:
        if not err.failures:
            raise
        lost = err.reasons
    done = store.load(jobs)
    nothing = {"quantities": {}, "divergences": 0, "max_rhat": 0.0, "min_ess": 0.0, "seconds": 0.0}
    return {k: done[k] if k in done else {**nothing, "seed": jobs[k]["seed"],
            "failed": lost.get(k, "lost")} for k in jobs}  # fmt: skip
