"""An update killed at any moment is finished by the next one, and issues exactly once."""

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

import issued_made
import made_update as made
from fairweather.issued import Store
from fairweather.record import load_record
from fairweather.updating import run, update

CHILD = Path(__file__).with_name("updating_child.py")
HARMLESS = {"unfinished", "leftover"}


class Child:
    """The process that forks updates."""

    def __init__(self, data):
        env = issued_made.environment()
        env["PYTHONPATH"] += f":{CHILD.parent}"
        self.process = subprocess.Popen(
            [sys.executable, "-B", str(CHILD), str(data)], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True, env=env,
        )  # fmt: skip
        assert self.line() == "ready"

    def line(self):
        return self.process.stdout.readline().strip()

    def begin(self, *words):
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        return int(self.line())

    def wait(self):
        """How it ended: what it said, and the signal that ended it."""
        said, line = "", self.line()
        while not line.startswith("ended"):
            said, line = line, self.line()
        return said, int(line.split()[1])

    def close(self):
        self.process.kill()
        self.process.communicate()


@pytest.fixture(scope="module")
def child(tmp_path_factory):
    data = made.world(tmp_path_factory.mktemp("first")).data
    one = Child(data)
    yield one
    one.close()


def sound(world, serial):
    """Nothing is half visible: the record can be read, and the store is as it was issued."""
    load_record(world.data)
    store = Store(world.store, say=lambda text: None)
    if not Path(world.store).is_dir():
        return 0
    entries = [e["serial"] for e in store.entries()] if any(store.place.names()) else []
    assert entries in (list(range(1, serial)), list(range(1, serial + 1)))
    wrong = store.verify() if entries else None
    assert wrong is None or set(wrong["severity"]) <= HARMLESS, wrong
    for folder in Path(world.results).glob("[0-9]*"):
        assert (folder / "run.json").is_file(), "a run is whole or not there"
    return len(entries)


KILLS, PARTS = 10, 4


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_killed_at_random_moments(tmp_path, child, part):
    rng = random.Random(2016 + part)
    world = made.world(tmp_path / "w")
    # How long a whole one takes here, now.
    began = time.monotonic()
    child.begin(world.root)
    assert child.wait() == ("issued", 0)
    whole, serial = time.monotonic() - began, 1
    killed = 0
    while killed < KILLS:
        serial += 1
        # Each release is another one: votes of 2025, revised every time.
        letters = ("Y" * 12 + "N" * 6)[serial % 7 :][:12]
        file = made.votes(tmp_path, f"{serial}.csv", russia=letters)
        day = f"2026-{2 + serial // 28:02d}-{1 + serial % 28:02d}"
        done = False
        while not done:
            process = child.begin(world.root, file, day)
            time.sleep(rng.uniform(0.0, 1.1 * whole))
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
            said, status = child.wait()
            killed += status == 9
            issued = sound(world, serial)
            assert said == "" or issued == serial
            # Now and then the next one is let run, without the file: it finishes the job.
            done = status == 0 or killed % 3 == 0
        child.begin(world.root, file, day)
        assert child.wait()[0] in ("issued", "nothing-new")
        child.begin(world.root)
        assert child.wait() == ("nothing-new", 0)
        assert sound(world, serial) == serial
    left = Store(world.store, say=lambda text: None).verify()
    assert set(left["severity"]) <= {"leftover"}


class Killed(BaseException):
    """The process is gone."""


STEPS = {
    "before the import": ("fairweather.updating.run", "bring"),
    "after the import": ("fairweather.record", "load_record"),
    "before a fit": ("fairweather.updating.renewing", "fit_again"),
    "before a forecast": ("fairweather.updating.renewing", "foresee"),
    "before the archive": ("fairweather.archive", "save_results"),
    "before the issue": ("fairweather.updating.run", "issue"),
    "within the issue": ("fairweather.issued.book.Book", "enter"),
    "after the issue": ("fairweather.updating.run", "_told"),
}


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    w = made.world(tmp_path_factory.mktemp("base"))
    with pytest.MonkeyPatch.context() as patch:
        made.quick(patch.setattr)
        update(made.asked(w))
    return w


@pytest.mark.parametrize("step", STEPS)
def test_killed_between_two_steps(base, tmp_path, monkeypatch, step):
    import shutil
    from types import SimpleNamespace

    made.quick(monkeypatch.setattr)
    monkeypatch.setattr(run, "_told", lambda done, *rest: done)
    root = tmp_path / "w"
    shutil.copytree(base.root, root)
    world = SimpleNamespace(
        root=root, data=root / "data", store=str(root / "forecasts"), results=str(root / "results")
    )
    file = made.votes(tmp_path)

    def die(*_, **__):
        raise Killed(step)

    where, name = STEPS[step]
    with monkeypatch.context() as patch:
        patch.setattr(f"{where}.{name}", die)
        with pytest.raises(Killed):
            update(made.asked(world, release=made.release(file)))
    sound(world, 2)
    taken = 2025 in set(load_record(world.data).observations["year"])
    assert taken == (step != "before the import")
    # Without the file where it was taken in, with it where it was not.
    done = update(made.asked(world, release=None if taken else made.release(file)))
    assert done.status == ("nothing-new" if step == "after the issue" else "issued")
    assert done.one.serial == 2 and len(Store(world.store).verify()) == 0
    assert update(made.asked(world, release=made.release(file))).status == "nothing-new"
    assert len(list(Path(world.results).glob("2025-*"))) == 1
