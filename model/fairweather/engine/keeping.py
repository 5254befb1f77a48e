"""Draws as they come: laid out in memory, and, where a folder is named, on disk at once.

Invariant: what a folder holds of a chain is a run of whole draws from its first on; a chain counts
as whole only with its statistics, written last. A kill loses at most the draw being written.
Guarded by ``tests/test_unfinished.py``.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from fairweather.engine.geometry import Tally
from fairweather.errors import SamplerError
from fairweather.rundir import write_whole


def claim(folder: Path, digest: str) -> None:
    """Mark a folder as that of one fit.

    Raises
    ------
    SamplerError
        It keeps draws of another model or other settings, or cannot be written.
    """
    mark = folder / "fit.sha256"
    try:
        if folder.name.startswith("incomplete-") and not _is_of(mark, digest):
            # Ours alone, and of no use to this fit: begin anew.
            for old in folder.glob("chain-*"):
                old.unlink()
            write_whole(mark, digest + "\n")
        elif not mark.is_file():
            if any(folder.glob("chain-*")):
                raise SamplerError(
                    f"'{folder}' keeps draws of an unknown fit", remedy="Name an empty folder."
                )
            write_whole(mark, digest + "\n")
        elif not _is_of(mark, digest):
            raise SamplerError(
                f"'{folder}' keeps draws of another model or of other settings",
                remedy="Name an empty folder.",
            )
    except OSError as err:
        raise SamplerError(
            f"the draws could not be written ({err.strerror or err})",
            remedy="Free some space or name another folder.",
        ) from err


def _is_of(mark: Path, digest: str) -> bool:
    return mark.is_file() and mark.read_text(encoding="utf-8").strip() == digest


class ChainKeep:
    """Draws of one chain.

    Parameters
    ----------
    chain : int
    density : Density
        Names what a point means.
    draws, tune : int
    folder : Path, optional
        Where draws are written as they come; a whole chain found there is taken up.

    Attributes
    ----------
    tally : Tally
        Moments of the draws so far.
    """

    def __init__(
        self, chain: int, density: Any, draws: int, tune: int, folder: Path | None = None
    ) -> None:
        self.chain, self._density, self.draws, self.tune = chain, density, draws, tune
        self.seen, self.whole, self.stats = 0, False, {}
        self.values: dict[str, np.ndarray] = {}
        self.tally = Tally(density.packed.n_dim, draws)
        self._file = self._handle = self._trouble = None
        if folder is not None:
            self._file = Path(folder) / f"chain-{chain}.f8"
            self._take_up()

    @property
    def _stats_file(self) -> Path:
        return self._file.with_suffix(".npz")

    def _take_up(self) -> None:
        """Read a chain kept whole by an earlier run; begin anew otherwise."""
        width = self._density.packed.n_dim
        found, stats = read_chain(self._file, width), _read_stats(self._stats_file, self.draws)
        if stats and len(found) == self.draws and np.isfinite(found).all():
            for x in found:
                self._store(x)
            self.stats = stats
            self.seen, self.whole = self.tune + self.draws, True
        else:
            self._stats_file.unlink(missing_ok=True)
            self._file.unlink(missing_ok=True)

    def add(self, x: np.ndarray) -> None:
        """Take the next point of the chain; those of the tuning are passed over.

        Never raises: the sampler cannot be told. What went wrong waits for `check`.
        """
        self.seen += 1
        if self.seen <= self.tune or self._trouble is not None:
            return
        try:
            if self._file is not None:
                if self._handle is None:
                    # Unbuffered: what was added is with the system, whatever happens to us.
                    self._handle = open(self._file, "wb", buffering=0)
                data = memoryview(np.ascontiguousarray(x)).cast("B")
                while len(data):
                    data = data[self._handle.write(data) :]
            self._store(x)
        except Exception as err:
            self._trouble = err

    def _store(self, x: np.ndarray) -> None:
        named = self._density.expand(x)
        if not self.values:
            self.values = {k: np.full((self.draws, *v.shape), np.nan) for k, v in named.items()}
            self._count = 0
        for k, v in named.items():
            self.values[k][self._count] = v
        self._count += 1
        self.tally.add(np.array(x), self._density)

    def finish(self, stats: dict[str, np.ndarray]) -> None:
        """Close a chain that has all its draws."""
        self.check()
        self.stats = stats
        if self._handle is not None:
            os.fsync(self._handle.fileno())
            self.close()
        if self._file is not None:
            partial = self._stats_file.with_suffix(".tmp")
            with open(partial, "wb") as handle:
                np.savez(handle, **stats)
            os.replace(partial, self._stats_file)
        self.whole = True

    def close(self) -> None:
        """Let go of the file."""
        if self._handle is not None:
            self._handle.close()
            self._handle = None

    def check(self) -> None:
        """Raise what went wrong while a draw was written.

        Raises
        ------
        SamplerError
            The disk is full, or the folder is gone.
        """
        if self._trouble is not None:
            err = self._trouble
            self.close()
            if not isinstance(err, OSError):
                raise err
            raise SamplerError(
                f"the draws could not be written ({err.strerror or err})",
                remedy="Free some space or name another folder: --results DIR; then run again.",
            ) from err


def _read_stats(file: Path, draws: int) -> dict[str, np.ndarray]:
    """Statistics of a whole chain; nothing where they are missing, damaged or of another size."""
    try:
        with open(file, "rb") as handle, np.load(handle) as stored:
            stats = {k: stored[k] for k in stored.files}
    except Exception:
        return {}
    whole = "gradients" in stats and all(
        v.shape == (draws,) for k, v in stats.items() if k != "gradients"
    )
    return stats if whole else {}


def read_chain(file: Path, width: int) -> np.ndarray:
    """Whole draws in a chain's file, shape (draw, width); a last one cut short is left out."""
    if not file.is_file() or file.stat().st_size < 8 * width:
        return np.empty((0, width))
    n = file.stat().st_size // (8 * width)
    return np.memmap(file, dtype=float, mode="r", shape=(n, width))
