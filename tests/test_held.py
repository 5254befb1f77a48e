"""Rows a fit has not seen: every family against integration, enumeration and its own likelihood."""

import copy
import dataclasses
import itertools

import numpy as np
import pytest
from scipy import stats

from fairweather.measurement import FAMILIES, get_family
from fairweather.measurement.batch import Source, apply_filter, ar1_correlation, ar1_filter
from fairweather.measurement.held import HeldOutError, whitener
from families import (
    AR,
    OFFSET,
    PRIORS,
    UNITS,
    YEARS,
    made_indicator,
    made_parameters,
    made_rows,
    made_sources,
    model_logp,
)

SERIES = {0: (6, 7, 8), 2: (4, 6), 3: tuple(range(YEARS))}  # held-out years of units; 3 is lost


def _without(source, years):
    rows = source.rows
    out = np.zeros(len(rows), bool)
    for unit, times in years.items():
        out |= ((rows["unit"] == unit) & rows["time"].isin(times)).to_numpy()
    return Source(source.indicator, rows[~out].reset_index(drop=True), OFFSET)


def _held_out(family, years=SERIES, draws=5, sources=None):
    """What a fit saw, everything, the held-out cells, latents and parameters."""
    sources = made_sources(family, AR.get(family, 0.0)) if sources is None else sources
    prepare = get_family(family).prepare
    whole = prepare(sources, YEARS, PRIORS)
    known = prepare([_without(s, years) for s in sources], YEARS, PRIORS)
    held = np.array([[t in years.get(u, ()) for t in range(YEARS)] for u in whole.unit])
    cells = np.nonzero(held & whole.mask)
    stacked = np.random.default_rng(9).normal(size=(draws, OFFSET + UNITS, YEARS))
    return known, whole, cells, whole.read(stacked), made_parameters(family, known, draws=draws)


def _with_value(whole, cells, n, value):
    y = whole.y.copy()
    y[cells[0][n], cells[1][n]] = value
    return dataclasses.replace(whole, y=y)


def _met(whole, cells, unit):
    """Positions of the cells of one unit's first series."""
    return np.flatnonzero((whole.unit[cells[0]] == unit) & (whole.which[cells[0]] == 0))


def _outcomes(family, whole, cells, n):
    if family == "count":
        return np.arange(250.0)
    if family == "share":
        return np.arange(whole.extra["n"][cells[0][n], cells[1][n]] + 1.0)
    return np.linspace(-40.0, 40.0, 8001)


def _law(family, n, args):
    """Outcomes of one held-out cell and their probabilities, shape (outcome, draw)."""
    known, whole, cells, latent, par = args
    outcomes, one = _outcomes(family, whole, cells, n), get_family(family).held_logp
    if family in ("count", "share"):
        logp = [one(known, _with_value(whole, cells, n, y), cells, latent, par)[:, n]
                for y in outcomes]  # fmt: skip
        return outcomes, np.exp(logp)
    # A normal is known by two of its points: check that at others, and fill the grid.
    at = np.array([-3.0, 0.0, 1.0, 2.0])
    a, b, c, d = (one(known, _with_value(whole, cells, n, y), cells, latent, par)[:, n] for y in at)
    square, line = 0.5 * (d + b) - c, 0.5 * (d - b)
    square, line = square, line - 2.0 * square
    np.testing.assert_allclose(a, b - 3.0 * line + 9.0 * square, rtol=1e-6, atol=1e-6)
    grid = b[None] + outcomes[:, None] * line + outcomes[:, None] ** 2 * square
    return outcomes, np.exp(grid) * (outcomes[1] - outcomes[0])


