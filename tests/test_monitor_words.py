"""The sentence says no more than the draws do."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from fairweather.monitor.influence import EVERY
from fairweather.monitor.warning import EarlyWarning
from fairweather.monitor.words import headline, split


def warning(fell=0.95, change=-0.04, parts=(0.0, -0.01, -0.03), error=0.004):
    table = pd.DataFrame({
        "part": ["pressure CHN", "pressure RUS", "alignment"], "change": parts, "lower": 0.0,
        "upper": 0.0, "mc_error": error,
    })  # fmt: skip
    return EarlyWarning(
        "CHN-RUS", 2024, 2025, 5, "2001-04", fell, 0.01, 0.15, 0.004, 0.15 + change, 0.004, change,
        -0.10, 0.01, 0.004, table, np.zeros((2, 4)),
    )  # fmt: skip


def table(**effects):
    rows = [(k, 1, 0.2, v, 0.01, v, 0.01) for k, v in effects.items()]
    columns = ["indicator", "rows", "k", "fell", "fell_error", "change", "change_error"]
    return pd.DataFrame([*rows, (EVERY, 2, 0.9, np.nan, np.nan, np.nan, np.nan)], columns=columns)


def look(w=None, influence=None, issued=None, serial=None):
    earlier = None if serial is None else SimpleNamespace(serial=serial)
    w = w or warning()
    return SimpleNamespace(
        warning=w,
        influence=influence,
        earlier=earlier,
        issued=issued,
        issued_as="reading drift",
        learned=None if issued is None else w.then - issued,
    )


def test_a_fall_is_said_with_its_part_and_the_rows_that_tell_it():
    said = headline(look(influence=table(unga_votes=0.02, arms_deliveries=0.4), serial=3))
    assert said == (
        "The durability of CHN-RUS fell since forecast 3, issued from 2024: probability that it "
        "fell 95 %, mean change -4 points, mostly because alignment itself moved (-3 points); told "
        "most by the rows of arms_deliveries (without them the probability is 55 %)."
    )


def test_a_rise_names_what_raised_it():
    w = warning(0.03, 0.05, (0.06, -0.02, 0.01))
    said = headline(look(w, table(unga_votes=0.2, arms_deliveries=-0.3)))
    assert "rose since its state of 2024" in said
    assert "pressure on CHN moved (+6 points)" in said and "rows of arms_deliveries" in said


@pytest.mark.parametrize("fell", [0.1, 0.5, 0.9])
def test_between_the_cut_offs_no_cause_is_named(fell):
    said = headline(look(warning(fell), table(unga_votes=0.4)))
    assert "cannot be told" in said and "because" not in said and "unga_votes" not in said


def test_rows_are_not_named_where_weights_do_not_hold():
    bad = table(unga_votes=0.4, arms_deliveries=0.1)
    bad.loc[0, ["fell", "change"]] = np.nan
    said = headline(look(influence=bad))
    assert "their weights do not say" in said and "unga_votes" not in said


def test_nothing_is_named_that_noise_could_do():
    said = headline(look(warning(parts=(0.0, -0.01, -0.03), error=0.02), table(unga_votes=0.015)))
    assert "no single part of which stands out" in said and "no indicator's rows" in said


def test_the_issued_number_is_split_into_learned_and_happened():
    said = split(look(issued=0.20, serial=3))
    assert "issued 20 % (reading drift), today's view of the same origin 15 %, now 11 %" in said
    assert "learned of 2024 and before: -5 points" in said
    assert "happened since: -4 points [-10, +1]" in said


def test_without_an_issued_number_only_what_happened_is_said():
    said = split(look())
    assert "15 % seen from 2024, 11 % from 2025; what happened since: -4 points" in said
    assert "learned" not in said and "(reading drift)" not in said
    assert "(reading drift)" in split(look(serial=3))


def test_one_year_is_no_years():
    assert "Durability 1 year ahead" in split(look(replace(warning(), horizon=1)))
