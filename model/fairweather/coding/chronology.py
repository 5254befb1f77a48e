"""Only the balance of signs is read from the hand-coded chronology, never its density.

Density follows what the coder could find and differs between periods. Events that another
indicator already counts are left out.
"""

from __future__ import annotations

import pandas as pd

from fairweather.coding.registry import Sources, reader
from fairweather.names import FOCAL

# Channel -> pattern (case ignored) of events that another indicator counts.
COUNTED_ELSEWHERE = {
    "military": r"exercise|joint sea|peace mission|coalition-|patrol|vostok|flotilla|joint-20",
    "UN": r"veto",
    "trade": r"trade",
    "arms": r"\bdelivered\b|^delivery|shipped|arms exports to china reported",
    "finance": r"swap",
}


def counted_elsewhere(events: pd.DataFrame) -> pd.Series:
    """Say which events another indicator counts.

    Parameters
    ----------
    events : DataFrame
        Columns `channel` and `event` (text).

    Returns
    -------
    Series of bool

    Examples
    --------
    >>> f = pd.DataFrame({"channel": ["UN", "UN"], "event": ["Joint veto of a draft", "A speech"]})
    >>> counted_elsewhere(f).tolist()
    [True, False]
    """
    out = pd.Series(False, index=events.index)
    for channel, pattern in COUNTED_ELSEWHERE.items():
        out |= (events["channel"] == channel) & events["event"].str.contains(
            pattern, case=False, regex=True
        )
    return out


@reader("chronology_sign")
def chronology_sign(src: Sources) -> pd.DataFrame:
    """Cooperative events among all signed events between China and Russia."""
    events = src.read(
        "chronology",
        ["year", "event", "channel", "sign", "reliability"],
    )
    events = events[
        events["year"].between(*src.span(1991, 2024))
        & events["sign"].isin([-1, 1])
        & (events["reliability"] != "U")
        & ~counted_elsewhere(events)
    ]
    events["value"] = (events["sign"] == 1).astype(int)
    table = events.groupby("year")["value"].agg(value="sum", n="size").reset_index()
    return table.assign(unit=FOCAL)
