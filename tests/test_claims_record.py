import tomllib

import numpy as np
import pandas as pd
import pytest

from fairweather.claims.evidence import ClaimError
from fairweather.claims.measures import record_rows
from fairweather.claims.measures.record_ceiling import record_ceiling, unseen
from fairweather.claims.measures.record_coincidence import record_coincidence
from fairweather.claims.measures.record_rank import record_rank
from fairweather.claims.measures.record_rate import dispersion, record_rate
from fairweather.claims.measures.record_share import record_share, weighed
from fairweather.claims.measures.record_step import fit_step, record_step
from fairweather.codebook import load_codebook
from fairweather.record import Record, load_record

YEARS = list(range(1992, 2025))
STATES = ["CHN", "RUS", "IND", "BRA", "JPN", "DEU", "PAK"]
MEASURES = {
    f.__name__.replace("_", "-"): f
    for f in (record_ceiling, record_coincidence, record_rank, record_rate, record_share,
              record_step)
}  # fmt: skip


def made(**indicators):
    """A record of made-up rows: indicator -> unit -> value, or year -> value, or (value, n)."""
    rows = []
    for name, units in indicators.items():
        for unit, values in units.items():
            series = values if isinstance(values, dict) else dict.fromkeys(YEARS, values)
            for year, cell in series.items():
                value, n = cell if isinstance(cell, tuple) else (cell, np.nan)
                rows.append((name, unit, year, "", float(value), np.nan, np.nan, float(n), "own"))
    columns = ["indicator", "unit", "year", "rater", "value", "partial", "opposite", "n", "source"]
    frame = pd.DataFrame(rows, columns=columns).assign(available_on=pd.Timestamp("2025-01-01"))
    states = pd.DataFrame({"iso3": STATES})
    return Record(frame, load_codebook(), states)


def split(at, before, after):
    return {y: after if y >= at else before for y in YEARS}


def event(number, date, channel, direction, sign, intensity, source="tass.com/1", brief=False):
    return (f"E{number:03d}", date, "day", int(date[:4]), "x", channel, direction, sign, intensity,
            source, "A", brief)  # fmt: skip


@pytest.fixture
def told(monkeypatch):
    """Put made-up events in place of the chronology."""

    def put(*events):
        from fairweather.chronology import COLUMNS

        frame = pd.DataFrame(list(events), columns=list(COLUMNS))
        frame = frame.astype({"year": "int64", "sign": "int64", "intensity": "int64"})
        frame["from_brief"] = frame["from_brief"].astype(bool)
        monkeypatch.setattr("fairweather.chronology.load_chronology", lambda: frame)

    return put


# --- step

STEP = {
    "items": [{"indicator": "leader_meetings_chn_rus"}], "window": [2005, 2020], "at": 2013,
    "side": "above", "said": "{step} {best} {here} {chance}",
}  # fmt: skip


def test_a_step_up_bears_out_and_a_step_down_contradicts():
    up = record_step(made(leader_meetings_chn_rus={"CHN-RUS": split(2013, 2, 9)}), STEP)
    down = record_step(made(leader_meetings_chn_rus={"CHN-RUS": split(2013, 9, 2)}), STEP)
    assert up.holds.mean() > 0.95 and down.holds.mean() < 0.05
    assert up.value.mean() > 1 > -1 > down.value.mean()
    assert up.shocks == 16 and abs(up.prior - 0.5) < 0.03
    assert up.note.split()[1] == "2013"


def test_a_trend_alone_is_no_step():
    wave = {y: (y - 2000) * 2.0 + (y % 2) for y in YEARS}
    params = {**STEP, "items": [{"indicator": "gsdb_us_kinds", "unit": "CHN"}]}
    found = record_step(made(gsdb_us_kinds={"CHN": wave}), params)
    assert 0.1 < found.holds.mean() < 0.9


