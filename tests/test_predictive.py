"""Predictive tests: what a statistic sees, how replicates are made, what is said of failures."""

import re
import time
from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from scipy.stats import kstest

import fairweather as fw
from fairweather import predictive
from fairweather.errors import FairweatherError
from fairweather.heldout import held_cells
from fairweather.measurement.vote import score
from fairweather.model import build_model
from fairweather.predictive import ppc, ppc_by_weather, ppc_many
from fairweather.predictive.dataset import (
    DYAD_WEATHER,
    REGIMES,
    Layout,
    dyad_weather,
    on_link,
    share_of_score,
)
from fairweather.predictive.replicate import ReplicationError, Sample, mixed, ordinary, redrawn
from fairweather.readings import READINGS
from fairweather.simulate import prior_tree, simulate_world
from fairweather.statistics import StatisticError, statistic

DOCS = Path(__file__).parents[1] / "docs" / "predictive.md"
DRAWS = 30


@pytest.fixture(scope="module")
def panel():
    return fw.load_panel(states=["CHN", "RUS", "IND", "MMR"])


@pytest.fixture(scope="module")
def tree(panel):
    return prior_tree(panel, draws=DRAWS, random_seed=3)


@pytest.fixture(scope="module")
def known(panel):
    return fw.hold_out(panel, units="CHN-RUS", years=range(2012, 2018))


@pytest.fixture(scope="module")
def held_tree(known):
    return prior_tree(known, draws=DRAWS, random_seed=5)


@pytest.fixture(scope="module")
def layout(panel):
    return Layout.of(panel)


@pytest.fixture(scope="module")
def bench(layout, tree, panel):
    return ordinary(layout, Sample.of(tree, panel, DRAWS), 1)


@statistic(observables_only=True)
def agreement(data):
    """Mean agreement."""
    return data["unga_votes"].mean()


@statistic(observables_only=True, batched=True)
def agreement_of_pairs(data):
    """Agreement of every pair."""
    return data["unga_votes"].mean("year")


