"""Every series of a panel in the years after it, drawn from a fit that reaches into those years.

Invariant: what is drawn depends on the rows known and on the number of trials of a year (votes
cast, incidents judged), never on a later value. Guarded by ``tests/test_ahead.py``.

The years to come are years of the panel without rows: their latents are sampled with all others,
by the model's own law, shocks of states and the return of pressure to its mean included. Drivers
keep their last value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from fairweather import names
from fairweather.errors import FairweatherError

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from fairweather.model import Model
    from fairweather.panel import Panel

# A series without a row in so many years has ended: nothing of it is due.
ENDED = 3
KEYS = ["indicator", "unit", "year"]


class AheadError(FairweatherError):
    """The years to come cannot be laid out or drawn."""


def extend(panel: Panel, last_year: int) -> Panel:
    """Add years without rows to a panel.

    Parameters
    ----------
    panel : Panel
    last_year : int

    Returns
    -------
    Panel
        Same rows and constants of the design; drivers and the anchor of pressure keep their last
        value.

    Raises
    ------
    AheadError
        The year is not after the panel's last.

    Examples
    --------
    >>> import fairweather as fw
    >>> panel = fw.load_panel(states=["CHN", "RUS", "IND"])
    >>> extend(panel, panel.origin + 3).origin - panel.origin
    3
    """
    more = last_year - panel.origin
    if more < 1:
        raise AheadError(
            f"{last_year} is not after {panel.origin}, the panel's last year",
            remedy="Name a later year.",
        )

    def longer(x: np.ndarray) -> np.ndarray:
        if x.size == 0:
            return x
        return np.concatenate([x, np.repeat(x[..., -1:], more, axis=-1)], axis=-1)

    return replace(
        panel, years=np.arange(int(panel.years[0]), last_year + 1),
        complementarity=longer(panel.complementarity), likeness=longer(panel.likeness),
        anchor_fill=longer(panel.anchor_fill),
    )  # fmt: skip


def due(panel: Panel) -> pd.DataFrame:
    """List the cells to foresee: each living series in the years after its last row.

    Parameters
    ----------
    panel : Panel
        From `extend`.

    Returns
    -------
    DataFrame
        latent, indicator, family, domain, unit, year, ``value`` (the last known one), ``partial``,
        ``opposite``, ``n`` (trials of that row), ``last`` (its year).

    Examples
    --------
    >>> import fairweather as fw
    >>> panel = fw.load_panel(states=["CHN", "RUS", "IND"])
    >>> cells = due(extend(panel, panel.origin + 1))
    >>> bool((cells["year"] > cells["last"]).all())
    True
    """
    import pandas as pd

    parts = []
    for latent in (names.ALIGNMENT, names.PRESSURE):
        axis = np.array(panel.units(latent))
        for one in panel.indicators(latent):
            rows = panel.rows[one.id].sort_values("time").groupby("unit").tail(1)
            last = panel.years[rows["time"].to_numpy(int)]
            newest = int(last.max())
            for k in np.flatnonzero(last > newest - ENDED):
                years = np.arange(last[k] + 1, panel.origin + 1)
                row = rows.iloc[k]
                parts.append(pd.DataFrame({
                    "latent": latent, "indicator": one.id, "family": one.family,
                    "domain": one.domain, "unit": axis[int(row["unit"])], "year": years,
                    **{c: float(row[c]) for c in ("value", "partial", "opposite", "n")},
                    "last": int(last[k]),
                }))  # fmt: skip
    if not parts:
        raise AheadError("no series has a year to come", remedy="Extend the panel first.")
    return pd.concat(parts, ignore_index=True)


def with_cells(panel: Panel, cells: pd.DataFrame) -> Panel:
    """Put cells into a panel as rows, so that they can be drawn or scored.

    Parameters
    ----------
    panel : Panel
        From `extend`, of the fit.
    cells : DataFrame
        Columns of `due`. To draw a cell its value is not read; to score it, it is the outcome.

    Returns
    -------
    Panel
    """
    import pandas as pd

    rows, first = dict(panel.rows), int(panel.years[0])
    for (latent, indicator), part in cells.groupby(["latent", "indicator"], sort=False):
        place = {u: k for k, u in enumerate(panel.units(latent))}
        more = pd.DataFrame({
            "unit": part["unit"].map(place).to_numpy(), "time": part["year"].to_numpy(int) - first,
            **{c: part[c].to_numpy(float) for c in ("value", "partial", "opposite", "n")},
        })  # fmt: skip
        # An indicator may have had no row among the states of this panel so far.
        seen = [panel.rows[indicator]] if indicator in panel.rows else []
        rows[indicator] = pd.concat([*seen, more], ignore_index=True)
    return replace(panel, rows=rows)


def foresee(
    values: Mapping[str, Any], known: Model, cells: pd.DataFrame, rng: np.random.Generator
) -> np.ndarray:
    """Draw cells that a fit has not seen.

    Parameters
    ----------
    values : mapping of str to array
        Draws of a fit of an extended panel, draw axis first.
    known : Model
        The model that was fitted.
    cells : DataFrame
        From `due`; the trials ``n`` of a cell may be those that came.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray, shape (draw, cell)
        In the units of the record, of votes the share of agreement. NaN where no reading can
        speak: a unit that never saw an event.

    Raises
    ------
    FairweatherError
        Draws of another panel.

    Examples
    --------
    >>> foresee(values, model, due(model.panel), np.random.default_rng(1))  # doctest: +SKIP
    """
    from fairweather.heldout import held_draws

    whole = with_cells(known.panel, cells)
    return _in_order(
        [held_draws(values, known, whole, rng, latent) for latent in _latents(cells)], cells
    )


def density(values: Mapping[str, Any], known: Model, cells: pd.DataFrame) -> np.ndarray:
    """Log density of outcomes that a fit has not seen, in their families' own units.

    Parameters
    ----------
    values, known
        As in `foresee`.
    cells : DataFrame
        As from `due`, with the outcome in ``value``, ``partial``, ``opposite`` and ``n``.

    Returns
    -------
    ndarray, shape (draw, cell)
        NaN where no reading can speak.

    Examples
    --------
    >>> density(values, model, outcomes).shape  # doctest: +SKIP
    (600, 3800)
    """
    from fairweather.heldout import held_density

    whole = with_cells(known.panel, cells)
    return _in_order(
        [held_density(values, known, whole, latent) for latent in _latents(cells)], cells
    )


def _latents(cells: pd.DataFrame) -> list[str]:
    present = set(cells["latent"])
    return [latent for latent in (names.ALIGNMENT, names.PRESSURE) if latent in present]


def _in_order(found: list[xr.DataArray], cells: pd.DataFrame) -> np.ndarray:
    """Bring labelled cells into the order asked for."""
    place: dict[tuple[str, str, int], int] = {}
    for one in found:
        for key in zip(*(one[k].values for k in KEYS), strict=True):
            place[key] = len(place)
    every = np.concatenate([one.values for one in found], axis=1)
    order = [place[key] for key in zip(*(cells[k] for k in KEYS), strict=True)]
    return every[:, order]
