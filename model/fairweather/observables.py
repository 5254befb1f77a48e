"""Forecast indicators are drawn by the same families that explained the observed ones.

Invariant: a series is drawn from its own history and its family's `predict`; only series of the
focal dyad and its two states are drawn, and a series never observed is never forecast.
Guarded by ``tests/test_forecast.py::test_series_alone_as_in_the_batch``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from fairweather import names
from fairweather.draws import Draws
from fairweather.measurement import PARAMETERS, get_family
from fairweather.measurement.batch import Batch
from fairweather.model import LEADING, prepare, stack

# What families keep per series, as (series, ...) arrays or lists of them.
_PER_SERIES = (
    "phi", "filter", "constant", "information", "offset", "seen", "total", "exposure", "ceiling",
    "n",
)  # fmt: skip


@dataclass(frozen=True)
class Focal(Batch):
    """Some series of a batch; which indicators shift by year is as in the whole batch."""

    whole: Batch | None = None

    @property
    def shifted(self) -> list[int]:
        """Positions of the indicators whose standard may shift by year."""
        return self.whole.shifted


def take(batch: Batch, series: np.ndarray) -> Focal:
    """Keep some series of a batch, for drawing only."""
    extra = dict(batch.extra)
    for key in _PER_SERIES:
        if isinstance(extra.get(key), list):
            extra[key] = [c[series] for c in extra[key]]
        elif key in extra:
            extra[key] = extra[key][series]
    return Focal(
        batch.family, batch.indicators, batch.which[series], batch.unit[series],
        batch.row[series], batch.sign[series], batch.mask[series], batch.y[series], extra, batch,
    )  # fmt: skip


def parameters(draws: Draws, batch: Batch) -> dict[str, np.ndarray]:
    """Parameters of a family from the fit, each with a leading draw axis."""
    family, ids = batch.family, batch.ids
    out = {}
    for inner, name in PARAMETERS[family].items():
        if inner == "shift":
            if batch.shifted:
                labels = [ids[k] for k in batch.shifted]
                out[inner] = draws.get(name, **{f"{family}_shifted": labels})
        elif inner == "agenda":
            out[inner] = draws.get(name)
        elif inner == "level":
            labels = [f"{ids[k]}:{u}" for k, u in zip(batch.which, batch.unit, strict=True)]
            out[inner] = draws.get(name, **{f"{family}_series": labels})
        elif name in draws:
            out[inner] = draws.get(name, **{family: ids})
        else:  # held fixed by the belief set
            out[inner] = np.full((len(draws), len(ids)), draws.priors.fixed(name))
    return out


@dataclass(frozen=True)
class Series:
    """What is drawn: one family's series of the focal dyad and its states."""

    batch: Focal
    par: dict[str, np.ndarray]
    labels: list[str]
    ids: list[str]
    units: list[str]
    past: np.ndarray
    place: np.ndarray


class Observables:
    """Everything about the indicators that does not depend on the scenario.

    Noise of votes and words is drawn once, so that scenarios differ by their pressure alone.
    """

    def __init__(self, draws: Draws, horizon: int, rng: np.random.Generator) -> None:
        p, n = draws.panel, len(draws)
        d = p.dyads.index(p.focal)
        pair = [p.states.index(s) for s in draws.pair]
        a, b = len(p.dyads), len(p.states)
        # Rows of the stacked latents, in the order of `stack`.
        rows = [d, a + pair[0], a + pair[1], a + b + pair[0], a + b + pair[1], a + 2 * b + d,
                2 * (a + b) + d, 3 * a + 2 * b + d]  # fmt: skip
        self.leads = [draws.get(f"lead_{domain}")[:, None] for domain in LEADING]
        self.seed = int(rng.integers(2**63))
        scale = draws.get("delegation_scale")[:, None]
        # Two members of a zero-sum set of b shocks.
        spread = scale * np.sqrt(2.0 * (1.0 - 2.0 / b)) if b > 2 else 0.0 * scale
        self.delegation = spread * rng.standard_normal((n, horizon))
        # Words leave deeds for a year at a time.
        self.words = draws.get("words_scale")[:, None, None] * rng.standard_normal((n, 2, horizon))
        alignment, pressure, _ = draws.history()
        words = draws.get("words", state=draws.pair)
        gap = draws.get("gap", dyad=p.focal) if "gap" in draws else 0.0
        past = self.stack(alignment, pressure, words, 0.0, gap)
        self.series = list(self._series(draws, rows, past))

    def stack(
        self, alignment: Any, pressure: Any, words: Any, delegation: Any, gap: Any
    ) -> np.ndarray:
        """Stack the latents the series read, shape (draw, 8, year)."""
        one = alignment[:, None]
        leads = tuple((lead * gap)[:, None] for lead in self.leads)
        return stack(np, one, pressure, words, (alignment + delegation)[:, None], leads)

    @staticmethod
    def _series(draws: Draws, rows: list[int], past: np.ndarray) -> Iterator[Series]:
        panel = draws.panel
        for batch in prepare(panel, draws.priors).values():
            at = np.flatnonzero(np.isin(batch.row, rows))
            if len(at) == 0:
                continue
            part = take(batch, at)
            place = np.array([rows.index(r) for r in part.row])
            ids, units = [], []
            for k, u in zip(part.which, part.unit, strict=True):
                one = part.indicators[k]
                ids.append(one.id)
                units.append(panel.units(one.latent)[u])
            labels = [
                i if u == panel.focal else f"{i}:{u}" for i, u in zip(ids, units, strict=True)
            ]
            par = parameters(draws, part)
            yield Series(part, par, labels, ids, units, part.sign * past[:, place], place)

    @property
    def coords(self) -> dict[str, Any]:
        """Labels of the drawn series: a state's indicator carries the state in its label."""
        return {
            names.INDICATOR: [x for s in self.series for x in s.labels],
            "id": (names.INDICATOR, [x for s in self.series for x in s.ids]),
            "unit": (names.INDICATOR, [x for s in self.series for x in s.units]),
        }

    def draw(self, alignment: np.ndarray, pressure: np.ndarray, gap: np.ndarray) -> np.ndarray:
        """Draw every series in the coming years.

        Parameters
        ----------
        alignment : ndarray, shape (draw, horizon)
        pressure : ndarray, shape (draw, 2, horizon)
        gap : ndarray, shape (draw, horizon)
            Between alignment and its target.

        Returns
        -------
        ndarray, shape (series, draw, horizon)
        """
        future = self.stack(alignment, pressure, self.words, self.delegation, gap)
        out = []
        for number, s in enumerate(self.series):
            rng = np.random.default_rng([self.seed, number])
            value = get_family(s.batch.family).predict(
                s.batch, s.past, s.batch.sign * future[:, s.place], s.par, rng
            )
            out.append(value.transpose(1, 0, 2))
        return np.concatenate(out) if out else np.empty((0, *alignment.shape))
