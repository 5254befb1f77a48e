"""Episodes of easing and hardship are for display only: nothing is estimated from this list.

A hand list of what the paper and the literature call easing and hardship in US relations with
Moscow and Beijing (``data/episodes.toml``). Guarded by ``tests/test_figures.py``.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fairweather import paths
from fairweather.errors import RecordError
from fairweather.figures import style

TYPES = ("easing", "partial easing", "easing in words", "hardship", "rising hardship")


@dataclass(frozen=True)
class Episode:
    """A span of whole years, both ends included.

    Examples
    --------
    >>> Episode("RUS", 2009, 2011, "easing", "reset", "high").eases
    True
    """

    state: str
    start: int
    end: int
    type: str
    what: str
    confidence: str

    @property
    def eases(self) -> bool:
        """Whether US pressure eased, in deeds or in words."""
        return "easing" in self.type


def load_episodes(path: str | Path | None = None) -> tuple[Episode, ...]:
    """Read the hand list of episodes.

    Parameters
    ----------
    path : str or Path, optional
        Default: ``episodes.toml`` of the data folder.

    Returns
    -------
    tuple of Episode

    Raises
    ------
    RecordError
        If the file is missing, not TOML, or an entry is incomplete or ends before it starts.

    Examples
    --------
    >>> sorted({e.state for e in load_episodes()})
    ['CHN', 'RUS']
    """
    file = Path(path) if path else paths.data_dir() / "episodes.toml"
    try:
        entries = tomllib.loads(file.read_text(encoding="utf-8")).get("episode", [])
        episodes = tuple(Episode(**entry) for entry in entries)
    except (OSError, tomllib.TOMLDecodeError, TypeError) as err:
        raise RecordError(
            f"the list of episodes cannot be read: {err}", file=file, remedy="Mend or restore it."
        ) from err
    for n, e in enumerate(episodes, start=1):
        if e.type not in TYPES or e.start > e.end:
            raise RecordError(
                f"entry {n} ({e.what}) has an unknown type or ends before it starts",
                file=file, remedy=f"Use one of: {', '.join(TYPES)}.",
            )  # fmt: skip
    return episodes


def shade(
    ax: Any, state: str, years: Any, span: tuple[float, float] = (0, 1),
    episodes: tuple[Episode, ...] | None = None,
) -> None:  # fmt: skip
    """Shade a state's episodes: solid for deeds, hatched for partial easing or mere words.

    Parameters
    ----------
    ax : Axes
    state : str
        ISO3 code.
    years : array of int
        Years shown; spans are cut to them.
    span : tuple of float
        Bottom and top as shares of the axes' height.
    episodes : tuple of Episode, optional
        Default: the packaged list.
    """
    first, last = int(years[0]), int(years[-1])
    for e in load_episodes() if episodes is None else episodes:
        left, right = max(e.start, first) - 0.5, min(e.end, last) + 0.5
        if e.state != state or left >= right:
            continue
        color = style.SKY if e.eases else style.ORANGE
        firm = e.type in ("easing", "hardship")
        ax.axvspan(
            left, right, ymin=span[0], ymax=span[1], zorder=0, linewidth=0,
            facecolor=(color, 0.25) if firm else "none", edgecolor=(color, 0.7),
            hatch=None if firm else "////",
        )  # fmt: skip


def legend_handles() -> list[Any]:
    """Return patches that explain the shading."""
    from matplotlib.patches import Patch

    return [
        Patch(facecolor=(style.SKY, 0.25), linewidth=0, label="easing"),
        Patch(facecolor=(style.ORANGE, 0.25), linewidth=0, label="hardship"),
        Patch(
            facecolor="none", edgecolor=(style.GREY, 0.7), linewidth=0, hatch="////",
            label="partial, rising, or in words only",
        ),
    ]  # fmt: skip
