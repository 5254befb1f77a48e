"""Added pressure indicators honour their sources' caveats, and the default fit reads none of them.

Values are checked against the tables published beside the sources; caveats of form (blanks,
duplicates, months in part) against small made-up tables.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fairweather import countries, paths
from fairweather.codebook import load_codebook
from fairweather.coding import events, measures, perimeter, us_contacts
from fairweather.coding.build import observations
from fairweather.coding.registry import OutOfSpan, Sources
from fairweather.schema import to_csv_text
from fairweather.states import read_states
from published import SOURCES, needs_sources

ADDED = """gsdb_us_kinds gsdb_us_new gsdb_us_economic ties_us_new_impositions ties_us_trade_practice
ofac_entities ofac_sdn_new entity_list_rules fr_trade_remedy_docs fr_trade_remedy_initiations
us_tariff_china us_mid_gml us_arms_to_taiwan us_arms_orders_taiwan us_troops_perimeter
nato_neighbours us_fonops_china taiwan_strait_transits icews_us_material_coop ties_us_threats
us_public_view us_leader_meetings leader_visits_to_us us_president_trips us_secstate_trips
""".split()
CONTACTS = ["leader_visits_to_us", "us_president_trips", "us_secstate_trips"]


@pytest.fixture(scope="module")
def book():
    return load_codebook()


def stored(name, folder="observations"):
    path = paths.data_dir() / folder / f"{name}.csv"
    return pd.read_csv(path).set_index(["unit", "year"])


def series(name, unit, folder="observations", column="value"):
    return stored(name, folder).loc[unit, column]


def made(reader, states="CHN RUS", years=(1992, 2024), **given):
    tables = {k: v if isinstance(v, pd.DataFrame) else pd.DataFrame(v) for k, v in given.items()}
    return reader(Sources(None, states.split(), years=years, given=tables))


def by_year(frame, unit, column="value"):
    frame = frame[frame["unit"] == unit]
    return dict(zip(frame["year"].astype(int), frame[column], strict=True))


# -- the codebook ----------------------------------------------------------------------------


def test_the_default_fit_reads_none_of_them(book):
    for name in ADDED:
        one = book[name]
        assert one.latent == "pressure" and not one.anchor, name
        assert not one.default and one.aside, name
    verbal = [i for i in ADDED if book[i].domain == "verbal"]
    assert verbal == ["ties_us_threats", "us_public_view", "us_leader_meetings", *CONTACTS]
    eased = {i for i in ADDED if book[i].sign == -1}
    assert eased == {"icews_us_material_coop", *verbal} - {"ties_us_threats"}


def test_the_source_of_pressure_is_under_none():
    assert not any("USA" in stored(name).index.get_level_values("unit") for name in ADDED)


# -- sanction cases --------------------------------------------------------------------------


def test_gsdb_is_a_bundle_and_lacks_magnitsky():
    new = series("gsdb_us_new", "RUS")
    assert new[new > 0].to_dict() == {2014: 1, 2017: 1, 2019: 1, 2020: 1, 2022: 3}
    assert series("gsdb_us_kinds", "RUS").loc[1992:2013].eq(0).all()
    assert series("gsdb_us_kinds", "RUS")[2022] == 4
    china = series("gsdb_us_new", "CHN")
    assert china.loc[2017:].tolist() == [1, 2, 1, 1, 1, 1]
    assert china.loc[1992:2016].sum() == 1
    assert stored("gsdb_us_kinds")["value"].between(0, 6).all()


def test_gsdb_reads_the_soviet_union_as_rus():
    old = series("gsdb_us_new", "RUS", "history")
    assert old[old > 0].index.tolist() == [1978, 1980, 1981, 1991]
    money = np.expm1(series("gsdb_us_economic", "RUS", "history"))
    assert money.loc[1978:1987].gt(0.5).all() and money.loc[1988:1990].eq(0).all()


def test_arms_embargo_alone_is_no_economic_case():
    # Case 363 of 1989 holds arms and military aid only.
    assert series("gsdb_us_kinds", "CHN").loc[1995:2016].eq(2).all()
    assert series("gsdb_us_economic", "CHN").loc[1995:2016].eq(0).all()
    assert np.expm1(series("gsdb_us_economic", "RUS")[2022]) == pytest.approx(7, abs=1e-4)


def test_economic_cases_are_counted_once_to_the_last_year():
    pairs = pd.DataFrame(
        [
            ("USA", "SUN", 1, 1978, 1980, 1, 0),
            ("USA", "SUN", 1, 1978, 1980, 1, 0),  # the same case again
            ("USA", "SUN", 2, 1979, 1979, 0, 1),
            ("USA", "SUN", 3, 1978, 1980, 0, 0),  # arms only
            ("GBR", "SUN", 4, 1978, 1980, 1, 0),
            ("USA", "CHN", 5, 1940, 1978, 1, 1),
            ("USA", "CHN", 6, 1990, 1995, 1, 1),  # outside the years asked for
        ],
        columns=["sender_iso3", "target_iso3", "case_id", "begin", "end", "trade", "financial"],
    )
    out = made(measures.gsdb_us_economic, years=(1977, 1981), gsdb_pairs=pairs)
    counts = out.assign(value=np.expm1(out["value"]).round())
    assert by_year(counts, "RUS") == {1977: 0, 1978: 1, 1979: 2, 1980: 1, 1981: 0}
    assert by_year(counts, "CHN") == {1977: 1, 1978: 1, 1979: 0, 1980: 0, 1981: 0}


def test_a_state_that_was_never_a_target_has_true_zeros():
    row = {"iso3": ["CHN"], "year": [2000], "us_new": [1], **{k: [0] for k in measures.KINDS}}
    for reader in (measures.gsdb_us_new, measures.gsdb_us_kinds):
        out = made(reader, states="CHN FJI", years=(2000, 2001), gsdb_us=row)
        assert by_year(out, "FJI") == {2000: 0, 2001: 0}


TIES = pd.DataFrame(
    [
        ("CHN", 1993, 1994.0, 1, 1, 8),
        ("CHN", 1993, None, 0, 1, 2),  # imposed, year unknown
        ("CHN", 1993, None, 1, 0, 13),  # trade practices
        ("CHN", 1994, None, 1, 0, 8),
        ("IGO", 1994, None, 1, 0, 8),
    ],
    columns=["target_iso3", "start_year", "imposed_year", "threat", "imposition", "issue1_code"],
)


def test_ties_flows_need_no_end_year_and_keep_trade_practices_apart():
    asked = {"years": (1993, 1995), "ties_cases": TIES}
    threats = made(measures.ties_us_threats, **asked)
    assert by_year(threats, "CHN") == {1993: 1, 1994: 1, 1995: 0}
    assert by_year(made(measures.ties_us_new_impositions, **asked), "CHN") == {
        1993: 1,
        1994: 1,
        1995: 0,
    }
    trade = made(measures.ties_us_trade_practice, **asked)
    assert by_year(trade, "CHN") == {1993: 1, 1994: 0, 1995: 0}
    assert by_year(trade, "RUS") == {1993: 0, 1994: 0, 1995: 0}
    with pytest.raises(OutOfSpan):
        made(measures.ties_us_threats, years=(2006, 2010), ties_cases=TIES)


def test_ties_china():
    threats = series("ties_us_threats", "CHN")
    assert threats[threats > 0].to_dict() == {1992: 1, 1994: 1, 1996: 2, 1997: 1, 2001: 2}
    trade = series("ties_us_trade_practice", "CHN")
    assert trade[trade > 0].to_dict() == {1994: 2, 1995: 2, 1997: 2}
    imposed = series("ties_us_new_impositions", "CHN")
    # 1994 and 1997 were over trade practices.
    assert imposed[imposed > 0].to_dict() == {2001: 1}
    leaders = stored("ties_us_trade_practice").groupby("unit")["value"].sum()
    assert leaders.idxmax() == "JPN"  # commerce, not enmity


# -- lists -----------------------------------------------------------------------------------


def test_ofac_level_is_that_of_december_and_ends_in_2024():
    level = np.expm1(stored("ofac_entities")["value"])
    for unit, counts in (("CHN", [393, 552, 842]), ("RUS", [2227, 3433, 5095])):
        assert level[unit].round().tolist() == counts
    months = {
        "iso3": "CHN",
        "month": ["2022-11", "2022-12", "2025-12"],
        "active_entities": [9, 3, 900],  # removals of 2025 are missing in the copy
    }
    out = made(measures.ofac_entities, years=(2022, 2026), ofac_months=months)
    assert set(out["year"]) == {2022}
    assert np.expm1(out.set_index("unit")["value"]).round().to_dict() == {"CHN": 3, "RUS": 0}


def test_programme_entries_have_exposure_and_no_made_up_zeros():
    new = stored("ofac_sdn_new")
    assert new.loc["RUS", "value"].tolist() == [2, 1872, 1684, 924]
    days = [128 / 365, 363 / 365, 1, 127 / 365]
    assert new.loc["RUS", "n"].tolist() == pytest.approx(days, abs=1e-5)
    # A programme without new entries is a zero; a state without a programme is unknown.
    assert new.loc["CUB", "value"].eq(0).all()
    units = set(new.index.get_level_values("unit"))
    assert not units & {"JPN", "IND", "PAK", "CHN"} and len(units) == 10


def test_programme_reader_on_a_small_list():
    rows = pd.DataFrame(
        [
            ("2021-08", "2021-08-31", "RUS", None),  # starting stock
            ("2021-12", "2021-12-31", "RUS", 4),
            ("2021-12", "2021-12-31", None, 50),  # thematic
            ("2021-12", "2021-12-31", "CHN", 1),
            ("2021-12", "2021-12-31", "BDI", 0),
            ("2022-12", "2022-12-31", "RUS", 3),
            ("2022-12", "2022-12-31", "RUS", 2),  # a second tag
        ],
        columns=["month", "snapshot_date", "target_iso3", "new_entries_in_month"],
    )
    reader = measures.ofac_sdn_new
    out = made(reader, "CHN RUS BDI JPN", (2021, 2022), ofac_programs=rows)
    assert by_year(out, "RUS") == {2021: 4, 2022: 5}
    assert by_year(out, "RUS", "n") == pytest.approx({2021: 122 / 365, 2022: 1})
    assert by_year(out, "BDI") == {2021: 0, 2022: 0}
    assert set(out["unit"]) == {"BDI", "RUS"}


def test_entity_list_absence_is_weighed_by_issues_read():
    rules = stored("entity_list_rules")
    assert rules.loc["CHN", "value"].tolist() == [1, 2, 4, 10, 4]
    assert rules.loc["RUS", "value"].tolist() == [1, 1, 8, 10, 2]
    read = [0.34, 0.368, 0.996, 0.996, 0.38]  # 85, 92, 249, 249 and 95 issues of 250
    assert rules.loc["JPN", "n"].tolist() == pytest.approx(read, abs=0.005)
    assert rules.groupby("unit").size().eq(5).all() and rules.loc["BRA", "value"].eq(0).all()


def test_entity_list_counts_a_rule_once_and_drops_years_unread():
    rules = {
        "fr_date": ["2020-03-16", "2020-03-16", "2020-04-01"],
        "fr_document": ["a", "a", "b"],
        "destination_iso3": ["CHN", "CHN", "CHN"],
    }
    issues = {"month": ["2020-03", "2020-04", "2022-01"], "issue_days_present": [20, 5, 250]}
    out = made(measures.entity_list_rules, entity_list=rules, fr_coverage=issues)
    assert by_year(out, "CHN") == {2020: 2, 2022: 0}
    assert by_year(out, "RUS", "n") == {2020: 0.1, 2022: 1}


def test_federal_register_counts_complete_months_only():
    months = {
        "iso3": "CHN",
        "month": [f"2020-0{i}" for i in range(1, 6)] + ["2021-02"],
        "trade_remedy_docs": [1, 2, 3, 4, 99, 7],
        "complete": [True] * 4 + [False, True],
        "issue_days_present": [25, 25, 25, 25, 1, 20],
    }
    out = made(measures.fr_trade_remedy_docs, fr_months=months)
    assert by_year(out, "CHN") == {2020: 10} and by_year(out, "CHN", "n") == {2020: 0.4}


def test_trade_remedies_have_the_exposure_of_the_other_documents():
    other = stored("fr_sanction_docs")["n"]
    docs, opened = stored("fr_trade_remedy_docs"), stored("fr_trade_remedy_initiations")
    assert docs["n"].equals(other) and opened["n"].equals(other)
    assert (opened["value"] <= docs["value"]).all()
    assert "NGA" not in docs.index.get_level_values("unit")
    assert docs.loc["CHN", "value"].tolist() == [146, 101, 272, 338, 110]


def test_tariff_is_the_last_point_of_each_year():
    tariff = np.exp(series("us_tariff_china", "CHN")).round(3)
    assert tariff.to_dict() == {2017: 3.1, 2018: 12.0, 2019: 21.0, 2020: 19.3}
    facts = {
        "date": ["2018-09-25", "2018-07-01", "2018-12-01", "2018-10-01"],
        "indicator": ["avg_us_tariff_on_china"] * 2 + ["avg_chinese_tariff_on_us"] * 2,
        "target_iso3": ["CHN", "CHN", "USA", "USA"],
        "value": [12.0, 3.8, 20.7, 18.3],
    }
    out = made(measures.us_tariff_china, us_facts=facts)
    assert np.exp(out["value"]).tolist() == pytest.approx([12.0])


# -- force -----------------------------------------------------------------------------------

# Years in which the US reached level 3 toward the state by GML, from the table beside the source.
GML = {
    "CHN": {*range(1950, 1957), 1958, *range(1960, 1973), 1995, 1996, 1999, 2000, 2001, 2009},
    "RUS": {1950, 1951, 1953, 1954, *range(1956, 1963), 1964, 1965, 1967, 1970, 1972, 1973,
            *range(1977, 1987), 1997, 1999, 2000, 2001},
}  # fmt: skip


@pytest.mark.parametrize("unit", GML)
def test_gml_disputes_match_the_table(unit):
    both = pd.concat([series("us_mid_gml", unit, f) for f in ("history", "observations")])
    assert set(both[both == 1].index) == GML[unit]
    assert both.index.tolist() == list(range(1950, 2011))


def test_gml_blank_is_no_dispute_and_only_us_acts_count():
    rows = pd.DataFrame(
        {
            "iso3_a": ["USA", "USA", "USA", "CHN"],
            "iso3_b": ["CHN", "CHN", "CHN", "USA"],
            "year": [2001, 2002, 2003, 2004],
            "gml_host_a_to_b": pd.array([3, None, 2, 4], dtype="Int16"),
        }
    )
    out = made(perimeter.us_mid_gml, years=(2001, 2014), mid_directed=rows)
    assert by_year(out, "CHN") == {y: int(y == 2001) for y in range(2001, 2011)}


def test_arms_to_taiwan_come_from_one_vintage():
    arms = np.expm1(series("us_arms_to_taiwan", "CHN"))
    assert arms[2020] == pytest.approx(134.18, abs=0.01)  # the older table says 99
    assert arms[2022] == pytest.approx(222.2, abs=0.01)
    old = series("us_arms_to_taiwan", "CHN", "history")
    assert old[1950] == 0 and (old.loc[1951:] > 0).all()
    orders = series("us_arms_orders_taiwan", "CHN")
    assert orders[[1992, 2013, 2019]].tolist() == [8, 0, 6]


def test_troops_leave_out_the_year_counted_twice():
    for unit, year, troops in (("CHN", 2007, 63287), ("CHN", 2009, 75714), ("RUS", 2022, 70393)):
        value = series("us_troops_perimeter", unit)
        assert np.exp(value[year]) == pytest.approx(troops, rel=1e-5)
        assert 2008 not in value.index and len(value) == 32
    # The wars in Korea and Vietnam are in.
    assert np.exp(series("us_troops_perimeter", "CHN", "history")[1968]) > 700_000


def test_troops_unknown_are_not_none():
    table = {
        "year": [1949, 2007, 2008, 2009],
        "us_troops_east_asia": [None, 10, 20, None],
        "us_troops_nato_pre1999_europe": [None, 5, 9, 6],
        "us_troops_eastern_flank": [None, 1, 1, 2],
    }
    out = made(perimeter.us_troops_perimeter, years=(1946, 2024), us_perimeter=table)
    assert np.exp(out["value"]).tolist() == pytest.approx([10, 6, 8])
    assert out["year"].tolist() == [2007, 2007, 2009]


def test_nato_neighbours_are_russias_not_the_soviet_unions(book):
    steps = series("nato_neighbours", "RUS")
    assert steps[[1992, 1998, 1999, 2003, 2004, 2022, 2023, 2024]].tolist() == [
        1, 1, 2, 2, 5, 5, 6, 6,
    ]  # fmt: skip
    assert book["nato_neighbours"].history_from == 0


def test_operations_at_sea_come_from_one_count():
    assert series("us_fonops_china", "CHN").to_dict() == {
        2015: 2,
        2016: 3,
        2017: 6,
        2018: 5,
        2019: 7,
    }
    assert series("taiwan_strait_transits", "CHN").tolist() == [12, 5, 3, 9, 13]
    rows = {
        "year": [2019.0, 2019.0, 2020.0, None],
        "indicator": ["fonop_scs", "fonop_scs_ap", "fonop_scs_fy", "taiwan_fms_term_total_usd_bn"],
        "value": [7, 10, 10, 8.7],
    }
    out = made(perimeter.us_fonops_china, us_pressure_china=rows)
    assert by_year(out, "CHN") == {2019: 7}


# -- words and contact -----------------------------------------------------------------------


@pytest.mark.parametrize("folder", ["observations", "history"])
def test_the_three_channels_add_up_to_all_contacts(folder):
    parts = sum(stored(name, folder)["value"] for name in CONTACTS)
    assert parts.equals(stored("us_leader_contacts", folder)["value"])


# Leader to US, president to, secretary to: from the tables published with the source.
VISITS = {
    ("CHN", 2005): (1, 1, 3), ("CHN", 2014): (0, 1, 4), ("CHN", 2019): (3, 0, 0),
    ("CHN", 2023): (2, 0, 1), ("RUS", 1997): (2, 0, 3), ("RUS", 2006): (0, 2, 3),
    ("RUS", 2009): (2, 1, 1), ("RUS", 2022): (0, 0, 0), ("RUS", 2024): (0, 0, 0),
}  # fmt: skip


def test_visits_match_the_table():
    parts = [stored(name)["value"] for name in CONTACTS]
    for (unit, year), expected in VISITS.items():
        found = tuple(p[unit, year] for p in parts)
        # Two rows of one stay (San Francisco 2023) are one visit here, two in that table.
        assert found == ((1, 0, 1) if (unit, year) == ("CHN", 2023) else expected)


def test_visits_with_south_vietnam_are_not_vietnams():
    trips = {
        "source": ["OTH_travels", "OTH_travels", "OTH_travels", "VG2_outbound"],
        "traveller_iso3": ["USA", "USA", "USA", "CHN"],
        "host_iso3": ["VNM", "VNM", "CHN", "VNM"],
        "year": [1966, 2000, 1975, 2000],
        "office": ["president", "president", "secretary_of_state", "president"],
        "n_trips": [2, 1, 1, 1],
    }
    out = made(us_contacts.us_president_trips, "CHN VNM", (1960, 2001), trips=trips)
    assert by_year(out, "VNM")[1966] == 0 and by_year(out, "VNM")[2000] == 1
    assert by_year(out, "CHN")[1975] == 0


def test_meetings_count_a_day_once_and_miss_side_meetings():
    china, russia = (series("us_leader_meetings", u) for u in ("CHN", "RUS"))
    assert china[2023] == 1  # two rows of one stay
    assert china[2009] == 3  # two days apart are two
    # Toyako 2008 and Lyon 1996: in the source's remarks, not in the prepared list.
    assert china[2008] == 3 and russia[1996] == 3
    assert russia[2018] == 1 and russia[2021] == 1
    assert russia[2017] == 0 and china[2022] == 0  # Hamburg and Bali are not in the list
    assert set(stored("us_leader_meetings").index.get_level_values("unit")) == {"CHN", "RUS"}


def test_public_view_is_one_pollsters_question_to_americans():
    def share(unit, folder="observations"):
        return 100 / (1 + np.exp(-series("us_public_view", unit, folder)))

    assert share("CHN", "history")[1989] == pytest.approx((72 + 34) / 2, abs=1e-3)
    assert share("CHN")[2023] == pytest.approx(15, abs=1e-3)
    assert share("RUS")[2002] == pytest.approx(66, abs=1e-3)
    assert 2003 not in share("RUS").index  # only the unfavourable share was reported
    same = "very or mostly favorable"
    polls = pd.DataFrame(
        [
            ("Gallup", "USA", "CHN", "2000", 40.0, same),
            ("Gallup", "USA", "CHN", "2000-08", 60.0, same),
            ("Pew", "USA", "CHN", "2001-03", 10.0, same),
            ("Gallup", "USA", "CHN", "2002-03", 10.0, "another question"),
            ("Gallup", "USA", "CHN", "2003-03", None, same),
            ("Gallup", "CHN", "USA", "2004-03", 10.0, same),
            ("Levada Center", "RUS", "CHN", "2005", 75.0, same),
        ],
        columns=["pollster", "population_iso3", "about_iso3", "date", "pct_favorable",
                 "question_note"],
    )  # fmt: skip
    out = made(us_contacts.us_public_view, us_opinion=polls)
    assert by_year(out, "CHN") == {2000: pytest.approx(0)} and len(out) == 1


def test_material_cooperation_is_what_the_us_does():
    rows = {
        "source_iso3": ["USA", "CHN", "USA"],
        "target_iso3": ["CHN", "USA", "RUS"],
        "year": 2010,
        "material_coop": [4, 9, 1],
        "n_events": [29, 99, 19],  # fewer than 20: too few to tell
    }
    out = made(events.icews_us_material_coop, icews=rows)
    assert by_year(out, "CHN") == {2010: pytest.approx(np.log(4.5 / 25.5))} and len(out) == 1
    stock = stored("icews_us_material_coop")
    assert stock["n"].equals(stored("icews_us_material_conf")["n"]) and "VEN" not in stock.index


# -- any set of states, and the publishers' files ---------------------------------------------


@pytest.mark.parametrize("name", ["nato_neighbours", "us_arms_to_taiwan", "us_leader_meetings"])
def test_a_world_without_the_state_has_no_rows(book, name):
    assert observations(Sources(None, ["IND", "JPN"]), book[name]).empty


@needs_sources
def test_rebuild_gives_the_committed_rows(book):
    states = read_states(paths.data_dir() / "states.csv")["iso3"]
    src = Sources(SOURCES, list(states))
    for name in ADDED:
        one = book[name]
        spans = {"observations": src, "history": src.about((one.history_from, one.first_year - 1))}
        for folder, asked in spans.items():
            path = paths.data_dir() / folder / f"{name}.csv"
            assert path.exists() == (folder == "observations" or one.history_from > 0)
            if path.exists():
                assert path.read_text() == to_csv_text(observations(asked, one)), path.name


@needs_sources
def test_every_un_member_can_be_coded(book):
    src = Sources(SOURCES, countries.un_members(2024), years=(1950, 2024))
    found = {name: observations(src, book[name]) for name in ADDED}
    for name, rows in found.items():
        assert not rows.duplicated(["unit", "year"]).any() and rows["value"].notna().all(), name
    assert found["ofac_sdn_new"]["unit"].nunique() == 22  # 23 mapped targets less China
    assert found["ofac_entities"]["unit"].nunique() == 192
    listed = pd.read_csv(
        Path(SOURCES) / "us_pressure/ofac_active_entities_country_month_2022_2024.csv.gz"
    )
    december = listed[listed["month"].isin([f"{y}-12" for y in (2022, 2023, 2024)])]
    named = set(december.loc[december["active_entities"] > 0, "iso3"]) - {"USA"}
    some = found["ofac_entities"].query("value > 0")["unit"]
    assert set(some) == named & set(found["ofac_entities"]["unit"])
    assert found["entity_list_rules"]["unit"].nunique() == 192  # all but the source of pressure
    # Yearly trips as in the table derived beside them, less South Vietnam and a stay listed twice.
    table = pd.read_csv(
        Path(SOURCES) / "us_pressure" / "us_leader_contacts_country_year.csv.gz",
        index_col=["iso3", "year"],
    )
    table = table.rename(index={"YUG": "SRB"}, level=0).groupby(level=[0, 1]).sum()
    rows = found["us_president_trips"].set_index(["unit", "year"])["value"]
    theirs = table["us_president_visits_to"].reindex(rows.index, fill_value=0)
    apart = (theirs - rows)[theirs != rows].drop("VNM", level=0)
    assert apart.between(1, 1).all() and len(apart) <= 5
    assert rows["VNM"].loc[:1975].eq(0).all() and theirs["VNM"].loc[:1975].sum() > 0


@needs_sources
def test_flows_agree_with_the_derived_tables(book):
    folder = Path(SOURCES) / "us_pressure"
    src = Sources(SOURCES, countries.un_members(2024), years=(1950, 2005))
    ties = pd.read_csv(folder / "ties_v4_us_target_year_1945_2005.csv.gz", index_col=[0, 1])
    # Serbia has Yugoslavia's cases here, which the table keeps under a code of their own.
    ties = ties.drop("SRB", errors="ignore").rename(index={"YUG": "SRB"}, level=0)
    cases = observations(src, book["ties_us_trade_practice"]).set_index(["unit", "year"])["value"]
    theirs = ties["ties_us_new_trade_practice_cases"].reindex(cases.index, fill_value=0)
    assert (cases == theirs).all()
    threats = observations(src, book["ties_us_threats"]).set_index(["unit", "year"])["value"]
    theirs = ties["ties_us_new_threats"].reindex(threats.index, fill_value=0)
    assert (threats <= theirs).all() and (theirs - threats <= cases).all()
    gsdb = pd.read_csv(folder / "gsdb_v3_us_target_year_1950_2022.csv.gz", index_col=[0, 1])
    gsdb = gsdb.drop("SRB", errors="ignore").rename(index={"YUG": "SRB"}, level=0)
    rows = observations(src, book["gsdb_us_economic"]).set_index(["unit", "year"])["value"]
    both = gsdb.join(np.expm1(rows).round().rename("cases").rename_axis(gsdb.index.names)).dropna()
    assert (both["cases"] >= both[["us_trade", "us_financial"]].max(axis=1)).all()
    assert (both["cases"] <= both["us_trade"] + both["us_financial"]).all()
