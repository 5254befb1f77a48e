"""Weights, differences, sentences and verdicts follow from the results of jobs, whole or not."""

import json
from functools import partial
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import made_contest
import made_fit
from fairweather import stacking
from fairweather.claims import judge as judging
from fairweather.claims.catalogue import IDS, claims_hash, load_claims
from fairweather.claims.stored import read_claims
from fairweather.contest import evidence, page, result
from fairweather.contest.design import ContestError
from made_pieces import DOMAINS, LAYOUT, READINGS, done

FUTURE = LAYOUT[:2]
# What a contest of some readings cannot speak to.
REFUSED = ("ClaimError: ", "ScoreError: no simulated world knows reading")


STACK = stacking.stack


def fewer(patch):
    """Twenty replicates of the weights are enough to see that they are handed on."""
    patch.setattr(stacking, "stack", partial(STACK, replicates=20))


@pytest.fixture(autouse=True)
def few_replicates(monkeypatch):
    fewer(monkeypatch)


def light(**options):
    return done(**{"layout": FUTURE, "worlds": 0} | options)


def refuse(token):
    raise ValueError(f"{token} is no JSON")


# -- scores --------------------------------------------------------------------------------------


def test_scores_are_laid_out_by_reading_and_block():
    made = light()
    table = result.scores(made["pieces"], "future")
    assert table.dims == ("reading", "block") and set(table["reading"].values) == set(READINGS)
    for key in ("future-2010--drift", "future-2008--elastic-side"):
        blocks = made["pieces"][key]["blocks"]
        for k in (0, 17):
            at = (
                (table["unit"] == blocks["unit"][k]) & (table["year"] == blocks["year"][k])
                & (table["origin"] == blocks["origin"][k])
            )  # fmt: skip
            (one,) = table.sel(reading=key.split("--")[1]).values[at.values]
            assert one == blocks["lpd"][k]
            assert table["horizon"].values[at.values] == blocks["horizon"][k]
    part = result.scores(made["pieces"], "future", domain=DOMAINS[0])
    assert np.isnan(part.values).sum() == len(READINGS) * len(FUTURE)
    other = result.scores(done(worlds=0)["pieces"], "dyads")
    assert set(other["origin"].values) == {-1} and set(other["design"].values) == {"dyads"}


def test_a_design_that_was_not_scored_is_refused():
    with pytest.raises(ContestError, match="no piece of the design dyads has been scored"):
        result.scores(light()["pieces"], "dyads")
    with pytest.raises(ContestError, match="episodes-9"):
        result.scores(light()["pieces"], only="episodes-9")


# -- a whole contest -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def whole():
    with pytest.MonkeyPatch.context() as patch:
        fewer(patch)
        made = done(worlds=5)
        return made, result.summarise(made)


def test_the_better_reading_wins_every_design(whole):
    _, found = whole
    assert set(found.designs) == {"future", "focal", "episodes", "placebo", "dyads"}
    assert found.primary == "future" and found.problems == {}
    assert sum(found.weights.values()) == pytest.approx(1.0)
    assert all(s.best == "elastic-side" for s in found.designs.values())
    assert found.weights["elastic-side"] > 0.9
    table = page.difference_table(found, "future").set_index("reading")
    blocks = table.loc["thermostat", "blocks"]
    assert set(table["against"]) == {"elastic-side"} and blocks == 12 * 6
    # Leads are -0.4 and 0.6 a block.
    assert table.loc["thermostat", "mean"] == pytest.approx(-1.0, abs=0.15)
    assert table.loc["drift", "total"] == pytest.approx(-0.6 * blocks, abs=0.15 * blocks)
    assert table.loc["drift", "told"]


def test_differences_are_by_design_domain_and_horizon(whole):
    table = whole[1].differences
    for design in ("future", "episodes", "placebo", "dyads"):
        assert set(table[table["design"] == design]["domain"]) == {"joint", *DOMAINS}
    groups = table[table["group"].notna()]
    assert set(groups["design"]) == {"future"} and set(groups["group"]) == {1, 2, 3}
    assert len(page.difference_table(whole[1], "future", DOMAINS[1])) == len(READINGS) - 1


def test_sentences_say_who_leads_and_what_worlds_tell(whole):
    text = " ".join(whole[1].sentences)
    assert text.startswith("Elastic-side has the largest stacking weight")
    assert "predicts better than drift and thermostat" in text
    assert "picked the true reading in 100 %" in text and "of 15" in text


