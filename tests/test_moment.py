"""The moment: forecasts know only what was known, scores are right, and the answers follow."""

import json
import re
from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
import typer
import xarray as xr
from scipy import stats
from typer.testing import CliRunner

import helpers
from fairweather import cli, farm, paths
from fairweather import moment_words as mw
from fairweather.cli_moment import moment as command
from fairweather.errors import FairweatherError, ScenarioError
from fairweather.figures.moment import plot_moment
from fairweather.moment import (
    DAY,
    MomentError,
    expectations,
    interval,
    means_so_far,
    moment,
    pressure_that_came,
)
from fairweather.moment_page import facts, page, save
from fairweather.moment_rows import FORECASTS, WEATHERS
from fairweather.moment_scores import (
    BASELINES,
    coded,
    covered,
    crps,
    log_score,
    out_of,
    pit,
    plain,
    scaled,
)
from fairweather.moment_tables import (
    place,
    pressure_table,
    score_rows,
    score_table,
    sentences,
    series_table,
    survival_table,
)
from fairweather.panel import load_panel
from fairweather.provenance import attributes, code_version
from fairweather.record import load_record, resolve
from fairweather.samplers import Settings
from fairweather.scenarios import load_scenarios
from fairweather.simulate import prior_tree, simulate_world
from made_fit import fit

STATES = ["CHN", "IND", "IRN", "RUS"]
CODE = cache(code_version)


@cache
def record():
    return load_record()


@cache
def then(**options):
    return load_panel(record().known_on(DAY), states=STATES, **options)


@cache
def now():
    return load_panel(record(), states=STATES)


@cache
def usual():
    return moment(prior_tree(then(), draws=60, random_seed=2), then(), now())


@cache
def usual_rows():
    return score_rows(usual())


def forecasts(found, *weathers):
    picked = list(weathers)
    return [
        found["survival"]["probability"].sel(weather=picked).to_numpy(),
        found["alignment"]["value"].sel(weather=picked).to_numpy(),
        found["observables"]["value"].sel(weather=picked).to_numpy(),
    ]


# -- what was known ------------------------------------------------------------------------------


def tampered(change):
    """The record with every row that came out after the day changed by `change`."""
    ledger = record().ledger.copy()
    late = ledger["available_on"] > pd.Timestamp(DAY)
    assert late.sum() > 1000
    ledger.loc[late, "value"] = change(ledger.loc[late, "value"])
    return replace(record(), ledger=ledger, observations=resolve(ledger))


def test_rows_that_came_out_later_do_not_touch_the_forecast():
    other = tampered(lambda v: np.minimum(v + 1.0, v.max()))
    early, late = (load_panel(x, states=STATES) for x in (other.known_on(DAY), other))
    tree = prior_tree(early, draws=60, random_seed=2)
    found = moment(tree, early, late)
    for a, b in zip(
        forecasts(found, "expected", "unchanged"), forecasts(usual(), "expected", "unchanged"),
        strict=True,
    ):  # fmt: skip
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(
        found["effects"]["eased_alone"], usual()["effects"]["eased_alone"]
    )
    # What came, and the outcomes, are read from the later record.
    assert (found["pressure"]["came"] != usual()["pressure"]["came"]).any()
    assert not np.allclose(
        found["observables"]["outcome"], usual()["observables"]["outcome"], equal_nan=True
    )
    # The unit of the scores, too, knows only the rows of the time.
    same = [x["scores"].to_dataset().to_dataframe()["past_sd"] for x in (found, usual())]
    np.testing.assert_array_equal(*same)


def test_the_fit_knows_no_row_of_2016_or_later():
    assert then().origin == 2016
    for frame in then().rows.values():
        assert then().years[frame["time"].max()] < 2016


# -- the three weathers --------------------------------------------------------------------------


def test_expected_weather_is_as_written():
    pressure = usual()["pressure"].to_dataset()
    written = expectations().table["expected"]["state"]
    for state, form in written.items():
        given = form["shift_sd"]
        wanted = [*given, *[given[-1]] * 3]
        np.testing.assert_allclose(pressure["expected"].sel(state=state), wanted)


