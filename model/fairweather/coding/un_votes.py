"""A vote counts only when both states cast one, and only on a contested adopted resolution.

Sources: the UN Library's General Assembly and Security Council voting records. Codes are
1 yes, 2 abstain, 3 no, 8 not voting. RUS is the Soviet Union to 1991; CHN is the People's Republic,
which votes from November 1971. Guarded by ``tests/test_coding.py``.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd

from fairweather.coding.registry import OutOfSpan, Sources, reader

YES, ABSTAIN, NO = 1, 2, 3
MIN_NO = 4  # contested: more than three "no", so that a lone dissenter does not set the agenda
MIN_BOTH = 10
PERMANENT = ("CHN", "FRA", "GBR", "RUS", "USA")


def agreement(votes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Count agreement of all pairs at once.

    Parameters
    ----------
    votes : ndarray, shape (roll call, state)
        1 yes, 2 abstain, 3 no; anything else is no vote.

    Returns
    -------
    same, opposite, both : ndarray, shape (state, state)
        Identical votes, yes against no, and roll calls on which both voted.

    Examples
    --------
    >>> same, opposite, both = agreement(np.array([[1, 1], [1, 3], [2, 8]]))
    >>> int(same[0, 1]), int(opposite[0, 1]), int(both[0, 1])
    (1, 1, 2)
    """
    yes, abstain, no = (np.asarray(votes == code, float) for code in (YES, ABSTAIN, NO))
    voted = yes + abstain + no
    same = yes.T @ yes + abstain.T @ abstain + no.T @ no
    opposite = yes.T @ no + no.T @ yes
    return same, opposite, voted.T @ voted


@reader("unga_votes")
def unga_votes(src: Sources) -> pd.DataFrame:
    """Count same, partly different and opposed votes of each pair on contested resolutions."""
    first, last = src.span(1950, 2024)
    calls = src.read("ga_rollcalls", ["rc", "year", "kind", "no"])
    calls = calls[
        (calls["kind"] == "resolution")
        & (calls["no"] >= MIN_NO)
        & calls["year"].between(first, last)
    ]
    votes = src.read("ga_votes", ["rc", "iso3", "vote"])
    votes = votes[votes["rc"].isin(calls["rc"]) & votes["iso3"].isin(src.states)]
    wide = votes.pivot(index="rc", columns="iso3", values="vote").fillna(0).sort_index(axis=1)
    year = calls.set_index("rc")["year"].reindex(wide.index)
    a, b = np.triu_indices(wide.shape[1], k=1)
    codes = wide.columns.to_numpy(object)
    units = codes[a] + "-" + codes[b]
    parts = []
    for each, block in wide.groupby(year):
        same, opposite, both = (m[a, b] for m in agreement(block.to_numpy()))
        parts.append(
            pd.DataFrame(
                {
                    "unit": units,
                    "year": each,
                    "value": same,
                    "partial": both - same - opposite,
                    "opposite": opposite,
                    "n": both,
                }
            )[both >= MIN_BOTH]
        )
    if not parts:
        raise OutOfSpan
    return pd.concat(parts, ignore_index=True)


def _permanent_pairs(src: Sources) -> list[tuple[str, str]]:
    return list(combinations([s for s in PERMANENT if s in src.states], 2))


def _yearly(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """Sum successes and trials by pair and year; a year without trials says nothing."""
    if not parts:
        raise OutOfSpan
    table = pd.concat(parts).groupby(["unit", "year"])[["value", "n"]].sum().reset_index()
    return table[table["n"] > 0]


@reader("unsc_joint_nonyes")
def unsc_joint_nonyes(src: Sources) -> pd.DataFrame:
    """Withholding of yes together, over adopted resolutions where either of the two withheld it.

    From 1982: before, the People's Republic often took no part in votes.
    """
    first, last = src.span(1982, 2021)
    names = [s.lower() for s in PERMANENT]
    calls = src.read("sc_rollcalls", ["year", "yes", *names])
    # Resolutions adopted without a vote carry code 8 for all fifteen members: they are no votes.
    calls = calls[calls["year"].between(first, last) & (calls["yes"] > 0)]
    parts = []
    for a, b in _permanent_pairs(src):
        seated = calls[calls[a.lower()].notna() & calls[b.lower()].notna()]
        one, other = seated[a.lower()] != YES, seated[b.lower()] != YES
        parts.append(
            pd.DataFrame(
                {"unit": f"{a}-{b}", "year": seated["year"], "value": one & other, "n": one | other}
            )
        )
    return _yearly(parts)


@reader("unsc_joint_veto")
def unsc_joint_veto(src: Sources) -> pd.DataFrame:
    """Drafts vetoed by both, over drafts vetoed by either."""
    first, last = src.span(1972, 2024)
    vetoes = src.read("sc_vetoes", ["year", *(s.lower() for s in PERMANENT)])
    vetoes = vetoes[vetoes["year"].between(first, last)]
    parts = []
    for a, b in _permanent_pairs(src):
        one, other = vetoes[a.lower()], vetoes[b.lower()]
        parts.append(
            pd.DataFrame(
                {
                    "unit": f"{a}-{b}",
                    "year": vetoes["year"],
                    "value": one * other,
                    "n": np.maximum(one, other),
                }
            )
        )
    return _yearly(parts)