@pytest.mark.parametrize("family", FAMILIES)
class TestHeldOut:
    def test_every_cell_has_a_finite_score_and_a_draw(self, family):
        args = _held_out(family)
        before = copy.deepcopy((args[1].y, args[3], args[4]))
        logp = get_family(family).held_logp(*args)
        draw = get_family(family).held_draw(*args, np.random.default_rng(1))
        assert logp.shape == draw.shape == (5, len(args[2][0]))
        assert np.isfinite(logp).all() and np.isfinite(draw).all()
        if family in ("count", "share"):
            assert (draw >= 0).all() and (draw == np.floor(draw)).all()
        if family == "vote":
            assert ((draw > 0) & (draw < 1)).all()
        assert np.array_equal(args[1].y, before[0]) and np.array_equal(args[3], before[1])
        assert all(np.array_equal(args[4][k], before[2][k]) for k in before[2])

    def test_the_density_is_proper(self, family):
        args = _held_out(family)
        for unit in (0, 2):
            for n in _met(args[1], args[2], unit):
                _, p = _law(family, n, args)
                np.testing.assert_allclose(p.sum(axis=0), 1.0, atol=2e-5)

    def test_draws_follow_the_density(self, family):
        size = 3000
        args = _held_out(family, draws=1)
        many = (*args[:3], np.repeat(args[3], size, 0),
                {k: np.repeat(v, size, 0) for k, v in args[4].items()})  # fmt: skip
        draw = get_family(family).held_draw(*many, np.random.default_rng(2))
        for n in [*_met(args[1], args[2], 0), *_met(args[1], args[2], 2)]:
            outcomes, p = _law(family, n, args)
            x = draw[:, n]
            if family == "vote":
                x = np.log(x / (1.0 - x))
            if family in ("count", "share"):
                seen = np.bincount(x.astype(int), minlength=len(outcomes))[: len(outcomes)]
                error = np.sqrt(size * p[:, 0] * (1.0 - p[:, 0])) + 1.0
                assert (np.abs(seen - size * p[:, 0]) < 4.5 * error).all()
            else:
                pit = np.interp(x, outcomes, np.cumsum(p[:, 0]) - 0.5 * p[:, 0])
                assert stats.kstest(pit, "uniform").pvalue > 1e-4

    def test_only_known_rows_are_read(self, family):
        """A value held out elsewhere in the series changes nothing."""
        known, whole, cells, latent, par = _held_out(family)
        one = get_family(family).held_logp
        n, other = _met(whole, cells, 0)[:2]
        want = one(known, whole, cells, latent, par)[:, n]
        wild = _with_value(whole, cells, other, 3.0)
        np.testing.assert_array_equal(one(known, wild, cells, latent, par)[:, n], want)

    def test_an_indicator_without_rows_has_no_score(self, family):
        sources = made_sources(family)
        if len(sources) < 2:
            return
        gone = _without(sources[0], dict.fromkeys(range(UNITS), tuple(range(YEARS))))
        known = get_family(family).prepare([gone, sources[1]], YEARS, PRIORS)
        whole = get_family(family).prepare(sources, YEARS, PRIORS)
        assert known.ids == ["two"]
        cells = np.nonzero(whole.mask & (whole.which == 0)[:, None])
        latent, par = np.zeros((2, *whole.mask.shape)), made_parameters(family, known, draws=2)
        args = (known, whole, cells, latent, par)
        assert np.isnan(get_family(family).held_logp(*args)).all()
        assert np.isnan(get_family(family).held_draw(*args, np.random.default_rng(0))).all()

    def test_cells_must_be_held_out(self, family):
        known, whole, _, latent, par = _held_out(family)
        for mask, text in ((known.mask, "has seen"), (~known.mask, "no row in the whole")):
            s, t = np.argwhere(mask & (whole.mask[: len(mask)] == known.mask))[0]
            with pytest.raises(HeldOutError, match=text):
                get_family(family).held_logp(known, whole, ([s], [t]), latent, par)


@pytest.mark.parametrize("family", ["vote", "within", "share", "anchor"])
@pytest.mark.parametrize("years", [SERIES, {1: (2, 3, 5, 6)}, {1: (1, 2, 3, 5, 6, 7)}])
def test_a_cell_is_met_as_the_model_meets_it(family, years):
    """Density of a cell against another value is that of the model, known rows and it together."""
    known, whole, cells, latent, par = _held_out(family, years, draws=1)
    module, sources = get_family(family), made_sources(family, AR.get(family, 0.0))
    for n in _met(whole, cells, min(years)):
        unit, time = whole.unit[cells[0][n]], cells[1][n]
        others = {u: tuple(set(t) - {time} if u == unit else t) for u, t in years.items()}
        both = [_without(s, others) for s in sources]
        got, want = [], []
        for value in (2.0, 5.0):
            for source in both[:1]:
                at = (source.rows["unit"] == unit) & (source.rows["time"] == time)
                source.rows.loc[at, "value"] = value
            batch = module.prepare(both, YEARS, PRIORS)
            s = np.flatnonzero((batch.unit == unit) & (batch.which == 0))[0]
            seen = [np.flatnonzero((whole.unit == u) & (whole.which == k))[0]
                    for u, k in zip(batch.unit, batch.which, strict=True)]  # fmt: skip
            own = {k: v[0] for k, v in par.items()}
            if family == "share":
                own["level"] = np.array([
                    own["level"][(known.unit == u) & (known.which == k)][0]
                    for u, k in zip(batch.unit, batch.which, strict=True)
                ])  # fmt: skip
            want.append(model_logp(family, batch, latent[0][seen], own))
            if family == "share":  # binomial coefficients are dropped by the model
                trials = batch.extra["n"][s, time]
                want[-1] += stats.binom.logpmf(value, trials, 0.5)
            full = _with_value(whole, cells, n, batch.y[s, time])
            got.append(module.held_logp(known, full, cells, latent, par)[0, n])
        assert got[0] - got[1] == pytest.approx(want[0] - want[1], rel=1e-7, abs=1e-9)