class TestDataSet:
    def test_every_row_stands_where_the_panel_has_it(self, panel):
        data = predictive.example(panel)
        for latent, dim in (("alignment", "dyad"), ("pressure", "state")):
            for ind in panel.indicators(latent):
                x, rows = data[ind.id], panel.rows[ind.id]
                assert x.dims == (dim, "year") and x.attrs["label"] == ind.label
                assert int(x.notnull().sum()) == len(rows)
                at = x.to_numpy()[rows["unit"], rows["time"]]
                if ind.family == "vote":
                    assert ((at >= 0) & (at <= 1)).all()
                    np.testing.assert_allclose(
                        at, (rows["value"] + 0.5 * rows["partial"]) / rows["n"]
                    )
                else:
                    np.testing.assert_array_equal(at, rows["value"])

    def test_standardised_is_signed_and_has_the_panels_mean_and_spread(self, panel):
        data = predictive.example(panel)
        z = data["standardised"]
        assert z.dims == ("indicator", "dyad", "year")
        mean, spread = z.mean(("dyad", "year")), z.std(("dyad", "year"))
        np.testing.assert_allclose(mean, 0.0, atol=1e-9)
        np.testing.assert_allclose(spread[spread > 1e-9], 1.0)
        war = z.sel(indicator="militarised_disputes").to_numpy()
        seen = ~np.isnan(war)
        raw = data["militarised_disputes"].to_numpy()
        assert np.corrcoef(war[seen], raw[seen])[0, 1] < -0.9

    def test_labels(self, panel):
        data = predictive.example(panel)
        assert set(data["domain"].values) == {"diplomatic", "security", "economic"}
        one = data.sel(dyad="CHN-RUS")
        assert (one["left"].item(), one["right"].item()) == ("CHN", "RUS")
        assert data["complementarity"].dims == ("kind", "dyad", "year")
        np.testing.assert_array_equal(
            data["exposure"].sel(indicator="unga_votes").notnull(), data["unga_votes"].notnull()
        )

    def test_weather_is_that_of_the_episodes(self, panel):
        data, found = predictive.example(panel), fw.find_episodes(panel.record)
        marked = {(e.state, y): e.type for e in found.itertuples()
                  for y in range(e.start, e.end + 1)}  # fmt: skip
        for state in panel.states:
            for year in panel.years:
                label = data["weather"].sel(state=state, year=year).item()
                assert label == marked.get((state, int(year)), "")
        assert (data["weather"] != "").any()

    def test_weather_of_a_dyad_is_that_of_both_sides(self, panel):
        kinds = {
            ("easing", ""): "eased", ("", "easing"): "eased", ("easing", "easing"): "both eased",
            ("easing", "hardship"): "mixed", ("hardship", "easing"): "mixed",
            ("hardship", ""): "pressed", ("hardship", "hardship"): "pressed", ("", ""): "quiet",
        }  # fmt: skip
        for (left, right), label in kinds.items():
            weather = np.array([[left], [right]] + [[""]] * (len(panel.states) - 2))
            found = dyad_weather(panel, weather)
            at = [k for k in range(len(panel.dyads)) if {panel.left[k], panel.right[k]} == {0, 1}]
            assert found[at[0], 0] == label
        assert set(kinds.values()) == set(DYAD_WEATHER)

    def test_a_share_gives_back_the_votes_it_came_from(self):
        n = np.array([10.0, 60.0, 13.0])
        for same in (0.0, 3.5, 10.0):
            logit = score(np.full(3, same), 0.0, n)
            np.testing.assert_allclose(share_of_score(logit, n), same / n)
            np.testing.assert_allclose(on_link("vote", same / n, n), logit)
        assert share_of_score(np.array([9.0, -9.0]), np.array([5.0, 5.0])).tolist() == [1.0, 0.0]

    def test_an_indicator_cannot_take_a_name_of_the_schema(self, panel):
        ids = {"weather": panel.rows["unga_votes"]}
        book = panel.record.codebook
        taken = replace(book, indicators=(replace(book["unga_votes"], id="weather"),))
        odd = replace(panel, rows=ids, record=replace(panel.record, codebook=taken))
        with pytest.raises(FairweatherError, match=r"codebook\.toml: .* called 'weather'"):
            Layout.of(odd)


