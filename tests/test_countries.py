"""Every name, number and code of a state means one thing."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from fairweather import countries
from fairweather.errors import SourceError
from fairweather.paths import data_dir
from published import SOURCES, needs_sources


def test_no_code_number_or_name_is_given_twice():
    rows = countries.table()
    assert rows["iso3"].is_unique and rows["iso3"].str.fullmatch("[A-Z]{3}").all()
    numbers = [n for cell in rows["cow"] for n in cell.split("|") if n]
    assert len(numbers) == len(set(numbers))
    names = [
        countries.plain(name)
        for first, more in zip(rows["name"], rows["other_names"], strict=True)
        for name in (first, *more.split("|"))
        if name
    ]
    assert len(names) == len(set(names))
    assert all(names)


def test_the_members_of_the_record_are_all_there():
    states = pd.read_csv(data_dir() / "states.csv")
    assert set(states["iso3"]) <= countries.valid_iso3()


def test_un_membership_by_year():
    assert len(countries.un_members(2024)) == 193
    assert {"CHN", "TWN"} <= countries.un_members(1971)
    assert "CHN" not in countries.un_members(1970)
    assert "TWN" not in countries.un_members(1972)
    assert "SSD" not in countries.un_members(2010)


@pytest.mark.parametrize(
    ("number", "iso3"),
    list(
        zip(
            (365, 255, 260, 678, 679, 680, 345, 816, 817, 710, 713, 265),
            "RUS DEU DEU YEM YEM YMD SRB VNM VDR CHN TWN DDR".split(),
            strict=True,
        )
    ),
)
def test_cow_numbers(number, iso3):
    assert countries.iso3_of_cow(pd.Series([number])).tolist() == [iso3]
    assert countries.iso3_of_cow(pd.Series([str(number)])).tolist() == [iso3]


@pytest.mark.parametrize(
    ("name", "iso3"),
    (
        ("USSR", "RUS"),
        ("Soviet Union", "SUN"),
        ("China", "CHN"),
        ("Other Asia, nes", "TWN"),
        ("Congo, Rep.", "COG"),
        ("Congo, DR", "COD"),
        ("CÔTE D’IVOIRE", "CIV"),
        ("St. Vincent & the Grenadines", "VCT"),
        ("The Gambia", "GMB"),
        ("Yugoslavia", "YUG"),
        ("LIBYAN ARAB JAMAHIRIYA", "LBY"),
        ("Bolivia (Plurinational State of)", "BOL"),
    ),
)
def test_names(name, iso3):
    assert countries.iso3_of_name(pd.Series([name])).tolist() == [iso3]


def test_the_seat_of_china_passes_on_25_october_1971():
    dates = pd.Series(["1971-10-25", "1971-11-09"])
    codes = countries.iso3_of_un(pd.Series(["CHN", "CHN"]), dates)
    assert codes.tolist() == ["TWN", "CHN"]
    former = pd.Series(["SUN", "BYS", "UKS", "ZAR", "BUR", "CSK"])
    codes = countries.iso3_of_un(former, pd.Series(["1980-01-01"] * 6))
    assert codes.tolist() == ["RUS", "BLR", "UKR", "COD", "MMR", "CSK"]


def test_unknown_states_are_refused_with_line_and_remedy():
    with pytest.raises(SourceError, match=r"f\.csv, line 3: unknown state 'Ruritania'.*other_n"):
        countries.iso3_of_name(pd.Series(["China", "Ruritania"]), "f.csv")
    with pytest.raises(SourceError, match=r"line 11: unknown state number 9999; 1 more"):
        countries.iso3_of_cow(pd.Series([9999, 9999]), "f.csv", line=lambda i: i + 11)
    with pytest.raises(SourceError, match="'many'"):
        countries.iso3_of_cow(pd.Series(["many"]))
    with pytest.raises(SourceError, match="member code 'CN'"):
        countries.iso3_of_un(pd.Series(["CN"]), pd.Series(["1999-01-01"]))


def test_the_input_is_left_alone():
    names = pd.Series(["China"], index=[7])
    assert countries.iso3_of_name(names).index.tolist() == [7]
    assert names.tolist() == ["China"]
    table = countries.table()
    table["iso3"] = ""
    assert "CHN" in countries.valid_iso3() and "CHN" in set(countries.table()["iso3"])


def test_a_state_can_leave_the_system_and_come_back():
    years = [1945, 1946, 1958, 1959, 1960, 1961, 2024]
    alive = countries.in_system(["SYR", "CHN", "DDR"], years).astype(int).tolist()
    assert alive == [[0, 1, 1, 0, 0, 1, 1], [1] * 7, [0, 0, 1, 1, 1, 1, 0]]


@needs_sources
def test_spells_are_those_of_the_capability_rows():
    power = pd.read_parquet(Path(SOURCES) / "security/nmc_v7_state_year.parquet")
    years = range(1950, 2023)
    seen = pd.crosstab(power["iso3"], power["year"]).reindex(columns=years, fill_value=0) > 0
    seen = seen[seen.any(axis=1)]
    alive = countries.in_system(seen.index, years)
    assert (alive == seen.to_numpy()).all(), seen.index[(alive != seen).any(axis=1)].tolist()


@needs_sources
def test_names_and_numbers_agree_with_prepared_copies():
    root = Path(SOURCES)
    power = pd.read_parquet(root / "security/nmc_v7_state_year.parquet")
    assert (countries.iso3_of_cow(power["cow"]) == power["iso3"]).all()
    names = pd.read_csv(root / "un_votes/ms_names.csv")
    # A handful of misprints, and the two Chinas, which only the date tells apart.
    read = names["name"].map(countries.plain).map(countries._by_name())
    known = read.notna() & (names["n"] > 20) & ~names["iso3"].isin(["TWN", "SRB"])
    assert (read[known] == names.loc[known, "iso3"]).all()
    assert names.loc[read.isna(), "n"].sum() < 30
    listed = pd.read_csv(root / "us_pressure/ofac_active_entities_country_month_2022_2024.csv.gz")
    pairs = listed[["iso3", "country_as_given"]].drop_duplicates().dropna()
    assert (countries.iso3_of_name(pairs["country_as_given"]) == pairs["iso3"]).all()
