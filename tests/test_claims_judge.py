import json
from dataclasses import replace
from math import isnan, nan

import numpy as np
import pandas as pd
import pytest

import made_contest
from fairweather.claims import averaging
from fairweather.claims.catalogue import claims_file, load_claims
from fairweather.claims.evidence import ClaimError, Evidence
from fairweather.claims.judge import decide, judge, judge_all
from fairweather.claims.judgement import MIN_SHOCKS, NOT_TESTABLE, Judgement, verdict
from fairweather.claims.parts import NEEDS, lacking
from fairweather.confusion import Confusion as Real
from fairweather.readings import READINGS
from made_contest import Confusion, context, draws
from made_fit import panel

CLAIMS = load_claims()


def found(p=0.95, **changes):
    return Judgement("C01", "posterior", None, p, shocks=9, **changes)


# -- the verdict ---------------------------------------------------------------------------------


def entry(**changes):
    return {"lower": 0.1, "upper": 0.9, "tell": None, "shocks": "both", "of": []} | changes


TELL = {"pro": ["thermostat"], "contra": ["drift"]}


@pytest.mark.parametrize(("p", "said"), [(0.95, "borne out"), (0.05, "contradicted"),
                                         (0.5, "undecided"), (nan, "undecided")])  # fmt: skip
def test_thresholds(p, said):
    assert decide(found(p), entry(), context())[0] == said


@pytest.mark.parametrize("p", [0.95, 0.05])
def test_undecided_where_the_contest_cannot_tell(p):
    assert decide(found(p), entry(tell=TELL), context())[1] == ""
    dull = context(confusion=Confusion(False))
    assert decide(found(p), entry(tell=TELL), dull) == (
        "undecided", "The record cannot tell thermostat from drift",
    )  # fmt: skip
    assert decide(found(p), entry(), dull)[0] != "undecided"
    one_side = context({"thermostat": 1.0})
    assert "one side" in decide(found(p), entry(tell=TELL), one_side)[1]
    outcome, why = decide(found(p), entry(tell=TELL), context(confusion=None))
    assert outcome == "undecided" and "not calibrated" in why


@pytest.mark.parametrize("n", [0, MIN_SHOCKS - 1])
def test_undecided_on_too_few_shocks(n):
    few = replace(found(), shocks=n)
    outcome, why = decide(few, entry(), context())
    assert outcome == "undecided" and str(n) in why
    assert decide(replace(found(), shocks=MIN_SHOCKS), entry(), context())[0] == "borne out"
    assert decide(replace(found(), shocks=None), entry(), context())[0] == "borne out"


def test_the_confusion_of_simulated_worlds_is_asked():
    def worlds(right):
        rows = [{"truth": t, "drift": w if t == "drift" else 1 - w, "thermostat":
                 1 - w if t == "drift" else w} for t in TELL["pro"] + TELL["contra"]
                for w in right]  # fmt: skip
        return Real.of(pd.DataFrame(rows))

    sure, dull = worlds([0.9] * 6), worlds([0.9, 0.1] * 3)
    assert decide(found(), entry(tell=TELL), context(confusion=sure))[0] == "borne out"
    outcome, why = decide(found(), entry(tell=TELL), context(confusion=dull))
    assert outcome == "undecided" and "could not tell thermostat from drift" in why


def test_what_is_built_in_decides_nothing_by_itself():
    weights = {"drift": 0.95, "thermostat": 0.05}
    built = found(0.04, by_reading={"drift": 0.0, "thermostat": 0.8}, by_construction=("drift",))
    outcome, why = decide(built, entry(), context(weights))
    assert outcome == "undecided" and "drift" in why
    # Told apart by the contest, or learnt by the others as well: then it counts.
    assert decide(built, entry(tell=TELL), context(weights))[0] == "contradicted"
    learnt = replace(built, by_reading={"drift": 0.0, "thermostat": 0.05})
    assert decide(learnt, entry(), context(weights))[0] == "contradicted"
    alone = replace(built, by_reading={"drift": 0.0})
    assert decide(alone, entry(), context({"drift": 1.0}))[0] == "undecided"


# -- averaging over readings ---------------------------------------------------------------------


def test_average_is_the_weighted_sum_over_readings():
    weights = {"drift": 0.2, "thermostat": 0.5, "elastic-side": 0.3}
    every = {r: draws(r, elasticity=0.3 if r == "thermostat" else -0.3, coupling=0.0)
             for r in weights}  # fmt: skip
    mixed = averaging.average("fragile", {"size": -0.1}, "pressure", every, weights)
    assert mixed.by_reading == {"drift": 0.0, "thermostat": 1.0, "elastic-side": 0.0}
    assert mixed.probability == pytest.approx(0.5)
    assert mixed.by_construction == ("drift",) and "by construction: drift" in mixed.notes[-1]
    value, lower, upper = mixed.summary()
    assert lower < value < upper and lower < 0 < upper
    _, holds = mixed.draw(4000)
    assert holds.mean() == pytest.approx(0.5, abs=0.03)


