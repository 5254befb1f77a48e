"""The engine: the model's log density and gradient as compiled code.

Invariant: the PyMC model defines, the engine computes; wherever both can be evaluated they agree
to rounding. Guarded by ``tests/test_engine.py``.
"""
