"""One update at a time; a killed one leaves no lock, and no clock is asked."""

import os
import subprocess
import sys
import threading
import time

import pytest

import issued_made
from fairweather.errors import ArchiveError
from fairweather.updating.turnstile import BusyError, lock_file, turnstile

HOLD = """
import sys, time
from fairweather.updating.turnstile import turnstile
with turnstile(sys.argv[1]):
    print("held", flush=True)
    time.sleep(600)
"""


def holder(store):
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(store)], stdout=subprocess.PIPE, text=True,
        env=issued_made.environment(),
    )  # fmt: skip
    assert child.stdout.readline() == "held\n"
    return child


def test_the_second_is_turned_away_and_a_kill_frees_the_place(tmp_path):
    store = tmp_path / "forecasts"
    child = holder(store)
    try:
        with pytest.raises(BusyError, match=r"another update of 'forecasts' is .* --wait SECONDS"):
            turnstile(store).__enter__()
    finally:
        child.kill()
        child.communicate()
    with turnstile(store):
        pass
    # The store itself is not touched by it.
    assert not store.exists()


def test_waiting_ends_when_the_other_does_or_when_time_is_up(tmp_path, monkeypatch):
    store, got = tmp_path / "forecasts", []
    # A clock that is set back makes nobody wait for ever.
    monkeypatch.setattr(time, "time", lambda: 0.0)
    first = turnstile(store)
    first.__enter__()

    def second():
        with turnstile(store, wait=30.0):
            got.append("in")

    thread = threading.Thread(target=second)
    thread.start()
    with pytest.raises(BusyError):
        turnstile(store, wait=0.2).__enter__()
    assert got == []
    first.__exit__(None, None, None)
    thread.join(10)
    assert got == ["in"]


def test_two_names_of_one_store_are_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.symlink(tmp_path, tmp_path / "link")
    names = ["forecasts", tmp_path / "forecasts", f"file://{tmp_path}/forecasts", "link/forecasts"]
    assert len({lock_file(n) for n in names}) == 1
    assert lock_file("other") != lock_file("forecasts")
    with turnstile("forecasts"), turnstile("other"):
        pass


def test_a_remote_store_is_locked_with_the_results(tmp_path):
    remote = "memory://shop/forecasts"
    assert lock_file(remote, tmp_path).parent == tmp_path
    with turnstile(remote, tmp_path), pytest.raises(BusyError):
        turnstile(remote, tmp_path).__enter__()


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ArchiveError, match=r"no update can be made here.*--store DIR"):
        turnstile(tmp_path / "file" / "forecasts").__enter__()
