"""One piece under one reading: what is scored, when a fit is saved, and that nothing leaks."""

import json
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import xarray as xr

import made_fit
from fairweather import lfo, names
from fairweather.contest import refit
from fairweather.contest.design import hold, pieces
from fairweather.heldout import blocks as joined
from fairweather.heldout import held_density
from fairweather.model import build_model
from fairweather.panel import load_panel
from fairweather.priors import load_priors
from fairweather.simulate import prior_tree

DRAWS = 60
PANEL = made_fit.panel()
PIECES = {p.name: p.to_job() for p in pieces(PANEL, every=1)}
DOMAINS = names.DOMAINS[names.ALIGNMENT]


@cache
def short(last):
    return load_panel(states=list(PANEL.states), last_year=last)


def flat(tree):
    data = tree["posterior"].to_dataset()
    return {str(k): x.to_numpy().reshape(-1, *x.shape[2:]) for k, x in data.data_vars.items()}


def from_the_prior(model, seed, **options):
    """Draws without a sampler, whatever the seed."""
    tree = prior_tree(model.panel, reading=model.reading, priors=model.priors, draws=DRAWS,
                      random_seed=5)  # fmt: skip
    return flat(tree), {"seconds": 0.1, "divergences": 0}


@cache
def of_one_fit(reading):
    """Draws that do not depend on which rows are held out."""
    panel = short(2012)
    return from_the_prior(build_model(panel, reading=reading, priors=load_priors()), 0)


def near_one_point(model, seed, **options):
    """Draws so near each other that a further year hardly tells between them."""
    values, facts = from_the_prior(model, seed)
    rng = np.random.default_rng(seed)
    values = {
        k: v[:1] * (1.0 + 1e-4 * rng.standard_normal((4 * DRAWS, *[1] * (v.ndim - 1))))
        for k, v in values.items()
    }
    return values, facts


@pytest.fixture
def seeds(monkeypatch):
    """Draws come from the prior; the seeds that were asked for are kept."""
    asked = []

    def draw(model, seed, **options):
        asked.append(seed)
        return from_the_prior(model, seed)

    monkeypatch.setattr(refit, "draw", draw)
    monkeypatch.setattr(refit, "panel_for", panel_for)
    return asked


def panel_for(states, focal, last_year):
    return PANEL if last_year == PANEL.origin else short(last_year)


def job(name, reading="drift", **changes):
    return {
        "piece": PIECES[name], "reading": reading, "priors": load_priors(), "seed": 7,
        "states": PANEL.states, "focal": PANEL.focal, "last_year": PANEL.origin,
    } | changes  # fmt: skip


# -- the future ----------------------------------------------------------------------------------


def test_the_future_is_scored_by_origin_and_horizon(seeds, monkeypatch):
    monkeypatch.setattr(lfo, "reweight", lambda ratio: (ratio, np.inf))
    found = refit.score_piece(job("future-2010", "thermostat"))
    blocks = found["blocks"]
    assert {len(v) for v in blocks.values()} == {len(blocks["unit"])}
    assert set(blocks) >= {"unit", "year", "origin", "horizon", "lpd", "mc_error", *DOMAINS}
    assert set(blocks["origin"]) == {2010, 2011} and set(blocks["horizon"]) == {1, 2, 3}
    assert blocks["year"] == [o + h for o, h in zip(blocks["origin"], blocks["horizon"],
                                                    strict=True)]  # fmt: skip
    assert set(blocks["unit"]) == set(PANEL.dyads)
    keys = list(zip(blocks["unit"], blocks["year"], blocks["origin"], strict=True))
    assert len(set(keys)) == len(keys) == 2 * 3 * len(PANEL.dyads)
    lpd, cells = np.array(blocks["lpd"]), np.array(blocks["cells"])
    assert np.isfinite(lpd[cells > 0]).all() and (cells > 0).mean() > 0.9
    assert found["held_out"] == []
    assert seeds == [7 + 2010, 7 + 2011]
    assert [f["exact"] for f in found["fits"]] == [True, True]
    assert [f["origin"] for f in found["fits"]] == [2010, 2011]
    assert all(f["max_rhat"] >= f["rhat_score"] > 0.9 for f in found["fits"])
    assert repr(json.loads(json.dumps(found))) == repr(found), "a job is kept as JSON"


