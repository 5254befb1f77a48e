"""A vote counts only when both states cast one, and only on a contested adopted resolution.

Sources: the UN Library's General Assembly and Security Council voting records. Codes are
1 yes, 2 abstain, 3 no, 8 not voting. RUS is the Russian Federation in all years used here.
"""

from __future__ import annotations

from itertools import combinations

import pandas as pd

from fairweather.coding.registry import FIRST_YEAR, LAST_YEAR, Sources, reader
from fairweather.names import FOCAL

YES, ABSTAIN, NO = 1, 2, 3
MIN_NO = 4  # contested: more than three "no", so that a lone dissenter does not set the agenda
MIN_BOTH = 10


@reader("unga_votes")
def unga_votes(src: Sources) -> pd.DataFrame:
    """Count same, partly different and opposed votes of each pair on contested resolutions."""
    calls = src.read("un_votes/ga_rollcalls.parquet", ["rc", "year", "kind", "no"])
    calls = calls[
        (calls["kind"] == "resolution")
        & (calls["no"] >= MIN_NO)
        & calls["year"].between(FIRST_YEAR, LAST_YEAR)
    ]
    votes = src.read("un_votes/ga_votes.parquet", ["rc", "iso3", "vote"])
    votes = votes[
        votes["rc"].isin(calls["rc"])
        & votes["iso3"].isin(src.states)
        & votes["vote"].isin([YES, ABSTAIN, NO])
    ]
    wide = votes.pivot(index="rc", columns="iso3", values="vote").astype(float)
    year = calls.set_index("rc")["year"].reindex(wide.index)
    parts = []
    for a, b in combinations([s for s in src.states if s in wide], 2):
        gap = (wide[a] - wide[b]).abs()
        counts = pd.DataFrame(
            {
                "value": (gap == 0).groupby(year).sum(),
                "partial": (gap == 1).groupby(year).sum(),
                "opposite": (gap == 2).groupby(year).sum(),
                "n": gap.notna().groupby(year).sum(),
            }
        )
        parts.append(counts.assign(unit=f"{a}-{b}").reset_index())
    table = pd.concat(parts, ignore_index=True)
    return table[table["n"] >= MIN_BOTH]


@reader("unsc_joint_nonyes")
def unsc_joint_nonyes(src: Sources) -> pd.DataFrame:
    """Withholding of yes together, over adopted resolutions where either of the two withheld it."""
    calls = src.read("un_votes/sc_rollcalls.parquet", ["year", "chn", "rus", "yes"])
    # Resolutions adopted without a vote carry code 8 for all fifteen members: they are no votes.
    calls = calls[calls["year"].between(FIRST_YEAR, 2021) & (calls["yes"] > 0)]
    china, russia = calls["chn"] != YES, calls["rus"] != YES
    table = pd.DataFrame({"year": calls["year"], "value": china & russia, "n": china | russia})
    table = table.groupby("year")[["value", "n"]].sum().reset_index()
    return table[table["n"] > 0].assign(unit=FOCAL)


@reader("unsc_joint_veto")
def unsc_joint_veto(src: Sources) -> pd.DataFrame:
    """Drafts vetoed by both, over drafts vetoed by either."""
    vetoes = src.read("un_votes/sc_vetoes.csv", ["year", "chn", "rus"])
    vetoes = vetoes[vetoes["year"].between(FIRST_YEAR, LAST_YEAR)]
    vetoes["value"] = vetoes["chn"] * vetoes["rus"]
    vetoes["n"] = vetoes[["chn", "rus"]].max(axis=1)
    table = vetoes.groupby("year")[["value", "n"]].sum().reset_index()
    return table[table["n"] > 0].assign(unit=FOCAL)
