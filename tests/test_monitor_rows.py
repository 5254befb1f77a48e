"""A row of a year that is not over is taken only as the record would take it, and says its part."""

import datetime as dt

import pytest

import made_fit
from fairweather.monitor import MonitorError, read_rows, write_template
from fairweather.monitor.rows import COLUMNS, covered, full_exposures
from fairweather.panel import load_panel
from monitor_made import GOOD, TODAY, rows, write

PANEL = made_fit.panel()


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    return rows(tmp_path_factory.mktemp("rows"))


def read(tmp_path, *lines, today=TODAY, panel=PANEL):
    return read_rows(write(tmp_path / "rows.csv", *lines), panel, today)


def test_good_rows_say_latent_family_and_their_part_of_the_year(good):
    assert good["family"].tolist() == ["vote", "share", "count", "count", "count"]
    assert good["latent"].tolist() == ["alignment"] * 3 + ["pressure"] * 2
    assert good["through"].tolist()[0] == dt.date(2025, 9, 30)
    assert good["covered"].tolist()[0] == 273 / 365
    assert good["line"].tolist() == [2, 3, 4, 5, 6]


def test_a_count_is_exposed_to_the_part_covered_and_others_keep_their_trials(good):
    assert good["n"].tolist() == pytest.approx([25, 2, 273 / 365, 273 / 365, 181 / 365])


def test_a_whole_years_exposure_is_the_largest_on_record(good):
    panel = made_fit.panel()
    docs = panel.rows["fr_sanction_docs"].assign(n=4000.0)
    larger = panel.__class__(**{**panel.__dict__, "rows": {**panel.rows, "fr_sanction_docs": docs}})
    counts = good[good["family"] == "count"]
    assert full_exposures(counts, larger).tolist() == [1.0, 1.0, 4000.0]


def test_an_exposure_given_is_kept(tmp_path):
    one = read(tmp_path, "arms_deliveries,CHN-RUS,2025,1,,,0.5,2025-09-30,")
    assert one["n"].tolist() == [0.5]


def test_a_leap_year_has_a_day_more():
    assert covered(dt.date(2024, 12, 31)) == 1.0
    assert covered(dt.date(2024, 2, 29)) == 60 / 366


def test_what_is_no_row_is_passed_over_and_lines_keep_their_number(tmp_path):
    bad = "arms_deliveries,CHN-RUS,2025,much,,,,2025-09-30,"
    file = write(tmp_path / "r.csv", "", "# a note", GOOD[0], ",,,,,,,,", bad, before=["# top", ""])
    with pytest.raises(MonitorError, match=r"r\.csv, line 8: value is not a number"):
        read_rows(file, PANEL, TODAY)


