"""What happened around an episode, beside what a reading that had not seen it expected.

Invariant: realised and replicated changes pass through the same function and differ only in the
rows that were held out. Guarded by ``tests/test_contest_windows.py``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fairweather import names
from fairweather.contest.design import AFTER, BEFORE
from fairweather.scales import link

if TYPE_CHECKING:
    import pandas as pd

    from fairweather.model import Model
    from fairweather.panel import Panel

# Label of the mean over the ties of a state with partners under pressure themselves.
PRESSED = "pressed"
STATISTICS = ("change", "change_security", "change_economic", "change_diplomatic")


def all_rows(panel: Panel) -> pd.DataFrame:
    """Every row of alignment on its link scale, signed and in SDs of its indicator.

    Returns
    -------
    DataFrame
        indicator, unit, year, domain, family, n, ``level``; ``attrs["scale"]``: per indicator the
        centre, SD and sign that make a value a level.
    """
    import pandas as pd

    from fairweather.measurement.vote import score

    axis, parts, scale = np.array(panel.units(names.ALIGNMENT)), [], {}
    for ind in panel.indicators(names.ALIGNMENT):
        rows = panel.rows[ind.id]
        value = rows["value"].to_numpy(float)
        if ind.family == "vote":
            logit = score(value, rows["partial"].to_numpy(float), rows["n"].to_numpy(float))
            value = 1.0 / (1.0 + np.exp(-logit))
        x = link(ind.family, value, rows["n"])
        sd = x.std()
        scale[ind.id] = (float(x.mean()), float(sd) if sd > 0 else 1.0, float(ind.sign))
        parts.append(pd.DataFrame({
            "indicator": ind.id, "unit": axis[rows["unit"].to_numpy(int)],
            "year": panel.years[rows["time"].to_numpy(int)], "domain": ind.domain,
            "family": ind.family, "n": rows["n"].to_numpy(float),
            "level": scaled(x, scale[ind.id]),
        }))  # fmt: skip
    out = pd.concat(parts, ignore_index=True)
    out.attrs["scale"] = scale
    return out


def scaled(x: np.ndarray, scale: tuple[float, float, float]) -> np.ndarray:
    """Standardise link values, up being closer."""
    centre, sd, sign = scale
    return sign * (x - centre) / sd


def change(
    rows: pd.DataFrame, levels: np.ndarray, window: Mapping[str, Any], domain: str | None
) -> dict[str, np.ndarray]:
    """Change around a window per dyad of its state, and their mean under the key ``""``.

    Per indicator: mean of the years from the end to three after it, less the mean of the three
    years before the start; mean over the indicators of a domain, then over domains.

    Parameters
    ----------
    rows : DataFrame
        Labels of the cells: indicator, unit, year, domain.
    levels : ndarray, shape (draw, row)
    window : mapping
        ``state, start, end``.
    domain : str, optional
        One domain alone.

    Returns
    -------
    dict of str to ndarray, shape (draw,)
        Dyads without rows on both sides are left out; empty if all are.
    """
    own = rows["unit"].str.split("-").map(lambda pair: window["state"] in pair).to_numpy(bool)
    if domain is not None:
        own = own & (rows["domain"] == domain).to_numpy()
    out = changes(rows[own], levels[:, own], window["start"], window["end"])
    return out | {"": np.mean(list(out.values()), axis=0)} if out else {}


def changes(rows: pd.DataFrame, levels: np.ndarray, start: int, end: int) -> dict[str, np.ndarray]:
    """Change around a window per dyad, whoever its states are; see `change`.

    Returns
    -------
    dict of str to ndarray, shape (draw,)
    """
    year = rows["year"].to_numpy(int)
    near = (year >= start - BEFORE) & (year <= end + AFTER)
    near = near & ((year < start) | (year >= end))
    rows, levels, year = rows[near], levels[:, near], year[near]
    found: dict[str, dict[str, list[np.ndarray]]] = {}
    groups = rows.reset_index(drop=True).groupby(["unit", "domain", "indicator"], sort=True)
    for (unit, part, _), at in groups.indices.items():
        past = year[at] < start
        if past.any() and not past.all():
            moved = levels[:, at[~past]].mean(axis=1) - levels[:, at[past]].mean(axis=1)
            found.setdefault(unit, {}).setdefault(part, []).append(moved)
    return {
        unit: np.mean([np.mean(v, axis=0) for v in parts.values()], axis=0)
        for unit, parts in found.items()
    }


def pressed_ties(panel: Panel, window: Mapping[str, Any]) -> list[str]:
    """Ties of a window's state with partners under more pressure than most in the years before it.

    Parameters
    ----------
    panel : Panel
    window : mapping
        ``state, start, end``.

    Returns
    -------
    list of str
        Dyads whose other state had, over the three years before the start, coded pressure above
        the median of all states.

    Examples
    --------
    >>> import fairweather as fw
    >>> panel = fw.load_panel(states=["CHN", "DEU", "IRN", "PRK", "RUS"])
    >>> pressed_ties(panel, {"state": "RUS", "start": 1995, "end": 1995})
    ['CHN-RUS', 'IRN-RUS']
    """
    years = (panel.years >= window["start"] - BEFORE) & (panel.years < window["start"])
    if not years.any():
        return []
    felt = panel.anchor_fill[:, years].mean(axis=1)
    above = {s for s, x in zip(panel.states, felt, strict=True) if x > np.median(felt)}
    state = window["state"]
    return [
        d for d in panel.dyads
        if state in d.split("-") and above & (set(d.split("-")) - {state})
    ]  # fmt: skip


def replications(
    values: Mapping[str, np.ndarray], known: Model, whole: Panel,
    windows: Sequence[Mapping[str, Any]], seed: int,
) -> list[dict[str, Any]]:  # fmt: skip
    """Set what happened around held-out windows beside what the fit expected.

    Parameters
    ----------
    values : mapping of str to array
        Draws of the fit.
    known : Model
        The model that was fitted, without the windows' rows.
    whole : Panel
    windows : sequence of mapping
        ``state, start, end, type``.
    seed : int

    Returns
    -------
    list of dict
        One per window, statistic and dyad (``""``: mean over the state's dyads; ``pressed``: over
        those with partners under pressure themselves; else the pair in question): reading,
        episode_id, state, start, end, type, dyad, statistic, realised, replicated_mean,
        replicated_lower, replicated_upper (89 %), p_value: share of replications at or below what
        happened.
    """
    from fairweather.heldout import held_draws

    rows = all_rows(whole)
    drawn = held_draws(values, known, whole, np.random.default_rng(seed))
    place = {
        k: n for n, k in enumerate(zip(rows["indicator"], rows["unit"], rows["year"], strict=True))
    }
    at = np.array([
        place[k] for k in zip(drawn["indicator"].values, drawn["unit"].values,
                              drawn["year"].values, strict=True)
    ], int)  # fmt: skip
    real = rows["level"].to_numpy()[None]
    replicated = np.repeat(real, drawn.shape[0], axis=0)
    x, scales = drawn.values, rows.attrs["scale"]
    for indicator in np.unique(drawn["indicator"].values):
        cells = np.flatnonzero(drawn["indicator"].values == indicator)
        family, n = rows["family"].iloc[at[cells[0]]], rows["n"].to_numpy()[at[cells]]
        replicated[:, at[cells]] = scaled(link(family, x[:, cells], n), scales[indicator])
    # A cell no reading can speak of is missing on both sides.
    blank = np.zeros(len(rows), bool)
    blank[at] = np.isnan(x).any(axis=0)
    rows, real, replicated = rows[~blank], real[:, ~blank], replicated[:, ~blank]
    out = []
    for w in windows:
        for statistic in STATISTICS:
            domain = None if statistic == "change" else statistic.removeprefix("change_")
            was, would = (change(rows, v, w, domain) for v in (real, replicated))
            ties = [d for d in pressed_ties(whole, w) if d in was]
            for path in (was, would):
                if ties:
                    path[PRESSED] = np.mean([path[d] for d in ties], axis=0)
            for dyad in ("", PRESSED, whole.focal):
                if dyad not in was or ("-" in dyad and w["state"] not in dyad.split("-")):
                    continue
                rep, seen = would[dyad], float(was[dyad][0])
                low, high = np.quantile(rep, (0.055, 0.945))
                out.append({
                    "reading": known.reading, **w, "dyad": dyad, "statistic": statistic,
                    "episode_id": f"{w['state']}-{w['type']}-{w['start']}",
                    "realised": round(seen, 4), "replicated_mean": round(float(rep.mean()), 4),
                    "replicated_lower": round(float(low), 4),
                    "replicated_upper": round(float(high), 4),
                    "p_value": round(float(((rep < seen) + 0.5 * (rep == seen)).mean()), 4),
                })  # fmt: skip
    return out