def test_worlds_make_the_confusion_matrix_and_the_record_meets_the_same_small_contest(whole):
    _, found = whole
    counts = found.confusion.counts
    assert np.diag(counts.loc[list(READINGS), list(READINGS)]).tolist() == [5, 5, 5]
    assert found.confusion.can_tell({"elastic-side"}, {"drift"})
    assert found.small.best == "elastic-side"
    states = {"RUS", "CHN"}
    assert found.small.blocks == len({
        (u, y) for w in LAYOUT[2].windows for u in made_fit.panel().dyads
        if w["state"] in u and set(u.split("-")) & states
        for y in range(w["start"], w["end"] + 4)
    })  # fmt: skip


def test_episodes_and_placebo_windows_are_told_apart(whole):
    held = whole[1].held_out
    marked = held.groupby("placebo")["episode_id"].unique()
    assert list(marked[True]) == ["RUS-easing-2004"] and len(marked[False]) == 3
    table = page.placebo_table(whole[1])
    easing = table[(table["type"] == "easing") & (table["reading"] == "drift")]
    assert easing.set_index("placebo")["windows"].to_dict() == {False: 2, True: 1}
    assert (table["realised"] == -0.4).all() and (table["below"] == 1.0).all()


def test_the_quality_of_the_fits(whole):
    good = page.quality(whole[1])
    assert good["fits"] == len(LAYOUT) * len(READINGS) and good["reweighted"] == 2 * len(READINGS)
    assert good["least_k"] == 0.31 and good["max_rhat"] == 1.03
    assert good["rhat_score_above_1.01"] == 0 and good["seconds"] == pytest.approx(21 * 9.5)


# -- pages ---------------------------------------------------------------------------------------


def test_the_page_reads_as_markdown(whole):
    text = page.page(*whole)
    lines = text.splitlines()
    assert lines[0] == "# The contest of readings"
    for head in ("Weights", "Could this record tell them apart?", "Differences", "### dyads",
                 "Around episodes and placebo windows", "Specification curve",
                 "Quality of the fits"):  # fmt: skip
        assert any(head in line for line in lines if line.startswith("#")), head
    assert "nan" not in text.lower().split() and "None" not in text and "## Problems" not in text
    width = None
    for line in lines:
        cells = line.count("|") if line.startswith("|") else None
        assert width is None or cells is None or cells == width, line
        width = cells
    assert "an origin every year;" in text and "half-life of eight years | 1.02" in text


def test_standard_errors_on_the_page_are_all_of_the_total(whole):
    _, found = whole
    table = page.difference_table(found, "future").set_index("reading")
    row = next(
        line for line in page.page(*whole).splitlines() if line.startswith("| drift | elastic-side")
    )
    cells = [c.strip() for c in row.strip("|").split("|")]
    blocks, total, naive = table.loc["drift", ["blocks", "total", "se_naive"]]
    assert cells[2:5] == [f"{blocks:.0f}", f"{total:.2f}", f"{naive * blocks:.2f}"]


def test_files_are_whole_and_valid(whole, tmp_path):
    made, found = whole
    made = {**made, "folder": tmp_path}
    files = page.write(made, found)
    assert [f.name for f in files] == ["contest.md", "contest.json"]
    assert files[0].read_text(encoding="utf-8") == page.page(made, found)
    kept = json.loads(files[1].read_text(encoding="utf-8"), parse_constant=refuse)
    assert kept["weights"]["elastic-side"]["future"] == pytest.approx(found.weights["elastic-side"])
    assert kept["sentences"] == found.sentences and kept["primary"] == "future"
    assert kept["confusion"]["drift"] == {"drift": 5, "thermostat": 0, "elastic-side": 0}
    assert len(kept["held_out"]) == len(found.held_out) and kept["settings"] == made["settings"]
    assert kept["specifications"].keys() == made["specifications"].keys()
    assert "folder" not in kept["fits"][0]


def test_no_number_is_not_a_number_in_the_file(tmp_path):
    """Quality, held-out episodes and choices may lack numbers."""
    made = light(folder=tmp_path)
    for found in made["pieces"].values():
        found["fits"][0]["max_rhat"] = float("nan")
    made["specifications"]["spec--default"]["max_rhat"] = float("nan")
    files = page.write(made, result.summarise(made))
    kept = json.loads(files[1].read_text(encoding="utf-8"), parse_constant=refuse)
    assert kept["quality"]["max_rhat"] is None
    assert kept["specifications"]["spec--default"]["max_rhat"] is None


def test_a_page_without_worlds_episodes_or_choices():
    made = light()
    made["specifications"] = {}
    for found in made["pieces"].values():
        found["held_out"] = []
    text = page.page(made, result.summarise(made))
    assert "No world was simulated." in text and "Specification curve" not in text
    around = text.split("## Around episodes")[1].split("##")[0]
    assert "\nNone.\n" in around and "|" not in around


