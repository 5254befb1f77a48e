"""The further alignment indicators honour their sources' caveats: coverage, repeats, breaks."""

import numpy as np
import pandas as pd
import pytest

from fairweather.coding import build as builder
from fairweather.coding import commitments, contacts, dependence, fuels
from fairweather.coding.registry import OutOfSpan, Sources
from fairweather.record import load_record
from published import SOURCES, needs_sources

MINE = (
    "leader_meetings_chn_rus leader_summits_chn_rus china_engagements_cv china_visits_aiddata "
    "leader_trips_colt icews_material_coop joint_patrols_chn_rus arms_orders arms_volume_table "
    "pact_level_atop pact_level_cow partnership_level_chn_rus shared_blocs shared_igos "
    "gml_disputes export_dependence_cow export_share_wits fdi_outward_imf chronology_cooperation "
    "chronology_friction oil_fit gas_fit"
).split()


@pytest.fixture(scope="module")
def record():
    return load_record(history=True)


@pytest.fixture(scope="module")
def rows(record):
    return {k: v for k, v in record.observations.groupby("indicator")}


def series(rows, indicator, unit="CHN-RUS", column="value"):
    frame = rows[indicator]
    return frame[frame["unit"] == unit].set_index("year")[column]


def given(states="CHN RUS", years=(1992, 2024), **tables):
    frames = {name: pd.DataFrame(frame) for name, frame in tables.items()}
    return Sources(None, states.split(), years=years, given=frames)


def test_none_is_in_the_default_fit(record):
    for name in MINE:
        one = record.codebook[name]
        assert not one.default and one.aside, name
    ordinal = [i.id for i in record.codebook.by(family="ordinal") if i.id in MINE]
    assert all(not record.codebook[i].fitted for i in ordinal) and len(ordinal) == 4


# -- meetings and contacts -------------------------------------------------------------------------


def test_meetings_follow_the_list_and_not_its_flags(rows):
    found = series(rows, "leader_meetings_chn_rus")
    assert found.index.tolist() == list(range(2004, 2025))
    # Yearly table of the source, less summit-side rows, announcements and video.
    assert found.loc[[2004, 2005, 2008, 2010, 2016, 2018]].tolist() == [3, 4, 5, 6, 5, 4]
    assert found.loc[[2006, 2007, 2013, 2014]].tolist() == [3, 4, 4, 5]  # one flagged row each
    assert found[2017] == 4  # Xiamen was only announced
    assert found[2020] == found[2021] == 0  # two video meetings in 2021
    assert found.loc[[2022, 2023, 2024]].tolist() == [2, 2, 3]


def test_summits_before_2004_are_another_instrument(rows):
    found = series(rows, "leader_summits_chn_rus")
    assert found.index.max() == 2003 and found[2003] == 1  # known by year only
    assert 1993 not in found.index and 1995 not in found.index  # none listed: unknown
    assert found.loc[[1992, 1997, 2001]].tolist() == [1, 2, 2] and (found > 0).all()


def test_meeting_reader_drops_what_was_not_held():
    row = {"mode": "in_china", "status": "verified", "multilateral_only": 0}
    rows = [
        {"date": "2005-05-08", "year": 2005, **row},
        {"date": "2005-06-01", "year": 2005, **row, "status": "announced"},
        {"date": "2005-06-02", "year": 2005, **row, "mode": "video"},
        {"date": "2005-06-03", "year": 2005, **row, "multilateral_only": 1},
        {"date": "2003", "year": 2003, **row, "status": "year only"},
    ]
    src = given(head_of_state_meetings=rows)
    found = contacts.leader_meetings_chn_rus(src).set_index("year")["value"]
    assert found[2005] == found.sum() == 1 and found.index.min() == 2004
    assert contacts.leader_summits_chn_rus(src)["year"].tolist() == [2003]
    with pytest.raises(OutOfSpan):
        contacts.leader_summits_chn_rus(src.about((2010, 2020)))


def _contact(date, leader="Xi", partner="RUS", mode="travel_to_partner", repeat=0):
    return {
        "date": date,
        "leader": leader,
        "partner_iso3": partner,
        "mode": mode,
        "possible_duplicate": repeat,
    }