def test_a_step_that_all_partners_share_is_no_step_of_the_pair():
    shared = split(2013, 2, 9)
    params = {**STEP, "items": [{"indicator": "china_engagements_cv", "against": "others"}]}
    record = made(china_engagements_cv={u: shared for u in ("CHN-RUS", "CHN-IND", "CHN-JPN")})
    assert np.abs(record_step(record, params).value.mean()) < 0.1
    other = made(china_engagements_cv={"CHN-RUS": shared, "CHN-IND": 2, "CHN-JPN": 2})
    assert record_step(other, params).holds.mean() > 0.95


def test_a_pulse_reads_the_codebook_sign_and_the_side():
    contacts = {y: 9 if y in (2014, 2015, 2016) else 2 for y in YEARS}
    params = {"items": [{"indicator": "us_leader_contacts", "unit": "CHN"}], "window": [2008, 2022],
              "pulse": [[2014, 2016]], "side": "below", "said": "{inside}"}  # fmt: skip
    found = record_step(made(us_leader_contacts={"CHN": contacts}), params)
    # More contact is less pressure: pressure dips.
    assert found.holds.mean() > 0.95 and found.note == "3"


def test_what_is_held_fixed_takes_the_step_away():
    record = made(
        leader_meetings_chn_rus={"CHN-RUS": split(2013, 2, 9)},
        gsdb_us_cases={"RUS": split(2013, 0.0, 2.0)},
    )
    fixed = {**STEP, "net_of": [{"indicator": "gsdb_us_cases", "unit": "RUS"}]}
    alone, net = record_step(record, STEP), record_step(record, fixed)
    assert net.value.std() > 2 * alone.value.std()
    assert net.holds.mean() < alone.holds.mean()


def test_zeros_only_give_no_step_and_one_year_is_refused():
    flat = record_step(made(leader_meetings_chn_rus={"CHN-RUS": 0}), STEP)
    assert abs(flat.holds.mean() - 0.5) < 0.05
    with pytest.raises(ClaimError, match=r"leader_meetings_chn_rus.*1 common year"):
        record_step(made(leader_meetings_chn_rus={"CHN-RUS": {2013: 5}}), STEP)
    late = made(leader_meetings_chn_rus={"CHN-RUS": dict.fromkeys(range(2013, 2021), 5)})
    with pytest.raises(ClaimError, match=r"leader_meetings_chn_rus.*one side"):
        record_step(late, STEP)


def test_a_persistent_residual_makes_a_step_less_certain():
    rng = np.random.default_rng(4)
    years = np.arange(1992, 2025)
    noise = rng.standard_normal(len(years))
    loose = 0.6 * (years >= 2010) + noise
    slow = 0.6 * (years >= 2010) + np.convolve(noise, 0.9 ** np.arange(20))[: len(years)]
    fast, held = (
        fit_step((y - y.mean()) / y.std(), years, years >= 2010)[0] for y in (loose, slow)
    )
    assert held.std() > fast.std()


# --- rate

RATE = {
    "items": [{"indicator": "arms_orders"}], "years": [[2011, 2020]], "against": [[[2001, 2010]]],
    "side": "above", "said": "{inside} {outside} {ratio:.2f}",
}  # fmt: skip


def test_more_often_bears_out_and_less_often_contradicts():
    more = record_rate(made(arms_orders={"CHN-RUS": split(2011, 1, 4)}), RATE)
    less = record_rate(made(arms_orders={"CHN-RUS": split(2011, 4, 1)}), RATE)
    assert more.holds.mean() > 0.95 and less.holds.mean() < 0.05
    assert more.note.startswith("40 10 ") and more.shocks == 50
    assert abs(more.value.mean() - 2.0) < 0.3
    assert abs(more.prior - 0.5) < 0.03


def test_what_other_pairs_did_too_is_taken_out():
    params = {**RATE, "items": [{"indicator": "arms_orders", "against": "others"}]}
    rise = split(2011, 2, 8)
    alike = record_rate(made(arms_orders={"CHN-RUS": rise, "IND-RUS": rise}), params)
    ahead = record_rate(made(arms_orders={"CHN-RUS": rise, "IND-RUS": 5}), params)
    behind = record_rate(made(arms_orders={"CHN-RUS": 5, "IND-RUS": rise}), params)
    assert 0.1 < alike.holds.mean() < 0.9
    assert ahead.holds.mean() > 0.95 and behind.holds.mean() < 0.05


