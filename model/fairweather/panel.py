"""The panel: a record laid out as labelled arrays over states, dyads and years.

Invariant: the panel holds only rows of its record, so what the record hides (as-of) the panel
cannot show; every axis carries real labels. Guarded by ``tests/test_panel.py``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from fairweather import names
from fairweather.errors import AsOfError, RecordError
from fairweather.record import Record, load_record

if TYPE_CHECKING:
    import xarray as xr

REFERENCE_YEARS = (1998, 2002)
HISTORY_BEFORE = 1992


@dataclass(frozen=True)
class Panel:
    """Arrays for the model, each with its labels.

    Attributes
    ----------
    states, dyads : tuple of str
        Axis labels; dyads are alphabetical pairs such as ``CHN-RUS``.
    years : ndarray of int, shape (year,)
        Every year from the first to the origin, observed or not.
    focal : str
        The dyad the forecast is about.
    left, right : ndarray of int, shape (dyad,)
        Positions of each dyad's two states.
    rows : dict of str to DataFrame
        Long rows per indicator: ``unit`` and ``time`` positions, value, partial, opposite, n.
    complementarity : ndarray, shape (kind, dyad, year)
        Structural complementarity, standardised, carried over gaps, lagged one year.
    likeness : ndarray, shape (kind, dyad, year)
        Likeness of regimes and of leaders, laid out alike. The reading ``regime`` alone reads it;
        it holds all there is on record, whatever indicators the panel was asked for.
    anchor_fill : ndarray, shape (state, year)
        Pressure anchor, interpolated: the point around which pressure is sampled.
    movement : ndarray, shape (state,)
        Variance over time of each state's anchor. With ``anchor_mean`` and ``spread`` a constant
        of the design: a simulated world keeps those it was simulated under.
    spread : dict of str to float
        Spread within units of each ``within`` item; empty: as its rows show it.
    foreseen : int
        Of a panel with years to be foreseen (`fairweather.ahead.extend`): years at the end without
        a vote.
    """

    record: Record
    states: tuple[str, ...]
    dyads: tuple[str, ...]
    years: np.ndarray
    focal: str
    left: np.ndarray
    right: np.ndarray
    rows: dict[str, pd.DataFrame] = field(repr=False)
    complementarity: np.ndarray = field(repr=False)
    kinds: tuple[str, ...]
    anchor_fill: np.ndarray = field(repr=False)
    anchor_mean: float
    movement: np.ndarray = field(repr=False)
    reference: dict[str, tuple[float, float]]
    spread: dict[str, float] = field(default_factory=dict, repr=False)
    likeness: np.ndarray = field(default_factory=lambda: np.zeros((0, 0, 0)), repr=False)
    likeness_kinds: tuple[str, ...] = ()
    foreseen: int = 0

    @property
    def origin(self) -> int:
        """The last year of the panel: forecasts start the year after."""
        return int(self.years[-1])

    def indicators(self, latent: str) -> list[Any]:
        """Codebook entries of one latent that have rows in this panel."""
        return [i for i in self.record.codebook.by(latent=latent) if i.id in self.rows]

    def units(self, latent: str) -> tuple[str, ...]:
        """Labels of the units an indicator of this latent is coded for."""
        return self.dyads if latent == names.ALIGNMENT else self.states

    def to_datatree(self) -> xr.DataTree:
        """Lay the panel out as an ``xarray.DataTree``, one dataset per latent, NaN where unseen."""
        import xarray as xr

        nodes = {}
        for latent, dim in ((names.ALIGNMENT, names.DYAD), (names.PRESSURE, names.STATE)):
            labels = self.units(latent)
            data = {}
            for ind in self.indicators(latent):
                grid = np.full((len(labels), len(self.years)), np.nan)
                frame = self.rows[ind.id]
                grid[frame["unit"], frame["time"]] = frame["value"]
                data[ind.id] = ((dim, names.YEAR), grid, {"label": ind.label})
            coords = {dim: list(labels), names.YEAR: self.years}
            nodes[latent] = xr.Dataset(data, coords=coords)
        drivers = {
            names.COMPLEMENTARITY: (self.kinds, self.complementarity),
            names.LIKENESS: (self.likeness_kinds, self.likeness),
        }
        for latent, (kinds, values) in drivers.items():
            if kinds:
                nodes[latent] = xr.Dataset(
                    {"value": ((names.KIND, names.DYAD, names.YEAR), values)},
                    coords={names.KIND: list(kinds), names.DYAD: list(self.dyads),
                            names.YEAR: self.years},
                )  # fmt: skip
        return xr.DataTree.from_dict(nodes)


def dyads_of(states: tuple[str, ...]) -> tuple[str, ...]:
    """All unordered pairs of states, alphabetical.

    Examples
    --------
    >>> dyads_of(("RUS", "CHN"))
    ('CHN-RUS',)
    """
    return tuple(f"{a}-{b}" for a, b in combinations(sorted(states), 2))


def _drivers(
    record: Record,
    latent: str,
    read: frozenset[str],
    dyads: tuple[str, ...],
    years: np.ndarray,
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Mean of both directions, gaps carried, lagged a year, standardised over the panel."""
    kinds = names.DOMAINS[latent]
    out = np.zeros((len(kinds), len(dyads), len(years)))
    for k, kind in enumerate(kinds):
        kin = record.codebook.by(latent=latent, domain=kind)
        obs = record.observations
        obs = obs[obs["indicator"].isin([i.id for i in kin if i.id in read])]
        if obs.empty:
            continue
        one, other = obs["unit"].str[:3], obs["unit"].str[4:]
        dyad = np.where(one < other, one + "-" + other, other + "-" + one)
        wide = (
            obs.assign(dyad=dyad)
            .groupby(["dyad", "year"])["value"]
            .mean()
            .unstack("year")
            .reindex(index=list(dyads))
            .reindex(columns=range(int(years[0]) - 1, int(years[-1]) + 1))
        )
        wide = wide.interpolate(axis=1, limit_direction="both")
        wide = wide.fillna(wide.stack().mean())
        values = wide.to_numpy()[:, :-1]
        spread = values.std()
        out[k] = (values - values.mean()) / (spread if spread > 0 else 1.0)
    return out, tuple(kinds)


