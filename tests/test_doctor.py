"""The self-check finds what is wrong and says it in a line."""

import numpy as np
import pytest
from typer.testing import CliRunner

from fairweather import cli, doctor
from fairweather.doctor import compare, examine, tiny
from fairweather.engine.native import Density

runner = CliRunner()


def test_a_sound_installation_passes():
    done = runner.invoke(cli.app, ["doctor", "--quick"])
    assert done.exit_code == 0, done.output
    assert "all checks passed" in done.output and "microseconds a gradient" in done.output


def test_a_wrong_gradient_is_found(monkeypatch):
    true = Density.__call__

    def bent(self, x):
        value, grad = true(self, x)
        grad[3] *= 1.001
        return value, grad

    monkeypatch.setattr(Density, "__call__", bent)
    done = runner.invoke(cli.app, ["doctor", "--quick"])
    assert done.exit_code == 2 and "FAIL" in done.output
    assert "engine against the model as written" in done.output.splitlines()[-1]


def test_a_gradient_that_is_no_number_is_found(monkeypatch):
    true = Density.__call__

    def holed(self, x):
        value, grad = true(self, x)
        grad[-1] = np.nan
        return value, grad

    monkeypatch.setattr(Density, "__call__", holed)
    found = {f.check: f for f in examine([])}
    assert not found["engine against the model as written"].passed


def test_a_check_that_breaks_is_a_finding(monkeypatch):
    def broken():
        raise OSError("no such file")

    monkeypatch.setattr(doctor, "_record", broken)
    found = {f.check: f for f in examine([])}
    assert not found["record"].passed and "no such file" in found["record"].seen


def draws(shift=0.0, seed=0):
    import helpers

    tree = helpers.tree(chains=2, draws=400, seed=seed)
    posterior = tree["posterior"].to_dataset()
    rng = np.random.default_rng(seed + 7)
    posterior["half_life"] = posterior["half_life"].copy(data=rng.normal(shift, 1.0, (2, 400)))
    tree["posterior"] = posterior
    return tree


def test_means_that_differ_are_named():
    same = compare(draws(seed=1), draws(seed=2))
    assert same["agrees"].all()
    apart = compare(draws(seed=1), draws(shift=0.6, seed=2))
    assert apart.iloc[0]["quantity"] == "half_life" and not apart.iloc[0]["agrees"]
    assert apart["agrees"].iloc[1:].all()


def test_the_problem_has_every_family():
    from fairweather.measurement import FAMILIES

    assert set(tiny().batches) == set(FAMILIES)


@pytest.mark.parametrize("name", ["unknown"])
def test_an_absent_sampler_is_a_finding(monkeypatch, name):
    monkeypatch.setattr("fairweather.inference.fit", lambda *a, **k: draws())
    found = list(examine([name]))
    assert found[-1].check == "sampler unknown" and not found[-1].passed