def test_held_out_values_are_those_of_a_conditioned_normal():
    known, whole, cells, latent, par = _held_out("within", draws=1)
    got = get_family("within").held_logp(known, whole, cells, latent, par)[0]
    shift = {k: par["shift"][0, n] for n, k in enumerate(known.shifted)}
    for n, (s, t) in enumerate(zip(*cells, strict=True)):
        if whole.unit[s] == 3:
            continue
        k = whole.which[s]
        seen = np.flatnonzero(whole.mask[s] & ~np.isin(np.arange(YEARS), cells[1][cells[0] == s]))
        at = np.append(seen, t)
        corr = ar1_correlation(YEARS, whole.extra["phi"][s])[at][:, at]
        cov = par["scale"][0, k] ** 2 * corr + 1e6
        r = whole.y[s, at] - par["loading"][0, k] * latent[0, s, at] - shift.get(k, np.zeros(9))[at]
        weight = np.linalg.solve(cov[:-1, :-1], cov[:-1, -1])
        law = stats.norm(weight @ r[:-1], np.sqrt(cov[-1, -1] - weight @ cov[:-1, -1]))
        assert got[n] == pytest.approx(law.logpdf(r[-1]), abs=2e-3)


def _counts_brute(whole, cells, n, known, latent, par, y):
    """Integrate the unit rate, flat in its log, out numerically; rates scatter as gamma."""
    s, t = cells[0][n], cells[1][n]
    k, c = whole.which[s], PRIORS.fixed("concentration")
    seen = whole.mask[s] & ~np.isin(np.arange(YEARS), cells[1][cells[0] == s])
    eta = par["loading"][0, k] * latent[0, s]
    if k in known.shifted:
        eta = eta + par["shift"][0, known.shifted.index(k)]
    alpha = c * np.exp(eta) / np.exp(eta[seen]).mean()
    rate = np.exp(np.linspace(-25.0, 15.0, 8001))

    def logp(at, value):
        return stats.nbinom(alpha[at], 1.0 / (1.0 + rate)).logpmf(value)

    given = sum(logp(u, whole.y[s, u]) for u in np.flatnonzero(seen))
    return np.log(np.exp(given + logp(t, y)).sum() / np.exp(given).sum())


def test_held_out_counts_have_their_rate_integrated_out():
    known, whole, cells, latent, par = _held_out("count", draws=1)
    for n in np.flatnonzero(whole.unit[cells[0]] != 3):
        for y in (0.0, 1.0, 7.0):
            full = _with_value(whole, cells, n, y)
            got = get_family("count").held_logp(known, full, cells, latent, par)[0, n]
            want = _counts_brute(whole, cells, n, known, latent, par, y)
            assert got == pytest.approx(want, abs=1e-6)


def _single(rows):
    return rows.assign(value=np.minimum(rows["value"], 1.0) * (rows["time"] % 3 != 1))


def test_an_item_never_more_than_one_keeps_to_it():
    sources = [Source(made_indicator("count"), _single(made_rows("count")), OFFSET)]
    args = _held_out("count", sources=sources, draws=4)
    known, whole, cells, latent, par = args
    assert (whole.extra["ceiling"] == 1.0).all()
    n = _met(whole, cells, 0)[0]
    logp = [
        get_family("count").held_logp(known, _with_value(whole, cells, n, y), cells, latent, par)
        for y in (0.0, 1.0)
    ]
    np.testing.assert_allclose(np.exp(logp)[:, :, n].sum(axis=0), 1.0)
    plain = dataclasses.replace(whole, extra={**whole.extra, "ceiling": np.full(UNITS, np.inf)})
    free = [
        get_family("count").held_logp(known, _with_value(plain, cells, n, y), cells, latent, par)
        for y in (0.0, 1.0)
    ]
    np.testing.assert_allclose((logp[1] - logp[0])[:, n], (free[1] - free[0])[:, n])
    draw = get_family("count").held_draw(*args, np.random.default_rng(3))
    assert set(np.unique(draw)) == {0.0, 1.0}


