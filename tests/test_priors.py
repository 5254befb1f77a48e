"""Every bad belief set is refused with the file, the place and the remedy."""

import numpy as np
import pymc as pm
import pytest
from scipy import stats

from fairweather.errors import PriorError
from fairweather.paths import priors_dir
from fairweather.priors import PARAMETERS, QUANTITIES, Prior, load_priors

SHIPPED = (priors_dir() / "default.toml").read_text(encoding="utf-8")


def _write(tmp_path, text):
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return path


def _table(name, body):
    """The shipped set with one table replaced."""
    start = SHIPPED.index(f"[{name}]")
    end = SHIPPED.find("\n[", start)
    return SHIPPED[:start] + f"[{name}]\n{body}\n" + (SHIPPED[end:] if end > 0 else "")


WHY = 'reason = "because"\nsource = "a book"'
BAD = {
    "unknown quantity": (SHIPPED + f'\n[halflife]\ndist = "Fixed"\nvalue = 1.0\n{WHY}\n',
                         "halflife.*not a quantity.*Known: half_life"),
    "misspelt key": (_table("half_life", f'dist = "LogNormal"\nmu = 1\nsgima = 0.2\n{WHY}'),
                     "half_life.*unknown key 'sgima'.*LogNormal takes mu, sigma"),
    "unknown distribution": (_table("half_life", f'dist = "Cauchy"\nmu = 1\n{WHY}'),
                             "half_life.*dist = 'Cauchy'; use one of"),
    "lacks a parameter": (_table("drift", f'dist = "Normal"\nmu = 0.0\n{WHY}'),
                          "drift.*lacks 'sigma'; add it"),
    "impossible parameter": (_table("drift", f'dist = "Normal"\nmu = 0.0\nsigma = -1.0\n{WHY}'),
                             "drift.*sigma = -1.*greater than 0"),
    "not finite": (_table("drift", f'dist = "Normal"\nmu = nan\nsigma = 1.0\n{WHY}'),
                   "drift.*mu = nan.*not a finite number"),
    "text for a number": (_table("drift", f'dist = "Normal"\nmu = "0"\nsigma = 1.0\n{WHY}'),
                          "drift.*mu = '0'.*not a finite number"),
    "true for a number": (_table("drift", f'dist = "Normal"\nmu = true\nsigma = 1.0\n{WHY}'),
                          "drift.*mu = True"),
    "no reason": (_table("drift", 'dist = "Normal"\nmu = 0.0\nsigma = 1.0\nsource = "a book"'),
                  "drift.*lacks 'reason'"),
    "blank reason": (_table("drift", 'dist = "Normal"\nmu = 0.0\nsigma = 1.0\nreason = " "\n'
                            'source = "a book"'), "drift.*reason must be a sentence"),
    "no source": (_table("drift", 'dist = "Normal"\nmu = 0.0\nsigma = 1.0\nreason = "why"'),
                  "drift.*lacks 'source'"),
    "may go negative": (_table("half_life", f'dist = "Normal"\nmu = 5.0\nsigma = 1.0\n{WHY}'),
                        "half_life.*must be positive; use LogNormal or HalfNormal"),
    "fixed at a negative": (_table("half_life", f'dist = "Fixed"\nvalue = -5.0\n{WHY}'),
                            "half_life.*greater than 0"),
    "must be fixed": (_table("anchor_error", f'dist = "HalfNormal"\nsigma = 1.0\n{WHY}'),
                      "anchor_error.*must be Fixed"),
    "missing quantity": (SHIPPED.replace("[coupling]", "[meta.x]"), "no prior for coupling.*add"),
    "not TOML": ("half_life is five years\n", "not valid TOML"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_sets_are_refused(case, tmp_path):
    text, message = BAD[case]
    with pytest.raises(PriorError, match=message) as err:
        load_priors(_write(tmp_path, text))
    assert "mine.toml" in str(err.value)


def test_bytes_that_are_no_text_are_refused(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(PriorError, match=r"mine.toml: not valid TOML"):
        load_priors(path)


def test_a_top_level_number_is_refused(tmp_path):
    with pytest.raises(PriorError, match=r"mine.toml.*half_life"):
        load_priors(_write(tmp_path, "half_life = 5\n"))


@pytest.mark.parametrize("name", ["nowhere.toml", "no-such-set"])
def test_a_missing_file_is_refused_and_shipped_sets_are_named(name):
    with pytest.raises(PriorError, match=r"cannot be read.*shipped sets: .*default"):
        load_priors(name)


@pytest.mark.parametrize("path", sorted(priors_dir().glob("*.toml")), ids=lambda p: p.stem)
def test_shipped_sets_load(path):
    priors = load_priors(path)
    assert set(priors.table) == set(QUANTITIES)
    assert len(priors.content_hash) == 64
    assert load_priors(path.stem).content_hash == priors.content_hash


def test_unknown_name_and_unfixed_value():
    priors = load_priors()
    with pytest.raises(PriorError, match="no prior for 'x' in belief set"):
        priors["x"]
    with pytest.raises(PriorError, match="needs a Fixed value"):
        priors.fixed("half_life")


def test_replace_changes_the_hash_and_not_the_original():
    priors = load_priors()
    other = priors.replace(drift=Prior("drift", "Normal", {"mu": 0.0, "sigma": 9.0}, "r", "s"))
    assert other.content_hash != priors.content_hash
    assert priors["drift"].params["sigma"] != 9.0 and other["drift"].params["sigma"] == 9.0


CASES = {
    "Normal": ({"mu": 0.4, "sigma": 0.5}, stats.norm(0.4, 0.5)),
    "LogNormal": ({"mu": 0.4, "sigma": 0.5}, stats.lognorm(0.5, scale=np.exp(0.4))),
    "HalfNormal": ({"sigma": 0.5}, stats.halfnorm(scale=0.5)),
}


@pytest.mark.parametrize("dist", CASES)
def test_draws_and_variable_share_one_distribution(dist):
    params, reference = CASES[dist]
    prior = Prior("x", dist, params, "why", "where")
    draws = prior.draw(np.random.default_rng(2), 4000)
    assert stats.kstest(draws, reference.cdf).pvalue > 1e-3
    at = np.array([0.2, 0.9, 1.7])
    np.testing.assert_allclose(prior.logp(at).eval(), reference.logpdf(at), rtol=1e-6)
    with pm.Model():
        rv = prior.rv()
    np.testing.assert_allclose(pm.logp(rv, at).eval(), reference.logpdf(at), rtol=1e-6)


def test_fixed_is_a_number():
    prior = Prior("x", "Fixed", {"value": 3.0}, "why", "where")
    assert prior.rv() == 3.0 and prior.draw(np.random.default_rng(0)) == 3.0
    assert prior.draw(np.random.default_rng(0), 2).tolist() == [3.0, 3.0]
    with pytest.raises(PriorError, match="has no density"):
        prior.logp(1.0)
    assert set(CASES) | {"Fixed"} == set(PARAMETERS)
