import json
import os
from dataclasses import replace

import pytest

from fairweather.claims.judgement import Judgement
from fairweather.claims.stored import FILE, newest_contest, read_claims, write_claims
from fairweather.errors import ArchiveError

GOOD = Judgement(
    "C01", "posterior", "borne out", 0.93, 0.4, 0.7, 0.5, 0.9, "share", 8,
    {"drift": 0.0, "thermostat": 0.99}, ("drift",), "Borne out.", ("a note",),
)  # fmt: skip
BAD = Judgement("C02", "posterior", None, problem="ZeroDivisionError: no votes")
NONE = Judgement("C25", "none", "not testable here", sentence="Not testable here: no polls")


def keep(folder, **options):
    return write_claims(folder, {"C01": GOOD, "C02": BAD, "C25": NONE}, **options)


def test_what_is_kept_is_read_back(tmp_path):
    keep(tmp_path, by_prior={"sceptic": {"C01": GOOD}}, made={"seed": 1, "record_hash": "ab"})
    back = read_claims(tmp_path)
    assert back.claims["C01"] == GOOD and list(back.claims) == ["C01", "C02", "C25"]
    assert back.problems == {"C02": "ZeroDivisionError: no votes"}
    assert back.by_prior["sceptic"]["C01"]["probability"] == 0.93
    assert back.made == {"seed": 1, "record_hash": "ab"}
    plain = json.loads((tmp_path / FILE).read_text(encoding="utf-8"))
    assert set(plain) == {"claims", "by_prior", "made"} and plain["claims"]["C25"]["value"] is None


@pytest.mark.parametrize("text", ["{", "[]", '{"claims": 3}', '{"claims": {"C01": {"method": 1}}}'])
def test_damage_is_told(tmp_path, text):
    (tmp_path / FILE).write_text(text, encoding="utf-8")
    with pytest.raises(ArchiveError, match="damaged"):
        read_claims(tmp_path)


@pytest.mark.parametrize(
    ("change", "said"),
    [({"verdict": "banana"}, "claims.C01 has the verdict 'banana'; known are borne out, contra"),
     ({"verdict": ["borne out"]}, "has the verdict"),
     ({"probability": 7}, "has probability 7, which is not between 0 and 1"),
     ({"probability": "x"}, "has probability 'x'"),
     ({"probability": float("nan")}, "has probability nan"),
     ({"prior_probability": -0.1}, "has prior_probability -0.1"),
     ({"prior_probability": True}, "has prior_probability True"),
     ({"value": "much"}, "has value 'much', which is no number"),
     ({"shocks": "many"}, "has shocks 'many'"),
     ({"by_reading": {"x": "y"}}, "has 'y' for x"),
     ({"by_reading": {"drift": 2}}, "has 2 for drift"),
     ({"by_reading": [1]}, "by_reading that is no table"),
     ({"notes": "a note"}, "notes that is no list of text"),
     ({"by_construction": [1]}, "by_construction that is no list"),
     ({"sentence": 3}, "sentence that is no text")],
)  # fmt: skip
def test_a_verdict_that_cannot_be_one_is_refused_with_its_claim(tmp_path, change, said):
    file = keep(tmp_path)
    kept = json.loads(file.read_text(encoding="utf-8"))
    kept["claims"]["C01"] |= change
    file.write_text(json.dumps(kept), encoding="utf-8")
    with pytest.raises(ArchiveError, match=r"^claims.json: .*Run the contest again") as err:
        read_claims(tmp_path)
    assert said in str(err.value)


@pytest.mark.parametrize(
    ("by_prior", "said"),
    [(5, "by_prior is no table"), ([], "by_prior is no table"), ({"wide": 3}, "by_prior.wide is"),
     ({"wide": {"C01": 3}}, "by_prior.wide.C01 is no table"),
     ({"wide": {"C01": {"verdict": None, "probability": "x"}}}, "C01 has probability 'x'"),
     ({"wide": {"C01": {"verdict": "banana"}}}, "has the verdict 'banana'")],
)  # fmt: skip
def test_damage_under_other_beliefs_is_told(tmp_path, by_prior, said):
    file = keep(tmp_path)
    kept = json.loads(file.read_text(encoding="utf-8")) | {"by_prior": by_prior}
    file.write_text(json.dumps(kept), encoding="utf-8")
    with pytest.raises(ArchiveError) as err:
        read_claims(tmp_path)
    assert said in str(err.value)
    file.write_text(json.dumps(kept | {"by_prior": {}, "made": 3}), encoding="utf-8")
    with pytest.raises(ArchiveError, match="made is no table"):
        read_claims(tmp_path)


def test_a_mean_that_misses_one_in_the_last_digit_is_no_damage(tmp_path):
    keep(tmp_path, by_prior={"wide": {"C01": replace(GOOD, probability=1.0 + 2e-16)}})
    assert read_claims(tmp_path).by_prior["wide"]["C01"]["probability"] > 1


def test_a_folder_without_verdicts_is_told(tmp_path):
    with pytest.raises(ArchiveError, match="holds no verdicts"):
        read_claims(tmp_path)


def test_the_newest_contest_is_the_one_written_last(tmp_path):
    assert newest_contest(tmp_path) is None
    for age, name in enumerate(("contest-b", "contest-a", "contest-c", "run-1")):
        (tmp_path / name).mkdir()
        if name != "contest-c":
            os.utime(keep(tmp_path / name), (1000 - age, 1000 - age))
    assert newest_contest(tmp_path).name == "contest-b"
