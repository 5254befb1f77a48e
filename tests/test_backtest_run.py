"""A backtest goes on where it stopped, holds one setting, and a damaged file is named."""

import json
import os

import numpy as np
import pytest

import made_backtest as made
from fairweather.backtest import run as r
from fairweather.backtest.origin import DRAWS, TUNE
from fairweather.errors import FairweatherError
from fairweather.resume import CalibrationError

READINGS = ("drift", "persistence")
DONE: list[tuple[int, str, dict]] = []
BROKEN: set[tuple[int, str]] = set()


def job(given):
    """Stand in for a fit: what it was given is kept."""
    key = (given["origin"], given["reading"])
    DONE.append((*key, given))
    if key in BROKEN:
        raise ZeroDivisionError("nothing\nto divide by")
    return {
        "facts": {"seconds": 1.0, "origin": key[0], "reading": key[1]},
        "draws": np.full((3, 4), given["seed"] % 97, np.float32),
        "log_density": [0.0] * 3, "blocks": {"unit": [], "year": [], "lpd": []},
    }  # fmt: skip


def stopped(given):
    if given["origin"] == 2016:
        raise KeyboardInterrupt
    return job(given)


@pytest.fixture(autouse=True)
def cheap(monkeypatch):
    DONE.clear()
    BROKEN.clear()
    monkeypatch.setattr(r, "foresee_origin", job)
    monkeypatch.setattr("fairweather.provenance.source_hash", lambda *files: "code")


def run(folder, **options):
    given = {"first": 2014, "last": 2017, "readings": READINGS, "states": list(made.STATES),
             "workers": 1, "quiet": True, "seed": 5}  # fmt: skip
    return r.run_backtest(folder / "b", **(given | options))


def counted():
    found = [(y, n) for y, n, _ in DONE]
    DONE.clear()
    return found


# -- jobs ----------------------------------------------------------------------------------------


def test_every_origin_is_foreseen_under_every_reading(tmp_path):
    said = []
    done = run(tmp_path, say=said.append)
    assert sorted(counted()) == [(y, n) for y in range(2014, 2018) for n in READINGS]
    assert set(done["origins"]) == {2014, 2015, 2016, 2017}
    assert all(set(v) == set(READINGS) for v in done["origins"].values())
    assert done["problems"] == {} and done["readings"] == READINGS
    assert said == ["8 fits: origins 2014-2017, 2 readings; 0 are done"]


def test_jobs_carry_what_they_need(tmp_path):
    run(tmp_path)
    seeds = {(y, n): given["seed"] for y, n, given in DONE}
    assert len(set(seeds.values())) == 8 and all(0 <= s < 2**31 for s in seeds.values())
    given = DONE[0][2]
    assert given["states"] == made.STATES and given["focal"] == "CHN-RUS"
    assert (given["draws"], given["tune"], given["horizon"]) == (DRAWS, TUNE, 3)
    DONE.clear()
    run(tmp_path / "other", readings=(*READINGS, "scope"))
    again = {(y, n): given["seed"] for y, n, given in DONE}
    assert all(again[k] == s for k, s in seeds.items()), "no other reading has a say in a seed"


def test_what_is_done_is_not_done_again(tmp_path):
    first = run(tmp_path)
    counted()
    again = run(tmp_path)
    assert counted() == []
    for y, found in first["origins"].items():
        for n, one in found.items():
            np.testing.assert_array_equal(one["draws"], again["origins"][y][n]["draws"])
            assert one["facts"] == again["origins"][y][n]["facts"]


def test_a_stopped_backtest_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(r, "foresee_origin", stopped)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path)
    before = counted()
    assert before and not [y for y, _ in before if y == 2016]
    monkeypatch.setattr(r, "foresee_origin", job)
    done = run(tmp_path)
    assert not set(counted()) & set(before)
    assert len(done["origins"]) == 4


def test_a_job_is_done_when_both_of_its_files_are_there(tmp_path):
    run(tmp_path)
    counted()
    (tmp_path / "b" / "sims" / "2015--drift.npz").unlink()
    (tmp_path / "b" / "sims" / "2016--drift.json").unlink()
    run(tmp_path)
    assert counted() == [(2015, "drift"), (2016, "drift")]


