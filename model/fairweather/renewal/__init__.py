"""A fit brought up to date: confirmed, reweighted, or sampled again from where the last one stood.

Invariant: whichever route is taken, the draws are of the posterior that the panel at hand has, or
of none; the result says which route it was and why. Guarded by ``tests/test_renewal_renew.py``.

Examples
--------
>>> from fairweather.renewal import renew
>>> renew(fw.open_results("results/RUN"), panel, reading="elastic-side",
...       priors=fw.load_priors(), settings=Settings())  # doctest: +SKIP
"""

from fairweather.renewal.influence import influence
from fairweather.renewal.renew import Renewed, renew
from fairweather.renewal.rows import panel_before

__all__ = ["Renewed", "influence", "panel_before", "renew"]