def test_only_units_that_share_the_state_are_set_against():
    params = {**RATE, "items": [{"indicator": "arms_orders", "against": "shared", "state": "RUS"}]}
    rise = split(2011, 2, 8)
    record = made(arms_orders={"CHN-RUS": rise, "IND-RUS": rise, "BRA-DEU": 3})
    assert 0.1 < record_rate(record, params).holds.mean() < 0.9
    with pytest.raises(ClaimError, match=r"'arms_orders' of CHN-RUS against other units"):
        record_rate(made(arms_orders={"CHN-RUS": rise, "BRA-DEU": 3}), params)


def test_one_bunch_of_deals_proves_less_than_as_many_spread_out():
    steady = record_rate(made(arms_orders={"CHN-RUS": split(2011, 1, 2)}), RATE)
    bunch = {y: 11 if y == 2015 else 1 for y in YEARS}
    lumpy = record_rate(made(arms_orders={"CHN-RUS": bunch}), RATE)
    assert steady.holds.mean() > 0.9 > lumpy.holds.mean()
    assert dispersion(np.array([2.0, 2.0]), np.array([2.0, 2.0])) == 1


def test_a_trough_needs_both_sides_and_the_rival():
    trough = {**RATE, "years": [[2006, 2012]], "side": "below", "rival": "IND-RUS",
              "against": [[[1999, 2005]], [[2013, 2019]]], "said": "{rival_leads:.1f}"}  # fmt: skip
    deep = {y: 1 if 2006 <= y <= 2012 else 6 for y in YEARS}
    record = made(arms_orders={"CHN-RUS": deep, "IND-RUS": 6})
    found = record_rate(record, trough)
    assert found.holds.mean() > 0.9 and found.note == "1.0"
    # Lowest of three, and below one more: well under one half before the data.
    assert 0.1 < found.prior < 0.33
    fall = made(arms_orders={"CHN-RUS": split(2006, 6, 1), "IND-RUS": 6})
    assert record_rate(fall, trough).holds.mean() < 0.9
    behind = made(arms_orders={"CHN-RUS": deep, "IND-RUS": 0})
    assert record_rate(behind, trough).holds.mean() < 0.1


def test_zeros_stay_even_and_a_lost_year_is_named():
    zeros = record_rate(made(arms_orders={"CHN-RUS": 0}), RATE)
    assert abs(zeros.holds.mean() - 0.5) < 0.03
    one = made(arms_orders={"CHN-RUS": {2015: 3}})
    with pytest.raises(ClaimError, match=r"'arms_orders' of CHN-RUS in 2001, 2002.*no row"):
        record_rate(one, RATE)
    with pytest.raises(ClaimError, match="'arms_orders', of which the record has no rows"):
        record_rate(made(swap_lines={"CHN-RUS": 0}), RATE)
    with pytest.raises(ClaimError, match="'arms_orders' of CHN-RUS, which has no rows"):
        record_rate(made(arms_orders={"IND-RUS": 0}), RATE)


def test_an_absent_row_is_a_zero_only_where_the_claim_says_so():
    vetoes = {"CHN-RUS": {2012: (3, 3), 2014: (2, 2), 2019: (4, 4)}}
    item = {"indicator": "unsc_joint_veto"}
    with pytest.raises(ClaimError, match="unsc_joint_veto"):
        record_rate(made(unsc_joint_veto=vetoes), {**RATE, "items": [item]})
    found = record_rate(made(unsc_joint_veto=vetoes), {**RATE, "items": [{**item, "absent": 0}]})
    assert found.shocks == 9 and found.holds.mean() > 0.9


def test_listed_events_are_counted_by_how_much_of_a_year_is_listed(told):
    energy = {"channels": ["energy"], "sign": 1}
    events = [event(y, f"{y}-05-01", "energy", "mutual", 1, 3) for y in range(2007, 2017)]
    told(*events, event(900, "2008-01-01", "energy", "mutual", -1, 3))
    full = {"CHN-RUS": {y: (0, 0.2 if y >= 2012 else 0.8) for y in range(2004, 2025)}}
    params = {**RATE, "items": [energy], "years": [[2012, 2016]], "against": [[[2007, 2011]]]}
    found = record_rate(made(chronology_cooperation=full), params)
    # Five events on either side, but a fifth as much of the later years is listed.
    assert found.note.startswith("5 5 ") and found.value.mean() > 1


