"""Rows left out are scored given the known ones, labelled, and scores are summed and averaged."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from scipy import stats

import fairweather as fw
from fairweather import heldout
from fairweather.errors import FairweatherError
from fairweather.holdout import hold_out
from fairweather.measurement.vote import score
from fairweather.model import build_model
from made_values import drawn_values

DRAWS = 40


@pytest.fixture(scope="module")
def panel():
    return fw.load_panel(states=["CHN", "IND", "IRN", "RUS"])


@pytest.fixture(scope="module")
def future(panel):
    """Three years of all indicators of alignment left out."""
    ids = [i.id for i in panel.indicators("alignment")]
    known = build_model(hold_out(panel, indicators=ids, years=range(2012, 2015)))
    return known, drawn_values(known)


def test_cells_are_the_rows_left_out(panel, future):
    known, _ = future
    rows = heldout.held_cells(panel, known.panel)
    lost = {i: len(panel.rows[i]) - len(known.panel.rows.get(i, ())) for i in panel.rows}
    assert rows.groupby("indicator").size().to_dict() == {k: v for k, v in lost.items() if v}
    assert set(rows["year"]) == {2012, 2013, 2014} and set(rows["unit"]) <= set(panel.dyads)
    for row in rows.itertuples():
        frame = panel.rows[row.indicator]
        (one,) = frame[
            (frame["unit"] == panel.dyads.index(row.unit))
            & (frame["time"] == row.year - panel.years[0])
        ].itertuples()
        assert row.value == one.value and row.domain == panel.record.codebook[row.indicator].domain
        if row.family == "vote":
            logit = score(one.value, one.partial, one.n)
            assert np.log(row.score / (1 - row.score)) == pytest.approx(logit)
        else:
            assert np.isnan(row.score)


def test_nothing_left_out_is_an_empty_table(panel):
    rows = heldout.held_cells(panel, panel)
    assert len(rows) == 0 and {"indicator", "unit", "year", "score"} <= set(rows.columns)


def test_density_is_that_of_the_families(panel, future):
    """One vote by hand: the residuals of the years around it, and the agenda."""
    known, values = future
    density = heldout.held_density(values, known, panel)
    rows = heldout.held_cells(panel, known.panel)
    assert density.dims == ("draw", "cell") and density.shape == (DRAWS, len(rows))
    for name in ("indicator", "unit", "year", "domain", "family"):
        assert density[name].values.tolist() == rows[name].tolist()
    blank = np.isnan(density.values)
    assert np.array_equal(blank.any(axis=0), blank.all(axis=0))
    assert density.attrs["unscored"] == blank.all(axis=0).sum() < 0.3 * len(rows)
    votes = known.batches["vote"]
    one = (rows["indicator"] == "unga_votes") & (rows["unit"] == "CHN-RUS")
    (at,) = np.flatnonzero(one & (rows["year"] == 2012))
    d, t = panel.dyads.index("CHN-RUS"), 2012 - int(panel.years[0])
    s = int(np.flatnonzero(votes.unit == d)[0])
    a, b = panel.states.index("CHN"), panel.states.index("RUS")
    mean = values["alignment"][:, d] + values["delegation"][:, :, a] + values["delegation"][:, :, b]
    mean = mean + values["agenda"] @ votes.extra["basis"].T
    r = votes.y[s] - mean
    n = rows["n"][at]
    phi, scale = votes.extra["phi"][s], votes.extra["scale"]
    usual = known.priors.fixed("vote_sampling_share") / (0.84 * 0.16)
    before = scale**2 * (1 - phi**2) + usual / (n + 4.0)
    later = scale**2 * (1 - phi**6) + votes.extra["thin"][s, t + 3]
    precision = 1 / before + phi**6 / later
    carried = (phi * r[:, t - 1] / before + phi**3 * r[:, t + 3] / later) / precision
    y = np.log(rows["score"][at] / (1 - rows["score"][at]))
    want = stats.norm(mean[:, t] + carried, precision**-0.5).logpdf(y)
    np.testing.assert_allclose(density.values[:, at], want, rtol=1e-9)


def test_draws_are_in_the_units_of_the_record(panel, future):
    known, values = future
    rows = heldout.held_cells(panel, known.panel)
    draw = heldout.held_draws(values, known, panel, np.random.default_rng(1))
    again = heldout.held_draws(values, known, panel, np.random.default_rng(1))
    density = heldout.held_density(values, known, panel)
    assert draw.identical(again) and draw.shape == density.shape
    assert np.array_equal(np.isnan(draw.values), np.isnan(density.values))
    family = rows["family"].to_numpy()
    votes = draw.values[:, family == "vote"]
    assert (votes > 0).all() and (votes < 1).all()
    counts = draw.values[:, np.isin(family, ["count", "share"])]
    counts = counts[:, ~np.isnan(counts[0])]
    assert counts.shape[1] and (counts == np.floor(counts)).all() and (counts >= 0).all()
    share = family == "share"
    assert (draw.values[:, share] <= rows["n"].to_numpy()[share]).all()


def test_pressure_is_scored_too(panel):
    known = build_model(hold_out(panel, units="RUS", years=range(2014, 2017)))
    values = drawn_values(known)
    rows = heldout.held_cells(panel, known.panel, "pressure")
    density = heldout.held_density(values, known, panel, "pressure")
    assert set(rows["unit"]) == {"RUS"} and set(rows["domain"]) <= {"material", "verbal"}
    (at,) = np.flatnonzero((rows["indicator"] == "gsdb_us_cases") & (rows["year"] == 2015))
    path = values["pressure"][:, panel.states.index("RUS"), 2015 - int(panel.years[0])]
    want = stats.norm(path, known.priors.fixed("anchor_error")).logpdf(rows["value"][at])
    np.testing.assert_allclose(density.values[:, at], want)


def test_the_anchor_needs_no_parameter_of_the_fit(panel):
    known = build_model(hold_out(panel, indicators="gsdb_us_cases"))
    assert "anchor" not in known.batches
    density = heldout.held_density(drawn_values(known), known, panel, "pressure")
    assert np.isfinite(density.values).all()


def test_a_lost_indicator_has_no_score(panel):
    known = build_model(hold_out(panel, indicators=["chronology_sign", "trade_cow"]))
    values = drawn_values(known)
    density = heldout.held_density(values, known, panel)
    assert np.isnan(density.values).all() and density.attrs["unscored"] == density.sizes["cell"]
    assert set(density["indicator"].values) == {"chronology_sign", "trade_cow"}
    assert np.isnan(heldout.blocks(density).values).all()


def test_a_dyad_left_out_whole(panel):
    known = build_model(hold_out(panel, units="CHN-IND"))
    density = heldout.held_density(drawn_values(known), known, panel)
    scored = np.isfinite(density.values).all(axis=0)
    names = density["indicator"].values
    assert scored[names == "unga_votes"].all() and scored[names == "trade_cow"].all()
    first = np.flatnonzero(names == "trade_cow")[0]
    assert (density.values[:, first] == 0.0).all()
    assert (density.values[:, first + 1] != 0.0).all()


def test_other_values_left_out_are_not_read(panel, future):
    """A block's score stands on the known rows: other blocks may hold anything."""
    known, values = future
    before = heldout.held_density(values, known, panel)
    wild = dict(panel.rows)
    for name in ("unga_votes", "trade_cow", "arms_deliveries"):
        frame = wild[name].copy()
        frame.loc[frame["time"] == 2013 - panel.years[0], "value"] += 1.0
        wild[name] = frame
    after = heldout.held_density(values, known, replace(panel, rows=wild))
    changed = (before["year"] == 2013) & before["indicator"].isin(
        ["unga_votes", "trade_cow", "arms_deliveries"]
    )
    np.testing.assert_array_equal(after.values[:, ~changed], before.values[:, ~changed])
    moved = changed.values & np.isfinite(before.values).all(axis=0)
    assert moved.any() and (after.values[:, moved] != before.values[:, moved]).all()


