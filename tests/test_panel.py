"""The panel shows what its record holds, labelled, and nothing after the as-of date."""

import numpy as np
import pandas as pd
import pytest

from fairweather import names
from fairweather.errors import AsOfError, FairweatherError, RecordError
from fairweather.panel import REFERENCE_YEARS, dyads_of, load_panel
from fairweather.record import load_record

STATES = ["CHN", "IND", "IRN", "RUS"]


@pytest.fixture(scope="module")
def panel():
    return load_panel(states=STATES)


def test_axes(panel):
    assert panel.states == tuple(STATES)
    assert panel.dyads == ("CHN-IND", "CHN-IRN", "CHN-RUS", "IND-IRN", "IND-RUS", "IRN-RUS")
    assert (np.diff(panel.years) == 1).all() and panel.years[0] == 1992
    assert panel.origin == panel.years[-1]
    assert panel.anchor_fill.shape == (4, len(panel.years))
    assert panel.complementarity.shape == (len(panel.kinds), 6, len(panel.years))
    assert np.isfinite(panel.anchor_fill).all() and np.isfinite(panel.complementarity).all()
    for d, label in enumerate(panel.dyads):
        assert label == f"{panel.states[panel.left[d]]}-{panel.states[panel.right[d]]}"


def test_rows_are_those_of_the_record(panel):
    obs = load_record().observations
    for latent in (names.ALIGNMENT, names.PRESSURE):
        for ind in panel.indicators(latent):
            rows, labels = panel.rows[ind.id], np.array(panel.units(latent))
            own = obs[(obs["indicator"] == ind.id) & obs["unit"].isin(labels)]
            own = own[own["year"].between(panel.years[0], panel.origin)]
            want = own.set_index(["unit", "year"])["value"].sort_index()
            got = pd.Series(
                rows["value"].to_numpy(),
                index=pd.MultiIndex.from_arrays(
                    [labels[rows["unit"]], panel.years[rows["time"]]], names=["unit", "year"]
                ),
                name="value",
            ).sort_index()  # fmt: skip
            np.testing.assert_allclose(got.to_numpy(float), want.to_numpy(float))
            assert got.index.to_list() == want.index.to_list()


@pytest.mark.parametrize("as_of", ["2012-06-30", "2016-12-31", "2020-12-31"])
def test_no_row_after_as_of(as_of):
    panel = load_panel(as_of=as_of, states=STATES)
    assert panel.origin <= int(as_of[:4])
    day = pd.Timestamp(as_of)
    codebook = panel.record.codebook
    for latent in (names.ALIGNMENT, names.PRESSURE):
        for ind in codebook.by(latent=latent):
            if ind.id in panel.rows:
                year = panel.years[panel.rows[ind.id]["time"]].max()
                out = pd.Timestamp(year, 12, 31) + pd.Timedelta(days=ind.release_lag_days)
                assert out <= day, ind.id


def test_a_cut_panel_is_the_early_part_of_the_whole():
    early, whole = load_panel(as_of="2014-12-31", states=STATES), load_panel(states=STATES)
    for name, rows in early.rows.items():
        key = ["unit", "time"]
        both = rows.merge(whole.rows[name], on=key, how="left", suffixes=("", "_whole"))
        np.testing.assert_array_equal(both["value"], both["value_whole"])
    for latent in (names.ALIGNMENT, names.PRESSURE):
        assert early.reference[latent] == pytest.approx(whole.reference[latent])
    assert REFERENCE_YEARS[1] < early.origin


def test_reference_does_not_hang_on_window():
    late = load_panel(states=STATES, first_year=2008)
    whole = load_panel(states=STATES)
    assert late.reference == whole.reference


def test_first_and_last_year():
    panel = load_panel(states=STATES, first_year=2000, last_year=2010)
    assert (panel.years[0], panel.origin) == (2000, 2010)
    assert all(rows["time"].between(0, 10).all() for rows in panel.rows.values())


def test_refusals():
    with pytest.raises(RecordError, match=r"focal dyad 'CHN-RUS' is not among.*alphabetical"):
        load_panel(states=["CHN", "IND", "IRN"])
    with pytest.raises(RecordError, match="focal dyad 'RUS-CHN'"):
        load_panel(states=STATES, focal="RUS-CHN")
    with pytest.raises(RecordError, match="six years or more"):
        load_panel(states=STATES, first_year=2020, last_year=2023)
    with pytest.raises(FairweatherError, match="XXX"):
        load_panel(states=["CHN", "RUS", "XXX"])
    with pytest.raises(AsOfError):
        load_panel(as_of="1980-01-01")
    with pytest.raises(RecordError, match="not both"):
        load_panel(load_record(), as_of="2020-01-01")


def test_datatree_shows_the_gaps(panel):
    tree = panel.to_datatree()
    votes = tree["alignment"]["unga_votes"]
    assert dict(votes.sizes) == {"dyad": 6, "year": len(panel.years)}
    assert int(votes.notnull().sum()) == len(panel.rows["unga_votes"])


def test_dyads_are_sorted():
    assert dyads_of(("RUS", "IND", "CHN")) == ("CHN-IND", "CHN-RUS", "IND-RUS")
