"""What a predictive test found: realised and replicated values, p-values, and what they rest on.

Invariant: a p-value is never shown without its Monte Carlo error and the way of replicating; the
statistics that failed stand beside those that did not. Guarded by ``tests/test_predictive.py``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from fairweather import names
from fairweather.forecast import MASS, mc_error

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from fairweather.predictive.replicate import Sample

ALL = "all"
_NUMBERS = ("realised", "replicated", "lower", "upper", "p_value", "mc_error")
_COUNTS = (
    "draws", "cells", "drawn_cells", "dyad_years", "dyads", "years", "easing_episodes",
    "easing_shocks", "hardship_episodes", "hardship_shocks", "support",
)  # fmt: skip
COLUMNS = (
    "statistic", "label", "replicate", "where", "part", *_NUMBERS, *_COUNTS, "notes", "failed",
)  # fmt: skip


def compared(
    realised: np.ndarray, replicated: np.ndarray, like: xr.DataArray, sample: Sample
) -> xr.Dataset:
    """Hold replicated values against realised ones.

    Parameters
    ----------
    realised : ndarray, shape (draw or 1, ...)
    replicated : ndarray, shape (draw, ...)
    like : DataArray, dims (...)
        Labels of one value.
    sample : Sample

    Returns
    -------
    Dataset
        ``p_value`` is P(replicated > realised) + P(equal) / 2.
    """
    import xarray as xr

    over = (replicated > realised) + 0.5 * (replicated == realised)
    error = np.maximum(mc_error(np.moveaxis(over, 0, -1), sample), 0.5 / len(sample))
    lower, upper = np.quantile(replicated, (0.5 - MASS / 2, 0.5 + MASS / 2), axis=0)
    many = (names.DRAW, *like.dims)
    data = {
        "realised": (like.dims, realised[0]) if len(realised) == 1 else (many, realised),
        "replicated": (many, replicated), "p_value": (like.dims, over.mean(axis=0)),
        "mc_error": (like.dims, error), "lower": (like.dims, lower), "upper": (like.dims, upper),
    }  # fmt: skip
    coords = {names.DRAW: np.arange(len(replicated)), **like.coords}
    return xr.Dataset(data, coords, attrs={"interval": f"{MASS:.0%}, equal tails, replicated"})


@dataclass(frozen=True)
class PredictiveTest:
    """A statistic of the record beside what the model says it might have been.

    Attributes
    ----------
    name, label, replicate, where : str
    data : Dataset
        ``realised`` (draw, ...) or (...), ``replicated`` (draw, ...), and (...) ``p_value``,
        ``mc_error``, ``lower`` and ``upper`` of the replicated values.
    counts : mapping of str to int
        What it rests on: draws, cells, cells drawn anew, dyad-years, dyads, years, episodes and
        separate shocks met, and the statistic's own ``support``.
    notes : tuple of str
        What has to be known before it is believed.
    """

    name: str
    label: str
    replicate: str
    where: str
    data: xr.Dataset = field(repr=False)
    counts: Mapping[str, int]
    notes: tuple[str, ...] = ()

    @property
    def p_value(self) -> Any:
        """P(replicated >= realised), ties a half: a float, or a DataArray of labelled values."""
        return _plain(self.data["p_value"])

    @property
    def mc_error(self) -> Any:
        """Monte Carlo standard error of the p-value, by effective sample size."""
        return _plain(self.data["mc_error"])

    @property
    def realised(self) -> Any:
        """Value of the record: one number, or one a draw if it reads the latent paths."""
        return _plain(self.data["realised"])

    @property
    def replicated(self) -> xr.DataArray:
        """Values of the replicates, dims (draw, ...)."""
        return self.data["replicated"]

    def to_dataframe(self) -> pd.DataFrame:
        """One row per labelled value; ``realised`` and ``replicated`` are means over draws."""
        import pandas as pd

        mean = self.data[["realised", "replicated"]]
        table = self.data.drop_vars(["realised", "replicated"]).assign(
            {k: v.mean(names.DRAW) if names.DRAW in v.dims else v for k, v in mean.items()}
        )
        fixed = {
            "statistic": self.name, "label": self.label, "replicate": self.replicate,
            "where": self.where, **self.counts, "notes": "; ".join(self.notes), "failed": "",
        }  # fmt: skip
        dims = self.data["p_value"].dims
        table = table.drop_vars(names.DRAW, errors="ignore")
        if dims:
            flat = table.stack(part=dims).transpose("part", ...)
            parts = [" ".join(map(str, p)) for p in flat["part"].to_numpy()]
            rows = {k: flat[k].to_numpy() for k in table.data_vars}
        else:
            parts, rows = [""], {k: [float(v)] for k, v in table.data_vars.items()}
        frame = pd.DataFrame({"part": parts, **rows}).assign(**fixed)
        frame = frame.reindex(columns=list(COLUMNS))
        return frame.astype(dict.fromkeys(_COUNTS, "Int64"))

    def __repr__(self) -> str:
        """Say it in a few lines."""
        where = "" if self.where == ALL else f", where {self.where}"
        lines = [f"{self.label} [{self.name}; {self.replicate} replication{where}]"]
        for row in self.to_dataframe().head(12).itertuples():
            part = f"{row.part}: " if row.part else ""
            lines.append(
                f"  {part}realised {row.realised:.3g}, replicated {row.replicated:.3g} "
                f"[{row.lower:.3g}, {row.upper:.3g}], "
                f"p = {row.p_value:.3f} (MC error {row.mc_error:.3f})"
            )
        if (more := self.data["p_value"].size - 12) > 0:
            lines.append(f"  ... and {more} more")
        c = self.counts
        support = f"{c['support']} in the statistic; " if "support" in c else ""
        lines.append(
            f"  {c['draws']} draws; {support}{c['cells']} cells, {c['drawn_cells']} drawn anew, in "
            f"{c['dyad_years']} dyad-years; {c['easing_episodes']} easing episodes "
            f"({c['easing_shocks']} shocks), {c['hardship_episodes']} of hardship "
            f"({c['hardship_shocks']})"
        )
        return "\n".join([*lines, *(f"  note: {n}" for n in self.notes)])


@dataclass(frozen=True)
class Failure:
    """A test that could not be made, and why."""

    name: str
    label: str
    replicate: str
    where: str
    reason: str


@dataclass(frozen=True)
class PredictiveTests:
    """Tests made on the same replicates, and those that failed beside them.

    Attributes
    ----------
    results : tuple of PredictiveTest
    failed : tuple of Failure
    """

    results: tuple[PredictiveTest, ...]
    failed: tuple[Failure, ...] = ()

    def __len__(self) -> int:
        """Count the tests that were made."""
        return len(self.results)

    def __iter__(self) -> Iterator[PredictiveTest]:
        """Iterate over the tests that were made."""
        return iter(self.results)

    def __getitem__(self, name: str) -> PredictiveTest:
        """Return the first test of a statistic, or of a regime; a failed one raises why."""
        for one in self.results:
            if name in (one.name, one.where):
                return one
        for lost in self.failed:
            if name in (lost.name, lost.where):
                raise KeyError(f"{name} failed: {lost.reason}")
        raise KeyError(name)

    def to_dataframe(self) -> pd.DataFrame:
        """One row per value and per failure, in the column ``failed`` the reason."""
        import pandas as pd

        lost = [
            {"statistic": f.name, "label": f.label, "replicate": f.replicate, "where": f.where,
             "part": "", "notes": "", "failed": f.reason}
            for f in self.failed
        ]  # fmt: skip
        rows = [row for one in self.results for row in one.to_dataframe().to_dict("records")]
        table = pd.DataFrame([*rows, *lost], columns=list(COLUMNS))
        # A failure has no numbers: counts stay whole all the same.
        return table.astype(dict.fromkeys(_COUNTS, "Int64") | dict.fromkeys(_NUMBERS, float))

    def __repr__(self) -> str:
        """Say it in a few lines."""
        lost = [f"{f.name}, {f.where}: failed: {f.reason}" for f in self.failed]
        return "\n".join([*map(repr, self.results), *lost])


def _plain(x: xr.DataArray) -> Any:
    return x if x.dims else float(x)
