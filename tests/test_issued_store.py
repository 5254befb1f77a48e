"""What is issued has one id, one place in the order, and stays as it was."""

import datetime as dt
import errno
import json
import os
import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

import issued_made as made
from fairweather.errors import ArchiveError, FairweatherError
from fairweather.issued import ledger, local, manifest
from fairweather.issued.store import Store


@pytest.fixture
def root(tmp_path):
    return tmp_path / "forecasts"


# -- identity --------------------------------------------------------------------------------------


def test_the_id_is_of_content(root, tmp_path):
    files, facts = made.forecast()
    one = Store(root).issue(files, facts)
    shuffled = dict(reversed(files.items())), dict(reversed(facts.items()))
    assert Store(tmp_path / "elsewhere").issue(*shuffled).id == one.id
    assert one.id == manifest.sha256(
        (root / manifest.folder(one.id) / "manifest.json").read_bytes()
    )
    others = [
        (files | {"forecast.csv": b"year,value\n2025,1\n"}, facts),
        (files | {"claims.csv": b""}, facts),
        (files, facts | {"seed": 9}),
        (files, facts | {"data": facts["data"] | {"as_of": "2016-12-31"}}),
    ]
    ids = {manifest.sha256(manifest.compose(*other)) for other in others}
    assert len(ids) == 4 and one.id not in ids


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(json_values)
def test_canonical_json_says_the_same_and_is_written_one_way(value):
    data = manifest.canonical(value)
    assert json.loads(data) == value and manifest.canonical(json.loads(data)) == data
    assert data.count(b"\n") == 1


@pytest.mark.parametrize("facts", [
    {"x": float("nan")}, {"x": float("inf")}, {"x": {1, 2}}, {"x": b"1"}, {1: 2, "a": 3},
    {"x": "\ud800"},
])  # fmt: skip
def test_facts_must_be_strict_json(root, facts):
    with pytest.raises(ArchiveError, match=r"not strict JSON .* Hand over text"):
        Store(root).issue({"a": b""}, facts)
    assert not root.exists()


@pytest.mark.parametrize("names", [
    [], ["manifest.json"], ["Manifest.JSON"], ["../a"], ["a/b"], [".a"], [""], ["a b"],
    ["a.csv", "A.csv"], ["x" * 101],
])  # fmt: skip
def test_names_of_files(root, names):
    with pytest.raises(ArchiveError, match=r"nothing to issue|cannot be the name"):
        Store(root).issue(dict.fromkeys(names, b""), {})
    assert not root.exists()


def test_a_headline_of_any_facts():
    odd = {"data": "x", "readings": [], "priors": {"id": {"a": 1}}, "focal": ["CHN"], "origin": 0}
    shown = manifest.headline(odd)
    assert shown.keys() == manifest.HEADLINE.keys()
    assert shown["origin"] == 0 and shown["priors"] == "a" and shown["as_of"] is None


# -- issue -----------------------------------------------------------------------------------------


def test_issue_and_read_back(root):
    store, said = made.store(root)
    files, facts = made.forecast()
    one = store.issue(files, facts)
    assert (one.serial, one.new, one.clock_behind) == (1, True, False)
    again = store.open(one.id)
    assert again == one.__class__(**{**vars(one), "new": False})
    assert again.facts == facts and {n: again.read(n) for n in again.files} == files
    assert again.table("forecast.csv").values.tolist() == [[2025, 0]]
    assert again.entry_hash == store.head()[1] and store.head()[0] == 1
    with pytest.raises(ArchiveError, match=r"has no file 'x.csv'. It has forecast.csv, run.json"):
        again.read("x.csv")
    assert len(store.verify()) == 0 and said == []


def test_issued_again_changes_nothing(root):
    store, said = made.store(root, 2)
    before = made.everything(root)
    times = {p: p.stat().st_mtime_ns for p in root.rglob("*") if p.name != "index.sqlite"}
    again = store.issue(*made.forecast(0))
    assert again.serial == 1 and again.new is False
    assert made.everything(root) == before and said == []
    assert times == {p: p.stat().st_mtime_ns for p in times}


def test_what_is_issued_is_read_only(root):
    store, _ = made.store(root, 1)
    ident = store.open(1).id
    folder = root / manifest.folder(ident)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o555
    fixed = [*folder.iterdir(), root / "ledger" / "00000001.json", root / "store.json"]
    assert {stat.S_IMODE(p.stat().st_mode) for p in fixed} == {0o444}