def test_every_expectation_has_its_reason_beside_it():
    text = (paths.data_dir() / "moment.toml").read_text(encoding="utf-8")
    for state in ("Russia", "China"):
        assert re.search(rf"^# {state}: .{{80}}", text, re.M)
    assert load_scenarios(paths.data_dir() / "moment.toml", tuple(STATES)).names


def test_what_came_is_the_coded_anchor_since_the_end_of_2016():
    obs = record().observations
    cases = obs[obs["indicator"] == "gsdb_us_cases"].set_index(["unit", "year"])["value"]
    spread = then().reference["pressure"][1]
    came = usual()["pressure"]["came"]
    for state in ("CHN", "RUS"):
        for year in (2017, 2020, 2022):
            moved = (cases[state, year] - cases[state, 2016]) / spread
            assert float(came.sel(state=state, year=year)) == pytest.approx(moved)
    seen = usual()["pressure"]["seen"]
    assert bool(seen.sel(year=2022).all()) and not seen.sel(year=2023).any()
    assert (came.sel(year=2024) == came.sel(year=2022)).all()
    assert usual().attrs["last_anchor"] == 2022
    np.testing.assert_allclose(
        pressure_that_came(now(), ["RUS", "CHN"], 2016, 8)[::-1] / spread, came
    )


def test_weathers_differ_by_pressure_alone():
    tree = fit(then(), elasticity=0.0, coupling=0.0, scope=0.0)
    found = moment(tree, then(), now())
    for values in forecasts(found, *WEATHERS)[:2]:
        np.testing.assert_allclose(values, np.broadcast_to(values[:1], values.shape))
    for effect in found["effects"].data_vars.values():
        np.testing.assert_allclose(effect, 0.0, atol=1e-12)
    assert not found["survival"]["change"].any()


def test_a_tie_that_leans_on_pressure_weakens_as_expected_and_holds_as_it_came():
    found = moment(fit(then(), elasticity=0.4, coupling=0.0, scope=0.0), then(), now())
    assert (found["effects"]["expected_minus_came"] < 0).all()
    assert (found["effects"]["expected_minus_unchanged"] < 0).all()
    alive = found["survival"]["probability"]
    assert (alive.sel(weather="expected") < alive.sel(weather="came")).all()
    assert (alive.diff("year") <= 1e-12).all()
    alone = found["effects"]["eased_alone"].isel(year=-1)
    np.testing.assert_allclose(alone.sel(state="CHN"), alone.sel(state="RUS"))


@pytest.mark.parametrize("reading", ["domains", "persistence"])
def test_other_readings_take_part(reading):
    tree = prior_tree(then(), reading=reading, draws=12)
    found = moment(tree, then(), now(), horizon=3)
    words = mw.words(found).set_index("claim")["forecast"]
    assert ("order is not forecast" in words["C41"]) == (reading != "domains")
    assert bool(found["effects"]["eased_alone"].any()) == (reading == "domains")


def test_years_between_the_panels_end_and_the_moment_pass_unchanged():
    short = load_panel(record().known_on(DAY), states=STATES, last_year=2014)
    found = moment(fit(short, elasticity=0.4, coupling=0.0, scope=0.0), short, now(), horizon=5)
    assert found.attrs["moment"] == 2016 and found.attrs["panel_end"] == 2014
    assert list(found["survival"]["year"].values) == [2017, 2018, 2019, 2020, 2021]
    # One SD less from 2017 on: the first year moves by one year's share, not by three.
    whole = moment(fit(then(), elasticity=0.4, coupling=0.0, scope=0.0), then(), now(), horizon=5)
    first = [float(x["effects"]["eased_alone"].isel(year=0).mean()) for x in (found, whole)]
    assert first[0] == pytest.approx(first[1], rel=0.02)
    assert set(found["scores"]["year"].values) == {2017, 2018, 2019, 2020, 2021}


# -- the scores ----------------------------------------------------------------------------------


def test_crps_is_that_of_a_normal():
    draws = stats.norm.ppf((np.arange(4000) + 0.5) / 4000)
    for y in (-1.5, 0.0, 0.7):
        phi, cdf = stats.norm.pdf(y), stats.norm.cdf(y)
        exact = y * (2 * cdf - 1) + 2 * phi - 1 / np.sqrt(np.pi)
        assert float(crps(draws, np.array(y))) == pytest.approx(exact, abs=2e-3)


