"""Replicated rows and paths: what the model says the record might have been.

Invariant: rows come from the families that explained the observed ones; a row that is not drawn
keeps its observed value; draw k depends on the seed and on k alone, not on what is computed from
it. Guarded by ``tests/test_predictive.py``.

Three ways: *ordinary* keeps the latent paths and draws all rows anew; *held-out* draws the rows a
fit has not seen, given those it has; *mixed* keeps the parameters of the whole panel and draws
dyads anew: level, trend, shocks, and their rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from fairweather import names
from fairweather.errors import FairweatherError
from fairweather.measurement import PARAMETERS, get_family
from fairweather.model import Model, build_model
from fairweather.predictive.dataset import LATENTS, Layout, share_of_score
from fairweather.readings import DEFAULT, get_reading
from fairweather.structure import paths, slow_error, stacked, targets, wide, zero_sum

if TYPE_CHECKING:
    import xarray as xr

    from fairweather.measurement.batch import Batch
    from fairweather.panel import Panel
    from fairweather.priors import Priors

KINDS = ("held-out", "mixed", "ordinary")


class ReplicationError(FairweatherError):
    """The draws, the panel and the way of replicating do not fit together."""


@dataclass(frozen=True)
class Sample:
    """Thinned draws of a fit as plain arrays.

    Attributes
    ----------
    values : dict of str to ndarray, shape (draw, ...)
        Named as in the posterior.
    """

    values: dict[str, np.ndarray] = field(repr=False)
    chains: int
    per_chain: int
    reading: str
    priors: Priors = field(repr=False)

    def __len__(self) -> int:
        """Count the draws."""
        return self.chains * self.per_chain

    def by_chain(self, x: np.ndarray) -> np.ndarray:
        """Unstack the draw axis, the last one: shape (..., chain, draw)."""
        return x.reshape(*x.shape[:-1], self.chains, self.per_chain)

    @classmethod
    def of(
        cls, given: xr.DataTree | Mapping[str, Any], panel: Panel, draws: int,
        priors: Priors | None = None, reading: str | None = None,
    ) -> Sample:  # fmt: skip
        """Take a fit of `panel`, or its values by name, thinned to about `draws`.

        Raises
        ------
        ReplicationError
            The fit is one of other rows, dyads or years, or `draws` is no positive whole number.
        """
        if isinstance(draws, bool) or not isinstance(draws, int) or draws < 1:
            raise ReplicationError(f"draws is {draws!r}", remedy="Ask for a whole number, as 400.")
        if isinstance(given, Mapping) and not hasattr(given, "attrs"):
            return cls._of_values(given, panel, draws, priors, reading)
        from fairweather.draws import Draws

        stated = given.attrs.get("record_hash")
        if stated and stated != panel.record.content_hash:
            raise ReplicationError(
                "the fit was made from other rows than those of the panel",
                remedy="Held-out needs known=, the panel of the fit; the others need that panel.",
            )
        d = Draws.of(given, panel, priors, limit=draws)
        values = {str(k): d.get(str(k)) for k in d.data.data_vars}
        return cls(values, d.chains, d.per_chain, d.reading, d.priors)

    @classmethod
    def _of_values(
        cls, given: Mapping[str, Any], panel: Panel, draws: int, priors: Priors | None,
        reading: str | None,
    ) -> Sample:  # fmt: skip
        from fairweather.priors import load_priors

        shape = np.shape(given.get(names.ALIGNMENT, ()))
        if shape[1:] != (len(panel.dyads), len(panel.years)):
            raise ReplicationError(
                f"alignment has the shape {shape}, not (draw, dyad, year) of the panel",
                remedy="Give a tree, or its values with one leading axis of draws.",
            )
        at = np.linspace(0, shape[0] - 1, min(shape[0], draws)).round().astype(int)
        values = {k: np.asarray(v, float)[at] for k, v in given.items()}
        return cls(values, 1, len(at), reading or DEFAULT, priors or load_priors())


def family_parameters(values: Mapping[str, np.ndarray], spec: Model) -> dict[str, dict[str, Any]]:
    """Parameters of each family by draw; one that the belief set holds fixed is repeated."""
    size, out = len(values[names.ALIGNMENT]), {}
    for name, batch in spec.batches.items():
        own = {}
        for inner, outer in PARAMETERS[name].items():
            if outer in values:
                own[inner] = values[outer]
            elif inner == "loading":
                own[inner] = np.full((size, len(batch.ids)), spec.priors.fixed(outer))
            elif inner != "shift" or batch.shifted:
                raise ReplicationError(f"the draws lack '{outer}'", remedy="Give those of a fit.")
        out[name] = own
    return out


@dataclass(frozen=True)
class Replicator:
    """Replicates of a panel, some draws at a time.

    Attributes
    ----------
    drawn : dict of str to ndarray of bool, shape (unit, year)
        Cells drawn anew, per indicator.
    latents : dict of str to ndarray, shape (draw, unit, year)
        ``alignment`` and ``pressure`` that go with the replicated rows.
    """

    layout: Layout
    sample: Sample
    drawn: dict[str, np.ndarray] = field(repr=False)
    latents: dict[str, np.ndarray] = field(repr=False)
    notes: tuple[str, ...] = ()
    # One of the two: how to simulate, or what was drawn beforehand.
    spec: Model | None = field(default=None, repr=False)
    values: dict[str, np.ndarray] | None = field(default=None, repr=False)
    cells: dict[str, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict, repr=False)
    seed: int = 0

    @property
    def drawn_cells(self) -> np.ndarray:
        """Alignment cells drawn anew, shape (indicator, dyad, year)."""
        seen = self.layout.seen()
        none = np.zeros(seen.shape[1:], bool)
        return seen & np.stack([self.drawn.get(i, none) for i in self.layout.alignment_ids])

    def rows(self, part: slice) -> dict[str, np.ndarray]:
        """Raw values of the indicators drawn anew, shape (draw, unit, year) each."""
        size = len(range(*part.indices(len(self.sample))))
        out = {}
        for one in self.drawn:
            grid = self.layout.grid[one]
            out[one] = np.broadcast_to(grid, (size, *grid.shape)).copy()
        for one, (cell, x) in self.cells.items():
            out[one][:, cell[0], cell[1]] = x[part]
        if self.spec is not None:
            self._simulate(out, part)
        return out

    def _simulate(self, out: dict[str, np.ndarray], part: slice) -> None:
        panel, values = self.spec.panel, {k: v[part] for k, v in self.values.items()}
        latent, par = stacked(panel, values), family_parameters(values, self.spec)
        for k in range(len(latent)):
            rng = np.random.default_rng([self.seed, 1, part.start + k])
            for name, batch in self.spec.batches.items():
                if not any(one in self.drawn for one in batch.ids):
                    continue
                own = {inner: v[k] for inner, v in par[name].items()}
                seen = get_family(name).simulate(batch, batch.read(latent[k]), own, rng)
                self._place(out, k, name, batch, seen)

    def _place(
        self, out: dict[str, np.ndarray], k: int, family: str, batch: Batch, seen: np.ndarray
    ) -> None:
        for number, one in enumerate(batch.ids):
            if one not in self.drawn:
                continue
            series = np.flatnonzero(batch.which == number)
            units, x = batch.unit[series], seen[series]
            if family == "vote":
                x = share_of_score(x, self.layout.n[one][units])
            new = self.drawn[one][units] & ~np.isnan(x)
            out[one][k, units] = np.where(new, x, out[one][k, units])


def _seen_by(spec: Model, latent: str) -> dict[str, np.ndarray]:
    """Cells a family has a series for: a unit that never saw an event is not drawn."""
    out = {}
    for batch in spec.batches.values():
        for number, ind in enumerate(batch.indicators):
            if ind.latent != latent:
                continue
            series = batch.which == number
            grid = np.zeros((len(spec.panel.units(latent)), len(spec.panel.years)), bool)
            grid[batch.unit[series]] = batch.mask[series]
            out[ind.id] = grid
    return out


def ordinary(layout: Layout, sample: Sample, seed: int) -> Replicator:
    """Draw all rows anew from the latent paths of the fit."""
    spec = build_model(layout.panel, reading=sample.reading, priors=sample.priors)
    drawn = {k: v for latent in LATENTS for k, v in _seen_by(spec, latent).items()}
    note = "the latent paths have seen these rows: read it as misfit of the measurement only"
    latents = {k: sample.values[k] for k in LATENTS}
    return Replicator(
        layout, sample, drawn, latents, (note,), spec, dict(sample.values), seed=seed
    )  # fmt: skip


def mixed(
    layout: Layout, sample: Sample, seed: int, dyads: str | Iterable[str] | None = None
) -> Replicator:
    """Draw dyads anew, given the drivers and the parameters of the whole panel.

    Raises
    ------
    ReplicationError
        A dyad that is not in the panel.
    """
    panel = layout.panel
    wanted = list(panel.dyads) if dyads is None else [dyads] if isinstance(dyads, str) else [*dyads]
    if unknown := sorted(set(wanted) - set(panel.dyads)) or not wanted:
        raise ReplicationError(
            f"no dyad {', '.join(unknown) if unknown is not True else 'named'} in this panel",
            remedy=f"Write one as {panel.focal}.",
        )
    spec = build_model(panel, reading=sample.reading, priors=sample.priors)
    new = np.isin(panel.dyads, wanted)
    values = redrawn(spec, sample, new, np.random.default_rng([seed, 2]))
    drawn = {k: v & new[:, None] for k, v in _seen_by(spec, names.ALIGNMENT).items()}
    drawn = {k: v for k, v in drawn.items() if v.any()}
    note = (
        "dyads drawn anew from the parameters of the panel; each series keeps the level "
        "(continuous items) or the total (counts) it showed"
    )
    latents = {k: values[k] for k in LATENTS}
    return Replicator(layout, sample, drawn, latents, (note,), spec, values, seed=seed)


def redrawn(
    spec: Model, sample: Sample, new: np.ndarray, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Draw the paths of some dyads anew; the only place that runs the structure forward.

    Kept: pressure, the effects of years, all parameters of the panel. Drawn: level and trend of
    the dyad, the slow error of its complementarity, its shocks, those of its states, and what the
    two delegations do.

    Parameters
    ----------
    new : ndarray of bool, shape (dyad,)

    Returns
    -------
    dict of str to ndarray
        The values with ``alignment``, ``delegation`` and, where there is one, ``gap`` replaced.
        A delegation is a matter of states: where only some dyads are new, it is kept.
    """
    panel, priors, old = spec.panel, spec.priors, sample.values
    n, n_dyad, n_year, n_state = len(sample), len(new), len(panel.years), len(panel.states)
    par = _with_fixed(spec, old, n)
    grand = old["level"].mean(axis=1, keepdims=True)
    par["level"] = grand + priors.fixed("intercept_scale") * zero_sum(rng, (n, n_dyad))
    trend = wide(par["dyad_drift_scale"], 1) * zero_sum(rng, (n, n_dyad))
    par["dyad_drift"] = old["dyad_drift"].mean(axis=1, keepdims=True) + trend
    error = rng.standard_normal((n, len(panel.kinds), n_dyad, 2))
    comp = slow_error(panel, spec.space, priors, error)
    moving, _ = targets(panel, sample.reading, par, old[names.PRESSURE], comp)
    eps = rng.standard_t(priors.fixed("shock_df"), moving.shape)
    common = wide(par["state_shock_scale"]) * zero_sum(rng, (n, n_year - 1, n_state))
    path, gap = paths(panel, par, moving, eps, common)
    out = dict(old)
    out[names.ALIGNMENT] = np.where(new[:, None], path, old[names.ALIGNMENT])
    if "gap" in old:
        out["gap"] = np.where(new[:, None], gap, old["gap"])
    if new.all():
        out["delegation"] = wide(par["delegation_scale"]) * zero_sum(rng, (n, n_year, n_state))
    return out