def test_more_readings_can_be_added_to_a_folder(tmp_path):
    run(tmp_path)
    counted()
    more = run(tmp_path, readings=(*READINGS, "scope"))
    assert {n for _, n in counted()} == {"scope"} and more["readings"] == (*READINGS, "scope")
    less = run(tmp_path, readings=("drift",))
    assert counted() == [] and set(less["origins"][2014]) == {"drift"}


def test_a_failing_job_costs_only_itself(tmp_path):
    BROKEN.add((2015, "drift"))
    done = run(tmp_path)
    assert set(done["problems"]) == {"2015--drift"}
    assert "to divide by" in done["problems"]["2015--drift"]
    assert set(done["origins"][2015]) == {"persistence"} and len(done["origins"]) == 4
    counted()
    BROKEN.clear()
    assert run(tmp_path)["problems"] == {} and counted() == [(2015, "drift")]


def test_nothing_done_is_told_with_the_reason(tmp_path):
    BROKEN.update((y, n) for y in range(2014, 2018) for n in READINGS)
    with pytest.raises(r.BacktestError, match=r"no origin could be foreseen: .*to divide by"):
        run(tmp_path)


# -- damage --------------------------------------------------------------------------------------


@pytest.mark.parametrize("damage", ["empty", "cut", "turned", "other", "text"])
def test_damaged_draws_are_named(tmp_path, damage):
    run(tmp_path)
    file = tmp_path / "b" / "sims" / "2015--drift.npz"
    data = file.read_bytes()
    if damage == "other":
        np.savez(file, values=np.zeros(3))
    else:
        middle = bytearray(data)
        middle[60:90] = bytes(x ^ 0xFF for x in middle[60:90])
        file.write_bytes({"empty": b"", "cut": data[: len(data) // 2], "turned": bytes(middle),
                          "text": b"not an archive"}[damage])  # fmt: skip
    with pytest.raises(r.BacktestError, match=r"2015--drift.npz: the draws of a job cannot") as err:
        run(tmp_path)
    assert "Delete 2015--drift.json and 2015--drift.npz" in str(err.value)
    for end in ("json", "npz"):
        (tmp_path / "b" / "sims" / f"2015--drift.{end}").unlink()
    counted()
    run(tmp_path)
    assert counted() == [(2015, "drift")]


@pytest.mark.parametrize("text", ["{", "[]", '{"facts": {}}', ""])
def test_damaged_facts_are_named(tmp_path, text):
    run(tmp_path)
    (tmp_path / "b" / "sims" / "2015--drift.json").write_text(text)
    with pytest.raises(r.BacktestError, match=r"2015--drift.json: the facts of a job cannot"):
        run(tmp_path)


def test_what_a_killed_write_leaves_is_passed_over(tmp_path):
    run(tmp_path)
    counted()
    (tmp_path / "b" / "sims" / f".2015--drift.npz.{os.getpid() + 1}").write_bytes(b"half")
    run(tmp_path)
    assert counted() == []


def test_a_full_disk_leaves_no_half_of_a_job(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(r.os, "replace", full)
    with pytest.raises(OSError, match="No space"):
        run(tmp_path / "x")
    monkeypatch.undo()
    jobs = tmp_path / "x" / "b" / "sims"
    assert not jobs.is_dir() or not list(jobs.iterdir())


# -- one folder, one backtest ----------------------------------------------------------------------


@pytest.mark.parametrize("other", [{"seed": 6}, {"horizon": 2}, {"last": 2016}, {"draws": 60}])
def test_a_folder_holds_one_backtest(tmp_path, other):
    run(tmp_path)
    counted()
    with pytest.raises(CalibrationError, match="made with other settings") as err:
        run(tmp_path, **other)
    assert next(iter(other)) in str(err.value) and counted() == []


def test_other_code_is_other_settings(tmp_path, monkeypatch):
    run(tmp_path)
    monkeypatch.setattr("fairweather.provenance.source_hash", lambda *files: "other")
    with pytest.raises(CalibrationError, match="code was code, is now other"):
        run(tmp_path)


def test_a_folder_of_something_else_is_refused(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "notes.txt").write_text("mine")
    with pytest.raises(CalibrationError, match="holds no backtest"):
        run(tmp_path)


def test_the_folder_is_named_after_the_settings(tmp_path):
    options = {"results": tmp_path, "first": 2016, "last": 2016, "states": list(made.STATES),
               "workers": 1, "quiet": True}  # fmt: skip
    one = r.run_backtest(readings=("drift",), **options)["folder"]
    more = r.run_backtest(readings=("drift", "scope"), **options)["folder"]
    other = r.run_backtest(readings=("drift",), seed=1, **options)["folder"]
    assert one == more != other and one.parent == tmp_path


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"readings": ()}, "no reading is asked for"),
        ({"readings": ("wind",)}, "unknown reading 'wind'"),
        ({"horizon": 0}, "horizon is 0"),
        ({"horizon": 2.0}, "horizon is 2.0"),
        ({"first": 2018}, "origins run from 2018 to 2017"),
        ({"first": 1995}, "Use origins from 2000 to"),
        ({"first": 2030, "last": 2031}, "origins run from 2030 to"),
    ],
)
def test_contradictory_options_are_refused_and_leave_nothing(tmp_path, options, said):
    with pytest.raises(FairweatherError, match=said):
        run(tmp_path, **options)
    assert not list(tmp_path.iterdir()) and counted() == []