class TestReplicates:
    def test_rows_are_where_the_record_has_them_and_of_its_kind(self, bench, layout):
        rows = bench.rows(slice(0, 4))
        for one, x in rows.items():
            np.testing.assert_array_equal(
                np.isnan(x), np.broadcast_to(np.isnan(layout.grid[one]), x.shape)
            )
        votes, trips = rows["unga_votes"], rows["arms_deliveries"]
        halves = votes * layout.n["unga_votes"] * 2
        halves = halves[~np.isnan(halves)]
        np.testing.assert_allclose(halves, np.round(halves), atol=1e-9)
        seen = ~np.isnan(trips)
        assert (trips[seen] >= 0).all() and (trips[seen] == np.round(trips[seen])).all()
        assert (votes[0] != votes[1])[~np.isnan(votes[0])].mean() > 0.5

    def test_a_draw_depends_on_the_seed_and_its_number_alone(self, bench):
        whole, part = bench.rows(slice(0, 6)), bench.rows(slice(4, 6))
        for one in whole:
            np.testing.assert_array_equal(whole[one][4:], part[one])
        other = replace(bench, seed=2).rows(slice(0, 2))
        assert (other["unga_votes"] != whole["unga_votes"][:2]).any()

    def test_ordinary_rows_scatter_around_the_paths_of_the_fit(self, layout, panel):
        tree = prior_tree(panel, draws=120, random_seed=8)
        bench = ordinary(layout, Sample.of(tree, panel, 120), 1)
        votes = bench.rows(slice(0, 120))["unga_votes"]
        n = layout.n["unga_votes"]
        drawn = score(votes * n, 0.0, n)
        path = bench.latents["alignment"]
        inner = ~np.isnan(drawn) & (np.abs(drawn) < 2.0) & (np.abs(path) < 1.0)
        assert np.corrcoef(drawn[inner], path[inner])[0, 1] > 0.7

    def test_dyads_drawn_anew_are_those_of_the_model(self, panel):
        # Draws of the prior: paths redrawn from their parameters have the same distribution.
        size = 400
        tree = prior_tree(panel, draws=size, random_seed=11)
        sample = Sample.of(tree, panel, size)
        spec = build_model(panel, reading=sample.reading, priors=sample.priors)
        new = np.ones(len(panel.dyads), bool)
        found = redrawn(spec, sample, new, np.random.default_rng(1))
        old, now = sample.values["alignment"][:, 1], found["alignment"][:, 1]
        assert (old != now).all()
        for of in (lambda a: a.std(axis=1), lambda a: a[:, -1] - a[:, 0], lambda a: a.mean(axis=1),
                   lambda a: np.abs(np.diff(a)).max(axis=1)):  # fmt: skip
            assert kstest(of(old), of(now)).pvalue > 0.01
        assert kstest(
            sample.values["delegation"].std(axis=(1, 2)), found["delegation"].std(axis=(1, 2))
        ).pvalue > 0.01  # fmt: skip
        np.testing.assert_array_equal(found["pressure"], sample.values["pressure"])

    def test_dyads_not_named_keep_rows_and_paths(self, layout, tree, panel):
        sample = Sample.of(tree, panel, DRAWS)
        bench = mixed(layout, sample, 1, "CHN-RUS")
        at = panel.dyads.index("CHN-RUS")
        others = np.arange(len(panel.dyads)) != at
        path, old = bench.latents["alignment"], sample.values["alignment"]
        np.testing.assert_array_equal(path[:, others], old[:, others])
        assert (path[:, at] != old[:, at]).all()
        rows = bench.rows(slice(0, 2))
        for one, x in rows.items():
            np.testing.assert_array_equal(x[0, others], layout.grid[one][others])
        assert (
            "gsdb_us_cases" not in rows and (rows["unga_votes"][0] != rows["unga_votes"][1]).any()
        )

    @pytest.mark.parametrize("reading", READINGS)
    def test_dyads_are_drawn_anew_under_every_reading(self, panel, reading):
        tree = prior_tree(panel, reading=reading, draws=3)
        test = ppc(tree, panel, agreement, replicate="mixed", draws=3)
        assert np.isfinite(test.replicated).all()

    def test_only_rows_left_out_are_drawn(self, panel, layout, known, held_tree):
        seen = []

        @statistic(name="watch", observables_only=True, batched=True)
        def watch(data):
            seen.append(data)
            return data["unga_votes"].sel(dyad="CHN-RUS", year=2014)

        test = ppc(held_tree, panel, watch, known=known)
        real, new = seen[0].isel(draw=0), seen[1]
        out = real["drawn"].sel(dyad="CHN-RUS", year=slice(2012, 2017))
        assert out.all() and int(real["drawn"].sum()) == out.size
        votes = new["unga_votes"]
        kept = votes.where(~real["drawn"])
        np.testing.assert_array_equal(
            kept, np.broadcast_to(real["unga_votes"].where(~real["drawn"]), kept.shape)
        )
        np.testing.assert_array_equal(
            real["unga_votes"].sel(dyad="CHN-RUS"),
            layout.grid["unga_votes"][panel.dyads.index("CHN-RUS")],
        )
        assert len(np.unique(test.replicated)) > DRAWS / 2
        assert test.counts["drawn_cells"] == sum(
            len(panel.rows[k]) - len(known.rows.get(k, ())) for k in panel.rows
        ) - _hidden(test)  # fmt: skip

    def test_held_out_rows_come_back_in_the_units_of_the_record(
        self, panel, known, held_tree, monkeypatch
    ):
        # If what is drawn is what was observed, replicated and realised data are the same.
        rows = held_cells(panel, known)

        def observed(values, model, whole, rng, latent):
            x = rows["value"].where(rows["family"] != "vote", rows["score"]).to_numpy()
            coords = {c: ("cell", rows[c].to_numpy()) for c in ("indicator", "unit", "year")}
            return xr.DataArray(np.tile(x, (DRAWS, 1)), coords, ("draw", "cell"))

        monkeypatch.setattr("fairweather.heldout.held_draws", observed)
        seen = []

        @statistic(name="watch", observables_only=True, batched=True)
        def watch(data):
            seen.append(data)
            return data["standardised"].mean(("indicator", "dyad", "year"))

        test = ppc(held_tree, panel, watch, known=known)
        real, new = seen[0].isel(draw=0), seen[1].isel(draw=3)
        assert test.counts["drawn_cells"] == len(rows) and not _hidden(test)
        xr.testing.assert_allclose(real, new)

    def test_rows_of_which_nothing_can_be_drawn_are_hidden_on_both_sides(self, panel):
        known = fw.hold_out(panel, indicators=["swap_lines", "unga_votes"], years=range(2005, 2030))
        known = fw.hold_out(known, indicators="swap_lines") if "swap_lines" in known.rows else known
        test = ppc(prior_tree(known, draws=3), panel, agreement, known=known)
        gone = len(panel.rows["swap_lines"])
        assert _hidden(test) >= gone
        full = sum(len(panel.rows[i.id]) for i in panel.indicators("alignment"))
        assert test.counts["cells"] == full - _hidden(test)

    def test_a_fit_that_has_seen_the_rows_cannot_stand_for_one_that_has_not(
        self, panel, tree, known
    ):
        with pytest.raises(ReplicationError, match="made from other rows"):
            ppc(tree, panel, "drawdown", known=known)

    def test_chains_are_read_one_after_another_and_thinned_evenly(self, panel, tree):
        p = tree["posterior"].dataset
        parts = [p.isel(draw=slice(k, k + 15)).assign_coords(draw=range(15)) for k in (0, 15)]
        two = tree.copy()
        two["posterior"] = xr.DataTree(xr.concat(parts, dim="chain"))
        one, other = (ppc(t, panel, agreement, replicate="mixed") for t in (tree, two))
        np.testing.assert_array_equal(one.replicated, other.replicated)
        assert Sample.of(two, panel, 10).by_chain(np.arange(10)).shape == (2, 5)
        thin = Sample.of(two, panel, 6).values["half_life"]
        np.testing.assert_array_equal(thin, p["half_life"].to_numpy()[0][[0, 7, 14, 15, 22, 29]])

    @pytest.mark.parametrize("kind", ["ordinary", "mixed"])
    def test_values_by_name_give_what_the_tree_gives(self, panel, tree, kind):
        p = tree["posterior"].dataset.isel(chain=0)
        values = {k: v.to_numpy() for k, v in p.data_vars.items()}
        one, two = (ppc(x, panel, agreement, replicate=kind) for x in (tree, values))
        np.testing.assert_array_equal(one.replicated, two.replicated)