def test_tables_keep_their_shape_whatever_a_cell_holds():
    frame = pd.DataFrame({"a": [1.5, np.nan], "b": ["x|y\nz", None], "c": [True, False]})
    text = page.markdown(frame, digits=1)
    assert text.splitlines() == ["| a | b | c |", "|---|---|---|", "| 1.5 | x\\|y z | yes |",
                                 "|  |  | no |"]  # fmt: skip
    assert page.markdown(frame.iloc[:0]) == "None."


# -- what is missing -----------------------------------------------------------------------------


def test_a_reading_that_lacks_one_piece_costs_its_blocks():
    made = light(problems={"future-2010--thermostat": "ZeroDivisionError"})
    del made["pieces"]["future-2010--thermostat"]
    found = result.summarise(made)
    stacked = found.designs["future"]
    assert stacked.blocks == stacked.dropped == 36 and stacked.missing["thermostat"] == 36
    assert set(found.weights) == set(READINGS) and stacked.best == "elastic-side"
    assert "36 were left out" in " ".join(found.sentences)
    text = page.page(made, found)
    assert "## Problems" in text and "- future-2010--thermostat: ZeroDivisionError" in text


def test_a_reading_without_any_score_has_no_number(tmp_path):
    made = done(worlds=0, layout=[*FUTURE, *LAYOUT[5:]], folder=tmp_path)
    for key in ("future-2008--thermostat", "future-2010--thermostat"):
        del made["pieces"][key]
    found = result.summarise(made)
    assert "thermostat" not in found.weights and len(found.weights) == 2
    table = page.weight_table(found)
    assert table.loc["thermostat", ["future", "difference", "se"]].isna().all()
    assert table.loc["elastic-side", "difference"] == 0.0
    assert table.loc["drift", "difference"] < -10
    assert np.isfinite(table.loc["thermostat", "dyads"])
    row = next(r for r in page.page(made, found).splitlines() if r.startswith("| thermostat |"))
    assert row.startswith("| thermostat |  |")
    kept = json.loads(page.write(made, found)[1].read_text(encoding="utf-8"), parse_constant=refuse)
    assert kept["weights"]["thermostat"]["difference"] is None


def test_a_domain_without_scores_is_told_and_costs_nothing_else():
    made = light()
    for found in made["pieces"].values():
        found["blocks"][DOMAINS[1]] = [float("nan")] * len(found["blocks"]["unit"])
    found = result.summarise(made)
    assert list(found.problems) == [f"design future, domain {DOMAINS[1]}"]
    assert set(found.designs) == {"future", "focal"}
    table = found.differences
    assert table["group"].notna().any() and set(table["domain"]) == {"joint", DOMAINS[0],
                                                                     DOMAINS[2]}  # fmt: skip


def test_without_the_pair_in_question_there_are_still_weights():
    made = light()
    for found in made["pieces"].values():
        keep = [u != "CHN-RUS" for u in found["blocks"]["unit"]]
        found["blocks"] = {
            k: [x for x, keeps in zip(v, keep, strict=True) if keeps]
            for k, v in found["blocks"].items()
        }
    found = result.summarise(made)
    assert set(found.designs) == {"future"} and list(found.problems) == [
        "design future, CHN-RUS alone"
    ]


def test_the_next_design_takes_the_place_of_one_that_failed():
    made = done(worlds=0, layout=[*FUTURE, *LAYOUT[2:4]])
    for key in [k for k in made["pieces"] if k.startswith("future")]:
        del made["pieces"][key]
    found = result.summarise(made)
    assert found.primary == "episodes" and "design future" in found.problems
    assert "design episodes" in page.page(made, found)


def test_a_contest_without_scores_is_refused():
    with pytest.raises(ContestError, match="no design that gives weights could be scored: design"):
        result.summarise(light() | {"pieces": {}})
    with pytest.raises(ContestError, match="Ask for one of future, episodes, dyads"):
        result.summarise(done(worlds=0, layout=[LAYOUT[4]]))


def test_worlds_that_not_every_reading_has_met_do_not_count():
    made = done(worlds=2, layout=LAYOUT[2:4])
    del made["worlds"]["world-drift-1--thermostat"]
    found = result.summarise(made)
    assert found.problems == {"world-drift-1": "not every reading has met it"}
    assert len(found.confusion.worlds) == 5


# -- verdicts ------------------------------------------------------------------------------------


@pytest.fixture
def draws(monkeypatch):
    def of(done):
        return ({r: made_contest.draws(r) for r in READINGS},
                {r: made_contest.draws(r, seed=9, size=30) for r in READINGS})  # fmt: skip

    monkeypatch.setattr(evidence, "draws_of", of)