# --- share

HALF = {"groups": [{"name": "v", "weight": 1, "indicator": "unsc_joint_veto",
                    "years": [[2011, 2024]]}],
        "bound": 0.5, "said": "{v_hits} of {v_of}"}  # fmt: skip


def test_a_majority_bears_out_and_a_minority_contradicts():
    most = record_share(made(unsc_joint_veto={"CHN-RUS": dict.fromkeys(YEARS, (2, 2))}), HALF)
    few = record_share(made(unsc_joint_veto={"CHN-RUS": dict.fromkeys(YEARS, (0, 2))}), HALF)
    assert most.holds.mean() > 0.95 and few.holds.mean() < 0.05
    assert most.note == "28 of 28" and most.shocks == 28 and abs(most.prior - 0.5) < 0.03


def test_one_trial_decides_nothing_and_none_is_refused():
    one = record_share(made(unsc_joint_veto={"CHN-RUS": {2015: (1, 1)}}), HALF)
    assert 0.1 < one.holds.mean() < 0.9 and one.shocks == 1
    with pytest.raises(ClaimError, match="no trial of unsc_joint_veto"):
        record_share(made(unsc_joint_veto={"CHN-RUS": {2001: (1, 1)}}), HALF)
    with pytest.raises(ClaimError, match="'unsc_joint_veto' of CHN-RUS"):
        record_share(made(unsc_joint_veto={"IND-RUS": {2015: (1, 1)}}), HALF)


CHANNEL = {
    "bound": 0.0, "said": "{chn_hits}/{chn_of} {rus_hits}/{rus_of} {without_brief:.2f}",
    "groups": [
        {"name": k, "weight": w, "direction": [d], "sign": 1, "success": {"channels": ["finance"]}}
        for k, w, d in (("chn", 1, "CHN->RUS"), ("rus", -1, "RUS->CHN"))
    ],
}  # fmt: skip


@pytest.mark.parametrize(("chn", "rus"), [("finance", "arms"), ("arms", "finance")])
def test_channels_by_direction_are_told_apart_both_ways(told, chn, rus):
    told(*[event(k, "2015-01-01", chn, "CHN->RUS", 1, 3) for k in range(100, 108)],
         *[event(k, "2015-01-01", rus, "RUS->CHN", 1, 3) for k in range(200, 208)])  # fmt: skip
    found = record_share(made(arms_orders={"CHN-RUS": 0}), CHANNEL)
    chance = found.holds.mean()
    assert chance > 0.95 if chn == "finance" else chance < 0.05
    assert found.shocks == 16


def test_events_that_rest_on_the_brief_alone_are_no_evidence_for_it(told):
    alone, both = "Yun Sun (NUPI, 2016) fn1", "Yun Sun (NUPI, 2016) fn1; tass.com/1"
    told(*[event(k, "2015-01-01", "finance", "CHN->RUS", 1, 3, alone, True)
           for k in range(100, 108)],
         *[event(k, "2015-01-01", "finance", "CHN->RUS", 1, 3, both, True)
           for k in range(300, 303)],
         *[event(k, "2015-01-01", "arms", "RUS->CHN", 1, 3) for k in range(200, 208)])  # fmt: skip
    found = record_share(made(arms_orders={"CHN-RUS": 0}), CHANNEL)
    hits, _, without = found.note.split()
    assert hits == "3/3" and found.shocks == 11
    # China has no event left that the brief does not mention; the prior share speaks for it.
    assert float(without) < found.holds.mean()