def test_the_last_years_of_the_panel_bound_the_horizon(seeds, monkeypatch):
    monkeypatch.setattr(lfo, "reweight", lambda ratio: (np.zeros(len(ratio)), 0.0))
    blocks = refit.score_piece(job("future-2022"))["blocks"]
    found = {(o, h) for o, h in zip(blocks["origin"], blocks["horizon"], strict=True)}
    assert found == {(2022, 1), (2022, 2), (2023, 1)} and max(blocks["year"]) == PANEL.origin


def test_a_later_origin_is_reached_by_weights_where_these_may_be_used(seeds, monkeypatch):
    """With even weights the draws are those of the fit: the scores are those of a fit anew."""
    monkeypatch.setattr(refit, "_same", lambda fitted, later: True)
    args = job("future-2008")

    def draw(model, seed):
        seeds.append(seed)
        return of_one_fit(model.reading)

    monkeypatch.setattr(refit, "draw", draw)
    monkeypatch.setattr(lfo, "reweight", lambda ratio: (np.full(len(ratio), -3.0), 0.0))
    light = refit.score_piece(args)
    assert [f["exact"] for f in light["fits"]] == [True, False] and len(seeds) == 1
    assert light["fits"][1]["k"] == 0.0 and light["fits"][1]["origin"] == 2009
    monkeypatch.setattr(lfo, "reweight", lambda ratio: (np.full(len(ratio), -3.0), np.inf))
    full = refit.score_piece(args)
    assert [f["exact"] for f in full["fits"]] == [True, True] and len(seeds) == 3
    assert light["blocks"].keys() == full["blocks"].keys()
    for key in ("lpd", *DOMAINS):
        np.testing.assert_allclose(light["blocks"][key], full["blocks"][key], atol=2e-4)


def test_a_year_of_new_votes_is_fitted_anew():
    """The agenda of the years with votes is laid out together: draws of fewer years do not fit."""
    args = job("future-2008")
    panel, priors = short(2012), args["priors"]
    early, late = (
        build_model(hold(panel, args["piece"], o), reading="drift", priors=priors)
        for o in (2008, 2009)
    )
    assert refit._same(early, early) and not refit._same(early, late)


def test_weights_take_part(seeds, monkeypatch):
    """All weight on one draw: the score of the later origin is its density alone."""
    monkeypatch.setattr(refit, "_same", lambda fitted, later: True)
    args = job("future-2008")

    def one(ratio):
        return np.where(np.arange(len(ratio)) == 3, 0.0, -np.inf), 0.0

    monkeypatch.setattr(refit, "draw", lambda model, seed: of_one_fit(model.reading))
    monkeypatch.setattr(lfo, "reweight", one)
    found = refit.score_piece(args)["blocks"]
    panel = short(2012)
    model = build_model(hold(panel, args["piece"], 2009), reading="drift", priors=args["priors"])
    values = refit.given_agenda(of_one_fit("drift")[0], model, panel)
    joint = joined(held_density(values, model, panel))
    want = {(u, y): x for u, y, x in zip(joint["unit"].values, joint["year"].values,
                                         joint.values[3], strict=True)}  # fmt: skip
    later = [
        (u, y, x)
        for u, y, o, x in zip(*(found[k] for k in ("unit", "year", "origin", "lpd")), strict=True)
        if o == 2009
    ]
    np.testing.assert_allclose([x for *_, x in later], [want[u, y] for u, y, _ in later], atol=1e-4)


def test_ratios_are_the_density_of_the_years_passed(seeds, monkeypatch):
    """Of the next origin's own years alone, summed over all its rows."""
    seen = []

    def note(ratio):
        seen.append(np.array(ratio))
        return ratio, np.inf

    monkeypatch.setattr(lfo, "reweight", note)
    found = refit.score_piece(job("future-2010"))["blocks"]
    first = [x for x, o, h in zip(found["lpd"], found["origin"], found["horizon"], strict=True)
             if (o, h) == (2010, 1)]  # fmt: skip
    (ratio,) = seen
    assert ratio.shape == (DRAWS,) and np.isfinite(ratio).all()
    panel = short(2014)
    model = build_model(hold(panel, PIECES["future-2010"], 2010), reading="drift")
    density = held_density(from_the_prior(model, 0)[0], model, panel)
    own = density.values[:, density["year"].values == 2011]
    np.testing.assert_allclose(ratio, np.nansum(own, axis=1))
    # Jensen: no block's mean density lies below the mean of its logs.
    assert len(first) == len(PANEL.dyads) and sum(first) > ratio.mean()


