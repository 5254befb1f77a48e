"""Draws of a run that has not ended yet: kept as they come, marked, and taken up by the rerun.

Invariant: a folder ``incomplete-<id>`` belongs to one set of inputs (the id is that of the fit);
it stands while a fit runs, stays if the fit is stopped, and goes when the run is archived. One
process works in it at a time. Guarded by ``tests/test_unfinished.py``.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fairweather.alone import alone
from fairweather.errors import ArchiveError, FairweatherError
from fairweather.provenance import SCHEMA, code_version, fit_id
from fairweather.rundir import ensure_writable, write_whole

if TYPE_CHECKING:
    import xarray as xr

    from fairweather.model import Model

INCOMPLETE = "incomplete"


def folder_of(results_dir: str | Path, name: str) -> Path:
    """Where the draws of a fit are kept until it is archived; `name` is its id."""
    return Path(results_dir) / f"{INCOMPLETE}-{name}"


@contextmanager
def unfinished(results_dir: str | Path, attrs: dict[str, Any]) -> Iterator[Path]:
    """Hold the folder that keeps a fit's draws until it is archived.

    Parameters
    ----------
    results_dir : str or Path
    attrs : dict
        From ``fairweather.inference.attributes``.

    Yields
    ------
    Path
        For ``fit(keep=...)``. If the block ends well the folder is removed: archive first.

    Raises
    ------
    FairweatherError
        Another process is at work on the same fit.
    """
    folder = folder_of(ensure_writable(results_dir), fit_id(attrs))
    folder.mkdir(exist_ok=True)
    with alone(folder, "is sampling the same fit, in"):
        _note(folder, attrs, "the fit was stopped from outside while it ran")
        try:
            yield folder
        except BaseException as err:
            reason = "interrupted" if isinstance(err, KeyboardInterrupt) else str(err)
            if _chains(folder):
                # The disk may be full: the note of the beginning stands then.
                try:
                    _note(folder, attrs, reason or type(err).__name__)
                except OSError:
                    pass
            else:
                shutil.rmtree(folder, ignore_errors=True)
            raise
        shutil.rmtree(folder, ignore_errors=True)


def _note(folder: Path, attrs: dict[str, Any], reason: str) -> None:
    """Say what the folder is; whole or not at all."""
    facts = {
        "schema": SCHEMA, "id": folder.name, "status": INCOMPLETE, "reason": reason,
        "contents": [], "fit": attrs, "code": code_version(),
    }  # fmt: skip
    write_whole(folder / "run.json", json.dumps(facts, indent=1) + "\n")


def _chains(folder: Path) -> list[Path]:
    return sorted(p for p in folder.glob("chain-*.f8") if p.stat().st_size)


def draws_so_far(folder: str | Path, model: Model) -> xr.DataTree:
    """Read the draws of a fit that was stopped.

    Parameters
    ----------
    folder : str or Path
        ``incomplete-<id>``.
    model : Model
        The model it was sampling, from `fairweather.build_model`.

    Returns
    -------
    DataTree
        Group ``posterior`` with as many draws of every chain as the shortest started one has;
        ``attrs["complete"]`` is False. No gate passes it.

    Raises
    ------
    ArchiveError
        No draws there, or of another model.

    Examples
    --------
    >>> import fairweather as fw
    >>> model = fw.build_model(fw.load_panel())
    >>> draws_so_far("results/incomplete-2024-elastic-side-1f0c2a3b", model)  # doctest: +SKIP
    """
    import numpy as np
    import xarray as xr

    from fairweather.engine.keeping import read_chain
    from fairweather.engine.native import Density
    from fairweather.engine.pack import pack
    from fairweather.posterior import dataset

    folder = Path(folder)
    try:
        attrs = json.loads((folder / "run.json").read_text(encoding="utf-8"))["fit"]
    except (OSError, ValueError, KeyError) as err:
        raise ArchiveError(f"'{folder}' keeps no unfinished fit") from err
    panel = model.panel
    same = (attrs["record_hash"], attrs["priors_hash"], attrs["reading"])
    if same != (panel.record.content_hash, model.priors.content_hash, model.reading):
        raise ArchiveError(
            f"{folder.name} holds draws of another record, prior set or reading",
            remedy="Build the model it was sampling.",
        )
    density = Density(model, pack(model))
    found = [read_chain(p, density.packed.n_dim) for p in _chains(folder)]
    found = [x for x in found if len(x)]
    if not found:
        raise ArchiveError(f"{folder.name} holds no draw yet")
    n = min(map(len, found))
    values = density.expand_all(np.stack([x[:n] for x in found]))
    tree = xr.DataTree.from_dict({"posterior": dataset(values, model.coords)})
    tree.attrs.update(attrs, complete=False)
    return tree


def what_is_left(folder: str | Path) -> str:
    """Say in a sentence what an unfinished run holds and what to do with it."""
    folder = Path(folder)
    try:
        facts = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as err:
        raise FairweatherError(f"'{folder}' cannot be read ({err})") from err
    asked = facts["fit"]
    whole = len(list(folder.glob("chain-*.npz")))
    begun = len(_chains(folder))
    return (
        f"incomplete: {facts['reason'].rstrip('.')}. {whole} of {asked['chains']} chains are whole "
        f"and {begun - whole} begun; the same command takes up the whole ones."
    )
