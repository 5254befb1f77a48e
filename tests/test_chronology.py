"""The event list is coded by its rubric; counts of it carry how much a year's list may hold."""

import shutil

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairweather import chronology, paths
from fairweather.chronology import load_chronology, load_rubric
from fairweather.coding import chronology as coding
from fairweather.coding import detection
from fairweather.coding.registry import Sources
from fairweather.errors import RecordError
from fairweather.record import load_record
from published import SOURCES, needs_sources

DATA = paths.shipped_data_dir()


@pytest.fixture(scope="module")
def events():
    return load_chronology()


@pytest.fixture
def folder(tmp_path):
    shutil.copy(DATA / chronology.RUBRIC_FILE, tmp_path)
    shutil.copy(DATA / chronology.FILE, tmp_path)
    shutil.copytree(DATA / "unverified", tmp_path / "unverified")
    return tmp_path


def edit(folder, line, place=chronology.FILE, **cells):
    frame = pd.read_csv(folder / place, dtype=str, keep_default_na=False)
    for name, cell in cells.items():
        frame.loc[line - 2, name] = cell
    frame.to_csv(folder / place, index=False, lineterminator="\n")


# -- the list --------------------------------------------------------------------------------------


def test_the_list_is_whole_and_verified(events):
    assert len(events) == 162 and events["year"].between(1991, 2024).all()
    assert not (events["reliability"] == "U").any()
    assert events["event_id"].is_unique and set(events["sign"]) == {-1, 1}
    assert events["intensity"].between(1, 5).all()
    assert events["from_brief"].dtype == bool and 20 <= events["from_brief"].sum() <= 30
    # The source's own table: cooperation and friction by year.
    by_year = events.groupby(["year", "sign"]).size().unstack(fill_value=0)
    expected = {2008: (5, 4), 2014: (10, 2), 2016: (12, 3), 2022: (8, 5), 2024: (5, 4)}
    for year, (good, bad) in expected.items():
        assert (by_year.loc[year, 1], by_year.loc[year, -1]) == (good, bad), year


def test_rows_from_memory_come_only_when_asked(events):
    both = load_chronology(unverified=True)
    memory = both[both["reliability"] == "U"]
    assert len(both) - len(events) == len(memory) > 0
    assert not set(memory["event_id"]) & set(events["event_id"])


def test_rubric_explains_every_code(events):
    rubric = load_rubric()
    for name in ("channel", "direction", "reliability", "date_precision"):
        assert set(events[name]) <= set(rubric[name])
    assert sorted(rubric["intensity"]) == list("12345")