def test_layout_and_ledger_entry(root):
    made.store(root, 2)
    assert sorted(os.listdir(root)) == ["index.sqlite", "ledger", "objects", "store.json"]
    assert sorted(os.listdir(root / "ledger")) == ["00000001.json", "00000002.json"]
    first, second = ((root / "ledger" / n).read_bytes() for n in ("00000001.json", "00000002.json"))
    entry = json.loads(second)
    assert entry["previous"] == manifest.sha256(first) and entry["serial"] == 2
    assert entry["headline"] == {
        "focal": "CHN-RUS", "origin": 2024, "as_of": None, "readings": "elastic-side",
        "priors": "default", "horizon": 5, "chance": 0.15,
    }  # fmt: skip
    assert dt.datetime.fromisoformat(entry["issued_at"]).tzinfo is not None
    assert str(root).encode() not in b"".join(made.everything(root).values())


def test_an_object_without_an_entry_is_completed(root):
    store, _ = made.store(root, 2)
    os.unlink(root / "ledger" / "00000002.json")
    [row] = store.verify().to_dict("records")
    assert row["severity"] == "unfinished" and row["problem"] == "is whole but not issued"
    one = store.issue(*made.forecast(1))
    assert one.serial == 2 and one.new and len(store.verify()) == 0


def test_a_lost_object_is_restored_by_issuing_again(root):
    store, _ = made.store(root, 2)
    os.rename(root / manifest.folder(store.open(1).id), root.parent / "aside")
    assert len(store.verify()) == 1
    one = store.issue(*made.forecast(0))
    assert (one.serial, one.new) == (1, False) and len(store.verify()) == 0


def test_issuing_again_over_a_changed_file_is_refused(root):
    store, _ = made.store(root, 1)
    name = manifest.folder(store.open(1).id)
    made.overwrite(root / name / "forecast.csv", b"year,value\n2025,9\n")
    with pytest.raises(ArchiveError, match=r"forecast.csv' was changed.*Or move 'objects/"):
        store.issue(*made.forecast(0))
    with pytest.raises(ArchiveError, match=r"forecast.csv: was changed after it was issued"):
        store.open(1).read("forecast.csv")
    (root / name / "forecast.csv").unlink()
    with pytest.raises(ArchiveError, match=r"forecast.csv: cannot be read"):
        store.open(1).read("forecast.csv")


def test_a_clock_set_back_is_noticed(root, monkeypatch):
    store, _ = made.store(root)
    late, early = (dt.datetime(2026, 5, day, tzinfo=dt.UTC) for day in (2, 1))
    behind = []
    for k, at in enumerate((late, early, early, late)):
        monkeypatch.setattr(ledger, "now", lambda at=at: at)
        behind.append(store.issue(*made.forecast(k)).clock_behind)
    assert behind == [False, True, False, False]
    assert [e["serial"] for e in store.entries()] == [1, 2, 3, 4]
    assert store.list()["clock"].tolist() == ["", "behind", "", ""]
    assert len(store.verify()) == 0 and store.open(2).clock_behind


# -- what is no store, or cannot be used -----------------------------------------------------------


def test_no_store(root):
    for use in (lambda s: s.entries(), lambda s: s.open("latest"), lambda s: s.verify(),
                lambda s: s.head()):  # fmt: skip
        with pytest.raises(ArchiveError, match=r"nothing has been issued in .*fairweather issue"):
            use(Store(root))
    assert not root.exists(), "looking must not make a store"


def test_a_folder_that_holds_something_else(root):
    root.mkdir()
    (root / "notes.txt").touch()
    for use in (lambda s: s.entries(), lambda s: s.issue(*made.forecast())):
        with pytest.raises(ArchiveError, match=r"is no store .* Name another folder"):
            use(Store(root))
    assert os.listdir(root) == ["notes.txt"]


def test_a_file_in_its_place(root):
    root.touch()
    with pytest.raises(ArchiveError, match="cannot issue into"):
        Store(root).issue(*made.forecast())
    with pytest.raises(ArchiveError, match="nothing has been issued"):
        Store(root).entries()