def test_blocks_sum_the_indicators_of_a_dyad_year(panel, future):
    known, values = future
    density = heldout.held_density(values, known, panel)
    block = heldout.blocks(density)
    assert block.dims == ("draw", "block") and block.sizes["block"] == 3 * len(panel.dyads)
    frame = density.to_series().dropna().reset_index(name="logp")
    rows = heldout.held_cells(panel, known.panel)
    frame[["unit", "year"]] = rows.loc[frame["cell"], ["unit", "year"]].to_numpy()
    want = frame.groupby(["draw", "unit", "year"])["logp"].agg(["sum", "size"])
    for b in range(block.sizes["block"]):
        unit, year = str(block["unit"].values[b]), int(block["year"].values[b])
        own = want.xs((unit, year), level=("unit", "year"))
        np.testing.assert_allclose(block.values[:, b], own["sum"])
        assert (own["size"] == int(block["cells"].values[b])).all()


def test_elpd_is_the_log_of_the_mean_density():
    rng = np.random.default_rng(3)
    log = xr.DataArray(rng.normal(-800.0, 1.0, (2000, 3)), dims=("draw", "block"))
    log[:, 2] = np.nan
    value, error = heldout.elpd(log, chains=4)
    np.testing.assert_allclose(
        value.values[:2], np.log(np.exp(log.values[:, :2] + 800.0).mean(axis=0)) - 800.0
    )
    assert np.isnan(value.values[2])
    # Of independent draws: the relative spread of a lognormal over the root of their number.
    np.testing.assert_allclose(error.values[:2], np.sqrt((np.e - 1.0) / 2000), rtol=0.25)
    # Draws that move slowly say less.
    slow = np.repeat(log.values[::10, :1], 10, axis=0)
    _, more = heldout.elpd(xr.DataArray(slow, dims=("draw", "block")), chains=4)
    assert more.values[0] > 2.0 * error.values[0]


def test_a_density_without_spread_has_no_error():
    value, error = heldout.elpd(xr.DataArray(np.full((8, 1), -3.0), dims=("draw", "block")))
    assert value.values.tolist() == [-3.0] and error.values.tolist() == [0.0]


@pytest.mark.parametrize("chains", [0, 3])
def test_chains_must_divide_the_draws(chains):
    with pytest.raises(FairweatherError, match="chains of one length"):
        heldout.elpd(xr.DataArray(np.zeros((8, 1)), dims=("draw", "block")), chains=chains)


def test_panels_must_belong_together(panel, future):
    known, values = future
    other = fw.load_panel(states=["CHN", "RUS", "IND"])
    with pytest.raises(FairweatherError, match="differ in states or years"):
        heldout.held_density(values, known, other)
    with pytest.raises(FairweatherError, match="that the whole one lacks"):
        heldout.held_cells(hold_out(panel, indicators="trade_cow", years=2000), panel)
    with pytest.raises(FairweatherError, match="chains joined"):
        short = {**values, "alignment": values["alignment"][None]}
        heldout.held_density(short, known, panel)
