"""A small panel with a running year: rows as a file would give them, and made-up draws of it."""

import datetime as dt
from functools import cache

import made_fit
from fairweather.monitor import read_rows, running
from fairweather.monitor.rows import COLUMNS
from fairweather.simulate import prior_tree

TODAY = dt.date(2025, 10, 5)
GOOD = (
    "unga_votes,CHN-RUS,2025,20,4,1,25,2025-09-30,",
    "unsc_joint_veto,CHN-RUS,2025,1,,,2,2025-09-30,",
    "arms_deliveries,CHN-RUS,2025,1,,,,2025-09-30,",
    "us_leader_contacts,CHN,2025,2,,,,2025-09-30,",
    "fr_sanction_docs,RUS,2025,3,,,,2025-06-30,federal_register",
)


def write(path, *lines, header=True, before=()):
    """A file of rows; `before` are lines above the header."""
    top = [",".join(COLUMNS)] if header else []
    path.write_text("\n".join([*before, *top, *lines]) + "\n", encoding="utf-8")
    return path


@cache
def _rows(folder):
    return read_rows(write(folder / "good.csv", *GOOD), made_fit.panel(), TODAY)


def rows(folder):
    """Good rows of 2025."""
    return _rows(folder).copy()


def tree(panel, draws=60, seed=1):
    """Draws with every quantity of a fit, from the prior: nothing was learned from any row."""
    return prior_tree(panel, draws=draws, random_seed=seed)


def fit(panel, *, reading, priors, settings, before, say):
    """Stand in for a fit."""
    say("made up")
    made = prior_tree(panel, reading=reading, priors=priors, draws=60)
    return made, "made up"


__all__ = ["GOOD", "TODAY", "fit", "rows", "running", "tree", "write"]