def test_dates_are_cut_to_the_month(told):
    told(event(1, "2016-10-30", "arms", "RUS->CHN", -1, 2),
         event(2, "2016", "arms", "RUS->CHN", -1, 2),
         event(3, "2016-11", "arms", "RUS->CHN", -1, 2),
         event(4, "2017-12-31", "arms", "RUS->CHN", 1, 2),
         event(5, "2018-01-01", "arms", "RUS->CHN", 1, 2))  # fmt: skip
    params = {"bound": 0.5, "said": "{a_hits} of {a_of}", "groups": [
        {"name": "a", "weight": 1, "since": "2016-11", "until": "2017-12",
         "direction": ["RUS->CHN"], "success": {"sign": -1}}]}  # fmt: skip
    assert record_share(made(arms_orders={"CHN-RUS": 0}), params).note == "1 of 2"


def test_shares_without_trials_keep_the_prior():
    assert abs((weighed([(0, 0), (0, 0)], [1, -1]) > 0).mean() - 0.5) < 0.03


# --- rank

RANK = {"kind": "count", "items": [{"indicator": "china_trips_vg2", "years": [[2013, 2016]]}],
        "said": "{place} of {units}, {first}"}  # fmt: skip


def test_the_most_visited_is_first_and_the_least_is_not():
    most = made(china_trips_vg2={"CHN-RUS": 6, "CHN-IND": 1, "CHN-PAK": 1})
    least = made(china_trips_vg2={"CHN-RUS": 1, "CHN-IND": 6, "CHN-PAK": 1})
    first, last = record_rank(most, RANK), record_rank(least, RANK)
    assert first.holds.mean() > 0.95 and last.holds.mean() < 0.05
    assert first.note == "1 of 3, CHN-RUS" and last.note.endswith("CHN-IND")
    assert first.shocks == 24 and first.prior == pytest.approx(1 / 3)


def test_first_is_not_enough_where_a_rise_is_claimed_too():
    rise = {"items": [{"indicator": "arms_orders"}], "years": [[2013, 2016]],
            "against": [[[2004, 2012]]], "side": "above"}  # fmt: skip
    params = {**RANK, "rise": rise, "said": "{rose:.2f} {ratio:.1f}"}
    trips = {"CHN-RUS": 6, "CHN-IND": 1}
    up = record_rank(
        made(china_trips_vg2=trips, arms_orders={"CHN-RUS": split(2013, 2, 8)}), params
    )
    down = record_rank(
        made(china_trips_vg2=trips, arms_orders={"CHN-RUS": split(2013, 8, 2)}), params
    )
    assert up.holds.mean() > 0.9 and down.holds.mean() < 0.05
    assert up.prior == pytest.approx(0.25, abs=0.02)


def test_a_tie_of_zeros_is_even():
    zeros = record_rank(made(china_trips_vg2={"CHN-RUS": 0, "CHN-IND": 0}), RANK)
    assert abs(zeros.holds.mean() - 0.5) < 0.03


LEVEL = {"kind": "level", "items": [{"indicator": "shared_igos", "years": [[2012, 2014]]}],
         "among": ["CHN", "RUS", "IND"], "said": "{place} {first}"}  # fmt: skip


def test_levels_rank_among_the_states_named_only():
    wave = {y: 0.01 * (y % 2) for y in YEARS}
    levels = {
        "CHN-RUS": {y: 0.8 + wave[y] for y in YEARS}, "CHN-IND": {y: 0.4 + wave[y] for y in YEARS},
        "IND-RUS": {y: 0.5 - wave[y] for y in YEARS}, "DEU-JPN": {y: 0.99 for y in YEARS},
    }  # fmt: skip
    found = record_rank(made(shared_igos=levels), LEVEL)
    assert found.holds.mean() > 0.95 and found.note == "1 CHN-RUS" and found.shocks == 3
    wider = {**LEVEL, "among": ["CHN", "RUS", "IND", "DEU", "JPN"]}
    assert record_rank(made(shared_igos=levels), wider).holds.mean() < 0.05
    # A coding error as large as the lead leaves it open.
    open_ = record_rank(made(shared_igos=levels), {**LEVEL, "error": 0.5}).holds.mean()
    assert 0.1 < open_ < 0.9


