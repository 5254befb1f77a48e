"""Where the program starts: a plain list is printed at once, all else goes to the command line.

Guarded by ``tests/test_issued_listing.py``.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Run the ``fairweather`` command."""
    from fairweather.issued.listing import quick

    if sys.argv[1:2] == ["list"] and quick(sys.argv[1:]):
        return
    from fairweather.cli import app_entry

    app_entry()


if __name__ == "__main__":
    main()