def test_crps_by_pairs():
    rng = np.random.default_rng(1)
    x, y = rng.gamma(2.0, size=(3, 40)), rng.gamma(2.0, size=3)
    pairs = np.abs(x[:, :, None] - x[:, None, :]).mean(axis=(1, 2))
    np.testing.assert_allclose(crps(x, y), np.abs(x - y[:, None]).mean(axis=1) - pairs / 2)


@pytest.mark.parametrize("mean", [0.3, 3.0, 40.0])
def test_right_forecasts_of_counts_cover_what_they_should(mean):
    rng = np.random.default_rng(5)
    draws, seen = rng.poisson(mean, (4000, 300)), rng.poisson(mean, 4000)
    low, high = pit(draws, seen)
    for level in (0.5, 0.9):
        assert covered(low, high, level).mean() == pytest.approx(level, abs=0.025)
    assert (0.5 * (low + high)).mean() == pytest.approx(0.5, abs=0.02)
    half = covered(*pit(draws // 2, seen), 0.9).mean()
    assert half < 0.88 or mean < 1, "a forecast of half the size covers less"


def test_log_scores():
    normal = stats.norm.ppf((np.arange(5000) + 0.5) / 5000) * 2 + 1
    assert float(log_score(normal, np.array(2.0), False)) == pytest.approx(
        stats.norm.logpdf(2.0, 1.0, 2.0), abs=1e-2
    )
    draws = np.array([0.0, 1.0, 1.0, 2.0])
    assert float(log_score(draws, np.array(1.0), True)) == pytest.approx(np.log(2.5 / 5))
    assert np.isfinite(log_score(draws, np.array(9.0), True))


def frame(values, n=1.0, partial=0.0):
    return pd.DataFrame({"value": np.asarray(values, float), "partial": partial, "n": n})


def test_scales_of_the_families():
    votes = frame([30.0], n=50.0, partial=10.0)
    assert float(scaled("vote", coded("vote", votes))[0]) == pytest.approx(0.778, abs=1e-3)
    assert coded("share", frame([1.0], n=4.0)).tolist() == [0.25]
    np.testing.assert_allclose(scaled("count", np.array([0.0, 2.0])), [0.0, np.log(3.0)])
    assert scaled("within", coded("within", frame([-1.5]))).tolist() == [-1.5]


def test_a_random_walk_starts_from_the_last_value_and_widens():
    years, rng = np.arange(2001, 2016), np.random.default_rng(3)
    known = frame(np.tile([0.0, 1.0], 8)[:15])
    out = plain("within", years, known, np.array([2017, 2024]), np.ones(2), 20_000, rng)
    walk = out["random walk"]
    np.testing.assert_allclose(walk.mean(axis=1), 0.0, atol=0.05)
    np.testing.assert_allclose(walk.std(axis=1), np.sqrt([2.0, 9.0]), rtol=0.03)
    climate = out["climatology"]
    np.testing.assert_allclose(climate.mean(axis=1), 0.5, atol=0.02)
    np.testing.assert_allclose(np.quantile(climate, 0.75, axis=1), 0.5 + 0.703 * 0.553, atol=0.02)


def test_plain_forecasts_of_counts_and_shares_are_counts_and_shares():
    years, rng, ahead = np.arange(2004, 2016), np.random.default_rng(3), np.array([2017, 2018])
    for out in plain("count", years, frame([0, 2, 1] * 4), ahead, np.ones(2), 500, rng).values():
        whole = np.expm1(out)
        np.testing.assert_allclose(whole, np.rint(whole), atol=1e-9)
        assert whole.min() >= 0
    trials = np.array([4.0, 2.0])
    for out in plain("share", years, frame([0, 2, 1] * 4, n=2.0), ahead, trials, 500, rng).values():
        assert set(np.unique(out[0])) <= {0.0, 0.25, 0.5, 0.75, 1.0}
        assert set(np.unique(out[1])) <= {0.0, 0.5, 1.0}


def test_too_few_rows_make_no_plain_forecast_and_none_looks_back():
    rng = np.random.default_rng(1)
    four = np.arange(2012, 2016)
    assert plain("count", four, frame([1, 2, 1, 0]), np.array([2017]), np.ones(1), 9, rng) == {}
    five = np.arange(2012, 2017)
    with pytest.raises(FairweatherError, match="2016 cannot be forecast from rows that reach 2016"):
        plain("count", five, frame([1, 2, 1, 0, 3]), np.array([2016]), np.ones(1), 9, rng)


def test_a_share_of_few_trials_scatters_more_than_its_chance():
    u = np.random.default_rng(4).random(20_000)
    out = out_of(np.full(20_000, 0.3), np.full(20_000, 4.0), u)
    assert out.mean() == pytest.approx(0.3, abs=0.01)
    assert out.std() == pytest.approx(np.sqrt(0.3 * 0.7 / 4), abs=0.01)


def test_rows_scored_are_the_pairs_later_rows_of_series_known_then():
    rows = usual_rows()
    assert set(rows["year"]) == set(range(2017, 2025)) and rows["horizon"].min() == 1
    wanted = set()
    for one in now().indicators("alignment"):
        if one.id in then().rows:
            frames = [(p, p.rows[one.id]) for p in (then(), now())]
            mine = [
                p.years[f.loc[f["unit"] == p.dyads.index("CHN-RUS"), "time"]] for p, f in frames
            ]
            if len(mine[0]) and (mine[1] > 2016).any():
                wanted.add(one.id)
    assert set(rows["indicator"]) == wanted and "gdelt_balance" not in wanted
    # Two and three years of visits are no past to make plain forecasts from.
    few = rows[rows["indicator"].isin(["china_trips_vg2", "visits_to_china_vg2"])]
    assert not set(few["forecast"]) & set(BASELINES) and len(few)
    table = score_table(rows)
    assert not few["indicator"].isin(rows.loc[rows["forecast"] == "climatology", "indicator"]).any()
    assert table.loc[table["group"] == "all", "rows"].nunique() == 1


def test_means_count_rows_and_series_and_are_over_the_same_rows():
    rows = pd.DataFrame(
        [("a", "security", y, y - 2016, f, c) for y in (2017, 2021) for f, c in
         zip(FORECASTS, (1.0, 0.5, 1.0, 2.0, 0.4), strict=True)]
        + [("b", "economic", 2018, 2, f, 9.0) for f in WEATHERS],
        columns=["indicator", "domain", "year", "horizon", "forecast", "crps_sd"],
    ).assign(inside_50=1.0, inside_90=1.0, log_score=0.0)  # fmt: skip
    table = score_table(rows).set_index(["group", "forecast"])
    assert ("economic", "came") not in table.index, "what no rival forecasts is no comparison"
    came = table.loc[("all", "came")]
    assert (came["rows"], came["series"], came["crps_sd"]) == (2, 1, 0.5)
    assert came["skill"] == pytest.approx(0.75)
    assert (came["better_than_walk"], came["better_than_climatology"]) == (1, 0)
    bands = score_table(rows, by="horizon")
    assert set(bands["group"]) == {"all", "1-2 years", "3-5 years"}


# -- a made-up world -----------------------------------------------------------------------------


@cache
def oracle(seed):
    """A made-up world to 2024, and a fit that knows its parameters and its paths to 2016."""
    flat = {k: 0.0 for k in ("agenda", "shift_within", "shift_count", "scope", "coupling")}
    flat |= {"elasticity": 0.35, "half_life": 3.0, "drift": 0.0, "feedback": 0.0, "wander": 0.3}
    drawn = {k: v for k, v in flat.items() if not k.startswith("shift")}
    world = simulate_world(now(), parameters=drawn, random_seed=seed)
    late = world.panel()
    rows = {}
    for name, frame in then().rows.items():
        cells = frame[["unit", "time"]]
        rows[name] = cells.merge(late.rows[name], on=["unit", "time"], validate="1:1")
    early = replace(then(), rows=rows, spread=late.spread)
    short = len(early.years)
    known = {k: v for k, v in world.parameters.items() if np.ndim(v) == 0} | {
        "alignment": world.alignment[:, :short], "pressure": world.pressure[:, :short],
        "words": world.words[:, :short], "agenda": 0.0,
        "complementarity": world.complementarity[:, now().dyads.index("CHN-RUS"), :short],
        **{k: world.parameters[k] for k in ("level", "target_centre", "dyad_drift", "elasticity")},
    }  # fmt: skip
    shape = prior_tree(early, draws=1)["posterior"].to_dataset()
    whole = prior_tree(late, draws=1)["posterior"].to_dataset()
    for family in ("within", "count", "share"):
        for stem in ("loading_", "residual_"):
            name = f"{stem}{family}"
            if name in world.parameters and name in shape:
                labels = list(whole[family].values)
                at = [labels.index(x) for x in shape[family].values]
                known[name] = np.asarray(world.parameters[name])[at]
    labels = list(whole["share_series"].values)
    at = [labels.index(x) for x in shape["share_series"].values]
    known["share_level"] = np.asarray(world.parameters["share_level"])[at]
    tree = fit(early, chains=2, draws=150, **known)
    return moment(tree, early, late)


def test_who_knows_the_world_covers_what_comes_and_beats_the_wrong_weather():
    rows = pd.concat([score_rows(oracle(seed)) for seed in (1, 2, 3, 4)])
    came = rows[rows["forecast"] == "came"]
    assert len(came) > 250
    assert 0.4 < came["inside_50"].mean() < 0.7
    assert 0.82 < came["inside_90"].mean() < 0.99
    mean = rows.groupby("forecast")["crps_sd"].mean()
    assert mean["came"] < mean["expected"]
    table = pd.concat([score_table(score_rows(oracle(seed))) for seed in (1, 2, 3, 4)])
    mean = table[table["group"] == "all"].groupby("forecast")["crps_sd"].mean()
    assert mean["came"] < min(mean[b] for b in BASELINES)


# -- words, tables, page, figure -----------------------------------------------------------------


def test_every_claim_asked_for_has_its_words():
    table = mw.words(usual())
    wanted = ["C08", "C33", "C34", "C37", "C38", "C40", "C41", "C43", "C44", "C47", "C48"]
    assert sorted(table["claim"]) == wanted
    assert (table[["paper", "forecast", "outcome", "answer"]].map(len) > 3).all().all()
    answers = table.set_index("claim")["answer"]
    assert answers["C37"] == answers["C38"] == mw.DID_NOT
    assert set(answers[["C08", "C34", "C40", "C41", "C43", "C44"]]) == {mw.UNTESTED}
    assert set(answers[["C33", "C47", "C48"]]) <= {mw.BELOW, mw.ABOVE, mw.AS_FORECAST}


def changed(**nodes):
    """The usual moment with some nodes replaced."""
    copy = usual().copy(deep=True)
    for name, data in nodes.items():
        copy[name] = copy[name].copy()
        copy[name].dataset = data
    return copy


@pytest.mark.parametrize(
    ("came", "answer"), [(-1.0, mw.BORE_OUT), (-0.2, mw.OPEN), (0.0, mw.DID_NOT)]
)
def test_rules_of_the_weather(came, answer):
    pressure = usual()["pressure"].to_dataset()
    found = changed(pressure=pressure.assign(came=0 * pressure["came"] + came))
    expected, seen, got = mw.eased(found, "RUS", 4)
    assert (expected, seen) == (pytest.approx(-0.875), pytest.approx(came)) and got == answer
    words = mw.words(found).set_index("claim")["answer"]
    assert words["C40"] == (mw.UNTESTED if came == 0 else mw.OPEN)


def test_a_mean_over_years_scatters_less_than_its_years():
    years = np.random.default_rng(1).standard_normal((2, 4, 20_000))
    low, high = interval(means_so_far(years))
    np.testing.assert_allclose((high - low) * np.sqrt([1, 2, 3, 4]), 2 * 1.645, atol=0.06)
    # What does not change from year to year does not average out.
    level = np.repeat(years[:, :1], 4, axis=1)
    np.testing.assert_allclose(interval(means_so_far(level)), interval(level))


def test_the_interval_beside_a_mean_over_years_is_of_that_mean():
    data = usual()["pressure"].to_dataset()
    first, last = data.isel(year=0), data.isel(year=3)
    assert np.allclose(first["mean_lower"], first["unchanged_lower"])
    widths = (data["unchanged_upper"] - data["unchanged_lower"]).isel(year=slice(0, 4))
    assert (last["mean_upper"] - last["mean_lower"] < widths.mean("year")).all()
    low, high = (float(last.sel(state="RUS")[f"mean_{k}"]) for k in ("lower", "upper"))
    told = mw.words(usual()).set_index("claim")["forecast"]["C37"]
    assert f"2017-2020; no change by the model, 90 % [{low:+.1f}, {high:+.1f}]" in told
    short = usual().copy(deep=True)
    short.attrs["horizon"] = 1
    assert "SD, 2017; no change" in mw.words(short).set_index("claim")["forecast"]["C37"]


@pytest.mark.parametrize(("factor", "answer"), [(0.0, mw.BELOW), (1e4, mw.ABOVE)])
def test_rules_of_the_arms(factor, answer):
    data = usual()["observables"].to_dataset()
    value = 5.0 + 0 * data["value"] + np.arange(data.sizes["draw"])[None, None, :, None] % 3
    found = changed(observables=data.assign(value=value, outcome=factor * data["outcome"]))
    assert mw.words(found).set_index("claim")["answer"]["C48"] == answer


def test_place_takes_half_of_those_equal():
    assert place(np.array([1.0, 2.0, 2.0, 5.0]), 2.0) == 0.5
    assert place(np.array([1.0, 2.0]), 3.0) == 1.0


def test_the_page_and_the_files_say_the_same(tmp_path):
    folder = save(usual(), "x", tmp_path, plot_moment(usual()))
    assert folder.name == "moment-x"
    files = {p.name for p in folder.iterdir()}
    assert files == {"moment.md", "moment.csv", "moment.json", *(f"moment.{e}" for e in FIGURE)}
    told = json.loads((folder / "moment.json").read_text(encoding="utf-8"))
    assert told["fit"] == "x" and told["basis"]["day"] == DAY
    text = (folder / "moment.md").read_text(encoding="utf-8")
    assert all(s in text for s in told["sentences"]) and told["sentences"] == sentences(usual())
    assert {w["claim"] for w in told["words"]} == set(re.findall(r"\| (C\d\d) \|", text))
    assert len(pd.read_csv(folder / "moment.csv")) == len(usual_rows())
    again = save(usual(), "x", tmp_path)
    assert again == folder and {p.name for p in tmp_path.iterdir()} == {"moment-x"}


FIGURE = ("pdf", "png", "txt")


def test_the_agenda_is_the_mean_movement_since_the_last_year_known():
    obs = record().observations
    votes = obs[(obs["indicator"] == "unga_votes") & obs["unit"].isin(now().dyads)]
    votes = votes.assign(logit=scaled("vote", coded("vote", votes)))
    mean = votes.groupby("year")["logit"].mean()
    pair = votes[votes["unit"] == "CHN-RUS"].set_index("year")["logit"]
    moved = usual()["observables"]["agenda"].sel(year=2020)
    assert float(moved.sel(pairs="all")) == pytest.approx(mean[2020] - mean[2015])
    assert float(moved.sel(pairs="CHN-RUS")) == pytest.approx(pair[2020] - pair[2015])


def test_tables_hold_together():
    pressure = pressure_table(usual())
    assert len(pressure) == 16
    came = pressure[pressure["state"] == "CHN"].set_index("year")
    assert not came.loc[2022, "within_unchanged"]
    assert len(survival_table(usual())) == 3 * 8
    series = series_table(usual())
    assert len(series) == 3 * usual_rows()["indicator"].nunique()
    assert (series["lower"] <= series["upper"]).all() and series["place"].between(0, 1).all()
    votes = series[series["indicator"] == "unga_votes"]
    assert votes["outcome"].between(0.7, 0.9).all()
    told = facts(usual())
    assert len(told["scores_by_both"]) > len(told["scores_by_domain"])
    assert "Agreement of all pairs" in page(usual())


def test_the_figure_shows_what_came():
    fig = plot_moment(usual())
    titles = [ax.get_title(loc="left") for ax in fig.axes]
    assert titles[0] == "pressure on CHN, SD" and "arms deals delivering" in titles
    arms = fig.axes[titles.index("arms deals delivering")]
    dots = [line for line in arms.lines if line.get_marker() == "o"]
    seen = usual()["observables"]["outcome"].sel(indicator="arms_deliveries")
    np.testing.assert_allclose(dots[0].get_ydata(), seen)
    assert "2022" in fig.get_label() and DAY in fig.get_label()


# -- refusals and the command --------------------------------------------------------------------


def test_refusals(tmp_path):
    tree = fit(then())
    with pytest.raises(MomentError, match="is of no date"):
        moment(tree, now(), now())
    with pytest.raises(MomentError, match="ends in 2016, before 2024"):
        moment(tree, then(), then())
    with pytest.raises(MomentError, match="horizon is 0"):
        moment(tree, then(), now(), horizon=0)
    other = load_panel(record(), states=STATES, focal="CHN-IND")
    with pytest.raises(MomentError, match="the pair of the later panel is CHN-IND"):
        moment(tree, then(), other)
    file = tmp_path / "mine.toml"
    file.write_text('[scenario.calm]\nlabel = "a"\ntext = "b"\n', encoding="utf-8")
    with pytest.raises(MomentError, match=r"mine.toml: there is no \[scenario.expected\]"):
        expectations(file)
    with pytest.raises(ScenarioError, match="cannot be read"):
        expectations(tmp_path / "none.toml")


app = typer.Typer(cls=cli._Guarded, pretty_exceptions_enable=False)
app.callback()(lambda: None)
app.command()(command)
SMALL = ["--states", "CHN,IND,RUS", "--draws", "20", "--tune", "30", "--chains", "2"]


def call(*args):
    return CliRunner().invoke(app, ["moment", *SMALL, *map(str, args)])


def known(as_of=None, history=False):
    """The record, read once for all fits of this process."""
    return record() if as_of is None else record().known_on(as_of)


@pytest.fixture
def sampled(monkeypatch):
    """Fits of this process draw from the prior: what the command does with draws is the point."""
    seen = []

    def draw(model, *, random_seed, draws, tune, chains, target_accept, **_):
        settings = Settings(draws, tune, chains, random_seed, target_accept)
        attrs = attributes(model, settings, "nutpie")
        tree = prior_tree(model.panel, reading=attrs["reading"], draws=draws * chains)
        both = tree["posterior"].to_dataset().isel(chain=0)
        parts = [both.isel(draw=slice(k, None, chains)).assign_coords(draw=range(draws))
                 for k in range(chains)]  # fmt: skip
        seen.append(attrs["reading"])
        posterior = xr.concat(parts, "chain", data_vars="all", coords="minimal", compat="override")
        out = xr.DataTree.from_dict({"posterior": posterior.drop_vars("chain", errors="ignore")})
        out.attrs = {**tree.attrs, **attrs}
        return out

    monkeypatch.setattr("fairweather.inference.fit", draw)
    monkeypatch.setattr("fairweather.provenance.code_version", CODE)
    for module in ("record", "panel"):
        monkeypatch.setattr(f"fairweather.{module}.load_record", known)
    monkeypatch.setattr("fairweather.figures.moment.plot_moment", lambda found: None)
    return seen


def test_the_command_fits_once_and_writes_its_pages(tmp_path, monkeypatch, sampled):
    monkeypatch.setattr("fairweather.gate.gate", lambda tree: helpers.Gate())
    first = call("--reading", "drift", "--results", tmp_path, "--workers", 1)
    assert first.exit_code == 0, first.output
    assert sampled == ["drift"]
    assert "did not come" in first.stdout and "CRPS by horizon" in first.stdout
    pages = sorted(tmp_path.glob("moment-*/moment.md"))
    readings = [p.read_text(encoding="utf-8").split("Reading ")[1].split(",")[0] for p in pages]
    assert readings == ["drift"]
    again = call("--reading", "drift", "--results", tmp_path, "--quiet")
    assert again.exit_code == 0 and len(sampled) == 1, "what is archived is not fitted again"
    assert again.stdout.split() == [str(p.parent) for p in pages]


def test_a_fit_that_does_not_converge_gets_no_page(tmp_path, monkeypatch, sampled):
    monkeypatch.setattr("fairweather.gate.gate", lambda tree: helpers.FAILED)
    done = call("--reading", "drift", "--results", tmp_path)
    assert done.exit_code == 3 and "drift: half_life: R-hat" in done.stderr
    assert sampled == ["drift"] and not list(tmp_path.glob("moment-*"))


def test_the_command_refuses_before_any_fit(tmp_path, monkeypatch):
    monkeypatch.setattr(farm, "run", lambda *_, **__: pytest.fail("it ran"))
    done = call("--reading", "astrology", "--results", tmp_path)
    assert done.exit_code == 2 and "unknown reading 'astrology'" in done.stderr
