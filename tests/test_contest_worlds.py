"""Simulated worlds have the record's cells and weather, and the parameters of one draw."""

import json

import numpy as np
import pytest

import made_fit
from fairweather import names
from fairweather.contest import refit, truths, worlds
from fairweather.contest.design import pieces
from fairweather.contest.truths import draw_truths
from fairweather.contest.worlds import score_world
from fairweather.model import build_model
from fairweather.priors import load_priors
from fairweather.readings import READINGS
from fairweather.readings.parts import narrowed, seen
from fairweather.simulate import simulate_world
from fairweather.structure import draw_parameters
from test_contest_refit import from_the_prior, panel_for

PANEL, PRIORS = made_fit.panel(), load_priors()
PRESSURE = [i.id for i in PANEL.indicators(names.PRESSURE)]
EPISODES = next(p for p in pieces(PANEL, ("episodes",)) if p.design == "episodes")


def fixed(reading):
    return {k for k, p in narrowed(PRIORS, reading).table.items() if p.dist == "Fixed"}


def of_a_fit(model, seed, **options):
    """Draws as a fit leaves them: without what is held fixed."""
    values, facts = from_the_prior(model, seed)
    return {k: v for k, v in values.items() if k not in fixed(model.reading)}, facts


BASE = {"priors": PRIORS, "states": PANEL.states, "focal": PANEL.focal, "last_year": PANEL.origin}


def laid(reading, patch, worlds=2):
    """The truths of a reading, as a store hands them on."""
    patch.setattr(truths, "draw", of_a_fit)
    patch.setattr(truths, "panel_for", panel_for)
    found = draw_truths({**BASE, "reading": reading, "truth_seed": 3, "worlds": worlds})
    assert [f["divergences"] for f in found["fits"]] == [0]
    return json.loads(json.dumps(found, allow_nan=False))["truths"]


@pytest.mark.parametrize("reading", READINGS)
def test_one_draw_of_a_fit_is_a_truth_of_every_reading(reading, monkeypatch):
    made = laid(reading, monkeypatch)
    assert len(made) == 2 and made[0] != made[1]
    truth = {
        "weather": np.array(made[0]["weather"]),
        "parameters": {k: np.array(v) for k, v in made[0]["parameters"].items()},
    }
    own = seen(PANEL, reading)
    named = set(draw_parameters(own, PRIORS, reading, np.random.default_rng(0)))
    left = named - set(truth["parameters"])
    assert left <= fixed(reading), "nothing that was fitted is left to the prior"
    assert set(truth["parameters"]) <= named and len(truth["parameters"]) > 15
    # All of one draw.
    data, _ = of_a_fit(build_model(PANEL, reading=reading, priors=PRIORS), 3)
    (at,) = np.flatnonzero(data["level"][:, 0] == truth["parameters"]["level"][0])
    for name, value in truth["parameters"].items():
        np.testing.assert_array_equal(data[name][at], value)
    np.testing.assert_array_equal(data["pressure"][at], truth["weather"])

    world = simulate_world(PANEL, PRIORS, reading, truth["parameters"], random_seed=1,
                           weather=truth["weather"])  # fmt: skip
    for name, value in truth["parameters"].items():
        np.testing.assert_allclose(world.parameters[name], value)
    np.testing.assert_array_equal(world.pressure, truth["weather"])
    shown = world.panel()
    for name in PRESSURE:
        assert shown.rows[name].equals(PANEL.rows[name]), "pressure rows stay as coded"
    np.testing.assert_array_equal(shown.anchor_fill, PANEL.anchor_fill)
    changed = [k for k in shown.rows if not shown.rows[k].equals(PANEL.rows[k])]
    assert len(changed) > 10 and not set(changed) & set(PRESSURE)
    for name, frame in PANEL.rows.items():
        cells = ["unit", "time"]
        assert shown.rows[name][cells].equals(frame[cells]), "the record's own cells"
    # Every reading finds its drivers, whatever was true.
    assert shown.kinds == PANEL.kinds and shown.likeness_kinds == PANEL.likeness_kinds
    np.testing.assert_array_equal(shown.complementarity, PANEL.complementarity)
    np.testing.assert_array_equal(shown.likeness, PANEL.likeness)


def test_more_truths_are_other_draws_of_the_same_fit(monkeypatch):
    made = laid("drift", monkeypatch, worlds=12)
    levels = {t["parameters"]["level"][0] for t in made}
    assert len(levels) == 12 and made == laid("drift", monkeypatch, worlds=12)
    assert made[:5] == laid("drift", monkeypatch, worlds=5), "fewer are the first of more"


@pytest.fixture
def job(monkeypatch):
    monkeypatch.setattr(worlds, "panel_for", panel_for)
    return {**BASE, **laid("regime", monkeypatch)[0], "truth": "regime", "world_seed": 11,
            "piece": EPISODES.to_job(), "seed": 7, "reading": "regime"}  # fmt: skip


def test_every_reading_meets_the_same_world(job, monkeypatch):
    met = []

    def score_once(whole, known, piece, reading, priors, seed, out):
        met.append((reading, whole, known, piece))
        out["fits"].append({})
        out["blocks"].append({"unit": [], "year": [], "lpd": []})

    monkeypatch.setattr(worlds, "score_once", score_once)
    for n, reading in enumerate(("regime", "drift", "elastic-side")):
        score_world({**job, "reading": reading, "seed": n})
    assert [m[0] for m in met] == ["regime", "drift", "elastic-side"]
    for _, whole, known, piece in met:
        assert all(met[0][1].rows[k].equals(whole.rows[k]) for k in whole.rows)
        assert all(met[0][2].rows[k].equals(known.rows[k]) for k in known.rows)
        assert piece["windows"] == (), "nothing is told of what happened around the windows"
        assert sum(map(len, known.rows.values())) < sum(map(len, whole.rows.values()))
    score_world({**job, "world_seed": 12})
    assert any(not met[0][1].rows[k].equals(met[-1][1].rows[k]) for k in PANEL.rows)


@pytest.mark.parametrize("reading", ["regime", "placebo"])
def test_a_world_is_scored_as_the_record_was(job, monkeypatch, reading):
    monkeypatch.setattr(refit, "draw", from_the_prior)
    found = score_world({**job, "reading": reading})
    assert set(found) == {"fits", "truth", "blocks"} and found["truth"] == "regime"
    blocks = found["blocks"]
    assert set(blocks) == {"unit", "year", "lpd"} and np.isfinite(blocks["lpd"]).mean() > 0.9
    states = {w["state"] for w in EPISODES.windows}
    assert all(set(u.split("-")) & states for u in blocks["unit"])
    assert found["fits"][0]["exact"] and json.loads(json.dumps(found))["blocks"] == blocks