def test_ranks_name_what_is_missing():
    with pytest.raises(ClaimError, match=r"CHN-RUS by 'china_trips_vg2'"):
        record_rank(made(china_trips_vg2={"CHN-IND": 1, "CHN-PAK": 1}), RANK)
    with pytest.raises(ClaimError, match="china_trips_vg2"):
        record_rank(made(china_trips_vg2={"CHN-RUS": 3}), RANK)
    with pytest.raises(ClaimError, match="'regime_likeness', of which the record has no rows"):
        items = [{"indicator": "regime_likeness", "years": [[2012, 2016]]}]
        record_rank(made(arms_orders={"CHN-RUS": 0}), {**LEVEL, "items": items})
    one = record_rank(made(shared_igos={"CHN-RUS": {2013: 0.9}, "CHN-IND": {2013: 0.1}}), LEVEL)
    assert one.shocks == 1


# --- ceiling

PACT = {"years": [[2010, 2018]], "levels": [{"indicator": "pact_level_atop", "above": 2}],
        "said": "{passed} of {seen}, {which}"}  # fmt: skip


def test_a_ceiling_holds_until_one_year_passes_it():
    kept = record_ceiling(made(pact_level_atop={"CHN-RUS": 2}), PACT)
    broken = record_ceiling(made(pact_level_atop={"CHN-RUS": {**split(0, 2, 2), 2015: 3}}), PACT)
    assert kept.holds.mean() == 1 and broken.holds.mean() == 0
    assert kept.note == "0 of 9, none" and broken.note == "1 of 9, pact_level_atop 2015"
    assert kept.shocks == 9 and kept.prior < 0.3
    assert broken.value.mean() > kept.value.mean()


def test_years_without_a_row_may_hide_a_passing():
    full = record_ceiling(made(pact_level_atop={"CHN-RUS": 0}), PACT).holds.mean()
    half = dict.fromkeys(range(2010, 2015), 0)
    part = record_ceiling(made(pact_level_atop={"CHN-RUS": half}), PACT)
    one = record_ceiling(made(pact_level_atop={"CHN-RUS": {2010: 0}}), PACT)
    assert one.holds.mean() < part.holds.mean() < full == 1
    assert part.shocks == 5 and one.shocks == 1
    with pytest.raises(ClaimError, match="pact_level_atop"):
        record_ceiling(made(pact_level_atop={"CHN-RUS": {1999: 0}}), PACT)
    with pytest.raises(ClaimError, match="pact_level_atop"):
        record_ceiling(made(pact_level_atop={"IND-RUS": 0}), PACT)


ACTS = {"years": [2014, [2022, 2024]], "said": "{passed} {below} {which} {as_listed:.2f}",
        "events": [{"channels": ["UN"], "sign": -1, "intensity": 3}],
        "below": {"channels": ["UN"], "sign": -1}, "seen": 0.9}  # fmt: skip
LISTED = {"CHN-RUS": {y: (1, 0.5) for y in range(2004, 2025)}}


def test_falling_short_needs_something_that_fell_short(told):
    quiet = event(1, "2014-03-15", "UN", "CHN->RUS", -1, 2)
    loud = event(2, "2022-03-15", "UN", "CHN->RUS", -1, 3)
    last = event(9, "2024-01-01", "trade", "mutual", 1, 2)
    record = made(chronology_cooperation=LISTED)
    told(quiet, last)
    assert record_ceiling(record, ACTS).holds.mean() > 0.9
    told(quiet, loud, last)
    assert record_ceiling(record, ACTS).holds.mean() == 0
    told(quiet, loud, last)
    cleared = record_ceiling(record, {**ACTS, "cleared": ["E002"]})
    assert cleared.holds.mean() > 0.9 and cleared.note.startswith("0 2 none")
    told(last)
    assert record_ceiling(record, ACTS).holds.mean() == 0


def test_years_after_the_end_of_the_chronology_are_unread(told):
    told(event(1, "2014-03-15", "UN", "CHN->RUS", -1, 2))
    found = record_ceiling(made(chronology_cooperation=LISTED), ACTS)
    assert found.shocks == 1 and found.holds.mean() < 0.9
    told(event(1, "2001-03-15", "UN", "CHN->RUS", -1, 2))
    with pytest.raises(ClaimError, match="the chronology"):
        record_ceiling(made(chronology_cooperation=LISTED), ACTS)


