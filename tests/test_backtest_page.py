"""The page, the tables and the sentences say what the scores say, in whole English sentences."""

import json
import re
from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest

import made_backtest as made
from fairweather.backtest import page as p
from fairweather.backtest import scored
from fairweather.backtest.scored import MIXTURE
from fairweather.baselines import BASELINES
from fairweather.skill import KEYS, SkillError, common, skill


@cache
def usual():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scored, "cells_of", made.cells_of)
        done = made.done(origins=made.ORIGINS[:4], errors={"drift": 1.5})
        return done, p.summarise(done)


def test_tables_rest_on_the_scores():
    done, found = usual()
    own = found.scores[found.scores["latent"] == "alignment"]
    ours = [MIXTURE, *done["readings"]]
    whole = found.skill[(found.skill["by"] == "all") & (found.skill["group"] == "")]
    assert len(whole) == len(ours) * len(BASELINES)
    table = common(own, "crps", [*ours, *BASELINES])
    row = whole[(whole["forecast"] == MIXTURE) & (whole["against"] == "ar1")].iloc[0]
    by_hand = skill(table, MIXTURE, "ar1")
    assert row["skill"] == pytest.approx(by_hand["skill"]) and row["lower"] == by_hand["lower"]
    assert set(found.skill["by"]) >= {"all", "horizon", "domain", "indicator", "group"}
    assert (found.skill["group"] == p.STATES).sum() in (0, len(BASELINES))
    best = found.skill[found.skill["by"] == "best reading"]
    assert best["against"].tolist() == ["elastic-side"]


def test_whose_pair_it_is():
    unit = pd.Series(["CHN-RUS", "CHN-IND", "IND-IRN"])
    assert p._groups(unit, "CHN-RUS").tolist() == [p.OWN, p.PARTNERS, p.OTHERS]


def test_calibration_counts_indicators_alike_on_cells_of_all():
    rng = np.random.default_rng(1)
    rows = []
    for name, n, low in (("votes", 500, 0.5), ("arms", 10, 0.99)):
        for k in range(n):
            for f in ("a", "b"):
                rows.append((2008, "alignment", name, f"U{k}", 2009, 1, f, low))
    own = pd.DataFrame(rows, columns=[*KEYS, "horizon", "forecast", "low"]).assign(
        high=lambda t: t["low"], inside_50=lambda t: (t["low"] < 0.75) * 1.0,
        inside_89=lambda t: (t["low"] < 0.945) * 1.0,
    )  # fmt: skip
    table = p.calibration_table(own, ["a", "b"])
    mean = table[table["by"] == "all"].set_index("forecast")
    assert mean.loc["a", "inside_50"] == 0.5 and mean.loc["a", "cells"] == 510
    assert mean.loc["a", "bin_5"] == mean.loc["a", "bin_9"] == 0.5
    each = table[table["by"] == "indicator"]
    assert each[["group", "forecast", "cells"]].values.tolist() == [
        ["arms", "a", 10], ["votes", "a", 500]
    ]  # fmt: skip
    lost = (own["forecast"] == "b") & (own["indicator"] == "arms")
    own.loc[lost & (rng.random(len(own)) < 2), "low"] = np.nan
    some = p.calibration_table(own, ["a", "b"]).set_index(["by", "forecast"])
    assert some.loc[("all", "a"), "cells"].item() == 500, "what one lacks is left out for all"


def test_bins_of_every_forecast_add_up():
    table = usual()[1].calibration
    bins = [c for c in table if c.startswith("bin_")]
    np.testing.assert_allclose(table[bins].sum(axis=1), 1.0)
    assert set(table.loc[table["by"] == "all", "forecast"]) == {
        MIXTURE, *made.READINGS, *BASELINES
    }  # fmt: skip


