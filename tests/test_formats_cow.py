"""Flows run from exporter to importer, pairs have one row a year, and -9 is never a number."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from fairweather.errors import SourceError
from fairweather.formats import atop, cow_alliances, cow_mid, cow_trade
from published import SOURCES, needs_sources

SAMPLES = Path(__file__).parent / "samples"


def edited(tmp_path, name, old, new):
    text = (SAMPLES / name).read_text()
    assert old in text
    file = tmp_path / name
    file.write_text(text.replace(old, new, 1))
    return [file]


def sample(reader):
    (table,) = reader.read([SAMPLES / f"{reader.NAME}.csv"]).values()
    return table


def only(table, **key):
    for column, value in key.items():
        table = table[table[column] == value]
    return table.iloc[0] if len(table) == 1 else table


@pytest.mark.parametrize(
    ("reader", "old", "new", "match", "row"),
    [
        (cow_trade, "2,710,2013", "2,365,2013", "stands twice in 2013", 4),
        (cow_trade, "2,710,2013", "365,2,2013", "stands twice in 2013", 4),
        (cow_trade, "459107.9,", "-5,", "neither a number from 0 nor -9", 4),
        (cow_trade, "459107.9,", "NA,", "neither a number from 0 nor -9", 4),
        (cow_trade, "459107.9,", "1e999,", "neither a number from 0 nor -9", 4),
        (cow_trade, "459107.9,", "1e308,", "neither a number from 0 nor -9", 4),
        (cow_trade, "2,365,2013", "2,365,2031", "not a number from 1870 to 2014", 2),
        (cow_mid, "3,2000,2000,", "3,2000,2081,", "not a number from 1816 to 2014", 3),
        (cow_alliances, "0,0,0,2011,", "0,0,0,2021,", "not a number from 1816 to 2012", 3),
        (atop, "20,2018", "20,2081", "not a number from 1815 to 2018", 3),
        (cow_trade, "710,731,2013", "710,798,2013", "unknown state number", 9),
        (cow_trade, "710,731,2013", "710,710,2013", "trades with itself", 9),
        (cow_trade, "1,-9,4\n", "1,-9,3\n", "Use Trade 4.0", 9),
        (cow_alliances, "210,2,United States of America,20,Canada,4,4,1949,,,,0,1,1,0,0,0,2012",
         "210,2,United States of America,20,Canada,4,4,1949,,,,0,1,1,0,0,0,2011", "twice", 4),
        (cow_alliances, "332,365,Russia,710", "332,365,Russia,999", "unknown state", 8),
        (cow_alliances, "2012,4.1\n211", "2012,3.0\n211", "not 4.1", 5),
        (atop, "365710,365,710,2018", "365710,365,710,1965", "stand twice", 6),
        (atop, "2740,2,740,2018,1,1", "2740,2,740,2018,0,1", "without an alliance", 4),
        (atop, "2740,2,740,2018,1,1", "2740,2,740,2018,1,2", "publisher's list", 4),
        (cow_mid, "2013,3,1,2014,2014", "2013,3,1,2014,2013", "stand twice", 5),
        (cow_mid, "2013,3,1,2014,2014", "2013,3,1,2014,2012", "outside dispute 4281", 5),
        (cow_mid, "15,0,4,1,1,1", "15,0,7,1,1,1", "level of hostility", 3),
    ],
)  # fmt: skip
def test_faults_are_named_by_line(tmp_path, reader, old, new, match, row):
    with pytest.raises(SourceError, match=match) as caught:
        reader.read(edited(tmp_path, f"{reader.NAME}.csv", old, new))
    assert caught.value.row == row and caught.value.remedy


def test_flow1_is_what_the_first_state_imported():
    flows = sample(cow_trade)
    assert only(flows, year=2013, importer="USA", exporter="CHN")["value"] == 459107.9
    assert only(flows, year=2013, importer="CHN", exporter="USA")["value"] == 153395.2
    assert only(flows, year=1957, importer="RUS", exporter="CHN")["value"] == 812
    assert set(flows["source"]) == {"COW_Trade_4.0"} and set(flows["reporter"]) == {"importer"}


def test_missing_flows_and_zeros_that_cannot_be_are_absent():
    flows = sample(cow_trade)
    assert flows["year"].min() == 1957 and (flows["value"] > 0).all()
    assert only(flows, year=1960).empty and only(flows, year=1964).empty
    assert only(flows, importer="PRK").empty


def test_pledges_of_several_alliances_add_up():
    table = sample(cow_alliances)
    assert table["year"].min() == 1979
    row = only(table, iso3_a="USA", iso3_b="CAN", year=2012)
    assert row[["cow_defense", "cow_entente", "cow_nonagg"]].tolist() == [1, 1, 0]
    assert only(table, iso3_a="USA", iso3_b="CAN", year=2011)["cow_entente"] == 0
    assert only(table, iso3_a="RUS", iso3_b="CHN", year=1979)["cow_defense"] == 1


def test_obligations_by_pair():
    table = sample(atop)
    row = only(table, iso3_a="RUS", iso3_b="CHN", year=2018)
    assert row[["atop_defense", "atop_nonagg", "atop_consul"]].tolist() == [0, 1, 1]
    assert len(table) == 5 and atop.coverage({"alliances": table}) == (1965, 2018)


def test_disputes_are_seen_from_both_sides_once():
    table = sample(cow_mid)
    names = ["cow_n_disputes", "cow_n_onsets", "cow_host_a_to_b"]
    assert only(table, iso3_a="USA", iso3_b="RUS", year=2000)[names].tolist() == [1, 1, 4]
    assert only(table, iso3_a="RUS", iso3_b="USA", year=2000)[names].tolist() == [1, 1, 1]
    # One dispute runs on from 2013, another begins and stands both ways round; -9 is no level.
    assert only(table, iso3_a="USA", iso3_b="RUS", year=2014)[names].tolist() == [2, 1, 3]
    assert only(table, iso3_a="RUS", iso3_b="USA", year=2014)[names].tolist() == [2, 1, 3]
    assert cow_mid.coverage({"mid_directed": table}) == (2000, 2014)


@needs_sources
def test_cow_trade_equals_the_prepared_copy(tmp_path):
    known = pd.read_parquet(Path(SOURCES) / "trade/bilateral_trade.parquet")
    known = known[(known["source"] == cow_trade.LABEL) & (known["year"] >= 1990)]
    columns = ["year", "exporter", "importer", "value", "exporter_cow", "importer_cow"]
    known = known[columns].astype({"exporter": "str", "importer": "str", "value": "float64"})
    known = known[known["exporter_cow"].isin([2, 365, 710, 255, 345, 816])]
    # The copy names Antigua (58) and Macedonia (343) ATA and MAC, the codes of other places.
    wrong = {"ATA": "ATG", "MAC": "MKD"}
    known = known.replace({"exporter": wrong, "importer": wrong})
    back = known.rename(columns={"exporter_cow": "ccode2", "importer_cow": "ccode1"})
    back = back[back["ccode1"] != back["ccode2"]]
    low = back[["ccode1", "ccode2"]].min(axis=1)
    back["flow"] = (back["ccode1"] != low) + 1
    back["high"] = back[["ccode1", "ccode2"]].max(axis=1)
    wide = back.assign(low=low).pivot(index=["low", "high", "year"], columns="flow", values="value")
    wide = wide.fillna(-9).reset_index()
    wide = wide.rename(columns={"low": "ccode1", "high": "ccode2", 1: "flow1", 2: "flow2"})
    wide = wide.assign(version=4).reindex(columns=list(cow_trade.COLUMNS))
    wide.to_csv(tmp_path / "t.csv", index=False)
    made = cow_trade.read([tmp_path / "t.csv"])["trade_flows"][columns[:4]]
    order = ["exporter", "importer", "year", "value"]
    made, known = (t.sort_values(order)[columns[:4]].reset_index(drop=True) for t in (made, known))
    pd.testing.assert_frame_equal(made, known, check_dtype=False)


@needs_sources
@pytest.mark.parametrize(("reader", "first"), [(cow_alliances, 1945), (atop, 1945)])
def test_alliances_equal_the_prepared_copy(tmp_path, reader, first):
    known = pd.read_parquet(Path(SOURCES) / "security/alliances_pair_year.parquet")
    prefix = "cow_" if reader is cow_alliances else "atop_"
    flags = [c for c in known if c.startswith(prefix) and c[-2:] not in ("_a", "_b", "ic")]
    known = known[(known["year"] >= first) & known[flags].notna().all(axis=1)]
    known = known[known[flags].max(axis=1) > 0]
    if reader is cow_alliances:
        raw = known.rename(columns={flag: name for name, flag in cow_alliances.PLEDGES.items()})
        raw = raw.rename(columns={"cow_a": "ccode1", "cow_b": "ccode2"})
        raw = raw.assign(version4id=1, version="4.1")
    else:
        raw = known.rename(columns={flag: flag[5:] for flag in flags})
        raw = raw.rename(columns={"cow_a": "mem1", "cow_b": "mem2"})
        raw = raw.assign(atopally=1, version="5.1")
    raw = raw.reindex(columns=list(reader.COLUMNS))
    raw.to_csv(tmp_path / "a.csv", index=False)
    made = reader.read([tmp_path / "a.csv"])["alliances"]
    key = ["iso3_a", "iso3_b", "year"]
    known = known.groupby(key)[flags].max().reset_index()
    made = made.sort_values(key, ignore_index=True)[[*key, *flags]]
    pd.testing.assert_frame_equal(made, known, check_dtype=False)


@needs_sources
def test_disputes_equal_the_prepared_copy(tmp_path):
    known = pd.read_parquet(Path(SOURCES) / "security/mid_directed_pair_year.parquet")
    known = known[(known["year"] >= 1992) & (known["cow_n_disputes"] > 0)]
    names = ["cow_n_disputes", "cow_n_onsets", "cow_host_a_to_b"]
    rows = []
    for n, row in enumerate(known.itertuples()):
        for k in range(row.cow_n_disputes):
            start = row.year if k < row.cow_n_onsets else row.year - 1
            # The same number for the same dispute seen from the other side.
            pair = sorted((row.ccode_a, row.ccode_b))
            number = int(f"{pair[0]:03d}{pair[1]:03d}{row.year % 100:02d}{k}")
            level = row.cow_host_a_to_b if k == 0 else 0
            rows.append((number, n, row.ccode_a, row.ccode_b, start, row.year, row.year, level))
    made = ["disno", "dyindex", "statea", "stateb", "strtyr", "endyear", "year", "hihosta"]
    raw = pd.DataFrame(rows, columns=made).assign(hihostb=-9)
    raw.reindex(columns=list(cow_mid.COLUMNS)).to_csv(tmp_path / "m.csv", index=False)
    table = cow_mid.read([tmp_path / "m.csv"])["mid_directed"]
    key = ["iso3_a", "iso3_b", "year"]
    known = known.sort_values(key)[[*key, *names]].reset_index(drop=True)
    table = table.sort_values(key)[[*key, *names]].reset_index(drop=True)
    pd.testing.assert_frame_equal(table, known, check_dtype=False)
