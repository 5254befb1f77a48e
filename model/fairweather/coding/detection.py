"""How much of what happened a list holds is read off lists that are nearly complete themselves.

Each kind of event has its own rate: state visits are noticed more often than drills. A year's rate
of a kind is the mean of a beta posterior: prior `PRIOR_TRIALS` trials, half of them found, data the
year's own trials at full weight and those of the two years before at half (`KERNEL`). Nothing later
enters, not even a rate learned over all years, so that what is said of a year could be said at its
end. A year's exposure is the plain mean over kinds, so that a year with many drills and few visits
is not read as a year of poor coverage.
Guarded by ``tests/test_chronology.py``.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

PRIOR_TRIALS = 4.0
KERNEL = {0: 1.0, 1: 0.5, 2: 0.5}  # by years back
# Days before and after the written date on which the event may have begun, by precision.
SLACK = {"day": (2, 2), "month": (0, 0), "reported": (7, 0), "approx": (7, 7)}


def periods(dates: pd.Series) -> tuple[pd.Series, pd.Series]:
    """First and last day that a date written as YYYY, YYYY-MM or YYYY-MM-DD may mean.

    Examples
    --------
    >>> first, last = periods(pd.Series(["2015-05"]))
    >>> str(first.item().date()), str(last.item().date())
    ('2015-05-01', '2015-05-31')
    """
    spans = dates.map(lambda text: pd.Period(str(text)))
    first = pd.to_datetime(spans.map(lambda p: p.start_time.normalize()))
    last = pd.to_datetime(spans.map(lambda p: p.end_time.normalize()))
    return first, last


def held(wanted: pd.Series, events: pd.DataFrame) -> pd.Series:
    """Say of each wanted date whether an event of the list falls on it.

    Parameters
    ----------
    wanted : Series of str
        Dates on which something of the kind began.
    events : DataFrame
        Events of the same kind in the list: `date`, `date_precision`. Events known to the year only
        match nothing.

    Returns
    -------
    Series of bool

    Examples
    --------
    >>> drills = pd.DataFrame({"date": ["2012-04-22"], "date_precision": ["day"]})
    >>> held(pd.Series(["2012-04-23", "2012-06-08"]), drills).tolist()
    [True, False]
    """
    events = events[events["date_precision"].isin(list(SLACK))]
    if events.empty or wanted.empty:
        return pd.Series(False, index=wanted.index)
    first, last = periods(events["date"])
    before, after = (
        pd.to_timedelta(events["date_precision"].map({k: v[side] for k, v in SLACK.items()}), "D")
        for side in (0, 1)
    )
    low, high = (first - before).to_numpy(), (last + after).to_numpy()
    begins, ends = (day.to_numpy()[:, None] for day in periods(wanted))
    return pd.Series(((low <= ends) & (high >= begins)).any(axis=1), index=wanted.index)


def yearly_rate(years: pd.Series, found: pd.Series, first: int, last: int) -> pd.Series:
    """Rate at which one kind is found, smoothed over the years before.

    Parameters
    ----------
    years : Series of int
        Year of each wanted event.
    found : Series of bool
    first, last : int
        Years to give a rate for; years before them do not count.

    Returns
    -------
    Series
        By year, above 0 and below 1.

    Examples
    --------
    >>> rate = yearly_rate(pd.Series([2001, 2003]), pd.Series([True, False]), 2001, 2003)
    >>> rate.round(2).tolist()
    [0.6, 0.56, 0.45]
    """
    span = range(first, last + 1)
    trials = years.value_counts().reindex(span, fill_value=0).to_numpy(float)
    hits = years[found].value_counts().reindex(span, fill_value=0).to_numpy(float)
    steps = np.subtract.outer(np.arange(len(span)), np.arange(len(span)))
    weight = np.zeros(steps.shape)
    for step, share in KERNEL.items():
        weight[steps == step] = share
    rate = (PRIOR_TRIALS / 2 + weight @ hits) / (PRIOR_TRIALS + weight @ trials)
    return pd.Series(rate, index=pd.Index(span, name="year"))


def exposure(
    kinds: Mapping[str, tuple[pd.DataFrame, pd.DataFrame]], first: int, last: int
) -> pd.Series:
    """Mean over kinds of the rate at which a list holds what independent lists hold.

    Parameters
    ----------
    kinds : mapping
        Name to a pair: the independent list (`date, year`) and the events of that kind in the list
        under study (`date, date_precision`).
    first, last : int
        Years.

    Returns
    -------
    Series
        By year. A kind without any entry in the years is left out; without any kind, 1.
    """
    rates = []
    for wanted, events in kinds.values():
        wanted = wanted[wanted["year"].between(first, last)]
        if len(wanted):
            rates.append(yearly_rate(wanted["year"], held(wanted["date"], events), first, last))
    if not rates:
        return pd.Series(1.0, index=pd.Index(range(first, last + 1), name="year"))
    return pd.concat(rates, axis=1).mean(axis=1)
