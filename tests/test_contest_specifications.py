"""The choices of the curve can all be laid out, say why they are there, and do what they say."""

from functools import cache

import numpy as np
import pytest
import xarray as xr

import made_fit
from fairweather import names, panel
from fairweather.contest import specifications
from fairweather.contest.design import ContestError
from fairweather.contest.specifications import (
    beliefs,
    judge_specification,
    lay_out,
    load_specifications,
)
from fairweather.panel import load_panel
from fairweather.priors import load_priors
from fairweather.readings import READINGS
from fairweather.simulate import prior_tree

SPECS, PRIORS = load_specifications(), load_priors()
LOAD = load_panel


@cache
def _laid(options):
    return LOAD(**{k: list(v) if isinstance(v, tuple) else v for k, v in options})


@pytest.fixture(autouse=True)
def laid_once(monkeypatch):
    """A panel of the same options is laid out once for all tests."""

    def load(**options):
        key = {k: tuple(v) if isinstance(v, list) else v for k, v in options.items()}
        return _laid(tuple(sorted(key.items())))

    monkeypatch.setattr(panel, "load_panel", load)


@cache
def whole():
    return LOAD()


@pytest.mark.parametrize("name", SPECS)
def test_every_choice_of_the_curve_names_what_there_is_and_does_what_it_says(name):
    spec, full = SPECS[name], whole()
    assert spec.get("reading", "drift") in READINGS
    assert set(spec.get("without_states", ())) < set(full.states) - set(full.focal.split("-"))
    assert set(spec.get("without_indicators", ())) <= set(full.rows)
    assert spec.get("without_domain", "economic") in names.DOMAINS[names.ALIGNMENT]
    assert set(spec.get("hold", {})) <= set(PRIORS.table)
    made = lay_out(spec, full.states, full.focal)
    assert made.origin == full.origin and made.focal == full.focal
    assert int(made.years[0]) == spec.get("first_year", int(full.years[0]))
    assert set(full.states) - set(made.states) == set(spec.get("without_states", ()))
    domain = {i.id for i in full.indicators(names.ALIGNMENT)
              if i.domain == spec.get("without_domain")}  # fmt: skip
    assert bool(domain) == ("without_domain" in spec)
    gone = set(full.rows) - set(made.rows)
    if "first_year" not in spec:
        assert gone == domain | set(spec.get("without_indicators", ()))
    if {"first_year", "without_states"}.isdisjoint(spec):
        # Drivers and the rows that stay are those of the whole panel.
        np.testing.assert_array_equal(made.complementarity, full.complementarity)
        assert all(made.rows[k].equals(full.rows[k]) for k in made.rows)
    believed = beliefs(spec, PRIORS)
    for key, value in spec.get("hold", {}).items():
        assert believed.fixed(key) == value
    held = set(spec.get("hold", {}))
    if "priors" in spec:
        assert believed.id == spec["priors"]
    else:
        rest = set(PRIORS.table) - held
        assert all(believed.table[k] is PRIORS.table[k] for k in rest)


def test_the_curve_begins_with_the_default_and_no_two_choices_are_the_same():
    assert next(iter(SPECS)) == "default" and set(SPECS["default"]) == {"label", "reason"}
    said = [{k: v for k, v in s.items() if k not in ("label", "reason")} for s in SPECS.values()]
    assert all(said.count(s) == 1 for s in said)
    assert len({s["label"] for s in SPECS.values()}) == len(SPECS)


def test_nothing_held_is_the_belief_set_itself():
    before = dict(PRIORS.table)
    assert beliefs({}, PRIORS) is PRIORS
    assert beliefs({"hold": {"half_life": 3}}, PRIORS).fixed("half_life") == 3.0
    assert PRIORS.table == before


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('label = "a"\nreason = "b"\nfirst_yaer = 1996', "unknown key 'first_yaer'"),
        ('reason = "b"', "lacks label"),
        ('label = "a"\nreason = ""', "lacks reason"),
        ("first_year = 1996", "lacks label and reason"),
        ('label = "a"\nreason = "b"\nwithout_domain = "economic"\nwithout_indicators = ["x"]',
         "leaves out indicators twice"),
        ('label = "a"\nreason = "b"\npriors = "author"\n[specification.odd.hold]\nhalf_life = 3',
         "names a belief set and holds parts of another"),
    ],
)  # fmt: skip
def test_a_bad_choice_is_refused(tmp_path, body, said):
    file = tmp_path / "choices.toml"
    file.write_text(f"[specification.odd]\n{body}\n", encoding="utf-8")
    with pytest.raises(ContestError, match=said) as err:
        load_specifications(file)
    assert str(err.value).startswith("choices.toml: [specification.odd]") and err.value.remedy


@pytest.mark.parametrize("text", [None, "label =", "[choices.a]\nlabel = 'a'"])
def test_a_file_that_cannot_be_read_is_refused(tmp_path, text):
    file = tmp_path / "choices.toml"
    if text is not None:
        file.write_text(text, encoding="utf-8")
    with pytest.raises(ContestError, match="no specifications can be read") as err:
        load_specifications(file)
    assert "[specification.NAME]" in err.value.remedy


@pytest.mark.parametrize("name", ["slow", "domains"])
def test_a_choice_is_fitted_and_judged_as_it_says(monkeypatch, name):
    """What is held fixed is not among the draws of a fit, and is judged all the same."""
    asked = {}

    def fit(model, **options):
        asked.update(options, reading=model.reading)
        tree = prior_tree(model.panel, reading=model.reading, priors=model.priors, draws=120,
                          random_seed=4)  # fmt: skip
        data = tree["posterior"].to_dataset()
        data = data.drop_vars([k for k in SPECS[name].get("hold", {}) if k in data])
        two = [data.isel(draw=slice(k, k + 60)).assign_coords(draw=np.arange(60)) for k in (0, 60)]
        data = xr.concat([d.isel(chain=0, drop=True) for d in two], "chain")
        stats = xr.Dataset({"diverging": (("chain", "draw"), np.arange(120).reshape(2, 60) == 5)})
        made = xr.DataTree.from_dict({"posterior": data, "sample_stats": stats})
        made.attrs = tree.attrs
        return made

    monkeypatch.setattr("fairweather.inference.fit", fit)
    found = judge_specification({
        "specification": SPECS[name], "priors": PRIORS, "states": made_fit.STATES,
        "focal": "CHN-RUS", "seed": 9,
    })  # fmt: skip
    assert asked["reading"] == found["reading"] == SPECS[name].get("reading", "elastic-side")
    assert asked["random_seed"] == 9 and asked["chains"] == specifications.CHAINS
    assert found["divergences"] == 1 and found["max_rhat"] >= 1.0 and found["rows"] > 1000
    assert {"C01", "C08"} <= set(found["claims"])
    for claim in found["claims"].values():
        assert set(claim) == {"value", "lower", "upper", "probability", "prior_probability",
                              "verdict"}  # fmt: skip
        assert claim["probability"] is None or 0.0 <= claim["probability"] <= 1.0
    assert any(c["probability"] is not None for c in found["claims"].values())
    import json

    assert json.loads(json.dumps(found, allow_nan=False)) == found
