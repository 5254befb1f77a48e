"""A tiny world to update: a record of three states, releases of votes, and fits that are made up.

Everything is real but the fit: forecast, archive, record and store are the package's own.
"""

from pathlib import Path
from types import SimpleNamespace

import pandas as pd

import helpers
import made_fit
import small_record
from test_release import assembly

READING = "elastic-side"
# What is asked of every update here: little, so that it is quick.
FEW = {"horizon": 2, "draws": 20, "tune": 10, "chains": 2}


def world(root):
    """A record of its own, and names for store and results."""
    root = Path(root)
    return SimpleNamespace(
        root=root, data=small_record.make(root / "data"), store=str(root / "forecasts"),
        results=str(root / "results"),
    )  # fmt: skip


def votes(folder, name="ga.csv", **options):
    """A release of the Assembly's votes of one year."""
    return assembly(Path(folder) / name, **options)


def release(file, released="2026-02-06", **options):
    from fairweather.updating.intake import Release

    return Release("un-ga", (Path(file),), released, **options)


def asked(world, **options):
    from fairweather.updating import Asked

    base = {"store": world.store, "results": world.results, "data": str(world.data),
            "readings": [READING]}  # fmt: skip
    return Asked(**{**base, **FEW, **options})


def renewed(before, panel, reading, seed=0):
    """What a renewal returns, by the rows alone."""
    tree = made_fit.fit(panel, reading, chains=2, draws=10, seed=100 + seed + len(panel.years))
    tree.attrs.update(first_year=int(panel.years[0]), tune=10, target_accept=0.7)
    how, k, why = "cold", None, "there is no run to start from."
    if before is not None:
        how, k, why = "reweighted", 0.31, "few rows differ, and the weights are steady."
        if before.run["data"]["record_hash"] == panel.record.content_hash:
            how, k, why = "confirmed", None, "no row differs."
    return SimpleNamespace(tree=tree, how=how, k=k, why=why, seconds=0.5, report=helpers.Gate())


def influence(tree, before_panel, panel, **_):
    return pd.DataFrame([{
        "indicator": "unga_votes", "rows": 3, "new": 3, "changed": 0, "withdrawn": 0, "units": 3,
        "surprise": 1.2, "change": -0.02, "mc_error": 0.004, "k": 0.4,
    }])  # fmt: skip


def quick(patch, calls=None):
    """Put made-up fits in place of sampling; `patch` is ``monkeypatch.setattr`` or alike."""
    from fairweather.forecast import Futures
    from fairweather.updating import renewing

    def fit_again(before, panel, reading, terms, results_dir, say):
        if calls is not None:
            calls.append((reading, None if before is None else before.id))
        return renewed(before, panel, reading)

    patch(renewing, "fit_again", fit_again)
    patch(Futures.__init__, "__defaults__", (5,))


def everything(world):
    """Every file of record, store and results but the index and the lock."""
    out = {}
    for path in sorted(world.root.rglob("*")):
        if path.is_file() and "index.sqlite" not in path.name and path.suffix != ".update":
            out[str(path.relative_to(world.root))] = path.read_bytes()
    return out


def panel_of(folder):
    from fairweather.panel import load_panel
    from fairweather.record import load_record

    return load_panel(load_record(folder))