def test_a_trip_of_four_days_is_one_contact():
    days = ["2013-03-22", "2013-03-23", "2013-03-24", "2013-03-25"]
    rows = [
        *map(_contact, days),
        _contact("2013-03-27"),  # a gap of a day: another meeting
        _contact("2013-03-23", leader="Wang"),  # another leader
        _contact("2013-03-24", partner="IND"),  # another partner on the way
        _contact("2013-03-26", mode="phone"),
        _contact("2013-06-01", mode="message_or_other"),
        _contact("2013-06-27", repeat=1),
        _contact("2013-12-31"),
        _contact("2014-01-01"),  # the trip counts where it began
        _contact("2013-07-01", partner="FRA"),
    ]
    src = given("CHN RUS IND BRA", china_engagements=rows)
    table = contacts.china_engagements_cv(src).set_index(["unit", "year"])
    value = table["value"]
    assert value["CHN-RUS", 2013] == 5 and value["CHN-RUS", 2014] == 0
    assert value["CHN-IND", 2013] == 1
    # The list names every country: no row is none, for every partner.
    assert (value["BRA-CHN"] == 0).all() and len(value["BRA-CHN"]) == 16
    assert table["n"]["CHN-RUS", 2013] == pytest.approx(285 / 365, abs=1e-3)
    assert table["n"]["CHN-RUS", 2014] == pytest.approx(1 / 365, abs=1e-3)  # where the list stops
    assert table["n"]["CHN-RUS", 2016] == 1
    with pytest.raises(OutOfSpan):
        contacts.china_engagements_cv(given("RUS IND", china_engagements=rows))


def test_contacts_cover_every_partner_of_china_and_the_part_of_2003(rows):
    frame = rows["china_engagements_cv"]
    assert frame["unit"].nunique() == 20 and len(frame) == 20 * 16
    assert set(frame.loc[frame["year"] == 2003, "n"]) == {0.778}
    assert set(frame.loc[frame["year"].between(2004, 2017), "n"]) == {1.0}
    assert set(frame.loc[frame["year"] == 2018, "n"]) == {0.934}  # it stops on 7 December
    # Contacts without messages in the source's table: upper bound, days not yet joined.
    upper = {2003: 13, 2005: 32, 2010: 30, 2013: 26, 2014: 28, 2018: 13}
    found = series(rows, "china_engagements_cv")
    assert all(0.5 * n <= found[y] <= n for y, n in upper.items())
    assert found[2018] < 13  # the repeated day of Johannesburg is out


def test_regional_visits_leave_russia_and_blanks_unknown(rows):
    frame = rows["china_visits_aiddata"]
    assert not frame["unit"].str.contains("RUS|USA").any()
    assert set(frame["unit"]) == {
        "AFG-CHN", "CHN-IND", "CHN-JPN", "CHN-KHM", "CHN-MMR", "CHN-PAK", "CHN-PRK",
    }  # fmt: skip
    assert frame["year"].max() == 2017  # 2018 is blank for all
    last = frame.groupby("unit")["year"].max()
    assert last["CHN-JPN"] == 2015 and last["CHN-PAK"] == 2017
    assert series(rows, "china_visits_aiddata", "AFG-CHN")[2000] == 0  # a written zero
    assert series(rows, "china_visits_aiddata", "CHN-IND")[2008] == 25


def test_blank_visits_are_no_zero():
    table = {"partner_iso3": ["IND"] * 3, "year": [2014, 2015, 2016]}
    src = given("CHN IND", china_elite_visits={**table, "government_visits": [0.0, np.nan, 3.0]})
    assert contacts.china_visits_aiddata(src)["year"].tolist() == [2014, 2016]


def test_trips_of_two_hubs_count_once():
    table = {
        "hub_iso3": ["CHN", "DEU", "CHN", "DEU"],
        "partner_iso3": ["DEU", "CHN", "RUS", "RUS"],
        "year": [2022] * 4,
        "n_trips_either_direction": [1, 1, 1, 0],
    }
    found = contacts.leader_trips_colt(given("CHN DEU RUS", trips_colt=table))
    assert found.set_index("unit")["value"].to_dict() == {"CHN-DEU": 1, "CHN-RUS": 1, "DEU-RUS": 0}


