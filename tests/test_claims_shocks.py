import pandas as pd
import pytest

from fairweather.claims.shocks import count_shocks, shock_table
from fairweather.episodes import shock_of
from made_contest import shocks
from made_fit import panel


def entry(kind, of=(), method="posterior"):
    return {"shocks": kind, "of": list(of), "method": method}


@pytest.mark.parametrize(
    ("starts", "number"),
    [([], 0), ([2001], 1), ([2001, 2002, 2003], 2), ([2003, 2001, 2001, 2010], 3)],
)
def test_a_shock_takes_in_what_starts_within_a_year_of_its_first(starts, number):
    assert len(set(shock_of(starts).tolist())) == number


def test_the_table_holds_both_kinds():
    found = pd.DataFrame(
        [("CHN", 2001, 2002, "easing"), ("RUS", 2002, 2002, "easing"),
         ("RUS", 2009, 2011, "easing"), ("IRN", 2009, 2010, "hardship")],
        columns=["state", "start", "end", "type"],
    )  # fmt: skip
    table = shock_table(found)
    assert table["type"].tolist() == ["easing", "easing", "hardship"]
    assert table["states"].tolist() == ["CHN, RUS", "RUS", "IRN"]
    assert count_shocks(entry("easing", ["CHN"]), panel(), table) == 1
    assert count_shocks(entry("both", ["RUS"]), panel(), table) == 2
    assert count_shocks(entry("hardship", ["RUS"]), panel(), table) == 0
    assert count_shocks(entry("both"), panel(), table) == 3


def test_what_is_not_a_shock_is_counted_otherwise_or_not_at_all():
    assert count_shocks(entry("states"), panel(), shocks()) == 4
    assert count_shocks(entry("years"), panel(), shocks()) == 33
    assert count_shocks(entry("none"), panel(), shocks()) is None
    assert count_shocks(entry("both"), panel(), None) is None
    assert count_shocks(entry("years", method="record"), panel(), shocks()) is None
