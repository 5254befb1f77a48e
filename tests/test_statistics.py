"""One conformance suite for every shipped statistic; each against numbers worked out by hand."""

import re
from importlib import import_module

import numpy as np
import pytest
import xarray as xr

import fairweather as fw
from fairweather.predictive.dataset import Layout
from fairweather.predictive.replicate import Sample, ordinary
from fairweather.simulate import prior_tree
from fairweather.statistics import (
    PURPOSES,
    STATISTICS,
    Statistic,
    StatisticError,
    as_statistic,
    get_statistic,
    list_statistics,
    statistic,
    tools,
)

YEARS = np.arange(2000, 2012)
STATES = ("AAA", "BBB", "CCC")
DYADS = ("AAA-BBB", "AAA-CCC", "BBB-CCC")
ITEMS = {"votes": ("diplomatic", "vote"), "arms": ("security", "count"),
         "drills": ("security", "within"), "trade": ("economic", "within")}  # fmt: skip


def made(weather=(), draws=None, **series):
    """A data set in which every value not named is missing: `votes={"AAA-BBB": {2001: 0.5}}`."""
    z = np.full((len(ITEMS), len(DYADS), len(YEARS)), np.nan)
    for item, by_dyad in series.items():
        for dyad, values in by_dyad.items():
            for year, value in dict(values).items():
                z[list(ITEMS).index(item), DYADS.index(dyad), year - 2000] = value
    label = np.full((len(STATES), len(YEARS)), "", dtype="<U8")
    for state, start, end, kind in weather:
        label[STATES.index(state), start - 2000 : end - 2000 + 1] = kind
    pressure = np.arange(len(STATES) * len(YEARS), dtype=float).reshape(label.shape)
    pairs = [d.split("-") for d in DYADS]
    data = xr.Dataset(
        {"standardised": (("indicator", "dyad", "year"), z), "weather": (("state", "year"), label),
         "pressure": (("state", "year"), pressure)},
        {"indicator": list(ITEMS), "dyad": list(DYADS), "year": YEARS, "state": list(STATES),
         "domain": ("indicator", [d for d, _ in ITEMS.values()]),
         "family": ("indicator", [f for _, f in ITEMS.values()]),
         "left": ("dyad", [a for a, _ in pairs]), "right": ("dyad", [b for _, b in pairs])},
    )  # fmt: skip
    for k, item in enumerate(ITEMS):
        data[item] = (("dyad", "year"), z[k])
    return data


def line(values, start=2000):
    return {start + k: v for k, v in enumerate(values)}


@pytest.fixture(scope="module")
def drawn():
    """Three replicates of a small panel, latent paths included."""
    panel = fw.load_panel(states=["CHN", "RUS", "IND", "MMR", "PAK"])
    sample = Sample.of(prior_tree(panel, draws=3, random_seed=4), panel, 3)
    bench = ordinary(Layout.of(panel), sample, 1)
    nothing = np.zeros((len(panel.dyads), len(panel.years)), bool)
    latents = {k: v.copy() for k, v in bench.latents.items()}
    return bench.layout.build(bench.rows(slice(0, 3)), latents, 3, drawn=nothing)


@pytest.mark.parametrize("name", STATISTICS)
class TestEveryStatistic:
    def test_has_the_same_pieces(self, name):
        module = import_module(STATISTICS[name])
        assert module.LABEL and module.PURPOSE in PURPOSES
        assert isinstance(module.OBSERVABLES_ONLY, bool)
        assert STATISTICS[name].endswith(name.replace("-", "_"))

    def test_gives_each_draw_what_it_gives_it_alone(self, name, drawn):
        one = get_statistic(name)
        together = one(drawn)
        alone = xr.concat([xr.DataArray(one(drawn.isel(draw=k))) for k in range(3)], dim="draw")
        xr.testing.assert_allclose(together.reset_coords(drop=True), alone, rtol=1e-12)
        assert np.isfinite(alone).all()

    def test_differs_between_replicates(self, name, drawn):
        values = get_statistic(name)(drawn).to_numpy()
        assert (values != values[:1]).any()

    def test_reads_latent_paths_only_if_it_says_so(self, name, drawn):
        one = get_statistic(name)
        blind = drawn.drop_vars(["alignment", "pressure"])
        if one.observables_only:
            xr.testing.assert_identical(one(blind), one(drawn))
        else:
            with pytest.raises(KeyError):
                one(blind)

    def test_rests_on_something(self, name, drawn):
        support = get_statistic(name).support(drawn.isel(draw=0))
        assert isinstance(support, int) and support > 0

    def test_says_so_where_there_is_nothing(self, name, drawn):
        dark = drawn.isel(draw=0).map(lambda v: v * np.nan if v.dtype.kind == "f" else v)
        with pytest.raises(StatisticError, match=r"^no .* in the data set\. Widen"):
            get_statistic(name)(dark)

    def test_is_in_the_documentation(self, name):
        docs = import_module("pathlib").Path(__file__).parents[1] / "docs" / "predictive.md"
        assert re.search(rf"^\| `{name}` \|", docs.read_text(encoding="utf-8"), flags=re.MULTILINE)