def _with_fixed(spec: Model, values: Mapping[str, np.ndarray], size: int) -> dict[str, np.ndarray]:
    """Values of every parameter of the structure: what was not sampled is held by the priors."""
    names_of = {
        *get_reading(spec.reading).COEFFICIENTS, *spec.priors.table, "shock_scale",
        "state_shock_scale",
    }  # fmt: skip
    out = dict(values)
    for name in sorted(names_of - set(out)):
        if name in spec.priors.table and spec.priors[name].dist == "Fixed":
            out[name] = np.full(size, spec.priors.fixed(name))
    return out


def held_out(layout: Layout, sample: Sample, known: Panel, seed: int) -> Replicator:
    """Draw the rows that `known` lacks, given those it has.

    Rows of which no draw can be made (an indicator that lost all its rows, a unit that never saw
    an event) are hidden from realised and replicated data alike.

    Raises
    ------
    ReplicationError
        `known` is no panel of the same axes without some rows.
    """
    from fairweather.heldout import held_draws

    whole, gone = layout.panel, left_out(layout, known)
    spec = build_model(known, reading=sample.reading, priors=sample.priors)
    cells: dict[str, tuple[Any, np.ndarray]] = {}
    for number, latent in enumerate(LATENTS):
        if any(i.id in gone for i in whole.indicators(latent)):
            rng = np.random.default_rng([seed, 3, number])
            cells |= _cells(held_draws(sample.values, spec, whole, rng, latent), layout, latent)
    grid, drawn, lost = dict(layout.grid), {}, 0
    for one, out in gone.items():
        made = np.zeros(out.shape, bool)
        if one in cells:
            made[cells[one][0]] = True
            drawn[one] = made
        lost += int((out & ~made).sum())
        grid[one] = np.where(out & ~made, np.nan, grid[one])
    notes = (f"{lost} rows left out could not be drawn and are hidden",) if lost else ()
    latents = {k: sample.values[k] for k in LATENTS}
    layout = replace(layout, grid=grid)
    return Replicator(layout, sample, drawn, latents, notes, cells=cells, seed=seed)