def test_colt_trips_match_the_event_files(rows):
    assert series(rows, "leader_trips_colt").loc[[2018, 2019, 2022, 2023, 2024]].tolist() == [
        2, 2, 1, 2, 2,
    ]  # fmt: skip
    frame = rows["leader_trips_colt"]
    hubs = {"CHN", "DEU", "JPN"}
    assert frame["unit"].map(lambda u: bool(hubs & {u[:3], u[4:]})).all()
    assert not frame["unit"].str.contains("PRK|CUB").any()  # not in the copy: unknown
    japan = frame[frame["unit"].str.contains("JPN") & ~frame["unit"].str.contains("CHN|DEU")]
    assert japan["year"].max() == 2023


def test_material_events_are_shares_of_enough_events(rows):
    frame = rows["icews_material_coop"]
    assert frame["n"].min() >= 10 and not frame["unit"].str.contains("VEN").any()
    assert series(rows, "icews_material_coop", column="n")[2014] == 67
    assert series(rows, "icews_material_coop")[2014] == pytest.approx(np.log(54.5 / 13.5), abs=1e-5)
    assert series(rows, "icews_material_coop")[2010] == 0  # 39 against 39


# -- commitments -----------------------------------------------------------------------------------


def test_patrols_begin_in_2019(rows):
    found = series(rows, "joint_patrols_chn_rus")
    assert found.loc[:2018].sum() == 0 and found.index.min() == 1992
    assert found.loc[2019:].tolist() == [1, 1, 2, 3, 3, 4]


def test_orders_are_dated_by_the_order(rows):
    found = series(rows, "arms_orders")
    # Orders from Russia by the source's table, and one from China in 2015.
    expected = {1992: 6, 1994: 0, 1998: 12, 2002: 12, 2007: 0, 2008: 0, 2015: 8 + 1, 2018: 0}
    assert {y: found[y] for y in expected} == expected
    assert found.index.min() == 1950 and (rows["arms_orders"]["value"] >= 0).all()


def test_the_yearly_table_ends_in_2021_and_keeps_its_vintage(rows):
    found = series(rows, "arms_volume_table")
    expected = {1994: 72, 2005: 3077, 2020: 632, 2021: 773}
    for year, volume in expected.items():
        assert np.exp(found[year]) == pytest.approx(volume, abs=1), year
    assert rows["arms_volume_table"]["year"].max() == 2021
    assert not found.index.isin(range(1970, 1990)).any()  # nothing delivered: absent, not log(0)
    assert np.exp(found[1961]) == pytest.approx(936, abs=1)
    # The register of 2025 has 416 and 6 the other way: never joined to the table.
    assert np.exp(series(rows, "arms_volume")[2021]) == pytest.approx(416 + 6, abs=1)


def test_table_zeros_are_absent_and_a_release_cannot_prolong_it():
    table = {
        "supplier_iso3": ["RUS", "CHN", "RUS"],
        "recipient_iso3": ["CHN", "RUS", "CHN"],
        "year": [2020, 2020, 2021],
        "tiv_table": [632.0, np.nan, 0.0],
    }
    found = commitments.arms_volume_table(given(sipri_arms=table))
    assert found["year"].tolist() == [2020] and np.exp(found["value"]).round().tolist() == [632]
    later = Sources(
        None, ["CHN", "RUS"], years=(2022, 2026), given={"sipri_arms": pd.DataFrame(table)},
        released=True,
    )  # fmt: skip
    with pytest.raises(OutOfSpan):
        commitments.arms_volume_table(later)


def test_pacts_stand_as_the_texts_say(rows):
    atop, cow = series(rows, "pact_level_atop"), series(rows, "pact_level_cow")
    # In force on paper through the split of the 1960s and the fighting of 1969.
    assert (atop.loc[1950:1980] == 3).all() and (atop.loc[1981:1991] == 0).all()
    assert (atop.loc[1992:2018] == 2).all() and atop.index.max() == 2018
    assert (cow.loc[1950:1980] == 3).all() and cow.index.max() == 2012
    assert (cow.loc[1992:1995] == 0).all() and (cow.loc[1996:2012] == 2).all()
    for name in ("pact_level_atop", "pact_level_cow"):
        recent = rows[name][rows[name]["year"] >= 1992]
        assert recent["unit"].nunique() == 210
        assert len(recent) == 210 * recent["year"].nunique()
        assert set(recent["value"]) <= {0, 1, 2, 3}


