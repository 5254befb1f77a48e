import inspect
import re

import pytest

from fairweather.claims.catalogue import (
    IDS,
    check_claims,
    claims_file,
    claims_hash,
    load_claims,
    near_miss,
)
from fairweather.claims.measures import MEASURES, get_measure
from fairweather.claims.measures.params import CHOICES, KINDS, REQUIRED
from fairweather.claims.measures.preferred import CONDITIONS
from fairweather.episodes import TYPES
from fairweather.errors import CodebookError

TEXT = claims_file().read_text(encoding="utf-8")


def write(tmp_path, text):
    file = tmp_path / "claims.toml"
    file.write_text(text, encoding="utf-8")
    return file


def block(name):
    return re.search(rf"\[claim\.{name}\]\n(.*?)(?=\n\[claim\.C\d\d\]\n|\Z)", TEXT, re.DOTALL)[0]


def test_all_49_are_there_in_order_and_sound():
    entries = load_claims()
    assert tuple(entries) == IDS and len(IDS) == 49
    for entry in entries.values():
        assert entry["method"] == "none" or entry["unit"]
    # Every measure of the catalogue serves a claim.
    used = {e.get(k) for e in entries.values() for k in ("measure", "beside")}
    assert set(MEASURES) <= used


def test_thresholds_are_the_same_for_all():
    bars = {(e["lower"], e["upper"]) for e in load_claims().values() if e["method"] != "none"}
    assert bars == {(0.1, 0.9)}


@pytest.mark.parametrize(
    ("claim", "old", "new", "said"),
    [("C01", "lower = 0.1\n", "", "lacks lower"),
     ("C01", "reason =", "because =", "lacks reason"),
     ("C01", "upper = 0.9", "upper = 1.9", "0 <= lower < upper"),
     ("C01", "upper = 0.9", "upper = 0.05", "0 <= lower < upper"),
     ("C01", "upper = 0.9", "upper = true", "not numbers"),
     ("C01", "lower = 0.1", 'lower = "low"', "not numbers"),
     ("C01", "lower = 0.1", "lower = nan", "0 <= lower < upper"),
     ("C01", '"exogenous"', '"exogenus"', "'exogenus' is no measure. Use one of exogenous"),
     ("C01", '"exogenous"', '["exogenous"]', "is no measure"),
     ("C01", '"exogenous"', '"preferred"', "of method 'contest'. Make the two agree"),
     ("C01", '"posterior"', '"guess"', "Use one of posterior"),
     ("C01", '"pressure"', '"luck"', "'luck'. Use one of none"),
     ("C01", '"both"', '"all"', "shocks = 'all'. Use one of"),
     ("C01", '"Introduction"', '"Preface"', "Use one of Introduction"),
     ("C01", "(share)", "share", "without a unit"),
     ("C01", '"drift",', '"drfit",', "'drfit', no reading"),
     ("C01", 'contra = ["persistence"', 'contra = ["thermostat", "persistence"', "on both"),
     ("C01", 'pro = ["thermostat"', 'favour = ["thermostat"', "pro = "),
     ("C02", "params = {", "parms = {", "parms is unknown"),
     ("C02", 'params = { high = 0.75, low = 0.25, at_most = 0.1 }', "params = 3", "no table"),
     ("C02", ", at_most = 0.1", "", "params lacks at_most, which measure 'necessary' needs"),
     ("C02", "high = 0.75", 'high = "most"', "params.high = 'most' is not a number"),
     ("C02", "high = 0.75", "high = true", "params.high = True is not a number"),
     ("C05", 'of = ["CHN", "RUS"]', 'of = ["CHNN"]', "of = ['CHNN'] is not a list of three-letter"),
     ("C05", 'of = ["CHN", "RUS"]', "of = 5", "of = 5 is not a list"),
     ("C06", 'condition = "joint"', 'condition = "joined"', "Use one of joint, pressure-joins"),
     ("C08", 'side = "below"', 'side = "beneath"', "side = 'beneath'. Use one of above, below"),
     ("C08", 'type = "easing", ', "", "params lacks type"),
     ("C34", "beside_params = {", "beside_params = {} #", "beside_params lacks size"),
     ("C10", "\nat = 2013", "", "lacks at or pulse"),
     ("C10", "window = [2008, 2018]", "window = [2018, 2008]", "not a first and a last year"),
     ("C37", "before = [2014, 2016]", "before = 2014", "not a first and a last year"),
     ("C39", 'episodes = { type = "easing"', 'episodes = { kind = "count"', "episodes lacks type"),
     ("C40", 'state = "RUS"', 'state = "RU"', "state = 'RU' is not a three-letter state code"),
     ("C08", 'beside = "fragile"', 'beside = "preferred"', "beside goes with"),
     ("C25", 'method = "none"', 'method = "none"\nmeasure = "fragile"', "contradicts method"),
     ("C25", "why =", "reason =", "lacks why"),
     ("C25", "statement = \"", "statement = \" \" #", "statement is blank"),
     ("C25", "[claim.C25]", "[claim.C52]", "is missing")],
)  # fmt: skip
def test_a_bad_claim_is_named_and_the_others_stay(tmp_path, claim, old, new, said):
    mended = block(claim).replace(old, new, 1)
    assert mended != block(claim)
    file = write(tmp_path, TEXT.replace(block(claim), mended))
    with pytest.raises(CodebookError, match=re.escape(said)) as err:
        load_claims(file)
    assert f"claims.toml: [claim.{claim}]" in str(err.value)
    entries, problems = check_claims(file)
    assert claim in problems and set(entries) == set(IDS) - {claim}
    assert problems[claim].rstrip().endswith((".", "?"))


