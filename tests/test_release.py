"""A release adds what is new, changed and withdrawn, whole or not at all, and twice is once."""

import gzip
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import fairweather
from fairweather import datapackage, paths
from fairweather.alone import alone
from fairweather.coding import release as releases
from fairweather.coding.build import build, observations
from fairweather.coding.registry import Sources
from fairweather.coding.release import plan_release, take
from fairweather.errors import FairweatherError, RecordError, SourceError
from fairweather.formats import FORMATS, get_format
from fairweather.record import load_record
from published import SOURCES, needs_sources
from small_record import make

HEAD = (
    "undl_id,ms_code,ms_name,ms_vote,date,session,resolution,draft,committee_report,meeting,title,"
    "agenda_title,subjects,vote_note,total_yes,total_no,total_abstentions,total_non_voting,"
    "total_ms,undl_link\n"
)
SAMPLES = Path(__file__).parent / "samples"
MODEL = str(Path(fairweather.__file__).parents[1])
NAMES = {"CHN": "CHINA", "IND": "INDIA", "RUS": "RUSSIAN FEDERATION", "USA": "UNITED STATES",
         "ISR": "ISRAEL", "CAN": "CANADA", "AUS": "AUSTRALIA"}  # fmt: skip


def assembly(path: Path, year=2025, russia="Y" * 12, calls=12) -> Path:
    """Twelve contested resolutions: four states say no, China and India yes, Russia as given."""
    lines = []
    for k in range(calls):
        votes = dict.fromkeys(NAMES, "N") | {"CHN": "Y", "IND": "Y", "RUS": russia[k]}
        letters = list(votes.values())
        sums = ",".join(str(letters.count(c)) for c in "YNAX")
        for code, vote in votes.items():
            lines.append(
                f",{code},{NAMES[code]},{vote},{year}-11-{k + 1:02d},80,A/RES/80/{k + 1},,,,"
                f"A title,,,,{sums},{len(letters)},\n"
            )
    path.write_text(HEAD + "".join(lines), "utf-8")
    return path


@pytest.fixture
def data(tmp_path):
    return make(tmp_path / "data")


