import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import fairweather.claims as package
from fairweather.claims import NOT_TESTABLE, NOTE, assess, load_claims
from fairweather.claims.parts import lacking
from fairweather.forecast import forecast
from fairweather.panel import load_panel
from made_fit import fit, panel

# Judged on one fit of the reading elastic-side: all that need no asymmetry and no domains.
SPEAKS = [
    "C01", "C02", "C03", "C04", "C05", "C08", "C34", "C35", "C36", "C37", "C38", "C39", "C40",
    "C42", "C43", "C44", "C49",
]  # fmt: skip
KNOWN = ["C01", "C08", "C36", "C43"]


def rows(tree, p=None, **options):
    options.setdefault("prior_tree", fit(p, reading=tree.attrs["reading"], draws=20, seed=9))
    return assess(tree, p or panel(), **options).set_index("claim_id")


@pytest.fixture(scope="module")
def usual():
    tree = fit()
    return rows(tree, fc=forecast(tree, panel()), prior_tree=tree)


def russia(b, other=0.0):
    p = panel()
    return [b if s == "RUS" else other for s in p.states]


def test_a_world_as_claimed_bears_the_claims_out():
    tree = fit(elasticity=russia(0.5, 0.1), coupling=0.0, scope=0.1, dyad_drift=0.0,
               complementarity_trade=0.05, complementarity_energy=0.05)  # fmt: skip
    table = rows(tree)
    assert list(table.index) == SPEAKS
    # The pair is pressed all along and rises: also no durability is lost that was not there.
    assert (table.loc[[*KNOWN, "C05", "C39", "C40"], "verdict"] == "borne out").all()
    assert (table["value"]["C08"] < -0.1) and (table["value"]["C43"] < 0)
    assert table["note"].str.contains(NOTE).all()
    assert (table["threshold"] == 0.9).all()


def test_the_opposite_world_contradicts_them():
    tree = fit(elasticity=russia(-0.1, -0.001), coupling=0.0, scope=-0.1, dyad_drift=0.0,
               complementarity_trade=0.9, complementarity_energy=0.9)  # fmt: skip
    table = rows(tree)
    wrong = [*KNOWN, "C04", "C05", "C39", "C40"]
    assert (table.loc[wrong, "verdict"] == "contradicted").all()


def test_verdicts_follow_the_thresholds_and_prior_is_judged_alike(usual):
    table = usual.dropna(subset=["probability", "prior_probability"])
    assert len(table) > 10
    # Whether pressure fell has even odds before the record, whatever the draws.
    own = table.index.isin(["C37", "C38"])
    assert (table.loc[own, "prior_probability"] == 0.5).all()
    both = table[~own]
    np.testing.assert_allclose(both["probability"], both["prior_probability"])
    for _, r in table.iterrows():
        expected = "borne out" if r.probability >= 0.9 else (
            "contradicted" if r.probability <= 0.1 else "undecided")  # fmt: skip
        assert r.verdict == expected
        assert r.lower <= r.value <= r.upper


@pytest.mark.parametrize(
    ("reading", "silent"),
    [("drift", {"C01", "C08", "C43"}), ("common-enemy", {"C43"}), ("thermostat", set())],
)
def test_a_reading_is_not_asked_what_it_cannot_say(reading, silent):
    table = rows(fit(reading=reading))
    assert set(KNOWN) - set(table.index) == silent
    entries = load_claims()
    assert not [c for c in table.index if lacking(reading, entries[c]["needs"])]
    assert table["note"].str.contains(NOTE).all()


def test_other_dyads_are_not_judged():
    p = panel("IND-IRN")
    table = rows(fit(p), p)
    assert (table["verdict"] == NOT_TESTABLE).all() and len(table) == len(SPEAKS)
    assert table["note"].str.contains("IND-IRN").all()
    assert table["probability"].isna().all()


def test_a_panel_too_short_for_one_claim_costs_that_claim_only():
    p = load_panel(states=["CHN", "IND", "IRN", "RUS"], as_of="2012-12-31")
    table = rows(fit(p), p)
    silent = table[table["verdict"] == NOT_TESTABLE]
    assert set(silent.index) == {"C37", "C38"}
    assert silent["note"].str.contains("2017-2020").all()


def test_what_is_not_on_record_is_undecided(usual):
    table = usual
    assert table.loc["C42", "verdict"] == "undecided"
    assert np.isnan(table.loc["C42", "probability"]) and "no easing" in table.loc["C42", "note"]


def test_durability_is_quoted(usual):
    note = usual["note"]["C08"]
    assert "ease-both" in note and "2001-04" in note and "held-out" in note


def test_prior_is_simulated_where_none_is_given():
    table = assess(fit(), panel()).set_index("claim_id")
    signs = table.loc[[*KNOWN, "C05", "C40"], "prior_probability"]
    assert signs.between(0.02, 0.98).all()


def test_the_package_is_light_and_finds_its_names():
    assert all(getattr(package, name) is not None for name in package.__all__)
    with pytest.raises(AttributeError, match="nothing"):
        package.nothing  # noqa: B018
    code = (
        "import sys; from fairweather.claims import load_claims, Judgement; load_claims(); "
        "import fairweather.claims.stored, fairweather.claims.table, fairweather.claims.story; "
        "print([m for m in ('numpy', 'pandas', 'xarray', 'pymc') if m in sys.modules])"
    )
    root = Path(package.__file__).parents[2]
    environment = os.environ | {"PYTHONPATH": str(root)}
    run = [sys.executable, "-c", code]
    out = subprocess.run(run, capture_output=True, text=True, env=environment)
    assert out.stdout.strip() == "[]", out.stderr
