import json
import os

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
