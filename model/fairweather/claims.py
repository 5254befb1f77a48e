"""Claims are judged by quantities and thresholds stated in a file, never computed from a fit.

Invariant: prior and posterior are judged by the same functions, with the shipped scenarios
whatever the forecast was made under, and no verdict is given where the reading cannot speak.
Guarded by ``tests/test_claims.py``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fairweather import names
from fairweather.draws import Draws, priors_of
from fairweather.dynamics import five_year_share
from fairweather.errors import CodebookError, ScenarioError
from fairweather.forecast import Futures, all_shifts
from fairweather.paths import data_dir
from fairweather.readings import get_reading
from fairweather.scenarios import BASELINE, check_scenarios, load_scenarios

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from fairweather.panel import Panel
    from fairweather.priors import Priors

NOTE = "preliminary, in-sample"
NOT_TESTABLE = "not testable here"
YEARS_AHEAD = 5
_FUTURES = 40
_TEXT = ("statement", "quantity", "formal", "needs", "reason")
_NUMBERS = ("upper", "lower")


@dataclass(frozen=True)
class Evidence:
    """What a claim says of each draw.

    Attributes
    ----------
    value : ndarray, shape (draw,)
        The reported quantity.
    holds : ndarray of bool, shape (draw,)
        Whether the formal statement holds.
    note : str
    """

    value: np.ndarray
    holds: np.ndarray
    note: str = ""


def load_claims(path: str | Path | None = None) -> dict[str, dict[str, Any]]:
    """Read the claims and their thresholds.

    Raises
    ------
    CodebookError
        Unreadable file, a missing field, an unknown claim, or thresholds that are no probabilities.

    Examples
    --------
    >>> sorted(load_claims())
    ['C01', 'C08', 'C36', 'C43']
    """
    file = data_dir() / "claims.toml" if path is None else Path(path)
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))["claim"]
    except (OSError, KeyError, tomllib.TOMLDecodeError) as err:
        raise CodebookError(
            f"no claims can be read ({err})", file=file, remedy="Write [claim.C01] tables."
        ) from err
    for name, entry in table.items():
        problem = None
        if name not in QUANTITIES:
            problem = f"is not one of {', '.join(QUANTITIES)}"
        elif missing := [k for k in (*_TEXT, *_NUMBERS) if k not in entry]:
            problem = f"lacks {', '.join(missing)}"
        elif not 0 <= entry["lower"] < entry["upper"] <= 1:
            problem = "needs 0 <= lower < upper <= 1"
        elif entry["needs"] not in ("none", "pressure", "elasticity"):
            problem = f"needs = {entry['needs']!r} is not none, pressure or elasticity"
        if problem:
            raise CodebookError(f"[claim.{name}] {problem}", file=file, remedy="Mend it.")
    return table


def assess(
    tree: xr.DataTree, panel: Panel | None = None, fc: xr.DataTree | None = None, *,
    prior_tree: xr.DataTree | None = None, priors: Priors | None = None,
) -> pd.DataFrame:  # fmt: skip
    """Score the claims.

    Parameters
    ----------
    tree : DataTree
        A fit.
    panel : Panel, optional
    fc : DataTree, optional
        A forecast from the fit, quoted in the notes.
    prior_tree : DataTree, optional
        Draws from the prior laid out like a fit; default: simulated.
    priors : Priors, optional
        The belief set of the fit.

    Returns
    -------
    DataFrame
        claim_id, statement, quantity, value (mean), lower, upper (89 %), probability that the
        formal statement holds, prior_probability of the same, threshold, verdict, note.

    Examples
    --------
    >>> import fairweather as fw
    >>> fw.assess_claims(fw.fit(fw.load_panel()))  # doctest: +SKIP
    """
    import pandas as pd

    priors = priors_of(tree) if priors is None else priors
    draws = Draws.of(tree, panel, priors)
    if prior_tree is None:
        from fairweather.simulate import prior_tree as simulate

        prior_tree = simulate(
            draws.panel, reading=draws.reading, priors=priors, draws=400, random_seed=1
        )
    before = Draws.of(prior_tree, draws.panel, priors)
    rows = []
    for name, entry in load_claims().items():
        row = {
            "claim_id": name, "statement": entry["statement"], "quantity": entry["quantity"],
            "value": np.nan, "lower": np.nan, "upper": np.nan,
            "probability": np.nan, "prior_probability": np.nan, "threshold": entry["upper"],
        }  # fmt: skip
        reason = _silent(draws, entry["needs"])
        if reason is None:
            now, then = (QUANTITIES[name](d, entry) for d in (draws, before))
            row["value"] = float(now.value.mean())
            row["lower"], row["upper"] = map(float, np.quantile(now.value, (0.055, 0.945)))
            row["probability"] = float(now.holds.mean())
            row["prior_probability"] = float(then.holds.mean())
            row["verdict"] = verdict(row["probability"], entry["lower"], entry["upper"])
            said = [NOTE, now.note, _durability(fc) if name == "C08" else ""]
        else:
            row["verdict"], said = NOT_TESTABLE, [NOTE, reason]
        rows.append(row | {"note": "; ".join(s for s in said if s)})
    return pd.DataFrame(rows)


def verdict(probability: float, lower: float, upper: float) -> str:
    """Turn a probability into a verdict.

    Examples
    --------
    >>> verdict(0.9, 0.1, 0.9), verdict(0.4, 0.1, 0.9), verdict(0.02, 0.1, 0.9)
    ('borne out', 'undecided', 'contradicted')
    """
    if probability >= upper:
        return "borne out"
    return "contradicted" if probability <= lower else "undecided"


def _silent(draws: Draws, needs: str) -> str | None:
    """Why a claim cannot be judged from these draws; None if it can."""
    if draws.panel.focal != names.FOCAL:
        return f"the claim is about {names.FOCAL}, the fit about {draws.panel.focal}"
    has = get_reading(draws.reading).COEFFICIENTS
    if needs == "pressure" and not has:
        return f"in the reading {draws.reading} pressure plays no part by construction"
    if needs == "elasticity" and "elasticity" not in has:
        return f"the reading {draws.reading} gives the states no elasticity of their own"
    return None


def _durability(fc: xr.DataTree | None) -> str:
    """Quote durability under ease-both, where the forecast has it."""
    if fc is None or "durability" not in fc.children:
        return ""
    table = fc["durability"].to_dataset()
    name = "ease-both"
    if name not in table[names.SCENARIO].values:
        return ""
    last = table["probability"].sel(scenario=name).isel(threshold=0, horizon=-1)
    return f"under {name} it stays above its {last.threshold.item()} level through year " \
        f"{last.horizon.item()} with probability {float(last):.2f}"  # fmt: skip


def _sd(draws: Draws) -> float:
    return draws.reference[names.ALIGNMENT][1]


def exogenous(draws: Draws, entry: dict[str, Any]) -> Evidence:
    """C01: variance over the years of the terms of the target, each by itself."""
    _, pressure, comp = draws.history()
    terms = draws.terms(pressure[:, None], comp, draws.panel.years)
    size = {k: v[:, 0].var(axis=-1) for k, v in terms.items()}
    p, c, d = size["pressure"], size["complementarity"], size["drift"]
    share = p / np.maximum(p + c + d, 1e-300)
    note = (
        f"pressure exceeds drift with probability {(p > d).mean():.2f}, "
        f"both with {((p > c) & (p > d)).mean():.2f}"
    )
    return Evidence(share, p > c, note)


def fragile(draws: Draws, entry: dict[str, Any]) -> Evidence:
    """C08: mean effect of the shipped scenario ease-both on alignment after five years."""
    wanted = load_scenarios().select([BASELINE, "ease-both"])
    scenarios = check_scenarios(wanted, draws.panel)
    if "ease-both" not in scenarios.names:
        raise ScenarioError(
            "claim C08 needs 'ease-both'", file=wanted.file,
            remedy="Restore it: pressure on CHN and RUS eased by one SD.",
        )  # fmt: skip
    futures = Futures(draws, YEARS_AHEAD, np.random.default_rng(1), _FUTURES)
    base, eased = (futures.under(s)[0] for s in all_shifts(draws, scenarios, YEARS_AHEAD))
    effect = (eased - base)[:, :, -1].mean(axis=1) / _sd(draws)
    return Evidence(effect, effect < entry.get("size", 0.0))


def moderated(draws: Draws, entry: dict[str, Any]) -> Evidence:
    """C36: effect of complementarity with both pressures one SD above and below their mean."""
    _, pressure, _ = draws.history()
    mean = pressure.mean(axis=(1, 2)) - draws.panel.anchor_mean
    spread = draws.reference[names.PRESSURE][1]
    kinds = [draws.get(f"complementarity_{k}") for k in draws.panel.kinds]
    main, scope = np.mean(kinds, axis=0), draws.get("scope")
    low, high = main + scope * (mean - spread), main + scope * (mean + spread)
    holds = (scope > 0) & (np.abs(low) < np.abs(high))
    return Evidence((high - low) / _sd(draws), holds, f"scope positive in {(scope > 0).mean():.2f}")


def asymmetric(draws: Draws, entry: dict[str, Any]) -> Evidence:
    """C43: effect on the target of easing one state by one SD from the origin year."""
    _, pressure, comp = draws.history()
    now = pressure[:, None, :, -1:]
    year = draws.panel.years[-1:]

    def target(p: np.ndarray) -> np.ndarray:
        return share * sum(draws.terms(p, comp[:, :, -1:], year).values())[:, 0, 0]

    share = five_year_share(draws.get("half_life"))
    effect = {}
    for side, state in enumerate(draws.pair):
        eased = now.copy()
        eased[:, :, side] -= draws.reference[names.PRESSURE][1]
        effect[state] = (target(eased) - target(now)) / _sd(draws)
    russia, china = effect["RUS"], effect["CHN"]
    note = f"easing Russia {russia.mean():.2f}, easing China {china.mean():.2f}"
    return Evidence(russia - china, (russia < 0) & (russia < china), note)


QUANTITIES: dict[str, Callable[[Draws, dict[str, Any]], Evidence]] = {
    "C01": exogenous, "C08": fragile, "C36": moderated, "C43": asymmetric,
}  # fmt: skip