def test_a_lost_series_of_single_events_places_its_total():
    sources = [Source(made_indicator("count"), _single(made_rows("count")), OFFSET)]
    args = known, whole, cells, latent, par = _held_out("count", sources=sources, draws=1)
    s, own = 3, _met(whole, cells, 3)
    time = cells[1][own]
    total, weight = int(whole.y[s].sum()), np.exp(par["loading"][0, 0] * latent[0, s, time])
    assert 1 < total < len(own)
    every = [x for x in itertools.product((0.0, 1.0), repeat=len(own)) if sum(x) == total]
    prob = np.array([np.prod(weight ** np.array(x)) for x in every])
    prob /= prob.sum()
    for x, p in zip(every, prob, strict=True):
        y = whole.y.copy()
        y[s, time] = x
        full = dataclasses.replace(whole, y=y)
        got = get_family("count").held_logp(known, full, cells, latent, par)[0, own]
        assert got.sum() == pytest.approx(np.log(p)) and got[-1] == pytest.approx(0.0)
    many = (*args[:3], np.repeat(latent, 4000, 0),
            {k: np.repeat(v, 4000, 0) for k, v in par.items()})  # fmt: skip
    draw = get_family("count").held_draw(*many, np.random.default_rng(5))[:, own]
    assert (draw.sum(axis=1) == total).all()
    want = np.array(every).T @ prob
    assert (np.abs(draw.mean(axis=0) - want) < 4.5 * np.sqrt(want * (1 - want) / 4000)).all()


def test_a_lost_series_of_counts_shares_its_total():
    args = _, whole, cells, latent, par = _held_out("count", draws=1)
    s, own = 3, _met(whole, cells, 3)
    time = cells[1][own]
    weight = np.exp(par["loading"][0, 0] * latent[0, s, time])
    alpha = PRIORS.fixed("concentration") * weight / weight.mean()
    law = stats.dirichlet_multinomial(alpha, int(whole.y[s].sum()))
    got = get_family("count").held_logp(*args)[0, own]
    assert got.sum() == pytest.approx(law.logpmf(whole.y[s, time].astype(int)))
    assert got[-1] == 0.0
    many = (*args[:3], np.repeat(latent, 3000, 0),
            {k: np.repeat(v, 3000, 0) for k, v in par.items()})  # fmt: skip
    draw = get_family("count").held_draw(*many, np.random.default_rng(5))[:, own]
    assert (draw.sum(axis=1) == whole.y[s].sum()).all()
    error = np.sqrt(np.diag(law.cov()) / 3000)
    assert (np.abs(draw.mean(axis=0) - law.mean()) < 4.5 * error).all()


def test_counts_without_a_known_event_have_no_score():
    rows = made_rows("count")
    rows.loc[(rows["unit"] == 1) & (rows["time"] < 6), "value"] = 0.0
    sources = [Source(made_indicator("count"), rows, OFFSET)]
    known, whole, cells, latent, par = _held_out("count", {1: (6, 7, 8), 2: (4,)}, 2, sources)
    assert 1 not in known.unit and 1 in whole.unit
    args = (known, whole, cells, latent, par)
    silent = whole.unit[cells[0]] == 1
    for value in (get_family("count").held_logp(*args),
                  get_family("count").held_draw(*args, np.random.default_rng(0))):  # fmt: skip
        np.testing.assert_array_equal(np.isnan(value), np.broadcast_to(silent, value.shape))


def test_a_lost_series_of_values_scores_its_movement():
    args = known, whole, cells, latent, par = _held_out("within", draws=3)
    got = get_family("within").held_logp(*args)
    for s in np.flatnonzero(whole.unit == 3):
        own = cells[0] == s
        # The same series alone, before the model: its level is integrated out there too.
        lone = _without(made_sources("within", AR["within"])[whole.which[s]],
                        {u: range(YEARS) for u in (0, 1, 2)})  # fmt: skip
        batch = get_family("within").prepare([lone], YEARS, PRIORS)
        want = []
        for d in range(3):
            k = whole.which[s]
            own_par = {"loading": par["loading"][d, [k]], "scale": par["scale"][d, [k]]}
            value = latent[d, [s]]
            if k in known.shifted:  # a shift of the year is a shift of the mean
                shift = par["shift"][d, known.shifted.index(k)]
                value = value + shift / own_par["loading"][0]
            want.append(model_logp("within", batch, value, own_par))
        total = got[:, own].sum(axis=1)
        np.testing.assert_allclose(total - total[0], np.array(want) - want[0], atol=1e-8)
        assert (got[:, own][:, 0] == 0.0).all()
        draw = get_family("within").held_draw(*args, np.random.default_rng(1))[:, own]
        assert (draw[:, 0] == whole.y[s][whole.mask[s]][0]).all() and draw[:, 1:].std() > 0