def test_composite_is_the_mean_over_items_and_then_over_domains():
    data = made(votes={"AAA-BBB": {2000: 1.0}}, arms={"AAA-BBB": {2000: 2.0, 2001: 2.0}},
                drills={"AAA-BBB": {2000: 4.0}})  # fmt: skip
    whole = tools.composite(data).sel(dyad="AAA-BBB")
    assert whole.sel(year=2000).item() == pytest.approx((1.0 + 3.0) / 2)
    assert whole.sel(year=2001).item() == 2.0
    assert np.isnan(whole.sel(year=2002)) and tools.composite(data, "security").max() == 3.0
    with pytest.raises(StatisticError, match="no indicator of the domain 'cultural'"):
        tools.composite(data, "cultural")


def test_windows_are_the_runs_of_a_weather_and_the_dyads_of_its_state():
    data = made(weather=[("AAA", 2003, 2004, "easing"), ("AAA", 2008, 2011, "easing"),
                         ("CCC", 2005, 2005, "hardship")])  # fmt: skip
    found = [(s, a, b, list(d)) for s, a, b, d in tools.windows(data, "easing")]
    assert found == [("AAA", 3, 4, [0, 1]), ("AAA", 8, 11, [0, 1])]
    assert [w[0] for w in tools.windows(data, "hardship")] == ["CCC"]


def test_change_after_easing_by_hand():
    # Before: 1. From the start, 2004, to three years after the end, 2008: mean of 0, 0, 1, 2, 0.
    data = made(weather=[("AAA", 2004, 2005, "easing")],
                arms={"AAA-BBB": line([1, 9, 9, 1, 0, 0, 1, 2, 0, 50])})  # fmt: skip
    one = get_statistic("change-after-easing")
    assert one(data) == pytest.approx(0.6 - 1.0) and one.support(data) == 1
    with pytest.raises(StatisticError):
        get_statistic("change-after-hardship")(data)


def test_change_after_hardship_by_hand():
    data = made(weather=[("CCC", 2010, 2010, "hardship")],
                arms={"AAA-CCC": {2009: 1.0, 2010: 2.0}, "BBB-CCC": {2009: 0.0, 2011: 3.0},
                      "AAA-BBB": {2009: 0.0, 2010: 100.0}})  # fmt: skip
    one = get_statistic("change-after-hardship")
    assert one(data) == pytest.approx((1.0 + 3.0) / 2) and one.support(data) == 2


def test_an_episode_in_the_first_year_has_no_year_before():
    data = made(weather=[("AAA", 2000, 2001, "easing")], arms={"AAA-BBB": line(range(12))})
    assert get_statistic("change-after-easing").support(data) == 0


def test_drawdown_by_hand():
    data = made(votes={"AAA-BBB": {2000: 1.0, 2003: 3.0, 2005: 0.5, 2006: 2.0},
                       "AAA-CCC": {2001: 0.0, 2002: 1.0}, "BBB-CCC": {2001: 7.0}})  # fmt: skip
    one = get_statistic("drawdown")
    assert one(data) == pytest.approx((2.5 + 0.0) / 2) and one.support(data) == 2


def test_stays_above_by_hand():
    data = made(votes={"AAA-BBB": {2001: 1.0, 2004: 3.0, 2005: 2.1, 2006: 1.9, 2007: 5.0},
                       "AAA-CCC": {2001: 0.0, 2009: -1.0},
                       "BBB-CCC": {2007: 9.0}})  # fmt: skip
    one = get_statistic("stays-above")
    assert one(data) == pytest.approx((2 / 3 + 0.0) / 2) and one.support(data) == 4


