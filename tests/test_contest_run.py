"""A contest is laid out once, done job by job, and goes on where it was stopped."""

import json
import shutil
from dataclasses import replace
from functools import cache
from pathlib import Path

import pandas as pd
import pytest

import fairweather.panel
import made_fit
from fairweather.contest import result, run, specifications
from fairweather.contest.design import SEED, ContestError, Piece, pieces
from fairweather.contest.specifications import load_specifications
from fairweather.errors import CodebookError, FairweatherError
from fairweather.farm import spawn_seeds
from fairweather.paths import data_dir
from fairweather.provenance import source_hash
from fairweather.refits import COLUMNS
from fairweather.resume import CalibrationError

PANEL = made_fit.panel()
READINGS = ("drift", "thermostat", "regime")
HASH = cache(source_hash)
DONE: list[tuple[str, dict]] = []
BROKEN: set[tuple[str, str]] = set()


def _note(kind, name, job):
    DONE.append((f"{kind} {name} {job.get('reading', '')}".strip(), job))
    if (name, job.get("reading")) in BROKEN:
        raise ZeroDivisionError("nothing\nto divide by")


def piece(job):
    _note("piece", job["piece"]["name"], job)
    return {"fits": [], "blocks": {}, "held_out": [], "seed": job["seed"]}


def stopped(job):
    if job["piece"]["name"] == "episodes-0":
        raise KeyboardInterrupt
    return piece(job)


def world(job):
    _note("world", job["truth"], job)
    return {"fits": [], "blocks": {}, "truth": job["truth"]}


def truth(job):
    _note("truth", job["reading"], job)
    return {"truths": [{"parameters": {"half_life": n}, "weather": [job["reading"]]}
                       for n in range(job["worlds"])], "fits": []}  # fmt: skip


def specification(job):
    _note("specification", job["name"], job)
    return {"claims": {}, "reading": job["specification"].get("reading")}


@pytest.fixture(autouse=True)
def cheap(monkeypatch):
    """Jobs and whole fits cost nothing; what was done is counted."""
    DONE.clear()
    BROKEN.clear()
    monkeypatch.setattr(fairweather.panel, "load_panel", lambda **o: PANEL)
    monkeypatch.setattr("fairweather.provenance.source_hash", HASH)
    monkeypatch.setattr(run, "score_piece", piece)
    monkeypatch.setattr(run, "score_world", world)
    monkeypatch.setattr(run, "judge_specification", specification)
    monkeypatch.setattr(run, "draw_truths", truth)
    whole_fits(monkeypatch)


def whole_fits(monkeypatch, broken=()):
    def fits(out, readings, *rest):
        rows = [
            dict.fromkeys(COLUMNS, "")
            | {"reading": r, "folder": "" if r in broken else f"fit-{r}",
               "problem": "no start" if r in broken else ""}
            for r in readings
        ]  # fmt: skip
        return pd.DataFrame(rows)

    monkeypatch.setattr(run, "_whole_fits", fits)


def contest(tmp_path, **options):
    given = {"readings": READINGS, "worlds": 1, "workers": 1, "quiet": True}
    return run.run_contest(tmp_path / "c", **given | options)


SAMPLED = []


def gated(fits, **options):
    """Archive nothing: thermostat passes with more draws, regime never, drift gives no draws."""
    rows = []
    for one in fits:
        SAMPLED.append((one.reading, one.job["draws"]))
        passed = one.reading == "elastic-side" or (
            one.reading == "thermostat" and one.job["draws"] > 2000
        )
        rows.append(dict.fromkeys(COLUMNS, "") | {
            "reading": one.reading, "passed": passed, "problem": "" if passed else "R-hat 1.02",
            "folder": "" if one.reading == "drift" else f"{one.reading}-{one.job['draws']}",
        })  # fmt: skip
    return pd.DataFrame(rows)


WHOLE_FITS = run._whole_fits


def counted():
    names, DONE[:] = [name for name, _ in DONE], []
    return names


# -- what is done --------------------------------------------------------------------------------