def _hidden(test):
    found = [re.match(r"(\d+) rows left out could not", n) for n in test.notes]
    return sum(int(m.group(1)) for m in found if m)


class TestTest:
    def test_observables_give_one_number_and_paths_one_a_draw(self, panel, tree):
        def level(data):
            return data["alignment"].mean()

        one = ppc(tree, panel, agreement, replicate="mixed")
        assert isinstance(one.realised, float)
        assert one.realised == pytest.approx(predictive.example(panel)["unga_votes"].mean().item())
        two = ppc(tree, panel, level, replicate="mixed")
        assert two.realised.dims == ("draw",) and two.data["realised"].std() > 0
        np.testing.assert_allclose(
            two.realised, tree["posterior"]["alignment"].mean(("dyad", "year"))[0]
        )

    def test_p_value_counts_ties_half(self, panel, tree):
        test = ppc(tree, panel, lambda data: 1.0, replicate="ordinary")
        assert test.p_value == 0.5 and any("nothing was tested" in n for n in test.notes)
        test = ppc(tree, panel, agreement, replicate="ordinary")
        share = (test.replicated > test.realised).mean().item()
        assert test.p_value == pytest.approx(share) and test.mc_error >= 0.5 / DRAWS
        assert test.data["lower"] < test.data["upper"]

    def test_monte_carlo_error_is_that_of_dependent_draws(self, panel):
        tree = prior_tree(panel, draws=30, random_seed=2)
        p = tree["posterior"].dataset
        again = p.isel(draw=np.repeat(np.arange(30), 8)).assign_coords(draw=np.arange(240))
        sticky = tree.copy()
        sticky["posterior"] = xr.DataTree(again)

        def level(data):
            return data["alignment"].sel(dyad="CHN-RUS", year=2000)

        plain = ppc(tree, panel, level, replicate="mixed")
        stuck = ppc(sticky, panel, level, replicate="mixed")
        # Eight copies of a draw share their old path: they are worth less than eight draws.
        assert stuck.counts["draws"] == 240
        assert stuck.mc_error > 1.5 * plain.mc_error * np.sqrt(30 / 240)

    def test_labelled_values_have_labelled_p_values(self, panel, tree):
        test = ppc(tree, panel, agreement_of_pairs, replicate="ordinary")
        assert test.p_value.dims == ("dyad",) and test.realised.dims == ("dyad",)
        table = test.to_dataframe()
        assert table["part"].tolist() == list(panel.dyads)
        row = table.set_index("part").loc["CHN-RUS"]
        assert row["p_value"] == test.p_value.sel(dyad="CHN-RUS").item()
        assert row["realised"] == pytest.approx(test.realised.sel(dyad="CHN-RUS").item())

    def test_values_of_two_dimensions_with_and_without_labels(self, panel, tree):
        def two(data):
            x = data["standardised"].groupby("domain").mean().mean("year").fillna(0.0)
            return x.drop_vars(["left", "right"])

        table = ppc(tree, panel, two, replicate="ordinary", draws=3).to_dataframe()
        assert len(table) == 3 * len(panel.dyads)
        assert {"economic CHN-RUS", "CHN-RUS economic"} & set(table["part"])
        bare = ppc(tree, panel, lambda data: xr.DataArray([1.0, 2.0], dims="k"), draws=3,
                   replicate="ordinary")  # fmt: skip
        assert bare.to_dataframe()["part"].tolist() == ["0", "1"]

    def test_batched_or_one_by_one_is_the_same(self, panel, tree):
        @statistic(name="one-by-one", observables_only=True)
        def slow(data):
            return data["unga_votes"].mean("year")

        one, two = (ppc(tree, panel, s, replicate="mixed") for s in (agreement_of_pairs, slow))
        xr.testing.assert_allclose(one.data, two.data)

    def test_alone_or_among_others_and_in_any_chunks(self, panel, tree, monkeypatch):
        alone = ppc(tree, panel, "drawdown", replicate="mixed")
        monkeypatch.setattr("fairweather.predictive.running.CHUNK", 7)
        among = ppc_many(tree, panel, [agreement, "drawdown"], replicate="mixed")["drawdown"]
        xr.testing.assert_identical(alone.data, among.data)
        other = ppc(tree, panel, "drawdown", replicate="mixed", random_seed=2)
        assert (other.data["replicated"] != alone.data["replicated"]).all()

    def test_says_what_it_rests_on(self, panel, tree):
        test = ppc(tree, panel, "change-after-easing", replicate="ordinary")
        seen = sum(len(panel.rows[i.id]) for i in panel.indicators("alignment"))
        assert test.counts["cells"] == seen >= test.counts["drawn_cells"] > 0
        episodes = fw.find_episodes(panel.record)
        assert test.counts["easing_episodes"] <= (episodes["type"] == "easing").sum()
        assert test.counts["support"] > 0
        text = repr(test)
        for part in ("change-after-easing", "ordinary replication", "MC error", "have seen these",
                     "whatever is true", "easing episodes"):  # fmt: skip
            assert part in text

    def test_is_frozen(self, panel, tree):
        with pytest.raises(FrozenInstanceError):
            ppc(tree, panel, agreement, replicate="mixed").name = "other"

    def test_defaults_are_those_of_the_way_of_replicating(self, panel, tree):
        misfit = {t.name for t in ppc_many(tree, panel, replicate="ordinary", draws=2)}
        assert misfit == {"vote-variance-ratio", "vote-autocorrelation", "count-zeros"}
        claims = ppc_many(tree, panel, replicate="mixed", draws=2)
        named = {*(t.name for t in claims), *(f.name for f in claims.failed)}
        assert "change-after-easing" in named and not named & misfit


