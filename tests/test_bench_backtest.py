"""What a folder of a backtest tells of its time."""

import json
import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.append(str(ROOT))

from benchmarks.backtest import facts, memory, timing, told  # noqa: E402


def folder(tmp_path, seconds, at):
    sims = tmp_path / "sims"
    sims.mkdir()
    (tmp_path / "settings.json").write_text(
        json.dumps({"states": ["CHN", "RUS"], "draws": 200, "tune": 200})
    )
    for k, (s, t) in enumerate(zip(seconds, at, strict=True)):
        file = sims / f"{2008 + k}--drift.json"
        one = {"facts": {"seconds": s, "origin": 2008 + k, "reading": "drift"}}
        file.write_text(json.dumps(one))
        os.utime(file, (t, t))
    return tmp_path


def test_time_is_read_from_the_facts(tmp_path):
    fits = facts(folder(tmp_path, [60.0, 60.0, 60.0, 60.0], [1000, 1000, 1060, 1060]))
    spent = timing(fits)
    assert spent == {"fitting": 240.0, "wall": 120.0, "breaks": 0, "at_once": 2.0}


def test_a_break_is_no_time_of_a_fit(tmp_path):
    place = folder(tmp_path, [60.0, 60.0, 60.0], [1000, 1060, 9060])
    spent = timing(facts(place))
    assert spent["breaks"] == 8000 and spent["wall"] == 120.0
    lines = told(place, 1)
    assert lines[0] == (
        "2 states, 200 draws after 200, two chains; origins 2008-2010, readings drift"
    )
    assert "3 fits: median 60 s, 60 to 60 s" in lines[1]
    assert "breaks of 133 minutes left out" in lines[2]
    assert lines[-1].startswith("17 origins x 4 readings at this pace: 68 fits, 45 minutes")


def test_an_empty_folder_is_told(tmp_path):
    assert told(tmp_path, 1) == [f"{tmp_path} holds no fit that is done"]
    assert memory()


@pytest.mark.parametrize("rows", [0, 2])
def test_the_slowest_fits_are_named(tmp_path, rows):
    lines = told(folder(tmp_path, [10.0, 90.0, 20.0], [1000, 1010, 1020]), rows)
    slow = [line for line in lines if "slow" in line]
    assert len(slow) == rows and (not rows or "2009 drift" in slow[0])