def test_highest_duty_wins_and_two_state_numbers_are_one():
    flags = ["atop_defense", "atop_offense", "atop_neutral", "atop_nonagg", "atop_consul"]
    table = {"iso3_a": ["RUS", "CHN", "CHN"], "iso3_b": ["CHN", "RUS", "IND"], "year": [2000] * 3}
    table |= {f: [0, 0, 0] for f in flags}
    table |= {"atop_consul": [1, 1, 1], "atop_nonagg": [0, 1, 0]}
    found = commitments.pact_level_atop(given("CHN RUS IND", alliances=table, years=(1999, 2000)))
    found = found.set_index(["unit", "year"])["value"]
    assert found["CHN-RUS", 2000] == 2 and found["CHN-IND", 2000] == 1
    assert found["IND-RUS", 2000] == found["CHN-RUS", 1999] == 0


def test_partnership_stands_at_the_end_of_the_year(rows):
    found = series(rows, "partnership_level_chn_rus")
    expected = {1991: 0, 1992: 1, 1993: 1, 1994: 2, 1996: 3, 2000: 3, 2001: 4, 2009: 4, 2010: 5,
                2018: 5, 2019: 6, 2021: 6, 2022: 7, 2024: 7}  # fmt: skip
    assert {y: found[y] for y in expected} == expected
    assert found.index.min() == 1991  # the alliance of 1950 is on another footing


def test_blocs_count_full_members_on_the_last_day(rows):
    found = series(rows, "shared_blocs")
    assert found[1995] == 0 and found[1996] == 1
    assert found[2001] == 1  # Shanghai Five became the Organisation: one, not two
    assert found[2008] == 1 and found[2009] == 2
    assert series(rows, "shared_blocs", "CHN-IRN").loc[[2022, 2023, 2024]].tolist() == [0, 1, 2]
    assert series(rows, "shared_blocs", "CHN-PAK").loc[[2016, 2017]].tolist() == [0, 1]
    assert series(rows, "shared_blocs", "RUS-ZAF").loc[[2009, 2010]].tolist() == [0, 1]
    assert (series(rows, "shared_blocs", "CHN-SAU") == 0).all()  # invited only
    assert (series(rows, "shared_blocs", "AFG-CHN") == 0).all()  # observer only
    assert (series(rows, "shared_blocs", "DEU-JPN") == 0).all()  # one of them in NATO
    assert len(rows["shared_blocs"]) == 210 * 33


def test_a_membership_that_ends_in_the_year_does_not_stand():
    table = {
        "org": ["C"] * 3,
        "iso3": ["RUS", "UZB", "UZB"],
        "status": ["member"] * 3,
        "start_year": [1992, 1992, 2006],
        "end_year": [np.nan, 1999, 2012],
    }
    found = commitments.shared_blocs(given("RUS UZB", blocs=table)).set_index("year")["value"]
    assert found.loc[[1992, 1998, 1999, 2005, 2006, 2011, 2012, 2024]].tolist() == [
        1, 1, 0, 0, 1, 1, 0, 0,
    ]  # fmt: skip


def test_shared_organisations_match_the_table(rows):
    found = np.expm1(series(rows, "shared_igos"))
    expected = {1992: 36, 1996: 46, 2001: 51, 2013: 57, 2014: 55}
    assert {y: round(found[y]) for y in expected} == expected
    assert rows["shared_igos"]["year"].max() == 2014


