"""The contest of readings: what is held out, how it is scored, and what the record can tell.

Invariant: every reading meets the same pieces, and what it is scored on it has not seen.
Guarded by ``tests/test_contest_*.py``.
"""
