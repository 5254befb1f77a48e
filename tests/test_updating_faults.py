"""Full and read-only disks, two at once, a broken index, a clock set back: nothing is lost."""

import datetime as dt
import errno
import tempfile
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

import made_update as made
import test_updating_run as whole
from fairweather.errors import ArchiveError, FairweatherError, SourceError
from fairweather.issued import Store, ledger
from fairweather.record import load_record
from fairweather.updating import BusyError, update
from fairweather.updating.intake import bring
from fairweather.updating.renewing import last_of

base, calls, world = whole.base, whole.calls, whole.world


def full(*_, **__):
    raise OSError(errno.ENOSPC, "No space left on device")


def read_only(*_, **__):
    raise OSError(errno.EROFS, "Read-only file system")


def with_votes(world, **options):
    file = made.votes(world.root.parent)
    return made.asked(world, release=made.release(file), **options)


@pytest.mark.parametrize(
    ("place", "taken"),
    [
        ("fairweather.coding.release.to_csv_text", False),
        ("fairweather.archive._write_tree", True),
        ("os.fsync", True),
    ],
    ids=["import", "run", "issue"],
)
def test_a_full_disk(world, monkeypatch, place, taken):
    before = made.everything(world)
    with monkeypatch.context() as patch:
        patch.setattr(place, full)
        with pytest.raises((OSError, FairweatherError), match="No space left on device"):
            update(with_votes(world))
    after = made.everything(world)
    assert {k: after[k] for k in before if k != "data/datapackage.json"} == {
        k: v for k, v in before.items() if k != "data/datapackage.json"
    }
    assert (2025 in set(load_record(world.data).observations["year"])) == taken
    assert not list(Path(world.results).glob(".partial-*"))
    assert len(Store(world.store).verify()) == 0
    done = update(made.asked(world) if taken else with_votes(world))
    assert done.status == "issued" and done.one.serial == 2
    assert len(Store(world.store).verify()) == 0


def test_a_read_only_store_is_refused_before_anything_is_taken_in(world, calls, monkeypatch):
    before = made.everything(world)
    true = tempfile.TemporaryFile

    def some(*args, dir=None, **kwargs):
        return read_only() if str(dir) == world.store else true(*args, dir=dir, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(tempfile, "TemporaryFile", some)
        with pytest.raises(ArchiveError, match=r"cannot issue into .*Read-only.* --store DIR"):
            update(with_votes(world))
        assert made.everything(world) == before and calls == []
        # Whether there would be anything to do can still be asked.
        assert update(made.asked(world, dry_run=True)).status == "nothing-new"
    assert update(with_votes(world)).one.serial == 2


def test_a_read_only_record_bars_an_import_and_nothing_else(world, calls, monkeypatch):
    before = made.everything(world)
    true = tempfile.mkdtemp

    def some(suffix=None, prefix=None, dir=None):
        inside = dir is not None and Path(dir).is_relative_to(world.data)
        return read_only() if inside else true(suffix, prefix, dir)

    with monkeypatch.context() as patch:
        patch.setattr(tempfile, "mkdtemp", some)
        with pytest.raises((OSError, FairweatherError), match="Read-only"):
            update(with_votes(world))
        assert made.everything(world) == before and calls == []
        assert update(made.asked(world, horizon=3)).status == "issued"


def test_two_at_once(world, calls, monkeypatch):
    from fairweather.updating import renewing

    inside, go = threading.Event(), threading.Event()
    true = renewing.fit_again

    def slow(*args):
        inside.set()
        assert go.wait(60)
        return true(*args)

    monkeypatch.setattr(renewing, "fit_again", slow)
    ended = []

    def first():
        ended.append(update(with_votes(world)).status)

    thread = threading.Thread(target=first)
    thread.start()
    assert inside.wait(60)
    with pytest.raises(BusyError, match="another update of 'forecasts' is running"):
        update(made.asked(world))
    patient = []
    second = threading.Thread(target=lambda: patient.append(update(made.asked(world, wait=120.0))))
    second.start()
    go.set()
    thread.join(120)
    second.join(120)
    # The one that waited found it done.
    assert ended == ["issued"] and patient[0].status == "nothing-new"
    assert len(Store(world.store).entries()) == 2


def test_a_broken_index(world):
    (Path(world.store) / "index.sqlite").write_bytes(b"no database at all" * 99)
    done = update(with_votes(world))
    assert done.status == "issued" and done.one.serial == 2
    assert any("built anew" in note for note in done.notes)
    assert len(Store(world.store, say=lambda text: None).entries()) == 2


def test_a_clock_set_back(world, monkeypatch):
    back, now = dt.datetime(2001, 1, 1, 12, tzinfo=dt.UTC), time.time
    with monkeypatch.context() as patch:
        patch.setattr(ledger, "now", lambda: back)
        patch.setattr("time.time", lambda: back.timestamp())
        done = update(made.asked(world, horizon=1))
        assert done.one.serial == 2 and done.one.clock_behind
        assert any("clock stands before" in note for note in done.notes)
        # What the clock takes for the future is refused, and it is said what to do.
        with pytest.raises(SourceError, match=r"2026-02-06 .* clock says 2001-01-01.*set the clo"):
            update(with_votes(world, horizon=1))
        patch.setattr("time.time", now)
        bring(with_votes(world).release, world.data, dry_run=False)
        patch.setattr("time.time", lambda: back.timestamp())
        done = update(made.asked(world, horizon=1))
    assert done.one.serial == 3 and done.before.serial == 2
    # The order is that of the serials: the last one stands, though the first has the latest time.
    assert update(made.asked(world, horizon=1)).one.serial == 3
    assert len(Store(world.store).verify()) == 0


def test_the_run_to_start_from_is_the_one_the_forecast_names():
    def run(name, origin, created):
        facts = {"id": name, "model": {"origin": origin}, "created": created}
        return SimpleNamespace(id=name, run=facts)

    runs = [run("a", 2024, "2031-01-01"), run("b", 2025, "2001-01-01"), run("c", 2024, "2002")]
    assert last_of(runs, "c").id == "c"
    # Without a name what it reaches decides before any clock.
    assert last_of(runs, None).id == "b" and last_of(runs, "gone").id == "b"
    assert last_of([], "c") is None


def test_a_dry_run_of_a_first_update_makes_no_folder(tmp_path, calls, monkeypatch):
    w = made.world(tmp_path)
    monkeypatch.chdir(tmp_path)
    done = update(made.asked(w, store="forecasts", dry_run=True))
    assert done.status == "dry-run" and not (tmp_path / "forecasts").exists()
    assert not (tmp_path / ".forecasts.update").exists()
