"""An archived run is whole or absent: an interrupted save never looks like a result.

Everything is written into a hidden folder (`fairweather.rundir`), ``run.json`` last. Draws
are Zarr, tables CSV, the rest JSON; nothing is pickled. A fit that fails the convergence gate is
kept under ``failed-<id>``, without any table one could quote.
Guarded by ``tests/test_archive.py``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fairweather.clock import Clock
from fairweather.errors import ArchiveError
from fairweather.provenance import SCHEMA, describe, run_id
from fairweather.rundir import ensure_writable, new_run_dir

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

__all__ = ["Results", "ensure_writable", "new_run_dir", "open_results", "save_results", "slim"]

COMPLETE, FITTED, FAILED = "complete", "fit-only", "failed-gate"
# Geometry of the sampler: large, without meaning of its own, and not needed to forecast.
_GEOMETRY = ("pressure_step", "complementarity_error", "state_shock")


@dataclass(frozen=True)
class Results:
    """An archived run, read on demand.

    Attributes
    ----------
    path : Path
        Folder of the run.
    run : dict
        ``run.json``: model, data, priors, scenarios, code, packages, seed, timings, diagnostics.
    """

    path: Path
    run: dict[str, Any]

    @property
    def id(self) -> str:
        """Name of the folder."""
        return self.path.name

    @property
    def status(self) -> str:
        """``complete``, ``fit-only``, ``failed-gate`` or ``incomplete``."""
        return str(self.run["status"])

    @cached_property
    def tree(self) -> xr.DataTree:
        """The fit, read lazily."""
        return _read_tree(self._part("posterior.zarr"))

    @cached_property
    def forecast(self) -> xr.DataTree:
        """The forecast, in memory."""
        return _read_tree(self._part("forecast.zarr")).load()

    @cached_property
    def durability(self) -> pd.DataFrame:
        """Durability by scenario, horizon and threshold."""
        return self._table("durability.csv")

    @cached_property
    def forecast_table(self) -> pd.DataFrame:
        """Forecasts of the observables in long form."""
        return self._table("forecast.csv")

    @cached_property
    def claims(self) -> pd.DataFrame:
        """Verdicts on the claims."""
        return self._table("claims.csv")

    @cached_property
    def diagnostics(self) -> pd.DataFrame:
        """Convergence by quantity."""
        return self._table("diagnostics.csv")

    def has(self, part: str) -> bool:
        """Whether the run holds a part, such as ``claims.csv``."""
        return part in self.run["contents"]

    def _part(self, name: str) -> Path:
        if not self.has(name):
            raise ArchiveError(
                f"run {self.id} ({self.status}) has no {name}",
                remedy="Make one with: fairweather forecast --from RUN."
                if self.status == FITTED
                else "Run fairweather forecast.",
            )
        return self.path / name

    def _table(self, name: str) -> pd.DataFrame:
        import pandas as pd

        return pd.read_csv(self._part(name))


def save_results(
    tree: xr.DataTree,
    forecast: xr.DataTree | None = None,
    claims: pd.DataFrame | None = None,
    *,
    gate: Any = None,
    figures: Mapping[str, Any] | None = None,
    results_dir: str | Path = "results",
    clock: Clock | None = None,
    overwrite: bool = False,
) -> Path:
    """Archive a fit and what follows from it.

    Parameters
    ----------
    tree : DataTree
        From ``fairweather.fit``.
    forecast : DataTree, optional
        From ``fairweather.forecast``.
    claims : DataFrame, optional
        From ``fairweather.assess_claims``.
    gate : GateReport, optional
        Default: ``fairweather.gate.gate(tree)``. If it did not pass, only the draws and the
        diagnostics are kept, under ``failed-<id>``.
    figures : mapping of str to Figure, optional
        By file stem.
    results_dir : str or Path
    clock : Clock, optional
        Timings of the run so far; those of the fit are taken from its attributes.
    overwrite : bool
        Replace a run of the same id; otherwise the new one gets a numeric suffix.

    Returns
    -------
    Path
        Folder of the run.

    Raises
    ------
    ArchiveError
        If the file system refuses; nothing is then left behind.

    Examples
    --------
    >>> import fairweather as fw
    >>> tree = fw.fit(fw.load_panel())  # doctest: +SKIP
    >>> fw.save_results(tree, fw.forecast(tree))  # doctest: +SKIP
    PosixPath('results/2024-elastic-side-3f9a01bc')
    """
    if gate is None:
        from fairweather.gate import gate as check

        gate = check(tree)
    if not gate.passed:
        forecast, claims, figures = None, None, None
    status = FAILED if not gate.passed else FITTED if forecast is None else COMPLETE
    name = run_id(tree, forecast)
    folder = f"failed-{name}" if status == FAILED else name
    with new_run_dir(results_dir, folder, overwrite=overwrite) as draft:
        _write_tree(slim(tree), draft.path / "posterior.zarr")
        gate.table.to_csv(draft.path / "diagnostics.csv", index=False, lineterminator="\n")
        if forecast is not None:
            _write_tree(forecast, draft.path / "forecast.zarr")
            for stem, table in _tables(forecast, tree).items():
                table.to_csv(draft.path / f"{stem}.csv", index=False, lineterminator="\n")
        if claims is not None:
            claims.to_csv(draft.path / "claims.csv", index=False, lineterminator="\n")
        for stem, figure in (figures or {}).items():
            from fairweather.figures.style import save

            save(figure, stem, draft.path / "figures")
        facts = describe(tree, forecast, gate, clock)
        facts |= {"status": status, "contents": sorted(p.name for p in draft.path.iterdir())}
        text = json.dumps(facts, indent=1, allow_nan=False, ensure_ascii=False)
        (draft.path / "run.json").write_text(text + "\n", encoding="utf-8")
    return draft.path


def slim(tree: xr.DataTree) -> xr.DataTree:
    """Leave out the sampler's own geometry and store paths in single precision.

    What the forecast reads stays, so that it can be made again from the archive.
    """
    import numpy as np
    import xarray as xr

    posterior = tree["posterior"].to_dataset()
    posterior = posterior.drop_vars(
        [v for v in posterior.data_vars if str(v).endswith("_raw") or v in _GEOMETRY]
    )
    posterior = posterior.assign({
        k: v.astype(np.float32) for k, v in posterior.data_vars.items() if v.ndim > 3
    })  # fmt: skip
    nodes = {path: node.to_dataset() for path, node in tree.subtree_with_keys if path != "."}
    nodes |= {"/": tree.to_dataset(), "posterior": posterior}
    return xr.DataTree.from_dict(nodes)


def _tables(forecast: xr.DataTree, tree: xr.DataTree) -> dict[str, pd.DataFrame]:
    from fairweather.forecast import durability_table, forecast_table

    model_id = f"fairweather-{tree.attrs['reading']}"
    return {
        "durability": durability_table(forecast),
        "forecast": forecast_table(forecast, model_id),
    }


def _write_tree(tree: xr.DataTree, path: Path) -> None:
    import xarray as xr

    # Encodings of an earlier file do not fit changed arrays; no consolidation: Zarr 3 has no
    # standard for it and warns.
    nodes = {key: node.to_dataset().drop_encoding() for key, node in tree.subtree_with_keys}
    fresh = xr.DataTree.from_dict({("/" if k == "." else k): v for k, v in nodes.items()})
    fresh.to_zarr(path, zarr_format=3, consolidated=False)


def _read_tree(path: Path) -> xr.DataTree:
    import xarray as xr

    try:
        return xr.open_datatree(path, engine="zarr", consolidated=False, decode_times=False)
    except (OSError, ValueError, KeyError) as err:
        raise ArchiveError(
            f"the draws cannot be read ({err})", file=path, remedy="Run it again."
        ) from err


def open_results(path: str | Path) -> Results:
    """Open an archived run.

    Parameters
    ----------
    path : str or Path
        Folder made by `save_results`.

    Returns
    -------
    Results

    Raises
    ------
    ArchiveError
        Missing, interrupted, damaged, or written by another version of the format.

    Examples
    --------
    >>> import fairweather as fw
    >>> fw.open_results("results/2024-elastic-side-3f9a01bc").durability  # doctest: +SKIP
    """
    folder = Path(path)
    if not folder.is_dir():
        raise ArchiveError(
            f"there is no run at '{path}'",
            remedy="Name a folder under results/, or make one: fairweather forecast.",
        )
    file = folder / "run.json"
    if not file.is_file() or folder.name.startswith("."):
        raise ArchiveError(
            f"'{path}' is not a complete run: it was interrupted, or is no run at all",
            remedy="Delete it and run again.",
        )
    try:
        run = json.loads(file.read_text(encoding="utf-8"))
        schema, wrote = run["schema"], run.get("code", {}).get("version", "another version")
    except (ValueError, TypeError, KeyError, AttributeError) as err:
        raise ArchiveError("is damaged", file=file, remedy="Run it again.") from err
    if schema != SCHEMA:
        raise ArchiveError(
            f"has format {schema}, this version reads {SCHEMA}", file=file,
            remedy=f"Open it with fairweather {wrote}, or run it again.",
        )  # fmt: skip
    missing = [name for name in run["contents"] if not (folder / name).exists()]
    if missing:
        raise ArchiveError(f"'{path}' lacks {', '.join(missing)}", remedy="Run it again.")
    return Results(folder, run)