def test_security_less_economic_by_hand():
    data = made(weather=[("AAA", 2004, 2004, "easing")],
                arms={"AAA-BBB": {2003: 0.0, 2005: -2.0}, "AAA-CCC": {2003: 0.0, 2004: 9.0}},
                trade={"AAA-BBB": {2003: 1.0, 2004: 2.0}})  # fmt: skip
    one = get_statistic("security-less-economic")
    assert one(data) == pytest.approx(-2.0 - 1.0) and one.support(data) == 1


def test_recovery_by_hand():
    data = made(weather=[("AAA", 2003, 2004, "easing")],
                votes={"AAA-BBB": {2002: 1.0, 2003: 5.0, 2009: 1.0},
                       "AAA-CCC": {2002: 1.0, 2005: 0.0, 2010: 5.0}})  # fmt: skip
    one = get_statistic("recovery")
    assert one(data) == pytest.approx(0.5) and one.support(data) == 2


def test_corners_by_hand():
    # Pressure of AAA is 0..11, of BBB 12..23: the least of the first two dyads is year - 2000, of
    # BBB-CCC 12 more. The median of all is 8.5, the upper quartile 14.25.
    data = made(votes={"AAA-BBB": {2001: 0.0, 2005: 1.0, 2006: -1.0, 2010: 1.0},
                       "BBB-CCC": {2002: 1.0, 2003: 0.0, 2008: -1.0, 2009: 2.0}})  # fmt: skip
    least = tools.least_pressure(data)
    assert np.median(least) == 8.5 and np.quantile(least, 0.75) == 14.25
    low, high = get_statistic("necessity"), get_statistic("sufficiency")
    # Low and seen: 2001 (not above its own level), 2005 (above), 2006 (not).
    assert low(data) == pytest.approx(1 / 3) and low.support(data) == 3
    # High and seen: 2003, 2008 (below the level of 0.5), 2009 (above).
    assert high(data) == pytest.approx(2 / 3) and high.support(data) == 3


def test_variance_ratio_tells_noise_from_a_walk():
    rng = np.random.default_rng(5)
    noise = {d: line(rng.standard_normal(12)) for d in DYADS}
    walk = {d: line(np.cumsum(rng.standard_normal(12))) for d in DYADS}
    one = get_statistic("vote-variance-ratio")
    assert one(made(votes=noise)) < 0.6 < one(made(votes=walk))
    straight = made(votes={"AAA-BBB": line(np.arange(12.0))})
    assert one(straight) == pytest.approx(3.0) and one.support(straight) == 9


def test_autocorrelation_by_hand():
    data = made(votes={"AAA-BBB": line([1.0, -1.0] * 6)})
    one = get_statistic("vote-autocorrelation")
    assert one(data) == pytest.approx(-1.0) and one.support(data) == 11


def test_count_zeros_by_hand():
    data = made(arms={"AAA-BBB": {2000: 0.0, 2001: 2.0}, "AAA-CCC": {2000: 0.0, 2004: 0.0}})
    out = get_statistic("count-zeros")(data)
    assert out["indicator"].values.tolist() == ["arms"] and out.item() == pytest.approx(0.75)


def test_registry_knows_own_statistics_and_names_near_misses():
    with pytest.raises(StatisticError, match=r"no statistic 'drawdwn'. Did you mean drawdown"):
        get_statistic("drawdwn")

    @statistic(name="my-own", label="mine", observables_only=True)
    def anything(data):
        return 1.0

    assert list_statistics()[-1] == "my-own" and get_statistic("my-own") is anything
    assert anything(None) == 1.0 and anything.label == "mine" and not anything.batched

    @statistic(name="my-own")
    def again(data):
        """Again. And more."""
        return 2.0

    assert get_statistic("my-own")(None) == 2.0 and again.label == "Again. And more"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: statistic(name="drawdown")(len), "'drawdown' is a shipped statistic"),
        (lambda: statistic(purpose="fun")(len), "purpose is 'fun'. Choose from claim, misfit"),
        (lambda: statistic(3), "3 is no function"),
        (lambda: as_statistic(3), "3 is no statistic"),
        (lambda: as_statistic("nothing like it"), "See list_statistics"),
    ],
)
def test_refusals(make, message):
    with pytest.raises(StatisticError, match=re.escape(message)):
        make()


def test_a_plain_function_is_a_statistic_of_one_draw():
    def my_thing(data):
        return 0.0

    one = as_statistic(my_thing)
    assert one == Statistic(my_thing, "my-thing", "my-thing")
    assert not one.observables_only and not one.batched
