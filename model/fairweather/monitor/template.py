"""An empty file for the rows of a running year, with what each column means and what can be filled.

Guarded by ``tests/test_monitor_rows.py``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fairweather import names
from fairweather.monitor.rows import COLUMNS, DIVISIBLE, MARK, MonitorError

if TYPE_CHECKING:
    from fairweather.codebook import Indicator
    from fairweather.panel import Panel

_MEANING = (
    "Rows of a year that is not over. Nothing of this file enters the record.",
    "indicator, unit, year: as in the record; units are AAA-BBB (alphabetical) or AAA.",
    "value: what has been counted so far; of a vote the agreements, of a share the successes.",
    "partial, opposite: votes only; value + partial + opposite = n.",
    "n: votes and shares: trials so far. Counts: exposure, as a share of the year; blank: from "
    "'through'.",
    "through: last day the row covers, YYYY-MM-DD.",
    "source: a key of sources.toml; blank: the indicator's own.",
    "Values of other families (within, anchor) only for a whole year: through = 31 December.",
    "A zero is a row with value 0. What is not known is no row.",
)


def write_template(path: str | Path, panel: Panel) -> Path:
    """Write an empty file of rows, and what of the focal pair can be filled in.

    Parameters
    ----------
    path : str or Path
        A new file.
    panel : Panel

    Returns
    -------
    Path

    Raises
    ------
    MonitorError
        The file is there already.

    Examples
    --------
    >>> write_template("2025.csv", fw.load_panel())  # doctest: +SKIP
    PosixPath('2025.csv')
    """
    path = Path(path)
    lines = [f"{MARK} {text}" for text in (*_MEANING, f"Read for {panel.focal}:")]
    for latent in (names.ALIGNMENT, names.PRESSURE):
        units = [panel.focal] if latent == names.ALIGNMENT else panel.focal.split("-")
        lines += [
            f"{MARK}   {one.id} ({', '.join(units)}; {one.family}{_whole(one)}): {one.label}"
            for one in panel.indicators(latent)
        ]
    text = "\n".join([*lines, ",".join(COLUMNS)]) + "\n"
    try:
        with path.open("x", encoding="utf-8", newline="\n") as out:
            out.write(text)
    except FileExistsError:
        raise MonitorError(
            "the file is there already", file=path, remedy="Name a new one, or delete it."
        ) from None
    return path


def _whole(one: Indicator) -> str:
    return "" if one.family in DIVISIBLE else ", whole years only"
