"""The panel shows what its record holds, labelled, and nothing after the as-of date."""

from dataclasses import fields, replace

import numpy as np
import pandas as pd
import pytest

from fairweather import names
from fairweather.errors import AsOfError, FairweatherError, RecordError
from fairweather.panel import REFERENCE_YEARS, Panel, dyads_of, load_panel
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
    assert panel.likeness.shape == (2, 6, len(panel.years))
    assert panel.likeness_kinds == ("regime", "leaders") == names.DOMAINS[names.LIKENESS]
    for array in (panel.anchor_fill, panel.complementarity, panel.likeness):
        assert np.isfinite(array).all()
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


def laid_out(record, indicator, panel):
    """The drivers of a panel once more: means of pairs, carried, lagged, standardised."""
    obs = record.observations.query("indicator == @indicator")
    pairs = ["-".join(sorted((u[:3], u[4:]))) for u in obs["unit"]]
    seen = obs.assign(pair=pairs).groupby(["pair", "year"])["value"].mean()
    out = np.empty((len(panel.dyads), len(panel.years)))
    never = []
    for d, dyad in enumerate(panel.dyads):
        known = {y: v for (p, y), v in seen.items() if p == dyad}
        known = {y: v for y, v in known.items() if panel.years[0] - 1 <= y <= panel.origin}
        if known:
            ages = sorted(known)
            out[d] = np.interp(panel.years - 1, ages, [known[y] for y in ages])
        else:
            never.append(d)
    return (out - out.mean()) / out.std(), never


@pytest.mark.parametrize("as_of", [None, "2013-06-30", "2022-06-30"])
def test_drivers_are_those_of_the_year_before(as_of):
    panel = load_panel(as_of=as_of, states=STATES)
    for kinds, array, indicators in (
        (panel.kinds, panel.complementarity, ("tci_sop4", "energy_fit")),
        (panel.likeness_kinds, panel.likeness, ("regime_likeness", "leader_tenure_together")),
    ):
        for k, name in enumerate(indicators):
            assert panel.record.codebook[name].domain == kinds[k]
            want, never = laid_out(panel.record, name, panel)
            assert not never
            np.testing.assert_allclose(array[k], want, atol=1e-9)


def test_leaders_in_a_panel():
    """Xi came in 2012: in 2013, a year later, the pair stands at its lowest; then it climbs."""
    panel = load_panel(states=STATES)
    focal = panel.likeness[panel.likeness_kinds.index("leaders"), panel.dyads.index("CHN-RUS")]
    at = {int(y): v for y, v in zip(panel.years, focal, strict=True)}
    assert at[2013] == at[1998] == focal.min() and at[2012] > at[2013]
    assert (np.diff([at[y] for y in range(2013, 2025)]) > 0).all()


@pytest.mark.parametrize("day", ["2013-01-29", "2013-01-30", "2021-06-30"])
def test_likeness_of_a_cut_panel_hangs_on_nothing_known_later(day):
    """Rows out later are made absurd: a panel of the day does not move, a later one does."""
    record, when = load_record(), pd.Timestamp(day)
    mine = [i.id for i in record.codebook.by(latent=names.LIKENESS)]

    def spoiled(table):
        late = table["indicator"].isin(mine) & (table["available_on"] > when)
        value = table["value"].where(~late, table["value"] + 100.0 * table["year"])
        return table.assign(value=value)

    other = replace(record, observations=spoiled(record.observations),
                    ledger=spoiled(record.ledger))  # fmt: skip
    true, false = (load_panel(r.known_on(day), states=STATES) for r in (record, other))
    np.testing.assert_array_equal(true.likeness, false.likeness)
    last = true.record.observations.query("indicator == 'leader_tenure_together'")["year"].max()
    assert last == when.year - 1 - (day == "2013-01-29")
    whole = load_panel(other, states=STATES)
    assert not np.allclose(whole.likeness, load_panel(record, states=STATES).likeness)


def test_likeness_moves_no_measured_row(panel):
    """It is there whatever is asked for, and neither rows nor the last year hang on it."""
    record = load_record()
    mine = [i.id for i in record.codebook.by(latent=names.LIKENESS)]
    left = {
        k: v[~v["indicator"].isin(mine)].reset_index(drop=True)
        for k, v in (("observations", record.observations), ("ledger", record.ledger))
    }
    without = load_panel(replace(record, **left), states=STATES)
    assert not set(mine) & set(panel.rows) and set(panel.rows) == set(without.rows)
    for name, rows in panel.rows.items():
        pd.testing.assert_frame_equal(rows, without.rows[name])
    np.testing.assert_array_equal(panel.complementarity, without.complementarity)
    np.testing.assert_array_equal(panel.years, without.years)
    assert not without.likeness.any() and without.likeness.shape == panel.likeness.shape
    votes = load_panel(states=STATES, indicators=["unga_votes"])
    np.testing.assert_array_equal(votes.likeness, panel.likeness)


def test_a_panel_made_without_likeness_has_none(panel):
    given = {f.name: getattr(panel, f.name) for f in fields(Panel)}
    bare = Panel(**{k: v for k, v in given.items() if not k.startswith("likeness")})
    assert bare.likeness_kinds == () and bare.likeness.size == 0
    assert set(bare.to_datatree().children) == {"alignment", "pressure", "complementarity"}
    assert set(panel.to_datatree().children) == {*bare.to_datatree().children, "likeness"}


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
