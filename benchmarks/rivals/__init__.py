"""The default model as others would write it by hand: the same posterior, their own geometry.

Import it from the root of a checkout, as ``benchmarks.rivals``. Guarded by
``tests/test_bench_rivals.py``.
"""