def test_every_reading_meets_every_piece_and_world(tmp_path):
    said = []
    done = contest(tmp_path, worlds=2, say=said.append)
    laid = pieces(PANEL)
    assert done["layout"] == laid and said[0] == f"{len(laid)} pieces, 3 readings"
    assert set(done["pieces"]) == {f"{p.name}--{r}" for p in laid for r in READINGS}
    assert set(done["worlds"]) == {
        f"world-{t}-{n}--{r}" for t in READINGS for n in (0, 1) for r in READINGS
    }
    possible = {
        f"spec--{k}" for k, s in load_specifications().items()
        if set(s.get("without_states", ())) <= set(PANEL.states)
    }  # fmt: skip
    assert set(done["specifications"]) == possible and "spec--no-partners" not in possible
    assert done["problems"] == {} and done["readings"] == READINGS
    names = counted()
    assert len(names) == len(done["pieces"]) + len(done["worlds"]) + len(possible) + len(READINGS)
    assert done["folder"] == tmp_path / "c" and done["panel"] is PANEL
    assert len(done["windows"]) > 3 and list(done["fits"]["reading"]) == list(READINGS)


def test_a_fit_that_the_gate_refused_is_sampled_once_more_and_longer(tmp_path, monkeypatch):
    from types import SimpleNamespace

    def plan(readings, draws, results, **rest):
        return [
            SimpleNamespace(
                reading=r, id=f"2024-{r}-00000000", job={"results": str(results), "draws": draws}
            )
            for r in readings
        ]

    monkeypatch.setattr("fairweather.refits.plan", plan)
    monkeypatch.setattr("fairweather.refits.carry_out", gated)
    SAMPLED.clear()
    names = ("drift", "thermostat", "regime", "elastic-side")
    found = WHOLE_FITS(tmp_path, names, PANEL, None, None, 2000, SEED, {})
    assert found["reading"].tolist() == list(names) and list(found.columns) == list(COLUMNS)
    assert found["passed"].tolist() == [False, True, False, True]
    assert found["folder"].tolist() == ["", "thermostat-4000", "regime-4000", "elastic-side-2000"]
    # What gave no draws is no matter of the gate.
    assert SAMPLED[4:] == [("thermostat", 4000), ("regime", 4000)]


def test_jobs_carry_what_they_need(tmp_path):
    contest(tmp_path, seed=5)
    job = dict(DONE)["piece future-2008 thermostat"]
    assert job["piece"] == pieces(PANEL)[0].to_job() and job["states"] == PANEL.states
    assert job["last_year"] == PANEL.origin and job["focal"] == PANEL.focal
    assert job["seed"] == spawn_seeds(5, ["future-2008--thermostat"])["future-2008--thermostat"] % (
        2**31
    )
    worlds = [j for name, j in DONE if name == "world drift thermostat"]
    assert [(j["parameters"], j["weather"]) for j in worlds] == [({"half_life": 0}, ["drift"])]
    same = {j["world_seed"] for name, j in DONE if name.startswith("world drift")}
    assert len(same) == 1, "all readings meet the same world"
    assert len({j["world_seed"] for name, j in DONE if name.startswith("world")}) == 3, "one each"
    assert all(j["piece"]["name"] == "episodes-0" for n, j in DONE if n.startswith("world"))
    assert all(0 <= j["seed"] < 2**31 for _, j in DONE)


def test_the_world_is_met_with_a_fold_of_episodes_or_what_there_is():
    laid = [Piece("future-2008", "future"), Piece("dyads-0", "dyads"), Piece("episodes-1",
            "episodes")]  # fmt: skip
    assert run.world_piece(laid).name == "episodes-1"
    assert run.world_piece(laid[:2]).name == "dyads-0"
    assert run.world_piece(laid[:1]) is None


def test_the_future_alone_has_no_worlds(tmp_path):
    done = contest(tmp_path, designs=["future"], specifications=False)
    assert done["worlds"] == {} and {n.split()[0] for n in counted()} == {"piece"}


def test_long_fits_are_of_the_readings_that_claims_can_feel(tmp_path, monkeypatch):
    """And of the default, which the page is about; without scores, of all."""
    assert list(contest(tmp_path)["fits"]["reading"]) == list(READINGS)
    monkeypatch.setattr(result, "primary_weights", lambda found: {
        "drift": 0.9, "thermostat": 0.004, "regime": 0.096})  # fmt: skip
    said = []
    done = contest(tmp_path, say=said.append)
    assert list(done["fits"]["reading"]) == ["drift", "regime"]
    assert "Claims rest on drift, regime" in said
    more = contest(tmp_path.joinpath("other"), readings=(*READINGS, "elastic-side"))
    assert list(more["fits"]["reading"]) == ["drift", "regime", "elastic-side"]
    assert {v["truth"] for v in done["worlds"].values()} == set(READINGS)