def test_smoothing_decides_on_real_ratios(seeds, monkeypatch):
    """Draws all over the prior are told apart by a year; draws near one point are not."""
    monkeypatch.setattr(refit, "_same", lambda fitted, later: True)
    wide = refit.score_piece(job("future-2008"))["fits"]
    assert wide[1]["exact"] and wide[1]["k"] > lfo.good_k(DRAWS)
    monkeypatch.setattr(refit, "draw", near_one_point)
    near = refit.score_piece(job("future-2008"))["fits"]
    assert not near[1]["exact"] and near[1]["k"] < lfo.good_k(4 * DRAWS)


def test_draws_of_a_model_that_lacks_an_indicator_are_not_carried_over(seeds, monkeypatch):
    monkeypatch.setattr(lfo, "reweight", lambda ratio: (np.zeros(len(ratio)), 0.0))
    panel = short(2012)
    args = job("future-2008")
    models = [build_model(hold(panel, args["piece"], o)) for o in (2008, 2009)]
    assert refit._same(models[0], models[0])
    name = models[0].batches["within"].ids[0]
    rows = {k: v for k, v in models[0].panel.rows.items() if k != name}
    less = build_model(replace(models[0].panel, rows=rows))
    assert not refit._same(less, models[0]) and not refit._same(models[0], less)


# -- episodes and dyads --------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["episodes-0", "dyads-1"])
def test_a_piece_of_windows_or_dyads(seeds, name):
    found = refit.score_piece(job(name, "elastic-side"))
    blocks, piece = found["blocks"], PIECES[name]
    assert seeds == [7] and len(found["fits"]) == 1 and found["fits"][0]["exact"]
    assert set(blocks["origin"]) == set(blocks["horizon"]) == {None}
    if name.startswith("dyads"):
        assert set(blocks["unit"]) == set(piece["dyads"]) and found["held_out"] == []
        return
    told = {(r["state"], r["start"]) for r in found["held_out"]}
    assert told == {(w["state"], w["start"]) for w in piece["windows"]}
    assert {r["reading"] for r in found["held_out"]} == {"elastic-side"}
    for r in found["held_out"]:
        assert r["replicated_lower"] <= r["replicated_mean"] <= r["replicated_upper"]
        assert 0.0 <= r["p_value"] <= 1.0
    again = refit.score_piece(job(name, "elastic-side"))
    assert repr(again) == repr(found), "what a job gives depends on its inputs alone"


def altered(panel, keep):
    """Change the values of all rows of alignment of the dyads that are not kept."""
    rows = dict(panel.rows)
    for ind in panel.indicators(names.ALIGNMENT):
        frame = rows[ind.id].copy()
        at = ~np.isin(np.array(panel.dyads)[frame["unit"]], keep)
        at &= frame["time"].to_numpy() > 18
        value, n = frame["value"].to_numpy(float), frame["n"].to_numpy(float)
        new = {
            "vote": np.floor(value / 2), "share": n - value,
            # What is never more than one stays so: that is what the item counts.
            "count": value + 3.0 if value.max() > 1 else 1.0 - value,
            "within": value + 0.7,
        }[ind.family]  # fmt: skip
        frame["value"] = np.where(at, new, value)
        rows[ind.id] = frame
    return replace(panel, rows=rows)


