"""The engine: the model's log density and gradient as compiled code.

Invariant: the PyMC model defines, the engine computes; wherever both can be evaluated they agree
to rounding. Code that another version of a kernel left in this folder is dropped. Guarded by
``tests/test_engine.py``.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path


def drop_stale(folder: Path) -> bool:
    """Remove compiled code that another version of the kernels left in a folder.

    Numba looks at the file of a function only, not at those of the functions it calls.

    Returns
    -------
    bool
        Whether there was any.
    """
    digest = hashlib.sha256()
    for file in sorted(folder.glob("*.py")):
        digest.update(file.read_bytes())
    stamp, now = folder / "__pycache__" / ".kernels", digest.hexdigest()
    with suppress(OSError):
        if stamp.read_text() == now:
            return False
    stale = [*folder.glob("__pycache__/*.nbi"), *folder.glob("__pycache__/*.nbc")]
    # A folder that cannot be written holds no compiled code of ours either.
    with suppress(OSError):
        for file in stale:
            file.unlink(missing_ok=True)
        stamp.parent.mkdir(exist_ok=True)
        stamp.write_text(now)
    return bool(stale)


drop_stale(Path(__file__).parent)
