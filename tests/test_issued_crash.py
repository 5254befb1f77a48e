"""A crash at any moment, a full disk and two commands at once leave nothing half issued."""

import errno
import os
import random
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import issued_made as made
from fairweather.errors import ArchiveError, RecordError
from fairweather.issued import check, index, local, manifest
from fairweather.issued.store import Store

CHILD = Path(__file__).with_name("issued_child.py")
HARMLESS = {"unfinished": "is whole but not issued", "leftover": "was left by an interrupted issue"}


def child(store, first, count, step=1):
    return subprocess.Popen(
        [sys.executable, "-B", str(CHILD), str(store), *map(str, (first, count, step))],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=made.environment(),
    )  # fmt: skip


def only_harmless(store):
    """Nothing half-visible: what is wrong is at most an unfinished issue or a leftover."""
    rows = check.problems(store.place)
    for row in rows:
        assert row["problem"].startswith(HARMLESS.get(row["severity"], "!")), row
    return rows


# -- kill ------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("part", range(10))
def test_killed_at_random_moments(tmp_path, part):
    # A hundred kills in all; ten to a store, so that each also meets what earlier ones left.
    rng = random.Random(part)
    store, _ = made.store(tmp_path / "forecasts", 1)
    for k in range(1, 11):
        process = child(store.place.root, 1000 * k, 1000)
        assert process.stdout.readline() == "ready\n", process.stderr.read()
        # After some issues rather than some time: a busy machine must not spare the child.
        lines = [process.stdout.readline() for _ in range(rng.randrange(3))]
        time.sleep(rng.uniform(0, 0.015))
        process.kill()
        out, errors = process.communicate()
        assert process.returncode == -9 and errors == ""
        only_harmless(store)
        issued = store.entries()
        # What the process said it had issued, is.
        lines += out.splitlines()
        told = [int(line.split()[0]) for line in lines if line.rstrip().endswith("True")]
        assert len(issued) >= max(told, default=0)
        assert store.issue(*made.forecast(k)).serial == len(issued) + 1
    assert {r["severity"] for r in only_harmless(store)} <= set(HARMLESS)


class Killed(BaseException):
    """The process is gone: not even a ``finally`` gets anything done."""


CALLS = ("open", "write", "fsync", "fchmod", "chmod", "rename", "replace", "link", "unlink", 
         "mkdir", "rmdir", "close")  # fmt: skip
NEEDED = ("close",)


def die_at(monkeypatch, step):
    """Let `step` calls to the system pass, and none after them; count those that pass."""
    passed = []

    def wrap(name):
        true = getattr(os, name)

        def call(*args, **kwargs):
            if len(passed) >= step:
                if name in NEEDED:  # A dead process has no open files either.
                    true(*args, **kwargs)
                raise Killed(name)
            passed.append(name)
            return true(*args, **kwargs)

        monkeypatch.setattr(os, name, call)

    for name in CALLS:
        wrap(name)
    return passed


def test_killed_between_any_two_calls_to_the_system(tmp_path):
    step, done = 0, False
    while not done:
        root = tmp_path / str(step)
        store, _ = made.store(root, 1)
        with pytest.MonkeyPatch.context() as patch:
            passed = die_at(patch, step)
            try:
                store.issue(*made.forecast(1))
                done = True
            except Killed:
                pass
        only_harmless(store)
        assert [e["serial"] for e in store.entries()] in ([1], [1, 2])
        assert store.issue(*made.forecast(1)).serial == 2
        assert {r["severity"] for r in only_harmless(store)} <= {"leftover"}
        step += 1
    assert step > 20 and {"link", "rename", "fsync"} <= set(passed)


def test_killed_while_the_store_is_made(tmp_path):
    for step in range(12):
        store, _ = made.store(tmp_path / str(step))
        with pytest.MonkeyPatch.context() as patch:
            die_at(patch, step)
            with pytest.raises(Killed):
                store.issue(*made.forecast(0))
        assert store.issue(*made.forecast(0)).serial == 1
        only_harmless(store)


def test_leftovers_are_swept_after_a_day(tmp_path):
    store, _ = made.store(tmp_path, 1)
    for name in (".partial-old", ".partial-young"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x").touch()
    (tmp_path / ".partial-file").touch()
    for name in (".partial-old", ".partial-file"):
        os.utime(tmp_path / name, (time.time() - 2 * 86_400,) * 2)
    assert store.verify()["severity"].tolist() == ["leftover"] * 3
    store.issue(*made.forecast(0))
    assert store.place.leftovers() == [".partial-young"]


# -- a full disk -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["write", "fsync", "mkdir", "rename", "link"])
@pytest.mark.parametrize("nth", range(6))
def test_a_full_disk(tmp_path, name, nth):
    store, said = made.store(tmp_path / "forecasts", 2)
    before = made.frozen(tmp_path)
    calls = []
    true = getattr(os, name)

    def full(*args, **kwargs):
        calls.append(args)
        if len(calls) > nth:
            raise OSError(errno.ENOSPC, "No space left on device")
        return true(*args, **kwargs)

    failed = None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, name, full)
        try:
            store.issue(*made.forecast(2))
        except ArchiveError as err:
            failed = err
    if len(calls) > nth:
        assert "No space left on device" in str(failed) and "Free some space" in str(failed)
    rows = only_harmless(store)
    assert not [r for r in rows if r["severity"] == "leftover"], "a refusal cleans up"
    after = made.frozen(tmp_path)
    assert {k: after[k] for k in before} == before
    assert store.issue(*made.forecast(2)).serial == 3 and len(store.verify()) == 0
    assert said == []


