"""A forecast follows one made on the same terms, whatever the record, clock and machine."""

from dataclasses import replace

import pytest

import issued_made
from fairweather import samplers
from fairweather.errors import FairweatherError
from fairweather.issued import Store
from fairweather.updating.renewing import readings_of
from fairweather.updating.terms import previous, settle

ASKED = {"focal": None, "states": None, "readings": None, "weights": None, "priors": None,
         "scenarios": None, "horizon": 5, "sampling": samplers.Settings()}  # fmt: skip


def terms(store, **options):
    return settle(store, **{**ASKED, **options})


def store_of(*facts, where="memory://terms"):
    made = issued_made.store(f"{where}-{len(facts)}-{id(facts)}")[0]
    for k, one in enumerate(facts):
        made.issue(*issued_made.forecast(k, **one))
    return made


def test_an_empty_store(tmp_path):
    store = Store(tmp_path / "forecasts")
    own = terms(store)
    assert len(own.weights) == 4 and set(own.weights.values()) == {0.25}
    assert any("none has been issued yet" in n for n in own.notes)
    assert any(n.startswith("weights: equal") for n in own.notes)
    assert previous(store, own) == (None, False) and not store.place.exists("store.json")


def test_readings_and_weights_of_the_latest_of_the_pair():
    mixed = {"readings": {"drift": 0.25, "scope": 0.75}, "weights": {"kind": "file", "notes": []}}
    store = store_of(mixed, {"focal": "CHN-IRN", "readings": {"placebo": 1.0}})
    own = terms(store)
    assert own.weights == {"drift": 0.25, "scope": 0.75} and own.best == "scope"
    assert own.where["kind"] == "file" and "weights as in forecast 1" in own.notes
    assert terms(store, focal="CHN-IRN").weights == {"placebo": 1.0}
    # Other readings: the weights recorded are not theirs.
    other = terms(store, readings=["drift", "placebo"])
    assert other.weights == {"drift": 0.5, "placebo": 0.5}
    equal = terms(store, weights="equal")
    assert equal.weights == {"drift": 0.5, "scope": 0.5} and equal.where["kind"] == "equal"
    with pytest.raises(FairweatherError, match="nonsense"):
        terms(store, readings=["nonsense"])


def test_weights_of_a_file(tmp_path):
    pytest.importorskip("fairweather.ensemble")
    file = tmp_path / "weights.toml"
    file.write_text("drift = 0.4\nscope = 0.6\nplacebo = 0.0\n")
    own = terms(store_of(), readings=["drift", "scope", "placebo"], weights=str(file))
    assert own.weights == {"scope": 0.6, "drift": 0.4}
    assert "placebo: weight zero, left out" in own.notes
    with pytest.raises(FairweatherError, match="no weight of the reading thermostat"):
        terms(store_of(), readings=["drift", "thermostat"], weights=str(file))


def test_same_terms():
    own = terms(store_of(), readings=["drift"])
    note = {"update": {"terms": own.facts(), "renewed": {}}}
    assert own.same_as(note)
    for other in (
        replace(own, horizon=4), replace(own, weights={"scope": 1.0}),
        replace(own, states=("CHN", "IND", "RUS")), replace(own, focal="CHN-IRN"),
        replace(own, sampling=replace(own.sampling, draws=500)),
        replace(own, sampling=replace(own.sampling, seed=2)),
    ):  # fmt: skip
        assert not other.same_as(note), other
    # What only says how it is run is no part of the terms, nor is a rounding of the weights.
    assert replace(own, sampling=replace(own.sampling, progressbar=False, cores=1)).same_as(note)
    assert replace(own, weights={"drift": 1.0 - 1e-12}).same_as(note)


def test_a_forecast_that_no_update_made_says_its_terms_by_its_facts():
    own = terms(store_of(), readings=["drift"])
    run = {"seed": {"fit": 1}, "sampling": {"chains": 4, "draws": 2000, "tune": 400,
                                            "target_accept": 0.7}}  # fmt: skip
    facts = {
        "focal": "CHN-RUS", "horizon": 5, "readings": {"drift": 1.0}, "data": {"as_of": None},
        "priors": {"hash": own.priors.content_hash},
        "scenarios": {"hash": own.scenarios.content_hash}, **run,
    }  # fmt: skip
    assert own.same_as(facts)
    assert not own.same_as(facts | {"data": {"as_of": "2016-12-31"}})
    assert not own.same_as(facts | {"sampling": {}})
    two = replace(own, weights={"drift": 0.5, "scope": 0.5})
    mixed = facts | {"readings": two.weights, "seed": {"mix": 1}, "sampling": None,
                     "runs": {"drift": run, "scope": run}}  # fmt: skip
    assert two.same_as(mixed)
    assert not two.same_as(mixed | {"runs": {"drift": run, "scope": run | {"seed": {"fit": 2}}}})


def test_the_latest_on_the_same_terms_is_followed():
    own = terms(store_of(), readings=["drift"])
    note = {"update": {"terms": own.facts(), "renewed": {}}}
    store = store_of(note, {"readings": {"drift": 1.0}}, {"focal": "CHN-IRN"})
    found, same = previous(store, own)
    assert found.serial == 1 and same
    found, same = previous(store, replace(own, horizon=3))
    assert found.serial == 2 and not same


def test_runs_of_a_forecast():
    kept = {"update": {"renewed": {"drift": {"run": "2024-drift-1", "how": "cold"}}}}
    assert dict(readings_of(kept)) == {"drift": "2024-drift-1"}
    assert dict(readings_of({"runs": {"drift": {"run": "a"}, "scope": {"run": "b"}}})) == {
        "drift": "a", "scope": "b"}  # fmt: skip
    assert dict(readings_of({"run": "a", "readings": {"drift": 1.0}})) == {"drift": "a"}
    assert dict(readings_of({})) == {}
