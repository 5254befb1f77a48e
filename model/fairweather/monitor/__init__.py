"""The running year: rows of a part of it, a nowcast, and whether durability fell since the issue.

Invariant: all of it is provisional, and nothing of it enters the record or the store of issued
forecasts. Guarded by ``tests/test_monitor_watch.py``.

Examples
--------
>>> from fairweather.monitor import Asked, watch
>>> watch(Asked(rows="2025.csv")).warning.verdict  # doctest: +SKIP
'cannot be told'
"""

from fairweather.monitor.earlier import Earlier, last_issued
from fairweather.monitor.influence import influence
from fairweather.monitor.layout import running
from fairweather.monitor.nowcast import Nowcast, nowcast
from fairweather.monitor.rows import MonitorError, read_rows
from fairweather.monitor.template import write_template
from fairweather.monitor.view import until
from fairweather.monitor.warning import EarlyWarning, early_warning
from fairweather.monitor.watch import Asked, Watch, watch

__all__ = [
    "Asked",
    "Earlier",
    "EarlyWarning",
    "MonitorError",
    "Nowcast",
    "Watch",
    "early_warning",
    "influence",
    "last_issued",
    "nowcast",
    "read_rows",
    "running",
    "until",
    "watch",
    "write_template",
]  # fmt: skip
