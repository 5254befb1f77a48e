"""What the moment shows, as tables: scores by domain and horizon, pressure, survival, series.

Invariant: forecasts are compared only on rows that all of them forecast; every mean carries the
number of rows and series behind it. Guarded by ``tests/test_moment.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fairweather import names
from fairweather.moment_rows import BASELINES, FORECASTS, UNCHANGED, WEATHERS

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

# Years ahead, first and last.
BANDS = {"1-2 years": (1, 2), "3-5 years": (3, 5), "6-8 years": (6, 10)}
ALL = "all"


def score_rows(found: xr.DataTree) -> pd.DataFrame:
    """One row per scored row of the record and forecast.

    Parameters
    ----------
    found : DataTree
        From `fairweather.moment.moment`.

    Returns
    -------
    DataFrame
        indicator, domain, family, year, horizon, forecast, value and crps (on the link scale of
        the family), crps_sd (in SD of the series' own rows known at the moment), pit_low,
        pit_high, inside_50, inside_90, log (minus the log score: smaller is better). Plain
        forecasts that could not be made are left out.

    Examples
    --------
    >>> score_rows(found)  # doctest: +SKIP
    """
    table = found["scores"].to_dataset().to_dataframe().reset_index()
    table = table[table["crps"].notna()].copy()
    table["crps_sd"] = table["crps"] / table["past_sd"]
    table["horizon"] = table[names.YEAR] - int(found.attrs["moment"])
    columns = [
        "indicator", "domain", "family", "year", "horizon", "forecast", "value", "crps", "crps_sd",
        "pit_low", "pit_high", "inside_50", "inside_90", "log",
    ]  # fmt: skip
    order = {name: k for k, name in enumerate(FORECASTS)}
    table = table.assign(order=table["forecast"].map(order))
    return table.sort_values(["row", "order"])[columns].reset_index(drop=True)


def score_table(rows: pd.DataFrame, by: str = "domain") -> pd.DataFrame:
    """Mean scores of each forecast on the rows that all forecasts have.

    Parameters
    ----------
    rows : DataFrame
        From `score_rows`.
    by : {"domain", "horizon", "indicator", "both"}
        What to group by; ``all`` comes first, "both" crosses domains with horizons.

    Returns
    -------
    DataFrame
        group, forecast, rows, series, crps_sd, skill (one less the ratio of its CRPS to that of
        the random walk), inside_50, inside_90, log, better_than_walk and
        better_than_climatology (series whose mean CRPS is smaller).

    Examples
    --------
    >>> score_table(score_rows(found), by="horizon")  # doctest: +SKIP
    """
    import pandas as pd

    every = rows.groupby(["indicator", "year"])["forecast"].transform("nunique") == len(FORECASTS)
    rows = rows[every & rows["crps_sd"].notna()]
    band = pd.Series("", index=rows.index)
    for label, (first, last) in BANDS.items():
        band[rows["horizon"].between(first, last)] = label
    group = {
        "domain": rows["domain"], "indicator": rows["indicator"], "horizon": band,
        "both": rows["domain"] + ", " + band,
    }[by]  # fmt: skip
    out = [_means(rows, ALL)]
    out += [_means(rows[group == label], label) for label in dict.fromkeys(group.sort_values())]
    return pd.concat([x for x in out if len(x)], ignore_index=True)


def _means(rows: pd.DataFrame, label: str) -> pd.DataFrame:
    import pandas as pd

    by_series = rows.pivot_table(index="indicator", columns="forecast", values="crps_sd")
    out = []
    for name in FORECASTS:
        mine = rows[rows["forecast"] == name]
        if mine.empty:
            continue
        line: dict[str, Any] = {"group": label, "forecast": name, "rows": len(mine),
                                "series": mine["indicator"].nunique()}  # fmt: skip
        line |= {k: mine[k].mean() for k in ("crps_sd", "inside_50", "inside_90", "log")}
        rival = rows.loc[rows["forecast"] == BASELINES[0], "crps_sd"].mean()
        line["skill"] = 1.0 - line["crps_sd"] / rival if rival > 0 else np.nan
        for key, other in zip(
            ("better_than_walk", "better_than_climatology"), BASELINES, strict=True
        ):
            line[key] = int((by_series[name] < by_series[other]).sum())
        out.append(line)
    return pd.DataFrame(out)


def pressure_table(found: xr.DataTree) -> pd.DataFrame:
    """Did the expected weather come: one row per state and year.

    Returns
    -------
    DataFrame
        state, year, expected and came (SD of states, against the end of the moment's year), seen
        (False where the anchor is no longer coded and its last value stays), the 90 % interval of
        unchanged weather, the same of the mean from the first year through this one (mean_lower,
        mean_upper), whether what came lies in that of the year, and the CRPS of either forecast.

    Examples
    --------
    >>> pressure_table(found)  # doctest: +SKIP
    """
    table = found["pressure"].to_dataset().to_dataframe().reset_index()
    inside = table["came"].between(table["unchanged_lower"], table["unchanged_upper"])
    return table.assign(within_unchanged=inside)


def survival_table(found: xr.DataTree) -> pd.DataFrame:
    """Chance of staying above the level in every year so far: one row per weather and year.

    Examples
    --------
    >>> survival_table(found)  # doctest: +SKIP
    """
    table = found["survival"].to_dataset().to_dataframe(dim_order=["weather", names.YEAR])
    return table.reset_index()


def series_table(found: xr.DataTree) -> pd.DataFrame:
    """Forecast and outcome of each series: one row per series and weather, means over years.

    Returns
    -------
    DataFrame
        indicator, weather, years (scored), outcome (mean over these years), median, lower, upper
        (of the same mean under the forecast, 90 %), place (share of draws below the outcome, half
        of those equal).

    Examples
    --------
    >>> series_table(found)  # doctest: +SKIP
    """
    import pandas as pd

    data, out = found["observables"].to_dataset(), []
    for name in data[names.INDICATOR].values:
        one = data.sel(indicator=name)
        seen = ~np.isnan(one["outcome"].to_numpy())
        outcome = float(one["outcome"].to_numpy()[seen].mean())
        for weather in WEATHERS:
            draws = one["value"].sel(weather=weather).to_numpy()[:, seen].mean(axis=1)
            low, middle, high = np.quantile(draws, (0.05, 0.5, 0.95))
            out.append({
                "indicator": str(name), "weather": weather, "years": int(seen.sum()),
                "outcome": outcome, "median": middle, "lower": low, "upper": high,
                "place": place(draws, outcome),
            })  # fmt: skip
    return pd.DataFrame(out)


def place(draws: np.ndarray, value: float) -> float:
    """Share of draws below a value, and half of those that equal it.

    Examples
    --------
    >>> place(np.array([1.0, 2.0, 2.0, 3.0]), 2.0)
    0.5
    """
    return float((draws < value).mean() + 0.5 * (draws == value).mean())


def sentences(found: xr.DataTree) -> list[str]:
    """Say in plain words what came of it.

    Examples
    --------
    >>> sentences(found)  # doctest: +SKIP
    """
    from fairweather.wording import percent

    last = int(found.attrs["moment"]) + int(found.attrs["horizon"])
    table = pressure_table(found)
    out = []
    for state, mine in table.groupby("state"):
        seen = mine[mine["seen"]]
        end = (seen if len(seen) else mine).iloc[-1]
        first = mine.iloc[0]
        out.append(
            f"Pressure on {state}: expected {first['expected']:+.1f} SD in {first['year']} and "
            f"{end['expected']:+.1f} by {end['year']}; came {first['came']:+.1f} and "
            f"{end['came']:+.1f}."
        )
    alive = survival_table(found).query("year == @last").set_index("weather")
    chances = ", ".join(
        f"{percent(r['probability'], r['mc_error'])} % {_under(name)}"
        for name, r in alive.iterrows()
    )
    out.append(
        f"Chance that alignment stays above its {found.attrs['threshold']} level to {last}: "
        f"{chances}."
    )
    effect = found["effects"]["expected_minus_came"].to_numpy()[:, -1]
    low, middle, high = np.quantile(effect, (0.055, 0.5, 0.945))
    out.append(
        f"Alignment in {last} under the expected weather less that under what came: "
        f"{middle:+.2f} SD of dyads, 89 % [{low:+.2f}, {high:+.2f}]."
    )
    moved = found["observables"]["agenda"].to_numpy()
    if np.isfinite(moved).any():
        all_pairs, pair = np.nanmean(moved, axis=1)
        out.append(
            f"Agreement of all pairs in contested votes moved by {all_pairs:+.2f} logits on "
            f"average, that of the pair by {pair:+.2f}; the agenda of the years is in both, and no "
            "forecast knows it."
        )
    scores = score_table(score_rows(found)).query("group == 'all'").set_index("forecast")
    if len(scores):
        means = ", ".join(f"{r['crps_sd']:.2f} {_under(name)}" for name, r in scores.iterrows())
        one = scores.loc[UNCHANGED]
        out.append(
            f"Mean CRPS over {one['rows']} rows of {one['series']} series, in SD of their own past "
            f"(smaller is better): {means}."
        )
        came = scores.loc["came"]
        out.append(
            f"Under the weather that came, outcomes lie within the 50 % interval for "
            f"{100 * came['inside_50']:.0f} % and within the 90 % interval for "
            f"{100 * came['inside_90']:.0f} % of rows; the forecast beats the random walk on "
            f"{came['better_than_walk']} and climatology on {came['better_than_climatology']} of "
            f"{came['series']} series."
        )
    return out


def _under(name: str) -> str:
    names_of = {
        "expected": "as expected", "came": "under the weather that came",
        "unchanged": "under unchanged weather",
    }  # fmt: skip
    return names_of.get(name, f"by {name.replace('-', ' ')}")
