"""A run says where its time went: every step is timed once, and the total is the wall clock.

Guarded by ``tests/test_archive.py::test_clock``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter


class Clock:
    """Seconds by step, from the moment of its making.

    Examples
    --------
    >>> clock = Clock()
    >>> with clock("data"):
    ...     pass
    >>> sorted(clock.report())
    ['data', 'total']
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._start = perf_counter()

    @contextmanager
    def __call__(self, step: str) -> Iterator[None]:
        """Add the time spent in the block to a step."""
        start = perf_counter()
        try:
            yield
        finally:
            self.seconds[step] = self.seconds.get(step, 0.0) + perf_counter() - start

    def report(self) -> dict[str, float]:
        """Seconds by step and in total so far."""
        total = perf_counter() - self._start
        return {k: round(v, 3) for k, v in {**self.seconds, "total": total}.items()}
