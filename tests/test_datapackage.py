"""The data package is valid to its tool, in step with the files, and notices a changed cell."""

import hashlib
import json
import os
import shutil
import socket
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fairweather import datapackage, paths
from fairweather.cli import app
from fairweather.codebook import load_codebook
from fairweather.errors import CodebookError, RecordError
from fairweather.schema import COLUMNS

DATA = paths.shipped_data_dir()
# One indicator of each kind of unit, two families with whole numbers, one with a long record.
SMALL = ("unga_votes", "us_mid", "energy_fit", "swap_lines", "arms_volume")


@pytest.fixture
def offline(monkeypatch):
    """No test of a file asks the network what the file should look like."""

    def refuse(*_, **__):
        raise OSError("no network here")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture
def small(tmp_path) -> Path:
    """A record of a few indicators, some rows each."""
    book = (DATA / "codebook.toml").read_text(encoding="utf-8").split("\n\n")
    kept = [
        part
        for part in book
        if not part.startswith("[indicator.")
        or part[11:].split("]")[0] in (*SMALL, "gsdb_us_cases")
    ]
    (tmp_path / "codebook.toml").write_text("\n\n".join(kept) + "\n", encoding="utf-8")
    for name in ("sources.toml", "states.csv", "countries.csv"):
        shutil.copy(DATA / name, tmp_path / name)
    for folder in ("observations", "history"):
        (tmp_path / folder).mkdir()
        for path in (DATA / folder).glob("*.csv"):
            if path.stem in SMALL:
                lines = path.read_text(encoding="utf-8").splitlines()[:40]
                (tmp_path / folder / path.name).write_text("\n".join(lines) + "\n")
    release = tmp_path / "vintages" / "2025-03-31"
    release.mkdir(parents=True)
    (release / "us_mid.csv").write_text(
        ",".join((*COLUMNS, "status"))
        + "\n"
        "us_mid,AFG,1992,,,,,,cow_mid,2025-03-31,withdrawn\n"
        "us_mid,AFG,1993,,2,,,,cow_mid,2025-03-31,changed\n".replace(
            "cow_mid", load_codebook()["us_mid"].source
        ),
        encoding="utf-8",
    )
    return tmp_path


def validate(folder):
    from frictionless import Package

    return Package(str(datapackage.write(folder))).validate()


def edit(folder, name, column, value, line=1, **also):
    path = folder / name
    lines = path.read_text(encoding="utf-8").splitlines()
    header, cells = lines[0].split(","), lines[line].split(",")
    for key, cell in {column: value, **also}.items():
        cells[header.index(key)] = cell
    lines[line] = ",".join(cells)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


# -- the committed package -----------------------------------------------------------------------


def test_committed_package_is_in_step_with_the_files():
    written = (DATA / datapackage.FILE).read_bytes().decode("utf-8")
    assert written == datapackage.text(DATA), "run: make docs"


def test_committed_package_is_valid(offline):
    from frictionless import Package

    report = Package(str(DATA / datapackage.FILE)).validate()
    assert report.valid, report.to_summary()
    assert report.stats["tasks"] == len(datapackage.descriptor(DATA)["resources"])


def test_every_table_is_a_resource():
    made = datapackage.descriptor(DATA)
    wanted = {p.relative_to(DATA).as_posix() for p in DATA.rglob("*.csv")}
    wanted = {name for name in wanted if not name.startswith("unverified/")}
    assert {r["path"] for r in made["resources"]} == wanted
    assert len({r["name"] for r in made["resources"]}) == len(wanted)
    for one in made["resources"]:
        raw = (DATA / one["path"]).read_bytes()
        assert one["bytes"] == len(raw)
        assert one["hash"] == "sha256:" + hashlib.sha256(raw).hexdigest()
        assert one["rows"] == raw.count(b"\n") - 1


def test_resources_say_what_the_codebook_says():
    book = load_codebook()
    by_path = {r["path"]: r for r in datapackage.descriptor(DATA)["resources"]}
    for name in book:
        entry, one = book[name], by_path[f"observations/{name}.csv"]
        assert one["title"] == entry.label and entry.why.rstrip(".") in one["description"]
        assert one["indicator"]["default"] is entry.default
        assert book.sources[entry.source].citation in [s["title"] for s in one["sources"]]
        assert book.sources[entry.source].licence in [x["title"] for x in one["licenses"]]
        year = next(f for f in one["schema"]["fields"] if f["name"] == "year")
        bounds = {"required": True, "minimum": entry.first_year, "maximum": entry.last_year}
        assert year["constraints"] == bounds
        old = by_path.get(f"history/{name}.csv")
        if old:
            limits = old["schema"]["fields"][2]["constraints"]
            assert (limits["minimum"], limits["maximum"]) == (
                entry.history_from, entry.first_year - 1,
            )  # fmt: skip


# -- any package ---------------------------------------------------------------------------------


