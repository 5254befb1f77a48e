"""One conformance suite for every family; each likelihood against a brute-force reference."""

import copy

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import pytest
from scipy import stats
from scipy.special import gammaln

from fairweather.errors import CodebookError
from fairweather.measurement import FAMILIES, PARAMETERS, get_family
from fairweather.measurement.batch import Source, ar1_correlation, ar1_filter
from fairweather.measurement.vote import agenda_basis, score
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


def _setup(family, phi=0.0):
    batch = get_family(family).prepare(made_sources(family, phi), YEARS, PRIORS)
    stacked = np.random.default_rng(9).normal(size=(OFFSET + UNITS, YEARS))
    return batch, stacked, made_parameters(family, batch)


@pytest.mark.parametrize("family", FAMILIES)
class TestConformance:
    def test_prepare(self, family):
        batch, stacked, _ = _setup(family)
        assert batch.family == family
        assert batch.y.shape == batch.mask.shape == (len(batch.unit), YEARS)
        assert batch.sign.shape == (len(batch.unit), 1)
        assert (batch.row == batch.unit + OFFSET).all()
        assert (batch.y[~batch.mask] == 0).all()
        assert batch.mask.sum() == sum(len(s.rows) for s in made_sources(family))
        np.testing.assert_array_equal(batch.read(stacked), batch.sign * stacked[batch.row])
        draws = np.stack([stacked, 2 * stacked])
        np.testing.assert_array_equal(batch.read(draws)[1], 2 * batch.read(stacked))

    def test_parameters_are_those_declared(self, family):
        batch, _, par = _setup(family)
        coords = {family: batch.ids, "year": np.arange(YEARS),
                  f"{family}_shifted": [batch.ids[k] for k in batch.shifted],
                  f"{family}_series": np.arange(len(batch.unit))}  # fmt: skip
        with pm.Model(coords=coords) as model:
            made = get_family(family).parameters(batch, PRIORS)
        assert set(made) == set(par)
        known = {v.name for v in [*model.free_RVs, *model.deterministics]}
        assert {PARAMETERS[family][k] for k in made} <= known
        for key, value in made.items():
            assert tuple(value.shape.eval()) == par[key].shape

    def test_logp_is_a_finite_scalar_with_a_gradient(self, family):
        batch, stacked, par = _setup(family)
        x = pt.dmatrix()
        tensors = {k: pt.as_tensor(v) for k, v in par.items()}
        value = get_family(family).logp(batch, x, tensors)
        assert value.ndim == 0
        latent = batch.read(stacked)
        slope = pt.grad(value, x).eval({x: latent})
        assert np.isfinite(value.eval({x: latent})) and np.isfinite(slope).all()
        assert slope.shape == latent.shape and slope.any()

    def test_fit_is_the_likelihood_series_by_series(self, family):
        batch, stacked, one = _setup(family, AR.get(family, 0.0))
        two, fit = made_parameters(family, batch, seed=8), get_family(family).fit_logp
        a, b = batch.read(stacked), batch.read(0.5 * stacked[::-1])
        got = fit(batch, a, one) - fit(batch, b, two)
        want = model_logp(family, batch, a, one) - model_logp(family, batch, b, two)
        assert got.shape == (len(batch.unit),) and got.sum() == pytest.approx(want, rel=1e-8)
        # Each series stands for itself, and draws may go in front.
        moved = a + np.where(np.arange(len(a)) == 1, 0.3, 0.0)[:, None] * np.arange(YEARS)
        change = fit(batch, moved, one) - fit(batch, a, one)
        assert (change != 0).tolist() == (np.arange(len(a)) == 1).tolist()
        many = {k: np.stack([v, two[k]]) for k, v in one.items()}
        np.testing.assert_allclose(fit(batch, np.stack([a, b]), many)[1], fit(batch, b, two))

    def test_missing_cells_do_not_matter(self, family):
        batch, stacked, par = _setup(family, 0.6 if family in ("vote", "within") else 0.0)
        latent = batch.read(stacked)
        other = np.where(batch.mask, latent, latent + 0.7)
        assert model_logp(family, batch, other, par) == pytest.approx(
            model_logp(family, batch, latent, par), rel=1e-9
        )

    def test_simulate(self, family):
        batch, stacked, par = _setup(family)
        latent = batch.read(stacked)
        run = [get_family(family).simulate(batch, latent, par, np.random.default_rng(s))
               for s in (1, 1, 2)]  # fmt: skip
        assert run[0].shape == batch.y.shape
        np.testing.assert_array_equal(np.isfinite(run[0]), batch.mask)
        np.testing.assert_array_equal(run[0], run[1])
        assert not np.array_equal(run[0], run[2], equal_nan=True)

    def test_predict(self, family):
        batch, stacked, _ = _setup(family, 0.6 if family in ("vote", "within") else 0.0)
        par = made_parameters(family, batch, draws=5)
        history = np.broadcast_to(batch.read(stacked), (5, *batch.y.shape))
        future = np.zeros((5, len(batch.unit), 3))
        out = get_family(family).predict(batch, history, future, par, np.random.default_rng(0))
        assert out.shape == future.shape and np.isfinite(out).all()
        if family in ("vote", "share"):
            assert (out >= 0).all() and (out <= 1).all()

    def test_nothing_changes_its_inputs(self, family):
        sources = made_sources(family)
        rows = [s.rows.copy() for s in sources]
        batch = get_family(family).prepare(sources, YEARS, PRIORS)
        assert all(s.rows.equals(r) for s, r in zip(sources, rows, strict=True))
        _, stacked, par = _setup(family)
        latent, before = batch.read(stacked), copy.deepcopy((batch.y, batch.mask, par))
        kept = latent.copy()
        model_logp(family, batch, latent, par)
        get_family(family).simulate(batch, latent, par, np.random.default_rng(0))
        assert np.array_equal(latent, kept) and np.array_equal(batch.y, before[0])
        assert np.array_equal(batch.mask, before[1])
        assert all(np.array_equal(par[k], before[2][k]) for k in par)