def test_a_quantity_held_at_one_value_is_by_construction():
    every = {"drift": draws("drift", scope=0.0, complementarity_trade=0.0,
                            complementarity_energy=0.0)}  # fmt: skip
    mixed = averaging.average("moderated", {}, "none", every, {"drift": 1.0})
    assert mixed.by_construction == ("drift",) and mixed.probability == 0.0


def test_small_weights_are_left_out_and_missing_draws_refused():
    kept = averaging.kept_weights({"drift": 0.996, "placebo": 0.004}, {"drift": 1})
    assert kept == {"drift": 1.0}
    with pytest.raises(ClaimError, match=r"placebo weighs 0\.50 and has no draws"):
        averaging.kept_weights({"drift": 0.5, "placebo": 0.5}, {"drift": 1})
    with pytest.raises(ClaimError, match="no reading has any weight"):
        averaging.kept_weights({"drift": 0.0}, {"drift": 1})


def test_what_is_learnt_is_told_apart_from_what_is_built_in():
    weights = {"drift": 0.9, "thermostat": 0.1}
    made = judge("C05", CLAIMS["C05"], context(weights))
    learnt = averaging.average(
        "responsive", {}, "pressure", {"thermostat": draws("thermostat")}, {"thermostat": 1.0}
    )
    p, value, *_ = learnt.learnt()
    assert made.notes[0].startswith(f"in the readings that learn it: {value:.2f} [")
    assert p == pytest.approx(made.by_reading["thermostat"])
    nothing = averaging.average("fragile", {}, "pressure", {"drift": None}, {"drift": 1.0})
    assert nothing.learnt() is None


def test_replicates_follow_the_order_of_the_weights():
    frame = pd.DataFrame({"thermostat": [0.7], "drift": [0.3]})
    made = context({"drift": 0.5, "thermostat": 0.5}, weight_draws=frame)
    assert made.replicates().tolist() == [[0.3, 0.7]]
    array = frame.rename_axis("replicate").rename_axis("reading", axis=1).stack().to_xarray()
    assert replace(made, weight_draws=array).replicates().tolist() == [[0.3, 0.7]]
    assert replace(made, weight_draws=np.array([[1, 0]])).replicates().tolist() == [[1.0, 0.0]]


def test_weighted_quantiles_agree_with_plain_ones():
    x = np.random.default_rng(1).standard_normal(2001)
    got = averaging.quantiles(x, np.full(2001, 1 / 2001), (0.055, 0.5, 0.945))
    np.testing.assert_allclose(got, np.quantile(x, (0.055, 0.5, 0.945)), atol=0.01)


@pytest.mark.parametrize("needs", NEEDS)
def test_what_readings_lack(needs):
    has = {r for r in READINGS if lacking(r, needs) is None}
    pressure = {"thermostat", "common-enemy", "elastic-side", "fragile-sticky", "domains"}
    assert has == {
        "none": set(READINGS), "pressure": pressure | {"scope"},
        "elasticity": pressure - {"common-enemy"}, "asymmetry": {"fragile-sticky"},
        "domains": {"domains"},
    }[needs]  # fmt: skip


# -- judging -------------------------------------------------------------------------------------


def test_all_claims_are_judged_and_one_failure_costs_one(monkeypatch):
    def broken(record, params):
        raise ZeroDivisionError("no votes")

    import fairweather.claims.judge as module

    def get(name):
        if name == "fragile":
            return broken
        given = np.linspace(0, 1, 50)
        return lambda *_: Evidence(given, given > 0.02, "made up", shocks=5, prior=0.5)

    monkeypatch.setattr(module, "get_measure", get)
    monkeypatch.setattr(averaging, "get_measure", get)
    made = judge_all(context())
    assert list(made) == list(CLAIMS)
    failed = {k for k, v in made.items() if v.problem}
    assert failed == {"C08"}
    assert made["C08"].verdict is None and "no votes" in made["C08"].problem
    for name, one in made.items():
        if name in failed:
            continue
        method = CLAIMS[name]["method"]
        assert one.claim_id == name and one.method == method
        if method == "none":
            assert one.verdict == NOT_TESTABLE and CLAIMS[name]["why"] in one.sentence
        else:
            assert one.verdict in ("borne out", "contradicted", "undecided")
            assert one.sentence.endswith(".") and one.unit in one.sentence
            assert 0 <= one.probability <= 1


def test_a_malformed_claim_is_a_problem_and_the_others_are_judged(tmp_path, monkeypatch):
    import fairweather.claims.judge as module

    file = tmp_path / "claims.toml"
    text = claims_file().read_text(encoding="utf-8")
    file.write_text(text.replace('"exogenous"', '"exogenus"'), encoding="utf-8")
    monkeypatch.setattr(module, "judge", lambda n, e, c: Judgement(n, e["method"], "undecided"))
    made = judge_all(context(), file)
    assert list(made) == list(CLAIMS)
    assert [k for k, v in made.items() if v.problem] == ["C01"]
    assert "exogenous" in made["C01"].problem