def test_sentences_are_whole_and_say_the_numbers():
    _, found = usual()
    text = "\n".join(found.sentences)
    assert all(s[0].isupper() and s.endswith(".") for s in found.sentences)
    assert "(s)" not in text and "nan" not in text.lower()
    for name in BASELINES:
        row = found.skill[
            (found.skill["by"] == "all") & (found.skill["against"] == name)
            & (found.skill["forecast"] == MIXTURE) & (found.skill["group"] == "")
        ].iloc[0]  # fmt: skip
        word = "better" if row["skill"] > 0 else "worse"
        assert f"{abs(100 * row['skill']):.0f} % {word} than {name}" in text
    assert "picked with hindsight, is elastic-side" in text
    assert "4 origins and 6 target years" in text or re.search(r"4 origins and \d target", text)


def altered(**rows):
    done, found = usual()
    table = found.skill.copy()
    at = (table["by"] == "horizon") & (table["against"] == "ar1")
    table.loc[at, "skill"] = rows.pop("skill")
    own = found.scores[found.scores["latent"] == "alignment"]
    return " ".join(p.sentences(table, own, "drift", done, found.calibration))


def test_who_is_behind_is_said_and_never_passed_over():
    text = altered(skill=[0.1, -0.1, 0.0])
    assert "It is not ahead of ar1 at 2 and 3 years" in text
    assert "It is not ahead of ar1 at 1, 2 and 3 years" in altered(skill=-0.1)
    # What cannot be told is no lead.
    assert "ahead of every plain" not in altered(skill=np.nan)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ((0.12, 0.05, 0.2), "12 % better than ar1, 89 % [5, 20]"),
        ((-0.12, -0.2, -0.05), "12 % worse than ar1, 89 % [-20, -5]"),
        ((0.02, -0.05, 0.2), "2 % better than ar1, 89 % [-5, 20]: no clear difference"),
        ((0.02, np.nan, np.nan), "2 % better than ar1; how sure that is cannot be told"),
        ((np.nan, np.nan, np.nan), "not to be compared with ar1"),
    ],
)
def test_comparisons_in_words(row, said):
    frame = pd.DataFrame([row], columns=["skill", "lower", "upper"]).assign(against="ar1")
    assert p._compared(next(frame.itertuples())) == said


def test_the_page_and_the_files_say_the_same(tmp_path):
    done, found = usual()
    done = done | {"folder": tmp_path}
    found = replace(found, problems={"2015--drift": "ZeroDivisionError:\n nothing"})
    files = p.write(done, found)
    assert [f.name for f in files] == ["backtest.md", "backtest.json", "skill.csv", "scores.csv"]
    text = files[0].read_text(encoding="utf-8")
    assert all(f"- {s}" in text for s in found.sentences)
    assert "- 2015--drift: ZeroDivisionError: nothing" in text and "nan" not in text
    for heading in ("Skill", "Scores", "Calibration", "Weights of the mixture", "Problems"):
        assert f"## {heading}\n" in text
    for heading in p.HEADINGS.values():
        assert f"### {heading}\n" in text
    told = json.loads(files[1].read_text(encoding="utf-8"))
    assert told["sentences"] == found.sentences and told["readings"] == list(made.READINGS)
    assert told["weights"][-1]["origin"] == found.weights["origin"].iloc[-1]
    assert {r["reading"] for r in told["weights"]} == set(made.READINGS)
    assert len(pd.read_csv(files[2])) == len(found.skill)
    assert len(pd.read_csv(files[3])) == len(found.scores)


def test_quality_in_words():
    quality = pd.DataFrame({"seconds": [60.0, 60.0], "max_rhat": [1.0, 1.07],
                            "divergences": [0, 1]})  # fmt: skip
    assert p._told(quality) == (
        "2 fits, 2 minutes of fitting in all. R-hat of the log score is at most 1.07, above 1.05 "
        "in 1 fit; 1 fit had divergent transitions."
    )


def test_nothing_to_score_is_refused():
    with pytest.raises(SkillError, match="no origin was foreseen under every reading"):
        p.summarise(usual()[0] | {"origins": {}})