def test_every_claim_is_judged_on_the_contest(whole, draws, tmp_path):
    made, found = whole
    file = evidence.write_evidence({**made, "folder": tmp_path}, found)
    assert file == tmp_path / "claims.json"
    json.loads(file.read_text(encoding="utf-8"), parse_constant=refuse)
    stored = read_claims(tmp_path)
    assert list(stored.claims) == list(IDS)
    # What three readings and four states cannot speak to is refused in words.
    assert all(why.startswith(REFUSED) for why in stored.problems.values()), stored.problems
    assert len(stored.problems) < 10 and "C08" not in stored.problems
    assert stored.made["seed"] == 2016 and "kind" not in stored.made
    assert stored.made["claims_hash"] == claims_hash()
    assert stored.by_prior["author"]["C01"]["probability"] == 0.97
    assert stored.by_prior["default"]["C08"]["probability"] is None
    assert set(stored.by_prior) == {"default", "author"}, "belief sets alone"


def test_a_measure_that_fails_costs_its_own_claim(whole, draws, tmp_path, monkeypatch):
    made, found = whole
    entry = load_claims()["C08"]
    real = judging.get_measure

    def broken(*args, **options):
        raise ZeroDivisionError("by hand")

    monkeypatch.setattr(
        judging, "get_measure", lambda n: broken if n == entry["measure"] else real(n)
    )
    evidence.write_evidence({**made, "folder": tmp_path}, found)
    stored = read_claims(tmp_path)
    refused = {k for k, why in stored.problems.items() if why.startswith(REFUSED)}
    hit = {k for k, e in load_claims().items() if e.get("measure") == entry["measure"]}
    assert "C08" in hit and set(stored.problems) - refused <= hit
    assert "by hand" in stored.problems["C08"] and list(stored.claims) == list(IDS)
    assert {k for k, c in stored.claims.items() if c.verdict is None} == set(stored.problems)
    assert len(stored.problems) < len(IDS) / 2


def test_placebo_windows_are_no_evidence(whole, draws, tmp_path, monkeypatch):
    made, found = whole
    seen = []
    monkeypatch.setattr("fairweather.claims.judge_all", lambda c: seen.append(c) or {})
    evidence.write_evidence({**made, "folder": tmp_path}, found)
    (context,) = seen
    assert "RUS-easing-2004" not in set(context.held_out["episode_id"])
    assert len(set(context.held_out["episode_id"])) == 3
    assert context.weights == pytest.approx(found.weights)
    assert context.replicates().shape[1] == len(READINGS)
    assert context.replicates().sum(axis=1) == pytest.approx(1.0)
    assert len(context.shocks) > 3


def test_every_reading_of_the_contest_keeps_its_weight(whole, draws, tmp_path, monkeypatch):
    """With draws or without: a claim that a reading without draws can be felt in says so."""
    made, found = whole
    seen = []
    monkeypatch.setattr("fairweather.claims.judge_all", lambda c: seen.append(c) or {})
    monkeypatch.setattr(evidence, "draws_of", lambda d: (
        {"drift": made_contest.draws("drift")}, {}))  # fmt: skip
    evidence.write_evidence({**made, "folder": tmp_path}, found)
    assert seen[0].weights == pytest.approx(found.weights)
    drawn = found.designs["future"].draws.sel(reading=list(seen[0].weights)).values
    np.testing.assert_array_equal(seen[0].replicates(), drawn)


def test_long_fits_are_chosen_by_the_weights_that_average_claims():
    made = done(worlds=0, layout=[*FUTURE, *LAYOUT[5:]])
    found = result.primary_weights(made["pieces"])
    want = result.summarise(made).weights
    assert set(found) == set(READINGS)
    assert all(found[r] >= want[r] - 1e-9 for r in READINGS)
    # The future comes first, whatever other designs say; without it they take its place.
    later = {k: v for k, v in made["pieces"].items() if k.startswith("dyads")}
    swapped = {
        **{k: v for k, v in made["pieces"].items() if k.startswith("future")},
        **{k: later[k.replace("drift", "elastic-side") if k.endswith("drift") else
                    k.replace("elastic-side", "drift")] for k in later},
    }  # fmt: skip
    assert result.primary_weights(swapped) == found
    assert result.primary_weights(later)["elastic-side"] > 0.9
    assert result.primary_weights({}) is None


def test_draws_are_read_from_the_whole_fits(monkeypatch):
    monkeypatch.setattr("fairweather.archive.open_results", lambda folder: SimpleNamespace(
        tree=made_fit.fit(reading=folder.removeprefix("fits/"))))  # fmt: skip
    made = light(readings=READINGS[:2])
    made["fits"].loc[made["fits"]["reading"] == "thermostat", "folder"] = ""
    draws, before = evidence.draws_of(made)
    assert set(draws) == {"drift"} and set(before) == {"drift", "thermostat"}
