"""Any change to what was issued is found, in every kind of file, and named with its remedy."""

import os
import shutil

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import issued_made as made
from fairweather.errors import ArchiveError
from fairweather.issued import check, ledger, manifest
from fairweather.issued.places import place
from fairweather.issued.store import Store

COUNT = 3


@pytest.fixture
def root(tmp_path):
    made.store(tmp_path / "forecasts", COUNT)
    return tmp_path / "forecasts"


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    root = tmp_path_factory.mktemp("original") / "forecasts"
    made.store(root, COUNT)
    return root


def found(root):
    rows = check.problems(place(root))
    for row in rows:
        assert row.keys() == set(check.COLUMNS) and row["remedy"] and row["problem"] and row["file"]
    return rows


def test_a_sound_store(root):
    table = Store(root).verify()
    assert len(table) == 0 and list(table.columns) == list(check.COLUMNS)


# -- bytes -----------------------------------------------------------------------------------------


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_any_changed_byte_is_found(original, data):
    name = data.draw(st.sampled_from(sorted(made.frozen(original))))
    path = original / name
    whole = path.read_bytes()
    at = data.draw(st.integers(0, len(whole) - 1))
    bits = data.draw(st.integers(1, 255))
    changed = bytearray(whole)
    changed[at] ^= bits
    made.overwrite(path, changed)
    try:
        rows = found(original)
        assert name in [row["file"] for row in rows], "the file itself is named"
        assert any(row["severity"] == "damage" for row in rows)
    finally:
        made.overwrite(path, whole)
    assert found(original) == []


def test_every_kind_of_file_is_among_those_changed(original):
    kinds = {name.split("/")[0] for name in made.frozen(original)}
    last = {name.split("/")[-1] for name in made.frozen(original)}
    assert kinds == {"store.json", "ledger", "objects"}
    assert {"manifest.json", "forecast.csv", "run.json", "00000003.json"} <= last


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_truncated_file_is_found(original, data):
    name = data.draw(st.sampled_from(sorted(made.frozen(original))))
    path = original / name
    whole = path.read_bytes()
    made.overwrite(path, whole[: data.draw(st.integers(0, len(whole) - 1))])
    try:
        assert name in [row["file"] for row in found(original)]
    finally:
        made.overwrite(path, whole)


def test_a_removed_file_is_found(original, tmp_path):
    for name in made.frozen(original):
        aside = tmp_path / "aside"
        os.rename(original / name, aside)
        rows = found(original)
        if name != ledger.path(COUNT):
            assert (name, "is missing") in [(r["file"], r["problem"]) for r in rows]
        else:
            # Nothing follows the last entry: it shows by the forecast it leaves behind.
            assert [r["problem"] for r in rows] == ["is whole but not issued"]
            assert "if it had been issued, restore its ledger entry" in rows[0]["remedy"]
        os.rename(aside, original / name)
    assert found(original) == []


def test_spaces_and_order_in_an_entry_are_changes(root):
    path = root / ledger.path(COUNT)
    entry = ledger.read(path.read_bytes(), COUNT)
    made.overwrite(path, repr(entry).replace("'", '"').replace("None", "null").encode())
    assert ledger.path(COUNT) in {r["file"] for r in found(root)}


# -- the ledger ------------------------------------------------------------------------------------


def test_swapped_entries(root):
    one, two = (root / ledger.path(k) for k in (1, 2))
    data = one.read_bytes(), two.read_bytes()
    made.overwrite(one, data[1])
    made.overwrite(two, data[0])
    rows = {row["file"]: row["problem"] for row in found(root) if "ledger" in row["file"]}
    assert rows[ledger.path(1)] == "is the entry 2" and rows[ledger.path(2)] == "is the entry 1"


def test_a_middle_entry_removed_and_the_rest_moved_up(root):
    os.rename(root / ledger.path(3), root / ledger.path(2))
    rows = found(root)
    assert {r["problem"] for r in rows} == {"is the entry 3", "is whole but not issued"}


def sealed(entry, **changes):
    entry = {k: v for k, v in (entry | changes).items() if k != "seal"}
    return manifest.canonical(entry | {"seal": ledger.seal(entry)})


def test_an_entry_rewritten_with_a_new_seal(root):
    entry = ledger.read((root / ledger.path(2)).read_bytes(), 2)
    made.overwrite(root / ledger.path(2), sealed(entry, issued_at="2020-01-01T00:00:00Z"))
    rows = found(root)
    assert {(r["file"], r["problem"]) for r in rows} == {
        (ledger.path(2), "is wrong about the clock"),
        (ledger.path(3), "does not follow the entry before it"),
    }


def test_a_headline_that_is_not_the_manifests(root):
    entry = ledger.read((root / ledger.path(3)).read_bytes(), 3)
    made.overwrite(
        root / ledger.path(3), sealed(entry, headline=entry["headline"] | {"chance": 1.0})
    )
    [row] = found(root)
    assert row["problem"] == "says other than the manifest" and '"chance": 1.0' in row["found"]


