"""The rows a fit has seen, kept with it, and how another panel's rows differ from them.

Invariant: a run says itself which rows it was made from, so that the difference to a panel does
not hang on a record that has moved on. Guarded by ``tests/test_renewal_rows.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fairweather.archive import Results
    from fairweather.panel import Panel


def panel_before(before: Results, panel: Panel) -> Panel | None:
    """Lay out the panel that an archived run was made from; None if its rows were not kept.

    Parameters
    ----------
    before : Results
    panel : Panel
        A later one, for codebook and design.
    """
    raise NotImplementedError