def test_second_coding_of_disputes_ends_in_2010(rows):
    assert rows["gml_disputes"]["year"].max() == 2010
    recent = rows["gml_disputes"][rows["gml_disputes"]["year"] >= 1992]
    sums = recent.groupby("unit")["value"].sum()
    assert sums["CHN-RUS"] == 3 and sums["AFG-IRN"] == 7
    # Seen from both sides in the file, once here.
    table = {
        "iso3_a": ["CHN", "RUS", "CHN"],
        "iso3_b": ["RUS", "CHN", "RUS"],
        "year": [1994, 1994, 2012],
        "gml_n_onsets": pd.array([1, 1, None], dtype="Int16"),
    }
    found = commitments.gml_disputes(given(mid_directed=table))
    assert found["value"].sum() == 1 and found["year"].max() == 2010


# -- dependence ------------------------------------------------------------------------------------


def share(rows, indicator, unit):
    return 1 / (1 + np.exp(-series(rows, indicator, unit)))


def test_export_parts_by_direction(rows):
    found = share(rows, "export_dependence_cow", "RUS>CHN")
    assert found[2014] == pytest.approx(0.0885, abs=2e-4)
    assert found[1992] == pytest.approx(0.0870, abs=2e-4)
    # China-Soviet flows that are missing or not credible stay unknown.
    gap = [*range(1950, 1955), *range(1958, 1978)]
    for unit in ("RUS>CHN", "CHN>RUS"):
        assert not series(rows, "export_dependence_cow", unit).index.isin(gap).any()
    for name in ("export_dependence_cow", "export_share_wits", "fdi_outward_imf"):
        assert rows[name]["unit"].str.fullmatch("[A-Z]{3}>[A-Z]{3}").all()
        assert np.isfinite(rows[name]["value"]).all()


def test_unrecorded_flows_are_absent_and_the_total_holds_all_partners():
    table = {
        "year": [2000] * 4 + [2001],
        "exporter": ["RUS"] * 5,
        "importer": ["CHN", "IND", "FRA", "DEU", "CHN"],
        "value": [50.0, 0.0, 100.0, 50.0, 20.0],
        "source": ["COW_Trade_4.0"] * 5,
    }
    found = dependence.export_dependence_cow(given("CHN RUS IND", trade_flows=table))
    # 2001 records 20 million in all: too little to take a part of.
    assert found[["unit", "year"]].to_numpy().tolist() == [["RUS>CHN", 2000]]
    assert found["value"].item() == pytest.approx(np.log(0.25 / 0.75))


def test_a_partner_outside_the_first_five_is_unknown(rows):
    found = share(rows, "export_share_wits", "RUS>CHN")
    assert found[2014] == pytest.approx(0.0752, abs=1e-4)
    assert found[2021] == pytest.approx(0.1395, abs=1e-4)
    assert not found.index.isin([1997, 1998, 1999, 2004, 2007, 2008]).any()  # gaps, no zeros
    assert "CHN>RUS" not in set(rows["export_share_wits"]["unit"])
    # WITS names the Soviet Union as a partner of its own.
    soviet = share(rows, "export_share_wits", "IND>RUS")
    assert soviet.index[soviet.index < 1992].tolist() == [1988, 1989, 1990, 1991]
    assert rows["export_share_wits"]["year"].max() == 2021


def test_only_the_exporters_own_report_counts():
    flows = {
        "year": [2015] * 3,
        "exporter": ["RUS"] * 3,
        "importer": ["CHN", "CHN", "IND"],
        "value": [30.0, 40.0, 5.0],
        "source": ["WITS_TradeSummary_top5"] * 3,
        "reporter": ["exporter", "importer", "importer"],
    }
    totals = {"iso3": ["RUS", "RUS"], "year": [2015] * 2, "flow": ["export", "import"],
              "value": [300.0, 200.0]}  # fmt: skip
    found = dependence.export_share_wits(given(trade_flows=flows, trade_totals=totals))
    assert found["unit"].tolist() == ["RUS>CHN"]
    assert found["value"].item() == pytest.approx(np.log(0.1 / 0.9))


def test_positions_are_those_the_holder_reports(rows):
    frame = rows["fdi_outward_imf"]
    assert set(frame["unit"].str[:3]) == {"CHN", "DEU", "JPN"}
    assert frame.loc[frame["unit"].str.startswith("CHN"), "year"].min() == 2018
    found = np.exp(series(rows, "fdi_outward_imf", "CHN>RUS"))
    # 6,578, 9,902 and 15,752 million current dollars: the move is theirs less US inflation.
    assert 6000 < found[2018] < 6578 and 7500 < found[2022] < 9000
    assert 1.5 < found[2024] / found[2022] * 9902 / 6578 < 2.5