def _difference(family, phi, reference):
    """Compare differences between two settings, so that dropped constants do not matter."""
    batch, stacked, one = _setup(family, phi)
    two = made_parameters(family, batch, seed=8)
    a, b = batch.read(stacked), batch.read(0.5 * stacked[::-1])
    got = model_logp(family, batch, a, one) - model_logp(family, batch, b, two)
    assert got == pytest.approx(reference(batch, a, one) - reference(batch, b, two), rel=1e-7)


def _shift(batch, par):
    out = np.zeros(batch.y.shape)
    for n, k in enumerate(batch.shifted):
        out[batch.which == k] = par["shift"][n]
    return out


@pytest.mark.parametrize("phi", [0.0, 0.6])
def test_within_is_a_normal_with_a_free_level(phi):
    def reference(batch, latent, par):
        shift, total = _shift(batch, par), 0.0
        for s, k in enumerate(batch.which):
            at = batch.mask[s]
            r = (batch.y[s] - par["loading"][k] * latent[s] - shift[s])[at]
            cov = par["scale"][k] ** 2 * ar1_correlation(YEARS, batch.extra["phi"][s])[at][:, at]
            # A level of great variance stands in for the flat prior.
            total += stats.multivariate_normal(np.zeros(at.sum()), cov + 1e6).logpdf(r)
        return total

    batch, stacked, one = _setup("within", phi)
    two, latent = made_parameters("within", batch, seed=8), batch.read(stacked)
    got = model_logp("within", batch, latent, one) - model_logp("within", batch, latent, two)
    want = reference(batch, latent, one) - reference(batch, latent, two)
    assert got == pytest.approx(want, rel=1e-4, abs=1e-3)


def test_count_is_a_dirichlet_multinomial():
    def reference(batch, latent, par):
        total, shift = 0.0, _shift(batch, par)
        for s, k in enumerate(batch.which):
            at = batch.mask[s]
            weight = np.exp(par["loading"][k] * latent[s] + shift[s])[at]
            alpha = PRIORS.fixed("concentration") * at.sum() * weight / weight.sum()
            y = batch.y[s][at]
            total += gammaln(alpha.sum()) - gammaln(alpha.sum() + y.sum())
            total += (gammaln(alpha + y) - gammaln(alpha)).sum()
        return total

    _difference("count", 0.0, reference)


def test_count_follows_exposure():
    rows = made_rows("count", gaps=False)
    source = Source(made_indicator("count"), rows.assign(n=3.0), OFFSET)
    family = get_family("count")
    batch = family.prepare([source], YEARS, PRIORS)
    plain = family.prepare([Source(made_indicator("count"), rows, OFFSET)], YEARS, PRIORS)
    par, latent = {"loading": np.array([1.2])}, np.linspace(-1, 1, UNITS * YEARS).reshape(UNITS, -1)
    # The same exposure in all years is a rate, and drops out.
    assert model_logp("count", batch, latent, par) == pytest.approx(
        model_logp("count", plain, latent, par)
    )


