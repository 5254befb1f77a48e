"""Every bad belief set is refused with the file, the place and the remedy."""

import numpy as np
import pymc as pm
import pytest
from scipy import stats

from fairweather.errors import PriorError
from fairweather.paths import priors_dir
from fairweather.priors import DRIVERS, PARAMETERS, QUANTITIES, Prior, load_priors, shipped

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
    "missing quantity": (SHIPPED[: SHIPPED.index("[vote_sampling_share]")],
                         "no prior for vote_sampling_share; add a table.*base"),
    "misspelt meta": (SHIPPED.replace("[meta]", '[meta]\nbsae = "author"'),
                      "meta.*unknown key 'bsae'; use id, title, note, base"),
    "meta without words": (SHIPPED.replace("[meta]", "[meta]\nbase = 3"),
                           "meta.*base must be text, not 3"),
    "unknown base": (f'[meta]\nbase = "skeptic"\n[drift]\ndist = "Fixed"\nvalue = 1\n{WHY}',
                     "base = 'skeptic' is not a shipped set.*Name one of default, agnostic"),
    "changes nothing": ('[meta]\nbase = "author"\n', "changes nothing of its base 'author'"),
    "changes but the reason": (f'[meta]\nbase = "default"\n[drift]\ndist = "Normal"\nmu = 0\n'
                               f"sigma = 0.12\n{WHY}", "changes nothing of its base 'default'"),
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


# Scale, identification, pressure's own course and measurement: common ground of all beliefs.
COMMON_GROUND = {
    "intercept_scale", "wander", "shock_df", "state_wander", "complementarity_error",
    "pressure_half_life", "pressure_innovation", "anchor_error", "feedback", "words_scale",
    "loading_within", "loading_count", "loading_share", "share_level", "residual_spare",
    "residual_floor", "concentration", "year_shift_scale", "agenda_scale", "vote_residual",
    "vote_sampling_share", "delegation_scale",
}  # fmt: skip


def test_every_quantity_is_a_driver_or_common_ground():
    assert set(QUANTITIES) == set(DRIVERS) | COMMON_GROUND
    assert not set(DRIVERS) & COMMON_GROUND


@pytest.mark.parametrize("name", [n for n in shipped() if n != "default"])
def test_shipped_sets_differ_in_what_moves_the_target_alone(name):
    default, other = load_priors(), load_priors(name)
    differs = set(default.against(other))
    assert differs == set(other.changed) and other.base == "default"
    assert differs and not differs & COMMON_GROUND
    # Told apart from the agenda's trend by convention only: no matter of belief either.
    assert "drift" not in differs
    assert other.title and other.note


def test_the_sets_say_what_their_names_say():
    sets = {name: load_priors(name) for name in shipped()}

    def mu(name, quantity):
        return sets[name][quantity].params["mu"]

    def width(name, quantity):
        return sets[name][quantity].params["sigma"]

    for quantity in ("elasticity_mean", "coupling", "shared_pressure"):
        assert mu("author", quantity) > 0 and mu("sceptic", quantity) == 0
        assert width("sceptic", quantity) < width("default", quantity)
        assert mu("agnostic", quantity) == 0
        assert width("agnostic", quantity) == pytest.approx(2 * width("default", quantity))
    assert mu("author", "exponent") < 0 < mu("author", "asymmetry")
    assert mu("sceptic", "asymmetry") < mu("default", "asymmetry") == 0
    for quantity in ("half_life", "dyad_drift_scale", "complementarity_trade"):
        assert mu("author", quantity) < mu("sceptic", quantity)


BASED = (
    '[meta]\nid = "mine"\ntitle = "Mine"\nbase = "{}"\n'
    f'[drift]\ndist = "Normal"\nmu = {{}}\nsigma = 0.2\n{WHY}'
)


def test_a_set_gives_only_what_it_changes(tmp_path):
    mine = load_priors(_write(tmp_path, BASED.format("default", 0.1)))
    default = load_priors()
    assert (mine.id, mine.title, mine.base, mine.changed) == ("mine", "Mine", "default", ("drift",))
    assert mine["drift"].params == {"mu": 0.1, "sigma": 0.2} and mine["drift"].reason == "because"
    assert default.against(mine) == ("drift",)
    assert mine["half_life"] == default["half_life"]


def test_the_hash_is_that_of_the_whole_set(tmp_path):
    short = load_priors(_write(tmp_path, BASED.format("default", 0.1)))
    text = _table("drift", f'dist = "Normal"\nmu = 0.1\nsigma = 0.2\n{WHY}')
    assert load_priors(_write(tmp_path, text)).content_hash == short.content_hash
    on_author = load_priors(_write(tmp_path, BASED.format("author", 0.1)))
    assert on_author.content_hash != short.content_hash


def test_a_base_may_rest_on_another(tmp_path):
    mine, author = load_priors(_write(tmp_path, BASED.format("author", 0.1))), load_priors("author")
    assert mine.changed == ("drift",) and author.against(mine) == ("drift",)
    assert set(load_priors().against(mine)) == {"drift", *author.changed}


def test_a_chain_that_leads_back_is_refused(tmp_path, monkeypatch):
    for name, base in {"default": "other", "other": "default"}.items():
        (tmp_path / f"{name}.toml").write_text(BASED.format(base, 0.1), encoding="utf-8")
    monkeypatch.setattr("fairweather.priors.priors_dir", lambda: tmp_path)
    with pytest.raises(PriorError, match=r"other.toml: .*base = 'default' leads back to itself"):
        load_priors()


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
    np.testing.assert_allclose(prior.logpdf(at), reference.logpdf(at), rtol=1e-12)
    assert prior.logpdf(at[:, None]).shape == (3, 1)
    outside = -np.inf if dist != "Normal" else reference.logpdf(-1.0)
    assert prior.logpdf(-1.0) == outside
    with pm.Model():
        rv = prior.rv()
    np.testing.assert_allclose(pm.logp(rv, at).eval(), reference.logpdf(at), rtol=1e-6)


def test_fixed_is_a_number():
    prior = Prior("x", "Fixed", {"value": 3.0}, "why", "where")
    assert prior.rv() == 3.0 and prior.draw(np.random.default_rng(0)) == 3.0
    assert prior.draw(np.random.default_rng(0), 2).tolist() == [3.0, 3.0]
    with pytest.raises(PriorError, match="has no density"):
        prior.logp(1.0)
    with pytest.raises(PriorError, match="has no density"):
        prior.logpdf(1.0)
    assert set(CASES) | {"Fixed"} == set(PARAMETERS)
