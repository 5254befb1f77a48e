import numpy as np
import pytest

from fairweather.claims import NOT_TESTABLE, assess, load_claims
from fairweather.errors import CodebookError
from fairweather.forecast import forecast
from made_fit import fit, panel


def rows(tree, p=None, **options):
    options.setdefault("prior_tree", fit(p, reading=tree.attrs["reading"], draws=20, seed=9))
    return assess(tree, p or panel(), **options).set_index("claim_id")


def russia(b, other=0.0):
    p = panel()
    return [b if s == "RUS" else other for s in p.states]


def test_a_world_as_claimed_bears_the_claims_out():
    tree = fit(elasticity=russia(0.5, 0.1), coupling=0.0, scope=0.1, dyad_drift=0.0,
               complementarity_trade=0.05, complementarity_energy=0.05)  # fmt: skip
    table = rows(tree)
    assert list(table.index) == ["C01", "C08", "C36", "C43"]
    assert (table["verdict"] == "borne out").all()
    assert (table["value"]["C08"] < -0.1) and (table["value"]["C43"] < 0)
    assert table["note"].str.contains("preliminary, in-sample").all()
    assert (table["threshold"] == 0.9).all()


def test_the_opposite_world_contradicts_them():
    tree = fit(elasticity=russia(-0.1, -0.001), coupling=0.0, scope=-0.1, dyad_drift=0.0,
               complementarity_trade=0.9, complementarity_energy=0.9)  # fmt: skip
    table = rows(tree)
    assert (table["verdict"] == "contradicted").all()


def test_verdicts_follow_the_thresholds_and_prior_is_judged_alike():
    tree = fit()
    table = rows(tree, prior_tree=tree)
    np.testing.assert_allclose(table["probability"], table["prior_probability"])
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
    quiet = table[table["verdict"] == NOT_TESTABLE]
    assert set(quiet.index) == silent
    assert quiet["probability"].isna().all()
    assert quiet["note"].str.contains("preliminary, in-sample").all()


def test_other_dyads_are_not_judged():
    p = panel("IND-IRN")
    assert (rows(fit(p), p)["verdict"] == NOT_TESTABLE).all()


def test_durability_is_quoted():
    tree = fit()
    note = rows(tree, fc=forecast(tree, panel()))["note"]["C08"]
    assert "ease-both" in note and "2001-04" in note


def test_prior_is_simulated_where_none_is_given():
    table = assess(fit(), panel()).set_index("claim_id")
    assert table["prior_probability"].between(0.02, 0.98).all()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [("[claim.C01]", "[claim.C99]", "C99"), ("upper = 0.9", "upper = 1.9", "lower < upper"),
     ('needs = "none"', 'needs = "luck"', "luck"), ("reason =", "why =", "lacks reason")],
)  # fmt: skip
def test_bad_file(tmp_path, old, new, said):
    from fairweather.paths import data_dir

    text = (data_dir() / "claims.toml").read_text(encoding="utf-8")
    file = tmp_path / "claims.toml"
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(CodebookError, match=said):
        load_claims(file)