def test_positions_in_another_unit_and_losses_are_left_out():
    years = range(1988, 2025)
    gdp = pd.concat(
        pd.DataFrame({"iso3": "USA", "year": years, "variable": v, "value": 1.0, "source": "WDI_2"})
        for v in ("gdp_current_usd", "gdp_constant2015_usd")
    )
    table = {
        "reporter": ["CHN"] * 5,
        "counterpart": ["RUS", "KOR", "IND", "RUS", "JPN"],
        "year": [2020, 2020, 2020, 2021, 2020],
        "indicator": ["outward_position"] * 4 + ["inward_position"],
        "dv_type": ["reported"] * 3 + ["derived_from_counterparty", "reported"],
        "value": [100.0, 7.05e9, -5.0, 9.0, 9.0],
    }
    found = dependence.fdi_outward_imf(given("CHN RUS KOR IND JPN", fdi=table, gdp=gdp))
    assert found["unit"].tolist() == ["CHN>RUS"]
    assert found["value"].item() == pytest.approx(np.log(100))


# -- complementarity -------------------------------------------------------------------------------


def test_fuels_fit_where_one_has_and_the_other_lacks():
    table = {
        "iso3": ["RUS", "CHN", "JPN", "SYR"],
        "year": [2014] * 4,
        "oil_net_ej": [16.0, -13.0, -8.0, np.nan],
        fuels.SUPPLY: [28.0, 118.0, 20.0, np.nan],
    }
    found = fuels.oil_fit(given("CHN JPN RUS SYR", energy=table)).set_index("unit")["value"]
    assert found["RUS>CHN"] == pytest.approx(13 / 118) and found["RUS>JPN"] == pytest.approx(0.4)
    assert found["CHN>RUS"] == found["CHN>JPN"] == 0
    assert not any("SYR" in u for u in found.index)  # no balance: unknown


def test_fuels_have_the_years_of_their_balances(rows):
    for name, first in (("oil_fit", 1965), ("gas_fit", 1970)):
        frame = rows[name]
        assert frame["year"].min() == first and frame["unit"].nunique() == 110
        assert not frame["unit"].str.contains("PRK|CUB|KHM|LBY|MMR|NGA|SDN|SYR").any()
    assert series(rows, "oil_fit", "RUS>CHN")[2024] > series(rows, "oil_fit", "RUS>CHN")[1992] == 0
    assert series(rows, "gas_fit", "RUS>CHN")[2024] > 0


# -- with the sources ------------------------------------------------------------------------------


@needs_sources
@pytest.mark.parametrize("states", ["CHN RUS USA DEU JPN SGP KOR KWT UZB", "IND BRA", "RUS"])
def test_any_set_of_states_can_be_coded(record, states):
    src = Sources(SOURCES, states.split())
    for name in MINE:
        one = record.codebook[name]
        frame = builder.observations(src, one)
        assert not frame.duplicated(["unit", "year"]).any(), name
        named = set(frame["unit"].str.findall("[A-Z]{3}").explode().dropna())
        assert named <= set(states.split()), name
        if "CHN" not in states and ("chn" in name or "china" in name):
            assert frame.empty, name


@needs_sources
def test_positions_of_a_chosen_world_have_no_slip_of_unit(record):
    src = Sources(SOURCES, ["CHN", "KOR", "KWT", "USA"])
    frame = builder.observations(src, record.codebook["fdi_outward_imf"])
    assert "CHN>KOR" not in set(frame["unit"]) and "USA>KOR" in set(frame["unit"])
    assert np.exp(frame["value"].max()) < 1e6


@needs_sources
def test_codings_are_those_of_the_sources(record, rows):
    src = Sources(SOURCES, record.states["iso3"])
    for name in MINE:
        one = record.codebook[name]
        new = builder.observations(src, one)
        old = rows[name][rows[name]["year"] >= one.first_year]
        assert len(new) == len(old), name
        assert np.allclose(new["value"], old["value"], atol=1e-6), name
