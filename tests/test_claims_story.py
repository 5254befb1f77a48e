from dataclasses import replace

import pytest

from fairweather.claims.catalogue import load_claims
from fairweather.claims.story import story
from test_claims_stored import BAD, GOOD, NONE

CLAIMS = load_claims()


@pytest.mark.parametrize("name", CLAIMS)
def test_every_claim_has_a_story_before_it_is_judged(name):
    told = story(name, CLAIMS[name])
    assert told.startswith(f"{name}  {CLAIMS[name]['section']}") and "verdict" not in told
    flat = " ".join(told.split())
    for key in ("statement", "formal", "reason", "why"):
        if key in CLAIMS[name]:
            assert CLAIMS[name][key].rstrip(".")[1:] in flat
    assert max(map(len, told.splitlines())) <= 100


def test_the_whole_story():
    priors = {"sceptic": {"C01": {"verdict": "undecided", "probability": 0.7}}, "lean": {}}
    told = " ".join(story("C01", CLAIMS["C01"], GOOD, priors).split())
    for piece in (
        "borne out from 90 %, contradicted to 10 %", "needs a reading with pressure",
        "40 % before the record is seen, 93 % after it", "0.70 [0.50, 0.90] share",
        "drift <1 % by construction", "8 independent shocks", "(at least 3 are needed)",
        "sceptic 70 % (one reading, in-sample", "A note.", "verdict borne out",
    ):  # fmt: skip
        assert piece in told
    assert told.index("thresholds") < told.index("93 % after it")
    assert "lean" not in told


def test_a_failure_is_told_and_no_verdict():
    told = story("C02", CLAIMS["C02"], BAD)
    assert "no votes" in told and "verdict" not in told


def test_what_is_not_testable_says_why():
    told = story("C25", CLAIMS["C25"], NONE)
    assert "verdict     not testable here" in told and "why" in told


def test_without_a_prior_none_is_shown():
    found = replace(GOOD, prior_probability=float("nan"), shocks=None)
    told = story("C37", CLAIMS["C37"], replace(found, claim_id="C37"))
    assert "before the record" not in told and "rests on" not in told