def test_writes_cut_short_by_the_system_go_on(tmp_path, monkeypatch):
    true = os.write
    monkeypatch.setattr(os, "write", lambda handle, data: true(handle, bytes(data[:3])))
    store, _ = made.store(tmp_path / "forecasts", 2)
    assert len(store.verify()) == 0


def test_an_index_that_cannot_be_written_stops_no_issue(tmp_path, monkeypatch):
    store, said = made.store(tmp_path / "forecasts", 1)

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(index, "append", full)
        assert store.issue(*made.forecast(1)).new
    assert "is issued; its index could not be written" in said[0]
    assert len(store.entries()) == 2 and "not in step" in said[1]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
def test_the_device_that_is_always_full(tmp_path):
    with pytest.raises(ArchiveError, match=r"No space left.*Free some space"), local._told("x"):
        local._fill(os.open("/dev/full", os.O_WRONLY), b"x")


def mounted(folder):
    """A small disk of its own, where that is permitted."""
    if shutil.which("mount") is None or os.geteuid() != 0:
        return False
    args = ["mount", "-t", "tmpfs", "-o", "size=256k", "fairweather-test", str(folder)]
    return subprocess.run(args, capture_output=True, check=False).returncode == 0


def test_a_disk_that_is_really_full(tmp_path):
    if not mounted(tmp_path):
        pytest.skip("no disk may be mounted here")
    try:
        store, _ = made.store(tmp_path / "forecasts", 1)
        big = {"draws.parquet": os.urandom(400_000)}
        with pytest.raises(ArchiveError, match=r"No space left on device.*Free some space"):
            store.issue(big, {})
        assert len(store.verify()) == 0 and len(store.entries()) == 1
        assert store.issue(*made.forecast(1)).serial == 2
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


# -- two at once -----------------------------------------------------------------------------------


def test_two_processes_issue_at_once(tmp_path):
    root = tmp_path / "forecasts"
    processes = [child(root, first, 12, 2) for first in (0, 1)]
    out = []
    for process in processes:
        said, errors = process.communicate(timeout=120)
        assert process.returncode == 0 and errors == "", errors
        out += [line.split() for line in said.splitlines()[1:]]
    assert sorted(int(serial) for serial, _ in out) == list(range(1, 25))
    assert {new for _, new in out} == {"True"}
    assert len(Store(root).verify()) == 0


def test_two_processes_issue_the_same(tmp_path):
    root = tmp_path / "forecasts"
    processes = [child(root, 0, 8) for _ in range(2)]
    out = []
    for process in processes:
        said, errors = process.communicate(timeout=120)
        assert process.returncode == 0 and errors == "", errors
        out += [line.split() for line in said.splitlines()[1:]]
    assert sorted(int(serial) for serial, _ in out) == sorted([*range(1, 9)] * 2)
    assert [new for _, new in out].count("True") == 8
    assert len(Store(root).verify()) == 0


def test_without_the_lock_the_ledger_entry_decides(tmp_path, monkeypatch):
    monkeypatch.setattr(local, "_wait", lambda *_: None)
    root = tmp_path / "forecasts"
    made.store(root, 1)
    serials, failed = [], []

    def issue(first):
        store = Store(root, say=lambda text: None)
        for k in range(first, first + 40, 4):
            try:
                serials.append(store.issue(*made.forecast(k)).serial)
            except Exception as err:
                failed.append(err)

    threads = [threading.Thread(target=issue, args=(k,)) for k in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == [] and sorted(serials) == list(range(2, 42))
    assert len(Store(root).verify()) == 0


def test_a_disk_that_locks_no_folders(tmp_path, monkeypatch):
    def no(*_):
        raise OSError(errno.EBADF, "Bad file descriptor")

    monkeypatch.setattr(local, "alone", no)
    assert made.store(tmp_path, 2)[0].open("latest").serial == 2


def test_a_disk_without_hard_links(tmp_path, monkeypatch):
    def no(*_):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", no)
    with pytest.raises(ArchiveError, match=r"without hard links.*another disk: --store DIR"):
        Store(tmp_path).issue(*made.forecast())


def test_a_folder_left_open_by_a_crash_is_closed(tmp_path):
    store, _ = made.store(tmp_path, 1)
    folder = tmp_path / manifest.folder(store.open(1).id)
    folder.chmod(0o755)
    store.issue(*made.forecast(0))
    assert folder.stat().st_mode & 0o777 == 0o555


def test_waiting_has_an_end(tmp_path, monkeypatch):
    store, _ = made.store(tmp_path, 1)
    monkeypatch.setattr(local, "_PATIENCE", 0.05)
    with store.place.turn(), pytest.raises(RecordError, match=r"is issuing into .* Wait"):
        Store(tmp_path).issue(*made.forecast(1))
    assert Store(tmp_path).issue(*made.forecast(1)).serial == 2