def test_clearer_sight_hides_less():
    hidden = [unseen(np.full(9, s), 0)[1].mean() for s in (0.0, 0.5, 0.9, 1.0)]
    assert hidden[0] > hidden[1] > hidden[2] > hidden[3] == 0


# --- coincidence

NEAR = {"items": [{"indicator": "arms_orders"}], "window": [2005, 2020], "lags": [0, 1],
        "events": {"channels": ["energy"], "intensity": 4},
        "said": "{near} {near_years} {far} {far_years} {deals}"}  # fmt: skip


def deals(*years):
    return [event(y, f"{y}-06-01", "energy", "mutual", 1, 4) for y in years]


def test_orders_near_deals_bear_out_and_orders_far_contradict(told):
    told(*deals(2006, 2010, 2015), event(1, "2012-01-01", "energy", "mutual", 1, 2))
    near = {y: 4 if y in (2006, 2007, 2010, 2011, 2015, 2016) else 1 for y in YEARS}
    found = record_coincidence(made(arms_orders={"CHN-RUS": near}), NEAR)
    assert found.holds.mean() > 0.95 and found.note == "24 6 10 10 3" and found.shocks == 3
    far = {y: 5 - v for y, v in near.items()}
    assert record_coincidence(made(arms_orders={"CHN-RUS": far}), NEAR).holds.mean() < 0.05
    none = record_coincidence(made(arms_orders={"CHN-RUS": 0}), NEAR)
    assert 0.4 < none.holds.mean() < 0.6


def test_no_deal_or_a_deal_every_year_leaves_nothing_to_compare(told):
    record = made(arms_orders={"CHN-RUS": 1})
    told(event(1, "2012-01-01", "energy", "mutual", 1, 2))
    with pytest.raises(ClaimError, match=r"chronology.*no year is near"):
        record_coincidence(record, NEAR)
    told(*deals(*range(2004, 2021)))
    with pytest.raises(ClaimError, match=r"chronology.*every year is near"):
        record_coincidence(record, NEAR)


# --- what all share


def test_events_after_the_cut_are_not_known(shipped):
    old = shipped.known_on("2010-06-30")
    assert record_rows.chronology(old)["year"].max() == 2009
    with pytest.raises(ClaimError, match="chronology of CHN and RUS"):
        record_rows.chronology(shipped.select(["CHN", "IND"]))


def test_a_sentence_asks_only_for_what_there_is():
    with pytest.raises(ClaimError, match=r"wrong.*Use only.*ratio"):
        record_rate(made(arms_orders={"CHN-RUS": 1}), {**RATE, "said": "{wrong}"})


def test_years_are_spelled_out():
    assert record_rows.years_of([[2001, 2003], 2002, 2010]) == [2001, 2002, 2003, 2010]


def test_a_measure_gives_the_same_draws_twice():
    record = made(arms_orders={"CHN-RUS": split(2011, 1, 4)})
    first, second = record_rate(record, RATE), record_rate(record, RATE)
    np.testing.assert_array_equal(first.value, second.value)


@pytest.fixture(scope="module")
def shipped():
    return load_record()


def catalogue():
    from fairweather.paths import shipped_data_dir

    table = tomllib.loads((shipped_data_dir() / "claims.toml").read_text("utf-8"))["claim"]
    return {k: v for k, v in table.items() if v.get("method") == "record"}


@pytest.mark.parametrize("name", sorted(catalogue()))
def test_every_claim_on_the_record_is_measured_and_said(shipped, name):
    entry = catalogue()[name]
    found = MEASURES[entry["measure"]](shipped, entry["params"])
    assert found.value.shape == found.holds.shape == (record_rows.DRAWS,)
    assert np.isfinite(found.value).all() and found.shocks > 0
    assert 0 < found.prior < 1
    assert "{" not in found.note and "nan" not in found.note and found.note.endswith(".")