class TestCalibration:
    def test_a_true_model_is_not_rejected_and_a_false_one_is(self, monkeypatch):
        panel = fw.load_panel(states=["CHN", "RUS", "IND"], indicators=["unga_votes"])
        episodes = fw.find_episodes(panel.record)
        monkeypatch.setattr("fairweather.episodes.find_episodes", lambda *a, **k: episodes)

        @statistic(name="spread", observables_only=True, batched=True)
        def spread(data):
            return data["unga_votes"].sel(dyad="CHN-RUS").std("year")

        truth = {"state_wander": 0.2, "wander": 0.2, "half_life": 5.0}
        true, false = [], []
        for seed in range(20):
            world = simulate_world(panel, parameters=truth, random_seed=seed)
            values = {**world.parameters, "alignment": world.alignment, "words": world.words,
                      "pressure": world.pressure}  # fmt: skip
            values = {k: np.repeat(np.asarray(v)[None], 40, axis=0) for k, v in values.items()}
            flat = {**values, "alignment": np.full_like(values["alignment"], 3.0)}
            for found, given in ((true, values), (false, flat)):
                test = ppc(given, world.panel(), spread, replicate="ordinary", random_seed=seed)
                found.append(test.p_value)
        # Given the truth the p-value is uniform.
        assert kstest(true, "uniform").pvalue > 0.02
        assert kstest(false, "uniform").pvalue < 0.001