def test_origins_of_which_nothing_can_have_come_are_left_out(tmp_path):
    said = []
    done = run(tmp_path, first=2022, last=2040, say=said.append)
    assert "Nothing foreseen from 2024 on has come yet" in said[0]
    assert set(done["origins"]) == {2022, 2023} and done["settings"]["last"] == 2023


# -- reading back ----------------------------------------------------------------------------------


def test_a_folder_is_read_back_without_a_fit_whatever_the_code(tmp_path, monkeypatch):
    first = run(tmp_path)
    counted()
    monkeypatch.setattr("fairweather.provenance.source_hash", lambda *files: "other")
    back = r.read_backtest(tmp_path / "b")
    assert counted() == [] and set(back["readings"]) == set(READINGS)
    assert back["settings"] == first["settings"] and back["problems"] == {}
    assert back["origins"].keys() == first["origins"].keys()
    assert back["states"] == made.STATES and back["focal"] == "CHN-RUS"
    one = r.read_backtest(tmp_path / "b", readings=["drift"])
    assert one["readings"] == ("drift",) and set(one["origins"][2014]) == {"drift"}


def test_what_is_not_done_yet_is_told(tmp_path):
    BROKEN.add((2015, "drift"))
    run(tmp_path)
    back = r.read_backtest(tmp_path / "b")
    assert back["problems"] == {"2015--drift": "not done"}
    assert set(back["origins"][2015]) == {"persistence"}


def test_what_cannot_be_read_back_is_refused(tmp_path):
    with pytest.raises(r.BacktestError, match="holds no backtest"):
        r.read_backtest(tmp_path)
    run(tmp_path)
    note = tmp_path / "b" / "settings.json"
    settings = json.loads(note.read_text(encoding="utf-8"))
    note.write_text(json.dumps(settings | {"kind": "contest"}))
    with pytest.raises(r.BacktestError, match="it holds a contest"):
        r.read_backtest(tmp_path / "b")
    note.write_text(json.dumps(settings | {"record": "0" * 64}))
    with pytest.raises(r.BacktestError, match="was made from the record 000000000000"):
        r.read_backtest(tmp_path / "b")
    note.write_text(json.dumps(settings))
    with pytest.raises(r.BacktestError, match="holds no origin that is done"):
        r.read_backtest(tmp_path / "b", readings=["scope"])


def test_the_code_that_decides_the_numbers_is_there():
    root = r.Path(r.__file__).parents[1]
    assert all(list(root.glob(pattern)) for pattern in r._CODE)