# -- going on ------------------------------------------------------------------------------------


def test_what_is_done_is_not_done_again(tmp_path):
    first = contest(tmp_path)
    assert counted()
    again = contest(tmp_path)
    assert counted() == []
    assert all(again[k] == first[k] for k in ("pieces", "worlds", "specifications", "settings"))


def test_more_worlds_add_only_new_jobs(tmp_path):
    contest(tmp_path, worlds=0, specifications=False)
    assert all(n.startswith("piece") for n in counted())
    contest(tmp_path, worlds=1)
    names = counted()
    assert names and not [n for n in names if n.startswith("piece")]
    assert len([n for n in names if n.startswith("truth")]) == 3
    assert len([n for n in names if n.startswith("world")]) == 9
    done = contest(tmp_path, worlds=2)
    assert len(counted()) == 9 and len(done["worlds"]) == 18


def test_a_stopped_contest_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(run, "score_piece", stopped)
    with pytest.raises(KeyboardInterrupt):
        contest(tmp_path)
    before = counted()
    assert before and not [n for n in before if "episodes" in n]
    monkeypatch.setattr(run, "score_piece", piece)
    done = contest(tmp_path)
    assert not set(counted()) & set(before)
    assert len(done["pieces"]) == 3 * len(done["layout"])


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A record of one's own, whose files may be edited."""
    folder = tmp_path / "data"
    shutil.copytree(data_dir(), folder)
    monkeypatch.setenv("FAIRWEATHER_DATA", str(folder))
    return folder


SMALL = {"designs": ["dyads"], "worlds": 0}


def edit(file, old, new):
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [("claims.toml", "upper = 0.9", "upper = 0.95"),
     ("scenarios.toml", "\n", "\n# an edit\n")],
)  # fmt: skip
def test_what_claims_rest_on_costs_the_specifications_alone(tmp_path, own, name, old, new):
    first = contest(tmp_path, **SMALL)
    seeds = {job["name"]: job["seed"] for n, job in DONE if n.startswith("specification")}
    counted()
    edit(own / name, old, new)
    again = contest(tmp_path, **SMALL)
    anew = {job["name"]: job["seed"] for n, job in DONE if n.startswith("specification")}
    assert {n.split()[0] for n in counted()} == {"specification"}
    assert anew == seeds and set(again["specifications"]) == set(first["specifications"])
    edit(own / name, new, old)
    contest(tmp_path, **SMALL)
    assert counted() == [], "what was done before the edit is still there"


def test_a_changed_choice_is_done_anew_and_no_other(tmp_path, own):
    contest(tmp_path, **SMALL)
    counted()
    edit(own / "specifications.toml", 'label = "', 'label = "Anew: ')
    contest(tmp_path, **SMALL)
    assert len(counted()) == 1


def test_a_changed_belief_set_is_done_anew_and_no_other(tmp_path, monkeypatch):
    contest(tmp_path, **SMALL)
    counted()

    def other(spec, priors):
        found = specifications.beliefs(spec, priors)
        return replace(found, content_hash="0" * 64) if spec.get("priors") else found

    monkeypatch.setattr(run, "beliefs", other)
    contest(tmp_path, **SMALL)
    named = [f"specification {k}" for k, s in load_specifications().items() if "priors" in s]
    assert sorted(counted()) == sorted(named) and named


def test_other_code_of_the_claims_costs_the_specifications_alone(tmp_path, monkeypatch):
    contest(tmp_path, **SMALL)
    counted()
    monkeypatch.setattr(
        "fairweather.provenance.source_hash",
        lambda *files: "0" * 64 if files == run._CLAIMS_CODE else HASH(*files),
    )
    contest(tmp_path, **SMALL)
    assert {n.split()[0] for n in counted()} == {"specification"}


# -- failures ------------------------------------------------------------------------------------