class TestWhere:
    @pytest.mark.parametrize("kind", ["ordinary", "mixed"])
    def test_both_data_sets_show_only_the_regime(self, panel, tree, kind):
        seen = []

        @statistic(name="watch", batched=True)
        def watch(data):
            seen.append(data)
            return data["unga_votes"].mean(("dyad", "year"))

        test = ppc(tree, panel, watch, replicate=kind, where="hardship", draws=4)
        inside = seen[0]["dyad_weather"].isin(REGIMES["hardship"])
        for data in seen:
            for name in ("unga_votes", "arms_deliveries", "standardised", "exposure", "alignment"):
                assert data[name].where(~inside).isnull().all()
                assert data[name].where(inside).notnull().any()
            assert data["pressure"].notnull().all()
        assert 0 < test.counts["dyad_years"] == int(inside.sum()) and test.where == "hardship"

    def test_a_function_of_the_data_set(self, panel, tree):
        def focal(data):
            return (data["dyad"] == "CHN-RUS") & (data["year"] > 2013)

        test = ppc(tree, panel, agreement, replicate="ordinary", where=focal)
        assert test.where == "focal" and test.counts["dyads"] == 1
        real = predictive.example(panel)["unga_votes"].sel(dyad="CHN-RUS", year=slice(2014, None))
        assert test.realised == pytest.approx(real.mean().item())

    def test_drawn_rows_can_be_asked_for(self, panel, known, held_tree):
        test = ppc(held_tree, panel, agreement, known=known, where=lambda data: data["drawn"])
        assert test.counts["dyad_years"] == 6 and test.counts["dyads"] == 1

    @pytest.mark.parametrize(
        ("where", "message"),
        [
            ("stormy", "unknown regime 'stormy'. Choose from eased"),
            (lambda data: 3, "gives no mask"),
            (lambda data: data["unga_votes"], "gives no mask"),
            (lambda data: (data["year"] > 2010)[5:], "other labels of year"),
            (lambda data: data["nothing"], "where= fails: KeyError"),
            (lambda data: data["year"] > 3000, "has no data in this panel"),
        ],
    )
    def test_refusals(self, panel, tree, where, message):
        with pytest.raises(FairweatherError, match=re.escape(message)):
            ppc(tree, panel, agreement, replicate="ordinary", where=where)

    def test_a_regime_in_which_nothing_was_drawn(self, panel, known, held_tree):
        with pytest.raises(ReplicationError, match="no row drawn anew lies under where="):
            ppc(held_tree, panel, agreement, known=known, where=lambda data: data["year"] < 2000)

    def test_all_weathers_at_once(self, panel, tree):
        tests = ppc_by_weather(tree, panel, agreement, replicate="ordinary")
        table = tests.to_dataframe().set_index("where")
        assert set(table.index) == {"all", *DYAD_WEATHER}
        lost = table[table["failed"] != ""]
        assert all("has no data" in reason for reason in lost["failed"])
        good = table[table["failed"] == ""]
        for label in good.index:
            alone = ppc(tree, panel, agreement, replicate="ordinary",
                        where=None if label == "all" else label)  # fmt: skip
            assert good.loc[label, "p_value"] == alone.p_value
        parts = good.drop(index="all")["dyad_years"].sum()
        assert parts == good.loc["all", "dyad_years"]


