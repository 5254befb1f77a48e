import pandas as pd
from rich.console import Console

from fairweather.claims import table
from fairweather.claims.catalogue import load_claims
from test_claims_stored import BAD, GOOD, NONE

CLAIMS = load_claims()
FOUND = {"C01": GOOD, "C02": BAD, "C25": NONE}


def printed(listed):
    out = Console(width=160, record=True)
    with out.capture() as caught:
        out.print(table.terminal(listed))
    return caught.get()


def test_each_claim_has_one_row_judged_or_not():
    listed = table.rows(CLAIMS, FOUND)
    assert [r["claim_id"] for r in listed] == list(CLAIMS)
    by = {r["claim_id"]: r for r in listed}
    assert by["C01"]["verdict"] == "borne out" and by["C01"]["shocks"] == 8
    assert by["C02"]["verdict"] == table.FAILED and "no votes" in by["C02"]["problem"]
    assert by["C03"]["verdict"] == "" and by["C01"]["upper_threshold"] == 0.9


def test_csv_and_markdown_hold_the_numbers(tmp_path):
    listed = table.rows(CLAIMS, FOUND)
    table.frame(listed).to_csv(tmp_path / "t.csv", index=False)
    back = pd.read_csv(tmp_path / "t.csv").set_index("claim_id")
    assert len(back) == 49 and back["probability"]["C01"] == 0.93
    assert pd.isna(back["probability"]["C02"]) and pd.isna(back["shocks"]["C25"])
    page = table.markdown(listed).splitlines()
    assert len(page) == 51 and len({line.count("|") for line in page}) == 1
    c01 = next(line for line in page if line.startswith("| C01"))
    for piece in ("0.70 [0.50, 0.90] share", "93 %", "40 %", "8 independent shocks", "borne out"):
        assert piece in c01


def test_terminal_shows_verdicts_or_the_catalogue():
    judged = printed(table.rows(CLAIMS, FOUND))
    for piece in ("borne out", "failed", "not testable here", "1 borne out", "46 not judged"):
        assert piece in judged
    plain = printed(table.rows(CLAIMS))
    assert "verdict" not in plain and "held-out" in plain and "49 not judged" in plain


def test_a_claim_that_left_the_catalogue_is_still_shown():
    assert table.rows({}, {"C01": GOOD})[0]["verdict"] == "borne out"