def left_out(layout: Layout, known: Panel) -> dict[str, np.ndarray]:
    """Cells of a panel that another lacks, per indicator, shape (unit, year).

    Raises
    ------
    ReplicationError
        Other axes, rows the panel does not have, or nothing left out.
    """
    whole = layout.panel
    same = known.dyads == whole.dyads and np.array_equal(known.years, whole.years)
    if not same or set(known.rows) - set(whole.rows):
        raise ReplicationError(
            "known= is not this panel without some rows",
            remedy="Make it with hold_out(panel, ...).",
        )
    out = {}
    for one, grid in layout.grid.items():
        gone = ~np.isnan(grid)
        if one in known.rows:
            gone[known.rows[one]["unit"].to_numpy(int), known.rows[one]["time"].to_numpy(int)] = 0
        if gone.any():
            out[one] = gone
    if not out:
        raise ReplicationError(
            "known= leaves nothing out", remedy="Make it with hold_out(panel, ...)."
        )
    return out


def _cells(
    found: xr.DataArray, layout: Layout, latent: str
) -> dict[str, tuple[tuple[np.ndarray, np.ndarray], np.ndarray]]:
    """Sort drawn cells by indicator: positions, and raw values of shape (draw, cell)."""
    panel, x = layout.panel, found.transpose(names.DRAW, ...).to_numpy()
    ids, units = found[names.INDICATOR].to_numpy(), found["unit"].to_numpy()
    times = found[names.YEAR].to_numpy().astype(int) - int(panel.years[0])
    place = {u: k for k, u in enumerate(panel.units(latent))}
    made, cells = np.isfinite(x).all(axis=0), {}
    for ind in panel.indicators(latent):
        at = np.flatnonzero((ids == ind.id) & made)
        if len(at):
            cell = (np.array([place[u] for u in units[at]], int), times[at])
            value = x[:, at]
            if ind.family == "vote":
                # Drawn as the smoothed share of agreement that the model reads.
                value = share_of_score(np.log(value / (1.0 - value)), layout.n[ind.id][cell])
            cells[ind.id] = (cell, value)
    return cells
