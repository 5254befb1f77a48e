"""The archive of issued forecasts: what was said, from what, and in which order, for good.

Invariant: an issued forecast never changes, and any change to the store is found by ``verify``,
which trusts nothing but hashes. Guarded by ``tests/test_issued_verify.py``.

A store is a folder or an fsspec address. ``objects/<id[:2]>/<id>/`` holds a forecast's frozen
files and its manifest, whose SHA-256 is the id; ``ledger/`` holds one sealed entry per issue,
each naming the hash of the one before. ``index.sqlite`` only makes lists quick.

Examples
--------
>>> import tempfile
>>> store = Store(tempfile.mkdtemp() + "/forecasts")
>>> one = store.issue({"note.txt": b"0.35"}, {"focal": "CHN-RUS", "origin": 2024})
>>> one.serial, one.new, store.issue({"note.txt": b"0.35"}, one.facts).new
(1, True, False)
>>> store.open("latest").read("note.txt"), len(store.verify())
(b'0.35', 0)
"""

from fairweather.issued.differences import Difference, diff
from fairweather.issued.freezing import freeze
from fairweather.issued.frozen import Issued
from fairweather.issued.store import DEFAULT, Store

__all__ = ["DEFAULT", "Difference", "Issued", "Store", "diff", "freeze"]