def _anchor(record: Record, states: tuple[str, ...], years: np.ndarray) -> tuple[np.ndarray, float]:
    """Interpolate the pressure anchor over the panel; a state never seen sits at the mean."""
    anchors = [i.id for i in record.codebook.by(latent=names.PRESSURE) if i.anchor]
    obs = record.observations
    obs = obs[obs["indicator"].isin(anchors)]
    wide = obs.pivot(index="unit", columns="year", values="value")
    wide = wide.reindex(index=list(states), columns=list(years)).astype(float)
    mean = float(np.nanmean(wide.to_numpy())) if wide.notna().to_numpy().any() else 0.0
    fill = wide.interpolate(axis=1, limit_direction="both").fillna(mean)
    return fill.to_numpy(), mean


def fill_anchor(panel: Panel, rows: dict[str, pd.DataFrame]) -> np.ndarray:
    """Interpolate the anchor of pressure from other rows of a panel, around the panel's mean.

    Returns
    -------
    ndarray, shape (state, year)
    """
    grid = np.full(panel.anchor_fill.shape, np.nan)
    for ind in panel.indicators(names.PRESSURE):
        if ind.anchor and ind.id in rows:
            frame = rows[ind.id]
            grid[frame["unit"], frame["time"]] = frame["value"]
    full = pd.DataFrame(grid).interpolate(axis=1, limit_direction="both")
    return full.fillna(panel.anchor_mean).to_numpy()


def _reference(record: Record) -> dict[str, tuple[float, float]]:
    """Centre and spread of each latent's anchor across all units in the reference years.

    Fixed by the record alone, so that reported numbers compare across fits.
    """
    out = {}
    for latent in (names.ALIGNMENT, names.PRESSURE):
        ids = [i.id for i in record.codebook.by(latent=latent) if i.anchor]
        obs = record.observations
        obs = obs[obs["indicator"].isin(ids) & obs["year"].between(*REFERENCE_YEARS)]
        if latent == names.ALIGNMENT and not obs.empty:
            score = (obs["value"] + 0.5 * obs["partial"] + 2.0) / (obs["n"] + 4.0)
            obs = obs.assign(value=np.log(score / (1.0 - score)))
        unit = obs.groupby("unit")["value"].mean()
        spread = float(unit.std()) if len(unit) > 2 else 1.0
        centre = float(unit.mean()) if len(unit) else 0.0
        out[latent] = (centre, spread if spread > 0 else 1.0)
    return out


def _chosen(record: Record, indicators: Iterable[str] | None) -> frozenset[str]:
    """Ids of the indicators to read, the anchors, which fix sign and scale, always among them."""
    if indicators is None:
        return frozenset(i.id for i in record.codebook.by(default=True))
    wanted = [record.codebook[name] for name in indicators]
    for one in wanted:
        if not one.fitted:
            raise RecordError(
                f"no fit can read {one.id!r}: family {one.family}, unit {one.units_are}",
                remedy="Leave it out; it is for description only.",
            )
    return frozenset(i.id for i in (*wanted, *record.codebook.by()) if i in wanted or i.anchor)