def test_another_pair_is_refused():
    other = context(panel=panel("IND-IRN"))
    with pytest.raises(ClaimError, match="IND-IRN"):
        judge_all(other)
    with pytest.raises(ClaimError, match="IND-IRN"):
        judge("C01", CLAIMS["C01"], other)


def test_posterior_claim_carries_its_numbers():
    made = judge("C43", CLAIMS["C43"], context())
    assert set(made.by_reading) == set(made_contest.READINGS)
    assert made.by_reading["drift"] == 0.0 and "common-enemy" in made.by_construction
    assert made.probability == pytest.approx(np.mean(list(made.by_reading.values())))
    assert made.lower <= made.value <= made.upper and made.unit == "SD"
    assert made.shocks == 6 and "6 independent shocks" in made.sentence
    assert any("without elasticity" in n for n in made.notes)


def test_prior_weighs_all_readings_alike():
    weights = {"drift": 0.9, "thermostat": 0.1}
    same = {r: draws(r) for r in weights}
    made = judge("C05", CLAIMS["C05"], context(weights, draws=same, prior=same))
    assert made.probability == pytest.approx(0.1 * made.by_reading["thermostat"])
    assert made.prior_probability == pytest.approx(0.5 * made.by_reading["thermostat"])


def test_held_out_claim_needs_both_halves():
    weights = {"elastic-side": 1.0, "drift": 0.0}
    falls = {"elastic-side": draws("elastic-side", elasticity=0.4, coupling=0.0)}
    rises = {"elastic-side": draws("elastic-side", elasticity=-0.4, coupling=0.0)}
    sunk = made_contest.held_out(-1.0)
    both = judge("C08", CLAIMS["C08"], context(weights, draws=falls, held_out=sunk))
    assert both.probability > 0.95 and both.verdict == "borne out"
    assert "the half on held-out episodes holds with probability 1.00" in both.sentence
    half = judge("C08", CLAIMS["C08"], context(weights, draws=rises, held_out=sunk))
    assert half.probability < 0.05 and half.verdict == "contradicted"
    still = {"drift": draws("drift", scope=0.0)}
    only = context({"drift": 1.0, "thermostat": 0.0}, draws=still, held_out=sunk)
    dry = judge("C34", CLAIMS["C34"], only)
    # Drift builds in that easing does nothing; the episodes alone contradict.
    assert dry.by_construction == ("drift",) and dry.probability < 0.05
    other = made_contest.held_out(1.0)
    assert judge("C08", CLAIMS["C08"], context(weights, draws=falls, held_out=other)).verdict == (
        "contradicted"
    )


def test_one_held_out_shock_decides_nothing():
    one = made_contest.held_out(-1.0, years=(1994,))
    made = judge("C08", CLAIMS["C08"], context({"elastic-side": 1.0}, held_out=one))
    assert made.verdict == "undecided" and made.shocks == 1 and isnan(made.probability)
    assert made.sentence.startswith("Undecided: 1 independent event")
    assert Judgement.from_dict(made.to_dict()).to_dict() == made.to_dict()
    assert "NaN" not in json.dumps(made.to_dict())


def test_episodes_are_told_beside():
    made = judge("C40", CLAIMS["C40"], context())
    assert any("beside it: after 5 held-out easing" in n for n in made.notes)


def test_undecided_says_why():
    strong = {r: draws(r, elasticity=0.4, coupling=0.0) for r in ("thermostat", "elastic-side")}
    weights = dict.fromkeys(strong, 0.5) | {"drift": 0.0}
    before = {r: draws(r, elasticity=-0.4, coupling=0.0) for r in strong}
    ready = context(weights, draws=strong, prior=before)
    assert judge("C05", CLAIMS["C05"], ready).verdict == "borne out"
    sure = judge("C05", CLAIMS["C05"], replace(ready, prior=strong))
    assert sure.verdict == "undecided" and "before any row was read" in sure.sentence
    dull = judge("C05", CLAIMS["C05"], replace(ready, confusion=Confusion(False)))
    assert dull.verdict == "undecided" and "cannot tell" in dull.sentence


def test_judgements_are_kept_and_read_back():
    made = judge("C43", CLAIMS["C43"], context())
    back = Judgement.from_dict(made.to_dict() | {"of_a_later_version": 1})
    assert back.to_dict() == made.to_dict() and back.notes == made.notes
    empty = Judgement("C25", "none", NOT_TESTABLE)
    assert empty.to_dict()["probability"] is None
    assert isnan(Judgement.from_dict(empty.to_dict()).probability)


def test_verdict_at_the_thresholds():
    assert [verdict(p, 0.1, 0.9) for p in (0.1, 0.1001, 0.8999, 0.9)] == [
        "contradicted", "undecided", "undecided", "borne out",
    ]  # fmt: skip
