"""What the commands about releases and own records print, write and refuse."""

import pytest
from typer.testing import CliRunner

from fairweather.cli import app
from fairweather.record import load_record
from small_record import make
from test_release import assembly, everything


def run(*args, code=0):
    done = CliRunner().invoke(app, ["data", *map(str, args)])
    assert done.exit_code == code, done.output
    return done.output


@pytest.mark.parametrize("years", ["²", "2023-", "9" * 5000, "2023-2024-2025", "2023 2024", "-1"])
def test_years_are_a_span_or_refused(data, tmp_path, years):
    file = assembly(tmp_path / "ga.csv")
    shown = run("import", "un-ga", file, "--data", data, f"--years={years}", code=2)
    assert "are not a span. Write 2023-2024." in shown and len(shown) < 200


def test_a_record_that_is_not_there(tmp_path):
    shown = run("check", "--data", tmp_path / "nosuch", code=2)
    assert "there is no folder 'nosuch'" in shown


@pytest.fixture
def data(tmp_path):
    return make(tmp_path / "data")


def test_import_shows_then_writes_then_finds_nothing_new(data, tmp_path):
    file = assembly(tmp_path / "ga.csv")
    options = ["import", "un-ga", file, "--released", "2026-02-06", "--data", data]
    before = everything(data)
    shown = run(*options, "--dry-run")
    assert "0 rows confirmed, 3 differ" in shown and "Nothing was written" in shown
    assert "unga_votes CHN-RUS 2025: - -> 12/0/0/12" in shown
    assert everything(data) == before
    assert "vintages/2026-02-06" in run(*options)
    assert (data / "datapackage.json").exists()
    after = everything(data)
    assert "3 rows confirmed, 0 differ" in run(*options)
    assert everything(data) == after


def test_import_refuses_with_file_line_and_remedy(data, tmp_path):
    file = assembly(tmp_path / "ga.csv")
    file.write_text(file.read_text("utf-8").replace(",CHN,", ",CN,", 1), "utf-8")
    before = everything(data)
    shown = run("import", "un-ga", file, "--data", data, code=2)
    assert shown.startswith("fairweather: ga.csv, line 2: ") and "CN" in shown
    assert "there is no format" in run("import", "un", file, "--data", data, code=2)
    assert "not a span" in run("import", "un-ga", file, "--years", "all", "--data", data, code=2)
    assert everything(data) == before


def test_copy_makes_a_record_of_ones_own(data, tmp_path, monkeypatch):
    monkeypatch.setenv("FAIRWEATHER_DATA", str(data))
    run("copy", tmp_path / "mine")
    one, other = load_record(data), load_record(tmp_path / "mine")
    assert one.content_hash == other.content_hash == load_record().content_hash
    assert "exists already" in run("copy", tmp_path / "mine", code=2)
    monkeypatch.setenv("FAIRWEATHER_DATA", str(tmp_path / "nothing"))
    assert "names a folder without codebook.toml" in run("check", code=2)


def test_formats_and_templates(tmp_path):
    assert "unga_votes" in run("formats")
    for name in ("codes.csv", "codes.xlsx"):
        run("template", tmp_path / name)
        assert (tmp_path / name).stat().st_size > 50
    assert "exists already" in run("template", tmp_path / "codes.csv", code=2)


def test_a_template_filled_in_is_read(data, tmp_path):
    file = tmp_path / "codes.csv"
    run("template", file)
    head = file.read_text("utf-8").splitlines()[0]
    file.write_text(f"{head}\ncloseness,CHN-RUS,2024-05,3,ann,communique,\n", "utf-8")
    shown = run("import", "coding-sheet", file, "--released", "2025-01-15", "--data", data)
    assert "new       closeness CHN-RUS 2024 (ann): - -> 3" in shown


def test_vintages_are_listed_by_day(data, tmp_path):
    assert "No release" in run("vintages", "--data", data)
    file = assembly(tmp_path / "ga.csv")
    run("import", "un-ga", file, "--data", data, "--released", "2026-02-06")
    (line,) = run("vintages", "--data", data).splitlines()
    assert line == "2026-02-06  un-ga  2025-2025  3 new  (ga.csv)"


def test_episodes(data):
    shown = run("episodes", "--states", "CHN,RUS", "--compare")
    assert "hardship" in shown and "hand list" in shown
    # The hand list is that of the record asked for, and this one has none.
    assert "episodes.toml" in run("episodes", "--compare", "--data", data, code=2)
    assert "domain" in run("episodes", "--domain", "moods", code=2)


def test_build_of_chosen_states_leaves_the_record_in_use_alone(tmp_path):
    (tmp_path / "sources").mkdir()
    shown = run("build", "--sources", tmp_path / "sources", "--states", "CHN,RUS,IND", code=2)
    assert "Name a folder of your own" in shown