@pytest.mark.parametrize(("note", "problem"), [
    (b'{"format":2,"later":[]}', r"has format 2, this version reads 1. Update fairweather"),
    (b"{", r"store.json of the store .* is damaged. Restore it"),
    (b"[]", "damaged"), (b'{"format":"x"}', "damaged"),
])  # fmt: skip
def test_a_newer_or_damaged_format(root, note, problem):
    store, _ = made.store(root, 1)
    made.overwrite(root / "store.json", note)
    before = made.everything(root)
    for use in (store.entries, store.head, lambda: store.open(1),
                lambda: store.issue(*made.forecast(1))):  # fmt: skip
        with pytest.raises(ArchiveError, match=problem):
            use()
    rows = store.verify()
    assert rows["file"].tolist() == ["store.json"] and made.everything(root) == before


@pytest.mark.parametrize("harm", [
    lambda folder: (folder / "00000001.json").unlink(),
    lambda folder: made.overwrite(folder / "00000002.json", b"{}"),
    lambda folder: made.overwrite(
        folder / "00000002.json", (folder / "00000002.json").read_bytes()[:-9]),
])  # fmt: skip
def test_nothing_is_added_to_a_damaged_ledger(root, harm):
    store, said = made.store(root, 2)
    harm(root / "ledger")
    with pytest.raises(ArchiveError, match=r"nothing can be added to it.*fairweather verify"):
        store.issue(*made.forecast(2))
    assert len(store.entries()) == 1 and "the ledger is damaged" in said[-1]


# -- finding one -----------------------------------------------------------------------------------


def test_by_serial_id_prefix_and_latest(root):
    store, _ = made.store(root, 12)
    ids = [e["id"] for e in store.entries()]
    for key in (3, "3", " 3 ", "00000003", ids[2], ids[2].upper(), ids[2][:12]):
        assert store.open(key).id == ids[2]
    assert store.open("latest").serial == store.open("LATEST").serial == 12


@pytest.mark.parametrize(
    "key", ["13", 0, -1, "abc", "zzzz", "", "f" * 64, "f" * 99, "1.5", "../.."]
)
def test_unknown_names(root, key):
    store, _ = made.store(root, 1)
    with pytest.raises(ArchiveError, match=r"there is no forecast .*serial from 1 to 1, 4 or more"):
        store.open(key)


def test_an_ambiguous_prefix(root, monkeypatch):
    store, _ = made.store(root, 2)
    true = [e["id"] for e in store.entries()]
    alike = [{**e, "id": "abcd" + str(k) + e["id"][5:]} for k, e in enumerate(store.entries())]
    monkeypatch.setattr(store._book, "entries", lambda: alike)
    with pytest.raises(ArchiveError, match=r"'abcd' could be any of 2 .*abcd0.*abcd1.*more digits"):
        store.open("abcd")
    assert store.place.exists(manifest.folder(true[0]))


# -- a disk that refuses ---------------------------------------------------------------------------


@pytest.fixture
def read_only(monkeypatch):
    """Permission bits do not hold for root: every call that would write fails as on a CD."""

    def refuse():
        def no(*_, **__):
            raise OSError(errno.EROFS, "Read-only file system")

        opens = os.open

        def look(path, flags, *args, **kwargs):
            return (
                no() if flags & (os.O_WRONLY | os.O_RDWR) else opens(path, flags, *args, **kwargs)
            )

        for name in ("mkdir", "rename", "replace", "link", "unlink", "chmod", "rmdir"):
            monkeypatch.setattr(os, name, no)
        monkeypatch.setattr(os, "open", look)
        monkeypatch.setattr(local.tempfile, "mkstemp", no)
        monkeypatch.setattr(local.tempfile, "mkdtemp", no)

    return refuse


def test_a_read_only_store_can_be_read(root, read_only):
    store, said = made.store(root, 3)
    read_only()
    assert len(store.entries()) == 3 and said == []
    assert store.open("latest").read("run.json") and len(store.verify()) == 0
    assert store.issue(*made.forecast(1)).new is False
    with pytest.raises(ArchiveError) as caught:
        store.issue(*made.forecast(9))
    assert "Read-only file system" in str(caught.value)
    assert "Make it writable, or issue into another store: --store DIR" in str(caught.value)


def test_a_read_only_store_without_its_index_is_listed(root, read_only):
    store, said = made.store(root, 3)
    (root / "index.sqlite").unlink()
    read_only()
    assert len(store.entries()) == 3
    assert "was missing; it cannot be written here, so the ledger was read" in said[0]


def test_a_store_that_cannot_be_made(root, read_only):
    read_only()
    with pytest.raises(FairweatherError, match="Make it writable"):
        Store(root).issue(*made.forecast())
