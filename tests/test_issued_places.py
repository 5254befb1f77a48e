"""Every kind of place keeps the same few promises."""

import subprocess
import sys
import uuid

import pytest

import issued_made as made
from fairweather.errors import ArchiveError
from fairweather.issued.places import place
from fairweather.issued.store import Store


@pytest.fixture(params=["folder", "file", "memory"])
def location(request, tmp_path):
    return {
        "folder": str(tmp_path / "forecasts"),
        "file": f"file://{tmp_path}/forecasts",
        "memory": f"memory://{uuid.uuid4().hex}/forecasts",
    }[request.param]


@pytest.fixture
def here(location):
    return place(location)


def test_nothing_is_there_at_first(here):
    assert here.names() == here.names("ledger") == here.leftovers() == []
    assert not here.exists("ledger") and not here.exists("")
    with pytest.raises(FileNotFoundError):
        here.read("store.json")
    assert here.read_many([]) == {} and here.read_many(["a"]) == {}


def test_a_file_is_created_once(here):
    assert here.put_new("ledger/1.json", b"one") is True
    assert here.put_new("ledger/1.json", b"two") is False
    assert here.read("ledger/1.json") == b"one" and here.exists("ledger/1.json")
    assert here.put_new("empty", b"") and here.read("empty") == b""
    assert here.names() == ["empty", "ledger"] and here.names("ledger") == ["1.json"]


def test_a_folder_is_published_once(here):
    files = {"manifest.json": b"{}", "a.csv": b"x" * 100_000, "b.csv": b""}
    assert here.publish_folder("objects/ab/abc", files, "manifest.json") is True
    assert here.publish_folder("objects/ab/abc", {"manifest.json": b"!"}, "manifest.json") is False
    assert here.names("objects/ab/abc") == ["a.csv", "b.csv", "manifest.json"]
    assert {n: here.read(f"objects/ab/abc/{n}") for n in files} == files
    assert here.exists("objects/ab") and here.names("objects") == ["ab"]
    assert here.leftovers() == []


def test_many_are_read_at_once(here):
    for k in range(3):
        here.put_new(f"ledger/{k}", bytes([k]))
    names = [f"ledger/{k}" for k in range(3)]
    assert here.read_many(names) == {n: bytes([k]) for k, n in enumerate(names)}
    assert here.read_many(names[:1]) == {"ledger/0": b"\0"}
    assert here.read_many([*names, "ledger/none"]).keys() == set(names)


def test_sweeping_an_unused_place_and_taking_turns(here):
    with here.turn():
        here.sweep()
        assert here.put_new("a", b"x")
    with here.turn():
        assert here.names() == ["a"]


def test_the_same_store_everywhere(location):
    store, said = made.store(location, 3)
    assert [e["serial"] for e in store.entries()] == [1, 2, 3]
    assert store.issue(*made.forecast(1)).new is False
    assert store.open("latest").read("forecast.csv") == made.forecast(2)[0]["forecast.csv"]
    assert store.list()["focal"].tolist() == ["CHN-RUS"] * 3
    assert len(store.verify()) == 0 and said == []
    elsewhere, _ = made.store(f"memory://{uuid.uuid4().hex}", 3)
    assert [e["id"] for e in elsewhere.entries()] == [e["id"] for e in store.entries()]


# -- remote only -----------------------------------------------------------------------------------


@pytest.fixture
def remote():
    return made.store(f"memory://{uuid.uuid4().hex}")[0]


def test_whoever_loses_the_race_for_a_serial_takes_the_next(remote, monkeypatch):
    rival = Store(remote.place.location)
    remote.issue(*made.forecast(0))
    put = remote.place.put_new

    def late(name, data):
        if name == "ledger/00000002.json":
            rival.issue(*made.forecast(7))
        return put(name, data)

    monkeypatch.setattr(remote.place, "put_new", late)
    one = remote.issue(*made.forecast(1))
    assert one.serial == 3 and one.new and rival.open(2).facts["seed"] == 7
    assert len(remote.verify()) == 0


def test_whoever_loses_the_race_for_the_same_forecast_has_it(remote, monkeypatch):
    rival = Store(remote.place.location)
    remote.issue(*made.forecast(0))
    put = remote.place.put_new

    def late(name, data):
        if name == "ledger/00000002.json":
            rival.issue(*made.forecast(1))
        return put(name, data)

    monkeypatch.setattr(remote.place, "put_new", late)
    one = remote.issue(*made.forecast(1))
    assert one.serial == 2 and one.new is False
    assert len(remote.entries()) == 2 and len(remote.verify()) == 0


def test_an_entry_that_never_appears_ends_in_a_refusal(remote, monkeypatch):
    monkeypatch.setattr(remote.place, "put_new", lambda name, data: "ledger" not in name)
    with pytest.raises(ArchiveError, match="all the time"):
        remote.issue(*made.forecast())


def test_an_upload_cut_short_is_not_seen_and_is_completed(remote, monkeypatch):
    remote.issue(*made.forecast(0))
    pipe, calls = remote.place.fs.pipe_file, []

    def cut(path, *args, **kwargs):
        calls.append(path)
        if len(calls) > 1:
            raise ConnectionError("the line went dead")
        return pipe(path, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(type(remote.place.fs), "pipe_file", lambda self, *a, **k: cut(*a, **k))
        with pytest.raises(ArchiveError, match=r"ConnectionError: the line went dead.*network"):
            remote.issue(*made.forecast(1))
    assert [e["serial"] for e in remote.entries()] == [1]
    assert remote.verify()["severity"].unique().tolist() == ["damage", "unfinished"]
    assert remote.issue(*made.forecast(1)).serial == 2
    assert len(remote.verify()) == 0


@pytest.mark.parametrize("address", ["nowhere9://x", "s3://bucket/x"])
def test_an_address_that_cannot_be_reached(address, monkeypatch):
    monkeypatch.setitem(sys.modules, "s3fs", None)
    with pytest.raises(ArchiveError, match=r"cannot be reached .* Check the address"):
        Store(address)


def test_fsspec_is_imported_for_remote_stores_only(tmp_path):
    code = (
        "import sys; from fairweather.issued import Store; "
        f"s = Store({str(tmp_path / 's')!r}); s.issue({{'a': b'1'}}, {{}}); s.entries(); "
        "print([m for m in ('fsspec', 'pandas', 'numpy', 'rich', 'pyarrow') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        env=made.environment(),
    )  # fmt: skip
    assert done.stdout.strip() == "[]", done.stderr
