"""What rows did is what is lost without them, by weights that are the model's own likelihood."""

import numpy as np
import pytest
from scipy.special import betaln, gammaln

import made_fit
from fairweather.draws import Draws
from fairweather.model import prepare
from fairweather.monitor import early_warning, influence, running
from fairweather.monitor.influence import EVERY, likelihood_of
from fairweather.monitor.layout import without
from fairweather.sensitivity import log_likelihood
from monitor_made import rows, tree

PANEL = made_fit.panel()


@pytest.fixture(scope="module")
def some(tmp_path_factory):
    return rows(tmp_path_factory.mktemp("rows"))


@pytest.fixture(scope="module")
def whole(some):
    return running(PANEL, some)


@pytest.fixture(scope="module")
def draws(whole):
    return Draws.of(tree(whole, draws=80), whole)


def of(some, *names):
    return some[some["indicator"].isin(names)]


def test_the_likelihood_is_that_of_the_panel_with_less_that_of_the_panel_without(
    some, whole, draws
):
    both = [
        log_likelihood(draws.data, panel, draws.priors, draws.reading)
        for panel in (whole, without(whole, some))
    ]
    for family in ("vote", "count", "share"):
        own = likelihood_of(draws, some[some["family"] == family])
        np.testing.assert_allclose(own, (both[0][family] - both[1][family])[0], atol=1e-9)


def test_a_share_adds_a_beta_binomial(some, whole, draws):
    batch = prepare(whole, draws.priors)["share"]
    label = "unsc_joint_veto:" + str(whole.dyads.index("CHN-RUS"))
    level = draws.get("share_level", share_series=label)
    latent = draws.get("alignment", dyad="CHN-RUS")[:, -1]
    p = 1 / (1 + np.exp(-level - draws.get("loading_share", share="unsc_joint_veto") * latent))
    # The family keeps off 0 and 1, where a beta function has no value.
    p = np.clip(p, 1e-12, 1 - 1e-12)
    a, b = (batch.extra["concentration"] * x for x in (p, 1 - p))
    np.testing.assert_allclose(
        likelihood_of(draws, of(some, "unsc_joint_veto")), betaln(a + 1, b + 1) - betaln(a, b)
    )


def test_a_count_adds_its_share_of_the_units_events(some, whole, draws):
    """By hand: the Dirichlet-multinomial of all years over that of all but the running one."""
    unit, state = "us_leader_contacts", "CHN"
    rows_of = whole.rows[unit]
    mine = rows_of[rows_of["unit"] == whole.states.index(state)].sort_values("time")
    y, n = mine["value"].to_numpy(), np.where(mine["n"] > 0, mine["n"], 1.0)
    words = draws.get("words", state=state)
    sign = whole.record.codebook[unit].sign
    latent = sign * (draws.get("pressure", state=state) + words)[:, mine["time"].to_numpy(int)]
    eta = draws.get("loading_count", count=unit)[:, None] * latent
    batch = prepare(whole, draws.priors)["count"]
    if batch.ids.index(unit) in batch.shifted:
        eta = eta + draws.get("shift_count", count_shifted=unit)[:, mine["time"].to_numpy(int)]
    c = batch.extra["concentration"]

    def logp(k):
        weight = np.exp(eta[:, :k]) * n[:k]
        alpha = c * k * weight / weight.sum(axis=1, keepdims=True)
        gain = (gammaln(alpha + y[:k]) - gammaln(alpha)).sum(axis=1)
        return gain + gammaln(c * k) - gammaln(c * k + y[:k].sum())

    expected = logp(len(y)) - logp(len(y) - 1)
    own = likelihood_of(draws, of(some, unit))
    np.testing.assert_allclose(own - own[0], expected - expected[0], atol=1e-8)


def informed(whole, loading, n=400):
    """Draws whose last year differs, and how much of it the shares say."""
    made = made_fit.fit(whole, draws=n // 2, loading_share=loading)
    data = made["posterior"].to_dataset()
    rng = np.random.default_rng(2)
    size = (2, n // 2)
    path = data["alignment"].to_numpy().copy()
    path[..., -1] += 0.4 * rng.standard_normal(size)[..., None]
    zero = np.zeros((*size, len(whole.years), len(whole.states)))
    data = data.assign(
        alignment=(data["alignment"].dims, path),
        delegation=(("chain", "draw", "year", "state"), zero),
    )
    draws = Draws.of(made, whole)
    return Draws(**{**draws.__dict__, "data": data})


def test_rows_that_say_nothing_did_nothing(some, whole):
    draws = informed(whole, 0.0)
    share = of(some, "unsc_joint_veto")
    table = influence(draws, share, early_warning(draws, 2024, horizon=2))
    assert table["indicator"].tolist() == ["unsc_joint_veto", EVERY]
    assert table["k"].tolist() == [0.0, 0.0]
    np.testing.assert_allclose(table[["fell", "change"]].to_numpy(float), 0.0, atol=1e-12)


def test_many_joint_vetoes_speak_against_a_fall(some, whole):
    draws = informed(whole, 2.0)
    found = early_warning(draws, 2024, horizon=2)
    vetoes = of(some, "unsc_joint_veto")
    other = running(PANEL, vetoes.assign(value=9.0, n=9.0))
    high = Draws(**{**draws.__dict__, "panel": other})
    top = influence(high, vetoes, found).iloc[0]
    assert top["fell"] < -0.02 and top["change"] > 0 and top["k"] < 0.7
    assert 0 < top["fell_error"] < 0.1
    # By hand: the mean of all less the mean under the weights.
    then, now = found.draws
    weight = np.exp(-likelihood_of(high, vetoes))
    without_them = np.average(now - then, weights=weight)
    assert top["change"] == pytest.approx((now - then).mean() - without_them, abs=0.01)


def test_no_number_where_weights_do_not_hold(some, draws):
    found = early_warning(draws, 2024, horizon=2)
    table = influence(draws, some, found).set_index("indicator")
    assert table["k"].max() > 0.7
    bad = table["k"] > 0.47  # eighty draws
    assert table[bad][["fell", "change"]].isna().all(axis=None)
    assert table[~bad][["fell", "change"]].notna().all(axis=None)
    assert table.index[-1] == EVERY and table.loc[EVERY, "rows"] == len(some)
