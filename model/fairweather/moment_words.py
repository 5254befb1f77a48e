"""The brief's expectations beside the forecast and what came, claim by claim.

Invariant: every answer follows from a rule written here before any fit; where the weather a claim
speaks of never came, the answer is that it was not put to the test.
Guarded by ``tests/test_moment.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fairweather.moment_rows import CAME, EXPECTED, UNCHANGED
from fairweather.moment_tables import place
from fairweather.wording import percent, points

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

BORE_OUT, DID_NOT, OPEN, UNTESTED = "came", "did not come", "undecided", "not put to the test"
BELOW, ABOVE, AS_FORECAST = "below the forecast", "above the forecast", "as forecast"
# Draws on one side of an outcome, and how many years ahead the effects are read.
TAIL, AHEAD = 0.1, 5
# Years in which an easing had to show: Russia's within a term; China's before it was to pass.
RUSSIA_YEARS, CHINA_YEARS = 4, 2
# The reading in which security may answer sooner than the economy.
LEADS = "domains"


@dataclass(frozen=True)
class Word:
    """One expectation of the brief.

    Attributes
    ----------
    claim : str
    paper : str
        Paraphrase.
    read : callable
        From the moment to forecast, outcome and answer.
    """

    claim: str
    paper: str
    read: Callable[[xr.DataTree], tuple[str, str, str]]


def eased(found: xr.DataTree, state: str, years: int) -> tuple[float, float, str]:
    """Tell the expected and actual mean change of pressure in the first years, and if it came.

    It came if pressure fell by half of what was expected or more, did not if it did not fall.

    Returns
    -------
    expected, came : float
        SD of states.
    answer : str
    """
    mine = found["pressure"].to_dataset().sel(state=state).isel(year=slice(0, years))
    expected, came = float(mine["expected"].mean()), float(mine["came"].mean())
    if came >= 0:
        return expected, came, DID_NOT
    return expected, came, BORE_OUT if came <= 0.5 * expected else OPEN


def _either_eased(found: xr.DataTree) -> tuple[str, str]:
    """Tell what became of an easing on either state, and the answer."""
    moved = {"RUS": eased(found, "RUS", RUSSIA_YEARS), "CHN": eased(found, "CHN", CHINA_YEARS)}
    text = ", ".join(f"{s} {m[1]:+.1f} SD" for s, m in moved.items())
    if all(m[2] == DID_NOT for m in moved.values()):
        return f"pressure rose or stayed ({text})", UNTESTED
    return f"pressure moved ({text})", OPEN


def _one_eased(state: str, years: int) -> Callable[[xr.DataTree], tuple[str, str]]:
    def read(found: xr.DataTree) -> tuple[str, str]:
        _, came, answer = eased(found, state, years)
        verb = "rose or stayed" if answer == DID_NOT else "fell"
        text = f"pressure on {state} {verb} ({came:+.1f} SD)"
        return text, UNTESTED if answer == DID_NOT else OPEN

    return read


def _weather(state: str, years: int) -> Callable[[xr.DataTree], tuple[str, str, str]]:
    def read(found: xr.DataTree) -> tuple[str, str, str]:
        expected, came, answer = eased(found, state, years)
        start = int(found.attrs["moment"])
        last = min(years, int(found.attrs["horizon"]))
        mine = found["pressure"].to_dataset().sel(state=state).isel(year=last - 1)
        # Beside a mean over years stands the interval of that mean.
        low, high = (float(mine[f"mean_{k}"]) for k in ("lower", "upper"))
        span = f"{start + 1}-{start + last}" if last > 1 else f"{start + 1}"
        return (
            f"brief {expected:+.2f} SD, {span}; no change by the model, 90 % [{low:+.1f}, "
            f"{high:+.1f}]",
            f"{came:+.2f} SD", answer,
        )  # fmt: skip

    return read


def _five_years(found: xr.DataTree) -> int:
    return min(AHEAD, int(found.attrs["horizon"])) - 1


def _told(values: np.ndarray, sign: str) -> str:
    """Effect with its interval and the chance of the sign the brief expects."""
    low, middle, high = np.quantile(values, (0.055, 0.5, 0.945))
    share = (values < 0).mean() if sign == "falls" else (values >= 0).mean()
    error = float(np.sqrt(max(share * (1 - share), 0.25 / len(values)) / len(values)))
    what = "chance of a fall" if sign == "falls" else "chance of no fall"
    return f"{middle:+.2f} [{low:+.2f}, {high:+.2f}] SD; {what} {percent(share, error)} %"


def _fragile(found: xr.DataTree) -> tuple[str, str, str]:
    effect = found["effects"]["expected_minus_unchanged"].to_numpy()[:, _five_years(found)]
    return _told(effect, "falls"), *_either_eased(found)


def _lasts(found: xr.DataTree) -> tuple[str, str, str]:
    alive = found["survival"].to_dataset().isel(year=_five_years(found))
    a, b = (alive.sel(weather=w) for w in (EXPECTED, UNCHANGED))
    chance = percent(float(a["probability"]), float(a["mc_error"]))
    against = points(float(a["probability"] - b["probability"]), float(a["mc_error"]))
    return (f"{chance} % stays above the {found.attrs['threshold']} level if eased, {against} "
            "points against no change", *_either_eased(found))  # fmt: skip


def _alone(state: str, sign: str, years: int) -> Callable[[xr.DataTree], tuple[str, str, str]]:
    def read(found: xr.DataTree) -> tuple[str, str, str]:
        effect = found["effects"]["eased_alone"].sel(state=state).to_numpy()
        text = f"{state} eased alone: {_told(effect[:, _five_years(found)], sign)}"
        return text, *_one_eased(state, years)(found)

    return read


def _unequal(found: xr.DataTree) -> tuple[str, str, str]:
    effect = found["effects"]["eased_alone"].isel(year=_five_years(found))
    gap = (effect.sel(state="RUS") - effect.sel(state="CHN")).to_numpy()
    return f"Russia's effect less China's: {_told(gap, 'falls')}", *_either_eased(found)


def _security_first(found: xr.DataTree) -> tuple[str, str, str]:
    """Three years on, in SD of each series' past: what easing takes from either domain."""
    from fairweather.moment_rows import linked

    scores = found["scores"].to_dataset()
    data = found["observables"].to_dataset().isel(year=slice(0, 3))
    moved: dict[str, list[float]] = {"security": [], "economic": []}
    for name in data["indicator"].values:
        at = np.flatnonzero(scores["indicator"].values == name)[0]
        domain, family = (str(scores[k].values[at]) for k in ("domain", "family"))
        sd = float(scores["past_sd"].values[at])
        if domain not in moved or not np.isfinite(sd):
            continue
        value = linked(family, data["value"].sel(indicator=name).transpose("weather", ...))
        at_e, at_u = (list(data["weather"].values).index(w) for w in (EXPECTED, UNCHANGED))
        moved[domain].append(float((value[at_e] - value[at_u]).mean()) / sd)
    text = ", ".join(f"{k} {np.mean(v):+.2f} SD" for k, v in moved.items() if v)
    if found.attrs.get("reading") != LEADS:
        text = f"{text or 'no series'}; one latent moves both, so the order is not forecast"
    return text or "no series", *_either_eased(found)