@pytest.mark.parametrize("side", ["5", '"drift"', '[["drift"]]', "[1]", "{ drift = 1 }"])
def test_sides_that_are_no_lists_of_names_are_told(tmp_path, side):
    old = re.search(r"^tell = .*$", block("C01"), re.MULTILINE)[0]
    new = f'tell = {{ pro = {side}, contra = ["persistence"] }}'
    _, problems = check_claims(write(tmp_path, TEXT.replace(old, new, 1)))
    assert "no list of names. Name the readings" in problems["C01"]


def test_every_param_that_a_measure_reads_unasked_is_required_of_its_claims():
    """A claim without it would fail after hours of fitting, with a KeyError."""
    for name, measure in MEASURES.items():
        read = set(re.findall(r'params\["(\w+)"\]', inspect.getsource(get_measure(name))))
        optional = set(re.findall(r'"(\w+)" in params', inspect.getsource(get_measure(name))))
        assert read - optional <= set(REQUIRED.get(name, ())), f"{name} of {measure.module}"
    assert set(REQUIRED) <= set(MEASURES)
    assert {k for names in REQUIRED.values() for n in names for k in n.split("|")} <= (
        set(KINDS) | set(CHOICES)
    )
    assert CHOICES["condition"] == tuple(CONDITIONS) and CHOICES["type"] == tuple(TYPES)


def test_the_hash_of_the_claims_is_of_their_text_whatever_ends_its_lines(tmp_path):
    assert claims_hash() == claims_hash(write(tmp_path, TEXT)) and len(claims_hash()) == 16
    (tmp_path / "claims.toml").write_bytes(TEXT.replace("\n", "\r\n").encode())
    assert claims_hash(tmp_path / "claims.toml") == claims_hash()
    assert claims_hash(write(tmp_path, TEXT.replace("upper = 0.9", "upper = 0.8"))) != claims_hash()
    with pytest.raises(CodebookError, match=r"nothing.toml: no claims can be read"):
        claims_hash(tmp_path / "nothing.toml")


def test_an_unknown_claim_is_named(tmp_path):
    _, problems = check_claims(write(tmp_path, TEXT + '\n[claim.C99]\nmethod = "none"\n'))
    assert list(problems) == ["C99"] and "C01-C49" in problems["C99"]


def test_several_bad_claims_are_counted(tmp_path):
    file = write(tmp_path, TEXT.replace("[claim.C02]", "[claim.C62]"))
    with pytest.raises(CodebookError, match=r"C02.*1 more claim"):
        load_claims(file)


@pytest.mark.parametrize("text", ["no toml", "a = 1\n", "claim = 3\n", None])
def test_a_file_that_cannot_be_read(tmp_path, text):
    file = tmp_path / "claims.toml" if text is None else write(tmp_path, text)
    with pytest.raises(CodebookError, match=r"Write \[claim.C01\]"):
        load_claims(file)


@pytest.mark.parametrize(
    ("given", "said"),
    [("C8", "C08?"), ("c08", "C08?"), ("8", "C08?"), ("C008", "C08?"), ("CO8", "C08?"),
     ("C99", "C"), ("zebra", "Claims run from C01 to C49.")],
)  # fmt: skip
def test_near_misses(given, said):
    assert said in near_miss(given)