def _raises(data):
    return 1 / 0


def _nan(data):
    return np.nan


def _infinite(data):
    return np.inf


def _text(data):
    return "much"


def _array(data):
    return np.zeros(3)


def _objects(data):
    return xr.DataArray(np.array(["a"], dtype=object), dims="k")


def _nan_part(data):
    return data["unga_votes"].mean("year").where(data["dyad"] != "CHN-RUS")


def _mutates(data):
    data["unga_votes"][:] = 0.0
    return 1.0


def _mutates_numpy(data):
    data["alignment"].to_numpy()[0, 0] = 0.0
    return 1.0


def _shifty(data):
    x = data["unga_votes"].mean("year")
    return x if float(data["alignment"].mean()) > 0 else x[1:]


def _missing(data):
    return data["un_votes"].mean()


BAD = {
    _raises: r"'raises' on the realised data, draw 0: ZeroDivisionError: division by zero\. Try",
    _nan: r"'nan' on the realised data, draw 0 gives NaN\. Cells without a row",
    _infinite: "gives an infinite number",
    _text: "gives str, no number",
    _array: r"gives ndarray, no number\. Return a float or an xarray\.DataArray",
    _objects: "gives object, no number",
    _nan_part: "gives NaN for {'dyad': 'CHN-RUS'}",
    _mutates: r"is a view.*work on data\.copy",
    _mutates_numpy: r"read-only.*work on data\.copy",
    _shifty: r"draw \d+ gives {'dyad': \d}, before it was {'dyad': \d}",
    _missing: "KeyError",
}


