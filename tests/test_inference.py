"""The gate refuses what it must, and names it."""

import sys

import numpy as np
import pytest
import xarray as xr

from fairweather.errors import SamplerError
from fairweather.gate import gate
from fairweather.inference import fit


def tree(*, shift=0.0, sticky=0.0, diverging=0, flat_energy=False, hole=False, draws=1000):
    rng = np.random.default_rng(4)
    shape = (4, draws)

    def walk(size):
        x = rng.standard_normal((*shape, *size))
        for t in range(1, draws):
            x[:, t] = sticky * x[:, t - 1] + np.sqrt(1 - sticky**2) * x[:, t]
        return x

    half_life = walk(())
    half_life[0] += shift
    if hole:
        half_life[0, 0] = np.nan
    coords = {"dyad": ["CHN-RUS", "CHN-IND"], "state": ["CHN", "IND", "RUS"], "year": [2020, 2021]}
    posterior = xr.Dataset(
        {
            "half_life": (("chain", "draw"), half_life),
            "alignment": (("chain", "draw", "dyad", "year"), walk((2, 2))),
            "pressure": (("chain", "draw", "state", "year"), walk((3, 2))),
            "agenda": (("chain", "draw"), np.ones(shape).cumsum(axis=1)),
        },
        coords=coords,
    )
    bad = np.zeros(shape, bool)
    bad.flat[:diverging] = True
    energy = rng.standard_normal(shape).cumsum(axis=1) if flat_energy else rng.normal(size=shape)
    stats = xr.Dataset(
        {"diverging": (("chain", "draw"), bad), "energy": (("chain", "draw"), energy)}
    )
    out = xr.DataTree.from_dict({"posterior": posterior, "sample_stats": stats})
    out.attrs["focal"] = "CHN-RUS"
    return out


def test_clean_draws_pass():
    report = gate(tree())
    assert report.passed and not report.failures
    assert report.summary["max_rhat"] <= 1.01
    # Focal path and both states in every year, everybody at the origin; the device is not judged.
    assert len(report.table) == 1 + 2 + 2 + 4 + 3
    assert not report.table["quantity"].str.startswith("agenda").any()


def test_chains_that_disagree_fail_by_name_and_amount():
    report = gate(tree(shift=1.0))
    assert not report.passed
    assert any(f.startswith("half_life: R-hat 1.") for f in report.failures)
    assert any("must be at most 1.01" in f for f in report.failures)


def test_sticky_draws_fail_on_effective_size():
    report = gate(tree(sticky=0.97))
    assert not report.passed
    assert any("bulk ESS" in f and "at least 400" in f for f in report.failures)


def test_one_divergence_fails():
    report = gate(tree(diverging=1))
    assert report.failures == ["1 divergent transitions; none is allowed"]


def test_low_energy_information_fails():
    report = gate(tree(flat_energy=True))
    assert any("E-BFMI" in f for f in report.failures)


def test_nan_draws_do_not_pass_silently():
    report = gate(tree(hole=True))
    assert not report.passed
    assert any("half_life" in f for f in report.failures)


@pytest.mark.filterwarnings("ignore")
def test_chains_that_never_move_fail():
    stuck = tree()
    posterior = stuck["posterior"].to_dataset()
    stuck["posterior"] = posterior.map(lambda v: v * 0.0)
    report = gate(stuck)
    assert not report.passed and "every chain is stuck" in report.failures[-1]


def test_sampler_is_required(monkeypatch):
    monkeypatch.setitem(sys.modules, "nutpie", None)
    with pytest.raises(SamplerError, match="nutpie is not installed"):
        fit(None)


def test_impossible_settings_are_refused():
    with pytest.raises(SamplerError, match="draws = 0"):
        fit(None, draws=0)
