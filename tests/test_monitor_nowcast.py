"""What was seen of the running year stays, what was not is drawn, the rest is not told."""

import numpy as np
import pytest

import made_fit
from fairweather.draws import Draws
from fairweather.monitor import nowcast, running
from fairweather.monitor.nowcast import BOUNDS
from fairweather.priors import load_priors
from monitor_made import rows, tree

PANEL, PRIORS = made_fit.panel(), load_priors()


@pytest.fixture(scope="module")
def some(tmp_path_factory):
    return rows(tmp_path_factory.mktemp("rows"))


@pytest.fixture(scope="module")
def found(some):
    whole = running(PANEL, some)
    return nowcast(Draws.of(tree(whole), whole), whole, some, priors=PRIORS, since=2023)


def test_every_living_indicator_of_the_pair_has_one_row(found):
    table = found.indicators
    assert found.year == 2025 and not table.duplicated(["indicator", "unit"]).any()
    assert set(table["unit"]) == {"CHN-RUS", "CHN", "RUS"}
    assert {"unga_votes", "exercises_chn_rus", "gsdb_us_cases"} <= set(table["indicator"])
    # A series that ended long ago is not a nowcast.
    assert not {"trade_cow", "us_mid", "icews_verbal_coop"} & set(table["indicator"])
    order = [i.id for i in PANEL.record.codebook.indicators]
    assert sorted(table["indicator"], key=order.index) == table["indicator"].tolist()


def test_a_part_seen_is_shown_with_its_day_and_the_year_before(found):
    row = found.indicators.set_index(["indicator", "unit"]).loc[("unga_votes", "CHN-RUS")]
    assert row["seen"] == (20 + 0.5 * 4) / 25 and str(row["through"]) == "2025-09-30"
    assert row["last"] == 2024 and row["before"] == pytest.approx((39 + 0.5 * 13) / 58)
    docs = found.indicators.set_index(["indicator", "unit"]).loc[("fr_sanction_docs", "RUS")]
    assert (docs["seen"], docs["before"], docs["covered"]) == (3, 10, pytest.approx(181 / 365))


def test_a_year_is_no_less_than_what_was_seen(found):
    counts = found.indicators[found.indicators["units"] == "events"].dropna(subset=["seen"])
    assert len(counts) == 3
    for name in BOUNDS:
        assert (counts[name] >= counts["seen"]).all()
        assert (counts[name] == counts[name].round()).all()
    shares = found.indicators[found.indicators["units"] == "share"].dropna(subset=["median"])
    assert ((shares[BOUNDS] >= 0) & (shares[BOUNDS] <= 1)).all(axis=None)


def test_a_whole_year_seen_is_known(some):
    done = some.assign(covered=1.0)
    whole = running(PANEL, done)
    table = nowcast(Draws.of(tree(whole), whole), whole, done, priors=PRIORS).indicators
    known = table.dropna(subset=["seen"])
    assert len(known) == len(some)
    for name in BOUNDS:
        np.testing.assert_allclose(known[name], known["seen"])


def test_a_unit_that_never_saw_an_event_has_no_interval(some):
    panel = made_fit.panel()
    gone = panel.rows["arms_deliveries"].assign(value=0.0)
    panel = panel.__class__(**{**panel.__dict__, "rows": {**panel.rows, "arms_deliveries": gone}})
    none = some[some["indicator"] == "arms_deliveries"].assign(value=0.0)
    whole = running(panel, none)
    table = nowcast(Draws.of(tree(whole), whole), whole, none, priors=PRIORS).indicators
    row = table.set_index("indicator").loc["arms_deliveries"]
    assert row["seen"] == 0 and np.isnan(row["median"])


def test_without_rows_every_series_is_a_year_ahead():
    whole = running(PANEL)
    found = nowcast(Draws.of(tree(whole), whole), whole, priors=PRIORS)
    assert found.indicators["seen"].isna().all() and len(found.indicators) > 15
    assert found.latents["since"].tolist() == [2024] * 3


def test_latents_stand_beside_the_year_they_are_held_against(some):
    whole = running(PANEL, some)
    made = made_fit.fit(whole)
    draws = Draws.of(made, whole)
    from fairweather.monitor.nowcast import latents

    table = latents(draws, 2023).set_index("quantity")
    path = draws.get("alignment", dyad="CHN-RUS")
    row = table.loc["alignment CHN-RUS"]
    at = int(np.flatnonzero(whole.years == 2023)[0])
    assert row["before"] == np.median(path[:, at]) and row["median"] == np.median(path[:, -1])
    assert row["lower"] == (path[:, -1] < path[:, at]).mean()
    assert table.index.tolist() == ["alignment CHN-RUS", "pressure CHN", "pressure RUS"]