def arms(found: xr.DataTree, first: int, last: int, name: str = "arms_deliveries"):
    """Mean yearly deals delivering over some years, forecast under what came, and the outcome.

    Returns
    -------
    tuple of str, or None
        Forecast, outcome, and which side of the forecast it lies on (a tenth of draws beyond it);
        None where no year is coded.
    """
    data = found["observables"].to_dataset()
    if name not in data["indicator"].values:
        return None
    one = data.sel(indicator=name).sel(year=slice(first, last))
    seen = ~np.isnan(one["outcome"].to_numpy())
    if not seen.any():
        return None
    draws = one["value"].sel(weather=CAME).to_numpy()[:, seen].mean(axis=1)
    outcome = float(one["outcome"].to_numpy()[seen].mean())
    low, middle, high = np.quantile(draws, (0.05, 0.5, 0.95))
    at = place(draws, outcome)
    answer = BELOW if at < TAIL else ABOVE if at > 1 - TAIL else AS_FORECAST
    span = f"{first}" if first == last else f"{first}-{last}"
    return (f"arms deals delivering a year, {span}: {middle:.0f} [{low:.0f}, {high:.0f}]",
            f"{outcome:.1f} (at {100 * at:.0f} % of the forecast)", answer)  # fmt: skip


def _arms(years: int) -> Callable[[xr.DataTree], tuple[str, str, str]]:
    def read(found: xr.DataTree) -> tuple[str, str, str]:
        start = int(found.attrs["moment"])
        last = start + min(years, int(found.attrs["horizon"]))
        return arms(found, start + 1, last) or ("no series", "not coded", OPEN)

    return read


WORDS = (
    Word("C37", "A reset of US-Russia relations is possible: pressure on Russia falls",
         _weather("RUS", RUSSIA_YEARS)),
    Word("C38", "The US pulls back in Asia, which relieves China at once",
         _weather("CHN", CHINA_YEARS)),
    Word("C08", "The tie does not survive fair weather: eased, it weakens", _fragile),
    Word("C34", "Open question: does the momentum outlast better relations with the US?", _lasts),
    Word("C40", "Relieved of sanctions Russia has other partners, and its cooperation falls",
         _alone("RUS", "falls", RUSSIA_YEARS)),
    Word("C43", "Russia's need drops at once with easing, China's does not", _unequal),
    Word("C44", "China's demand for Russian support stays or grows when the US pulls back",
         _alone("CHN", "stays", CHINA_YEARS)),
    Word("C41", "The loss falls first on security: arms, exercises, coordination",
         _security_first),
    Word("C47", "Russia's tone on arms sales changes within weeks of the vote", _arms(1)),
    Word("C48", "Russia may trade its arms sales to China for favour in Washington", _arms(3)),
    Word("C33", "Without disruption China goes on gaining, arms and energy stakes included",
         _arms(8)),
)  # fmt: skip


def words(found: xr.DataTree) -> pd.DataFrame:
    """Lay the brief's expectations beside forecast and outcome.

    Parameters
    ----------
    found : DataTree
        From `fairweather.moment.moment`.

    Returns
    -------
    DataFrame
        claim, paper, forecast, outcome, answer. Effects are on alignment, five years on, in SD of
        dyads, median and 89 %. Of C33, C47 and C48 the record measures arms alone: an answer
        there is about deliveries, which lag the deals they come from.

    Examples
    --------
    >>> words(found)  # doctest: +SKIP
    """
    import pandas as pd

    rows = [(w.claim, w.paper, *w.read(found)) for w in WORDS]
    return pd.DataFrame(rows, columns=["claim", "paper", "forecast", "outcome", "answer"])
