"""Figures: results in, a Matplotlib Figure out; nothing is shown, fitted or fetched here.

Guarded by ``tests/test_figures.py``.
"""