def test_a_whole_year_may_have_values_of_any_family(tmp_path):
    one = read(tmp_path, "us_aid,RUS,2025,1.5,,,,2025-12-31,", today=dt.date(2026, 1, 3))
    assert one["covered"].tolist() == [1.0] and one["family"].tolist() == ["within"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("unga_vote,CHN-RUS,2025,20,4,1,25,2025-09-30,", "no indicator 'unga_vote'.*unga_votes"),
        ("energy_fit,CHN>RUS,2025,1,,,,2025-09-30,", "the fit does not read 'energy_fit'"),
        ("unga_votes,CHN-USA,2025,20,4,1,25,2025-09-30,", "'CHN-USA' is not among the units"),
        ("unga_votes,RUS-CHN,2025,20,4,1,25,2025-09-30,", "not in alphabetical order"),
        ("unga_votes,RUS,2025,20,4,1,25,2025-09-30,", "unit is not of the form AAA-BBB"),
        ("unga_votes,CHN-RUS,25,20,4,1,25,2025-09-30,", "year is not a whole year"),
        ("unga_votes,CHN-RUS,2024,20,4,1,25,2024-09-30,", "reaches to 2024.*data import"),
        ("unga_votes,CHN-IND,2025,20,4,1,25,2025-10-06,", r"after today \(2025-10-05\).*clock"),
        ("unga_votes,CHN-IND,2025,20,4,1,25,2024-10-01,", "not a day of the row's year"),
        ("unga_votes,CHN-RUS,2025,20,4,1,25,,", "through is not a date"),
        ("unga_votes,CHN-IND,2025,20,4,1,26,2025-09-30,", "votes do not add up"),
        ("unga_votes,CHN-IND,2025,0,0,0,0,2025-09-30,", "no votes so far"),
        ("unga_votes,CHN-RUS,2025,,4,1,25,2025-09-30,", "value is not a number"),
        ("unsc_joint_veto,CHN-RUS,2025,3,,,2,2025-09-30,", "more successes than trials"),
        ("unsc_joint_veto,CHN-RUS,2025,0,,,0,2025-09-30,", "no trials"),
        ("arms_deliveries,CHN-RUS,2025,1.5,,,,2025-09-30,", "value is not a count"),
        ("arms_deliveries,CHN-RUS,2025,1,,,0,2025-09-30,", "n is not positive"),
        ("arms_deliveries,CHN-RUS,2025,1,,,7,2025-09-30,", "exposure.*at most 1.*Leave n blank"),
        ("arms_deliveries,CHN-RUS,2025,1,2,,,2025-09-30,", "partial is not used"),
        ("arms_deliveries,CHN-RUS,2025,1,,,,2025-09-30,nobody", "source is unknown"),
        ("us_aid,RUS,2025,1.5,,,,2025-09-30,", "'us_aid' cannot be compared.*2025-12-31"),
        ("gsdb_us_cases,RUS,2025,2.1,,,,2025-09-30,", "cannot be compared with a year"),
        (GOOD[0], "a second row for the same"),
        ("unga_votes,CHN-RUS,2025,20", "4 cells, not 9"),
    ],
)
def test_refusals_name_line_and_remedy(tmp_path, line, said):
    with pytest.raises(MonitorError, match=rf"rows\.csv, line 3: .*{said}"):
        read(tmp_path, GOOD[0], line)


def test_a_row_the_record_has_is_not_a_row_of_the_running_year(tmp_path):
    old = load_panel(states=list(made_fit.STATES), last_year=2022)
    with pytest.raises(MonitorError, match="the record has this row already"):
        read(tmp_path, "unga_votes,CHN-RUS,2023,20,4,1,25,2023-09-30,", panel=old)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the columns are missing"),
        ("indicator,unit\nx,y\n", "the columns are indicator, unit"),
        (",".join(COLUMNS) + "\n", "the file has no rows"),
    ],
)
def test_a_file_that_is_none_is_refused(tmp_path, text, said):
    file = tmp_path / "rows.csv"
    file.write_text(text)
    with pytest.raises(MonitorError, match=said):
        read_rows(file, PANEL, TODAY)


def test_no_file_and_no_text_are_refused(tmp_path):
    with pytest.raises(MonitorError, match=r"does not exist.*--template"):
        read_rows(tmp_path / "none.csv", PANEL, TODAY)
    (tmp_path / "b.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(MonitorError, match="not UTF-8"):
        read_rows(tmp_path / "b.csv", PANEL, TODAY)


def test_a_template_can_be_filled_and_is_never_written_over(tmp_path):
    file = write_template(tmp_path / "new.csv", PANEL)
    with pytest.raises(MonitorError, match="no rows"):
        read_rows(file, PANEL, TODAY)
    with file.open("a") as out:
        out.write(GOOD[0] + "\n")
    assert len(read_rows(file, PANEL, TODAY)) == 1
    with pytest.raises(MonitorError, match="there already"):
        write_template(file, PANEL)
    text = file.read_text()
    assert "unga_votes (CHN-RUS; vote)" in text and "us_aid (CHN, RUS; within, whole years" in text
