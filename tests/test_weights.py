"""Weights come from a backtest, a file or a word, and are weights when they arrive."""

import hashlib
import json
import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fairweather.ensemble import WeightsError, weights_from
from fairweather.readings import READINGS
from fairweather.weights import share_out

# A machine at work on something else is no failure.
RELAXED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def backtest(folder, rows=None, **changes):
    """The file a backtest writes, as far as weights are read from it."""
    rows = rows if rows is not None else [
        (2012, {"drift": 0.5, "scope": 0.5}, 0), (2016, {"drift": 0.3, "scope": 0.7}, 4),
        (2025, {"drift": 0.1, "scope": 0.9}, 12),
    ]  # fmt: skip
    kept = {
        "settings": {"kind": "backtest", "record": "r", "priors": "p", "seed": 2008},
        "readings": ["drift", "scope"], "quality": [],
        "weights": [
            {"origin": o, "reading": r, "weight": w, "years": y}
            for o, each, y in rows for r, w in each.items()
        ],
    }  # fmt: skip
    folder.mkdir(exist_ok=True)
    (folder / "backtest.json").write_text(json.dumps(kept | changes))
    return folder


def test_the_last_weights_of_a_backtest(tmp_path):
    folder = backtest(tmp_path / "b")
    weights, where = weights_from(folder)
    assert weights == {"scope": 0.9, "drift": 0.1} and list(weights) == ["scope", "drift"]
    data = (folder / "backtest.json").read_bytes()
    assert where == {
        "kind": "backtest", "origin": 2025, "years": 12, "record": "r", "priors": "p",
        "seed": 2008, "sha256": hashlib.sha256(data).hexdigest(), "notes": [],
    }  # fmt: skip
    assert weights_from(folder / "backtest.json") == (weights, where)
    assert str(tmp_path) not in json.dumps(where)


def test_weights_found_after_the_origin_are_not_used(tmp_path):
    folder = backtest(tmp_path / "b")
    weights, where = weights_from(folder, latest=2024)
    assert where["origin"] == 2016 and weights["scope"] == pytest.approx(0.7)
    weights, where = weights_from(folder, latest=2012)
    assert weights["drift"] == 0.5
    assert where["notes"] == ["by 2012 too few years had come: the weights are equal"]
    with pytest.raises(WeightsError, match=r"first weights are those of 2012, after .* 2011"):
        weights_from(folder, latest=2011)


def test_readings_that_are_not_at_hand_are_left_out_with_a_note(tmp_path):
    folder = backtest(tmp_path / "b", [(2025, {"drift": 0.2, "scope": 0.2, "regime": 0.6}, 9)])
    weights, where = weights_from(folder, ["scope", "drift"])
    assert weights == {"drift": 0.5, "scope": 0.5}
    assert where["notes"] == [
        "the backtest weighed regime (0.6) too; the others were raised in proportion"
    ]


def test_a_backtest_that_lacks_a_reading_is_refused(tmp_path):
    with pytest.raises(WeightsError, match=r"had no reading regime.*--reading drift,scope,regime"):
        weights_from(backtest(tmp_path / "b"), ["drift", "scope", "regime"])


@pytest.mark.parametrize("whole", [True, False])
def test_a_contest_is_no_source(tmp_path, whole):
    file = tmp_path / "contest.json"
    file.write_text(json.dumps({"settings": {"kind": "contest"}, "weights": {"drift": {}}}))
    with pytest.raises(WeightsError, match=r"given the weather that came.*fairweather backtest"):
        weights_from(tmp_path if whole else file)


def test_files_of_weights(tmp_path):
    for name, text in (
        ("a.toml", "drift = 0.25\nscope = 0.75\n"),
        ("b.toml", "[weights]\ndrift = 1\nscope = 3\n"),
        ("c.json", '{"drift": 0.25, "scope": 0.75}'),
        ("d.json", '{"weights": {"drift": 0.25, "scope": 0.75}}'),
    ):
        file = tmp_path / name
        file.write_text(text)
        weights, where = weights_from(file, ["scope", "drift"])
        assert weights == {"scope": 0.75, "drift": 0.25}, name
        assert where["kind"] == "file" and len(where["sha256"]) == 64 and name not in str(where)
        assert bool(where["notes"]) == (name == "b.toml")


def test_weights_given_for_what_is_not_at_hand(tmp_path):
    weights, where = weights_from({"drift": 1.0, "scope": 0.0}, ["drift"])
    assert weights == {"drift": 1.0} and where == {"kind": "given", "notes": []}
    weights, _ = weights_from({"drift": 0.0, "scope": 1.0}, ["drift", "scope"])
    assert list(weights.items()) == [("scope", 1.0), ("drift", 0.0)]
    with pytest.raises(WeightsError, match=r"weight on scope \(0.5\), of which there is no"):
        weights_from({"drift": 0.5, "scope": 0.5}, ["drift"])
    with pytest.raises(WeightsError, match="no weight of the reading scope"):
        weights_from({"drift": 1.0}, ["drift", "scope"])


def test_equal(tmp_path):
    assert weights_from("equal", ["scope", "drift", "scope"]) == (
        {"drift": 0.5, "scope": 0.5}, {"kind": "equal", "notes": []})  # fmt: skip
    with pytest.raises(WeightsError, match="of which readings"):
        weights_from("equal")


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [("a.json", "{", "a.json: is no JSON"), ("a.toml", "x", "a.toml: is no TOML"),
     ("a.json", "[1]", "holds no weights"), ("a.json", "{}", "there are no weights"),
     ("a.json", '{"weights": [1]}', "there are no weights"),
     ("a.json", '{"drift": "x"}', "weight of 'drift' is 'x'"),
     ("a.json", '{"settings": {}, "quality": [], "weights": [{"origin": 1}]}', "is damaged"),
     ("a.json", '{"settings": {}, "quality": [], "weights": []}', "has no weights"),
     ("a.json", "\x00\xff", "is no JSON")],
)  # fmt: skip
def test_files_that_are_none(tmp_path, name, text, said):
    (tmp_path / name).write_bytes(text.encode("latin-1"))
    with pytest.raises(WeightsError, match=said):
        weights_from(tmp_path / name)


def test_places_without_weights(tmp_path):
    with pytest.raises(WeightsError, match="no weights at"):
        weights_from(tmp_path / "none")
    with pytest.raises(WeightsError, match=r"has no backtest\.json"):
        weights_from(tmp_path)


@pytest.mark.parametrize(
    ("weights", "said"),
    [({}, "no weights"), ({"made-up": 1.0}, "no reading 'made-up'"), ({"drift": -0.1}, "is -0.1"),
     ({"drift": math.nan}, "is nan"), ({"drift": math.inf}, "is inf"), ({"drift": True}, "is True"),
     ({"drift": None}, "is None"), ({"drift": 0.0}, "no reading has any"),
     ({"drift": 1e308, "scope": 1e308}, "no reading has any"), (None, "no weights")],
)  # fmt: skip
def test_what_is_no_weight(weights, said):
    with pytest.raises(WeightsError, match=said):
        share_out(weights)


@RELAXED
@given(st.dictionaries(st.sampled_from(sorted(READINGS)), st.floats(0, 1e6), min_size=1))
def test_shares(weights):
    if not any(weights.values()):
        return
    shares, notes = share_out(weights)
    assert math.fsum(shares.values()) == pytest.approx(1.0)
    assert set(shares) == {k for k, v in weights.items() if v > 0}
    assert list(shares.values()) == sorted(shares.values(), reverse=True)
    assert bool(notes) == (abs(math.fsum(weights.values()) - 1.0) > 1e-6)
