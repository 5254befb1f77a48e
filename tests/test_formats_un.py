"""UN voting files: what a vote is, who held a seat, and totals that must bear out the rows."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fairweather.errors import SourceError
from fairweather.formats import un_ga, un_sc, un_vetoes
from published import SOURCES, needs_sources

SAMPLES = Path(__file__).parent / "samples"


def edited(tmp_path, name, *changes, module=un_ga):
    text = (SAMPLES / name).read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return module.read([path])


def votes_of(tables, symbol, state, kind="ga"):
    calls, votes = tables[f"{kind}_rollcalls"], tables[f"{kind}_votes"]
    rc = calls.loc[calls["resolution"] == symbol, "rc"].iloc[0]
    return votes.loc[(votes["rc"] == rc) & (votes["iso3"] == state), "vote"].tolist()


def test_general_assembly_letters_seats_and_sums():
    tables = un_ga.read([SAMPLES / "un-ga.csv"])
    assert votes_of(tables, "A/RES/ES-10/21", "IRN") == [8]
    assert votes_of(tables, "A/RES/78/220", "CHN") == [3]
    # The seat passed on the evening of 25 October 1971; the day's votes were Taipei's.
    assert votes_of(tables, "A/RES/2758(XXVI)", "TWN") == [3]
    assert votes_of(tables, "A/RES/2758(XXVI)", "CHN") == []
    assert votes_of(tables, "A/RES/2826(XXVI)", "CHN") == [8]
    assert votes_of(tables, "A/RES/2826(XXVI)", "RUS") == [1]
    calls = tables["ga_rollcalls"].set_index("resolution")
    assert calls.loc["A/RES/ES-10/21", ["yes", "no", "abstain", "nonvoting"]].tolist() == [
        3, 1, 2, 1]  # fmt: skip
    assert calls.loc["A/RES/ES-10/21", "session"] == "ES10"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("FEDERATION,Y,2023", "FEDERATION,Q,2023", "not in the publisher's list"),
        ("FEDERATION,Y,2023", "FEDERATION,y,2023", "not in the publisher's list"),
        ("FEDERATION,Y,2023", "FEDERATION,A,2023", "contradict"),
        (",3.0,1.0,2.0,1.0,7.0,", ",4.0,1.0,2.0,1.0,7.0,", "total_yes is 4.0"),
        (",3.0,1.0,2.0,1.0,7.0,", ",3.0,1.0,2.0,1.0,193.0,", "total_ms is 193.0"),
        ("4025240,IRN", "4025240,RUS", "two votes"),
        ("4025240,IRN", "4025240,SUN", "two votes"),
        ("4025240,IRN", "4025240,XYZ", "unknown member code"),
        ("4025240,IRN", "4025240,IR", "unknown member code"),
        ("1971-12-16", "1971", "25 October 1971"),
        ("2023-10-27", "27/10/2023", "no day"),
        ("A/RES/78/220", "S/RES/220(1966)", "General Assembly"),
    ],
)
def test_a_general_assembly_fault_is_named_by_its_line(tmp_path, old, new, words):
    with pytest.raises(SourceError, match=words) as refusal:
        edited(tmp_path, "un-ga.csv", (old, new))
    assert refusal.value.row and refusal.value.remedy


def test_a_roll_call_that_lost_its_last_rows_is_refused(tmp_path):
    lines = (SAMPLES / "un-ga.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    path = tmp_path / "cut.csv"
    path.write_text("".join(lines[:-1]), encoding="utf-8")
    with pytest.raises(SourceError, match="contradict"):
        un_ga.read([path])


def test_releases_with_and_without_vote_notes_join_but_never_overlap(tmp_path):
    path = SAMPLES / "un-ga.csv"
    old = pd.read_csv(path, dtype=str, keep_default_na=False).drop(columns="vote_note")
    first, second = old[old["date"] < "2000"], old[old["date"] > "2000"]
    for frame, name in ((first, "a.csv"), (second, "b.csv")):
        frame.to_csv(tmp_path / name, index=False)
    joined = un_ga.read([tmp_path / "b.csv", tmp_path / "a.csv"])
    whole = un_ga.read([path])
    for name in un_ga.TABLES:
        pd.testing.assert_frame_equal(joined[name], whole[name])
    with pytest.raises(SourceError, match=r"already in un-ga\.csv"):
        un_ga.read([path, tmp_path / "a.csv"])


def test_blank_totals_and_record_numbers_are_let_through(tmp_path):
    tables = edited(tmp_path, "un-ga.csv", (",3.0,1.0,2.0,1.0,7.0,", ",,,,,,"))
    assert len(tables["ga_rollcalls"]) == 4


def test_a_printed_yes_is_no_vote_where_none_was_taken():
    tables = un_sc.read([SAMPLES / "un-sc.csv"])
    assert votes_of(tables, "S/RES/732(1992)", "CHN", "sc") == [8]
    calls = tables["sc_rollcalls"].set_index("resolution")
    assert calls.loc["S/RES/732(1992)", "yes"] == 0 and calls.loc["S/RES/732(1992)", "rus"] == 8
    assert calls.loc["S/RES/2616(2021)", ["chn", "rus", "usa"]].tolist() == [2, 2, 1]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("ADOPTED WITHOUT VOTE", "ADOPTED BY VOTE", "disagree"),
        ("ADOPTED WITHOUT VOTE", "ADOPTED", "whether a vote was taken"),
        ("True,A,2021", "True,Y,2021", "contradict"),
        ("3952683,RUS", "3952683,CHN", "two votes"),
        ("S/RES/2616(2021)", "S/2021/990", "Security Council"),
        ("1992-01-23,S/RES/732", "9999-01-23,S/RES/732", "the date is no day"),
        ("1992-01-23,S/RES/732", "0000-01-01,S/RES/732", "the date is no day"),
    ],
)
def test_a_security_council_fault_is_named_by_its_line(tmp_path, old, new, words):
    with pytest.raises(SourceError, match=words) as refusal:
        edited(tmp_path, "un-sc.csv", (old, new), module=un_sc)
    assert refusal.value.row


def test_vetoes_are_read_from_the_names():
    vetoes = un_vetoes.read([SAMPLES / "un-vetoes.csv"])["sc_vetoes"].set_index("draft")
    # Its published columns hold zeros only.
    assert vetoes.loc["S/9696 and Corr.1 & 2", ["chn", "rus", "usa", "gbr"]].tolist() == [
        0,
        0,
        1,
        1,
    ]
    assert vetoes.loc["S/2012/77", ["chn", "rus"]].tolist() == [1, 1]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("CHN;RUS,2", "CHN;RUS,1", "n_vetoes is 1"),
        ("CHN;RUS,2", "CHN;CHN,2", "named twice"),
        ("CHN;RUS,2", "CHN;IND,2", "permanent members"),
        ("CHN;RUS,2", ",0", "permanent members"),
        ("2012-02-04,2012", "2012-02-04,2013", "is not that of the date"),
        ("2024-04-24,2024,S/2024/302,S/PV.9616", "2012-02-04,2012,S/2012/77,S/PV.6711", "twice"),
    ],
)
def test_a_fault_in_the_vetoes_is_named_by_its_line(tmp_path, old, new, words):
    with pytest.raises(SourceError, match=words) as refusal:
        edited(tmp_path, "un-vetoes.csv", (old, new), module=un_vetoes)
    assert refusal.value.row


# Against the prepared copies


def pair_counts(calls, votes):
    """Same, partly different, opposed and all votes of each pair and year, contested calls only."""
    calls = calls[(calls["kind"] == "resolution") & (calls["no"] > 3)]
    wide = (
        votes[votes["rc"].isin(calls["rc"])]
        .astype({"iso3": str})
        .pivot(index="rc", columns="iso3", values="vote")
    )
    years = calls.set_index("rc")["year"].reindex(wide.index)
    out = {}
    for year, block in wide.groupby(years):
        cast = {code: (block == code).to_numpy(float) for code in (1, 2, 3)}
        voted = sum(cast.values())
        same = sum(c.T @ c for c in cast.values())
        opposite = cast[1].T @ cast[3] + cast[3].T @ cast[1]
        counts = np.stack([same, opposite, voted.T @ voted])
        names = list(block.columns)
        for i, a in enumerate(names):
            for j in range(i):
                out[int(year), *sorted((a, names[j]))] = tuple(counts[:, i, j])
    return out


@needs_sources
def test_the_official_layout_gives_the_pair_counts_of_the_prepared_panel():
    folder = Path(SOURCES) / "un_votes"
    layout = folder / "official_format" / "ga_voting_2023_2024_official_layout.csv.gz"
    tables = un_ga.read([layout])
    assert un_ga.coverage(tables) == (2023, 2024)
    calls = pd.read_parquet(folder / "ga_rollcalls.parquet")
    calls = calls[calls["year"].between(2023, 2024)]
    expected = pair_counts(calls, pd.read_parquet(folder / "ga_votes.parquet"))
    found = pair_counts(tables["ga_rollcalls"], tables["ga_votes"])
    assert found == expected
    assert len(found) == 2 * 193 * 192 // 2


@needs_sources
def test_the_whole_panel_survives_the_official_layout(tmp_path):
    """Every vote since 1946, written with the codes of its day, comes back as it was."""
    folder = Path(SOURCES) / "un_votes"
    calls = pd.read_parquet(folder / "ga_rollcalls.parquet")
    calls = calls[(calls["kind"] == "resolution") & (calls["year"] % 13 == 1)]
    votes = pd.read_parquet(folder / "ga_votes.parquet").astype({"iso3": str})
    rows = votes.merge(calls[["rc", "date", "session", "resolution", "yes", "no"]], on="rc")
    code = rows["iso3"].mask((rows["iso3"] == "RUS") & (rows["date"] < "1991-12-24"), "SUN")
    code = code.mask(code == "TWN", "CHN")
    official = pd.DataFrame(dict.fromkeys(un_ga.COLUMNS, ""), index=rows.index)
    official = official.assign(
        ms_code=code, ms_vote=rows["vote"].map({1: "Y", 2: "A", 3: "N", 8: "X"}),
        date=rows["date"], session=rows["session"], resolution=rows["resolution"],
        total_yes=rows["yes"].astype(str) + ".0", total_no=rows["no"],
    )  # fmt: skip
    official.to_csv(tmp_path / "ga.csv", index=False)
    tables = un_ga.read([tmp_path / "ga.csv"])
    found = tables["ga_votes"].merge(tables["ga_rollcalls"][["rc", "date", "resolution"]], on="rc")
    key = ["date", "resolution", "iso3"]
    pd.testing.assert_frame_equal(
        found[[*key, "vote"]].sort_values(key, ignore_index=True),
        rows[[*key, "vote"]].sort_values(key, ignore_index=True),
    )


@needs_sources
def test_the_council_survives_the_official_layout(tmp_path):
    folder = Path(SOURCES) / "un_votes"
    calls = pd.read_parquet(folder / "sc_rollcalls.parquet")
    votes = pd.read_parquet(folder / "sc_votes.parquet").astype({"iso3": str})
    rows = votes.merge(calls[["rc", "date", "resolution", "yes"]], on="rc")
    code = rows["iso3"].mask((rows["iso3"] == "RUS") & (rows["date"] < "1991-12-24"), "SUN")
    unvoted = rows["yes"] == 0
    letter = rows["vote"].map({1: "Y", 2: "A", 3: "N", 8: "X"}).mask(unvoted, "Y")
    official = pd.DataFrame(dict.fromkeys(un_sc.COLUMNS, ""), index=rows.index)
    official = official.assign(
        ms_code=code.mask(code == "TWN", "CHN"), ms_vote=letter, date=rows["date"],
        resolution=rows["resolution"], total_ms=rows.groupby("rc")["vote"].transform("size"),
        modality=unvoted.map({True: "ADOPTED WITHOUT VOTE", False: "ADOPTED BY VOTE"}),
    )  # fmt: skip
    official.to_csv(tmp_path / "sc.csv", index=False)
    found = un_sc.read([tmp_path / "sc.csv"])["sc_rollcalls"].set_index("resolution")
    columns = ["yes", "no", "abstain", "nonvoting", "chn", "rus", "usa", "gbr", "fra"]
    expected = calls.set_index("resolution")[columns].reindex(found.index)
    assert (found[columns].fillna(0) == expected.fillna(0)).all().all()


@needs_sources
def test_vetoes_equal_the_prepared_list():
    path = Path(SOURCES) / "un_votes" / "sc_vetoes.csv"
    found = un_vetoes.read([path])["sc_vetoes"]
    expected = pd.read_csv(path)[found.columns]
    order = list(found.columns)
    pd.testing.assert_frame_equal(
        found.sort_values(order, ignore_index=True),
        expected.sort_values(order, ignore_index=True),
        check_dtype=False,
    )
