"""What is printed has the same width in a file or a pipe on every machine.

Guarded by ``tests/test_cli.py``.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

WIDTH = 120


def console(stderr: bool = False) -> Console:
    """Make a console for tables.

    Parameters
    ----------
    stderr : bool
        Whether it writes to standard error.

    Returns
    -------
    rich.console.Console

    Examples
    --------
    >>> console().print("done")  # doctest: +SKIP
    done
    """
    from rich.console import Console

    # Files and pipes have no width of their own; 80 columns would break the tables.
    width = None if (sys.stderr if stderr else sys.stdout).isatty() else WIDTH
    return Console(stderr=stderr, width=width, highlight=False)
