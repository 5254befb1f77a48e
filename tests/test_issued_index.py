"""The index makes lists quick, and nothing depends on it."""

import os
import random
import sqlite3
from contextlib import closing

import pytest

import issued_made as made
from fairweather.issued import index, ledger


@pytest.fixture
def root(tmp_path):
    return tmp_path / "forecasts"


def harm(name):
    def wrap(function):
        HARM[name] = function
        return function

    return wrap


HARM = {}


@harm("missing")
def _missing(path):
    path.unlink()


@harm("random bytes")
def _random(path):
    path.write_bytes(random.Random(1).randbytes(8192))


@harm("truncated")
def _truncated(path):
    path.write_bytes(path.read_bytes()[:5000])


@harm("empty")
def _empty(path):
    path.write_bytes(b"")


@harm("text")
def _text(path):
    path.write_text("no database\n" * 1000)


@harm("another schema")
def _schema(path):
    path.unlink()
    with closing(sqlite3.connect(path)) as base, base:
        base.execute("CREATE TABLE entries (x)")
        base.execute("PRAGMA user_version = 1")


@harm("another version")
def _version(path):
    with closing(sqlite3.connect(path)) as base, base:
        base.execute("PRAGMA user_version = 99")


@harm("behind")
def _behind(path):
    with closing(sqlite3.connect(path)) as base, base:
        base.execute("DELETE FROM entries WHERE serial = (SELECT max(serial) FROM entries)")


@harm("ahead")
def _ahead(path):
    with closing(sqlite3.connect(path)) as base, base:
        base.execute("INSERT INTO entries VALUES (9, 'x', x'7b7d')")


@harm("emptied")
def _emptied(path):
    with closing(sqlite3.connect(path)) as base, base:
        base.execute("DELETE FROM entries")


@harm("a row changed")
def _row(path):
    with closing(sqlite3.connect(path)) as base, base:
        base.execute("UPDATE entries SET entry = replace(entry, 'CHN', 'IND') WHERE serial = 1")


@harm("rows of another kind")
def _kind(path):
    with closing(sqlite3.connect(path)) as base, base:
        base.execute("UPDATE entries SET entry = 5 WHERE serial = 1")


@pytest.mark.parametrize("name", HARM)
def test_an_index_that_cannot_be_used_is_built_anew(root, name):
    store, said = made.store(root, 3)
    wanted = store.entries()
    assert said == []
    HARM[name](root / "index.sqlite")
    assert len(store.verify()) == 0 and said == [], "the index is not looked at"
    assert store.entries() == wanted
    assert len(said) == 1 and "built anew from the ledger" in said[0] and "index of" in said[0]
    assert store.entries() == wanted and len(said) == 1
    assert not [n for n in os.listdir(root) if n.startswith(".")]


@pytest.mark.parametrize("name", HARM)
def test_issuing_does_not_depend_on_the_index(root, name):
    store, _ = made.store(root, 3)
    HARM[name](root / "index.sqlite")
    assert store.issue(*made.forecast(1)).new is False
    HARM[name](root / "index.sqlite")
    assert store.issue(*made.forecast(3)).serial == 4
    assert [e["serial"] for e in store.entries()] == [1, 2, 3, 4]
    assert len(store.verify()) == 0


def test_ids_of_the_index_are_not_trusted(root):
    store, _ = made.store(root, 3)
    with closing(sqlite3.connect(root / "index.sqlite")) as base, base:
        base.execute("UPDATE entries SET id = 'x' || id WHERE serial = 1")
        base.execute("UPDATE entries SET id = (SELECT substr(id, 2) FROM entries WHERE serial = 1) "
                     "WHERE serial = 2")  # fmt: skip
    for k in (0, 1):
        one = store.issue(*made.forecast(k))
        assert one.serial == k + 1 and one.new is False


def test_any_flipped_byte_of_the_index_changes_no_list(root):
    store, _ = made.store(root, 3)
    wanted, path = store.entries(), root / "index.sqlite"
    whole, rng = path.read_bytes(), random.Random(3)
    for _ in range(150):
        data = bytearray(whole)
        for _ in range(rng.choice((1, 1, 20))):
            data[rng.randrange(len(data))] ^= rng.randrange(1, 256)
        path.write_bytes(data)
        assert store.entries() == wanted


def test_a_folder_in_its_place(root):
    store, said = made.store(root, 2)
    (root / "index.sqlite").unlink()
    (root / "index.sqlite").mkdir()
    assert len(store.entries()) == 2 and "the ledger was read" in said[0]
    assert store.issue(*made.forecast(2)).serial == 3


def test_an_index_of_another_ledger(root, tmp_path):
    store, said = made.store(root, 2)
    other, _ = made.store(tmp_path / "other")
    other.issue(*made.forecast(5))
    other.issue(*made.forecast(6))
    os.replace(tmp_path / "other" / "index.sqlite", root / "index.sqlite")
    assert [e["headline"] for e in store.entries()] and "not in step" in said[0]
    assert store.open(1).facts["seed"] == 0


def test_appending_leaves_a_gap_to_be_found(root):
    store, _ = made.store(root, 2)
    entry = ledger.write("f" * 64, {}, None)
    index.append(root / "index.sqlite", 9, "f" * 64, entry)
    index.append(root / "none.sqlite", 1, "f" * 64, entry)
    assert len(store.entries()) == 2 and not (root / "none.sqlite").exists()