def test_units_without_events_are_dropped():
    rows = made_rows("count")
    rows.loc[rows["unit"] == 1, "value"] = 0.0
    batch = get_family("count").prepare(
        [Source(made_indicator("count"), rows, OFFSET)], YEARS, PRIORS
    )
    assert batch.unit.tolist() == [0, 2, 3]


def test_simulated_counts_keep_their_totals():
    batch, stacked, par = _setup("count")
    y = get_family("count").simulate(batch, batch.read(stacked), par, np.random.default_rng(4))
    np.testing.assert_array_equal(np.nansum(y, axis=1), batch.extra["total"])


def test_share_is_a_beta_binomial():
    def reference(batch, latent, par):
        eta = par["level"][:, None] + par["loading"][batch.which][:, None] * latent
        p, c = 1 / (1 + np.exp(-eta)), 1.0 + PRIORS.fixed("concentration")
        at = batch.mask
        return stats.betabinom(
            batch.extra["n"][at].astype(int), c * p[at], c * (1 - p[at])
        ).logpmf(batch.y[at].astype(int)).sum()  # fmt: skip

    _difference("share", 0.0, reference)


def test_anchor_is_pressure_itself():
    def reference(batch, latent, par):
        at = batch.mask
        return stats.norm(latent[at], PRIORS.fixed("anchor_error")).logpdf(batch.y[at]).sum()

    _difference("anchor", 0.0, reference)


@pytest.mark.parametrize("phi", [0.0, 0.6])
def test_vote_is_a_dense_normal(phi):
    rows = made_rows("vote")

    def reference(batch, latent, par):
        # Innovations of the declared AR(1), thin years noisier, written out as one covariance.
        scale, part = PRIORS.fixed("vote_residual"), PRIORS.fixed("vote_sampling_share")
        agenda, total = batch.extra["basis"] @ par["agenda"], 0.0
        for s in range(len(batch.unit)):
            own = rows[rows["unit"] == batch.unit[s]].sort_values("time")
            time, n = own["time"].to_numpy(), own["n"].to_numpy()
            y = score(own["value"], own["partial"], n).to_numpy()
            # Not the share seen: a variance may not hang on what it is the variance of.
            usual = 0.84
            gap = np.diff(time)
            carry = np.append(0.0, phi**gap if phi else 0.0 * gap)
            innovation = scale**2 * (1 - carry**2) + part / ((n + 4) * usual * (1 - usual))
            step = np.eye(len(y)) - np.diag(carry[1:], -1)
            root = np.linalg.inv(step)
            cov = root @ np.diag(innovation) @ root.T
            mean = latent[s, time] + agenda[time]
            total += stats.multivariate_normal(mean, cov).logpdf(y)
        return total

    _difference("vote", phi, reference)


def test_agenda_leaves_level_and_trend_alone():
    basis = agenda_basis(np.ones(12, bool))
    t = np.arange(12.0)
    np.testing.assert_allclose(basis.T @ np.column_stack([np.ones(12), t]), 0, atol=1e-10)
    np.testing.assert_allclose(basis.T @ basis, np.eye(10), atol=1e-10)


def test_a_year_without_votes_has_an_agenda_of_its_own():
    voted = np.ones(12, bool)
    voted[[4, 10, 11]] = False
    basis = agenda_basis(voted)
    assert basis.shape == (12, 10)
    np.testing.assert_allclose(basis.T @ basis, np.eye(10), atol=1e-10)
    # What years with votes show of level and trend cannot hide in the others.
    spread = basis @ basis.T
    np.testing.assert_allclose(spread[~voted][:, voted], 0, atol=1e-10)
    np.testing.assert_allclose(spread[np.ix_(~voted, ~voted)], np.eye(3), atol=1e-10)
    t = np.flatnonzero(voted)
    level = np.column_stack([np.ones(len(t)), t])
    np.testing.assert_allclose(basis[voted].T @ level, 0, atol=1e-10)


@pytest.mark.parametrize("years", [0, 1, 2])
def test_hardly_a_vote_leaves_the_agenda_its_size(years):
    voted = np.arange(6) < years
    assert agenda_basis(voted).shape == (6, 4)
    np.testing.assert_array_equal(agenda_basis(voted)[voted], 0)


def test_filter_starts_afresh_after_a_long_gap():
    mask = np.array([[True, False, False, False, False, False, True, True]])
    filters = ar1_filter(mask, np.array([0.5]))
    assert filters[0][0, 6] == 1.0 and filters[0][0, 7] > 1.0


def test_unknown_family_is_refused():
    with pytest.raises(CodebookError, match="use vote, within"):
        get_family("ordinal")