def test_a_job_that_fails_is_told_and_costs_nothing_else(tmp_path):
    BROKEN.add(("future-2014", "thermostat"))
    done = contest(tmp_path)
    assert set(done["problems"]) == {"future-2014--thermostat"}
    assert "to divide by" in done["problems"]["future-2014--thermostat"]
    assert len(done["pieces"]) == 3 * len(done["layout"]) - 1
    assert len(done["worlds"]) == 9 and done["specifications"]
    counted()
    BROKEN.clear()
    mended = contest(tmp_path)
    assert counted() == ["piece future-2014 thermostat"]
    assert mended["problems"] == {} and "future-2014--thermostat" in mended["pieces"]


def test_a_whole_fit_that_fails_is_told(tmp_path, monkeypatch):
    whole_fits(monkeypatch, broken=("regime",))
    done = contest(tmp_path)
    assert done["problems"] == {"fit--regime": "no start"}
    assert len(done["worlds"]) == 9 and len(done["pieces"]) == 3 * len(done["layout"])


def test_a_reading_without_truths_has_no_worlds(tmp_path):
    BROKEN.add(("regime", "regime"))
    done = contest(tmp_path)
    (key,) = done["problems"]
    assert key.startswith("truths-") and key.endswith("--regime")
    assert {v["truth"] for v in done["worlds"].values()} == {"drift", "thermostat"}
    assert len(done["worlds"]) == 6 and len(done["pieces"]) == 3 * len(done["layout"])


# -- refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "other",
    [{"seed": SEED + 1}, {"readings": READINGS[:2]}, {"every": 2}, {"designs": ["future"]},
     {"fit_draws": 200}, {"folds": 3}],
)  # fmt: skip
def test_a_folder_holds_one_contest(tmp_path, other):
    contest(tmp_path, worlds=0, specifications=False, designs=["dyads"])
    counted()
    with pytest.raises(CalibrationError, match="made with other settings") as err:
        contest(tmp_path, worlds=0, specifications=False, **{"designs": ["dyads"], **other})
    assert next(iter(other)) in str(err.value)
    assert "Name a new folder, or the same settings" in str(err.value)
    assert counted() == []


def test_a_folder_of_something_else_is_refused(tmp_path):
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "notes.txt").write_text("mine")
    with pytest.raises(CalibrationError, match="holds no contest"):
        contest(tmp_path)


def test_a_malformed_claim_is_told_before_any_fit(tmp_path, own):
    edit(own / "claims.toml", ", at_most = 0.1", "")
    with pytest.raises(CodebookError, match=r"claims.toml: \[claim.C02\] params lacks at_most"):
        contest(tmp_path)
    assert counted() == [] and not (tmp_path / "c").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"readings": ("drift",)}, "1 reading makes no contest. Name two"),
        ({"readings": ("drift", "drift")}, "1 reading makes no contest"),
        ({"readings": ("drift", "wind")}, "wind"),
        ({"worlds": -1}, "worlds = -1"),
        ({"designs": ("future", "past")}, "designs are future, past"),
        ({"every": 0}, "every = 0"),
    ],
)
def test_contradictory_options_are_refused_and_leave_nothing(tmp_path, options, said):
    with pytest.raises(FairweatherError, match=said):
        contest(tmp_path, **options)
    assert not list(tmp_path.iterdir())
    if "wind" not in said:
        with pytest.raises(ContestError):
            contest(tmp_path, **options)


def test_the_folder_is_named_after_the_settings(tmp_path):
    options = {"readings": READINGS, "designs": ["dyads"], "worlds": 0, "specifications": False,
               "workers": 1, "quiet": True, "results": tmp_path}  # fmt: skip
    first, same = run.run_contest(**options), run.run_contest(**options)
    other = run.run_contest(**options, seed=1)
    assert first["folder"] == same["folder"] != other["folder"]
    assert first["folder"].parent == tmp_path and first["folder"].name.startswith("contest-")
    kept = json.loads((first["folder"] / "settings.json").read_text(encoding="utf-8"))
    assert kept == first["settings"] and kept["kind"] == "contest"


def test_the_code_that_decides_the_numbers_is_there():
    root = Path(run.__file__).parents[1]
    assert all(list(root.glob(pattern)) for pattern in (*run._CODE, *run._CLAIMS_CODE))
    assert all((data_dir() / name).is_file() for name in run._CLAIMS_DATA)