def test_one_known_row_is_enough_for_a_level():
    years = {1: (0, 3, 4, 5, 6, 7, 8)}
    known, whole, cells, latent, par = _held_out("within", years)
    assert 1 not in known.unit  # one row says nothing to a fit
    own = _met(whole, cells, 1)
    n = own[0]
    _, p = _law("within", n, (known, whole, cells, latent, par))
    np.testing.assert_allclose(p.sum(axis=0), 1.0, atol=1e-6)


def test_a_lost_series_of_shares_has_its_level_from_the_prior():
    args = _, whole, cells, latent, par = _held_out("share", draws=2)
    n = _met(whole, cells, 3)[0]
    got = get_family("share").held_logp(*args)[:, n]
    s, t = cells[0][n], cells[1][n]
    prior, c = PRIORS["share_level"].params, 1.0 + PRIORS.fixed("concentration")
    z = np.linspace(-8.0, 8.0, 4001)
    for d in range(2):
        eta = prior["mu"] + prior["sigma"] * z + par["loading"][d, 0] * latent[d, s, t]
        p = 1.0 / (1.0 + np.exp(-eta))
        law = stats.betabinom(int(whole.extra["n"][s, t]), c * p, c * (1.0 - p))
        want = np.sum(law.pmf(int(whole.y[s, t])) * stats.norm.pdf(z)) * (z[1] - z[0])
        assert got[d] == pytest.approx(np.log(want), abs=1e-3)


@pytest.mark.parametrize("family", ["vote", "within"])
def test_cells_of_a_series_are_drawn_together(family):
    """Correlations of the draws are those of the model's residuals, all rows observed."""
    size = 6000
    args = _, whole, cells, latent, par = _held_out(family, draws=1)
    many = (*args[:3], np.repeat(latent, size, 0),
            {k: np.repeat(v, size, 0) for k, v in par.items()})  # fmt: skip
    draw = get_family(family).held_draw(*many, np.random.default_rng(7))
    draw = np.log(draw / (1.0 - draw)) if family == "vote" else draw
    for unit in (0, 2, 3):
        own = _met(whole, cells, unit)
        s, time = cells[0][own[0]], cells[1][own]
        each = [np.ones((len(whole.unit), YEARS)) * (np.arange(YEARS) == t) for t in range(YEARS)]
        white = np.stack([apply_filter(np, x, whole.extra["filter"])[s] for x in each], axis=1)
        if family == "within":
            if unit == 3:  # the first value of a series lost whole is kept
                assert (draw[:, own[0]] == whole.y[s, time[0]]).all()
                own, time = own[1:], time[1:]
            # A level of no precision among the unknowns.
            white = np.column_stack([white, white.sum(axis=1)])
            at = [*time, YEARS]
        else:
            at = list(time)
        cov = np.linalg.inv(white[:, at].T @ white[:, at])[: len(time), : len(time)]
        want = cov / np.sqrt(np.outer(np.diag(cov), np.diag(cov)))
        error = (1.0 - want**2) / np.sqrt(size)
        assert (np.abs(np.corrcoef(draw[:, own].T) - want) < 4.5 * error + 1e-9).all()
        if unit != 2:  # there a known year stands between
            assert np.abs(want - np.eye(len(want))).max() > 0.1


@pytest.mark.parametrize("phi", [0.0, 0.5])
def test_whitening_matrix_is_the_filter(phi):
    rng = np.random.default_rng(2)
    mask = rng.random((40, 14)) < 0.4
    r = rng.normal(size=mask.shape)
    want = apply_filter(np, r, ar1_filter(mask, np.full(40, phi)))
    np.testing.assert_allclose(
        np.einsum("crt,ct->cr", whitener(mask, np.full(40, phi)), r), want, atol=1e-12
    )