def test_one_forecast_entered_twice(root):
    store = Store(root)
    first = ledger.read((root / ledger.path(1)).read_bytes(), 1)
    last = (root / ledger.path(3)).read_bytes()
    store.place.put_new(ledger.path(4), ledger.write(first["id"], first["headline"], last))
    assert [r["problem"] for r in found(root)] == ["issues the forecast of entry 1 again"]


def rewrite(root):
    """What someone who may write everything can do: drop a forecast and renew the chain."""
    entries = [ledger.read((root / ledger.path(k)).read_bytes(), k) for k in range(1, COUNT + 1)]
    shutil.rmtree(root / manifest.folder(entries[1]["id"]))
    shutil.rmtree(root / "ledger")
    last = None
    for k, entry in enumerate((entries[0], entries[2]), start=1):
        last = ledger.write(entry["id"], entry["headline"], last)
        place(root).put_new(ledger.path(k), last)


def test_only_a_published_hash_gives_a_rewritten_chain_away(root):
    count, head = Store(root).head()
    assert count == COUNT and len(Store(root).verify(head=head)) == 0
    earlier = manifest.sha256((root / ledger.path(1)).read_bytes())
    assert len(Store(root).verify(head=earlier.upper())) == 0
    rewrite(root)
    assert found(root) == []
    [row] = Store(root).verify(head=head).to_dict("records")
    assert row["problem"] == "does not hold the published entry" and row["expected"] == head


# -- what does not belong --------------------------------------------------------------------------


@pytest.mark.parametrize("name", [
    "notes.txt", "ledger/notes.txt", "ledger/1.json", "ledger/00000000.json", "objects/notes.txt",
    "objects/ab/notes.txt", "objects/zz/" + 64 * "a",
])  # fmt: skip
def test_files_that_do_not_belong(root, name):
    (root / name).parent.mkdir(exist_ok=True)
    (root / name).touch()
    [row] = found(root)
    assert row["file"] == name and "belong" in row["problem"] and "Move it out" in row["remedy"]


@pytest.mark.parametrize("name", ["extra.csv", ".hidden"])
def test_a_file_added_to_a_forecast(root, name):
    folder = manifest.folder(Store(root).open(2).id)
    (root / folder).chmod(0o755)
    (root / folder / name).touch()
    [row] = found(root)
    assert row["file"] == f"{folder}/{name}" and row["problem"] == "was added"
    assert row["serial"] == 2


def test_hidden_files_of_other_programs_are_no_problem(root):
    for name in (".DS_Store", "ledger/.DS_Store", "objects/.DS_Store"):
        (root / name).touch()
    assert found(root) == []


def test_an_empty_folder_of_a_forecast(root):
    name = manifest.folder("ab" + 62 * "0")
    (root / name).mkdir(parents=True)
    rows = found(root)
    assert [r["severity"] for r in rows] == ["damage", "unfinished"]
    assert rows[1]["problem"] == "is neither whole nor issued"


def test_a_file_that_cannot_be_read(root, monkeypatch):
    here = place(root)
    true = here.read

    def broken(name):
        if name.endswith("forecast.csv"):
            raise OSError(5, "Input/output error")
        return true(name)

    monkeypatch.setattr(here, "read", broken)
    rows = check.problems(here)
    assert {r["problem"] for r in rows} == {"cannot be read (Input/output error)"}
    assert len(rows) == COUNT


# -- one forecast ----------------------------------------------------------------------------------


def test_one_forecast(root):
    store = Store(root)
    name = manifest.folder(store.open(2).id)
    made.overwrite(root / name / "run.json", b"[]\n")
    assert len(store.verify(1)) == 0 and len(store.verify("latest")) == 0
    [row] = store.verify(2).to_dict("records")
    assert row["file"] == f"{name}/run.json" and row["serial"] == 2
    assert row["expected"].endswith(", 14 bytes") and row["found"].endswith(", 3 bytes")
    assert len(store.verify(name[-64:])) == 1
    with pytest.raises(ArchiveError, match="there is no forecast 9"):
        store.verify(9)
    assert store.verify("f" * 64)["problem"].tolist() == ["is not in the store"]


def test_a_truncated_manifest(root):
    store = Store(root)
    path = root / manifest.folder(store.open(2).id) / "manifest.json"
    made.overwrite(path, path.read_bytes()[:40])
    [row] = found(root)
    assert row["file"].endswith("manifest.json") and row["problem"] == "was changed"
    with pytest.raises(ArchiveError, match=r"manifest.json: cannot be used \(is not what it was"):
        store.open(2)
    path.unlink()
    with pytest.raises(ArchiveError, match=r"manifest.json: cannot be used \(No such file"):
        store.open(2)
    assert store.open(1) and store.open(3) and len(store.entries()) == COUNT


def test_a_manifest_of_a_later_format():
    data = manifest.canonical({"facts": {}, "files": {}, "format": 2})
    with pytest.raises(ValueError, match="has format 2, this version reads 1"):
        manifest.parse(data, manifest.sha256(data))


# -- the seal --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("data", "problem"), [
    (b"\xff", "no JSON"), (b"[]", "parts of an entry"), (b"{}", "parts of an entry"),
    (b"null", "parts of an entry"),
])  # fmt: skip
def test_what_is_no_entry(data, problem):
    with pytest.raises(ValueError, match=problem):
        ledger.read(data, 1)
