"""Which route a fit takes to a new panel, and that each says why."""

import json
from dataclasses import replace
from importlib import import_module

import numpy as np
import pytest

import fairweather.gate
import fairweather.inference
from fairweather import fit, hold_out, load_panel, load_priors, open_results, save_results
from fairweather.errors import ConvergenceError
from fairweather.gate import INHERITED
from fairweather.renewal import panel_before, renew
from fairweather.renewal.rows import difference
from fairweather.samplers import Settings

STATES = ["CHN", "IND", "RUS"]
ASKED = Settings(draws=300, tune=250, chains=2, seed=5, progressbar=False)
LATE = {"indicators": "us_aid", "units": "IND", "years": 2024}


@pytest.fixture(scope="module", autouse=True)
def lenient():
    """So few draws pass no gate; what the gate does is tested elsewhere."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fairweather.gate, "MIN_ESS", 10.0)
        patch.setattr(fairweather.gate, "MAX_RHAT", 2.0)
        patch.setattr(fairweather.gate, "MIN_EBFMI", 0.1)
        yield


@pytest.fixture(scope="module")
def panel():
    return load_panel(states=STATES)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return tmp_path_factory.mktemp("results")


@pytest.fixture(scope="module")
def before(panel, results):
    """An archived fit of all rows but one."""
    tree = fit(hold_out(panel, **LATE), draws=300, tune=200, chains=2, random_seed=1,
               target_accept=0.9, progressbar=False)  # fmt: skip
    tree["sample_stats"]["diverging"][:] = False  # chance; the gate's part is tested elsewhere
    return open_results(save_results(tree, results_dir=results))


def ask(before, panel, said=None, **change):
    given = {"reading": "elastic-side", "priors": load_priors(), "settings": ASKED} | change
    return renew(before, panel, say=[].append if said is None else said.append, **given)


@pytest.fixture
def sampled(monkeypatch, before):
    """What is asked of the sampler, which answers at once with the earlier fit, and passes."""
    asked = []

    def stand_in(model, **options):
        asked.append(options | {"origin": model.panel.origin})
        return before.tree.load().copy()

    def judged(tree):
        passed = fairweather.gate.MIN_ESS < 1e4
        return fairweather.gate.GateReport(passed, before.diagnostics, {}, ["too few"])

    monkeypatch.setattr(fairweather.inference, "fit", stand_in)
    # The package's function of this name hides its module.
    monkeypatch.setattr(import_module("fairweather.renewal.renew"), "gate", judged)
    return asked


def test_no_row_differs(before, panel):
    same = hold_out(panel, **LATE)
    done = ask(before, same)
    assert (done.how, done.k) == ("confirmed", None) and "no row differs" in done.why
    np.testing.assert_array_equal(
        done.tree["posterior"]["alignment"], before.tree["posterior"]["alignment"]
    )
    assert done.tree.attrs["renewed"] == "confirmed" and "renewed" not in before.tree.attrs


def test_a_confirmed_fit_bears_the_record_it_was_confirmed_by(before, panel):
    same = hold_out(panel, **LATE)
    later = replace(same, record=replace(same.record, as_of="2031-01-01"))
    done = ask(before, later)
    assert done.how == "confirmed" and done.tree.attrs["as_of"] == "2031-01-01"


@pytest.fixture(scope="module")
def weighed(before, panel):
    said = []
    done = ask(before, panel, said)
    assert said == [f"weighing the draws of {before.id}: 1 row differs"]
    return done


def test_a_row_that_came_is_weighed(before, weighed, panel):
    assert weighed.how == "reweighted" and weighed.k < 0.6
    assert "1 row differs, and the weights of the draws bear it" in weighed.why
    attrs = weighed.tree.attrs
    assert attrs["weighed_from"] == before.id and attrs["weighed_seed"] == ASKED.seed
    assert attrs["record_hash"] == panel.record.content_hash
    assert weighed.report.passed and INHERITED in weighed.tree.children
    again = ask(before, panel)
    np.testing.assert_array_equal(
        again.tree["posterior"]["level"], weighed.tree["posterior"]["level"]
    )


@pytest.fixture(scope="module")
def archived(weighed, results):
    return open_results(save_results(weighed.tree, results_dir=results))


def test_a_reweighted_run_is_archived_with_its_provenance(archived, before, weighed):
    assert archived.run["renewed"]["renewed"] == "reweighted"
    assert archived.run["renewed"]["weighed_from"] == before.id
    assert archived.run["diagnostics"]["passed"] and archived.id != before.id
    table = archived.diagnostics.merge(before.diagnostics, on="quantity")
    left = weighed.tree.attrs["efficiency"]
    np.testing.assert_allclose(table["ess_bulk_x"], left * table["ess_bulk_y"])


def test_its_rows_are_those_it_was_weighed_for(archived, panel):
    assert not len(difference(panel_before(archived, panel), panel))
    assert ask(archived, panel).how == "confirmed"


def test_weighing_never_builds_on_weighing(archived, before, panel):
    fewer = hold_out(panel, indicators="trade_cow", units="CHN-IND", years=2014)
    said = []
    done = ask(archived, fewer, said)
    assert "2 rows differ" in said[0] and before.id in said[0]
    assert done.how == "reweighted" and done.tree.attrs["weighed_from"] == before.id


def test_a_lost_sampled_fit_is_not_replaced_by_the_weighed_one(archived, panel, tmp_path, sampled):
    import shutil

    alone = open_results(shutil.copytree(archived.path, tmp_path / archived.id))
    done = ask(alone, hold_out(panel, indicators="trade_cow", units="CHN-IND", years=2014))
    assert done.how == "warm" and "is not beside it" in done.why
    assert sampled[0]["warm"] is not None


WHY = {
    "another year": ({"last_year": 2023}, "the record now covers 1992-2023, the last fit 1992-20"),
    "other states": ({"states": [*STATES, "IRN"]}, "the states or the focal pair are not those"),
}


@pytest.mark.parametrize("case", WHY)
def test_other_axes_are_fitted_anew_and_warm(before, case, sampled):
    options, why = WHY[case]
    done = ask(before, load_panel(**{"states": STATES} | options))
    assert done.how == "warm" and done.why.startswith(why) and done.k is None
    assert sampled[0]["tune"] == 200 and sampled[0]["draws"] == ASKED.draws
    assert sampled[0]["warm"].states == tuple(STATES)
    assert done.tree.attrs["renewed"] == "warm" and done.tree.attrs["why"] == done.why


def test_constants_of_the_design_that_moved_forbid_weighing(before, panel, sampled):
    anchor = panel.rows["gsdb_us_cases"]
    moved = replace(panel, anchor_mean=panel.anchor_mean + 0.01, rows=panel.rows | {
        "gsdb_us_cases": anchor.assign(value=anchor["value"] + 0.01)})  # fmt: skip
    done = ask(before, moved)
    assert done.how == "warm" and "the mean of the pressure anchor moved" in done.why
    comp = panel.complementarity + 0.1
    done = ask(before, replace(panel, complementarity=comp))
    assert "the structural drivers moved" in done.why


def test_rows_that_say_too_much_are_not_weighed(before, panel, sampled):
    votes = panel.rows["unga_votes"]
    other = replace(panel, rows=panel.rows | {
        "unga_votes": votes.assign(value=np.maximum(votes["value"] - 20, 0.0))})  # fmt: skip
    done = ask(before, other)
    assert done.how == "warm" and done.k > 0.7 and "say too much for weights" in done.why


def test_too_few_effective_draws_are_not_weighed(before, panel, sampled, monkeypatch):
    monkeypatch.setattr(fairweather.gate, "MIN_ESS", 1e5)
    with pytest.raises(ConvergenceError):  # no fit meets this bar
        ask(before, panel)
    assert [o["warm"] is None for o in sampled] == [False, True]
    assert [o["tune"] for o in sampled] == [200, ASKED.tune]


def test_a_prior_set_or_code_that_changed_forbids_weighing(before, panel, sampled, monkeypatch):
    import fairweather.provenance

    sceptic = load_priors("sceptic")
    assert "prior set" in ask(before, panel, priors=sceptic).why
    assert "reading" in ask(before, panel, reading="drift").why
    monkeypatch.setattr(fairweather.provenance, "source_hash", lambda *_: "other")
    assert "the code of the model has changed" in ask(before, panel).why


def test_without_an_earlier_fit_it_is_cold(panel, sampled):
    done = ask(None, panel)
    assert done.how == "cold" and "there is no earlier fit" in done.why
    assert sampled[0]["warm"] is None and sampled[0]["tune"] == ASKED.tune


def test_a_run_of_an_earlier_version_is_fitted_anew(before, panel, sampled, tmp_path):
    import shutil

    path = shutil.copytree(before.path, tmp_path / before.id)
    for group in ("rows", "geometry"):
        shutil.rmtree(path / "posterior.zarr" / group)
    done = ask(open_results(path), panel)
    assert done.how == "cold"
    assert "does not say which rows" in done.why and "does not keep where it stood" in done.why


def test_a_failed_run_is_never_weighed(before, panel, sampled, tmp_path):
    import shutil

    path = shutil.copytree(before.path, tmp_path / before.id)
    facts = json.loads((path / "run.json").read_text())
    (path / "run.json").write_text(json.dumps(facts | {"status": "failed-gate"}))
    done = ask(open_results(path), panel)
    assert done.how == "warm" and "did not meet the bar" in done.why


@pytest.mark.slow
def test_weighed_draws_are_those_of_a_fit_of_all_rows(weighed, panel):
    from arviz_stats.base import array_stats

    tree = fit(panel, draws=400, tune=200, chains=2, random_seed=9, progressbar=False)
    every = []
    for name in ("half_life", "pressure", "alignment", "loading_within", "residual_within"):
        mean, error = [], []
        for t in (weighed.tree, tree):
            x = t["posterior"][name].values.astype(float)
            x = x.reshape(*x.shape[:2], -1)
            size = array_stats.ess(x, chain_axis=0, draw_axis=1, method="mean")
            mean.append(x.mean(axis=(0, 1)))
            error.append(x.var(axis=(0, 1)) / size)
        every.append((mean[0] - mean[1]) / np.sqrt(sum(error)))
    z = np.concatenate(every)
    assert np.abs(z).max() < 5.0 and np.square(z).mean() < 2.5
