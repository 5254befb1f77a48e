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
from typer.testing import CliRunner

import helpers
from fairweather import cli, farm, paths
from fairweather import moment_words as mw
from fairweather.baselines import Known, get_baseline
from fairweather.cli_moment import moment as command
from fairweather.errors import ScenarioError
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
from fairweather.moment_rows import BASELINES, FORECASTS, WEATHERS, coded, in_record, linked
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
from fairweather.scores import Cells, calibration, get_score
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
    # No more successes than trials.
    shares = [i.id for i in record().codebook.by() if i.family == "share"]
    of_trials = late & ledger["indicator"].isin(shares)
    ledger.loc[of_trials, "value"] = ledger.loc[of_trials, ["value", "n"]].min(axis=1)
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


def frame(values, n=1.0, partial=0.0):
    return pd.DataFrame({"value": np.asarray(values, float), "partial": partial, "n": n})


def test_units_and_scales_of_the_families():
    votes = frame([30.0], n=50.0, partial=10.0)
    assert float(linked("vote", coded("vote", votes))[0]) == pytest.approx(0.778, abs=1e-3)
    assert coded("share", frame([1.0], n=4.0)).tolist() == [0.25]
    assert in_record("share", frame([1.0], n=4.0)).tolist() == [1.0]
    assert float(linked("share", np.array(0.25))) == pytest.approx(np.log(1 / 3))
    np.testing.assert_allclose(linked("count", np.array([0.0, 2.0])), np.log([0.5, 2.5]))
    assert linked("within", coded("within", frame([-1.5]))).tolist() == [-1.5]


def test_rows_are_scored_by_the_shared_scores():
    """CRPS, place and log score of a row by hand, from the draws kept beside it."""
    rows = usual_rows()
    data = usual()["observables"].to_dataset()
    for name, family in (("unga_votes", "vote"), ("arms_deliveries", "count")):
        mine = rows[(rows["indicator"] == name) & (rows["forecast"] == "came")].set_index("year")
        draws = data["value"].sel(weather="came", indicator=name, year=2019).to_numpy()[None]
        value = data["outcome"].sel(indicator=name, year=[2019]).to_numpy()
        one = Cells(family, draws, value, np.ones(1), np.ones(1))
        assert mine.loc[2019, "crps"] == pytest.approx(get_score("crps").score(one).item())
        assert mine.loc[2019, "log"] == pytest.approx(get_score("log").score(one).item())
        low, high = calibration.place(one)
        assert (mine.loc[2019, "pit_low"], mine.loc[2019, "pit_high"]) == (low.item(), high.item())
        assert mine.loc[2019, "inside_90"] == calibration.coverage(low, high, 0.9).item()
        assert mine.loc[2019, "value"] == pytest.approx(one.linked[1].item())


def test_shares_are_scored_out_of_the_years_own_trials():
    """Draws of a chance alone would be too sure of a share of two or three trials."""
    rows = now().rows["chronology_sign"]
    own = rows[rows["unit"] == now().dyads.index("CHN-RUS")].set_index("time")
    mine = usual_rows()[usual_rows()["indicator"] == "chronology_sign"]
    assert (mine.loc[mine["forecast"] == "came", "pit_high"]
            > mine.loc[mine["forecast"] == "came", "pit_low"]).any()  # fmt: skip
    for r in mine[mine["forecast"] == "came"].itertuples():
        coded_row = own.loc[r.year - now().years[0]]
        x, n = coded_row["value"], coded_row["n"]
        assert r.value == pytest.approx(np.log((x + 0.5) / (n - x + 0.5)))


def test_plain_forecasts_are_the_shared_ones_from_the_earlier_panel():
    data = usual()["scores"].to_dataset()
    at = (data["indicator"] == "trade_chn_rus_customs").to_numpy()
    assert np.isfinite(data["crps"].values[at]).all()
    cells = pd.DataFrame({"indicator": "trade_chn_rus_customs", "unit": "CHN-RUS",
                          "year": data["year"].values[at]})  # fmt: skip
    value, none = data["value"].values[at], np.ones(at.sum())
    for name in BASELINES:
        draws = get_baseline(name).foresee(Known(then()), cells, np.random.default_rng(1), 4000)
        by_hand = get_score("crps").score(Cells("within", draws, value, none, none))
        kept = data["crps"].sel(forecast=name).values[at]
        # Sixty draws there, four thousand here.
        np.testing.assert_allclose(kept, by_hand, rtol=0.7)
        assert kept.mean() == pytest.approx(by_hand.mean(), rel=0.25)


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
    ).assign(inside_50=1.0, inside_90=1.0, log=0.0)  # fmt: skip
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
    votes = votes.assign(logit=linked("vote", coded("vote", votes)))
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
