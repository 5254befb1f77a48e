"""One command brings record, fits and issued forecast up to date, and says what moved.

Invariant: a release is taken in whole or not at all, a run is archived whole or not at all, and a
forecast is issued or not: an update stopped anywhere between is finished by the next one, once.
Guarded by ``tests/test_updating_run.py`` and ``tests/test_updating_crash.py``.
"""

from fairweather.updating.run import Asked, Updated, update
from fairweather.updating.turnstile import BusyError

__all__ = ["Asked", "BusyError", "Updated", "update"]
