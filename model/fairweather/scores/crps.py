"""How far draws lie from what came, less half of how far they lie from each other.

Taken on the link scale of the family: votes in logits of agreement, counts as
``log(count + 1/2)``. Guarded by ``tests/test_scores.py``.
"""

from __future__ import annotations

import numpy as np

from fairweather.scores import Cells

LABEL = "continuous ranked probability score"
FAMILIES = ("vote", "within", "count", "share", "anchor")


def score(cells: Cells) -> np.ndarray:
    """Continuous ranked probability score in link units, one a cell.

    Examples
    --------
    >>> one = np.ones(1)
    >>> score(Cells("within", np.array([[0.0, 2.0]]), one, one, one)).item()
    0.5
    """
    import scoringrules as sr

    draws, value = cells.linked
    weights = None if cells.weights is None else np.broadcast_to(cells.w, draws.shape)
    return np.asarray(
        sr.crps_ensemble(value, draws, ens_w=weights, estimator="qd", backend="numpy")
    )
