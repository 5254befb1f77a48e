"""In worlds whose truth is known, the warning is no alarm at noise and means what it says."""

import numpy as np
import pytest

import made_fit
from fairweather.draws import Draws
from fairweather.monitor import early_warning
from fairweather.monitor.warning import FELL, ROSE

PANEL = made_fit.panel()


def posterior_of(truth, sd, rng, draws=120):
    """Draws around noisy sights of the last two years, as a posterior has them."""
    made = made_fit.fit(PANEL, chains=2, draws=draws // 2, seed=int(rng.integers(1e6)))
    data = made["posterior"].to_dataset()
    path = data["alignment"].to_numpy().copy()
    d = PANEL.dyads.index(PANEL.focal)
    for year, at in ((-2, 0), (-1, 1)):
        seen = truth[at] + sd * rng.standard_normal()
        path[:, :, d, year] = seen + sd * rng.standard_normal(path.shape[:2])
    draws = Draws.of(made, PANEL)
    data = data.assign(alignment=(data["alignment"].dims, path))
    return Draws(**{**draws.__dict__, "data": data})


def probabilities(move, base=1.0, worlds=40, sd=0.12, seed=5):
    rng, out = np.random.default_rng(seed), []
    for _ in range(worlds):
        draws = posterior_of((base, base + move(rng)), sd, rng)
        out.append(early_warning(draws, PANEL.origin - 1, horizon=2, futures=40).fell)
    return np.array(out)


def test_where_nothing_changed_the_probability_is_no_more_extreme_than_it_says():
    found = probabilities(lambda rng: 0.0)
    # Uniform in such worlds, or nearer to one half: a fifth lies beyond the cut-offs, at most.
    beyond = (found > FELL) | (found < ROSE)
    assert beyond.mean() < 0.2 + 3 * np.sqrt(0.2 * 0.8 / len(found))
    assert abs(found.mean() - 0.5) < 3 * 0.29 / np.sqrt(len(found)) + 0.03


def test_where_much_changed_it_is_told():
    assert probabilities(lambda rng: -0.8, 1.15, worlds=6).mean() > FELL
    assert probabilities(lambda rng: 0.8, worlds=6).mean() < ROSE


@pytest.mark.long
def test_fits_of_simulated_worlds_fall_as_often_as_they_say():
    """Worlds from the prior, fitted: docs/monitor.md has what was found."""
    from monitor_worlds import study

    found = study(range(46))
    gap = found["fell"] - found["truth"]
    assert abs(gap.mean()) < 3 * gap.std(ddof=1) / np.sqrt(len(gap))