def test_same_data_same_bytes(small):
    first = datapackage.write(small).read_bytes()
    assert first.endswith(b"\n") and b"\r" not in first
    assert json.loads(first) == datapackage.descriptor(small)
    for path in small.rglob("*.csv"):
        os.utime(path, (0, 0))
    assert datapackage.write(small).read_bytes() == first
    assert str(small).encode() not in first


def test_a_changed_cell_is_noticed(small):
    from frictionless import Package

    path = datapackage.write(small)
    edit(small, "observations/us_mid.csv", "value", "7")
    assert path.read_text(encoding="utf-8") != datapackage.text(small)
    report = Package(str(path)).validate()
    assert [e.type for task in report.tasks for e in task.errors] == ["hash-count"]


def test_a_release_is_a_table_with_a_status(small, offline):
    report = validate(small)
    assert report.valid, report.to_summary()
    made = {r["name"]: r for r in datapackage.descriptor(small)["resources"]}
    one = made["vintages.2025-03-31.us_mid"]
    fields = {f["name"]: f for f in one["schema"]["fields"]}
    assert fields["status"]["constraints"]["enum"] == ["new", "changed", "withdrawn"]
    assert fields["year"]["constraints"]["maximum"] == 2025
    assert "required" not in fields["value"]["constraints"]


BAD = {
    "another indicator": ("observations/us_mid.csv", "indicator", "unga_votes"),
    "a pair where a state belongs": ("observations/us_mid.csv", "unit", "AFG-CHN"),
    "a state that is no member": ("observations/us_mid.csv", "unit", "FRA"),
    "a direction where a pair belongs": ("observations/unga_votes.csv", "unit", "AFG>BRA"),
    "a year too late": ("observations/us_mid.csv", "year", "2031"),
    "a year of the panel in the long record": ("history/us_mid.csv", "year", "1992"),
    "a rater": ("observations/us_mid.csv", "rater", "ann"),
    "no value": ("observations/us_mid.csv", "value", ""),
    "a negative count": ("observations/us_mid.csv", "value", "-1"),
    "half a vote": ("observations/unga_votes.csv", "value", "1.5"),
    "no number of votes": ("observations/unga_votes.csv", "n", ""),
    "no exposure at all": ("observations/swap_lines.csv", "n", "0"),
    "a share above one": ("observations/energy_fit.csv", "value", "1.2"),
    "gossip": ("observations/us_mid.csv", "available_on", "soon"),
    "a role": ("states.csv", "role", "friend"),
    "a status": ("vintages/2025-03-31/us_mid.csv", "status", "perhaps"),
    "a row twice": ("observations/us_mid.csv", "year", "1993"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_cell_breaks_the_package(small, case):
    edit(small, *BAD[case])
    report = validate(small)
    # Hash and size are made anew: it is the schema that refuses.
    kinds = {e.type for task in report.tasks for e in task.errors}
    assert kinds and kinds <= {"constraint-error", "type-error", "primary-key", "foreign-key"}


def test_other_tables_are_described_from_their_cells(small):
    (small / "some_events.csv").write_text(
        "day,sign,weight,note\n2001-07-16,1,0.5,treaty\n2004-10-14,-1,1,\n", encoding="utf-8"
    )
    (one,) = [r for r in datapackage.descriptor(small)["resources"] if r["name"] == "some_events"]
    kinds = [(f["name"], f["type"]) for f in one["schema"]["fields"]]
    assert kinds == [("day", "date"), ("sign", "integer"), ("weight", "number"), ("note", "string")]
    assert "constraints" not in one["schema"]["fields"][3] and one["title"] == "Some events"
    assert validate(small).valid


def test_the_chronology_is_bound_to_its_rubric(small):
    for name in ("chronology.csv", "chronology_rubric.toml"):
        shutil.copy(DATA / name, small / name)
    assert validate(small).valid
    edit(small, "chronology.csv", "sign", "7")
    (problem,) = [e for task in validate(small).tasks for e in task.errors]
    assert problem.type == "constraint-error" and problem.field_name == "sign"


def test_refusals(small):
    stray = small / "observations" / "moon.csv"
    stray.write_text("indicator\nmoon\n")
    with pytest.raises(CodebookError, match="no indicator 'moon'"):
        datapackage.descriptor(small)
    stray.unlink()
    (small / "odd.csv").write_text("a,b\n1\n")
    with pytest.raises(RecordError, match=r"odd.csv, line 2: 1 cells, the header has 2"):
        datapackage.descriptor(small)
    (small / "odd.csv").write_text("")
    with pytest.raises(RecordError, match="the file is empty"):
        datapackage.descriptor(small)
    (small / "odd.csv").write_bytes(b"\xff\xfe")
    with pytest.raises(RecordError, match="not a UTF-8 CSV table"):
        datapackage.descriptor(small)


def test_from_the_command_line(small):
    done = CliRunner().invoke(app, ["data", "package", "--data", str(small)])
    assert done.exit_code == 0 and done.stdout.strip() == str(small / datapackage.FILE)
    assert (small / datapackage.FILE).read_text(encoding="utf-8") == datapackage.text(small)