def _described_until(record: Record) -> int:
    return max(i.last_year for i in record.codebook.by())


def load_panel(
    record: Record | None = None,
    *,
    as_of: str | date | None = None,
    states: list[str] | None = None,
    first_year: int = 1992,
    last_year: int | None = None,
    focal: str = names.FOCAL,
    indicators: Iterable[str] | None = None,
) -> Panel:
    """Lay a record out for the model.

    Parameters
    ----------
    record : Record, optional
        Default: the record shipped with the project.
    as_of : str or date, optional
        Use only rows available on that day. The panel then ends with the last year complete on
        that day.
    states : list of str, optional
        ISO3 codes; default all states of the record.
    first_year, last_year : int, optional
        Bounds of the panel. A first year before 1992 reads the long record, from 1950.
    focal : str
        Dyad the forecast is about, alphabetical.
    indicators : iterable of str, optional
        Indicators to read; by default those the codebook marks for the default fit.

    Returns
    -------
    Panel

    Raises
    ------
    RecordError
        Unknown state or focal dyad, an indicator no fit can read, or no year left.
    AsOfError
        ``as_of`` lies before any data.

    Examples
    --------
    >>> import fairweather as fw
    >>> panel = fw.load_panel(states=["CHN", "RUS", "IND"])
    >>> panel.dyads
    ('CHN-IND', 'CHN-RUS', 'IND-RUS')
    """
    if record is None:
        record = load_record(as_of=as_of, history=first_year < HISTORY_BEFORE)
    elif as_of is not None:
        raise RecordError("give as_of to load_record, or no record; not both")
    if states is not None:
        record = record.select(states=states)
    members = tuple(sorted(record.states["iso3"]))
    if len(members) < 3:
        raise RecordError(
            f"{len(members)} states leave nothing to compare the pair with",
            remedy="Name three states or more.",
        )
    dyads = dyads_of(members)
    if focal not in dyads:
        raise RecordError(
            f"focal dyad '{focal}' is not among the {len(dyads)} dyads of the panel; "
            "name two of its states in alphabetical order, e.g. CHN-RUS"
        )
    obs = record.observations
    read = _chosen(record, indicators)
    measured = [i.id for i in record.codebook.by() if i.latent in (names.ALIGNMENT, names.PRESSURE)]
    likelihood = obs[obs["indicator"].isin(read & frozenset(measured))]
    if likelihood.empty:
        raise AsOfError(f"no observation is available as of {record.as_of}; choose a later date")
    end = int(likelihood["year"].max())
    if record.as_of is not None:
        day = pd.Timestamp(record.as_of)
        end = min(max(end, day.year - 1), day.year) if day.month < 12 else day.year
        end = min(end, max(int(likelihood["year"].max()), _described_until(record)))
    end = min(end, last_year) if last_year is not None else end
    if end - first_year < 5:
        raise RecordError(f"the panel would run {first_year}-{end}; it needs six years or more")
    years = np.arange(first_year, end + 1)
    rows: dict[str, pd.DataFrame] = {}
    for latent, labels in ((names.ALIGNMENT, dyads), (names.PRESSURE, members)):
        position = {u: k for k, u in enumerate(labels)}
        for ind in record.codebook.by(latent=latent):
            if ind.id not in read:
                continue
            frame = obs[(obs["indicator"] == ind.id) & obs["year"].between(first_year, end)]
            frame = frame[frame["unit"].isin(position)]
            if frame.empty:
                continue
            rows[ind.id] = pd.DataFrame({
                "unit": frame["unit"].map(position).to_numpy(),
                "time": frame["year"].to_numpy() - first_year,
                **{c: frame[c].to_numpy(float) for c in ("value", "partial", "opposite", "n")},
            })  # fmt: skip
    comp, kinds = _drivers(record, names.COMPLEMENTARITY, read, dyads, years)
    # No measurement and in no default fit: on record is read.
    every = frozenset(i.id for i in record.codebook.by(latent=names.LIKENESS))
    alike, alike_kinds = _drivers(record, names.LIKENESS, every, dyads, years)
    fill, mean = _anchor(record, members, years)
    index = {s: k for k, s in enumerate(members)}
    pairs = [d.split("-") for d in dyads]
    return Panel(
        record=record, states=members, dyads=dyads, years=years, focal=focal,
        left=np.array([index[a] for a, _ in pairs]),
        right=np.array([index[b] for _, b in pairs]),
        rows=rows, complementarity=comp, kinds=kinds, anchor_fill=fill, anchor_mean=mean,
        movement=fill.var(axis=1), reference=_reference(record),
        likeness=alike, likeness_kinds=alike_kinds,
    )  # fmt: skip