BAD = {
    "an id twice": (3, {"event_id": "E001"}, "repeated"),
    "a bad id": (3, {"event_id": "two"}, "malformed"),
    "no such day": (3, {"date": "1991-02-30", "date_precision": "day"}, "no date"),
    "a month called a day": (3, {"date_precision": "day"}, "another form than its precision"),
    "a day called a year": (2, {"date_precision": "year"}, "another form than its precision"),
    "another year": (2, {"year": "1992"}, "not that of the date"),
    "no sign": (2, {"sign": "0"}, "sign is not in the rubric"),
    "too intense": (2, {"intensity": "6"}, "write one of 1, 2, 3, 4, 5|intensity is not"),
    "a channel": (2, {"channel": "sport"}, "channel is not in the rubric"),
    "a direction": (2, {"direction": "CHN->USA"}, "direction is not in the rubric"),
    "memory": (2, {"reliability": "U"}, "rests on memory"),
    "a precision": (2, {"date_precision": "hour"}, "date_precision is not in the rubric"),
    "the brief": (2, {"from_brief": "yes"}, "from_brief"),
    "nothing said": (2, {"event": " "}, "event is blank"),
    "no source": (2, {"source": ""}, "source is blank"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_row_is_named(folder, case):
    line, cells, message = BAD[case]
    edit(folder, line, **cells)
    with pytest.raises(RecordError, match=message) as err:
        load_chronology(folder)
    assert f"chronology.csv, line {line}:" in str(err.value)


def test_the_unverified_file_holds_memory_only(folder):
    edit(folder, 2, chronology.UNVERIFIED_FILE, reliability="A")
    assert len(load_chronology(folder)) == 162
    with pytest.raises(RecordError, match=r"chronology_unverified.csv, line 2: the row does not"):
        load_chronology(folder, unverified=True)
    edit(folder, 2, chronology.UNVERIFIED_FILE, reliability="U", event_id="E001")
    with pytest.raises(RecordError, match=r"line 2: the event_id is also in"):
        load_chronology(folder, unverified=True)


def test_missing_files_and_tables(folder):
    rubric = folder / chronology.RUBRIC_FILE
    rubric.write_text("[sign]\n1 = 'x'\n")
    with pytest.raises(RecordError, match="are missing"):
        load_chronology(folder)
    rubric.write_text("[sign")
    with pytest.raises(RecordError, match="not valid TOML"):
        load_chronology(folder)
    rubric.unlink()
    with pytest.raises(RecordError, match="the file is missing"):
        load_chronology(folder)


# -- detection -------------------------------------------------------------------------------------


def _held(wanted, date, precision):
    events = pd.DataFrame({"date": [date], "date_precision": [precision]})
    return detection.held(pd.Series([wanted]), events).item()


def test_matching_by_date_within_a_few_days():
    assert _held("2016-09-12", "2016-09-12", "day") and _held("2016-06-23", "2016-06-25", "day")
    assert not _held("2016-09-15", "2016-09-12", "day")  # another drill three days later
    assert _held("2024-09-28", "2024-09", "month") and not _held("2024-10-01", "2024-09", "month")
    assert _held("2015-05", "2015-05-21", "reported")  # the report comes after the event
    assert not _held("2016-09-06", "2016-09-05", "reported")
    assert _held("2023-07-26", "2023-08", "approx")
    assert not _held("2022-05-24", "2022", "year")  # a sum over the year is no event
    none = pd.DataFrame({"date": [], "date_precision": []})
    assert not detection.held(pd.Series(["2001-01-01"]), none).any()


def test_rate_is_a_beta_mean_with_the_two_years_before_at_half():
    years = pd.Series([2001] * 4 + [2002] * 2 + [2005])
    found = pd.Series([True, True, True, False, True, False, False])
    rate = detection.yearly_rate(years, found, 2001, 2005)
    assert rate[2001] == pytest.approx((2 + 3) / (4 + 4))
    assert rate[2002] == pytest.approx((2 + 1 + 0.5 * 3) / (4 + 2 + 0.5 * 4))
    assert rate[2004] == pytest.approx((2 + 0.5 * 1) / (4 + 0.5 * 2))
    assert rate[2005] == pytest.approx(2 / (4 + 1))


@given(st.lists(st.tuples(st.integers(2001, 2008), st.booleans()), min_size=1, max_size=40))
def test_rates_stay_inside_and_order_does_not_matter(trials):
    years, found = (pd.Series([t[i] for t in trials]) for i in (0, 1))
    rate = detection.yearly_rate(years, found.astype(bool), 2001, 2008)
    assert rate.between(0, 1, inclusive="neither").all()
    again = detection.yearly_rate(years[::-1], found.astype(bool)[::-1], 2001, 2008)
    assert np.allclose(rate, again)


@given(
    st.lists(st.tuples(st.integers(2001, 2008), st.booleans()), min_size=1, max_size=40),
    st.integers(2001, 2008),
)
def test_the_rate_of_a_year_needs_nothing_later(trials, until):
    years, found = (pd.Series([t[i] for t in trials]) for i in (0, 1))
    seen = years <= until
    whole = detection.yearly_rate(years, found.astype(bool), 2001, 2008)
    past = detection.yearly_rate(years[seen], found[seen].astype(bool), 2001, until)
    assert np.allclose(whole.loc[:until], past)


def test_a_year_of_drills_alone_is_no_year_of_poor_coverage():
    """Drills are found half as often as visits; more drills must not lower the exposure."""
    events = pd.DataFrame({"date": ["2001-03-01"], "date_precision": ["day"]})
    visits = pd.DataFrame({"date": ["2001-03-01", "2003-03-01"], "year": [2001, 2003]})
    few = pd.DataFrame({"date": ["2001-06-01", "2002-06-01"], "year": [2001, 2002]})
    drills = pd.DataFrame({"date": ["2001-07-01"] * 9, "year": [2001] * 9})
    none = events.iloc[:0]
    kinds = {"visits": (visits, events), "drills": (few, none)}
    more = {"visits": (visits, events), "drills": (pd.concat([few, drills]), none)}
    one, two = (detection.exposure(k, 2001, 2003) for k in (kinds, more))
    # Pooled, 2001 would be found at one in twelve.
    assert two[2001] > two[2003] and two[2001] > 1 / 12
    assert one[2001] > one[2003]
    assert (detection.exposure({"visits": (visits, events)}, 2010, 2011) == 1).all()


# -- indicators ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def rows():
    return {k: v.set_index("year") for k, v in load_record().observations.groupby("indicator")}


def test_counts_are_the_signed_events_nobody_else_counts(rows):
    good, bad = rows["chronology_cooperation"], rows["chronology_friction"]
    sign = rows["chronology_sign"]
    both = sign.index.intersection(good.index)
    assert (good.loc[both, "value"] == sign.loc[both, "value"]).all()
    assert (good.loc[both, "value"] + bad.loc[both, "value"] == sign.loc[both, "n"]).all()
    assert (good["n"] == bad["n"]).all() and good.index.tolist() == list(range(2004, 2025))


def test_exposure_is_higher_where_the_list_is_richer(rows):
    share = rows["chronology_cooperation"]["n"]
    assert share.between(0.2, 0.6).all()
    rich = share.loc[[2014, 2015, 2016, 2022, 2023, 2024]].mean()
    # A margin of 0.05 needed a rate learned over all years, later ones included.
    assert rich > share.loc[2006:2011].mean() + 0.03
    assert rich > share.loc[2017:2021].mean() + 0.03


def test_events_read_by_the_counts_are_those_of_the_list(events, rows):
    kept = events[~coding.counted_elsewhere(events) & events["year"].between(2004, 2024)]
    table = kept.groupby(["year", "sign"]).size().unstack(fill_value=0)
    table = table.reindex(range(2004, 2025), fill_value=0)
    assert (table[1] == rows["chronology_cooperation"]["value"]).all()
    assert (table[-1] == rows["chronology_friction"]["value"]).all()


@needs_sources
def test_the_list_is_what_the_source_makes_of_it():
    for place, text in coding.tables(Sources(SOURCES)).items():
        assert (DATA / place).read_bytes().decode("utf-8") == text


@needs_sources
def test_joint_vetoes_would_measure_nothing():
    """The chronology took them from the veto list itself: it holds them all, in every year."""
    src = Sources(SOURCES)
    vetoes = src.read("sc_vetoes", ["date", "year", "chn_rus_joint"])
    vetoes = vetoes[(vetoes["chn_rus_joint"] == 1) & vetoes["year"].between(1992, 2024)]
    events = load_chronology()
    events = events[(events["channel"] == "UN") & (events["sign"] == 1)]
    assert len(vetoes) == 16 and detection.held(vetoes["date"], events).all()


@needs_sources
def test_main_summits_before_2004_would_overstate_a_thin_list():
    """Only summits that made headlines are listed there, and the chronology holds nearly all."""
    src = Sources(SOURCES)
    visits = coding.meetings(src)
    visits = visits[visits["mode"].isin(coding.AT_HOME) & (visits["status"] == "verified")]
    events = load_chronology()
    events = events[events["channel"].isin(coding.OF_VISITS) & (events["sign"] == 1)]
    found = detection.held(visits["date"], events)
    early = visits["year"] < 2002
    assert found[early].mean() == 1 and found[~early].mean() < 0.6
