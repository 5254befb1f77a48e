"""Scores that have come due as small tables: means by forecast, and skill where cells allow it.

Invariant: a mean is over cells that all forecasts compared speak of, indicators counting alike.
Guarded by ``tests/test_due.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairweather.baselines import BASELINES
from fairweather.due.final import FINAL, PROVISIONAL
from fairweather.due.scored import ISSUED, KEYS
from fairweather.scores import SCORES

if TYPE_CHECKING:
    import pandas as pd

# With fewer cells than this one ratio of scores says nothing.
MIN_CELLS = 20


def means(scores: pd.DataFrame) -> pd.DataFrame:
    """Mean scores of each issued forecast and of the plain ones beside it.

    Parameters
    ----------
    scores : DataFrame
        From `due_scores`.

    Returns
    -------
    DataFrame
        ``serial, origin, forecast, cells, final, provisional``, every score (the mean over
        indicators of their means; NaN where none has it), and ``inside_50``, ``inside_89``. A cell
        of which any of the forecasts does not speak is left out for all of them; where that leaves
        none, the issued forecast stands alone.
    """
    import pandas as pd

    rows = []
    for (serial, origin, forecast), part in _in_common(scores).groupby(
        ["serial", "origin", "forecast"], sort=False
    ):
        by = part.groupby("indicator")
        row = {"serial": serial, "origin": origin, "forecast": forecast, "cells": len(part)}
        row |= {s: int((part["status"] == s).sum()) for s in (FINAL, PROVISIONAL)}
        row |= {s: float(by[s].mean().mean()) for s in SCORES}
        row |= {c: float(part[c].mean()) for c in part.columns if c.startswith("inside_")}
        rows.append(row)
    return pd.DataFrame(rows)


def _in_common(scores: pd.DataFrame) -> pd.DataFrame:
    """Keep the cells of each issued forecast of which all forecasts beside it speak."""
    speaks = scores["crps"].notna()
    whole = speaks.groupby([scores[c] for c in ("id", *KEYS)]).transform("all")
    some = whole.groupby(scores["id"]).transform("any")
    return scores[whole | (~some & (scores["forecast"] == ISSUED))]


def skills(scores: pd.DataFrame, score: str = "crps") -> pd.DataFrame:
    """Skill of the issued forecasts against each plain one, over all that have come due.

    Parameters
    ----------
    scores : DataFrame
        From `due_scores`.
    score : str

    Returns
    -------
    DataFrame
        As `fairweather.skill.skill_table`; a plain forecast that shares fewer than `MIN_CELLS`
        values is left out. A value that several forecasts spoke of counts once for that.
    """
    import pandas as pd

    from fairweather.skill import SkillError, common, skill_table

    parts = []
    # Two forecasts of one origin are two forecasts: they are told apart by their serials.
    told = scores.assign(origin=scores["serial"])
    for plain in BASELINES:
        try:
            came = common(told, score, [ISSUED, plain]).index.to_frame(index=False)
            if len(came[KEYS].drop_duplicates()) < MIN_CELLS:
                continue
        except SkillError:
            continue
        parts.append(skill_table(told, [ISSUED], [plain], score=score))
    columns = ["forecast", "against", "group", "skill", "lower", "upper", "better", "cells",
               "years"]  # fmt: skip
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