class TestBadStatistics:
    @pytest.mark.parametrize("bad", BAD, ids=lambda f: f.__name__)
    def test_one_message_names_statistic_and_draw(self, panel, tree, bad):
        with pytest.raises(StatisticError, match=BAD[bad]):
            ppc(tree, panel, bad, replicate="mixed")

    def test_the_others_are_kept(self, panel, tree):
        tests = ppc_many(tree, panel, [_raises, agreement, _nan, "drawdown"], replicate="mixed")
        assert [t.name for t in tests] == ["agreement", "drawdown"] and len(tests) == 2
        assert [f.name for f in tests.failed] == ["raises", "nan"]
        table = tests.to_dataframe()
        assert table["failed"].tolist()[:2] == ["", ""]
        assert "ZeroDivisionError" in table["failed"].iloc[2]
        assert table["draws"].dtype == "Int64" and table["draws"].tolist()[:2] == [DRAWS, DRAWS]
        assert "raises, all: failed:" in repr(tests)
        with pytest.raises(KeyError, match="nan failed"):
            tests["nan"]
        alone = ppc(tree, panel, agreement, replicate="mixed")
        assert tests["agreement"].p_value == alone.p_value

    def test_nothing_a_statistic_does_reaches_another(self, panel, tree):
        def meddles(data):
            data["unga_votes"] = data["unga_votes"] * 0.0
            data["year"] = data["year"] + 1
            data.attrs["x"] = 1
            return 1.0

        tests = ppc_many(tree, panel, [meddles, agreement, "drawdown"], replicate="mixed")
        alone = ppc(tree, panel, agreement, replicate="mixed")
        xr.testing.assert_identical(tests["agreement"].data, alone.data)

    def test_a_batched_one_must_keep_the_draws(self, panel, tree):
        @statistic(name="loses", batched=True)
        def loses(data):
            return data["unga_votes"].mean()

        with pytest.raises(StatisticError, match="loses the 25 draws of its data"):
            ppc(tree, panel, loses, replicate="mixed")

    def test_observables_only_means_it(self, panel, tree):
        @statistic(name="peeks", observables_only=True)
        def peeks(data):
            return data["alignment"].mean()

        with pytest.raises(StatisticError, match="observables_only=False"):
            ppc(tree, panel, peeks, replicate="mixed")

    def test_a_slow_one_is_stopped_early(self, panel, tree):
        calls = []

        def dawdles(data):
            calls.append(1)
            time.sleep(0.05)
            return 1.0

        with pytest.raises(StatisticError, match=r"'dawdles'.* s a draw, .*patience=None"):
            ppc(tree, panel, dawdles, replicate="mixed", patience=0.5)
        assert len(calls) < DRAWS
        assert ppc(tree, panel, dawdles, replicate="mixed", draws=3, patience=None).p_value == 0.5

    def test_two_of_one_name(self, panel, tree):
        with pytest.raises(StatisticError, match="two statistics are called drawdown"):
            ppc_many(tree, panel, ["drawdown", "drawdown"], replicate="mixed")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "held-out replication needs known="),
        ({"replicate": "posterior"}, "unknown replication 'posterior'"),
        ({"replicate": "mixed", "dyads": "RUS-CHN"}, "no dyad RUS-CHN in this panel"),
        ({"replicate": "mixed", "dyads": []}, "no dyad named"),
        ({"replicate": "ordinary", "dyads": "CHN-RUS"}, "dyads= is for mixed"),
        ({"replicate": "mixed", "draws": 0}, "draws is 0"),
        ({"replicate": "mixed", "draws": True}, "draws is True"),
    ],
)
def test_refusals(panel, tree, options, message):
    with pytest.raises(ReplicationError, match=re.escape(message)):
        ppc(tree, panel, agreement, **options)


def test_known_must_be_the_panel_without_some_rows(panel, tree, held_tree, known):
    with pytest.raises(ReplicationError, match="ordinary replication takes no known="):
        ppc(tree, panel, agreement, replicate="ordinary", known=known)
    with pytest.raises(ReplicationError, match="leaves nothing out"):
        ppc(tree, panel, agreement, known=panel)
    other = fw.load_panel(states=["CHN", "RUS", "IND"])
    with pytest.raises(FairweatherError, match=r"differ in dyads|is not this panel"):
        ppc(prior_tree(other, draws=2), panel, agreement, known=other)


def test_values_by_name_are_checked(panel):
    with pytest.raises(ReplicationError, match="alignment has the shape"):
        ppc({"alignment": np.zeros((4, 2, 2))}, panel, agreement, replicate="mixed")


def test_four_hundred_draws_of_the_whole_panel_take_less_than_ten_seconds():
    panel = fw.load_panel()
    tree = prior_tree(panel, draws=50)
    ppc(tree, panel, agreement, replicate="ordinary", draws=2)
    # Seconds of processor, not of clock: other work on the machine is no fault of this package.
    start = time.process_time()
    ppc(tree, panel, agreement, replicate="ordinary")
    assert time.process_time() - start < 10.0 * 50 / 400


def test_the_documentation_runs(panel, tree, known, held_tree):
    text = DOCS.read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    space = {"panel": panel, "known": known, "tree": held_tree, "whole_tree": tree, "fw": fw}
    for block in blocks:
        exec(compile(block, "docs/predictive.md", "exec"), space)
    assert space["test"].name == "trade-without-arms" and 0 <= space["test"].p_value <= 1
    body = blocks[0].split("@fw.statistic", 1)[1].strip().splitlines()
    assert len([line for line in body if line.strip()]) <= 6


def test_the_schema_in_the_documentation_is_that_of_the_data_set(panel):
    text = DOCS.read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| `(\w+)` \| \(", text, flags=re.MULTILINE))
    ids = {i.id for latent in ("alignment", "pressure") for i in panel.indicators(latent)}
    data = predictive.example(panel)
    assert listed == (set(data.data_vars) | {"domain", "family", "left", "right"}) - ids