def everything(folder):
    return {p: p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def votes(record, unit, year):
    rows = record.observations
    rows = rows[(rows["indicator"] == "unga_votes") & (rows["unit"] == unit)]
    return rows[rows["year"] == year][["value", "partial", "opposite", "n"]].to_numpy().tolist()


def test_new_then_nothing_new_then_changed_then_withdrawn(data, tmp_path):
    file = assembly(tmp_path / "ga.csv")
    plan = plan_release("un-ga", [file], data_dir=data, released="2026-02-06")
    assert plan.counts().loc["unga_votes"].to_dict() == {"new": 3, "changed": 0, "withdrawn": 0}
    before = everything(data)
    assert not (data / "vintages").exists()
    folder = take(plan)
    assert folder == data / "vintages" / "2026-02-06"
    assert {k: v for k, v in everything(data).items() if k in before} == before
    assert votes(load_record(data), "CHN-RUS", 2025) == [[12, 0, 0, 12]]
    assert votes(load_record(data, as_of="2026-02-05"), "CHN-RUS", 2025) == []

    whole = everything(data)
    with pytest.raises(SourceError, match="not out yet"):
        plan_release("un-ga", [file], data_dir=data, released="9999-12-31")
    again = plan_release("un-ga", [file], data_dir=data, released="2026-02-07")
    assert again.changes.empty and again.unchanged == 3 and take(again) is None
    assert everything(data) == whole

    assembly(file, russia="Y" * 9 + "A" + "N" * 2)
    plan = plan_release("un-ga", [file], data_dir=data, released="2026-03-01")
    assert plan.counts().loc["unga_votes"].to_dict() == {"new": 0, "changed": 2, "withdrawn": 0}
    assert set(plan.changes["before"]) == {"12/0/0/12"} and plan.unchanged == 1
    assert set(plan.changes["now"]) == {"9/1/2/12"}
    take(plan)
    now = load_record(data)
    assert votes(now, "CHN-RUS", 2025) == [[9, 1, 2, 12]]
    assert votes(now.known_on("2026-02-28"), "CHN-RUS", 2025) == [[12, 0, 0, 12]]

    # With too few votes left Russia's pairs have no row.
    assembly(file, russia="Y" * 9 + "XXX")
    with pytest.raises(SourceError, match="2 of 3 rows of 2025-2025 that were not zero"):
        plan_release("un-ga", [file], data_dir=data, released="2026-04-01")
    plan = plan_release(
        "un-ga", [file], data_dir=data, released="2026-04-01", accept_withdrawals=True
    )
    assert plan.counts().loc["unga_votes"].to_dict() == {"new": 0, "changed": 0, "withdrawn": 2}
    take(plan)
    now = load_record(data)
    assert votes(now, "CHN-RUS", 2025) == []
    assert votes(now.known_on("2026-03-31"), "CHN-RUS", 2025) == [[9, 1, 2, 12]]


def test_two_releases_of_one_day_are_both_kept(data, tmp_path):
    file = assembly(tmp_path / "ga.csv")
    take(plan_release("un-ga", [file], data_dir=data, released="2026-02-06"))
    assembly(file, russia="Y" * 11 + "N")
    second = take(plan_release("un-ga", [file], data_dir=data, released="2026-02-06"))
    assert second.name == "2026-02-06-2"
    assert votes(load_record(data), "CHN-RUS", 2025) == [[11, 0, 1, 12]]


def test_an_older_file_does_not_override_what_a_later_one_confirmed(data, tmp_path):
    first = assembly(tmp_path / "february.csv")
    take(plan_release("un-ga", [first], data_dir=data, released="2026-02-06"))
    # June's file differs in a title only: no row changes, and a note of it is kept, once.
    june = tmp_path / "june.csv"
    june.write_text(first.read_text("utf-8").replace("A title", "The title"), "utf-8")
    plan = plan_release("un-ga", [june], data_dir=data, released="2026-06-06")
    assert plan.changes.empty
    folder = take(plan)
    assert [p.name for p in folder.iterdir()] == ["release.json"]
    assert take(plan_release("un-ga", [june], data_dir=data, released="2026-06-07")) is None
    march = assembly(tmp_path / "march.csv", russia="Y" * 11 + "N")
    with pytest.raises(SourceError, match="2 rows differ from what files read later than"):
        plan_release("un-ga", [march], data_dir=data, released="2026-03-06")
    assert votes(load_record(data), "CHN-RUS", 2025) == [[12, 0, 0, 12]]
    (folder / "release.json").write_text("{}", "utf-8")
    with pytest.raises(RecordError, match=r"2026-06-06/release.json: the note .* cannot be read"):
        plan_release("un-ga", [march], data_dir=data, released="2026-03-06")


def test_an_older_file_does_not_override_the_first_vintage(data, tmp_path):
    file = assembly(tmp_path / "ga.csv", year=2024)
    with pytest.raises(SourceError, match="3 rows differ from what files read later than 2025"):
        plan_release("un-ga", [file], data_dir=data, released="2025-06-06", accept_withdrawals=True)
    plan = plan_release("un-ga", [file], data_dir=data, accept_withdrawals=True)
    assert len(plan.changes) == 3
    plan = plan_release("un-ga", [file], data_dir=data, released="2025-06-06", accept_older=True,
                        accept_withdrawals=True)  # fmt: skip
    take(plan)
    assert votes(load_record(data), "CHN-RUS", 2024) == [[12, 0, 0, 12]]
    assert votes(load_record(data, as_of="2025-06-05"), "CHN-RUS", 2024) != [[12, 0, 0, 12]]


def test_half_a_year_of_roll_calls_is_a_cut_file(data, tmp_path):
    whole = assembly(tmp_path / "ga.csv", calls=24, russia="Y" * 24)
    take(plan_release("un-ga", [whole], data_dir=data, released="2026-02-06"))
    half = assembly(tmp_path / "half.csv")  # every pair still has its row
    with pytest.raises(SourceError, match=r"half.csv: unga_votes of 2025 rests on 36 .* on 72"):
        plan_release("un-ga", [half], data_dir=data, released="2026-03-06")
    plan = plan_release(
        "un-ga", [half], data_dir=data, released="2026-03-06", accept_withdrawals=True
    )
    assert set(plan.changes["status"]) == {"changed"}


def test_a_release_does_not_speak_of_years_after_it(data, tmp_path):
    file = assembly(tmp_path / "ga.csv", year=2025)
    with pytest.raises(SourceError, match=r"ga.csv: .*speaks of years after it came out"):
        plan_release("un-ga", [file], data_dir=data, released="2024-12-30")


def test_a_release_without_a_usable_row_withdraws_or_says_so(data, tmp_path):
    file = assembly(tmp_path / "ga.csv", russia="X" * 9, calls=9)  # under ten votes: no row
    plan = plan_release("un-ga", [file], data_dir=data, released="2026-02-06")
    assert plan.changes.empty and plan.unchanged == 0


def test_a_running_year_is_no_year(data, tmp_path):
    file = assembly(tmp_path / "ga.csv", year=2025)
    with pytest.raises(SourceError, match="no year that had ended"):
        plan_release("un-ga", [file], data_dir=data, released="2025-12-30")
    plan = plan_release("un-ga", [file], data_dir=data, released="2025-12-30", years=(2025, 2025))
    assert len(plan.changes) == 3
    for years in ((2025, 2026), (2024, 2025), (2025, 2024)):
        with pytest.raises(SourceError, match="do not fit"):
            plan_release("un-ga", [file], data_dir=data, released="2025-12-30", years=years)


def test_the_note_says_where_the_rows_came_from(data, tmp_path):
    file = tmp_path / "ga.csv.gz"
    file.write_bytes(gzip.compress(assembly(tmp_path / "ga.csv").read_bytes(), mtime=0))
    folder = take(plan_release("un-ga", [file], data_dir=data, released="2026-02-06"))
    note = json.loads((folder / "release.json").read_text("utf-8"))
    assert note["files"][0]["name"] == "ga.csv.gz" and len(note["files"][0]["sha256"]) == 64
    assert note["rows"] == {"new": 3} and note["years"] == [2025, 2025]


def test_a_refused_file_leaves_the_record_untouched(data, tmp_path):
    before = everything(data)
    file = assembly(tmp_path / "ga.csv")
    file.write_text(file.read_text("utf-8").replace(",Y,", ",?,", 1), "utf-8")
    with pytest.raises(SourceError, match=r"ga.csv, line 2: .*ms_vote"):
        plan_release("un-ga", [file], data_dir=data, released="2026-02-06")
    assert everything(data) == before


def test_a_failed_write_leaves_the_record_untouched(data, tmp_path, monkeypatch):
    plan = plan_release(
        "un-ga", [assembly(tmp_path / "ga.csv")], data_dir=data, released="2026-02-06"
    )
    before = everything(data)

    def fail(*args):
        raise OSError("disk full")

    monkeypatch.setattr(releases, "_note", fail)
    with pytest.raises(OSError, match="disk full"):
        take(plan)
    assert everything(data) == before
    monkeypatch.undo()
    plan.changes.loc[0, "value"] = -1
    with pytest.raises(RecordError, match=r"unga_votes.csv, line 2"):
        take(plan)
    assert everything(data) == before


def test_one_import_at_a_time(data, tmp_path):
    plan = plan_release(
        "un-ga", [assembly(tmp_path / "ga.csv")], data_dir=data, released="2026-02-06"
    )
    before = everything(data)
    with alone(data), pytest.raises(RecordError, match="another command is changing the record"):
        take(plan)
    assert everything(data) == before
    assert take(plan) is not None


KILLED = """
import os, signal, sys
from pathlib import Path
from fairweather import datapackage
from fairweather.coding import release
name, file, data = sys.argv[1:]
def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)
if name == "datapackage":
    datapackage.write = die
elif name == "rename":
    Path.rename = die
else:
    release._note = die
plan = release.plan_release("un-ga", [file], data_dir=data, released="2026-02-06")
release.take(plan)
"""


@pytest.mark.parametrize("moment", ["note", "rename", "datapackage"])
def test_a_killed_import_is_not_there_or_whole_and_does_not_bar_the_next(data, tmp_path, moment):
    file = assembly(tmp_path / "ga.csv")
    was = load_record(data).content_hash
    call = [sys.executable, "-c", KILLED, moment, str(file), str(data)]
    killed = subprocess.run(call, env=os.environ | {"PYTHONPATH": MODEL}, capture_output=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    whole = moment == "datapackage"
    assert (load_record(data).content_hash != was) == whole
    plan = plan_release("un-ga", [file], data_dir=data, released="2026-02-06")
    assert plan.changes.empty == whole
    take(plan)
    assert votes(load_record(data), "CHN-RUS", 2025) == [[12, 0, 0, 12]]
    assert not list(data.glob("vintages/.*"))
    # The description of the files is in step again.
    assert (data / datapackage.FILE).read_text("utf-8") == datapackage.text(data)


def test_the_record_inside_a_package_is_not_changed(tmp_path):
    with pytest.raises(RecordError, match="data copy DIR"):
        plan_release("un-ga", ["x.csv"], data_dir=tmp_path / "_data")
    with pytest.raises(RecordError, match="data copy DIR"):
        build(tmp_path, tmp_path / "_data")
    (tmp_path / "_data").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "_data")
    with pytest.raises(RecordError, match="data copy DIR"):
        paths.own_folder(tmp_path / "link")


def test_bad_requests(data, tmp_path):
    with pytest.raises(SourceError, match="there is no format 'unga'"):
        plan_release("unga", ["x.csv"], data_dir=data)
    with pytest.raises(SourceError, match="no file was named"):
        plan_release("un-ga", [], data_dir=data)
    with pytest.raises(FairweatherError, match="not a date"):
        plan_release("un-ga", [tmp_path], data_dir=data, released="yesterday")


SHEET = "indicator,unit,date,value,rater,source,note\n"


def sheet(path, *rows):
    path.write_text(SHEET + "".join(f"{r}\n" for r in rows), "utf-8")
    return path


def test_a_coding_sheet_with_several_raters(data, tmp_path):
    file = sheet(
        tmp_path / "sheet.csv",
        "closeness,CHN-RUS,2024-05-16,3,ann,communique,",
        "closeness,CHN-RUS,2024-11-20,4,ann,speech,later in the year",
        "closeness,CHN-RUS,2024,2,bob,own reading,",
    )
    folder = take(plan_release("coding-sheet", [file], data_dir=data, released="2025-01-15"))
    rows = load_record(data).observations
    rows = rows[(rows["indicator"] == "closeness") & (rows["year"] == 2024)]
    assert dict(zip(rows["rater"], rows["value"], strict=True)) == {"ann": 4, "bob": 2}
    evidence = pd.read_csv(folder / "evidence" / "sheet.csv")
    assert evidence["source"].notna().all()
    again = plan_release("coding-sheet", [file], data_dir=data, released="2025-02-01")
    assert again.changes.empty
    two = sheet(
        tmp_path / "two.csv",
        "closeness,CHN-IND,2023,1,ann,speech,",
        "closeness,CHN-IND,2024,1,ann,speech,",
    )
    only = plan_release("coding-sheet", [two], data_dir=data, years=(2024, 2024))
    assert only.changes["year"].tolist() == [2024]
    # A sheet speaks for its own rows only.
    less = sheet(tmp_path / "less.csv", "closeness,CHN-RUS,2024,1,bob,second thoughts,")
    plan = plan_release("coding-sheet", [less], data_dir=data, released="2025-03-01")
    assert plan.changes["status"].tolist() == ["changed"]


GOOD = "closeness,CHN-RUS,2024,2,bob,own reading,"


@pytest.mark.parametrize(
    ("bad", "problem"),
    [
        ("warmth,CHN-RUS,2024,3,ann,speech,", "'warmth' is not in the codebook"),
        ("unga_votes,CHN-RUS,2024,3,ann,speech,", "coded from a publisher's files"),
        ("closeness,CHN-JPN,2024,3,ann,speech,", "unit 'CHN-JPN' names a state"),
        ("closeness,CHN-RUS,2025-01-16,3,ann,speech,", "a code of 2025-01-16 in a release of"),
        ("closeness,CHN-RUS,2024,3.5,ann,speech,", "closeness CHN-RUS 2024: value is not a count"),
        ("closeness,CHN-RUS,2024,3,ann b,speech,", "rater is not a plain name"),
        ("closeness,CHN>RUS,2024,3,ann,speech,", "not of the form AAA-BBB"),
        ("closeness,CHN,2024,3,ann,speech,", "not of the form AAA-BBB"),
    ],
)
def test_a_bad_code_is_named_by_its_own_sheet_and_line(data, tmp_path, bad, problem):
    before = everything(data)
    first = sheet(tmp_path / "first.csv", GOOD)
    second = sheet(tmp_path / "second.csv", "closeness,CHN-IND,2024,2,bob,own reading,", bad)
    with pytest.raises(SourceError, match=rf"^second.csv, line 3: .*{problem}"):
        plan_release("coding-sheet", [first, second], data_dir=data, released="2025-01-15")
    assert everything(data) == before


FEEDING = [name for name in sorted(FORMATS) if get_format(name).INDICATORS]


@pytest.mark.parametrize("name", FEEDING)
def test_a_release_is_coded_from_its_own_tables_alone(name):
    """Every indicator a layout is said to feed is coded without any other file."""
    record = load_record()
    paths = sorted(p for p in SAMPLES.iterdir() if re.fullmatch(rf"{name}(-\d+)?\.\w+", p.name))
    form = get_format(name)
    tables = form.read(paths)
    src = Sources(None, record.states["iso3"], years=form.coverage(tables), given=tables,
                  released=True)  # fmt: skip
    coded = {k: observations(src, record.codebook[k]) for k in form.INDICATORS}
    # The sample of the Assembly has fewer contested votes than make a row; whole ones are above.
    assert any(len(rows) for rows in coded.values()) == (name != "un-ga")
    for rows in coded.values():
        assert rows["year"].between(*form.coverage(tables)).all()


@needs_sources
def test_the_library_sample_confirms_every_row():
    name = "un_votes/official_format/ga_voting_2023_2024_official_layout.csv.gz"
    plan = plan_release(
        "un-ga", [Path(SOURCES) / name], data_dir=paths.shipped_data_dir(), released="2026-02-06"
    )
    assert plan.changes.empty and plan.unchanged == 361 and plan.years == (2023, 2024)
