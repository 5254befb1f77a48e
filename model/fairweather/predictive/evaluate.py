"""Statistics of a user's own are run here, and nothing they do reaches anything else.

Invariant: a statistic gets read-only data and its result is a finite number or a labelled array
of the same labels on every draw; whatever else happens becomes one message that names the
statistic, the data and the draw. Guarded by ``tests/test_predictive.py``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from fairweather import names
from fairweather.errors import FairweatherError
from fairweather.statistics import Statistic, StatisticError

if TYPE_CHECKING:
    import xarray as xr

# A statistic may be judged slow after this share of its patience, or these seconds if less.
_LOOK, _LEAST = 0.05, 1.0


@dataclass
class Runner:
    """One statistic over all draws, realised and replicated.

    Attributes
    ----------
    patience : float or None
        Seconds the statistic may take in all; judged by projection, after a first look.
    calls : int
        Draws still to come at the start.
    """

    statistic: Statistic
    patience: float | None
    calls: int
    like: xr.DataArray | None = None
    spent: float = 0.0
    done: int = 0
    found: dict[str, list[Any]] = field(default_factory=dict)

    def run(self, data: xr.Dataset, what: str, first: int) -> None:
        """Evaluate the draws of one data set and keep the results.

        Parameters
        ----------
        data : Dataset
            With a leading dimension ``draw``.
        what : {"realised", "replicated"}
        first : int
            Number of its first draw, for messages.

        Raises
        ------
        StatisticError
            The statistic fails, gives no number, or is too slow.
        """
        size = data.sizes[names.DRAW]
        if self.statistic.batched:
            out = [self._call(data, what, first, size)]
        else:
            out = [self._call(data.isel({names.DRAW: k}), what, first + k, 1) for k in range(size)]
        self.found.setdefault(what, []).extend(out)

    def array(self, what: str) -> xr.DataArray:
        """All results so far, dims (draw, ...)."""
        return np.concatenate(self.found[what])

    def _call(self, data: xr.Dataset, what: str, draw: int, size: int) -> np.ndarray:
        where = f"statistic '{self.statistic.name}' on the {what} data, draw {draw}"
        start = perf_counter()
        try:
            out = self.statistic.compute(data)
        except FairweatherError as err:
            raise StatisticError(f"{where}: {err}") from err
        except Exception as err:
            raise StatisticError(
                f"{where}: {type(err).__name__}: {err}", remedy=self._remedy(err)
            ) from err
        self.spent, self.done = self.spent + perf_counter() - start, self.done + size
        values = self._checked(out, where, size)
        self._hurry(where)
        return values

    def _remedy(self, err: Exception) -> str:
        text = str(err)
        if "read-only" in text or "destination is a view" in text:
            return "Data are shared and not to be changed: work on data.copy(deep=True)."
        if isinstance(err, KeyError) and self.statistic.observables_only:
            if any(k in text for k in (names.ALIGNMENT, names.PRESSURE)):
                return "Declare it with observables_only=False to be handed the latent paths."
        return "Try it on fairweather.predictive.example(panel)."

    def _checked(self, out: Any, where: str, size: int) -> np.ndarray:
        """Values with the draws in front, shape (draw, ...)."""
        import xarray as xr

        if not isinstance(out, xr.DataArray):
            plain = isinstance(out, bool | int | float | np.number | np.bool_)
            if not plain and not (isinstance(out, np.ndarray) and out.ndim == 0):
                raise StatisticError(
                    f"{where} gives {type(out).__name__}, no number",
                    remedy="Return a float or an xarray.DataArray.",
                )
            out = xr.DataArray(out)
        if out.dtype.kind not in "biuf":
            raise StatisticError(f"{where} gives {out.dtype}, no number", remedy="Return a float.")
        out = out.reset_coords(drop=True).astype(float)
        if self.statistic.batched:
            if out.sizes.get(names.DRAW) != size:
                raise StatisticError(
                    f"{where} loses the {size} draws of its data: it gives {dict(out.sizes)}",
                    remedy="Keep the dimension draw, or declare it with batched=False.",
                )
            out = out.transpose(names.DRAW, ...)
        else:
            out = out.expand_dims(names.DRAW)
        one = out.isel({names.DRAW: 0}, drop=True)
        if self.like is None:
            self.like = one
        if dict(one.sizes) == dict(self.like.sizes):
            out = out.transpose(names.DRAW, *self.like.dims)
            one = one.transpose(*self.like.dims)
        if one.dims != self.like.dims or not one.coords.equals(self.like.coords):
            raise StatisticError(
                f"{where} gives {_shape(one)}, before it was {_shape(self.like)}",
                remedy="Return the same labels for every draw; nothing may depend on the values.",
            )
        bad = ~np.isfinite(out.to_numpy())
        if bad.any():
            at = np.argwhere(bad)[0][1:]
            label = {str(d): one[d].to_numpy()[k].item() for d, k in zip(one.dims, at, strict=True)
                     if d in one.coords}  # fmt: skip
            what = "NaN" if np.isnan(out.to_numpy()[bad]).any() else "an infinite number"
            raise StatisticError(
                f"{where} gives {what}" + (f" for {label}" if label else ""),
                remedy="Cells without a row are NaN: use means that skip them, and leave out "
                "what has none.",
            )
        return out.to_numpy()

    def _hurry(self, where: str) -> None:
        if self.patience is None or self.spent <= min(_LEAST, _LOOK * self.patience):
            return
        ahead = self.spent / self.done * self.calls
        if ahead > self.patience:
            raise StatisticError(
                f"{where}: {self.spent / self.done:.2g} s a draw, {ahead:.0f} s for all "
                f"{self.calls}, more than the {self.patience:.0f} s of patience",
                remedy="Pass patience=None, fewer draws=, or write it with batched=True.",
            )


def _shape(x: xr.DataArray) -> str:
    return f"{dict(x.sizes)}" if x.dims else "one number"