def test_what_was_held_out_elsewhere_has_no_say(seeds, monkeypatch):
    """Held-out rows of other dyads change their own scores, and no other's."""
    piece = {"name": "dyads-0", "design": "dyads", "origins": (), "windows": (),
             "dyads": ("CHN-RUS", "IND-IRN", "IND-RUS", "IRN-RUS")}  # fmt: skip
    known = hold(PANEL, piece)
    other = altered(PANEL, ("CHN-RUS", "CHN-IND", "CHN-IRN"))
    assert all(known.rows[k].equals(hold(other, piece).rows[k]) for k in known.rows)
    found = []
    for panel in (PANEL, other):
        monkeypatch.setattr(refit, "panel_for", lambda *a, p=panel: p)
        found.append(refit.score_piece(job("dyads-0", piece=piece))["blocks"])
    assert found[0]["unit"] == found[1]["unit"]
    pair = np.array([u == "CHN-RUS" for u in found[0]["unit"]])
    before, after = (np.array(f["lpd"]) for f in found)
    np.testing.assert_array_equal(before[pair], after[pair])
    late = np.array(found[0]["year"]) > 2010
    differ = (before != after) & np.isfinite(before)
    assert differ[~pair & late].mean() > 0.9 and not differ[pair].any()


# -- draws ---------------------------------------------------------------------------------------


def test_draws_have_one_leading_axis_chain_after_chain(monkeypatch):
    asked = {}

    def fit(model, **options):
        asked.update(options)
        data = xr.Dataset({
            "half_life": (("draw", "chain"), [[0.0, 10.0], [1.0, 11.0], [2.0, 12.0]]),
            "level": (("chain", "dyad", "draw"), np.arange(12.0).reshape(2, 2, 3)),
        })  # fmt: skip
        stats = xr.Dataset({"diverging": (("chain", "draw"), [[True, False, True]] * 2)})
        return xr.DataTree.from_dict({"posterior": data, "sample_stats": stats})

    monkeypatch.setattr("fairweather.inference.fit", fit)
    values, facts = refit.draw(None, 3, draws=3, tune=2)
    assert values["half_life"].tolist() == [0, 1, 2, 10, 11, 12]
    assert values["level"].tolist() == [[0, 3], [1, 4], [2, 5], [6, 9], [7, 10], [8, 11]]
    assert facts["divergences"] == 4 and facts["seconds"] >= 0
    assert asked["random_seed"] == 3 and asked["chains"] == refit.CHAINS and asked["cores"] == 1


def test_the_agenda_of_an_unseen_year_is_taken_as_it_came():
    """A shift of all votes of a held-out year moves no score; a shift of one dyad's does."""
    from dataclasses import replace

    from fairweather.contest.refit import given_agenda
    from fairweather.heldout import held_density
    from fairweather.holdout import hold_out
    from fairweather.model import build_model
    from fairweather.panel import load_panel
    from fairweather.simulate import prior_tree

    panel = load_panel(states=["CHN", "IND", "RUS"], first_year=2004)
    known = hold_out(panel, indicators=[i.id for i in panel.indicators("alignment")],
                     years=range(2022, 2025))  # fmt: skip
    model = build_model(known)
    data = prior_tree(known, draws=40)["posterior"].to_dataset().isel(chain=0)
    values = {str(k): v.to_numpy() for k, v in data.data_vars.items()}

    def score(whole):
        out = held_density(given_agenda(values, model, whole), model, whole)
        return out.isel(cell=np.flatnonzero(out["family"].values == "vote")).values

    def shifted(by, units):
        rows = panel.rows["unga_votes"].copy()
        at = (rows["time"] >= 2022 - 2004) & rows["unit"].isin(units)
        for column in ("value", "partial", "n"):
            rows[column] = rows[column].astype(float)
        share = (rows["value"] + 0.5 * rows["partial"] + 2.0) / (rows["n"] + 4.0)
        logit = np.log(share / (1 - share)) + np.where(at, by, 0.0)
        share = 1.0 / (1.0 + np.exp(-logit))
        rows["value"] = share * (rows["n"] + 4.0) - 2.0 - 0.5 * rows["partial"]
        return replace(panel, rows={**panel.rows, "unga_votes": rows})

    base = score(panel)
    np.testing.assert_allclose(score(shifted(0.4, [0, 1, 2])), base, atol=1e-8)
    assert np.abs(score(shifted(0.4, [0])) - base).max() > 0.1
    kept = values["delegation"].copy()
    given_agenda(values, model, panel)
    assert np.array_equal(values["delegation"], kept)
