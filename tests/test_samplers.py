"""Four samplers, one posterior."""

import pytest

from fairweather.doctor import compare, tiny
from fairweather.errors import SamplerError
from fairweather.gate import gate
from fairweather.inference import fit
from fairweather.samplers import DEFAULT, SAMPLERS, get_sampler


@pytest.fixture(scope="module")
def model():
    return tiny()


@pytest.fixture(scope="module")
def default(model):
    return fit(model, draws=2000, tune=500, chains=4, random_seed=2, progressbar=False)


# PyMC's own sampler steps in Python: minutes.
OTHERS = [
    pytest.param(s, marks=pytest.mark.long if s == "pymc" else ()) for s in SAMPLERS if s != DEFAULT
]


@pytest.mark.slow
@pytest.mark.parametrize("name", OTHERS)
def test_every_sampler_finds_the_same_posterior(model, default, name):
    other = fit(
        model, draws=700, tune=600, chains=2, random_seed=3, progressbar=False, sampler=name
    )
    assert other.attrs["sampler"] == name and other.attrs["gradients"] > 0
    assert set(other["posterior"].data_vars) == set(default["posterior"].data_vars)
    for variable, values in other["posterior"].data_vars.items():
        assert values.dims == default["posterior"][variable].dims, variable
    assert {"diverging", "energy", "n_steps"} <= set(other["sample_stats"].data_vars)
    assert gate(other).summary["quantities"] == gate(default).summary["quantities"]
    table = compare(default, other)
    assert table["agrees"].all(), table.head()


@pytest.mark.slow
def test_the_sampler_of_pymc_is_wired(model, default):
    other = fit(
        model, draws=10, tune=10, chains=1, random_seed=3, progressbar=False, sampler="pymc"
    )
    assert other.attrs["sampler"] == "pymc" and other.attrs["gradients"] > 0
    assert set(other["posterior"].data_vars) == set(default["posterior"].data_vars)


@pytest.mark.slow
def test_a_model_the_engine_does_not_cover_is_sampled_all_the_same(model, default, monkeypatch):
    from fairweather.engine import pack
    from fairweather.samplers import nutpie

    def refuse(_):
        raise pack.NotCovered("no kernel")

    monkeypatch.setattr(pack, "pack", refuse)
    assert nutpie
    other = fit(model, draws=600, tune=500, chains=2, random_seed=4, progressbar=False)
    assert set(other["posterior"].data_vars) == set(default["posterior"].data_vars)
    table = compare(default, other)
    assert table["agrees"].all(), table.head()


def test_an_unknown_sampler_is_refused(model):
    with pytest.raises(SamplerError, match="choose one of nutpie, numpyro, blackjax, pymc"):
        fit(model, sampler="stan")


@pytest.mark.parametrize("name", SAMPLERS)
def test_a_sampler_that_is_not_installed_says_how_to_get_it(monkeypatch, name):
    module = get_sampler(name)
    where = (
        "fairweather.samplers.nutpie" if name == DEFAULT else "fairweather.samplers.through_pymc"
    )
    monkeypatch.setattr(f"{where}.find_spec", lambda package: None)
    with pytest.raises(SamplerError, match="is not installed"):
        module.require()
